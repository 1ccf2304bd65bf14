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
    texts_of,
)
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

    codes, _, _ = codes_of(code)
    width = 1 + level + (sum(level > digit for digit in (9, 15, 21)) if separators else 0)
    texts, rows = _rows(codes.size, width)
    kernels_text.quaternary_of_codes(codes.ravel(), level, separators, rows)
    return texts.reshape(codes.shape)


@overload
def beidou_string(lon: Angle, lat: Angle, level: int) -> str: ...


@overload
def beidou_string(lon: Any, lat: Any, level: int, *, errors: Errors = "raise") -> Any: ...


def beidou_string(lon: Any, lat: Any, level: int, *, errors: Errors = "raise") -> Any:
    """Return the BeiDou code of levels 0-10 of the cell that holds each point (GB/T 39409, clause 5).

    Parameters
    ----------
    lon, lat : number, text, or column of them
        Degrees on CGCS2000 (see `codes.encode`).
    level : int
        0 to 10.
    errors : {"raise", "mask"}
        Raise at the first bad element of a column, or answer an empty text for it and mark it.

    Returns
    -------
    str, or array of dtype `S` (ASCII bytes), or (texts, bad) with `errors="mask"`

    Raises
    ------
    MalformedCoordinate, OutOfRange, PolarUnsupported
        A bad number, or a bad element with its index.
    """
    level = check_level(level, 0, beidou.LAST_LEVEL)
    if is_scalar(lon) and is_scalar(lat):
        return _beidou_of_number(lon, lat, level)
    if is_scalar(lon) or is_scalar(lat):
        raise MalformedCoordinate("longitude and latitude are two numbers or two columns of the same length")
    if level == 0 or is_exact(lon) or is_exact(lat):
        return _beidou_one_by_one(objects_of(lon), objects_of(lat), level, errors)
    from jingwei.grid import kernels_text

    x, x_null = floats_of(lon, "longitude")
    y, y_null = floats_of(lat, "latitude")
    if x.shape != y.shape or x.ndim != 1:
        raise MalformedCoordinate(f"longitude has the shape {x.shape} and latitude {y.shape}")
    texts, rows = _rows(x.size, beidou.LENGTH[level])
    faults = kernels_text.beidou_of_points(x, y, level, rows)
    bad = np.zeros(x.size, dtype=bool)
    for nulls in (x_null, y_null):
        if nulls is not None:
            bad |= nulls
            texts[nulls] = b""
    if faults:
        empty = rows[:, 0] == 0
        polar = empty & ~bad & (np.abs(x) <= 180) & (np.abs(y) <= 90) & (level <= beidou.LAST_POLAR_LEVEL)
        bad |= empty & ~polar
        for i in np.flatnonzero(polar):
            texts[i] = _beidou_of_number(float(x[i]), float(y[i]), level)
    return answer(texts, bad, errors, lambda i: _point_fault(x[i], y[i], level, i))


def _beidou_of_number(lon: Any, lat: Any, level: int) -> str:
    x, y = (value.item() if isinstance(value, np.generic) else value for value in (lon, lat))
    return beidou.text_of_ticks(*signed_ticks(x, "lon"), *signed_ticks(y, "lat"), level)


def _beidou_one_by_one(lon: list[Any], lat: list[Any], level: int, errors: Errors) -> Any:
    if len(lon) != len(lat):
        raise MalformedCoordinate(f"there are {len(lon)} longitudes and {len(lat)} latitudes")
    texts, _ = _rows(len(lon), beidou.LENGTH[level])
    bad = np.zeros(len(lon), dtype=bool)
    for i, (x, y) in enumerate(zip(lon, lat, strict=True)):
        try:
            texts[i] = _beidou_of_number(x, y, level)
        except GridError as error:
            if not check_errors(errors):
                raise type(error)(error.reason, position=i) from error
            bad[i] = True
    return (texts, bad) if check_errors(errors) else texts


def _point_fault(x: float, y: float, level: int, index: int) -> GridError:
    try:
        _beidou_of_number(float(x), float(y), level)
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
        return beidou.of_code(geosot.unsigned(code) & geosot.level_mask(level), level)
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


def parse_geosot_texts(texts: Any, *, errors: Errors = "raise") -> Any:
    """Return codes and levels of a column of quaternary texts, with or without separators.

    Returns
    -------
    (codes, levels), or (codes, levels, bad) with `errors="mask"`
        uint64 and uint8 arrays.
    """
    return _parse_column(texts, errors, geosot.parse_text)


def parse_beidou_texts(texts: Any, *, errors: Errors = "raise") -> Any:
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

    column, nulls = texts_of(texts)
    codes, levels = np.empty(column.size, np.uint64), np.empty(column.size, np.uint8)
    width = column.dtype.itemsize
    rows = (
        column.ravel().view(np.uint8).reshape(column.size, width)
        if width
        else np.zeros((column.size, 1), np.uint8)
    )
    faults = kernels_text.codes_of_beidou(rows, codes, levels)
    bad = levels == 0 if faults else np.zeros(column.size, dtype=bool)
    return _with_faults((codes, levels), bad, errors, lambda i: _twin_of_text(column.ravel()[i], nulls, i))


def _twin_of_text(text: Any, nulls: Bools | None, index: int) -> None:
    if nulls is not None and nulls.ravel()[index]:
        raise MalformedCode("the text is null")
    cell = beidou.parse(text.decode("ascii"))
    beidou.twin_level(cell.level)


def _parse_column(texts: Any, errors: Errors, parse: Any) -> Any:
    column, nulls = texts_of(texts)
    codes, levels = np.zeros(column.size, np.uint64), np.zeros(column.size, np.uint8)
    bad = np.zeros(column.size, dtype=bool)
    for i, text in enumerate(column.ravel()):
        try:
            if nulls is not None and nulls.ravel()[i]:
                bad[i] = True
            else:
                codes[i], levels[i] = parse(text.decode("ascii"))
        except GridError:
            bad[i] = True

    def fail(index: int) -> None:
        if nulls is not None and nulls.ravel()[index]:
            raise MalformedCode("the text is null")
        parse(column.ravel()[index].decode("ascii"))

    return _with_faults((codes, levels), bad, errors, fail)


def _with_faults(values: tuple[Any, ...], bad: Bools, errors: Errors, fail: Any) -> Any:
    """Return the values and, if asked for, the mask; else raise what `fail` raises for the first bad one."""
    if check_errors(errors):
        return *values, bad
    if bad.any():
        index = int(np.flatnonzero(bad)[0])
        try:
            fail(index)
        except GridError as error:
            where = "" if error.position is None else f" at character {error.position} of {error.text!r}"
            raise type(error)(error.reason + where, position=index) from None
    return values
