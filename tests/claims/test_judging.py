"""Every verdict, and every reason for none, from made-up values of the catalogue's rows."""

import functools
import math

import numpy as np
import pytest

from analysis.claims import reports
from analysis.claims.claims import load_claims, selected
from analysis.claims.judging import judge
from analysis.claims.paper_values import PapersNumbers
from analysis.claims.values import ABSENT, BOUND, DIVERGED, Value
from analysis.experiments.catalogue import load_catalogue

catalogue = functools.cache(load_catalogue)
FRONTIER = {3: 80.0, 9: 90.0}
"""Accuracies by sub-modules; all other depths have 85."""


@functools.cache
def content():
    return load_claims(catalogue("paper"))


class Made:
    """Values that a function of row, column and seed gives; a text says why one is missing."""

    papers = False

    def __init__(self, number, scale="paper", seeds=range(5), frontier=FRONTIER, found=20.0):
        self.catalogue = catalogue(scale)
        self.seeds = list(seeds)
        self._number = number
        self._frontier = frontier
        self._found = found

    def bases(self, claim):
        return claim.bases

    def remarks(self):
        return []

    def values(self, series, basis):
        return [
            self._value(row, series.column[basis], seed)
            for row in selected(series, self.catalogue)
            for seed in self.seeds
        ]

    def _value(self, row, column, seed):
        depth = row.values.get("depth")
        depth = sum(map(int, depth.split("-"))) if depth else math.nan
        if row.key.get("method") == "AutoGrow":
            depth = self._found
        number = self._number(row, column, seed)
        if row in self.catalogue.tables["frontier"].rows and row.key["depth"]:
            number = ABSENT if self._frontier is None else self._frontier.get(depth, 85.0)
        missing = number if isinstance(number, str) else ""
        runs = (row.runs["main"],)
        number = math.nan if missing else float(number)
        return Value(row.name, tuple(row.key.items()), seed, runs, number, missing, depth)


def judged(claim, number, basis=None, **options):
    """The line of a claim on a basis, by default the one that decides, judged alone."""
    alone = content().model_copy(update={"claims": {claim: content().claims[claim]}})
    lines = judge(alone, Made(number, **options))
    [line] = [line for line in lines if (line.decides if basis is None else line.basis == basis)]
    return line


def noise(row, column, seed):
    """A number of its own for each row, column and seed, from about -1 to 1."""
    return np.random.default_rng([seed, *f"{row.name}{column}".encode()]).uniform(-1, 1)


def around(mean, spread=0.1):
    return lambda row, column, seed: mean + spread * noise(row, column, seed)


def by_key(column, means, spread=0.1):
    """Values whose mean depends on a key column of their row."""
    return lambda row, name, seed: means.get(row.key[column], 90) + spread * noise(row, name, seed)


K = {"50": 90, "20": 91, "10": 92, "5": 93, "3": 94, "1": 94.1, "2": 90}
FALLING = {name: -mean for name, mean in K.items()}


@pytest.mark.parametrize(
    ("claim", "number", "verdict"),
    [
        ("C07", around(-0.6), "supported"),
        ("C07", around(0.6), "contradicted"),
        ("C07", lambda row, column, seed: 2 * (-1) ** seed - 0.65, "undecided"),
        ("C25", around(0), "supported"),
        ("C25", around(-1), "contradicted"),
        ("C16", around(0), "supported"),
        ("C16", around(-3), "contradicted"),
        ("C22", around(0), "supported"),
        ("C22", around(2), "contradicted"),
        ("C30", around(7), "contradicted"),
        ("C05", around(0.9), "supported"),
        ("C05", around(2), "contradicted"),
        ("C01", around(9), "supported"),
        ("C01", around(3), "contradicted"),
        ("C06", around(1, 0.5), "undecided"),
        ("C18", by_key("K", K), "supported"),
        ("C18", by_key("K", FALLING), "contradicted"),
        ("C19b", by_key("K", K), "supported"),
        ("C19b", by_key("K", K | {"1": 97}), "contradicted"),
        ("C02", by_key("method", {"AutoGrow": 92, "baseline": 90}), "supported"),
        ("C02", by_key("method", {"AutoGrow": 89, "baseline": 90}), "contradicted"),
        ("C03", by_key("method", {"AutoGrow": 90, "baseline": 90}), "supported"),
        ("C03", by_key("method", {"AutoGrow": 88, "baseline": 90}), "contradicted"),
    ],
)
def test_verdicts(claim, number, verdict):
    line = judged(claim, number)
    assert line.verdict == verdict, line
    assert bool(line.reason) == (verdict == "undecided")
    assert (line.seeds, line.missing) == (5, "")
    assert line.evidence.low <= line.evidence.effect <= line.evidence.high


