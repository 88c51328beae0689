"""Tasks whose right depth is known, because what a network can see limits what it can tell.

An image has two marks in a row; their distance is the class. A residual sub-module widens what a
place sees by two pixels, and the maximum over all places decides: with d sub-modules, distances
up to 2 d can be told from larger ones, and no others.
"""

import numpy as np
import pytest
import torch
from torch import nn

import autogrow
from autogrow.growth.rivals.controlled import ControlledGrowth

WIDTH = 16


class Sees(nn.Module):
    """A sub-module that sees one pixel more on each side."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTH)
        self.conv2 = nn.Conv2d(WIDTH, WIDTH, 1, bias=False)
        self.last_bn = nn.BatchNorm2d(WIDTH)

    def forward(self, x):
        inner = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(x + self.last_bn(self.conv2(inner)))


class Finder(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.stem = nn.Conv2d(1, WIDTH, 1)
        self.sub_networks = nn.ModuleList([nn.Sequential(Sees())])
        self.head = nn.Linear(WIDTH, classes)

    def new_sub_module(self, i):
        return Sees()

    def forward(self, x):
        x = self.sub_networks[0](torch.relu(self.stem(x)))
        return self.head(x.amax((2, 3)))


def marks(count, distances, seed):
    chance = np.random.default_rng(seed)
    images, labels = (
        np.zeros((count, 12, 12, 1), np.uint8),
        chance.integers(0, len(distances), count),
    )
    for image, label in zip(images, labels, strict=True):
        distance = distances[label]
        row, first = chance.integers(0, 12), chance.integers(0, 12 - distance)
        image[row, [first, first + distance]] = 255
    return images, labels


@pytest.mark.parametrize(("distances", "right_depth"), [((2, 4), 1), ((2, 4, 6), 2)])
def test_controlled_growth_finds_the_depth_that_the_task_needs_and_autogrow_more(
    distances, right_depth
):
    def grown(policy):
        torch.manual_seed(0)
        sets = (marks(1500, distances, 1), marks(500, distances, 2))
        options = {
            "T": 1,
            "learning_rate": 0.02,
            "batch_size": 16,
            "crop_padding": 0,
            "flip": False,
        }
        how = {"quiet": True, "device": "cpu", "threads": 1, "initializer": "ZeroInit"}
        return autogrow.grow(Finder(len(distances)), *sets, policy=policy, **options, **how)

    found = grown(ControlledGrowth(K=3, tau=2.0))
    assert found.depth == (right_depth,)
    assert found.summary.final_val_accuracy > 98
    trials = [epoch.trial for epoch in found.curve if epoch.phase == "twin"]
    assert all(trial.images == 500 for trial in trials)
    assert [event.event for event in found.events].count("undo") == 1
    assert grown(autogrow.PeriodicGrowth(K=3, J=3, tau=2.0)).depth > (right_depth,)
