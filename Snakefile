# AutoGrow's experiments, tables and comparisons.
#
#   snakemake --cores all                              everything at the scale of config.yaml
#   snakemake --cores all table5 --config scale=smoke  one table
#
# config/experiments.yaml says what is run, config/scales/*.yaml how large.

from snakemake.utils import min_version

min_version("9.10")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/tables.smk"


rule all:
    default_target: True
    input:
        rules.tables.input,
