"""What is measured of the networks of a made study."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from helpers.training import BASE, BATCH_ARMS, GAINS, GRID, TARGETS, Training

FAMILIES = ("contrast", "brightness", "inversion", "noise", "blur", "rotation", "translation")
ELSEWHERE, AS_SEVERE = "another source", 3
"""The family of another source's images, which has severity 1 alone, and the severity that costs as much."""
CHECKPOINTS = ("init", "step100", "loss1.0", "loss0.5", "loss0.25", "final")
PAIRS = (("init", "loss1.0"), ("loss1.0", "loss0.5"), ("loss0.5", "loss0.25"), ("init", "final"))
STATISTICS = ("running", "batch32", "batch128", "reestimated", "batch8", "whole")
"""Of these a thin study has the first four."""
GUESTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("bn_noisy_mild", "none_noisy", "once_noisy", "bn_detached", "bn_early", "bn_late"), ()),
    "bn_noisy": ("drift",), "bn_post": ("shift",),
}  # fmt: skip
"""Arms of which only some tables are made."""
SITES = {
    "none": ("linear", "relu", "next"), "affine": ("linear", "affine", "relu", "next"),
    "bn_frozen": ("linear", "xhat", "relu", "next"),
}  # fmt: skip
Made = Iterator[tuple[str, pd.DataFrame]]
"""The name and the rows of one table after another."""
ALL_SITES = ("linear", "xhat", "affine", "relu", "next")


