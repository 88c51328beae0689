"""Archives of finished runs: what they hold, and that nothing else is ever read from one."""

import hashlib
import io
import json
import lzma
import os
import tarfile

import pytest
from damage import flipped, told_in_one_line, truncated
from hypothesis import given
from hypothesis import strategies as st

from analysis.__main__ import main
from analysis.records import archives
from analysis.records.archives import archive_name, pack, read_archive
from autogrow.errors import UserError

FILES = ("spec.yaml", "metrics.csv", "summary.json", "summary.json.seal")


@pytest.fixture(scope="module")
def packed(made):
    return pack(made[0], 1, made[1])


def refused(file, content):
    """Return the line in which an archive of these bytes is refused."""
    file.write_bytes(content)
    with pytest.raises(UserError) as error:
        read_archive(file)
    told = str(error.value)
    assert str(file) in told
    assert "\n" not in told
    return told


def test_an_archive_has_the_records_of_one_seed_and_no_weights(made, packed, tmp_path):
    folder, runs = made
    file = tmp_path / archive_name(1)
    file.write_bytes(packed)
    archive = read_archive(file)
    assert (archive.folder, archive.seed, set(archive.runs)) == ("mini", 1, set(runs))
    for run, files in archive.runs.items():
        place = folder / "runs" / run / "seed1"
        assert set(files) == {*FILES}
        assert list(files)[-1] == FILES[-1]
        assert all(content == (place / name).read_bytes() for name, content in files.items())


def test_the_same_runs_give_the_same_bytes(results, packed):
    folder, runs = results
    for file in folder.rglob("*"):
        os.utime(file, (1, 1))
        if file.is_file():
            file.chmod(0o600)
    assert pack(folder, 1, reversed(runs)) == packed
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(packed))) as tar:
        told = {(m.mtime, m.mode, m.uid, m.gid, m.uname, m.gname) for m in tar}
    assert told == {(0, 0o644, 0, 0, "", "")}


def test_truncated_and_flipped_archives_are_refused(packed, tmp_path):
    file = tmp_path / archive_name(1)
    for content in (*truncated(packed, 20), *flipped(packed, 60)):
        refused(file, content)
    for content in truncated(lzma.decompress(packed).rstrip(b"\0"), 20):
        assert "cut off" in refused(file, lzma.compress(content, preset=0))


@given(content=st.binary(max_size=300), packed_too=st.booleans())
def test_other_bytes_are_refused(content, packed_too, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "other.tar.xz"
    refused(file, lzma.compress(content, preset=0) if packed_too else content)


def members(packed):
    with tarfile.open(fileobj=io.BytesIO(lzma.decompress(packed))) as tar:
        return {m.name: tar.extractfile(m).read() for m in tar}


def built(contents, *, manifest=None, kinds=(), more=()):
    """Return an archive of these members, whose manifest is right unless another is given."""
    contents = {n: c for n, c in contents.items() if n != archives.MANIFEST}
    known = {
        name: {"bytes": len(c), "sha256": hashlib.sha256(c).hexdigest()}
        for name, c in contents.items()
    }
    told = {"format": "autogrow records 1", "folder": "mini", "seed": 1, "members": known}
    told |= manifest or {}
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        first = (archives.MANIFEST, json.dumps(told).encode())
        for name, content in (first, *contents.items(), *more):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for key, value in dict(kinds).get(name, {}).items():
                setattr(member, key, value)
            tar.addfile(member, io.BytesIO(content))
    return lzma.compress(file.getvalue(), preset=0)


def test_what_is_built_here_is_an_archive(packed, tmp_path):
    (tmp_path / "a").write_bytes(built(members(packed)))
    assert read_archive(tmp_path / "a").seed == 1


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../runs/a/seed1/spec.yaml",
        "runs/../../a/seed1/spec.yaml",
        "runs/a/../seed1/spec.yaml",
        "runs/a//seed1/spec.yaml",
        "runs/.git/seed1/spec.yaml",
        "runs/a/seed1/weights.safetensors",
        "runs/a/seed1/spec.yaml/",
        "runs/a/seed2/spec.yaml",
        "runs/a\n/seed1/spec.yaml",
        "runs/ä/seed1/spec.yaml",
        "metrics.csv",
        "C:\\spec.yaml",
    ],
)
def test_no_other_place_and_no_other_file_is_read(packed, tmp_path, name):
    told = refused(tmp_path / "a", built({**members(packed), name: b"x"}))
    assert "is no file of a run of seed 1" in told or "found in the place of" in told


def of(packed, name):
    return next(n for n in members(packed) if n.endswith(f"/{name}"))


@pytest.mark.parametrize(
    "kind",
    [
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd", "size": 0},
        {"type": tarfile.LNKTYPE, "linkname": "manifest.json", "size": 0},
        {"type": tarfile.DIRTYPE, "size": 0},
        {"type": tarfile.FIFOTYPE, "size": 0},
        {"type": tarfile.CHRTYPE, "size": 0},
    ],
)
def test_links_folders_and_devices_are_refused(packed, tmp_path, kind):
    name = of(packed, "metrics.csv")
    told = refused(tmp_path / "a", built(members(packed), kinds={name: kind}))
    assert f"{name}: " in told


