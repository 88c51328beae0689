"""A user's own folder of images: what is accepted, and every mistake."""

import numpy as np
import pytest
from data_sets import CLAIMS, change_folder, claiming
from PIL import Image

from autogrow.config.resolving import resolve
from autogrow.config.spec import ScratchSpec
from autogrow.data import info, load
from autogrow.errors import UserError


@pytest.fixture
def make(tmp_path, rng):
    """Make a valid folder; returns its path."""

    def make(*, test="test", mode="L", suffix=".png", size=(16, 16)):
        root = tmp_path / "own"
        for part, n in (("train", 3), (test, 2)):
            for name in ("cat", "dog"):
                for i in range(n):
                    save(root / part / name / f"{i}{suffix}", rng, mode=mode, size=size)
        return root

    return make


def save(path, rng, *, mode="L", size=(16, 16)):
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
    image = Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8))
    image.convert(mode).save(path)
    return np.array(image)


@pytest.mark.parametrize("test", ["test", "val"])
@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
def test_layout(make, test, mode, channels):
    name = f"folder:{make(test=test, mode=mode)}"
    data = load(name)
    assert data.train.images.shape == (6, 16, 16, channels)
    assert data.test.images.shape == (4, 16, 16, channels)
    assert data.classes == ("cat", "dog")
    assert data.train.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert (data.crop_padding, data.flip, data.statistics_source) == (2, False, "measured")
    entry = info(name)
    assert (entry.image_size, entry.channels, entry.n_classes) == (16, channels, 2)
    assert load(name).checksum == data.checksum


def test_lossless_pixels_and_order_without_hidden_files(make, rng):
    root = make()
    (root / ".DS_Store").write_text("x")
    (root / "train" / ".hidden").mkdir()
    (root / "train" / "cat" / "._0.png").write_text("x")
    expected = save(root / "train" / "cat" / "00.png", rng)  # sorts between 0.png and 1.png
    train = load(f"folder:{root}").train
    assert np.array_equal(train.images[1, :, :, 0], expected)
    assert len(train) == 7


@pytest.mark.parametrize("part", ["train", "test"])
def test_grey_and_rgb_mixed(make, rng, part):
    root = make()
    grey = load(f"folder:{root}")
    save(root / part / "dog" / "9.png", rng, mode="RGB")
    data = load(f"folder:{root}")
    assert data.channels == info(f"folder:{root}").channels == 3
    for channel in range(3):
        assert np.array_equal(data.train.images[:3, :, :, channel], grey.train.images[:3, :, :, 0])


def test_class_without_test_images_is_allowed(make):
    root = make()
    change_folder(root, "rm test/cat; mkdir test/cat")
    assert load(f"folder:{root}").test.labels.tolist() == [1, 1]


LAYOUTS = {
    "rm .": "own: cannot be read: No such file",
    "rm .; file .": "own: found a file",
    "rm train": "own: found test of train, val and test; allowed: train, and one of",
    "rm test": "own: found train of train",
    "cp test val": "own: found train, val and test of",
    "rm train; file train": "own: found test of",
    "rm train; mkdir train": "train: found 0 class folders; allowed: 2 or more",
    "mkdir train/ape": "test: found no class folder ape, which .*train has",
    "rm train/dog; mkdir train/dog": "train/dog: found no image",
    "rm test; mkdir test/cat; mkdir test/dog": "test: found zero images",
    "pipe train/cat/p.png": r"cat/p\.png: found no regular file",
    "file train/cat/0.png": r"cat/0\.png: broken or unreadable \(UnidentifiedImageError",
}


def refused(root, message):
    for function in (load, info):
        with pytest.raises(UserError, match=message):
            function(f"folder:{root}")


@pytest.mark.parametrize("changes", LAYOUTS)
def test_wrong_layouts(make, changes):
    root = make()
    change_folder(root, changes)
    refused(root, LAYOUTS[changes])


@pytest.mark.parametrize(
    ("mode", "size", "form", "message"),
    [
        ("L", (16, 16), "GIF", "broken or unreadable"),
        ("RGBA", (16, 16), "PNG", "found image mode RGBA; allowed: 8-bit grey"),
        ("P", (16, 16), "PNG", "found image mode P;"),
        ("I;16", (16, 16), "PNG", "found image mode I;16"),
        ("L", (5000, 1), "PNG", "found 5000x1 pixels; allowed: up to 67,108,864 pixels, and"),
    ],
)
def test_images_of_another_kind(make, mode, size, form, message):
    root = make()
    Image.new(mode, size).save(root / "train/cat/0.png", format=form)
    refused(root, rf"cat/0\.png: {message}")


def test_not_square(make):
    refused(make(size=(16, 12)), "allowed: squares of one size; or .* with --resize N")


@pytest.mark.parametrize("part", ["train", "test"])
def test_one_size_differs(make, rng, part):
    root = make()
    save(root / part / "dog" / "1.png", rng, size=(20, 16))
    message = rf"{part}/dog/1\.png: found 20x16 pixels; allowed: 16x16, as .*train/cat/0\.png"
    with pytest.raises(UserError, match=message):
        load(f"folder:{root}")


@pytest.mark.parametrize("suffix", [".PNG", ".jpg", ".jpeg", ".bmp", ".webp"])
def test_formats_and_truncated_images(make, suffix, cut_short):
    # WebP has no grey mode of its own, so RGB serves all.
    root = make(suffix=suffix, mode="RGB")
    assert load(f"folder:{root}").channels == 3
    cut_short(root / "test" / "cat" / f"1{suffix}")
    with pytest.raises(UserError, match=rf"test/cat/1\{suffix}: broken or unreadable"):
        load(f"folder:{root}")


@pytest.mark.parametrize("suffix", CLAIMS)
def test_header_that_claims_a_huge_image(make, suffix):
    root = make()
    (root / "train" / "cat" / f"0.{suffix}").write_bytes(claiming(suffix, CLAIMS[suffix]))
    size = "x".join(2 * [str(CLAIMS[suffix])])
    refused(root, rf"cat/0\.{suffix}: found {size} pixels; allowed: up to 67,108,864 pixels, and")


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
def test_photographs_of_any_size_and_shape_become_central_squares(make, rng, mode, channels):
    root = make(mode=mode, size=(40, 20))
    tall = save(root / "test" / "dog" / "0.png", rng, mode=mode, size=(12, 31))
    name = f"folder:{root}"
    with pytest.raises(UserError, match=r"found 40x20 pixels; .*--resize N, .*imagenet:PATH"):
        load(name)
    data, entry = load(name, resize=12), info(name, resize=12)
    assert data.train.images.shape == (6, 12, 12, channels)
    assert (entry.image_size, entry.channels) == (12, channels)
    # The shorter side is 12 pixels long already: nothing but a cut is left.
    assert np.array_equal(data.test.images[2].squeeze(), tall[10:22])
    wide = Image.open(root / "train" / "cat" / "0.png").resize((24, 12), Image.Resampling.BILINEAR)
    assert np.array_equal(data.train.images[0].squeeze(), np.array(wide)[:, 6:18])


@pytest.mark.parametrize("data", ["digits", "npz:x.npz", "imagenet:x"])
def test_only_folders_are_resized(data):
    spec = ScratchSpec(network="Basic3ResNet-1-1-1", data=data, resize=8)
    with pytest.raises(UserError, match=r"resize: found 8 with data .*; allowed: folder:PATH"):
        resolve(spec)
