"""What a run has left in its folder, for comparing runs."""

import csv
import json


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def metrics(out):
    """metrics.csv without the column that no two runs share."""
    return [{k: v for k, v in row.items() if k != "seconds"} for row in read(out / "metrics.csv")]


def summary(out):
    return json.loads((out / "summary.json").read_text())


def results(out):
    """Everything that must be equal to the bit between two runs of one spec.

    The commit is left out: whoever works on the code while the tests run changes it.
    """
    others = ("seconds_growing", "seconds_finetuning", "git_commit")
    content = {k: v for k, v in summary(out).items() if k not in others}
    growth = out / "growth.csv"
    return {
        "metrics": metrics(out),
        "growth": growth.read_text() if growth.exists() else None,
        "weights": (out / "weights.safetensors").read_bytes(),
        "spec": (out / "spec.yaml").read_bytes(),
        "summary": content,
    }


def listing(out, *, but=()):
    """Content and time of change of every file."""
    return {
        f.name: (f.read_bytes(), f.stat().st_mtime_ns) for f in out.iterdir() if f.name not in but
    }
