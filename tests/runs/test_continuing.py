"""Training on from a finished run: settings, weights by checksum, exact resume."""

import json
import shutil

import pytest
from interrupting import interrupted_after
from run_results import metrics, results
from safetensors import safe_open

from autogrow.cli.main import main
from autogrow.files.seals import read_seal
from autogrow.runs.folder import SPEC, WEIGHTS, read_result, read_spec
from autogrow.runs.summary import SUMMARY

HOW = ["--threads", "1", "--device", "cpu", "--quiet"]


@pytest.fixture(scope="module")
def grown(tiny, tmp_path_factory):
    out = tmp_path_factory.mktemp("continuing") / "grown"
    assert main([*tiny.grow, "--out", str(out)]) == 0
    return out


def go_on(cli, grown, out, *more):
    return cli("train", "--continue-from", grown, "--epochs", 3, "--out", out, *HOW, *more)


def test_the_new_run_has_the_settings_and_says_what_it_continued_from(grown, cli, tmp_path):
    out = tmp_path / "on"
    assert go_on(cli, grown, out).status == 0
    spec, there = read_spec(out), read_spec(grown)
    assert (spec.kind, spec.network, spec.epochs) == ("scratch", read_result(grown).network, 3)
    assert spec.continue_sha256 == read_seal(grown / SUMMARY).files[WEIGHTS][1]
    assert (spec.data, spec.width, spec.seed) == (there.data, there.width, there.seed)
    assert {float(row["lr"]) for row in metrics(out)} == {float(metrics(grown)[-1]["lr"])}
    assert len(metrics(out)) == 3
    assert spec.continue_sha256 in cli("card", out).out


def test_training_begins_with_the_weights_that_were_found(grown, cli, tmp_path):
    out = tmp_path / "on"
    tiny_steps = ["--learning-rate", "1e-30", "--weight-decay", 0]
    assert go_on(cli, grown, out, *tiny_steps).status == 0
    with safe_open(out / WEIGHTS, "pt") as new, safe_open(grown / WEIGHTS, "pt") as old:
        for name in (k for k in old.keys() if k.endswith(("weight", "bias"))):  # noqa: SIM118
            assert new.get_tensor(name).equal(old.get_tensor(name)), name


def test_a_run_that_continues_resumes_exactly(grown, cli, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert go_on(cli, grown, whole).status == 0
    with interrupted_after(2):
        assert go_on(cli, grown, cut).status == 130
    moved = shutil.move(grown, tmp_path / "moved")  # its weights are needed no more
    try:
        assert cli("run", cut / SPEC, "--out", cut, *HOW).status == 0
    finally:
        shutil.move(moved, grown)
    assert results(cut) == results(whole)


def test_other_weights_than_the_record_names_are_refused(grown, cli, mistake, tmp_path):
    spec = tmp_path / "spec.json"
    content = {"kind": "scratch", "network": read_result(grown).network, "data": "digits"}
    content |= {"width": 4, "epochs": 1, "continue_from": str(grown)}
    spec.write_text(json.dumps(content | {"continue_sha256": "0" * 64}))
    assert f"{grown / WEIGHTS}: found SHA-256" in mistake(
        "run", spec, "--out", tmp_path / "out", *HOW
    )
    content["continue_sha256"] = read_seal(grown / SUMMARY).files[WEIGHTS][1]
    spec.write_text(json.dumps(content | {"width": 5}))
    told = mistake("run", spec, "--out", tmp_path / "out", *HOW)
    assert "has width 4, this run 5" in told
    assert not (tmp_path / "out").exists()


def test_what_is_no_finished_run_is_refused(grown, cli, mistake, tmp_path):
    out = tmp_path / "out"
    told = mistake("train", "--continue-from", tmp_path, "--epochs", 2, "--out", out, *HOW)
    assert "no summary of a finished run" in told
    told = mistake("train", "--epochs", 2, "--out", out, *HOW)
    assert "data: missing" in told
    assert not out.exists()


def test_specs_that_continue_from_nothing_are_as_they_have_been(grown):
    text = (grown / SPEC).read_text()
    assert "continue" not in text
    assert "resize" not in text
