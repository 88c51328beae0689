"""Hand-designed ResNets on ImageNet as they were published, for Figure 4."""

from __future__ import annotations

import pandas as pd

from analysis.settings import ROOT

RESNETS = ROOT / "results" / "paper" / "resnets.csv"


def published_resnets() -> pd.DataFrame:
    """Return what He et al. 2016 and torchvision published on ResNet-18 to ResNet-152.

    Returns
    -------
    DataFrame
        Columns ``network``, ``block`` (basic or bottleneck), ``source`` (``He et al. 2016``:
        10-crop testing; ``torchvision``: its IMAGENET1K_V1 weights, one crop), ``top1`` and
        ``top5`` (percent on ImageNet's validation set; NaN where not published),
        ``parameters``, ``flops`` (multiply-adds at 224x224) and ``reference``, which says
        where each constant is from.
    """
    return pd.read_csv(RESNETS)
