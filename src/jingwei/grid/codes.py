"""The 64-bit code for numbers and arrays: encode, decode, and the family of a cell.

A code is given in its unsigned or in its stored (signed) form, one number or a column (NumPy, Arrow, pandas,
Polars). Numbers are answered with Python ints and floats, columns with NumPy arrays; a column of int64
(stored form) is answered with int64.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from jingwei.grid import ellipsoid, geosot
from jingwei.grid.arrays import (
    Bools,
    Codes,
    Errors,
    answer,
    check_errors,
    codes_of,
    floats_of,
    is_exact,
    is_scalar,
    one_by_one,
    single,
    some_codes,
)
from jingwei.grid.errors import (
    GridError,
    LevelError,
    MalformedCode,
    MalformedCoordinate,
    OutOfRange,
    PolarUnsupported,
)
from jingwei.grid.levels import (
    LAT_END,
    LON_END,
    MAX_LEVEL,
    POLAR_FIRST_LEVEL,
    POLAR_LAST_LEVEL,
    POLAR_START,
    SIZE,
    TICKS_PER_DEGREE,
    TICKS_PER_MINUTE,
    TICKS_PER_SECOND,
    UNIT,
    check_level,
)
from jingwei.grid.polar import zone_of
from jingwei.grid.ticks import SNAP, Angle, signed_ticks


def _kernels() -> ModuleType:
    """Return the compiled loops, loading Numba at the first call."""
    from jingwei.grid import kernels

    return kernels


def west_of_180(lon: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return longitudes with 180 degrees east taken as 180 degrees west."""
    east: Bools = (lon <= 180) & (lon * TICKS_PER_DEGREE + SNAP >= LON_END)
    return np.where(east, -180.0, lon)


@overload
def encode(lon: Angle, lat: Angle, level: int = MAX_LEVEL, *, normalize_lon: bool = False) -> int: ...


@overload
def encode(
    lon: Any, lat: Any, level: int = MAX_LEVEL, *, normalize_lon: bool = False, errors: Errors = "raise"
) -> Any: ...


def encode(
    lon: Any, lat: Any, level: int = MAX_LEVEL, *, normalize_lon: bool = False, errors: Errors = "raise"
) -> Any:
    """Return the unsigned 64-bit code of the cell that holds each point (GB/T 40087-2021, 6.2).

    Parameters
    ----------
    lon, lat : number, text, or column of them
        Degrees on WGS84/CGCS2000. Binary floats follow the snap rule of `ticks.SNAP`; integers, `Decimal`,
        `Fraction` and texts (decimal, or degrees, minutes and seconds) are taken exactly.
    level : int
        0 to 32. Bits below the level are zero.
    normalize_lon : bool
        Take 180 degrees east as 180 degrees west. Without it both stay in their own hemisphere.
    errors : {"raise", "mask"}
        Raise at the first bad element, or answer 0 for it and mark it.

    Returns
    -------
    int, or uint64 array, or (codes, bad) with `errors="mask"`
        `bad` marks nulls, NaN, infinity, coordinates out of range, and points that the grid does not define
        (88 degrees of latitude and beyond, below level 10).

    Raises
    ------
    MalformedCoordinate, OutOfRange, PolarUnsupported
        A bad number, or a bad element with its index.
    """
    level = check_level(level)
    if is_scalar(lon) and is_scalar(lat):
        return single(lambda: _encode_number(lon, lat, level, normalize_lon), errors, (0,))
    if is_scalar(lon) or is_scalar(lat):
        raise MalformedCoordinate("longitude and latitude are two numbers or two columns of the same length")
    if is_exact(lon) or is_exact(lat):

        def of_row(x: Any, y: Any) -> int:
            return _encode_number(x, y, level, normalize_lon)

        return one_by_one(of_row, (lon, lat), lambda n: np.zeros(n, np.uint64), errors)
    x, x_null = floats_of(lon, "longitude")
    y, y_null = floats_of(lat, "latitude")
    if x.shape != y.shape:
        raise MalformedCoordinate(f"longitude has the shape {x.shape} and latitude {y.shape}")
    if normalize_lon:
        x = west_of_180(x)
    out = np.empty(x.shape, dtype=np.uint64)
    kernels = _kernels()
    limit = kernels.CAP_LIMIT if level >= POLAR_FIRST_LEVEL else kernels.LAT_LIMIT
    faults = kernels.encode(x.ravel(), y.ravel(), np.uint64(geosot.level_mask(level)), limit, out.ravel())
    bad = _find_bad(x, y, level, out) if faults else None
    for nulls in (x_null, y_null):
        if nulls is not None and nulls.any():
            bad = nulls.reshape(x.shape) if bad is None else bad | nulls.reshape(x.shape)
            out[bad] = 0

    def fault(index: int) -> GridError:
        if any(nulls is not None and nulls.flat[index] for nulls in (x_null, y_null)):
            return MalformedCoordinate("the coordinate is null", position=index)
        return _point_fault(float(x.flat[index]), float(y.flat[index]), level, index)

    return answer(out, bad, errors, fault)


