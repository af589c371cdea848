"""How networks of a made study train: which there are, how fast each is, and which of their runs fail."""

import zlib
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

SETTING = ["arm", "depth", "gain", "inputs", "net", "width", "batch", "optimizer", "pool"]
BASE: dict[str, Any] = {"net": "mlp", "width": 64, "batch": 64, "optimizer": "sgd", "pool": 2}
OTHERS = (("optimizer", "adam"), ("batch", 32), ("batch", 128), ("width", 32), ("width", 128), ("pool", 1))
GRIDS: tuple[dict[str, Any], ...] = tuple({factor: value} for factor, value in (*OTHERS, ("net", "resmlp")))
GAINS = (0.25, 0.4, 0.63, 1.6, 2.5, 4.0)
"""First weights, beside those of gain 1, that the shallow and the deep network have over the grid of rates alone."""
GRID = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0]
TARGETS = (0.5, 0.25)
BATCH_ARMS = ("bn", "bn_frozen", "bn_noisy", "bn_detached", "bn_post", "bn_early", "bn_late")


class Training:
    """What is true of training in the made study, and the tables that show it."""

    def __init__(
        self, outcome: str, seeds: int, depths: tuple[int, ...], seed: int, spread: float, grids: bool, thin: bool
    ) -> None:
        signs = {"support": 1.0, "oppose": -1.0, "negligible": 0.0, "open": 0.25, "mixed": 1.0, "missing": 1.0}
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
        full += product(("none", "bn"), (shallow,), (1.0,), ("raw", "mixed", "scaled"))
        full += [("layernorm", shallow, 1.0, "standardized")]
        full += product(("bn_detached", "bn_post"), (shallow, deep), (1.0,), ("standardized",))
        full += product(("bn_noisy",), (shallow,), (0.41, 1.0), ("standardized",))
        full += product(("bn_noisy_mild", "none_noisy", "once_noisy"), (shallow,), (0.41,), ("standardized",))
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
            for arm, batch in product(("none", "bn"), (256,)):  # 32 is among GRIDS
                yield {"arm": arm, **plain, "batch": batch}
            for arm, depth in product(("none", "bn"), (middle, deep)):
                yield {"arm": arm, **plain, "depth": depth, "net": "resmlp"}
            for arm, depth, gain in product(("none", "bn"), (shallow, deep), GAINS):
                yield {"arm": arm, **plain, "depth": depth, "gain": gain}
            for arm, factors in product(("none", "bn"), GRIDS):
                yield {"arm": arm, **plain, **factors}

    def helps(self, depth: int) -> float:
        """How much batch norm helps: 1 as claimed, 0 not at all, -1 the reverse."""
        deep = depth > self.depths[-2] if len(self.depths) > 1 else False
        return -1.0 if self.outcome == "mixed" and deep else self.strength

    def noise(self, *name: Any) -> np.ndarray:
        rng = np.random.default_rng([self.seed, zlib.crc32(repr(name).encode())])
        return self.spread * rng.standard_normal(len(self.seeds))

    def layers(self, depth: int) -> np.ndarray:
        every = np.arange(1, depth + 1)
        return every[np.isin(every, [1, 2, depth // 2 + 1, depth])] if self.thin else every

    def best(self, arm: str, depth: int) -> float:
        return {"bn": 0.3, "bn_frozen": 0.3}.get(arm, 0.1 if depth < 11 else 0.03)

    def ln_steps(self, setting: dict[str, Any]) -> float:
        arm, depth, gain, inputs = (setting[k] for k in ("arm", "depth", "gain", "inputs"))
        h, far = self.helps(depth), abs(np.log(gain))
        slow = (0.35 + 0.055 * depth + 1.9 * far + (0.8 if inputs != "standardized" else 0.0)) * h
        gap = slow * {"none": 1.0, "none_noisy": 1.0, "affine": 1.0, "bn_noisy": 0.8}.get(arm, 0.0)
        gap += 0.8 * h * (arm in ("bn_noisy_mild", "none_noisy", "once_noisy"))
        gap += {"bn_frozen": 0.7, "bn_detached": 0.5, "bn_post": 0.4, "bn_early": 0.9, "bn_late": 0.4}.get(arm, 0.0) * h
        if arm in ("once", "once_noisy"):
            gap += 0.8 * max(-h, 0.0) + 1.5 * far
        gap -= (0.4 if arm in BATCH_ARMS else 0.1) * np.log2(setting["batch"] / 64) * h
        return float(np.log(90 + 4 * depth) + gap + (0.9 * far if arm == "bn" and h < 0 else 0.0))

    def run(self, setting: dict[str, Any], rate: float, seeds: np.ndarray) -> pd.DataFrame:
        """Rows of convergence (or sweep): some runs never arrive, some diverge."""
        arm, depth = setting["arm"], setting["depth"]
        budget, best = 1500, self.best(arm, depth)
        noise = (self.noise("pair", depth) + self.noise("run", *setting.values(), rate))[seeds % len(self.seeds)]
        width = 3.0 if arm in BATCH_ARMS and self.helps(depth) > 0 else 1.2
        ln = self.ln_steps(setting) + (2.0 / width * np.log10(rate / best)) ** 2 + noise
        fragile = arm in ("affine", "none") and setting["gain"] == 1.41
        died = np.where((rate > best * 10 ** (width / 2)) | (fragile & (seeds % 8 == 1)), 25 + seeds % 7, 0)
        frames = []
        for target in TARGETS:
            steps = np.round(np.exp(ln + (0.35 if target < 0.5 else 0.0)))
            late = (arm == "none") & (depth > 10) & (seeds % 16 == 2)
            reached = (steps <= budget) & (died == 0) & ~late
            columns = {
                "rate": rate, "seed": seeds, "target": target, "steps": np.where(reached, steps, np.nan), "reached": reached,
                "batch_steps": np.where(reached, steps + 10, np.nan), "diverged_at": np.where(died > 0, died, np.nan),
                "budget": budget, "final_loss": np.where(died > 0, np.nan, 0.05 + 0.45 * np.minimum(steps / budget, 4.0)),
            }  # fmt: skip
            frames.append(pd.DataFrame(columns))
        return pd.concat(frames)

    def curves(self, done: pd.DataFrame) -> pd.DataFrame:
        main = done[done["target"] == TARGETS[0]]
        steps = np.unique(np.linspace(20, main["budget"].iloc[0], 25).astype(int))
        time = main["steps"].fillna(2 * main["budget"]).to_numpy(float)[:, None]
        loss = 0.03 + 2.27 * np.exp(-steps[None] / time * np.log(2.27 / 0.47))
        loss = np.where(steps[None] < main["diverged_at"].fillna(np.inf).to_numpy(float)[:, None], loss, np.nan)
        wide = pd.DataFrame(loss, index=main["seed"], columns=pd.Index(steps, name="step"))
        return wide.stack(future_stack=True).rename("loss").reset_index().assign(rate=main["rate"].iloc[0]).dropna()
