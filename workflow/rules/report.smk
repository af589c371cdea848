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


rule question:
    input:
        notebook="report/{question}.ipynb",
        claims=f"{PLAN.folder}/claims.json",
        answers=f"{PLAN.folder}/answers.json",
    output:
        f"{PLAN.folder}/notebooks/{{question}}.ipynb",
    log:
        f"{PLAN.folder}/logs/{{question}}.log",
    wildcard_constraints:
        question="q[1-4]",
    params:
        study=PLAN.folder,
        code=lambda w: PLAN.code("bnstudy.show", f"bnstudy.figures.{w.question}"),
    shell:
        "python -m bnstudy question --notebook {input.notebook} --study {params.study} --out {output} 2> {log}"


rule report:
    input:
        notebooks=expand(f"{PLAN.folder}/notebooks/{{q}}.ipynb", q=QUESTIONS),
        claims=f"{PLAN.folder}/claims.json",
        checks=f"{PLAN.folder}/checks.json",
        template="report/page.html",
    output:
        f"{PLAN.folder}/report.html",
    log:
        f"{PLAN.folder}/logs/report.log",
    params:
        study=PLAN.folder,
        spec=PLAN.effective(),
        code=PLAN.code("bnstudy.report"),
    shell:
        "python -m bnstudy report --spec {params.spec:q} --study {params.study} --notebooks {input.notebooks} --out {output} 2> {log}"
