"""The live line of a run on a terminal: fresh, resumed, and the time left."""

import errno
import io
import re
import sys
from unittest.mock import Mock

import pytest
from run_results import metrics
from terminals import under_a_terminal

from autogrow.process.terminal import Screen, duration
from autogrow.training.reporter import Reporter
from autogrow.training.standing import Standing, recent_seconds


@pytest.mark.parametrize(
    ("kind", "epochs"), [("grow", ["--finetune-epochs", "40"]), ("morph", ["--epochs", "20"])]
)
def test_a_run_on_a_terminal_interrupted_and_resumed(tiny, tmp_path, kind, epochs):
    """The percentage never falls, and appears only once the number of epochs is known."""
    options = [a for a in getattr(tiny, kind) if a != "--quiet"] + epochs
    command = [sys.executable, "-m", "autogrow", *options, "--out", tmp_path / "run"]
    first = under_a_terminal(command, interrupt_at=r"\(\d\d %\)[^\r]*left")
    assert first.status == 130
    assert "Traceback" not in first.told
    second = under_a_terminal(command)
    assert second.status == 0, second.told
    assert "continuing after epoch" in second.states[0]
    if kind == "grow":
        growing = [s for s in first.states if "growing" in s]
        assert growing
        assert all("of at least" in s and "(" not in s for s in growing)
    for told in (first, second):
        percentages = [int(p) for s in told.states for p in re.findall(r"\((\d+) %\)", s)]
        assert percentages == sorted(percentages)
        assert any(re.search(r"batch \d+/\d+, \w+ [\d-]+, val accuracy", s) for s in told.states)
        assert any(re.search(r"\d:\d\d left(\^C)?$", s) for s in told.states)
    row = metrics(tmp_path / "run")[-1]
    assert second.states[-2] == (
        f"epoch {row['epoch']} of {row['epoch']} (100 %), {row['phase']} {row['depth']}, "
        f"val accuracy {float(row['val_accuracy']):.2f} %"
    )


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ({}, None),
        ({"seconds": 26.0}, 5 * 26),
        ({"seconds": 26.0, "batch": 1, "batches": 10, "elapsed": 6.0}, 5 * 26 - 6),
        ({"seconds": 26.0, "batch": 5, "batches": 10, "elapsed": 50.0}, 5 * 100 - 50),
    ],
)
def test_time_left_is_of_recorded_epochs_and_follows_a_slower_machine(more, left):
    assert Standing(10, 15, "training", "1-1-1", **more).seconds_left() == left


def test_words_of_a_standing():
    assert str(Standing(0, 5, "training", "1-1-1")) == "epoch 0 of 5 (0 %), training 1-1-1"
    assert str(Standing(3, 12, "growing", "2-1-1", 61.5, 2.0)) == (
        "epoch 3 of at least 12, growing 2-1-1, val accuracy 61.50 %, at least 0:18 left"
    )
    spans = {0: "0:00", 67: "1:07", 3600 * 3 + 5: "3:00:05", 86400 * 4 + 3600: "4 days 1 h"}
    assert [duration(seconds) for seconds in spans] == list(spans.values())
    assert recent_seconds([]) is None
    assert recent_seconds([100, 1, 2, 3]) == 2


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_line_is_renewed_a_few_times_a_second_at_most(tmp_path, monkeypatch):
    clock = iter([100.0, 100.1, 100.2, 100.3])
    monkeypatch.setattr("autogrow.training.reporter.time.monotonic", lambda: next(clock))
    monkeypatch.setattr(sys, "stderr", Terminal())
    with Reporter(tmp_path) as reporter:
        for epoch in range(4):
            reporter.standing(lambda epoch=epoch: Standing(epoch, 5, "training", "1-1-1"))
    assert re.findall(r"epoch (\d)", sys.stderr.getvalue()) == ["0", "3"]


def test_a_screen_keeps_what_is_said_above_and_cuts_what_is_shown():
    terminal = Terminal()
    screen = Screen(terminal)
    screen.show(["x" * 200, "second"])
    screen.say("stays")
    screen.close()
    shown = "x" * 79 + "\nsecond"
    assert terminal.getvalue() == f"{shown}\x1b[1A\r\x1b[Jstays\n{shown}\n"


def test_a_closed_terminal_is_no_reason_to_end(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(terminal, "write", Mock(side_effect=BrokenPipeError(errno.EPIPE, "")))
    screen = Screen(terminal)
    screen.say("nobody listens")
    screen.say("nobody listens")
    assert terminal.write.call_count == 1
