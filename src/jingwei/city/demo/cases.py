"""Cases: what citizens and grid staff report, when and where, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely

from jingwei.city.demo import clock
from jingwei.city.demo.arrays import Bools, Floats, Ints, Texts
from jingwei.city.demo.clock import HOLIDAY, STEPS_PER_DAY, STEPS_PER_HOUR
from jingwei.city.demo.components import Components
from jingwei.city.demo.drainage import Drains
from jingwei.city.demo.land import Use
from jingwei.city.demo.latent import Events, events_between
from jingwei.city.demo.layout import Layout
from jingwei.city.demo.lines import Line
from jingwei.city.demo.matters import (
    CATEGORIES,
    CHANNELS,
    CLOSINGS,
    COLLECTED,
    COLLECTOR_OPENINGS,
    ECHOES,
    HOURS,
    INDEX,
    MATTERS,
    NATURES,
    OPENINGS,
    WEEKDAYS,
)

COLLECTOR = "采集员上报"
LONGEST_ECHO_DAYS = 130
REOPENED = 0.038  # assumption, as are the ratings: the calibration set tells neither


@dataclass(frozen=True, slots=True)
class Cases:
    """Cases by the time of their report.

    Attributes
    ----------
    second
        Seconds since 1970-01-01 UTC.
    matter
        Index into `MATTERS`.
    x, y
        Place, metres.
    face
        Unit grid.
    building, road, component
        What the place is at, -1 for none.
    channel, nature
        How it came and what it asks.
    text
        What was said.
    cause
        The latent event behind it, -1 for everyday cases.
    accept, dispatch, handle, check
        Minutes from the report to each stage's end.
    overdue
        True where handling took longer than its limit.
    reopened
        Times that it came back after the check.
    rating
        1 (very satisfied) to 5.

    """

    second: Ints
    matter: Ints
    x: Floats
    y: Floats
    face: Ints
    building: Ints
    road: Ints
    component: Ints
    channel: Texts
    nature: Texts
    text: Texts
    cause: Ints
    accept: Ints
    dispatch: Ints
    handle: Ints
    check: Ints
    overdue: Bools
    reopened: Ints
    rating: Ints

    def __len__(self) -> int:
        return len(self.second)

    def take(self, which: Ints) -> Cases:
        """Return some of the cases, in the order given."""
        return Cases(*(getattr(self, name)[which] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class _Sites:
    """Places of one kind, with how often each is reported."""

    x: Floats
    y: Floats
    share: Floats
    building: Ints
    component: Ints
    spread: float

    def draw(self, random: np.random.Generator, count: int) -> tuple[Floats, Floats, Ints, Ints]:
        """Draw places, a little off their point."""
        chosen = np.minimum(np.searchsorted(self.share, random.random(count)), len(self.share) - 1)
        off = random.normal(0.0, self.spread, (2, count)) if self.spread else np.zeros((2, count))
        return self.x[chosen] + off[0], self.y[chosen] + off[1], self.building[chosen], self.component[chosen]


class Desk:
    """The desk where cases arrive: knows the city's places, and lists the cases of any span of time.

    The cases of a day, and those of an event, are drawn from streams of their own; the list is the same
    however the time is cut.
    """

    def __init__(self, layout: Layout, drains: Drains, components: Components) -> None:
        self.layout, self.drains, self.components = layout, drains, components
        self._roads = shapely.STRtree(layout.roads.shapes)
        self._faces = shapely.STRtree(layout.fabric.faces)
        share = np.array([CATEGORIES[matter.category][0] * matter.weight for matter in MATTERS])
        self._share = share / share.sum()
        self._overdue = np.array([CATEGORIES[matter.category][1] for matter in MATTERS])
        self._limit = np.array([matter.limit for matter in MATTERS])
        self._everyday = 0.93 * layout.settings.scale.cases / layout.settings.scale.days

    def between(self, start: int, end: int, planted: Callable[[int, int], Events] | None = None) -> Cases:
        """Return the cases reported in the steps from `start` to `end`, by time.

        `planted` tells of events that happen besides those of the list.
        """
        days = [
            self._of_day(day) for day in range(int(clock.local_day(start)), int(clock.local_day(end - 1)) + 1)
        ]
        since = start - LONGEST_ECHO_DAYS * STEPS_PER_DAY
        events = events_between(self.layout, since, end)
        if planted is not None:
            events = events.joined(planted(since, end))
        echoes = [
            self._of_event(events, index) for index in range(len(events)) if events.kind[index] in ECHOES
        ]
        joined = _join([part for part in [*days, *echoes] if len(part)])
        seconds = 60 * clock.MINUTES
        inside = np.flatnonzero((joined.second >= start * seconds) & (joined.second < end * seconds))
        return joined.take(
            inside[np.lexsort((joined.cause[inside], joined.matter[inside], joined.second[inside]))]
        )

    @cached_property
    def _sites(self) -> dict[str, _Sites]:
        layout, random = self.layout, self.layout.settings.draws("case-sites")
        buildings, land = layout.buildings, layout.land
        communities = len(layout.divisions.communities.codes)
        temper = random.lognormal(0.0, 0.65, communities)
        of_building = temper[layout.divisions.community[buildings.face]]
        uses = {
            "home": buildings.homes.astype(float),
            "shop": np.isin(buildings.use, (Use.COMMERCE, Use.OLD_HOUSING)) * np.sqrt(buildings.floor_area),
            "works": np.isin(buildings.use, (Use.INDUSTRY, Use.STORAGE)) * np.sqrt(buildings.floor_area),
        }
        sites = {
            name: _sites(
                buildings.x,
                buildings.y,
                weight * of_building,
                building=np.arange(len(buildings.x)),
                spread=6.0,
            )
            for name, weight in uses.items()
        }
        middle = shapely.get_coordinates(shapely.point_on_surface(layout.fabric.faces))
        of_face = temper[layout.divisions.community]
        for name, use in (("site", Use.BUILDING_SITE), ("park", Use.PARK), ("bank", Use.BANK)):
            sites[name] = _sites(middle[:, 0], middle[:, 1], (land.use == use) * of_face, spread=22.0)
        sites["street"] = self._street_sites(random, of_face)
        of_component = temper[layout.divisions.community[self.components.face]]
        worn = np.where(self.components.state == "完好", 1.0, 12.0) * of_component
        for code in sorted({matter.place for matter in MATTERS if matter.place.isdigit()}):
            mine = np.flatnonzero(self.components.code == code)
            chosen = mine if len(mine) else np.arange(len(self.components.code))
            sites[code] = _sites(
                self.components.x[chosen],
                self.components.y[chosen],
                worn[chosen],
                component=chosen,
                spread=0.0,
            )
        return sites

    def _street_sites(self, random: np.random.Generator, of_face: Floats) -> _Sites:
        """Return points along the kerbs of streets, busier ones more often."""
        roads = self.layout.roads
        count = 40 * len(roads.shapes)
        weight = roads.length * np.where(roads.kinds == Line.COUNTY, 0.15, 1.0) * ~roads.bridges
        road = np.searchsorted(np.cumsum(weight) / weight.sum(), random.random(count))
        points = shapely.get_coordinates(
            shapely.line_interpolate_point(roads.shapes[road], random.random(count), normalized=True)
        )
        face = self._faces.nearest(shapely.points(points))
        busy = of_face[face] * (0.25 + self.layout.land.centrality[face])
        return _sites(points[:, 0], points[:, 1], busy, spread=7.0)

    def _of_day(self, day: int) -> Cases:
        random = self.layout.settings.on_day("cases", day)
        weekday = (day + 3) % 7
        mean = self._everyday * 7.0 * WEEKDAYS[weekday] * (0.62 if clock.kind_of_day(day) == HOLIDAY else 1.0)
        mean *= 1.0 + 0.10 * np.sin(2.0 * np.pi * ((day % 365.25) / 365.25 - 0.35))
        count = int(random.poisson(mean))
        matter = np.searchsorted(np.cumsum(self._share), random.random(count))
        hours = np.array(HOURS)
        hour = np.searchsorted(np.cumsum(hours / hours.sum()), random.random(count))
        second = (
            (day * 24 + hour) * 3600 - clock.ZONE_STEPS * 60 * clock.MINUTES + random.integers(0, 3600, count)
        )
        return self._filled(random, second, np.minimum(matter, len(MATTERS) - 1), -1, None)

    def _of_event(self, events: Events, index: int) -> Cases:
        """Return the cases that one event gives rise to, each some time after it."""
        kind, serial = events.kind[index], int(events.serial[index])
        random = self.layout.settings.on_day("echo", serial)
        mean, delay, shape, around, matters = ECHOES[kind]
        thousand = self.layout.settings.scale.population / 50_000.0
        size = thousand if not around else max(thousand, 0.15) ** 0.25
        count = int(random.poisson(mean * events.strength[index] * size))
        share = np.array([part for _, part in matters])
        picked = random.choice(len(matters), count, p=share / share.sum())
        matter = np.array([INDEX[name] for name, _ in matters])[picked]
        length = int(events.end[index] - events.start[index])
        begin = float(events.start[index]) + (0.35 if kind in {"storm", "typhoon"} else 0.0) * length
        hours = random.gamma(shape, delay / shape, count)
        if kind == "construction":
            hours = random.uniform(0.0, length / STEPS_PER_HOUR, count)
        second = np.rint((begin / STEPS_PER_HOUR + hours) * 3600.0).astype(np.int64)
        return self._filled(random, second, matter, serial, self._around(random, events, index, count))

    def _around(
        self, random: np.random.Generator, events: Events, index: int, count: int
    ) -> tuple[Floats, Floats] | None:
        """Return places near an event; for storms, where water gathers below the heaviest rain."""
        around = ECHOES[events.kind[index]][3]
        if around:
            off = random.normal(0.0, around / 1.5, (2, count))
            return events.x[index] + off[0], events.y[index] + off[1]
        if events.kind[index] != "storm":
            return None
        drains, reach = self.drains, events.radius[index]
        foot = np.exp(-0.5 * (np.hypot(drains.x - events.x[index], drains.y - events.y[index]) / reach) ** 2)
        low = 1.0 / (1.0 + np.exp((drains.ground - np.median(drains.ground)) / 1.5))
        weight = foot**2 * (0.1 + low)
        node = np.searchsorted(np.cumsum(weight) / weight.sum(), random.random(count))
        off = random.normal(0.0, 35.0, (2, count))
        return drains.x[np.minimum(node, len(weight) - 1)] + off[0], drains.y[
            np.minimum(node, len(weight) - 1)
        ] + off[1]

    def _filled(
        self,
        random: np.random.Generator,
        second: Ints,
        matter: Ints,
        cause: int,
        places: tuple[Floats, Floats] | None,
    ) -> Cases:
        """Fill in where, how and with what result."""
        count = len(second)
        x, y = np.zeros(count), np.zeros(count)
        building, component = np.full(count, -1), np.full(count, -1)
        kinds = np.array([item.place for item in MATTERS])[matter]
        for kind in sorted(set(kinds.tolist())):
            which = np.flatnonzero(kinds == kind)
            x[which], y[which], building[which], component[which] = self._sites[kind].draw(random, len(which))
        if places is not None:
            x, y = places
            building, component = np.full(count, -1), np.full(count, -1)
        points = shapely.points(x, y)
        face, road = self._faces.nearest(points), self._roads.nearest(points)
        collected = random.random(count) < (COLLECTED if cause < 0 else 0.15)
        collected &= ~np.isin(matter, _NEVER_COLLECTED)
        channels = np.array(list(CHANNELS), dtype=object)
        channel = np.where(
            collected, COLLECTOR, channels[random.choice(len(channels), count, p=list(CHANNELS.values()))]
        )
        natures = np.array(list(NATURES), dtype=object)
        nature = np.where(
            collected, "上报", natures[random.choice(len(natures), count, p=list(NATURES.values()))]
        )
        accept = np.rint(random.gamma(2.0, np.where(collected, 2.5, 9.0), count)).astype(np.int64) + 1
        dispatch = accept + np.rint(random.gamma(2.0, 12.0, count)).astype(np.int64) + 2
        late = random.random(count) < self._overdue[matter]
        share = np.where(late, 1.0 + random.exponential(0.6, count), _in_time(random, count))
        handle = dispatch + np.maximum(5, np.rint(self._limit[matter] * 60.0 * share)).astype(np.int64)
        return Cases(
            second=second.astype(np.int64),
            matter=np.asarray(matter, dtype=np.int64),
            x=np.round(x, 2),
            y=np.round(y, 2),
            face=np.asarray(face, dtype=np.int64),
            building=np.asarray(building, dtype=np.int64),
            road=np.asarray(road, dtype=np.int64),
            component=np.asarray(component, dtype=np.int64),
            channel=channel,
            nature=nature,
            text=self._told(random, matter, building, road, face, collected),
            cause=np.full(count, cause, dtype=np.int64),
            accept=accept,
            dispatch=dispatch,
            handle=handle,
            check=handle + np.rint(random.gamma(2.0, 300.0, count)).astype(np.int64) + 10,
            overdue=handle - dispatch > self._limit[matter] * 60.0,
            reopened=(random.random(count) < REOPENED).astype(np.int64)
            + (random.random(count) < REOPENED / 9.0),
            rating=1 + random.choice(5, count, p=[0.52, 0.29, 0.11, 0.05, 0.03]),
        )

    def _told(
        self,
        random: np.random.Generator,
        matter: Ints,
        building: Ints,
        road: Ints,
        face: Ints,
        collected: Bools,
    ) -> Texts:
        """Tell each case in words: an opening, a sentence of its kind, a closing."""
        addresses, divisions = self.layout.addresses, self.layout.divisions
        picks = random.integers(0, 1_000_000, (len(matter), 3)).tolist()
        compound = np.where(building >= 0, addresses.compound[building], "")
        name = np.where(compound == "", divisions.communities.names[divisions.community[face]], compound)
        street = addresses.road_names[road]
        texts = np.empty(len(matter), dtype=object)
        for index, (one, two, three) in enumerate(picks):
            openings = COLLECTOR_OPENINGS if collected[index] else OPENINGS
            tellings = MATTERS[matter[index]].tellings
            sentence = tellings[one % len(tellings)].format(road=street[index], place=name[index])
            closing = "。" if collected[index] else CLOSINGS[three % len(CLOSINGS)]
            texts[index] = openings[two % len(openings)] + sentence + closing
        return texts


_NEVER_COLLECTED = np.array(
    [number for number, matter in enumerate(MATTERS) if matter.code.startswith("100") and matter.limit >= 48]
)


def _in_time(random: np.random.Generator, count: int) -> Floats:
    """Return the share of the limit that handling in time takes."""
    return np.asarray(np.minimum(np.exp(random.normal(-1.0, 0.55, count)), 0.985))


def _sites(
    x: Floats,
    y: Floats,
    weight: Floats,
    *,
    building: Ints | None = None,
    component: Ints | None = None,
    spread: float = 0.0,
) -> _Sites:
    used = np.flatnonzero(np.asarray(weight) > 0.0)
    used = used if len(used) else np.arange(len(x))
    chosen = np.asarray(weight, dtype=float)[used]
    chosen = chosen if chosen.any() else np.ones(len(used))
    none = np.full(len(x), -1, dtype=np.int64)
    return _Sites(
        x[used],
        y[used],
        np.cumsum(chosen) / chosen.sum(),
        (none if building is None else building)[used],
        (none if component is None else component)[used],
        spread,
    )


def _join(parts: list[Cases]) -> Cases:
    return Cases(*(np.concatenate([getattr(part, name) for part in parts]) for name in Cases.__slots__))
