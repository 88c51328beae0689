"""Rows for every figure's CSV, and what the tests of the pictures share."""

import itertools
import math
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.path import Path as Outline
from matplotlib.text import Text
from matplotlib.transforms import Affine2D

from analysis.experiments.catalogue import load_catalogue
from analysis.figures import style
from analysis.figures.draw import draw_figure
from analysis.figures.figure_data import build_figure
from analysis.results.published import FOUND, found_nets, manual_search
from analysis.results.summaries import Results

STAMP = "SMOKE TEST, NO SCIENTIFIC MEANING"
MINI = "small networks on small real data sets; comparisons inside a table mean something"
DIGITS = ("digits, 50 % of its training set", "CIFAR10")
MNIST = ("MNIST5000, 15 % of its training set", "ImageNet")


def common(panel, title, data=DIGITS, seed=0, run="Basic3ResNet/digits/run"):
    return {
        **{"scale": "mini", "description": MINI, "panel": panel, "title": title},
        **{"dataset": data[0], "paper_dataset": data[1], "run": run, "seed": seed},
    }


def curve(panel, title, data=DIGITS, K=2, growths=13, seed=0):
    """An AutoGrow run of epochs: accuracy drops at each growth and recovers."""
    noise = np.random.default_rng(seed)
    rows, best = [], 0.0
    for epoch in range(1, K * (growths + 1) + 25):
        grown = min((epoch - 1) // K, growths)
        depth = [1 + (grown + 2 - i) // 3 for i in range(3)]
        accuracy = 97 - 80 * math.exp(-epoch / 6) + noise.normal()
        growing = epoch <= K * (growths + 1)
        validation = accuracy - 15 * growing * ((epoch - 1) % K == 0)
        best = max(best, validation)
        rows.append(
            {
                **common(panel, title, data, seed),
                "epoch": epoch,
                "phase": "growing" if growing else "finetuning",
                "depth": "-".join(map(str, depth)),
                "layers": 2 * sum(depth) + 2,
                **{"train_accuracy": accuracy, "val_accuracy": validation},
                "best_val_accuracy": best,
                **{"train_loss": 2.3 - accuracy / 43, "val_loss": 2.4 - validation / 43},
            }
        )
    return rows


def depths():
    rows = []
    architectures = ("Basic3ResNet", "Plain3Net", "Basic4ResNet", "Plain4Net")
    for panel, network in zip("abcd", architectures, strict=True):
        for seed in (0, 1, 2):
            for n in (1, 2, 4, 6, 9, 10, 12, 14):
                rows.append((panel, network, seed, "baseline", "", "", n))
            rows.append((panel, network, seed, "AutoGrow", "2", "3", 7 + seed))
            rows.append((panel, network, seed, "AutoGrow", "6", "50", 3))
            rows.append((panel, network, seed, "equal compute", "2", "3", 7 + seed))
            rows.append((panel, network, seed, "equal compute", "6", "50", 3))
    listed = [
        {
            **common("e", "Published, Basic3ResNet on CIFAR10", ("CIFAR10", "CIFAR10"), "", ""),
            **{"K": "", "paper_K": "", **row},
        }
        for row in manual_search().to_dict("records")
    ]
    found = found_nets()
    listed += [
        {
            **common(
                "e" if net["network"] == "Basic3ResNet" else "f", "Published", run="", seed=""
            ),
            **{**net, "paper_dataset": "CIFAR10", "method": FOUND, "paper_K": net["K"]},
        }
        for net in found[found["dataset"] == "CIFAR10"].to_dict("records")
    ]
    return [
        {
            **common(panel, network, seed=seed, run=f"{network}/{method}{K or n}"),
            **{"network": network, "method": method, "K": K, "paper_K": paper_K},
            **{"depth": f"{n}-{n}-{n}", "layers": 6 * n + 2},
            **{"parameters": 26_000 * n, "flops": 200_000 * n},
            "accuracy": (
                98
                - 4 / n
                - 0.4 * seed
                - (n > 12) * 30 * network.startswith("Plain")
                - 0.8 * (method == "equal compute")
            ),
        }
        for panel, network, seed, method, K, paper_K, n in rows
    ] + listed


def published(panel):
    paper = load_catalogue("paper")
    rows = build_figure(paper.tables["figure4"], paper, Results(Path("nowhere"), [0], "best"))[""]
    rows = rows.assign(scale="mini", description=MINI, panel=panel, title="Published, on ImageNet")
    return rows.astype(object).where(rows.notna(), "").to_dict("records")


def resnets():
    nets = [
        ("Basic4ResNet", "2", 369_890, 1_121_568, 96.5),
        ("Basic4ResNet", "3", 251_010, 1_251_744, 96.3),
        ("Bottleneck4ResNet", "2", 413_122, 1_324_448, 89.9),
        ("Bottleneck4ResNet", "3", 283_202, 1_078_560, 95.9),
        ("Plain4Net", "2", 180_000, 610_000, 95.0),
        ("Plain4Net", "3", 130_000, 470_000, 94.9),
    ]
    ours = [
        {
            **common("a", f"AutoGrow on {MNIST[0]}", MNIST, seed, run=f"{network}/{K}"),
            **{"network": network, "method": "AutoGrow", "source": "this run", "K": K},
            **{"depth": "2-2-2-2", "layers": 18, "parameters": parameters, "flops": flops},
            "accuracy": accuracy - seed,
        }
        for network, K, parameters, flops, accuracy in nets
        for seed in (0, 1)
    ]
    return ours + published("b")


def trajectory(panel, title, growths, first="growing"):
    t = np.linspace(0, 1, 40)
    x, y = -18 * (1 - t) ** 1.3, 9 * np.sin(3 * t) * (1 - t)
    for i, g in enumerate(growths):
        y[g:] += (-1) ** i * np.exp(-np.arange(40 - g) / 4)
    x[-1] = y[-1] = 0
    return [
        {
            **common(panel, title),
            **{"step": i, "epoch": 3 * i, "depth": "1-1-1", "grown": int(i in growths)},
            "phase": "seed" if i == 0 else first if i < 25 else "finetuning",
            **{"x": x[i], "y": y[i], "explained_1": 34.06, "explained_2": 14.9},
        }
        for i in range(40)
    ]


def contour(panel, title):
    return [
        {**common(panel, title), "x": x, "y": y, "loss": 0.01 + 0.004 * math.exp(r)}
        for y in np.linspace(-3, 8, 21)
        for x in np.linspace(-21, 3, 31)
        for r in [0.9 * math.hypot(x / 2, y / 1.4 + 0.1 * x)]
    ]


PANELS_5 = [
    ("a", "Basic3ResNet-1-1-1 morphed to 2-2-2", [14], "training"),
    ("b", "Basic3ResNet-2-2-2 from scratch", [], "training"),
]
PANELS_6 = [
    ("a", "c-AutoGrow, staircase rate, ZeroInit", [6, 12, 18]),
    ("b", "c-AutoGrow, constant rate, GauInit", [5, 10]),
    ("c", "p-AutoGrow, K = 6 (paper: 50)", [4, 8, 12]),
    ("d", "p-AutoGrow, K = 2 (paper: 3)", list(range(2, 24, 2))),
]
MEMBERS = [
    ("a", "Plain3Net-23-22-22", "baseline", 3, 84.33, 9),
    ("b", "Plain3Net-23-22-22", "AutoGrow", 3, 90.82, 4),
    ("c", "Plain4Net-17-17-17-17", "baseline", 3, 88.48, 8),
    ("d", "Plain4Net-17-17-17-17", "AutoGrow", 3, 94.20, 5),
    ("e", "Plain3Net-11-11-10", "baseline", 50, 90.45, 6),
    ("f", "Plain3Net-11-11-10", "AutoGrow", 50, 93.13, 3),
]


def surfaces():
    return [
        {
            **common(panel, f"{network}, {method}"),
            **{"network": network, "method": method, "accuracy": accuracy},
            **{"K": K, "paper_K": K},
            **{"x": x, "y": y, "train_accuracy": 90},
            "loss": 0.1 + steep * (0.4 * x * x + 0.3 * y * y) + 80 * max(0, x * x + y * y - 1.3),
        }
        for panel, network, method, K, accuracy, steep in MEMBERS
        for y in np.linspace(-1, 1, 9)
        for x in np.linspace(-1, 1, 11)
    ]


def nulls():
    """Found depths above and on the line, one of them of a null that had not stopped."""
    rows = [("a", "by growing period K", str(K), str(K), "", K) for K in (50, 20, 10, 5, 3, 1)]
    rows += [("b", "by fraction of the training set", "", "", f, 3) for f in ("1.00", "0.25")]
    return [
        {
            **common(panel, title, seed=seed, run=f"{network}/digits/K{K}{fraction}"),
            **{"network": network, "K": K, "paper_K": paper_K, "fraction": fraction},
            **{"found_depth": "9-9-9", "null_depth": "8-8-8" if stopped else ">=8-8-8"},
            "found_sub_modules": (found := 3 + 150 // period + seed),
            "null_sub_modules": found - seed,
            "null_stopped": "yes" if stopped else "no",
        }
        for panel, title, K, paper_K, fraction, period in rows
        for network in ("Basic3ResNet", "Plain3Net")
        for seed in (0, 1)
        for stopped in [(network, K) != ("Plain3Net", "1")]
    ]


def methods():
    """Ways to grow, one of which has diverged for a seed, and fixed depths; three seeds."""
    depths = [(f"{n}-{n}-{n}", n) for n in (1, 2, 3, 4, 5)]
    rows = [("baseline", "", depth, 4e9 * n, 94 - 6 / n) for depth, n in depths]
    rows += [("equal compute", "", depth, 2.2e10, 95 - 4 / n) for depth, n in depths]
    initializers = ("GauInit", "Net2DeeperNet", "Duplication")
    rows += [("p-AutoGrow", i, "4-4-4", 2.2e10, 91.5 + k) for k, i in enumerate(initializers)]
    names = ("c-AutoGrow", "controlled growth", "fixed schedule", "random stop", "one-shot")
    rows += [
        (name, "GauInit", "3-2-2", 1.2e10 + k * 4e9, 90.5 + k / 2) for k, name in enumerate(names)
    ]
    rows += [("FRAGrow", "GauInit", "4-4-4", 1.1e10, 92.0)]
    return [
        {
            **common("", "Basic3ResNet", seed=seed, run=f"{method}/{initializer}/{depth}"),
            **{"network": "Basic3ResNet", "method": method, "initializer": initializer},
            **{"depth": depth, "layers": 20, "parameters": 9000, "flops": 200_000},
            "flops_training": spent * (1 + 0.05 * seed * bool(initializer)),
            "accuracy": "" if lost else accuracy - 0.3 * seed,
            "diverged_after": 3 if lost else "",
        }
        for method, initializer, depth, spent, accuracy in rows
        for seed in (0, 1, 2)
        for lost in [(method, seed) == ("FRAGrow", 2)]
    ]


CSVS = {
    "figure2": curve("", "Basic3ResNet, K = 2 (paper: 3)"),
    "figure3": depths(),
    "figure4": resnets(),
    "figure5": [row for p in PANELS_5 for row in trajectory(*p)],
    "figure5_contour": [row for p in PANELS_5 for row in contour(*p[:2])],
    "figure6": [row for p in PANELS_6 for row in trajectory(*p)],
    "figure6_contour": [row for p in PANELS_6 for row in contour(*p[:2])],
    "figure7": surfaces(),
    "figure8": curve("a", "Basic4ResNet, K = 3 (paper: 5)", MNIST, K=3)
    + curve("b", "Plain4Net, K = 2", MNIST),
    "figure9": nulls(),
    "figure10": methods(),
}


def csvs(name):
    """Return the rows of a figure's CSVs by the name of each."""
    return {key: rows for key, rows in CSVS.items() if key.partition("_")[0] == name}


def chosen(name, panels):
    """Return the rows of a CSV that are of some panels."""
    return [row for row in CSVS[name] if row["panel"] in [*panels]]


@pytest.fixture(autouse=True)
def looks():
    """Have the settings of the command."""
    with matplotlib.rc_context():
        matplotlib.rcParams.update(style.STYLE)
        yield


@pytest.fixture
def write(tmp_path):
    """Write CSVs of rows into a results folder; return the folder."""

    def write_all(**tables):
        (tmp_path / "figures").mkdir(exist_ok=True)
        for name, rows in tables.items():
            pd.DataFrame(rows).to_csv(tmp_path / "figures" / f"{name}.csv", index=False)
        return tmp_path

    return write_all


_DRAWN = {}  # each figure once, of all its rows


@pytest.fixture
def figure(write):
    """Draw a figure and check that it can be read; rows that are not given are those of CSVS."""

    def draw(name, **tables):
        if not tables and name in _DRAWN:
            return _DRAWN[name]
        drawn = draw_figure(name, write(**{**csvs(name), **tables}))
        readable(drawn)
        return drawn if tables else _DRAWN.setdefault(name, drawn)

    return draw


def texts(figure):
    """Return every text that is really drawn, with its outline in pixels."""
    found = []

    def note(self, renderer):
        if self.get_visible() and self.get_text().strip():
            found.append((self, outline(self, renderer)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", note)
        figure.draw(figure.canvas.get_renderer())
    return found


def outline(text, renderer):
    """Return the corners of a text's rectangle, less a pixel all around; (4, 2)."""
    box = Text.get_window_extent(text, renderer)  # without an annotation's line
    middle, angle = (box.min + box.max) / 2, text.get_rotation()
    text.set_rotation(0)
    half = Text.get_window_extent(text, renderer).size / 2 - 1
    text.set_rotation(angle)
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
    return Affine2D().rotate_deg(angle).transform(corners) + middle


def words(figure):
    """Return all that is written in a figure, as one line."""
    return " ".join(text.get_text() for text, _ in texts(figure)).replace("\n", " ")


def readable(figure):
    """Check that texts are large enough, inside the figure, and cover no other text."""
    found = texts(figure)
    assert len(found) > 10
    for text, corners in found:
        assert text.get_fontsize() >= 7, text
        assert (corners >= 0).all(), text
        assert (corners <= figure.bbox.max).all(), text
    for (one, a), (other, b) in itertools.combinations(found, 2):
        assert not Outline(a).intersects_path(Outline(b)), (one, other)


def legend(drawn):
    """Return what the legends that all panels share name."""
    return [text.get_text() for key in drawn.legends for text in key.get_texts()]


def finite_limits(axes):
    """Return whether the limits of a panel are finite."""
    return np.isfinite([*axes.get_xlim(), *axes.get_ylim()]).all()


def labels(axes):
    """Return the names of both axes."""
    return axes.get_xlabel(), axes.get_ylabel()
