"""What Figures 2 to 4 and 8 show of their rows, and odd ones: no growth, no runs."""

import numpy as np
import pandas as pd
import pytest
from figure_rows import (
    CSVS,
    chosen,
    curve,
    depths,
    figure,
    finite_limits,
    labels,
    legend,
    looks,
    published,
    readable,
    texts,
    words,
    write,
)
from matplotlib.figure import Figure

from analysis.figures import style
from analysis.figures.draw import draw_figure
from analysis.figures.point_sets import fit_accuracies
from analysis.results.published import FOUND, MANUAL, manual_search
from autogrow.errors import UserError

__all__ = ["figure", "looks", "write"]


def test_figure_2_has_the_curves_the_layers_and_the_phases(figure):
    drawn = figure("figure2")
    whole, layers, losses, _ = drawn.axes
    rows = pd.DataFrame(CSVS["figure2"])
    for line, column in zip(
        whole.lines, ("train_accuracy", "val_accuracy", "best_val_accuracy"), strict=True
    ):
        np.testing.assert_allclose(line.get_ydata(), rows[column])
    for line, column in zip(losses.lines, ("train_loss", "val_loss"), strict=True):
        np.testing.assert_allclose(line.get_ydata(), rows[column])
    assert (labels(losses), losses.get_xlim()) == (("Epoch", "Loss"), whole.get_xlim())
    [steps] = layers.lines
    assert steps.get_drawstyle() == "steps-pre"
    np.testing.assert_array_equal(steps.get_ydata(), rows["layers"])
    assert labels(whole) == ("Epoch", "Accuracy (%)")
    assert layers.get_ylabel() == "Number of layers"
    assert {t.get_text() for t in whole.texts} == {"growing", "fine-tuning"}
    first, *_, final = sorted(layers.texts, key=lambda t: t.xy[0])
    assert (first.get_text(), final.get_text()) == ("1-1-1", "final net: 6-5-5")
    assert final.xy == (52, 34)
    assert legend(drawn) == [
        *("training", "validation", "running maximum of validation", "number of layers (right)")
    ]
    spans = [patch.get_extents().transformed(whole.transData.inverted()) for patch in whole.patches]
    np.testing.assert_allclose([(s.x0, s.x1) for s in spans[:2]], [(0, 28), (28, 52)])
    assert drawn.get_figwidth() == style.COLUMN


def test_the_close_look_is_two_periods_around_a_growth_in_the_middle(figure):
    close = figure("figure2").axes[3]
    epochs = close.lines[0].get_xdata()
    assert (epochs[0], epochs[-1]) == (10, 18)
    told = "Close look at growth 7 of 13, the middle one,\nafter epoch 14: 3-3-3 → 4-3-3"
    assert close.get_title() == told
    growths = [line.get_xdata()[0] for line in close.lines[3:]]
    assert growths == [10, 12, 14, 16, 18]


def test_a_run_without_growth_has_no_close_look_and_missing_values_are_gaps(figure):
    rows = curve("", "Basic3ResNet, K = 2", growths=0)
    rows[5]["val_accuracy"] = ""
    rows[6]["train_accuracy"] = "inf"
    drawn = figure("figure2", figure2=rows)
    assert len(drawn.axes) == 3
    assert "no growth in this run" in words(drawn)


def test_depths_are_written_below_their_steps_where_there_is_room(figure):
    rows = curve("", "Basic3ResNet, K = 1", K=1, growths=90)
    layers = figure("figure2", figure2=rows).axes[1]
    depths = {r["layers"]: r["depth"] for r in rows}
    told = [t for t in layers.texts if t.get_text() != "final net: 31-31-31"]
    assert 3 <= len(told) == len(layers.texts) - 1 < 10
    assert all(t.get_text() == depths[t.xy[1]] for t in told)


def test_a_loss_that_hides_the_others_makes_the_scale_logarithmic(figure):
    rows = [{**r, "train_loss": 0.5} for r in curve("", "Basic3ResNet, K = 2")]
    rows[5]["val_loss"] = 3e6
    assert figure("figure2", figure2=rows).axes[2].get_yscale() == "log"
    assert figure("figure2").axes[2].get_yscale() == "linear"


def test_one_epoch_alone_is_a_dot(figure):
    drawn = figure("figure2", figure2=curve("", "Basic3ResNet, K = 2")[:1])
    lines = [line for axes in drawn.axes for line in axes.lines]
    assert [line.get_marker() for line in lines] == ["o"] * 6


