"""What the paper and others published, which Figures 3 and 4 show beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from analysis.experiments.scales import ROOT
from analysis.results.csvfiles import check_columns, read_csv, read_numbers

MANUAL = "manual search, released code"
"""The ``method`` of what the released code lists, in figure3.csv."""

FOUND = "AutoGrow, the paper's own"
"""The ``method`` of the nets that the paper found, in figure3.csv."""

PAPER = ROOT / "results" / "paper"


def published_resnets() -> pd.DataFrame:
    """Return what He et al. 2016 and torchvision published on ResNet-18 to ResNet-152.

    Accuracies are in percent on ImageNet's validation set: with 10-crop testing by He et al.,
    of IMAGENET1K_V1 weights and one crop by torchvision; NaN where not published. ``flops`` are
    multiply-adds at 224x224, and ``reference`` says where each constant is from.
    """
    text = ("network", "block", "source", "reference")
    return _read(PAPER / "resnets.csv", text, ("top1", "top5"))


def manual_search() -> pd.DataFrame:
    """Return the networks trained from scratch whose accuracies the released code lists.

    ``flops`` are multiply-adds, and ``reference`` says where each number is from.
    """
    text = ("dataset", "network", "depth", "reference")
    frame = _read(PAPER / "manual_search.csv", text, ("layers", "accuracy"))
    return frame.astype({"layers": int}).assign(method=MANUAL)


def found_nets() -> pd.DataFrame:
    """Return the networks that the paper's AutoGrow found and whose accuracies it prints.

    ``K`` is the growing period as text, ``flops`` are multiply-adds, and ``reference`` says where
    each number is from.
    """
    text = ("dataset", "network", "K", "depth", "reference")
    frame = _read(PAPER / "found_nets.csv", text, ("layers", "accuracy"))
    return frame.astype({"layers": int})


def _read(file: Path, text: Sequence[str], numeric: Sequence[str]) -> pd.DataFrame:
    header, lines = read_csv(file)
    columns = (*numeric, "parameters", "flops")
    check_columns(file, header, [*text, *columns])
    numbers = {column: read_numbers(file, lines, column) for column in columns}
    frame = pd.DataFrame(lines)[[*text, *columns]].assign(**numbers)
    return frame.astype({"parameters": int, "flops": int})
