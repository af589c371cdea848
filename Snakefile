# The workflow is in workflow/Snakefile, where its catalogue looks for it; it is run from here.
include: "workflow/Snakefile"


workflow.default_target = "all"
