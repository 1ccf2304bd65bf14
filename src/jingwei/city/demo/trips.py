"""Taxi trips: who is driven from where to where, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from jingwei.city.demo import clock
from jingwei.city.demo.arrays import Floats, Ints, totals
from jingwei.city.demo.clock import HOLIDAY, STEPS_PER_DAY, WEEKEND
from jingwei.city.demo.gravity import deterrence, draw_ends, draw_within, flows, zones_of
from jingwei.city.demo.land import Use
from jingwei.city.demo.layout import Layout
from jingwei.city.demo.lines import Line

PER_THOUSAND = 30.0  # trips a day for a thousand residents: assumption
DETOUR = 1.32  # way driven over the straight line: assumption
WALKED = 600.0  # metres at which two in three no longer walk: assumption
# Share of the day's trips in each hour, in thousandths: 10,619 taxi trips in Shenzhen (taxi_trips.csv).
HOURS = (
    59, 28, 21, 15, 11, 10, 19, 33, 51, 47, 54, 48,
    46, 47, 57, 57, 47, 49, 41, 53, 57, 56, 58, 36,
)  # fmt: skip
# Mean speed in each third of the day (km/h, stops included): assumption.
_SPEEDS = np.interp(np.arange(24), [0, 5, 8, 10, 17, 19, 23], [36, 40, 21, 25, 20, 23, 33])
_DRAW = {  # how strongly a square metre of floor draws passengers: assumption
    Use.COMMERCE: 5.0,
    Use.OFFICES: 3.0,
    Use.HOSPITAL: 5.0,
    Use.STATION: 25.0,
    Use.GOVERNMENT: 3.0,
    Use.SCHOOL: 1.0,
    Use.INDUSTRY: 0.5,
    Use.STORAGE: 0.2,
}


@dataclass(frozen=True, slots=True)
class Trips:
    """Taxi trips by the time of their start.

    Attributes
    ----------
    start, end
        Seconds since 1970-01-01 UTC.
    x, y, to_x, to_y
        Where the passenger got on and off, metres; both at a kerb.
    driven
        Metres on the meter.

    """

    start: Ints
    end: Ints
    x: Floats
    y: Floats
    to_x: Floats
    to_y: Floats
    driven: Floats

    def __len__(self) -> int:
        return len(self.start)

    @property
    def straight(self) -> Floats:
        """Metres between start and end as the crow flies."""
        return np.asarray(np.hypot(self.to_x - self.x, self.to_y - self.y))


class Taxis:
    """The taxis. The trips of a day are drawn from a stream of their own, whenever they are asked for."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        buildings, roads = layout.buildings, layout.roads
        self._zones = zones_of(layout)
        pull = np.array([_DRAW.get(Use(use), 0.35) for use in range(len(Use))])[buildings.use]
        self._weight = pull * buildings.floor_area
        drawn = totals(self._zones.of_building, self._weight, len(self._zones.distance))
        self._share = np.cumsum(drawn) / drawn.sum()
        self._flow = flows(drawn, drawn, deterrence(self._zones.distance))
        stops = np.flatnonzero(roads.kinds != Line.EXPRESSWAY)
        doors = shapely.points(buildings.x, buildings.y)
        self._street = roads.shapes[stops[shapely.STRtree(roads.shapes[stops]).nearest(doors)]]
        self._along = shapely.line_locate_point(self._street, doors)

    def on_day(self, day: int) -> Trips:
        """Return the trips that start on a local day, counted from 1970-01-01."""
        settings = self.layout.settings
        random = settings.on_day("taxi", day)
        rest = {WEEKEND: 1.12, HOLIDAY: 1.2}.get(clock.kind_of_day(day), 1.0)
        count = int(random.poisson(PER_THOUSAND * rest * settings.scale.population / 1000.0))
        hour = random.choice(24, count, p=np.array(HOURS) / sum(HOURS))
        second = np.sort(hour * 3600 + random.integers(0, 3600, count))
        x, y, to_x, to_y = self._ways(random, count)
        driven = np.hypot(to_x - x, to_y - y) * DETOUR * np.exp(random.normal(0.0, 0.1, count)) + 120.0
        speed = _SPEEDS[second // 3600] * np.exp(random.normal(0.0, 0.2, count)) / 3.6
        start = (day * STEPS_PER_DAY - clock.ZONE_STEPS) * clock.MINUTES * 60 + second
        end = start + np.rint(driven / speed).astype(np.int64) + 40
        return Trips(start, end, x, y, to_x, to_y, np.round(driven, -1))

    def _ways(self, random: np.random.Generator, count: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Draw where trips start and end; ways too short for a taxi are walked, and drawn again."""
        kept: list[Floats] = []
        missing = count
        while missing > 0:
            zone = np.searchsorted(self._share, random.random(2 * missing + 8))
            start = self._kerb(random, np.minimum(zone, len(self._share) - 1))
            end = self._kerb(random, draw_ends(random, self._flow, zone))
            away = np.hypot(*(end - start).T)
            ridden = random.random(len(away)) < 1.0 - np.exp(-((away / WALKED) ** 2))
            kept.append(np.column_stack([start, end])[ridden][:missing])
            missing -= len(kept[-1])
        x, y, to_x, to_y = np.round(np.concatenate([np.empty((0, 4)), *kept]), 1).T
        return x, y, to_x, to_y

    def _kerb(self, random: np.random.Generator, zone: Ints) -> Floats:
        """Return points at the kerb before buildings of zones, shape (n, 2)."""
        building = draw_within(random, zone, self._zones.of_building, self._weight)
        along = self._along[building] + random.normal(0.0, 25.0, len(building))
        points = shapely.line_interpolate_point(self._street[building], np.maximum(along, 0.0))
        return np.asarray(shapely.get_coordinates(points))


def join(parts: list[Trips]) -> Trips:
    """Return the trips of several days as one."""
    return Trips(*(np.concatenate([getattr(part, name) for part in parts]) for name in Trips.__slots__))
