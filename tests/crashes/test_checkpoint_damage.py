"""Flipped and cut checkpoints: noticed, named, and the one before is used."""

import shutil
import signal

import pytest
from damage import flipped, truncated
from run_results import results

from autogrow.errors import UserError
from autogrow.training import checkpoint

TIMES = 100


@pytest.fixture(scope="module")
def broken_off(forks, cases, tmp_path_factory):
    """The folder of a growing run that was killed in its AdamInit, with two checkpoints."""
    out = tmp_path_factory.mktemp("broken-off") / "run"
    command = [*cases["autogrow AdamInit"], "--out", out]
    at = ["torch.optim.adam", "Adam.step", "before", 40, signal.SIGKILL]
    assert forks(command, at=at) == -signal.SIGKILL
    assert len(checkpoint.files(out)) == 2
    return out


@pytest.mark.parametrize("damage", [flipped, truncated])
def test_each_damage_is_noticed_and_the_one_before_used(broken_off, tmp_path, damage):
    shutil.copytree(broken_off, tmp_path / "run")
    older, newer = checkpoint.files(tmp_path / "run")
    content = newer.read_bytes()
    newer.unlink()
    _, before = checkpoint.load_latest(tmp_path / "run", pytest.fail)
    for damaged in damage(content, TIMES):
        newer.write_bytes(damaged)
        told = []
        _, state = checkpoint.load_latest(tmp_path / "run", told.append)
        assert state == before
        assert len(told) == 1
        assert str(newer) in told[0]
        assert "damaged" in told[0]
    good = older.read_bytes()
    for damaged in damage(good, TIMES):  # none is good: no traceback, and no new beginning
        older.write_bytes(damaged)
        with pytest.raises(UserError, match="start over with --restart"):
            checkpoint.load_latest(tmp_path / "run", told.append)


@pytest.mark.parametrize("damage", [flipped, truncated])
def test_a_whole_run_after_a_damage(forks, cases, broken_off, undisturbed, tmp_path, damage):
    whole, _ = undisturbed("autogrow AdamInit")
    content = checkpoint.files(broken_off)[-1].read_bytes()
    for number, damaged in enumerate(damage(content, 2)):
        out = tmp_path / f"run{number}"
        shutil.copytree(broken_off, out)
        newer = checkpoint.files(out)[-1]
        newer.write_bytes(damaged)
        assert forks([*cases["autogrow AdamInit"], "--out", out]) == 0, forks.told
        assert "Traceback" not in forks.told
        assert str(newer) in (out / "log.txt").read_text()
        assert results(out) == results(whole)


def test_checkpoints_of_another_version_are_refused(cli, cases, broken_off, tmp_path, monkeypatch):
    from autogrow.training import checkpoint as progress

    out = tmp_path / "run"
    shutil.copytree(broken_off, out)
    before = {f.name: f.read_bytes() for f in checkpoint.files(out)}
    monkeypatch.setattr(progress, "FORMAT", 3)
    told = cli(*cases["autogrow AdamInit"], "--out", out)
    assert told.status == 2
    assert "another version of autogrow" in told.err
    assert {f.name: f.read_bytes() for f in checkpoint.files(out)} == before
