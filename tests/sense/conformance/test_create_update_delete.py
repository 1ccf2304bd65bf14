"""create-update-delete: entities made, linked, changed and taken away; places and their history."""

import pytest

from .conftest import OBSERVED, PLACE, ROOT, SENSOR, STREAM


def test_create_entity_and_link_to_existing_entities(service):
    """create-update-delete/create-entity, link-to-existing-entities; whole entities are links, too."""
    thing, _ = service.thing()
    sensor, observed = service.made("/Sensors", SENSOR), service.made("/ObservedProperties", OBSERVED)
    links = {
        "Thing": {"@iot.id": service.get(thing)["@iot.id"]},
        "Sensor": service.get(sensor),
        "ObservedProperty": {"@iot.id": service.get(observed)["@iot.id"], "name": "ignored"},
    }
    stream = service.made("/Datastreams", STREAM | links)
    assert service.get(f"{stream}/Sensor") == service.get(sensor)
    assert service.get(f"{stream}/ObservedProperty") == service.get(observed)


def test_names_may_repeat_and_ids_do_not(service):
    made = {service.made("/Sensors", SENSOR) for _ in range(2)}
    assert len(made) == 2


def test_deep_insert_is_whole_or_not_at_all(service):
    """create-update-delete/deep-insert, deep-insert-status-codes."""
    before = service.get("/Things", count="true", top=0)["@iot.count"]
    broken = {"name": "n", "description": "", "Datastreams": [STREAM | {"ObservedProperty": {"name": "x"}}]}
    service.post("/Things", broken, status=400)
    assert service.get("/Things", count="true", top=0)["@iot.count"] == before


@pytest.mark.parametrize("body", [{}, {"name": "x"}, {"name": 3, "description": ""}, []])
def test_what_lacks_something_is_refused(service, body):
    assert service.client.post(f"{ROOT}/Things", json=body).status_code in (400, 409)


def test_update_entity(service):
    """create-update-delete/update-entity, update-entity-put, update-entity-jsonpatch: each answers 200."""
    thing, _ = service.thing(properties={"a": 1})
    address = ROOT + thing
    assert service.client.patch(address, json={"name": "patched"}).status_code == 200
    assert service.get(thing)["properties"] == {"a": 1}
    assert service.client.patch(address, json={"Datastreams": [STREAM]}).status_code == 400
    assert service.client.put(address, json={"name": "put", "description": "d"}).status_code == 200
    assert "properties" not in service.get(thing)
    told = b'[{"op": "replace", "path": "/name", "value": "by JSON patch"}]'
    media = {"content-type": "application/json-patch+json"}
    assert service.client.patch(address, content=told, headers=media).status_code == 200
    assert service.get(thing)["name"] == "by JSON patch"


def test_delete_entity(service):
    """create-update-delete/delete-entity: 200, then 404; what cannot be without it goes along."""
    thing, stream = service.thing([1])
    assert service.client.delete(ROOT + thing).status_code == 200
    for gone in (thing, stream, f"{stream}/Observations"):
        service.get(gone, status=404)
    assert service.client.delete(ROOT + thing).status_code == 404


def test_historical_location_auto_creation(service):
    """create-update-delete/historical-location-auto-creation: also where a PATCH links a place."""
    thing, _ = service.thing()
    place = service.get(service.made("/Locations", PLACE | {"name": "elsewhere"}))
    linked = {"Locations": [{"@iot.id": place["@iot.id"]}]}
    assert service.client.patch(ROOT + thing, json=linked).status_code == 200
    assert [one["name"] for one in service.get(f"{thing}/Locations")["value"]] == ["elsewhere"]
    assert len(service.get(f"{thing}/HistoricalLocations")["value"]) == 2


def test_historical_location_manual_creation(service):
    """create-update-delete/historical-location-manual-creation: the newest one moves the thing."""
    thing, _ = service.thing()
    number = service.get(thing)["@iot.id"]
    old, new = (service.get(service.made("/Locations", PLACE | {"name": one})) for one in ("old", "new"))
    for time, place, now in (("2001-01-01T00:00:00Z", old, "pole"), ("2999-01-01T00:00:00Z", new, "new")):
        body = {"time": time, "Thing": {"@iot.id": number}, "Locations": [{"@iot.id": place["@iot.id"]}]}
        service.made("/HistoricalLocations", body)
        assert [one["name"] for one in service.get(f"{thing}/Locations")["value"]] == [now]


def test_the_feature_of_interest_is_made_of_the_place(service):
    """create-update-delete/deep-insert, 10.2 table 23: once, and none where the thing has no place."""
    _, stream = service.thing([1, 2])
    features = {
        service.get(f"/Observations({one['@iot.id']})/FeatureOfInterest")["@iot.id"]
        for one in service.get(f"{stream}/Observations")["value"]
    }
    assert len(features) == 1
    _, without = service.thing(Locations=[])
    service.post(f"{without}/Observations", {"result": 1}, status=400)


def test_a_stream_keeps_its_times_and_its_area(service):
    """datamodel/datastream/properties: phenomenonTime, resultTime and observedArea are the server's."""
    _, stream = service.thing([1, 2, 3])
    told = service.get(stream)
    assert told["phenomenonTime"] == "2026-01-01T00:00:00Z/2026-01-01T02:00:00Z"
    assert told["observedArea"] == PLACE["location"]
