import math
import tempfile
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autogrow.config.budget_settings import BUDGETS
from autogrow.config.resolved import parse_resolved
from autogrow.config.resolving import resolve
from autogrow.config.spec import SPECS, YOUNGER, AutogrowSpec, parse_spec, to_json
from autogrow.data import DatasetInfo
from autogrow.errors import UserError
from autogrow.files.yaml import read_yaml, yaml_text
from autogrow.growth.policies import ConvergentGrowth, PeriodicGrowth
from autogrow.networks.names import ARCHITECTURES, choose_stem

GROW = {"kind": "autogrow", "network": "Basic3ResNet", "data": "CIFAR10"}
TRAIN = {"kind": "scratch", "network": "Basic3ResNet-3-3-3", "data": "CIFAR10"}
MORPH = {"kind": "morph", "from": "Basic3ResNet-3-3-3", "to": "Basic3ResNet-5-5-5"}
MORPH["data"] = "CIFAR10"
KINDS = [TRAIN, MORPH, GROW]
CONVERGENT = {**GROW, "policy": "convergent"}


def mistake(given, *parts):
    with pytest.raises(UserError) as error:
        parse_spec(given, "run.yaml")
    message = str(error.value)
    assert "\n" not in message
    assert message.startswith("run.yaml: ")
    for part in parts:
        assert part in message
    return message


# --- the paper's best practice -----------------------------------------------------------


def test_growing_defaults_are_the_papers_best_practice():
    spec = resolve(parse_spec(GROW))
    assert to_json(spec) == {
        "kind": "autogrow",
        "network": "Basic3ResNet",
        "data": "CIFAR10",
        "data_fraction": 1.0,
        "subset": "stratified",
        "test_images": 0,
        "data_sha256": "",
        "trim": 0,
        "downscale": 1,
        "protocol": "paper",
        "holdout_fraction": 0.1,
        "stem": "small",
        "width": 16,
        "batch_size": 128,
        "learning_rate": 0.1,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "milestones": [0.5, 0.75],
        "crop_padding": 4,
        "flip": True,
        "seed": 0,
        "seed_depth": "1-1-1",
        "policy": "periodic",
        "K": 3,
        "J": 100,
        "tau": 0.05,
        "normalisation": "released",
        "repeats": 1,
        "skip_damaged": False,
        "precision": "fp32",
        "micro_batch": 0,
        "sync_bn": False,
        "snapshots": 0,
        "uniform_noise": "std1",
        "adaminit_slack": 0.5,
        "adaminit_statistics": "frozen",
        "bn_weights": "ones",
        "shortcut": "B",
        "single_image": "joined",
        "initializer": "GauInit",
        "growing_rate": "constant",
        "growing_steps": "halves",
        "max_depth": "none",
        "finetune_epochs": 200,
        "finetuning": "full",
    }
    assert spec.growth_policy == PeriodicGrowth(K=3, J=100, tau=0.05)
    assert str(spec.first_network) == "Basic3ResNet-1-1-1"


def test_training_and_morphing_defaults_are_the_papers():
    spec = resolve(parse_spec(TRAIN))
    assert (spec.epochs, spec.milestones, spec.learning_rate) == (200, (0.5, 0.75), 0.1)
    spec = resolve(parse_spec(MORPH))
    assert (spec.epochs, spec.initializer, spec.batch_size) == (200, "ZeroInit", 128)


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=lambda a: a.name)
def test_learning_rate_width_and_seed_follow_from_the_family(architecture):
    spec = resolve(parse_spec({**GROW, "network": architecture.name}))
    assert spec.learning_rate == (0.01 if architecture.name.startswith("Plain") else 0.1)
    assert spec.width == (16 if "3" in architecture.name else 64)
    assert spec.seed_depth == ("1-1-1" if "3" in architecture.name else "1-1-1-1")


def test_imagenet_has_its_own_defaults():
    spec = resolve(parse_spec({**GROW, "network": "Basic4ResNet", "data": "ImageNet"}))
    assert (spec.batch_size, spec.weight_decay, spec.finetune_epochs) == (256, 1e-4, 90)
    assert spec.milestones == (1 / 3, 2 / 3)
    assert (spec.K, spec.J, spec.stem) == (3, 30, "imagenet")
    given = {**TRAIN, "network": "Basic4ResNet-2-2-2-2", "data": "ImageNet"}
    assert resolve(parse_spec(given)).epochs == 90


