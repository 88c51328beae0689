"""Verdicts of other campaigns: read back from their claims.csv, and compared."""

import shutil

import pytest

from analysis.claims.robustness import other_campaigns
from analysis.claims.verdict_files import read_verdicts
from analysis.experiments.scales import ROOT
from autogrow.errors import UserError

REFERENCE = ROOT / "results/reference/mini/claims.csv"


@pytest.fixture
def out(tmp_path):
    """Three campaigns at the scale `mini` and one at another, with the same verdicts."""
    for name in ("mini", "mini-released", "mini-paper", "minimal", "reduced"):
        (tmp_path / name / "claims").mkdir(parents=True)
        shutil.copy(REFERENCE, tmp_path / name / "claims")
    return tmp_path


def test_verdicts_are_read_back():
    verdicts = read_verdicts(REFERENCE)
    decided = [verdict for verdict in verdicts if verdict.decides]
    assert len({verdict.claim for verdict in decided}) == len(decided)
    [found] = [v for v in verdicts if (v.claim, v.basis) == ("C07", "protocol")]
    assert found.low < found.effect < found.high
    assert found.unit == "points"
    assert all(len(run.split("/")) == 3 for run in found.runs)


def test_other_campaigns_of_the_scale_are_compared(out):
    checksum = read_verdicts(REFERENCE)[0].checksum
    found = other_campaigns(out / "mini", checksum)
    assert [*found] == ["mini-paper", "mini-released"]
    assert {*found["mini-paper"]} == {v.claim for v in read_verdicts(REFERENCE)}
    assert [*other_campaigns(out / "mini-released", checksum)] == ["mini", "mini-paper"]


def test_verdicts_on_other_claims_are_not_compared(out):
    assert other_campaigns(out / "mini", "of another file") == {}


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (",undecided,", ",maybe,", "verdict: found 'maybe'"),
        ("scale,id,", "scale,", "cells"),
        (",points,", ",points,x", "low: found 'x"),
    ],
)
def test_a_damaged_file_is_refused(out, old, new, what):
    file = out / "mini-paper/claims/claims.csv"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(UserError, match=what) as told:
        other_campaigns(out / "mini", read_verdicts(REFERENCE)[0].checksum)
    assert str(file) in str(told.value)
