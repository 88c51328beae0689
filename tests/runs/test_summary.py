"""summary.json from epochs made up by hand, so that every choice of a row shows."""

import json

import pytest
import torch

from autogrow.batches.sets import make_sets
from autogrow.config.resolving import resolve
from autogrow.config.spec import parse_spec
from autogrow.data import load
from autogrow.errors import UserError
from autogrow.networks.growable import build_network
from autogrow.networks.names import parse_network
from autogrow.runs.summarizing import summarize
from autogrow.runs.summary import AdamInitUse, read_summary
from autogrow.training.metrics import Epoch

KINDS = {
    "scratch": {"network": "Basic3ResNet-2-1-1", "epochs": 4},
    "morph": {"from": "Basic3ResNet-1-1-1", "to": "Basic3ResNet-2-1-1", "epochs": 3},
    "autogrow": {"network": "Basic3ResNet", "finetune_epochs": 3, "K": 1, "J": 1},
}


def epochs_of(rows):
    """Epochs from (phase, validation accuracy, test accuracy); a second each."""
    epochs, best, number = [], 0.0, 0
    for phase, val, test in rows:
        if phase == "adaminit":
            measured = (None, None, None)
        else:
            number, best = number + 1, max(best, val)
            measured = (1.0, val, test)
        train = (2.0, 10.0 * len(epochs))
        epochs.append(Epoch(number, phase, "2-1-1", 0.1, *train, *measured, best, 1.0, 99.0))
    return epochs


@pytest.fixture(scope="module")
def summary_of():
    data = load("digits")

    def summarized(kind, rows, **more):
        spec = resolve(parse_spec({"kind": kind, "data": "digits", **KINDS[kind], **more}))
        name = parse_network("Basic3ResNet-2-1-1")
        network = build_network(name, image_channels=1, classes=10)
        sets = make_sets(spec, data, torch.device("cpu"))
        return summarize(spec, network, epochs_of(rows), data, sets)

    return summarized


def rows_of(phase, *accuracies):
    """Rows of a phase, each with its validation and its test accuracy."""
    return [(phase, val, test) for val, test in accuracies]


ADAM = [("adaminit", None, None)] * 2
SHALLOW = rows_of("training", (90, 91), (95, 96), (94, 95))
DEEP = rows_of("training", (50, 51), (70, 71), (60, 61))
GROWING = [("growing", 90, 91), *ADAM, ("growing", 80, 81)]
TUNING = rows_of("finetuning", (50, 51), (60, 61), (55, 56))
# The final and the best test accuracy, then the validation accuracies.
BEST = {
    "of all epochs of a baseline": (
        ("scratch", rows_of("training", (50, 51), (70, 71), (60, 99), (65, 66))),
        [66, 71, 65, 70],
    ),
    "of two equally good ones the first: the test set must not choose": (
        ("scratch", rows_of("training", (60, 10), (70, 20), (70, 90), (65, 99))),
        [99, 20, 65, 70],
    ),
    "of the deeper net of a morph": (("morph", SHALLOW + DEEP), [61, 71, 60, 95]),
    "of a morph with AdamInit": (("morph", SHALLOW + ADAM + DEEP), [61, 71, 60, 95]),
    "of the fine-tuning of a grown net": (("autogrow", GROWING + TUNING), [56, 61, 55, 90]),
}


@pytest.mark.parametrize(("trained", "expected"), BEST.values(), ids=BEST)
def test_best_is_the_test_accuracy_at_the_best_validation_epoch(summary_of, trained, expected):
    summary = summary_of(*trained, protocol="holdout")
    keys = ("final_accuracy", "best_accuracy", "final_val_accuracy", "best_val_accuracy")
    assert [summary[key] for key in keys] == expected
    # `overall` counts growing and the shallower net too.
    wanted = {"autogrow": 91, "morph": 96}.get(trained[0], expected[1])
    assert (summary.overall_accuracy, summary.overall_top5) == (wanted, 99)


