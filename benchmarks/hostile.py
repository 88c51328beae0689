"""Texts that a shell would execute or split, in every key of the configuration.

``python -m benchmarks.hostile [SEED [N]]`` gives each text, or N drawn by a seed, to each key, in
a copy of the clone. What is accepted goes into the rules' shell commands, which are carried out
with programs that only note their words. It prints, as JSON, how many texts were given, which
keys accept how many, and what happened to each text that was executed or split.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from autogrow.config.pydantic_errors import validated
from autogrow.errors import UserError
from autogrow.files.yaml import read_yaml, yaml_text

_TOUCH = ["$({})", "`{}`", ";{};", "|{}", "& {} &", "\n{}\n", "';{};'", '";{};"', "'$({})'"]
_TOUCH += ['"$({})"', "$'\\x60{}\\x60'", "<({})", "cpu$({})", "cpu\n{}", "\\';{};#", "\u2028{}"]
HOSTILE = [text.format("touch HIT") for text in _TOUCH]
HOSTILE += ["> HIT", " a\tb ", "*", "~", "~nobody-at-all", "$HOME", "{a,b}", "{run}", "{{run}}"]
HOSTILE += ["{", "#a", "!!", "--help", "%s%n", "\\", "'", '"', "", "\x00", "\x1b[2J", "../HIT"]
HOSTILE += ["x" * 300]

ROOT = Path(__file__).resolve().parents[1]
CLONE = ("Snakefile", "analysis", "autogrow", "config", "slurm", "workflow", "results/paper")
Values = dict[str, Any]
Where = tuple[Any, ...]

CONFIG, SCALE, ROWS = "config", "config/scales/smoke.yaml", "config/experiments.yaml"
WILDCARDS = {"seed": "0", "block": "1", "blocks": "2", "table": "table2"}
PLAIN = """
config:
  {scale: smoke, device: cuda, data_root: a, reference: a, throughput: 1.0e+9,
   cluster: {partition: a, account: a, gpu_type: a, shards: 4, scratch: a}}
config/scales/smoke.yaml:
  {description: a, data: {CIFAR10: {data: digits, stem: small}}, settings: {batch_size: 64},
   epochs: 2, finetune_epochs: 2, T: 4, tau: 5.0, depth: {3-3-3: 1-1-1}, K: {3: 2},
   width: {Basic3ResNet: 2},
   figures: {snapshots: {3: 1}, contour_points: 5, surface_points: 5, row_blocks: 2, images: 9}}
config/experiments.yaml:
  table2:
    title: a
    run: {kind: morph}
    values: [adaminit_uses]
    against: deeper net
    shared: {dataset: CIFAR10, network: Basic3ResNet}
    rows: [{network: Basic3ResNet, shallower: 1-1-1, deeper: 2-2-2, initializer: ZeroInit}]
  figure2:
    title: a
    rows:
      - {dataset: CIFAR10, network: Basic3ResNet, method: AutoGrow, K: 3, fraction: "1.00",
         initializer: GauInit, policy: periodic, learning_rate: constant, seed_net: 1-1-1}
      - {dataset: CIFAR10, network: Basic3ResNet, method: baseline, K: null, depth: 3-3-3}
  figure6:
    title: a
    run: {kind: autogrow}
    rows:
      - {dataset: CIFAR10, network: Basic3ResNet, policy: periodic, panel: a, snapshots: 3}
  figure7:
    title: a
    rows:
      - {dataset: CIFAR10, network: Basic3ResNet, method: baseline, K: null,
         depth_of: {K: 3}, panel: a, directions: 0}
