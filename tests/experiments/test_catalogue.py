"""experiments.yaml at each scale: rows, runs and their ids."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from taken_over import completed

from analysis.experiments import data_sets
from analysis.experiments.catalogue import (
    EXPERIMENTS,
    load_catalogue,
    make_catalogue,
    paper_table,
    table_keys,
)
from analysis.experiments.row_files import from_json, to_json
from analysis.experiments.scales import ROOT, SCALES, read_scale
from analysis.experiments.settings import Choices
from analysis.experiments.table_checks import check_targets
from autogrow.config.resolved import parse_resolved
from autogrow.config.spec import SPECS
from autogrow.data.locating import LAYOUTS
from autogrow.errors import UserError
from autogrow.files.yaml import read_yaml

PARTS = ("train", "test")
FIGURE = """\
figure6:
  title: t
  run: {kind: autogrow}
  shared: {dataset: CIFAR10, network: Basic3ResNet}
"""
HEAD = "table5:\n  title: t\n  run: {kind: autogrow}\n"
ROW = "  rows: [{{dataset: CIFAR10, {}}}]"


@pytest.fixture(autouse=True)
def there(monkeypatch):
    """The data sets that are there: all of them, whatever this machine has."""
    names = {*LAYOUTS}
    monkeypatch.setattr(data_sets, "is_there", names.__contains__)
    return names


@pytest.mark.parametrize("scale", SCALES)
def test_every_row_of_the_paper_has_runs_of_different_settings(scale):
    catalogue = load_catalogue(scale)
    different = {(repr(r.spec), r.depth_of, r.budget_of, r.own) for r in catalogue.runs.values()}
    assert len(different) == len(catalogue.runs)
    read = {run for table in catalogue.tables.values() for run in table.runs}
    assert read == set(catalogue.runs)
    sources = {source for run in catalogue.runs.values() for source in run.sources.values()}
    assert sources <= {*catalogue.runs}
    tables = [t for t in catalogue.tables.values() if not t.is_figure]
    beyond = ["null_depth", "selection_audit", "frontier", "beyond"]
    assert [t.name for t in tables] == [*(f"table{n}" for n in range(2, 14)), *beyond]
    for table in tables[:10]:
        paper = pd.read_csv(paper_table(table.name), dtype=str, keep_default_na=False)
        keys = list(table.rows[0].key)
        assert [list(r.key.values()) for r in table.rows] == paper[keys].values.tolist()


def test_a_spec_that_several_tables_name_is_one_run():
    tables = load_catalogue("paper").tables
    shared = "Basic3ResNet/CIFAR10/periodic-K3-GauInit"
    for name in ("table4", "table5", "table6", "table8", "table11", "figure3"):
        assert shared in tables[name].runs
    assert set(tables["table10"].runs) < set(tables["table7"].runs)
    assert tables["figure4"].runs == tables["table10"].runs


def test_the_found_net_from_scratch_takes_its_depth_from_the_autogrow_run():
    catalogue = load_catalogue("paper")
    for name in ("table3", "table6", "table7"):
        for row in catalogue.tables[name].rows:
            assert catalogue.runs[row.runs["scratch"]].depth_of == row.runs["main"]
    plain, grown, residual = catalogue.tables["table9"].rows[:3]
    assert catalogue.runs[plain.runs["main"]].depth_of == grown.runs["main"]
    assert catalogue.runs[residual.runs["main"]].depth_of == grown.runs["main"]


def test_the_figures_show_runs_of_the_tables():
    for scale in SCALES:
        tables = load_catalogue(scale).tables
        figures = [name for name, table in tables.items() if table.is_figure]
        assert figures == [f"figure{n}" for n in range(2, 11)]
        names = [name for name, table in tables.items() if not table.is_figure]
        in_tables = {run for name in names for run in tables[name].runs}
        for number in (2, 4, 5, 6, 7, 8, 9, 10):
            assert set(tables[f"figure{number}"].runs) <= in_tables
    rows = {name: table.rows for name, table in load_catalogue("paper").tables.items()}
    assert [r.panel.letter for r in rows["figure6"]] == ["a", "b", "c", "d"]
    assert [r.panel.snapshots for r in rows["figure6"]] == [4, 20, 5, 3]
    table3 = {r.name: r.runs["main"] for r in rows["table3"]}
    assert [r.runs["main"] for r in rows["figure6"][:2]] == [
        table3["CIFAR10/Basic3ResNet/staircase/ZeroInit"],
        table3["CIFAR10/Basic3ResNet/constant/GauInit"],
    ]
    morph, scratch = rows["figure5"]
    assert rows["table2"][0].runs == {"main": morph.runs["main"], "scratch": scratch.runs["main"]}
    in_pairs = rows["table9"][:2], rows["table9"][3:5]
    baselines = {grown.runs["main"]: baseline.runs["main"] for baseline, grown in in_pairs}
    baselines |= {r.runs["main"]: r.runs["scratch"] for r in rows["table6"]}
    for baseline, grown in (rows["figure7"][:2], rows["figure7"][2:4], rows["figure7"][4:]):
        assert baseline.panel.directions == grown.panel.directions
        assert baselines[grown.runs["main"]] == baseline.runs["main"]


def test_a_run_keeps_snapshots_if_any_row_shows_its_trajectory():
    catalogue = load_catalogue("paper")
    run = catalogue.runs["Basic3ResNet/CIFAR10/periodic-K3-GauInit"]
    assert run.spec.snapshots == 3
    kept = {id for id, run in catalogue.runs.items() if run.spec.snapshots}
    assert kept == set(catalogue.tables["figure5"].runs + catalogue.tables["figure6"].runs)
    mini = load_catalogue("mini").tables["figure6"].rows
    scaled = read_scale("mini").figures.snapshots
    assert [row.panel.snapshots for row in mini] == [scaled[n] for n in (4, 20, 5, 3)]


def test_a_job_gets_a_complete_spec_and_what_does_not_concern_it_is_left_alone():
    runs = load_catalogue("smoke").runs
    shared = {"seed": 3, "protocol": "holdout", "precision": "bf16", "uniform_noise": "unit"}
    assert any(getattr(run.spec, "initializer", None) == "UniInit" for run in runs.values())
    for run in runs.values():
        settings = yaml.safe_load(run.job_spec(shared))
        if run.depth_of is not None:
            assert "-" not in settings["network"]
            assert "target" not in settings.get("policy_options", {})
        if run.budget_of is not None:
            assert settings["epochs"] is None
        spec = parse_resolved(completed(run, settings), run.id)
        steered = spec.kind == "autogrow" or getattr(spec, "schedule", "staircase") != "staircase"
        protocol = "holdout" if steered else "paper"
        assert (spec.seed, spec.protocol, spec.precision) == (3, protocol, "bf16")
        given = {key: getattr(run.spec, key) for key in ("seed", "protocol", "precision")}
        if hasattr(spec, "uniform_noise"):
            assert spec.uniform_noise == ("unit" if spec.initializer == "UniInit" else "std1")
            given["uniform_noise"] = "std1"
        assert spec.model_copy(update=given) == run.spec


def test_a_choice_changes_the_runs_that_it_concerns_and_no_others():
    concerned = {
        ("bn_weights", "uniform"): lambda run: "/ImageNet" not in run,
        ("shortcut", "A"): lambda run: "ResNet" in run.partition("/")[0],
        ("morph_momentum", "kept"): lambda run: "/morph" in run,
        ("adaminit_statistics", "updated"): lambda run: "AdamInit" in run and "scratch" not in run,
        ("single_image", "own"): lambda run: True,
    }
    runs = load_catalogue("paper").runs.values()
    for (key, value), concerns in concerned.items():
        changed = {run.id for run in runs if run.job_spec({key: value}) != run.job_spec({})}
        assert changed == {run.id for run in runs if concerns(run.id)}, key


@pytest.mark.parametrize("scale", SCALES)
def test_rows_are_handed_over_whole(scale, tmp_path):
    catalogue = load_catalogue(scale)
    file = tmp_path / "rows.json"
    for name, table in catalogue.tables.items():
        file.write_text(to_json(catalogue, name))
        there = from_json(file)
        assert (there.scale, there.tables) == (scale, {name: table})
        assert there.settings.description == catalogue.settings.description
    for damaged in ("", "[]", file.read_text()[:-9], '{"scale": "mini"}'):
        file.write_text(damaged)
        with pytest.raises(UserError, match=str(file)):
            from_json(file)


def test_a_run_that_holdout_takes_images_from_follows_the_protocol():
    """The paper's baselines train on all images: under `holdout` on those that AutoGrow has."""
    runs = load_catalogue("paper").runs.values()
    told = [yaml.safe_load(run.job_spec({"protocol": "holdout"})) for run in runs]
    alone = {spec["protocol"] for spec in told if spec["data_fraction"] + 0.1 <= 1}
    assert {spec["protocol"] for spec in told if spec["data_fraction"] == 1} == {"holdout"}
    assert alone == {"holdout"}  # the fractions of Table 11 are of runs that grow