def test_epochs_and_seconds_are_those_of_each_phase(summary_of):
    summary = summary_of("autogrow", GROWING + TUNING)
    assert summary.epochs == {"growing": 2, "adaminit": 2, "finetuning": 3, "training": 0}
    assert (summary.seconds_growing, summary.seconds_finetuning) == (4, 3)


def test_each_adaminit_is_told_apart(summary_of):
    growing = [("growing", 40, 40)] * 2
    rows = [("growing", 30, 30), *ADAM, *growing, *ADAM[:1], ("finetuning", 50, 50)]
    # The training accuracy of the made-up rows is ten times their number.
    assert summary_of("autogrow", rows)["adaminit"] == [
        AdamInitUse(after_epoch=1, epochs=2, old_train_accuracy=0, train_accuracy=20),
        AdamInitUse(after_epoch=3, epochs=1, old_train_accuracy=40, train_accuracy=50),
    ]


def test_costs_and_sizes_are_the_final_networks(summary_of):
    summary = summary_of("scratch", [("training", 50, 50)])
    assert (summary.network, summary.depth, summary.layers) == ("Basic3ResNet-2-1-1", "2-1-1", 10)
    sizes = [summary.data[f"{part}_images"] for part in ("training", "validation", "test")]
    assert sizes == [1437, 360, 360]


IMPOSSIBLE = [
    ({"status": "done"}, "status: found 'done'; allowed: 'complete' or 'diverged'"),
    ({"status": "diverged"}, "diverged_after: found None; allowed: a whole number from 1"),
    ({"status": "diverged", "diverged_after": 0}, "diverged_after: found 0"),
    ({"network": "Wide-1-1-1"}, "network: unknown architecture 'Wide'"),
    ({"depth": "2-1-2"}, "depth: found '2-1-2'; allowed: 2-1-1, as its network"),
    ({"best_accuracy": 100.1}, "best_accuracy: found 100.1"),
    ({"best_accuracy": float("nan")}, "best_accuracy: found nan"),
    ({"final_top5": None}, "final_top5: found None; allowed: a percentage"),
    ({"final_accuracy": "50"}, "final_accuracy: found '50'"),
    ({"parameters": -1}, "parameters: found -1"),
    ({"layers": True}, "layers: found True"),
    ({"epochs": {"training": -1}}, "epochs.training: found -1"),
    ({"epochs": {"resting": 1}}, "epochs.resting"),
    ({"seconds_growing": float("inf")}, "seconds_growing: found inf"),
    ({"data": {}}, "data.name: missing"),
    ({"threads": ...}, "threads: missing"),
]


@pytest.mark.parametrize(("changed", "told"), IMPOSSIBLE)
def test_impossible_values_are_refused_with_file_key_found_and_allowed(
    summary_of, tmp_path, changed, told
):
    content = summary_of("scratch", [("training", 50, 50)]).model_dump() | changed
    file = tmp_path / "summary.json"
    file.write_text(json.dumps({k: v for k, v in content.items() if v is not ...}))
    with pytest.raises(UserError) as error:
        read_summary(file)
    message = str(error.value)
    assert message.startswith(f"{file}: no summary of a finished run: ")
    assert told in message
    assert "allowed: " in message


def test_a_summary_reads_back_equal_also_without_younger_keys(summary_of, tmp_path):
    summary = summary_of("scratch", [("training", 50, 50)])
    content = summary.model_dump()
    file = tmp_path / "summary.json"
    file.write_text(json.dumps(content))
    assert read_summary(file) == summary
    younger = {"diverged_after", "spec_checksum", "processes", "micro_batch", "bn_images"}
    kept = {k: v for k, v in content.items() if k not in {*younger, "out_of_memory"}}
    file.write_text(json.dumps(kept))
    assert read_summary(file).model_dump() | {k: content[k] for k in younger} == content