def _encode_number(lon: Any, lat: Any, level: int, normalize_lon: bool = False) -> int:
    west, x = signed_ticks(plain(lon), "lon", normalize_lon=normalize_lon)
    south, y = signed_ticks(plain(lat), "lat")
    return geosot.code_of_ticks(west, x, south, y, level)


def plain(value: Any) -> Any:
    """Return a NumPy number as a Python one, and anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def _find_bad(x: NDArray[np.float64], y: NDArray[np.float64], level: int, out: Codes) -> Bools:
    """Return which points are bad, and write the codes of those in polar cells that the standard prints."""
    bad: Bools = ~((np.abs(x) <= 180) & (np.abs(y) <= 90))
    if level < POLAR_FIRST_LEVEL:
        return bad
    if level > POLAR_LAST_LEVEL:
        within = np.floor(np.abs(y) * TICKS_PER_DEGREE + SNAP) < POLAR_START
        return bad | ~within
    polar = ~bad & (np.abs(np.where(bad, 0.0, y)) >= 87.9999)
    for i in np.flatnonzero(polar):
        west, tx = signed_ticks(float(x.flat[i]), "lon")
        south, ty = signed_ticks(float(y.flat[i]), "lat")
        out.flat[i] = geosot.code_of_ticks(west, tx, south, ty, level)
    return bad


def _point_fault(x: float, y: float, level: int, index: int) -> GridError:
    try:
        _encode_number(x, y, level)
    except GridError as error:
        return type(error)(error.reason, position=index)
    raise AssertionError(f"({x}, {y}) was marked bad and is not")


@overload
def to_stored(code: int) -> int: ...


@overload
def to_stored(code: Any) -> Any: ...


def to_stored(code: Any) -> Any:
    """Return codes in the form in which they are stored: the same 64 bits as a signed integer."""
    if is_scalar(code):
        return geosot.stored(geosot.unsigned(code))
    return some_codes(code).view(np.int64)


@overload
def from_stored(stored: int) -> int: ...


@overload
def from_stored(stored: Any) -> Any: ...


def from_stored(stored: Any) -> Any:
    """Return stored (signed) codes in their unsigned form."""
    if is_scalar(stored):
        return geosot.unsigned(stored)
    return some_codes(stored)


@overload
def bounds(code: int, level: int) -> tuple[float, float, float, float]: ...


@overload
def bounds(code: Any, level: int, *, errors: Errors = "raise") -> Any: ...


def bounds(code: Any, level: int, *, errors: Errors = "raise") -> Any:
    """Return west, south, east and north of each cell in degrees.

    Parameters
    ----------
    code : int or column of int
        Codes in either form; bits below the level are ignored.
    level : int
        0 to 32, one for all.
    errors : {"raise", "mask"}
        Raise at the first code that is null or names no cell, or answer NaN for it and mark it.

    Returns
    -------
    tuple of four floats or arrays (and `bad` as the fifth with `errors="mask"`)
        Cells are cut at their degree or minute and at 180 and 90 degrees. A polar cell that crosses 180
        degrees has west > east.

    Raises
    ------
    MalformedCode
        The code points into a pad, out of the earth, or into no printed polar cell.
    """
    level = check_level(level)
    if is_scalar(code):
        return single(
            lambda: geosot.bounds_in_degrees(geosot.unsigned(code) & geosot.level_mask(level), level),
            errors,
            (float("nan"),) * 4,
        )
    codes, nulls, _ = codes_of(code)
    edges = tuple(np.empty(codes.shape, dtype=np.float64) for _ in range(4))
    kernel = _kernels().bounds
    bad = _decode(kernel, codes, level, nulls, edges, geosot.bounds_in_degrees)
    return _answered(edges, bad, codes, level, nulls, errors)


def _decode(
    kernel: Any,
    codes: Codes,
    level: int,
    nulls: Bools | None,
    out: tuple[NDArray[np.float64], ...],
    of_one: Callable[[int, int], tuple[float, ...]],
) -> Bools:
    """Fill `out` with what a kernel says of each code; return which codes are null or name no cell."""
    if level == 0:
        for column, value in zip(out, of_one(0, 0), strict=True):
            column.fill(value)
        bad: Bools = np.zeros(codes.shape, dtype=bool)
    else:
        unit = UNIT[level]
        minute = TICKS_PER_MINUTE if unit == TICKS_PER_DEGREE > SIZE[level] else 0
        second = TICKS_PER_SECOND if unit == TICKS_PER_MINUTE > SIZE[level] else 0
        lat_end = POLAR_START if level >= POLAR_FIRST_LEVEL else LAT_END
        faults = kernel(
            codes.ravel(),
            np.uint64(geosot.level_mask(level)),
            (SIZE[level], unit, minute, second),
            lat_end,
            *(column.ravel() for column in out),
        )
        bad = np.isnan(out[0]) if faults else np.zeros(codes.shape, dtype=bool)
        if faults and level <= POLAR_LAST_LEVEL:
            _fill_polar(codes, level, bad, out, of_one)
    if nulls is not None:
        bad |= nulls.reshape(codes.shape)
        for column in out:
            column[bad] = np.nan
    return bad


def _fill_polar(
    codes: Codes,
    level: int,
    bad: Bools,
    out: tuple[NDArray[np.float64], ...],
    of_one: Callable[[int, int], tuple[float, ...]],
) -> None:
    mask = geosot.level_mask(level)
    for i in np.flatnonzero(bad):
        code = int(codes.flat[i]) & mask
        if zone_of(code, level):
            for column, value in zip(out, of_one(code, level), strict=True):
                column.flat[i] = value
            bad.flat[i] = False


def _answered(
    out: tuple[NDArray[np.float64], ...],
    bad: Bools,
    codes: Codes,
    level: int,
    nulls: Bools | None,
    errors: Errors,
) -> Any:
    if check_errors(errors):
        return *out, bad
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise _code_fault(int(codes.flat[first]), level, first, nulls)
    return out


def _code_fault(code: int, level: int, index: int, nulls: Bools | None) -> GridError:
    if nulls is not None and nulls.ravel()[index]:
        return MalformedCode("the code is null", position=index)
    try:
        geosot.anchor(code, level)
    except GridError as error:
        return type(error)(error.reason, position=index)
    raise AssertionError(f"{code} was marked bad and is not")


@overload
def centre(code: int, level: int) -> tuple[float, float]: ...


@overload
def centre(code: Any, level: int, *, errors: Errors = "raise") -> Any: ...


def centre(code: Any, level: int, *, errors: Errors = "raise") -> Any:
    """Return longitude and latitude of the middle of each cell, in degrees.

    A polar cap has its middle at the pole, at longitude 0. Parameters and errors are those of `bounds`.
    """
    level = check_level(level)
    if is_scalar(code):
        return single(
            lambda: geosot.centre_in_degrees(geosot.unsigned(code) & geosot.level_mask(level), level),
            errors,
            (float("nan"),) * 2,
        )
    codes, nulls, _ = codes_of(code)
    middles = np.empty(codes.shape, dtype=np.float64), np.empty(codes.shape, dtype=np.float64)
    bad = _decode(_kernels().centres, codes, level, nulls, middles, geosot.centre_in_degrees)
    return _answered(middles, bad, codes, level, nulls, errors)


@overload
def area_m2(code: int, level: int) -> float: ...


@overload
def area_m2(code: Any, level: int, *, errors: Errors = "raise") -> Any: ...


def area_m2(code: Any, level: int, *, errors: Errors = "raise") -> Any:
    """Return the true area of each cell in m2, on the ellipsoid of CGCS2000 (see `ellipsoid.area_m2`).

    Parameters and errors are those of `bounds`; with `errors="mask"` the answer is (areas, bad).
    """
    *edges, bad = bounds(code, level, errors="mask") if check_errors(errors) else (*bounds(code, level), None)
    area = ellipsoid.area_m2(*edges)
    return area if bad is None else (area, bad)


@overload
def size_m(code: int, level: int) -> tuple[float, float]: ...


@overload
def size_m(code: Any, level: int, *, errors: Errors = "raise") -> Any: ...


def size_m(code: Any, level: int, *, errors: Errors = "raise") -> Any:
    """Return width and height of each cell in metres on CGCS2000, measured through its middle.

    Parameters and errors are those of `bounds`; with `errors="mask"` the answer is (widths, heights, bad).
    """
    *edges, bad = bounds(code, level, errors="mask") if check_errors(errors) else (*bounds(code, level), None)
    width, height = ellipsoid.size_m(*edges)
    return (width, height) if bad is None else (width, height, bad)


@overload
def parent(code: int, level: int, to_level: int) -> int: ...


@overload
def parent(code: Any, level: int, to_level: int, *, errors: Errors = "raise") -> Any: ...


def parent(code: Any, level: int, to_level: int, *, errors: Errors = "raise") -> Any:
    """Return the ancestor of each cell at a coarser level (or the cell itself, at its own level).

    Parameters
    ----------
    code : int or column of int
        Codes in either form, taken to be cells; bits below the level are ignored.
    level, to_level : int
        The level of the codes and that of their ancestors.
    errors : {"raise", "mask"}
        Raise at the first bad element, or answer 0 for it and mark it.

    Returns
    -------
    int, or array in the form in which the codes came, or (codes, bad) with `errors="mask"`

    Raises
    ------
    LevelError
        `to_level` is finer than `level`.
    PolarUnsupported
        From a polar cell to a level above 8, where many ordinary cells share the cap.
    MalformedCode
        A code is null.
    """
    level = check_level(level)
    to_level = check_level(to_level)
    if to_level > level:
        raise LevelError(f"level {to_level} is finer than level {level}: it holds descendants, not ancestors")
    mask = geosot.level_mask(level)
    if is_scalar(code):
        return single(lambda: geosot.parent_of(geosot.unsigned(code) & mask, level, to_level), errors, (0,))
    codes, nulls, dtype = codes_of(code)
    out = codes & np.uint64(geosot.level_mask(to_level))
    bad = nulls
    if POLAR_FIRST_LEVEL <= level <= POLAR_LAST_LEVEL:
        polar = _polar_elements(codes)
        if to_level in range(1, POLAR_FIRST_LEVEL) and polar.size:
            bad = np.zeros(codes.shape, dtype=bool) if nulls is None else nulls.copy()
            bad.flat[polar] = True
        else:
            for i in polar:
                out.flat[i] = geosot.parent_of(int(codes.flat[i]) & mask, level, to_level)
    if bad is not None:
        out[bad] = 0

    def fault(index: int) -> GridError:
        if nulls is not None and nulls.flat[index]:
            return MalformedCode("the code is null", position=index)
        return PolarUnsupported("this polar cell lies in several of that level", position=index)

    return answer(out.view(dtype), bad, errors, fault)


def ancestors(code: int, level: int) -> list[tuple[int, int]]:
    """Return (code, level) of all ancestors of a cell, from level 1 (8 at the poles) to that above it."""
    level = check_level(level)
    first = POLAR_FIRST_LEVEL if zone_of(geosot.unsigned(code) & geosot.level_mask(level), level) else 1
    return [(parent(code, level, coarser), coarser) for coarser in range(first, level)]


def children(code: int, level: int, to_level: int | None = None) -> NDArray[np.uint64]:
    """Return the codes of the existing descendants of one cell at a finer level, in code order.

    A cell has four children, or two or one where the grid is cut at 60 minutes or seconds, at 180 degrees
    or at the pole.

    Parameters
    ----------
    code : int
        The cell, in either form.
    level : int
        Its level.
    to_level : int, optional
        The level of the descendants; the next one by default.

    Raises
    ------
    LevelError
        `to_level` is not finer than `level`.
    PolarUnsupported
        Some of them would lie at 88 degrees and beyond.
    """
    level = check_level(level)
    to_level = check_level(level + 1 if to_level is None else to_level)
    if to_level <= level:
        raise LevelError(f"level {to_level} is not finer than level {level}: it holds no children")
    found = [geosot.unsigned(code) & geosot.level_mask(level)]
    for coarser in range(level, to_level):
        found = [child for cell in found for child in geosot.children_of(cell, coarser)]
    return np.array(found, dtype=np.uint64)


@overload
def cell_range(code: int, level: int) -> tuple[int, int]: ...


@overload
def cell_range(code: Any, level: int) -> Any: ...


def cell_range(code: Any, level: int) -> Any:
    """Return the lowest and highest stored code of all descendants of each cell, both inclusive.

    Raises
    ------
    OutOfRange
        Level 0 means everything and is no range.
    """
    level = check_level(level)
    if is_scalar(code):
        return geosot.range_of(geosot.unsigned(code), level)
    if level == 0:
        raise OutOfRange("level 0 means everything and is no range")
    mask = np.uint64(geosot.level_mask(level))
    low = some_codes(code) & mask
    return low.view(np.int64), (low | ~mask).view(np.int64)


def contains(code: Any, level: int, other: Any, other_level: int) -> Any:
    """Say whether each cell contains (or is) the other one."""
    level, other_level = check_level(level), check_level(other_level)
    if is_scalar(code) and is_scalar(other):
        if other_level < level:
            return False
        return _contains_one(geosot.unsigned(code), level, geosot.unsigned(other), other_level)
    mask = np.uint64(geosot.level_mask(level))
    a, b = (np.uint64(geosot.unsigned(v)) if is_scalar(v) else some_codes(v) for v in (code, other))
    same: Bools = (a & mask) == (b & mask)
    if other_level < level:
        return np.zeros_like(same)
    if POLAR_FIRST_LEVEL <= other_level <= POLAR_LAST_LEVEL:
        outer, inner = np.broadcast_arrays(a, b)
        for i in _polar_elements(inner):
            same.flat[i] = _contains_one(int(outer.flat[i]), level, int(inner.flat[i]), other_level)
    return same


def _polar_elements(codes: Codes) -> NDArray[np.int64]:
    """Return where codes lie at 88 degrees and beyond: the odd bits, of latitude, compare as latitudes do."""
    first = np.uint64(geosot.interleave(geosot.pack(POLAR_START), 0))
    return np.flatnonzero((codes & np.uint64(0x2AAAAAAAAAAAAAAA)) >= first)


def _contains_one(code: int, level: int, other: int, other_level: int) -> bool:
    code, other = code & geosot.level_mask(level), other & geosot.level_mask(other_level)
    zone = zone_of(other, other_level)
    if zone is None:
        return other & geosot.level_mask(level) == code
    if level >= POLAR_FIRST_LEVEL:
        return parent(other, other_level, level) == code
    if level == 0:
        return True
    # A polar cell lies in an ordinary one that spans its longitudes; its code does not say so.
    west, south, east, north = geosot.bounds_in_degrees(code, level)
    left, bottom, right, top = geosot.bounds_in_degrees(other, other_level)
    return left <= right and west <= left and right <= east and south <= bottom and top <= north


def common_ancestor(code: int, level: int, other: int, other_level: int) -> tuple[int, int]:
    """Return (code, level) of the finest cell that contains both; level 0 where nothing smaller does."""
    level, other_level = check_level(level), check_level(other_level)
    one, two = geosot.unsigned(code) & geosot.level_mask(level), geosot.unsigned(other)
    two &= geosot.level_mask(other_level)
    depth = min(level, other_level)
    if zone_of(one, level) or zone_of(two, other_level):
        return next(
            (cell, coarser)
            for coarser in range(depth, -1, -1)
            for cell in {_holder(one, level, coarser), _holder(two, other_level, coarser)}
            if _contains_one(cell, coarser, one, level) and _contains_one(cell, coarser, two, other_level)
        )
    same = min(depth, (64 - (one ^ two).bit_length()) // 2)
    return one & geosot.level_mask(same), same


def _holder(code: int, level: int, coarser: int) -> int:
    """Return the cell of a coarser level that holds a cell, or its middle where none holds all of it."""
    if zone_of(code, level) is None or not 0 < coarser < POLAR_FIRST_LEVEL:
        return geosot.parent_of(code, level, coarser)
    return encode(*geosot.centre_in_degrees(code, level), coarser)
