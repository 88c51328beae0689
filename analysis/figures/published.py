"""What others published on ResNets, which Figure 4 shows beside ours."""

from __future__ import annotations

import pandas as pd

from analysis.experiments.settings import ROOT
from analysis.results.csvfiles import check_columns, read_csv, read_numbers

RESNETS = ROOT / "results" / "paper" / "resnets.csv"
TEXT = ("network", "block", "source", "reference")
NUMBERS = ("top1", "top5", "parameters", "flops")


def published_resnets() -> pd.DataFrame:
    """Return what He et al. 2016 and torchvision published on ResNet-18 to ResNet-152.

    Accuracies are in percent on ImageNet's validation set: with 10-crop testing by He et al.,
    of IMAGENET1K_V1 weights and one crop by torchvision; NaN where not published. ``flops`` are
    multiply-adds at 224x224, and ``reference`` says where each constant is from.
    """
    header, lines = read_csv(RESNETS)
    check_columns(RESNETS, header, [*TEXT, *NUMBERS])
    numbers = {column: read_numbers(RESNETS, lines, column) for column in NUMBERS}
    frame = pd.DataFrame(lines)[[*TEXT, *NUMBERS]].assign(**numbers)
    return frame.astype({"parameters": int, "flops": int})
