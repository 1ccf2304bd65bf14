"""The latent list of events: what really happens in the city, from which everything observed follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from jingwei.city.demo.arrays import Floats, Ints, Texts
from jingwei.city.demo.clock import EPOCH, STEPS_PER_DAY, STEPS_PER_HOUR, step_of
from jingwei.city.demo.land import Use
from jingwei.city.demo.layout import Layout
from jingwei.city.demo.lines import Line

KINDS = (
    "rain",
    "storm",
    "typhoon",
    "cold-wave",
    "heat-wave",
    "haze",
    "flu",
    "burst-main",
    "fire",
    "concert",
    "collision",
    "construction",
)
KIND_NAMES = {
    "rain": "降雨",
    "storm": "暴雨",
    "typhoon": "台风",
    "cold-wave": "寒潮",
    "heat-wave": "高温",
    "haze": "污染天气",
    "flu": "流感流行",
    "burst-main": "水管爆裂",
    "fire": "火灾",
    "concert": "演出",
    "collision": "交通事故",
    "construction": "施工",
}
LONGEST_MONTHS = 5

# Mean number in each month of the year. Weather: the monsoon climate south of the lower Yangtze, where the
# plum rains fall in June, storms from May to September and cold waves from November to March.
_PER_MONTH = {
    "rain": (6.0, 7.0, 9.0, 9.0, 8.5, 9.5, 5.0, 5.5, 5.0, 4.0, 4.5, 4.5),
    "storm": (0.0, 0.1, 0.3, 0.6, 1.2, 2.6, 2.0, 1.9, 1.1, 0.4, 0.1, 0.0),
    "typhoon": (0, 0, 0, 0, 0, 0.05, 0.2, 0.25, 0.15, 0.02, 0, 0),
    "cold-wave": (0.8, 0.6, 0.4, 0.1, 0, 0, 0, 0, 0, 0.2, 0.6, 0.8),
    "heat-wave": (0, 0, 0, 0, 0.1, 0.3, 0.9, 0.8, 0.2, 0, 0, 0),
    "haze": (1.6, 1.1, 0.7, 0.4, 0.3, 0.2, 0.1, 0.1, 0.3, 0.7, 1.1, 1.6),
    "flu": (0.0, 0.0, 0.35, 0.0, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0),
}
_TOWN_PER_MONTH = {"burst-main": 0.9, "fire": 0.9, "concert": 0.6, "collision": 9.0, "construction": 0.9}


@dataclass(frozen=True, slots=True)
class Events:
    """Latent events.

    Attributes
    ----------
    serial
        Number that no other event of the city has.
    kind
        One of `KINDS`.
    start, end
        Steps; an event has happened before its end.
    x, y
        Its middle, metres.
    radius
        Reach in metres; infinite where the whole city is concerned.
    strength
        By kind: mm/h at the peak (rain, storm, typhoon), degrees (cold and heat wave), otherwise a factor.

    """

    serial: Ints
    kind: Texts
    start: Ints
    end: Ints
    x: Floats
    y: Floats
    radius: Floats
    strength: Floats

    def __len__(self) -> int:
        return len(self.serial)

    def take(self, which: Ints) -> Events:
        """Return some of the events, in the order given."""
        return Events(*(getattr(self, name)[which] for name in self.__slots__))

    def joined(self, others: Events) -> Events:
        """Return these events and others."""
        return Events(
            *(np.concatenate([getattr(self, name), getattr(others, name)]) for name in self.__slots__)
        )

    def of(self, *kinds: str) -> Events:
        """Return the events of some kinds."""
        return self.take(np.flatnonzero(np.isin(self.kind.astype(str), kinds)))


def month_number(day: int) -> int:
    """Return the month of a day (counted from 1970-01-01), counted from January 1970."""
    when = date.fromordinal(EPOCH.toordinal() + day)
    return (when.year - 1970) * 12 + when.month - 1


def events_between(layout: Layout, start: int, end: int) -> Events:
    """Return all events that are under way at some time in the steps from `start` to `end`, by start.

    Each month's events are drawn from a stream of their own, so that the list is the same however it is asked
    for, and can be asked for as far into the future as one likes.
    """
    first = month_number((start + 32) // STEPS_PER_DAY) - LONGEST_MONTHS
    last = month_number((end + 32) // STEPS_PER_DAY)
    drawn = [_month(layout, month) for month in range(first, last + 1)]
    joined = Events(*(np.concatenate([getattr(part, name) for part in drawn]) for name in Events.__slots__))
    under_way = np.flatnonzero((joined.end > start) & (joined.start < end))
    chosen = joined.take(under_way)
    return chosen.take(np.lexsort((chosen.serial, chosen.start)))


def _month(layout: Layout, month: int) -> Events:
    random = layout.settings.on_day("latent", month)
    year, index = 1970 + month // 12, month % 12
    begin = step_of(date(year, index + 1, 1))
    days = (date(year + (index == 11), (index + 1) % 12 + 1, 1) - date(year, index + 1, 1)).days
    towns = (layout.settings.scale.population / 50_000.0) ** 0.65
    rows: list[tuple[str, int, int, float, float, float, float]] = []
    for kind in KINDS:
        mean = _PER_MONTH[kind][index] if kind in _PER_MONTH else _TOWN_PER_MONTH[kind] * towns
        number = int(random.poisson(mean))
        rows.extend((kind, *_draw(layout, random, kind, begin, days)) for _ in range(number))
    return Events(
        serial=month * 10_000 + np.arange(len(rows), dtype=np.int64),
        kind=np.array([row[0] for row in rows], dtype=object),
        start=np.array([row[1] for row in rows], dtype=np.int64),
        end=np.array([row[2] for row in rows], dtype=np.int64),
        x=np.array([row[3] for row in rows]),
        y=np.array([row[4] for row in rows]),
        radius=np.array([row[5] for row in rows]),
        strength=np.array([row[6] for row in rows]),
    )


def _draw(
    layout: Layout, random: np.random.Generator, kind: str, begin: int, days: int
) -> tuple[int, int, float, float, float, float]:
    """Draw one event of a kind within a month: start, end, x, y, radius, strength."""
    extent = layout.plan.extent
    anywhere = random.uniform(-0.32, 0.32, 2) * extent
    day = begin + int(random.integers(days)) * STEPS_PER_DAY
    minute = int(random.integers(STEPS_PER_DAY))
    whole = float("inf")

    def hours(low: float, high: float) -> int:
        return max(2, round(float(random.uniform(low, high)) * STEPS_PER_HOUR))

    if kind == "rain":
        start = day + minute
        return start, start + hours(3, 26), 0.0, 0.0, whole, float(random.gamma(1.6, 0.9)) + 0.2
    if kind == "storm":
        start = day + int(np.clip(random.normal(15.5, 4.5), 1, 22) * STEPS_PER_HOUR)
        x, y = anywhere
        return (
            start,
            start + hours(1.5, 4.5),
            x,
            y,
            float(random.uniform(0.14, 0.34)) * extent,
            float(random.uniform(28, 75)),
        )
    if kind == "typhoon":
        return (
            day + minute,
            day + minute + hours(18, 34),
            0.0,
            0.0,
            1.5 * extent,
            float(random.uniform(9, 22)),
        )
    if kind in {"cold-wave", "heat-wave"}:
        return (
            day,
            day + hours(60, 130),
            0.0,
            0.0,
            whole,
            float(random.uniform(6.5, 12.5) if kind == "cold-wave" else random.uniform(3, 5.5)),
        )
    if kind == "haze":
        return day, day + hours(36, 100), 0.0, 0.0, whole, float(random.uniform(0.6, 1.5))
    if kind == "flu":
        return day, day + hours(55 * 24, 85 * 24), 0.0, 0.0, whole, float(random.uniform(0.7, 1.6))
    if kind == "collision":
        busy = (
            0.2,
            0.1,
            0.1,
            0.1,
            0.2,
            0.5,
            1.0,
            2.2,
            2.4,
            1.5,
            1.2,
            1.3,
            1.2,
            1.2,
            1.3,
            1.4,
            1.8,
            2.4,
            2.5,
            1.6,
            1.1,
            0.9,
            0.6,
            0.3,
        )
        share = np.array(busy) / sum(busy)
        start = day + int(random.choice(24, p=share)) * STEPS_PER_HOUR + int(random.integers(STEPS_PER_HOUR))
        x, y = _on_road(layout, random, Line.SECONDARY)
        return start, start + hours(0.5, 2.2), x, y, 420.0, float(random.uniform(0.3, 0.75))
    if kind == "burst-main":
        x, y = _on_road(layout, random, Line.BRANCH)
        return day + minute, day + minute + hours(4, 16), x, y, 380.0, float(random.uniform(0.6, 1.6))
    if kind == "fire":
        x, y = _at_building(layout, random)
        return day + minute, day + minute + hours(1, 4.5), x, y, 300.0, float(random.uniform(0.4, 1.4))
    if kind == "concert":
        start = day + round((19.0 + float(random.choice([0.0, 0.5]))) * STEPS_PER_HOUR)
        x, y = _at_use(layout, random, Use.PARK)
        return start, start + hours(2.0, 3.0), x, y, 650.0, float(random.uniform(0.5, 1.5))
    start = day + 7 * STEPS_PER_HOUR
    x, y = (
        _at_use(layout, random, Use.BUILDING_SITE)
        if random.random() < 0.7
        else _on_road(layout, random, Line.SECONDARY)
    )
    return start, start + hours(20 * 24, 120 * 24), x, y, 260.0, float(random.uniform(0.5, 1.3))


def _on_road(layout: Layout, random: np.random.Generator, least: Line) -> tuple[float, float]:
    roads = np.flatnonzero(
        (layout.roads.kinds >= least) & ~layout.roads.bridges & (layout.roads.kinds != Line.COUNTY)
    )
    length = layout.roads.length[roads]
    road = roads[int(np.searchsorted(np.cumsum(length), random.random() * length.sum()))]
    points = layout.roads.shapes[road].interpolate(float(random.uniform(0.2, 0.8)), normalized=True)
    return float(points.x), float(points.y)


def _at_building(layout: Layout, random: np.random.Generator) -> tuple[float, float]:
    building = int(random.integers(len(layout.buildings.x)))
    return float(layout.buildings.x[building]), float(layout.buildings.y[building])


def _at_use(layout: Layout, random: np.random.Generator, use: Use) -> tuple[float, float]:
    faces = np.flatnonzero(layout.land.use == use)
    if not len(faces):
        return _at_building(layout, random)
    middle = layout.fabric.faces[faces[int(random.integers(len(faces)))]].centroid
    return float(middle.x), float(middle.y)
