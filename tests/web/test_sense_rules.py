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
        app.state.readings.close()


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
    (incident,) = client.get(f"{API}/incidents").json()["incidents"]
    assert (incident["id"], incident["alarms"], incident["lasting"]) == (alarm["incident"], 1, 1)
    (state,) = client.get(f"{API}/states", params={"level": 17}).json()["states"]
    assert (state["severity"], state["alarms"][0]["id"]) == ("alarm", alarm["id"])

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


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"signs": []}, "signs"),
        ({"signs": [{"observes": "x", "kind": "above"}]}, "signs[0].value"),
        ({"signs": [{"observes": "x", "kind": "above", "value": 1, "until": 2}]}, "signs[0].until"),
        ({"signs": [{"observes": "x", "kind": "silent"}]}, "signs[0].seconds"),
        ({"signs": HIGH["signs"] * 2}, "together"),
        ({"within": ["nowhere"]}, "within"),
        ({"unknown": 1}, "rule"),
    ],
)
def test_a_rule_that_says_nothing_sensible_is_refused_with_where(served, change, field):
    client, _ = served
    answer = client.post(f"{API}/rules", json={"rule": HIGH | change})
    assert answer.status_code == 400
    told = answer.json()
    assert (told["code"], told["where"]["field"]) == ("sense-rule-invalid", field)
