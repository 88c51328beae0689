"""The campaign counts what is lost, and no text of the configuration reaches a shell unquoted."""

import json
import subprocess
import sys

from clones import clone

from benchmarks import campaign

# Keys whose value may be any text; all others refuse what a shell would not take for one word.
TITLES = [f"config/experiments.yaml.{name}.title" for name in ("table2", "figure2", "figure6")]
FREE = {"config.data_root", "config.reference", "config.cluster.scratch", *TITLES}
FREE |= {f"config/experiments.yaml.figure7.{key}" for key in ("title", "rows.0.K")}
FREE |= {"config/experiments.yaml.table2.shared.network", "config/scales/smoke.yaml.description"}


def run(*words, **options):
    return subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, **options)


def test_every_key_with_every_hostile_text():
    done = run("benchmarks.hostile")
    found = json.loads(done.stdout)
    assert (found["bad"], done.returncode) == ([], 0)
    assert found["given"] > 30 * 140
    assert {key for key, count in found["accepted"].items() if count > 1} == FREE


def test_a_device_of_the_command_line_is_not_executed(tmp_path):
    words = ["snakemake", "plan", "-n", "--config", "device=cpu$(touch HIT)"]
    done = run(*words, cwd=clone(tmp_path))
    assert done.returncode == 1
    assert "config: device: found 'cpu$(touch HIT)'; allowed: auto, cpu, cuda" in done.stdout
    assert not (tmp_path / "HIT").exists()


def table(capsys, *arguments):
    """Run a campaign of a case of each kind; return its status, the table and what it tells."""
    status = campaign.main(["--minutes", "0", *arguments])
    told = capsys.readouterr()
    lines = [line.replace("|", " ").split() for line in told.out.splitlines()[2:]]
    return status, {kind: tuple(map(int, counts)) for kind, *counts in lines}, told.err


def test_a_short_campaign_loses_nothing(capsys):
    kinds = ["finished", "checkpoints", "inputs"]
    found = table(capsys, "--seed", "263", "--kinds", *kinds)
    assert found == (0, {**dict.fromkeys(kinds, (1, 0, 0)), "all": (3, 0, 0)}, "")


def test_what_is_lost_or_unclear_is_counted_and_told(capsys, monkeypatch):
    def lost(of, rng):
        raise campaign.LostError("another result")

    kinds = {"kills": lost, "inputs": lambda of, rng: {}["a"], "hostile": lambda of, rng: None}
    monkeypatch.setattr(campaign, "KINDS", kinds)
    status, found, told = table(capsys, "--kinds", *kinds)
    assert status == 1
    assert found == {
        **{"kills": (1, 1, 0), "inputs": (1, 0, 1), "hostile": (1, 0, 0), "all": (3, 1, 1)}
    }
    assert told == "kills 0: LostError: another result\ninputs 0: KeyError: 'a'\n"
