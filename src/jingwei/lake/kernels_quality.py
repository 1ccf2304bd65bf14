"""A compiled loop over what passes by on its way into the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jingwei.grid.kernels import kernel
from jingwei.lake.kernels_times import BLANK, DASH, _clock, _days, _number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LENGTH = 19
NO_DAY = -(1 << 40)


@kernel
def to_the_second(offsets: NDArray[np.int32], data: NDArray[np.uint8]) -> bool:
    """Say whether all texts are times from the year 1000 on, written as `2026-01-31 08:05:00`.

    Parameters
    ----------
    offsets, data
        Of the texts, as Arrow keeps them.

    """
    for row in range(len(offsets) - 1):
        at, end = offsets[row], offsets[row + 1]
        if end - at != LENGTH:
            return False
        if data[at + 4] != DASH or data[at + 7] != DASH or data[at + 10] != BLANK:
            return False
        year = _number(data, at, 4)
        if year < 1000 or _days(year, _number(data, at + 5, 2), _number(data, at + 8, 2)) == NO_DAY:
            return False
        micro, _ = _clock(data, at + 11, end)
        if micro < 0:
            return False
    return True
