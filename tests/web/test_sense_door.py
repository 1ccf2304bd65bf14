"""The quick door does what the long way does, for who may, and leaves the rest to it."""

import pytest
from fastapi.testclient import TestClient

from jingwei.errors import JingweiError
from jingwei.web import OPEN, create_app
from jingwei.web.quotas import Quotas
from jingwei.web.rates import TooOftenError

ROOT = "/sta/v1.1"
THING = {
    "name": "station",
    "description": "",
    "Locations": [
        {
            "name": "here",
            "description": "",
            "encodingType": "application/geo+json",
            "location": {"type": "Point", "coordinates": [114.06, 22.54]},
        }
    ],
    "Datastreams": [
        {
            "name": "PM2.5",
            "description": "",
            "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
            "unitOfMeasurement": {"name": "ug/m3", "symbol": "ug/m3", "definition": ""},
            "properties": {"validRange": [0, 1000]},
            "Sensor": {"name": "s", "description": "", "encodingType": "text/html", "metadata": "x"},
            "ObservedProperty": {"name": "PM2.5", "definition": "http://x/pm", "description": ""},
        }
    ],
}
FIRST = {"phenomenonTime": "2026-01-01T00:00:00Z", "result": 1}


@pytest.fixture
def served(bare):
    """An open city with a stream that has one reading, and what of its requests the routes saw."""
    app = create_app(bare, entry=OPEN)
    with TestClient(app, raise_server_exceptions=False, base_url="http://localhost") as client:
        assert client.post(f"{ROOT}/Things", json=THING).status_code == 201
        assert client.post(f"{ROOT}/Datastreams(1)/Observations", json=FIRST).status_code == 201
        yield client, app


def long_way(app, monkeypatch):
    """Let the routes answer everything."""

    async def straight(self, scope, receive, send):
        await self.app(scope, receive, send)

    monkeypatch.setattr("jingwei.web.sense_door.SenseDoor.__call__", straight)


@pytest.mark.parametrize(
    "sent",
    [
        {"phenomenonTime": "2026-01-02T00:00:00Z", "result": 2},
        {"phenomenonTime": "2026-01-02T08:00:00.123456+08:00", "result": 2.5},
        {"phenomenonTime": "2026-01-02T00:00:00Z", "result": "open", "resultTime": "2026-01-02T00:00:01Z"},
        {"phenomenonTime": "2026-01-02T00:00:00Z", "result": True},
        {"phenomenonTime": "2026-01-02T00:00:00Z", "result": 12345678901234567890},
        {"phenomenonTime": "2026-01-02T00:00:00Z/2026-01-02T01:00:00Z", "result": 7},
        {"phenomenonTime": "2026-01-02T00:00:00Z", "result": [1, 2]},
    ],
)
def test_a_reading_is_kept_as_by_the_long_way(served, monkeypatch, sent):
    client, app = served
    path = f"{ROOT}/Datastreams(1)/Observations"
    quick = client.post(path, json=sent)
    assert quick.status_code == 201
    by_door = client.get(quick.headers["location"]).json()
    assert client.delete(quick.headers["location"]).status_code == 200
    long_way(app, monkeypatch)
    slow = client.post(path, json=sent)
    by_routes = client.get(slow.headers["location"]).json()
    kept = ("phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters")
    assert {name: by_door.get(name) for name in kept} == {name: by_routes.get(name) for name in kept}


def test_the_answer_names_the_reading(served):
    client, _ = served
    answer = client.post(
        f"{ROOT}/Observations",
        json={"result": 3.5, "phenomenonTime": "2026-01-03T00:00:00Z", "Datastream": {"@iot.id": 1}},
    )
    told = answer.json()
    assert answer.headers["location"] == told["@iot.selfLink"]
    assert client.get(told["@iot.selfLink"]).json()["result"] == 3.5
    assert client.get(told["Datastream@iot.navigationLink"]).json()["@iot.id"] == 1
    assert client.get(told["FeatureOfInterest@iot.navigationLink"]).status_code == 200


