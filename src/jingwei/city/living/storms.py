"""The planted storms of a running city: every third day one comes in the late afternoon.

Where and how hard it falls follows from the seed; that it comes is certain, so that one can wait for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from jingwei.city.demo import clock
from jingwei.city.demo.settings import SCALES, Settings

if TYPE_CHECKING:
    from jingwei.city.demo.arrays import Floats
    from jingwei.city.demo.latent import Events

EVERY_DAYS = 3
EARLIEST_HOUR, LATEST_HOUR = 16.0, 18.0
HOURS = 2.5
"""How long one lasts."""
LEAST_RADIUS = 900.0
"""Metres."""
LEAD = timedelta(minutes=10)
"""How long before it the city is shown still dry."""
FIRST_SERIAL = 9_000_000_000
"""From which on the events of planted storms are numbered, by day: beyond those of the list."""
_ID = re.compile(r"demo_([a-z]+)_(\d{1,10})")


def settings_of_city(city: str) -> Settings | None:
    """Return the settings of a demo city by its identifier, as `demo_s_1`; None where it tells none."""
    found = _ID.fullmatch(city)
    scales = {key.lower(): scale for key, scale in SCALES.items()}
    if found is None or found[1] not in scales:
        return None
    return Settings(scales[found[1]], int(found[2]))


@dataclass(frozen=True, slots=True)
class Storm:
    """A planted storm: the steps between which it falls."""

    day: int
    start: int
    end: int

    @property
    def begins(self) -> datetime:
        """The instant at which it begins."""
        return clock.moment_of(self.start)

    @property
    def over(self) -> datetime:
        """The instant at which it is over."""
        return clock.moment_of(self.end)


def storm_of(settings: Settings, day: int) -> Storm | None:
    """Return the planted storm of a local day (counted from 1970-01-01), if it has one."""
    if day % EVERY_DAYS:
        return None
    hour = settings.on_day("planted-storm", day).uniform(EARLIEST_HOUR, LATEST_HOUR)
    start = day * clock.STEPS_PER_DAY - clock.ZONE_STEPS + round(hour * clock.STEPS_PER_HOUR)
    return Storm(day, start, start + round(HOURS * clock.STEPS_PER_HOUR))


def storms_between(settings: Settings, start: int, end: int) -> list[Storm]:
    """Return the planted storms that are under way at some time in the steps from `start` to `end`."""
    first, last = int(clock.local_day(start)) - 1, int(clock.local_day(end))
    found = (storm_of(settings, day) for day in range(first, last + 1))
    return [one for one in found if one is not None and one.end > start and one.start < end]


def next_storm(settings: Settings, after: datetime) -> datetime:
    """Return the instant shortly before the first storm of which that instant is yet to come."""
    step = int(after.timestamp()) // (60 * clock.MINUTES)
    ahead = storms_between(settings, step, step + (2 * EVERY_DAYS + 1) * clock.STEPS_PER_DAY)
    return next(one.begins - LEAD for one in ahead if one.begins - LEAD > after)


def planted_events(settings: Settings, extent: float, lowest: Floats, start: int, end: int) -> Events:
    """Return the planted storms between two steps as latent events.

    Each has its middle at one of the `lowest` places (x and y in metres, shape (places, 2)) and floods
    some; `extent` is that of the city in metres.
    """
    from jingwei.city.demo.latent import Events  # with it comes all that builds a city

    storms = storms_between(settings, start, end)
    draws = [settings.on_day("planted-storm-place", one.day).uniform(size=3) for one in storms]
    drawn = np.array(draws, dtype=float).reshape(-1, 3)
    middle = lowest[(drawn[:, 0] * len(lowest)).astype(np.int64)]
    return Events(
        serial=np.array([FIRST_SERIAL + one.day for one in storms], dtype=np.int64),
        kind=np.array(["storm"] * len(storms), dtype=object),
        start=np.array([one.start for one in storms], dtype=np.int64),
        end=np.array([one.end for one in storms], dtype=np.int64),
        x=middle[:, 0],
        y=middle[:, 1],
        radius=np.maximum((0.14 + 0.08 * drawn[:, 1]) * extent, LEAST_RADIUS),
        strength=100.0 + 14.0 * drawn[:, 2],
    )
