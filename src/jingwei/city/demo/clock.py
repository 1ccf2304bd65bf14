"""Time in the demo city: steps of a quarter of an hour, days with the rhythm of work, weekend and holiday."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import chinese_calendar
import numpy as np

from jingwei.city.demo.arrays import Floats, Ints

MINUTES = 15
STEPS_PER_HOUR = 4
STEPS_PER_DAY = 96
ZONE_STEPS = 8 * STEPS_PER_HOUR  # the city's zone is UTC+8 without summer time
EPOCH = date(1970, 1, 1)

WORKDAY, WEEKEND, HOLIDAY = range(3)


def step_of(day: date) -> int:
    """Return the step at which a local day begins."""
    return (day - EPOCH).days * STEPS_PER_DAY - ZONE_STEPS


def moment_of(step: int) -> datetime:
    """Return the moment (UTC) at which a step begins."""
    return datetime.fromtimestamp(step * MINUTES * 60, UTC)


def local_day(step: Ints | int) -> Ints:
    """Return the local day of steps, counted from 1970-01-01."""
    return np.asarray((np.asarray(step) + ZONE_STEPS) // STEPS_PER_DAY)


@lru_cache(maxsize=4096)
def kind_of_day(day: int) -> int:
    """Return whether a day (counted from 1970-01-01) is a workday, a weekend day or a public holiday.

    Holidays and the weekend days worked in exchange are those that the State Council announced; where none
    has been announced yet, Saturdays and Sundays are free and nothing else.
    """
    when = EPOCH + timedelta(days=int(day))
    try:
        free, name = chinese_calendar.get_holiday_detail(when)
    except NotImplementedError:
        return WEEKEND if when.weekday() >= 5 else WORKDAY
    if not free:
        return WORKDAY
    return HOLIDAY if name else WEEKEND


@dataclass(frozen=True, slots=True)
class Span:
    """A run of steps, and what the calendar says of each.

    Attributes
    ----------
    start, count
        First step and number of steps.
    day
        Local day of each step.
    hour
        Local hour of the middle of each step, 0 to 24.
    kind
        `WORKDAY`, `WEEKEND` or `HOLIDAY`.
    weekday
        0 Monday to 6 Sunday.
    season
        Part of the year that has passed, 0 to 1.

    """

    start: int
    count: int
    day: Ints
    hour: Floats
    kind: Ints
    weekday: Ints
    season: Floats

    @property
    def steps(self) -> Ints:
        """The steps themselves."""
        return self.start + np.arange(self.count)


def span(start: int, count: int) -> Span:
    """Return the calendar of a run of steps."""
    steps = start + np.arange(count)
    day = local_day(steps)
    days = np.unique(day)
    kinds = np.array([kind_of_day(int(value)) for value in days])
    index = np.searchsorted(days, day)
    dates = [EPOCH + timedelta(days=int(value)) for value in days]
    season = np.array([(when - date(when.year, 1, 1)).days / 365.25 for when in dates])
    hour = ((steps + ZONE_STEPS) % STEPS_PER_DAY + 0.5) / STEPS_PER_HOUR
    return Span(start, count, day, hour, kinds[index], np.asarray((day + 3) % 7), season[index])
