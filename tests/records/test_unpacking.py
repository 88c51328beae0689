"""Unpacked runs: where they are put, what is left alone there, and what reads them."""

import json
import re
import shutil
from dataclasses import replace

import pytest
from damage import contents, told_in_one_line

from analysis.__main__ import main
from analysis.experiments.catalogue import load_catalogue
from analysis.records import unpacking
from analysis.records.archives import archive_name, pack
from analysis.records.unpacking import has_other_settings
from autogrow import load_network
from autogrow.config.spec import to_json
from autogrow.errors import UserError
from autogrow.files.seals import RUN, UNPACKED
from autogrow.files.writing import write_together
from autogrow.files.yaml import yaml_text
from autogrow.runs.folder import finished, read_result, require_finished


@pytest.fixture
def archived(made, tmp_path):
    """A folder with the archives of both seeds."""
    folder, runs = made
    (tmp_path / "reference").mkdir()
    for seed in (0, 1):
        (tmp_path / "reference" / archive_name(seed)).write_bytes(pack(folder, seed, runs))
    return tmp_path / "reference"


@pytest.fixture
def unpack(archived, call):
    paths = ("--scale", "mini", "--from", archived, "--to", archived.parent / "mini")
    return lambda: call(main, "archive", "unpack", *paths)


@pytest.fixture
def places(made, archived):
    """Return the folders of the runs of seed 1, where they are unpacked."""
    return [archived.parent / "mini/runs" / run / "seed1" for run in made[1]]


def test_unpacked_runs_are_finished_and_pack_into_the_same_archive(made, archived, unpack, places):
    told = unpack()
    assert (told.status, told.err) == (0, "")
    assert told.out.count("2 of 2 runs unpacked") == 2
    for place in places:
        require_finished(place, "spec.yaml", "metrics.csv", RUN)
        assert read_result(place).seed == 1
        assert archive_name(1) in (place / UNPACKED).read_text()
        # A run's note is younger than its records: see has_other_settings.
        times = {f.name: f.stat().st_mtime_ns for f in place.iterdir()}
        assert len({*times.values()} - {times[UNPACKED]}) == 1
        assert times[UNPACKED] > times[RUN]
    again = archived.parent / "mini"
    assert pack(again, 1, made[1]) == (archived / archive_name(1)).read_bytes()
    before = contents(again)
    assert unpack().out.count("0 of 2 runs unpacked") == 2
    assert contents(again) == before


def test_a_changed_digit_is_noticed_and_unpacking_again_makes_it_right(unpack, places):
    unpack()
    file = places[0] / RUN
    whole = file.read_text()
    file.write_text(whole.replace("91.0", "99.0"))
    with pytest.raises(UserError, match=re.escape(str(file))) as error:
        read_result(places[0])
    assert "unpack its archive again" in str(error.value)
    assert "1 of 2 runs unpacked" in unpack().out
    assert file.read_text() == whole
    assert read_result(places[0]).best_accuracy == 91.0


def test_a_users_own_runs_are_left_as_they_are(made, unpack, places):
    shutil.copytree(made[0] / "runs" / made[1][0] / "seed1", places[0])
    places[1].mkdir(parents=True)
    (places[1] / "checkpoint-00001.safetensors").touch()
    own = {place: contents(place) for place in places}
    assert "1 are there already; 1 are unfinished there" in unpack().out
    assert own == {place: contents(place) for place in places}


def test_an_interrupted_unpacking_leaves_no_finished_run_and_continues(unpack, places, monkeypatch):
    def cut_off(files, **options):
        *some, last = files.items()
        assert last[0].name == "summary.json.seal"
        write_together(dict(some), **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(unpacking, "write_together", cut_off)
        assert unpack().status == 130
    for place in places:
        for other in (place, place.with_name("seed0")):
            assert not (other / RUN).exists() or not (other / "summary.json.seal").exists()
    assert unpack().out.count("2 of 2 runs unpacked") == 2
    assert all(finished(place) for place in places)


def test_nothing_is_unpacked_if_one_archive_is_damaged(archived, unpack):
    file = archived / archive_name(1)
    file.write_bytes(file.read_bytes()[:-20])
    told_in_one_line(unpack(), file)
    assert [f.name for f in archived.parent.iterdir()] == ["reference"]


def test_weights_that_are_needed_are_told_to_be_missing(unpack, places, cli):
    unpack()
    told = cli("verify", places[0])
    assert told.out == f"sound      {places[0]} (unpacked: without weights)\n1 sound\n"
    with pytest.raises(UserError, match=r"the run is from an archive.*--restart") as error:
        load_network(places[0])
    assert "\n" not in str(error.value)
    (places[0] / "metrics.csv").unlink()
    assert "metrics.csv" in cli("verify", places[0]).out


def test_other_settings_are_told_apart(tmp_path):
    catalogue = load_catalogue("mini")
    run = next(run for run in catalogue.runs.values() if run.depth_of is not None)
    wanted = run.job_spec({"seed": 3})
    content = to_json(run.spec) | {"seed": 3}
    network = f"{run.spec.architecture.name}-" + "-".join(
        "2345"[: len(run.spec.first_network.depth)]
    )
    (tmp_path / "spec.yaml").write_text(yaml_text(content | {"network": network}))
    assert not has_other_settings(tmp_path, wanted)
    assert has_other_settings(tmp_path, run.job_spec({"seed": 4}))
    older = {key: value for key, value in content.items() if key != "sync_bn"}
    (tmp_path / "spec.yaml").write_text(yaml_text(older | {"network": network}))
    assert not has_other_settings(tmp_path, wanted)
    assert has_other_settings(tmp_path, wanted.replace("sync_bn: false", "sync_bn: true"))
    (tmp_path / "spec.yaml").write_text(json.dumps({"kind": "scratch"}))
    assert has_other_settings(tmp_path, wanted)


def test_a_known_file_of_data_may_lie_in_another_folder(tmp_path):
    [run, *_] = load_catalogue("mini").runs.values()

    def spec(data, sha256):
        known = {"data": data, "data_sha256": sha256}
        return replace(run, spec=run.spec.model_copy(update=known)).job_spec({"seed": 0})

    here, there = f"npz:{tmp_path}/a folder: it's/images.npz", "npz:images.npz"
    (tmp_path / "spec.yaml").write_text(spec(here, "0" * 64))
    assert not has_other_settings(tmp_path, spec(there, "0" * 64))
    assert has_other_settings(tmp_path, spec(there, "1" * 64))
    assert has_other_settings(tmp_path, spec("npz:other.npz", "0" * 64))
    (tmp_path / "spec.yaml").write_text(spec(here, ""))
    assert has_other_settings(tmp_path, spec(there, ""))
