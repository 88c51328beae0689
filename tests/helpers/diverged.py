"""A run that diverged, made from a finished one."""

import csv
import json

from autogrow.files.seals import seal

VALUES = ("accuracy", "top5", "val_accuracy", "train_accuracy")
PHASES = ("growing", "adaminit", "finetuning", "training")


def diverge(folder, epoch):
    """Make the finished run of a folder one whose loss was not finite in an epoch, its last.

    Of what a run leaves, only the files that are there are changed: runs that tests make up
    have not all of them.
    """
    file = folder / "summary.json"
    summary = json.loads(file.read_text())
    summary |= {"status": "diverged", "diverged_after": epoch}
    so_far = None
    if (folder / "metrics.csv").exists():
        rows = _diverged_metrics(folder / "metrics.csv", epoch)
        summary["depth"] = rows[-1]["depth"]
        summary["network"] = f"{summary['network'].partition('-')[0]}-{summary['depth']}"
        summary["epochs"] = {p: sum(row["phase"] == p for row in rows) for p in PHASES}
        # Under the protocol `paper` the validation set is the test set.
        so_far = [float(row["val_accuracy"]) for row in rows[:-1] if row["val_accuracy"]]
    for value in VALUES:
        summary[f"final_{value}"] = so_far[-1] if so_far else None
        summary[f"best_{value}"] = max(so_far) if so_far else None
    del summary["best_train_accuracy"]
    file.write_text(json.dumps(summary))
    for snapshot in folder.glob("snapshots/*.safetensors"):
        if int(snapshot.stem[:5]) >= epoch:
            snapshot.unlink()
    if (folder / "weights.safetensors").exists():
        _lose_weights(folder, summary["network"])
    seal(file)
    return summary


def _diverged_metrics(file, epoch):
    with file.open(newline="") as content:
        rows = [row for row in csv.DictReader(content) if int(row["epoch"]) <= epoch]
    while rows[-1]["phase"] == "adaminit":
        rows.pop()
    rows[-1] |= dict.fromkeys(("train_loss", "val_loss", "val_accuracy", "test_accuracy"), "nan")
    if len(rows) > 1:
        rows[-1]["best_val_accuracy"] = rows[-2]["best_val_accuracy"]
    with file.open("w", newline="") as content:
        writer = csv.DictWriter(content, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return rows


def _lose_weights(folder, name):
    import torch
    from safetensors import safe_open

    from autogrow.networks.growable import build_network
    from autogrow.networks.names import parse_network
    from autogrow.runs.description import arguments_of
    from autogrow.runs.folder import WEIGHTS, write_weights

    with safe_open(folder / WEIGHTS, "pt") as content:
        description = json.loads(content.metadata()["network"])
    network = build_network(parse_network(name), **arguments_of(description))
    with torch.no_grad():
        for tensor in network.parameters():
            tensor.fill_(torch.nan)
    write_weights(folder, network, {**description, "name": name, "found": name.partition("-")[2]})
