"""A reference whose data sets were taken from elsewhere is rebuilt where they are not."""

import json
from dataclasses import replace

import numpy as np
import pytest
from damage import told_in_one_line
from made_up_runs import SEEDS, make_results

from analysis import rebuild
from analysis.__main__ import main
from analysis.claims.judge import write_verdicts
from analysis.claims.values import FinishedRuns
from analysis.experiments import data_sets
from analysis.experiments.catalogue import load_catalogue
from analysis.figures.figure_data import write_figure
from analysis.reference import promote
from analysis.tables.build import write_table


def forget():
    """Know no more of data sets than another process does."""
    data_sets._RECORDED.clear()
    data_sets._from_file.cache_clear()
    data_sets._sha256_of.cache_clear()


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a reference of `reduced` on images of its own; FashionMNIST was not there."""
    root = tmp_path_factory.mktemp("project")
    chance = np.random.default_rng(0)
    shape = {"x": (24_000, 4, 4, 3), "y": 24_000}
    images = {
        f"{part}_{split}": chance.integers(0, 256 if part == "x" else 10, shape[part], np.uint8)
        for part in "xy"
        for split in ("train", "test")
    }
    np.savez(root / "images.npz", **images)
    sources = {"CIFAR10": "npz:images.npz"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(data_sets, "is_there", lambda name: False)
        patch.setattr(promote, "ROOT", root)
        patch.setattr(promote, "clean_commit", lambda folder: "0" * 40)
        forget()
        catalogue = load_catalogue("reduced", sources=sources)
        folder = root / "results/out/reduced"
        made = make_results(folder, catalogue, [*catalogue.tables])
        results = replace(made, seeds=sorted(SEEDS))
        for name, table in catalogue.tables.items():
            if table.is_figure:
                write_figure(table, catalogue, results)
                (folder / "figures" / f"{name}.png").touch()
            else:
                write_table(table, catalogue, results)
        write_verdicts(FinishedRuns(catalogue, folder, results.seeds), folder)
        command = ["promote", "--scale", "reduced", "--data-source", "CIFAR10=npz:images.npz"]
        assert main(command) == 0
    (root / "images.npz").unlink()
    return root


@pytest.fixture
def rebuilt(project, monkeypatch, call):
    """Rebuild where all optional data sets are there, but not the images."""
    monkeypatch.setattr(rebuild, "ROOT", project)
    monkeypatch.setattr(rebuild, "write_pictures", lambda name, folder: None)
    monkeypatch.setattr(data_sets, "is_there", lambda name: True)
    forget()
    yield lambda: call(main, "rebuild", "--scale", "reduced")
    forget()


def test_neither_its_files_nor_other_data_sets_matter(project, rebuilt):
    told = rebuilt()
    assert (told.status, told.err) == (0, ""), told.out
    assert "not made" not in told.out
    assert "are not:" not in told.out
    known = json.loads((project / "results/reference/reduced/provenance.json").read_text())
    assert "'data_source={CIFAR10: npz:images.npz}'" in known["command"]
    assert known["data_source"]["CIFAR10"]["images"] == [24_000, 24_000]
    assert "FashionMNIST" in known["left_out"]
    assert str(project) not in json.dumps(known)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("data_source", [], "data_source: found []"),
        ("data_source", {"CIFAR10": {"data": "npz:x"}}, "data_source: CIFAR10: "),
        ("left_out", "all", "left_out: found 'all'"),
        ("left_out", ["CIFAR11"], "left_out: found ['CIFAR11']"),
    ],
)
def test_a_malformed_provenance_ends_in_one_line(project, rebuilt, key, value, told):
    file = project / "results/reference/reduced/provenance.json"
    before = file.read_text()
    file.write_text(json.dumps({**json.loads(before), key: value}))
    try:
        line = told_in_one_line(rebuilt(), file)
    finally:
        file.write_text(before)
    assert told in line
