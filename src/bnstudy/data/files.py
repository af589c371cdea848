"""Published files: fetched whole or not at all, checked, and read. idx is MNIST's own format (LeCun, Cortes & Burges)."""

import gzip
import hashlib
import sys
import time
import zlib
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np

from bnstudy.data.local import Unusable

DOWNLOADS = Path("results/data/downloads")
CHUNK = 2**18
OTHERWISE = "or fetch the file by other means and give its folder as data.path"
PATIENCE = 30
"""Seconds without a byte after which a connection is given up."""


def say(text: str) -> None:
    print(f"[data] {text}", file=sys.stderr, flush=True)


def unit(pixels: np.ndarray) -> np.ndarray:
    """uint8 0..255 as float32 0..1: each of the 256 values divided in float64, then rounded once."""
    return (np.arange(256) / 255).astype(np.float32)[pixels]


def content(path: Path) -> bytes:
    """All bytes of a file, decompressed if it is gzip (by its first bytes, whatever its name).

    Raises Unusable where the compressed data are damaged or cut short.
    """
    raw = path.read_bytes()
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, OSError, zlib.error) as error:
        raise Unusable(path, f"gzip data damaged or truncated ({error})", "replace the file by a whole copy") from None


def idx(raw: bytes, path: Path, axes: int) -> np.ndarray:
    """The uint8 array of an idx file's bytes: two zeros, 8 for uint8, the number of axes, each size as 4 bytes, pixels.

    Raises Unusable, naming ``path``, where it begins otherwise, has other than ``axes`` axes, or another length.
    """
    magic = bytes([0, 0, 8, axes])
    if raw[:4] != magic:
        wrong = f"wrong magic number {raw[:4].hex(' ') or '(empty file)'}: an idx file of {axes} axes of bytes begins "
        raise Unusable(path, f"{wrong}{magic.hex(' ')}", "is it the right file, and under the right name?")
    start = 4 + 4 * axes
    shape = [int.from_bytes(raw[i : i + 4], "big") for i in range(4, start, 4)]
    expected = start + int(np.prod(shape, dtype=object))
    if len(raw) != expected:
        fault = "truncated" if len(raw) < expected else "too long"
        wrong = f"{fault}: {len(raw)} bytes, where {' x '.join(map(str, shape))} values take {expected}"
        raise Unusable(path, wrong, "replace the file by a whole copy")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


def verify(raw: bytes, path: Path, expected: str, algorithm: str = "sha256") -> None:
    """Raises Unusable where the bytes of ``path`` do not have the publisher's checksum."""
    found = hashlib.new(algorithm, raw, usedforsecurity=False).hexdigest()
    if found != expected:
        wrong = f"wrong {algorithm.upper()} {found}; the published file has {expected}"
        raise Unusable(path, wrong, "replace it by the published file; other images can be studied as an npz")


def download(url: str, path: Path, check: Callable[[Path], object]) -> None:
    """Fetch ``url`` to ``path``, which appears whole and checked or not at all.

    The bytes go to ``path``.part, are kept there when the connection breaks, and the next call continues behind them.
    A broken connection is taken up again as long as bytes arrive. ``check`` gets the whole .part and raises Unusable
    where it is not what was published: then it is deleted. Raises Unusable then, and OSError where nothing arrives.
    """
    part = path.with_name(f"{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = False
    while not whole:
        before = _length(part)
        try:
            whole = _fetch(url, part, before)
            fault = "the connection broke"
        except (OSError, HTTPException) as error:
            fault = str(getattr(error, "reason", "") or error) or type(error).__name__
        if not whole and _length(part) <= before:
            raise OSError(
                f"{url}: cannot be fetched: {fault}\nwhat to do: run again, which continues behind the "
                f"{_length(part)} bytes that are kept in {part}; {OTHERWISE}"
            )
    try:
        check(part)
    except Unusable as error:
        part.unlink()
        wrong = f"what was fetched is not what was published, and is deleted: {error.wrong}"
        raise Unusable(url, wrong, f"run again; {OTHERWISE}") from None
    part.replace(path)


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _fetch(url: str, part: Path, have: int) -> bool:
    """Append to ``part`` what lies behind its first ``have`` bytes; whether the file is whole then."""
    headers = {"Range": f"bytes={have}-"} if have else {}
    try:
        response = urlopen(Request(url, headers=headers), timeout=PATIENCE)
    except HTTPError as error:
        if error.code == 416 and have:  # nothing lies behind: all of it is there, and the check decides
            return True
        raise
    with response:
        resumed = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        length = response.headers.get("Content-Length")
        have = have if resumed else 0  # a server that knows no ranges begins again
        total = have + int(length) if length else None
        said = time.monotonic()
        say(f"{url}: {'continues at' if have else 'fetching,'} {have if have else total or 'unknown'} bytes")
        with open(part, "ab" if resumed else "wb") as file:
            while block := response.read(CHUNK):
                have += file.write(block)
                if time.monotonic() - said > 5:
                    said = time.monotonic()
                    share = f"{100 * have / total:.0f}%, " if total else ""
                    say(f"{url.rsplit('/', 1)[-1]}: {share}{have / 1e6:.1f} MB")
    return total is None or have == total
