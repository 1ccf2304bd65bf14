"""Codes as people and other systems write them: GeoSOT texts, BeiDou texts, and columns of either."""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from jingwei.grid import beidou, geosot
from jingwei.grid.arrays import (
    Bools,
    Errors,
    answer,
    check_errors,
    codes_of,
    floats_of,
    is_exact,
    is_scalar,
    objects_of,
    one_by_one,
    single,
    some_codes,
    texts_of,
)
from jingwei.grid.codes import plain, west_of_180
from jingwei.grid.errors import GridError, MalformedCode, MalformedCoordinate
from jingwei.grid.levels import check_level
from jingwei.grid.ticks import Angle, signed_ticks


def _rows(count: int, width: int) -> tuple[NDArray[np.bytes_], NDArray[np.uint8]]:
    """Return a column of texts of one width, and the same memory as rows of bytes."""
    texts = np.zeros(count, dtype=f"S{width}")
    return texts, texts.view(np.uint8).reshape(count, width)


@overload
def geosot_string(code: int, level: int, separators: bool = True) -> str: ...


@overload
def geosot_string(code: Any, level: int, separators: bool = True) -> Any: ...


def geosot_string(code: Any, level: int, separators: bool = True) -> Any:
    """Return the quaternary text of each code in either form (GB/T 40087, 6.2.2), e.g. `G001310322-230230`.

    Parameters
    ----------
    code : int or column of int
        Codes; bits below the level are ignored.
    level : int
        0 to 32, one for all.
    separators : bool
        Write `-` after digits 9 and 15 and `.` after 21, where a digit follows (figure 12).

    Returns
    -------
    str, or array of dtype `S` (ASCII bytes)
    """
    level = check_level(level)
    if is_scalar(code):
        return geosot.text_of(geosot.unsigned(code), level, separators)
    from jingwei.grid import kernels_text

    codes = some_codes(code)
    width = 1 + level + (sum(level > digit for digit in (9, 15, 21)) if separators else 0)
    texts, rows = _rows(codes.size, width)
    kernels_text.quaternary_of_codes(codes.ravel(), level, separators, rows)
    return texts.reshape(codes.shape)


@overload
def beidou_string(lon: Angle, lat: Angle, level: int, *, normalize_lon: bool = False) -> str: ...


@overload
def beidou_string(
    lon: Any, lat: Any, level: int, *, normalize_lon: bool = False, errors: Errors = "raise"
) -> Any: ...


def beidou_string(
    lon: Any, lat: Any, level: int, *, normalize_lon: bool = False, errors: Errors = "raise"
) -> Any:
    """Return the BeiDou code of levels 0-10 of the cell that holds each point (GB/T 39409, clause 5).

    Parameters
    ----------
    lon, lat : number, text, or column of them
        Degrees on CGCS2000 (see `codes.encode`).
    level : int
        0 to 10.
    normalize_lon : bool
        Take 180 degrees east as 180 degrees west.
    errors : {"raise", "mask"}
        Raise at the first bad element, or answer an empty text for it and mark it.

    Returns
    -------
    str, or array of dtype `S` (ASCII bytes), or (texts, bad) with `errors="mask"`

    Raises
    ------
    MalformedCoordinate, OutOfRange, PolarUnsupported
        A bad number, or a bad element with its index.
    """
    level = check_level(level, 0, beidou.LAST_LEVEL)

    def of_row(x: Any, y: Any) -> str:
        west, tx = signed_ticks(plain(x), "lon", normalize_lon=normalize_lon)
        return beidou.text_of_ticks(west, tx, *signed_ticks(plain(y), "lat"), level)

    if is_scalar(lon) and is_scalar(lat):
        return single(lambda: of_row(lon, lat), errors, ("",))
    if is_scalar(lon) or is_scalar(lat):
        raise MalformedCoordinate("longitude and latitude are two numbers or two columns of the same length")
    if level == 0 or is_exact(lon) or is_exact(lat):
        return one_by_one(of_row, (lon, lat), lambda n: _rows(n, beidou.LENGTH[level])[0], errors)
    x, x_null = floats_of(lon, "longitude")
    y, y_null = floats_of(lat, "latitude")
    if x.shape != y.shape:
        raise MalformedCoordinate(f"longitude has the shape {x.shape} and latitude {y.shape}")
    shape, x, y = x.shape, (west_of_180(x) if normalize_lon else x).ravel(), y.ravel()
    texts, bad = _beidou_of_points(x, y, level)
    for nulls in (x_null, y_null):
        if nulls is not None:
            bad |= nulls.ravel()
    texts[bad] = b""
    return answer(
        texts.reshape(shape),
        bad.reshape(shape),
        errors,
        lambda i: _point_fault(of_row, float(x[i]), float(y[i]), i),
    )


def _beidou_of_points(
    x: NDArray[np.float64], y: NDArray[np.float64], level: int
) -> tuple[NDArray[np.bytes_], Bools]:
    from jingwei.grid import kernels_text

    texts, rows = _rows(x.size, beidou.LENGTH[level])
    faults = kernels_text.beidou_of_points(x, y, level, rows)
    bad = np.zeros(x.size, dtype=bool)
    if faults:
        bad = rows[:, 0] == 0
        if level <= beidou.LAST_POLAR_LEVEL:
            for i in np.flatnonzero(bad & (np.abs(x) <= 180) & (np.abs(y) <= 90)):
                texts[i] = beidou_string(float(x[i]), float(y[i]), level)
                bad[i] = False
    return texts, bad


def _point_fault(of_row: Any, x: float, y: float, index: int) -> GridError:
    try:
        of_row(x, y)
    except GridError as error:
        return type(error)(error.reason, position=index)
    return MalformedCoordinate("the coordinate is null", position=index)