def test_rows_of_optional_data_that_is_not_there_are_left_out(there):
    whole = load_catalogue("reduced")
    assert whole.left_out == ()
    there -= {"ImageNet", "SVHN"}
    catalogue = load_catalogue("reduced")
    assert {*catalogue.left_out} == {"ImageNet", "SVHN"}
    assert {*whole.tables} - {*catalogue.tables} == {"table7", "table10", "figure4", "figure8"}
    for name, table in catalogue.tables.items():
        kept = [row for row in whole.tables[name].rows if row.paper_dataset not in table.left_out]
        assert list(table.rows) == kept
    assert catalogue.tables["table6"].left_out == ("SVHN",)
    assert catalogue.tables["table5"].left_out == ()
    there.clear()
    for scale in ("smoke", "mini", "paper"):
        assert load_catalogue(scale).left_out == ()
    assert load_catalogue("reduced").tables["table5"].rows  # CIFAR10 is not optional


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"data": "digits", "training_images": 1438}, "found 1438; allowed: .* 1 to 1437"),
        ({"data": "digits", "training_images": "9"}, "found '9'; allowed: a whole number"),
        ({"data": "digits", "test_images": 1700, "validation_images": 98}, "found 98; .* to 97"),
        ({"data": ["digits"], "validation_images": 98}, "data: found"),
    ],
)
def test_numbers_of_images_that_there_are_not(data, told):
    scale = read_scale("smoke").model_copy(update={"data": {"CIFAR10": data}})
    with pytest.raises(UserError, match=told):
        data_sets.data_of(scale, "CIFAR10")


