"""A model card: what a finished run has found, on what, at what cost, and how to load it.

It is Markdown. Names of classes, data sets and folders may be anybody's: each is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from autogrow.config.resolved import ResolvedScratch, ResolvedSpec
from autogrow.errors import cut
from autogrow.process.terminal import duration
from autogrow.runs.description import parse_description
from autogrow.runs.folder import SPEC, WEIGHTS, read_content, read_spec, require_finished
from autogrow.runs.summary import SUMMARY, Summary, read_summary
from autogrow.training.metrics import METRICS

MOST_CLASSES = 100
"""Names of classes on a card; of more, only their number follows."""
MARKUP = re.compile(r"[\\`*_\[\]#!|~:@$^<>&]|(?<=www)\.", re.IGNORECASE)
"""What means something inside a line of Markdown, links that nobody marked included."""
ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}


def model_card(folder: Path) -> str:
    """Return the model card of a finished run.

    Raises
    ------
    UserError
        If the run is not finished or damaged.
    """
    seal = require_finished(folder, SPEC, SUMMARY, METRICS, WEIGHTS)
    spec, summary = read_spec(folder), read_summary(folder / SUMMARY)
    size, digest = seal.files[WEIGHTS]
    parts = [
        f"# {escaped(summary.network)} on {escaped(summary.data.name)}",
        _opening(spec, summary),
        "## Data",
        _table(_data_rows(folder, spec, summary)),
        "## Accuracy",
        _table(_accuracy_rows(summary)),
        _steering(summary),
        "## Size and cost",
        _table(_cost_rows(summary)),
        "## How to load it",
        _code(
            "python",
            "import autogrow",
            "",
            f"trained = autogrow.load({str(folder)!r})",
            "predictions = trained.predict(images)  # uint8, N x H x W x C, 0 to 255",
            "predictions.names, predictions.probabilities",
        ),
        "Other programs: `autogrow export DIR --format onnx --out network.onnx`.",
        "## What produced it",
        _table(_origin_rows(spec, summary, size, digest)),
    ]
    return "\n\n".join(parts) + "\n"


def escaped(text: object) -> str:
    """Return a text as Markdown shows it as it is: no markup, no HTML, no link, one line."""
    line = " ".join(str(text).split())
    shown = "".join(char if char.isprintable() else "?" for char in cut(line))
    return MARKUP.sub(lambda match: ENTITIES.get(match[0], f"\\{match[0]}"), shown)


def _table(rows: Sequence[tuple[str, str]]) -> str:
    """Return a table of two columns; the second is Markdown already."""
    return "\n".join(["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows)])


def _code(language: str, *lines: str) -> str:
    """Return a block of code that nothing in its lines can end."""
    text = "\n".join(lines)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def _opening(spec: ResolvedSpec, summary: Summary) -> str:
    depth, layers = escaped(summary.depth), summary.layers
    how = {
        "autogrow": f"AutoGrow grew a seed network to the depth {depth}, and fine-tuned it.",
        "morph": f"It was morphed to the depth {depth}, and trained on.",
        "scratch": f"It was trained at the depth {depth}.",
    }[spec.kind]
    if summary.diverged:
        how += f" **Training diverged: no loss was finite from epoch {summary.diverged_after} on.**"
    return f"A network of {layers} layers that classifies images. {how}"


def _data_rows(folder: Path, spec: ResolvedSpec, summary: Summary) -> list[tuple[str, str]]:
    data = summary.data
    file = folder / WEIGHTS
    description = parse_description(read_content(file), file)
    classes = str(data.classes)
    if description is not None:
        names = [escaped(name) for name in description.class_names[:MOST_CLASSES]]
        more = data.classes - len(names)
        classes += f": {', '.join(names)}{f' and {more} more' if more > 0 else ''}"
    return [
        ("data set", escaped(data.name)),
        ("SHA-256", data.checksum),
        ("training images", f"{data.training_images:,}"),
        ("validation images", f"{data.validation_images:,}"),
        ("test images", f"{data.test_images:,}"),
        ("image", f"{data.image_size} x {data.image_size} pixels, {data.image_channels} channels"),
        ("classes", classes),
        ("mean", ", ".join(f"{value:.6g}" for value in data.mean)),
        ("standard deviation", ", ".join(f"{value:.6g}" for value in data.std)),
        ("augmentation", f"crop padding {spec.crop_padding}, flips: {spec.flip}".lower()),
    ]


def _accuracy_rows(summary: Summary) -> list[tuple[str, str]]:
    def percent(value: float | None) -> str:
        return "none" if value is None else f"{value:.2f} %"

    return [
        ("test accuracy of these weights (last epoch)", percent(summary.final_accuracy)),
        ("test accuracy at the best validation epoch", percent(summary.best_accuracy)),
        ("top-5 test accuracy (last epoch)", percent(summary.final_top5)),
        ("training accuracy (last epoch)", percent(summary.final_train_accuracy)),
    ]


def _steering(summary: Summary) -> str:
    if summary.protocol == "holdout":
        return "Images set aside from the training set steered training; the test set did not."
    return (
        "The test set steered growth and chose the best epoch (protocol `paper`), so these "
        "accuracies are optimistic; `--protocol holdout` gives others."
    )


def _cost_rows(summary: Summary) -> list[tuple[str, str]]:
    seconds = summary.seconds_growing + summary.seconds_finetuning
    epochs = ", ".join(f"{n} {phase}" for phase, n in summary.epochs.items() if n)
    return [
        ("parameters", f"{summary.parameters:,}"),
        ("multiply-adds of one image", f"{summary.flops:,}"),
        ("multiply-adds of all training", f"{summary.flops_training:,}"),
        ("epochs", epochs),
        ("training time", f"{duration(seconds)} on {escaped(summary.device)}"),
    ]


def _origin_rows(
    spec: ResolvedSpec, summary: Summary, size: int, digest: str
) -> list[tuple[str, str]]:
    versions = ", ".join(f"{escaped(k)} {escaped(v)}" for k, v in summary.versions.items())
    rows = [
        ("weights", f"{size:,} bytes, SHA-256 {digest}"),
        ("seed", str(summary.seed)),
        ("versions", versions),
        ("commit", escaped(summary.git_commit or "unknown")),
    ]
    if isinstance(spec, ResolvedScratch) and spec.continue_sha256:
        rows.append(("continued from weights with SHA-256", spec.continue_sha256))
    return rows
