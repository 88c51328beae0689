# Tables from the summaries of finished runs.


rule table:
    input:
        runs=lambda wildcards: summaries(CATALOGUE.tables[wildcards.table].runs),
        paper="results/paper/{table}.csv",
        code=["analysis/tables.py", "analysis/catalogue.py"],
    output:
        f"{OUT}/tables/{{table}}.csv",
        f"{OUT}/tables/{{table}}.md",
        f"{OUT}/tables/{{table}}_seeds.csv",
    log:
        f"{OUT}/logs/tables/{{table}}.log",
    wildcard_constraints:
        table=r"table\d+",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        options=f"--scale {SETTINGS.scale} --seeds {' '.join(map(str, SEEDS))}"
        f" --accuracy {SETTINGS.accuracy} --folder {OUT}",
        rows=lambda wildcards: CATALOGUE.tables[wildcards.table].rows,
    shell:
        "python -m analysis.tables {wildcards.table} {params.options} > {log:q} 2>&1"


rule tables:
    input:
        expand(f"{OUT}/tables/{{table}}.csv", table=CATALOGUE.tables),


# `snakemake table5` instead of the file's path.
for name in CATALOGUE.tables:

    rule:
        name:
            name
        input:
            f"{OUT}/tables/{name}.csv",
