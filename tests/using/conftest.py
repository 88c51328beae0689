"""Finished runs that the tests of this chapter use; none of them changes one."""

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_sample_images

from autogrow.cli.main import main

PARAMETERS = 9000


def train(out, *options):
    options = [*options, "--threads", "1", "--device", "cpu", "--quiet", "--out", out]
    assert main([str(o) for o in options]) == 0
    return out


@pytest.fixture(scope="session")
def grown(tiny, tmp_path_factory):
    """A network that was grown on digits."""
    out = tmp_path_factory.mktemp("using") / "grown"
    assert main([*tiny.grow, "--snapshots", "2", "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A user's own photographs: pieces of two pictures, JPEG, of many sizes and shapes."""
    root = tmp_path_factory.mktemp("pictures")
    return make_pictures(root, ("temple", "flower"))


def make_pictures(root, names):
    from PIL import Image

    numbers = np.random.default_rng(0)
    for pixels, name in zip(load_sample_images().images, names, strict=True):
        picture = Image.fromarray(pixels)
        for part, k in itertools.product(("train", "test"), range(12)):
            width, height = numbers.integers(60, 200, 2).tolist()
            left, top = (int(numbers.integers(0, side - 200)) for side in picture.size)
            piece = picture.crop((left, top, left + width, top + height))
            file = root / part / name / f"{k}.jpg"
            file.parent.mkdir(parents=True, exist_ok=True)
            piece.save(file, quality=90)
    return root


@pytest.fixture(scope="session")
def photographs(pictures, tmp_path_factory):
    """A network that was grown on photographs, cut to 16 pixels, within a budget."""
    out = tmp_path_factory.mktemp("using") / "photographs"
    options = ["--network", "Basic3ResNet", "--data", f"folder:{pictures}", "--resize", 16]
    options += ["--width", 4, "--K", 1, "--J", 1, "--finetune-epochs", 8, "--batch-size", 8]
    return train(out, "grow", *options, "--max-parameters", PARAMETERS)


@pytest.fixture(scope="session")
def smaller(tmp_path_factory):
    """A network that was trained on digits that were cut and averaged down."""
    place = tmp_path_factory.mktemp("using")
    images = (15 * load_digits().images).astype(np.uint8)[:200].repeat(2, 1).repeat(2, 2)
    images = np.roll(np.pad(images, ((0, 0), (1, 1), (1, 1))), 1, 2)  # 18 x 18 pixels
    labels = load_digits().target[:200]
    file = place / "digits.npz"
    np.savez(file, x_train=images, y_train=labels, x_test=images[:50], y_test=labels[:50])
    options = ["--network", "Plain3Net-1-1-1", "--data", f"npz:{file}", "--width", 4]
    options += ["--trim", 1, "--downscale", 2, "--epochs", 3]
    return train(place / "smaller", "train", *options), file


@pytest.fixture
def copy(tmp_path):
    """Copy a run, for a test that changes it."""
    return lambda run: Path(shutil.copytree(run, tmp_path / "copy"))