FLAT = "the depth frontier is flat: 3: 84.00"


@pytest.mark.parametrize(
    ("claim", "options", "verdict", "reason"),
    [
        ("C07", {"scale": "smoke"}, "not testable at this scale", "numbers of this scale mean"),
        ("C33", {"scale": "mini"}, "not testable at this scale", "other data than ImageNet"),
        ("C34", {}, "not testable at this scale", "trajectories and surfaces are of one seed"),
        ("C30", {"frontier": {3: 84.0}}, "not testable at this scale", FLAT),
        ("C30", {"frontier": {3: 84.0, 9: 86.0}}, "not testable at this scale", "flat"),
        ("C30", {"frontier": {3: 70.0, 246: 99.0}}, "not testable at this scale", "flat"),
        ("C30", {"frontier": None}, "not run", "the fixed depths of table frontier are not"),
        ("C30", {"frontier": FRONTIER | {54: ABSENT}}, "not run", "the fixed depths of table"),
        ("C02", {"found": 1.0}, "not testable at this scale", "no fixed depth is shallower"),
        ("C22", {"seeds": [3]}, "not testable at this scale", "one seed has no spread"),
        ("C19", {"scale": "mini"}, "not testable at this scale", "fewer than three settings of K"),
        ("C28", {"scale": "mini"}, "not testable at this scale", "are the same run"),
    ],
)
def test_why_a_claim_is_not_testable(claim, options, verdict, reason):
    line = judged(claim, around(9), **options)
    assert (line.verdict, reason in line.reason) == (verdict, True), line.reason
    assert math.isnan(line.evidence.p_support)
    assert math.isnan(line.adjusted_contradict)
    assert line.seeds_needed == ""


def test_a_claim_without_any_run_is_not_run():
    line = judged("C07", lambda *_: ABSENT)
    assert (line.verdict, line.pairs, line.missing) == ("not run", 0, "30 not run")
    others = judged("S05", lambda row, *_: ABSENT if "GauInit" not in row.name else 90.0)
    assert (others.verdict, others.reason) == (
        *("not run", "none of the other settings is finished"),
    )
    line = judged("C07", lambda *_: DIVERGED)
    assert (line.verdict, line.missing) == ("undecided", "30 diverged")


def test_what_is_missing_is_left_out_and_counted():
    def number(row, column, seed):
        return DIVERGED if seed == 2 else BOUND if seed == 3 else around(-0.6)(row, column, seed)

    line = judged("C07", number)
    assert (line.seeds, line.pairs) == (3, 6)
    assert line.missing == f"6 {DIVERGED}, 6 {BOUND}"


def test_rows_that_a_scale_has_one_run_for_count_once():
    """At mini five data sets are two."""
    paper, mini = (judged("C25", around(0), basis="paper", scale=s) for s in ("paper", "mini"))
    assert (paper.pairs, mini.pairs) == (10, 4)


