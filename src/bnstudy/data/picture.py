"""One picture of a file: PNG or JPEG, of whatever mode. Planning asks for its size."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from bnstudy.data.local import Reading, Unusable, files

GRAY = ("1", "L", "LA", "I", "I;16", "I;16B", "F")
"""Pillow's modes of pictures without colour."""
DEPTH, DEEP = 255, 65_535
"""White in pictures of 8 and of 16 bits."""


def shape(path: Path, reading: Reading) -> tuple[int, int]:
    """Return the height and width that the pictures will have, from the first of them."""
    return picture(files("folder", path)[0], reading.size).shape[:2]  # type: ignore[return-value]


def picture(file: Path, size: int | None, white: float | None = None) -> np.ndarray:
    """Return a picture as float32 [H, W] or [H, W, 3], 1 where it is white: by its bits, or the stored number ``white``."""
    try:
        with Image.open(file) as opened:
            shown: Image.Image = ImageOps.exif_transpose(opened)
            deep = shown.mode.startswith("I")
            if shown.mode == "P":
                shown = _without_colour(shown.convert("RGB"))
            if deep:
                shown = Image.fromarray(np.asarray(shown).astype(np.float32) / DEEP)
            else:
                shown = shown.convert("L" if shown.mode in GRAY else "RGB")
            if size is not None:
                shown = ImageOps.fit(shown, (size, size), Image.Resampling.BOX)
            unit = np.asarray(shown, np.float32) / (1 if deep else DEPTH)
            return unit if white is None else unit * np.float32((DEEP if deep else DEPTH) / white)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        remedy = "replace it by a whole copy, or take it out"
        raise Unusable(file, f"no picture, or damaged ({error})", remedy) from None


def _without_colour(picture: Image.Image) -> Image.Image:
    """Return a picture in gray if its channels are equal everywhere."""
    red, green, blue, *_ = picture.split()
    return red if red.tobytes() == green.tobytes() == blue.tobytes() else picture
