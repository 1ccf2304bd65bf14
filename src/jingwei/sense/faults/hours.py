"""Readings of streams of one kind as hours: what the search for faulty sensors looks at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jingwei.sense.rollups.frames import Leaves

HOUR = 3_600_000_000
"""Microseconds."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Figures of streams that observe one property in one unit, hour by hour.

    Attributes
    ----------
    start
        (T,) int64: when each hour begins, UTC microseconds; the hours follow each other without a break.
    stream
        (S,) int64.
    lon, lat
        (S,) degrees.
    count
        (T, S): readings in the hour.
    mean, low, high, spread
        (T, S): their mean, least, greatest and standard deviation; NaN where there is none.

    """

    start: NDArray[np.int64]
    stream: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    count: NDArray[np.int64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    spread: NDArray[np.float64]

    def within(self, first: int, last: int) -> Hours:
        """Return the hours from one place to before another."""
        part = slice(first, last)
        columns = [one[part] for one in (self.mean, self.low, self.high, self.spread)]
        return Hours(self.start[part], self.stream, self.lon, self.lat, self.count[part], *columns)

    def without(self, away: NDArray[np.bool_]) -> Hours:
        """Return the hours without what was read in some of them, (T, S)."""
        columns = (np.where(away, np.nan, one) for one in (self.mean, self.low, self.high, self.spread))
        return Hours(self.start, self.stream, self.lon, self.lat, np.where(away, 0, self.count), *columns)


def hours_of_readings(
    streams: NDArray[np.int64],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    readings: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
    until: int,
) -> Hours:
    """Return the hours of readings.

    Parameters
    ----------
    streams, lon, lat
        (S,) numbers of the streams in order, and where they are, degrees.
    readings
        (n,) numbers of streams, times in UTC microseconds, and results.
    until
        UTC microseconds: the hours end before it.

    """
    stream, time, value = readings
    kept = np.isfinite(value) & (time < until)
    stream, time, value = stream[kept], time[kept], value[kept]
    first = int(time.min()) // HOUR if len(time) else until // HOUR
    length = max(until // HOUR - first, 1)
    place = np.searchsorted(streams, stream)
    hour = time // HOUR - first
    whole = hour < length
    cell = hour[whole] * len(streams) + place[whole]
    value = value[whole]
    size = length * len(streams)
    shape = (length, len(streams))
    count = np.bincount(cell, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(cell, value, minlength=size) / count
        square = np.bincount(cell, (value - mean[cell]) ** 2, minlength=size)
        spread = np.where(count > 1, np.sqrt(square / np.maximum(count - 1, 1)), np.nan)
    low, high = np.full(size, np.nan), np.full(size, np.nan)
    np.fmin.at(low, cell, value)
    np.fmax.at(high, cell, value)
    start = (first + np.arange(length)) * HOUR
    columns: list[Any] = [one.reshape(shape) for one in (count, mean, low, high, spread)]
    return Hours(start, streams, lon, lat, *columns)


def hours_of_leaves(
    streams: NDArray[np.int64],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    leaves: Leaves,
    since: int,
    until: int,
) -> Hours:
    """Return the hours that roll-ups keep.

    Parameters
    ----------
    streams, lon, lat
        (S,) numbers of the streams in order, and where they are, degrees.
    leaves
        Hours of some streams.
    since, until
        UTC microseconds of the first hour, and of the one that is no longer meant.

    """
    length = max((until - since) // HOUR, 1)
    shape = (int(length), len(streams))
    hour = (leaves.start - since) // HOUR
    place = np.minimum(np.searchsorted(streams, leaves.stream), max(len(streams) - 1, 0))
    meant = (hour >= 0) & (hour < length)
    meant &= streams[place] == leaves.stream if len(streams) else False
    at = (hour[meant], place[meant])
    figures = leaves.figures
    count = np.zeros(shape, np.int64)
    count[at] = figures.n[meant]
    columns = []
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.where(figures.n > 1, np.sqrt(figures.m2 / np.maximum(figures.n - 1, 1)), np.nan)
    for values in (figures.mean, figures.minimum, figures.maximum, spread):
        column = np.full(shape, np.nan)
        column[at] = values[meant]
        columns.append(column)
    start = since + np.arange(length) * HOUR
    return Hours(start, streams, lon, lat, count, *columns)
