"""Both conventions: what they set, what docs/choices.md says of it, and that runs of both end."""

import re

import pytest
import yaml
from run_results import metrics
from taken_over import completed

import autogrow
from analysis.experiments.catalogue import load_catalogue
from analysis.experiments.conventions import CONVENTIONS
from analysis.experiments.scales import CONFIG, ROOT, SCALES
from analysis.experiments.settings import Settings
from autogrow.config.execution import Execution
from autogrow.config.pydantic_errors import validated
from autogrow.config.resolving import resolve
from autogrow.config.spec import SPECS, parse_spec
from autogrow.files.yaml import read_yaml

CONTENT = read_yaml(CONFIG / "config.yaml")


def settings(**given):
    choices = {**CONTENT["choices"], **given.pop("choices", {})}
    return validated(Settings, {**CONTENT, **given, "choices": choices}, "config")


def value(of, key):
    for name in key.split("."):
        of = getattr(of, name)
    return of


def test_the_conventions_set_every_choice_and_a_key_that_is_given_counts_under_either():
    names = {f"choices.{name}" for name in CONTENT["choices"]}
    assert {*CONVENTIONS} == names | {"accuracy"}
    for column, name in enumerate(("paper", "released")):
        found = settings(scale="paper", conventions=name)
        assert {key: value(found, key) for key in CONVENTIONS} == {
            key: values[column] for key, values in CONVENTIONS.items()
        }
        one = settings(conventions=name, choices={"subset": "random"}, accuracy="final")
        assert (one.choices.subset, one.accuracy) == ("random", "final")
        assert one.choices.finetuning == found.choices.finetuning


@pytest.mark.parametrize("scale", SCALES)
def test_a_scale_names_its_protocol_and_its_accuracy(scale):
    wanted = ("holdout", "final") if scale in ("mini", "reduced") else ("paper", "best")
    found = settings(scale=scale)
    assert (found.protocol, found.accuracy) == wanted
    assert found.folder.name == scale
    [other] = {"paper", "holdout"} - {found.protocol}
    assert settings(scale=scale, protocol=other).folder.name == f"{scale}-{other}"
    released = settings(scale=scale, conventions="released")
    assert (released.protocol, released.accuracy) == ("paper", "overall")
    assert released.folder.name == f"{scale}-released"
    both = settings(scale=scale, conventions="released", protocol="holdout")
    assert both.folder.name == f"{scale}-released-holdout"


def test_the_table_of_the_document_is_that_of_the_keys_that_exist():
    text = (ROOT / "docs/choices.md").read_text()
    rows = [line.split(" | ") for line in re.findall(r"^\| (\d.*) \|$", text, re.MULTILINE)]
    assert [row[0] for row in rows] == [str(n) for n in range(1, 22)]
    others = {*read_yaml(CONFIG / "experiments.yaml")}
    others |= {key for kind in SPECS.values() for key in kind.model_fields}
    told = []
    for number, _, _, _, keys, paper, released, effect in rows:
        found = re.findall(r"`([\w.]+)`", keys)
        assert effect
        assert found or paper == "the same", number
        if found and found[0] in CONVENTIONS:
            cells = [yaml.safe_load(cell.strip("`")) for cell in (paper, released)]
            assert tuple(cells) == CONVENTIONS[found[0]], number
        told += [key for key in found if key in CONVENTIONS or key not in others]
    assert sorted(told) == sorted(CONVENTIONS)


def jobs(scale, conventions):
    """Each run of a scale with the text of its job's spec."""
    found = settings(scale=scale, conventions=conventions)
    shared = {"seed": 0, "protocol": found.protocol, "precision": found.precision}
    for run in load_catalogue(scale).runs.values():
        job = yaml.safe_load(run.job_spec({**shared, **dict(found.choices)}))
        yield run, completed(run, job)


@pytest.mark.parametrize("scale", SCALES)
def test_both_conventions_resolve_for_every_run(scale):
    for run, job in jobs(scale, "paper"):
        spec = resolve(parse_spec(job))
        assert spec.model_copy(update={"protocol": run.spec.protocol}) == run.spec
        steered = spec.kind == "autogrow" or getattr(spec, "schedule", "staircase") != "staircase"
        held = settings(scale=scale).protocol == "holdout" and steered
        wanted = run.spec.protocol if "protocol" in run.own else "holdout" if held else "paper"
        assert spec.protocol == wanted
    for _, job in jobs(scale, "released"):
        spec = resolve(parse_spec(job))
        assert (spec.subset == "random") == (spec.data_fraction != 1)
        if spec.kind == "autogrow":
            assert spec.largest_depth[0] == (6 if spec.data == "ImageNet" else 200)
            assert (spec.finetuning == "short") == (spec.policy == "convergent")
            assert (spec.growing_steps == "milestones") == (spec.growing_rate == "staircase")
            if scale == "paper" and spec.policy == "convergent":
                assert spec.finetuning_schedule == (100, pytest.approx(0.01), (0.5,))


@pytest.mark.parametrize("kind", ["scratch", "morph", "periodic", "convergent"])
def test_a_run_of_each_kind_ends_under_the_released_conventions(kind, tmp_path):
    specs = [resolve(parse_spec(job)) for _, job in jobs("smoke", "released")]
    spec = next(s for s in specs if kind in (s.kind, getattr(s, "policy", None)))
    execution = Execution(device="cpu", threads=1, quiet=True)
    assert autogrow.run(spec, tmp_path, execution=execution).status == "complete"
    if kind == "convergent":
        [tuned] = [row for row in metrics(tmp_path) if row["phase"] == "finetuning"]
        assert float(tuned["lr"]) == 0.01
