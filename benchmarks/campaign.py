"""``python -m benchmarks.campaign --seed N --minutes M``: random cases against lost results.

Runs are killed at random moments and continued; finished runs and checkpoints are damaged;
files that a user writes are malformed; hostile texts are given to every key of the workflow.
It prints how many cases of each kind there were. Lost: a result is another, or a damage was
accepted. Unclear: a traceback, a hang, or more than one line for a mistake. Every such case is
named by its kind and number, which draw the same case again with the same seed.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from tabulate import tabulate

from analysis.experiments.catalogue import load_catalogue
from analysis.experiments.scales import CONFIG, ROOT
from analysis.tables.table_files import read_table
from autogrow.cli.options import OneLineParser
from autogrow.config.spec import parse_spec
from autogrow.errors import UserError
from autogrow.files.yaml import read_yaml
from autogrow.runs.curves import read_curve
from autogrow.training.unfinished import checkpoint_files as checkpoints
from benchmarks.disturbing import TRAINED, changed, command, damage, ended, results, start

LOAD = """import sys, autogrow
try: autogrow.load_network(sys.argv[1])
except autogrow.UserError as error: sys.exit(f"error: {error}")"""
STOPS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


class LostError(Exception):
    """A result is another, or a damage was accepted."""


class Campaign:
    """The cases of each kind, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "run"
        self.undisturbed = cache(self._undisturbed)
        self.interrupted = cache(self._interrupted)

    def _undisturbed(self, kind: str) -> tuple[Path, float]:
        """Return the folder of a finished run, and how many seconds it took."""
        out, begin = self.folder / kind, time.monotonic()
        if ended(start(command(kind, out))):
            raise RuntimeError("a run that nobody disturbs fails")
        return out, time.monotonic() - begin

    def _interrupted(self, kind: str) -> Path:
        """Return the folder of a run that was killed when it had two checkpoints."""
        out = self.folder / f"{kind}-interrupted"
        process = start(command(kind, out))
        while process.poll() is None and len(checkpoints(out)) < 2:
            time.sleep(0.001)
        process.kill()
        ended(process, stopped=True)
        return out

    def copied(self, folder: Path) -> Path:
        """Return a copy of a run's folder."""
        shutil.rmtree(self.out, ignore_errors=True)
        return Path(shutil.copytree(folder, self.out))

    def same(self, kind: str) -> None:
        """Check that the run has the results of one that nobody has disturbed."""
        wanted = results(self.undisturbed(kind)[0])
        try:
            found = results(self.out)
        except (OSError, ValueError) as error:
            raise LostError(f"no result: {error}") from None
        other = [str(f) for f in {**found, **wanted} if found.get(f) != wanted.get(f)]
        if other:
            raise LostError(f"another result: {' '.join(other)}")

    def kills(self, rng: random.Random) -> None:
        """Stop a run at random moments, then let it end."""
        kind = rng.choice(TRAINED)
        seconds = self.undisturbed(kind)[1]
        shutil.rmtree(self.out, ignore_errors=True)
        for _ in range(rng.randint(1, 5)):
            process = start(command(kind, self.out))
            with suppress(subprocess.TimeoutExpired):
                process.wait(rng.uniform(0.1, 1.2 * seconds))  # Python itself starts first
            process.send_signal(rng.choice(STOPS))  # does nothing to what has ended
            ended(process, stopped=True)
        if status := ended(start(command(kind, self.out))):
            raise LostError(f"status {status} where it should go on")
        self.same(kind)

    def finished(self, rng: random.Random) -> None:
        """Damage a finished run, and have it verified or read."""
        kind = rng.choice(TRAINED)
        out = self.copied(self.undisturbed(kind)[0])
        files = [f for f in sorted(out.rglob("*")) if f.is_file() and f.name != "log.txt"]
        file = rng.choice(files)
        damage(file, rng)
        deep = self.folder / "deep"
        shutil.rmtree(deep, ignore_errors=True)
        readers: dict[str, tuple[list[object], int, set[str]]] = {
            "verify": (["-m", "autogrow", "verify", out], 1, {f.name for f in files}),
            "again": (command(kind, out), 2, set()),
            "load": (["-c", LOAD, out], 1, {"weights.safetensors"}),
            "depth": ([*command("deep", deep), "--depth-of", out], 2, {"summary.json"}),
        }
        reader = rng.choice([*readers])
        arguments, refused, read = readers[reader]
        status = ended(start(arguments))
        message = f"{reader} gives {status} after a damage of {file.relative_to(out)}"
        unsealed = file.suffix == ".seal" and not file.exists()  # as an older suite's
        if status == 0 and file.name in read and not unsealed:
            raise LostError(message)
        if status == 0 and reader == "again":
            self.same(kind)
        if status not in (0, refused):
            raise RuntimeError(message)

    def checkpoints(self, rng: random.Random) -> None:
        """Damage a checkpoint or both, or put in those of another run, then continue."""
        kind, other = rng.sample(TRAINED, 2)
        out = self.copied(self.interrupted(kind))
        files = checkpoints(out)
        hurt = rng.sample(files, rng.randint(1, len(files)))
        for file in hurt:
            damage(file, rng)
            if rng.random() < 0.3:
                shutil.copy(rng.choice(checkpoints(self.interrupted(other))), file)
        status = ended(start(command(kind, out)))
        if status == 0:
            self.same(kind)
        elif status != 2 or len(hurt) < len(files):
            raise LostError(f"status {status} with {len(hurt)} of {len(files)} checkpoints damaged")

    def inputs(self, rng: random.Random) -> None:
        """Read a user's file after random damages: it is accepted, or gives one line."""
        curve = b"epoch,val_accuracy\n" + b"".join(b"%d,%d.5\n" % (n, 50 + n) for n in range(1, 9))
        spec = self.undisturbed("train")[0] / "spec.yaml"
        table = rng.choice(sorted((ROOT / "results/paper").glob("table*.csv")))
        rows = CONFIG / "experiments.yaml"
        readers: list[tuple[str, bytes, Callable[[Path], object]]] = [
            ("run.yaml", spec.read_bytes(), lambda file: parse_spec(read_yaml(file), str(file))),
            ("curve.csv", curve, read_curve),
            (table.name, table.read_bytes(), read_table),
            (rows.name, rows.read_bytes(), lambda file: load_catalogue("mini", file)),
        ]
        name, content, read = rng.choice(readers)
        for _ in range(rng.randint(1, 4)):
            content = changed(content, rng)
        file = self.folder / name
        file.write_bytes(content)
        try:
            read(file)
        except UserError as error:
            if "\n" in str(error) or name not in str(error):
                raise RuntimeError(f"{error}") from None

    def hostile(self, rng: random.Random) -> None:
        """Give a few texts to every key of the workflow's configuration."""
        process = start(["-m", "benchmarks.hostile", rng.random(), 3])
        if ended(process):
            raise LostError("executed, split or refused: see python -m benchmarks.hostile")


