# What must come out whatever the study: shared by all studies of this code.
rule checks:
    output:
        f"{PLAN.checks()}.json",
        f"{PLAN.checks()}.csv",
    log:
        f"{PLAN.folder}/logs/checks.log",
    threads: 1
    shell:
        "python -m bnstudy checks --out {output[0]} 2> {log}"


rule study_checks:
    input:
        rules.checks.output,
    output:
        f"{PLAN.folder}/checks.json",
        f"{PLAN.folder}/coverage.csv",
    log:
        f"{PLAN.folder}/logs/study_checks.log",
    shell:
        "cp {input[0]} {output[0]} && cp {input[1]} {output[1]} 2> {log}"


rule claims:
    input:
        tables=f"{PLAN.folder}/tables",
        ledger=PLAN.config.claims.file,
    output:
        f"{PLAN.folder}/claims.json",
        f"{PLAN.folder}/answers.json",
        f"{PLAN.folder}/findings.json",
        f"{PLAN.folder}/contrasts.csv",
    log:
        f"{PLAN.folder}/logs/claims.log",
    params:
        spec=PLAN.judged(),
        code=PLAN.code("bnstudy.claims"),
    shell:
        "python -m bnstudy claims --spec {params.spec:q} --index {input.tables} --claims {input.ledger} --out {output[0]} 2> {log}"


# The notebooks read tables and verdicts, and train nothing.
rule notebook:
    input:
        notebook="report/{notebook}.ipynb",
        tables=f"{PLAN.folder}/tables",
        claims=rules.claims.output,
        checks=rules.study_checks.output,
    output:
        f"{PLAN.folder}/notebooks/{{notebook}}.ipynb",
    log:
        f"{PLAN.folder}/logs/{{notebook}}.log",
    wildcard_constraints:
        notebook="|".join(NOTEBOOKS),
    params:
        study=PLAN.folder,
        code=PLAN.notebook(),
    shell:
        "python -m bnstudy notebook --notebook {input.notebook} --study {params.study} --out {output} 2> {log}"


rule report:
    input:
        notebooks=expand(f"{PLAN.folder}/notebooks/{{n}}.ipynb", n=NOTEBOOKS),
        claims=rules.claims.output,
        checks=rules.study_checks.output,
        template=multiext("src/bnstudy/page/page", ".html", ".css", ".js"),
    output:
        f"{PLAN.folder}/report.html",
        f"{PLAN.folder}/provenance.json",
    log:
        f"{PLAN.folder}/logs/report.log",
    params:
        study=PLAN.folder,
        spec=PLAN.effective(),
        code=PLAN.code("bnstudy.page", "bnstudy.provenance"),
    shell:
        "python -m bnstudy report --spec {params.spec:q} --study {params.study} --notebooks {input.notebooks} --out {output[0]} 2> {log}"
