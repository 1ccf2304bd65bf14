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
    return _compiled(function)


def fused(function: F) -> F:
    """Compile a function in which a product and a sum may be rounded once, where that cannot change it."""
    return _compiled(function, fastmath={"contract"})


def _compiled(function: F, **options: Any) -> F:
    compiler: Any = numba.njit
    try:
        compiled = compiler(cache=True, nogil=True, error_model="numpy", **options)(function)
    except RuntimeError:  # no folder that can be written: compile in every process
        compiled = compiler(nogil=True, error_model="numpy", **options)(function)
    return compiled  # type: ignore[no-any-return]


TICKS_PER_DEGREE = 7_372_800.0
TWO_DEGREES = 2 * TICKS_PER_DEGREE
LON_LAST = 180.0 * TICKS_PER_DEGREE - 1.0
LAT_LAST = 90.0 * TICKS_PER_DEGREE - 1.0
SNAP = 1e-6
LON_LIMIT = 180.0 * TICKS_PER_DEGREE + SNAP
LAT_LIMIT = 90.0 * TICKS_PER_DEGREE + SNAP
CAP_LIMIT = float(np.nextafter(88.0 * TICKS_PER_DEGREE, 0.0))
"""The greatest scaled coordinate before the floor: at 180 and 90 degrees, and just below 88.

The double above 180 or 90 scales to more than its limit by one rounding, so that comparing the scaled values
is comparing the degrees.
"""

PER_DEGREE = 1.0 / 7_372_800.0
PER_MINUTE = 1.0 / 122_880.0
HALF_PER_DEGREE = 0.5 * PER_DEGREE
HALF_PER_MINUTE = 0.5 * PER_MINUTE
MINUTE_PAD = 8_192.0
DEGREE_PAD = 524_288.0
WEST, SOUTH = np.uint64(1 << 62), np.uint64(1 << 63)
NOWHERE = np.iinfo(np.int64).min
"""The column and row of a code that names no cell."""


@fused
def _pack(ticks: Any) -> Any:
    # floor((t + 0.5) / k) by multiplication is exact for t < 2**31 and k >= 2, rounded once or twice: the
    # half keeps t away from the multiples of k by more than the rounding of 1 / k can move it.
    minutes = np.floor(ticks * PER_MINUTE + HALF_PER_MINUTE)
    degrees = np.floor(ticks * PER_DEGREE + HALF_PER_DEGREE)
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
def _spread_bytes(value: Any) -> Any:
    """Return what `_spread` does, its first two steps as the one shuffle of bytes that they are."""
    v = np.uint64(value)
    v = (
        (v & np.uint64(0xFF))
        | (v & np.uint64(0xFF00)) << np.uint64(8)
        | (v & np.uint64(0xFF0000)) << np.uint64(16)
        | (v & np.uint64(0xFF000000)) << np.uint64(24)
    )
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

    Bad are NaN, infinity, |lon| > 180, |lat| > 90, and latitudes that scale to more than `lat_limit`
    (`LAT_LIMIT` or `CAP_LIMIT`).
    """
    good = np.int64(0)
    for i in range(lon.size):
        x, y = np.abs(lon[i]) * TICKS_PER_DEGREE + SNAP, np.abs(lat[i]) * TICKS_PER_DEGREE + SNAP
        ok = (x <= LON_LIMIT) & (y <= lat_limit)
        # What comes of NaN and infinity is thrown away below. 90 degrees begins no cell of levels 1-7,
        # so that it needs no bound.
        odd = _spread_bytes(_pack(np.floor(y))) << np.uint64(1)
        even = _spread_bytes(_pack(min(LON_LAST, np.floor(x))))
        odd = odd | SOUTH if lat[i] < 0.0 else odd
        even = even | WEST if lon[i] < 0.0 else even
        out[i] = (odd | even) & mask if ok else np.uint64(0)
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
def places(
    codes: NDArray[np.uint64],
    mask: np.uint64,
    cut: tuple[int, int, int],
    lat_end: int,
    column: NDArray[np.int64],
    row: NDArray[np.int64],
) -> int:
    """Write the signed contiguous column and row of each cell; return how many codes have none.

    `cut` is the size of the cells in ticks, the degree or minute at which they are cut, and how many there
    are in it. A code that has neither is given the lowest number.
    """
    size, unit, count = cut
    good = np.int64(0)
    for i in range(codes.size):
        code = codes[i] & mask
        ex, ey = np.int64(_gather(code)), np.int64(_gather(code >> np.uint64(1)))
        x, x_ok = _unpack(ex & 0x7FFFFFFF)
        y, y_ok = _unpack(ey & 0x7FFFFFFF)
        ok = x_ok & y_ok & (x <= LON_LAST) & (y < lat_end)
        n, m = x // unit * count + x % unit // size, y // unit * count + y % unit // size
        column[i] = (-n - 1 if ex >> 31 == 1 else n) if ok else NOWHERE
        row[i] = (-m - 1 if ey >> 31 == 1 else m) if ok else NOWHERE
        good += np.int64(ok)
    return int(codes.size - good)


@kernel
def codes_of_places(
    column: NDArray[np.int64],
    row: NDArray[np.int64],
    cut: tuple[int, int, int],
    half: int,
    rows: int,
    mask: np.uint64,
    out: NDArray[np.uint64],
) -> int:
    """Write the code of the cell at each column and row, 0 where there is none; return how many.

    `half` is the number of columns of a hemisphere, after which they close, and `rows` that of the rows from
    the equator to the pole or to its cap.
    """
    size, unit, count = cut
    good = np.int64(0)
    for i in range(column.size):
        x, y = (column[i] + half) % (2 * half) - half, row[i]
        n, m = (-x - 1 if x < 0 else x), (-y - 1 if y < 0 else y)
        ok = m < rows
        ex = _pack(float(n // count * unit + n % count * size)) | np.int64(x < 0) << 31
        ey = _pack(float((m // count * unit + m % count * size) if ok else 0)) | np.int64(y < 0) << 31
        code = (_spread(ey) << np.uint64(1) | _spread(ex)) & mask
        out[i] = code if ok else np.uint64(0)
        good += np.int64(ok)
    return int(column.size - good)


@kernel
def _unpack(index: Any) -> Any:
    degrees, minutes, seconds = index >> 23, (index >> 17) & 63, (index >> 11) & 63
    ticks = index - 8_192 * (60 * degrees + minutes) - 524_288 * degrees
    return ticks, (minutes < 60) & (seconds < 60)
