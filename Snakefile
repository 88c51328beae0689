# AutoGrow's experiments, tables, figures and comparisons.
#
#   snakemake --cores all                              everything at the scale of config.yaml
#   snakemake --cores all table5 --config scale=smoke  one table
#   snakemake --cores all figure6                      one figure
#   snakemake --cores all compare                      new tables against the reference
#   snakemake --cores all claims                       what supports and contradicts the paper's claims
#   snakemake --cores all report                       one page on runs, tables, figures and verdicts
#   snakemake --cores all plan                         what there is to run, and its cost
#
# config/experiments.yaml says what is run, config/scales/*.yaml how large.

from snakemake.utils import min_version

min_version("9.10")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/fork_server.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/tables.smk"


if GRIDS.row_blocks == 1:

    include: "workflow/rules/landscapes_whole.smk"

else:

    include: "workflow/rules/landscapes_in_blocks.smk"


include: "workflow/rules/figures.smk"
include: "workflow/rules/compare.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        rules.tables.input,
        rules.figures.input,
        rules.compare.output if COMPARED else [],
        rules.claims.input if CLAIMED else [],
        rules.report.output,
