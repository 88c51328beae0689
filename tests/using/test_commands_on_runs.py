"""The commands on a finished run: evaluate, predict, plot, card and list."""

import csv
import io
import json
import re
import shutil
from xml.etree import ElementTree

import numpy as np
import pytest
from damage import told_in_one_line
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from PIL import Image
from sklearn.datasets import load_digits

from autogrow.data import DATASETS
from autogrow.networks.names import NAMES
from autogrow.runs.folder import read_result
from autogrow.using.card import escaped


def test_evaluation_on_the_runs_own_test_set_gives_its_accuracy(grown, photographs, smaller, cli):
    for run in (grown, photographs):
        told = cli("evaluate", run)
        found = json.loads(told.out)
        assert (told.status, found["accuracy"]) == (0, read_result(run).final_accuracy)
        assert found["images"] == sum(c["images"] for c in found["classes"])
        right = sum(c["correct"] for c in found["classes"])
        assert found["accuracy"] == round(100 * right / found["images"], 4)
        assert told.err.count("\n") == 1
        assert f"accuracy {found['accuracy']:.2f} %, loss {found['loss']:.4f}" in told.err


def test_evaluation_on_other_data_goes_by_the_names_of_the_classes(
    photographs, pictures, grown, cli, mistake, tmp_path
):
    own = json.loads(cli("evaluate", photographs).out)
    root = tmp_path / "others"
    shutil.copytree(pictures, root)
    shutil.rmtree(root / "train" / "flower")
    (root / "train" / "temple2").mkdir()
    for part in ("train", "test"):
        shutil.copytree(root / part / "temple", root / part / "Temple", dirs_exist_ok=True)
        shutil.rmtree(root / part / "flower", ignore_errors=True)
        shutil.rmtree(root / part / "temple2", ignore_errors=True)
    assert "found class 'Temple'" in mistake("evaluate", photographs, "--data", f"folder:{root}")
    same = json.loads(cli("evaluate", photographs, "--data", f"folder:{pictures}").out)
    assert same["classes"] == own["classes"]
    told = mistake("evaluate", photographs, "--data", "digits")
    assert "digits: found class '0', which the network does not know" in told
    images = np.zeros((12, 20, 20, 3), np.uint8)
    file = tmp_path / "x.npz"
    labels = np.arange(12) % 2
    np.savez(file, x_train=images, y_train=labels, x_test=images, y_test=labels)
    assert "found images of 3 channels; allowed: 1" in mistake(
        "evaluate", grown, "--data", f"npz:{file}"
    )


