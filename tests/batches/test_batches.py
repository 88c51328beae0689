from itertools import product

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from autogrow.batches.in_memory import DeviceSet
from autogrow.data import Split
from autogrow.process.distributed import World

CPU = torch.device("cpu")
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
N, SIDE, PAD = 23, 9, 2


def images_of(n=N, channels=3, seed=0):
    """Noise without zeros: every crop of every image is like no other."""
    generator = np.random.default_rng(seed)
    images = generator.integers(1, 256, (n, SIDE, SIDE, channels), dtype=np.uint8)
    return Split(images=images, labels=np.arange(n, dtype=np.int64))  # the label names the image


def device_set(n=N, *, channels=3, pad=PAD, flip=True):
    return DeviceSet(
        images_of(n, channels), MEAN[:channels], STD[:channels], CPU, crop_padding=pad, flip=flip
    )


def epoch_of(images, *, batch=8, seed=0, epoch=1):
    return list(images.training_batches(batch, seed=seed, epoch=epoch))


def reference(image, dy, dx, flip, pad):
    """Crop of the zero-padded raw image, then flipped, then normalised: plain numpy."""
    padded = np.zeros((SIDE + 2 * pad, SIDE + 2 * pad, image.shape[2]), np.uint8)
    padded[pad : pad + SIDE, pad : pad + SIDE] = image
    crop = padded[dy : dy + SIDE, dx : dx + SIDE]
    crop = crop[:, ::-1] if flip else crop
    channels = image.shape[2]
    x = (crop.astype(np.float64) / 255 - MEAN[:channels]) / STD[:channels]
    return x.transpose(2, 0, 1)


def augmentation_of(x, image, pad):
    """Search all offsets and flips for the one that gives x."""
    places = range(2 * pad + 1)
    found = [
        drawn
        for drawn in product(places, places, (False, True))
        if np.allclose(x, reference(image, *drawn, pad), atol=1e-4)
    ]
    assert len(found) == 1
    return found[0]


def augmentations(images, pad=PAD, epochs=12, channels=3):
    """The augmentation of every image in several epochs."""
    raw = images_of(channels=channels).images
    return [
        augmentation_of(x.numpy(), raw[int(label)], pad)
        for epoch in range(epochs)
        for batch, labels in epoch_of(images, epoch=epoch)
        for x, label in zip(batch, labels, strict=True)
    ]


def test_every_training_image_is_a_normalised_crop_of_the_padded_raw_image():
    found = augmentations(device_set())
    assert len(found) == 12 * N
    places = set(range(2 * PAD + 1))
    assert {dy for dy, _, _ in found} == {dx for _, dx, _ in found} == places
    assert len({(dy, dx) for dy, dx, _ in found}) == len(places) ** 2  # drawn independently
    flipped = np.mean([flip for _, _, flip in found])
    assert 0.4 < flipped < 0.6
    # Flips do not depend on the offset.
    left = [flip for _, dx, flip in found if dx < PAD]
    assert 0.3 < np.mean(left) < 0.7
    assert len(set(found[:N])) > N / 2  # the images of an epoch get augmentations of their own


@pytest.mark.parametrize(
    ("options", "epochs"), [({"channels": 1}, 1), ({"flip": False}, 4), ({"pad": 0}, 2)], ids=str
)
def test_grey_images_and_those_without_crop_or_flip_are_augmented_alike(options, epochs):
    channels, pad = options.get("channels", 3), options.get("pad", PAD)
    images = device_set(**options)
    assert epoch_of(images)[0][0].shape == (8, channels, SIDE, SIDE)
    found = augmentations(images, pad, epochs, channels)
    places = {(dy, dx) for dy, dx, _ in found}
    assert places == {(0, 0)} if pad == 0 else len(places) > 10
    assert {flip for _, _, flip in found} == ({False, True} if images.flip else {False})


