"""The sizes of the cells of GB/T 40087-2021, in ticks of 1/2048 arc-second.

Every cell edge of both standards is a whole number of ticks, so all arithmetic on them is exact. A degree
is padded to 64 minutes and a minute to 64 seconds (GB/T 40087, 5.4): the index jumps over the pads, and the
cells of levels 10-12 and 16-18 that straddle 60 are cut there.
"""

from __future__ import annotations

import operator

from jingwei.grid.errors import LevelError

TICKS_PER_SECOND = 2048
TICKS_PER_MINUTE = 60 * TICKS_PER_SECOND
TICKS_PER_DEGREE = 60 * TICKS_PER_MINUTE
LON_END = 180 * TICKS_PER_DEGREE
LAT_END = 90 * TICKS_PER_DEGREE
POLAR_START = 88 * TICKS_PER_DEGREE
"""Ticks at which both standards leave the regular grid for their polar cells."""

MAX_LEVEL = 32
POLAR_FIRST_LEVEL = 8
POLAR_LAST_LEVEL = 10
"""GB/T 40087, 6.2.4: cells at the poles are printed for levels 8-10; finer ones are not defined."""


def _size(level: int) -> int:
    if level <= 9:
        return TICKS_PER_DEGREE << (9 - level)
    if level <= 15:
        return TICKS_PER_MINUTE << (15 - level)
    if level <= 21:
        return TICKS_PER_SECOND << (21 - level)
    return 1 << (MAX_LEVEL - level)


def _unit(level: int) -> int:
    if 10 <= level <= 12:
        return TICKS_PER_DEGREE
    if 16 <= level <= 18:
        return TICKS_PER_MINUTE
    return _size(level)


SIZE = tuple(_size(level) for level in range(MAX_LEVEL + 1))
"""Side of an uncut cell of each level, in ticks."""

UNIT = tuple(_unit(level) for level in range(MAX_LEVEL + 1))
"""The degree or minute at whose end the cells of a level are cut, in ticks; the cell itself where none is."""

PER_UNIT = tuple(-(-unit // size) for unit, size in zip(UNIT, SIZE, strict=True))
"""Number of cells of a level in its unit: 2, 4 or 8 where cells are cut, else 1."""


def check_level(level: int, first: int = 0, last: int = MAX_LEVEL) -> int:
    """Return `level` as an int, or raise `LevelError` if it is not a whole number in `[first, last]`."""
    try:
        number = None if isinstance(level, bool) else operator.index(level)
    except TypeError:
        number = None
    if number is None:
        raise LevelError(f"a level is one whole number from {first} to {last}, not {level!r}")
    level = number
    if not first <= level <= last:
        raise LevelError(f"level {level} is outside {first}-{last}")
    return level


def number_of(ticks: int, level: int) -> int:
    """Return the number, from 0 at the equator or prime meridian and without pads, of the cell at `ticks`."""
    unit = UNIT[level]
    return ticks // unit * PER_UNIT[level] + ticks % unit // SIZE[level]


def edges_of(number: int, level: int, end: int) -> tuple[int, int]:
    """Return the near and far edge in ticks of the cell with this contiguous number, cut at `end`."""
    unit, per_unit, size = UNIT[level], PER_UNIT[level], SIZE[level]
    units, rest = divmod(number, per_unit)
    near = units * unit + rest * size
    return near, min(near + size, (units + 1) * unit, end)


def count_to(end: int, level: int) -> int:
    """Return how many cells of a level lie between 0 and `end` ticks."""
    return number_of(end - 1, level) + 1