@pytest.mark.parametrize(("epochs", "T"), [(200, 100), (20, 10), (7, 4)])
def test_j_of_periodic_and_k_of_convergent_growth_are_t_of_the_finetuning(epochs, T):
    given = {**GROW, "finetune_epochs": epochs}
    assert resolve(parse_spec(given)).J == T
    spec = resolve(parse_spec({**given, "policy": "convergent"}))
    assert (spec.K, spec.J) == (T, None)
    assert spec.growth_policy == ConvergentGrowth(K=T, tau=0.05)


def test_the_test_set_steers_on_the_named_data_sets_alone():
    facts = DatasetInfo("npz:my.npz", 8, 1, 10)
    for data, wanted in (("digits", "paper"), ("npz:my.npz", "holdout"), ("mine", "holdout")):
        spec = parse_spec({**GROW, "data": data})
        assert resolve(spec, facts).protocol == wanted
        for asked in ("paper", "holdout"):
            given = spec.model_copy(update={"protocol": asked})
            assert resolve(given, facts).protocol == asked


def test_given_settings_are_kept():
    given = {**GROW, "K": 50, "J": 60, "tau": 1, "width": 8, "learning_rate": 0.02, "seed": 7}
    given |= {"weight_decay": 0, "batch_size": 32, "milestones": [0.2, 0.9], "flip": False}
    given |= {"crop_padding": 0, "initializer": "ZeroInit", "seed_depth": "2-1-3"}
    content = to_json(resolve(parse_spec(given)))
    assert {key: content[key] for key in given} == given


@pytest.mark.parametrize("given", [*KINDS, CONVERGENT], ids=str)
def test_a_resolved_spec_leaves_nothing_open(given):
    resolved = resolve(parse_spec(given))
    fields = type(resolved).model_fields
    assert not [n for n, field in fields.items() if type(None) in get_args(field.annotation)]
    settings = to_json(resolved)
    assert {k for k, v in settings.items() if v is None} <= {"J"}
    assert (settings.get("J", 0) is None) == (given is CONVERGENT)
    with pytest.raises(UserError, match="spec: width: found None"):
        parse_resolved({**settings, "width": None}, "spec")


@pytest.mark.parametrize(
    ("name", "wanted", "size", "stem"),
    [
        ("Basic4ResNet", "auto", 32, "small"),
        ("Basic4ResNet", "auto", 95, "small"),
        ("Basic4ResNet", "auto", 96, "imagenet"),
        ("Basic4ResNet", "small", 224, "small"),
        ("Basic3ResNet", "auto", 224, "small"),
        ("Bottleneck4ResNet", "auto", 32, "imagenet"),
        ("Plain4Net", "imagenet", 32, "imagenet"),
        ("Basic3ResNet", "imagenet", 32, None),  # stems that the paper does not give
        ("Plain3Net", "imagenet", 32, None),
        ("Bottleneck4ResNet", "small", 32, None),
    ],
)
def test_stem(name, wanted, size, stem):
    if stem is not None:
        assert choose_stem(ARCHITECTURES[name], wanted, size) == stem
        return
    with pytest.raises(UserError, match=f"stem: {name} has no '{wanted}' stem; allowed: auto or"):
        choose_stem(ARCHITECTURES[name], wanted, size)


# --- mistakes ----------------------------------------------------------------------------


@pytest.mark.parametrize("given", KINDS, ids=lambda g: g["kind"])
@pytest.mark.parametrize("key", ["Epochs", "epoch", "lr", "network_", "", "K ", "momentun"])
def test_unknown_keys_are_named_and_the_known_listed(given, key):
    message = mistake({**given, key: 1}, "unknown key", repr(key), "allowed", "data", "momentum")
    assert ("finetune_epochs" in message) == (given["kind"] == "autogrow")
    if given["kind"] == "morph":
        assert "from" in message.split("allowed")[1].replace("from_network", "")


@pytest.mark.parametrize("kind", ["grow", "Scratch", None, 3, "", ["scratch"], {"a": 1}, ...])
def test_unknown_kinds_are_named_and_the_known_listed(kind):
    given = {k: v for k, v in {**TRAIN, "kind": kind}.items() if v is not ...}
    mistake(given, "kind", repr(given.get("kind", "nothing")), "allowed", *SPECS)


