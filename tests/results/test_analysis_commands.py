"""``python -m analysis COMMAND``: what it offers, and what starting it costs."""

import subprocess
import sys

import pytest

from analysis.__main__ import COMMANDS, main
from analysis.experiments.scales import ROOT


def test_help_names_every_command(call):
    told = call(main, "--help")
    assert told.status == 0
    for name, (_, purpose) in COMMANDS.items():
        assert name in told.out
        assert purpose in told.out


@pytest.mark.parametrize("arguments", [[], ["tables"], ["--what"]])
def test_an_unknown_command_is_told_with_those_that_are_allowed(call, arguments):
    told = call(main, *arguments)
    assert (told.status, told.out, told.err.count("\n")) == (2, "", 1)
    assert f"allowed: {', '.join(COMMANDS)}" in told.err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_tells_a_mistake_in_one_line(call, name):
    told = call(main, name, "--help")
    assert (told.status, told.err) == (0, "")
    assert told.out.startswith(f"usage: python -m analysis {name} ")
    told = call(main, name, "--what")
    assert (told.status, told.out, told.err.count("\n")) == (2, "", 1)


def test_no_command_imports_torch_before_it_needs_it():
    code = """if True:
        import sys
        from contextlib import suppress
        from analysis.__main__ import COMMANDS, main
        for name in COMMANDS:
            with suppress(SystemExit):
                main([name, "--help"])
        sys.exit("torch" in sys.modules)"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.DEVNULL)
    assert done.returncode == 0


def test_a_package_of_the_suite_that_is_not_installed(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "analysis.figures.draw", None)
    told = call(main, "figure", "--help")
    assert (told.status, told.err.count("\n")) == (2, 1)
    assert "pip install '.[suite]'" in told.err
