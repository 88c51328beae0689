# Figures from finished runs and the loss around networks (Figures 5 to 7): first each figure's
# CSV; then the picture, from the CSV alone.


rule figure_data:
    input:
        sources=lambda wildcards: figure_sources([wildcards.figure]),
        published=lambda wildcards: PUBLISHED.get(wildcards.figure, []),
        code=[
            "analysis/figures/figure_data.py",
            "analysis/figures/labelling.py",
            "analysis/figures/method_data.py",
            "analysis/figures/null_data.py",
            "analysis/landscapes/planefiles.py",
            *code_of("results"),
        ],
    output:
        f"{OUT}/figures/{{figure}}.csv",
    log:
        f"{OUT}/logs/figures/{{figure}}.csv.log",
    wildcard_constraints:
        figure="|".join(sorted({*FIGURES} - {*CONTOURED})),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        options=TABLE_OPTIONS,
        rows=rows_of("figure"),
        rows_file=f"{OUT}/specs/{{figure}}.json",
    shell:
        handed_over("rows")
        + " python -m analysis figure-data {wildcards.figure} --rows {params.rows_file:q}"
        " {params.options} > {log:q} 2>&1"


# The same for figures with contours, which are a second CSV.
use rule figure_data as contoured_figure_data with:
    output:
        f"{OUT}/figures/{{figure}}.csv",
        f"{OUT}/figures/{{figure}}_contour.csv",
    wildcard_constraints:
        figure="|".join(CONTOURED),


rule figure:
    input:
        data=lambda wildcards: figure_data_files([wildcards.figure]),
        code=code_of("figures"),
    output:
        f"{OUT}/figures/{{figure}}.pdf",
        report(
            f"{OUT}/figures/{{figure}}.png",
            caption="../captions/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
    log:
        f"{OUT}/logs/figures/{{figure}}.log",
    wildcard_constraints:
        figure="|".join(FIGURES),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        folder=lambda wildcards, output: str(Path(output[0]).parents[1]),
    shell:
        "python -m analysis figure {wildcards.figure} --folder {params.folder:q} > {log:q} 2>&1"


# As for tables, the targets name what the CSVs are made from: what was deleted is noticed.
rule figures:
    input:
        expand(
            f"{OUT}/figures/{{figure}}.{{form}}", figure=FIGURES, form=("pdf", "png")
        ),
        figure_data_files(FIGURES),
        figure_sources(FIGURES),


# `snakemake figure6` instead of the file's path.
for name in FIGURES:

    rule:
        name:
            name
        input:
            expand(f"{OUT}/figures/{name}.{{form}}", form=("pdf", "png")),
            figure_data_files([name]),
            figure_sources([name]),
