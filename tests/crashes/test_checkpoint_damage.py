"""Damaged and foreign checkpoints: noticed, named, and the one before is used."""

import json
import random
import shutil

import pytest
import torch
from damage import flipped, truncated

from autogrow.errors import UserError
from autogrow.files.tensors import read_sealed, write_tensors
from autogrow.training import checkpoint, state

DAMAGES = pytest.mark.parametrize("damage", [flipped, truncated])


@pytest.fixture
def broken_off(run_of):
    """A growing run that was killed in its AdamInit, with two checkpoints."""
    run = run_of("autogrow AdamInit").killed(("torch.optim.adam", "Adam.step", "before", 22))
    assert len(checkpoint.files(run.out)) == 2
    return run


@DAMAGES
def test_each_damage_is_noticed_and_the_one_before_used(broken_off, damage):
    out = broken_off.out
    older, newer = checkpoint.files(out)
    content = newer.read_bytes()
    newer.unlink()
    _, before = checkpoint.load_latest(out, pytest.fail)
    for damaged in damage(content, 100):
        newer.write_bytes(damaged)
        told = []
        _, found = checkpoint.load_latest(out, told.append)
        assert found == before
        assert len(told) == 1
        assert f"{newer}: damaged" in told[0]
    for damaged in damage(older.read_bytes(), 100):  # none is good: it does not start over
        older.write_bytes(damaged)
        with pytest.raises(UserError, match="start over with --restart"):
            checkpoint.load_latest(out, told.append)


@DAMAGES
def test_a_whole_run_after_a_damage(broken_off, run_of, tmp_path, damage):
    content = checkpoint.files(broken_off.out)[-1].read_bytes()
    for number, damaged in enumerate(damage(content, 2)):
        run = run_of("autogrow AdamInit", tmp_path / f"run{number}")
        shutil.copytree(broken_off.out, run.out)
        newer = checkpoint.files(run.out)[-1]
        newer.write_bytes(damaged)
        run.finishes()
        assert str(newer) in (run.out / "log.txt").read_text()


def test_checkpoints_of_another_version_are_refused(broken_off, mistake, monkeypatch):
    before = {f.name: f.read_bytes() for f in checkpoint.files(broken_off.out)}
    monkeypatch.setattr(state, "FORMAT", state.FORMAT + 1)
    assert "another version of autogrow" in mistake(*broken_off.command)
    assert {f.name: f.read_bytes() for f in checkpoint.files(broken_off.out)} == before


EPOCH = ("autogrow.training.pauses", "Pauses.epoch_is_done", "after", 2)
OTHERS = {
    "seed": ["--seed", "9"],
    "width": ["--width", "5"],
    "protocol": ["--protocol", "holdout"],
    "data": ["--data", "MNIST5000", "--downscale", "2"],
    "kind": None,
}


def test_checkpoints_of_other_runs_are_named_and_passed_over(run_of, tmp_path):
    """However new they are: the run goes on from its own, and does not start over without."""
    run, foreign = run_of("autogrow").killed(EPOCH), {}
    for number, (name, more) in enumerate(OTHERS.items()):
        other = run_of("autogrow" if more else "scratch", tmp_path / name)
        other.command += more or []
        newest = checkpoint.files(other.killed(EPOCH).out)[-1]
        foreign[name] = run.out / f"checkpoint-00009{number}-0000000001.safetensors"
        shutil.copy(newest, foreign[name])
    own = {f: f.read_bytes() for f in checkpoint.files(run.out) if f not in foreign.values()}
    for file in own:
        file.unlink()
    run.ends_in_one_line(foreign["kind"], "of a run with other settings", "--restart")
    for file, content in own.items():
        file.write_bytes(content)
    run.finishes()
    log = (run.out / "log.txt").read_text()
    assert all(f"{file}: of a run with other settings" in log for file in foreign.values())


def test_every_value_that_is_not_the_runs_makes_a_checkpoint_foreign(broken_off):
    """Also one without it, and whatever else a sealed file holds."""
    older, newer = checkpoint.files(broken_off.out)
    tensors, seeded = read_sealed(newer), random.Random(0)
    values = json.loads(tensors.pop("state").numpy().tobytes())
    owner = {key: values[key] for key in ("format", "spec_checksum", "data", "data_checksum")}
    odd = [None, [], {}, 0, 2, "", "0" * 64, True, 1e400]
    for _ in range(60):
        key = seeded.choice(sorted(checkpoint.FOREIGN))
        changed = seeded.choice([{**values, key: seeded.choice(odd)}, *odd])
        text = torch.frombuffer(bytearray(json.dumps(changed).encode()), dtype=torch.uint8)
        write_tensors(newer, {**tensors, **seeded.choice([{"state": text}, {}])}, sealed=True)
        told = []
        _, found = checkpoint.load_latest(broken_off.out, told.append, owner)
        assert found["steps"] < values["steps"]
        assert [line.startswith(f"{newer}: ") for line in told] == [True]
    write_tensors(older, {"state": text}, sealed=True)
    with pytest.raises(UserError, match="start over with --restart"):
        checkpoint.load_latest(broken_off.out, told.append, owner)
