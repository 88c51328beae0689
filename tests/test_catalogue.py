"""experiments.yaml at each scale: rows, runs and their ids."""

import pandas as pd
import pytest

from analysis.catalogue import EXPERIMENTS, load_catalogue, paper_table
from analysis.settings import SCALES
from autogrow.config import parse_spec
from autogrow.errors import UserError
from autogrow.yamlfiles import read_yaml

HEAD = "table5:\n  title: t\n  run: {kind: autogrow}\n"


@pytest.mark.parametrize("scale", SCALES)
def test_every_row_of_the_paper_has_runs_and_every_run_is_a_valid_spec(scale):
    catalogue = load_catalogue(scale)
    read = {run for table in catalogue.tables.values() for run in table.runs}
    assert read == set(catalogue.runs)
    for table in catalogue.tables.values():
        paper = pd.read_csv(paper_table(table.name), dtype=str, keep_default_na=False)
        keys = list(table.rows[0].key)
        assert [list(r.key.values()) for r in table.rows] == paper[keys].values.tolist()
    for run in catalogue.runs.values():
        parse_spec(dict(run.settings))


def test_ids_do_not_depend_on_the_order_of_the_file(tmp_path):
    content = read_yaml(EXPERIMENTS)
    for table in content.values():
        for group in table["rows"]:
            for key, value in group.items():
                if isinstance(value, list):
                    group[key] = value[::-1]
        table["rows"].reverse()
    import yaml

    shuffled = tmp_path / "experiments.yaml"
    shuffled.write_text(yaml.safe_dump(dict(reversed(content.items())), sort_keys=False))
    assert load_catalogue("mini", shuffled).runs == load_catalogue("mini").runs


def test_different_settings_have_different_ids():
    for scale in SCALES:
        runs = load_catalogue(scale).runs.values()
        assert len({repr(sorted(run.settings.items())) for run in runs}) == len(runs)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "a mapping of tables"),
        ("table5: 3", "title, run or rows"),
        (HEAD + "  rows: []", "rows"),
        (HEAD + "  rows: [{dataset: CIFAR10, colour: red}]", "unknown column 'colour'"),
        (HEAD + "  rows: [{dataset: CIFAR10, network: Basic9ResNet}]", "Basic9ResNet"),
        (HEAD + "  rows: [{dataset: CIFAR10, network: Basic3ResNet, K: 7}]", "K: 7"),
        (HEAD + "  rows: [3]", "columns with values"),
        (HEAD + "  what: 3\n  rows: [{}]", "unknown key 'what'"),
        (HEAD.replace("autogrow", "magic") + "  rows: [{dataset: CIFAR10}]", "'magic'"),
    ],
)
def test_a_malformed_catalogue_is_told_with_file_and_table(tmp_path, text, told):
    file = tmp_path / "experiments.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=told) as caught:
        load_catalogue("mini", file)
    assert str(file) in str(caught.value)
