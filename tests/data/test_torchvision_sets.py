"""CIFAR10, CIFAR100 and SVHN in small files of torchvision's layout."""

import gzip
import hashlib
import pickle

import numpy as np
import pytest

from autogrow.data import load
from autogrow.errors import UserError

torchvision = pytest.importorskip("torchvision")


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


def zip_all(folder):
    for file in [*folder.iterdir()]:
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes(), 1))
        file.unlink()


@pytest.fixture
def write_cifar(tmp_path, rng, monkeypatch):
    """Write a small CIFAR set and make torchvision expect its checksums."""

    def write(name, *, per_file=200):
        cls = getattr(torchvision.datasets, name)
        folder = tmp_path / cls.base_folder
        folder.mkdir(exist_ok=True)
        n_classes = 10 if name == "CIFAR10" else 100
        key = "labels" if name == "CIFAR10" else "fine_labels"
        written = {}
        for file, _ in cls.train_list + cls.test_list:
            entry = {
                "data": rng.integers(0, 256, (per_file, 3072), dtype=np.uint8),
                key: [i % n_classes for i in range(per_file)],
            }
            written[file] = entry
            (folder / file).write_bytes(pickle.dumps(entry))
        meta = folder / cls.meta["filename"]
        meta.write_bytes(pickle.dumps({cls.meta["key"]: [f"class{i}" for i in range(n_classes)]}))
        for attribute in ("train_list", "test_list"):
            expected = [[file, md5(folder / file)] for file, _ in getattr(cls, attribute)]
            monkeypatch.setattr(cls, attribute, expected)
        monkeypatch.setattr(cls, "meta", {**cls.meta, "md5": md5(meta)})
        return folder, written

    return write


@pytest.fixture
def write_svhn(tmp_path, rng, monkeypatch):
    import scipy.io

    def write(*, n=30, labels=None):
        cls = torchvision.datasets.SVHN
        split_list, images = dict(cls.split_list), {}
        for part in ("train", "test"):
            path = tmp_path / f"{part}_32x32.mat"
            images[part] = rng.integers(0, 256, (32, 32, 3, n), dtype=np.uint8)
            y = np.arange(n) % 10 + 1 if labels is None else labels
            scipy.io.savemat(path, {"X": images[part], "y": y.astype(np.uint8)[:, None]})
            split_list[part] = [split_list[part][0], path.name, md5(path)]
        monkeypatch.setattr(cls, "split_list", split_list)
        return images

    return write


@pytest.mark.parametrize(
    ("name", "n_classes", "n_train"), [("CIFAR10", 10, 1000), ("CIFAR100", 100, 200)]
)
def test_cifar(tmp_path, write_cifar, name, n_classes, n_train):
    folder, written = write_cifar(name)
    data = load(name, root=tmp_path)
    assert data.train.images.shape == (n_train, 32, 32, 3)
    assert data.test.images.shape == (200, 32, 32, 3)
    first = next(iter(written.values()))["data"]
    expected = first[5].reshape(3, 32, 32).transpose(1, 2, 0)
    assert np.array_equal(data.train.images[5], expected)
    assert data.train.labels[5] == 5
    assert data.classes == tuple(f"class{i}" for i in range(n_classes))
    assert (data.crop_padding, data.flip, data.statistics_source) == (4, True, "paper")
    if name == "CIFAR10":
        assert data.std == (0.2023, 0.1994, 0.2010)
    assert data.train.images.flags.c_contiguous
    zip_all(folder)
    assert load(name, root=tmp_path).checksum == data.checksum
    (folder / f"{list(written)[-1]}.gz").write_bytes(gzip.compress(pickle.dumps(print)))
    with pytest.raises(UserError, match=r"test(_batch)?\.gz: found MD5 .*uncompressed"):
        load(name, root=tmp_path)


def test_a_pickle_of_anything_but_arrays_and_values_is_refused(tmp_path, write_cifar, monkeypatch):
    folder, _ = write_cifar("CIFAR10")
    cls = torchvision.datasets.CIFAR10
    meta = folder / cls.meta["filename"]
    meta.write_bytes(pickle.dumps({cls.meta["key"]: print}))
    monkeypatch.setattr(cls, "meta", {**cls.meta, "md5": md5(meta)})
    with pytest.raises(UserError, match=r"builtins\.print is no array"):
        load("CIFAR10", root=tmp_path)


def test_svhn(tmp_path, write_svhn):
    write_svhn(labels=np.arange(30) % 13)
    with pytest.raises(UserError, match="found label 12; allowed: 0 to 9"):
        load("SVHN", root=tmp_path)
    images = write_svhn()
    data = load("SVHN", root=tmp_path)
    assert data.train.images.shape == (30, 32, 32, 3)
    assert np.array_equal(data.train.images[4], images["train"][..., 4])
    assert data.train.labels[:11].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert (data.crop_padding, data.flip) == (4, False)
    assert data.mean == (0.4377, 0.4438, 0.4728)
    zip_all(tmp_path)
    assert load("SVHN", root=tmp_path).checksum == data.checksum
    (tmp_path / "test_32x32.mat").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"test_32x32\.mat: found MD5"):
        load("SVHN", root=tmp_path)


@pytest.mark.parametrize("file", ["data_batch_3", "test_batch", "batches.meta"])
def test_cifar_damaged_file_is_named(tmp_path, write_cifar, file):
    folder, _ = write_cifar("CIFAR10")
    (folder / file).write_bytes(b"damaged")
    with pytest.raises(UserError, match=rf"{file}: found MD5 .*delete it and get it again"):
        load("CIFAR10", root=tmp_path)
    (folder / file).unlink()
    with pytest.raises(UserError, match=rf"found CIFAR10 without {file};"):
        load("CIFAR10", root=tmp_path)
