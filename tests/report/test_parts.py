"""The parts of the page: places in the interval plot, texts of the campaign, claims by section."""

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from analysis.claims.claims import CLAIMS, Margin
from analysis.claims.kinds import Test as AnyTest
from analysis.claims.rules import contradicting, supporting
from analysis.report.campaign import duration, quantity
from analysis.report.claim_cards import _sections
from analysis.report.intervals import WIDTH, interval_plot

INF = math.inf
SIDE = {"table": "table5", "column": "accuracy"}
MARGINS = {"accuracy": Margin(value=0.5, unit="points", why="a reason")}


def made(kind, **given):
    others = {"others": SIDE} if kind == "fixed settings" else {}
    values = {"kind": kind, "measure": SIDE, **others, **given}
    return TypeAdapter(AnyTest).validate_python(values)


def superior(kind="sign flip", **given):
    given = {"direction": "above", "shows": "superior", "margin": "accuracy"} | given
    return made(kind, **given)


@pytest.mark.parametrize(
    ("test", "support", "contradiction"),
    [
        (superior(), [(0, INF)], [(-INF, 0.5)]),
        (superior(direction="below"), [(-INF, 0)], [(-0.5, INF)]),
        (superior(shows="not inferior"), [(-0.5, INF)], [(-INF, -0.5)]),
        (superior(direction="below", shows="not inferior"), [(-INF, 0.5)], [(0.5, INF)]),
        (
            made("equivalence", shows="alike", margin="accuracy"),
            [(-0.5, 0.5)],
            [(-INF, -0.5), (0.5, INF)],
        ),
        (
            made("equivalence", shows="different", margin="accuracy"),
            [(-INF, -0.5), (0.5, INF)],
            [(-0.5, 0.5)],
        ),
        (made("cost ratio", low=0.5, high=2.0), [(0.5, 2)], [(-INF, 0.5), (2, INF)]),
        (made("count", direction="above", limit=0, share=0.8), [(0.8, 1)], [(-INF, 0.8), (1, INF)]),
        (
            made("fixed settings", shows="not inferior", margin="accuracy"),
            [(-0.5, INF)],
            [(-INF, -0.5)],
        ),
    ],
)
def test_where_a_claim_holds_and_where_not(test, support, contradiction):
    assert supporting(test, MARGINS) == support
    assert contradicting(test, MARGINS) == contradiction


numbers = st.floats(-1e6, 1e6)


@given(effect=numbers, low=numbers, high=numbers)
def test_everything_lies_inside_the_plot_and_in_order(effect, low, high):
    low, effect, high = sorted((low, effect, high))
    plot = interval_plot(superior(), MARGINS, effect, low, high)
    assert 0 <= plot.low <= plot.effect <= plot.high <= WIDTH
    assert [text for _, text in plot.limits] == ["0", "0.5"]
    assert all(0 <= x <= WIDTH for x, _ in plot.limits)
    assert all(0 <= a <= b <= WIDTH for a, b in plot.regions)


def test_without_an_interval_the_effect_stands_alone():
    plot = interval_plot(superior(), MARGINS, 0.25, math.nan, math.nan)
    assert (plot.low, plot.high) == (None, None)
    assert plot.effect == WIDTH / 2
    assert interval_plot(superior(), MARGINS, math.nan, math.nan, math.nan) is None


def test_shares_and_correlations_show_no_limit_at_their_ends():
    count = made("count", direction="above", limit=0, share=0.8)
    assert [text for _, text in interval_plot(count, MARGINS, 1.0, 0.5, 1.0).limits] == ["0.8"]
    trend = made("trend", over="K", order=["1", "2", "3"], direction="rising")
    assert [text for _, text in interval_plot(trend, MARGINS, 0.5, 0.0, 1.0).limits] == ["0"]


def test_times_and_quantities_read_well():
    assert [duration(s) for s in (1.4, 75, 59.6, 7200)] == [
        "1 s",
        "1 min 15 s",
        "1 min 0 s",
        "2.0 h",
    ]
    assert [quantity(n) for n in (12, 9.9e5, 1.37e10, 2e18)] == [
        *("12", "990,000", "13.7 billion", "2000.0 quadrillion")
    ]


def test_the_sections_of_a_claim():
    assert _sections("Abstract; Sections 1, 2.3 and 3.1; section 3.3, item 2; Table 2") == [
        *("abstract", "section 1", "section 2.3", "section 3.1", "section 3.3")
    ]


def test_every_claim_of_the_paper_has_a_section():
    claims = yaml.safe_load(CLAIMS.read_text())["claims"]
    without = [name for name, claim in claims.items() if not _sections(claim["place"])]
    assert [name for name in without if not name.startswith("S")] == []  # S: the suite's own
