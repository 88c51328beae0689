# One run: `autogrow` trains it. A run continues from its checkpoint when its job is
# started again, so checkpoints are no outputs (Snakemake deletes those first).

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
        # Not among the params: another device is no reason to train anew.
        device=SETTINGS.device,
        # `--resources` limits how many of these are in use at once.
        gpu=0 if SETTINGS.device == "cpu" else 1,
        gpu_share=gpu_share,
    params:
        command=run_command,
        depth_of=depth_of,
        folder=lambda wildcards, output: str(Path(output[0]).parent),
        version=PROTOCOL_VERSION,
    shell:
        "autogrow {params.command} {params.depth_of} --out {params.folder:q} --device {resources.device}"
        " --threads {threads} --replace > {log:q} 2>&1"
