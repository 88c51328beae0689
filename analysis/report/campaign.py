"""What was run: scale, data, seeds, hardware, versions, commits and cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from analysis.experiments.catalogue import Catalogue
from autogrow.runs.summary import Summary


def facts(catalogue: Catalogue, seeds: Sequence[int], runs: Sequence[Summary]) -> dict[str, str]:
    """Return what the summaries of all runs tell of them, by its name, as texts."""
    seconds = sum(s.seconds_growing + s.seconds_finetuning for s in runs)
    operations = sum(s.flops_training for s in runs)
    versions = Counter(f"{name} {v}" for s in runs for name, v in s.versions.items())
    diverged = sum(s.diverged for s in runs)
    return {
        "scale": f"{catalogue.scale}: {catalogue.settings.description}",
        "data": "; ".join(_data(runs)),
        "seeds": ", ".join(map(str, seeds)),
        "runs": f"{len(runs)}" + (f", of which {diverged} diverged" if diverged else ""),
        "growth steered by": _listed(
            Counter(_STEERED[s.protocol] for s in runs if s.kind == "autogrow")
        ),
        "cost": f"{duration(seconds)} of training, {quantity(operations)} multiply-adds",
        "hardware": _listed(Counter(f"{s.processes} x {s.device}" for s in runs)),
        "versions": ", ".join(versions),
        "commits": _listed(Counter((s.git_commit or "unknown")[:12] for s in runs)),
    }


def stand_ins(catalogue: Catalogue) -> dict[str, list[str]]:
    """Return which of the paper's data sets each other one stands in for at a scale."""
    found: dict[str, list[str]] = {}
    for name, given in catalogue.settings.data.items():
        if given.get("data", name) != name:
            found.setdefault(given["data"], []).append(name)
    return found


def duration(seconds: float) -> str:
    """Return a time to read: ``12 s``, ``3 min 5 s`` or ``4.2 h``."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{seconds / 3600:.1f} h"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def quantity(number: float) -> str:
    """Return a large number to read: ``13.7 billion``."""
    for size, name in (
        (1e15, "quadrillion"),
        (1e12, "trillion"),
        (1e9, "billion"),
        (1e6, "million"),
    ):
        if number >= size:
            return f"{number / size:.1f} {name}"
    return f"{number:,.0f}"


_STEERED = {"paper": "the test set", "holdout": "validation images"}


def _data(runs: Sequence[Summary]) -> list[str]:
    """Return each data set that was used, with its numbers of images."""
    found = []
    for name in dict.fromkeys(s.data.name for s in runs):
        used = [s for s in runs if s.data.name == name]
        # Under the protocol `paper` the validation images are the test images.
        held_out = [s.data.validation_images for s in used if s.protocol == "holdout"]
        sizes = {
            "training images": [s.data.training_images for s in used],
            "validation images": held_out,
            "test images": [s.data.test_images for s in used],
            "pixels wide": [s.data.image_size for s in used],
        }
        texts = [f"{_range(numbers)} {what}" for what, numbers in sizes.items() if numbers]
        found.append(f"{name} ({', '.join(texts)})")
    return found


def _range(numbers: Sequence[int]) -> str:
    """Return the smallest and the largest of some numbers."""
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _listed(counts: Counter[str]) -> str:
    """Return each text once, with how often it is there if there are several."""
    if len(counts) < 2:
        return "".join(counts)
    return ", ".join(f"{text} ({n} runs)" for text, n in counts.most_common())
