"""What a user of the Python interface can get wrong ends in one line that says what is allowed."""

import re
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from own_networks import GoogLeNet, Inception, Noisy, digits
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

import autogrow
from autogrow.api.sources import caller_data
from autogrow.errors import UserError

IMAGES, LABELS = digits(0, 60)
FLOATS = torch.zeros(20, 1, 8, 8)


def changed(i, value):
    labels = LABELS.copy().astype(type(value))
    labels[i] = value
    return IMAGES, labels


def loader(images, labels):
    return DataLoader(TensorDataset(images, labels), batch_size=10)


class Endless(IterableDataset):
    def __iter__(self):
        yield from ()


class OneMade(GoogLeNet):
    """A network whose new sub-modules change the shape, or are none."""

    def __init__(self, made):
        super().__init__()
        self.made = [made]

    def new_sub_module(self, i):
        return self.made[0] if self.made[0] is not None else self.sub_networks[0][0]


class Flat(nn.Linear):
    last_bn = None


class NoNew(nn.Module):
    sub_networks = (nn.Sequential(Inception(8)),)


SETS = {
    "a DataLoader where arrays are": ((IMAGES, LABELS), loader(FLOATS, torch.arange(20) % 10),
        "train of the type tuple, validation of the type DataLoader; allowed: arrays for all sets"),
    "an array without labels": (IMAGES, None, "train: found an object of the type ndarray"),
    "three parts": ((IMAGES, LABELS, 3), None, "allowed: (images, labels), a torch Dataset or"),
    "a loader as images": ((loader(FLOATS, torch.arange(20)), LABELS), None,
        "arrays: x_train: found a DataLoader; allowed: a numpy array or a tensor of numbers"),
    "floats": ((IMAGES / 255, LABELS), None, "x_train: found float64 images; allowed: uint8"),
    "no numbers": ((np.array(["a"] * 60), LABELS), None, "found <U1 images; allowed: uint8"),
    "flat images": ((IMAGES.reshape(60, 64), LABELS), None, "found images of shape (60, 64)"),
    "oblong images": ((IMAGES[:, 1:], LABELS), None, "found images of 7x8 pixels"),
    "float labels": (changed(0, 1.5), None, "y_train: found float64 labels of shape (60,)"),
    "one label missing": ((IMAGES, LABELS[1:]), None, "found 59 labels for 60 images"),
    "one-hot labels": ((IMAGES, np.eye(10, dtype=int)[LABELS]), None, "labels of shape (60, 10)"),
    "a negative label": (changed(0, -1), None, "y_train: found label -1; allowed: 0 or more"),
    "a label too many": (changed(0, 11), None, "found no training image of class 10"),
    "no images": ((IMAGES[:0], LABELS[:0]), None, "x_train: found zero images; allowed: one or"),
    "ragged lists": (([[1], [1, 2]], [0, 1]), None, "x_train: found a list; allowed: a numpy"),
    "other sizes": ((IMAGES, LABELS), (IMAGES[:, 1:, 1:], LABELS), "found images of 7x7 pixels"),
    "an empty Dataset": (Noisy(0, 0), Noisy(0, 9), "train: found an empty Dataset; allowed: one"),
    "no length": (Endless(), Noisy(0, 9), "a Dataset of the type Endless without a length"),
    "no pairs": (TensorDataset(FLOATS), Noisy(0, 9), "its items are of the type tuple; allowed:"),
    "a Dataset's float labels": (TensorDataset(FLOATS, torch.rand(20)), Noisy(0, 9), "the label"),
    "NaN": (TensorDataset(FLOATS.log() * 0, torch.arange(20) % 10), Noisy(0, 9),
        "train: found images with values that are not finite; allowed: none"),
    "a label out of range": (TensorDataset(FLOATS, torch.arange(20) % 10), TensorDataset(FLOATS,
        torch.arange(20)), "validation: found label 19; allowed: 0 to 9"),
    "integers": (TensorDataset(FLOATS.long(), torch.arange(20) % 10), Noisy(0, 9),
        "train: found torch.int64 images; allowed: uint8 or float"),
    "other sizes of Datasets": (TensorDataset(FLOATS[..., 1:, 1:], torch.arange(20) % 10),
        Noisy(0, 9), "validation: found images of 8 pixels and 1 channels; allowed: 7 and 1"),
    "a name and sets": ("digits", (IMAGES, LABELS), "train: found 'digits', which has sets"),
    "no data set's name": ("digit", None, "data: found 'digit'; allowed: digits, MNIST5000"),
}  # fmt: skip


@pytest.mark.parametrize("case", SETS)
def test_images_and_labels_that_cannot_be_trained_on(case, tmp_path):
    train, validation, told = SETS[case]
    with pytest.raises(UserError, match=re.escape(told)) as error:
        autogrow.grow(
            GoogLeNet(), train, validation, T=3, out=tmp_path / "run", quiet=True, device="cpu"
        )
    assert "\n" not in str(error.value)


