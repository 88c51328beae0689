# New tables against a reference, and what there is to run.


if COMPARED:

    # Differences are a result (exit status 1); only what cannot be compared fails.
    rule compare:
        input:
            new=expand(f"{OUT}/tables/{{table}}.csv", table=TABLES),
            reference=expand(f"{REFERENCE}/{{table}}.csv", table=COMPARED),
            code=code_of("reference", "tables"),
        output:
            f"{OUT}/compare.csv",
        log:
            f"{OUT}/logs/compare.log",
        localrule: True
        conda:
            ENVIRONMENT
        params:
            new=lambda wildcards, input: str(Path(input.new[0]).parent),
            reference=lambda wildcards: REFERENCE,
        shell:
            "python -m analysis compare --new {params.new:q} --reference {params.reference:q}"
            " --out {output:q} > {log:q} 2>&1 || [ $? -eq 1 ]"

else:

    # Where there is nothing to compare with, nothing is trained for it.
    rule compare:
        log:
            f"{OUT}/logs/compare.log",
        localrule: True
        conda:
            ENVIRONMENT
        params:
            message=f"compare: {REFERENCE}: holds no table of {SETTINGS.folder.name} to compare with;"
            " allowed: --config reference=FOLDER, or tables that were promoted",
        shell:
            "echo {params.message:q} | tee {log:q} >&2; exit 2"


# It has no output, so it is never up to date: it reports what is done so far.
rule plan:
    log:
        f"{OUT}/plan.txt",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        options=campaign_options,
        throughput=(
            f"--throughput={SETTINGS.throughput}" if SETTINGS.throughput else ""
        ),
    shell:
        "python -m analysis plan {params.options} {params.throughput} 2>&1 | tee {log:q}"
