"""The 1,797 handwritten digits of 8x8 pixels that come with scikit-learn; they are small enough for tests.

Source: Alpaydin & Kaynak 1998, UCI "Optical Recognition of Handwritten Digits" (its test set).
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits  # type: ignore[import-untyped]

from bnstudy.data.images import Images, checked


def load(path: Path | None = None) -> Images:
    """Return x [1797, 1, 8, 8], the ink in 0..1 (17 levels). ``path`` is not used."""
    pixels, labels = load_digits(return_X_y=True)
    x = (pixels / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    images = Images(x, labels.astype(np.int64), tuple("0123456789"))
    return checked(images, "digits")