def test_numbers_of_images_are_fractions_of_what_there_is():
    runs = load_catalogue("mini").runs.values()
    shares = {(run.spec.data_fraction, run.spec.holdout_fraction) for run in runs}
    assert {(0.2, 0.7), (0.3, 0.7)} < shares
    assert {share + held <= 1 for share, held in shares} == {True}


def test_a_data_set_from_elsewhere_is_named_and_known_by_its_content(tmp_path, rng, there):
    file = tmp_path / "odd {name} it's.npz"

    def write():
        images = {f"x_{part}": rng.integers(0, 256, (24_000, 4, 4, 3)) for part in PARTS}
        labels = {f"y_{part}": np.arange(24_000) % 10 for part in PARTS}
        np.savez(file, **{k: v.astype(np.uint8) for k, v in (images | labels).items()})
        data_sets._sha256_of.cache_clear()
        return load_catalogue("reduced", sources={"CIFAR10": f"npz:{file}"})

    first, second = write(), write()
    row = first.tables["table4"].rows[0]
    text = (
        "CIFAR10 from odd {name} it's.npz at 1/2 size, 50 % of its training set, 5,000 test images"
    )
    assert row.values["dataset"] == text
    run, other = (catalogue.tables["table4"].rows[0].runs["main"] for catalogue in (first, second))
    spec = first.runs[run].spec
    assert (spec.data, spec.data_fraction) == (f"npz:{file}", 0.5)
    assert (spec.crop_padding, spec.flip) == (0, True)
    assert spec.data_sha256 != second.runs[other].spec.data_sha256
    assert run != other
    assert all(re.fullmatch(r"[\w.=/-]+", run) for run in first.runs)
    assert not any(tmp_path.name in run for run in first.runs)
    with pytest.raises(UserError, match=r"data_source: found CIFAR10, in whose .* has digits"):
        load_catalogue("smoke", sources={"CIFAR10": f"npz:{file}"})
    file.unlink()
    data_sets._sha256_of.cache_clear()
    with pytest.raises(UserError, match=r"^data_source: CIFAR10: .*it's\.npz: "):
        load_catalogue("reduced", sources={"CIFAR10": f"npz:{file}"})


