# One run: `autogrow` trains it. A run continues from its checkpoint when its job is
# started again, so checkpoints are no outputs (Snakemake deletes those first).

# `--wait`: a job that Slurm or a killed Snakemake lost sight of may still train there.

# Device, launcher and threads are resources and no params: they are no reason to train anew.
# `--resources` limits how many of the GPUs are in use at once.

# Changed only to have every run trained anew.
PROTOCOL_VERSION = 1


rule train:
    input:
        source_summary,
    output:
        f"{OUT}/runs/{{run}}/seed{{seed}}/summary.json",
        f"{OUT}/runs/{{run}}/seed{{seed}}/metrics.csv",
        f"{OUT}/runs/{{run}}/seed{{seed}}/weights.safetensors",
    log:
        f"{OUT}/logs/runs/{{run}}/seed{{seed}}.log",
    wildcard_constraints:
        seed=r"\d+",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        **asked_for(run_resources),
    params:
        command=run_command,
        depth_of=depth_of,
        folder=lambda wildcards, output: str(Path(output[0]).parent),
        version=PROTOCOL_VERSION,
    shell:
        "{resources.launcher} {params.command} {params.depth_of} --out {params.folder:q}"
        " --device {resources.device} --threads {resources.cpu_threads} --replace --wait"
        " > {log:q} 2>&1"
