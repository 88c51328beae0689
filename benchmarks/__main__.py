"""``python -m benchmarks``: speed and memory against an everyday training loop."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from autogrow.cli.exit_status import exit_status
from autogrow.cli.options import OneLineParser, positive
from autogrow.process.memory import keep_memory

PARTS = ("throughput", "agreement", "growing", "autogrow", "snapshots", "startup", "workflow")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks and return the exit status."""
    parser = OneLineParser(
        prog="python -m benchmarks",
        description="Measure speed and memory against an everyday training loop.",
    )
    add = parser.add_argument
    add("--parts", nargs="+", choices=PARTS, default=PARTS, help="default: all")
    add("--pairs", type=positive, default=5, metavar="N", help="default: 5")
    add("--device", default="cpu", help="cpu (default), cuda or cuda:N")
    add("--threads", type=positive, metavar="N", help="CPU threads (default: torch's)")
    add("--precision", choices=("fp32", "tf32", "bf16"), default="fp32")
    add("--compile", action="store_true", help="compile the engine's sub-modules")
    add("--scale", choices=("smoke", "mini"), default="smoke", help="for the part workflow")
    add("--out", type=Path, default=Path("results/out/bench"), help="default: %(default)s")
    options = parser.parse_args(arguments)
    return exit_status("python -m benchmarks", lambda: _bench(options))


def _bench(options: argparse.Namespace) -> int:
    keep_memory()
    import torch

    from autogrow.process.device import find_device
    from benchmarks.suite import run_benchmarks

    options.device = find_device(options.device, options.threads)
    options.threads = torch.get_num_threads()
    sys.stdout.write(run_benchmarks(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
