"""Hours, days and months of a city: of which hour a reading is, of which day and month an hour.

Hours begin where the city's zone has its full hours today, so that days begin with one also where a zone lies
half an hour beside UTC. An hour belongs to the day in which it begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from zoneinfo import ZoneInfo

    from numpy.typing import NDArray

Kind = Literal["hour", "day", "month"]
KINDS: tuple[Kind, ...] = ("hour", "day", "month")
HOUR = 3_600_000_000
"""An hour in microseconds."""

_DAY = 24 * HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_PRESENT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """One interval: its kind and start (UTC microseconds)."""

    kind: Kind
    start: int


class Calendar:
    """The hours, days and months of one zone. All times are UTC microseconds."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        offset = _PRESENT.astimezone(zone).utcoffset() or timedelta()
        self.phase = -(offset // _MICRO) % HOUR

    def hours(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the start of the hour of each time."""
        return (times - self.phase) // HOUR * HOUR + self.phase

    def hour(self, moment: int) -> int:
        """Return the start of the hour of a moment."""
        return (moment - self.phase) // HOUR * HOUR + self.phase

    def days(self, hours: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the start of the day of each hour."""
        return self._each(hours, date.fromordinal)

    def months(self, hours: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the start of the month of each hour."""
        return self._each(hours, lambda day: date.fromordinal(day).replace(day=1))

    def next_hour(self, moment: int) -> int:
        """Return the start of the first hour that begins at a moment or after it."""
        return self.hour(moment + HOUR - 1)

    def day(self, moment: int) -> int:
        """Return the start of the day of a moment."""
        return self._midnight(self._date(moment))

    def month(self, moment: int) -> int:
        """Return the start of the month of a moment."""
        return self._midnight(self._date(moment).replace(day=1))

    def after(self, kind: Kind, start: int) -> int:
        """Return the start of the interval that follows the one that starts at `start`."""
        if kind == "hour":
            return start + HOUR
        day = self._date(start)
        if kind == "day":
            return self._midnight(day + timedelta(days=1))
        return self._midnight((day.replace(day=1) + timedelta(days=32)).replace(day=1))

    def spans(self, since: int, until: int) -> Iterator[Span]:
        """Yield the fewest months, days and hours that make up all hours that begin in `[since, until)`.

        Parameters
        ----------
        since, until
            UTC microseconds.

        """
        at = self.next_hour(since)
        while at < until:
            kind = next(
                one for one in reversed(KINDS) if self._begins(one, at) and self._fits(one, at, until)
            )
            yield Span(kind, at if kind == "hour" else self.day(at))
            at = self.next_hour(self.after(kind, at if kind == "hour" else self.day(at)))

    def parts(self, span: Span) -> Iterator[Span]:
        """Yield the days of a month, or the hours of a day."""
        end = self.after(span.kind, span.start)
        at = span.start if span.kind == "month" else self.next_hour(span.start)
        kind: Kind = "day" if span.kind == "month" else "hour"
        while at < end:
            yield Span(kind, at)
            at = self.after(kind, at)

    def _begins(self, kind: Kind, hour: int) -> bool:
        """Say whether an hour is the first one of an interval."""
        if kind == "hour":
            return True
        return self.next_hour(self.day(hour) if kind == "day" else self.month(hour)) == hour

    def _fits(self, kind: Kind, hour: int, until: int) -> bool:
        if kind == "hour":
            return True
        end = self.next_hour(self.after(kind, self.day(hour)))
        return end - HOUR < until

    def _each(self, hours: NDArray[np.int64], of: Callable[[int], date]) -> NDArray[np.int64]:
        different, place = np.unique(hours, return_inverse=True)
        local, place_of_day = np.unique(self._ordinals(different), return_inverse=True)
        starts = np.array([self._midnight(of(one)) for one in local.tolist()], np.int64)
        return starts[place_of_day][place]

    def _ordinals(self, hours: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the local day of each hour as the number of days since the year 1."""
        # The zone is asked twice for each day of UTC, and for every hour only where its clock changes.
        begins, place = np.unique(hours // _DAY * _DAY, return_inverse=True)
        first = np.array([self._offset(one) for one in begins.tolist()], np.int64)
        last = np.array([self._offset(one + _DAY - 1) for one in begins.tolist()], np.int64)
        offset = first[place]
        for at in np.flatnonzero((first != last)[place]).tolist():
            offset[at] = self._offset(int(hours[at]))
        return (hours + offset) // _DAY + _EPOCH.toordinal()

    def _offset(self, moment: int) -> int:
        there = (_EPOCH + timedelta(microseconds=moment)).astimezone(self.zone)
        return (there.utcoffset() or timedelta()) // _MICRO

    def _date(self, moment: int) -> date:
        return (_EPOCH + timedelta(microseconds=moment)).astimezone(self.zone).date()

    def _midnight(self, day: date) -> int:
        return (datetime.combine(day, time(), self.zone) - _EPOCH) // _MICRO
