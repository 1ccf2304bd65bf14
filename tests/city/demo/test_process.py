"""The city in motion: it moves as it is stepped, keeps its rhythms, and remembers the hour before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from jingwei.city.demo import Settings, Town, build_town, settings_of, tiny_town
from jingwei.city.demo.cases import Cases
from jingwei.city.demo.clock import HOLIDAY, WEEKEND, WORKDAY, kind_of_day, span
from jingwei.city.demo.latent import Events, events_between
from jingwei.city.demo.matters import CATEGORIES, MATTERS, WEEKDAYS
from jingwei.city.demo.process import Readings, advance, open_process, step

QUARTER = 900


@dataclass(frozen=True)
class Past:
    town: Town
    readings: Readings
    events: Events

    @property
    def start(self) -> int:
        return int(self.readings.steps[0])


@pytest.fixture(scope="module", params=[1, 2], ids=lambda seed: f"seed-{seed}")
def past(request: pytest.FixtureRequest) -> Past:
    town = build_town(settings_of("S", request.param))
    world = town.world
    _, readings = advance(world, open_process(world), world.last_step - world.first_step)
    return Past(town, readings, events_between(town.layout, world.first_step, world.last_step))


def in_storms(past: Past) -> np.ndarray:
    chosen = np.zeros(len(past.readings.steps), dtype=bool)
    storms = past.events.of("storm", "typhoon")
    for begin in storms.start - past.start:
        chosen[max(0, begin - 8) : begin + 48] = True
    return chosen


def usual(values: np.ndarray, past: Past, chosen: np.ndarray) -> np.ndarray:
    """Return the median of values at the same time of the same kind of day, outside the chosen steps."""
    calendar = span(past.start, len(values))
    slot = np.floor(calendar.hour * 4).astype(int) + 96 * calendar.kind
    medians = np.zeros(slot.max() + 1)
    for key in np.unique(slot):
        medians[key] = np.median(values[(slot == key) & ~chosen])
    return medians[slot]


def test_reports_of_standing_water_lie_under_the_storm(past: Past) -> None:
    storms = past.events.of("storm")
    cases = past.town.desk.between(past.start, past.start + len(past.readings.steps))
    inside = []
    for index, serial in enumerate(storms.serial):
        mine = cases.cause == serial
        away = np.hypot(cases.x[mine] - storms.x[index], cases.y[mine] - storms.y[index])
        inside.extend(away < 2.2 * storms.radius[index])
    assert np.mean(inside) > 0.9


def test_the_process_does_not_depend_on_how_time_is_cut() -> None:
    town = tiny_town(3)
    begin = open_process(town.world)
    _, whole = advance(town.world, begin, 200)
    state, parts = begin, []
    for minutes in (15, 15, 30, 1440, 600, 15 * (200 - 1 - 1 - 2 - 96 - 40)):
        state, part = step(town.world, state, minutes)
        parts.append(part)
    for name in Readings.__slots__:
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.allclose(joined, getattr(whole, name), rtol=0, atol=1e-9), name


def test_a_day_stepped_on_gives_the_rows_of_a_longer_generation() -> None:
    """What the running clock will see is what a history that ended a day later would have held."""
    town = tiny_town(3)
    world = town.world
    whole = world.last_step - world.first_step
    state, _ = advance(world, open_process(world), whole)
    assert state.step == world.last_step
    _, day = step(world, state, minutes=24 * 60)
    _, longer = advance(world, open_process(world), whole + 96)
    for name in Readings.__slots__:
        assert np.allclose(getattr(longer, name)[-96:], getattr(day, name), rtol=0, atol=1e-9), name
    of_day = town.desk.between(world.last_step, world.last_step + 96)
    of_all = town.desk.between(world.first_step, world.last_step + 96)
    late = of_all.take(np.flatnonzero(of_all.second >= world.last_step * QUARTER))
    assert len(of_day)
    for name in Cases.__slots__:
        assert getattr(of_day, name).tolist() == getattr(late, name).tolist(), name


def test_the_desk_does_not_depend_on_how_time_is_cut() -> None:
    town = tiny_town(3)
    first = town.world.first_step
    whole = town.desk.between(first, first + 96 * 6)
    parts = [town.desk.between(first + low, first + high) for low, high in ((0, 50), (50, 51), (51, 576))]
    assert whole.text.tolist() == [text for part in parts for text in part.text]
    assert whole.second.tolist() == [second for part in parts for second in part.second]


def test_it_moves_in_quarters_of_an_hour_only() -> None:
    town = tiny_town()
    with pytest.raises(ValueError, match="15 minutes"):
        step(town.world, open_process(town.world), 20)


def test_nothing_measured_is_negative_or_missing(past: Past) -> None:
    readings = past.readings
    for name in Readings.__slots__:
        assert np.isfinite(getattr(readings, name)).all(), name
    for name in (
        "rain",
        "drain",
        "ponding",
        "speed",
        "humidity",
        "wind",
        "air",
        "electricity",
        "water",
        "footfall",
    ):
        assert (getattr(readings, name) >= 0).all(), name
    assert (readings.humidity <= 100).all()


def test_days_have_the_rhythm_of_work_and_rest(past: Past) -> None:
    calendar = span(past.start, len(past.readings.steps))
    speed = past.readings.speed.mean(axis=1)
    rush = (calendar.hour > 7.5) & (calendar.hour < 8.5)
    night = (calendar.hour > 2) & (calendar.hour < 4)
    assert speed[rush & (calendar.kind == WORKDAY)].mean() < 0.85 * speed[night].mean()
    assert speed[rush & (calendar.kind != WORKDAY)].mean() > speed[rush & (calendar.kind == WORKDAY)].mean()
    power = past.readings.electricity.sum(axis=1)
    assert power[calendar.kind == HOLIDAY].mean() < power[calendar.kind == WORKDAY].mean()


def test_the_year_has_its_seasons(past: Past) -> None:
    calendar = span(past.start, len(past.readings.steps))
    winter, summer = calendar.season < 0.12, abs(calendar.season - 0.55) < 0.06
    temperature = past.readings.temperature.mean(axis=1)
    assert temperature[summer].mean() - temperature[winter].mean() > 15
    assert past.readings.air[winter, :, 0].mean() > 1.4 * past.readings.air[summer, :, 0].mean()
    assert past.readings.air[summer, :, 4].mean() > past.readings.air[winter, :, 4].mean()


def test_noise_remembers_the_hour_before(past: Past) -> None:
    speed = past.readings.speed[:, 0]
    noise = speed - usual(speed, past, in_storms(past))
    assert np.corrcoef(noise[:-1], noise[1:])[0, 1] > 0.5


def test_holidays_are_those_that_were_announced() -> None:
    def kind(text: str) -> int:
        return kind_of_day(int(np.datetime64(text).astype("datetime64[D]").astype(int)))

    assert kind("2025-10-01") == HOLIDAY
    assert kind("2026-02-17") == HOLIDAY  # spring festival
    assert kind("2026-02-14") == WORKDAY  # a Saturday worked in exchange
    assert kind("2025-11-01") == WEEKEND
    assert kind("2025-11-03") == WORKDAY


def test_case_shares_and_overdue_share_are_those_of_the_calibration(past: Past) -> None:
    cases = past.town.desk.between(past.start, past.start + len(past.readings.steps))
    everyday = cases.take(np.flatnonzero(cases.cause < 0))
    category = np.array([MATTERS[matter].category for matter in everyday.matter])
    for name, (share, overdue) in CATEGORIES.items():
        assert (category == name).mean() == pytest.approx(share, abs=0.02), name
        if share > 0.1:
            assert everyday.overdue[category == name].mean() == pytest.approx(overdue, abs=0.03), name
    assert cases.overdue.mean() == pytest.approx(0.092, abs=0.015)
    weekday = (everyday.second // 86_400 + (everyday.second % 86_400 >= 57_600) + 3) % 7
    shares = np.bincount(weekday, minlength=7) / len(weekday)
    assert shares == pytest.approx(np.array(WEEKDAYS), abs=0.03)


def test_report_texts_are_varied(past: Past) -> None:
    cases = past.town.desk.between(past.start, past.start + 96 * 120)
    assert len(set(cases.text)) > 0.85 * len(cases)


def test_history_and_future_come_from_one_list_of_events() -> None:
    settings = Settings(settings_of("tiny").scale, 4)
    town = build_town(settings)
    last = town.world.last_step
    long = events_between(town.layout, last - 96 * 200, last + 96 * 100)
    short = events_between(town.layout, last, last + 96 * 100)
    again = long.take(np.flatnonzero(long.end > last))
    assert again.serial.tolist() == short.serial.tolist()
    assert again.strength.tolist() == short.strength.tolist()