KINDS = {
    "kills": Campaign.kills,
    "finished": Campaign.finished,
    "checkpoints": Campaign.checkpoints,
    "inputs": Campaign.inputs,
    "hostile": Campaign.hostile,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign and print its table; return 1 if a case was lost or unclear."""
    parser = OneLineParser(prog="python -m benchmarks.campaign", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the cases (default: 0)")
    parser.add_argument("--minutes", type=float, default=10, help="default: 10")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=[*KINDS], help="default: all")
    options = parser.parse_args(arguments)
    end = time.monotonic() + 60 * options.minutes
    spent = dict.fromkeys(options.kinds, 0.0)
    counts = {kind: [0, 0, 0] for kind in options.kinds}
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(Path(folder))
        while time.monotonic() < end or not all(count[0] for count in counts.values()):
            kind = min(spent, key=spent.__getitem__)
            case, begin = f"{kind} {counts[kind][0]}", time.monotonic()
            try:
                KINDS[kind](campaign, random.Random(f"{options.seed} {case}"))
            except Exception as error:  # unclear whatever it is
                counts[kind][1 if isinstance(error, LostError) else 2] += 1
                print(f"{case}: {type(error).__name__}: {error!s:.500}", file=sys.stderr)
            counts[kind][0] += 1
            spent[kind] += time.monotonic() - begin
    lines = [[kind, *count] for kind, count in counts.items()]
    lines.append(["all", *map(sum, zip(*counts.values(), strict=True))])
    print(tabulate(lines, ["kind", "cases", "lost", "unclear"], tablefmt="github"))
    return int(any(lines[-1][2:]))


if __name__ == "__main__":
    sys.exit(main())
