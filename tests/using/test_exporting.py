"""What is exported gives the probabilities of the trained network, for any number of images."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors import safe_open

import autogrow
from autogrow.data import load as load_data
from autogrow.runs.folder import WEIGHTS, read_content, read_result


@pytest.fixture(scope="module")
def digits():
    return load_data("digits").test.images[:37]


def close(found, trained, images):
    np.testing.assert_allclose(found, trained.predict(images).probabilities, rtol=1e-4, atol=1e-4)


def run_onnx(file, images):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    [taken] = session.get_inputs()
    assert (taken.name, taken.type) == ("images", "tensor(uint8)")
    logits, probabilities = session.run(["logits", "probabilities"], {"images": images})
    np.testing.assert_allclose(
        torch.from_numpy(logits).softmax(1), probabilities, rtol=1e-4, atol=1e-5
    )
    return session, probabilities


def test_onnxruntime_gives_the_same_probabilities(grown, digits, cli, tmp_path):
    file = tmp_path / "network.onnx"
    assert cli("export", grown, "--format", "onnx", "--out", file).status == 0
    trained = autogrow.load(grown)
    for images in (digits, digits[:1]):
        session, probabilities = run_onnx(file, images)
        close(probabilities, trained, images)
    facts = json.loads(session.get_modelmeta().custom_metadata_map["autogrow"])
    assert facts["class_names"] == list("0123456789")
    assert (facts["mean"], facts["image_size"]) == (trained.description.mean, 8)
    assert [f.name for f in tmp_path.iterdir()] == ["network.onnx"]  # all weights are inside


def test_cutting_and_averaging_down_are_inside_the_exported_graph(smaller, cli, tmp_path):
    run, data = smaller
    file = tmp_path / "network.onnx"
    assert cli("export", run, "--out", file).status == 0
    with np.load(data) as arrays:
        images = arrays["x_test"][..., None]
    close(run_onnx(file, images)[1], autogrow.load(run), images)


def test_a_program_of_torch_export_gives_the_same_probabilities(grown, digits, cli, tmp_path):
    file = tmp_path / "network.pt2"
    assert cli("export", grown, "--format", "torch-export", "--out", file).status == 0
    extra = {"autogrow": ""}
    program = torch.export.load(file, extra_files=extra)
    for images in (digits, digits[:1]):
        _, probabilities = program.module()(torch.from_numpy(images))
        close(probabilities.detach(), autogrow.load(grown), images)
    assert json.loads(extra["autogrow"])["class_names"] == list("0123456789")


def test_safetensors_are_the_weights_with_their_description(grown, cli, copy):
    run = copy(grown)
    told, file = cli("export", run, "--format", "safetensors"), run / "network.safetensors"
    assert told.out == f"{file}: {file.stat().st_size:,} bytes\n"
    assert cli("verify", run).status == 0
    assert read_content(file) == read_content(grown / WEIGHTS)
    with safe_open(file, "pt") as here, safe_open(grown / WEIGHTS, "pt") as there:
        assert {*here.keys()} == {*there.keys()}
        assert all(torch.equal(here.get_tensor(k), there.get_tensor(k)) for k in here.keys())  # noqa: SIM118


WITHOUT = """
import sys
sys.modules["onnxscript"] = None
from autogrow.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_without_its_packages_onnx_says_what_to_install(grown, tmp_path):
    file = tmp_path / "network.onnx"
    command = [sys.executable, "-c", WITHOUT, "export", grown, "--out", file]
    told = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert told.returncode == 2
    assert told.stderr.count("\n") == 1
    assert "pip install 'autogrow[onnx]'" in told.stderr
    assert not file.exists()


def test_a_format_that_there_is_not_is_refused(grown, mistake, tmp_path):
    told = mistake("export", grown, "--format", "tflite", "--out", tmp_path / "x")
    assert "'tflite'" in told
    assert "safetensors" in told


def test_a_folder_of_photographs_is_grown_exported_and_predicted(
    photographs, pictures, cli, tmp_path
):
    """What a user does with photographs: every command, and onnxruntime without autogrow."""
    from PIL import Image

    assert read_result(photographs).parameters <= 9000  # its budget
    file = tmp_path / "pictures.onnx"
    assert cli("export", photographs, "--out", file).status == 0
    session, _ = run_onnx(file, np.zeros((1, 16, 16, 3), np.uint8))
    facts = json.loads(session.get_modelmeta().custom_metadata_map["autogrow"])
    files = sorted(pictures.glob("test/*/*.jpg"))[:6]
    told = cli("predict", photographs, *files).out.splitlines()[1:]
    for picture, line in zip(files, told, strict=True):
        with Image.open(picture) as image:
            # As the metadata says: the shorter side, then the square in the centre.
            shorter = min(image.size)
            width, height = (facts["shorter_side"] * side // shorter for side in image.size)
            small = image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
            left, top = round((width - 16) / 2), round((height - 16) / 2)
            square = small.crop((left, top, left + 16, top + 16))
        [_, [probabilities]] = session.run(None, {"images": np.array(square)[None]})
        _, name, probability = line.split(",")
        assert facts["class_names"][int(probabilities.argmax())] == name
        assert probabilities.max() == pytest.approx(float(probability), abs=1e-4)


def test_exported_bytes_can_be_loaded_from_memory(grown, cli, tmp_path):
    file = tmp_path / "deep" / "network.pt2"
    assert cli("export", grown, "--format", "torch-export", "--out", file).status == 0
    assert torch.export.load(io.BytesIO(file.read_bytes())).graph is not None
