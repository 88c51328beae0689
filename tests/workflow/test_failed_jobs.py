"""Jobs of runs that fail: how often they are started again, and what counts as done after them."""

import pytest

OUT = "results/out/smoke/runs/Basic3ResNet/digits-fraction0.1/periodic-K1-GauInit/seed0"
TARGET = ("--", f"{OUT}/summary.json")
SMOKE = ("--config", "scale=smoke")


@pytest.fixture
def longer(fresh):
    """A finished run whose settings were changed since: it is to be trained for 160 epochs."""
    fresh.snakemake(*SMOKE, *TARGET)
    scale = fresh.folder / "config/scales/smoke.yaml"
    scale.write_text(scale.read_text().replace("finetune_epochs: 2", "finetune_epochs: 150"))
    return fresh


def test_a_failed_run_leaves_no_result_of_older_settings(longer):
    """Snakemake would restore the old outputs and note them as made with the new settings."""
    run = longer.folder / OUT
    old = (run / "summary.json").read_text()
    status, told = longer.interrupt(run, *SMOKE, "retries=0", *TARGET)
    assert status == 1, told
    assert not (run / "summary.json").exists(), told
    assert longer.planned(*SMOKE, *TARGET) == {"train": 1}

    longer.snakemake(*SMOKE, *TARGET)
    assert (run / "summary.json").read_text() != old
    assert (run / "log.txt").read_text().count("continuing after epoch") == 1
    assert longer.planned(*SMOKE, *TARGET) == {}


def test_a_run_that_fails_at_once_leaves_no_result_of_older_settings(longer):
    """Before it has looked into its folder, where the old result still is."""
    (longer.folder / OUT / "spec.yaml").write_text("[")
    (longer.folder / OUT / "summary.json.seal").unlink()
    longer.snakemake(*SMOKE, "retries=0", *TARGET, status=1)
    assert longer.planned(*SMOKE, *TARGET) == {"train": 1}


SLURM = ("--profile", "slurm", "--executor", "local")


@pytest.mark.parametrize(
    ("options", "settings", "times"), [((), ("retries=1",), 1), (SLURM, (), 5)]
)
def test_how_often_a_failing_run_is_started_again(fresh, options, settings, times):
    """As config.yaml says; with the profile for Slurm, as that says."""
    (fresh.folder / OUT).mkdir(parents=True)
    (fresh.folder / OUT / "spec.yaml").write_text("[")
    given = (*options, *SMOKE, "device=cpu", *settings, *TARGET)
    assert fresh.snakemake(*given, status=1).count("Trying to restart job") == times
