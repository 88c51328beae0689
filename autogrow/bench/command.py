"""The command ``autogrow bench``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from autogrow.cli import positive


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give the parser the command's options, and what carries them out."""
    parts = (
        *("throughput", "agreement", "growing", "autogrow", "snapshots", "startup", "workflow"),
    )
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
        help="what the part workflow makes anew (default: smoke)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("results/out/bench"), help="default: results/out/bench"
    )
    parser.set_defaults(command=_bench)


def _bench(options: argparse.Namespace) -> None:
    from autogrow.memory import keep_memory

    keep_memory()
    import torch

    from autogrow.bench.report import Options, run_benchmarks
    from autogrow.execution import Execution, find_device

    if options.threads is not None:
        torch.set_num_threads(options.threads)
    settings = Options(
        pairs=options.pairs,
        device=str(find_device(Execution(device=options.device))),
        threads=torch.get_num_threads(),
        precision=options.precision,
        compiled=options.compile,
        scale=options.scale,
        folder=options.out,
    )
    sys.stdout.write(run_benchmarks(options.parts, settings))
