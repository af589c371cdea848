"""The job of the workflow's rule `data`: load the images of a source as the job's specification asks."""

from importlib import import_module
from pathlib import Path
from typing import Required, TypedDict

from bnstudy.data.images import Images, split
from bnstudy.data.local import Unusable, digest, files


class DataSpec(TypedDict, total=False):
    """The specification of the data job: what the name of its result depends on, besides the code."""

    source: Required[str]
    path: str
    """The user's file or folder, if the source is to read it."""
    sha256: str
    """The digest of the user's files when the study was planned."""
    images: int
    """The number of images to keep, if not all: stratified, the same for all seeds."""


def prepare(spec: DataSpec) -> Images:
    """Return the images that ``spec`` asks for.

    Raises:
        ValueError: The images or the files are not as they must be; the message says what to do.
        OSError: A file cannot be read or fetched.
    """
    source, path = spec["source"], Path(spec["path"]) if "path" in spec else None
    if path and (sha256 := digest(files(source, path))) != spec["sha256"]:
        fault = f"it changed while the study ran: SHA-256 {sha256}, {spec['sha256']} when planned"
        raise Unusable(path, fault, "run again")
    images: Images = import_module(f"bnstudy.data.{source}").load(path)
    if "images" not in spec:
        return images
    kept = split(images.y, {"images": spec["images"]}, seed=0)["images"]
    return Images(images.x[kept], images.y[kept], images.classes)