@pytest.mark.parametrize("epoch", [1, 2, 15, 16, 29, 30, 52])
def test_curves_end_where_a_run_diverged(figure, epoch):
    rows = [{**r, "diverged_after": epoch} for r in curve("", "Basic3ResNet, K = 2")[:epoch]]
    rows[-1] |= dict.fromkeys(("val_accuracy", "train_accuracy"), "nan")
    drawn = figure("figure2", figure2=rows)
    whole, layers, losses = drawn.axes[:3]
    for line in [*whole.lines[:3], *layers.lines, *losses.lines]:
        assert line.get_xdata().tolist() == list(range(1, epoch))
        assert np.isfinite(line.get_ydata()).all()
    assert list(whole.lines[3].get_xdata()) == [epoch, epoch]
    assert f"diverged in epoch {epoch}" in whole.get_title()
    assert [t.get_text().partition(":")[0] for t in layers.texts][:1] == ["last net"] * (epoch > 1)
    if epoch == 1:
        assert legend(drawn) == ["diverged: loss not finite"]
    assert "diverged: loss not finite" in legend(drawn)
    assert all(map(finite_limits, drawn.axes))


def test_a_run_that_diverged_beside_one_that_did_not(figure):
    lost = [{**r, "diverged_after": 9} for r in chosen("figure8", "b")[:9]]
    drawn = figure("figure8", figure8=[*chosen("figure8", "a"), *lost])
    assert words(drawn).count("diverged in epoch") == 1


def diverging(name, lose):
    """The rows of a figure of which some diverged, without an accuracy."""
    lost = {"diverged_after": 7, "accuracy": ""}
    return [{**r, **(lost if lose(r) else {"diverged_after": ""})} for r in CSVS[name]]


def test_figure_3_marks_runs_that_diverged_and_means_are_over_the_others(figure):
    runs = [r for r in CSVS["figure3"] if r["run"]]
    deep = {r["run"] for r in runs if r["layers"] > 80}
    rows = diverging("figure3", lambda r: r["run"] in deep and (r["panel"] == "b" or not r["seed"]))
    drawn = figure("figure3", figure3=rows)
    assert {"diverged", MANUAL} < {*legend(drawn)}
    first, second, *_ = drawn.axes
    [marks] = [line for line in second.lines if line.get_label() == "diverged"]
    assert marks.get_xdata() == pytest.approx([0.026 * 14])
    baselines = [c for c in second.containers if c.get_label() == "trained from scratch"]
    assert baselines[0][0].get_xdata()[-1] == pytest.approx(0.026 * 12)
    # In the first panel two of three seeds are left: 98 - 4 / 14 - 0.4 * (1 + 2) / 2.
    assert first.containers[-1][0].get_ydata()[-1] == pytest.approx(98 - 4 / 14 - 0.6)
    told = words(drawn)
    assert "Diverged, without accuracy and in no mean: 6 of 144 runs." in told
    assert "Left out" not in told


def test_figure_3_where_every_run_diverged(figure):
    drawn = figure("figure3", figure3=diverging("figure3", lambda r: r["panel"] == "a"))
    assert finite_limits(drawn.axes[0])


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
def test_figure_4_marks_runs_that_diverged(figure, seeds):
    rows = diverging("figure4", lambda r: r["network"] == "Plain4Net" and r["seed"] in seeds)
    drawn = figure("figure4", figure4=rows)
    [marks] = [line for line in drawn.axes[0].lines if line.get_label() == "diverged"]
    assert sorted(marks.get_xdata()) == pytest.approx([0.47, 0.61])
    assert drawn.axes[0].get_xlim()[0] < 0.47
    assert f"in no mean: {2 * len(seeds)} of 12 runs" in words(drawn)


NONE_OF_OURS = diverging("figure4", lambda r: r["source"] == "this run")


@pytest.mark.parametrize(
    ("rows", "told", "width"),
    [
        (NONE_OF_OURS, "every run diverged", style.FULL),
        (published(""), "AutoGrow's nets are left out", style.COLUMN),
    ],
)
def test_figure_4_without_any_result_of_ours_says_so(figure, rows, told, width):
    drawn = figure("figure4", figure4=rows)
    assert told in words(drawn)
    assert drawn.get_figwidth() == width


def test_figure_8_has_a_panel_for_each_run(figure):
    drawn = figure("figure8")
    titles = [axes.get_title() for axes in drawn.axes]
    assert {"(a) Basic4ResNet, K = 3 (paper: 5)", "(b) Plain4Net, K = 2"} <= {*titles}
    assert drawn.get_figwidth() == style.FULL


