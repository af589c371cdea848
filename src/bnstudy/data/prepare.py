"""The job of the workflow's rule `data`: load the images of a source as the job's specification asks."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

from bnstudy.data.images import Images, split
from bnstudy.data.local import ImagesSpec, Unusable, fingerprint, reads


def prepare(spec: ImagesSpec) -> Images:
    """Return the images of a specification; where it keeps some alone, they are stratified and the same for all seeds.

    Raises:
        ValueError: The images or the files are not as they must be; the message says what to do.
        OSError: A file cannot be read or fetched.
    """
    path = None if spec.path is None else Path(spec.path)
    if path and (now := fingerprint(spec.source, path, spec.reading)) != spec.sha256:
        fault = f"it changed while the study ran: SHA-256 {now}, {spec.sha256} when planned"
        raise Unusable(path, fault, "run again")
    source = _module(spec)
    images: Images = source.load(path, spec.reading) if reads(spec.source) else source.load(path)
    if spec.images is None:
        return images
    kept = split(images.y, {"images": spec.images}, seed=0)["images"]
    tests = None if images.tests is None else images.tests[kept]
    return Images(images.x[kept], images.y[kept], images.classes, tests)


def other(spec: ImagesSpec, images: Images) -> Images | None:
    """Return images of the same classes that others collected, where the source of ``images`` has a ``load_other``.

    Raises:
        ValueError: Their classes or channels are not those of ``images``.
    """
    load = getattr(_module(spec), "load_other", None)
    if load is None:
        return None
    found: Images = load()
    if found.classes != images.classes or found.x.shape[1] != images.x.shape[1]:
        raise ValueError(f"data source {spec.source}: load_other returns images of other classes or channels")
    return found


def _module(spec: ImagesSpec) -> ModuleType:
    return import_module(f"bnstudy.data.{spec.source}")
