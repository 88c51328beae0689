"""config/config.yaml and config/scales: what is allowed, and what follows from it."""

import pytest

from analysis.experiments import settings
from analysis.experiments.settings import CONFIG, FigureSettings, parse_settings, read_scale
from autogrow.errors import UserError
from autogrow.files.yaml import read_yaml


def test_at_paper_scale_the_figures_are_the_papers():
    assert read_scale("paper").figures == FigureSettings()
    figures = FigureSettings()
    assert figures.surface_points == 51
    assert figures.surface_points % figures.row_blocks == 0
    assert figures.images is None


@pytest.mark.parametrize("scale", ["smoke", "mini"])
def test_smaller_scales_have_smaller_grids(scale):
    figures = read_scale(scale).figures
    assert figures.surface_points < 51
    assert figures.contour_points < 31


@pytest.mark.parametrize(
    ("figures", "told"),
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
def test_a_malformed_block_is_told_with_file_and_key(tmp_path, monkeypatch, figures, told):
    (tmp_path / "scales").mkdir()
    file = tmp_path / "scales" / "mini.yaml"
    file.write_text(f"description: t\nfigures: {figures}\n")
    monkeypatch.setattr(settings, "CONFIG", tmp_path)
    with pytest.raises(UserError) as caught:
        read_scale("mini")
    assert str(caught.value).startswith(f"{file}: {told}")


def of(**changed):
    """config.yaml's settings with some of them changed."""
    return parse_settings({**read_yaml(CONFIG / "config.yaml"), **changed}, "config")


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ({"Basic3ResNet": 25}, "gpu_share: found .*allowed: a share for each of .*Plain4Net"),
        ({**of().gpu_share, "ImageNet": 0}, "gpu_share.ImageNet: found 0"),
        ({**of().gpu_share, "VGG": 10}, "gpu_share: found .*allowed: a share for each of"),
    ],
)
def test_a_malformed_share_is_told(shares, told):
    with pytest.raises(UserError, match=told):
        of(gpu_share=shares)


def test_precision_is_one_of_three():
    assert of().precision == "fp32"
    with pytest.raises(UserError, match=r"precision: found 'fp16'.*'fp32', 'tf32' or 'bf16'"):
        of(precision="fp16")
