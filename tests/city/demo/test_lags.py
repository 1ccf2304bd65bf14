"""A storm leads rain, then levels, then traffic, then cases: in that order and that place, on eight seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from jingwei.city.demo import Town, build_town, settings_of
from jingwei.city.demo.clock import MINUTES, span
from jingwei.city.demo.latent import Events, events_between
from jingwei.city.demo.matters import INDEX
from jingwei.city.demo.process import Readings, advance, open_process

QUARTER = 60 * MINUTES


@dataclass(frozen=True)
class Year:
    """A year of a city, seen from the drain where most water stands on the street."""

    town: Town
    readings: Readings
    storms: Events
    drain: int

    @property
    def start(self) -> int:
        return int(self.readings.steps[0])

    @property
    def stormy(self) -> np.ndarray:
        """The steps from two hours before a storm to twelve after its start."""
        chosen = np.zeros(len(self.readings.steps), dtype=bool)
        for begin in self.storms.start - self.start:
            chosen[max(0, begin - 8) : begin + 48] = True
        return chosen

    def by_distance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return devices from the nearest to the drain to the farthest."""
        drains = self.town.devices.drain
        return np.argsort(np.hypot(x - drains.x[self.drain], y - drains.y[self.drain]), kind="stable")

    def slowed(self, road: int) -> np.ndarray:
        """Return how much slower than usual at that time of such a day a section is, km/h."""
        speed = self.readings.speed[:, road]
        calendar = span(self.start, len(speed))
        slot = np.floor(calendar.hour * 4).astype(int) + 96 * calendar.kind
        usual = np.zeros(slot.max() + 1)
        for key in np.unique(slot):
            usual[key] = np.median(speed[(slot == key) & ~self.stormy])
        return np.asarray(usual[slot] - speed)

    def told(self) -> np.ndarray:
        """Return the reports of standing water in each step."""
        cases = self.town.desk.between(self.start, self.start + len(self.readings.steps))
        at = cases.second[cases.matter == INDEX["道路积水"]] // QUARTER - self.start
        return np.bincount(at, minlength=len(self.readings.steps)).astype(float)


@pytest.fixture(scope="module", params=range(3, 11), ids=lambda seed: f"seed-{seed}")
def year(request: pytest.FixtureRequest) -> Year:
    settings = settings_of("S", request.param)
    town = build_town(replace(settings, scale=replace(settings.scale, days=365, cases=7_000)))
    world = town.world
    _, readings = advance(world, open_process(world), world.last_step - world.first_step)
    events = events_between(town.layout, world.first_step, world.last_step).of("storm", "typhoon")
    inside = events.take(np.flatnonzero(events.start >= world.first_step))
    return Year(town, readings, inside, int(readings.ponding.sum(axis=0).argmax()))


def best_lag(cause: np.ndarray, effect: np.ndarray, chosen: np.ndarray, longest: int = 40) -> int:
    """Return the lag (steps) at which effect correlates best with cause, over the chosen steps."""
    cause, effect = cause - cause[chosen].mean(), effect - effect[chosen].mean()
    products = [
        (cause[: len(cause) - lag] * effect[lag:])[chosen[: len(cause) - lag]].mean()
        for lag in range(longest)
    ]
    return int(np.argmax(products))


def test_each_stage_follows_the_one_before(year: Year) -> None:
    devices, readings = year.town.devices, year.readings
    gauge = year.by_distance(devices.rain.x, devices.rain.y)[0]
    road = year.by_distance(devices.traffic.x, devices.traffic.y)[0]
    storm = np.zeros(len(readings.steps))
    storm[year.storms.start - year.start] = 1.0
    rain = readings.rain[:, gauge]
    assert best_lag(storm, rain, year.stormy) > 0
    level, traffic, reports = (
        best_lag(rain, effect, year.stormy)
        for effect in (readings.drain[:, year.drain], year.slowed(road), year.told())
    )
    assert 0 < level < traffic < reports < 24


def test_each_stage_is_felt_where_the_one_before_is(year: Year) -> None:
    devices, readings = year.town.devices, year.readings
    gauges = year.by_distance(devices.rain.x, devices.rain.y)
    roads = year.by_distance(devices.traffic.x, devices.traffic.y)
    level = np.roll(readings.drain[:, year.drain], -2)[year.stormy]
    near, far = (
        np.corrcoef(readings.rain[year.stormy, gauge], level)[0, 1] for gauge in (gauges[0], gauges[-1])
    )
    assert near > far
    flooded = readings.ponding[:, year.drain] > 0.0
    beside, away = (
        year.slowed(road)[flooded].mean() / readings.speed[:, road].mean() for road in (roads[0], roads[-1])
    )
    assert beside > 0.15
    assert beside > 2.0 * away
