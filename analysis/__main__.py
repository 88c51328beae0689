"""``python -m analysis COMMAND``: tables, figures, comparison and the plan.

It needs a clone of the repository, because it reads ``config/`` and ``results/``. A command's
modules are imported when it is used, so that a table does not wait for matplotlib.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from autogrow.cli.exit_status import USER_ERROR, exit_status

COMMANDS = {
    "table": ("analysis.tables.build", "write a table from finished runs"),
    "figure-data": ("analysis.figures.figure_data", "write a figure's CSV from finished runs"),
    "figure": ("analysis.figures.draw", "draw a figure from its CSV"),
    "trajectory": ("analysis.landscapes.trajectories", "evaluate the plane of a trajectory"),
    "surface": ("analysis.landscapes.surfaces", "evaluate a loss surface"),
    "compare": ("analysis.reference.compare", "compare tables with a reference"),
    "levelling": ("analysis.results.levelling", "say whether finished runs had levelled off"),
    "claims": ("analysis.claims.show", "list the claims of the paper, and how they are judged"),
    "judge": ("analysis.claims.judge", "judge the claims by finished runs"),
    "report": ("analysis.report.build", "write one page on runs, tables, figures and verdicts"),
    "archive": ("analysis.records.archive", "pack finished runs, unpack or check archives"),
    "promote": ("analysis.reference.promote", "make tables the committed reference"),
    "rebuild": ("analysis.rebuild", "rebuild tables, figures and verdicts from archives"),
    "plan": ("analysis.jobs.plan", "list what there is to run, and its cost"),
    "reproduce": ("analysis.jobs.reproduce", "run the whole workflow, and show its progress"),
    "unlock": ("analysis.jobs.unlock", "remove the lock of a Snakemake that was killed"),
}
"""Module and purpose of each command; a module offers ``add_options`` and ``run``."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 2 for a mistake of the user's."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    name = f"analysis {given[0]}" if given and given[0] in COMMANDS else "python -m analysis"
    return exit_status(name, lambda: _carry_out(given), last=arguments is None)


def _carry_out(given: Sequence[str]) -> int | None:
    if given in (["-h"], ["--help"]):
        print("usage: python -m analysis COMMAND [--help] ...\n")
        for name, (_, text) in COMMANDS.items():
            print(f"  {name:12} {text}")
        return 0
    if not given or given[0] not in COMMANDS:
        found = repr(given[0]) if given else "none"
        message = f"COMMAND: found {found}; allowed: {', '.join(COMMANDS)}"
        print(f"python -m analysis: error: {message}", file=sys.stderr)
        return USER_ERROR
    name, *rest = given
    from analysis.commandline import Parser

    try:
        command = import_module(COMMANDS[name][0])
    except ModuleNotFoundError as error:
        message = f"{error.name} is not installed; allowed: make install, or pip install '.[suite]'"
        print(f"analysis {name}: error: {message}", file=sys.stderr)
        return USER_ERROR
    parser = Parser(
        prog=f"python -m analysis {name}",
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_options(parser)
    status: int | None = command.run(parser.parse_args(rest))
    return status


if __name__ == "__main__":
    from autogrow.process.fork_client import forked
    from autogrow.process.memory import keep_memory

    status = forked("analysis", sys.argv[1:])
    if status is None:
        keep_memory()  # before torch is imported
        status = main()
    sys.exit(status)