def test_K_is_divided_by_the_fraction():
    catalogue = load_catalogue("paper")
    rows = catalogue.tables["table11"].rows[:4]
    specs = [catalogue.runs[row.runs["main"]].spec for row in rows]
    assert [spec.K for spec in specs] == [3, 4, 6, 12]
    assert [spec.data_fraction for spec in specs] == [1, 0.75, 0.5, 0.25]


def test_a_scale_has_counterparts_of_the_papers_fractions():
    rows = load_catalogue("smoke").tables["table11"].rows[:4]
    assert [row.key["fraction"] for row in rows] == ["1.00", "0.75", "0.50", "0.25"]
    assert {row.values["fraction"] for row in rows} == {"1.00"}
    assert len({row.runs["main"] for row in rows}) == 1
    scale = read_scale("paper").model_copy(update={"fraction": {"0.75": "0.50"}})
    cells = {**CELLS, "fraction": ["0.75", "0.50"]}
    table = {"run": {"kind": "autogrow"}, "rows": [cells]}
    first, second = catalogue_of("paper", scale, table11=table).tables["table11"].rows
    assert first.runs == second.runs
    assert (first.papers_data, second.papers_data) == (False, True)


def test_ids_do_not_depend_on_the_order_of_the_file(tmp_path):
    content = read_yaml(EXPERIMENTS)
    for table in content.values():
        for group in table["rows"]:
            for key, value in group.items():
                if isinstance(value, list):
                    group[key] = value[::-1]
        table["rows"].reverse()
    shuffled = tmp_path / "experiments.yaml"
    shuffled.write_text(yaml.safe_dump(dict(reversed(content.items())), sort_keys=False))
    assert load_catalogue("mini", shuffled).runs == load_catalogue("mini").runs


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "a mapping of tables"),
        ("table5: 3", "found 3; allowed: a mapping of keys to values"),
        ("Tafel: {}", "names like table5"),
        (HEAD + "  against: nothing\n  rows: [{}]", "'nothing'; allowed: 'found net' or 'deeper"),
        (HEAD + ROW.format("network: Plain3Net, fraction: 2"), "fraction"),
        (HEAD + ROW.format("network: [Plain3Net, Plain3Net]"), "twice"),
        (HEAD + ROW.format("network: Plain3Net, fraction: '1e-999999999'"), "fraction"),
        (HEAD + "  rows: []", "rows"),
        (HEAD + ROW.format("colour: red"), "unknown column 'colour'"),
        (HEAD + ROW.format("network: Basic9ResNet"), "Basic9ResNet"),
        (HEAD + ROW.format("network: 'timm:resnet18'"), "networks of libraries are for autogrow"),
        (HEAD + ROW.format("network: Basic3ResNet, K: 7"), "K: 7"),
        (HEAD + "  rows: [3]", "rows.0: found 3; allowed: a valid dictionary"),
        (FIGURE + "  rows: [{panel: A}]", "panel: found 'A'"),
        (FIGURE + "  rows: [{snapshots: 0}]", "snapshots: found 0"),
        (FIGURE + "  rows: [{snapshots: yes}]", "snapshots: found True"),
        (FIGURE + "  rows: [{snapshots: 7}]", "snapshots: 7 has no counterpart"),
        (FIGURE + "  rows: [{directions: -1}]", "directions: found -1"),
        (HEAD + "  what: 3\n  rows: [{}]", "unknown key 'what'"),
        ("{}", "a mapping of tables"),
        ("a_seeds: {}", "one without _seeds"),
        ("figure1: {}", "'figure1'; allowed: figure2"),
        (HEAD + ROW.format("network: Plain3Net, method: AutoGrown"), "method: found 'AutoGrown'"),
        (HEAD + ROW.format("network: Plain3Net, depth: 3-3-3"), "depth: found '3-3-3' in a row"),
        (HEAD + ROW.format("network: Plain3Net, method: baseline"), "a row has no depth"),
        (HEAD + ROW.format("network: Plain3Net, seed_net: 3-3"), "names 2 sub-networks"),
        (HEAD + "  rows: [{network: Plain3Net, dataset: CIFAR11}]", "data: found 'CIFAR11'"),
        (HEAD + "  rows: [{network: Plain3Net, dataset: 'npz:none.npz'}]", "none.npz"),
        (HEAD + ROW.format("network: Plain3Net, initializer: GaussInit"), "'GaussInit'"),
        (HEAD + ROW.format("network: Plain3Net, snapshots: 4"), "allowed: in figures alone"),
        (HEAD + ROW.format("network: Plain3Net, depth_of: {K: 3}"), "a policy with a target"),
        (HEAD + ROW.format("network: Plain3Net, budget_of: {K: 3}"), "in rows of kind scratch"),
        (
            HEAD + ROW.format("network: Plain3Net, method: one-shot, policy: fixed"),
            "policy: found 'fixed' in a row of one-shot; allowed: none, as that is one_shot",
        ),
        (
            HEAD
            + ROW.format(
                "network: Plain3Net, method: one-shot, "
                "depth_of: {method: p-AutoGrow, network: Plain4Net}"
            ),
            "allowed: a network with as many",
        ),
        (
            HEAD + ROW.format("network: Plain3Net") + "\n  values: [speed]",
            "values.0: found 'speed'",
        ),
        (HEAD + ROW.format("network: Plain3Net") + "\n  values: [delta]", "with `against`"),
        (HEAD + ROW.format("network: Plain3Net") + "\n  values: [top5, top5]", "each column once"),
        (HEAD + "  against: deeper net\n" + ROW.format("network: Plain3Net"), "rows of kind morph"),
        (HEAD.replace("}", ", K: 3}") + ROW.format("network: Plain3Net"), "run: found .*a column"),
        (HEAD.replace("}", ", J: 0}") + ROW.format("network: Plain3Net"), "J: found 0"),
        (
            HEAD.replace("}", ", epochs: 3}") + ROW.format("network: Plain3Net"),
            "found 'epochs', which",
        ),
        (HEAD.replace("}", ", k: 3}") + ROW.format("network: Plain3Net"), "unknown setting 'k'"),
        (
            FIGURE.replace("6", "2") + "  rows: [{snapshots: 4}]",
            "has no network; allowed: the columns",
        ),
        (
            HEAD + "  rows: [{dataset: digits, network: Plain3Net}, {network: Plain3Net, K: 3,"
            " dataset: digits}]",
            "has the columns .*allowed: the same ones in every row",
        ),
        (
            HEAD.replace("autogrow", "scratch") + "  rows: [{dataset: digits, network: Plain3Net,"
            " depth_of: {network: Plain4Net}}]",
            "Plain4Net has not as many sub-networks",
        ),
        (HEAD.replace("autogrow", "magic") + "  rows: [{dataset: CIFAR10}]", "'magic'"),
    ],
)
def test_a_malformed_catalogue_is_told_with_file_and_table(tmp_path, text, told):
    file = tmp_path / "experiments.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=told) as caught:
        load_catalogue("mini", file)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(("column", "values"), [("snapshots", (3, 5)), ("directions", (0, 1))])
