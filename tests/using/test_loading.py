"""A trained network takes raw images and gives what the run has measured."""

import json
import re

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

import autogrow
from autogrow.data import load as load_data
from autogrow.errors import UserError
from autogrow.files.seals import seal
from autogrow.runs.folder import WEIGHTS, read_content, read_result, read_spec, write_weights
from autogrow.runs.summary import SUMMARY


def accuracy(predictions, labels):
    return round(100 * float((predictions.labels == labels).mean()), 4)


def rewrite(run, **changed):
    """Write other keys into the description of a run's weights; None leaves one out."""
    file = run / WEIGHTS
    content = {k: v for k, v in {**read_content(file), **changed}.items() if v is not None}
    tensors = load_file(file)

    class Holder:
        def state_dict(self):
            return tensors

    write_weights(run, Holder(), content)
    seal(run / SUMMARY)


def test_raw_images_have_the_accuracy_that_the_run_has_measured(grown):
    trained = autogrow.load(grown)
    test = load_data("digits").test
    told = trained.predict(test.images)
    assert accuracy(told, test.labels) == read_result(grown).final_accuracy
    assert told.names == tuple(str(label) for label in told.labels)
    assert trained.class_names == tuple("0123456789")
    np.testing.assert_allclose(told.probabilities.sum(1), 1, rtol=1e-5)
    assert np.array_equal(told.probabilities.argmax(1), told.labels)
    assert trained.depth == tuple(map(int, read_result(grown).depth.split("-")))
    assert not trained.network.training


def test_every_layout_of_the_same_images_gives_the_same(grown):
    trained = autogrow.load(grown)
    images = load_data("digits").test.images[:40]
    expected = trained.predict(images).probabilities
    grey = images[..., 0]
    for same in (grey, torch.from_numpy(grey), torch.from_numpy(images), grey[:, None]):
        assert np.array_equal(trained.predict(same).probabilities, expected)
    assert len(trained.predict(images[:0])) == 0


def test_images_that_were_cut_and_averaged_down_are_so_again(smaller):
    run, file = smaller
    with np.load(file) as arrays:
        told = autogrow.load(run).predict(arrays["x_test"])
        assert accuracy(told, arrays["y_test"]) == read_result(run).final_accuracy


def test_photographs_are_resized_and_cut_as_in_training(photographs, pictures):
    trained = autogrow.load(photographs)
    assert trained.class_names == ("flower", "temple")
    files = sorted(pictures.glob("test/*/*.jpg"))
    names = []
    for file in files:
        with Image.open(file) as image:
            names += trained.predict(np.array(image)[None]).names
    right = [name == file.parent.name for name, file in zip(names, files, strict=True)]
    assert round(100 * sum(right) / len(right), 4) == read_result(photographs).final_accuracy


@pytest.mark.parametrize(
    ("images", "told"),
    [
        (np.zeros((2, 8, 8)), "found type float64; allowed: uint8"),
        (np.zeros((2, 8, 8, 3), np.uint8), r"found shape \(2, 8, 8, 3\); allowed: \(N, H, W, 1\)"),
        (np.zeros((8, 8), np.uint8), r"found shape \(8, 8\); allowed: \(N, H, W, 1\) or \(N, H, W"),
        (np.zeros((2, 0, 8), np.uint8), "found shape"),
    ],
)
def test_what_are_no_images_is_refused(grown, images, told):
    with pytest.raises(UserError, match=f"images: {told}"):
        autogrow.load(grown).predict(images)


NEW = ("found", "class_names", "mean", "std", "image_size", "channels")


def test_a_run_of_an_older_suite_takes_all_from_its_spec_and_its_data(grown, copy):
    run = copy(grown)
    rewrite(run, **dict.fromkeys(NEW))
    assert set(read_content(run / WEIGHTS)) == {
        "name",
        "image_channels",
        "classes",
        "stem",
        "width",
    }
    assert autogrow.load(run).description == autogrow.load(grown).description


