"""Promoting tables to a reference: what is copied, what is told of it, what is refused."""

import functools
import json
import os
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from clones import ROOT
from damage import contents, told_in_one_line
from made_up_runs import make_run
from made_up_summaries import write_result
from mounts import fill, read_only, small_disk

from analysis import rebuild
from analysis.__main__ import main
from analysis.claims.judge import write_verdicts
from analysis.claims.values import FinishedRuns
from analysis.experiments.catalogue import load_catalogue
from analysis.figures.figure_data import write_figure
from analysis.records.archives import archive_name, pack, read_archive
from analysis.reference import promote as module
from analysis.results.summaries import Results
from analysis.tables.build import write_table
from autogrow.errors import UserError

SEEDS = (0, 1)
MADE = 1_000_000_000  # any time; tables are made ten seconds after the runs

mini = functools.cache(lambda: load_catalogue("mini"))


def git(folder, *arguments):
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """Make a committed repository with a whole scale's results, which git ignores."""
    root = tmp_path_factory.mktemp("template") / "project"
    root.mkdir()
    git(root, "init", "--quiet")
    (root / ".gitignore").write_text("results/out/\n")
    (root / "README.md").write_text("made up\n")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "all")
    folder = root / "results" / "out" / "mini"
    for run in mini().runs.values():
        for seed in SEEDS:
            make_run(folder, run, seed)
            os.utime(folder / "runs" / run.id / f"seed{seed}" / "summary.json", (MADE, MADE))
    results = Results(folder, SEEDS, "best")
    for table in mini().tables.values():
        if not table.is_figure:
            write_table(table, mini(), results)
    for file in (folder / "tables").iterdir():
        os.utime(file, (MADE + 10, MADE + 10))
    for name, figure in mini().tables.items():
        if figure.has_landscapes:
            (folder / "figures" / f"{name}.csv").write_text("made up")
        elif figure.is_figure:
            write_figure(figure, mini(), results)
    for name in (*module.PICTURES, "figure5_contour.csv"):
        (folder / "figures" / name).write_text("made up")
    write_verdicts(FinishedRuns(mini(), folder, SEEDS), folder)
    return root


@pytest.fixture
def project(template, tmp_path, monkeypatch):
    """Copy the template; the package is then of this repository, and packs nothing."""
    monkeypatch.setattr(module, "pack", lambda *_: b"packed")
    monkeypatch.setattr(module, "ROOT", tmp_path / "project")
    return shutil.copytree(template, tmp_path / "project")


def out(project):
    return project / "results" / "out" / "mini"


def a_run(project, seed=1):
    return out(project) / "runs" / next(iter(mini().runs)) / f"seed{seed}" / "summary.json"


def change(file, time=MADE, **values):
    write_result(file.parent, {**json.loads(file.read_text()), **values})
    os.utime(file, (time, time))


def promote(project, target="results/reference/mini", scale="mini"):
    return module.promote(scale, out(project), project / target)


def state(folder):
    """Return every path below a folder but git's own, with the content of files."""
    paths = [file for file in folder.rglob("*") if ".git" not in file.parts[:-1]]
    return {f: f.read_bytes() if f.is_file() else None for f in paths}


def refused(project, told, **options):
    before = state(project.parent)
    with pytest.raises(UserError, match=re.escape(told)):
        promote(project, **options)
    assert state(project.parent) == before