def test_rows_of_one_run_must_agree_on_what_is_shown(tmp_path, column, values):
    cells = "policy: periodic, network: Basic3ResNet, K: 3, snapshots: 3"
    rows = [f"{{{cells.replace('snapshots: 3', f'snapshots: {n}')}}}" for n in values]
    if column == "directions":
        rows = [f"{{{cells}, directions: {n}}}" for n in values]
    other = FIGURE.replace("figure6", "figure5")
    file = tmp_path / "experiments.yaml"
    file.write_text(f"{FIGURE}  rows: [{rows[0]}]\n{other}  rows: [{rows[1]}]\n")
    with pytest.raises(UserError, match=f"figure5: {column}: found {values[1]}"):
        load_catalogue("paper", file)


def test_a_schedule_null_is_the_seed_network_at_the_growing_rate():
    catalogue = load_catalogue("paper")
    for name, table in catalogue.tables.items():
        for row in table.rows:
            grown = catalogue.runs[row.runs["main"]].spec
            if "never_grown" not in row.runs:
                shows_found_nets = name in ("table3", "table4", "table5", "table6", "table7")
                assert not shows_found_nets, row.name
                continue
            null = catalogue.runs[row.runs["never_grown"]].spec
            same = ("data", "data_fraction", "batch_size", "learning_rate", "weight_decay", "width")
            assert [getattr(null, key) for key in same] == [getattr(grown, key) for key in same]
            assert null.first_network == grown.first_network
            growing = "restarts" if grown.growing_rate == "staircase" else "constant"
            assert (null.schedule, null.epochs) == (
                growing,
                300 if "ImageNet" in null.data else 1000,
            )
            assert null.period == (grown.K if growing == "restarts" else 0)
    # One run a network, data set and learning rate serves every K, initializer and policy.
    assert len({row.runs["never_grown"] for row in catalogue.tables["table8"].rows}) == 2


