# Figures from finished runs: first the loss around networks (Figures 5 to 7), in blocks of
# rows that run side by side; then each figure's CSV; then the picture, from the CSV alone.


# The snapshots are no outputs of the run (Snakemake would delete them before it continues),
# but they are there when its summary is.
rule trajectory_plane:
    input:
        f"{OUT}/runs/{{run}}/seed{{seed}}/summary.json",
        f"{OUT}/runs/{{run}}/seed{{seed}}/weights.safetensors",
    output:
        f"{LANDSCAPE}/trajectory/trajectory.csv",
        f"{LANDSCAPE}/trajectory/plane.safetensors",
        f"{LANDSCAPE}/trajectory/plane.json",
    log:
        f"{OUT}/logs/landscapes/{{run}}/seed{{seed}}/plane.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        **asked_for(cpu_resources),
    params:
        points=GRIDS.contour_points,
        run=run_folder,
        folder=lambda wildcards, output: str(Path(output[0]).parent),
    shell:
        "python -m analysis trajectory --run {params.run:q} --out {params.folder:q}"
        " --part plane --points {params.points} --threads {resources.cpu_threads} > {log:q} 2>&1"


# `--restart`: the first block with new settings removes the blocks with old ones.
rule contour_block:
    input:
        rules.trajectory_plane.input,
        rules.trajectory_plane.output,
    output:
        f"{LANDSCAPE}/trajectory/blocks/{{block}}-of-{{blocks}}.csv",
    log:
        f"{OUT}/logs/landscapes/{{run}}/seed{{seed}}/contour-{{block}}-of-{{blocks}}.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        **asked_for(landscape_resources),
    params:
        command="trajectory",
        grid=shlex.join(IMAGES),
        run=run_folder,
        folder=lambda wildcards, output: str(Path(output[0]).parents[1]),
    shell:
        "python -m analysis {params.command} --run {params.run:q} --out {params.folder:q}"
        " --block {wildcards.block}/{wildcards.blocks} {params.grid} --restart"
        " --device {resources.device} --threads {resources.cpu_threads} > {log:q} 2>&1"


use rule contour_block as surface_block with:
    input:
        rules.trajectory_plane.input,
    output:
        f"{LANDSCAPE}/surface/blocks/{{block}}-of-{{blocks}}.csv",
    log:
        f"{OUT}/logs/landscapes/{{run}}/seed{{seed}}/surface-{{block}}-of-{{blocks}}.log",
    params:
        command="surface",
        grid=surface_grid,


rule contour:
    input:
        rules.trajectory_plane.input,
        rules.trajectory_plane.output,
        blocks=blocks_of("trajectory"),
    output:
        f"{LANDSCAPE}/trajectory/contour.csv",
    log:
        f"{OUT}/logs/landscapes/{{run}}/seed{{seed}}/contour.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        command="trajectory",
        grid=shlex.join(IMAGES),
        blocks=GRIDS.row_blocks,
        run=run_folder,
        folder=lambda wildcards, output: str(Path(output[0]).parent),
    shell:
        "python -m analysis {params.command} --run {params.run:q} --out {params.folder:q}"
        " --gather {params.blocks} {params.grid} > {log:q} 2>&1"


use rule contour as surface with:
    input:
        rules.trajectory_plane.input,
        blocks=blocks_of("surface"),
    output:
        f"{LANDSCAPE}/surface/surface.csv",
    log:
        f"{OUT}/logs/landscapes/{{run}}/seed{{seed}}/surface.log",
    params:
        command="surface",
        grid=surface_grid,


rule figure_data:
    input:
        sources=lambda wildcards: figure_sources([wildcards.figure]),
        published=lambda wildcards: PUBLISHED.get(wildcards.figure, []),
        code=[
            "analysis/figures/figure_data.py",
            "analysis/figures/labelling.py",
            "analysis/figures/null_data.py",
            "analysis/figures/published.py",
            "analysis/landscapes/planefiles.py",
            *code_of("results"),
        ],
    output:
        f"{OUT}/figures/{{figure}}.csv",
    log:
        f"{OUT}/logs/figures/{{figure}}.csv.log",
    wildcard_constraints:
        figure="|".join(sorted({*FIGURES} - {*CONTOURED})),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        options=TABLE_OPTIONS,
        rows=rows_of("figure"),
        rows_file=f"{OUT}/specs/{{figure}}.json",
    shell:
        handed_over("rows")
        + " python -m analysis figure-data {wildcards.figure} --rows {params.rows_file:q}"
        " {params.options} > {log:q} 2>&1"


# The same for figures with contours, which are a second CSV.
use rule figure_data as contoured_figure_data with:
    output:
        f"{OUT}/figures/{{figure}}.csv",
        f"{OUT}/figures/{{figure}}_contour.csv",
    wildcard_constraints:
        figure="|".join(CONTOURED),


rule figure:
    input:
        data=lambda wildcards: figure_data_files([wildcards.figure]),
        code=code_of("figures"),
    output:
        f"{OUT}/figures/{{figure}}.pdf",
        f"{OUT}/figures/{{figure}}.png",
    log:
        f"{OUT}/logs/figures/{{figure}}.log",
    wildcard_constraints:
        figure="|".join(FIGURES),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        folder=lambda wildcards, output: str(Path(output[0]).parents[1]),
    shell:
        "python -m analysis figure {wildcards.figure} --folder {params.folder:q} > {log:q} 2>&1"


# As for tables, the targets name what the CSVs are made from: what was deleted is noticed.
rule figures:
    input:
        expand(
            f"{OUT}/figures/{{figure}}.{{form}}", figure=FIGURES, form=("pdf", "png")
        ),
        figure_data_files(FIGURES),
        figure_sources(FIGURES),


# `snakemake figure6` instead of the file's path.
for name in FIGURES:

    rule:
        name:
            name
        input:
            expand(f"{OUT}/figures/{name}.{{form}}", form=("pdf", "png")),
            figure_data_files([name]),
            figure_sources([name]),