class World(Training):
    """What is true in the made study, and the tables that show it."""

    def one(self, setting: dict[str, Any]) -> Made:
        """(table name, rows without the setting) of one setting."""
        if setting["gain"] in GAINS:
            yield "rates", pd.DataFrame({"role": "grid", "rate": GRID}).assign(evaluable=True, reason="")
            yield "convergence", pd.concat(self.run(setting, rate, self.seeds) for rate in GRID)
            return
        best = self.best(setting["arm"], setting["depth"])
        shared = self.best("none", setting["depth"])
        plain = setting["gain"] == 1.0 and setting["inputs"] == "standardized"
        plain = plain and all(setting[k] == v for k, v in BASE.items())
        roles = [("best@0.5", best), ("best@0.25", best), *([("shared", shared)] if plain else [])]
        roles += [("lower@0.5", best * 0.5623), ("upper@0.5", best * 1.778)]
        full = plain and setting["arm"] in ("none", "bn") and setting["depth"] in (self.depths[-3:][0], self.depths[-1])
        roles += [("grid", r) for r in GRID] if full else []
        rates = pd.DataFrame(roles, columns=["role", "rate"]).assign(evaluable=True, reason="")
        yield "rates", rates
        runs = [self.run(setting, rate, self.seeds) for rate in dict.fromkeys(rates["rate"])]
        yield "convergence", pd.concat(runs)
        tuning = np.arange(10_000, 10_003)
        yield "sweep", pd.concat(self.run(setting, rate, tuning) for rate in GRID[self.thin * 7 :])
        for rate in dict.fromkeys([best, shared if plain and not self.thin else best]):
            done = next(r for r in runs if (r["rate"] == rate).all())
            if not self.thin:
                yield "curves", self.curves(done)
            if self.wanted(setting, "shift") or self.wanted(setting, "drift"):
                for name, rows in self.measures(setting, done):
                    if self.wanted(setting, name):
                        yield name, rows.assign(rate=rate)

    def wanted(self, setting: dict[str, Any], name: str) -> bool:
        """Return whether a table of a network is made."""
        return name in GUESTS.get(setting["arm"], (name,)) and not (self.thin and needless(setting, name))

    def measures(self, setting: dict[str, Any], done: pd.DataFrame) -> Made:
        """Seeds that never reached a checkpoint have no row there; diverged runs have none at the end."""
        reached = {f"loss{t}": set(done.loc[(done["target"] == t) & done["reached"], "seed"]) for t in TARGETS}
        alive = set(done.loc[done["diverged_at"].isna(), "seed"])
        have = {"final": alive, "loss1.0": alive, **reached}
        arm, depth, h = setting["arm"], setting["depth"], self.helps(setting["depth"])
        layers, noise = self.layers(depth), self.noise("measure", *setting.values())
        sites = [s for s in ALL_SITES if s in SITES.get(arm, ALL_SITES)]
        level = 0.5 * np.exp(-1.2 * h if arm in BATCH_ARMS else 0.0)
        rows = cross(self.seeds, layer=layers, site=sites, pair=range(len(PAIRS)))
        level *= 25.0 if arm == "bn_noisy" else 1.0
        growth = 1.5 * h * (arm == "none") * (rows["layer"] - 1) / max(depth - 1, 1)
        size = level * (1 + 0.02 * rows["layer"]) * np.exp(growth + noise[rows["seed"]])
        rows["moments"] = np.where(rows["site"] == "xhat", 0.0, size)
        rows["shape"], rows["cka"] = 0.4 * size, np.clip(1 - 0.3 * size, 0, 1)
        rows["start"], rows["end"] = (rows["pair"].map(lambda i, e=e: PAIRS[i][e]) for e in (0, 1))
        yield "drift", _reached(rows.drop(columns="pair"), have, "end")
        if arm in ("bn", "once", "affine"):
            rows = cross(self.seeds, layer=layers, end=["loss1.0", "loss0.5", "loss0.25", "final"]).assign(start="init")
            rows["change_rms"] = (0.1 + 0.06 * h) * np.exp(noise[rows["seed"]]) * (1 + 0.01 * rows["layer"])
            yield "affine", _reached(rows.assign(gamma_rms=1.0), have, "end")
        rows = cross(self.seeds, layer=layers, checkpoint=CHECKPOINTS, site=sites)
        bell = arm in BATCH_ARMS and h > 0
        rows["offset"] = (0.15 if bell else 0.7) * np.exp(noise[rows["seed"]])
        rows["mean_rms"], rows["ln_sd_rms"] = 0.8 * rows["offset"], 0.6 * rows["offset"]
        growth = 0.0 if arm != "none" or depth < 2 else (3.5 * h + 0.3) * (rows["layer"] - 1) / (depth - 1)
        rows["variance"] = np.exp(growth + noise[rows["seed"]])
        rows["excess_kurtosis"], rows["dead"] = 0.4 + max(h, 0.0) * (arm == "none"), 0.02
        yield "moments", _reached(rows, have, "checkpoint")
        yield "shift", self.shift(arm, depth, h, noise, alive, setting["inputs"])
        yield from self.deeper(setting, noise, have)
        if arm in BATCH_ARMS:
            rows = cross(self.seeds, layer=layers, family=FAMILIES, severity=range(1, 6))
            rows["offset"] = (0.1 - 0.06 * h) * rows["severity"] / 3 * np.exp(noise[rows["seed"]])
            rows["offset"] *= np.exp(0.9 * h * (rows["layer"] - 1) / max(depth - 1, 1) * (1 if depth > 10 else 0))
            yield "xhat", _reached(rows.assign(end="final"), have, "end").drop(columns="end")

    def deeper(self, setting: dict[str, Any], noise: np.ndarray, have: dict[str, set[int]]) -> Made:
        """What is measured of none and bn alone."""
        arm, depth, h = setting["arm"], setting["depth"], self.helps(setting["depth"])
        if arm not in ("none", "bn"):
            return
        layers, low = self.layers(depth), arm == "bn"
        seeds = np.exp(noise)
        levels = ["init", "loss1.0", "loss0.5"]
        rows = cross(self.seeds, checkpoint=["loss1.0", "loss0.5"], statistics=["running", "reestimated"])
        rows["fit"] = rows["checkpoint"].str.removeprefix("loss").astype(float)
        rows["nll"] = (0.4 - 0.06 * h * low + 0.0004 * setting["batch"] * h) * np.exp(0.2 * noise[rows["seed"]])
        yield "levels", _reached(rows.assign(accuracy=90.0), have, "checkpoint")
        if setting["inputs"] != "standardized" or any(setting[k] != v for k, v in BASE.items() if k != "net"):
            return
        rows = cross(self.seeds, checkpoint=[*levels, "step100"], layer=layers)
        level = (0.3 * h if not low else 0.02 if h >= 0 else 0.3) * (depth - rows["layer"])
        rows["norm"], rows["weight_norm"] = 0.1 * np.exp(level) * seeds[rows["seed"]], 1.0
        yield "gradients", _reached(rows, have, "checkpoint")
        if setting["net"] != BASE["net"]:
            return
        rows = cross(self.seeds, checkpoint=levels, layer=layers[1:], matching=["rate", "decrease", "step"])
        rows["relative"] = 0.4 * np.exp((0.6 + 0.1 * rows["layer"]) * h * (not low)) * seeds[rows["seed"]]
        rows = rows.assign(cosine=0.9, absolute=rows["relative"], other_batch=0.9, rounding=1e-6)
        yield "ics", _reached(rows, have, "checkpoint")
        rows = cross(self.seeds, checkpoint=["init", "loss0.5"])
        for column in ("change_absolute", "change_relative"):
            rows[column] = 0.2 * np.exp(0.6 * h * (not low)) * seeds[rows["seed"]]
        rows = rows.assign(loss_range=0.3, predictiveness=0.2, beta_smoothness=2.0, hessian_top=30.0, input_share=0.1)
        yield "landscape", _reached(rows, have, "checkpoint")
        if depth != self.depths[-2:][0]:
            return
        doses = {"checkpoint": ["init", "loss0.5"], "kind": ["gradient", "random"], "dose": [0.001, 0.01, 0.1]}
        rows = cross(self.seeds, **doses, layer=np.arange(depth // 2 + 1, depth + 2))
        size = rows["dose"] * (3 if low else 3 * np.exp(0.8 * h)) * seeds[rows["seed"]]
        last = rows["layer"] == depth + 1
        for column in ("moments", "shape", "gradients"):
            rows[column] = np.where(last, np.nan, 0.5 * size)
        rows["values"] = size
        rows["left"] = np.where(last, np.nan, (0.5 + 0.25 * h) * np.clip(seeds[rows["seed"]], 0.8, 1.2))
        yield "intervention", _reached(rows, have, "checkpoint")
        rows = cross(self.seeds, match=["dose", "damage"]).assign(checkpoint="loss0.5", before=0.5, budget=200)
        steps = np.round((20 if low else 20 * np.exp(0.7 * h)) * seeds[rows["seed"]])
        late = (rows["seed"] % 16 == 5) & (not low)
        rows["reached"], rows["steps"] = ~late, np.where(late, np.nan, steps)
        yield "adaptation", _reached(rows, have, "checkpoint")

    def shift(self, arm: str, depth: int, h: float, noise: np.ndarray, alive: set[int], inputs: str) -> pd.DataFrame:
        norm, painted = arm in BATCH_ARMS, inputs.startswith(("lecture", "spurious"))
        own = inputs.removesuffix("_ceiling")
        few = self.thin and arm not in ("none", "bn", "once", "layernorm")
        families = (own,) if painted else FAMILIES[: 0 if few else None]
        statistics = ("running", "hue32", "mixed32") if painted else STATISTICS[: 4 if self.thin else None]
        if inputs == "spurious_colour":
            statistics = ("running", "batch32", "whole")
        some = statistics if norm else statistics[:1]
        conditions = [(own if painted else "clean", 0), *((f, s) for f in families for s in range(1, 6))]
        conditions += [(ELSEWHERE, AS_SEVERE)] if FAMILIES == families else []
        rows = cross(self.seeds, condition=range(len(conditions)), statistics=some)
        for i, column in enumerate(("family", "severity")):
            rows[column] = [conditions[c][i] for c in rows["condition"]]
        rows["accuracy"] = 92 + 2.5 * h * (arm == "bn") + 3 * noise[rows["seed"]]
        loss = 9.0 + h * {"none": 0.0, "once": 2.0, "layernorm": -4.0}.get(arm, -2.0)
        rows["accuracy"] -= loss * rows["severity"] * (1 + 0.3 * noise[rows["seed"]])
        fresh = rows["statistics"].ne("running") * rows["severity"]
        rows["accuracy"] += np.where(rows["family"] == "inversion", -4.0, 4.0) * h * fresh
        gains = rows["family"].eq("clean") & rows["statistics"].ne("running")
        rows["accuracy"] += np.where(gains, (1.0 + 0.1 * depth) * h, 0.0)
        if inputs != own:
            rows["accuracy"] = 95.0
        rows.loc[rows["family"] == ELSEWHERE, "severity"] = 1
        if not self.thin:
            rows = pd.concat([rows, *self.besides(rows, inputs)], ignore_index=True)
        rows["accuracy"] = rows["accuracy"].clip(5, 100)
        rows["nll"] = 0.02 * (105 - rows["accuracy"])
        return _reached(rows.drop(columns="condition").assign(end="final"), {"final": alive}, "end").drop(columns="end")

    def besides(self, rows: pd.DataFrame, inputs: str) -> Iterator[pd.DataFrame]:
        """Gray twins, shifted classes, small test batches: of which no verdict speaks."""
        if inputs.startswith("lecture"):
            yield rows.assign(family=rows["family"] + "_twin", accuracy=rows["accuracy"] + 1)
        if inputs == "standardized":
            some = rows[rows["statistics"].isin(["running", "batch32", "whole"])]
            label = some[some["family"].isin(["clean", "contrast"])].assign(family="label")
            label["accuracy"] = 93 - 15 * label["severity"] * (label["statistics"] != "running")
            yield label
            tried = (rows["family"] == "clean") | ((rows["family"] == "contrast") & (rows["severity"] == 3))
            for images, right in ((1, 10), (2, 30), (4, 55)):
                yield rows[tried & (rows["statistics"] == "batch8")].assign(statistics=f"batch{images}", accuracy=right)


def needless(setting: dict[str, Any], name: str) -> bool:
    """Whether no verdict rests on a network's table."""
    plain = setting["gain"] == 1.0 and setting["inputs"] == "standardized"
    if setting["arm"] in ("once", "layernorm"):
        return name != "shift" or not plain
    if setting["arm"] == "affine" or setting["inputs"] in ("raw", "mixed", "scaled"):
        return True
    if setting["arm"] == "bn_frozen" and name != "shift":
        return True
    return name in ("shift", "xhat") and not plain and not setting["inputs"].startswith("lecture")


def cross(seeds: np.ndarray, **levels: Any) -> pd.DataFrame:
    """One row a combination of the seeds and the levels."""
    index = pd.MultiIndex.from_product([seeds, *map(list, levels.values())], names=["seed", *levels])
    return index.to_frame(index=False)


def _reached(rows: pd.DataFrame, have: dict[str, set[int]], column: str) -> pd.DataFrame:
    keep = np.ones(len(rows), bool)
    for checkpoint, seeds in have.items():
        keep &= (rows[column] != checkpoint) | rows["seed"].isin(seeds)
    return rows[keep]
