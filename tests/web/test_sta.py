"""SensorThings as its clients meet it over HTTP."""

from __future__ import annotations

import json
from urllib.parse import quote

import frost_sta_client as fsc
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jingwei.web import OPEN, Entry, create_app

from .people import client_of, person_of, sign_in
from .served import serving

ROOT = "/sta/v1.1"
SENSOR = {"name": "s", "description": "", "encodingType": "text/html", "metadata": "m"}


@pytest.fixture
def sta(bare):
    """A client of an empty city in open mode."""
    return TestClient(create_app(bare, entry=OPEN), raise_server_exceptions=False)


def test_what_is_made_changed_and_deleted_is_answered_as_clients_expect(sta):
    made = sta.post(f"{ROOT}/Sensors", json=SENSOR)
    address = made.headers["location"]
    assert (made.status_code, address) == (201, f"http://testserver{ROOT}/Sensors(1)")
    assert sta.get(address.replace("(", "%28").replace(")", "%29")).json()["name"] == "s"
    assert sta.patch(f"{ROOT}/Sensors%281%29", json={"name": "t"}).status_code == 200
    assert sta.patch(f"{ROOT}/Sensors(1)", json={"Datastreams": [{"name": "inline"}]}).status_code == 400
    assert sta.delete(f"{ROOT}/Sensors(1)").status_code == 200
    assert sta.get(f"{ROOT}/Sensors(1)").status_code == 404
    assert sta.delete(f"{ROOT}/Sensors(1)").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/Things", b"{", 400),
        ("POST", "/Things", b"\xff", 400),
        ("POST", "/Things", b'{"name": "x"}', 400),
        ("POST", "/Nothings", b"{}", 404),
        ("POST", "", b"{}", 405),
        ("PUT", "/Things", b"{}", 405),
        ("DELETE", "/Things", b"", 405),
        ("GET", "/Things?$filter=name eq", b"", 400),
        ("GET", "/Things?$top=x", b"", 400),
        ("GET", "/Things(1)/name", b"", 404),
    ],
)
def test_what_is_wrong_is_a_problem(sta, method, path, body, status):
    answer = sta.request(method, ROOT + path, content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"]


@settings(
    max_examples=200, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(
    st.sampled_from(
        ["Things", "Observations", "Datastreams(1)", "Things(1)/Datastreams", "$batch", "", "Things(1)/name"]
    ),
    st.sampled_from(
        ["$filter", "$orderby", "$expand", "$select", "$top", "$skip", "$count", "$resultFormat"]
    ),
    st.text(max_size=40)
    | st.sampled_from(["name eq 'x'", "((((", "geography'POINT(1 1)'", "1 div 0 eq 1", "not", "a/b/c"]),
    st.sampled_from(["GET", "POST", "PATCH", "PUT", "DELETE"]),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda x: (
            st.lists(x, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["name", "description", "Datastreams", "@iot.id", "result", "requests", "url"]
                ),
                x,
                max_size=4,
            )
        ),
    ),
)
def test_no_question_breaks_the_server(client, path, option, value, method, body):
    """Asked of the shared city: nothing that is whole enough to change it is among the bodies."""
    address = f"{ROOT}/{path}?{option}={quote(value)}"
    answer = client.request(method, address, content=json.dumps(body) if method != "GET" else None)
    assert answer.status_code < 500 or answer.status_code == 501, (method, address, body, answer.text)


def test_the_client_of_frost_creates_links_filters_and_pages(bare):
    with serving(create_app(bare, entry=OPEN)) as address:
        service = fsc.SensorThingsService(address + ROOT)
        place = {"type": "Point", "coordinates": [116.4, 39.9]}
        thing = fsc.Thing(name="站", description="d", properties={"a": 1})
        thing.locations = [
            fsc.Location(name="l", description="d", encoding_type="application/geo+json", location=place)
        ]
        service.create(thing)
        sensor = fsc.Sensor(name="s", description="d", encoding_type="text/html", metadata="m")
        service.create(sensor)
        prop = fsc.ObservedProperty(name="p", definition="https://terms.example/p", description="d")
        service.create(prop)
        unit = fsc.UnitOfMeasurement(name="u", symbol="u", definition="u")
        # This client sends what it links with as a whole.
        stream = fsc.Datastream(
            name="ds", description="d", observation_type="m", unit_of_measurement=unit, thing=thing,
            sensor=sensor, observed_property=prop,
        )  # fmt: skip
        service.create(stream)
        for hour in range(5):
            service.create(
                fsc.Observation(phenomenon_time=f"2026-11-01T0{hour}:00:00Z", result=hour, datastream=stream)
            )
        found = (
            stream.get_observations().query().filter("result gt 1").orderby("result", "desc").top(2).list()
        )
        assert [one.result for one in found] == [4, 3, 2]  # it follows the links to further pages
        assert service.things().query().count().list().count == 1
        (linked,) = service.datastreams().query().expand("Thing").list().entities
        assert linked.thing.name == "站"
        stream.name = "neu"
        service.update(stream)
        assert service.datastreams().find(stream.id).name == "neu"
        service.delete(thing)
        assert service.datastreams().query().list().entities == []


