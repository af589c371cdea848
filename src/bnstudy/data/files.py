"""Fetch, check and read published files. The format idx is that of MNIST (LeCun, Cortes & Burges)."""

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

from bnstudy.data.local import WHOLE_COPY, Unusable

DOWNLOADS = Path("results/data/downloads")
CHUNK = 2**18
OTHERWISE = "or fetch the file by other means and give its folder as data.path"
PATIENCE = 30
"""Seconds without a byte after which a connection counts as broken."""


def say(text: str) -> None:
    """Print a message of the data job."""
    print(f"[data] {text}", file=sys.stderr, flush=True)


def to_unit(pixels: np.ndarray) -> np.ndarray:
    """Return uint8 0..255 as float32 0..1: each of the 256 values is divided in float64, then rounded once."""
    return (np.arange(256) / 255).astype(np.float32)[pixels]


def content(path: Path) -> bytes:
    """Return all bytes of a file, decompressed if its first bytes are those of gzip, whatever its name.

    Raises Unusable where the compressed data are damaged or cut short.
    """
    raw = path.read_bytes()
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, OSError, zlib.error) as error:
        raise Unusable(path, f"gzip data damaged or truncated ({error})", WHOLE_COPY) from None


def idx(raw: bytes, path: Path, axes: int) -> np.ndarray:
    """Return the uint8 array in the bytes of an idx file.

    The file holds two zeros, 8 for uint8, the number of axes, the length of each axis in 4 bytes, and the values.

    Raises:
        Unusable: The bytes begin otherwise, have other than ``axes`` axes, or another length. It names ``path``.
    """
    magic = bytes([0, 0, 8, axes])
    if raw[:4] != magic:
        fault = f"wrong magic number {raw[:4].hex(' ') or '(empty file)'}: an idx file of {axes} axes of bytes begins "
        raise Unusable(path, f"{fault}{magic.hex(' ')}", "is it the right file, and under the right name?")
    start = 4 + 4 * axes
    shape = [int.from_bytes(raw[i : i + 4], "big") for i in range(4, start, 4)]
    expected = start + int(np.prod(shape, dtype=object))
    if len(raw) != expected:
        length = "truncated" if len(raw) < expected else "too long"
        fault = f"{length}: {len(raw)} bytes, where {' x '.join(map(str, shape))} values take {expected}"
        raise Unusable(path, fault, WHOLE_COPY)
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)


def verify(raw: bytes, path: Path, expected: str, algorithm: str = "sha256") -> None:
    """Raise Unusable where the bytes of ``path`` do not have the publisher's checksum."""
    checksum = hashlib.new(algorithm, raw, usedforsecurity=False).hexdigest()
    if checksum != expected:
        fault = f"wrong {algorithm.upper()} {checksum}; the published file has {expected}"
        raise Unusable(path, fault, "replace it by the published file; other images can be studied as an npz")


def download(url: str, path: Path, check: Callable[[Path], object], most: int) -> None:
    """Fetch ``url`` to ``path``. The file appears there whole and checked, or not at all.

    The bytes go to ``path``.part. They stay there when the connection breaks, and the next call continues behind them.
    A broken connection is opened again as long as bytes arrive.

    Args:
        url: The address of the file.
        path: Where the file is to be.
        check: Gets the path of the whole .part and raises Unusable where it is not the published file.
        most: Bytes that the published file has at most: whoever sends more is not listened to.

    Raises:
        Unusable: ``check`` refused the file, or it is larger than ``most``; the .part is deleted.
        OSError: No bytes arrive.
    """
    part = path.with_name(f"{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = False
    while not whole:
        before = _length(part)
        try:
            whole = _fetch(url, part, before, most)
            fault = "the connection broke"
        except (OSError, HTTPException) as error:
            fault = str(getattr(error, "reason", "") or error) or type(error).__name__
        if not whole and _length(part) <= before:
            raise OSError(
                f"{url}: cannot be fetched: {fault}\nwhat to do: run again, which continues behind the "
                f"{_length(part)} bytes that are kept in {part}; {OTHERWISE}"
            )
    try:
        if _length(part) > most:
            raise Unusable(part, f"more than {most} bytes", "")
        check(part)
    except Unusable as error:
        part.unlink()
        fault = f"what was fetched is not what was published, and is deleted: {error.fault}"
        raise Unusable(url, fault, f"run again; {OTHERWISE}") from None
    part.replace(path)


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _fetch(url: str, part: Path, have: int, most: int) -> bool:
    """Append to ``part`` what lies behind its first ``have`` bytes; return whether the file is whole now, or too large."""
    headers = {"Range": f"bytes={have}-"} if have else {}
    try:
        response = urlopen(Request(url, headers=headers), timeout=PATIENCE)
    except HTTPError as error:
        if error.code == 416 and have:  # nothing lies behind: the whole file is there, and the check decides
            return True
        raise
    with response:
        resumed = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        length = response.headers.get("Content-Length")
        have = have if resumed else 0  # a server without ranges begins again
        total = have + int(length) if length else None
        said = time.monotonic()
        say(f"{url}: {'continues at' if have else 'fetching,'} {have if have else total or 'unknown'} bytes")
        with open(part, "ab" if resumed else "wb") as file:
            while block := response.read(CHUNK):
                have += file.write(block)
                if have > most:
                    return True
                if time.monotonic() - said > 5:
                    said = time.monotonic()
                    share = f"{100 * have / total:.0f}%, " if total else ""
                    say(f"{url.rsplit('/', 1)[-1]}: {share}{have / 1e6:.1f} MB")
    return total is None or have == total
