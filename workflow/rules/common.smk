# The configuration, checked, and the catalogue of runs; helpers for the other rules.

import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, workflow.basedir)

from analysis.experiments.catalogue import load_catalogue
from analysis.experiments.row_files import to_json
from analysis.jobs.resources import cpu_resources, landscape_resources, run_resources
from analysis.experiments.settings import Settings, prepare_environment
from analysis.experiments.table_checks import check_targets
from analysis.records.unpacking import has_other_settings, is_unpacked
from analysis.tables.paper_numbers import check_paper_numbers
from autogrow.config.pydantic_errors import validated
from autogrow.errors import UserError
from autogrow.files.seals import UNPACKED

try:
    SETTINGS = validated(Settings, config, "config")
    prepare_environment(SETTINGS)
    CATALOGUE = load_catalogue(
        SETTINGS.scale, sources=SETTINGS.data_source, protocol=SETTINGS.protocol
    )
    check_targets(CATALOGUE.tables, Path(workflow.basedir))
    check_paper_numbers(CATALOGUE)
except UserError as error:
    raise WorkflowError(str(error)) from None

if CATALOGUE.left_out:
    names = ", ".join(CATALOGUE.left_out)
    message = (
        f"scale {SETTINGS.scale}: rows of {names} are left out: the data is not there"
    )
    print(message, file=sys.stderr)

# Snakemake fills wildcards into this path, which is absolute: braces in it are doubled.
ENVIRONMENT = str(Path(workflow.basedir, "environment.yml"))
ENVIRONMENT = ENVIRONMENT.replace("{", "{{").replace("}", "}}")
OUT = str(SETTINGS.folder)
LANDSCAPE = f"{OUT}/landscapes/{{run}}/seed{{seed}}"
SEEDS = SETTINGS.seeds
TABLES = CATALOGUE.table_names
FIGURES = [name for name in CATALOGUE.tables if name not in TABLES]
# Those with trajectories, whose contours are a CSV of their own.
CONTOURED = [
    name
    for name in FIGURES
    if any(row.panel.snapshots is not None for row in CATALOGUE.tables[name].rows)
]
GRIDS = CATALOGUE.settings.figures
IMAGES = [] if GRIDS.images is None else ["--images", str(GRIDS.images)]
DIRECTIONS = CATALOGUE.asked("directions")
PUBLISHED = {
    "figure3": ["results/paper/manual_search.csv", "results/paper/found_nets.csv"],
    "figure4": ["results/paper/resnets.csv", "results/paper/found_nets.csv"],
}
REFERENCE = str(SETTINGS.reference_folder)
# A reference may be older than a table; `isfile` is False, too, where no system has such a path.
COMPARED = [name for name in TABLES if os.path.isfile(f"{REFERENCE}/{name}.csv")]
TABLE_OPTIONS = shlex.join(
    ["--folder", OUT, "--accuracy", SETTINGS.accuracy] + ["--seeds", *map(str, SEEDS)]
)


def campaign_options(wildcards):
    """Which runs a job is about, as arguments.

    A function, in whose value Snakemake takes no braces for wildcards.
    """
    sources = map("=".join, SETTINGS.data_source.items())
    return shlex.join(
        ["--scale", SETTINGS.scale, "--folder", OUT, "--protocol", SETTINGS.protocol]
        + ["--seeds", *map(str, SEEDS), "--data-source", *sources]
    )


wildcard_constraints:
    seed="[0-9]+",
    block="[0-9]+",
    blocks="[0-9]+",


def summaries(run_ids):
    """Summaries of the runs, for every seed."""
    return [
        f"{OUT}/runs/{run}/seed{seed}/summary.json" for run in run_ids for seed in SEEDS
    ]


def summaries_of(tables):
    """Summaries of every run that tables need, each once."""
    runs = dict.fromkeys(run for name in tables for run in CATALOGUE.tables[name].runs)
    return summaries(runs)


def paper_numbers(table):
    """The paper's numbers for a table, if it has such a table."""
    file = f"results/paper/{table}.csv"
    return [file] if os.path.isfile(file) else []


def figure_data_files(figures):
    """The CSVs that figures are drawn from."""
    return [
        f"{OUT}/figures/{name}{suffix}.csv"
        for name in figures
        for suffix in ([""] + (["_contour"] if name in CONTOURED else []))
    ]


