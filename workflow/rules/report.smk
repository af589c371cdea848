rule checks:
    "Checks what must come out whatever the study: made once for all studies of this code."
    output:
        rows=f"{PLAN.folder}/checks.json",
        coverage=f"{PLAN.folder}/coverage.csv",
    log:
        f"{PLAN.folder}/logs/checks.log",
    threads: 1
    params:
        code=PLAN.code("checks"),
    shell:
        "python -m bnstudy checks --code {params.code:q} --out {output.rows:q} 2> >(tee {log:q} >&2)"


rule claims:
    "Judges the claims on the tables, and chooses the words for the outcomes."
    input:
        tables=f"{PLAN.folder}/tables",
        checks=rules.checks.output.rows,
        beside=[f"{folder}/claims.json" for folder in PLAN.beside],
    output:
        rows=report(
            f"{PLAN.folder}/claims.json",
            caption="../report/claims.rst",
            category="Claims",
        ),
        answers=f"{PLAN.folder}/answers.json",
        findings=f"{PLAN.folder}/findings.json",
        ledger=f"{PLAN.folder}/ledger.json",
        contrasts=report(
            f"{PLAN.folder}/contrasts.csv",
            caption="../report/contrasts.rst",
            category="Claims",
        ),
        robustness=f"{PLAN.folder}/robustness.csv",
        forecasts=f"{PLAN.folder}/forecasts.csv",
    log:
        f"{PLAN.folder}/logs/claims.log",
    params:
        spec=lambda w: PLAN.spec("claims", PLAN.judge()),
        code=PLAN.code("claims"),
        claims=lambda w: str(PLAN.claims),  # no input: braces in its name would be wildcards
        judged_by=PLAN.judged_by,
        beside=PLAN.beside,
    shell:
        "python -m bnstudy claims --spec {params.spec:q} --tables {input.tables:q} --claims {params.claims:q} --checks {input.checks:q} --beside {params.beside:q} --code {params.code:q} --out {output.rows:q} 2> >(tee {log:q} >&2)"


# What the page and its blocks are filled into.
TEMPLATES = sorted(
    os.path.relpath(file)  # so that a moved project makes nothing again
    for file in (ROOT / "report" / "page").iterdir()
    if file.suffix in (".html", ".css", ".js")
)


rule notebook:
    "Executes a notebook: it reads tables and verdicts, and trains nothing."
    input:
        notebook="report/{notebook}.ipynb",
        tables=f"{PLAN.folder}/tables",
        claims=rules.claims.output,
        checks=rules.checks.output,
        rehearsed=PLAN.rehearsed,
        templates=TEMPLATES,
    output:
        f"{PLAN.folder}/notebooks/{{notebook}}.ipynb",
    log:
        f"{PLAN.folder}/logs/{{notebook}}.log",
    wildcard_constraints:
        notebook="|".join(NOTEBOOKS),
    # those with most to draw first, so that no core waits for one at the end
    priority: lambda w: Path(f"report/{w.notebook}.ipynb").read_text().count("figure(")
    params:
        code=lambda w: PLAN.code("notebook", w.notebook),
    shell:
        "python -m bnstudy notebook --notebook {input.notebook:q} --tables {input.tables:q} --code {params.code:q} --out {output:q} 2> >(tee {log:q} >&2)"


rule report:
    "Makes the page from the executed notebooks, and its figures by themselves for `snakemake --report`."
    input:
        notebooks=expand(f"{PLAN.folder}/notebooks/{{n}}.ipynb", n=NOTEBOOKS),
        claims=rules.claims.output,
        checks=rules.checks.output,
        quiz="docs/quiz.md",
        templates=TEMPLATES,
    output:
        page=report(
            f"{PLAN.folder}/report.html",
            caption="../report/page.rst",
            category="Page",
        ),
        figures=report(
            directory(f"{PLAN.folder}/figures"),
            patterns=["{figure}.svg"],
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        provenance=f"{PLAN.folder}/provenance.json",
    log:
        f"{PLAN.folder}/logs/report.log",
    params:
        spec=lambda w: PLAN.spec("report", PLAN.effective()),
        code=PLAN.code("report"),
    shell:
        "python -m bnstudy report --spec {params.spec:q} --notebooks {input.notebooks:q} --quiz {input.quiz:q} --code {params.code:q} --out {output.page:q} 2> >(tee {log:q} >&2)"
