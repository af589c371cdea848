"""What a reader plays with, after a guess. Every frame stands on the page; a script shows one, and its controls."""

from collections.abc import Callable, Mapping, Sequence
from math import isinf
from statistics import fmean, pstdev
from typing import NamedTuple

import pandas as pd

from bnstudy.claims.numbers import figures
from bnstudy.core import words
from bnstudy.report.figures.cards import SIDES, moved
from bnstudy.report.figures.coloured_images import lecture_rows
from bnstudy.report.figures.early_change import KINDS as DIRECTIONS
from bnstudy.report.figures.first_weights import fastest, where
from bnstudy.report.figures.mini import Mark, Row, png, strips
from bnstudy.report.figures.panels_of_severities import of_mode
from bnstudy.report.figures.starts import every_start
from bnstudy.report.figures.summary import lost, median
from bnstudy.report.page.templates import filled
from bnstudy.report.results import Results

TESTED = {
    ("none", "running"): "without", ("layernorm", "running"): "layer norm", ("once", "running"): "normalized once",
    ("bn", "running"): "stored averages", ("bn", "hue32"): "32 of one colour", ("bn", "batch32"): "32 test pictures",
    ("bn", "reestimated"): "fresh averages",
}  # fmt: skip
"""Arms and whose mean and spread they use at test time, in the words of a row."""
NETS = {"mlp": "plain", "resmlp": "skips", "cnn": "convolutions", "resnet": "convolutions with skips"}
REACH = {"values": "the values", "moments": "mean and spread", "gradients": "the gradient"}
BATCH = (-1.6, -1.1, -0.8, -0.4, -0.2, 0.1, 0.3, 0.7, 1.0, 1.4, 2.1, 2.5)
"""Twelve made-up values of one unit, to shake."""
SHAKES = ((1, 0, 1, 0), (2, 0, 1, 0), (1, -2, 1, 0), (1, 0, 2, 0), (1, 0, 1, 2))
"""Scale and shift of what the layers below hand on, gamma, beta: the frames that stand without scripts."""


class Frame(NamedTuple):
    """One state of a toy: where its controls stand, what is seen, what is said of it, and that in a cell of a table."""

    at: Sequence[str]
    picture: str
    said: str
    short: str = ""

    @property
    def slug(self) -> str:
        """The end of the frame's address on the page."""
        return "-".join("".join(c for c in part if c.isalnum() or c == ".") for part in self.at)


class Toy(NamedTuple):
    """Frames over axes, the first one shown first; `answer` is that to the guess.

    Axes are the names of controls, with 1 for one that slides. `numbers` are what toys.html says of the study, and
    `places` the frames by a name of their row, for a table of `columns`.
    """

    axes: Mapping[str, int]
    frames: Sequence[Frame]
    answer: str
    numbers: Mapping[str, object]
    columns: Sequence[str] = ()
    places: Mapping[str, Sequence[Frame | None]] = {}


def html(id: str, results: Results) -> str:
    """Return a toy as HTML; nothing where the study has no runs for it."""
    toy = TOYS[id](results)
    if not toy or not toy.frames:
        return ""
    return filled("toys.html", toy=toy, id=id, batch=BATCH, **toy.numbers)


def shake(results: Results) -> Toy:
    """Return the toy that changes what the layers below hand on, and gamma and beta; exact, by arithmetic."""
    depth, rows = moved(results)
    told = "; ".join(f"{words.arm(arm)} {figures(drift)} sd, {time}" for arm, drift, time in rows)
    answer = (
        "They stay where they are: mean and spread double too, and are divided out. Gamma and beta move what follows."
    )
    return Toy({}, [_shaken(*knobs) for knobs in SHAKES], answer, {"depth": depth, "told": told})


def _shaken(scale: float, shift: float, gamma: float, beta: float) -> Frame:
    """Return where the values lie in three rows, and their means and spreads: what page.js computes as well."""
    plain = [scale * x + shift for x in BATCH]
    normal = [(x - fmean(plain)) / pstdev(plain) for x in plain]
    rows = (plain, normal, [gamma * x + beta for x in normal])
    picture = ";".join(" ".join(f"{180 + 15 * x:.1f}" for x in row) for row in rows)
    ends = [f"mean {_signed(fmean(row))}, spread {pstdev(row):.1f}" for row in rows]
    said = f"Handed on: {ends[0]}. Normalized: {ends[1]}. After gamma and beta: {ends[2]}."
    return Frame([f"{knob:g}" for knob in (scale, shift, gamma, beta)], picture, said)