def test_figure_3_has_means_and_deviations_over_seeds(figure):
    drawn = figure("figure3")
    assert legend(drawn) == [
        "AutoGrow, K = 2 (the paper's: 3)",
        "from scratch, compute of K = 2",
        "AutoGrow, K = 6 (the paper's: 50)",
        "from scratch, compute of K = 6",
        "trained from scratch",
        "below the scale, with its accuracy",
        f"{FOUND}, K = 3",
        f"{FOUND}, K = 50",
        MANUAL,
    ]
    axes = drawn.axes[0]
    assert (axes.get_xscale(), axes.get_xlim()[0]) == ("linear", 0)
    assert "Mean and standard deviation over seeds 0, 1, 2." in words(drawn)
    assert labels(axes) == ("Parameters (millions)", "Accuracy (%)")
    small, _, large, _, baselines = axes.containers
    np.testing.assert_allclose(
        np.array(baselines[0].get_xdata(), float), 0.026 * np.array([1, 2, 4, 6, 9, 10, 12, 14])
    )
    np.testing.assert_allclose(baselines[0].get_ydata()[0], 98 - 4 - 0.4)
    assert small[0].get_xdata() == pytest.approx([0.026 * 8])
    assert len({line[0].get_marker() for line in (baselines, small, large)}) == 3
    across, _ = small[2]
    [[[low, _], [high, _]]] = across.get_segments()
    assert (high - low) / 2 == pytest.approx(0.026)


def texts_at(axes):
    """The texts of a panel, in lines, by their points."""
    return {t.get_text(): t.xy for t in axes.texts}


def test_figure_3_writes_depths_beside_their_points(figure):
    drawn = figure("figure3")
    told = texts_at(drawn.axes[0])
    assert told["7-7-7 to 9-9-9"] == pytest.approx((0.026 * 8, 98 - 4 / 8 - 0.4), abs=0.1)
    assert told["3-3-3"][0] == pytest.approx(0.026 * 3)
    assert len([text for text in told if text.count("-") == 2]) >= 5
    assert "Depths are written where there is room." in words(drawn)


def test_figure_3_has_the_nets_that_the_paper_found(figure):
    drawn = figure("figure3")
    own, others = drawn.axes[4:]
    *found, listed = (c[0] for c in own.containers)
    np.testing.assert_allclose(np.array(listed.get_ydata(), float), manual_search()["accuracy"])
    assert [line.get_ydata().tolist() for line in found] == [[94.27], [92.95]]
    assert "42-42-42" in texts_at(own)
    assert {"Plain3Net\n11-11-10", "Basic4ResNet\n22-22-22-22"} <= {*texts_at(others)}


def test_runs_that_stand_for_several_k_are_drawn_once(figure):
    rows = [r | ({"K": "2", "run": r["method"]} if r["K"] and r["run"] else {}) for r in depths()]
    rows = [r for r in rows if r["panel"] == "a" and r["method"] != "baseline"]
    rows = [{**r, "depth": "3-3-3", "parameters": 9, "accuracy": 90 + r["seed"]} for r in rows]
    drawn = figure("figure3", figure3=[*rows, *chosen("figure3", "e")])
    assert legend(drawn)[:2] == [
        *("AutoGrow, K = 2 (the paper's: 3 and 50)", "from scratch, compute of K = 2")
    ]
    found, equal = drawn.axes[0].containers
    assert (found[0].get_ydata(), equal[0].get_ydata()) == ([91], [91])
    [bar] = found[2][0].get_segments()
    assert bar[:, 1] == pytest.approx([90, 92])


@pytest.mark.parametrize("accuracy", [10.0, 60.0, 88.5])
def test_an_outlier_of_figure_3_does_not_flatten_the_rest(figure, accuracy):
    rows = [dict(r) for r in chosen("figure3", "a") if r["seed"] == 0]
    rows[2]["accuracy"] = accuracy
    drawn = figure("figure3", figure3=[*rows, *chosen("figure3", "e")])
    axes = drawn.axes[0]
    low, high = axes.get_ylim()
    marks = [line for line in axes.lines if line.get_marker() == "v"]
    told = [t for t in axes.texts if t.get_text() == f"4-4-4\n{accuracy:.1f} %"]
    assert len(marks) == len(told) == (accuracy < 80)
    assert ("below the scale, with its accuracy" in legend(drawn)) == (accuracy < 80)
    assert (low > 90) == (accuracy < 80)
    assert low < marks[0].get_ydata()[0] < high if marks else low < accuracy


@pytest.mark.parametrize(
    ("accuracies", "below"),
    [
        ([93, 92.8, 10], [2]),
        ([93, 10], []),
        ([93, 92, 91, 90, 86], []),
        ([93, 92.5, 92, 10, 11], [3, 4]),
        ([93, 93, 92.9], []),
        ([93], []),
    ],
)
def test_outliers_are_few_and_far_below_the_others(accuracies, below):
    points = pd.DataFrame({"accuracy": accuracies}).assign(accuracy_std=0.0)
    assert np.flatnonzero(fit_accuracies(Figure().subplots(), points, 0.1)).tolist() == below