def test_a_run_at_equal_compute_has_the_budget_of_the_autogrow_run():
    catalogue = load_catalogue("paper")
    for name in ("table3", "table6", "table7"):
        for row in catalogue.tables[name].rows:
            equal = catalogue.runs[row.runs["equal_compute"]]
            assert equal.sources == dict.fromkeys(("--depth-of", "--budget-of"), row.runs["main"])
    *fixed, grown = catalogue.tables["frontier"].rows
    for row in fixed:
        equal = catalogue.runs[row.runs["equal_compute"]]
        assert equal.sources == {"--budget-of": grown.runs["main"]}
        assert f"{equal.spec.first_network}".endswith(f"-{row.key['depth']}")


@pytest.mark.parametrize("protocol", ["paper", "holdout"])
def test_a_row_that_asks_for_the_workflows_protocol_shares_its_runs(protocol):
    catalogue = load_catalogue("paper", protocol=protocol)
    others = set(catalogue.tables["table6"].runs)
    for row in catalogue.tables["selection_audit"].rows:
        own = row.key["protocol"]
        assert ({row.runs["main"], row.runs["scratch"]} <= others) == (own == protocol)
        run = catalogue.runs[row.runs["main"]]
        assert yaml.safe_load(run.job_spec({"protocol": protocol}))["protocol"] == own
        assert run.id.endswith(own) == (own != protocol)


def catalogue_of(scale="mini", settings=None, **tables):
    content = {name: {"title": "t", **table} for name, table in tables.items()}
    return make_catalogue(scale, settings or read_scale(scale), content, Path("experiments.yaml"))


