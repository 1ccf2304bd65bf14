"""What roll-ups say to whom: only of streams that one may read, and only as finely as their places."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import update

from jingwei import grid
from jingwei.access import local_person
from jingwei.access.policy import Policies
from jingwei.access.policy.store import default_policies
from jingwei.sense.models import StreamRow, ThingRow
from jingwei.sense.rollups import Aggregates, Calendar, Rollups
from jingwei.sense.rollups.quantities import book_of

from .conftest import PARKS, UNIT, WATER, datastream, location, observed, reading, somebody, thing

TOGETHER = """
@id("staff-told-together") @smallest("3")
permit (principal in Role::"staff", action == Action::"sense.summarise", resource);
"""
HERE = (116.4, 39.9)
CELSIUS = {"name": "degree Celsius", "symbol": "°C", "definition": "ucum:Cel"}
KELVIN = {"name": "kelvin", "symbol": "K", "definition": "ucum:K"}


@pytest.fixture
def rollups(station, tmp_path):
    zone = Calendar(ZoneInfo("Asia/Shanghai"))
    with Rollups(
        tmp_path / "rollups", station.sensing.readings, zone, book_of(station.sensing.records)
    ) as one:
        yield one


@pytest.fixture
def dust(station):
    return station.post("ObservedProperties", observed("PM10"))


def station_with(station, results, dust, *, lon=116.4, unit=UNIT):
    streams = [
        datastream(
            Observations=[reading(hour, result) for hour, result in enumerate(results)],
            ObservedProperty={"@iot.id": dust},
            unitOfMeasurement=unit,
        )
    ]
    return station.post("Things", thing(Locations=[location(lon=lon)], Datastreams=streams))


def owned(station, number, owner, sharing):
    with station.sensing.records.write() as session:
        for row in (ThingRow, StreamRow):
            session.execute(update(row).where(row.id == number).values(owner=owner, sharing=sharing))


def told(station, rollups, level, asker=None, period=None):
    """What a zone around the place has: number, mean and greatest, by unit."""
    aggregates = Aggregates(station.sensing, rollups, asker or local_person())
    code = int(grid.encode(*HERE, level)) if level else 0
    last = code + (1 << (64 - 2 * level)) - 1
    found = {}
    for one in aggregates.quantities:
        answer = aggregates.of_ranges(one, level, np.array([[code, last]], np.uint64), period)
        if answer.withheld[0]:
            found[one.unit] = "withheld"
        elif answer.figures.n[0]:
            figures = answer.figures
            found[one.unit] = (int(figures.n[0]), float(figures.mean[0]), float(figures.maximum[0]))
    return found


def test_a_zone_has_the_readings_of_all_streams_within(station, rollups, dust):
    station_with(station, [1, 2, 3], dust)
    station_with(station, [10, 20, 30], dust, lon=116.4001)
    station_with(station, [100], dust, lon=120.0)
    assert told(station, rollups, 32) == {"ug/m3": (3, 2.0, 3.0)}
    assert told(station, rollups, 10) == {"ug/m3": (6, 11.0, 30.0)}
    assert told(station, rollups, 0) == {"ug/m3": pytest.approx((7, 166 / 7, 100.0))}


def test_a_period_is_taken_in_whole_hours(station, rollups, dust):
    station_with(station, range(10), dust)
    half_past_two = int(datetime(2026, 11, 1, 2, 30, tzinfo=UTC).timestamp()) * 1_000_000
    assert told(station, rollups, 0, period=(half_past_two, half_past_two + 1)) == {"ug/m3": (1, 2.0, 2.0)}


def test_units_are_not_mixed(station, rollups, dust):
    station_with(station, [20, 22], dust, unit=CELSIUS)
    station_with(station, [290], dust, unit=KELVIN)
    assert told(station, rollups, 0) == {"°C": (2, 21.0, 22.0), "K": (1, 290.0, 290.0)}


def test_a_stream_that_one_may_not_read_has_no_share(station, rollups, dust):
    station_with(station, [1], dust)
    hidden = station_with(station, [99], dust, lon=116.4001)
    owned(station, hidden, WATER, "none")
    assert told(station, rollups, 0, somebody("staff", department=PARKS)) == {"ug/m3": (1, 1.0, 1.0)}
    assert told(station, rollups, 0, somebody("staff", department=WATER)) == {"ug/m3": (2, 50.0, 99.0)}


def test_zones_finer_than_a_place_may_be_told_are_empty(station, rollups, dust):
    one = station_with(station, [5], dust)
    owned(station, one, WATER, "conditional")
    asker = somebody("staff", department=PARKS)
    assert told(station, rollups, 17, asker) == {"ug/m3": (1, 5.0, 5.0)}
    assert told(station, rollups, 18, asker) == {}


@pytest.fixture
def staff_told_together(station):
    """Staff may know of all streams what three or more say together."""
    text = default_policies().text + TOGETHER
    policies = Policies(text, 0, [(WATER, None), (PARKS, None)])
    station.sensing.policies = lambda: policies


@pytest.mark.usefixtures("staff_told_together")
def test_streams_that_one_may_not_read_are_told_together_where_they_are_enough(station, rollups, dust):
    for number in range(3):
        owned(station, station_with(station, [number, 10], dust, lon=116.4), WATER, "none")
    owned(station, station_with(station, [7], dust, lon=116.5), WATER, "none")
    asker = somebody("staff", department=PARKS)
    assert told(station, rollups, 20, asker) == {"ug/m3": (6, 5.5, 10.0)}
    assert told(station, rollups, 0, asker) == {"ug/m3": "withheld"}, "the rest would be the one at 116.5"
    assert told(station, rollups, 22, asker) == {}, "finer than figures of many are told"


@pytest.mark.usefixtures("staff_told_together")
def test_what_one_may_read_does_not_make_others_enough(station, rollups, dust):
    for _ in range(5):
        owned(station, station_with(station, [1], dust), PARKS, "none")
    owned(station, station_with(station, [99], dust), WATER, "none")
    assert told(station, rollups, 10, somebody("staff", department=PARKS)) == {"ug/m3": "withheld"}
    assert told(station, rollups, 10, somebody("staff", department=WATER)) == {
        "ug/m3": pytest.approx((6, 104 / 6, 99.0))
    }


def test_a_thing_that_moves_takes_its_readings_along(station, rollups, dust):
    number = station_with(station, [5], dust)
    assert told(station, rollups, 10) == {"ug/m3": (1, 5.0, 5.0)}
    station.send(
        "PATCH",
        f"Things({number})",
        {"Locations": [{"@iot.id": station.post("Locations", location(lon=120.0))}]},
    )
    assert told(station, rollups, 10) == {}
    assert told(station, rollups, 0) == {"ug/m3": (1, 5.0, 5.0)}