def test_tables_and_their_provenance_are_kept(project, call, monkeypatch):
    monkeypatch.setattr(module, "pack", pack)
    told = call(main, "promote", "--scale", "mini")
    assert (told.status, told.err) == (0, "")
    assert f"results/reference/mini: 16 tables of {2 * len(mini().runs)} runs" in told.out
    reference = project / "results" / "reference" / "mini"
    names = [*(f"table{n}" for n in range(2, 14)), "null_depth"]
    names += ["selection_audit", "frontier", "beyond"]
    kept = [f"tables/{name}{form}" for name in names for form in module.FORMS]
    kept += [f"figures/figure{n}.csv" for n in range(2, 11)]
    kept += [f"claims/{name}" for name in module.VERDICTS]
    kept += [f"figures/{name}" for name in (*module.PICTURES, "figure5_contour.csv")]
    for name in kept:
        copy = reference / Path(name).name
        assert copy.read_bytes() == (out(project) / name).read_bytes()
    archives = {archive_name(seed): pack(out(project), seed, mini().runs) for seed in SEEDS}
    assert {name: (reference / name).read_bytes() for name in archives} == archives
    assert len([*reference.iterdir()]) == len(kept) + len(archives) + len(["provenance.json"])
    assert [f.name for f in reference.parent.iterdir()] == ["mini"]

    runs = 2 * len(mini().runs)
    known = json.loads((reference / "provenance.json").read_text())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", known.pop("date"))
    assert known.pop("hardware") == {
        "devices": {"cpu (test_cpu)": runs},
        "threads": 1,
        "promoted_on": {"machine": os.uname().machine, "cores": os.cpu_count()},
    }
    assert known == {
        "scale": "mini",
        "git_commit": git(project, "rev-parse", "HEAD"),
        "command": "snakemake --cores all --config scale=mini 'seeds=[0,1]' conventions=paper "
        "protocol=paper accuracy=best device=cpu",
        "promoted_by": "python -m analysis promote --scale mini --from results/out/mini "
        "--to results/reference/mini",
        "description": mini().settings.description,
        "data_source": {},
        "left_out": [],
        "tables": names,
        "seeds": [0, 1],
        "conventions": "paper",
        "protocol": "paper",
        "accuracy": "best",
        "runs": runs,
        "run_statuses": {"complete": runs},
        "run_commits": {"unknown": runs},
        "device_seconds": 4.0 * runs,
        "versions": {"python": "3"},
        "archives": {name: sha256(packed).hexdigest() for name, packed in archives.items()},
    }


def test_a_reference_is_rebuilt_from_its_archives_byte_for_byte(project, call, monkeypatch):
    """Tables, and figures without landscapes, without the runs that they were made from."""
    monkeypatch.setattr(module, "pack", pack)
    promote(project)
    reference = project / "results/reference/mini"
    shutil.rmtree(out(project))
    monkeypatch.setattr(rebuild, "ROOT", project)
    monkeypatch.setattr(rebuild, "write_pictures", lambda name, folder: None)  # see test_plots.py
    told = call(main, "rebuild", "--scale", "mini")
    assert (told.status, told.err) == (0, "")
    made = project / "results/out/rebuilt/mini"
    assert f"{made}: {4 * 16 + 6 + 2} files made" in told.out
    assert f"{reference}: {4 * 16 + 6 + 2} committed files are equal" in told.out
    assert not out(project).exists()

    (reference / "table5.md").write_text("changed")
    (reference / archive_name(0)).unlink()
    (reference / "provenance.json").unlink()
    told = call(main, "rebuild", "--scale", "mini")
    assert told.status == 1
    assert "table5.md" in told.out
    (reference / archive_name(1)).write_bytes(b"")
    told_in_one_line(call(main, "rebuild", "--scale", "mini"), archive_name(1))
    (reference / archive_name(1)).unlink()
    assert "has no archive" in told_in_one_line(call(main, "rebuild", "--scale", "mini"))


def test_tables_whose_runs_no_archive_has_are_named(project, call, monkeypatch):
    reference = project / "results/reference/mini"
    [run, *others] = mini().tables["table2"].runs
    reference.mkdir(parents=True)
    (reference / archive_name(0)).write_bytes(pack(out(project), 0, others))
    monkeypatch.setattr(rebuild, "ROOT", project)
    monkeypatch.setattr(rebuild, "write_pictures", lambda name, folder: None)
    told = call(main, "rebuild", "--scale", "mini")
    assert told.status == 1
    assert re.search(rf"not made: table2: .*{run}/seed0/summary.json", told.out)


COMMITTED = sorted({f.parent for f in (ROOT / "results/reference").glob("*/runs-seed*.tar.xz")})


@pytest.mark.parametrize("reference", COMMITTED, ids=lambda folder: folder.name)
def test_what_is_committed_is_rebuilt_byte_for_byte(reference, tmp_path):
    catalogue = rebuild.catalogue_of(reference, reference.name)
    made, lacking = rebuild.rebuild(catalogue, reference, tmp_path / "out")
    assert lacking == []
    assert rebuild.differing(catalogue, made, reference)[1] == []
    known = json.loads((reference / "provenance.json").read_text())["archives"]
    for name, digest in known.items():
        assert sha256((reference / name).read_bytes()).hexdigest() == digest
        assert read_archive(reference / name).folder == reference.name


def test_verdicts_that_are_older_than_a_run_are_refused(project):
    os.utime(out(project) / "claims/claims.md", (MADE - 10, MADE - 10))
    refused(project, "claims/claims.csv: is older than")


