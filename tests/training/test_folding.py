"""Evaluation folds BN into the convolutions: the same network beyond rounding."""

import pytest
import torch
from small_networks import digit_images, sgd, small_network

from autogrow.networks.growable import stack_sub_module
from autogrow.training.epoch import evaluate, train_epoch

NETWORKS = [
    "Basic3ResNet-2-2-2",
    "Plain3Net-2-2-2",
    "Basic4ResNet-1-2-1-1",
    "Bottleneck4ResNet-1-2-1-1",
]


@pytest.fixture(scope="module", params=NETWORKS)
def trained(request):
    """A network trained for two epochs, so that its BNs have statistics of their own."""
    images = digit_images(crop_padding=1, flip=True)
    network = small_network(request.param, width=8).to(memory_format=torch.channels_last)
    optimizer = sgd(network, lr=0.02)
    for epoch in range(2):
        train_epoch(network, optimizer, images.training_batches(64, seed=0, epoch=epoch))
    return network.eval(), images


def test_at_most_one_prediction_in_10_000_differs(trained):
    network, images = trained
    differing = seen = 0
    for epoch in range(7):  # other crops and flips of the same digits each time
        for x, _ in images.training_batches(512, seed=1, epoch=epoch):
            plain = network(x).detach()
            with torch.inference_mode():
                folded = network(x)
            torch.testing.assert_close(folded, plain, rtol=1e-3, atol=1e-3)
            differing += int((folded.argmax(1) != plain.argmax(1)).sum())
            seen += len(x)
    assert seen > 10_000
    assert differing <= 1


def test_no_batch_normalization_is_computed(trained):
    network, images = trained
    seen = []
    handles = [
        m.register_forward_hook(lambda *_: seen.append(1))
        for m in network.modules()
        if isinstance(m, torch.nn.BatchNorm2d)
    ]
    evaluate(network, images)
    assert not seen
    x, _ = next(images.evaluation_batches(4))
    network(x)
    assert len(seen) == len(handles)
    for handle in handles:
        handle.remove()


def test_changed_weights_and_statistics_are_seen_at_once(trained):
    network, images = trained
    before = {k: v.clone() for k, v in network.state_dict().items()}
    first = evaluate(network, images)
    bn = network.stem.bn
    for tensor in (network.stem.conv.weight, bn.weight, bn.running_mean, bn.running_var):
        with torch.no_grad():
            tensor.mul_(1.5)
        assert evaluate(network, images) != first
        network.load_state_dict(before)
    stack_sub_module(network, 0, seed=0)
    assert evaluate(network, images) != first
    del network.sub_networks[0][-1]
    assert evaluate(network, images) == first


def test_a_network_in_training_mode_is_not_folded(trained):
    """Statistics of the batch are used and kept, also where no gradient is wanted."""
    network, images = trained
    before = {k: v.clone() for k, v in network.state_dict().items()}
    x, _ = next(images.evaluation_batches(64))
    with torch.inference_mode():
        network.train()(x)
    assert not torch.equal(network.stem.bn.running_mean, before["stem.bn.running_mean"])
    network.load_state_dict(before)
    network.eval()
