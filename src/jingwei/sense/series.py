"""Readings as time series: latest values, aggregates by interval, charts of few points, days side by side.

Values are the numbers of readings; a result that is no number is left out, and how many were is told. A gap
is told as a gap: nothing is drawn or averaged across it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from jingwei.errors import BadRequestError
from jingwei.sense.entities import ENTITIES, STREAMS
from jingwei.sense.errors import UnknownEntityError
from jingwei.sense.observations import Observations
from jingwei.sense.odata.syntax import EPOCH, MICRO
from jingwei.sense.readings import Reading, readings_of
from jingwei.words import Text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jingwei.access import Asker
    from jingwei.sense.service import Sensing

SECOND = 1_000_000
DAY = 86_400 * SECOND
MOST_BUCKETS = 20_000
GAP = 3
"""A silence of more than this many times the usual time between readings is a gap."""


class BadSeriesError(BadRequestError):
    """An interval or a period cannot be answered."""

    code = "sense-series"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A series as a chart draws it.

    Attributes
    ----------
    times, values
        UTC microseconds, and numbers; NaN stands where a line must break.
    count
        How many readings with a number there are in the period.
    other
        How many readings have a result that is no number.
    usual
        The usual time between readings in microseconds, None where there are too few.

    """

    times: NDArray[np.int64]
    values: NDArray[np.float64]
    count: int
    other: int
    usual: int | None


@dataclass(frozen=True, slots=True)
class Buckets:
    """Aggregates of intervals of one length; an interval without readings has count 0 and NaN."""

    starts: NDArray[np.int64]
    count: NDArray[np.int64]
    mean: NDArray[np.float64]
    least: NDArray[np.float64]
    greatest: NDArray[np.float64]
    total: NDArray[np.float64]
    last: NDArray[np.float64]