def test_a_reference_can_be_compared_with(project, capsys):
    promote(project)
    reference = project / "results" / "reference" / "mini"
    assert main(["compare", "--new", str(out(project)), "--reference", str(reference)]) == 0
    assert (out(project) / "compare.csv").is_file()


def test_what_differs_between_runs_is_listed(project, call):
    change(
        a_run(project),
        git_commit="b" * 40 + "+",
        device="Abacus GPU",
        threads=4,
        protocol="holdout",
        status="diverged",
        diverged_after=3,
        versions={"torch": "2.7.0"},
    )
    change(a_run(project, seed=0), git_commit="a" * 40)
    (out(project) / "tables" / "table5.md").write_text("")
    os.utime(out(project) / "tables" / "table5.md", (MADE + 10, MADE + 10))
    told = call(main, "promote", "--scale", "mini")
    assert told.status == 0
    assert "1 runs were made with uncommitted changes" in told.out
    assert "1 runs diverged" in told.out
    file = project / "results" / "reference" / "mini" / "provenance.json"
    known = json.loads(file.read_text())
    runs = known["runs"]
    assert known["run_commits"] == {"a" * 40: 1, "b" * 40 + "+": 1, "unknown": runs - 2}
    assert known["run_statuses"] == {"complete": runs - 1, "diverged": 1}
    assert known["versions"] == [{"python": "3"}, {"torch": "2.7.0"}]
    assert known["hardware"]["devices"] == {"cpu (test_cpu)": runs - 1, "Abacus GPU": 1}
    assert sorted(known["hardware"]["threads"]) == [1, 4]
    assert (known["protocol"], known["accuracy"]) == (["holdout", "paper"], ["best", "unknown"])
    assert known["command"].endswith("scale=mini 'seeds=[0,1]' conventions=paper device=auto")


@pytest.fixture
def kept(project):
    """Commit an earlier reference; return its folder."""
    promote(project, "kept")
    (project / "kept" / "table77.csv").write_text("of an earlier catalogue\n")
    git(project, "add", ".")
    git(project, "commit", "--quiet", "-m", "reference")
    return project / "kept"


def test_an_earlier_reference_is_replaced_whole(project, kept):
    known = promote(project, "kept")
    assert not (kept / "table77.csv").exists()
    assert known["git_commit"] == git(project, "rev-parse", "HEAD")
    assert "--to kept" in known["promoted_by"]
    assert {f.name for f in project.iterdir()} == {
        *(".git", ".gitignore", "README.md", "kept", "results")
    }