def test_who_is_not_signed_in_is_told_nothing(bare):
    stranger = client_of(bare, Entry())
    person_of(bare, "keeper", "device_keeper", department="")
    for method, path in (
        ("GET", ""),
        ("GET", "/Things"),
        ("POST", "/Things"),
        ("POST", "/$batch"),
        ("DELETE", "/Things(1)"),
    ):
        assert stranger.request(method, ROOT + path, json={}).status_code == 401
    for path in ("map", "latest", "streams", "devices", "live"):
        assert stranger.get(f"/api/sense/{path}").status_code == 401


def test_a_person_keeps_sensors_by_the_own_role(bare):
    person_of(bare, "looker", "operator")
    person_of(bare, "keeper", "device_keeper")
    looker, keeper = (sign_in(client_of(bare, Entry()), name) for name in ("looker", "keeper"))
    assert looker.post(f"{ROOT}/Sensors", json=SENSOR).status_code == 403
    assert keeper.post(f"{ROOT}/Sensors", json=SENSOR).status_code == 201
    assert [one["name"] for one in looker.get(f"{ROOT}/Sensors").json()["value"]] == ["s"]


def test_live_values_reach_who_listens(bare):
    import httpx2

    with (
        serving(create_app(bare, entry=OPEN)) as address,
        httpx2.Client(base_url=address, timeout=20) as client,
    ):
        stream = {
            "name": "d", "description": "", "observationType": "m", "unitOfMeasurement": {}, "Sensor": SENSOR,
            "ObservedProperty": {"name": "p", "definition": "d", "description": ""},
        }  # fmt: skip
        place = {
            "name": "l",
            "description": "",
            "encodingType": "application/geo+json",
            "location": {"type": "Point", "coordinates": [1, 2]},
        }
        thing = {"name": "t", "description": "", "Locations": [place], "Datastreams": [stream]}
        assert client.post(f"{ROOT}/Things", json=thing).status_code == 201
        with client.stream("GET", "/api/sense/live") as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("retry")
            assert client.post(f"{ROOT}/Datastreams(1)/Observations", json={"result": 7}).status_code == 201
            told = next(line for line in lines if line.startswith("data:"))
        (one,) = json.loads(told.removeprefix("data:"))
        assert (one["stream"], one["result"]) == (1, 7)


def test_grafana_searches_and_draws(sta):
    thing = {
        "name": "t",
        "description": "",
        "Locations": [{"name": "l", "description": "", "encodingType": "text/plain", "location": "x"}],
    }
    stream = {
        "name": "d", "description": "", "observationType": "m", "unitOfMeasurement": {"symbol": "m"},
        "Sensor": SENSOR, "ObservedProperty": {"name": "p", "definition": "d", "description": ""},
        "Observations": [{"phenomenonTime": f"2026-11-01T0{n}:00:00Z", "result": n} for n in range(3)],
    }  # fmt: skip
    assert sta.post(f"{ROOT}/Things", json=thing | {"Datastreams": [stream]}).status_code == 201
    assert sta.get("/api/sense/grafana").json() == sta.get("/api/sense/grafana/").json()
    assert sta.get("/api/sense/grafana/").json()["status"] == "ok"
    (choice,) = sta.post("/api/sense/grafana/search", json={"target": "d"}).json()
    asked = {
        "range": {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"},
        "targets": [{"target": choice["value"]}],
        "maxDataPoints": 100,
    }
    (told,) = sta.post("/api/sense/grafana/query", json=asked).json()
    assert [value for value, _ in told["datapoints"]] == [0, 1, 2]
    assert told["datapoints"][0][1] == 1_793_491_200_000


def test_how_the_intake_fares_is_told(sta):
    place = {"name": "l", "description": "", "encodingType": "text/plain", "location": "x"}
    stream = {
        "name": "d", "description": "", "observationType": "m", "unitOfMeasurement": {"symbol": "m"},
        "Sensor": SENSOR, "ObservedProperty": {"name": "p", "definition": "d", "description": ""},
        "properties": {"validRange": [0, 10]},
    }  # fmt: skip
    thing = {"name": "t", "description": "", "Locations": [place], "Datastreams": [stream]}
    assert sta.post(f"{ROOT}/Things", json=thing).status_code == 201
    for result in (1, 2, 99):
        sta.post(f"{ROOT}/Datastreams(1)/Observations", json={"result": result})
    told = sta.get("/api/sense/health").json()
    assert (told["taken"], told["waiting"], told["apart"]) == (2, 0, {"impossible": 1})
    assert told["examples"][0]["said"]["result"] == 99
    assert (sum(one["taken"] for one in told["minutes"]), told["sources"][0]["name"]) == (2, "d")
