"""What is changed by the address of a link, of a value, or many at once."""

import pytest

from jingwei.sense.errors import BadEntityError, BadPathError, NotOfThisKindError

from .conftest import location, observed, reading, sensor, thing


def places(station):
    return station.names("Things(1)/Locations", "$orderby=id")


def test_a_place_is_added_and_taken_away_by_its_link(station, air):
    station.post("Locations", location("屋顶", lon=116.5))
    assert station.send("POST", "Things(1)/Locations/$ref", {"@iot.id": 2}).status == 200
    assert places(station) == ["杆", "屋顶"]
    assert len(station.values("Things(1)/HistoricalLocations")) == 2
    assert station.send("DELETE", "Things(1)/Locations(1)/$ref").status == 200
    assert places(station) == ["屋顶"]
    again = {"@odata.id": "http://city/sta/v1.1/Locations(1)"}
    assert station.send("POST", "Things(1)/Locations/$ref", again).status == 200
    assert station.send("DELETE", "Locations(2)/Things(1)/$ref").status == 200
    assert places(station) == ["杆"]
    with pytest.raises(BadPathError):
        station.send("DELETE", "Things(1)/Locations(2)/$ref")


def test_what_a_stream_cannot_be_without_is_set_by_its_link_and_never_taken_away(station, air):
    station.post("Sensors", sensor("新探头"))
    station.post("Things", thing("别处"))
    assert station.send("PUT", "Datastreams(1)/Sensor/$ref", {"@iot.id": 2}).status == 200
    assert station.get("Datastreams(1)/Sensor")["name"] == "新探头"
    assert station.send("POST", "Things(2)/Datastreams/$ref", {"@iot.id": 1}).status == 200
    assert station.get("Datastreams(1)/Thing")["name"] == "别处"
    for method, path in (
        ("DELETE", "Datastreams(1)/Sensor/$ref"),
        ("DELETE", "Things(2)/Datastreams(1)/$ref"),
        ("POST", "Datastreams(1)/Sensor/$ref"),
        ("POST", "Datastreams(1)/Observations/$ref"),
        ("POST", "Things/$ref"),
    ):
        with pytest.raises((NotOfThisKindError, BadEntityError)):
            station.send(method, path, {"@iot.id": 1})
    for wrong in ({}, [], {"@iot.id": 99}, {"@odata.id": "http://city/Things(1)"}, {"@odata.id": 7}):
        with pytest.raises(BadEntityError):
            station.send("PUT", "Datastreams(1)/Sensor/$ref", wrong)


def test_a_value_is_put_by_itself(station, air):
    assert station.send("PUT", "Things(1)/name/$value", "新站").status == 200
    assert station.get("Things(1)")["name"] == "新站"
    with pytest.raises(BadEntityError):
        station.send("PUT", "Things(1)/name/$value", 7)
    with pytest.raises(NotOfThisKindError):
        station.send("PATCH", "Things(1)/name/$value", "x")


def test_an_array_of_observations_is_taken_in_whole_or_not(station, air):
    told = station.send("POST", "Datastreams(1)/Observations", [reading(5, 1), reading(6, 2)])
    assert (told.status, len(told.body)) == (201, 2)
    assert station.get("Datastreams(1)/Observations", "$count=true&$top=0")["@iot.count"] == 5
    for wrong in ([], [reading(7, 1), {"phenomenonTime": "soon", "result": 1}]):
        with pytest.raises(BadEntityError):
            station.send("POST", "Datastreams(1)/Observations", wrong)
    with pytest.raises(BadEntityError):
        station.send("POST", "ObservedProperties", [observed()])
    assert station.get("Datastreams(1)/Observations", "$count=true&$top=0")["@iot.count"] == 5


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2026-11-05", "2026-11-05T00:00:00Z/2026-11-06T00:00:00Z"),
        ("2026-11-05/2026-11-07", "2026-11-05T00:00:00Z/2026-11-08T00:00:00Z"),
        ("2026-11-05/2026-11-05T12:00:00Z", "2026-11-05T00:00:00Z/2026-11-05T12:00:00Z"),
    ],
)
def test_a_date_is_the_whole_day(station, air, sent, kept):
    told = station.send("POST", "Datastreams(1)/Observations", {"phenomenonTime": sent, "result": 1})
    assert told.body["phenomenonTime"] == kept


@pytest.mark.parametrize("sent", ["2026-13-05", "2026-11-05/2026-11-01", "2026-11-05/", "2026-11"])
def test_what_is_no_date_is_refused(station, air, sent):
    with pytest.raises(BadEntityError):
        station.send("POST", "Datastreams(1)/Observations", {"phenomenonTime": sent, "result": 1})
