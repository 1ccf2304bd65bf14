"""resource-path/resource-path-to-entities: sets, entities, properties, values, links, and their addresses."""

import pytest

from .conftest import ROOT


def test_all_kinds_of_path(service):
    thing, stream = service.thing([5])
    assert service.get(f"{thing}/name") == {"name": "station"}
    assert service.client.get(f"{ROOT}{thing}/name/$value").text == "station"
    assert [one.keys() for one in service.get(f"{thing}/Datastreams/$ref")["value"]] == [{"@iot.selfLink"}]
    (seen,) = service.get(f"{stream}/Observations")["value"]
    nested = service.get(f"{stream}/Observations({seen['@iot.id']})/FeatureOfInterest")
    assert nested["feature"]["type"] == "Point"
    assert service.get(f"{thing}{stream}/Observations")["value"] == [seen]


def test_parentheses_may_be_encoded(service):
    thing, _ = service.thing()
    encoded = thing.replace("(", "%28").replace(")", "%29")
    assert service.client.get(f"{ROOT}{encoded}").json() == service.get(thing)


@pytest.mark.parametrize("path", ["/Nothings", "/Things(999999)", "/Things(1)/Nothing", "/Things(x)"])
def test_what_leads_nowhere_is_not_found(service, path):
    service.thing()
    service.get(path, status=404)


def test_the_head_of_an_answer_is_that_of_the_answer(service):
    """Beyond 18-088: who may ask with GET may ask with HEAD (RFC 9110, 9.1)."""
    for path in ("/sta/v1.1", "/sta/v1.1/Things"):
        answer = service.client.head(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert service.client.head("/sta/v1.1/Nothings").status_code == 404
