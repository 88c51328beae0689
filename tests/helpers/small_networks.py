"""A network that takes milliseconds, and images for it."""

import torch

from autogrow.batches.in_memory import DeviceSet
from autogrow.data import Split, load
from autogrow.networks.growable import build_network
from autogrow.networks.names import parse_network
from autogrow.training.optimizer import SGD


def small_network(name="Basic3ResNet-1-1-1", *, seed=0, channels=1, classes=10, width=4, stem=None):
    torch.manual_seed(seed)
    shape = {"image_channels": channels, "classes": classes, "stem": stem, "width": width}
    return build_network(parse_network(name), **shape)


def sgd(network, **changed):
    settings = {"lr": 0.05, "momentum": 0.9, "weight_decay": 5e-4, **changed}
    return SGD(network.parameters(), **settings)


def digit_images(count=None, *, classes=10, **options):
    """The first digits of the training set, of the first classes."""
    digits = load("digits").train
    chosen = [i for i, label in enumerate(digits.labels) if label < classes][:count]
    split = Split(digits.images[chosen], digits.labels[chosen])
    return DeviceSet(split, [0.5], [0.5], torch.device("cpu"), **options)
