# The configuration, checked, and the catalogue of runs; helpers for the other rules.

import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, workflow.basedir)

from analysis.catalogue import load_catalogue
from analysis.settings import parse_settings, prepare_environment
from autogrow.errors import UserError

try:
    SETTINGS = parse_settings(config, "config")
    CATALOGUE = load_catalogue(SETTINGS.scale)
except UserError as error:
    raise WorkflowError(str(error)) from None

prepare_environment(SETTINGS)
OUT = str(SETTINGS.folder)
SEEDS = SETTINGS.seeds
TABLES = [name for name in CATALOGUE.tables if name.startswith("table")]
FIGURES = [name for name in CATALOGUE.tables if name.startswith("figure")]
REFERENCE = str(SETTINGS.reference_folder)
HAS_REFERENCE = Path(REFERENCE).is_dir()
TABLE_OPTIONS = shlex.join(
    ["--scale", SETTINGS.scale, "--folder", OUT, "--accuracy", SETTINGS.accuracy]
    + ["--seeds", *map(str, SEEDS)]
)


def summaries(run_ids):
    """Summaries of the runs, for every seed."""
    return [
        f"{OUT}/runs/{run}/seed{seed}/summary.json" for run in run_ids for seed in SEEDS
    ]


def summaries_of(tables):
    """Summaries of every run that tables or figures need, each once."""
    runs = dict.fromkeys(run for name in tables for run in CATALOGUE.tables[name].runs)
    return summaries(runs)


def source_summary(wildcards):
    """Summary of the run whose found net this one trains from scratch, if any."""
    source = CATALOGUE.runs[wildcards.run].depth_of
    return [f"{OUT}/runs/{source}/seed{wildcards.seed}/summary.json"] if source else []


def run_command(wildcards):
    """The settings of the run as `autogrow` arguments.

    A function of the wildcards alone: Snakemake notices changed params only if they do
    not depend on the inputs.
    """
    given = {"seed": wildcards.seed, "protocol": SETTINGS.protocol}
    return shlex.join(
        CATALOGUE.runs[wildcards.run].command({**given, **dict(SETTINGS.choices)})
    )


def depth_of(wildcards, input):
    """Where a run takes its depth from, as an `autogrow` argument."""
    return shlex.join(["--depth-of", str(Path(input[0]).parent)]) if input else ""
