# One run: `autogrow` trains it by the spec that the catalogue made of it. It resumes from its
# checkpoint when its job is started again, so checkpoints are no outputs.
#
# `update`: Snakemake does not delete the outputs before the job. `autogrow` trains only if the
# summary is not of these settings, so a run that ended after its Snakemake was killed is done.
# When such a job fails, Snakemake would restore the earlier outputs, perhaps of other settings,
# and record them as made with the new ones. The job therefore first removes Snakemake's copies.
#
# `--wait`: a job that Slurm or a killed Snakemake no longer tracks may still train there.
#
# Device, launcher, threads and checkpoints are resources, not params: when they change, no run
# is trained again. `--resources` limits how many of the GPUs are in use at once.
#
# A job that was interrupted (exit status 75) or lost is started again and resumes. On a cluster
# the profile's `retries` counts; a number here would replace it.
#
# A run from an archive has no weights: Snakemake trains it again only where a landscape needs
# them, or if its settings have changed since.
#
# `exec`: a signal to the job's process reaches `autogrow`, or the launcher.


rule train:
    input:
        sources=source_summaries,
        unpacked=other_settings,
    output:
        update(f"{OUT}/runs/{{run}}/seed{{seed}}/summary.json"),
        update(f"{OUT}/runs/{{run}}/seed{{seed}}/metrics.csv"),
        update(f"{OUT}/runs/{{run}}/seed{{seed}}/weights.safetensors"),
    log:
        f"{OUT}/logs/runs/{{run}}/seed{{seed}}.log",
    retries: None if SETTINGS.cluster else SETTINGS.retries
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        **asked_for(run_resources),
    params:
        spec=job_spec,
        # Not `spec.yaml`, by which a run's folder is known.
        spec_file=f"{OUT}/specs/{{run}}/seed{{seed}}.yaml",
        taken=taken,
        folder=lambda wildcards, output: str(Path(output[0]).parent),
    shell:
        "rm -rf .snakemake/backups/{params.folder:q};"
        + handed_over("spec")
        + " exec {resources.launcher} run {params.spec_file:q} {params.taken}"
        " --out {params.folder:q}"
        " --device {resources.device} --threads {resources.cpu_threads} {resources.checkpoints}"
        " --replace --wait"
        " > {log:q} 2>&1"
