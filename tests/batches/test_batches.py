import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from autogrow.batches.in_memory import DeviceSet
from autogrow.data import Split

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


def augmentation_of(x, image, pad, flips=(False, True)):
    """Search all offsets and flips for the one that gives x."""
    places = range(2 * pad + 1)
    found = [
        (dy, dx, flip)
        for dy in places
        for dx in places
        for flip in flips
        if np.allclose(x, reference(image, dy, dx, flip, pad), atol=1e-4)
    ]
    assert len(found) == 1
    return found[0]


def augmentations(images, raw, pad, epochs=12):
    """The augmentation of every image in several epochs."""
    return [
        augmentation_of(x.numpy(), raw[int(label)], pad)
        for epoch in range(epochs)
        for batch, labels in epoch_of(images, epoch=epoch)
        for x, label in zip(batch, labels, strict=True)
    ]


def test_every_training_image_is_a_normalised_crop_of_the_padded_raw_image():
    raw = images_of().images
    found = augmentations(device_set(), raw, PAD)
    assert len(found) == 12 * N
    places = set(range(2 * PAD + 1))
    assert {dy for dy, _, _ in found} == {dx for _, dx, _ in found} == places
    assert len({(dy, dx) for dy, dx, _ in found}) == len(places) ** 2  # drawn independently
    flipped = np.mean([flip for _, _, flip in found])
    assert 0.4 < flipped < 0.6
    # Whether it is flipped does not hang on the offset.
    left = [flip for _, dx, flip in found if dx < PAD]
    assert 0.3 < np.mean(left) < 0.7


def test_images_of_a_batch_get_augmentations_of_their_own():
    [(batch, labels), *_] = epoch_of(device_set(), batch=N)
    raw = images_of().images
    found = [
        augmentation_of(x.numpy(), raw[int(i)], PAD) for x, i in zip(batch, labels, strict=True)
    ]
    assert len(set(found)) > N / 2


def test_grey_images_are_augmented_alike():
    images = device_set(channels=1)
    [(batch, _), *_] = epoch_of(images)
    assert batch.shape == (8, 1, SIDE, SIDE)
    augmentations(images, images_of(channels=1).images, PAD, epochs=1)


def test_no_flip_where_none_is_wanted():
    found = augmentations(device_set(flip=False), images_of().images, PAD, epochs=4)
    assert not any(flip for _, _, flip in found)
    assert len({(dy, dx) for dy, dx, _ in found}) > 10


def test_no_crop_without_padding():
    found = augmentations(device_set(pad=0), images_of().images, 0, epochs=2)
    assert {(dy, dx) for dy, dx, _ in found} == {(0, 0)}
    assert {flip for _, _, flip in found} == {False, True}


def test_padding_is_zero_before_normalisation():
    """A padded pixel is a black pixel: -mean / std, and not 0."""
    black = -torch.tensor(MEAN) / torch.tensor(STD)
    seen = 0
    for batch, _ in epoch_of(device_set(), batch=N):
        corner = batch[:, :, 0, 0]
        padded = (corner - black).abs().amax(1) < 1e-5  # raw pixels are 1 or more
        seen += int(padded.sum())
        assert not torch.any(corner.abs().amax(1) == 0)
    assert seen > 0


def test_raw_images_are_left_as_they_are():
    split = images_of()
    before = split.images.copy()
    images = DeviceSet(split, MEAN, STD, CPU, crop_padding=PAD, flip=True)
    epoch_of(images)
    list(images.evaluation_batches(5))
    assert np.array_equal(split.images, before)


@pytest.mark.parametrize("batch", [2, 7, 8, 22, 23, 24, 1000])
def test_every_image_comes_once_an_epoch(batch):
    for epoch in range(3):
        labels = torch.cat(
            [labels for _, labels in epoch_of(device_set(), batch=batch, epoch=epoch)]
        )
        assert sorted(labels.tolist()) == list(range(N))


def test_an_epoch_follows_from_seed_and_number_alone():
    images, again = device_set(), device_set()
    epoch_of(images, epoch=1)
    torch.rand(7)
    for (x, a), (y, b) in zip(epoch_of(images, epoch=5), epoch_of(again, epoch=5), strict=True):
        assert torch.equal(x, y)
        assert torch.equal(a, b)


def test_the_callers_random_numbers_are_left_alone():
    images = device_set()
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    epoch_of(images)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("other", [{"epoch": 2}, {"seed": 1}])
def test_order_and_augmentation_change_with_epoch_and_seed(other):
    images = device_set(pad=4)
    raw = images_of().images

    def what(**given):
        batches = epoch_of(images, batch=N, **given)
        x, labels = batches[0]
        by_label = {
            int(i): augmentation_of(v.numpy(), raw[int(i)], 4)
            for v, i in zip(x, labels, strict=True)
        }
        return labels.tolist(), by_label

    order, augmentation = what()
    order2, augmentation2 = what(**other)
    assert order != order2
    assert sorted(order) == sorted(order2)
    assert sum(augmentation[i] == augmentation2[i] for i in range(N)) < N / 2


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
    ],
)
def test_a_last_batch_of_one_image_joins_the_one_before(n, batch, sizes):
    assert [len(labels) for _, labels in epoch_of(device_set(n), batch=batch)] == sizes


@pytest.mark.parametrize("batch", [1, 8, 23, 100])
def test_evaluation_images_come_in_order_and_as_they_are(batch):
    raw = images_of().images
    batches = list(device_set().evaluation_batches(batch))
    x = torch.cat([x for x, _ in batches])
    assert torch.cat([labels for _, labels in batches]).tolist() == list(range(N))
    expected = np.stack([reference(image, 0, 0, False, 0) for image in raw])
    np.testing.assert_allclose(x.numpy(), expected, atol=1e-5)


def test_normalisation_is_torchvisions():
    theirs = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])
    raw = torch.from_numpy(images_of().images).permute(0, 3, 1, 2)
    [(x, _)] = device_set().evaluation_batches(N)
    torch.testing.assert_close(x, theirs(raw), rtol=1e-5, atol=1e-5, check_stride=False)


def test_evaluation_and_unaugmented_training_images_are_equal():
    images = device_set(pad=0, flip=False)
    [(x, _)] = images.evaluation_batches(N)
    for batch, labels in epoch_of(images):
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