CELLS = {"dataset": "CIFAR10", "network": "Basic3ResNet"}


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ({"run": {"kind": "autogrow"}}, ["found_net", "accuracy"]),
        ({"run": {"kind": "autogrow"}, "against": "found net"}, ["found_net", "accuracy", "delta"]),
        ({"run": {"kind": "scratch"}, "shared": {"depth": "3-3-3"}}, ["accuracy"]),
        ({"run": {"kind": "autogrow"}, "values": ["growing_ratio"]}, ["growing_ratio"]),
    ],
)
def test_a_table_of_ones_own_shows_what_its_kind_of_runs_has(table, values):
    catalogue = catalogue_of(my_table={**table, "rows": [CELLS]})
    assert list(catalogue.tables["my_table"].values) == values
    assert catalogue.table_names == ["my_table"]


def test_the_tables_own_settings_are_stronger_than_the_scales_and_the_baselines_too():
    run = {"kind": "autogrow", "J": 20, "batch_size": 16}
    catalogue = catalogue_of(table5={"run": run, "against": "found net", "rows": [CELLS]})
    grown, scratch = catalogue.runs.values()
    assert (grown.spec.J, grown.spec.batch_size, scratch.spec.batch_size) == (20, 16, 16)
    assert grown.id.endswith("-batch_size=16-J=20")
    assert scratch.depth_of == grown.id


def test_K_of_convergent_growth_is_the_rows_if_it_names_one():
    rows = [{**CELLS, "policy": "convergent", "K": K} for K in (3, 50)]
    runs = catalogue_of("paper", table5={"run": {"kind": "autogrow"}, "rows": rows}).runs
    assert [run.rpartition("/")[2] for run in runs] == [f"convergent-K{K}-GauInit" for K in (3, 50)]


# Another value of every setting that `run` may give, for a kind that has it.
OTHERS = {
    **{"subset": "random", "repeats": 2, "trim": 1, "downscale": 4},
    **{"protocol": "holdout", "holdout_fraction": 0.2},
    **{"stem": "imagenet", "width": 3, "batch_size": 7, "micro_batch": 5, "learning_rate": 0.03},
    **{"momentum": 0.8, "weight_decay": 1e-05, "milestones": (0.25, 0.5), "crop_padding": 3},
    **{"flip": None, "skip_damaged": True, "normalisation": "measured", "precision": "bf16"},
    **{"sync_bn": True, "bn_weights": "uniform", "shortcut": "A", "single_image": "own"},
    **{"uniform_noise": "unit", "adaminit_slack": 0.1, "adaminit_statistics": "updated"},
    **{"policy": "convergent", "J": 77, "tau": 0.123456789, "initializer": "UniInit"},
    **{"growing_rate": "staircase", "growing_steps": "milestones", "max_depth": "9-9-9-9"},
    **{"finetune_epochs": 9, "finetuning": "short", "epochs": 9, "morph_momentum": "kept"},
    **{"max_parameters": 10**6, "max_flops": 10**9, "max_latency_ms": 7.5, "latency_batch": 8},
    **{"max_epochs": 99, "max_hours": 0.5, "frontier": True},
    **{"policy_options": {"target": "9-9-9-9"}},
}
NEEDED = {"latency_batch": {"max_latency_ms": 9.0}, "policy_options": {"policy": "fixed"}}
SHARED = {"protocol", "precision", *Choices.model_fields}
OF_IMAGES = (
    "subset",
    "repeats",
    "trim",
    "normalisation",
    "holdout_fraction",
)  # beside the data set's name
KINDS = {
    "autogrow": {},
    "scratch": {"depth": "5-5-5-5"},
    "morph": {"shallower": "8-8-8-8", "deeper": "9-9-9-9"},
}


