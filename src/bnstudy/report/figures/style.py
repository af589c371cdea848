"""How arms and figure roles look, on paper and in the dark. Colour means arm and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple
from zlib import crc32

import matplotlib

from bnstudy.core import words

WIDE, NARROW = 6.4, 3.6
"""Figure widths in inches: for a column of text, and for a phone."""

POINTS = 9.0
"""Text size in figures; at 3.6 inches on a 390-pixel screen it is about 12 pixels."""

Dash = Literal["solid", "none"] | tuple[float, tuple[float, ...]]
DASHES: tuple[Dash, ...] = ("solid", (0, (4, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)))
"""Dashes of lines that have one colour."""


class Look(NamedTuple):
    """An arm's colours (hex; light and dark page), matplotlib marker, dash and line width in points."""

    light: str
    dark: str
    marker: str
    dash: Dash
    width: float = 1.4


LOOKS = {
    "none": Look("#1a1a1a", "#f2f2f2", "o", "solid"),
    "bn": Look("#0b62a8", "#4ea8f0", "s", "solid", 1.9),
    "once": Look("#d4772c", "#e8590c", "D", (0, (5, 2))),
    "bn_noisy": Look("#82015b", "#c06aa8", "^", (0, (3, 1.5))),
    "bn_early": Look("#5b711d", "#9eae59", "<", (0, (5, 2))),
    "affine": Look("#606163", "#78797b", "h", (0, (1, 1.5))),
    "bn_frozen": Look("#0a97b8", "#73e2fa", "v", (0, (8, 2))),
    "bn_detached": Look("#5f4c08", "#f9db67", "P", (0, (5, 1.5, 1, 1.5))),
    "layernorm": Look("#144a26", "#57906a", "X", (0, (5, 1.5, 1, 1.5, 1, 1.5))),
    "bn_late": Look("#9976fb", "#a347e0", ">", (0, (8, 2))),
}
OTHER = {"light": "#8b8d90", "dark": "#9a9ca0"}
"""The grey of an arm that isn't in the list above: told apart by marker and name, never a borrowed colour."""

INPUTS = {"standardized": "standard", "raw": "raw pixels", "mixed": "unequal", "scaled": "× 64"}
"""Scalings of the same images in words; painted inputs are other images."""

GUESTS = [("once", "affine"), ("bn_frozen", "bn_detached"), ("bn_noisy", "layernorm"), ("bn_early", "bn_late")]
"""Arms that may share a panel with `none` and `bn`: their colours are far enough apart."""


class Role(NamedTuple):
    """A part of a figure that follows the page's theme: CSS variable, light and dark hex."""

    name: str
    light: str
    dark: str


INK, MUTED, RULE, SHADE, PAPER = "#010203", "#040506", "#070809", "#0a0b0c", "#0d0e0f"
"""Stand-in colours to draw with: svg.py turns each into a CSS variable."""

ROLES = {
    INK: Role("ink", "#1a1a1a", "#e8e6e1"),
    MUTED: Role("muted", "#5c5c5c", "#a9a9a9"),
    RULE: Role("rule", "#d9d5cc", "#3a3f47"),
    SHADE: Role("shade", "#ece8de", "#262b33"),
    PAPER: Role("paper", "#fbfaf7", "#14171c"),
}


def look(arm: str) -> Look:
    """Return the look of an arm; a grey one with a free marker for an arm that the list doesn't have."""
    marker = ("*", "p", "d", "8")[crc32(arm.encode()) % 4]
    return LOOKS.get(arm) or Look(OTHER["light"], OTHER["dark"], marker, (0, (2, 2)))


arm_name = words.arm


def variables(theme: str) -> str:
    """Return the CSS declarations of all roles and arms for `light` or `dark`."""
    roles = {role.name: getattr(role, theme) for role in ROLES.values()}
    arms = {variable(arm): getattr(own, theme) for arm, own in LOOKS.items()} | {"arm-other": OTHER[theme]}
    return ";".join(f"--{key}:{value}" for key, value in (roles | arms).items())


def variable(arm: str) -> str:
    """Return the name of an arm's CSS variable."""
    return f"arm-{arm.replace('_', '-')}"


@contextmanager
def drawing() -> Iterator[None]:
    """Set matplotlib up to draw any figure and to render it: bare axes, ink text, text kept as text, stable ids."""
    settings: dict[Any, Any] = {
        "font.family": "DejaVu Sans",  # wide: the page's own font takes less room, so nothing spills
        "font.size": POINTS, "axes.titlesize": POINTS, "axes.titlelocation": "left", "axes.titleweight": "bold",
        "axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True,
        "axes.grid": True, "axes.grid.axis": "y", "grid.linewidth": 0.6, "grid.color": RULE,
        "legend.frameon": False, "figure.facecolor": "none", "axes.facecolor": "none",
        "svg.fonttype": "none", "svg.hashsalt": "bnstudy", "mathtext.default": "regular",
    }  # fmt: skip
    inked = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    with matplotlib.rc_context(settings | dict.fromkeys(inked, INK)):
        yield
