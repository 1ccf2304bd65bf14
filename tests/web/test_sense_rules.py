"""Rules over readings by HTTP: written, tried, switched on; alarms, their reasons and the state of cells."""

import shutil
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from jingwei.city import open_city
from jingwei.city.models import CityRow
from jingwei.records import now_utc
from jingwei.sense.rules.keeping import RuleKeeper
from jingwei.web import OPEN, create_app
from jingwei.web.answers import instant_of

from .test_dggs_sensing import HERE, ROOT, thing

API = "/api/sense"
HIGH = {
    "zh": "颗粒物过高",
    "en": "Particles are high",
    "signs": [{"observes": "PM2.5", "kind": "above", "value": 2, "until": 1}],
    "severity": "alarm",
}
PERIOD = {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"}


@pytest.fixture(scope="module")
def served(tmp_path_factory, migrated_sqlite):
    home = tmp_path_factory.mktemp("ruled")
    shutil.copy(migrated_sqlite, home / "records.db")
    with open_city(home) as city:
        about = {"name": {"zh": "方城"}, "adcode": "990100", "generated": False, "time_zone": "Asia/Shanghai"}
        with city.records.write() as session:
            session.add(CityRow(id="ruled", about=about, pack="", data="", changed=now_utc()))
        app = create_app(city, entry=OPEN)
        with TestClient(app, raise_server_exceptions=False, base_url="http://localhost") as client:
            assert client.post(f"{ROOT}/Things", json=thing(HERE)).status_code == 201
            yield client, RuleKeeper(city.records, app.state.readings, city.about.zone)


def say(client, hour, result):
    told = {"phenomenonTime": f"2026-01-01T{hour:02}:30:00Z", "result": result}
    assert client.post(f"{ROOT}/Datastreams(1)/Observations", json=told).status_code == 201


def test_a_rule_is_written_tried_and_switched_on_and_its_alarm_explains_itself(served):
    client, keeper = served
    keeper.look()
    for hour, result in enumerate((0, 3, 0)):
        say(client, hour, result)
    keeper.look()
    tried = client.post(f"{API}/rule-trials", json={"rule": HIGH, **PERIOD}).json()
    assert (tried["streams"], tried["readings"], tried["alarms"], tried["false"]) == (1, 3, 1, 0)
    assert tried["found"][0]["reasons"][0]["value"] == 3

    rule = client.post(f"{API}/rules", json={"rule": HIGH}).json()
    assert (rule["version"], rule["on"], rule["may_write"]) == (1, False, True)
    assert client.post(f"{API}/rules/{rule['id']}/switch", json={"to": "on"}).json()["on"]
    say(client, 3, 4)
    keeper.look()
    (alarm,) = client.get(f"{API}/alarms", params={"lasting": True}).json()["alarms"]
    assert alarm["title"] == {"zh": "颗粒物过高", "en": "Particles are high"}
    assert alarm["began"] == "2026-01-01T03:30:00Z"
    assert [(one["stream"], one["value"]) for one in alarm["reasons"]] == [(1, 4)]
    assert [(one["observes"], one["kind"], one["value"]) for one in alarm["signs"]] == [("PM2.5", "above", 2)]
    (incident,) = client.get(f"{API}/incidents").json()["incidents"]
    assert (incident["id"], incident["alarms"], incident["lasting"]) == (alarm["incident"], 1, 1)
    assert (incident["title"], incident["cases"]) == (alarm["title"], [])
    assert client.get(f"{API}/incidents", params={"lasting": False}).json()["incidents"] == []
    (state,) = client.get(f"{API}/states", params={"level": 17}).json()["states"]
    assert (state["severity"], state["alarms"][0]["id"]) == ("alarm", alarm["id"])
    for code in (state["code"], alarm["code"]):
        cell = client.get(f"{API}/states/{code}").json()
        assert (cell["severity"], [one["id"] for one in cell["alarms"]]) == ("alarm", [alarm["id"]])
        assert [(one["id"], one["result"]) for one in cell["streams"]] == [(1, 4)]
    west, south, east, north = state["bounds"]
    assert west <= alarm["lon"] <= east
    assert south <= alarm["lat"] <= north

    say(client, 4, 0)
    keeper.look()
    (ended,) = client.get(f"{API}/alarms").json()["alarms"]
    assert (ended["ended"], ended["ended_by"][0]["since"]) == ("2026-01-01T04:30:00Z",) * 2

    marked = client.post(f"{API}/alarms/{alarm['id']}/mark", json={"mark": "false"}).json()
    assert marked["mark"] == "false"
    asked = {"rule": HIGH, "number": rule["id"], **PERIOD}
    assert client.post(f"{API}/rule-trials", json=asked).json()["false"] == 1

    again = HIGH | {"severity": "notice"}
    assert client.put(f"{API}/rules/{rule['id']}", json={"rule": again}).json()["version"] == 2
    whole = client.get(f"{API}/rules/{rule['id']}").json()
    assert [one["rule"].get("severity") for one in whole["versions"]] == ["notice", "alarm"]
    client.post(f"{API}/rules/{rule['id']}/switch", json={"to": "deleted"})
    assert client.get(f"{API}/rules/{rule['id']}").status_code == 404
    keeper.look(round(datetime(2026, 1, 1, 5, tzinfo=UTC).timestamp() * 1e6))
    assert client.get(f"{API}/states").json()["states"] == []
    after = client.get(f"{API}/states/{state['code']}").json()
    assert (after["severity"], after["alarms"]) == ("unknown", [])
    assert [one["id"] for one in after["past"]] == [alarm["id"]]
    assert client.get(f"{API}/states/nowhere").status_code == 400


def test_an_alarm_of_a_silly_time_is_told_and_so_is_how_it_ended(served):
    client, keeper = served
    keeper.look()
    rule = client.post(f"{API}/rules", json={"rule": HIGH}).json()["id"]
    client.post(f"{API}/rules/{rule}/switch", json={"to": "on"})
    assert client.post(f"{ROOT}/Things", json=thing(HERE)).status_code == 201
    moments = ("0001-01-01T00:00:00Z", "0001-01-01T00:00:01Z")
    for moment, result in zip(moments, (4, 0), strict=True):
        told = {"phenomenonTime": moment, "result": result}
        assert client.post(f"{ROOT}/Datastreams(2)/Observations", json=told).status_code == 201
    keeper.look()
    told = client.get(f"{API}/alarms", params={"rule": rule}).json()["alarms"]
    (alarm,) = (one for one in told if one["subject"] == "stream/2")
    assert (alarm["began"], alarm["ended"]) == moments
    (why,) = alarm["ended_by"]
    assert why["since"] == why["time"] == alarm["ended"]
    assert instant_of(-(1 << 62)) == "0001-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"signs": []}, "signs"),
        ({"signs": [{"observes": "x", "kind": "above"}]}, "signs[0].value"),
        ({"signs": [{"observes": "x", "kind": "above", "value": 1, "until": 2}]}, "signs[0].until"),
        ({"signs": [{"observes": "x", "kind": "silent"}]}, "signs[0].seconds"),
        ({"signs": HIGH["signs"] * 2}, "together"),
        ({"within": ["nowhere"]}, "within"),
        ({"downstream": {"dataset": "pipes"}}, "downstream"),
        ({"unknown": 1}, "rule"),
    ],
)
def test_a_rule_that_says_nothing_sensible_is_refused_with_where(served, change, field):
    client, _ = served
    answer = client.post(f"{API}/rules", json={"rule": HIGH | change})
    assert answer.status_code == 400
    told = answer.json()
    assert (told["code"], told["where"]["field"]) == ("sense-rule-invalid", field)
