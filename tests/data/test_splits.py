"""Stratified subsets and holdouts, and the statistics of images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autogrow.data import Split, holdout, measure_statistics, subset
from autogrow.data import preprocessing as statistics
from autogrow.data.splits import proportional_counts
from autogrow.errors import UserError


def numbered(labels):
    """A split whose pixel values number its images."""
    labels = np.asarray(labels, dtype=np.int64)
    images = np.arange(len(labels), dtype=np.uint32).view(np.uint8).reshape(-1, 2, 2, 1)
    return Split(images=images, labels=labels)


def numbers(split):
    return np.ascontiguousarray(split.images).reshape(-1, 4).view(np.uint32).ravel().tolist()


LABELS = st.lists(st.integers(0, 4), min_size=1, max_size=80)
FRACTIONS = st.floats(0.01, 0.99)


@given(LABELS, FRACTIONS, FRACTIONS, st.integers(0, 2**40))
def test_subset_is_stratified_and_ordered(labels, fraction, other, seed):
    split = numbered(labels)
    part = subset(split, fraction, seed=seed)
    chosen = numbers(part)
    assert chosen == sorted(set(chosen))
    assert part.labels.tolist() == [labels[i] for i in chosen]
    for label in set(labels):
        n = labels.count(label)
        assert part.labels.tolist().count(label) == max(1, round(fraction * n))
    small, large = (set(numbers(subset(split, f, seed=seed))) for f in sorted((fraction, other)))
    assert small <= large
    drawn = numbers(subset(split, fraction, seed=seed, stratified=False))
    assert drawn == sorted(set(drawn))
    assert len(drawn) == max(1, round(fraction * len(labels)))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40), FRACTIONS, st.integers(0, 99))
def test_holdout_divides(labels, fraction, seed):
    labels = labels * 2  # at least two per class
    split = numbered(labels)
    rest, validation = holdout(split, fraction, seed=seed)
    a, b = numbers(rest), numbers(validation)
    assert sorted(a + b) == list(range(len(labels)))
    assert (a, b) == (sorted(a), sorted(b))
    for label in set(labels):
        n, held = labels.count(label), validation.labels.tolist().count(label)
        assert held == min(max(1, round(fraction * n)), n - 1)


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=40),
    *(FRACTIONS, FRACTIONS, st.integers(0, 99), st.booleans()),
)
def test_a_holdout_leaves_the_subset_as_it_is_where_both_fit(labels, fraction, kept, seed, each):
    split = numbered(labels * 2)
    given = {"seed": seed, "stratified": each}
    trained, held = map(numbers, holdout(split, fraction, kept=kept, **given))
    alone = numbers(subset(split, kept, **given))
    assert held
    assert not {*trained} & {*held}
    assert {*trained} <= {*alone}
    if fraction + kept <= 1:
        assert trained == alone or min(map(labels.count, labels)) == 1
    else:
        assert len(trained) >= len(alone) - len(held)


def test_the_seed_alone_decides():
    split = numbered(np.arange(300) % 3)
    assert subset(split, 1, seed=0) is split
    for function in (
        lambda seed: subset(split, 0.25, seed=seed),
        lambda s: holdout(split, 0.1, seed=s)[1],
    ):
        assert numbers(function(1)) == numbers(function(1))
        assert numbers(function(1)) != numbers(function(2))


def test_choice_is_pinned():
    # The paper's subset experiments rest on this choice: it must not drift.
    assert numbers(subset(numbered([0, 1] * 6), 0.5, seed=0)) == [3, 4, 6, 9, 10, 11]


@pytest.mark.parametrize("function", [subset, holdout])
@pytest.mark.parametrize("fraction", [0, -0.1, 1.5, float("nan"), float("inf")])
def test_bad_fraction(function, fraction):
    with pytest.raises(UserError, match=r"fraction: found .*; allowed: a number above 0"):
        function(numbered([0, 0, 1, 1]), fraction, seed=0)


def test_holdout_needs_something_to_keep():
    with pytest.raises(UserError, match="below 1"):
        holdout(numbered([0, 0]), 1.0, seed=0)
    with pytest.raises(UserError, match="found 1 training image of class 1"):
        holdout(numbered([0, 0, 1]), 0.5, seed=0)


@given(LABELS, st.data())
def test_proportional_counts(labels, data):
    total = data.draw(st.integers(0, len(labels)))
    counts = proportional_counts(np.array(labels), total)
    assert sum(counts.values()) == total
    for label, count in counts.items():
        assert abs(count - labels.count(label) * total / len(labels)) < 1


@pytest.mark.parametrize("block", [1, 100, 1 << 22])
@pytest.mark.parametrize("channels", [1, 3])
def test_statistics_agree_with_numpy(rng, monkeypatch, block, channels):
    monkeypatch.setattr(statistics, "BLOCK", block)
    images = rng.integers(0, 200, (17, 5, 5, channels), dtype=np.uint8)
    mean, std = measure_statistics(images)
    scaled = images.astype(np.float64) / 255
    np.testing.assert_allclose(mean, scaled.mean(axis=(0, 1, 2)), rtol=1e-13)
    np.testing.assert_allclose(std, scaled.std(axis=(0, 1, 2)), rtol=1e-13)
    assert all(type(value) is float for value in mean + std)
    images[..., 0] = 77
    assert measure_statistics(images)[1] == (1.0, *std[1:])
