"""Numbers as readers see them: units, intervals, thresholds, and rounding that never contradicts a verdict."""

import math
from collections.abc import Sequence

UNITS = {"ln times": "times", "kurtosis": "", "relative error": ""}
MISSING = "not measurable"
NEAR = 0.02
"""The share by which a bound that stands alone may be rounded."""
Sides = tuple[str, str]
"""Words for a difference above 0 and for one below 0, as in ("more", "fewer")."""


def figures(value: float, digits: int = 2) -> str:
    """Return a number to ``digits`` significant figures, from 0.0001 on without exponent.

    >>> figures(0.3149), figures(127.0), figures(-2.0, digits=1), figures(math.inf)
    ('0.31', '130', '−2', '∞')
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "∞" if value > 0 else "−∞"
    if abs(value) < 1e-4:
        return f"{value:.{digits - 1}e}".replace("-", "−")
    places = digits - 1 - math.floor(math.log10(abs(value)))
    value = round(value, places)
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}".replace("-", "−")


def threshold(value: float, unit: str) -> str:
    """Return a smallest effect that matters, in size, as the claims file writes it.

    >>> threshold(math.log(1.25), "ln times"), threshold(-2.0, "points")
    ('1.25 times', '2 points')
    """
    return _with_unit(f"{abs(_exact(value, unit)):.3g}", unit)


def effect(
    estimate: float | None, low: float | None, high: float | None, unit: str, edges: Sequence[float] = (),
    sides: Sides | None = None,
) -> str:  # fmt: skip
    """Return an estimate and its interval in words. An interval of one point (a check's) is not written out.

    Args:
        estimate: None where it is missing; all numbers are natural logarithms where ``unit`` is "ln times".
        low: the interval's lower end, None where it is open.
        high: the interval's upper end, None where it is open.
        unit: the unit, as in claims.json.
        edges: numbers that no end may be rounded onto, or beyond: an end has as many digits as that takes.
        sides: words in place of the sign of a difference.

    >>> effect(math.log(2.4), math.log(1.8), math.log(3.1), "ln times")
    '2.4 times (1.8 to 3.1)'
    >>> effect(-1.0, -2.1, 0.5, "points", sides=("more", "fewer"))
    '1.0 points fewer (0.50 more to 2.1 fewer)'
    >>> effect(1.007, 1.001, 1.02, "sd", edges=[1.0])
    '1.01 sd (1.001 to 1.02)'
    >>> effect(2.0, 1.3, None, "sd")
    '2.0 sd (at least 1.3)'
    >>> effect(None, 1.258, None, "sd", edges=[1.25]), effect(None, None, 1.31, "sd")
    ('at least 1.258 sd', 'at most 1.31 sd')
    """
    alone = (low is None) != (high is None)
    least, most = _rounded(low, unit, edges, -alone), _rounded(high, unit, edges, alone)
    middle = "" if estimate is None else _side(estimate, _between(estimate, unit, (least, most)), unit, sides)
    if low is None and high is None:
        return f"{middle} (no interval)" if middle else MISSING
    if low is None or high is None:
        end, number, word = (low or 0.0, least, "at least") if high is None else (high, most, "at most")
        if estimate is None:
            return _bound(end, number, word, unit, sides)
        interval = _bound(end, number, word, "", sides if end * estimate < 0 else None)
    elif math.isclose(low, high, rel_tol=1e-6):
        return _side(low, least, unit, sides)
    elif not sides:
        interval = f"{least} to {most}"
    elif estimate is None:
        return f"{_side(low, least, unit, sides)} to {_side(high, most, unit, sides)}"
    elif low >= 0 or high <= 0:
        interval = " to ".join(end.removeprefix("−") for end in ((least, most) if low >= 0 else (most, least)))
    else:
        pair = [_side(low, least, "", sides), _side(high, most, "", sides)]
        interval = " to ".join(pair if estimate >= 0 else pair[::-1])
    return f"{middle} ({interval})" if middle else _with_unit(interval, unit)


def _bound(end: float, number: str, word: str, unit: str, sides: Sides | None) -> str:
    """Return an open interval's only end; of a difference below 0 the least is the most in size."""
    if sides and end < 0:
        word = {"at least": "at most", "at most": "at least"}[word]
    return f"{word} {_side(end, number, unit, sides)}"


def _side(value: float, number: str, unit: str, sides: Sides | None) -> str:
    if not sides:
        return _with_unit(number, unit)
    return f"{_with_unit(number.removeprefix('−'), unit)} {sides[value < 0]}"


def _rounded(value: float | None, unit: str, edges: Sequence[float], side: int) -> str:
    """Return a number with two figures, or as many as keep it on its side of every edge.

    A bound that stands alone is rounded away from what it bounds, since "at least 1.3" says too much of 1.26, and by NEAR at
    most: ``side`` is -1 where the number may not be larger than the value, 1 where it may not be smaller, and else 0.
    """
    if value is None:
        return ""
    exact = _exact(value, unit)
    for digits in range(2, 7):
        text = figures(exact, digits)
        if side * (_read(text) - exact) < 0:
            text = figures(exact + side * 0.5 * 10 ** (math.floor(math.log10(abs(exact))) - digits + 1), digits)
        shown = _read(text)
        if side and abs(shown - exact) > NEAR * abs(exact):
            continue
        marks = [round(_exact(edge, unit), 12) for edge in edges]
        if all(shown != mark and (shown > mark) == (exact > mark) for mark in marks if not math.isclose(exact, mark)):
            break
    return text


def _between(estimate: float, unit: str, ends: Sequence[str]) -> str:
    """Return an estimate with two figures, or as many as keep it between the ends as these are written."""
    low, high = (_read(end) if end else fallback for end, fallback in zip(ends, (-math.inf, math.inf)))
    tried = [figures(_exact(estimate, unit), digits) for digits in range(2, 7)]
    return next((text for text in tried if low <= _read(text) <= high), tried[0])


def _read(text: str) -> float:
    return float(text.replace("−", "-").replace("∞", "inf"))


def _exact(value: float, unit: str) -> float:
    return math.exp(value) if unit == "ln times" else value


def _with_unit(number: str, unit: str) -> str:
    return f"{number} {UNITS.get(unit, unit)}".strip()
