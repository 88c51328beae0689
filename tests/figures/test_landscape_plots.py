"""Figures 5 to 7: trajectories, surfaces and their contours, and odd ones of them."""

import numpy as np
import pandas as pd
import pytest
from figure_rows import (
    CSVS,
    chosen,
    contour,
    figure,
    finite_limits,
    labels,
    legend,
    looks,
    trajectory,
    words,
    write,
)
from matplotlib.contour import ContourSet

from analysis.figures import style
from analysis.figures.contour_levels import level_names, linear_levels, log_levels
from analysis.figures.frames import grid
from analysis.results.surface_measures import low_loss_share, roughness

__all__ = ["figure", "looks", "write"]


def test_trajectories_have_axes_start_growths_and_end(figure):
    drawn = figure("figure6")
    axes = drawn.axes[0]
    assert labels(axes) == ("1st PC: 34.06 %", "2nd PC: 14.90 %")
    assert legend(drawn) == ["growing", "fine-tuning", "start", "growth", "final network"]
    rows = pd.DataFrame(chosen("figure6", "a"))
    path, *_, growths, start, end = axes.lines
    np.testing.assert_allclose(path.get_xdata(), rows["x"])
    np.testing.assert_allclose(growths.get_ydata(), rows.loc[rows["grown"] == 1, "y"])
    assert (start.get_xdata()[0], end.get_xdata()[0]) == (rows["x"].iloc[0], 0)
    assert len({line.get_marker() for line in (growths, start, end)}) == 3


def test_a_growth_of_figure_5_is_a_morphing(figure):
    told = legend(figure("figure5"))
    assert told == ["training", "fine-tuning", "start", "morphing", "final network"]


def contour_levels(axes):
    """The levels and colours of the contour lines of a panel."""
    [lines] = [c for c in axes.collections if isinstance(c, ContourSet) and not c.filled]
    return dict(zip(lines.levels.tolist(), map(tuple, lines.get_edgecolor()), strict=True))


def bar_of(drawn):
    """The axes of the colour bar, which are the last."""
    assert drawn.axes[-1].get_ylabel() == "Training loss"
    return drawn.axes[-1]


@pytest.mark.parametrize("name", ["figure5", "figure6"])
def test_panels_share_levels_of_contours_that_the_colour_bar_names(figure, name):
    drawn = figure(name)
    *trajectories, bar = drawn.axes
    found = [contour_levels(axes) for axes in trajectories]
    assert found[1:] == found[:-1]
    names = [t.get_text() for t in bar_of(drawn).get_yticklabels()]
    assert names == [f"{level:g}" for level in found[0]]
    assert len(found[0]) >= 4
    fields = bar.collections[-1]
    shown = fields.cmap(fields.norm(bar.get_yticks()))
    np.testing.assert_allclose(shown, list(found[0].values()))
    assert not [t for axes in trajectories for t in axes.texts]


def test_levels_of_a_narrow_range_have_different_names(figure):
    rows = [{**r, "loss": 2.3 + r["loss"] / 1000} for r in CSVS["figure5_contour"]]
    names = [
        t.get_text() for t in bar_of(figure("figure5", figure5_contour=rows)).get_yticklabels()
    ]
    assert len({*names}) == len(names) >= 4
    assert all(name.startswith("2.3") for name in names)


def test_a_panel_without_a_shared_level_says_its_losses(figure):
    rows = [{**r, "loss": 1.5} if r["panel"] == "a" else r for r in CSVS["figure6_contour"]]
    axes = figure("figure6", figure6_contour=rows).axes[0]
    assert [t.get_text() for t in axes.texts] == ["no contours: losses 1.5 to 1.5"]


def test_triangles_of_growths_that_crowd_are_fewer(figure):
    own = trajectory("a", "p-AutoGrow, K = 1", list(range(1, 39)))
    around = contour("a", "p-AutoGrow, K = 1")
    drawn = figure("figure6", figure6=own, figure6_contour=around)
    axes = drawn.axes[0]
    [growths] = [line for line in axes.lines if line.get_marker() == "^"]
    places = axes.transData.transform(growths.get_xydata())
    apart = np.hypot(*(places[:, None] - places).T) + np.eye(len(places)) * 1e3
    assert 2 < len(places) < 38
    assert apart.min() > growths.get_markersize() * drawn.dpi / 72
    assert f"Where triangles would crowd, some are left out: (a) shows {len(places)} of 38." in (
        words(drawn)
    )
    assert "would crowd" not in words(figure("figure5"))


def test_panels_of_one_run_are_named(figure):
    rows = [{**r, "run": r["panel"].replace("d", "c")} for r in CSVS["figure6"]]
    drawn = figure("figure6", figure6=rows)
    assert "Panels that show the same run: c and d." in words(drawn)
    rows = [{**r, "run": r["panel"]} for r in CSVS["figure6"]]
    assert "same run" not in words(figure("figure6", figure6=rows))


