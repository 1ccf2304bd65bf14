"""datamodel: entities, what is mandatory of them, how they are related, control information."""

import pytest

from .conftest import ROOT, SPEC

MODEL = {
    "Things": ({"name", "description"}, {"Locations", "HistoricalLocations", "Datastreams"}),
    "Locations": ({"name", "description", "encodingType", "location"}, {"Things", "HistoricalLocations"}),
    "HistoricalLocations": ({"time"}, {"Thing", "Locations"}),
    "Datastreams": (
        {"name", "description", "unitOfMeasurement", "observationType"},
        {"Thing", "Sensor", "ObservedProperty", "Observations"},
    ),
    "Sensors": ({"name", "description", "encodingType", "metadata"}, {"Datastreams"}),
    "ObservedProperties": ({"name", "definition", "description"}, {"Datastreams"}),
    "Observations": ({"phenomenonTime", "result", "resultTime"}, {"Datastream", "FeatureOfInterest"}),
    "FeaturesOfInterest": ({"name", "description", "encodingType", "feature"}, {"Observations"}),
}


@pytest.mark.parametrize("name", MODEL)
def test_properties_relations_and_control_information(service, name):
    """datamodel/<entity>/properties and relations; datamodel/entity-control-information/common."""
    service.thing([1])
    told, links = MODEL[name]
    one = service.get(f"/{name}", top=1)["value"][0]
    address = f"http://localhost{ROOT}/{name}({one['@iot.id']})"
    assert told <= one.keys()
    assert isinstance(one["@iot.id"], int)
    assert one["@iot.selfLink"] == address
    for link in links:
        assert one[f"{link}@iot.navigationLink"] == f"{address}/{link}"
        service.get(f"/{name}({one['@iot.id']})/{link}")


def test_the_root_names_the_sets_and_what_it_conforms_to(service):
    """resource-path/resource-path-to-entities, and the server settings of 1.1."""
    root = service.get("")
    assert {one["name"]: one["url"] for one in root["value"]} == {
        name: f"http://localhost{ROOT}/{name}" for name in (*MODEL, "MultiDatastreams")
    }
    claimed = set(root["serverSettings"]["conformance"])
    for needed in ("datamodel/thing", "request-data/filter", "create-update-delete/deep-insert"):
        assert SPEC + needed in claimed
    for needed in ("batch-request/batch-request", "multi-datastream", "data-array/data-array"):
        assert SPEC + needed in claimed
