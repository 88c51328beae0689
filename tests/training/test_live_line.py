"""The live line of a run on a terminal: fresh, resumed, and the time left."""

import re
import sys

import pytest
from run_results import metrics
from terminals import under_a_terminal

from autogrow.process.terminal import Screen, duration
from autogrow.training.reporter import Reporter
from autogrow.training.standing import Standing, recent_seconds


def percentages(states):
    found = (re.search(r"\((\d+) %\)", state) for state in states)
    return [int(match[1]) for match in found if match]


@pytest.mark.parametrize("kind", ["grow", "morph"])
def test_a_run_on_a_terminal_interrupted_and_resumed(tiny, tmp_path, kind):
    """The percentage never falls, and appears only once the number of epochs is known."""
    options = [a for a in getattr(tiny, kind) if a != "--quiet"]
    options += ["--epochs", "20"] if kind == "morph" else ["--finetune-epochs", "40"]
    command = [sys.executable, "-m", "autogrow", *options, "--out", tmp_path / "run"]
    first = under_a_terminal(command, interrupt_at=r"\(\d\d %\)")
    assert first.status == 130
    assert "Traceback" not in first.told
    second = under_a_terminal(command)
    assert second.status == 0, second.told
    rows = metrics(tmp_path / "run")
    assert "continuing after epoch" in second.states[0]
    if kind == "grow":
        growing = [s for s in first.states if "growing" in s]
        assert growing
        assert all("of at least" in s and "(" not in s for s in growing)
    for told in (first, second):
        assert percentages(told.states) == sorted(percentages(told.states))
        assert any(re.search(r"batch \d+/\d+, \w+ [\d-]+, val accuracy", s) for s in told.states)
        assert any(re.search(r"\d:\d\d left$", s) for s in told.states)
    last = f"epoch {rows[-1]['epoch']} of {rows[-1]['epoch']} (100 %), {rows[-1]['phase']} "
    last += f"{rows[-1]['depth']}, val accuracy {float(rows[-1]['val_accuracy']):.2f} %"
    assert second.states[-2] == last


def test_time_left_is_of_recorded_epochs_and_follows_a_slower_machine():
    standing = Standing(10, 15, "training", "1-1-1", seconds=26.0)
    assert standing.seconds_left() == 5 * 26
    begun = Standing(10, 15, "training", "1-1-1", None, 26.0, batch=1, batches=10, elapsed=6.0)
    assert begun.seconds_left() == 5 * 26 - 6
    slower = Standing(10, 15, "training", "1-1-1", None, 26.0, batch=5, batches=10, elapsed=50.0)
    assert slower.seconds_left() == 5 * 100 - 50
    assert Standing(10, None, "growing", "1-1-1", seconds=26.0).seconds_left() is None
    assert Standing(0, 5, "training", "1-1-1").seconds_left() is None
    assert recent_seconds([]) is None
    assert recent_seconds([100, 1, 2, 3]) == 2


def test_words_of_a_standing():
    assert str(Standing(0, 5, "training", "1-1-1")) == "epoch 0 of 5 (0 %), training 1-1-1"
    growing = Standing(3, 12, "growing", "2-1-1", 61.5, 2.0)
    assert str(growing) == (
        "epoch 3 of at least 12, growing 2-1-1, val accuracy 61.50 %, at least 0:18 left"
    )
    assert [duration(s) for s in (0, 67, 3600 * 3 + 5, 86400 * 4 + 3600)] == [
        "0:00", "1:07", "3:00:05", "4 days 1 h",
    ]  # fmt: skip


class Terminal:
    def __init__(self):
        self.told = []

    def isatty(self):
        return True

    def fileno(self):
        raise OSError

    def write(self, text):
        self.told.append(text)

    def flush(self):
        pass


def test_the_line_is_renewed_a_few_times_a_second_at_most(tmp_path, monkeypatch):
    clock = iter([100.0, 100.1, 100.2, 100.3])
    monkeypatch.setattr("autogrow.training.reporter.time.monotonic", lambda: next(clock))
    monkeypatch.setattr(sys, "stderr", Terminal())
    asked = []

    def standing():
        asked.append(1)
        return Standing(0, 5, "training", "1-1-1")

    with Reporter(tmp_path) as reporter:
        for _ in range(4):
            reporter.standing(standing)
    assert len(asked) == 2


def test_a_screen_keeps_what_is_said_above_and_cuts_what_is_shown(monkeypatch):
    terminal = Terminal()
    screen = Screen(terminal)
    screen.show(["x" * 200, "second"])
    screen.say("stays")
    screen.close()
    told = terminal.told
    assert told[0] == "x" * 79 + "\nsecond"
    assert told[1].startswith("\x1b[1A\r\x1b[Jstays\nxxx")
    assert told[-1] == "\n"
