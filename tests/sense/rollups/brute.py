"""Which figures are withheld, worked out row by row: what the roll-ups must come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jingwei.lake.summing import Figures, combined, spread, taken

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jingwei.sense.rollups.calendar import Calendar
    from jingwei.sense.rollups.frames import Leaves

NO_UNIT = -1


def units_of(
    hours: Leaves, block: NDArray[np.int64], calendar: Calendar, smallest: int, over: int
) -> NDArray[np.int64]:
    """Return the number of the unit of each row; -1 where it is withheld.

    Parameters
    ----------
    hours
        Figures of streams in hours, of whole days: all rows of all streams that are parted into blocks.
    block
        The block of the stream of each row.
    calendar
        The city's days.
    smallest
        The smallest number of streams of which figures are told.
    over
        UTC microseconds: days that begin at it or later are not over.

    """
    unit = np.full(len(hours), NO_UNIT, np.int64)
    days = calendar.days(hours.start)
    left = np.flatnonzero((block >= 0) & (days < over))
    if not len(left):
        return unit
    day = _numbered(block[left], days[left])
    hour = _numbered(block[left], hours.start[left])
    few = _streams(hour, hours.stream[left]) < smallest
    parted = ~_any(few[hour], day)
    enough = (_streams(day, hours.stream[left]) >= smallest)[day]
    own = np.where(parted, hour, len(hours) + day)
    unit[left] = np.where(parted | enough, own, NO_UNIT)
    return unit


def told(
    hours: Leaves, unit: NDArray[np.int64], group: NDArray[np.int64], groups: int
) -> tuple[Figures, NDArray[np.bool_]]:
    """Return the figures of groups of rows, an element for each group, and which groups are withheld.

    Parameters
    ----------
    hours, unit
        The rows, and the unit of each.
    group, groups
        The number of the group of each row, -1 for none, and how many groups there are.

    """
    withheld = np.zeros(groups, bool)
    asked = group >= 0
    _, own = np.unique(unit, return_inverse=True)
    first = np.full(len(unit), groups)
    last = np.full(len(unit), -1)
    np.minimum.at(first, own, group)
    np.maximum.at(last, own, group)
    whole = (unit != NO_UNIT) & (first[own] == last[own])
    withheld[group[asked & ~whole]] = True
    rows = np.flatnonzero(asked & ~withheld[group])
    rows = rows[np.argsort(group[rows], kind="stable")]
    there, begins = np.unique(group[rows], return_index=True)
    return spread(combined(taken(hours.figures, rows), begins), there, groups), withheld


def _numbered(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return numbers from 0 on, the same for rows that have both values in common."""
    _, first = np.unique(one, return_inverse=True)
    values, second = np.unique(other, return_inverse=True)
    found: NDArray[np.int64] = np.unique(first * len(values) + second, return_inverse=True)[1]
    return found


def _streams(own: NDArray[np.int64], stream: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many different streams each group has."""
    pairs = np.unique(np.stack([own, stream]), axis=1)
    found: NDArray[np.int64] = np.bincount(pairs[0], minlength=int(own.max()) + 1)
    return found


def _any(few: NDArray[np.bool_], group: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say of each row whether one of its group has too few."""
    found: NDArray[np.bool_] = (np.bincount(group, weights=few) > 0)[group]
    return found
