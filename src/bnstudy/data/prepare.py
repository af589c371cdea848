"""The job of the workflow's rule `data`: the images of a source, as its specification asks for them."""

from importlib import import_module
from pathlib import Path
from typing import Any

from bnstudy.data.images import Images, split
from bnstudy.data.local import Unusable, digest, files


def prepare(spec: dict[str, Any]) -> Images:
    """The images of ``spec``: source; and where they are given, path and sha256 of the user's files, and images, the
    number of them to keep (stratified, the same for all seeds).

    Raises ValueError or OSError, saying what is wrong and what to do.
    """
    source = spec["source"]
    if "path" in spec and (found := digest(files(source, Path(spec["path"])))) != spec["sha256"]:
        wrong = f"it changed while the study ran: SHA-256 {found}, {spec['sha256']} when planned"
        raise Unusable(spec["path"], wrong, "run again")
    images = import_module(f"bnstudy.data.{source}").load(spec)
    if "images" not in spec:
        return images
    kept = split(images.y, {"images": spec["images"]}, seed=0)["images"]
    return Images(images.x[kept], images.y[kept], images.classes)
