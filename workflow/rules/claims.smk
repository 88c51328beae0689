# The verdicts on the paper's claims, from the summaries of finished runs.

from analysis.claims.claims import load_claims

# Claims that another experiments.yaml has no rows for are not judged; all else is made.
try:
    CLAIMED = [
        name
        for name in load_claims(load_catalogue("paper")).tables
        if name in CATALOGUE.tables and not CATALOGUE.tables[name].has_landscapes
    ]
    UNCLAIMED = "no table of the scale has a claim"
except UserError as error:
    CLAIMED, UNCLAIMED = [], str(error)
    print(f"claims are not judged: {UNCLAIMED}", file=sys.stderr)


if CLAIMED:

    rule judge:
        input:
            runs=summaries_of(CLAIMED),
            claims="config/claims.yaml",
            published="results/paper/resnets.csv",
            code=code_of("claims", "tables", "results"),
        output:
            report(
                f"{OUT}/claims/claims.csv",
                caption="../captions/claims.rst",
                category="Claims",
            ),
            f"{OUT}/claims/claims.md",
        log:
            f"{OUT}/logs/claims.log",
        localrule: True
        conda:
            ENVIRONMENT
        params:
            options=campaign_options,
        shell:
            "python -m analysis judge {params.options} > {log:q} 2>&1"

    # As for tables, the target names the summaries too: what was deleted is noticed.
    rule claims:
        input:
            rules.judge.output,
            summaries_of(CLAIMED),

else:

    rule claims:
        log:
            f"{OUT}/logs/claims.log",
        localrule: True
        conda:
            ENVIRONMENT
        params:
            reason=lambda wildcards: f"claims: {UNCLAIMED}",
        shell:
            "echo {params.reason:q} | tee {log:q} >&2; exit 2"
