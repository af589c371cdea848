"""All randomness of a study is a pure function of a seed and a purpose; no generator state lives anywhere.

So neither the order of jobs, nor a restart, nor the company of a network in its stack can change a result.
"""

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def rng(seed: int, purpose: str, *index: int) -> "torch.Generator":
    """A fresh generator for one purpose of one seed, e.g. ``rng(3, "order", epoch)``."""
    import torch  # costs a second, and who reads images without drawing need not pay it

    text = ":".join([str(seed), purpose, *map(str, index)])
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
    return torch.Generator().manual_seed(number)
