"""batch-request, multi-datastream, data-array."""

import pytest

from .conftest import OBSERVED, PLACE, ROOT, SENSOR, UNIT


def test_batch_request(service):
    """batch-request/batch-request: parts in order; a change set is done whole or not at all."""
    lines = [
        "--b", "Content-Type: multipart/mixed; boundary=c", "",
        "--c", "Content-Type: application/http", "Content-ID: 1", "",
        f"POST {ROOT}/Things HTTP/1.1", "Content-Type: application/json", "",
        '{"name":"lost","description":""}',
        "--c", "Content-Type: application/http", "Content-ID: 2", "",
        f"POST {ROOT}/Things HTTP/1.1", "Content-Type: application/json", "", "{}",
        "--c--",
        "--b", "Content-Type: application/http", "",
        f"GET {ROOT}/Things?$top=1&$select=name HTTP/1.1", "", "",
        "--b--", "",
    ]  # fmt: skip
    media = {"content-type": "multipart/mixed; boundary=b"}
    answer = service.client.post(f"{ROOT}/$batch", content="\r\n".join(lines), headers=media)
    assert answer.status_code == 200
    assert "HTTP/1.1 400" in answer.text
    assert "HTTP/1.1 200" in answer.text
    assert service.get("/Things", filter="name eq 'lost'")["value"] == []


def wind(**more):
    kind = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
    return {
        "name": "wind",
        "description": "",
        "multiObservationDataTypes": [kind, kind],
        "unitOfMeasurements": [UNIT, UNIT],
        "Sensor": SENSOR,
        "ObservedProperties": [OBSERVED, OBSERVED | {"name": "direction"}],
        **more,
    }


def test_multi_datastream(service):
    """multi-datastream/properties, relations, constraints: as many results as types, units and properties."""
    thing, _ = service.thing()
    stream = service.made(f"{thing}/MultiDatastreams", wind())
    told = service.get(stream)
    assert told["observationType"].endswith("OM_ComplexObservation")
    for link in ("Thing", "Sensor", "ObservedProperties", "Observations"):
        assert f"{link}@iot.navigationLink" in told
    made = service.made(
        f"{stream}/Observations", {"phenomenonTime": "2026-01-01T00:00:00Z", "result": [3, 90]}
    )
    assert service.get(made)["result"] == [3, 90]
    assert service.get(f"{made}/MultiDatastream")["name"] == "wind"
    service.post(f"{stream}/Observations", {"result": [3]}, status=400)
    service.post(f"{thing}/MultiDatastreams", wind(unitOfMeasurements=[UNIT]), status=400)
    assert service.get(f"{made}/result[1]") == {"result[1]": 90}


def test_an_observed_property_is_given_to_a_datastream_and_not_to_a_multi_datastream(service):
    thing, stream = service.thing()
    several = service.made(f"{thing}/MultiDatastreams", wind())
    made = service.made("/ObservedProperties", OBSERVED | {"name": "other"})

    def give(name, path):
        told = {name: [{"@iot.id": int(path.partition("(")[2][:-1])}]}
        return service.client.patch(ROOT + made, json=told).status_code

    assert (give("Datastreams", stream), give("MultiDatastreams", several)) == (200, 400)
    assert service.get(f"{stream}/ObservedProperty")["name"] == "other"
    assert [one["name"] for one in service.get(f"{several}/ObservedProperties")["value"]] == [
        "heat",
        "direction",
    ]


def test_data_array_is_told(service):
    """data-array/data-array: components and rows of each stream; it is not expanded."""
    _, stream = service.thing([1, 2])
    (told,) = service.get(f"{stream}/Observations", resultFormat="dataArray", select="phenomenonTime,result")[
        "value"
    ]
    assert told["components"] == ["phenomenonTime", "result"]
    assert [row[1] for row in told["dataArray"]] == [1, 2]
    assert told["dataArray@iot.count"] == 2
    service.get(f"{stream}/Observations", status=400, resultFormat="dataArray", expand="Datastream")


@pytest.mark.parametrize("feature", [False, True])
def test_data_array_is_taken(service, feature):
    """data-array/data-array: each row is answered by its address, or by `error`."""
    _, stream = service.thing()
    rows, components = [["2026-01-01T00:00:00Z", 1], ["no time", 2]], ["phenomenonTime", "result"]
    if feature:
        where = {"name": "f", "description": "", "encodingType": "application/geo+json"}
        made = service.get(service.made("/FeaturesOfInterest", where | {"feature": PLACE["location"]}))
        components, rows = [*components, "FeatureOfInterest/id"], [[*row, made["@iot.id"]] for row in rows]
    number = int(stream.partition("(")[2][:-1])
    sent = {"Datastream": {"@iot.id": number}, "components": components, "dataArray": rows}
    first, second = service.post("/CreateObservations", [sent]).json()
    kept = service.client.get(first).json()
    assert (kept["result"], second) == (1, "error")
    if feature:
        assert service.client.get(f"{first}/FeatureOfInterest").json()["@iot.id"] == made["@iot.id"]