def numbers_of(table: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """Return times (UTC microseconds) and numbers of readings, and how many had none."""
    values = table["result"].to_numpy(zero_copy_only=False).astype(np.float64)
    times = table["time"].cast(pa.int64()).to_numpy()
    known = np.isfinite(values)
    return times[known], values[known], int((~known).sum())


def largest_triangles(times: NDArray[np.int64], values: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Return which points to draw so that few look like all: largest triangle three buckets.

    Of each of `most` - 2 groups of neighbouring points the one is kept that makes the largest triangle with
    the one kept before and the middle of the next group. Source: S. Steinarsson, Downsampling Time Series for
    Visual Representation, University of Iceland, 2013, 4.2.

    Parameters
    ----------
    times, values
        The series, in order of time; finite.
    most
        How many points to keep; at least 3.

    Returns
    -------
    numpy.ndarray
        Places in the series, the first and the last among them, in order.

    """
    size = len(times)
    if size <= most or most < 3:
        return np.arange(size)
    edges = np.linspace(1, size - 1, most - 1).astype(np.int64)
    x = (times - times[0]).astype(np.float64)
    kept = np.empty(most, np.int64)
    kept[0], kept[-1] = 0, size - 1
    for group in range(most - 2):
        start, end = edges[group], edges[group + 1]
        following = edges[group + 2] if group + 2 < len(edges) else size
        after = slice(end, max(following, end + 1))
        mean_x, mean_y = x[after].mean(), values[after].mean()
        before = kept[group]
        area = np.abs(
            (x[before] - mean_x) * (values[start:end] - values[before])
            - (x[before] - x[start:end]) * (mean_y - values[before])
        )
        kept[group + 1] = start + int(area.argmax())
    return kept


def last_of_each(table: pa.Table) -> pa.Table:
    """Return of readings the last of each stream; of one time, that which came in last."""
    stream, at, number = (table[name].to_numpy() for name in ("stream", "time", "id"))
    order = np.lexsort((number, at, stream))
    last = np.append(stream[order][1:] != stream[order][:-1], np.ones(min(len(stream), 1), bool))
    return table.take(pa.array(order[last]))


def usual_step(times: NDArray[np.int64]) -> int | None:
    """Return the usual time between readings in microseconds: the median."""
    return int(np.median(np.diff(times))) if len(times) > 2 else None


def with_gaps(
    times: NDArray[np.int64], values: NDArray[np.float64], kept: NDArray[np.int64], usual: int | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the kept points with a NaN wherever the whole series is silent for too long."""
    if not usual or len(times) < 2:
        return times[kept], values[kept]
    ends = np.flatnonzero(np.diff(times) > GAP * usual)
    # Both sides of a gap are drawn, and nothing between them.
    kept = np.union1d(kept, np.concatenate([ends, ends + 1]))
    at = np.searchsorted(kept, ends, side="right")
    return np.insert(times[kept], at, times[ends] + usual), np.insert(values[kept], at, np.nan)


def bucketed(
    times: NDArray[np.int64], values: NDArray[np.float64], start: int, end: int, step: int
) -> Buckets:
    """Return aggregates of `[start, end)` by intervals of `step` microseconds.

    Raises
    ------
    BadSeriesError
        Where there are too many intervals.

    """
    if step <= 0 or end <= start:
        raise BadSeriesError(Text("时段或间隔不对", "The period or the interval is empty."))
    size = -(-(end - start) // step)
    if size > MOST_BUCKETS:
        raise BadSeriesError(
            Text(
                f"间隔太小：{size} 段，至多 {MOST_BUCKETS} 段", f"{size} intervals; at most {MOST_BUCKETS}."
            ),
            mend=Text("请加大间隔或缩短时段。", "Take a longer interval or a shorter period."),
        )
    inside = (times >= start) & (times < end)
    order = np.argsort(times[inside], kind="stable")
    times, values = times[inside][order], values[inside][order]
    place = (times - start) // step
    count = np.bincount(place, minlength=size).astype(np.int64)
    total = np.bincount(place, weights=values, minlength=size)
    least, greatest, last = np.full(size, np.inf), np.full(size, -np.inf), np.full(size, np.nan)
    np.minimum.at(least, place, values)
    np.maximum.at(greatest, place, values)
    last[place] = values  # the last one written is the last in time
    empty = count == 0
    least[empty] = greatest[empty] = np.nan
    mean = np.divide(total, count, out=np.full(size, np.nan), where=~empty)
    starts = start + step * np.arange(size, dtype=np.int64)
    return Buckets(starts, count, mean, least, greatest, np.where(empty, np.nan, total), last)


class Series:
    """Time series of the streams that an asker sees."""

    def __init__(self, sensing: Sensing, asker: Asker) -> None:
        self.sensing = sensing
        self.readings = sensing.readings
        self.asker = asker

    def visible(self, streams: Collection[int] | None = None) -> set[int]:
        """Return those of some streams, or of all, that the asker sees."""
        with self.sensing.records.read() as session:
            known = Observations(self.sensing.sight(session, self.asker), self.readings).streams() or set()
        return known if streams is None else known & set(streams)

    def check(self, stream: int) -> None:
        """Raise unless the asker sees a stream.

        Raises
        ------
        UnknownEntityError

        """
        with self.sensing.records.read() as session:
            observations = Observations(self.sensing.sight(session, self.asker), self.readings)
            if not any(observations.finder.get(ENTITIES[name], stream) for name in STREAMS):
                raise UnknownEntityError("Datastream", stream)

    def latest(self, streams: Collection[int] | None = None) -> list[Reading]:
        """Return the latest reading of each of some streams, or of all, that the asker sees."""
        return readings_of(self.readings.latest(self.visible(streams)))

    def drawn(self, stream: int, start: int, end: int, most: int) -> Drawn:
        """Return what a chart draws of a stream from `start` until `end` (UTC microseconds)."""
        self.check(stream)
        times, values, other = numbers_of(self.readings.read([stream], since=start, until=end))
        usual = usual_step(times)
        kept = largest_triangles(times, values, most)
        shown = with_gaps(times, values, kept, usual)
        return Drawn(*shown, count=len(times), other=other, usual=usual)

    def buckets(self, stream: int, start: int, end: int, step: int) -> Buckets:
        """Return aggregates of a stream by intervals of `step` microseconds."""
        self.check(stream)
        times, values, _ = numbers_of(self.readings.read([stream], since=start, until=end))
        return bucketed(times, values, start, end, step)

    def days(
        self, stream: int, days: Sequence[date], step: int, zone: ZoneInfo
    ) -> list[tuple[date, Buckets]]:
        """Return days of a city side by side, each from its local midnight in steps of one length."""
        self.check(stream)
        found = []
        for day in days:
            start = micros_of(datetime.combine(day, time(), zone))
            end = micros_of(datetime.combine(day + timedelta(days=1), time(), zone))
            times, values, _ = numbers_of(self.readings.read([stream], since=start, until=end))
            found.append((day, bucketed(times, values, start, end, step)))
        return found

    def names(self, needle: str = "", limit: int = 500) -> list[dict[str, Any]]:
        """Return the streams that the asker sees, by name, with the names of their things."""
        from sqlalchemy import select

        from jingwei.sense.models import StreamRow, ThingRow

        streams: Any = StreamRow.__table__
        things: Any = ThingRow.__table__
        with self.sensing.records.read() as session:
            sight = self.sensing.sight(session, self.asker)
            one, other = streams.alias("s1"), things.alias("s2")
            asked = (
                select(one.c.id, one.c.name, one.c.unit, one.c.multi, other.c.name.label("thing"))
                .join(other, other.c.id == one.c.thing_id)
                .where(sight.visible(ENTITIES["Datastream"], one))
                .order_by(other.c.name, one.c.name, one.c.id)
                .limit(limit)
            )
            if needle:
                asked = asked.where(
                    one.c.name.contains(needle, autoescape=True)
                    | other.c.name.contains(needle, autoescape=True)
                )
            return [dict(row) for row in session.execute(asked).mappings()]

    def named(self, streams: Collection[int]) -> dict[int, tuple[str, str]]:
        """Return the names of some streams and of their things; who asks was shown that they are there."""
        from sqlalchemy import select

        from jingwei.sense.models import StreamRow, ThingRow

        one: Any = StreamRow.__table__
        other: Any = ThingRow.__table__
        asked = select(one.c.id, one.c.name, other.c.name).join(other, other.c.id == one.c.thing_id)
        with self.sensing.records.read() as session:
            rows = session.execute(asked.where(one.c.id.in_(list(streams))))
            return {number: (name, thing) for number, name, thing in rows}


def micros_of(moment: datetime) -> int:
    """Return a moment as UTC microseconds."""
    return (moment - EPOCH) // MICRO


__all__ = [
    "Buckets",
    "Drawn",
    "Series",
    "bucketed",
    "largest_triangles",
    "micros_of",
    "numbers_of",
    "with_gaps",
]
