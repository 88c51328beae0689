"""A run's folder before and after training: checked, opened, cleared and tidied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autogrow.config.execution import Execution
from autogrow.config.resolved import ResolvedSpec
from autogrow.config.shared_settings import RunSpec
from autogrow.config.spec import GivenSpec, to_json
from autogrow.errors import UserError, shown
from autogrow.files.reading import require_file
from autogrow.files.seals import UNPACKED, seal_file
from autogrow.files.writing import write_bytes
from autogrow.files.yaml import read_yaml, yaml_text
from autogrow.process.distributed import World
from autogrow.runs.event_files import remove_event_files
from autogrow.runs.folder import GROWTH, SPEC, WEIGHTS, finished, read_result
from autogrow.runs.frontier import FRONTIER, FRONTIER_PICTURE
from autogrow.runs.measurements import MEASUREMENTS
from autogrow.runs.summary import SUMMARY, Summary
from autogrow.training.metrics import METRICS
from autogrow.training.reporter import LOG, Reporter
from autogrow.training.unfinished import MICRO_BATCH, remove_checkpoints

FILES = (
    *(seal_file(Path(SUMMARY)).name, SUMMARY, WEIGHTS, METRICS, GROWTH, SPEC),
    *(MICRO_BATCH, UNPACKED, MEASUREMENTS, FRONTIER, FRONTIER_PICTURE),
)


def refuse_objects(folder: Path, spec: RunSpec) -> None:
    """Refuse the spec of a run that needs objects of Python: its folder or file has none."""
    if isinstance(spec, GivenSpec) or spec.architecture.own:
        objects = spec.given if isinstance(spec, GivenSpec) else ("network",)
        raise UserError(
            f"{folder}: this run is of objects of Python ({', '.join(objects)}), which no file "
            "has; allowed: to call autogrow.grow with them"
        )


def prepare_folder(
    folder: Path, spec: ResolvedSpec, execution: Execution, world: World
) -> Summary | None:
    """Check the folder, clear it if asked to; return the summary if the run is finished.

    The run of another spec that is not to be replaced is a UserError, and so is a finished
    run with a damaged file or without a seal.
    """

    def say(message: str) -> None:
        with Reporter(folder, quiet=execution.quiet) as reporter:
            reporter.say(message)

    if world.first:
        _require_files(folder)
        differing = _differing(folder, spec)
        if differing and not execution.replace:
            raise UserError(
                f"{folder}: holds a run of another spec ({differing}); "
                "use another folder, or discard that run with --replace"
            )
        if differing:
            say(f"{folder}: the run of another spec ({differing}) is discarded by --replace")
        if differing or execution.restart:
            _clear_folder(folder)
        try:
            seal = finished(folder)
            if seal is not None:
                seal.check()
        except UserError as error:
            if not execution.replace:
                raise
            say(f"{error}; discarded by --replace: the run is trained again")
            _clear_folder(folder)
    world.wait()
    if finished(folder) is None:
        return None
    summary = read_result(folder)
    if world.first:
        remove_remains(folder)  # of a process that was killed at its very end
        say(f"{folder}: this run is complete; nothing to do")
    return summary


def open_folder(folder: Path, spec: ResolvedSpec) -> None:
    """Write spec.yaml into the run's folder, unless it is there."""
    _remove_strays(folder)
    if not (folder / SPEC).exists():
        write_bytes(folder / SPEC, yaml_text(to_json(spec)).encode())


def remove_remains(folder: Path) -> None:
    """Remove what only an unfinished run needs, from the folder of a finished one."""
    remove_checkpoints(folder)
    (folder / MICRO_BATCH).unlink(missing_ok=True)
    _remove_strays(folder)


def _require_files(folder: Path) -> None:
    """Check that what has the name of a run's file is one: no folder, pipe, socket or device."""
    for file in (*(folder / name for name in (*FILES, LOG)), *_numbered(folder)):
        if file.exists():
            require_file(file, "a run's file; move what is there away")


def _differing(folder: Path, spec: ResolvedSpec) -> str:
    """Return in what the run of a folder differs from ``spec``; empty if in nothing."""
    file = folder / SPEC
    if not file.exists():
        return ""
    try:
        require_file(file, "the spec of a run")
        there, here = read_yaml(file), to_json(spec)
        if not isinstance(there, dict):
            raise UserError(f"{file}: is not a run's spec; use another folder")
    except UserError:
        if not seal_file(folder / SUMMARY).exists():  # who knows whose file it is
            raise
        return f"{SPEC} is damaged there"
    keys: list[Any] = sorted({*there, *here}, key=str)
    differing = [k for k in keys if there.get(k) != here.get(k)]
    return ", ".join(
        f"{k} {shown(there.get(k))} there, {shown(here.get(k))} here" for k in differing[:3]
    )


def _remove_strays(folder: Path) -> None:
    """Remove what a process that was killed while writing has left in a run's folder."""
    for place in (folder, folder / "snapshots"):
        # Ours, and those that safetensors writes before it renames them to ours.
        for stray in (*place.glob(".*.tmp"), *place.glob(".tmp*")):
            stray.unlink(missing_ok=True)


def _clear_folder(folder: Path) -> None:
    """Remove everything that a run has left in its folder, except its log."""
    for file in (*(folder / name for name in FILES), *_numbered(folder)):
        file.unlink(missing_ok=True)
    remove_event_files(folder)


def _numbered(folder: Path) -> list[Path]:
    """Return checkpoints and snapshots."""
    return [*folder.glob("checkpoint-*"), *folder.glob("snapshots/*.safetensors")]
