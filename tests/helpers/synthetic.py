"""Synthetic tables of a study: every column of the real ones, plausible values, and a world that can be turned.

`tables(outcome)` makes a whole study in which batch norm helps ("support"), hurts ("oppose"), does nothing that
matters ("negligible"), helps shallow nets and hurts deep ones ("mixed"), is lost in noise ("open"), or in which
only arm `none` was run ("missing"). With `grids` it also holds networks at other batches, widths, optimizers and
poolings, and the lecture split; `thin` leaves out most layers, and what no verdict rests on. `dials.dial` then turns a single claim's settings.
"""

import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bnstudy.pipeline.effective import robustness

SETTING = ["arm", "depth", "gain", "inputs", "net", "width", "batch", "optimizer", "pool"]
BASE: dict[str, Any] = {"net": "mlp", "width": 64, "batch": 64, "optimizer": "sgd", "pool": 2}
GRIDS = (
    {"optimizer": "adam"},
    {"batch": 32},
    {"batch": 128},
    {"width": 32},
    {"width": 128},
    {"pool": 1},
    {"net": "resmlp"},
)
GRID = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
TARGETS = (0.5, 0.25)
FAMILIES = ("contrast", "brightness", "inversion", "noise", "blur", "rotation", "translation")
CHECKPOINTS = ("init", "step100", "loss1.0", "loss0.5", "loss0.25", "final")
PAIRS = (("init", "loss1.0"), ("loss1.0", "loss0.5"), ("loss0.5", "loss0.25"), ("init", "final"))
STATISTICS = ("running", "batch8", "batch32", "whole", "batch128", "reestimated")
BATCH_ARMS = ("bn", "bn_frozen", "bn_noisy", "bn_detached", "bn_post", "bn_early", "bn_late")
GUESTS = {"bn_noisy": ("drift",), "bn_post": ("shift",), "bn_detached": (), "bn_early": (), "bn_late": ()}
"""Arms of which only some tables are made."""
SITES = {
    "none": ("linear", "relu", "next"), "affine": ("linear", "affine", "relu", "next"),
    "bn_frozen": ("linear", "xhat", "relu", "next"),
}  # fmt: skip
ALL_SITES = ("linear", "xhat", "affine", "relu", "next")
Tables = dict[str, pd.DataFrame]


def tables(
    outcome: str = "support",
    seeds: int = 16,
    depths: Sequence[int] = (2, 5, 10, 20),
    seed: int = 0,
    spread: float = 0.1,
    grids: bool = False,
    thin: bool = False,
) -> Tables:
    """All tables of a study of four depths, `seeds` evaluation seeds; `spread` is the sd between seeds (ln, points/10)."""
    world = World(outcome, seeds, tuple(depths), seed, spread, grids, thin)
    parts: dict[str, list[pd.DataFrame]] = {}
    for setting in world.settings():
        for name, frame in world.one(setting):
            parts.setdefault(name, []).append(frame.assign(**setting))
    out = {name: _order(pd.concat(frames, ignore_index=True)) for name, frames in parts.items()}
    for name in ("convergence", "sweep"):
        out[name]["steps"] = out[name]["steps"].astype("Int64")
        out[name]["diverged_at"] = out[name]["diverged_at"].astype("Int64")
    if "shift" in out and not thin:
        out["effective_robustness"] = robustness(out["shift"])
    out["checks"] = checks()
    out["shift_size"] = pd.DataFrame(
        [(f, s, 0.05 * s, 0.02 * s if f == "brightness" else 0.0, 1 - 0.1 * s) for f in FAMILIES for s in range(1, 6)],
        columns=["family", "severity", "rms_change", "mean_change", "sd_ratio"],
    )
    return out


def checks() -> pd.DataFrame:
    """Check E15 as this project finds it: the printed formula is off by (m-1)/sqrt(m-2), the corrected one is exact."""
    rows = []
    for m in (8, 64):
        for name, error in (("with 1/m on its last term", 2e-16), ("as printed", (m - 1) / (m - 2) ** 0.5)):
            text = f"formula {name} against autograd, relative error, m = {m}"
            rows.append(
                {"id": "E15", "name": text, "expected": error, "measured": error, "tolerance": 1e-10, "passed": True}
            )
    return pd.DataFrame(rows)


