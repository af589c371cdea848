"""Names of what a study varies, in words: no reader meets ``bn_noisy_mild`` or ``net resmlp``."""

from collections.abc import Mapping
from typing import Any

ARMS = {
    "none": "no normalization",
    "bn": "batch norm",
    "once": "normalized once",
    "bn_noisy": "shaken batch norm",
    "bn_early": "batch norm, early half",
    "bn_late": "batch norm, late half",
    "affine": "γ and β alone",
    "bn_frozen": "batch norm, γ β frozen",
    "bn_detached": "batch norm, detached",
    "layernorm": "layer norm",
    "bn_post": "batch norm after the ReLU",
    "none_noisy": "a shaken plain network",
    "once_noisy": "normalized once, shaken",
    "bn_noisy_mild": "mildly shaken batch norm",
}
INPUTS = {
    "raw": "raw pixels",
    "mixed": "pixels of unequal range",
    "scaled": "pixels 64 times as large",
    "lecture_white": "dark ink on a white ground",
    "lecture_gray": "dark ink on a gray ground",
}
NETS = {
    "mlp": "a plain network",
    "resmlp": "skip connections",
    "cnn": "a convolutional network",
    "resnet": "a convolutional network with skip connections",
}


KINDS = {
    "mlp": "plain networks",
    "mlp_small": "plain networks started small",
    "mlp_skips": "networks with skips",
    "cnn": "convolutional networks",
    "cnn_skips": "convolutional networks with skips",
}


def kind(name: str) -> str:
    """Return a kind of networks in words, as they stand after "in"; one without words of its own by its name."""
    return KINDS.get(name, f"networks of kind {_plain(name)}")


def arm(name: str) -> str:
    """Return an arm in words; one without words of its own by its name.

    >>> arm("bn_noisy"), arm("mynorm:Fancy_norm")
    ('shaken batch norm', 'Fancy norm')
    """
    return ARMS.get(name, _plain(name))


def _plain(name: str) -> str:
    """Return a name without words of its own; a guest's without its module."""
    return name.rpartition(":")[2].replace("_", " ")


def network(name: str) -> str:
    """Return the networks of an arm in words, where "no normalization" would read as nothing lacking."""
    return "a network without normalization" if name == "none" else arm(name)


def factor(name: str, value: Any) -> str:
    """Return a factor's value in words.

    Args:
        name: The factor, as in the tables: arm, depth, gain, inputs, net, width, batch, optimizer, pool.
        value: Its value; a gain is a number.

    >>> factor("batch", 32), factor("gain", 0.5)
    ('batches of 32', 'first weights 0.5 times as large')
    """
    plain = _plain(str(value))
    return {
        "arm": lambda: arm(str(value)),
        "depth": lambda: f"{plain} layers",
        "gain": lambda: f"first weights {value:g} times as large",
        "inputs": lambda: INPUTS.get(str(value), f"{plain} inputs"),
        "net": lambda: NETS.get(str(value), plain),
        "width": lambda: f"{plain} units a layer",
        "batch": lambda: f"batches of {plain}",
        "optimizer": lambda: {"adam": "Adam", "sgd": "SGD"}.get(str(value), plain),
        "pool": lambda: "images at full size" if str(value) == "1" else f"images pooled {plain} by {plain}",
    }.get(name, lambda: f"{name.replace('_', ' ')} {plain}")()


def factors(values: Mapping[str, Any]) -> str:
    """Return several factors in words, parted by commas.

    >>> factors({"depth": 5, "optimizer": "adam"})
    '5 layers, Adam'
    """
    return ", ".join(factor(name, value) for name, value in values.items())


STUDIES = {
    "again": "default on other seeds", "map": "map of first weights and depths", "fashion_mnist": "part of Fashion-MNIST",
    "fashion_mnist_full": "all of Fashion-MNIST",
}  # fmt: skip
"""Studies whose names say too little."""


def study(name: str) -> str:
    """Return the name of a study, which is that of its folder, in words."""
    return STUDIES.get(name, name.replace("_", " "))