@pytest.mark.parametrize("scale", ["mini", "paper"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_id_tells_every_setting_and_the_same_spec_has_the_same_id(scale, kind):
    cells = {"dataset": "CIFAR10", "network": "Basic4ResNet", **KINDS[kind]}
    told = {"network", "from_network", "to_network", "data", "data_fraction", "seed_depth", "K"}
    told |= {"data_sha256", "test_images", "schedule", "period"}
    told |= {"pretrained", "pretrained_sha256"}  # of networks that the catalogue does not take
    told |= {"resize", "continue_from", "continue_sha256"}  # of folders, and of the command line
    wanted = {*SPECS[kind].model_fields} - told - {"kind", "seed", "snapshots"}
    assert wanted <= {*OTHERS}

    def run(**given):
        table = {"run": {"kind": kind, **given}, "rows": [cells]}
        [run] = catalogue_of(scale, table5=table).runs.values()
        return run

    plain = run()
    found = {plain.id: plain.spec}
    for name in sorted(wanted):
        given = {name: not plain.spec.flip if name == "flip" else OTHERS[name]}
        given |= NEEDED.get(name, {})
        other = run(**given)
        assert found.setdefault(other.id, other.spec) == other.spec
        assert (other.id == plain.id) == (other.spec == plain.spec), name
        same = dict(plain.spec)[name]
        if name in SHARED:  # it no longer follows config.yaml
            assert run(**{name: same}).id == f"{plain.id}-{name}={same}" or name in OF_IMAGES
            job = yaml.safe_load(run(**given).job_spec({name: same}))
            assert job[name] == given[name]
        else:
            assert same is None or run(**{name: same}) == plain, name
        assert re.fullmatch(r"[\w.+=-]+/[\w.+=-]+/[\w.+=-]{1,150}", other.id)
    assert len(found) == len(wanted) + 1


def test_ids_of_data_of_ones_own_are_short_and_differ(tmp_path):
    images = np.zeros((4, 8, 8), dtype=np.uint8)
    files = [tmp_path / name for name in ("a b/images.npz", "a_b/images.npz")]
    for file in files:
        file.parent.mkdir()
        np.savez(file, x_train=images, y_train=[0, 1] * 2, x_test=images, y_test=[0, 1] * 2)
    rows = [{"network": "Plain3Net", "dataset": [f"npz:{file}" for file in files]}]
    runs = catalogue_of(table5={"run": {"kind": "autogrow"}, "rows": rows}).runs
    assert len(runs) == 2
    for run in runs:
        assert re.fullmatch(r"Plain3Net/npz_images.npz-[0-9a-f]{8}/periodic-K2-GauInit", run)


def test_a_baseline_of_the_net_that_other_data_gave_says_which():
    rows = [{**CELLS, "depth_of": {"dataset": "MNIST"}}, {**CELLS, "depth_of": {}, "K": 5}]
    for row in rows:
        row.setdefault("K", 3)
    table = {"run": {"kind": "scratch"}, "rows": rows}
    other, same = catalogue_of("paper", table5=table).tables["table5"].runs
    assert other.endswith("/CIFAR10/scratch-as-deep-as-MNIST-periodic-K3-GauInit")
    assert same.endswith("/CIFAR10/scratch-as-deep-as-periodic-K5-GauInit")


def test_what_stands_in_is_not_the_papers_data():
    for scale in SCALES:
        tables = load_catalogue(scale).tables.values()
        assert {row.papers_data for table in tables for row in table.rows} == {scale == "paper"}
    whole = {"kind": "autogrow", "downscale": 2}
    rows = catalogue_of("paper", table5={"run": whole, "rows": [CELLS]}).tables["table5"].rows
    assert not rows[0].papers_data


def test_a_table_has_no_name_of_a_rule_of_the_workflow():
    check_targets(load_catalogue("mini").tables, ROOT)
    for name in ("all", "train", "surface_block", "surface", "compare", "tables"):
        with pytest.raises(UserError, match=f"'{name}', which a rule of"):
            check_targets([name], ROOT)


def test_the_columns_that_name_rows_are_known_without_a_scale():
    tables = load_catalogue("paper")
    wanted = {name: list(tables.tables[name].rows[0].key) for name in tables.table_names}
    assert table_keys() == wanted
