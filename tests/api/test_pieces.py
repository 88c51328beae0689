"""The pieces of growth in a loop of one's own: Growth and grow_sub_module."""

import re

import pytest
import torch
from own_networks import GoogLeNet
from torch.nn.functional import cross_entropy

import autogrow
from autogrow.errors import UserError


def test_a_grown_sub_module_leaves_everything_else_as_it_is():
    network = autogrow.build_network("Basic3ResNet-1-1-1", image_channels=1, classes=3, width=4)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    cross_entropy(network(torch.rand(4, 1, 8, 8)), torch.arange(4) % 3).backward()
    optimizer.step()
    before = {name: p.clone() for name, p in network.named_parameters()}
    states = {id(p): optimizer.state[p]["exp_avg"].clone() for p in network.parameters()}
    block = autogrow.grow_sub_module(network, 1, optimizer, seed=2)
    assert block is network.sub_networks[1][1]
    for name, parameter in network.named_parameters():
        if name in before:
            assert torch.equal(parameter, before[name])
            assert torch.equal(optimizer.state[parameter]["exp_avg"], states[id(parameter)])
    assert [p.shape for p in optimizer.param_groups[0]["params"][-6:]] == [
        p.shape for p in block.parameters()
    ]
    assert block.last_bn.weight.std() > 0.1  # GauInit
    other = autogrow.build_network("Basic3ResNet-1-1-1", image_channels=1, classes=3, width=4)
    assert torch.equal(
        autogrow.grow_sub_module(other, 1, seed=2).last_bn.weight, block.last_bn.weight
    )
    zero = autogrow.grow_sub_module(other, 1, initializer="ZeroInit")
    assert not zero.last_bn.weight.any()


@pytest.mark.parametrize("frozen", [True, False])
def test_parameters_join_the_groups_of_those_below(frozen):
    network = GoogLeNet()
    groups = [{"params": [p for p in network.parameters() if p.ndim == n]} for n in (1, 2, 4)]
    if frozen:  # convolutions that nobody trains
        groups.pop()
    optimizer = torch.optim.Adagrad(groups, lr=0.1)
    new = autogrow.grow_sub_module(network, 0, optimizer)
    ids = [{id(p) for p in group["params"]} for group in optimizer.param_groups]
    for parameter in new.parameters():
        at = {1: 0, 4: 0 if frozen else 2}[parameter.ndim]
        assert id(parameter) in ids[at]
    cross_entropy(network(torch.rand(4, 1, 8, 8)), torch.arange(4)).backward()
    optimizer.step()  # Adagrad knows the new ones


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((torch.nn.Linear(2, 2), 0), "network: found a Linear, which has no sub_networks"),
        ((GoogLeNet(), 2), "i: found 2; allowed: 0 to 1, a sub-network"),
        ((GoogLeNet(), 0, "Adam"), "optimizer: found 'Adam'; allowed: an optimizer of torch"),
    ],
)
def test_mistakes(arguments, told):
    with pytest.raises(UserError, match=re.escape(told)):
        autogrow.grow_sub_module(*arguments)
    with pytest.raises(UserError, match="initializer: found 'OneInit'; allowed"):
        autogrow.grow_sub_module(GoogLeNet(), 0, initializer="OneInit")
    with pytest.raises(UserError, match="initializer: found 'AdamInit'; allowed: one that needs"):
        autogrow.grow_sub_module(GoogLeNet(), 0, initializer="AdamInit")


def test_policies_have_the_papers_defaults_and_refuse_nonsense():
    assert autogrow.PeriodicGrowth() == autogrow.PeriodicGrowth(K=3, J=None, tau=0.05)
    with pytest.raises(UserError, match="J: found 2; allowed: whole numbers from K = 3"):
        autogrow.PeriodicGrowth(J=2)
    with pytest.raises(UserError, match="K: found 0; allowed: whole numbers from 1"):
        autogrow.ConvergentGrowth(K=0)
    growth = autogrow.Growth(autogrow.PeriodicGrowth(K=1), (1, 1))
    growth.observe(50.0)
    with pytest.raises(UserError, match="J: found None; allowed: a whole number"):
        growth.observe(50.0)


def test_growth_may_be_ended_early():
    growth = autogrow.Growth(autogrow.PeriodicGrowth(K=1, J=3), (1, 1))
    growth.observe(50.0)
    assert growth.end(60.0) == [autogrow.Event(2, "done", None, (2, 1))]
    assert growth.done
    assert growth.maximum == [0.0, 50.0, 60.0]