def _signed(value: float) -> str:
    return f"{round(value, 1) + 0:.1f}".replace("-", "−")


def break_it(results: Results) -> Toy | None:
    """Return the toy that shifts the test pictures; accuracies are medians over seeds, points lost those of each seed."""
    tests = results.at("shift", arm=["none", "bn", "layernorm", "once"])
    # scaling is left out: a network without norm follows it by arithmetic
    tests = tests[(tests["depth"] == tests["depth"].min()) & (tests["family"] != "scaling")]
    coloured, clean = lecture_rows(results), tests[tests["family"] == "clean"].assign(severity=0)
    tables = {"dark to coloured": coloured[coloured["family"] == "lecture_white"]}
    tables |= {family: pd.concat([rows, clean]) for family, rows in tests.groupby("family", sort=False)}
    frames, furthest = list[Frame](), dict[str, dict[str, float]]()
    for family, table in tables.items():
        accuracy = {}
        for mode, name in TESTED.items():
            rows = of_mode(table, mode).groupby(["seed", "severity"])["accuracy"].mean().unstack()
            if {*range(6)} <= set(rows) and len(rows.dropna()):
                accuracy[mode[0], name] = rows.dropna()
        if not {("none", "without"), ("bn", "stored averages")} <= set(accuracy):
            continue
        pictures = results.samples.get("lecture_white" if family == "dark to coloured" else family)
        for severity in range(6):
            now = {key: median(of_seeds[severity]) for key, of_seeds in accuracy.items()}
            marks = [Row(name, [Mark(arm, value, f"{value:.0f}%")]) for (arm, name), value in now.items()]
            alt = f"Accuracy, {family}, {severity}: {', '.join(f'{row.name} {row.marks[0].text}' for row in marks)}"
            picture = strips("Accuracy", marks, "%", alt, room=24, span=(100,))
            if pictures is not None:
                seen = pictures[severity] if pictures.ndim == 4 else pictures[severity][0]
                picture = f'<img alt="The test picture" src="{png(seen)}">{picture}'
            lost = furthest[family] = {name: median(a[0] - a[severity]) for (_, name), a in accuracy.items()}
            said = _lost(lost) if severity else "The pictures as they are."
            frames.append(Frame([family, str(severity)], picture, said))
    if not frames:
        return None
    frames.insert(0, frames.pop(5))  # the toy begins where the first shift is largest
    apart = max(furthest, key=lambda family: abs(furthest[family]["stored averages"] - furthest[family]["without"]))
    numbers = {"shift": apart, "seeds": tests["seed"].nunique(), "depth": tests["depth"].min()}
    return Toy({"shift": 0, "severity": 1}, frames, _lost(furthest[apart]), numbers)


def _lost(costs: Mapping[str, float]) -> str:
    """Return how many points each loses, and what stored averages lose beside no batch norm."""
    said = "Points lost: " + ", ".join(f"{name} {_signed(cost)}" for name, cost in costs.items()) + "."
    more = costs["stored averages"] - costs["without"]
    count = f"{abs(more):.0f}"
    if count == "0":
        return f"{said} With stored averages batch norm loses the same, to a point."
    side = f"point{'s' * (count != '1')} {'more' if more > 0 else 'less'}"
    return f"{said} With stored averages batch norm loses {count} {side} here than a network without it."


