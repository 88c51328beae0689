"""Small data sets in the real layouts, made in temporary folders."""

import gzip
import struct

import numpy as np
import pytest

from autogrow.data import mnist
from autogrow.data.places import IDX_FILES


def idx_bytes(array):
    """An array in IDX form."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture(autouse=True)
def isolated_places(monkeypatch, tmp_path):
    """No test sees the machine's own data unless it asks for it."""
    monkeypatch.setenv("AUTOGROW_DATA_PATH", str(tmp_path / "no-such-place"))
    monkeypatch.setenv("AUTOGROW_DATA_ROOT", str(tmp_path / "root"))


@pytest.fixture
def rng():
    return np.random.Generator(np.random.PCG64(7))


@pytest.fixture
def no_checksums(monkeypatch):
    """Accept small stand-ins for the published IDX files."""
    monkeypatch.setattr(mnist, "SHA256", {})
    monkeypatch.setattr(mnist, "GZ_MD5", {})


@pytest.fixture
def write_idx(rng):
    """Write the four files of MNIST's layout; returns the arrays by file name."""

    def write(folder, *, gz=False, n_train=30, n_test=20, size=28):
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {}
        for (images, labels), n in zip(
            (IDX_FILES[:2], IDX_FILES[2:]), (n_train, n_test), strict=True
        ):
            arrays[images] = rng.integers(0, 256, (n, size, size), dtype=np.uint8)
            arrays[labels] = (np.arange(n) % 10).astype(np.uint8)
        for name, array in arrays.items():
            data = idx_bytes(array)
            path = folder / (name + ".gz" * gz)
            path.write_bytes(gzip.compress(data) if gz else data)
        return arrays

    return write


@pytest.fixture
def npz_arrays(rng):
    """Arrays of a valid .npz: 12 and 6 RGB images, three classes."""
    return {
        "x_train": rng.integers(0, 256, (12, 8, 8, 3), dtype=np.uint8),
        "y_train": np.arange(12) % 3,
        "x_test": rng.integers(0, 256, (6, 8, 8, 3), dtype=np.uint8),
        "y_test": np.arange(6) % 3,
    }
