# One run: `autogrow` trains it by the spec that the catalogue made of it. It resumes from
# its checkpoint when its job is started again, so checkpoints are no outputs.

# `update`: Snakemake does not delete the outputs before the job. A run that ended after its
# Snakemake was killed is complete, whatever Snakemake has noted: `autogrow` looks whether
# its summary is of these settings, and trains only if not.
# But when such a job fails Snakemake puts back what was there before, perhaps of other
# settings, and notes it as made with the new ones: it would never be trained again. So the
# job first throws Snakemake's copies away; then Snakemake removes the outputs of a failed job.

# `--wait`: a job that Slurm or a killed Snakemake lost sight of may still train there.

# Device, launcher, threads and checkpoints are resources and no params: no reason to train anew.
# `--resources` limits how many of the GPUs are in use at once.

# Interrupted (exit status 75), or lost to something else: it is started again and continues.
# On a cluster the profile's own `retries` counts, which a number here would take the place of.

# `exec`: a signal to the job's process reaches `autogrow`, or the launcher.


rule train:
    input:
        source_summary,
    output:
        update(f"{OUT}/runs/{{run}}/seed{{seed}}/summary.json"),
        update(f"{OUT}/runs/{{run}}/seed{{seed}}/metrics.csv"),
        update(f"{OUT}/runs/{{run}}/seed{{seed}}/weights.safetensors"),
    log:
        f"{OUT}/logs/runs/{{run}}/seed{{seed}}.log",
    wildcard_constraints:
        seed=r"\d+",
    retries: None if SETTINGS.cluster else SETTINGS.retries
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        **asked_for(run_resources),
    params:
        spec=job_spec,
        # Not `spec.yaml`, by which a run's folder is known.
        spec_file=f"{OUT}/specs/{{run}}/seed{{seed}}.yaml",
        depth_of=depth_of,
        folder=lambda wildcards, output: str(Path(output[0]).parent),
    shell:
        "rm -rf .snakemake/backups/{params.folder:q};"
        + handed_over("spec")
        + " exec {resources.launcher} run {params.spec_file:q} {params.depth_of}"
        " --out {params.folder:q}"
        " --device {resources.device} --threads {resources.cpu_threads} {resources.checkpoints}"
        " --replace --wait"
        " > {log:q} 2>&1"