@overload
def beidou_of(code: int, level: int) -> str: ...


@overload
def beidou_of(code: Any, level: int, *, errors: Errors = "raise") -> Any: ...


def beidou_of(code: Any, level: int, *, errors: Errors = "raise") -> Any:
    """Return the BeiDou code of each cell, given by its GeoSOT code of level 15, 19, 20, 23, 26, 29 or 32.

    Raises
    ------
    NoTwin
        The level has no equal among the BeiDou codes, or the cell is polar.
    MalformedCode
        A code names no cell; with the index of the element.
    """
    level = check_level(level)
    beidou_level = beidou.beidou_level(level)
    if is_scalar(code):
        mask = geosot.level_mask(level)
        return single(lambda: beidou.of_code(geosot.unsigned(code) & mask, level), errors, ("",))
    from jingwei.grid import kernels_text

    codes, nulls, _ = codes_of(code)
    texts, rows = _rows(codes.size, beidou.LENGTH[beidou_level])
    faults = kernels_text.beidou_of_codes(
        codes.ravel(), np.uint64(geosot.level_mask(level)), beidou_level, rows
    )
    bad = rows[:, 0] == 0 if faults else np.zeros(codes.size, dtype=bool)
    if nulls is not None:
        bad |= nulls.ravel()
        texts[bad] = b""
    return answer(
        texts.reshape(codes.shape), bad.reshape(codes.shape), errors, lambda i: _code_fault(codes, level, i)
    )


def _code_fault(codes: NDArray[np.uint64], level: int, index: int) -> GridError:
    try:
        beidou.of_code(int(codes.flat[index]) & geosot.level_mask(level), level)
    except GridError as error:
        return type(error)(error.reason, position=index)
    return MalformedCode("the code is null", position=index)


def parse_geosot_texts(texts: Any, *, lower_case: bool = False, errors: Errors = "raise") -> Any:
    """Return codes and levels of a column of quaternary texts, with or without separators.

    Returns
    -------
    (codes, levels), or (codes, levels, bad) with `errors="mask"`
        uint64 and uint8 arrays.

    Raises
    ------
    MalformedCode
        The first bad element: `position` is its index, the reason says where in the text.
    """
    from jingwei.grid import kernels_text

    column, _ = texts_of(texts, lower_case=lower_case)
    codes, levels = np.empty(column.size, np.uint64), np.empty(column.size, np.uint8)
    faults = kernels_text.codes_of_quaternary(rows_of(column), codes, levels)
    bad = levels == 0 if faults else np.zeros(column.size, dtype=bool)
    flat = column.ravel()
    for i in np.flatnonzero(bad & (np.char.str_len(flat) > 0)) if faults else ():
        # The loop leaves polar cells and level 0 to the single parser.
        try:
            codes[i], levels[i] = geosot.parse_text(flat[i].decode("ascii"))
        except MalformedCode:
            continue
        bad[i] = False

    def fault(index: int) -> None:
        geosot.parse_text(element_of(texts, index, lower_case))

    return with_faults((codes, levels), bad, column.shape, errors, fault)


def parse_beidou_texts(texts: Any, *, lower_case: bool = False, errors: Errors = "raise") -> Any:
    """Return GeoSOT codes and levels of a column of BeiDou codes of levels 4-10.

    Returns
    -------
    (codes, levels), or (codes, levels, bad) with `errors="mask"`
        uint64 and uint8 arrays.

    Raises
    ------
    MalformedCode, NoTwin, PolarUnsupported
        The first bad element: `position` is its index, the reason says where in the text.
    """
    from jingwei.grid import kernels_text

    column, _ = texts_of(texts, lower_case=lower_case)
    codes, levels = np.empty(column.size, np.uint64), np.empty(column.size, np.uint8)
    faults = kernels_text.codes_of_beidou(rows_of(column), codes, levels)
    bad = levels == 0 if faults else np.zeros(column.size, dtype=bool)

    def fault(index: int) -> None:
        beidou.twin_level(beidou.parse(element_of(texts, index, lower_case)).level)

    return with_faults((codes, levels), bad, column.shape, errors, fault)


def rows_of(column: NDArray[np.bytes_]) -> NDArray[np.uint8]:
    """Return a column of ASCII texts as rows of bytes, at least one byte wide."""
    width = column.dtype.itemsize
    if not width:
        return np.zeros((column.size, 1), np.uint8)
    return column.ravel().view(np.uint8).reshape(column.size, width)


def element_of(texts: Any, index: int, lower_case: bool) -> str:
    """Return one text of a column as it was written, or raise `MalformedCode` where it is null."""
    found = objects_of(texts)[0][index]
    if not isinstance(found, str | bytes):
        raise MalformedCode("the text is null")
    text = found.decode("ascii", "replace") if isinstance(found, bytes) else found
    return text.upper() if lower_case and text.isascii() else text


def with_faults(
    values: tuple[Any, ...], bad: Bools, shape: tuple[int, ...], errors: Errors, fault: Any
) -> Any:
    """Return the values and, if asked for, the mask; else raise what `fault` raises for the first bad one."""
    shaped = tuple(value.reshape(shape) for value in values)
    if check_errors(errors):
        return *shaped, bad.reshape(shape)
    if bad.any():
        index = int(np.flatnonzero(bad)[0])
        try:
            fault(index)
        except GridError as error:
            where = "" if error.position is None else f" at character {error.position} of {error.text!r}"
            raise type(error)(error.reason + where, position=index) from None
        raise AssertionError(f"text {index} was marked bad and is not")
    return shaped