def test_an_epoch_follows_from_seed_and_number_alone():
    images, again = device_set(), device_set()
    state = torch.get_rng_state()
    epoch_of(images, epoch=1)
    assert torch.equal(torch.get_rng_state(), state)  # the caller's random numbers
    for (x, a), (y, b) in zip(epoch_of(images, epoch=5), epoch_of(again, epoch=5), strict=True):
        assert torch.equal(x, y)
        assert torch.equal(a, b)


@pytest.mark.parametrize("other", [{"epoch": 2}, {"seed": 1}])
def test_order_and_augmentation_change_with_epoch_and_seed(other):
    images = device_set(pad=4)

    def drawn(**given):
        [(x, labels)] = epoch_of(images, batch=N, **given)
        return labels.tolist(), x[labels.argsort()]

    (order, x), (order2, x2) = drawn(), drawn(**other)
    assert order != order2
    assert sorted(order) == sorted(order2)
    assert (x == x2).flatten(1).all(1).sum() < N / 2


@pytest.mark.parametrize(
    ("n", "batch", "sizes"),
    [
        (23, 8, [8, 8, 7]),
        (25, 8, [8, 8, 9]),  # one image is too few for Batch Normalization
        (24, 8, [8, 8, 8]),
        (26, 8, [8, 8, 8, 2]),
        (9, 8, [9]),
        (3, 2, [3]),
        (2, 8, [2]),
        (1, 8, [1]),
        (23, 1000, [23]),
    ],
)
def test_a_last_batch_of_one_image_joins_the_one_before(n, batch, sizes):
    for epoch in range(3):
        batches = [labels for _, labels in epoch_of(device_set(n), batch=batch, epoch=epoch)]
        assert [len(labels) for labels in batches] == sizes
        assert sorted(torch.cat(batches).tolist()) == list(range(n))  # each image comes once


@pytest.mark.parametrize(("n", "sizes"), [(25, [4, 4, 4]), (26, [4, 4, 4, 1]), (24, [4, 4, 4])])
def test_a_last_batch_of_one_image_for_each_process_may_stay_on_its_own(n, sizes):
    images = device_set(n)
    images.least = 1
    share = images.training_batches(8, seed=0, epoch=1, world=World(0, 2))
    assert [len(labels) for _, labels in share] == sizes


@pytest.mark.parametrize("batch", [1, 8, 23, 100])
def test_evaluation_images_come_in_order_and_as_they_are(batch):
    split = images_of()
    before = split.images.copy()
    images = DeviceSet(split, MEAN, STD, CPU, crop_padding=PAD, flip=True)
    epoch_of(images)
    x, labels = map(torch.cat, zip(*images.evaluation_batches(batch), strict=True))
    assert labels.tolist() == list(range(N))
    expected = np.stack([reference(image, 0, 0, False, 0) for image in before])
    np.testing.assert_allclose(x.numpy(), expected, atol=1e-5)
    assert np.array_equal(split.images, before)  # training, too, leaves them as they are


def test_normalisation_is_torchvisions():
    theirs = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])
    raw = torch.from_numpy(images_of().images).permute(0, 3, 1, 2)
    [(x, _)] = device_set().evaluation_batches(N)
    torch.testing.assert_close(x, theirs(raw), rtol=1e-5, atol=1e-5, check_stride=False)
    for batch, labels in epoch_of(device_set(pad=0, flip=False)):  # not augmented
        assert torch.equal(batch, x[labels])


def test_batches_are_floats_in_channels_last():
    for batch, labels in [*epoch_of(device_set()), *device_set().evaluation_batches(8)]:
        assert batch.dtype == torch.float32
        assert batch.is_contiguous(memory_format=torch.channels_last)
        assert labels.dtype == torch.int64


def test_the_set_is_held_once_as_bytes():
    images = device_set()
    held = images._windows.untyped_storage().nbytes()
    assert held == N * (SIDE + 2 * PAD) ** 2 * 3
    assert len(images) == N
