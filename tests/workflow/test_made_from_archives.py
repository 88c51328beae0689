"""A campaign that continues on another machine from the archives of its finished runs."""

import json
import os
import subprocess
import sys

import pytest

from analysis import rebuild
from analysis.experiments.catalogue import load_catalogue
from analysis.records.archives import archive_name

SMOKE = ("--config", "scale=smoke", "--")
OUT = "results/out/smoke"
FORMS = (".csv", ".md", ".tex", "_seeds.csv")
RUN = f"{OUT}/runs/Plain4Net/digits-fraction0.1/periodic-K1-GauInit/seed0"


def archive(folder, action, *arguments):
    command = [sys.executable, "-m", "analysis", "archive", action, "--scale", "smoke", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def packed(smoke):
    """Pack everything that was run with seed 0; return the folder of the archive."""
    smoke.snakemake(*SMOKE, "all")  # other tests may have trained a run again
    archive(smoke.folder, "pack")
    folder = smoke.folder / "results/reference/smoke"
    for file in folder.iterdir():
        if file.name != archive_name(0):  # other tests have run a few runs with other seeds
            file.unlink()
    return folder


@pytest.fixture
def elsewhere(packed, fresh):
    """Another clone, into which the archive was unpacked."""
    archive(fresh.folder, "unpack", "--from", packed)
    return fresh


def test_tables_are_made_from_archives_and_a_run_whose_weights_are_needed_is_trained(
    smoke, elsewhere
):
    tables = ("table9", "figure2")
    assert "train" not in elsewhere.planned(*SMOKE, *tables)
    elsewhere.snakemake(*SMOKE, "table9")
    for form in FORMS:
        name = f"{OUT}/tables/table9{form}"
        assert (elsewhere.folder / name).read_bytes() == (smoke.folder / name).read_bytes()
    assert elsewhere.planned(*SMOKE, "table9") == {}

    weights = f"{RUN}/weights.safetensors"
    assert elsewhere.planned(*SMOKE, weights) == {"train": 1}
    with elsewhere.changed("config/scales/smoke.yaml", "finetune_epochs: 2", "finetune_epochs: 3"):
        assert elsewhere.planned(*SMOKE, "table9")["train"] == 8
    elsewhere.snakemake(*SMOKE, weights)
    told = (elsewhere.folder / RUN / "log.txt").read_text().splitlines()
    assert "the run is from an archive, which has its records alone" in told[0]
    assert told[0].endswith("the run is trained again")
    assert (elsewhere.folder / weights).read_bytes() == (smoke.folder / weights).read_bytes()
    assert elsewhere.planned(*SMOKE, weights) == {}


def test_a_changed_digit_reaches_no_table(elsewhere):
    file = elsewhere.folder / RUN / "summary.json"
    content, was = json.loads(file.read_text()), file.stat()
    file.write_text(file.read_text().replace(str(content["best_accuracy"]), "99.99"))
    os.utime(file, (was.st_atime, was.st_mtime))  # else the runs that take its depth refuse it
    elsewhere.snakemake(*SMOKE, "table9", status=1)
    # The job that reads it says so: that of its baseline, or of the table.
    logs = [file.read_text() for file in (elsewhere.folder / OUT / "logs").rglob("*.log")]
    [told] = {text for text in logs if f"{RUN}/summary.json: " in text}
    assert told.count("\n") == 1
    assert not (elsewhere.folder / OUT / "tables/table9.csv").exists()


def test_everything_without_landscapes_is_rebuilt_from_the_archive(smoke, packed, tmp_path):
    made, lacking = rebuild.rebuild(load_catalogue("smoke"), packed, tmp_path / "smoke")
    assert lacking == []
    compared = 0
    for file in made:
        theirs = smoke.folder / OUT / file.relative_to(tmp_path / "smoke")
        if file.suffix != ".pdf":
            assert file.read_bytes() == theirs.read_bytes(), file.name
            compared += 1
    assert compared > 4 * 12
    assert {file.stem for file in made if file.suffix == ".pdf"} == {
        *("figure2", "figure3", "figure4", "figure8", "figure9", "figure10")
    }
