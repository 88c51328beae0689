"""Images averaged down, statistics measured anew."""

from dataclasses import replace

import numpy as np
import pytest

from autogrow.data import downscaled, image_data, load, trimmed, with_measured_statistics
from autogrow.errors import UserError


def test_the_statistics_can_be_measured_instead_of_the_released_codes():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)
    data = image_data(x, np.arange(20) % 2, x[:4], np.array([0, 1, 0, 1]))
    other = with_measured_statistics(replace(data, mean=(0.0,) * 3, std=(1.0,) * 3))
    assert other.mean == data.mean
    assert other.std == data.std
    assert other.statistics_source == "measured"


def test_images_can_be_averaged_down():
    digits = load("digits")
    half = downscaled(digits, 2)
    expected = digits.train.images.reshape(-1, 4, 2, 4, 2, 1).mean((2, 4))
    assert half.image_size == 4
    assert np.abs(half.train.images - expected).max() <= 0.5
    assert half.checksum != digits.checksum
    with pytest.raises(UserError, match="allowed: 1, 2, 4"):
        downscaled(digits, 3)


def test_a_border_can_be_cut_off():
    digits = load("digits")
    inner = trimmed(digits, 1)
    assert np.array_equal(inner.train.images, digits.train.images[:, 1:7, 1:7])
    assert np.array_equal(inner.test.labels, digits.test.labels)
    assert (inner.image_size, inner.crop_padding) == (6, digits.crop_padding)
    assert inner.mean[0] == pytest.approx(inner.train.images.mean() / 255)
    assert inner.checksum != digits.checksum
    assert trimmed(digits, 0) is digits
    assert trimmed(digits, 3).image_size == 2
    with pytest.raises(UserError, match="trim: found 4; allowed for digits: up to 3"):
        trimmed(digits, 4)


def test_the_callers_own_arrays_may_be_tensors_with_channels_first():
    import torch

    x = torch.randint(0, 256, (6, 3, 8, 8), dtype=torch.uint8)
    y = torch.tensor([0, 1, 2, 0, 1, 2])
    data = image_data(x, y, x, y)
    assert data.train.images.shape == (6, 8, 8, 3)
    assert np.array_equal(data.train.images[4, :, :, 2], x[4, 2].numpy())
    assert data.n_classes == 3
    with pytest.raises(UserError, match="arrays: x_train: found float32 images; allowed: uint8"):
        image_data(x.float(), y, x, y)
    with pytest.raises(UserError, match="arrays: y_train: found no training image of class 0"):
        image_data(x, y + 1_000_000_000, x, y)
