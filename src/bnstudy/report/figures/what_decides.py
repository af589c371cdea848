"""The figure of what decides: batch norm's saving over one number of the untrained network, setting by setting."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bnstudy.claims.ledger import Rule
from bnstudy.core import words
from bnstudy.core.setting import FACTORS
from bnstudy.report.figures.axes import entry, label, legend, log_scale, panels, reference
from bnstudy.report.figures.picture import Picture
from bnstudy.report.figures.style import INK, PAPER, SHADE
from bnstudy.report.figures.summary import lost, times
from bnstudy.report.results import Results

MARKS = {"mlp": ("o", "plain"), "resmlp": ("s", "skips"), "cnn": ("^", "convolutions"), "resnet": ("D", "both")}
"""Networks by mark, and in a word."""


def forecasts(results: Results) -> Picture:
    """Return the figure of forecasts and savings; the band without a saving is the claims file's rule."""
    rows, rule = lost_runs(results), results.ledger.forecast
    counts = rows["outcome"].value_counts()
    right, wrong, still = (int(counts.get(name, 0)) for name in ("right", "wrong", "open"))
    decided = rows[rows["outcome"] != "open"]
    none = int((decided["saves"] != (decided["outcome"] == "right")).sum())
    edge = int((~np.isfinite(rows["high"].astype(float))).sum())
    late = rows[rows["never"] > 0].sort_values("value")
    missed = ", ".join(f"{row.never} of {row.of} at {row.value:.2g}" for row in late.itertuples())
    some = f" Seeds that never arrived without it: {missed}." if missed else ""
    kinds = "; ".join(f"{kind}: {told}" for kind, told in by_kind(rows).items())
    found = f"Batch norm saves steps in {len(decided) - none} of {len(decided)} settings, and here the forecast is right in {right}"
    how = (
        f"Each mark is a network with its start, of all that ran with batch norm and without it to their own main target: right in {right}, wrong in {wrong} (crossed out), and open in "
        f"{still} (hollow), where the interval holds 1.25, the least saving that counts. At the upper edge the interval has no end, since networks without batch norm did not arrive: {edge} of {len(rows)} settings.{some} "
        f"Right by kind: {kinds or 'none'}. Settings that saved nothing, on which the band alone is tried: {none}."
    )
    few = int(rows.loc[rows["of"] > 0, "of"].min()) if (rows["of"] > 0).any() else results.seeds
    how += f" Some settings have {few} seeds." * (few < results.seeds)
    if rule:
        how = f"The rule was chosen on other seeds (docs/what_decides.md lists the networks): no saving where the number lies in the shaded band, {rule.low:g} to {rule.high:g}. {how}"
    subject = "What batch norm saves, over one number of the untrained network without it"
    alone = "Medians over seeds; intervals of 95% of each setting alone"
    drawn = partial(draw, rows, rule)
    numbers = "; ".join(
        f"{words.factor('net', row.net)}, {row.depth} layers, first weights × {row.gain:g}: "
        f"{row.value:.2g}, saving {f'{row.saving:.2g}' if np.isfinite(row.saving) else f'at least {row.low:.2g}'}"
        for row in rows.itertuples()
    )
    return Picture(
        results, "what-decides", drawn, rows, subject, how, "Q3k", ["none"], None, alone, "Scatter plot", found, numbers
    )


def lost_runs(results: Results) -> pd.DataFrame:
    """Return the forecasts with how many runs without batch norm never arrived, `never` of `of`; 0 of 0 where no run is kept."""
    rows = results.table("forecasts")
    targets = {kind: judged.targets[0] for kind, judged in results.ledger.kinds.items()}
    own = rows[[*FACTORS]].assign(target=rows["kind"].map(targets).astype(float).fillna(results.target))
    main = {results.target, *targets.values()}
    found = [results.everywhere("convergence", f"best@{target:g}", target=target, arm="none") for target in main]
    runs = pd.concat(found).merge(own, on=[*FACTORS, "target"]).assign(time=times)
    counts = runs.groupby([*FACTORS])["time"].agg(never=lost, of="size").reset_index()
    counted = rows.merge(counts, on=[*FACTORS], how="left")
    return counted.fillna({"never": 0, "of": 0}).astype({"never": int, "of": int})


def by_kind(rows: pd.DataFrame) -> dict[str, str]:
    """Return, by kind of network in words, in how many of its decided settings the forecast was right."""
    decided = rows[rows["outcome"] != "open"]
    right = decided["outcome"].eq("right").groupby(decided["kind"].fillna(""), sort=False)
    return {words.kind(str(kind)) if kind else "all": f"{own.sum()} of {len(own)}" for kind, own in right}


def draw(rows: pd.DataFrame, rule: Rule | None, width: float) -> Figure:
    """Draw each setting's saving with its interval over the quantity; an end beyond what was run reaches the edge."""
    figure, [(panel, _)] = panels({"": rows}, width, 2.5)
    shown = rows.dropna(subset=["low", "high"], how="all")
    log_scale([panel], pd.concat([shown[name] for name in ("saving", "low", "high")] + [pd.Series([0.8, 2.0])]))
    bottom, top = panel.get_ylim()
    if rule:
        panel.axvspan(rule.low, rule.high, color=SHADE, linewidth=0)
    for row in shown.itertuples():
        low, high = (end if np.isfinite(end) else edge for end, edge in ((row.low, bottom), (row.high, top)))
        panel.vlines(row.value, low, high, color=INK, linewidth=0.8)
        middle = row.saving if np.isfinite(row.saving) else high
        mark = MARKS.get(row.net, ("*", ""))[0]
        face = PAPER if row.outcome == "open" else INK
        panel.plot([row.value], [middle], mark, markerfacecolor=face, markeredgecolor=INK, markersize=5, clip_on=False)
        if row.outcome == "wrong":
            panel.plot([row.value], [middle], "x", color=INK, markersize=11)
    used = [MARKS[net] for net in MARKS if (rows["net"] == net).any()]
    marks = [entry(name, {"color": INK, "marker": mark, "linestyle": "none", "markersize": 5}) for mark, name in used]
    legend(figure, [], [*marks, reference([panel], 1.25, "1.25 times")])
    meaning = (rule and rule.meaning) or "a number of the untrained network"
    label(figure, f"{meaning}\n(right = larger)", "steps without / with\n(up = saves more)")
    return figure
