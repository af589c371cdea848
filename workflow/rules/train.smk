rule data:
    "Prepares the images of the study's source."
    output:
        PLAN.data,
    log:
        f"{PLAN.folder}/logs/data.log",
    params:
        spec=lambda w: PLAN.spec("data", PLAN.images),
        code=PLAN.code("data"),
    shell:
        "python -m bnstudy data --spec {params.spec:q} --code {params.code:q} --out {output:q} 2> >(tee {log:q} >&2)"


rule rehearse:
    "Lets arms and networks from outside do in small what they will do; where one cannot, nothing is trained."
    output:
        f"{PLAN.folder}/rehearsal.json",
    log:
        f"{PLAN.folder}/logs/rehearse.log",
    priority: 1e9
    threads: 1
    params:
        spec=lambda w: PLAN.spec("rehearse", PLAN.rehearse()),
        code=lambda w: PLAN.code("rehearse"),
    shell:
        "python -m bnstudy rehearse --spec {params.spec:q} --code {params.code:q} --out {output:q} 2> >(tee {log:q} >&2)"


rule sweep:
    "Trains the tuning seeds at every rate, and chooses the best rate of each setting for each target."
    input:
        data=PLAN.data,
        rehearsed=PLAN.rehearsed,
    output:
        f"{PLAN.folder}/sweep/{{job}}.json",
    log:
        f"{PLAN.folder}/logs/sweep_{{job}}.log",
    priority: lambda w: PLAN.work(w.job)
    threads: 1
    resources:
        gpu=PLAN.gpu,
        mem_mb=lambda w: megabytes(PLAN.sweep(w.job)),
        runtime=lambda w: minutes(PLAN.work(w.job), bool(PLAN.gpu)),
    params:
        spec=lambda w: PLAN.spec(f"sweep-{w.job}", PLAN.sweep(w.job)),
        code=lambda w: PLAN.code("sweep", w.job),
    shell:
        "python -m bnstudy sweep --spec {params.spec:q} --data {input.data:q} --code {params.code:q} --out {output:q} 2> >(tee {log:q} >&2)"


rule choose:
    "Gathers the chosen rates and their roles."
    input:
        PLAN.files("sweep"),
    output:
        f"{PLAN.folder}/rates.json",
    log:
        f"{PLAN.folder}/logs/choose.log",
    params:
        spec=lambda w: PLAN.spec("choose", PLAN.choose()),
        code=PLAN.code("choose"),
    shell:
        "python -m bnstudy choose --spec {params.spec:q} --sweeps {input:q} --code {params.code:q} --out {output:q} 2> >(tee {log:q} >&2)"


rule evaluate:
    "Trains the evaluation seeds, at the rates chosen without them."
    input:
        data=PLAN.data,
        rates=f"{PLAN.folder}/rates.json",
    output:
        f"{PLAN.folder}/evaluate/{{job}}.json",
    log:
        f"{PLAN.folder}/logs/evaluate_{{job}}.log",
    priority: lambda w: PLAN.work(w.job)
    threads: 1
    resources:
        gpu=PLAN.gpu,
        mem_mb=lambda w: megabytes(PLAN.sweep(w.job)),
        runtime=lambda w: minutes(PLAN.work(w.job), bool(PLAN.gpu)),
    params:
        spec=lambda w: PLAN.spec(f"evaluate-{w.job}", PLAN.evaluate(w.job)),
        code=lambda w: PLAN.code("evaluate", w.job),
    shell:
        "python -m bnstudy evaluate --spec {params.spec:q} --data {input.data:q} --rates {input.rates:q} --code {params.code:q} --out {output:q} 2> >(tee {log:q} >&2)"


rule measure:
    "Measures the trained networks of an evaluating job."
    input:
        data=PLAN.data,
        index=f"{PLAN.folder}/evaluate/{{job}}.json",
    output:
        f"{PLAN.folder}/measure/{{job}}.json",
    log:
        f"{PLAN.folder}/logs/measure_{{job}}.log",
    priority: lambda w: PLAN.work(w.job)
    threads: 1
    resources:
        gpu=PLAN.gpu,
        mem_mb=lambda w: megabytes(PLAN.sweep(w.job)),
        runtime=lambda w: minutes(PLAN.work(w.job), bool(PLAN.gpu)),
    params:
        spec=lambda w: PLAN.spec(f"measure-{w.job}", PLAN.measure(w.job)),
        code=lambda w: PLAN.code("measure", w.job),
    shell:
        "python -m bnstudy measure --spec {params.spec:q} --data {input.data:q} --index {input.index:q} --code {params.code:q} --out {output:q} 2> >(tee {log:q} >&2)"


rule summarize:
    "Writes the tables of the study."
    input:
        sweeps=PLAN.files("sweep"),
        evaluations=PLAN.files("evaluate"),
        measures=PLAN.files("measure"),
        rates=f"{PLAN.folder}/rates.json",
        data=PLAN.data,
    output:
        directory(f"{PLAN.folder}/tables"),
    log:
        f"{PLAN.folder}/logs/summarize.log",
    params:
        spec=lambda w: PLAN.spec("summarize", PLAN.summarize()),
        code=PLAN.code("summarize"),
    shell:
        "python -m bnstudy summarize --spec {params.spec:q} --sweeps {input.sweeps:q} --evaluations {input.evaluations:q} "
        "--measures {input.measures:q} --rates {input.rates:q} --data {input.data:q} --code {params.code:q} --out {output:q} 2> >(tee {log:q} >&2)"
