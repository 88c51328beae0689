import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from analysis.landscapes import snapshot_points
from analysis.landscapes.snapshot_points import Snapshot, Trajectory, read_snapshots
from autogrow.errors import UserError
from autogrow.networks.growable import build_network, stack_sub_module
from autogrow.networks.names import parse_network
from autogrow.training.snapshots import write_snapshot


def write(folder, name, tensors, phase="training", depth="1-1-1"):
    (folder / "snapshots").mkdir(exist_ok=True)
    file = folder / "snapshots" / f"{name}.safetensors"
    arrays = {n: np.asarray(t, np.float32) for n, t in tensors.items()}
    save_file(arrays, file, {"epoch": str(int(name[:5])), "phase": phase, "depth": depth})
    return file


def values(trajectory):
    """Every point's difference to the final one, by parameter name."""
    found = {}
    for block in trajectory.blocks():
        d = trajectory.differences(block)
        start = 0
        for name, rows in block:
            size = trajectory.final[name][rows].size
            found.setdefault(name, []).append(d[:, start : start + size])
            start += size
        assert start == d.shape[1]
    return {name: np.concatenate(parts, axis=1) for name, parts in found.items()}


def test_what_a_shallower_network_does_not_have_is_zero(tmp_path):
    """Two hand-made networks: the deeper one has b, and more is known of a by its name."""
    write(tmp_path, "00001", {"a": [[1, 2], [3, 4]], "c": [5]})
    write(tmp_path, "00002", {"c": [8], "b": [7], "a": [[1, 1], [1, 1]]})
    final = {"a": np.full((2, 2), 10.0), "b": np.array([20.0]), "c": np.array([30.0])}
    found = values(Trajectory(read_snapshots(tmp_path), final))
    assert found["a"].tolist() == [[-9, -8, -7, -6], [-9, -9, -9, -9], [0, 0, 0, 0]]
    assert found["b"].tolist() == [[-20], [-13], [0]]
    assert found["c"].tolist() == [[-25], [-22], [0]]


def test_snapshots_of_a_growing_network(tmp_path):
    network = build_network(
        parse_network("Basic3ResNet-1-1-1"), image_channels=1, classes=3, width=2
    )
    write_snapshot(tmp_path, network, epoch=4, phase="growing", depth="1-1-1")
    shallow = {n: p.detach().clone() for n, p in network.named_parameters()}
    stack_sub_module(network, 1, seed=0)
    write_snapshot(tmp_path, network, epoch=4, phase="growing", depth="1-2-1", grown=True)
    final = {n: p.detach().numpy() for n, p in network.named_parameters()}
    found = values(Trajectory(read_snapshots(tmp_path), final))
    for name, value in final.items():
        before = shallow.get(name, torch.zeros(value.shape)).numpy()
        np.testing.assert_array_equal(found[name][0], (before - value).ravel())
        assert not found[name][1:].any()
    assert len(found) > len(shallow)


def test_the_order_is_that_of_training(tmp_path):
    for name in ("00012-grown", "00003", "00012", "100000", "00000"):
        write(tmp_path, name, {"a": [1]}, phase="growing", depth="1-2-1")
    (tmp_path / "snapshots" / "notes.safetensors").write_text("not ours")
    found = [(s.epoch, s.grown) for s in read_snapshots(tmp_path)]
    assert found == [(0, False), (3, False), (12, False), (12, True), (100000, False)]
    assert {(s.phase, s.depth) for s in read_snapshots(tmp_path)} == {("growing", "1-2-1")}


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


def test_a_run_without_snapshots(tmp_path):
    with pytest.raises(UserError, match="no snapshots; train it with --snapshots N"):
        read_snapshots(tmp_path)


@pytest.mark.parametrize("cut", [0, 5, -4])
def test_a_damaged_snapshot(tmp_path, cut):
    file = write(tmp_path, "00001", {"a": [1, 2, 3]})
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(UserError, match=r"00001.safetensors: no readable snapshot"):
        read_snapshots(tmp_path)


def test_a_file_that_is_no_snapshot(tmp_path):
    file = write(tmp_path, "00001", {"a": [1]})
    save_file({"a": np.ones(1, np.float32)}, file)
    with pytest.raises(UserError, match="no readable snapshot: 'phase'"):
        read_snapshots(tmp_path)


@pytest.mark.parametrize(
    ("tensors", "text"),
    [({"b": [1]}, "b has shape .* no such parameter"), ({"a": [[1, 2]]}, r"\(1, 2\).*\(2,\)")],
)
def test_a_snapshot_of_another_network(tmp_path, tensors, text):
    write(tmp_path, "00001", tensors)
    with pytest.raises(UserError, match=f"is of another network: .*{text}"):
        Trajectory(read_snapshots(tmp_path), {"a": np.ones(2)})


def test_a_snapshot_that_diverged(tmp_path):
    write(tmp_path, "00001", {"a": [1, np.nan]})
    trajectory = Trajectory(read_snapshots(tmp_path), {"a": np.ones(2)})
    [block] = trajectory.blocks()
    with pytest.raises(UserError, match=r"00001.safetensors: has values that are not finite"):
        trajectory.differences(block)


def test_a_snapshot_that_goes_missing_after_it_was_listed(tmp_path):
    gone = Snapshot(tmp_path / "00001.safetensors", 1, False, "training", "1", {"a": (1,)})
    trajectory = Trajectory([gone], {"a": np.ones(1)})
    [block] = trajectory.blocks()
    with pytest.raises(UserError, match="no readable snapshot"):
        trajectory.differences(block)
