"""config/config.yaml and config/scales: what is allowed, and what follows from it."""

import re

import pytest

from analysis.experiments import scales
from analysis.experiments.scales import CONFIG, FigureSettings, read_scale
from analysis.experiments.settings import Settings
from autogrow.config.pydantic_errors import validated
from autogrow.errors import UserError
from autogrow.files.yaml import read_yaml

CONTENT = read_yaml(CONFIG / "config.yaml")


def test_the_grids_are_the_papers_and_smaller_at_smaller_scales():
    paper = read_scale("paper").figures
    assert paper == FigureSettings()
    assert paper.surface_points == 51
    assert paper.surface_points % paper.row_blocks == 0
    assert paper.images is None
    for scale in ("smoke", "mini", "reduced"):
        figures = read_scale(scale).figures
        assert figures.surface_points < 51
        assert figures.contour_points < 31


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ("{surface_points: 50}", "figures.surface_points: found 50; allowed: an odd number"),
        ("{contour_points: 2}", "figures.contour_points: found 2"),
        ("{contour_points: 9, row_blocks: 10}", "figures.row_blocks: found 10; allowed: up to 9"),
        ("{row_blocks: 0}", "figures.row_blocks: found 0"),
        ("{snapshots: {3: 0}}", "figures.snapshots.3: found 0"),
        ("{images: 0}", "figures.images: found 0"),
        ("{points: 5}", "unknown key 'figures.points'"),
    ],
)
def test_a_malformed_block_is_reported_with_file_and_key(tmp_path, monkeypatch, figures, message):
    (tmp_path / "scales").mkdir()
    file = tmp_path / "scales" / "mini.yaml"
    file.write_text(f"description: t\nfigures: {figures}\n")
    monkeypatch.setattr(scales, "CONFIG", tmp_path)
    with pytest.raises(UserError, match="^" + re.escape(f"{file}: {message}")):
        read_scale("mini")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"gpu_share": {"Basic3ResNet": 25}},
            "gpu_share: found .*allowed: a share for each of .*Plain4Net",
        ),
        (
            {"gpu_share": {**CONTENT["gpu_share"], "ImageNet": 0}},
            "gpu_share.ImageNet: found 0",
        ),
        (
            {"gpu_share": {**CONTENT["gpu_share"], "VGG": 10}},
            "gpu_share: found .*allowed: a share for each of",
        ),
        ({"precision": "fp16"}, "precision: found 'fp16'.*'fp32', 'tf32' or 'bf16'"),
        ({"checkpoints": {"epochs": 1, "minutes": 0}}, r"checkpoints\.minutes: found 0"),
        ({"scale": "huge"}, "'smoke', 'mini', 'reduced' or 'paper'"),
        (
            {"data_source": {"CIFAR10": "folder:x"}},
            "data_source.CIFAR10: .*allowed: npz:PATH",
        ),
        (
            {"data_source": {"ImageNet": "npz:x"}},
            "data_source: .*'ImageNet': allowed: .*SVHN",
        ),
        ({"sede": 3}, "unknown key 'sede'"),
    ],
)
def test_a_malformed_setting_is_reported_with_its_key(changed, message):
    assert validated(Settings, CONTENT, "config").precision == "fp32"
    with pytest.raises(UserError, match=message):
        validated(Settings, CONTENT | changed, "config")
