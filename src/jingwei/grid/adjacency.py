"""Which cells lie beside, around and between: on the contiguous numbers of rows and columns.

Rows and columns of a level are numbered without the pads, 0, 1, 2 ... away from the equator and the prime
meridian and -1, -2 ... on the other side. On these numbers a neighbour is one step, over the equator and the
meridians too; columns close at 180 degrees. Never is a neighbour found by arithmetic on digits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from jingwei.grid import geosot
from jingwei.grid.arrays import Bools, Codes, Errors, answer, codes_of, is_scalar, single, some_codes
from jingwei.grid.beidou import CORNER_STEPS, EDGE_STEPS
from jingwei.grid.errors import GridError, MalformedCode, OutOfRange, PolarUnsupported
from jingwei.grid.levels import (
    LAT_END,
    LON_END,
    PER_UNIT,
    POLAR_FIRST_LEVEL,
    POLAR_START,
    SIZE,
    UNIT,
    check_level,
    count_to,
    edges_of,
    number_of,
)
from jingwei.grid.polar import zone_of


def column_and_row(code: int, level: int) -> tuple[int, int]:
    """Return the signed contiguous column and row of a cell.

    Raises
    ------
    PolarUnsupported
        Polar cells have neither.
    """
    level = check_level(level, 1)
    code = geosot.unsigned(code) & geosot.level_mask(level)
    if zone_of(code, level):
        raise PolarUnsupported(f"the polar cell {geosot.text_of(code, level)} has no column and row")
    west, x, south, y = geosot.anchor(code, level)
    column, row = number_of(x, level), number_of(y, level)
    return (-column - 1 if west else column), (-row - 1 if south else row)


def code_at(column: int, row: int, level: int) -> int:
    """Return the code of the cell at a signed column and row; columns close at 180 degrees.

    Raises
    ------
    OutOfRange
        The row lies beyond the pole.
    PolarUnsupported
        The row lies in a polar cap, whose cells are not ordered in rows and columns.
    """
    level = check_level(level, 1)
    half = count_to(LON_END, level)
    column = (column + half) % (2 * half) - half
    near_x, _ = edges_of(column if column >= 0 else -column - 1, level, LON_END)
    distance = row if row >= 0 else -row - 1
    if distance >= count_to(LAT_END, level):
        raise OutOfRange(f"row {row} of level {level} lies beyond the pole")
    near_y, _ = edges_of(distance, level, LAT_END)
    if near_y >= POLAR_START and level >= POLAR_FIRST_LEVEL:
        raise PolarUnsupported(f"row {row} of level {level} lies at 88 degrees and beyond")
    return geosot.code_of_ticks(column < 0, near_x, row < 0, near_y, level)


def _places(codes: Codes, level: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Bools]:
    """Return signed columns and rows of codes, and which have none."""
    from jingwei.grid import kernels

    column, row = np.empty(codes.shape, np.int64), np.empty(codes.shape, np.int64)
    end = POLAR_START if level >= POLAR_FIRST_LEVEL else LAT_END
    mask = np.uint64(geosot.level_mask(level))
    cut = SIZE[level], UNIT[level], PER_UNIT[level]
    kernels.places(codes.ravel(), mask, cut, end, column.ravel(), row.ravel())
    return column, row, column == kernels.NOWHERE


@overload
def neighbour(code: int, level: int, east: int, north: int) -> int: ...


@overload
def neighbour(code: Any, level: int, east: int, north: int, *, errors: Errors = "raise") -> Any: ...


def neighbour(code: Any, level: int, east: int, north: int, *, errors: Errors = "raise") -> Any:
    """Return the code of the cell `east` columns to the east and `north` rows to the north of each cell.

    Parameters
    ----------
    code : int or column of int
        Cells, in either form.
    level : int
        1 to 32.
    east, north : int
        Steps; columns close at 180 degrees.
    errors : {"raise", "mask"}
        Raise at the first cell that has no such neighbour, or answer 0 for it and mark it.

    Returns
    -------
    int, or array in the form in which the codes came, or (codes, bad) with `errors="mask"`

    Raises
    ------
    OutOfRange
        There is none: beyond a pole.
    PolarUnsupported
        From or into a polar cap, whose cells stand in no rows and columns.
    MalformedCode
        The code is null or names no cell.
    """

    def of_one(one: int) -> int:
        column, row = column_and_row(one, level)
        return code_at(column + east, row + north, level)

    if is_scalar(code):
        return single(lambda: of_one(code), errors, (0,))
    from jingwei.grid import kernels

    level = check_level(level, 1)
    codes, nulls, dtype = codes_of(code)
    column, row, bad = _places(codes, level)
    out = np.empty(codes.shape, np.uint64)
    rows = count_to(POLAR_START if level >= POLAR_FIRST_LEVEL else LAT_END, level)
    half = count_to(LON_END, level)
    far = 4 * half  # steps beyond the earth stay beyond it, and do not overflow
    target = np.where(bad, far, row + max(-far, min(far, north)))
    kernels.codes_of_places(
        np.where(bad, 0, column + east % (2 * half)).ravel(),
        target.ravel(),
        (SIZE[level], UNIT[level], PER_UNIT[level]),
        half,
        rows,
        np.uint64(geosot.level_mask(level)),
        out.ravel(),
    )
    bad = (target >= rows) | (target < -rows)
    if nulls is not None:
        bad |= nulls
        out[bad] = 0

    def fault(index: int) -> GridError:
        if nulls is not None and nulls.flat[index]:
            return MalformedCode("the code is null", position=index)
        try:
            of_one(int(codes.flat[index]))
        except GridError as error:
            return type(error)(error.reason, position=index)
        raise AssertionError(f"cell {index} was marked bad and is not")

    return answer(out.view(dtype), bad, errors, fault)


def neighbours(code: int, level: int, *, corners: bool = True) -> list[int]:
    """Return the codes of the cells that share an edge (and, by default, a corner) with a cell.

    Cells beyond the pole or in a polar cap are left out. Order: north, east, south, west, then north-west,
    north-east, south-east, south-west.
    """
    column, row = column_and_row(code, level)
    steps = EDGE_STEPS + CORNER_STEPS if corners else EDGE_STEPS
    return _existing(((column + dx, row + dy) for dx, dy in steps), level, but=geosot.unsigned(code))


def ring(code: int, level: int, distance: int) -> list[int]:
    """Return the codes of the cells exactly `distance` steps over edges or corners away.

    They run clockwise from the north-west; what lies beyond the pole or in a polar cap is left out.
    """
    if distance < 0:
        raise OutOfRange(f"a distance is 0 or more, not {distance}")
    column, row = column_and_row(code, level)
    if distance == 0:
        return [geosot.unsigned(code) & geosot.level_mask(level)]
    k = distance
    around = [(dx, k) for dx in range(-k, k)]
    around += [(k, -dy) for dy in range(-k, k)]
    around += [(-dx, -k) for dx in range(-k, k)]
    around += [(-k, dy) for dy in range(-k, k)]
    cells = _existing(((column + dx, row + dy) for dx, dy in around), level, but=geosot.unsigned(code))
    if 2 * k + 1 > 2 * count_to(LON_END, level):  # the ring closes on itself around the earth
        cells = [cell for cell in cells if grid_distance(code, cell, level) == k]
    return cells


def disk(code: int, level: int, distance: int) -> list[int]:
    """Return the codes of all cells at most `distance` steps away, ring by ring."""
    return [cell for k in range(distance + 1) for cell in ring(code, level, k)]


@overload
def grid_distance(code: int, other: int, level: int) -> int: ...


@overload
def grid_distance(code: Any, other: Any, level: int) -> Any: ...


def grid_distance(code: Any, other: Any, level: int) -> Any:
    """Return the least number of steps over edges or corners between two cells of a level.

    Parameters
    ----------
    code, other : int or column of int
        Cells, in either form; one for all or one each.
    level : int
        1 to 32.

    Returns
    -------
    int, or int64 array

    Raises
    ------
    PolarUnsupported
        Polar cells stand in no rows and columns.
    MalformedCode
        A code is null or names no cell.
    """
    around = 2 * count_to(LON_END, check_level(level, 1))
    if is_scalar(code) and is_scalar(other):
        (c0, r0), (c1, r1) = column_and_row(code, level), column_and_row(other, level)
        across = abs(c0 - c1)
        return max(min(across, around - across), abs(r0 - r1))
    (c, r), (d, s) = (
        column_and_row(cell, level) if is_scalar(cell) else _all_places(cell, level) for cell in (code, other)
    )
    steps = np.abs(np.subtract(c, d))
    return np.maximum(np.minimum(steps, around - steps), np.abs(np.subtract(r, s)))


def _all_places(cells: Any, level: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    codes = some_codes(cells)
    column, row, bad = _places(codes, level)
    if bad.any():
        index = int(np.flatnonzero(bad)[0])
        try:
            column_and_row(int(codes.flat[index]), level)
        except GridError as error:
            raise type(error)(error.reason, position=index) from None
    return column, row


def _existing(places: Iterable[tuple[int, int]], level: int, but: int) -> list[int]:
    found: dict[int, None] = {}
    for column, row in places:
        try:
            found[code_at(column, row, level)] = None
        except (OutOfRange, PolarUnsupported):
            continue
    found.pop(but & geosot.level_mask(level), None)
    return list(found)
