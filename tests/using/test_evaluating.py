"""Photographs that stay in their files are evaluated as predictions take them."""

import shutil

import numpy as np
import pytest
from PIL import Image
from small_networks import small_network

import autogrow
from autogrow.errors import UserError
from autogrow.using.evaluating import evaluate_on

FACTS = {"mean": [0.5, 0.4, 0.3], "std": [0.2] * 3, "image_size": 28, "channels": 3}


@pytest.fixture
def trained(tmp_path):
    """A network as one that was trained on photographs in their files."""
    network = small_network(channels=3, classes=3).eval()
    names = ["temple", "flower", "river"]
    description = autogrow.Description(found="1-1-1", class_names=names, shorter_side=32, **FACTS)
    return autogrow.TrainedNetwork(tmp_path, network, description)


@pytest.fixture
def layout(pictures, tmp_path):
    root = tmp_path / "photographs"
    shutil.copytree(pictures / "train", root / "train")
    shutil.copytree(pictures / "test", root / "val")
    return root


def test_each_class_has_the_images_that_predictions_name_so(trained, layout):
    told = evaluate_on(trained, f"imagenet:{layout}", workers=0)
    right, losses = {"temple": 0, "flower": 0, "river": 0}, []
    for file in sorted(layout.glob("val/*/*.jpg")):
        with Image.open(file) as image:
            predicted = trained.predict(np.array(image)[None])
        label = trained.class_names.index(file.parent.name)
        right[file.parent.name] += predicted.labels[0] == label
        losses.append(-np.log(predicted.probabilities[0, label]))
    assert {c.name: c.correct for c in told.classes} == right
    assert {c.name: c.images for c in told.classes} == {"temple": 12, "flower": 12, "river": 0}
    assert told.classes[2].accuracy is None
    assert told.loss == pytest.approx(np.mean(losses), rel=1e-4)


def test_each_way_to_cut_photographs_needs_its_own_form(trained, layout, photographs, pictures):
    with pytest.raises(UserError, match=r"data: found 'folder:.*; allowed .*imagenet:PATH"):
        evaluate_on(trained, f"folder:{pictures}")
    with pytest.raises(UserError, match=r"data: found 'imagenet:.*; allowed .*folder:PATH"):
        evaluate_on(autogrow.load(photographs), f"imagenet:{layout}")
