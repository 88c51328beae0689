import pytest
import torch
from small_networks import digit_images, sgd, small_network
from torch.nn.functional import cross_entropy

from autogrow.training.epoch import evaluate, evaluation_batch, train_epoch


@pytest.mark.parametrize("n", [1000, 1024, 1025, 1300])
def test_evaluation_is_the_mean_over_all_images(n):
    """Whatever the batches: the last one, which is smaller, weighs less."""
    images, network = digit_images(n), small_network()
    assert evaluation_batch(images) == 1024
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
    score, top5 = evaluate(small_network(classes=classes), digit_images(60, classes=classes))
    assert top5 == 100
    assert score.accuracy < 100


def test_evaluation_changes_nothing():
    network, images = small_network(), digit_images(40)
    before = {n: t.clone() for n, t in network.state_dict().items()}
    first = evaluate(network, images)
    assert all(torch.equal(t, before[n]) for n, t in network.state_dict().items())
    assert evaluate(network, images) == first


def test_an_epoch_of_training_is_plain_sgd_over_the_batches():
    """Against a second network trained by torch's optimizer, step by step."""
    mine, theirs = small_network(classes=3), small_network(classes=3)
    batches = list(digit_images(20, classes=3).training_batches(8, seed=0, epoch=0))
    score = train_epoch(mine, sgd(mine), batches)

    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    losses, right = 0.0, 0
    theirs.train()
    for x, labels in batches:
        logits = theirs(x)
        loss = cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses += loss.item() * len(labels)
        right += int((logits.argmax(1) == labels).sum())
    torch.testing.assert_close(
        list(mine.parameters()), list(theirs.parameters()), rtol=1e-4, atol=1e-6
    )
    assert score.loss == pytest.approx(losses / 20, rel=1e-5)
    assert score.accuracy == round(100 * right / 20, 4)