def start(results: Results) -> Toy | None:
    """Return the toy of where training starts: steps by depth and scale of the first weights, with and without batch norm.

    The starts of the map, each at the best rate of its grid, are shown with those that the claims rest on.
    """
    place, runs = ["net", "gain", "depth", "arm"], every_start(results)
    seeds = runs[runs["inputs"] == "standardized"].groupby(place)["time"]
    own, losses, count = seeds.agg(median).reset_index(), seeds.agg(lost), seeds.size()
    spread = fastest(where(results).table).rename(columns={"steps": "time"})
    table = pd.concat([own, spread]).drop_duplicates(place).set_index(place)["time"].unstack("arm")
    table = table.reindex(columns=[*SIDES]).dropna()
    table = table.sort_index(key=lambda part: part.map(lambda value: (value != results.base["net"], value)))
    span = [value for value in table.to_numpy().ravel() if not isinf(value)] + [float("inf")]
    frames = {}
    for (net, gain, depth), (none, bn) in zip(table.index, table.itertuples(index=False)):
        at = [NETS.get(net, words.factor("net", net)), f"× {gain:g}", f"{depth} layers"]
        marks = [Row(SIDES[arm], [Mark(arm, value, _steps(value))]) for arm, value in (("none", none), ("bn", bn))]
        said = f"{_steps(none).capitalize()} without batch norm, {_steps(bn)} with it"
        if not isinf(none) and not isinf(bn):
            more = figures(max(none, bn) / min(none, bn))
            said += f": {more} times as many {'without' if none > bn else 'with'} it"
        for arm, side in (("none", "without"), ("bn", "with")):
            if never := losses.get((net, gain, depth, arm), 0):
                said += f"; {side} it {never} of {count[net, gain, depth, arm]} seeds never arrived"
        picture = strips("Steps to the same training loss", marks, "", f"{', '.join(at)}. {said}.", log=True, span=span)
        frames[", ".join(at[:2]), depth] = Frame(at, picture, f"{said}.", f"{_steps(none)} / {_steps(bn)}")
    answer = f"In {(table['bn'] < table['none']).sum()} of {len(table)}, each at its own best rate."
    depths = sorted({depth for _, depth in frames})
    places = {name: [frames.get((name, depth)) for depth in depths] for name, _ in frames}
    axes = {"kind of network": 0, "scale of the first weights": 1, "depth": 1}
    return Toy(axes, [*frames.values()], answer, {"count": len(table)}, [f"{depth} layers" for depth in depths], places)


def _steps(value: float) -> str:
    return "most never" if isinf(value) else f"{value:.0f}"


def poke(results: Results) -> Toy | None:
    """Return the toy that changes the earlier half: how much of it reaches each later layer and the output."""
    depth = results.depth("middle")
    table = results.at("intervention", depth=depth, arm=[*SIDES])
    keys, frames, more = ["dose", "kind", "checkpoint"], list[Frame](), 0
    for measure, name in REACH.items():
        middle = table[table[measure] > 0].groupby([*keys, "layer", "arm"])[measure].median().unstack("arm")
        middle = middle.reindex(columns=[*SIDES]).dropna()
        span = [*middle.to_numpy().ravel()]
        for (dose, kind, checkpoint), group in middle.groupby(level=keys):
            at = [name, f"{100 * dose:g}%", DIRECTIONS[kind], "untrained" if checkpoint == "init" else "trained"]
            rows = [
                Row("the output" if layer > depth else f"layer {layer}", [Mark(a, pair[a]) for a in SIDES], joined=True)
                for layer, pair in group.droplevel(keys).iterrows()
            ]
            ends = [group.iloc[-1][arm] for arm in SIDES]
            last = [f"{figures(end)} sd" if measure == "moments" else f"{figures(100 * end)}%" for end in ends]
            said = f"Change of {name} at {rows[-1].name}: {last[0]} without batch norm, {last[1]} with it."
            more += measure != "moments" and ends[1] > ends[0] and last[0] != last[1]
            picture = strips(f"Change of {name}", rows, "", f"{', '.join(at)}. {said}", log=True, span=span)
            frames.append(Frame(at, picture, said))
    if not frames:
        return None
    first = next((f for f in frames if f.at[1] == "1%" and f.at[3] == "trained"), frames[0])
    axes = {"look at": 0, "size": 1, "direction": 0, "network": 0}
    numbers = {"depth": depth, "half": depth // 2, "size": first.at[1], "seeds": table["seed"].nunique()}
    free = sum(frame.at[0] != REACH["moments"] for frame in frames)  # mean and spread hold by arithmetic
    answer = f"{first.said} Of {free} changes of values and gradients, more is passed on with batch norm in {more}."
    return Toy(axes, [first, *(frame for frame in frames if frame is not first)], answer, numbers)


TOYS: dict[str, Callable[[Results], Toy | None]] = {"shake": shake, "break": break_it, "start": start, "poke": poke}
