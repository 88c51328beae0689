"""Draw subsets that a seed fixes, stratified unless they are asked for otherwise.

Only ``Generator(PCG64(int(seed))).permutation`` is used, class after class in the order of
their labels: the choice of a library's splitter may change between versions.
"""

from __future__ import annotations

from typing import Protocol, Self, TypeVar

import numpy as np

from autogrow.errors import UserError


class Divisible(Protocol):
    """What is drawn from: :class:`autogrow.data.Split` or :class:`autogrow.data.FileSplit`."""

    @property
    def labels(self) -> np.ndarray:
        """Class indices, int64, shape (N,)."""

    def take(self, indices: np.ndarray) -> Self:
        """Return the images and labels at `indices` as a new split."""


AnySplit = TypeVar("AnySplit", bound=Divisible)


def subset(split: AnySplit, fraction: float, *, seed: int, stratified: bool = True) -> AnySplit:
    """Keep ``max(1, round(fraction * n))`` of the n images of every class, in their order.

    Not `stratified`: of all images, as if they were of one class.
    `fraction` is above 0 and up to 1, else a UserError says so. With one seed, a smaller
    fraction is contained in a larger one.
    """
    if not 0 < fraction <= 1:
        raise UserError(f"fraction: found {fraction}; allowed: a number above 0 and up to 1")
    if fraction == 1:
        return split
    labels = split.labels if stratified else np.zeros_like(split.labels)
    members = _shuffled_members(labels, seed)
    chosen = [indices[: max(1, round(fraction * len(indices)))] for indices in members.values()]
    return split.take(np.sort(np.concatenate(chosen)))


def holdout(
    split: AnySplit, fraction: float, *, kept: float = 1.0, seed: int, stratified: bool = True
) -> tuple[AnySplit, AnySplit]:
    """Set a fraction of every class aside; return what is trained on and the validation split.

    Both are shares of the whole split. Of the n shuffled images of a class the first
    ``max(1, round(kept * n))`` are trained on, as :func:`subset` draws them with the same seed,
    and the last ``max(1, round(fraction * n))`` are set aside. Where both do not fit, because
    `fraction` and `kept` are more than 1 together, fewer are trained on; where rounding alone
    makes them too many, fewer are set aside.

    Raises
    ------
    UserError
        If `fraction` is not between 0 and 1, or a class has a single image.
    """
    if not 0 < fraction < 1:
        raise UserError(f"fraction: found {fraction}; allowed: a number above 0 and below 1")
    labels = split.labels if stratified else np.zeros_like(split.labels)
    first, last = [], []
    for label, indices in _shuffled_members(labels, seed).items():
        n = len(indices)
        if n < 2:
            raise UserError(
                f"holdout: found 1 training image of class {label}; allowed: 2 or more per class"
            )
        trained = min(max(1, round(kept * n)), n - 1)
        held = min(max(1, round(fraction * n)), n - 1)
        if fits(fraction, kept):
            held = min(held, n - trained)
        first.append(indices[: min(trained, n - held)])
        last.append(indices[n - held :])
    trained_on, aside = (np.sort(np.concatenate(part)) for part in (first, last))
    return split.take(trained_on), split.take(aside)


def fits(fraction: float, kept: float) -> bool:
    """Return whether a holdout takes nothing from the images that are trained on without it."""
    return fraction + kept <= 1 + 1e-9


def divide(split: AnySplit, counts: dict[int, int], *, seed: int) -> tuple[AnySplit, AnySplit]:
    """Divide a split in two; `counts` says how many images of each label the second part gets."""
    members = _shuffled_members(split.labels, seed)
    second = np.zeros(len(split.labels), dtype=bool)
    for label, indices in members.items():
        second[indices[: counts[label]]] = True
    return split.take(np.flatnonzero(~second)), split.take(np.flatnonzero(second))


def proportional_counts(labels: np.ndarray, total: int) -> dict[int, int]:
    """Share `total` out over the classes in proportion to their size.

    The method of the largest remainder makes the counts sum to exactly `total`; of equal
    remainders the lower label wins.
    """
    classes, sizes = np.unique(labels, return_counts=True)
    quotient, remainder = np.divmod(sizes * total, len(labels))
    by_remainder = np.argsort(-remainder, kind="stable")
    quotient[by_remainder[: total - int(quotient.sum())]] += 1
    return {int(label): int(count) for label, count in zip(classes, quotient, strict=True)}


def _shuffled_members(labels: np.ndarray, seed: int) -> dict[int, np.ndarray]:
    """Return, for each label in ascending order, the indices of its images, shuffled."""
    generator = np.random.Generator(np.random.PCG64(int(seed)))
    return {
        int(label): generator.permutation(np.flatnonzero(labels == label))
        for label in np.unique(labels)
    }