def test_data_arrays_are_taken_whole(served):
    client, app = served
    rows = [[f"2026-02-01T00:00:{second:02}Z", second] for second in range(60)]
    body = [
        {"Datastream": {"@iot.id": 1}, "components": ["phenomenonTime", "result"], "dataArray": rows},
        {
            "Datastream": {"@iot.id": 1},
            "components": ["result", "phenomenonTime"],
            "dataArray": [[5000, "2026-02-02T00:00:00Z"], [7, "2026-02-02T00:00:01Z"]],
        },
    ]
    answer = client.post(f"{ROOT}/CreateObservations", json=body)
    assert answer.status_code == 201
    assert answer.json()[60] == "error"
    assert client.get(answer.json()[-1]).json()["result"] == 7
    assert app.state.readings.count([1]) == 62


@pytest.mark.parametrize(
    "options",
    [
        "$top=3&$orderby=phenomenonTime%20desc",
        "$orderby=phenomenonTime+desc&$top=2&$skip=2",
        "$top=100&$orderby=phenomenonTime%20desc",
        "%24top=2&%24orderby=phenomenonTime%20desc",
        "$top=2&$skip=50&$orderby=phenomenonTime%20desc",
    ],
)
def test_the_newest_readings_are_told_as_by_the_long_way(served, monkeypatch, options):
    client, app = served
    for second, result in enumerate((1, 2.5, -0.0, 1e22, 3)):
        sent = {"phenomenonTime": f"2026-03-01T00:00:0{second}.{second}00Z", "result": result % 999}
        assert client.post(f"{ROOT}/Datastreams(1)/Observations", json=sent).status_code == 201
    address = f"{ROOT}/Datastreams(1)/Observations?{options}"
    quick = client.get(address)
    long_way(app, monkeypatch)
    assert quick.content == client.get(address).content


def test_an_impossible_reading_is_told_and_kept(served):
    client, app = served
    sent = {"phenomenonTime": "2026-01-02T00:00:00Z", "result": 5000}
    answer = client.post(f"{ROOT}/Datastreams(1)/Observations", json=sent)
    assert (answer.status_code, answer.json()["where"]) == (400, {"reason": "impossible"})
    total, (kept,) = app.state.readings.kept_apart()
    assert (total, kept.code) == (1, "impossible")


def test_what_is_wrong_is_told_by_the_routes(served):
    client, _ = served
    path = f"{ROOT}/Datastreams(1)/Observations"
    for body in (b"{", b"[]", b'{"result":1,"phenomenonTime":"yesterday"}', b'{"phenomenonTime":null}'):
        answer = client.post(path, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400
        assert answer.json()["code"]
    assert client.post(f"{ROOT}/Datastreams(99)/Observations", json=FIRST).status_code == 404


def test_a_full_intake_asks_to_come_again(served, monkeypatch):
    client, _ = served
    monkeypatch.setattr("jingwei.sense.readings.intake.Intake._is_full", lambda *_: True)
    sent = {"phenomenonTime": "2026-01-09T00:00:00Z", "result": 1}
    answer = client.post(f"{ROOT}/Datastreams(1)/Observations", json=sent)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_without_sign_in_nothing_is_taken(bare):
    app = create_app(bare)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.post(f"{ROOT}/Datastreams(1)/Observations", json=FIRST)
        assert answer.status_code in (401, 403, 503)


def test_a_sender_has_a_quota():
    now = [0.0]
    quotas = Quotas(60, lambda: now[0])
    quotas.take("a", 60)
    with pytest.raises(TooOftenError) as refused:
        quotas.take("a", 10)
    assert isinstance(refused.value, JingweiError)
    assert refused.value.where == {"seconds": 10}
    quotas.take("b", 60)
    now[0] = 10.0
    quotas.take("a", 10)