@pytest.mark.parametrize("given", [None, 3, "scratch", ["kind"], True])
def test_a_spec_is_a_mapping(given):
    mistake(given, "mapping", repr(given))


@pytest.mark.parametrize(
    ("given", "key"),
    [(GROW, "network"), (GROW, "data"), (TRAIN, "network"), (MORPH, "from"), (MORPH, "to")],
)
def test_missing_keys_are_named_and_described(given, key):
    given = {k: v for k, v in given.items() if k != key}
    mistake(given, f"{key}: missing", "allowed")


SHARED = {
    "data": [3, "", None],
    "data_fraction": [0, -0.5, 1.01, math.nan, "half", True],
    "test_images": [-1, "360"],
    "data_sha256": ["abc", 3],
    "protocol": ["test", 1],
    "holdout_fraction": [0, 1, "0.1"],
    "stem": ["big"],
    "width": [0, 1.5, 5000],
    "batch_size": [1, 0, "128", 128.0, True],
    "learning_rate": [0, -0.1, math.inf, math.nan, "0.1", [0.1]],
    "momentum": [1, -0.1, math.nan],
    "weight_decay": [-1e-4, math.nan, math.inf],
    "milestones": [
        *(0.5, "0.5", [], ["a"], [True], ["0.5", "0.75"], [0.75, 0.5], [0.5, 0.5], [0, 0.5]),
        *([0.5, 1], [math.nan], [0.2, math.nan], [math.nan, 0.5], [0.2, math.nan, 0.5]),
    ],
    "crop_padding": [-1, 65],
    "flip": ["yes", 1],
    "seed": [-1, 2**32, 0.5, None, "0", False],
}


@pytest.mark.parametrize("given", KINDS, ids=lambda g: g["kind"])
@pytest.mark.parametrize("key", SHARED)
def test_impossible_values_name_key_found_and_allowed(given, key):
    for value in SHARED[key]:
        message = mistake({**given, key: value}, key, "found")
        assert "allowed" in message or "should " in message
        if not isinstance(value, list):  # of a list, the entry that is wrong is named
            assert repr(value) in message


OWN = [
    (TRAIN, "network", "Basic3ResNet", "network;'Basic3ResNet';allowed"),
    (TRAIN, "network", "Basic3ResNet-3-3", "network;'3-3';allowed"),
    (TRAIN, "network", "Wide-1-1", "network;'Wide';allowed;Plain3Net"),
    (TRAIN, "network", 3, "network;3"),
    (TRAIN, "epochs", 0, "epochs;0;1"),
    (TRAIN, "epochs", -5, "epochs;-5"),
    (TRAIN, "epochs", 1.5, "epochs;1.5"),
    (TRAIN, "epochs", 100_001, "epochs;100001;100000"),
    (TRAIN, "K", 3, "unknown key 'K'"),
    (MORPH, "K", 3, "unknown key 'K'"),
    (MORPH, "from", "Wide-1-1", "from: ;'Wide';allowed"),
    (MORPH, "to", "Wide-1-1", "to: ;'Wide';allowed"),
    (MORPH, "to", "Basic3ResNet-5", "to;'5';allowed"),
    (MORPH, "to", "Basic3ResNet-3-3-3", "to: Basic3ResNet-3-3-3;deeper;allowed"),
    (MORPH, "to", "Basic3ResNet-9-9-2", "to: Basic3ResNet-9-9-2;deeper;allowed"),
    (MORPH, "to", "Plain3Net-9-9-9", "to: Plain3Net-9-9-9;Basic3ResNet;allowed"),
    (MORPH, "initializer", "He", "initializer;'He';ZeroInit;AdamInit"),
    (MORPH, "epochs", 0, "epochs;0"),
    (GROW, "network", "Basic3ResNet-1-1-1", "network;depth;seed_depth"),
    (GROW, "network", "Wide", "network;'Wide';allowed;Plain3Net"),
    (GROW, "seed_depth", "1-1", "seed_depth;'1-1';allowed"),
    (GROW, "seed_depth", "1-0-1", "seed_depth;'0';allowed"),
    (GROW, "seed_depth", "", "seed_depth;'';allowed"),
    (GROW, "seed_depth", [1, 1, 1], "seed_depth;[1, 1, 1]"),
    (GROW, "policy", "greedy", "policy;'greedy';periodic;convergent"),
    (GROW, "K", 0, "K;0"),
    (GROW, "K", 2.5, "K;2.5"),
    (GROW, "K", "3", "K;'3'"),
    (GROW, "J", 0, "J;0"),
    ({**GROW, "K": 5}, "J", 4, "J: 4;K (5);allowed"),
    (GROW, "tau", 0, "tau;0"),
    (GROW, "tau", -0.05, "tau;-0.05"),
    (GROW, "tau", 101, "tau;101"),
    (GROW, "tau", math.nan, "tau;nan"),
    (GROW, "initializer", "gauinit", "initializer;'gauinit';GauInit;AdamInit"),
    (GROW, "growing_rate", "cosine", "growing_rate;'cosine';staircase"),
    (GROW, "finetune_epochs", 0, "finetune_epochs;0"),
]


