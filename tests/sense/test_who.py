"""Who is told what of sensors, and who may change them: against what the default policies mean."""

import pytest

from jingwei.access.policy import RefusedError
from jingwei.errors import JingweiError, NotFoundError
from jingwei.sense.writing import Ownership, Writing

from .conftest import PARKS, WATER, datastream, location, reading, somebody, thing

PEOPLE = {
    "citizen": somebody("citizen"),
    "staff elsewhere": somebody("staff", department=PARKS),
    "staff of the owner": somebody("staff", department=WATER),
    "operator": somebody("operator"),
    "keeper of the owner": somebody("device_keeper", department=WATER),
    "keeper elsewhere": somebody("device_keeper", department=PARKS),
    "device of the owner": somebody("device", department=WATER),
    "administrator": somebody("system_administrator"),
    "a token for something else": somebody("operator", only=frozenset({"dataset.read"})),
}
OWNED = [(sharing, level) for sharing in ("unconditional", "conditional", "none") for level in (1, 2, 3, 4)]


def reads(who, sharing, level):
    """What the default policies are meant to say."""
    if who == "a token for something else":
        return False
    if who == "administrator" or who.endswith("of the owner"):
        return True
    if sharing == "unconditional" and level <= 2:
        return True
    if who == "operator":
        return sharing != "none" and level <= 3
    return who == "staff elsewhere" and sharing == "conditional" and level <= 2


def finest(who, sharing, level):
    coarse = who == "staff elsewhere" and not (sharing == "unconditional" and level <= 2)
    return not coarse


def own_each(station):
    """Make a thing of each way of sharing and level, of the water department, with a place and a reading."""
    for number, (sharing, level) in enumerate(OWNED):
        with station.sensing.records.write() as session:
            writing = Writing(station.sensing.sight(session, station.asker), station.sensing.readings)
            body = thing(f"{sharing}-{level}", Locations=[location(lon=116.40001 + number / 10)])
            writing.create(writing_entity("Thing"), body, ownership=Ownership(WATER, sharing, level))
        station.post(
            f"Things({number + 1})/Datastreams", datastream(f"流{number}", Observations=[reading(1, number)])
        )
    return station


@pytest.fixture(scope="module")
def owned(shared_station):
    """A station with things of all kinds of owners, for tests that only ask."""
    return own_each(shared_station)


@pytest.fixture
def changed(station):
    """What is `owned`, for one test that changes it."""
    return own_each(station)


def writing_entity(name):
    from jingwei.sense.entities import ENTITIES

    return ENTITIES[name]


@pytest.mark.parametrize("who", PEOPLE)
def test_rows_are_told_to_whom_the_policies_tell_them(owned, who):
    asker = PEOPLE[who]
    seen = [f"{sharing}-{level}" for sharing, level in OWNED if reads(who, sharing, level)]
    results = [number for number, one in enumerate(OWNED) if reads(who, *one)]
    assert owned.names("Things", "$orderby=id", asker) == seen
    assert owned.get("Things", "$count=true&$top=0", asker)["@iot.count"] == len(seen)
    assert [one["result"] for one in owned.values("Observations", "$orderby=result", asker)] == results
    assert [
        one["Thing"]["name"] for one in owned.values("Datastreams", "$expand=Thing&$orderby=id", asker)
    ] == seen
    for number, one in enumerate(OWNED, 1):
        for path in (
            f"Things({number})",
            f"Datastreams({number})",
            f"Observations({number})",
            f"FeaturesOfInterest({number})",
            f"Locations({number})",
        ):
            if reads(who, *one):
                assert owned.get(path, "", asker)["@iot.id"] == number
            else:
                with pytest.raises(NotFoundError):
                    owned.get(path, "", asker)


@pytest.mark.parametrize("who", PEOPLE)
def test_filters_and_orders_tell_nothing_of_what_is_hidden(owned, who):
    asker = PEOPLE[who]
    seen = sum(reads(who, *one) for one in OWNED)
    sensors = owned.values("Sensors", "$filter=Datastreams/name ne 'x'&$count=true", asker)
    assert len(sensors) <= len(OWNED)
    hit = owned.values("Datastreams", "$filter=startswith(Thing/name, 'none-')", asker)
    assert len(hit) == sum(reads(who, *one) for one in OWNED if one[0] == "none")
    hit = owned.values("Things", "$filter=Datastreams/Observations/result ge 0", asker)
    assert len(hit) == seen


@pytest.mark.parametrize("who", PEOPLE)
def test_places_are_told_as_finely_as_the_policies_say(owned, who):
    asker = PEOPLE[who]
    for number, one in enumerate(OWNED, 1):
        if not reads(who, *one):
            continue
        told = owned.get(f"Locations({number})", "", asker)["location"]
        assert (told["type"] == "Point") is finest(who, *one)
        lon = 116.40001 + (number - 1) / 10
        exact = f"$filter=st_equals(location, geography'POINT({lon} 39.9)') and id eq {number}"
        assert bool(owned.values("Locations", exact, asker)) is finest(who, *one)
        by_json = f"$filter=location/coordinates/0 eq {lon} and id eq {number}"
        assert bool(owned.values("Locations", by_json, asker)) is finest(who, *one)


@pytest.mark.parametrize("who", PEOPLE)
def test_only_keepers_change_and_only_devices_and_keepers_send(changed, who):
    asker = PEOPLE[who]
    keeps = who in ("keeper of the owner", "administrator")
    sends = keeps or who == "device of the owner"
    for method, path, body in (
        ("PATCH", "Things(1)", {"name": "改"}),
        (
            "POST",
            "Things(1)/Datastreams",
            datastream("新", Sensor={"@iot.id": 1}, ObservedProperty={"@iot.id": 1}),
        ),
        ("DELETE", "HistoricalLocations(1)", None),
    ):
        if not keeps:
            with pytest.raises(JingweiError):
                changed.send(method, path, body, asker)
    if sends:
        assert changed.send("POST", "Datastreams(1)/Observations", reading(5, 5), asker).status == 201
    else:
        with pytest.raises((RefusedError, JingweiError)):
            changed.send("POST", "Datastreams(1)/Observations", reading(5, 5), asker)
    assert changed.get("Things(1)")["name"] == "unconditional-1"
    if who == "keeper of the owner":
        # Sensors and properties that stand by themselves belong to who made them.
        assert changed.send("PATCH", "Things(1)", {"name": "改"}, asker).status == 200
