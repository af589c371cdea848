"""The small pictures of the first screen, one for each question: what they show is taken from the tables alone."""

from collections.abc import Callable

import pandas as pd

from bnstudy.core import words
from bnstudy.core.setting import FACTORS
from bnstudy.report.figures.axes import by_arm
from bnstudy.report.figures.coloured_images import lecture_rows
from bnstudy.report.figures.mini import Line, Mark, Panel, Row, lines, strips
from bnstudy.report.figures.movement import noisy
from bnstudy.report.figures.panels_of_severities import of_mode
from bnstudy.report.figures.sample_images import GROUNDS
from bnstudy.report.figures.starts import KINDS, every_start
from bnstudy.report.figures.summary import lost, median
from bnstudy.report.results import Results

SIDES = {"none": "without", "bn": "batch norm"}
MODES = {
    ("none", "running"): ("without", ""),
    ("bn", "running"): ("stored", ""),
    ("bn", "reestimated"): ("fresh", "2 3"),
}
"""Arms and whose mean and spread they use at test time: a word at the line's end, and its dash, as in the large figures."""
MEASURES = {"moments": "mean and spread", "values": "the values", "output": "the output"}


def moved(results: Results) -> tuple[int, list[tuple[str, float, str]]]:
    """Return a depth at which networks were shaken, and for each arm how far inputs move, in sd, and steps in words."""
    names = [*SIDES, "bn_noisy"]
    table = noisy(results).table
    table = table[table["arm"].isin(names)]
    whole = table.groupby(["depth", "gain"])["arm"].transform("nunique") == len(names)
    if not whole.any():
        return 0, []
    places = zip(table.loc[whole, "depth"], table.loc[whole, "gain"], strict=True)
    depth, gain = min(places, key=lambda place: (place[1] != 1, *place))  # the usual first weights, where they were run
    table = table[(table["depth"] == depth) & (table["gain"] == gain)]
    rows = []
    for arm, own in by_arm(table, names):
        time = f"{median(own['time']):.0f} steps" if median(own["time"]) < float("inf") else "never arrives"
        if never := lost(own["time"]):
            time += f", {never} of {len(own)} never"
        if own["drift"].notna().any():
            rows.append((arm, median(own["drift"].dropna()), time))
    return depth, rows


def movement(results: Results) -> str:
    """Return how far the next layer's input moves, and in how many steps each arm trains, where it was also shaken."""
    depth, found = moved(results)
    if not found:
        return ""
    rows = [Row(SIDES.get(arm, words.arm(arm)), [Mark(arm, drift, time)]) for arm, drift, time in found]
    said = [f"{row.name} {row.marks[0].value:.2g} sd, {row.marks[0].text}" for row in rows]
    subject = f"How far inputs move; training steps ({depth} layers)"
    return strips(subject, rows, "sd", f"{subject}: {'; '.join(said)}.")


def shift(results: Results) -> str:
    """Return accuracy from dark to coloured pictures, and under blur, with the pictures below the axis."""
    coloured = lecture_rows(results)
    grounds = [ground for ground in GROUNDS if ground in set(coloured["family"])]
    tests = results.at("shift", arm=["none", "bn"])
    tests = tests[tests["depth"] == tests["depth"].min()]
    kinds = [kind for kind in ("blur", "contrast", "brightness", "noise") if kind in set(tests["family"])]
    panels = [_panel(results, coloured, ground, "dark to coloured") for ground in grounds[:1]]
    panels += [_panel(results, tests, kind, kind) for kind in kinds[:1]]
    if not (panels := [panel for panel in panels if panel.lines]):
        return ""
    said = [
        f"{panel.title}: "
        + ", ".join(f"{line.name} {line.values[0]:.0f} to {line.values[-1]:.0f}" for line in panel.lines)
        for panel in panels
    ]
    subject = "Accuracy, %, with stored or with fresh averages"
    return lines(subject, panels, f"{subject}. {'; '.join(said)}.")


def _panel(results: Results, table: pd.DataFrame, family: str, title: str) -> Panel:
    lecture = family.startswith("lecture")
    table = table[table["family"].isin([family] if lecture else [family, "clean"])]  # clean images are severity 0
    drawn = []
    for (arm, statistics), (name, dash) in MODES.items():
        if lecture and statistics == "reestimated":
            statistics = "hue32"  # measured on new pictures too, 32 of one colour
        values = of_mode(table, (arm, statistics)).groupby("severity")["accuracy"].median()
        if list(values.index) == [0, 1, 2, 3, 4, 5]:
            drawn.append(Line(arm, name, dash, list(values)))
    images = [picture if picture.ndim == 3 else picture[0] for picture in results.samples.get(family, ())]
    return Panel(title, drawn, images)


def starts(results: Results) -> str:
    """Return the steps to the target of every start, a pair of rows for each kind of network."""
    runs = every_start(results)
    table = runs.groupby([*FACTORS])["time"].agg(median).unstack("arm").reset_index()
    if table.empty:
        return ""
    kinds = sorted(table["net"].unique(), key=lambda net: net != results.base["net"])
    rows, said = [], []
    for net in kinds:
        own = table[table["net"] == net]
        of = "" if len(kinds) == 1 else f", {KINDS.get(net, words.factor('net', net))}"
        for arm, name in SIDES.items():
            rows.append(Row(f"{name}{of}", [Mark(arm, value) for value in own[arm]]))
            most = f"{own[arm].max():.0f}" if own[arm].max() < float("inf") else "never"
            said.append(f"{name}{of} {own[arm].min():.0f} to {most}")
    subject = f"Median steps, {len(table)} start{'s' * (len(table) > 1)}"
    if never := lost(runs["time"]):
        subject += f"; never: {never} of {len(runs)} runs"
    return strips(subject, rows, "steps", f"{subject}: {'; '.join(said)}.", log=True)


def reach(results: Results) -> str:
    """Return how many times as far a step of the earlier half reaches without batch norm: mean and spread, values, output.

    Each measure has a unit of its own, so it is shown over that of the network with batch norm, which stands at 1.
    """
    depth = results.depth("middle")
    table = results.at("intervention", depth=depth, arm=[*SIDES], checkpoint=results.main, kind="gradient", dose=0.01)
    rows, said = [], []
    for measure, name in MEASURES.items():
        at = table[table["layer"] == (depth + 1 if measure == "output" else depth)]
        seeds = at.pivot_table(index="seed", columns="arm", values="values" if measure == "output" else measure)
        if not set(SIDES) <= set(seeds.dropna(axis=1, how="all")):
            continue
        ratio = (seeds["none"] / seeds["bn"]).median()  # of each seed, as claims take it
        rows.append(Row(name, [Mark("bn", 1), Mark("none", ratio, f"× {ratio:.2g}")], joined=True))
        said.append(f"{name} {ratio:.2g} times as far")
    if not rows:
        return ""
    subject = f"Reach of an early step at layer {depth}, batch norm = 1"
    return strips(subject, rows, "", f"{subject}, without it: {'; '.join(said)}.", log=True, room=44)


MINI: dict[str, Callable[[Results], str]] = {"q1": movement, "q2": shift, "q3": starts, "q4": reach}
"""The pictures of the cards, by their questions."""


def mini(results: Results, id: str) -> str:
    """Return the picture of a question's card; nothing where there is none, or the study lacks the runs for it."""
    return MINI[id](results) if id in MINI else ""
