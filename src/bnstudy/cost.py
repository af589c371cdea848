"""About how long training takes: for `bnstudy plan`, and to make jobs of a handy size."""

from typing import Any

from bnstudy.config_checks import names


def seconds(steps: int, setting: dict[str, Any], networks: int) -> float:
    """A rough cost, as timed on one core of a server: for a hidden layer, step and network at batch 64, 40 microseconds
    at width 64; of convolutions, which train alone, 5 milliseconds at width 32 on about 14 x 14 pixels."""
    layer = 40e-6 * setting["width"] / 64
    if setting["net"] in names("nets", "ALONE"):
        layer = 5e-3 * (setting["width"] / 32) ** 2
    return steps * networks * layer * (setting["depth"] + 1) * setting["batch"] / 64
