import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from autogrow.batches.in_memory import DeviceSet
from autogrow.data import Split
from autogrow.networks.growable import build_network
from autogrow.networks.names import parse_network
from autogrow.training.epoch import evaluate, evaluation_batch, train_epoch
from autogrow.training.optimizer import SGD

CPU = torch.device("cpu")


def images_of(n, classes, side=4):
    generator = np.random.default_rng(0)
    split = Split(
        images=generator.integers(0, 256, (n, side, side, 1), dtype=np.uint8),
        labels=generator.integers(0, classes, n),
    )
    return DeviceSet(split, [0.5], [0.25], CPU)


def network_of(classes, seed=0):
    torch.manual_seed(seed)
    name = parse_network("Basic3ResNet-1-1-1")
    return build_network(name, image_channels=1, classes=classes, width=4)


@pytest.mark.parametrize("n", [50, 64, 65, 1300])
def test_evaluation_is_the_mean_over_all_images(n):
    """Whatever the batches: the last one, which is smaller, weighs less."""
    images, network = images_of(n, 10, side=32), network_of(10)
    assert evaluation_batch(images) == 64
    score, top5 = evaluate(network, images)
    assert not network.training
    [(x, labels)] = images.evaluation_batches(n)
    with torch.no_grad():
        logits = network(x)
    assert score.loss == pytest.approx(cross_entropy(logits, labels).item(), rel=1e-5)
    order = logits.argsort(1, descending=True)
    for accuracy, k in ((score.accuracy, 1), (top5, 5)):
        right = sum(int(y) in o[:k].tolist() for y, o in zip(labels, order, strict=True))
        assert accuracy == round(100 * right / n, 4)
    assert 0 < score.accuracy < top5 < 100


@pytest.mark.parametrize("classes", [2, 4, 5])
def test_top5_accuracy_of_at_most_five_classes_is_100(classes):
    score, top5 = evaluate(network_of(classes), images_of(60, classes))
    assert top5 == 100
    assert score.accuracy < 100


def test_evaluation_changes_nothing():
    network, images = network_of(10), images_of(40, 10)
    before = {n: t.clone() for n, t in network.state_dict().items()}
    first = evaluate(network, images)
    assert all(torch.equal(t, before[n]) for n, t in network.state_dict().items())
    assert evaluate(network, images) == first


def test_an_epoch_of_training_is_plain_sgd_over_the_batches():
    """Against a second network trained by the textbook's formula, step by step."""
    images = images_of(20, 3)
    mine, theirs = network_of(3), network_of(3)
    optimizer = SGD(mine.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    batches = list(images.training_batches(8, seed=0, epoch=0))
    score = train_epoch(mine, optimizer, batches)

    momentum = {p: torch.zeros_like(p) for p in theirs.parameters()}
    losses, right = 0.0, 0
    theirs.train()
    for x, labels in batches:
        logits = theirs(x)
        loss = cross_entropy(logits, labels)
        theirs.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p, m in momentum.items():
                m.mul_(0.9).add_(p.grad + 5e-4 * p)
                p.sub_(0.05 * m)
        losses += loss.item() * len(labels)
        right += int((logits.argmax(1) == labels).sum())
    for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-6)
    assert score.loss == pytest.approx(losses / 20, rel=1e-5)
    assert score.accuracy == round(100 * right / 20, 4)
