"""Random numbers: all randomness of a study is a function of a seed and a purpose, and no generator outlives its use.

So neither the order of jobs, nor a restart, nor the company of a network in its stack can change a result.
"""

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def rng(seed: int, purpose: str, *index: int) -> "torch.Generator":
    """Return a fresh generator for one purpose of one seed, e.g. ``rng(3, "order", epoch)``."""
    import torch  # costs a second, and who reads images without drawing need not pay it

    text = ":".join([str(seed), purpose, *map(str, index)])
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
    return torch.Generator().manual_seed(number)
