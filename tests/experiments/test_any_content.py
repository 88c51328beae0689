"""Whatever experiments.yaml holds, it is a catalogue or one line that says what is wrong."""

import copy
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from analysis.experiments.catalogue import make_catalogue
from analysis.experiments.row_files import to_json
from analysis.experiments.scales import read_scale
from autogrow.errors import UserError

GROWN = {"dataset": ["CIFAR10"], "network": "Basic3ResNet", "K": [3, 5], "fraction": "0.5"}
GROWN |= {"initializer": "GauInit", "policy": "periodic", "seed_net": "5-5-5"}
GROWN |= {"learning_rate": "constant"}
BASELINE = {"network": "Plain3Net", "method": "baseline", "depth": None, "depth_of": {"K": 3}}
MORPHED = {"panel": "a", "policy": None, "dataset": "MNIST", "network": "Plain4Net"}
MORPHED |= {"shallower": "1-1-1-1", "deeper": "5-5-5-5", "snapshots": 4}
CONTENT = {
    "table5": {"title": "t", "run": {"kind": "autogrow"}, "against": "found net", "rows": [GROWN]},
    "mine": {
        "title": "t",
        "shared": {"dataset": "digits"},
        "values": ["accuracy"],
        "rows": [BASELINE, {**BASELINE, "depth": "3-3-3", "depth_of": None}],
    },
    "figure6": {"title": "t", "run": {"kind": "morph"}, "rows": [MORPHED]},
}
VALUES = [
    *(None, "", [], {}, 0, 3, -1, True, float("inf"), float("nan"), 10**30, 7.5, [[1]], [None]),
    *(
        {"K": 1},
        {1: 2},
        "x",
        "\0",
        "{a}",
        "1e-5",
        "1/3",
        "0",
        "nan",
        "npz:",
        "npz:none",
        "folder:.",
    ),
    *(
        "CIFAR10",
        "3-3-3",
        "1001-1-1",
        "--",
        "Basic4ResNet",
        "autogrow",
        "scratch",
        "a" * 300,
        "\u2177",
    ),
]
KEYS = ("K", "depth", "J", "tau", "panel", "run", "values", "batch_size", "learning_rate", "policy")
KEYS += ("method", "network", "snapshots", "depth_of", "protocol", "train", "x y", 7)
SCALES = {scale: read_scale(scale) for scale in ("smoke", "paper")}


def places(content):
    """Every mapping and list in the content with each of its keys."""
    inside = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in list(inside):
        yield content, key
        if isinstance(value, dict | list):
            yield from places(value)


@given(st.data())
def test_any_content_is_a_catalogue_or_one_line(data):
    content = copy.deepcopy(CONTENT)
    for _ in range(data.draw(st.integers(1, 2))):
        parent, key = data.draw(st.sampled_from(list(places(content)) or [(content, "x")]))
        change = data.draw(st.sampled_from(("value", "value", "more", "less")))
        value = copy.deepcopy(data.draw(st.sampled_from(VALUES)))
        if change == "less" and content:
            del parent[key]
        elif change == "more" and isinstance(parent, dict):
            parent[data.draw(st.sampled_from(KEYS))] = value
        else:
            parent[key] = value
    scale = data.draw(st.sampled_from(sorted(SCALES)))
    try:
        catalogue = make_catalogue(scale, SCALES[scale], content, Path("experiments.yaml"))
    except UserError as error:
        told = str(error)
        catalogue = None
    if catalogue is None:
        assert told.startswith("experiments.yaml: ")
        assert "\n" not in told
        return
    for name in catalogue.tables:
        assert to_json(catalogue, name)
    for run in catalogue.runs:
        assert re.fullmatch(r"\w+(/[\w.+=-]{1,200}){2}", run, re.ASCII)
