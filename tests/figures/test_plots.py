"""The pictures: what is printed on them, that it can be read, and mistakes in their CSVs."""

from pathlib import Path

import matplotlib.colors
import pandas as pd
import pytest
from figure_rows import (
    CSVS,
    DIGITS,
    MINI,
    MNIST,
    STAMP,
    csvs,
    curve,
    figure,
    looks,
    words,
    write,
)

from analysis.__main__ import main
from analysis.figures import style
from analysis.figures.draw import FIGURES

__all__ = ["figure", "looks", "write"]

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_says_what_it_is(figure, name):
    told = words(figure(name))
    assert f"Figure {name.removeprefix('figure')}:" in told
    assert f"Scale mini: {MINI}." in told
    data, paper = MNIST if name in ("figure4", "figure8") else DIGITS
    assert f"{data} (the paper's: {paper})" in told
    assert STAMP not in told
    for letter in {row["panel"] for row in CSVS[name]} - {""}:
        assert f"({letter}) " in told


@pytest.mark.parametrize("name", FIGURES)
def test_a_smoke_test_is_stamped_and_its_text_is_no_formula(figure, name):
    tables = {key: pd.DataFrame(rows) for key, rows in csvs(name).items()}
    smoke = {k: t.assign(scale="smoke", description=f"{STAMP} $^$") for k, t in tables.items()}
    drawn = figure(name, **smoke)
    [line] = [t for t in drawn.texts if t.get_text() == rf"{STAMP} \$^\$"]
    assert line.get_color() == style.VERMILLION
    assert line.get_fontweight() == "bold"


@pytest.mark.parametrize("name", FIGURES)
def test_colours_are_those_of_the_palette(figure, name):
    grey = {matplotlib.colors.to_hex(c) for c in ("white", "none", style.GREY)}
    allowed = {*(c.lower() for c in style.PALETTE), *grey}
    for axes in figure(name).axes:
        for line in axes.lines:
            assert matplotlib.colors.to_hex(line.get_color()) in allowed
            assert matplotlib.colors.to_hex(line.get_markerfacecolor()) in allowed


@pytest.mark.parametrize("name", FIGURES)
def test_files_have_truetype_fonts_and_are_the_same_each_time(write, name):
    folder = write(**csvs(name))
    contents = []
    for _ in range(2):
        assert main(["figure", name, "--folder", str(folder)]) == 0
        contents.append([(folder / "figures" / f"{name}.{s}").read_bytes() for s in ("pdf", "png")])
    (pdf, png), again = contents
    assert again == [pdf, png]
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    assert b"CreationDate" not in pdf
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))
    assert width in (round(300 * style.COLUMN), round(300 * style.FULL))
    assert height < 11 * 300


@pytest.fixture
def mistake(call):
    """Draw what is a mistake; return the one line it is told in."""

    def told_of(name, folder):
        told = call(main, "figure", name, "--folder", folder)
        assert (told.status, told.out, told.err.count("\n")) == (2, "", 1)
        assert told.err.startswith("analysis figure: error: ")
        return told.err

    return told_of


FIGURE2 = pd.DataFrame(CSVS["figure2"])
WORDS = FIGURE2.astype({"layers": str}).replace({"layers": {"8": "eight"}})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "is empty"),
        (FIGURE2[:0].to_csv(), "has no rows"),
        (FIGURE2.drop(columns="layers").to_csv(), "has no column 'layers'"),
        (WORDS.to_csv(), "line 2: layers: found 'eight'; allowed: number"),
        (FIGURE2.to_csv() + "0,1,2\n", "row 54 has 3 cells; allowed: 18"),
        (FIGURE2.assign(dataset=["", *FIGURE2["dataset"][1:]]).to_csv(), "line 2: has no dataset"),
        (FIGURE2.to_csv()[:-1], "is cut off"),
        ('a,b\n"1,2\n1,2,3,4\n', "is not CSV"),
        (b"\xff\xfe\x00\xd8", "is not CSV"),
        ("epoch,epoch\n1,2\n", "column 'epoch' is given twice"),
    ],
)
def test_csvs_that_cannot_be_drawn(mistake, write, content, told):
    folder = write(figure2=[])
    content = content if isinstance(content, bytes) else content.encode()
    (folder / "figures" / "figure2.csv").write_bytes(content)
    assert told in mistake("figure2", folder)


def test_mistakes_are_told_in_one_line(mistake, write, tmp_path):
    assert "allowed: figure2, figure3" in mistake("figure11", tmp_path)
    assert "figure2.csv: cannot be read: No such file" in mistake("figure2", tmp_path)
    write(figure6=CSVS["figure6"], figure4=[{**row, "panel": "a"} for row in CSVS["figure4"]])
    assert "figure6_contour.csv: cannot be read" in mistake("figure6", tmp_path)
    assert "allowed: one data set" in mistake("figure4", tmp_path)


def test_several_seeds_are_told_or_drawn(figure):
    rows = [row for seed in (0, 1, 2) for row in curve("", "Basic3ResNet, K = 2", seed=seed)]
    drawn = figure("figure2", figure2=rows)
    assert "Seed 0 of 0, 1, 2." in words(drawn)
    line = drawn.axes[0].lines[0]
    assert len(line.get_xdata()) == len(rows) / 3
    assert "standard deviation over seeds 0, 1, 2" in words(figure("figure3"))