"""
NOTE = '#!/bin/sh\nprintf "%s\\0" "$0" "$@" >> "$NOTES"\necho >> "$NOTES"\n'


def plain() -> dict[str, Values]:
    """Return the content of each file, every key of the models in it."""
    from analysis.experiments.catalogue import TableEntry
    from analysis.experiments.scales import ScaleSettings
    from analysis.experiments.settings import Settings

    given = yaml.safe_load(PLAIN)
    files = [read_yaml(Path(file)) for file in ("config/config.yaml", "slurm/cluster.yaml")]
    cluster = files[1]["cluster"] | given[CONFIG].pop("cluster")
    config = validated(Settings, {**files[0], **given[CONFIG], "cluster": cluster}, CONFIG)
    tables = {name: validated(TableEntry, table, name) for name, table in given[ROWS].items()}
    return {
        CONFIG: config.model_dump(),
        SCALE: validated(ScaleSettings, given[SCALE], SCALE).model_dump(),
        ROWS: {name: table.model_dump() for name, table in tables.items()},
    }


def places(content: Any, path: Where = ()) -> Iterator[Where]:
    """Yield the path of every value of a mapping, and of the values in it."""
    inside = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in inside:
        yield (*path, key)
        if isinstance(value, dict | list | tuple):
            yield from places(value, (*path, key))


def put(content: Any, path: Where, text: str) -> None:
    """Put a text in the place of a value."""
    for key in path[:-1]:
        content = content[key]
    content[path[-1]] = text


def write(contents: dict[str, Values]) -> None:
    """Write the files but config.yaml, whose content is given to Snakemake."""
    for file in (SCALE, ROWS):
        Path(file).write_text(yaml_text(contents[file]))


def load(file: str, contents: dict[str, Values]) -> None:
    """Read one of the files as the workflow does; a UserError tells what is not allowed."""
    from analysis.experiments.catalogue import make_catalogue
    from analysis.experiments.scales import ScaleSettings
    from analysis.experiments.settings import Settings

    if file == CONFIG:
        validated(Settings, contents[CONFIG], CONFIG)
    else:
        scale = validated(ScaleSettings, contents[SCALE], SCALE)
        make_catalogue("smoke", scale, contents[ROWS], Path(ROWS))


def shell_commands(config: Values) -> dict[str, str]:
    """Return the shell command of a job of every rule, as Snakemake makes it."""
    from snakemake.api import SnakemakeApi
    from snakemake.jobs import Job
    from snakemake.settings import types

    with SnakemakeApi(types.OutputSettings(quiet={types.Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=types.ResourceSettings(cores=1),
            config_settings=types.ConfigSettings(config=config),
            storage_settings=types.StorageSettings(),
            snakefile=Path("Snakefile"),
        )
        workflow.dag(types.DAGSettings(targets={"plan"}))
        inside = workflow._workflow
        inside._prepare_dag(False, True, True, nolock=True)
        [run] = inside.globals["CATALOGUE"].asked("directions")
        found = {}
        for rule in (rule for rule in inside.rules if rule.shellcmd):
            figure = "figure2" if rule.name == "figure_data" else "figure6"
            known = {"run": run, "figure": figure, **WILDCARDS}
            job = Job(rule, inside.dag, {name: known[name] for name in rule.wildcard_names})
            inside.dag._jobid[job] = 0
            found[rule.name] = job.shellcmd
            for log in job.log:
                Path(log).parent.mkdir(parents=True, exist_ok=True)
        return found


def carry_out(commands: dict[str, str]) -> dict[str, list[int]]:
    """Return of how many words the programs were called that each rule's command starts."""
    programs = Path("programs").absolute()
    programs.mkdir(exist_ok=True)
    for name in ("python", "autogrow", "torchrun"):
        (programs / name).write_text(NOTE)
        (programs / name).chmod(0o755)
    variables = {"PATH": f"{programs}:{os.environ['PATH']}", "SLURM_CPUS_PER_TASK": "1"}
    script = [f"(set -eu; export NOTES={programs}/of-{r}; {c}\n)" for r, c in commands.items()]
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    words = {"": [done.returncode, done.stderr.count(b"\n")]}
    for notes in programs.glob("of-*"):
        words[notes.name] = [call.count(b"\0") for call in notes.read_bytes().split(b"\0\n")]
        notes.unlink()
    return words


def everywhere(
    base: dict[str, Values], text: str, keys: Sequence[tuple[str, Where]]
) -> dict[str, Values]:
    """Return the contents with a text in all these places, and in the name of a data set."""
    contents = deepcopy(base)
    for file, path in keys:
        put(contents[file], path, text)
    own = Path(f"{text}.npz")
    scale, rows = contents[SCALE], contents[ROWS]["figure2"]["rows"]
    if not re.search("^~|[/\\0]|.{200}", text):
        shutil.copy("own.npz", own)
        scale["data"][text] = {"data": f"npz:./{own}"}
        for row in rows:
            row["dataset"] = text
    return contents


def main(seed: str | None = None, count: str = "50") -> int:
    """Try every text, or others drawn by a seed; return 1 if one was executed or split."""
    drawn = random.Random(seed)
    texts = ["".join(drawn.sample(HOSTILE, 3)) for _ in range(int(count))] if seed else HOSTILE
    with tempfile.TemporaryDirectory() as folder:
        for part in CLONE:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            (Path(folder) / part).parent.mkdir(exist_ok=True)
            copy(ROOT / part, Path(folder) / part)
        os.chdir(folder)
        sys.path.insert(0, folder)  # before anything of analysis is imported
        return _try_all(texts)


def _try_all(texts: Sequence[str]) -> int:
    base = plain()
    images, labels = np.zeros((4, 8, 8), np.uint8), np.arange(4) % 2
    np.savez("own.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    write(base)
    load(SCALE, base)
    expected = carry_out(shell_commands(base[CONFIG]))
    known = {*Path().iterdir()}
    accepted: Counter[str] = Counter()
    bad: list[str] = []
    keys = [(file, path) for file in base for path in places(base[file])]
    for text in texts:
        taken = []
        for file, path in keys:
            content = base[file]
            if file == ROWS:  # a table at a time: what is read is shorter
                content = {path[0]: content[path[0]]}
            content = deepcopy(content)
            put(content, path, text)
            if file == CONFIG and path[0] != "cluster":  # a cluster allows fewer devices
                content["cluster"] = None
            try:
                load(file, {**base, file: content})
                taken.append((file, path))
            except UserError as error:
                if "allowed" not in str(error):
                    bad.append(f"{text!r}: {error}")
        accepted.update(".".join(map(str, (file, *path))) for file, path in taken)
        contents = everywhere(base, text, taken)
        try:
            write(contents)
            load(CONFIG, contents)
            words = carry_out(shell_commands(contents[CONFIG]))
        except UserError as error:
            bad.append(f"{text!r}: together: {error}")
            continue
        described = json.loads(Path("results/out/smoke/specs/figure2.json").read_text())[
            "description"
        ]
        new = {f.name for f in {*Path().iterdir()} - known} - {f"{text}.npz"}
        if words != expected or new or described != text:
            bad.append(f"{text!r}: {words}, not {expected}; {described!r}; {new}")
        known |= {*Path().iterdir()}
        write(base)
    given = len(keys) * len(texts)
    print(json.dumps({"given": given, "accepted": accepted, "bad": bad}))
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
