"""The SensorThings extension for DGGS: cells, and what readings say together in each, by the policies."""

import statistics
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from jingwei import grid
from jingwei.access.policy import Policies
from jingwei.access.policy.store import default_policies
from jingwei.errors import JingweiError
from jingwei.sense.cells import service
from jingwei.sense.cells.functions import FUNCTIONS
from jingwei.sense.rollups import Aggregates, Calendar, Rollups
from jingwei.sense.rollups.quantities import book_of
from jingwei.sense.service import Asked

from .conftest import PARKS, WATER, datastream, location, observed, somebody, thing
from .test_aggregates import TOGETHER, owned

EXTENDED = "http://city/sta-dggs/v1.1"
ZONE = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 10, 30, 20, tzinfo=UTC)
PLACES = (116.4, 116.4001, 116.41, 120.0)
STAFF = somebody("staff", department=PARKS)


class Extended:
    """The extended root, asked by somebody."""

    def __init__(self, station, rollups):
        self.station, self.rollups = station, rollups

    def get(self, path, options="", asker=None):
        asker = asker or self.station.asker
        sensing = self.station.sensing
        found = service.ask(
            sensing,
            asker,
            Asked("GET", path, options),
            EXTENDED,
            lambda: Aggregates(sensing, self.rollups, asker),
        )
        return found.body

    def values(self, path, options="", asker=None):
        return self.get(path, options, asker)["value"]

    def status(self, path, options="", asker=None):
        with pytest.raises(JingweiError) as raised:
            self.get(path, options, asker)
        return raised.value.status

    def whole(self, path, options=""):
        """Follow all links to further pages."""
        found, address = [], f"{EXTENDED}/{path}?{options}"
        while address:
            where, _, asked = address.removeprefix(f"{EXTENDED}/").partition("?")
            page = self.get(where, asked)
            found += page["value"]
            address = page.get("@iot.nextLink")
        return found


@pytest.fixture
def cells(station, tmp_path):
    book = book_of(station.sensing.records)
    with Rollups(tmp_path / "rollups", station.sensing.readings, Calendar(ZONE), book) as rollups:
        yield Extended(station, rollups)


