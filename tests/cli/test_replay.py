import subprocess
import sys

import pytest
from made_up_summaries import made_up_summary, write_result

from autogrow.config.resolving import resolve
from autogrow.config.spec import parse_spec, to_json
from autogrow.files.yaml import yaml_text

FLAT = "3,grow,0,2-1-1\n6,grow,1,2-2-1\n9,stop,1,2-2-1\n9,grow,2,2-2-2\n"
FLAT += "12,stop,2,2-2-2\n12,grow,0,3-2-2\n15,stop,0,3-2-2\n15,done,,3-2-2\n"
HEADER = "epoch,event,sub_network,depth\n"


@pytest.fixture
def curve(tmp_path):
    """Write a curve, given as accuracies or as text, and return its path."""

    def write(content):
        path = tmp_path / "curve.csv"
        if isinstance(content, list):
            rows = "".join(f"{e},{a}\n" for e, a in enumerate(content, 1))
            content = f"epoch,val_accuracy\n{rows}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def options(path, *more):
    return ["replay", "--network", "Basic3ResNet", "--accuracies", path, *more]


def test_the_issues_command_prints_the_events_and_nothing_else(command, curve):
    path = curve([50.0] * 30)
    settings = ["--policy", "periodic", "--K", 3, "--J", 6, "--tau", 0.05]
    done = command(*options(path, *settings))
    assert (done.returncode, done.stdout, done.stderr) == (0, HEADER + FLAT, "")