@cache
def whole() -> Tables:
    """A thin study with all its grids, that the tests share: they copy a table before they write into it."""
    return tables(grids=True, thin=True, spread=0.05)


def swap(tables: Tables, a: str = "none", b: str = "bn") -> Tables:
    """The same tables with two arms' names exchanged."""
    names = {a: b, b: a}
    return {k: t.assign(arm=t["arm"].replace(names)) if "arm" in t else t.copy() for k, t in tables.items()}


def drop(tables: Tables, **where: Any) -> Tables:
    """The same tables without the rows of `where`, as drop(tables, arm="once"); tables without the column stay."""
    out = {}
    for name, table in tables.items():
        if set(where) <= set(table):
            table = table[~np.logical_and.reduce([table[k] == v for k, v in where.items()])]
        out[name] = table.reset_index(drop=True)
    return out


def write(tables: Tables, folder: Path) -> None:
    """One CSV a table, as the workflow writes them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, float_format="%.8g")


def _order(table: pd.DataFrame) -> pd.DataFrame:
    first = [c for c in [*SETTING, "rate", "seed"] if c in table]
    return table[first + [c for c in table if c not in first]]


class World:
    """What is true in the synthetic study, and the tables that show it."""

    def __init__(
        self, outcome: str, seeds: int, depths: tuple[int, ...], seed: int, spread: float, grids: bool, thin: bool
    ) -> None:
        signs = {
            "support": 1.0,
            "oppose": -1.0,
            "negligible": 0.0,
            "open": 0.25,
            "mixed": 1.0,
            "missing": 1.0,
        }
        if outcome not in signs:
            raise ValueError(f"outcome {outcome!r}: one of {', '.join(signs)}")
        self.outcome, self.strength, self.depths, self.seed = outcome, signs[outcome], depths, seed
        self.grids, self.thin = grids, thin
        self.seeds, self.spread = np.arange(seeds), 6 * spread if outcome == "open" else spread

    def settings(self) -> Iterator[dict[str, Any]]:
        shallow, middle, deep = (*self.depths, *self.depths)[-7:-4] if len(self.depths) < 3 else self.depths[-3:]
        full = list(product(("none", "bn", "bn_frozen", "once", "affine"), (shallow, deep), (1.0,), ("standardized",)))
        full += product(("none", "bn"), [d for d in self.depths if d not in (shallow, deep)], (1.0,), ("standardized",))
        full += product(("none", "bn", "once"), (middle,), (0.71, 1.41), ("standardized",))
        full += product(("none", "bn", "once"), (shallow,), (0.41,), ("standardized",))
        full += product(("none", "bn"), (shallow,), (1.0,), ("raw", "mixed"))
        full += product(("bn_detached", "bn_post"), (shallow, deep), (1.0,), ("standardized",))
        full += [("bn_noisy", shallow, 0.41, "standardized"), ("bn_noisy", middle, 0.71, "standardized")]
        full += product(("bn_early", "bn_late"), (deep,), (1.0,), ("standardized",))
        full += product(("bn_early", "bn_late"), (middle,), (0.71,), ("standardized",))
        if self.grids or not self.thin:
            full += product(("none", "bn"), (shallow,), (1.0,), ("lecture_white", "lecture_gray"))
        if not self.thin:
            full += product(("none", "bn"), (shallow,), (1.0,), ("spurious_colour",))
            full += product(("none",), (shallow,), (1.0,), ("lecture_white_ceiling", "lecture_gray_ceiling"))
        for arm, depth, gain, inputs in dict.fromkeys(full):
            if self.outcome != "missing" or arm == "none":
                yield {"arm": arm, "depth": depth, "gain": gain, "inputs": inputs, **BASE}
        if self.grids:
            plain: dict[str, Any] = {"depth": shallow, "gain": 1.0, "inputs": "standardized", **BASE}
            for batch in (8, 16, 256):
                yield {"arm": "bn", **plain, "batch": batch}
            for arm, depth in product(("none", "bn"), (middle, deep)):
                yield {"arm": arm, **plain, "depth": depth, "net": "resmlp"}
            for arm, factors in product(("none", "bn"), GRIDS):
                yield {"arm": arm, **plain, **factors}

    def helps(self, depth: int) -> float:
        """How much batch norm helps: 1 as claimed, 0 not at all, -1 the reverse."""
        deep = depth > self.depths[-2] if len(self.depths) > 1 else False
        return -1.0 if self.outcome == "mixed" and deep else self.strength

    def noise(self, *name: Any, size: tuple[int, ...] = ()) -> np.ndarray:
        rng = np.random.default_rng([self.seed, zlib.crc32(repr(name).encode())])
        return self.spread * rng.standard_normal((*size, len(self.seeds)))

    def one(self, setting: dict[str, Any]) -> Iterator[tuple[str, pd.DataFrame]]:
        """(table name, rows without the setting) of one setting."""
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
        yield (
            "sweep",
            pd.concat(
                self.run(setting, rate, np.arange(10_000, 10_003), tuning=True) for rate in GRID[self.thin * 7 :]
            ),
        )
        for rate in dict.fromkeys([best, shared if plain and not self.thin else best]):
            done = next(r for r in runs if (r["rate"] == rate).all())
            if not self.thin:
                yield "curves", self.curves(done)
            if GUESTS.get(setting["arm"]) == () or (
                self.thin and needless(setting, "shift") and needless(setting, "drift")
            ):
                continue
            for name, rows in self.measures(setting, done):
                if name in GUESTS.get(setting["arm"], (name,)) and not (self.thin and needless(setting, name)):
                    yield name, rows.assign(rate=rate)

    def layers(self, depth: int) -> np.ndarray:
        every = np.arange(1, depth + 1)
        return every[np.isin(every, [1, 2, depth // 2 + 1, depth])] if self.thin else every

    def best(self, arm: str, depth: int) -> float:
        return {"bn": 0.3, "bn_frozen": 0.3}.get(arm, 0.1 if depth < 11 else 0.03)

    def ln_steps(self, setting: dict[str, Any]) -> float:
        arm, depth, gain, inputs = (setting[k] for k in ("arm", "depth", "gain", "inputs"))
        h, far = self.helps(depth), abs(np.log(gain))
        slow = (0.35 + 0.055 * depth + 1.9 * far + (0.8 if inputs != "standardized" else 0.0)) * h
        gap = slow * {"none": 1.0, "affine": 1.0, "bn_noisy": 0.8}.get(arm, 0.0)
        gap += {"bn_frozen": 0.7, "bn_detached": 0.5, "bn_post": 0.4, "bn_early": 0.9, "bn_late": 0.4}.get(arm, 0.0) * h
        if arm == "once":
            gap += 0.8 * max(-h, 0.0) + 1.5 * far
        gap -= 0.4 * np.log2(setting["batch"] / 64) * h
        return float(np.log(90 + 4 * depth) + gap + (0.9 * far if arm == "bn" and h < 0 else 0.0))

    def run(self, setting: dict[str, Any], rate: float, seeds: np.ndarray, tuning: bool = False) -> pd.DataFrame:
        """Rows of convergence (or sweep): some runs never arrive, some diverge."""
        arm, depth = setting["arm"], setting["depth"]
        budget, best = 1500, self.best(arm, depth)
        noise = (
            self.noise("pair", depth)[seeds % len(self.seeds)]
            + self.noise("run", *setting.values(), rate)[seeds % len(self.seeds)]
        )
        width = 3.0 if arm in BATCH_ARMS and self.helps(depth) > 0 else 1.2
        ln = self.ln_steps(setting) + (2.0 / width * np.log10(rate / best)) ** 2 + noise
        bad = rate > best * 10 ** (width / 2)
        died = np.where(
            bad | ((arm in ("affine", "none")) & (setting["gain"] > 1.2) & (seeds % 8 == 1)),
            25 + seeds % 7,
            0,
        )
        frames = []
        for target in TARGETS:
            steps = np.round(np.exp(ln + (0.35 if target < 0.5 else 0.0)))
            late = (arm == "none") & (depth > 10) & (seeds % 16 == 2)
            reached = (steps <= budget) & (died == 0) & ~late
            frames.append(
                pd.DataFrame(
                    {
                        "rate": rate, "seed": seeds, "target": target, "steps": np.where(reached, steps, np.nan),
                        "reached": reached, "diverged_at": np.where(died > 0, died, np.nan), "budget": budget,
                        "final_loss": np.where(died > 0, np.nan, 0.05 + 0.45 * np.minimum(steps / budget, 4.0)),
                    }
                )
            )  # fmt: skip
        table = pd.concat(frames)
        if tuning:
            table["log_loss"] = np.log(table["final_loss"])
            table = table.drop(columns=["budget", "final_loss"])
        return table

    def curves(self, done: pd.DataFrame) -> pd.DataFrame:
        main = done[done["target"] == TARGETS[0]]
        steps = np.unique(np.linspace(20, main["budget"].iloc[0], 25).astype(int))
        time = main["steps"].fillna(2 * main["budget"]).to_numpy(float)[:, None]
        loss = 0.03 + 2.27 * np.exp(-steps[None] / time * np.log(2.27 / 0.47))
        loss = np.where(steps[None] < main["diverged_at"].fillna(np.inf).to_numpy(float)[:, None], loss, np.nan)
        wide = pd.DataFrame(loss, index=main["seed"], columns=pd.Index(steps, name="step"))
        return wide.stack(future_stack=True).rename("loss").reset_index().assign(rate=main["rate"].iloc[0]).dropna()

    def measures(self, setting: dict[str, Any], done: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
        """Seeds that never reached a checkpoint have no row there; diverged runs have none at the end."""
        reached = {f"loss{t}": set(done.loc[(done["target"] == t) & done["reached"], "seed"]) for t in TARGETS}
        alive = set(done.loc[done["diverged_at"].isna(), "seed"])
        have = {"final": alive, "loss1.0": alive, **reached}
        arm, depth, h = setting["arm"], setting["depth"], self.helps(setting["depth"])
        layers, noise = self.layers(depth), self.noise("measure", *setting.values())
        sites = [s for s in ALL_SITES if s in SITES.get(arm, ALL_SITES)]
        level = 0.5 * np.exp(-1.2 * h if arm in BATCH_ARMS else 0.0)
        rows = cross(self.seeds, layer=layers, site=sites, pair=range(len(PAIRS)))
        level *= 2.5 if arm == "bn_noisy" else 1.0
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
        yield (
            "moments",
            _reached(rows.assign(excess_kurtosis=0.4 + max(h, 0.0) * (arm == "none"), dead=0.02), have, "checkpoint"),
        )
        yield "shift", self.shift(arm, depth, h, noise, alive, setting["inputs"])
        yield from self.deeper(setting, noise, have)
        if arm in BATCH_ARMS:
            rows = cross(self.seeds, layer=layers, family=FAMILIES, severity=range(1, 6))
            rows["offset"] = (0.1 - 0.06 * h) * rows["severity"] / 3 * np.exp(noise[rows["seed"]])
            rows["offset"] *= np.exp(0.9 * h * (rows["layer"] - 1) / max(depth - 1, 1) * (1 if depth > 10 else 0))
            yield "xhat", _reached(rows.assign(end="final"), have, "end").drop(columns="end")

    def deeper(
        self, setting: dict[str, Any], noise: np.ndarray, have: dict[str, set[int]]
    ) -> Iterator[tuple[str, pd.DataFrame]]:
        """What is measured of none and bn alone."""
        arm, depth, h = setting["arm"], setting["depth"], self.helps(setting["depth"])
        if arm not in ("none", "bn"):
            return
        layers, low = self.layers(depth), arm == "bn"
        seeds = np.exp(noise)
        levels = ["init", "loss1.0", "loss0.5"]
        rows = cross(self.seeds, checkpoint=["loss1.0", "loss0.5"], statistics=["running"])
        rows["nll"] = (0.4 - 0.06 * h * low + 0.0004 * setting["batch"] * h) * np.exp(0.2 * noise[rows["seed"]])
        yield "levels", _reached(rows.assign(accuracy=90.0), have, "checkpoint")
        if setting["inputs"] != "standardized" or any(setting[k] != v for k, v in BASE.items() if k != "net"):
            return
        rows = cross(self.seeds, checkpoint=[*levels, "step100"], layer=layers)
        level = 0.3 * h * (depth - rows["layer"]) if not low else 0.02 * (depth - rows["layer"])
        rows["norm"], rows["weight_norm"] = 0.1 * np.exp(level) * seeds[rows["seed"]], 1.0
        yield "gradients", _reached(rows, have, "checkpoint")
        if setting["net"] != BASE["net"]:
            return
        rows = cross(self.seeds, checkpoint=levels, layer=layers[1:], matching=["rate", "decrease", "step"])
        rows["relative"] = 0.4 * np.exp((0.6 + 0.1 * rows["layer"]) * h * (not low)) * seeds[rows["seed"]]
        yield "ics", _reached(rows.assign(cosine=0.9, absolute=rows["relative"], floor=0.05), have, "checkpoint")
        if depth != self.depths[-2:][0]:
            return
        rows = cross(
            self.seeds,
            checkpoint=["init", "loss0.5"],
            kind=["gradient", "random"],
            dose=[0.001, 0.01, 0.1],
            layer=np.arange(depth // 2 + 1, depth + 2),
        )
        size = rows["dose"] * (3 if low else 3 * np.exp(0.8 * h)) * seeds[rows["seed"]]
        last = rows["layer"] == depth + 1
        for column in ("moments", "shape", "gradients"):
            rows[column] = np.where(last, np.nan, 0.5 * size)
        rows["values"], rows["left"] = (
            size,
            np.where(last, np.nan, (0.5 + 0.25 * h) * np.clip(seeds[rows["seed"]], 0.8, 1.2)),
        )
        yield "intervention", _reached(rows, have, "checkpoint")
        rows = cross(self.seeds, match=["dose", "damage"]).assign(checkpoint="loss0.5", budget=200)
        steps = np.round((20 if low else 20 * np.exp(0.7 * h)) * seeds[rows["seed"]])
        late = (rows["seed"] % 16 == 5) & (not low)
        rows["reached"], rows["steps"] = ~late, np.where(late, np.nan, steps)
        yield "adaptation", _reached(rows, have, "checkpoint")
        rows = cross(self.seeds, checkpoint=["init", "loss0.5"])
        for column in ("change_absolute", "change_relative"):
            rows[column] = 0.2 * np.exp(0.6 * h * (not low)) * seeds[rows["seed"]]
        rows = rows.assign(loss_range=0.3, predictiveness=0.2, beta_smoothness=2.0, hessian_top=30.0, input_share=0.1)
        yield "landscape", _reached(rows, have, "checkpoint")

    def shift(self, arm: str, depth: int, h: float, noise: np.ndarray, alive: set[int], inputs: str) -> pd.DataFrame:
        norm, painted = arm in BATCH_ARMS, inputs.startswith(("lecture", "spurious"))
        own = inputs.removesuffix("_ceiling")
        families = (own,) if painted else FAMILIES[: 0 if self.thin and arm not in ("none", "bn") else None]
        statistics = ("running", "hue32", "mixed32") if painted else STATISTICS[:: 1 + self.thin]
        if inputs == "spurious_colour":
            statistics = ("running", "batch32", "whole")
        rows = cross(
            self.seeds,
            condition=range(1 + 5 * len(families)),
            statistics=statistics if norm else statistics[:1],
        )
        clean = own if painted else "clean"
        rows["family"] = [clean if not c else families[(c - 1) // 5] for c in rows["condition"]]
        rows["severity"] = [0 if not c else (c - 1) % 5 + 1 for c in rows["condition"]]
        rows["accuracy"] = 92 + 2.5 * h * (arm == "bn") + 3 * noise[rows["seed"]]
        rows["accuracy"] -= (
            (9.0 if arm == "none" else 9.0 - 2.0 * h) * rows["severity"] * (1 + 0.3 * noise[rows["seed"]])
        )
        fresh = rows["statistics"].ne("running") * rows["severity"]
        rows["accuracy"] += np.where(rows["family"] == "inversion", -4.0, 4.0) * h * fresh
        rows["accuracy"] += np.where(
            rows["family"].eq("clean") & rows["statistics"].ne("running"), (1.0 + 0.1 * depth) * h, 0.0
        )
        if inputs != own:
            rows["accuracy"] = 95.0
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
    if setting["arm"] in ("once", "affine") or setting["inputs"] in ("raw", "mixed"):
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
