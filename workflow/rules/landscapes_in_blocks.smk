# The loss around networks (Figures 5 to 7), in blocks of rows that run side by side.


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