def test_replay_imports_no_torch(curve):
    arguments = [str(a) for a in options(curve([50.0] * 9), "--J", "6")]
    code = (
        "import sys, autogrow.cli.main; "
        f"status = autogrow.cli.main.main({arguments!r}); "
        "heavy = {'torch', 'torchvision', 'sklearn', 'pandas'} & set(sys.modules); "
        "sys.exit(status or ' '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(HEADER)


def test_a_reader_that_stops_reading_is_no_error(curve):
    line = [sys.executable, "-m", "autogrow", *options(curve([50.0] * 20_000), "--J", 19_000)]
    done = subprocess.run(
        " ".join(map(str, line)) + " | head -1",
        shell=True,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert (done.stdout, done.stderr) == (HEADER, "")


def printed(cli, *arguments):
    told = cli(*arguments)
    assert (told.status, told.err) == (0, "")
    return told.out


CONVERGENT = ["--policy", "convergent", "--K"]
PRINTED = {
    "an empty curve": ([], [], ""),
    "a curve that ends before done": ([50] * 11, ["--J", 6], FLAT[: FLAT.index("12,")]),
    "what follows done": ([50] * 15 + [99] * 9, ["--J", 6], FLAT),
    "seed depth": ([50] * 6, ["--seed-depth", "4-2-3"], "3,grow,0,5-2-3\n6,grow,1,5-3-3\n"),
    "four sub-networks": ([50] * 3, ["--network", "Plain4Net"], "3,grow,0,2-1-1-1\n"),
    "convergent policy": (
        [50, 60, 60, 60, 65, 66, 66, 66, 66, 66],
        [*CONVERGENT, 2],
        "4,grow,0,2-1-1\n8,grow,1,2-2-1\n10,stop,1,2-2-1\n10,grow,2,2-2-2\n",
    ),
    "convergent policy with a K above the periodic J": (
        [50] * 450,
        [*CONVERGENT, 150],
        "300,grow,0,2-1-1\n450,stop,0,2-1-1\n450,grow,1,2-2-1\n",
    ),
    "a gain of tau": (
        [50, 50, 50.5],
        ["--K", 1, "--J", 2, "--tau", 0.5],
        "1,grow,0,2-1-1\n2,grow,1,2-2-1\n3,grow,2,2-2-2\n",
    ),
    "a gain below tau": (
        [50, 50, 50.5],
        ["--K", 1, "--J", 2, "--tau", 0.51],
        "1,grow,0,2-1-1\n2,grow,1,2-2-1\n3,stop,1,2-2-1\n3,grow,2,2-2-2\n",
    ),
}


@pytest.mark.parametrize(("accuracies", "more", "events"), PRINTED.values(), ids=PRINTED)
def test_events_of_a_curve(cli, curve, accuracies, more, events):
    assert printed(cli, *options(curve(accuracies), *more)) == HEADER + events


def test_best_practice_is_the_default(cli, curve):
    """Periodic, K = 3, J = 100, tau = 0.05."""
    path = curve([50] * 120)
    given = ["--policy", "periodic", "--K", 3, "--J", 100, "--tau", 0.05]
    out = printed(cli, *options(path))
    assert out == printed(cli, *options(path, *given))
    assert next(line for line in out.splitlines() if ",stop," in line).startswith("102,stop")


@pytest.mark.parametrize(
    "text",
    [
        "val_accuracy,epoch\n50,1\n50,2\n50,3\n",
        "epoch,note,val_accuracy\n1,a,50\n2,b,50\n3,c,50\n",
        "epoch,val_accuracy\r\n1,50\r\n2,50\r\n3,50\r\n",
        "\ufeffepoch,val_accuracy\n1,50\n2,50\n3,50",
        '"epoch","val_accuracy"\n"1","50"\n"2","5e1"\n"3","50.000"\n\n',
        "epoch,val_accuracy\n1, 50\n2 ,50\n3,50\n",
    ],
    ids=["columns swapped", "more columns", "crlf", "bom", "quoted", "spaces"],
)
def test_the_same_curve_written_otherwise(cli, curve, text):
    assert printed(cli, *options(curve(text))) == HEADER + "3,grow,0,2-1-1\n"


def test_an_epoch_that_diverged_is_no_improvement(cli, curve):
    text = "epoch,val_accuracy\n1,50\n2,{}\n3,60\n"
    diverged, flat = (printed(cli, *options(curve(text.format(x)))) for x in ("nan", 0))
    assert diverged == flat


MALFORMED = {
    "empty file": ("", "epoch"),
    "column missing": ("epoch,accuracy\n1,50\n", "val_accuracy"),
    "column twice": ("epoch,val_accuracy,epoch\n1,50,1\n", "epoch"),
    "epoch from 0": ("epoch,val_accuracy\n0,50\n", "'0'"),
    "epoch missing": ("epoch,val_accuracy\n1,50\n3,50\n", "'3'"),
    "epoch twice": ("epoch,val_accuracy\n1,50\n1,50\n", "line 3"),
    "epoch empty": ("epoch,val_accuracy\n,50\n", "line 2"),
    "accuracy missing": ("epoch,val_accuracy\n1,50\n2\n", "line 3"),
    "accuracy empty": ("epoch,val_accuracy\n1,\n", "val_accuracy"),
    "accuracy NaN": ("epoch,val_accuracy\n1,NaN\n", "'NaN'"),
    "accuracy with underscore": ("epoch,val_accuracy\n1,1_0\n", "'1_0'"),
    "digits of another script": ("epoch,val_accuracy\n1,\u0661\n", "val_accuracy"),
    "accuracy negative": ("epoch,val_accuracy\n1,-1\n", "'-1'"),
    "accuracy above 100": ("epoch,val_accuracy\n1,100.01\n", "'100.01'"),
    "decimal comma": ("epoch,val_accuracy\n1,93,48\n", "line 2"),
    "quote not closed": ('epoch,val_accuracy\n1,"50\n', ""),
    "not text": (b"\xff\xfe\x00\x01epoch", "text"),
    "nul bytes": (b"epoch,val_accuracy\n1,5\x000\n", ""),
}


@pytest.mark.parametrize(("content", "part"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_curves_are_reported_in_one_line(mistake, curve, content, part):
    path = curve(content)
    line = mistake(*options(path))
    assert str(path) in line
    assert part in line


def test_a_curve_that_is_not_there(mistake, tmp_path):
    assert "none.csv" in mistake(*options(tmp_path / "none.csv"))
    assert str(tmp_path) in mistake(*options(tmp_path))


@pytest.mark.parametrize(
    ("more", "parts"),
    [
        (["--network", "Basic3ResNet-1-1-1"], ["Basic3ResNet", "depth"]),
        (["--network", "Basic7Net"], ["'Basic7Net'", "Basic3ResNet", "Plain4Net"]),
        (["--seed-depth", "1-1"], ["seed_depth", "'1-1'", "1-1-1"]),
        (["--seed-depth", "1-0-1"], ["seed_depth", "'0'"]),
        (["--K", "0"], ["K: found 0", "allowed"]),
        (["--K", "5", "--J", "4"], ["J: 4", "5"]),
        (["--tau", "-1"], ["tau: found -1", "allowed: greater than 0"]),
        (["--tau", "nan"], ["tau: found nan", "allowed"]),
        (["--tau", "101"], ["tau: found 101", "allowed: less than or equal to 100"]),
    ],
)
def test_impossible_settings_are_reported_in_one_line(mistake, curve, more, parts):
    line = mistake(*options(curve([50]), *more))
    assert all(part in line for part in parts)


SCHEDULES = "policy,K,J,tau,depth,sub_modules,stopped,epochs,first_difference\n"


@pytest.fixture
def finished(tmp_path):
    """Make the folder of a finished run whose growing ended after 15 flat epochs."""

    def make(**settings):
        given = {"kind": "autogrow", "network": "Basic3ResNet", "data": "digits"}
        spec = resolve(parse_spec({**given, "K": 3, "J": 6, **settings}))
        rows = [f"{e},growing,50.0\n" for e in range(1, 16)]
        rows[3:3] = ["3,adaminit,\n"]
        rows += ["16,finetuning,90.0\n"]
        (tmp_path / "metrics.csv").write_text("epoch,phase,val_accuracy\n" + "".join(rows))
        (tmp_path / "spec.yaml").write_text(yaml_text(to_json(spec)))
        write_result(tmp_path, made_up_summary("Basic3ResNet-3-2-2"))
        return tmp_path

    return make


def test_many_schedules_on_the_curve_of_a_finished_run(cli, finished):
    """The fine-tuning's accuracies, which growth never saw, are no part of the curve."""
    told = cli("replay", "--run", finished(), "--K", 3, 5, 1, "--tau", 0.05, 0.5)
    assert told.status == 0
    lines = told.out.removeprefix(SCHEDULES).splitlines()
    assert lines == [
        *("periodic,3,6,0.05,3-2-2,7,yes,15,", "periodic,3,6,0.5,3-2-2,7,yes,15,"),
        *("periodic,5,6,0.05,2-2-2,6,no,15,3", "periodic,5,6,0.5,2-2-2,6,no,15,3"),
        *("periodic,1,6,0.05,4-4-3,11,yes,9,1", "periodic,1,6,0.5,4-4-3,11,yes,9,1"),
    ]
    assert "first_difference" in told.err
    assert "would have" in told.err


def test_by_default_a_run_is_replayed_with_its_own_schedule(cli, finished):
    folder = finished(policy="convergent", J=None, seed_depth="1-2-1")
    out = cli("replay", "--run", folder).out
    assert out.startswith(SCHEDULES + "convergent,3,,0.05,")
    assert out.endswith(",\n")  # no decision differs
    both = cli("replay", "--run", folder, "--policy", "convergent", "--J", 4, 6).out
    assert both == out  # convergent growth has no J


def test_only_a_finished_run_that_grows_or_never_does_has_a_curve_for_schedules(
    mistake, finished, tmp_path
):
    assert "not there" in mistake("replay", "--run", tmp_path)
    folder = finished()
    assert "the run has its own" in mistake("replay", "--run", folder, "--seed-depth", "1-1-1")
    assert "J: 2" in mistake("replay", "--run", folder, "--J", 6, 2)
    settings = {"kind": "morph", "data": "digits", "from": "Basic3ResNet-1-1-1"}
    spec = resolve(parse_spec({**settings, "to": "Basic3ResNet-2-1-1"}))
    (folder / "spec.yaml").write_text(yaml_text(to_json(spec)))
    write_result(folder, made_up_summary("Basic3ResNet-2-1-1"))
    assert "kind: found 'morph'" in mistake("replay", "--run", folder)


def test_a_single_curve_takes_a_single_schedule(mistake, curve):
    assert "K: found [1, 2]" in mistake(*options(curve([50]), "--K", 1, 2))
