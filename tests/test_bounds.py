"""Studies of any size: more than a thousand seeds overflow nothing, and a small file cannot fill the memory."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from bnstudy.core.stats import LEVEL, max_intervals, rank, tail
from bnstudy.data.local import Unusable
from bnstudy.data.npz_file import describe


@pytest.mark.parametrize("intervals", [1, 5, 30])
def test_the_rank_is_the_largest_that_the_tail_allows(intervals: int) -> None:
    for n in range(2, 60):
        allowed = [k for k in range(1, n // 2 + 1) if tail(n, k) <= LEVEL / intervals]
        assert rank(n, intervals) == max(allowed, default=0)
        assert max_intervals(n) == int(LEVEL / tail(n, 1))


@pytest.mark.parametrize("n", [1030, 1100, 10_000])
def test_more_than_a_thousand_seeds_overflow_nothing(n: int) -> None:
    # the normal approximation of the binomial's tail, good to a seed or two there
    assert abs(rank(n, 30) - (n / 2 - 3.14 * n**0.5 / 2)) < 3 + 0.01 * n**0.5
    assert max_intervals(n) >= max_intervals(999) > 10**290


def test_a_small_file_of_very_many_labels_is_refused_unread(tmp_path: Path) -> None:
    """20 million images of one pixel take some kilobytes, packed."""
    header = {"x": ("|u1", (20_000_000, 1, 1)), "y": ("|u1", (20_000_000,))}
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as file:
        for name, (descr, shape) in header.items():
            with file.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
                stream.write(bytes(20_000_000))
    assert (tmp_path / "bomb.npz").stat().st_size < 100_000
    with pytest.raises(Unusable, match="20000000 images, more than 1000000"):
        describe(tmp_path / "bomb.npz")
