"""Runs under settings of the released code: what they leave, and how they continue."""

import pytest
from interrupting import interrupted_after
from run_results import metrics, results, summary

from autogrow.cli.main import main
from autogrow.config.resolving import resolve
from autogrow.config.spec import parse_spec
from autogrow.errors import UserError

GROW = {"kind": "autogrow", "network": "Basic4ResNet", "data": "CIFAR10"}


def test_a_capped_growth_is_told_replayed_and_continued(tiny, tmp_path, cli):
    policy = ["--K", "3", "--J", "50", "--max-depth", "2-1-2"]
    more = ["--growing-rate", "staircase", "--milestones", "0.4", "0.7", "--subset", "random"]
    line = [*tiny.grow, *policy, *more, "--growing-steps", "milestones", "--out"]
    whole = tmp_path / "whole"
    assert main([*line, str(whole)]) == 0
    growth = (whole / "growth.csv").read_text()
    assert growth.splitlines()[1:] == [
        "3,grow,0,2-1-1",
        "6,cap,0,2-1-1",
        "6,grow,2,2-1-2",  # 1 has its largest depth from the start
        "9,cap,2,2-1-2",  # the last growth has K epochs too
        "9,done,,2-1-2",
    ]
    told = "epoch 9: sub-network 2 has grown to max_depth (2-1-2)"
    assert told in (whole / "log.txt").read_text()
    rows, found = metrics(whole), summary(whole)
    assert (found["capped"], found["data"]["training_images"]) == ([0, 1, 2], 287)
    rates = [0.1, 0.01, 0.001]
    assert [float(row["lr"]) for row in rows] == [*rates * 3, 0.1, 0.1, 0.01, 0.001]
    for epochs in (6, 10):
        folder = tmp_path / str(epochs)
        with interrupted_after(epochs):
            assert main([*line, str(folder)]) == 130
        assert main([*line, str(folder)]) == 0
        assert results(folder) == results(whole)
    replayed = ["--network", "Basic3ResNet", *policy, "--accuracies", whole / "metrics.csv"]
    assert cli("replay", *replayed).out == growth


def test_the_released_largest_depth_is_that_of_the_data_set():
    def found(**more):
        return resolve(parse_spec({**GROW, **more})).largest_depth

    assert found() is None
    assert found(max_depth="released") == (200,) * 4
    assert found(max_depth="released", data="ImageNet") == (6, 16, 72, 32)
    for depth in ("1-1-1-1", "9-9-9-1"):
        with pytest.raises(UserError, match=f"max_depth: {depth} leaves nothing to grow from"):
            found(max_depth=depth, seed_depth="1-1-1-1" if depth[0] == "1" else "1-1-1-2")
    with pytest.raises(UserError, match="max_depth: '1-2' names 2 sub-networks"):
        found(max_depth="1-2")