@pytest.mark.parametrize(("given", "key", "value", "parts"), OWN)
def test_impossible_values_of_a_kinds_own_settings(given, key, value, parts):
    mistake({**given, key: value}, *parts.split(";"))


def test_j_may_be_as_small_as_k():
    assert parse_spec({**GROW, "K": 5, "J": 5}).J == 5


def test_k_above_the_default_j_is_impossible():
    with pytest.raises(UserError, match=r"K: 11 is more than J.*T = 10.*allowed: K up to 10"):
        resolve(parse_spec({**GROW, "K": 11, "finetune_epochs": 20}))


def test_the_number_of_further_mistakes_is_told():
    assert "(and 2 more)" in mistake({**GROW, "K": 0, "J": 0, "seed": -1})


def test_a_long_value_is_cut():
    assert len(mistake({**GROW, "seed_depth": "x" * 5000})) < 12_000
    assert len(mistake({**GROW, "protocol": "x" * 5000})) < 300


def test_settings_in_python_are_checked_as_in_a_file():
    assert AutogrowSpec(network="Basic3ResNet", data="digits") == parse_spec(
        {**GROW, "data": "digits"}
    )
    with pytest.raises(ValueError, match="seed"):
        AutogrowSpec(network="Basic3ResNet", data="digits", seed=-1)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"data": "CIFAR10", "test_images": 10_001}, "found 10001; .* CIFAR10: 1 to 10000"),
        ({"data": "digits", "test_images": 1790}, "test_images: found 1790; .* digits: 1 to 1777"),
        ({"data": "digits", "data_sha256": "0" * 64}, "data_sha256: .* 'digits'; allowed: npz"),
    ],
)
def test_settings_of_data_that_a_data_set_does_not_have(settings, told):
    with pytest.raises(UserError, match=told):
        resolve(parse_spec({**TRAIN, **settings}))


# --- YAML --------------------------------------------------------------------------------


def read(tmp_path, text):
    path = tmp_path / "run.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_yaml(path)


NUMBERS = {"1e-3": 1e-3, "1E-3": 1e-3, "5e-4": 5e-4, "1.5e-3": 1.5e-3, "1.e2": 100.0, ".5": 0.5}
NUMBERS |= {"-.5e1": -5.0, "+1e+2": 100.0, "0.1": 0.1, "3": 3, "-3": -3}
TEXTS = ["1-1-1", "2024-01-01", "1.2.3", "e3", "1e", "'1e-3'", ".", "1,5"]


@pytest.mark.parametrize(
    ("text", "expected"), [*NUMBERS.items(), *((text, text.strip("'")) for text in TEXTS)]
)
def test_yaml_numbers_and_texts(tmp_path, text, expected):
    value = read(tmp_path, f"x: {text}")["x"]
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("seed: 1\nK: 3\nseed: 2\n", "'seed' is given twice"),
        ("a: {b: 1, b: 2}\n", "'b' is given twice"),
        ("a: [1, 2\n", "YAML"),
        ("a: 1\n---\nb: 2\n", "YAML"),
        ("? [a, b]\n: 1\n", "plain word"),
        ("a: *nowhere\n", "an alias"),
        (b"\xff\xfe\x00a", "text"),
        ("a: \x01\n", "YAML"),
    ],
)
def test_yaml_mistakes_are_reported_in_one_line(tmp_path, text, part):
    with pytest.raises(UserError) as error:
        read(tmp_path, text)
    message = str(error.value)
    assert str(tmp_path / "run.yaml") in message
    assert part in message
    assert "\n" not in message


