"""``python -m analysis COMMAND``: tables, figures, comparison and the plan.

Needs a clone of the repository: it reads ``config/`` and ``results/``. The modules of a
command are imported when it is used, so that a table does not wait for matplotlib.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from analysis.commandline import USER_ERROR

COMMANDS = {
    "table": ("analysis.tables.build", "write a table from finished runs"),
    "figure-data": ("analysis.figures.figure_data", "write a figure's CSV from finished runs"),
    "figure": ("analysis.figures.draw", "draw a figure from its CSV"),
    "trajectory": ("analysis.landscapes.trajectories", "evaluate the plane of a trajectory"),
    "surface": ("analysis.landscapes.surfaces", "evaluate a loss surface"),
    "compare": ("analysis.reference.compare", "compare tables with a reference"),
    "promote": ("analysis.reference.promote", "make tables the committed reference"),
    "plan": ("analysis.jobs.plan", "list what there is to run, and its cost"),
    "reproduce": ("analysis.jobs.reproduce", "run the whole workflow, and show its progress"),
    "unlock": ("analysis.jobs.unlock", "remove the lock of a Snakemake that was killed"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 2 for a mistake of the user's."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given and given[0] in COMMANDS:
        status: int = import_module(COMMANDS[given[0]][0]).main(given[1:])
        return status
    if given in (["-h"], ["--help"]):
        print("usage: python -m analysis COMMAND [--help] ...\n")
        for name, (_, text) in COMMANDS.items():
            print(f"  {name:12} {text}")
        return 0
    found = repr(given[0]) if given else "none"
    print(
        f"python -m analysis: error: COMMAND: found {found}; allowed: {', '.join(COMMANDS)}",
        file=sys.stderr,
    )
    return USER_ERROR


if __name__ == "__main__":
    sys.exit(main())
