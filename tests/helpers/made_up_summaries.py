"""summary.json of a run that nobody trained."""

import json

import yaml
from taken_over import completed

from autogrow.files.seals import seal
from autogrow.files.yaml import yaml_text


def write_result(folder, summary):
    """Write and seal the result of a finished run: a summary, or any text in its place."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spec.yaml").touch()
    text = summary if isinstance(summary, str) else json.dumps(summary)
    (folder / "summary.json").write_text(text)
    seal(folder / "summary.json")


def write_spec(folder, run, seed):
    """Write the spec of a run that grows, which tables replay; others they do not read."""
    folder.mkdir(parents=True, exist_ok=True)
    if run.spec.kind == "autogrow":
        settings = completed(run, yaml.safe_load(run.job_spec({"seed": seed})))
        (folder / "spec.yaml").write_text(yaml_text(settings))


def write_curve(folder, accuracies):
    """Write the curve of a run that never grows, which fits its training images as well."""
    rows = [f"{epoch},{accuracy},{accuracy}\n" for epoch, accuracy in enumerate(accuracies, 1)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.csv").write_text("epoch,val_accuracy,train_accuracy\n" + "".join(rows))


def made_up_summary(network, **changed):
    """A complete summary of a run that found a network; ``changed`` keys take other values."""
    summary = {
        "status": "complete",
        "diverged_after": None,
        "kind": "autogrow",
        "network": network,
        "depth": network.partition("-")[2],
        "layers": 10,
        "parameters": 1000,
        "flops": 5000,
        "flops_training": 300_000,
        "flops_growing": 200_000,
        "flops_finetuning": 100_000,
        "final_accuracy": 80.0,
        "best_accuracy": 90.0,
        "best_test_accuracy": 91.0,
        "final_top5": 98.0,
        "best_top5": 99.0,
        "final_val_accuracy": 80.0,
        "best_val_accuracy": 90.0,
        "final_train_accuracy": 95.0,
        "epochs": {"growing": 3, "adaminit": 1, "finetuning": 1, "training": 0},
        "adaminit": [],
        "seconds_growing": 1.5,
        "seconds_finetuning": 2.5,
        "protocol": "paper",
        "seed": 0,
        "data": {
            **{f"{part}_images": 10 for part in ("training", "validation", "test")},
            **{"name": "digits", "image_size": 8, "image_channels": 1, "classes": 10},
            **{"mean": [0.5], "std": [0.25], "statistics": "measured"},
            **{"crop_padding": 0, "flip": False, "checksum": "0"},
        },
        "versions": {"python": "3"},
        "git_commit": None,
        "device": "cpu (test_cpu)",
        "threads": 1,
    }
    return summary | changed
