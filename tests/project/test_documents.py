"""What the documents say about files, keys and numbers is true."""

import csv
import json
import re
import tomllib
from typing import get_args

import pytest
import yaml
from documents import DOCUMENTS, ROOT, name_of, prose
from pydantic import BaseModel

from analysis.experiments.scales import CONFIG, ScaleSettings
from analysis.experiments.settings import Settings


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_and_every_path_leads_somewhere(document):
    text = prose(document)
    links = re.findall(r"(?:\]\(|src=\")([^)#\"]+)", text)
    for link in (link for link in links if "://" not in link):
        assert (document.parent / link).exists(), link
    chapters = "analysis|autogrow|benchmarks|config|docs|profiles|slurm|tests|workflow"
    for path in re.findall(rf"`((?:{chapters})/[\w./-]*)`", text):
        assert (ROOT / path).exists(), path


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 200


def tables(text):
    """Every table of a text as rows of cells, header first."""
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = [[c.strip() for c in re.split(r"(?<!\\)\|", r)[1:-1]] for r in table.splitlines()]
        yield [rows[0], *rows[2:]]


def reference(name):
    with (ROOT / f"results/reference/mini/{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_picture_of_the_readme_is_small_and_of_a_run_of_the_reference():
    assert (ROOT / "results/reference/mini/figure2.png").stat().st_size < 300_000
    first, *_, last = [row for row in reference("figure2") if row["seed"] == "0"]
    assert f"from {first['layers']} to {last['layers']} layers" in (ROOT / "README.md").read_text()
    [row] = [r for r in reference("table5") if r["row"] == "CIFAR10/Basic3ResNet/3"]
    assert last["depth"] == row["found_net"].split("; ")[0]


def test_the_headline_of_the_readme_is_that_of_the_committed_verdicts():
    first = (ROOT / "results/reference/mini/claims.md").read_text().splitlines()[2]
    assert first.startswith("Verdicts on ")
    assert first in (ROOT / "README.md").read_text().splitlines()
    seeds = json.loads((ROOT / "results/reference/mini/provenance.json").read_text())["seeds"]
    assert seeds == [0, 1, 2, 3, 4]
    assert (ROOT / "docs/report.png").stat().st_size < 300_000


def test_the_table_of_the_readme_is_the_reference():
    [shown] = [t for t in tables((ROOT / "README.md").read_text()) if "found nets" in t[0]]
    rows = [row for row in reference("table6") if row["paper_dataset"] == "CIFAR10"]
    columns = ("network", "found_net", "null_depth", "paper_found_net")
    accuracies = ("accuracy", "equal_compute_accuracy")
    expected = [
        [*(r[c] for c in columns), *(f"{r[c]} ± {r[f'{c}_std']}" for c in accuracies)] for r in rows
    ]
    assert shown[1:] == expected


def keys(model, prefix=""):
    """Every key that a model reads, those of nested mappings with a dot; and its default."""
    for name, field in model.model_fields.items():
        yield prefix + name, field.get_default()
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                # A cluster and its jobs are told in a section of their own.
                below = "" if inner.__name__ in ("Cluster", "JobSize") else f"{name}."
                yield from keys(inner, prefix + below)


def documented(section):
    """The first table of a section of config/README.md: key to its row."""
    text = (ROOT / "config/README.md").read_text()
    [part] = re.findall(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    rows = next(tables(part))[1:]
    return {row[0].strip("`"): row for row in rows}


def nested(model, name):
    """The model of a key that may be null, or of a mapping's values."""
    annotation = model.model_fields[name].annotation
    [found] = [a for a in get_args(annotation) if isinstance(a, type) and issubclass(a, BaseModel)]
    return found


def test_every_key_of_the_configuration_is_documented():
    cluster = nested(Settings, "cluster")
    jobs = nested(cluster, "jobs")
    inner = {*cluster.model_fields, *jobs.model_fields}
    wanted = {key for key, _ in keys(Settings)} - inner
    assert {*documented("config/config.yaml")} == wanted
    assert {*documented("config/scales/*.yaml")} == {key for key, _ in keys(ScaleSettings)}
    wanted = {*cluster.model_fields, *(f"jobs.{key}" for key in jobs.model_fields)}
    assert {*documented("slurm/cluster.yaml")} == wanted


def flat(values, prefix=""):
    for key, value in values.items():
        yield f"{prefix}{key}", value
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")


def test_the_documented_defaults_are_those_of_the_files():
    cluster = yaml.safe_load((ROOT / "slurm/cluster.yaml").read_text())["cluster"]
    defaults = {
        "config/config.yaml": flat(yaml.safe_load((CONFIG / "config.yaml").read_text())),
        "slurm/cluster.yaml": flat(cluster),
        "config/scales/*.yaml": keys(ScaleSettings),
    }
    for section, values in defaults.items():
        known = dict(values)
        for key, row in documented(section).items():
            if re.fullmatch(r"`[^`]*`", row[-1]):
                assert yaml.safe_load(row[-1].strip("`")) == known[key], key


def test_every_key_and_column_of_the_experiments_is_documented():
    experiments = yaml.safe_load((CONFIG / "experiments.yaml").read_text())
    text = (ROOT / "config/README.md").read_text()
    [part] = re.findall(r"^## config/experiments.yaml\n(.*?)(?=^## )", text, re.M | re.S)
    first, second = ([cell for row in t[1:] for cell in row[:1]] for t in tables(part))
    names = [{name for cell in t for name in re.findall(r"`(\w+)`", cell)} for t in (first, second)]
    assert names[0] == {key for table in experiments.values() for key in table}
    rows = [r for t in experiments.values() for r in (*t["rows"], t.get("shared", {}))]
    assert names[1] == {column for row in rows for column in row}


def test_licence_and_citation_agree_with_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["license"] == project["license"] == "Apache-2.0"
    assert citation["version"] == project["version"]
    assert "Apache License\n" in (ROOT / "LICENSE").read_text()
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in changes
    assert f"## [{project['version']}]" in changes


def test_every_hook_and_every_job_of_ci_calls_what_is_there():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["id"] for hook in hooks] == ["ruff-check", "ruff-format", "snakefmt", "codespell"]
    for hook in hooks:
        assert (ROOT / hook["entry"].split()[0]).exists()
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    [called] = [step["run"] for step in jobs["test"]["steps"] if "run" in step]
    assert "make test" in (ROOT / called).read_text()
