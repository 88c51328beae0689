"""Finished runs that were damaged, exchanged or are older than seals: never read, always told."""

import os
import random
import re
import shutil
import stat
from pathlib import Path

import pytest
from damage import contents, told_in_one_line
from made_up_runs import SEEDS, make_results
from run_results import results

from analysis.experiments.catalogue import load_catalogue
from autogrow import load_network
from autogrow.cli.main import main
from autogrow.errors import UserError
from autogrow.runs import run as running
from autogrow.runs.folder import SPEC, WEIGHTS, read_result, require_finished
from autogrow.runs.summary import SUMMARY
from autogrow.training.metrics import METRICS

SEAL = "summary.json.seal"


@pytest.fixture(scope="module")
def finished(tiny, tmp_path_factory):
    """A finished run with snapshots, and beside it one of another seed; not to be changed."""
    folder = tmp_path_factory.mktemp("finished")
    for name, seed in (("run", "0"), ("other", "1")):
        out = ["--snapshots", "2", "--seed", seed, "--out", str(folder / name)]
        assert main([*tiny.grow, *out]) == 0
    return folder / "run"


@pytest.fixture
def out(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


@pytest.fixture
def train(cli, tiny, out):
    """Give the command of the run again."""
    return lambda *more: cli(*tiny.grow, "--snapshots", 2, "--out", out, *more)


SPECIAL = {
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "socket": lambda file: os.mknod(file, stat.S_IFSOCK | 0o600),
    "device": lambda file: file.symlink_to("/dev/zero"),
    "deleted": lambda file: None,
}
CHANGED = {
    "flipped": lambda old, rng: (
        old[: (at := rng.randrange(len(old)))]
        + bytes([old[at] ^ 1 << rng.randrange(8)])
        + old[at + 1 :]
    ),
    "cut": lambda old, rng: old[: rng.randrange(1, len(old))],
    "longer": lambda old, rng: old + rng.randbytes(rng.randrange(1, 99)),
    "zeros": lambda old, rng: old[: rng.randrange(len(old))].ljust(len(old), b"\0"),
    "empty": lambda old, rng: b"",
}
KINDS = [*SPECIAL, *CHANGED, "flipped", "flipped", "exchanged"]
READERS = [
    (read_result, (SPEC, SUMMARY)),
    (load_network, (WEIGHTS,)),
    (lambda folder: require_finished(folder, METRICS), (METRICS,)),
]


@pytest.mark.parametrize("seed", range(24))
def test_ten_damages_of_a_finished_run_are_told_in_one_line_each(finished, out, train, cli, seed):
    rng = random.Random(seed)
    whole = contents(out)
    files = [out / name for name in (SPEC, METRICS, SUMMARY, WEIGHTS, "growth.csv", SEAL)]
    files = files * 3 + [file for file in whole if file.parent != out]
    for kind in rng.choices(KINDS, k=10):
        file = rng.choice(files)
        other = finished.with_name("other") / file.relative_to(out)
        file.unlink()
        if kind in SPECIAL:
            SPECIAL[kind](file)
        else:
            content = other.read_bytes() if other.exists() else b""
            if kind in CHANGED:
                content = CHANGED[kind](whole[file], rng)
            file.write_bytes(content if content != whole[file] else b"{}\n")
        told, left, verified = train(), contents(out), cli("verify", out)
        told_in_one_line(told, out)
        assert re.search("--restart|--replace|move what is there away", told.err)
        unsealed = (file.name, kind) == (SEAL, "deleted")
        assert (verified.status, verified.err) == (0 if unsealed else 1, "")
        assert ("unsealed" if unsealed else "damaged") in verified.out
        if file.name != SEAL:
            assert f"{file}: " in verified.out
            assert file.name in told.err or "another spec" in told.err
        for read, names in READERS:
            if file.name in (*names, SEAL):
                with pytest.raises(UserError, match=re.escape(str(out))):
                    read(out)
        assert contents(out) == left
        shutil.rmtree(file) if file.is_dir() else file.unlink(missing_ok=True)
        file.write_bytes(whole[file])
    assert train().status == 0
    assert cli("verify", out).out == f"sound      {out}\n1 sound\n"


def test_a_run_killed_before_its_seal_is_repaired_by_the_next_start(
    finished, tiny, cli, tmp_path, monkeypatch
):
    out = tmp_path / "run"
    command = [*tiny.grow, "--snapshots", 2, "--out", out]
    for where in ("seal", "remove_remains"):  # before the seal, and after it
        with monkeypatch.context() as patch:
            patch.setattr(running, where, None)
            with pytest.raises(TypeError):  # ends as abruptly as a kill would
                cli(*command)
        sealed = where != "seal"
        assert (out / SUMMARY).exists()
        assert (out / SEAL).exists() == sealed
        assert list(out.glob("checkpoint-*"))
        assert ("1 done" if sealed else "1 interrupted") in cli("status", out).out
        assert ("1 sound" if sealed else "1 unfinished") in cli("verify", out).out
        if not sealed:
            with pytest.raises(UserError, match="no summary of a finished run"):
                read_result(out)
    assert cli(*command).status == 0
    assert not list(out.glob("checkpoint-*"))
    assert results(out) == results(finished)
    assert cli("verify", out).status == 0


@pytest.mark.parametrize("name", [METRICS, SUMMARY, SPEC, SEAL])
def test_replace_discards_a_damaged_run_and_says_so(finished, out, train, cli, name):
    (out / name).unlink()
    assert train("--replace").status == 0
    assert "discarded by --replace: the run is trained again" in (out / "log.txt").read_text()
    assert results(out) == results(finished)
    assert cli("verify", out).status == 0


def test_a_summary_of_another_run_is_no_result(finished, out, train):
    """Also with the seal that belongs to it."""
    for name in (SUMMARY, SEAL):
        shutil.copy(finished.with_name("other") / name, out)
        told_in_one_line(train(), out)
        with pytest.raises(UserError, match="allowed"):
            read_result(out)


def test_an_older_run_is_refused_until_it_is_sealed_as_it_is(out, train, cli):
    seal = (out / SEAL).read_bytes()
    (out / SEAL).unlink()
    for told in (train(), cli("train", "--network", "Basic3ResNet", "--data", "digits",
                              "--depth-of", out, "--out", out / "new")):  # fmt: skip
        told_in_one_line(told, out)
        assert f"autogrow verify --seal {out}" in told.err
    assert "1 unsealed" in cli("status", out).out
    for name in (WEIGHTS, "growth.csv", SPEC):
        (out / name).rename(out / "kept")
        assert cli("verify", "--seal", out).status == 1
        (out / "kept").rename(out / name)
    summary = (out / SUMMARY).read_text()
    (out / SUMMARY).write_text(summary.replace('"spec_checksum": "', '"spec_checksum": "0'))
    assert "is of another spec" in cli("verify", "--seal", out).out
    assert not (out / SEAL).exists()
    (out / SUMMARY).write_text(summary)
    assert cli("verify", out).out == f"unsealed   {out}\n1 unsealed\n"
    assert cli("verify", "--seal", out).status == 0
    assert (out / SEAL).read_bytes() == seal
    assert train().status == 0


def test_a_whole_tree_is_verified(tmp_path, cli, mistake):
    catalogue = load_catalogue("mini")
    folder = make_results(tmp_path, catalogue, ["figure6", "figure7"]).folder
    figures = [catalogue.tables[name] for name in ("figure6", "figure7")]
    runs = {run for figure in figures for run in figure.runs}
    planes, surfaces = ({row.runs["main"] for row in figure.rows} for figure in figures)
    # A plane and a contour are a result each.
    sound = len(runs) * len(SEEDS) + 2 * len(planes) + len(surfaces)
    assert f"\n{sound} sound\n" in cli("verify", folder).out
    first, second, *_ = sorted(folder.rglob("contour.csv"))
    first.write_text(first.read_text() + "1\n")
    second.with_name(f"{second.name}.seal").unlink()
    told = cli("verify", folder)
    assert told.status == 1
    assert told.out.endswith(f"\n{sound - 2} sound, 1 damaged, 1 unsealed\n")
    assert f"damaged    {first}: found " in told.out
    assert f"\nunsealed   {second}\n" in told.out
    assert "nowhere" in mistake("verify", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "no finished results" in mistake("verify", tmp_path / "empty")
