"""Time the pieces of a study that a card trains: one job of each net and depth, and its measures.

usage: python device/probe.py CONFIG SECONDS
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

from bnstudy.config.study import read_study
from bnstudy.core import store
from bnstudy.pipeline import jobs
from bnstudy.pipeline.plan import Plan
from bnstudy.pipeline.records import Rate

plan, end = Plan(read_study(sys.argv[1])), time.monotonic() + float(sys.argv[2])
data = Path(plan.data)


def timed(what, work, *given):
    started = time.monotonic()
    try:
        work(*given)
    except BaseException as error:  # the next piece is worth its time
        print(f"{what:44} failed: {type(error).__name__}: {str(error)[:300]}", flush=True)
        return
    print(f"{what:44} {time.monotonic() - started:7.2f} s", flush=True)


if not data.is_file():
    timed("data", jobs.images, plan.images, data)
print(plan.torch, *plan.jobs)
settings = {(s.net, s.arm, s.depth): (name, s) for name, job in plan.jobs.items() for s in job}
for net, arm, depth in [
    ("cnn", "bn", 5),
    ("cnn", "none", 5),
    ("resnet", "bn", 9),
    ("cnn", "bn", 21),
    ("cnn", "layernorm", 9),
    ("resnet", "layernorm", 21),
    ("cnn", "none", 21),
    ("cnn", "once", 9),
    ("cnn", "bn_frozen", 21),
]:
    if time.monotonic() > end:
        break
    name, setting = settings[net, arm, depth]
    where = f"{net} {arm} {depth}"
    swept, evaluated, measured = plan.sweep(name), plan.evaluate(name), plan.measure(name)
    swept = replace(swept, settings=tuple(s for s in swept.settings if s.setting == setting))
    evaluated = replace(evaluated, settings=tuple(s for s in evaluated.settings if s.setting == setting))
    out = Path("results/probe")
    timed(f"{where}: sweep", jobs.sweep, swept, data, out / f"sweep-{net}{arm}{depth}.json")
    sweep = out / f"sweep-{net}{arm}{depth}.json"
    if not sweep.is_file():
        continue
    jobs.choose(plan.choose(), [sweep], out / "rates.json")
    print("   ", [(row.role, row.rate) for row in store.read_json(list[Rate], out / "rates.json")])
    index = out / f"evaluate-{net}{arm}{depth}.json"
    timed(f"{where}: evaluate", jobs.evaluate, evaluated, data, out / "rates.json", index)
    for measured_setting in measured.settings:
        if measured_setting.setting == setting and index.is_file():
            for m in measured_setting.measures:
                one = replace(measured, settings=(replace(measured_setting, measures=(m,)),))
                timed(f"{where}: measure {m}", jobs.measure, one, data, index, out / f"{m}.json")
