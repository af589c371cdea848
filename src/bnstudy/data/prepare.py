"""The job of the workflow's rule `data`: the images of a source, as its specification asks for them."""

from importlib import import_module
from pathlib import Path

from bnstudy.data.images import Images, split
from bnstudy.data.local import ImagesSpec, Unusable, digest, files


def prepare(spec: ImagesSpec) -> Images:
    """Return the images of a specification; where it keeps some alone, they are stratified and the same for all seeds.

    Raises:
        ValueError or OSError, saying what is wrong and what to do.
    """
    if spec.path is not None and (now := digest(files(spec.source, Path(spec.path)))) != spec.sha256:
        fault = f"it changed while the study ran: SHA-256 {now}, {spec.sha256} when planned"
        raise Unusable(spec.path, fault, "run again")
    images = import_module(f"bnstudy.data.{spec.source}").load({} if spec.path is None else {"path": spec.path})
    if spec.images is None:
        return images
    kept = split(images.y, {"images": spec.images}, seed=0)["images"]
    return Images(images.x[kept], images.y[kept], images.classes)
