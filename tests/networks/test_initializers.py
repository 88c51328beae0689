import json
import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import kstest
from small_networks import sgd, small_network
from torch import nn
from torch.nn.functional import cross_entropy

from autogrow.batches.in_memory import DeviceSet
from autogrow.data import load, subset
from autogrow.networks.adam_init import adam_init, adam_of
from autogrow.networks.growable import depth_of, stack_sub_module
from autogrow.networks.initializers import initialize, last_norms
from autogrow.training.epoch import evaluate, train_epoch

RESIDUAL = ["Basic3ResNet-1-2-1", "Basic4ResNet-1-2-1-1", "Bottleneck4ResNet-1-2-1-1"]
INITIALIZERS = ["ZeroInit", "UniInit", "GauInit", "AdamInit"]


build = partial(small_network, channels=3, width=8)


def as_if_trained(network):
    """Give the network's BNs parameters and running statistics that are not the first ones."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1, 0.3)
            nn.init.normal_(module.bias, 0, 0.3)
            nn.init.normal_(module.running_mean, 0, 0.5)
            nn.init.uniform_(module.running_var, 0.2, 3)
    return network.eval()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
@pytest.mark.parametrize("name", RESIDUAL)
def test_zeroinit_leaves_the_function_unchanged_to_the_bit(name, layout):
    network = as_if_trained(build(name)).to(memory_format=layout)
    images = torch.randn(5, 3, 16, 16).contiguous(memory_format=layout)
    with torch.no_grad():
        before = network(images)
        for i in [*range(len(network.sub_networks)), 0]:
            sub_module = stack_sub_module(network, i, seed=i)
            initialize(sub_module, "ZeroInit", seed=i)
            assert not sub_module.last_bn.weight.any()
            assert not sub_module.last_bn.bias.any()
            assert torch.equal(network(images), before)
    assert before.std() > 0.01


def pooled(initializer, **options):
    """Weights and biases of the last BNs of many new sub-modules."""
    network = build("Basic4ResNet-1-1-1-1", width=32)
    bns = []
    for seed in range(200):
        sub_module = network.new_sub_module(1)
        initialize(sub_module, initializer, seed=seed, **options)
        bns.append(sub_module.last_bn)
    return [torch.cat([getattr(bn, part).detach() for bn in bns]) for part in ("weight", "bias")]


@pytest.mark.parametrize(
    ("options", "low", "high"),
    # With mean 0 and standard deviation 1, or as in the released code.
    [({}, -math.sqrt(3), math.sqrt(3)), ({"uniform_noise": "unit"}, 0, 1)],
)
def test_uniinit_is_uniform_over_its_range(options, low, high):
    for values in pooled("UniInit", **options):
        assert low <= values.min() < low + 0.001 * (high - low)
        assert high - 0.001 * (high - low) < values.max() <= high
        assert kstest(values, "uniform", (low, high - low)).pvalue > 0.01


def test_gauinit_is_normal():
    for values in pooled("GauInit"):
        assert kstest(values, "norm").pvalue > 0.01


@pytest.mark.parametrize("name", [*RESIDUAL, "Plain3Net-1-1-1", "Plain4Net-1-1-1-1"])
@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_only_the_last_bn_is_treated_and_plain_sub_modules_keep_the_default(name, initializer):
    sub_module = build(name).new_sub_module(1)
    before = {n: t.clone() for n, t in sub_module.state_dict().items()}
    treated = "bn3" if name.startswith("Bottleneck") else "bn2"
    there = [getattr(sub_module, treated)] if hasattr(sub_module, treated) else []
    assert last_norms(sub_module) == there
    initialize(sub_module, initializer, seed=0)
    changed = {n for n, t in sub_module.state_dict().items() if not torch.equal(t, before[n])}
    # ZeroInit does not change the bias, which is 0 by default; AdamInit begins at the default.
    expected = {f"{treated}.weight", f"{treated}.bias"}
    expected -= {"ZeroInit": {f"{treated}.bias"}, "AdamInit": expected}.get(initializer, set())
    assert changed == (set() if name.startswith("Plain") else expected)


class Trained:
    """A small net trained on a subset of digits, then grown; and what it held then."""

    def __init__(self, name="Basic3ResNet-1-1-1", epochs=3):
        data = load("digits")
        few = subset(data.train, 0.2, seed=0)
        self.set = DeviceSet(few, data.mean, data.std, torch.device("cpu"))
        self.network = small_network(name).to(memory_format=torch.channels_last)
        self.sgd = sgd(self.network, lr=0.1)
        for epoch in range(epochs):
            score = train_epoch(self.network, self.sgd, self.batches(epoch))
        self.accuracy = score.accuracy
        self.new = stack_sub_module(self.network, 1, seed=1, optimizer=self.sgd)
        initialize(self.new, "AdamInit", seed=1)
        self.before = {n: t.clone() for n, t in self.network.state_dict().items()}
        self.momentum = {p: s["momentum_buffer"].clone() for p, s in self.sgd.state.items() if s}

    def batches(self, epoch):
        return self.set.training_batches(64, seed=0, epoch=epoch)

    def adam_init(self, old_accuracy, train=None, sub_modules=(), **options):
        def one_epoch(adam):
            return train_epoch(self.network, adam, self.batches(100))

        new = sub_modules or [self.new]
        adam = adam_of(new, weight_decay=5e-4)
        train_one = partial(train or one_epoch, adam)
        options |= {"slack": 0.5, "old_accuracy": old_accuracy}
        return list(adam_init(self.network, new, train_one, **options))

    def changed(self):
        after = self.network.state_dict()
        assert list(after) == list(self.before)
        return {n for n, t in after.items() if not torch.equal(t, self.before[n])}


@pytest.fixture
def trained():
    return Trained()


def all_unfrozen(network):
    bns = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(bns) == 11
    return all(p.requires_grad for p in network.parameters()) and all(
        bn.track_running_stats for bn in bns
    )


def test_adaminit_changes_nothing_but_the_last_bn(trained):
    assert len(trained.momentum) == len(list(trained.network.parameters())) - 6
    trained.adam_init(old_accuracy=200)
    parts = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    assert trained.changed() == {f"sub_networks.1.1.bn2.{part}" for part in parts}
    now = {p: s["momentum_buffer"] for p, s in trained.sgd.state.items() if s}
    assert now.keys() == trained.momentum.keys()
    assert all(torch.equal(now[p], m) for p, m in trained.momentum.items())
    assert all_unfrozen(trained.network)
    assert depth_of(trained.network) == (1, 2, 1)
    assert np.isfinite(evaluate(trained.network, trained.set)[0].loss)


def test_adaminit_may_update_the_other_bns_running_statistics(trained):
    trained.adam_init(old_accuracy=200, frozen_statistics=False)
    parameters = {name for name, _ in trained.network.named_parameters()}
    trained_ones = {"sub_networks.1.1.bn2.weight", "sub_networks.1.1.bn2.bias"}
    assert trained.changed() == {*trained.before} - parameters | trained_ones


def test_adaminit_unfreezes_everything_after_an_interruption(trained):
    def interrupted(adam):
        frozen = [p for p in trained.network.parameters() if not p.requires_grad]
        assert len(frozen) == len(list(trained.network.parameters())) - 2
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained.adam_init(200, interrupted)
    assert all_unfrozen(trained.network)


def test_adaminit_respects_what_the_caller_had_frozen(trained):
    stem = trained.network.stem
    stem.conv.weight.requires_grad_(False)
    stem.bn.track_running_stats = False
    trained.adam_init(old_accuracy=0)
    assert not stem.conv.weight.requires_grad
    assert not stem.bn.track_running_stats
    assert trained.network.head.weight.requires_grad


def test_adaminit_trains_the_last_bn_by_adam(trained):
    """One step of Adam moves every element by the learning rate, whatever its gradient."""
    images, labels = next(iter(trained.batches(0)))

    def one_step(adam):
        assert isinstance(adam, torch.optim.Adam)
        trained.network.train()
        loss = cross_entropy(trained.network(images), labels)
        loss.backward()
        adam.step()
        return loss.item(), 100.0

    assert len(trained.adam_init(50, one_step)) == 1
    bn = trained.new.bn2
    moved = (bn.weight - trained.before["sub_networks.1.1.bn2.weight"]).abs()
    torch.testing.assert_close(moved, torch.full_like(moved, 1e-3), rtol=1e-2, atol=0)


@pytest.mark.parametrize(
    ("accuracies", "epochs"),
    [
        ([90.0], 1),
        ([89.51], 1),  # as good as the old one, less half a point
        ([89.5, 89.6], 2),  # at the half point exactly it is not enough
        ([80, 85, 89.4, 91, 70], 4),
        ([10] * 20, 10),
    ],
)
def test_adaminit_stops_at_the_old_accuracy_or_after_ten_epochs(trained, accuracies, epochs):
    scores = iter([(1.0, a) for a in accuracies])
    optimizers = set()

    def one_epoch(adam):
        optimizers.add(adam)
        return next(scores)

    assert [a for _, a in trained.adam_init(90, one_epoch)] == accuracies[:epochs]
    assert len(optimizers) == 1


def test_adaminit_of_several_sub_modules_trains_their_last_bns_only(trained):
    other = stack_sub_module(trained.network, 2, seed=2, optimizer=trained.sgd)
    trained.before = {n: t.clone() for n, t in trained.network.state_dict().items()}
    trained.adam_init(0, sub_modules=[trained.new, other])
    changed = {n.rsplit(".", 1)[0] for n in trained.changed()}
    assert changed == {"sub_networks.1.1.bn2", "sub_networks.2.1.bn2"}


def test_adaminit_of_plain_sub_modules_does_nothing():
    plain = Trained("Plain3Net-1-1-1", epochs=1)
    assert plain.adam_init(200, lambda adam: pytest.fail("trained")) == []
    assert plain.changed() == set()


def sub_modules(row):
    return sum(map(int, row["depth"].split("-")))


def test_a_run_records_every_adaminit_epoch_and_what_each_took(tmp_path, tiny, cli, rows):
    assert cli(*tiny.grow, "--initializer", "AdamInit", "--out", tmp_path / "run").status == 0
    metrics = rows(tmp_path / "run/metrics.csv")
    summary = json.loads((tmp_path / "run/summary.json").read_text())
    all_adam = [m for m in metrics if m["phase"] == "adaminit"]
    uses = summary["adaminit"]
    assert len(all_adam) == summary["epochs"]["adaminit"] == sum(u["epochs"] for u in uses)
    assert all(m["lr"] == "0.001" for m in all_adam)
    assert all(m["val_accuracy"] == m["test_accuracy"] == m["val_loss"] == "" for m in all_adam)
    # They are no epochs of their own: the others are numbered without a gap.
    own = [int(m["epoch"]) for m in metrics if m["phase"] != "adaminit"]
    assert own == list(range(1, len(own) + 1))
    assert len(uses) == sub_modules(summary) - 3 > 1
    for use in uses:
        before, *adam = [m for m in metrics if int(m["epoch"]) == use["after_epoch"]]
        accuracies = [float(m["train_accuracy"]) for m in adam]
        assert before["phase"] == "growing"
        assert {m["phase"] for m in adam} == {"adaminit"}
        assert use["epochs"] == len(adam) <= 10
        assert use["old_train_accuracy"] == float(before["train_accuracy"])
        assert use["train_accuracy"] == accuracies[-1]
        good = [a > use["old_train_accuracy"] - 0.5 for a in accuracies]
        assert not any(good[:-1])
        assert good[-1] or len(good) == 10
        assert sub_modules(adam[0]) == 1 + sub_modules(before)  # of the grown network