def test_an_earlier_reference_is_left_when_writing_fails(project, kept, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    rename = module.Path.rename
    monkeypatch.setattr(
        module.Path, "rename", lambda a, b: full() if a.suffix == ".tmp" else rename(a, b)
    )
    refused(project, "No space left on device", target=kept)


def test_an_earlier_reference_is_left_where_the_disk_is_full_or_read_only(project, tmp_path):
    with small_disk(tmp_path / "disk", 8192) as disk:
        target = disk / "kept"
        promote(project, target)
        before = contents(target)
        change(a_run(project), device="Abacus 4")
        for pages in (0, 2, 10, 30, 60, 90, 120, 150, 180, 300, 600, 1500):
            others = fill(disk, leave=pages * 4096)
            try:
                promote(project, target)
                break
            except UserError as error:
                told = str(error)
            assert "No space left on device" in told
            assert contents(target) == before
            assert {f.name for f in disk.iterdir()} == {"kept", "others"}
            others.unlink()
        assert 0 < pages < 1500
        assert contents(target).keys() == before.keys()
        assert contents(target) != before
        with read_only(disk):
            refused(project, "Read-only file system", target=target)


def test_a_folder_of_other_things_is_not_replaced(project):
    refused(project, "holds .git, which would be lost", target="")
    refused(project, "is not a folder", target="README.md")


def test_dirty_trees_are_refused(project, call):
    (project / "new.txt").write_text("untracked\n")
    git(project, "config", "status.showUntrackedFiles", "no")
    refused(project, "git has uncommitted changes: ?? new.txt")
    told = call(main, "promote", "--scale", "mini")
    assert (told.status, told.out, told.err.count("\n")) == (2, "", 1)
    assert told.err.startswith("analysis promote: error: ")
    (project / "README.md").write_text("changed\n")
    refused(project, "README.md and 1 more")


def test_no_repository_is_refused(project):
    (project / ".git").rename(project / "other")
    refused(project, "not a git repository")
    # As when unpacked inside a repository that ignores it.
    git(project.parent, "init", "--quiet")
    (project.parent / ".gitignore").write_text("*\n")
    refused(project, "none of its files is tracked")


def test_smoke_and_unknown_scales_are_refused(project, call):
    refused(project, "smoke cannot be a reference", scale="smoke")
    refused(project, "scale: found 'big'", scale="big")
    told = call(main, "promote", "--scale", "big")
    assert (told.status, told.err.count("\n")) == (2, 1)


def test_runs_of_figures_count_as_well(project):
    tables = [t for t in mini().tables.values() if not t.is_figure]
    own = set(mini().runs) - {run for table in tables for run in table.runs}
    assert own
    shutil.rmtree(out(project) / "runs" / min(own) / "seed0")
    refused(project, "unfinished: 1 of")


SUMMARY = f"runs/{next(iter(mini().runs))}/seed1/summary.json"
CANNOT_BE_MISSING = "no such file; a reference has every table and figure of the catalogue"


@pytest.mark.parametrize(
    ("name", "damage", "told"),
    [
        (SUMMARY, None, f"{SUMMARY}: unfinished: 1 of {2 * len(mini().runs)} runs"),
        (SUMMARY, b"99.99", f"{SUMMARY}: found "),
        (SUMMARY, {"seed": 7}, "is of seed 7, not of 1"),
        (SUMMARY, {"status": None}, "status: found None"),
        (SUMMARY, {"seconds_growing": "long"}, "seconds_growing: found 'long'"),
        (SUMMARY, "{", "summary.json: no summary of a finished run: is not JSON"),
        (SUMMARY, "[]", "no summary of a finished run: found []"),
        *(
            (name, None, f"{name}: {CANNOT_BE_MISSING}")
            for name in (
                *(f"tables/table8{form}" for form in module.FORMS),
                *("figures/figure2.png", "figures/figure3.csv", "figures/figure7.csv"),
            )
        ),
    ],
)
def test_damaged_and_missing_files_are_refused(project, name, damage, told):
    file = out(project) / name
    if damage is None:
        file.unlink()
    elif isinstance(damage, bytes):
        file.write_bytes(file.read_bytes().replace(b"91.0", damage))
    elif isinstance(damage, str):
        write_result(file.parent, damage)
    else:
        change(file, **damage)
    refused(project, told)


def test_a_table_older_than_a_run_is_refused(project):
    change(a_run(project), time=MADE + 10)
    promote(project, "../elsewhere")
    change(a_run(project), time=MADE + 11)
    refused(project, f"is older than {a_run(project)}")


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("table5.csv", "mini", "paper", "table5.csv: is of scale paper; allowed: mini"),
        ("table5.csv", "Basic3ResNet/50", "Basic3ResNet/49", "rows are not the catalogue's"),
        ("table5_seeds.csv", "periodic-K2", "periodic-K9", "runs are not the catalogue's"),
        ("table5_seeds.csv", ",1,B", ",2,B", "seeds: beyond of 0 or 1; table5 of 0 or 2"),
        ("table5_seeds.csv", "seed", "seat", "has no column 'seed'"),
        ("table5_seeds.csv", ",1,B", ",one,B", "not the seeds of a table"),
    ],
)
def test_tables_of_other_runs_are_refused(project, name, old, new, told):
    file = out(project) / "tables" / name
    file.write_text(file.read_text().replace(old, new))
    os.utime(file, (MADE + 10, MADE + 10))
    refused(project, told)


def test_no_results_are_refused(project):
    shutil.rmtree(out(project))
    refused(project, "results/out/mini: no such folder")


def test_a_reference_that_is_older_than_a_table_is_rebuilt_without_it(project, call, monkeypatch):
    monkeypatch.setattr(module, "pack", pack)
    promote(project)
    reference = project / "results/reference/mini"
    for file in (*reference.glob("beyond*"), reference / "figure10.csv"):
        file.unlink()
    shutil.rmtree(out(project))
    monkeypatch.setattr(rebuild, "ROOT", project)
    monkeypatch.setattr(rebuild, "write_pictures", lambda name, folder: None)
    told = call(main, "rebuild", "--scale", "mini")
    assert (told.status, told.err) == (0, "")
    assert f"left out, as {reference} is older: beyond, figure10" in told.out
    assert "not made" not in told.out