def planted(station, number, lon, dust, *, hours=60, every=90):
    """A thing with a stream that has a reading every so many minutes; returns what it measured."""
    told = [
        (FIRST + timedelta(minutes=every * at + number), float((at * 7 + number * 13) % 29))
        for at in range(hours * 60 // every)
    ]
    readings = [{"phenomenonTime": f"{when:%Y-%m-%dT%H:%M:%SZ}", "result": value} for when, value in told]
    stream = datastream(Observations=readings, ObservedProperty={"@iot.id": dust})
    station.post("Things", thing(Locations=[location(lon=lon)], Datastreams=[stream]))
    return told


@pytest.fixture
def planted_readings(station):
    dust = station.post("ObservedProperties", observed("PM10"))
    return [(lon, planted(station, at, lon, dust)) for at, lon in enumerate(PLACES)]


def zone_at(lon, level, lat=39.9):
    return str(grid.Cell.at(lon, lat, level)) if level else "G"


def interval_of(when, kind):
    """The interval of a moment as plain Python has it, in the city's zone."""
    here = when.astimezone(ZONE)
    start = here.replace(minute=0, second=0)
    if kind == "1hour":
        return start, start + timedelta(hours=1)
    start = start.replace(hour=0)
    if kind == "1day":
        return start, start + timedelta(days=1)
    start = start.replace(day=1)
    return start, (start + timedelta(days=32)).replace(day=1)


def text(start, end):
    return "/".join(f"{one.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for one in (start, end))


def expected(planted_readings, zone, level, kind):
    """What brute force over the readings says of a cell, by interval."""
    groups = {}
    for lon, told in planted_readings:
        if zone_at(lon, level) == zone:
            for when, value in told:
                groups.setdefault(text(*interval_of(when, kind)), []).append(value)
    return {
        when: [
            min(values),
            max(values),
            statistics.mean(values),
            statistics.stdev(values) if len(values) > 1 else None,
            len(values),
        ]
        for when, values in groups.items()
    }


def test_figures_are_those_of_brute_force_over_the_readings(cells, planted_readings):
    for level, kind in product((0, 9, 16, 21), ("1hour", "1day", "1month")):
        zone = zone_at(PLACES[0], level)
        named = f"$filter=endswith(@iot.id,'~{kind}')"
        (stream,) = cells.values(f"Cells('{zone}')/MultiDatastreams", named)
        found = cells.whole(f"MultiDatastreams('{stream['@iot.id']}')/Observations", "$top=7")
        told = {one["phenomenonTime"]: one["result"] for one in found}
        wanted = expected(planted_readings, zone, level, kind)
        assert told.keys() == wanted.keys()
        for when, result in wanted.items():
            assert told[when] == pytest.approx(result, abs=1e-9), (level, when)
        assert [one["phenomenonTime"] for one in found] == sorted(told)


@pytest.mark.usefixtures("planted_readings")
def test_all_parents_of_a_cell_are_there_up_to_the_whole_earth(cells):
    cell = cells.get("Datastreams(1)/Cell")
    assert cell["zoneLevel"] == 21
    path, levels = "Datastreams(1)/Cell", [21]
    while (parent := cells.get(f"{path}")) and parent["zoneLevel"] > 0:
        above = cells.get(f"Cells('{parent['zoneId']}')/Parent")
        assert parent["zoneId"] in [
            one["zoneId"] for one in cells.values(f"Cells('{above['zoneId']}')/Children", "$top=1000")
        ]
        path = f"Cells('{above['zoneId']}')"
        levels.append(above["zoneLevel"])
    assert levels == list(range(21, -1, -1))
    assert cells.status("Cells('G')/Parent") == 404


@pytest.mark.usefixtures("planted_readings")
def test_a_cell_is_told_as_the_draft_has_it(cells):
    zone = zone_at(PLACES[0], 16)
    cell = cells.get(f"Cells('{zone}')")
    assert cell["@iot.id"] == cell["zoneId"] == zone
    assert (cell["system"], cell["zoneLevel"], cell["encodingType"]) == ("GeoSOT", 16, "application/geo+json")
    assert cell["boundary"]["type"] == "Polygon"
    assert cell["@iot.selfLink"] == f"{EXTENDED}/Cells('{zone}')"
    assert {name for name in cell if name.endswith("@iot.navigationLink")} == {
        f"{name}@iot.navigationLink"
        for name in ("Parent", "Children", "Datastreams", "MultiDatastreams", "Observations")
    }
    assert cells.get(f"Cells('{zone}')/zoneLevel") == {"zoneLevel": 16}
    assert cells.get(f"Cells('{zone}')/zoneId/$value").value == zone
    assert cells.get(f"Cells('{zone}')", "$select=zoneLevel") == {"zoneLevel": 16}
    assert cells.get(f"Cells('{zone}')/$ref") == {"@iot.selfLink": f"{EXTENDED}/Cells('{zone}')"}


@pytest.mark.usefixtures("planted_readings")
def test_cells_come_in_pages_filtered_sorted_and_counted(cells):
    every = cells.whole("Cells", "$top=5")
    ids = [one["@iot.id"] for one in every]
    assert len(set(ids)) == len(ids) == cells.get("Cells", "$count=true&$top=0")["@iot.count"]
    assert int(cells.get("Cells/$count").value) == len(ids)
    assert [one["zoneLevel"] for one in every] == sorted(one["zoneLevel"] for one in every)
    wanted = {zone_at(lon, 16) for lon in PLACES}
    assert {one["zoneId"] for one in cells.values("Cells", "$filter=zoneLevel eq 16")} == wanted
    newest = cells.values("Cells", "$orderby=zoneLevel desc,zoneId&$top=1")
    assert newest[0]["zoneLevel"] == 21
    near = "$filter=zoneLevel eq 16 and st_contains(boundary, geography'POINT (120.0 39.9)')"
    where = grid.Cell.at(120.0, 39.9, 16)
    west, south, east, north = where.bounds
    near = near.replace("120.0 39.9", f"{(west + east) / 2} {(south + north) / 2}")
    assert [one["zoneId"] for one in cells.values("Cells", near)] == [str(where)]


@pytest.mark.usefixtures("planted_readings")
def test_datastreams_and_observations_have_the_cell_of_their_place(cells):
    cell = cells.get("Datastreams(3)/Cell")
    assert cell["zoneId"] == zone_at(PLACES[2], 21)
    assert cells.get("Observations(1)/Cell")["zoneId"] == zone_at(PLACES[0], 21)
    own = cells.values(f"Cells('{cell['zoneId']}')/Datastreams", "$expand=Thing,Observations($top=1)")
    assert [one["@iot.id"] for one in own] == [3]
    assert own[0]["Thing"]["@iot.id"] == 3
    assert cells.get(f"Cells('{cell['zoneId']}')/Datastreams(3)/Thing")["@iot.id"] == 3
    assert cells.status(f"Cells('{cell['zoneId']}')/Datastreams(1)") == 404
    observations = cells.get(f"Cells('{cell['zoneId']}')/Observations", "$count=true&$top=0")
    assert observations["@iot.count"] == 40
    (shown,) = cells.values("Datastreams", "$filter=id eq 3&$expand=Cell($select=zoneId)")
    assert shown["Cell"] == {"zoneId": cell["zoneId"]}


@pytest.mark.usefixtures("planted_readings")
def test_figures_are_observations_of_a_multidatastream_of_derived_properties(cells):
    zone = zone_at(PLACES[0], 16)
    expand = "$expand=ObservedProperties,Cell,Observations($top=1;$orderby=phenomenonTime desc)"
    stream = cells.values(f"Cells('{zone}')/MultiDatastreams", expand)[0]
    assert stream["Cell"]["zoneId"] == zone
    derived = stream["ObservedProperties"]
    assert [one["properties"]["aggregation_method"] for one in derived] == [one.method for one in FUNCTIONS]
    assert len(stream["unitOfMeasurements"]) == len(stream["multiObservationDataTypes"]) == 5
    (newest,) = stream["Observations"]
    again = cells.get(f"Observations('{newest['@iot.id']}')", "$expand=MultiDatastream,Cell")
    assert again["result"] == newest["result"]
    assert again["MultiDatastream"]["@iot.id"] == stream["@iot.id"]
    assert again["Cell"]["zoneId"] == zone
    inside = f"MultiDatastreams('{stream['@iot.id']}')/Observations('{newest['@iot.id']}')/result"
    assert cells.get(inside) == {"result": newest["result"]}
    base = cells.get("ObservedProperties(1)")["properties"]
    assert base["role"] == "base"
    targets = [one["target_id"] for one in base["aggregations"].values()]
    assert targets == [one["@iot.id"] for one in derived]
    assert cells.get(f"ObservedProperties('{targets[0]}')")["name"] == "PM10: minimum"


@pytest.mark.usefixtures("planted_readings")
def test_figures_are_filtered_by_time_and_by_what_they_say(cells):
    zone = zone_at(PLACES[0], 16)
    stream = cells.values(f"Cells('{zone}')/MultiDatastreams")[0]["@iot.id"]
    path = f"MultiDatastreams('{stream}')/Observations"
    every = cells.whole(path)
    some = cells.values(path, "$filter=phenomenonTime ge 2026-11-01T00:00:00Z and result[4] gt 1&$top=999")
    begins = [one for one in every if one["phenomenonTime"] >= "2026-11-01" and one["result"][4] > 1]
    assert some == begins
    assert cells.get(path, "$count=true&$top=1")["@iot.count"] == len(every)
    assert cells.values(path, "$orderby=phenomenonTime desc&$top=999") == every[::-1]


def test_without_readings_there_are_no_cells(cells):
    assert cells.values("Cells") == []
    assert cells.status("Cells('G')") == 404


WRONG = [
    ("Cells('G222')", "", 404),
    ("Cells('N50F')", "", 404),
    ("Cells('nowhere')", "", 404),
    ("Cells(1)", "", 404),
    ("Cells('G')/Things", "", 404),
    ("Cells('G')/Children('G')", "", 404),
    ("Cells('G')/Parent", "", 404),
    ("Things(1)/Cell", "", 404),
    ("Datastreams/Cell", "", 404),
    ("MultiDatastreams('G~p1_00000000~1hour')", "", 404),
    ("Observations('G~x')", "", 404),
    ("ObservedProperties('1~median')", "", 404),
    ("Cells", "$filter=nothing eq 1", 400),
    ("Cells('G')", "$top=1", 400),
    ("Cells", "$filter=Parent/zoneLevel eq 1", 501),
    ("Datastreams", "$filter=Cell/zoneLevel eq 1", 501),
]


@pytest.mark.usefixtures("planted_readings")
def test_what_is_not_there_or_wrong_is_said_so(cells):
    assert [(path, options, cells.status(path, options)) for path, options, _ in WRONG] == WRONG


# who is told what


@pytest.mark.usefixtures("planted_readings")
def test_cells_are_no_finer_than_places_may_be_told(cells, station):
    for number in range(1, 5):
        owned(station, number, WATER, "conditional")
    cell = cells.get("Datastreams(1)/Cell", asker=STAFF)
    assert cell["zoneLevel"] == 17, "as finely as the policies tell places"
    finest = max(one["zoneLevel"] for one in cells.values("Cells", "$top=1000", asker=STAFF))
    assert finest == 17


@pytest.mark.usefixtures("planted_readings")
def test_of_streams_that_one_may_not_read_there_are_neither_cells_nor_figures(cells, station):
    for number in range(1, 5):
        owned(station, number, WATER, "none")
    assert cells.values("Cells", asker=STAFF) == []
    zone = zone_at(PLACES[0], 9)
    assert cells.status(f"Cells('{zone}')", asker=STAFF) == 404
    assert cells.get(f"Cells('{zone}')", asker=somebody("staff", department=WATER))["zoneId"] == zone


@pytest.fixture
def told_together(station):
    policies = Policies(default_policies().text + TOGETHER, 0, [(WATER, None), (PARKS, None)])
    station.sensing.policies = lambda: policies


def hidden(station, hours_of):
    """Streams that staff of the parks may not read, with the hours of two days in which each has readings."""
    dust = station.post("ObservedProperties", observed("PM10"))
    midnight = datetime(2026, 10, 31, 16, tzinfo=UTC)
    for number, (lon, hours) in enumerate(hours_of, 1):
        readings = [
            {
                "phenomenonTime": f"{midnight + timedelta(hours=hour):%Y-%m-%dT%H:05:00Z}",
                "result": 2.0**number,
            }
            for hour in hours
        ]
        stream = datastream(Observations=readings, ObservedProperty={"@iot.id": dust})
        station.post("Things", thing(Locations=[location(lon=lon)], Datastreams=[stream]))
        owned(station, number, WATER, "none")


HIDDEN = [
    (116.4, (0, 1, 24)),
    (116.4, (0, 1, 24)),
    (116.4, (0, 1)),
    (116.4, (1,)),
    (116.4001, (0, 24)),
    (116.43, (0, 1, 2, 24)),
    (120.0, (0, 25)),
]


@pytest.mark.usefixtures("told_together")
def test_withheld_figures_stay_withheld_under_subtraction(cells, station):
    """No sum of answers, with any signs, is of fewer than three streams that one may not read."""
    hidden(station, HIDDEN)
    rows = [(number, hour) for number, (_, hours) in enumerate(HIDDEN, 1) for hour in hours]
    answers = []
    for cell in cells.values("Cells", "$top=1000", asker=STAFF):
        for stream in cells.values(f"Cells('{cell['zoneId']}')/MultiDatastreams", asker=STAFF):
            kind = stream["properties"]["dggs.interval"]
            for one in cells.values(f"MultiDatastreams('{stream['@iot.id']}')/Observations", asker=STAFF):
                inside = [
                    zone_at(HIDDEN[number - 1][0], cell["zoneLevel"]) == cell["zoneId"]
                    and text(
                        *interval_of(datetime(2026, 10, 31, 16, tzinfo=UTC) + timedelta(hours=hour), kind)
                    )
                    == one["phenomenonTime"]
                    for number, hour in rows
                ]
                assert one["result"][4] == sum(inside)
                answers.append(inside)
    told = np.array(answers, bool)
    assert told.any(), "something is told"
    assert not told.all(axis=1).any(), "not everything is told: what is at 120 stays withheld"
    alike = {}
    for column, (number, _) in zip(told.T.tolist(), rows, strict=True):
        if any(column):
            alike.setdefault(tuple(column), set()).add(number)
    assert all(len(streams) >= 3 for streams in alike.values())


@pytest.mark.usefixtures("told_together")
def test_what_is_told_here_is_what_a_zone_of_ogc_api_dggs_tells(cells, station):
    """For each cell, quantity and interval: the same figures, and withheld by the one as by the other."""
    hidden(station, HIDDEN)
    dust = {"@iot.id": 1}
    stream = datastream(
        Observations=[{"phenomenonTime": "2026-10-31T16:30:00Z", "result": 9}], ObservedProperty=dust
    )
    station.post("Things", thing(Locations=[location(lon=116.4)], Datastreams=[stream]))
    owned(station, len(HIDDEN) + 1, PARKS, "none")
    aggregates = Aggregates(station.sensing, cells.rollups, STAFF)
    (quantity,) = aggregates.quantities
    seen = 0
    for level in (0, 8, 12, 16, 18, 20, 21):
        codes = np.unique([int(grid.encode(lon, 39.9, level)) if level else 0 for lon, _ in HIDDEN])
        for code in codes.tolist():
            ends = code, code + (1 << (64 - 2 * level)) - 1
            for kind in ("hour", "day", "month"):
                starts = aggregates.starts_of(quantity, kind, -(1 << 60), 1 << 60)
                each = aggregates.of_intervals(quantity, level, ends, kind, starts)
                for at, start in enumerate(starts):
                    period = start, aggregates.end(kind, start)
                    zone = aggregates.of_ranges(quantity, level, np.array([ends], np.uint64), period)
                    assert each.withheld[at] == zone.withheld[0]
                    assert each.figures.n[at] == zone.figures.n[0]
                    if each.figures.n[at]:
                        assert each.figures.mean[at] == pytest.approx(zone.figures.mean[0], abs=1e-12)
                        seen += 1
    assert seen
