"""At scale `paper` every run has exactly the paper's settings (paper_settings.txt)."""

import itertools
from pathlib import Path

import pytest

from analysis.experiments.catalogue import load_catalogue
from autogrow.data import DATASETS

LINES = [
    line.split()
    for line in (Path(__file__).parent / "paper_settings.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
CATALOGUE = load_catalogue("paper")


def specs(table, *kinds):
    runs = [CATALOGUE.runs[run] for run in CATALOGUE.tables[table].runs]
    return [run.spec for run in runs if run.spec.kind in kinds]


@pytest.mark.parametrize("run", sorted(CATALOGUE.runs))
def test_training_settings_are_the_papers(run):
    spec = CATALOGUE.runs[run].spec
    family = f"{spec.architecture.name}/{'ImageNet' if spec.data == 'ImageNet' else 'small'}"
    [line] = [line for line in LINES if line[0] == family]
    lr, batch, N, first, second, momentum, decay = map(float, line[1:])
    epochs = spec.finetune_epochs if spec.kind == "autogrow" else spec.epochs
    never_grown = spec.kind == "scratch" and spec.schedule != "staircase"
    assert (spec.learning_rate, spec.batch_size) == (lr, batch)
    if not never_grown:
        assert epochs == N
        assert [round(m * epochs) for m in spec.milestones] == [first, second]
    assert (spec.momentum, spec.weight_decay) == (momentum, decay)
    assert (spec.width, spec.downscale) == (spec.architecture.channels[0], 1)
    assert spec.stem == ("imagenet" if spec.data == "ImageNet" else "small")
    facts = DATASETS[spec.data]
    assert (spec.crop_padding, spec.flip) == (facts.crop_padding, facts.flip)


def expanded(name):
    """The cells of all lines of a name, one tuple for each combination."""
    lines = [line[1:] for line in LINES if line[0] == name]
    return {
        cells for line in lines for cells in itertools.product(*(cell.split(",") for cell in line))
    }


def test_growing_runs_are_the_papers_and_no_others():
    tables = {line[0] for line in LINES if line[0].startswith(("table", "figure"))}
    numbered = {t for t in CATALOGUE.tables if t.strip("0123456789") in ("table", "figure")}
    assert tables == {t for t in numbered if specs(t, "autogrow")}
    others = {run for t in numbered for run in CATALOGUE.tables[t].runs}
    assert {*CATALOGUE.tables["null_depth"].runs} <= others
    for table in tables:
        found = {
            (
                *(s.data, s.network, s.policy, str(s.K), "-" if s.J is None else str(s.J)),
                *(str(s.tau), s.initializer, s.growing_rate, f"{s.data_fraction:g}", s.seed_depth),
            )
            for s in specs(table, "autogrow")
        }
        assert found == expanded(table), table


def test_morphs_are_the_papers():
    expected = {cells[1:] for cells in expanded("morph")}
    found = {
        (s.data, s.from_network, s.to_network, s.initializer) for s in specs("table2", "morph")
    }
    assert found == expected
    assert {s.network for s in specs("table2", "scratch")} == {line[2] for line in expected}


def test_baselines_of_found_nets_have_the_growing_runs_data():
    for run in CATALOGUE.runs.values():
        if run.depth_of is not None:
            source = CATALOGUE.runs[run.depth_of].spec
            assert (run.spec.data, run.spec.data_fraction) == (source.data, source.data_fraction)
