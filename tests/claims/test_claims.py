"""config/claims.yaml is whole, and a mistake in it is one line that names file, claim and key."""

import copy
import re
from typing import get_args

import pytest
import yaml

from analysis.__main__ import main
from analysis.claims import kinds
from analysis.claims.claims import CLAIMS, Margin, Need, is_papers, load_claims
from analysis.claims.rules import support_and_contradiction
from analysis.experiments.catalogue import load_catalogue, paper_table
from analysis.experiments.scales import ROOT
from analysis.results.csvfiles import read_csv
from analysis.tables.beyond import with_beside
from autogrow.errors import UserError

IN_FIGURES = {"accuracy", "top1", "parameters", "flops"}


@pytest.fixture(scope="module")
def catalogue():
    return load_catalogue("paper")


@pytest.fixture(scope="module")
def content(catalogue):
    return load_claims(catalogue)


@pytest.fixture(scope="module")
def values():
    return yaml.safe_load(CLAIMS.read_text())


@pytest.fixture
def changed(tmp_path, catalogue, values):
    """Load one claim of claims.yaml after a change of the file; return what is said about it."""

    def load(change, claim):
        values_now = {**values, "claims": {claim: copy.deepcopy(values["claims"][claim])}}
        change(values_now)
        file = tmp_path / "claims.yaml"
        file.write_text(yaml.safe_dump(values_now))
        with pytest.raises(UserError) as told:
            load_claims(catalogue, file)
        text = str(told.value)
        assert text.startswith(f"{file}: ")
        assert "\n" not in text
        return text.removeprefix(f"{file}: ")

    return load


def columns_of(table):
    """The columns that a table or figure has for a claim to rest on."""
    of_runs = {"seconds_growing", "flops_growing", "flops_finetuning", "flops_training"}
    of_runs |= {"parameters", "flops"}
    if table.is_figure:
        return IN_FIGURES
    values = table.values or read_csv(paper_table(table.name))[0]
    return {*with_beside(values, table.rows), *of_runs}


def test_every_claim_of_the_paper_is_there_and_rests_on_columns_that_are(content, catalogue):
    papers = {f"C{n:02}" for n in range(1, 37)}
    assert {name[:3] for name in content.claims if is_papers(name)} == papers
    measured = get_args(kinds._Measured)
    for name, claim in content.claims.items():
        for side in claim.test.series.values():
            known = {*columns_of(catalogue.tables[side.table]), *measured}
            assert {side.column[basis] for basis in claim.bases} <= known, name


def test_claims_of_this_suite_are_about_what_the_paper_does_not_have(content):
    own = {name: claim for name, claim in content.claims.items() if not is_papers(name)}
    assert {name[:3] for name in own} == {f"S{n:02}" for n in range(1, 6)}
    for name, claim in own.items():
        assert {side.table for side in claim.test.series.values()} == {"beyond"}, name
        assert "paper" not in claim.bases, name


def test_a_claim_about_depth_is_not_decided_on_depth_alone(content):
    """But for those that ask whether anything grew at all."""
    on_depth = [
        name
        for name, claim in content.claims.items()
        if any(side.column[claim.decides] == "found_net" for side in claim.test.series.values())
    ]
    assert on_depth == ["C01", "C01b", "C10"]
    for name in on_depth:
        assert content.claims[name].test.kind == "count"


def test_what_rests_on_a_data_set_or_a_landscape_alone_needs_it(content):
    for name, claim in content.claims.items():
        tables = {side.table for side in claim.test.series.values()}
        assert (tables <= {"table7", "table10", "figure4", "figure8"}) == (
            "ImageNet" in claim.needs
        ), name
        assert (tables <= {"figure5", "figure6", "figure7"}) == (
            "landscapes of several seeds" in claim.needs
        ), name
        assert (claim.decides == "depth_minus_null") <= ("depth frontier" in claim.needs), name


def test_sentences_are_one_each_and_different(content):
    sentences = [claim.claim for claim in content.claims.values()]
    assert len(set(sentences)) == len(sentences)
    for sentence in sentences:
        assert re.fullmatch(r"[A-Z][^.]*\.", sentence), sentence


def test_the_document_has_every_kind_basis_need_and_measure():
    text = (ROOT / "docs" / "claims.md").read_text()
    tests = get_args(get_args(kinds.Test)[0])
    words = [word for test in tests for word in get_args(test.model_fields["kind"].annotation)]
    words += [*get_args(kinds.Basis), *get_args(kinds._Measured), *get_args(Need)[-2:]]
    assert [word for word in words if f"| `{word}` |" not in text] == []


def test_the_command_lists_every_claim(call, content):
    told = call(main, "claims")
    assert (told.status, told.err) == (0, "")
    assert re.findall(r"^([CS]\d\d[a-z]?)  ", told.out, re.MULTILINE) == list(content.claims)
    assert told.out.endswith(f"{len(content.claims)} claims, tests at 0.05\n")