def test_images_of_another_size_are_resized_for_evaluation(grown, cli, tmp_path):
    digits = load_digits()
    images = (15 * digits.images[:100]).astype(np.uint8).repeat(2, 1).repeat(2, 2)
    labels = digits.target[:100]
    np.savez(tmp_path / "x.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    found = json.loads(cli("evaluate", grown, "--data", f"npz:{tmp_path / 'x.npz'}").out)
    assert found["images"] == 100
    assert [c["images"] for c in found["classes"]] == np.bincount(labels).tolist()


@pytest.fixture
def digit_files(tmp_path):
    """The first digits as PNG files, each four times as large and in colour."""
    files = []
    for k, image in enumerate(load_digits().images[:5]):
        picture = Image.fromarray((15 * image).astype(np.uint8)).resize((32, 32)).convert("RGB")
        files.append(tmp_path / f"{k}, of five.png")
        picture.save(files[-1])
    return files


def test_predictions_are_a_csv_of_names_and_probabilities(grown, cli, digit_files):
    told = cli("predict", grown, *digit_files)
    rows = list(csv.DictReader(io.StringIO(told.out)))
    assert [row["image"] for row in rows] == list(map(str, digit_files))
    assert {row["class"] for row in rows} <= set("0123456789")
    assert all(0.1 <= float(row["probability"]) <= 1 for row in rows)
    top = list(csv.DictReader(io.StringIO(cli("predict", grown, "--top", 99, *digit_files).out)))
    assert len(top) == 50
    assert rows[0] in top
    for k in range(0, 50, 10):
        values = [float(row["probability"]) for row in top[k : k + 10]]
        assert values == sorted(values, reverse=True)
        assert sum(values) == pytest.approx(1, abs=1e-4)


def test_a_damaged_image_is_named_after_the_rows_before_it(grown, cli, digit_files):
    digit_files[2].write_bytes(digit_files[2].read_bytes()[:70])
    told = cli("predict", grown, *digit_files)
    assert len(told.out.splitlines()) == 3
    told_in_one_line(told, digit_files[2])
    missing = cli("predict", grown, digit_files[0].parent / "none.png")
    assert "No such file" in told_in_one_line(missing, "none.png")


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_a_plot_is_a_picture_of_every_epoch(grown, cli, tmp_path, suffix):
    file = tmp_path / f"curve.{suffix}"
    told = cli("plot", grown, "--out", file)
    assert (told.status, told.out) == (0, f"{file}\n")
    if suffix == "png":
        with Image.open(file) as image:
            assert image.size == (1440, 840)
            assert len(image.getcolors(10**6)) > 20
        return
    root = ElementTree.fromstring(file.read_text())
    lines = [e.get("points").split() for e in root.iter("{http://www.w3.org/2000/svg}polyline")]
    epochs = read_result(grown).own_epochs
    assert epochs in map(len, lines)  # the accuracies
    words = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert f"Basic3ResNet on digits, {read_result(grown).depth}" in words


def test_a_plot_on_the_terminal_is_of_characters_alone(grown, cli):
    told = cli("plot", grown).out
    assert told.isascii()
    assert "test accuracy" in told
    assert max(map(len, told.splitlines())) <= 116
    rows = [line.split("|")[1] for line in told.splitlines()[1:17]]
    assert len({len(row) for row in rows}) == 1
    assert all("*" in column for column in zip(*rows, strict=True))


def test_a_run_without_growth_and_one_that_is_unfinished_are_plotted(smaller, cli, copy, mistake):
    run = copy(smaller[0])
    for name in ("summary.json", "summary.json.seal"):
        (run / name).unlink()
    assert cli("plot", run).status == 0
    assert "allowed: a file .svg or .png" in mistake("plot", run, "--out", run / "x.pdf")
    rows = (run / "metrics.csv").read_text().replace("1-1-1", "1-x-1", 1)
    (run / "metrics.csv").write_text(rows)
    assert "metrics.csv: line 2: found no epoch and depth" in mistake("plot", run)


def card_of(cli, run):
    told = cli("card", run)
    assert told.status == 0
    return told.out


def test_a_card_says_what_the_run_found_and_how_to_load_it(grown, cli, tmp_path):
    card, summary = card_of(cli, grown), read_result(grown)
    shown = MarkdownIt().enable("table").render(card)
    for text in (
        f"Basic3ResNet-{summary.depth} on digits",
        f"{summary.parameters:,}",
        f"{summary.final_accuracy:.2f} %",
        summary.data.checksum,
        "10: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
        "The test set steered growth",
    ):
        assert text in shown, text
    [example] = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    images = (15 * load_digits().images[:3]).astype(np.uint8)
    names = {"images": images}
    exec(example, names)
    assert len(names["predictions"]) == 3
    file = tmp_path / "CARD.md"
    assert cli("card", grown, "--out", file).status == 0
    assert file.read_text() == card


HOSTILE = [
    "<script>alert(1)</script>",
    "a|b\n# Title",
    "[x](javascript:alert(1))",
    "``` ` http://evil.example www.evil.example",
    "![p](http://evil.example/p.png)",
    "\x1b[31mred",
]


def test_hostile_names_do_nothing_on_a_card(tmp_path, cli):
    root = tmp_path / "im`a`g <b>"
    rng = np.random.default_rng(0)
    for part in ("train", "test"):
        for name in HOSTILE[1:]:
            folder = root / part / name.replace("/", "\u2215")
            folder.mkdir(parents=True)
            for k in range(2):
                image = Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8))
                image.save(folder / f"{k}.png")
    run = tmp_path / "run ```\n# x"
    options = ["--network", "Plain3Net-1-1-1", "--data", f"folder:{root}", "--width", 2]
    assert cli("train", *options, "--epochs", 1, "--out", run, "--quiet").status == 0
    card = card_of(cli, run)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).enable("table").parse(card)
    inline = [child for t in tokens for child in (t.children or [])]
    assert not [t for t in (*tokens, *inline) if t.type in ("html_block", "html_inline", "image")]
    assert not [t for t in inline if t.type == "link_open"]
    assert [t.tag for t in tokens if t.type == "heading_open"] == ["h1"] + ["h2"] * 5
    rows = [line for line in card.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {3}
    assert "\x1b" not in card
    picture = tmp_path / "x.svg"
    assert cli("plot", run, "--out", picture).status == 0
    ElementTree.fromstring(picture.read_text())


@given(st.text(max_size=60))
def test_any_text_is_shown_as_it_is(text):
    shown = " ".join(text.split())
    if all(c.isprintable() for c in shown) and shown:
        [_, inline, _] = MarkdownIt().parse(f"x{escaped(text)}x")
        assert "".join(c.content for c in inline.children) == f"x{shown}x"


def test_list_names_all_that_commands_take(cli, mistake):
    told = cli("list").out
    for name in (*NAMES, *DATASETS, "folder:PATH", "periodic", "convergent", "GauInit"):
        assert re.search(rf"^  {name} ", told, re.MULTILINE), name
    assert "T is how many epochs of fine-tuning have the largest learning rate" in told
    assert cli("list", "policies").out.startswith("policies:\n  periodic")
    assert "'nets'" in mistake("list", "nets")
    for command in ([], ["grow"], ["train"]):
        shown = " ".join(cli(*command, "--help").out.split())
        assert "T is how many epochs of fine-tuning" in shown
        assert "Basic3ResNet" in shown
        assert "FashionMNIST" in shown