def test_yaml_file_that_is_not_there(tmp_path):
    for path, told in ((tmp_path / "none.yaml", "cannot be read"), (tmp_path, "found a folder")):
        with pytest.raises(UserError, match=told):
            read_yaml(path)


# --- properties --------------------------------------------------------------------------

fractions = st.floats(0.001, 0.999)
epochs = st.integers(1, 500)
initializer = st.sampled_from(["ZeroInit", "AdamInit", "UniInit", "GauInit"])
SETTINGS = {
    "data_fraction": st.floats(0.001, 1),
    "protocol": st.sampled_from(["paper", "holdout"]),
    "holdout_fraction": fractions,
    "width": st.integers(1, 512),
    "batch_size": st.integers(2, 4096),
    "learning_rate": st.floats(1e-6, 10),
    "momentum": st.floats(0, 0.999),
    "weight_decay": st.floats(0, 1),
    "milestones": st.lists(fractions, min_size=1, max_size=4, unique=True).map(sorted),
    "crop_padding": st.integers(0, 64),
    "flip": st.booleans(),
    "seed": st.integers(0, 2**32 - 1),
}
OWN_SETTINGS = {
    "scratch": {"epochs": epochs},
    "morph": {"epochs": epochs, "initializer": initializer},
    "autogrow": {
        "K": st.integers(1, 50),
        "seed_depth": st.lists(st.integers(1, 30), min_size=3, max_size=3).map(
            lambda depth: "-".join(map(str, depth))
        ),
        "tau": st.floats(0.001, 100),
        "initializer": initializer,
        "growing_rate": st.sampled_from(["constant", "staircase"]),
        "finetune_epochs": epochs,
        "max_parameters": st.integers(0, 10**12),
        "max_latency_ms": st.floats(0, 1e6),
        "max_hours": st.integers(0, 1000),
        "frontier": st.booleans(),
    },
}


@pytest.mark.parametrize("fixed", [TRAIN, MORPH, {**GROW, "J": 50}, CONVERGENT])
@given(data=st.data())
def test_every_spec_goes_through_yaml_and_back(fixed, data):
    kind = fixed["kind"]
    optional = st.fixed_dictionaries({}, optional=SETTINGS | OWN_SETTINGS[kind])
    spec = parse_spec({**fixed, **data.draw(optional)})
    # What is not set is left out: older specs are what they have always been.
    unset = {n for n in BUDGETS if getattr(spec, n, 0) == (n == "latency_batch")}
    unset |= {key for key in YOUNGER if not getattr(spec, key, None)}
    fields = SPECS[kind].model_fields.items()
    assert to_json(spec).keys() == {f.alias or n for n, f in fields if n not in unset}
    assert parse_spec(read_back(to_json(spec))) == spec
    resolved = resolve(spec)
    assert parse_resolved(read_back(to_json(resolved)), "spec") == resolved
    assert resolve(parse_spec(to_json(resolved))) == resolved
    assert (resolved.seed, resolved.data_fraction) == (spec.seed, spec.data_fraction)


def read_back(value):
    """A value after it was written to a YAML file and read."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "spec.yaml"
        file.write_text(yaml_text(value))
        return read_yaml(file)


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=9)
)


@given(st.dictionaries(st.text(max_size=5), st.one_of(scalars, st.lists(scalars, max_size=3))))
@example({"x": ["1e3", "1.0", "yes", "null", "~", "2001-01-01", "0x1F", "1_0", "=", "\udcff", ""]})
def test_plain_values_go_through_yaml_and_back(value):
    assert read_back(value) == value


def test_latency_is_measured_of_one_image_unless_a_budget_asks_for_more():
    with pytest.raises(UserError, match="latency_batch: found 8; allowed: with max_latency_ms"):
        parse_spec({**GROW, "latency_batch": 8})
    assert parse_spec({**GROW, "latency_batch": 8, "frontier": True}).measures_latency


@pytest.mark.parametrize(("policy", "K"), [("periodic", 3), ("convergent", 100)])
def test_the_seed_networks_own_epochs_are_within_the_budget(policy, K):
    given = {**GROW, "policy": policy}
    assert resolve(parse_spec({**given, "max_epochs": K})).max_epochs == K
    with pytest.raises(UserError, match=rf"max_epochs: found {K - 1}, .* K = {K} .*: {K} or more"):
        resolve(parse_spec({**given, "max_epochs": K - 1}))