def test_rules_in_words(content):
    def rule(name):
        return support_and_contradiction(content.claims[name].test, content.margins)

    assert rule("C07") == ("difference below 0", "difference above -0.5 points")
    assert rule("C25") == ("difference above -0.5 points", "difference below -0.5 points")
    assert rule("C24") == ("difference inside +-0.5 points", "difference outside +-0.5 points")
    assert rule("C30")[0] == "difference outside +-3 sub-modules"
    assert rule("C05") == ("ratio below 1.25", "ratio above 1.25")
    assert rule("C06") == ("below 1 in more than 50%", "below 1 in less than 50%")
    order = "over fraction = 0.25, 0.50, 0.75, 1.00"
    assert rule("C31") == (f"rising {order}", f"falling {order}")
    assert rule("C19b")[1] == "some neighbours of K = 3, 1 outside +-0.5 points"
    assert rule("C02")[0] == "better than all shallower others"
    assert rule("C03")[1] == "more than 0.5 points below some deeper others"


def both_limits():
    return kinds.CostRatio.model_validate(
        {
            **{"kind": "cost ratio", "low": 0.8, "high": 1.25},
            "measure": {"table": "table12", "column": "growing_ratio"},
        }
    )


def test_the_rule_of_a_ratio_with_two_limits():
    rule = support_and_contradiction(both_limits(), {})
    assert rule == ("ratio between 0.8 and 1.25", "ratio outside 0.8 and 1.25")


def test_a_margin_as_text():
    assert str(Margin(value=0.5, unit="points", why="of this")) == "0.5 points"


@pytest.mark.parametrize(
    ("claim", "path", "value", "told"),
    [
        ("C07", "claim", None, "claim: missing; allowed: a sentence"),
        ("C07", "weight", 3, "unknown key 'weight'; allowed: bases, claim, decides, needs"),
        ("C07", "needs", ["SNHV"], "needs.0: found 'SNHV'; allowed: 'CIFAR10', 'CIFAR100'"),
        ("C07", "bases", ["year"], "bases.0: found 'year'; allowed: 'paper', 'protocol'"),
        ("C07", "decides", "equal_compute", "decides: found 'equal_compute'; allowed: paper or"),
        ("C07", "test.kind", "bayes", "test: found"),
        ("C07", "test.margin", "luck", "test.margin: found 'luck'; allowed: accuracy, angle"),
        ("C07", "test.margin", None, "test.margin: missing; allowed: the name of a margin"),
        ("C07", "test.order", [1], "unknown key 'test.order'; allowed: against, direction, kind"),
        ("C07", "test.direction", "up", "test.direction: found 'up'; allowed: 'above' or 'below'"),
        ("C07", "test.paired_by", ["network"], "test.paired_by: allowed: with two sides"),
        ("C31", "test.order", ["0.5", "0.75", "1.00"], "test.order: found '0.5'; allowed: "),
        ("C31", "test.order", None, "test.order: missing; allowed: three or more of its values"),
        ("C31", "test.over", "K", "test: table11 has no column 'K'"),
        ("C06", "test.share", 2, "test.share: found 2; "),
        ("C02", "test.others.table", "table55", "test.others.table: found 'table55'; allowed: t"),
        ("C02", "test.others.table", None, "test.others.table: missing; allowed: the name of"),
        ("C02", "test.others.rows", {"method": "luck"}, "rows.method: found 'luck'; allowed: bas"),
        ("C02", "test.others.rows", {"tau": 1}, "test.others.rows.tau: figure3 has no such col"),
        ("C02", "test.others.rows", {"method": "baseline", "K": 3}, "no row with all of them"),
        ("C02", "test.others.column", "speed", "test.others.column.paper: found 'speed'; allowed"),
        ("C02", "test.others.column", {"paper": "accuracy"}, "column: has none for protocol"),
        ("C02", "test.paired_by", ["depth"], "test: figure3 has no column 'depth'"),
        ("C02", "test.others.rows.network", "Plain3Net", "test.paired_by: the two sides have"),
    ],
)
def test_a_mistake_in_a_claim(changed, claim, path, value, told):
    def change(values):
        *parents, last = path.split(".")
        place = values["claims"][claim]
        for key in parents:
            place = place[key]
        if value is None:
            del place[last]
        else:
            place[last] = value

    text = changed(change, claim)
    assert text.startswith(f"{claim}: ")
    assert told in text


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("alpha", 2, "alpha: found 2; allowed: "),
        ("claims", {"first": {}}, "claims.first"),
        ("claims", {"C01": "grows"}, "claims.C01: found 'grows'; "),
        ("margins", {"accuracy": {"value": 1, "unit": "points"}}, "margins.accuracy.why: missing"),
        ("colour", 1, "unknown key 'colour'; allowed: alpha, claims or margins"),
    ],
)
def test_a_mistake_outside_the_claims(changed, key, value, told):
    assert told in changed(lambda values: values.update({key: value}), "C01")
