"""Each side in a process of its own, as it would be used.

The engine's memory settings must not help the reference loop, nor one side's
peak count for the other. The parent writes a word a line (``train``,
``evaluate``, ``memory``), the child answers with a line of JSON when it is done.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import asdict
from typing import Any, Self

from benchmarks.sides import Case


class SideProcess:
    """A side in a child process; a context manager.

    Parameters
    ----------
    side
        ``engine`` or ``reference``.
    case
        Network and images.
    settings
        ``device``, ``threads``, and for the engine ``precision`` and ``compiled``.
    """

    def __init__(self, side: str, case: Case, settings: dict[str, Any]) -> None:
        given = json.dumps({"side": side, "case": asdict(case), **settings})
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.side_process", given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdin is not None  # both are pipes
        assert self.process.stdout is not None
        self._words, self._answers = self.process.stdin, self.process.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._words.close()
        self.process.wait()

    def do(self, word: str) -> Any:
        """Have the child do something, wait for it, and return its answer."""
        self._words.write(word + "\n")
        self._words.flush()
        answer = self._answers.readline()
        if not answer:
            raise RuntimeError(f"a benchmark's process ended with status {self.process.wait()}")
        return json.loads(answer)


def _peak_memory(device: Any) -> int:
    """Return the most memory in bytes this process has had: the GPU's, or resident."""
    import torch

    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Build the side that the first argument describes and answer until the input ends."""
    given = json.loads(sys.argv[1])
    case = Case(**given["case"])
    if given["side"] == "engine":
        from autogrow.process.memory import keep_memory

        keep_memory()
    import torch

    from benchmarks.sides import Engine, Reference

    torch.set_num_threads(given["threads"])
    device = torch.device(given["device"])
    if given["side"] == "engine":
        side: Any = Engine(case, device, given["precision"], given["compiled"])
    else:
        side = Reference(case, device)
    for line in sys.stdin:
        word = line.strip()
        answer = _peak_memory(device) if word == "memory" else getattr(side, word)()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
