"""FashionMNIST for real: Debian's package, through the command line."""

import json
from pathlib import Path

import pytest

from autogrow.cli.main import main

INSTALLED = Path("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz").exists()


@pytest.mark.skipif(not INSTALLED, reason="Debian's dataset-fashion-mnist is not installed")
def test_grow_on_a_few_hundred_images_of_fashion_mnist(tmp_path):
    out = tmp_path / "run"
    settings = (
        "--data-fraction 0.005 --width 4 --K 1 --J 3 --finetune-epochs 6 --learning-rate 0.05"
    )
    arguments = f"grow --network Basic3ResNet --data FashionMNIST {settings} --threads 2 --quiet"
    assert main([*arguments.split(), "--batch-size", "32", "--out", str(out)]) == 0
    summary = json.loads((out / "summary.json").read_text())
    assert summary["data"]["training_images"] == 300
    assert summary["data"]["test_images"] == 10_000
    assert summary["data"]["image_size"] == 32
    assert summary["data"]["mean"] == [0.0]
    assert summary["data"]["flip"] is True
    assert sum(map(int, summary["depth"].split("-"))) > 3
    assert summary["best_accuracy"] > 30  # chance is 10
