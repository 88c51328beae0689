"""Tables, figures, pictures and comparisons from files that are missing, cut off or damaged."""

from itertools import chain

import pytest
from damage import contents, flipped, told_in_one_line, truncated
from made_up_runs import make_results

from analysis.__main__ import main
from analysis.experiments.catalogue import load_catalogue
from analysis.experiments.scales import ROOT
from analysis.figures import figure_data as figures
from analysis.tables import build as tables
from analysis.tables import paper_numbers

NAMES = ("table5", "figure2", "figure3", "figure6", "figure7")
RUN = "runs/*/*/*/seed1"
PLACE = "landscapes/*/*/*/seed1/trajectory"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Results of a scale with outputs from all its inputs; tests leave it as it was."""
    folder = tmp_path_factory.mktemp("mini")
    make_results(folder, load_catalogue("mini"), NAMES)
    for name in NAMES:
        arguments = [*build(name), "--scale", "mini", "--folder", str(folder), "--seeds", "1", "2"]
        assert main(arguments) == 0
    for name in NAMES[1:]:
        assert main(["figure", name, "--folder", str(folder)]) == 0
    return folder


@pytest.fixture
def damage(folder, call, monkeypatch):
    """Run a command on damaged contents of a file; every output stays if it is refused."""
    catalogue = load_catalogue("mini")
    for command in (tables, figures):  # read hundreds of times otherwise
        monkeypatch.setattr(command, "load_catalogue", lambda scale: catalogue)
    before = contents(folder)
    kept = {}

    def outputs(damaged):
        written = contents(folder / "tables") | contents(folder / "figures")
        return {file: content for file, content in written.items() if file != damaged}

    def run(file, content, *arguments):
        kept.setdefault(file, file.read_bytes())
        file.unlink()
        if content is not None:
            file.write_bytes(content)
        others = outputs(file)
        told = call(main, *arguments)
        if told.status == 2:
            assert outputs(file) == others
        file.write_bytes(kept[file])
        return told

    yield run
    for file, content in kept.items():
        file.write_bytes(content)
    for file in set(contents(folder)) - set(before):
        file.unlink()


def build(name):
    return "table" if name.startswith("table") else "figure-data", name


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("table5", f"{RUN}/summary.json"),
        ("figure2", f"{RUN}/summary.json"),
        ("figure2", f"{RUN}/metrics.csv"),
        ("figure6", f"{PLACE}/trajectory.csv"),
        ("figure6", f"{PLACE}/plane.json"),
        ("figure6", f"{PLACE}/contour.csv"),
        ("figure7", "landscapes/*/*/*/seed1/surface/surface.csv"),
    ],
)
def test_what_tables_and_figures_are_made_from(folder, damage, name, file):
    catalogue = load_catalogue("mini")
    run = catalogue.tables[name].rows[0].runs["main"]
    file = folder / file.replace("*/*/*", run)
    content = file.read_bytes()
    arguments = [*build(name), "--scale", "mini", "--folder", folder, "--seeds", 1, 2]
    for damaged in [None, *truncated(content, 20), *flipped(content, 20)]:
        told_in_one_line(damage(file, damaged, *arguments), file)
    assert main([str(a) for a in arguments]) == 0


@pytest.mark.parametrize("name", ["figure2", "figure3", "figure6", "figure6_contour", "figure7"])
def test_what_pictures_are_made_from(folder, damage, name):
    file = folder / "figures" / f"{name}.csv"
    content = file.read_bytes()
    arguments = ["figure", name.partition("_")[0], "--folder", folder]
    for damaged in [None, *truncated(content, 25)]:
        if damaged and damaged.endswith(b"\n"):
            continue  # whole lines: how many there should be, only the runs know
        told_in_one_line(damage(file, damaged, *arguments), file)
    for damaged in flipped(content, 3):
        told = damage(file, damaged, *arguments)
        if told.status:
            told_in_one_line(told, file)


@pytest.mark.parametrize("side", ["--new", "--reference"])
def test_what_is_compared(folder, damage, tmp_path, side):
    file, earlier = folder / "tables" / "table5.csv", tmp_path / "c.csv"
    (tmp_path / "table5.csv").write_bytes(file.read_bytes())
    sides = {"--new": tmp_path, "--reference": tmp_path, side: folder}
    arguments = ["compare", *chain(*sides.items()), "--out", earlier]
    assert main([str(a) for a in arguments]) == 0
    earlier.write_text("earlier\n")
    for damaged in truncated(file.read_bytes(), 40):
        told = damage(file, damaged, *arguments)
        if told.status == 1:  # whole lines are missing
            assert damaged.endswith(b"\n")
            assert f"missing in {side.removeprefix('--')}" in told.out
            earlier.write_text("earlier\n")
            continue
        told_in_one_line(told, file)
        assert earlier.read_text() == "earlier\n"
    for damaged in flipped(file.read_bytes(), 40):
        told = damage(file, damaged, *arguments)
        if told.status == 2:
            told_in_one_line(told, file)


@pytest.mark.parametrize("damaged", ["", "dataset,network\n", "binary"])
def test_the_papers_own_table(folder, damage, tmp_path, monkeypatch, damaged):
    file = tmp_path / "table5.csv"
    content = (ROOT / "results/paper/table5.csv").read_text()
    file.write_text(content)
    monkeypatch.setattr(paper_numbers, "paper_table", lambda name: file)
    arguments = ["table", "table5", "--scale", "mini", "--folder", folder, "--seeds", 1, 2]
    text = damaged.encode() if damaged != "binary" else content.encode()[:100] + b"\xff\xfe"
    told_in_one_line(damage(file, text, *arguments), file)
    text = content.replace("92.95", "92.9S").encode()
    told_in_one_line(damage(file, text, *arguments), file)
