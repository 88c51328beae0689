# One page on all of it: what was run, the verdicts, tables, figures, and every run.


rule report:
    input:
        runs=summaries_of(CATALOGUE.tables),
        pictures=expand(f"{OUT}/figures/{{figure}}.png", figure=FIGURES),
        claims=f"{OUT}/claims/claims.csv" if CLAIMED else [],
        compared=rules.compare.output if COMPARED else [],
        code=code_of("report", "tables", "claims", "results"),
        page=[f"analysis/report/report.{form}" for form in ("html.jinja", "css", "js")],
    output:
        f"{OUT}/report.html",
    log:
        f"{OUT}/logs/report.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        options=campaign_options,
        accuracy=SETTINGS.accuracy,
    shell:
        "python -m analysis report {params.options} --accuracy {params.accuracy} > {log:q} 2>&1"
