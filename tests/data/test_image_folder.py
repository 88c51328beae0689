"""A user's own folder of images: what is accepted, and every mistake."""

import os
import shutil
import struct

import numpy as np
import pytest
from PIL import Image

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


def test_lossless_pixels_and_order(make, rng):
    root = make()
    expected = save(root / "train" / "cat" / "00.png", rng)  # sorts between 0.png and 1.png
    assert np.array_equal(load(f"folder:{root}").train.images[1, :, :, 0], expected)


@pytest.mark.parametrize("part", ["train", "test"])
def test_grey_and_rgb_mixed(make, rng, part):
    root = make()
    grey = load(f"folder:{root}")
    save(root / part / "dog" / "9.png", rng, mode="RGB")
    data = load(f"folder:{root}")
    assert data.channels == info(f"folder:{root}").channels == 3
    for channel in range(3):
        assert np.array_equal(data.train.images[:3, :, :, channel], grey.train.images[:3, :, :, 0])


def test_hidden_files_are_ignored(make):
    root = make()
    (root / ".DS_Store").write_text("x")
    (root / "train" / ".hidden").mkdir()
    (root / "train" / "cat" / "._0.png").write_text("x")
    assert len(load(f"folder:{root}").train) == 6


def test_class_without_test_images_is_allowed(make):
    root = make()
    for file in (root / "test" / "cat").iterdir():
        file.unlink()
    assert load(f"folder:{root}").test.labels.tolist() == [1, 1]


def change(root, kind, rng):
    """Make one mistake in a valid folder."""
    train, test = root / "train", root / "test"
    match kind:
        case "missing" | "file":
            shutil.rmtree(root)
            if kind == "file":
                root.write_text("x")
        case "no train":
            shutil.rmtree(train)
        case "no test":
            shutil.rmtree(test)
        case "both":
            shutil.copytree(test, root / "val")
        case "train is a file":
            shutil.rmtree(train)
            train.write_text("x")
        case "no classes":
            shutil.rmtree(train)
            train.mkdir()
        case "one class":
            shutil.rmtree(train / "dog")
        case "flat":
            shutil.copy(train / "cat" / "0.png", train / "0.png")
        case "other class in test":
            (test / "dog").rename(test / "wolf")
        case "class only in train":
            shutil.copytree(train / "cat", train / "ape")
        case "empty class":
            shutil.rmtree(train / "dog")
            (train / "dog").mkdir()
        case "empty test":
            for name in ("cat", "dog"):
                shutil.rmtree(test / name)
                (test / name).mkdir()
        case "nested":
            (train / "cat" / "more").mkdir()
        case "text":
            (train / "cat" / "notes.txt").write_text("x")
        case "pipe":
            os.mkfifo(train / "cat" / "p.png")
        case "not an image":
            (train / "cat" / "0.png").write_text("hello")
        case "empty image":
            (train / "cat" / "0.png").write_bytes(b"")
        case "gif inside":
            Image.new("L", (16, 16)).save(train / "cat" / "0.png", format="GIF")
        case "transparency":
            Image.new("RGBA", (16, 16)).save(train / "cat" / "0.png")
        case "palette":
            Image.new("P", (16, 16)).save(train / "cat" / "0.png")
        case "16 bit":
            Image.fromarray(np.zeros((16, 16), np.uint16)).save(train / "cat" / "0.png")
        case "large":
            Image.new("L", (5000, 1)).save(train / "cat" / "0.png")
        case "link to nothing":
            (train / "cat" / "z.png").symlink_to(root / "nowhere.png")


LAYOUT_MISTAKES = [
    ("missing", "own: cannot be read: No such file"),
    ("file", "own: found a file"),
    ("no train", "own: found test of train, val and test; allowed: train, and one of"),
    ("no test", "own: found train of train"),
    ("both", "own: found train, val and test of"),
    ("train is a file", "own: found test of"),
    ("no classes", "train: found 0 class folders; allowed: 2 or more"),
    ("one class", "train: found 1 class folders"),
    ("flat", r"train/0\.png: found a file beside class folders"),
    ("other class in test", "test: found no class folder dog, which .*train has"),
    ("class only in train", "test: found no class folder ape"),
    ("empty class", "train/dog: found no image"),
    ("empty test", "test: found zero images"),
    ("nested", "cat/more: found no regular file"),
    ("text", r"cat/notes\.txt: found another type; allowed: image files \.png"),
    ("pipe", r"cat/p\.png: found no regular file"),
    ("link to nothing", r"cat/z\.png: cannot be read: No such file"),
    ("not an image", r"cat/0\.png: broken or unreadable \(UnidentifiedImageError"),
    ("empty image", r"cat/0\.png: broken or unreadable"),
    ("gif inside", r"cat/0\.png: broken or unreadable"),
    ("transparency", r"cat/0\.png: found image mode RGBA; allowed: 8-bit grey"),
    ("palette", r"cat/0\.png: found image mode P;"),
    ("16 bit", r"cat/0\.png: found image mode I;16"),
    ("large", r"cat/0\.png: found 5000x1 pixels; allowed: up to 4096x4096"),
]


@pytest.mark.parametrize(("kind", "message"), LAYOUT_MISTAKES)
def test_mistakes(make, rng, kind, message):
    root = make()
    change(root, kind, rng)
    for function in (load, info):
        with pytest.raises(UserError, match=message):
            function(f"folder:{root}")


@pytest.mark.parametrize("part", ["train", "test"])
def test_one_size_differs(make, rng, part):
    root = make()
    save(root / part / "dog" / "1.png", rng, size=(20, 16))
    message = rf"{part}/dog/1\.png: found 20x16 pixels; allowed: 16x16, as .*train/cat/0\.png"
    with pytest.raises(UserError, match=message):
        load(f"folder:{root}")


@pytest.mark.parametrize("function", [load, info])
def test_not_square(make, function):
    with pytest.raises(UserError, match="allowed: square images"):
        function(f"folder:{make(size=(16, 12))}")


@pytest.mark.parametrize("suffix", [".PNG", ".jpg", ".jpeg", ".bmp", ".webp"])
def test_formats_and_truncated_images(make, suffix):
    # WebP has no grey mode of its own, so RGB serves all.
    root = make(suffix=suffix, mode="RGB")
    assert load(f"folder:{root}").channels == 3
    path = root / "test" / "cat" / f"1{suffix}"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=rf"test/cat/1\{suffix}: broken or unreadable"):
        load(f"folder:{root}")


def test_header_that_claims_a_huge_image(make):
    root = make(suffix=".bmp")
    path = root / "train" / "cat" / "0.bmp"
    content = bytearray(path.read_bytes())
    content[18:26] = struct.pack("<ii", 2**20, 2**20)
    path.write_bytes(content)
    for function in (load, info):
        with pytest.raises(UserError, match=r"cat/0\.bmp: "):
            function(f"folder:{root}")