def test_a_run_of_an_older_suite_whose_data_is_gone_says_so_in_one_line(smaller, copy):
    run, file = smaller
    run = copy(run)
    rewrite(run, **dict.fromkeys(NEW))
    hidden = file.rename(file.with_suffix(".gone"))
    try:
        with pytest.raises(
            UserError, match=r"names no classes; its data set would: .*No such file"
        ):
            autogrow.load(run)
        with np.load(hidden) as arrays:
            other = {k: v[:-1] if "train" in k else v for k, v in arrays.items()}
        np.savez(file, **other)
        with pytest.raises(UserError, match="is another data set now"):
            autogrow.load(run)
    finally:
        hidden.rename(file)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("class_names", ["a"], r"class_names: found \['a'\]"),
        ("class_names", "ab", "class_names: found 'ab'"),
        ("std", [0.0], "std.0: found 0.0"),
        ("mean", [0.5, 0.5], r"mean: found \[0.5, 0.5\]; allowed: 1 numbers"),
        ("image_size", 0, "image_size: found 0"),
        ("found", "2-0", "found: found '2-0'"),
        ("channels", "1", "channels: found '1'"),
    ],
)
def test_an_impossible_description_is_refused(grown, copy, key, value, told):
    run = copy(grown)
    rewrite(run, **{key: value})
    with pytest.raises(UserError, match=rf"{re.escape(str(run / WEIGHTS))}: description: {told}"):
        autogrow.load(run)


def test_an_unfinished_or_damaged_run_is_refused(grown, copy, tmp_path):
    with pytest.raises(UserError, match="no summary of a finished run"):
        autogrow.load(tmp_path)
    run = copy(grown)
    with (run / WEIGHTS).open("r+b") as file:
        file.truncate(100)
    with pytest.raises(UserError, match=r"weights\.safetensors: found 100 bytes"):
        autogrow.load(run)


class OwnNetwork(nn.Module):
    """A network like the one that was grown, of a class that no name describes."""

    def __init__(self, inner):
        super().__init__()
        self.stem, self.sub_networks, self.head = inner.stem, inner.sub_networks, inner.head
        self._inner = [inner]  # no module of this one

    def new_sub_module(self, i):
        return self._inner[0].new_sub_module(i)

    def forward(self, x):
        x = self.stem(x)
        for sub_network in self.sub_networks:
            x = sub_network(x)
        return self.head(x.mean((2, 3)))


def own(depth, classes=10):
    shape = {"image_channels": 1, "classes": classes, "width": 4}
    from autogrow.networks.names import parse_network

    return OwnNetwork(autogrow.build_network(parse_network(f"Basic3ResNet-{depth}"), **shape))


def test_a_network_of_ones_own_is_grown_to_the_found_depth(grown, copy):
    run = copy(grown)
    rewrite(run, name=None)
    with pytest.raises(UserError, match=r"weights\.safetensors: .*network=NETWORK"):
        autogrow.load(run)
    images = load_data("digits").test.images
    expected = autogrow.load(grown).predict(images).probabilities
    told = autogrow.load(run, network=own("1-1-1")).predict(images)
    assert np.array_equal(told.probabilities, expected)
    with pytest.raises(UserError, match=r"network: found depth 1-1-9; allowed: up to"):
        autogrow.load(run, network=own("1-1-9"))
    with pytest.raises(UserError, match=r"network: does not take the weights of .*head"):
        autogrow.load(run, network=own("1-1-1", classes=3))
    with pytest.raises(UserError, match="network: found Linear; allowed: a network with"):
        autogrow.load(run, network=nn.Linear(2, 2))


def test_the_description_says_what_the_spec_and_the_data_are(photographs, smaller):
    content = read_content(photographs / WEIGHTS)
    assert content["class_names"] == ["flower", "temple"]
    assert (content["image_size"], content["channels"], content["shorter_side"]) == (16, 3, 16)
    assert read_spec(photographs).resize == 16
    description = autogrow.load(smaller[0]).description
    assert (description.raw_size, description.image_size) == (18, 8)
    assert json.loads(json.dumps(description.to_json())) == description.to_json()
