"""How figures look: arms told apart by colour and without it, themes, and the rule as a picture."""

import re

import numpy as np
import pytest
from coloraide import Color
from matplotlib.figure import Figure

from bnstudy.data.colour import HUES, colour_at
from bnstudy.report.figures import sample_images, speed
from bnstudy.report.figures.style import GUESTS, LOOKS, OTHER, ROLES, look
from bnstudy.report.figures.svg import themed, to_svg
from bnstudy.report.page.ruler import WIDTH, Example, ruler

pytestmark = pytest.mark.usefixtures("drawn")


SIGHT = ("protan", "deutan", "tritan")


def distance(a: str, b: str) -> float:
    """Return the least CIEDE2000 between two colours over normal sight and three simulated ones (Machado et al. 2009)."""
    pair = (Color(a), Color(b))
    seen = [pair, *([colour.filter(kind, method="machado") for colour in pair] for kind in SIGHT)]
    return min(x.delta_e(y, method="2000") for x, y in seen)


@pytest.mark.parametrize(
    ("theme", "base", "together", "contrast"), [("light", 15.9, 20.4, 3.1), ("dark", 12.6, 15.1, 3.9)]
)
def test_arms_are_told_apart(theme: str, base: float, together: float, contrast: float) -> None:
    colours = {arm: getattr(entry, theme) for arm, entry in LOOKS.items()}
    for arm in colours.keys() - {"none", "bn"}:
        assert min(distance(colours[arm], colours[b]) for b in ("none", "bn")) >= base, arm
    for a, b in GUESTS:
        assert distance(colours[a], colours[b]) >= together, (a, b)
    paper = {role.name: getattr(role, theme) for role in ROLES.values()}["paper"]
    for colour in (*colours.values(), OTHER[theme]):
        assert Color(colour).contrast(paper) >= contrast - 0.1, colour


def test_arms_differ_without_colour() -> None:
    assert len({entry.marker for entry in LOOKS.values()}) == len(LOOKS)
    for pair in GUESTS:
        assert len({LOOKS[arm].marker for arm in ("none", "bn", *pair)}) == 4
    assert look("a_users_arm").light == OTHER["light"]
    assert look("a_users_arm").marker not in {entry.marker for entry in LOOKS.values()}


def test_groups_hold_every_arm_four_a_panel() -> None:
    arms = [*LOOKS, "mine"]
    found = speed.groups(arms)
    assert {a for group in found.values() for a in group} == set(arms)
    assert all(len(group) <= 4 and group[:2] == ["none", "bn"] for group in found.values())
    assert speed.groups([]) == {} and speed.groups(["bn"]) == {"": ["bn"]}


def test_theme_of_a_figure() -> None:
    svg = '<?xml?><svg width="10pt" height="5pt"><g id="a" fill="#010203" stroke="#0b62a8"/><use href="#a"/><path clip-path="url(#a)" fill="#1a1a1a"/></svg>'
    done = themed(svg, "fig")
    assert 'fill="var(--ink,#1a1a1a)"' in done and 'stroke="var(--arm-bn,#0b62a8)"' in done
    assert 'fill="var(--arm-none,#1a1a1a)"' in done and "var(--var" not in done
    assert 'id="fig-a"' in done and 'href="#fig-a"' in done and "url(#fig-a)" in done and "10pt" not in done
    with pytest.raises(ValueError, match="#ff0000"):
        themed(svg.replace("#010203", "#ff0000"), "fig")


def contrast(
    estimate: float | None, low: float | None, high: float | None, sesoi: float = 1.0, region: str = "more"
) -> Example:
    return Example(region=region, sesoi=sesoi, estimate=estimate, ci_low=low, ci_high=high)


def test_ruler_draws_the_rule() -> None:
    def at(value: float) -> float:
        return round((value + 6) / 12 * WIDTH, 1)

    drawn = ruler([contrast(2, 1.5, 3)])
    assert f'<rect x="{at(1)}"' in drawn and f"M{at(1.5)} 8H{at(3)}" in drawn and f'cx="{at(2)}"' in drawn
    assert f'width="{round(at(1) - at(-1), 1)}"' in ruler([contrast(0, -0.5, 0.5, region="within")])
    assert "l-7 -4v8z" in ruler([contrast(2, 1.5, None)]) and "l7 -4v8z" in ruler([contrast(None, None, 3)])
    assert 'stroke-dasharray="4 4"' in ruler([contrast(None, None, None)])
    assert f'<rect x="{at(0)}"' in ruler([contrast(0.2, 0.1, 0.4, sesoi=0.0)])
    assert ruler([contrast(-2, -3, -1.5, region="less")]) == ruler([contrast(2, 1.5, 3)])
    shown = ruler([contrast(2, 1.5, 3)._replace(verdict="not judged")])
    assert 'fill="var(--paper)" stroke="var(--ink)"' in shown and "var(--paper)" not in drawn
    two = ruler([contrast(2, 1, 3), contrast(0.5, 0.4, 0.6, sesoi=0.25)])
    assert two.count("<circle") == 2 and two.count(f'cx="{at(2)}"') == 2  # each in its own smallest effect


def test_texts_keep_their_digits_and_places_lose_theirs() -> None:
    figure = Figure(figsize=(2, 2))
    figure.text(0.123456, 0.5, "0.125")
    svg = to_svg(figure, "x")
    assert ">0.125<" in svg and not re.search(r"\d\.\d{3}", svg.replace(">0.125<", ""))


def test_a_sprite_keeps_its_pixels_and_leaves_its_gaps_to_the_page() -> None:
    a, b = np.full((2, 3, 3), 7, np.uint8), np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    made = sample_images.sprite([[a, b], [b, a]])
    assert made.shape == (5, 7, 4) and (made[:2, :3, :3] == a).all() and (made[3:, :3, :3] == b).all()
    assert (made[2, :, 3] == 0).all() and (made[:, 3, 3] == 0).all() and (made[..., 3] == 255).sum() == 4 * 6
    with pytest.raises(ValueError, match="as many images"):
        sample_images.sprite([[a], [a, b]])


def test_the_names_and_colours_of_hues_are_those_of_the_images() -> None:
    table = sample_images.colours()
    for row in table.itertuples():
        hue = HUES[[*sample_images.HUES].index(row.hue)]
        assert [row.red, row.green, row.blue] == pytest.approx(colour_at(row.severity, hue).tolist())
    assert len(table) == 36
