# What must come out whatever the study: shared by all studies of this code.
rule checks:
    output:
        rows=f"{PLAN.checks()}.json",
        coverage=f"{PLAN.checks()}.csv",
    log:
        f"{PLAN.folder}/logs/checks.log",
    threads: 1
    shell:
        "python -m bnstudy checks --out {output.rows} 2> {log}"


rule study_checks:
    input:
        rows=rules.checks.output.rows,
        coverage=rules.checks.output.coverage,
    output:
        rows=f"{PLAN.folder}/checks.json",
        coverage=f"{PLAN.folder}/coverage.csv",
    log:
        f"{PLAN.folder}/logs/study_checks.log",
    shell:
        "cp {input.rows} {output.rows} && cp {input.coverage} {output.coverage} 2> {log}"


rule claims:
    input:
        tables=f"{PLAN.folder}/tables",
        claims=PLAN.config.claims.file,
        text=PLAN.claims_text,
        checks=rules.study_checks.output.rows,
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
    log:
        f"{PLAN.folder}/logs/claims.log",
    params:
        spec=lambda w: PLAN.spec("claims", PLAN.judge()),
        code=PLAN.judging(),
    shell:
        "python -m bnstudy claims --spec {params.spec} --tables {input.tables} --claims {input.claims} --checks {input.checks} --out {output.rows} 2> {log}"


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
    # those with most to draw first, so that no core waits for one at the end
    priority: lambda w: Path(f"report/{w.notebook}.ipynb").read_text().count("figure(")
    params:
        code=lambda w: PLAN.notebook(w.notebook),
    shell:
        "python -m bnstudy notebook --notebook {input.notebook} --tables {input.tables} --out {output} 2> {log}"


# The page, and its figures by themselves, for `snakemake --report`.
rule report:
    input:
        notebooks=expand(f"{PLAN.folder}/notebooks/{{n}}.ipynb", n=NOTEBOOKS),
        claims=rules.claims.output,
        checks=rules.study_checks.output,
        quiz="docs/quiz.md",
        template=[
            f"src/bnstudy/report/page/{n}"
            for n in ("page.html", "how.html", "sources.html", "page.css", "page.js")
        ],
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
        code=digest("bnstudy.report.page.build", "bnstudy.pipeline.provenance"),
    shell:
        "python -m bnstudy report --spec {params.spec} --notebooks {input.notebooks} --quiz {input.quiz} --out {output.page} 2> {log}"
