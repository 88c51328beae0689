"""Flipped and cut checkpoints: noticed, named, and the one before is used."""

import shutil

import pytest
from damage import flipped, truncated

from autogrow.errors import UserError
from autogrow.training import checkpoint, state

DAMAGES = pytest.mark.parametrize("damage", [flipped, truncated])


@pytest.fixture
def broken_off(run_of):
    """A growing run that was killed in its AdamInit, with two checkpoints."""
    run = run_of("autogrow AdamInit").killed(("torch.optim.adam", "Adam.step", "before", 40))
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
    monkeypatch.setattr(state, "FORMAT", 3)
    assert "another version of autogrow" in mistake(*broken_off.command)
    assert {f.name: f.read_bytes() for f in checkpoint.files(broken_off.out)} == before
