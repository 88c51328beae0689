import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from analysis.landscapes import snapshot_points
from analysis.landscapes.snapshot_points import Trajectory, read_snapshots
from autogrow.errors import UserError


def write(folder, name, tensors, metadata=(("phase", "growing"), ("depth", "1-2-1"))):
    (folder / "snapshots").mkdir(exist_ok=True)
    arrays = {n: np.asarray(t, np.float32) for n, t in tensors.items()}
    save_file(arrays, folder / "snapshots" / f"{name}.safetensors", dict(metadata))


def test_what_a_shallower_network_does_not_have_is_zero(tmp_path):
    """Two hand-made networks: the deeper one has b, and more is known of a by its name."""
    write(tmp_path, "00001", {"a": [[1, 2], [3, 4]], "c": [5]})
    write(tmp_path, "00002", {"c": [8], "b": [7], "a": [[1, 1], [1, 1]]})
    final = {"a": np.full((2, 2), 10.0), "b": np.array([20.0]), "c": np.array([30.0])}
    trajectory = Trajectory(read_snapshots(tmp_path), final)
    [block] = trajectory.blocks()
    assert [name for name, _ in block] == ["a", "b", "c"]
    assert trajectory.differences(block).tolist() == [
        [-9, -8, -7, -6, -20, -25],
        [-9, -9, -9, -9, -13, -22],
        [0, 0, 0, 0, 0, 0],
    ]


def test_the_order_is_that_of_training(tmp_path):
    for name in ("00012-grown", "00003", "00012", "100000", "00000"):
        write(tmp_path, name, {"a": [1]})
    (tmp_path / "snapshots" / "notes.safetensors").write_text("not ours")
    found = read_snapshots(tmp_path)
    expected = [(0, False), (3, False), (12, False), (12, True), (100000, False)]
    assert [(s.epoch, s.grown) for s in found] == expected
    assert {(s.phase, s.depth) for s in found} == {("growing", "1-2-1")}
    write(tmp_path, "00001", {"a": [1]}, metadata=())
    with pytest.raises(UserError, match=r"KeyError: 'phase'.*; allowed: a readable snapshot"):
        read_snapshots(tmp_path)


@given(
    shapes=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5)), min_size=1, max_size=6),
    room=st.integers(1, 60),
)
def test_blocks_cover_every_parameter_once_and_keep_to_their_room(shapes, room):
    final = {str(i): np.arange(a * b, dtype=float).reshape(a, b) for i, (a, b) in enumerate(shapes)}
    trajectory = Trajectory([], final)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot_points, "BLOCK_BYTES", 8 * room)
        blocks = list(trajectory.blocks())
    covered = {name: [] for name in final}
    for block in blocks:
        sizes = [final[name][rows].size for name, rows in block]
        # A single row is never cut.
        assert sum(sizes) <= room or (len(block) == 1 and sizes[0] == final[block[0][0]][0].size)
        for name, rows in block:
            covered[name] += range(rows.start, rows.stop)
    assert covered == {name: list(range(len(value))) for name, value in final.items()}


@pytest.mark.parametrize(
    ("tensors", "text"),
    [({"b": [1]}, "b has shape .* no such parameter"), ({"a": [[1, 2]]}, r"\(1, 2\).*\(2,\)")],
)
def test_a_snapshot_of_another_network(tmp_path, tensors, text):
    write(tmp_path, "00001", tensors)
    with pytest.raises(UserError, match=f"is of another network: .*{text}"):
        Trajectory(read_snapshots(tmp_path), {"a": np.ones(2)})


def test_a_snapshot_that_diverged_or_goes_missing_after_it_was_listed(tmp_path):
    write(tmp_path, "00001", {"a": [1, np.nan]})
    trajectory = Trajectory(read_snapshots(tmp_path), {"a": np.ones(2)})
    [block] = trajectory.blocks()
    with pytest.raises(UserError, match=r"00001.safetensors: has values that are not finite"):
        trajectory.differences(block)
    (tmp_path / "snapshots/00001.safetensors").unlink()
    with pytest.raises(UserError, match="a readable snapshot"):
        trajectory.differences(block)