def test_how_many_seeds_would_decide():
    few = judged("C22", around(0.3, 1), seeds=range(3))
    assert few.verdict == "undecided"
    assert 3 < int(few.seeds_needed) <= 100
    assert judged("C22", around(0.5, 0.5)).seeds_needed == "more than 100"


def test_holm_corrects_each_basis_for_itself():
    chosen = {name: content().claims[name] for name in ("C07", "C07b", "C25")}
    lines = judge(content().model_copy(update={"claims": chosen}), Made(around(-0.6)))
    decided = [line for line in lines if line.decides]
    assert [line.name for line in decided] == ["C07", "C07b", "C25"]
    raw = sorted(line.evidence.p_support for line in decided)
    assert min(line.adjusted_support for line in decided) == pytest.approx(3 * raw[0])
    papers = [line for line in lines if line.basis == "paper"]
    assert min(line.adjusted_support for line in papers) == pytest.approx(3 * raw[0])
    # C25 alone has the basis protocol without being decided there.
    [alone] = [line for line in lines if line.basis == "protocol" and not line.decides]
    assert alone.adjusted_support == alone.evidence.p_support


def test_claims_of_this_suite_make_none_of_the_papers_harder_and_are_counted_apart():
    chosen = {name: content().claims[name] for name in ("C07", "S01", "S02")}
    asked = content().model_copy(update={"claims": chosen})

    def number(row, column, seed):
        return around(-0.6)(row, column, seed) if "deeper" in row.key else noise(row, column, seed)

    source = Made(number)
    lines = judge(asked, source)
    papers, *own = [line for line in lines if line.decides]
    assert papers.adjusted_support == papers.evidence.p_support
    assert min(line.adjusted_contradict for line in own) == pytest.approx(
        2 * min(line.evidence.p_contradict for line in own)
    )
    text = reports.markdown_of(lines, asked, source)
    assert "Verdicts on 1 claims of the paper: 1 supported" in text
    assert "Verdicts on 2 claims of this suite, which the paper does not make: " in text
    assert "A claim of this suite: Table beyond." in text
    assert reports.summary_of(lines, source)[0].startswith("1 claims judged by")
    assert {line.name for line in judge(asked, PapersNumbers(catalogue("paper")))} == {"C07"}


def hostile():
    claim = (
        content()
        .claims["C07"]
        .model_copy(update={"claim": "<script>|x|</script> `rm` wins.", "place": "[a](http://b)"})
    )
    return content().model_copy(update={"claims": {"C07": claim}})


def test_the_files_have_every_basis_and_no_markup_of_a_claim(rows, tmp_path):
    source = Made(around(-0.6))
    lines = judge(hostile(), source)
    (tmp_path / "claims.csv").write_bytes(reports.csv_of(lines, source))
    protocol, paper = reversed(rows(tmp_path / "claims.csv"))
    assert tuple(paper) == reports.HEADER
    assert (paper["decides"], protocol["decides"]) == ("no", "yes")
    assert (protocol["scale"], protocol["id"], protocol["verdict"]) == (
        *("paper", "C07", "supported"),
    )
    assert float(protocol["low"]) < float(protocol["effect"]) < float(protocol["high"]) < 0
    assert protocol["p_support"] == protocol["adjusted_p_support"]
    assert (protocol["n_seeds"], protocol["n_pairs"], protocol["unit"]) == ("5", "6", "points")
    assert protocol["tables"] == "table2"
    assert len(protocol["runs"].split("; ")) == 6 + 3  # morphs, and the deeper nets from scratch
    assert protocol["claims_sha256"] == reports.claims_checksum()

    text = reports.markdown_of(lines, hostile(), source)
    assert "<script>" not in text
    assert "\\|x\\|" in text
    assert "| supported | 1 |" in text
    assert "## C07" in text
    assert "protocol (decides)" in text
    assert "Supported: difference below 0. Contradicted: difference above -0.5 points." in text
    assert reports.summary_of(lines, source)[1] == "supported: 1 (C07)"
