"""A matplotlib figure as an inline SVG that follows the page's light or dark theme."""

import re
from io import StringIO

from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from bnstudy.report.figures.style import LOOKS, OTHER, ROLES, variable

LONG = re.compile(r"(?<![#\w])-?\d+\.\d{3,}")
"""A number with more digits than are seen, where it is a place: in a tag, never in a text."""
FONT = re.compile(r"; font-family: [^;\"]*|(font: [^;\"]*?) ?'DejaVu Sans'[^;\"]*")


def to_svg(figure: Figure, prefix: str) -> str:
    """Return `figure` as SVG text: stand-in colours become CSS variables, every id starts with `prefix`, no fixed size.

    The same figure gives the same bytes. Raises ValueError for a colour that is neither a role nor an arm's: it
    would not follow the theme.
    """
    buffer = StringIO()
    # the same bytes as savefig's, which draws everything twice
    FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})
    return themed(buffer.getvalue(), prefix)


def themed(svg: str, prefix: str) -> str:
    """Return matplotlib's SVG text as `to_svg` returns it."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, count=1, flags=re.S)
    known = {hex_: f"var(--{role.name},{role.light})" for hex_, role in ROLES.items()}
    known |= {look.light: f"var(--{variable(arm)},{look.light})" for arm, look in LOOKS.items()}
    known[OTHER["light"]] = f"var(--arm-other,{OTHER['light']})"
    # One pass: with two, the fallback that the first wrote would be replaced by the second.
    svg = re.sub("|".join(map(re.escape, known)), lambda match: known[match[0]], svg)
    left = sorted(set(re.findall(r"#[0-9a-fA-F]{6}\b", re.sub(r"var\([^)]*\)", "", svg))))
    if left:
        raise ValueError(f"{prefix}: colours {', '.join(left)} are no role and no arm's; draw with figures.style")
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    return _shorter(svg)


def _shorter(svg: str) -> str:
    """Return matplotlib's SVG without what nobody sees: digits beyond a hundredth of a unit, ids that nothing refers to,
    shapes without fill and stroke; the font is said once."""
    svg = re.sub(r" xmlns:\w+=\"[^\"]*\"", lambda m: m[0] if "xlink" in m[0] else "", svg, count=3)
    svg = FONT.sub(lambda m: (m[1] or "") and f"{m[1]} system-ui,sans-serif", svg)
    # matplotlib's own style sheet would hold for the whole page
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.S)
    svg = svg.replace("<svg ", '<svg font-family="system-ui,sans-serif" stroke-linejoin="round" ', 1)
    svg = re.sub(r"<[^>]+>", lambda tag: LONG.sub(lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), tag[0]), svg)
    svg = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", svg)
    svg = re.sub(r'(?<= d=")[^"]*', lambda m: re.sub(r" ?([A-Za-z]) ?", r"\1", " ".join(m[0].split())), svg)
    svg = re.sub(r"<path d=\"[^\"]*\" style=\"fill: none\"/>", "", svg)
    used = set(re.findall(r"(?:href=\"#|url\(#)([^\")]+)", svg))
    svg = re.sub(r' id="([^"]+)"', lambda m: m[0] if m[1] in used else "", svg)
    svg = re.sub(r">\s+<", "><", svg)
    while "<g></g>" in svg:
        svg = svg.replace("<g></g>", "")
    return svg.strip()
