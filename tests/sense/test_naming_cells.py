"""Streams and readings that name their cell: put there, agreed with, or refused (26-057, cell-crud)."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from jingwei import grid
from jingwei.access.policy import Policies
from jingwei.access.policy.store import default_policies
from jingwei.errors import JingweiError
from jingwei.sense.cells import service
from jingwei.sense.known import level_known, properties_of
from jingwei.sense.models import LocationRow
from jingwei.sense.rollups import Aggregates, Calendar, Rollups
from jingwei.sense.rollups.quantities import book_of
from jingwei.sense.service import Asked

from .conftest import PARKS, WATER, datastream, location, reading, somebody, thing
from .test_aggregates import owned
from .test_cells import EXTENDED, Extended

HERE = (116.4, 39.9)
KEEPER = somebody("device_keeper", department=WATER)


def zone(level, place=HERE):
    return str(grid.Cell.at(*place, level)) if level else "G"


def cell_of(level, place=HERE):
    return {"@iot.id": zone(level, place)}


class Named(Extended):
    """The extended root, at which is written."""

    def send(self, method, path, body=None, asker=None):
        sensing, who = self.station.sensing, asker or self.station.asker
        return service.change(
            sensing,
            who,
            Asked(method, path, "", body),
            EXTENDED,
            lambda: Aggregates(sensing, self.rollups, who),
        )

    def post(self, path, body, asker=None):
        answered = self.send("POST", path, body, asker)
        assert answered.status == 201
        return answered.body["@iot.id"]

    def refused(self, method, path, body, asker=None):
        """Return the status and the field that is told, in which languages nobody is left out."""
        with pytest.raises(JingweiError) as raised:
            self.send(method, path, body, asker)
        told = raised.value
        assert told.what.zh
        assert told.what.en
        return told.status, (told.where or {}).get("field")


@pytest.fixture
def cells(station, tmp_path):
    book = book_of(station.sensing.records)
    calendar = Calendar(ZoneInfo("Asia/Shanghai"))
    with Rollups(tmp_path / "rollups", station.sensing.readings, calendar, book) as rollups:
        yield Named(station, rollups)


def test_a_thing_without_a_place_is_put_into_the_cell_that_its_stream_names(cells):
    cells.post("Things", thing(Datastreams=[datastream(Cell=cell_of(15))]))
    assert cells.get("Datastreams(1)/Cell")["zoneId"] == zone(15), "no finer than it was named"
    (place,) = cells.values("Things(1)/Locations")
    west, south, east, north = grid.parse(zone(15)).bounds
    lon, lat = place["location"]["coordinates"]
    assert ((west + east) / 2, (south + north) / 2) == pytest.approx((lon, lat))
    assert place["properties"] == {"dggs.system": "GeoSOT", "dggs.cell": zone(15)}
    assert len(cells.values("Things(1)/HistoricalLocations")) == 1


def test_all_parents_of_a_cell_that_is_named_are_there(cells):
    cells.post("Things", thing(Datastreams=[datastream(Cell=cell_of(15))]))
    row = cells.get(f"Cells('{zone(15)}')")
    for level in range(14, -1, -1):
        row = cells.get(f"Cells('{row['zoneId']}')/Parent")
        assert (row["zoneId"], row["zoneLevel"]) == (zone(level), level)
    assert cells.status(f"Cells('{zone(16)}')") == 404, "nothing is known to lie in a finer one"
    assert cells.values(f"Cells('{zone(15)}')/Children") == []


def test_readings_count_in_the_cell_that_was_named_and_in_what_holds_it_but_in_nothing_finer(cells):
    stream = datastream(Cell=cell_of(15), Observations=[reading(hour, hour * 10) for hour in range(3)])
    cells.post("Things", thing(Datastreams=[stream]))
    measured = datastream(Observations=[reading(0, 5)], ObservedProperty={"@iot.id": 1})
    cells.post("Things", thing(Locations=[location()], Datastreams=[measured]))
    assert {level: counted(cells, level) for level in (0, 9, 15, 16)} == {0: 4, 9: 4, 15: 4, 16: 1}


def counted(cells, level):
    """How many readings a month has in the cell of a level."""
    streams = cells.values(f"Cells('{zone(level)}')/MultiDatastreams")
    (month,) = [one["@iot.id"] for one in streams if one["properties"]["dggs.interval"] == "1month"]
    return sum(one["result"][4] for one in cells.values(f"MultiDatastreams('{month}')/Observations"))


@pytest.mark.parametrize("level", [0, 9, 15, 21])
def test_a_cell_that_holds_the_place_is_agreed_with(cells, level):
    cells.post("Things", thing(Locations=[location()], Datastreams=[datastream()]))
    made = cells.post("Things(1)/Datastreams", datastream("又一", Cell=cell_of(level)))
    observation = reading(1, 7, Datastream={"@iot.id": made}, Cell=cell_of(level))
    assert cells.send("POST", "Observations", observation).status == 201
    assert cells.send("PATCH", f"Datastreams({made})", {"Cell": cell_of(level)}).status == 200
    assert cells.get(f"Datastreams({made})/Cell")["zoneId"] == zone(21), "where the thing is"
    assert len(cells.values("Locations")) == 1, "no place was made"


ELSEWHERE = cell_of(15, (120.0, 30.0))


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "Things(1)/Datastreams", datastream("又一", Cell=ELSEWHERE), "Cell"),
        ("PATCH", "Datastreams(1)", {"Cell": ELSEWHERE}, "Cell"),
        ("POST", "Datastreams(1)/Observations", reading(1, 7, Cell=ELSEWHERE), "Cell"),
        (
            "POST",
            "Things",
            thing(Locations=[location()], Datastreams=[datastream(Cell=ELSEWHERE)]),
            "Datastreams[0].Cell",
        ),
        (
            "POST",
            "Things",
            thing(Datastreams=[datastream(Cell=cell_of(15)), datastream(Cell=ELSEWHERE)]),
            "Datastreams[1].Cell",
        ),
        (
            "POST",
            "Things",
            thing(Datastreams=[datastream(Cell=cell_of(15)), datastream(Cell=cell_of(16))]),
            "Datastreams[1].Cell",
        ),
    ],
)
def test_a_cell_that_contradicts_the_place_is_refused_and_nothing_is_left(cells, method, path, body, field):
    cells.post("Things", thing(Locations=[location()], Datastreams=[datastream()]))
    assert cells.refused(method, path, body) == (409, field)
    assert [len(cells.values(one)) for one in ("Things", "Locations", "Datastreams")] == [1, 1, 1]
    assert cells.values("Datastreams(1)/Observations") == []


@pytest.mark.parametrize(
    ("named", "status"),
    [
        ({"@iot.id": zone(15), "zoneLevel": 15}, 403),
        ({"zoneId": zone(15)}, 403),
        ({}, 403),
        ({"@iot.id": "N50F"}, 400),
        ({"@iot.id": "nowhere"}, 400),
        ({"@iot.id": 15}, 400),
        ({"@iot.id": zone(22)}, 400),
        ({"@iot.id": "G"}, 400),
        ([zone(15)], 400),
        (None, 400),
    ],
)
def test_what_is_no_reference_to_a_cell_is_refused(cells, named, status):
    told = cells.refused("POST", "Things", thing(Datastreams=[datastream(Cell=named)]))
    assert told == (status, "Datastreams[0].Cell")
    assert cells.values("Things") == []


def test_only_streams_and_readings_name_cells(cells):
    assert cells.refused("POST", "Things", thing(Cell=cell_of(15)))[0] == 400
    assert cells.refused("POST", "Locations", location() | {"Cell": cell_of(15)})[0] == 400


OBSERVING = """
@id("staff-observe")
permit (principal in Role::"staff", action == Action::"sense.observe", resource);
"""


def test_by_naming_cells_nobody_finds_a_place_more_finely_than_it_is_told(cells, station):
    """To staff of another department the place is told at level 17, and they may send readings."""
    cells.post("Things", thing(Locations=[location()], Datastreams=[datastream()]))
    owned(station, 1, WATER, "conditional")
    with station.sensing.records.write() as session:
        session.execute(update(LocationRow).values(owner=WATER, sharing="conditional"))
    policies = Policies(default_policies().text + OBSERVING, 0, [(WATER, None), (PARKS, None)])
    station.sensing.policies = lambda: policies
    staff, path = somebody("staff", department=PARKS), "Datastreams(1)/Observations"
    for level in (0, 15, 17):
        assert cells.send("POST", path, reading(1, 7, Cell=cell_of(level)), staff).status == 201
    assert cells.refused("POST", path, reading(1, 7, Cell=cell_of(17, (116.41, 39.9))), staff)[0] == 409
    children = [one["zoneId"] for one in cells.values(f"Cells('{zone(17)}')/Children")]
    inside = {str(one) for one in grid.Cell.at(*HERE, 17).children()}
    assert set(children) < inside
    for one in inside:  # the right one is refused as the others are
        body = reading(1, 7, Cell={"@iot.id": one})
        assert cells.refused("POST", path, body, staff)[0] == 409
        keeper = somebody("device_keeper", department=WATER)
        if one == zone(18):
            assert cells.send("POST", path, body, keeper).status == 201


def test_a_place_of_a_department_is_made_by_its_keepers_alone(cells, station):
    cells.post("Things", thing(Datastreams=[datastream()]))
    owned(station, 1, WATER, "unconditional")
    device = somebody("device", department=WATER)
    body = reading(1, 7, Cell=cell_of(15))
    assert cells.refused("POST", "Datastreams(1)/Observations", body, device)[0] == 403
    assert cells.values("Locations") == []
    assert cells.send("POST", "Datastreams(1)/Observations", body, KEEPER).status == 201
    assert cells.get("Datastreams(1)/Cell")["zoneId"] == zone(15)


@given(st.floats(-180, 180, exclude_max=True), st.floats(-87, 87), st.integers(1, 21))
def test_the_middle_of_a_cell_lies_in_it_and_is_known_at_its_level(lon, lat, level):
    cell = grid.Cell.at(lon, lat, level)
    code = int(grid.encode(*cell.centre, 32))
    assert level_known(properties_of(cell), code) == level


@pytest.mark.parametrize(
    "told", [None, {}, {"dggs.cell": 7}, {"dggs.cell": "nowhere"}, {"dggs.cell": zone(15, (120.0, 30.0))}]
)
def test_what_says_nothing_of_a_place_is_not_heeded(told):
    assert level_known(told, int(grid.encode(*HERE, 32))) == 32
