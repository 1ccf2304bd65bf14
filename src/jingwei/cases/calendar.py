"""Working time: which moments count for the clocks of a city.

Instants are microseconds since 1970 UTC, as integers, so that nothing is rounded. Holidays and the days that
make up for them are those of the State Council as the library `chinesecalendar` has them; a city's own
decisions come before them. Years that are not announced yet count Monday to Friday.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import chinese_calendar
import numpy as np
from numpy.typing import NDArray

from jingwei.cases.errors import BadFieldError, CalendarRangeError
from jingwei.words import Text

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

PERIODS = ((time(8), time(12)), (time(14), time(18)))
"""Working periods of a day where a city says nothing else."""
FIRST_YEAR, LAST_YEAR = 2004, 2050

_ANNOUNCED = frozenset(day.year for day in chinese_calendar.holidays)


def instant(moment: datetime) -> int:
    """Return an aware time as microseconds since 1970 UTC."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment(instant_: int) -> datetime:
    """Return microseconds since 1970 UTC as an aware time in UTC."""
    return EPOCH + timedelta(microseconds=instant_)


def is_announced(year: int) -> bool:
    """Say whether the holidays of a year are known."""
    return year in _ANNOUNCED


def official(day: date) -> bool:
    """Say whether a day is a working day in China; Monday to Friday where the year is not announced."""
    if day.year in _ANNOUNCED:
        return bool(chinese_calendar.is_workday(day))
    return day.isoweekday() <= 5


class Calendar:
    """The working time of a city.

    Parameters
    ----------
    zone
        Its time zone.
    periods
        Working periods of a working day, local, in order, not overlapping.
    days
        Days that the city decided otherwise: True works, False rests.
    first_year, last_year
        The years that can be asked for.

    Attributes
    ----------
    day_length
        Working microseconds of a working day: what one 工作日 of a limit is worth.

    """

    def __init__(
        self,
        zone: str = "Asia/Shanghai",
        periods: Sequence[tuple[time, time]] = PERIODS,
        days: Mapping[date, bool] | None = None,
        *,
        first_year: int = FIRST_YEAR,
        last_year: int = LAST_YEAR,
    ) -> None:
        self.zone, self.periods, self.days = ZoneInfo(zone), tuple(periods), dict(days or {})
        self.first_year, self.last_year = first_year, last_year
        _check_periods(self.periods)
        starts, ends = self._bounds()
        lengths = np.array(ends, dtype=np.int64) - np.array(starts, dtype=np.int64)
        worked = np.concatenate([[0], np.cumsum(lengths)])
        self._starts, self._ends = starts, ends
        self._before: list[int] = worked[:-1].tolist()
        self._after: list[int] = worked[1:].tolist()
        self.start_array: NDArray[np.int64] = np.array(starts, dtype=np.int64)
        self.end_array: NDArray[np.int64] = np.array(ends, dtype=np.int64)
        self.day_length = sum(_microseconds(end) - _microseconds(start) for start, end in self.periods)

    def _bounds(self) -> tuple[list[int], list[int]]:
        starts: list[int] = []
        ends: list[int] = []
        day, last = date(self.first_year, 1, 1), date(self.last_year, 12, 31)
        while day <= last:
            if self.works(day):
                for start, end in self.periods:
                    starts.append(instant(datetime.combine(day, start, self.zone)))
                    ends.append(instant(datetime.combine(day, end, self.zone)))
            day += timedelta(days=1)
        return starts, ends

    def works(self, day: date) -> bool:
        """Say whether a day is a working day."""
        decided = self.days.get(day)
        return official(day) if decided is None else decided

    def worked(self, since: int, until: int) -> int:
        """Return the working time between two instants, in microseconds."""
        return self._worked_before(until) - self._worked_before(since)

    def advance(self, since: int, amount: int) -> int:
        """Return when `amount` microseconds of working time after `since` are over; `since` itself for 0.

        Time that is up at the end of a period is up then, not when the next one begins.

        Raises
        ------
        CalendarRangeError
            Where that lies beyond the calendar.

        """
        if amount <= 0:
            return since
        target = self._worked_before(since) + amount
        index = bisect_left(self._after, target)
        if index == len(self._after):
            raise CalendarRangeError(self.first_year, self.last_year)
        return self._starts[index] + target - self._before[index]

    def _worked_before(self, when: int) -> int:
        index = bisect_right(self._starts, when) - 1
        if index < 0:
            raise CalendarRangeError(self.first_year, self.last_year)
        return self._before[index] + min(when, self._ends[index]) - self._starts[index]


def _check_periods(periods: Sequence[tuple[time, time]]) -> None:
    edges = [edge for period in periods for edge in period]
    if not edges or any(a >= b for a, b in itertools.pairwise(edges)):
        raise BadFieldError(
            "periods",
            Text("工作时段须依次排列、互不重叠", "working periods follow one another without overlap."),
        )


def _microseconds(of_day: time) -> int:
    return (of_day.hour * 3600 + of_day.minute * 60 + of_day.second) * SECOND + of_day.microsecond


@lru_cache(maxsize=8)
def default_calendar() -> Calendar:
    """Return the calendar of a city that has decided nothing of its own."""
    return Calendar()
