"""Results of two runs, made up, of which archives are packed."""

import os
import shutil

import pytest
from made_up_runs import make_run

from analysis.experiments.catalogue import load_catalogue
from autogrow.files.seals import RUN, seal

SEEDS = (0, 1)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Results of two runs and seeds, with weights and snapshots; not to be changed."""
    folder = tmp_path_factory.mktemp("results") / "mini"
    runs = list(load_catalogue("mini").runs.values())[:2]
    for run in runs:
        for seed in SEEDS:
            make_run(folder, run, seed)
            place = folder / "runs" / run.id / f"seed{seed}"
            (place / "spec.yaml").write_text(f"seed: {seed}\n")
            (place / "weights.safetensors").write_bytes(os.urandom(99))
            (place / "snapshots").mkdir()
            (place / "snapshots/00001.safetensors").write_bytes(os.urandom(99))
            seal(place / RUN)
    return folder, [run.id for run in runs]


@pytest.fixture
def results(made, tmp_path):
    """A copy for a test to change, and the ids of its runs."""
    return shutil.copytree(made[0], tmp_path / "mini"), made[1]
