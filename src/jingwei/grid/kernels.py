"""The loops over arrays, compiled by Numba. Importing this module loads Numba; nothing else does.

The kernels hold the same rules as `geosot` and `beidou`, in a form that the compiler turns into vector code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a function, kept in Numba's cache where there is a folder to keep it in."""
    compiler: Any = numba.njit
    try:
        compiled = compiler(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # no folder that can be written: compile in every process
        compiled = compiler(nogil=True, error_model="numpy")(function)
    return compiled  # type: ignore[no-any-return]


TICKS_PER_DEGREE = 7_372_800.0
TWO_DEGREES = 2 * TICKS_PER_DEGREE
LON_LAST = 180.0 * TICKS_PER_DEGREE - 1.0
LAT_LAST = 90.0 * TICKS_PER_DEGREE - 1.0
SNAP = 1e-6
PER_DEGREE = 1.0 / 7_372_800.0
PER_MINUTE = 1.0 / 122_880.0
MINUTE_PAD = 8_192.0
DEGREE_PAD = 524_288.0


@kernel
def _pack(ticks: Any) -> Any:
    # floor((t + 0.5) / k) by multiplication is exact for t < 2**31 and k >= 2: the half keeps t away from
    # the multiples of k by more than the rounding of 1 / k can move it.
    minutes = np.floor((ticks + 0.5) * PER_MINUTE)
    degrees = np.floor((ticks + 0.5) * PER_DEGREE)
    return np.int64(ticks + MINUTE_PAD * minutes + DEGREE_PAD * degrees)


@kernel
def _spread(value: Any) -> Any:
    v = np.uint64(value)
    v = (v | v << np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    v = (v | v << np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    v = (v | v << np.uint64(4)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    v = (v | v << np.uint64(2)) & np.uint64(0x3333333333333333)
    return (v | v << np.uint64(1)) & np.uint64(0x5555555555555555)


@kernel
def _gather(code: Any) -> Any:
    v = np.uint64(code) & np.uint64(0x5555555555555555)
    v = (v | v >> np.uint64(1)) & np.uint64(0x3333333333333333)
    v = (v | v >> np.uint64(2)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    v = (v | v >> np.uint64(4)) & np.uint64(0x00FF00FF00FF00FF)
    v = (v | v >> np.uint64(8)) & np.uint64(0x0000FFFF0000FFFF)
    return (v | v >> np.uint64(16)) & np.uint64(0x00000000FFFFFFFF)


@kernel
def encode(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    mask: np.uint64,
    lat_limit: float,
    out: NDArray[np.uint64],
) -> int:
    """Write the code of each point, 0 for a bad one; return how many are bad.

    Bad are NaN, infinity, |lon| > 180, |lat| > 90, and latitudes of `lat_limit` ticks and more.
    """
    good = np.int64(0)
    for i in range(lon.size):
        x, y = np.abs(lon[i]), np.abs(lat[i])
        ok = (x <= 180.0) & (y <= 90.0)
        x = x if ok else 0.0
        y = y if ok else 0.0
        tx = min(np.floor(x * TICKS_PER_DEGREE + SNAP), LON_LAST)
        ty = np.floor(y * TICKS_PER_DEGREE + SNAP)
        ok = ok & (ty < lat_limit)
        ty = min(ty, LAT_LAST)
        ex = _pack(tx) | (np.int64(lon[i] < 0.0) << 31)
        ey = _pack(ty) | (np.int64(lat[i] < 0.0) << 31)
        code = (_spread(ey) << np.uint64(1) | _spread(ex)) & mask
        out[i] = code if ok else np.uint64(0)
        good += np.int64(ok)
    return int(lon.size - good)


@kernel
def _axis(index: Any, size: Any, unit: Any, minute: Any, second: Any, end: Any) -> Any:
    """Return near and far edge in ticks of the cell at an unsigned padded index, and whether it exists."""
    degrees, minutes, seconds = index >> 23, (index >> 17) & 63, (index >> 11) & 63
    near = index - 8_192 * (60 * degrees + minutes) - 524_288 * degrees
    # What the cell has left of its degree or minute; `minute` and `second` are 0 where no cell is cut.
    rest = unit - minute * minutes - second * seconds
    return near, min(near + size, near + rest), (minutes < 60) & (seconds < 60) & (near < end)


@kernel
def bounds(
    codes: NDArray[np.uint64],
    mask: np.uint64,
    cut: tuple[int, int, int, int],
    lat_end: int,
    west: NDArray[np.float64],
    south: NDArray[np.float64],
    east: NDArray[np.float64],
    north: NDArray[np.float64],
) -> int:
    """Write the bounds of each cell in degrees, NaN for a code that is none; return how many are none.

    `cut` is the size of the cells in ticks, that of the degree or minute at which they are cut, and what a
    minute and a second take of it.
    """
    size, unit, minute, second = cut
    good = np.int64(0)
    for i in range(codes.size):
        code = codes[i] & mask
        ex, ey = np.int64(_gather(code)), np.int64(_gather(code >> np.uint64(1)))
        x, x_far, x_ok = _axis(ex & 0x7FFFFFFF, size, unit, minute, second, 1_327_104_000)
        y, y_far, y_ok = _axis(ey & 0x7FFFFFFF, size, unit, minute, second, lat_end)
        ok = x_ok & y_ok
        x0, x1 = x / TICKS_PER_DEGREE, min(x_far, 1_327_104_000) / TICKS_PER_DEGREE
        y0, y1 = y / TICKS_PER_DEGREE, min(y_far, 663_552_000) / TICKS_PER_DEGREE
        is_west, is_south = (ex >> 31) == 1, (ey >> 31) == 1
        west[i] = (0.0 - x1 if is_west else x0) if ok else np.nan
        east[i] = (0.0 - x0 if is_west else x1) if ok else np.nan
        south[i] = (0.0 - y1 if is_south else y0) if ok else np.nan
        north[i] = (0.0 - y0 if is_south else y1) if ok else np.nan
        good += np.int64(ok)
    return int(codes.size - good)


@kernel
def centres(
    codes: NDArray[np.uint64],
    mask: np.uint64,
    cut: tuple[int, int, int, int],
    lat_end: int,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
) -> int:
    """Write the middle of each cell in degrees, NaN for a code that is none; return how many are none."""
    size, unit, minute, second = cut
    good = np.int64(0)
    for i in range(codes.size):
        code = codes[i] & mask
        ex, ey = np.int64(_gather(code)), np.int64(_gather(code >> np.uint64(1)))
        x, x_far, x_ok = _axis(ex & 0x7FFFFFFF, size, unit, minute, second, 1_327_104_000)
        y, y_far, y_ok = _axis(ey & 0x7FFFFFFF, size, unit, minute, second, lat_end)
        ok = x_ok & y_ok
        middle_x = (x + min(x_far, 1_327_104_000)) / TWO_DEGREES
        middle_y = (y + min(y_far, 663_552_000)) / TWO_DEGREES
        lon[i] = (-middle_x if (ex >> 31) == 1 else middle_x) if ok else np.nan
        lat[i] = (-middle_y if (ey >> 31) == 1 else middle_y) if ok else np.nan
        good += np.int64(ok)
    return int(codes.size - good)


@kernel
def _unpack(index: Any) -> Any:
    degrees, minutes, seconds = index >> 23, (index >> 17) & 63, (index >> 11) & 63
    ticks = index - 8_192 * (60 * degrees + minutes) - 524_288 * degrees
    return ticks, (minutes < 60) & (seconds < 60)
