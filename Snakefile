# Batch normalization, cross-examined: the whole study.
# data -> sweep (tuning seeds) -> choose (rates) -> evaluate (evaluation seeds) -> measure -> summarize -> claims -> report
from snakemake.utils import min_version

min_version("9.12")

if not config:  # a --configfile replaces the default study; nothing merges

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/report.smk"


rule all:
    input:
        f"{PLAN.folder}/report.html",
