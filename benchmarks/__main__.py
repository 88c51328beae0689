"""``python -m benchmarks``: speed and memory against an everyday training loop."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from autogrow.cli.exit_status import exit_status
from autogrow.cli.options import OneLineParser, positive


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks and return the exit status."""
    parser = OneLineParser(
        prog="python -m benchmarks",
        description="Measure speed and memory against an everyday training loop.",
    )
    parts = ("throughput", "agreement", "growing", "autogrow", "snapshots", "startup", "workflow")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts, help="default: all")
    parser.add_argument("--pairs", type=positive, default=5, metavar="N", help="default: 5")
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda or cuda:N")
    parser.add_argument(
        "--threads", type=positive, metavar="N", help="CPU threads (default: torch's)"
    )
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="fp32")
    parser.add_argument("--compile", action="store_true", help="compile the engine's sub-modules")
    parser.add_argument(
        "--scale",
        choices=("smoke", "mini"),
        default="smoke",
        help="scale that the part workflow rebuilds (default: smoke)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("results/out/bench"), help="default: results/out/bench"
    )
    options = parser.parse_args(arguments)
    return exit_status("python -m benchmarks", lambda: _bench(options))


def _bench(options: argparse.Namespace) -> int:
    from autogrow.process.memory import keep_memory

    keep_memory()
    import torch

    from autogrow.process.device import find_device
    from benchmarks.suite import Options, run_benchmarks

    if options.threads is not None:
        torch.set_num_threads(options.threads)
    settings = Options(
        pairs=options.pairs,
        device=str(find_device(options.device)),
        threads=torch.get_num_threads(),
        precision=options.precision,
        compiled=options.compile,
        scale=options.scale,
        folder=options.out,
    )
    sys.stdout.write(run_benchmarks(options.parts, settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
