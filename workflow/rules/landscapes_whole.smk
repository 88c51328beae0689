# The loss around networks (Figures 5 to 7) where a grid is one block: one job each, because
# starting a process may take longer than a small grid.


# The snapshots are no outputs of the run (Snakemake would delete them before it continues),
# but they are there when its summary is.
rule contour:
    input:
        f"{OUT}/runs/{{run}}/seed{{seed}}/summary.json",
        f"{OUT}/runs/{{run}}/seed{{seed}}/weights.safetensors",
    output:
        f"{LANDSCAPE}/trajectory/trajectory.csv",
        f"{LANDSCAPE}/trajectory/plane.safetensors",
        f"{LANDSCAPE}/trajectory/plane.json",
        f"{LANDSCAPE}/trajectory/contour.csv",
    log:
        f"{OUT}/logs/landscapes/{{run}}/seed{{seed}}/contour.log",
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        **asked_for(landscape_resources),
    params:
        command="trajectory",
        grid=shlex.join(["--points", str(GRIDS.contour_points), *IMAGES]),
        run=run_folder,
        folder=lambda wildcards, output: str(Path(output[0]).parent),
    shell:
        "python -m analysis {params.command} --run {params.run:q} --out {params.folder:q}"
        " {params.grid} --restart"
        " --device {resources.device} --threads {resources.cpu_threads} > {log:q} 2>&1"


use rule contour as surface with:
    output:
        f"{LANDSCAPE}/surface/surface.csv",
    log:
        f"{OUT}/logs/landscapes/{{run}}/seed{{seed}}/surface.log",
    params:
        command="surface",
        grid=surface_grid,
        run=run_folder,
        folder=lambda wildcards, output: str(Path(output[0]).parent),