CLOSURE = partial(torch.optim.LBFGS, lr=0.1)
OPTIONS = {
    "no module": ({"network": 3}, "network: found 3; allowed: a torch module with sub_networks"),
    "no sub-networks": ({"network": nn.Linear(2, 2)}, "a Linear, which has no sub_networks"),
    "nothing new": ({"network": NoNew()}, "a NoNew, which has no new_sub_module"),
    "another shape": ({"network": OneMade(Flat(3, 3))},
        "its forward pass fails with one more in sub-network 0 for images (2, 1, 8, 8)"),
    "not new": ({"network": OneMade(None)}, "allowed: a module that is new at each call"),
    "another head": ({"network": GoogLeNet(classes=7)}, "it has 7 logits for 10 classes"),
    "an unknown network": ({"network": "Basic9ResNet"}, "unknown architecture 'Basic9ResNet'"),
    "a policy's name": ({"policy": "growing"}, "policy: found 'growing'; allowed: periodic, c"),
    "T": ({"T": 0}, "T: found 0; allowed: a whole number of epochs from 1"),
    "K over J": ({"T": 2}, "K: 3 is more than J = 2"),
    "an initializer": ({"initializer": "Gau"}, "grow: initializer: found 'Gau'"),
    "an unknown setting": ({"batchsize": 3}, "grow: unknown key 'batchsize'; allowed: J, K"),
    "no optimizer": ({"optimizer": torch.nn.ReLU}, "optimizer: "),
    "an optimizer's object": ({"optimizer": torch.optim.SGD(GoogLeNet().parameters(), lr=1)},
        "allowed: a function of parameters that returns a torch optimizer"),
    "L-BFGS": ({"optimizer": CLOSURE}, "optimizer: its steps need a closure"),
    "two rates": ({"optimizer": torch.optim.Adam, "learning_rate": 0.1}, "beside an optimizer"),
    "others' parameters": ({"optimizer": lambda _: torch.optim.SGD(GoogLeNet().parameters(), 1)},
        "optimizer: it has parameters that are not the network's"),
    "width": ({"width": 3}, "width: found 3; allowed for a network of your own"),
    "a device": ({"device": "abacus"}, "device: found 'abacus'; allowed: auto, cpu, cuda"),
    "classes": ({"classes": [1, 2]}, "classes: found [1, 2]; allowed: a text for each class"),
}  # fmt: skip


@pytest.mark.parametrize("case", OPTIONS)
def test_options_that_cannot_be(case, tmp_path):
    options, told = OPTIONS[case]
    chosen = {"network": GoogLeNet(), "T": 3, "quiet": True, "device": "cpu", **options}
    with pytest.raises(UserError, match=re.escape(told)):
        autogrow.grow(chosen.pop("network"), digits(0, 60), digits(60, 90), **chosen)


def test_a_data_loader_is_no_array_of_images():
    with pytest.raises(UserError, match="found a DataLoader; allowed: a numpy array or a tensor"):
        autogrow.image_data(loader(FLOATS, torch.arange(20)), LABELS, IMAGES, LABELS)


def test_a_network_without_a_name_is_loaded_with_one_like_it(tmp_path):
    options = {"T": 1, "policy": autogrow.PeriodicGrowth(K=1, tau=100), "quiet": True}
    found = autogrow.grow(GoogLeNet(), digits(0, 60), digits(60, 90), out=tmp_path, **options)
    with pytest.raises(UserError, match=re.escape("allowed: autogrow.load(..., network=NETWORK)")):
        autogrow.load(tmp_path)
    with pytest.raises(UserError, match=re.escape("allowed: autogrow.load(..., network=NETWORK)")):
        autogrow.load_network(tmp_path)
    loaded = autogrow.load(tmp_path, network=GoogLeNet(), device="cpu")
    assert loaded.depth == found.depth
    images, labels = digits(60, 90)
    right = np.mean([int(name) for name in loaded.predict(images).names] == labels)
    assert 100 * right == pytest.approx(found.summary.final_val_accuracy, abs=0.01)


SHAPES = hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=9)
ARRAYS = hnp.arrays(st.sampled_from(["u1", "i8", "f4", "?", "U2", "O", "M8[s]"]), SHAPES)
NUMBERS = hnp.arrays(st.sampled_from(["u1", "i8", "u8"]), st.integers(0, 9))
OTHERS = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=4)
PAIRS = st.tuples(ARRAYS | OTHERS, ARRAYS | NUMBERS | OTHERS)


@given(train=PAIRS, validation=st.none() | PAIRS, test=st.none() | PAIRS)
def test_whatever_arrays_are_given_they_are_a_data_set_or_a_mistake(train, validation, test):
    sets = {"train": train, "validation": validation, "test": test}
    try:
        data = caller_data(sets, None, (None, None), fraction=0.1, seed=0)
    except UserError:
        return
    assert data.train.images.dtype == np.uint8