def test_figure_3_alone_can_have_a_logarithmic_axis(write, tmp_path):
    drawn = draw_figure("figure3", write(figure3=CSVS["figure3"]), log_x=True)
    readable(drawn)
    assert {axes.get_xscale() for axes in drawn.axes} == {"log"}
    with pytest.raises(UserError, match="--log-x: found figure2; allowed: figure3 alone"):
        draw_figure("figure2", tmp_path, log_x=True)


def test_figure_3_with_one_seed_one_baseline_and_one_panel(figure):
    rows = [r for r in chosen("figure3", "a") if r["seed"] == 0]
    rows = [rows[0], *(r for r in rows if r["method"] == "AutoGrow" and r["K"] == "2")]
    drawn = figure("figure3", figure3=rows)
    assert [bars for c in drawn.axes[0].containers for bars in c[2]] == []
    assert "Seed 0." in words(drawn)


def test_figure_3_names_the_paper_s_k_once_and_tells_what_is_left_out(figure):
    rows = [{**r, "K": r["paper_K"]} for r in CSVS["figure3"]]
    rows[0]["accuracy"] = ""
    drawn = figure("figure3", figure3=rows)
    assert "AutoGrow, K = 50" in legend(drawn)
    assert "Left out, as a value is missing: 1." in words(drawn)


def test_an_outlier_of_figure_4_does_not_flatten_the_rest(figure):
    rows = [dict(r) for r in CSVS["figure4"]]
    for row in rows:
        if (row["network"], row["K"]) == ("Bottleneck4ResNet", "2"):
            row["accuracy"] = 10.0
    drawn = figure("figure4", figure4=rows)
    assert drawn.axes[0].get_ylim()[0] > 90
    assert "K = 2\n2-2-2-2\n10.0 %" in texts_at(drawn.axes[0])
    assert legend(drawn)[-1] == "below the scale, with its accuracy"
    assert "below the scale" not in words(figure("figure4"))


def test_figure_4_has_the_paper_s_nets_and_its_k(figure):
    drawn = figure("figure4")
    assert "K = 5\n9-3-6-4" in texts_at(drawn.axes[1])
    assert "AutoGrow Bottleneck4ResNet, the paper" in legend(drawn)
    assert "K at this scale: 2 and 3; the paper's: 2 and 5." in words(drawn)


def markers(axes):
    return [c for c in axes.collections if len(c.get_offsets()) and hasattr(c, "get_sizes")]


def test_figure_4_markers_have_areas_by_their_parameters(figure):
    drawn = figure("figure4")
    for axes, panel in zip(drawn.axes, "ab", strict=True):
        rows = pd.DataFrame(chosen("figure4", panel))
        wanted = rows["parameters"] if panel == "b" else rows.groupby("run")["parameters"].first()
        wanted = sorted(wanted)
        sizes = [np.broadcast_to(c.get_sizes(), len(c.get_offsets())) for c in markers(axes)]
        areas = np.sort(np.concatenate(sizes))
        np.testing.assert_allclose(areas / wanted, areas[0] / wanted[0])
        sizes = [h.get_sizes()[0] for h in axes.get_legend().legend_handles]
        told = [float(t.get_text().split()[0]) * 1e6 for t in axes.get_legend().get_texts()]
        np.testing.assert_allclose(np.array(sizes) / told, areas[0] / wanted[0])
    assert labels(drawn.axes[0]) == ("FLOPs (10⁶ multiply-adds)", "Top-1 accuracy (%)")
    assert drawn.axes[1].get_xlabel() == "FLOPs (10⁹ multiply-adds)"


def test_figure_4_labels_cover_no_marker(figure):
    drawn = figure("figure4")
    outlines = dict(texts(drawn))
    for axes in drawn.axes:
        labels = [text for text in axes.texts if text in outlines]
        assert len(labels) == sum(len(c.get_offsets()) for c in markers(axes))
        for c in markers(axes):
            [radius] = np.unique(np.sqrt(c.get_sizes()) / 2 * drawn.dpi / 72)
            for centre in axes.transData.transform(c.get_offsets()):
                for label in labels:
                    low, high = outlines[label].min(axis=0), outlines[label].max(axis=0)
                    assert np.hypot(*(centre - np.clip(centre, low, high))) > radius


def test_figure_4_of_everything_on_imagenet_is_one_panel(figure):
    rows = [dict(r) for r in CSVS["figure4"]]
    for row in rows:
        row |= {"panel": "", "title": "ImageNet"}
        row |= {"dataset": "ImageNet", "paper_dataset": "ImageNet"}
        if row["source"] == "this run":
            row |= {"parameters": row["parameters"] * 100, "flops": row["flops"] * 5000}
            row["accuracy"] -= 20
    drawn = figure("figure4", figure4=rows)
    assert len(drawn.axes) == 1
