"""Figures for those who may not read the streams themselves: of enough streams, or none.

Streams are parted once into blocks, cells of the grid by the rule of counts (`jingwei.lake.counting`), and
the hours of a block into units: hours, or a whole day where one of its hours has too few streams, or what is
left of a month. Each unit has readings of at least the smallest number of streams. An answer is a sum of
whole units or is withheld, so whatever two answers differ by is a sum of whole units again (complementary
suppression along both hierarchies, after Hundepool et al., Statistical Disclosure Control, 2012, 4.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jingwei import grid
from jingwei.grid.levels import MAX_LEVEL
from jingwei.lake.counting import FINEST, blocks_of
from jingwei.lake.summing import Figures, combined, taken

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jingwei.sense.rollups.calendar import Calendar
    from jingwei.sense.rollups.frames import Leaves

NO_UNIT = -1


def blocks_of_streams(cells: NDArray[np.uint64], smallest: int, level: int = FINEST) -> NDArray[np.int64]:
    """Return the number of the block of each stream; -1 where there are too few streams for any.

    Parameters
    ----------
    cells
        (n,) code of level 32 where each stream is.
    smallest
        The smallest number of streams of which figures are told.
    level
        The finest level of blocks.

    """
    found = np.full(len(cells), NO_UNIT, np.int64)
    if not len(cells):
        return found
    codes, counts = np.unique(np.asarray(grid.parent(cells, MAX_LEVEL, level), np.uint64), return_counts=True)
    blocks = blocks_of(codes, counts, level, smallest)
    for at in range(level, 0, -1):
        here = np.flatnonzero(blocks.levels == at)
        if not len(here):
            continue
        order = here[np.argsort(blocks.codes[here])]
        own = np.asarray(grid.parent(cells, MAX_LEVEL, at), np.uint64)
        place = np.minimum(np.searchsorted(blocks.codes[order], own), len(order) - 1)
        # What lies in a finer block was taken by that one.
        mine = (found == NO_UNIT) & (blocks.codes[order][place] == own)
        found[mine] = order[place[mine]]
    return found


def units_of(hours: Leaves, block: NDArray[np.int64], calendar: Calendar, smallest: int) -> NDArray[np.int64]:
    """Return the number of the unit of each row; -1 where it is withheld.

    Parameters
    ----------
    hours
        Figures of streams in hours, of whole months: all rows of all streams that are parted into blocks.
    block
        The block of the stream of each row.
    calendar
        The city's days and months.
    smallest
        The smallest number of streams of which figures are told.

    """
    unit = np.full(len(hours), NO_UNIT, np.int64)
    left = np.flatnonzero(block >= 0)
    days, months = calendar.days(hours.start), calendar.months(hours.start)
    for at, above in ((hours.start, days), (days, months), (months, None)):
        if not len(left):
            break
        own = _numbered(block[left], at[left])
        few = _streams(own, hours.stream[left]) < smallest
        # Beyond the month nothing is told as one, so nothing lays open what is left out.
        shown = ~few[own] if above is None else ~_any(few[own], _numbered(block[left], above[left]))
        unit[left[shown]] = unit.max(initial=NO_UNIT) + 1 + own[shown]
        left = left[~shown]
    return unit


def told(hours: Leaves, unit: NDArray[np.int64], asked: NDArray[np.bool_]) -> Figures | None:
    """Return the figures of the rows that are asked for, of one group or none; None where withheld."""
    if not asked.any():
        return taken(hours.figures, slice(0, 0))
    units = np.unique(unit[asked])
    if units[0] == NO_UNIT or bool((np.isin(unit, units) & ~asked).any()):
        return None
    return combined(taken(hours.figures, np.flatnonzero(asked)), np.zeros(1, np.int64))


def _numbered(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return numbers from 0 on, the same for rows that have both values in common."""
    _, first = np.unique(one, return_inverse=True)
    values, second = np.unique(other, return_inverse=True)
    _, found = np.unique(first * len(values) + second, return_inverse=True)
    return found.astype(np.int64)


def _streams(own: NDArray[np.int64], stream: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many different streams each group has."""
    pairs = np.unique(np.stack([own, stream]), axis=1)
    return np.bincount(pairs[0], minlength=int(own.max()) + 1)


def _any(few: NDArray[np.bool_], group: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say of each row whether one of its group has too few."""
    found: NDArray[np.bool_] = (np.bincount(group, weights=few) > 0)[group]
    return found