def test_losses_that_are_not_finite_leave_the_rest(figure):
    rows = [{**r, "loss": "nan"} for r in chosen("figure6_contour", "a")]
    rows += [dict(r) for r in chosen("figure6_contour", "cd")]
    for row in rows[::7]:
        row["loss"] = "inf"
    drawn = figure("figure6", figure6_contour=rows)
    told = [[t.get_text() for t in axes.texts] for axes in drawn.axes]
    assert told[0] == told[1] == ["no contours: no finite losses"]
    assert told[2] == told[3] == []
    assert len(contour_levels(drawn.axes[2])) >= 4


@pytest.mark.parametrize("points", [0, 1, 20])
def test_a_trajectory_that_diverged_ends_before_it_did(figure, points):
    """Without points for a plane it has none to show, and says why."""
    own = [{**r, "diverged_after": 61} for r in chosen("figure6", "a")[:20]]
    for row in own[points:]:
        row |= dict.fromkeys(("x", "y", "explained_1", "explained_2"), "nan")
    lost = {"loss": "nan", "diverged_after": 61}
    around = [{**r, **lost} for r in chosen("figure6_contour", "a")]
    around += chosen("figure6_contour", "bcd")
    rows = [*own, *chosen("figure6", "bcd")]
    drawn = figure("figure6", figure6=rows, figure6_contour=around)
    axes = drawn.axes[0]
    told = {t.get_text() for t in axes.texts}
    assert told == {"no contours: no finite losses", "diverged in epoch 61"}
    assert len(axes.lines[0].get_xdata()) == points
    lost = ["last before it diverged"] * (points > 0)
    assert legend(drawn)[4:] == ["final network", *lost]
    assert axes.lines[-1].get_marker() == "X"
    assert finite_limits(axes)


def test_one_trajectory_alone_fits_a_column(figure):
    around = contour("d", "p-AutoGrow, K = 2")
    drawn = figure("figure6", figure6=chosen("figure6", "d"), figure6_contour=around)
    assert drawn.get_figwidth() == style.COLUMN


def test_members_of_a_pair_share_the_range_of_losses(figure):
    drawn = figure("figure7")
    solids = [axes for axes in drawn.axes if axes.name == "3d"]
    limits = [axes.get_zlim() for axes in solids]
    assert limits[0] == limits[1] != limits[2] == limits[3] != limits[4] == limits[5] != limits[0]
    highest = max(r["loss"] for r in CSVS["figure7"])
    assert limits[0][1] < highest
    bars = [axes.get_ylabel() for axes in drawn.axes if "clipped" in axes.get_ylabel()]
    assert bars == [f"Training loss, clipped at {high:.3g}" for _, high in limits[::2]]
    titles = [solid.get_title() for solid in solids]
    assert titles[0] == "(a) Plain3Net-23-22-22\nbaseline: 84.33 %"
    assert titles[5] == "(f) Plain3Net-11-11-10\nAutoGrow, K = 50: 93.13 %"
    assert labels(solids[0]) == ("1st direction", "2nd direction")
    assert solids[0].get_zlabel() == "Training loss"


def test_members_of_a_pair_share_levels_and_the_colour_bar_has_them(figure):
    flats, bars = parts_of_figure_7(figure("figure7"))
    for pair, bar in enumerate(bars):
        first, second = (contour_lines(axes) for axes in flats[2 * pair : 2 * pair + 2])
        assert first == second == bar.get_yticks().tolist()
        assert [line.get_ydata()[0] for line in bar.lines] == first
        assert len(first) >= 4


def parts_of_figure_7(drawn):
    """The axes of the contours, and those of the colour bars."""
    flats = [axes for axes in drawn.axes if axes.get_xlabel().startswith("1st direction\n")]
    return flats, [axes for axes in drawn.axes if axes.get_ylabel().startswith("Training loss")]


def contour_lines(axes):
    """The levels of a panel without the rim of its low losses, which is dashed."""
    [lines] = [
        c
        for c in axes.collections
        if isinstance(c, ContourSet) and not c.filled and c.get_linestyle()[0][1] is None
    ]
    return lines.levels.tolist()


def test_each_surface_has_its_width_and_its_roughness_below_it(figure):
    drawn = figure("figure7")
    flats, _ = parts_of_figure_7(drawn)
    for axes, panel in zip(flats, "abcdef", strict=True):
        x, y, z = grid(pd.DataFrame(chosen("figure7", panel)), "loss")
        share, rough = low_loss_share(x, y, z), roughness(z)
        told = f"1st direction\nwidth {100 * share:.0f} %, roughness {rough:.3g}"
        assert axes.get_xlabel() == told
        dashed = [c for c in axes.collections if c.get_linestyle()[0][1]]
        assert [c.levels.tolist() for c in dashed] == [[z[4, 5] + 1]]
    assert legend(drawn) == ["loss 1 above that of the centre"]
    assert "Roughness: mean absolute second difference" in words(drawn)