def test_members_twice_missing_further_or_in_another_order_are_refused(packed, tmp_path):
    whole, name = members(packed), of(packed, "metrics.csv")
    twice = built(whole, more=[(name, whole[name])])
    assert f"{name}: is not in the manifest" in refused(tmp_path / "a", twice)
    known = json.loads(whole[archives.MANIFEST])["members"]
    fewer = {n: c for n, c in whole.items() if n != name}
    told = refused(tmp_path / "a", built(fewer, manifest={"members": known}))
    assert f"found in the place of {name}" in told
    swapped = dict(reversed(whole.items()))
    assert "in the place of" in refused(tmp_path / "a", built(swapped, manifest={"members": known}))
    no_manifest = io.BytesIO()
    with tarfile.open(fileobj=no_manifest, mode="w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    content = lzma.compress(no_manifest.getvalue(), preset=0)
    assert "manifest.json: is missing" in refused(tmp_path / "a", content)


def test_a_changed_member_is_named_and_one_with_its_manifest_changed_too(packed, tmp_path):
    whole, name = members(packed), of(packed, "summary.json")
    changed = {**whole, name: whole[name].replace(b"91.0", b"99.0")}
    known = json.loads(whole[archives.MANIFEST])["members"]
    told = refused(tmp_path / "a", built(changed, manifest={"members": known}))
    assert f"{name}: found SHA-256" in told
    assert f"{name}: is not what the seal says" in refused(tmp_path / "a", built(changed))
    longer = {**whole, name: whole[name] + b"\n"}
    told = refused(tmp_path / "a", built(longer, manifest={"members": known}))
    assert f"{name}: found {len(longer[name])} bytes" in told
    without = {n: c for n, c in whole.items() if not n.endswith("seal")}
    assert "summary.json.seal: is not what" in refused(tmp_path / "a", built(without))
    less = {n: c for n, c in whole.items() if n != of(packed, "metrics.csv")}
    assert "metrics.csv: is not what the seal says" in refused(tmp_path / "a", built(less))


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ({"format": "autogrow records 9"}, "format: found 'autogrow records 9'"),
        ({"seed": -1}, "seed: found -1"),
        ({"members": {"a": {"bytes": -1, "sha256": ""}}}, "bytes: found -1"),
        ({"members": []}, "members: found []"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_manifest_of_something_else_is_refused(packed, tmp_path, manifest, told):
    line = refused(tmp_path / "a", built(members(packed), manifest=manifest))
    assert "manifest.json: " in line
    assert told in line


def test_what_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST", 2**20)
    told = refused(tmp_path / "a", lzma.compress(bytes(2**21), preset=0))
    assert "has more than 1048576 bytes" in told
    monkeypatch.setattr(archives, "MOST_PACKED", 10)
    assert "more than 10 bytes" in refused(tmp_path / "a", bytes(11))


def test_a_damaged_run_is_not_packed(results, call):
    folder, runs = results
    file = folder / "runs" / runs[0] / "seed1" / "metrics.csv"
    file.write_text(file.read_text().replace("65.1234", "66.1234"))
    reference = folder.parent / "reference"
    paths = ["--scale", "mini", "--from", folder, "--to", reference]
    told_in_one_line(call(main, "archive", "pack", *paths), file)
    assert not reference.exists()


def test_an_archive_is_not_replaced_by_one_with_fewer_runs(results, call):
    folder, runs = results
    paths = ["--scale", "mini", "--from", folder, "--to", folder.parent / "reference"]
    told = call(main, "archive", "pack", *paths)
    assert (told.status, told.out.count(": 2 runs, ")) == (0, 2)
    (folder / "runs" / runs[0] / "seed1/summary.json.seal").unlink()
    (folder / "runs" / runs[0] / "seed1/summary.json").unlink()
    assert runs[0] in told_in_one_line(call(main, "archive", "pack", *paths))
    paths[-1] = folder.parent / "other"
    told = call(main, "archive", "pack", *paths)
    assert "seed1.tar.xz: 1 runs" in told.out
    assert "note: 1 unfinished runs are left out" in told.out


def test_nothing_to_pack_or_unpack_is_told(tmp_path, call):
    (tmp_path / "empty").mkdir()
    for action, told in (("pack", "has no finished run"), ("unpack", "has no archive")):
        for folder in ("missing", "empty"):
            given = ["--scale", "mini", "--from", tmp_path / folder, "--to", tmp_path / "to"]
            line = told_in_one_line(call(main, "archive", action, *given), tmp_path / folder)
            assert folder == "missing" or told in line
    line = call(main, "archive", "check", "--scale", "mini", "--to", tmp_path)
    assert "--to" in told_in_one_line(line)
