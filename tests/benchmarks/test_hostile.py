"""No text of the configuration is executed by a shell, or split into words."""

import json
import os
import subprocess
import sys

from clones import ROOT, clone

# Keys whose value may be any text; all others refuse what a shell would not take for one word.
FREE = {
    f"config/experiments.yaml.{name}.title" for name in ("table2", *map("figure{}".format, "267"))
}
FREE |= {"config.data_root", "config.reference", "config.cluster.scratch"}
FREE |= {"config/scales/smoke.yaml.description", "config/experiments.yaml.figure7.rows.0.K"}
FREE |= {f"config/experiments.yaml.table2.shared.{key}" for key in ("dataset", "network")}


def run(folder, *words):
    """Run a module in a clone; return its output after a status that is the only one allowed."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_every_key_with_every_hostile_text(tmp_path):
    done = run(tmp_path, "benchmarks.hostile")
    found = json.loads(done.stdout)
    assert (found["bad"], done.returncode) == ([], 0)
    assert found["given"] > 50 * 140
    assert {key for key, count in found["accepted"].items() if count > 1} == FREE


def test_a_device_of_the_command_line_is_not_executed(tmp_path):
    done = run(clone(tmp_path), "snakemake", "plan", "-n", "--config", "device=cpu$(touch HIT)")
    assert done.returncode == 1
    assert "config: device: found 'cpu$(touch HIT)'; allowed: auto, cpu, cuda" in done.stdout
    assert not (tmp_path / "HIT").exists()
