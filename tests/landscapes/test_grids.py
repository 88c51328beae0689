import json
import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.landscapes.grids import Block, BlockFolder, Grid, axis
from autogrow.errors import UserError

GRID = Grid(axis(0, 3, 4), axis(-1, 1, 7))
LOSSES = {(1, 0): math.inf, (2, 0): math.nan, (3, 0): 1e38}
SETTINGS = {"weights": "abc", "points": 4}


def compute(folder, count):
    for number in range(1, count + 1):
        folder.compute(Block(number, count), lambda x, y: (LOSSES.get((x, y), 100 * x + y), x))


def opened(path, settings=SETTINGS, restart=False):
    folder = BlockFolder(path, GRID, settings, "surface.csv")
    folder.open(restart=restart)
    return folder


def test_a_grid_that_is_not_square_is_not_transposed(tmp_path, rows):
    folder = opened(tmp_path)
    compute(folder, 1)
    folder.gather(1)
    found = [tuple(map(float, row.values())) for row in rows(tmp_path / "surface.csv")]
    assert len(found) == 4 * 7
    assert {(x, y) for x, y, _, _ in found} == {(x, round(y, 9)) for x in GRID.x for y in GRID.y}
    for x, y, loss, accuracy in found:
        expected = LOSSES.get((x, y), 100 * x + y)
        assert loss == pytest.approx(expected, abs=1e-6, nan_ok=True)
        assert accuracy == x
    assert [y for _, y, _, _ in found] == sorted(y for _, y, _, _ in found)


@given(st.integers(1, 40), st.integers(1, 40))
def test_blocks_cover_every_row_once_and_are_about_equal(count, rows):
    grid = Grid((0.0, 1.0), tuple(float(y) for y in range(rows)))
    blocks = [Block(i + 1, count) for i in range(count)]
    if count > rows:
        with pytest.raises(UserError, match=f"allowed: 1 to {rows}"):
            grid.points(blocks[0])
        return
    points = [grid.points(b) for b in blocks]
    assert [p for part in points for p in part] == [(x, y) for y in grid.y for x in grid.x]
    assert {len(part) // 2 for part in points} <= {rows // count, rows // count + 1}


@pytest.mark.parametrize(
    "damage",
    [
        None,
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.rpartition("\n0")[0] + "\n",
        lambda text: text.replace("loss", "error"),
        lambda text: text.replace("\n1,", "\n9,"),
    ],
)
def test_missing_and_incomplete_blocks_are_named(tmp_path, damage):
    folder = opened(tmp_path)
    compute(folder, 3)
    for number in (1, 3):
        block = Block(number, 3)
        assert folder.rows(block) is not None
        file = folder.file(block)
        text = file.read_text()
        file.unlink()
        if damage:
            file.write_text(damage(text))
        assert folder.rows(block) is None
    with pytest.raises(UserError, match=r"2 of 3 blocks missing or not complete: 1/3, 3/3$"):
        folder.gather(3)
    assert not (tmp_path / "surface.csv").exists()


def test_blocks_of_other_settings_are_refused_or_discarded(tmp_path):
    folder = opened(tmp_path)
    compute(folder, 2)
    folder.gather(2)
    other = BlockFolder(tmp_path, GRID, {**SETTINGS, "weights": "xyz"}, "surface.csv")
    for act in (lambda: other.open(restart=False), lambda: other.gather(2)):
        with pytest.raises(UserError, match=r"weights abc there, xyz here.*--restart"):
            act()
    assert json.loads((tmp_path / "settings.json").read_text()) == SETTINGS
    assert opened(tmp_path).rows(Block(1, 2)) is not None
    assert opened(tmp_path, restart=True).rows(Block(2, 2)) is not None
    other = opened(tmp_path, settings={"points": 4}, restart=True)
    assert other.rows(Block(2, 2)) is None
    assert not (tmp_path / "surface.csv").exists()
    assert json.loads((tmp_path / "settings.json").read_text()) == {"points": 4}


def test_blocks_without_settings_are_nobodys(tmp_path):
    opened(tmp_path)
    opened(tmp_path, settings={"points": 9})  # settings without blocks bind nobody
    compute(opened(tmp_path), 2)
    (tmp_path / "settings.json").unlink()
    with pytest.raises(UserError, match=r"holds no settings.*--restart"):
        opened(tmp_path)


@given(st.floats(1e-3, 1e3), st.integers(1, 60))
def test_an_axis_is_symmetric_and_has_the_centre(span, half):
    values = axis(-span, span, 2 * half + 1)
    assert values[half] == 0
    assert (values[0], values[-1]) == (-span, span)
    assert values == tuple(-v for v in reversed(values))
    steps = [b - a for a, b in pairwise(values)]
    assert steps == pytest.approx([span / half] * (2 * half))
