"""What Figures 2 to 4 and 8 show of their rows, and odd ones: no growth, no runs."""

import numpy as np
import pandas as pd
import pytest
from figure_rows import (
    CSVS,
    chosen,
    curve,
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

from analysis.figures import style
from analysis.figures.draw import draw_figure
from analysis.results.published import MANUAL, manual_search, published_resnets
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
    assert legend(drawn)[-2:] == ["diverged", MANUAL]
    first, second, *_ = drawn.axes
    [marks] = [line for line in second.lines if line.get_label() == "diverged"]
    assert marks.get_xdata() == pytest.approx([0.026 * 14])
    baselines = [c for c in second.containers if c.get_label() == "trained from scratch"]
    assert baselines[0][0].get_xdata()[-1] == pytest.approx(0.026 * 12)
    # In the first panel two of three seeds are left: 98 - 4 / 14 - 0.4 * (1 + 2) / 2.
    assert first.containers[0][0].get_ydata()[-1] == pytest.approx(98 - 4 / 14 - 0.6)
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
        "trained from scratch",
        "AutoGrow, K = 2 (the paper's: 3)",
        "from scratch, compute of K = 2",
        "AutoGrow, K = 6 (the paper's: 50)",
        "from scratch, compute of K = 6",
        MANUAL,
    ]
    axes = drawn.axes[0]
    assert (axes.get_xscale(), axes.get_xlim()[0]) == ("linear", 0)
    [listed] = drawn.axes[4].lines
    np.testing.assert_allclose(listed.get_ydata(), manual_search()["accuracy"])
    assert "Mean and standard deviation over seeds 0, 1, 2." in words(drawn)
    assert labels(axes) == ("Parameters (millions)", "Accuracy (%)")
    baselines, small, _, large, _ = axes.containers
    np.testing.assert_allclose(
        np.array(baselines[0].get_xdata(), float), 0.026 * np.array([1, 2, 4, 6, 9, 10, 12, 14])
    )
    np.testing.assert_allclose(baselines[0].get_ydata()[0], 98 - 4 - 0.4)
    assert small[0].get_xdata() == pytest.approx([0.026 * 8])
    assert len({line[0].get_marker() for line in (baselines, small, large)}) == 3
    across, _ = small[2]
    [[[low, _], [high, _]]] = across.get_segments()
    assert (high - low) / 2 == pytest.approx(0.026)


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


def test_published_resnets_are_those_of_torchvision():
    import torch
    from torchvision import models

    published = published_resnets().set_index(["source", "network"])
    for name in ("ResNet-18", "ResNet-34", "ResNet-50", "ResNet-101", "ResNet-152"):
        meta = getattr(models, f"{name.replace('-', '')}_Weights").IMAGENET1K_V1.meta
        ours = published.loc["torchvision", name]
        scores = meta["_metrics"]["ImageNet-1K"]
        assert (ours["top1"], ours["top5"]) == (scores["acc@1"], scores["acc@5"])
        assert ours["parameters"] == meta["num_params"]
        assert ours["flops"] == pytest.approx(meta["_ops"] * 1e9)
        with torch.device("meta"):
            network = getattr(models, name.lower().replace("-", ""))()
        shapes = network.named_parameters()
        without = name == "ResNet-18"  # shortcuts A have no parameters
        count = sum(p.numel() for n, p in shapes if not (without and "downsample" in n))
        assert published.loc["He et al. 2016", name]["parameters"] == count


def test_published_resnets_name_their_sources():
    published = published_resnets()
    he = published[published["source"] == "He et al. 2016"].set_index("network")
    errors = 100 - he["top1"]
    assert errors.round(2).tolist() == [27.88, 24.52, 22.85, 21.75, 21.43]
    assert (he["flops"] / 1e9).tolist() == [1.8, 3.6, 3.8, 7.6, 11.3]
    assert he["reference"].str.contains("10-crop").all()
    assert he["reference"].str.contains("Table [23]").all()
    assert published["reference"].notna().all()
    assert published.loc[published["block"] == "basic", "network"].nunique() == 2
