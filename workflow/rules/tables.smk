# Tables from the summaries of finished runs.


rule table:
    input:
        runs=lambda wildcards: summaries(CATALOGUE.tables[wildcards.table].runs),
        paper=lambda wildcards: paper_numbers(wildcards.table),
        code=code_of("tables", "results"),
    output:
        report(
            f"{OUT}/tables/{{table}}.csv",
            caption="../captions/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        f"{OUT}/tables/{{table}}.md",
        f"{OUT}/tables/{{table}}.tex",
        f"{OUT}/tables/{{table}}_seeds.csv",
    log:
        f"{OUT}/logs/tables/{{table}}.log",
    wildcard_constraints:
        table="|".join(TABLES),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        options=TABLE_OPTIONS,
        rows=rows_of("table"),
        rows_file=f"{OUT}/specs/{{table}}.json",
    shell:
        handed_over("rows")
        + " python -m analysis table {wildcards.table} --rows {params.rows_file:q}"
        " {params.options} > {log:q} 2>&1"


# The targets name the summaries too: Snakemake does not miss a deleted summary while the
# table made from it is there.
rule tables:
    input:
        expand(f"{OUT}/tables/{{table}}.csv", table=TABLES),
        summaries_of(TABLES),


# `snakemake table5` instead of the file's path.
for name in TABLES:

    rule:
        name:
            name
        input:
            f"{OUT}/tables/{name}.csv",
            summaries_of([name]),