def figure_sources(figures):
    """All that the CSVs of figures are made from, each file once.

    Landscapes are those of the lowest seed, as analysis.figures takes them.
    """
    files = []
    for row in (row for name in figures for row in CATALOGUE.tables[name].rows):
        for seed in [min(SEEDS)] if row.panel.landscape else SEEDS:
            files += [
                f"{OUT}/runs/{run}/seed{seed}/{file}"
                for run in row.runs.values()
                for file in ("summary.json", "metrics.csv")
            ]
        run = row.runs["main"]
        landscape = f"{OUT}/landscapes/{run}/seed{min(SEEDS)}"
        if row.panel.snapshots is not None:
            files += [
                f"{landscape}/trajectory/{file}"
                for file in ("trajectory.csv", "plane.json", "contour.csv")
            ]
        if row.panel.directions is not None:
            files.append(f"{landscape}/surface/surface.csv")
    return list(dict.fromkeys(files))


def source_folders(wildcards):
    """Folders of the runs that give this one its depth or budget, by `autogrow`'s options."""
    sources = CATALOGUE.runs[wildcards.run].sources
    return {
        option: f"{OUT}/runs/{run}/seed{wildcards.seed}"
        for option, run in sources.items()
    }


def source_summaries(wildcards):
    """Summaries of the runs that give this one its depth or budget, if any."""
    folders = dict.fromkeys(source_folders(wildcards).values())
    return [f"{folder}/summary.json" for folder in folders]


def code_of(*chapters):
    """Source files of chapters of `analysis`: tables or figures are remade when they change."""
    return sorted(
        str(file) for name in chapters for file in Path("analysis", name).glob("*.py")
    )


def handed_over(kind):
    """Shell commands that write a text of the params to their file, for the job to read."""
    file = f"{{params.{kind}_file:q}}"
    return f'mkdir -p "$(dirname {file})"; printf %s {{params.{kind}:q}} > {file};'


def rows_of(name):
    """The rows of a table or figure as JSON, by a wildcard that names it."""
    return lambda wildcards: to_json(CATALOGUE, wildcards[name])


def job_spec(wildcards):
    """The complete spec of the run as YAML.

    A function of the wildcards alone: Snakemake notices changed params only if they do
    not depend on the inputs.
    """
    shared = {
        "seed": int(wildcards.seed),
        "protocol": SETTINGS.protocol,
        "precision": SETTINGS.precision,
        **dict(SETTINGS.choices),
    }
    return CATALOGUE.runs[wildcards.run].job_spec(shared)


def taken(wildcards):
    """Where a run takes its depth and its budget from, as `autogrow` arguments."""
    return shlex.join(
        word for pair in source_folders(wildcards).items() for word in pair
    )


def other_settings(wildcards):
    """The note that a run is from an archive, if its settings there were others than now.

    It is younger than the run's summary, so that the run is trained again.
    """
    folder = Path(run_folder(wildcards))
    if is_unpacked(folder) and has_other_settings(folder, job_spec(wildcards)):
        return [str(folder / UNPACKED)]
    return []


def asked_for(resources):
    """What a kind of job asks for, as resources of a rule: functions of the wildcards."""

    def of(name):
        return lambda wildcards, threads: resources(
            SETTINGS, CATALOGUE.runs[wildcards.run].spec, threads
        )[name]

    example = next(iter(CATALOGUE.runs.values()))
    return {name: of(name) for name in resources(SETTINGS, example.spec, 1)}


def run_folder(wildcards):
    """The folder of the run that a job is about."""
    return f"{OUT}/runs/{wildcards.run}/seed{wildcards.seed}"


def blocks_of(grid):
    """The blocks of rows that a grid of a landscape is gathered from."""
    number = GRIDS.row_blocks
    return [
        f"{LANDSCAPE}/{grid}/blocks/{block + 1}-of-{number}.csv"
        for block in range(number)
    ]


def surface_grid(wildcards):
    """The grid and directions of a run's loss surface as arguments, of the wildcards alone."""
    directions = ["--seed", str(DIRECTIONS[wildcards.run])]
    return shlex.join([*directions, "--points", str(GRIDS.surface_points), *IMAGES])
