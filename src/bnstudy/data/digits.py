"""scikit-learn's 1,797 handwritten digits of 8x8 pixels: small enough for tests.

Source: Alpaydin & Kaynak 1998, UCI "Optical Recognition of Handwritten Digits" (its test set).
"""

from typing import Any

import numpy as np
from sklearn.datasets import load_digits  # type: ignore[import-untyped]

from bnstudy.data.images import Images, checked


def load(spec: dict[str, Any]) -> Images:
    """x [1797, 1, 8, 8], ink in 0..1 (17 levels). Raises ValueError as :func:`checked` does."""
    pixels, labels = load_digits(return_X_y=True)
    x = (pixels / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    images = Images(x, labels.astype(np.int64), tuple("0123456789"))
    return checked(images, "digits")