def test_figure_7_names_the_paper_s_k_where_it_is_another(figure):
    rows = [{**r, "K": 2} for r in chosen("figure7", "ab")]
    titles = [axes.get_title() for axes in figure("figure7", figure7=rows).axes]
    assert "(b) Plain3Net-23-22-22\nAutoGrow, K = 2 (paper: 3): 90.82 %" in titles


def test_a_gentle_surface_is_not_clipped(figure):
    rows = [{**r, "loss": 1 + 0.2 * r["x"] ** 2 + 0.1 * r["y"] ** 2} for r in CSVS["figure7"]]
    drawn = figure("figure7", figure7=rows)
    assert "clipped" not in words(drawn)
    assert drawn.axes[0].get_zlim() == pytest.approx((1, 1.3))


def test_losses_that_hardly_differ_have_their_numbers_at_the_colour_bar(figure):
    rows = [{**r, "loss": 2.302 + 4e-6 * r["x"] ** 2} for r in CSVS["figure7"]]
    _, bars = parts_of_figure_7(figure("figure7", figure7=rows))
    names = [t.get_text() for t in bars[0].get_yticklabels()]
    assert len({*names}) == len(names) >= 4
    assert all(name.startswith("2.30200") for name in names)


def test_surfaces_without_finite_losses_or_members(figure):
    rows = [dict(r) for r in chosen("figure7", ["a", "b", "d"])]
    for row in (*rows[::5], *(r for r in rows if r["panel"] == "d")):
        row["loss"] = "nan"
    drawn = figure("figure7", figure7=rows)
    assert words(drawn).count("no finite losses") == 1
    assert words(drawn).count("clipped") == 1


def test_a_surface_of_a_run_that_diverged(figure):
    lost = {"loss": "nan", "train_accuracy": "nan", "accuracy": "", "diverged_after": 7}
    rows = [{**r, **(lost if r["panel"] in "acd" else {})} for r in chosen("figure7", "abcd")]
    drawn = figure("figure7", figure7=rows)
    solids = [axes for axes in drawn.axes if axes.name == "3d"]
    assert [s.get_title().partition("\n")[2] for s in solids] == [
        *("baseline: diverged in epoch 7", "AutoGrow, K = 3: 90.82 %"),
        *("baseline: diverged in epoch 7", "AutoGrow, K = 3: diverged in epoch 7"),
    ]
    assert words(drawn).count("no finite losses") == 3
    assert words(drawn).count("width none, roughness none") == 3
    assert all(np.isfinite([*s.get_zlim(), *s.get_xlim()]).all() for s in solids)
    # The other member's range is its own: nothing of it is lost in the one that diverged.
    whole = figure("figure7", figure7=chosen("figure7", "b"))
    assert solids[1].get_zlim() == whole.axes[0].get_zlim()


def test_a_grid_that_is_not_square_is_not_transposed():
    rows = [{"x": x, "y": y, "loss": 10 * x + y} for x in (2.0, 1.0, 0.0) for y in (0.0, 1.0)]
    x, y, z = grid(pd.DataFrame(rows), "loss")
    assert (x.tolist(), y.tolist()) == ([0, 1, 2], [0, 1])
    np.testing.assert_array_equal(z, [[0, 10, 20], [1, 11, 21]])


def test_levels_are_round_and_inside_the_range():
    losses = np.array([0.04, *[60.0] * 60, 1e6, np.inf, np.nan, 0])
    assert log_levels(losses).tolist() == pytest.approx([0.1, 0.3, 1, 3, 10, 30])
    assert log_levels(np.array([0.15, 25])).tolist() == pytest.approx([0.2, 0.5, 1, 2, 5, 10, 20])
    assert log_levels(np.logspace(-12, 12)).size <= 9
    assert log_levels(np.array([[np.nan, 2.0, 2.0]])).size == 0
    assert log_levels(np.array([np.nan, 0.0])).size == 0


def test_levels_of_a_narrow_range_have_a_constant_difference():
    found = log_levels(np.linspace(2.2996, 2.3006, 100))
    assert np.diff(found) == pytest.approx([found[1] - found[0]] * (len(found) - 1))
    assert len({*level_names(found)}) == len(found) >= 4
    assert linear_levels(2.0, 2.0).size == 0


def test_names_of_levels_have_no_digits_of_rounding():
    assert level_names(np.array([0.1 * 3, 2.3000004, 1e7])) == ["0.3", "2.3000004", "10000000"]
    assert level_names(np.array([0.1 * 3, 1e7])) == ["0.3", "1e+07"]
