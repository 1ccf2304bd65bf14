"""What a telephone asks and sends, as programs meet it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from jingwei.access import local_person
from jingwei.cases.inventory import put_components
from jingwei.ledger.models import Event
from jingwei.records import now_utc
from jingwei.web import OPEN, create_app

from .people import client_of, person_of, sign_in
from .test_cases_api import REPORT, RULE

KEY = "telephone-0001-step-1"


@pytest.fixture
def api(bare):
    with TestClient(create_app(bare, entry=OPEN), raise_server_exceptions=False) as client:
        assert client.post("/api/cases/rules", json=[RULE]).json()["rules"] == 1
        yield client


def test_sent_twice_is_done_once(api, bare):
    done = (now_utc() - timedelta(hours=2)).isoformat()
    report = REPORT | {"key": "telephone-0001-report", "at": done}
    case = api.post("/api/cases", json=report).json()
    assert api.post("/api/cases", json=report).json()["number"] == case["number"]
    assert api.get("/api/cases").json()["count"] == 1
    assert case["timeline"][0]["at"] == done.replace("+00:00", "Z")
    body = {"action": "register", "fields": {"rule": "R1"}, "seen": case["step"], "key": KEY}
    first = api.post(f"/api/cases/{case['number']}/steps", json=body).json()
    again = api.post(f"/api/cases/{case['number']}/steps", json=body).json()
    assert (first["step"], again["step"]) == (2, 2)
    other = {"action": "dispatch", "fields": {"department": "11990000MB0000001A"}, "seen": 2, "key": KEY}
    assert api.post(f"/api/cases/{case['number']}/steps", json=other).json()["state"] == "pending_dispatch"
    with bare.records.read() as session:
        assert session.query(Event).filter(Event.subject == f"case/{case['number']}").count() == 2


def test_a_refused_step_can_be_sent_again_with_its_key(api):
    case = api.post("/api/cases", json=REPORT).json()
    body = {"action": "register", "fields": {"rule": "none"}, "seen": case["step"], "key": KEY}
    address = f"/api/cases/{case['number']}/steps"
    assert api.post(address, json=body).status_code == 409
    assert api.post(address, json=body | {"fields": {"rule": "R1"}}).json()["state"] == "pending_dispatch"


@pytest.mark.parametrize(
    "change",
    [{"at": "2020-01-01T00:00:00Z"}, {"at": "2999-01-01T00:00:00Z"}, {"key": "short"}, {"at": "yesterday"}],
)
def test_bad_times_and_keys(api, change):
    answer = api.post("/api/cases", json=REPORT | change)
    assert answer.status_code in (400, 422)
    assert api.get("/api/cases").json()["count"] == 0


def test_around_a_place_are_its_components_and_cases_like_it(api, bare):
    rows = [
        {"code": f"440305{code}{n:06d}", "name": name, "lon": 113.9 + east, "lat": 22.5, "department": "X"}
        for n, (code, name, east) in enumerate(
            [
                ("01001", "上水井盖", 1e-4),
                ("01001", "上水井盖", 2e-4),
                ("01002", "污水井盖", 5e-5),
                ("01001", "远", 1e-2),
            ],
            1,
        )
    ]
    with bare.records.write() as session:
        assert put_components(session, local_person(), api.app.state.desk.regime(session), rows).count == 4
    case = api.post("/api/cases", json=REPORT).json()
    asked = {"lon": 113.9, "lat": 22.5, "kind": "matter", "type": "06001", "words": "搭棚占道"}
    around = api.get("/api/cases/around", params=asked).json()
    assert [one["code"][-6:] for one in around["components"]] == ["000003", "000001", "000002"]
    assert around["components"][0]["metres"] == pytest.approx(5.1, abs=0.3)
    assert [one["number"] for one in around["cases"]] == [case["number"]]
    one_type = api.get("/api/cases/around", params=asked | {"kind": "component", "type": "01001"}).json()
    assert [one["code"][-6:] for one in one_type["components"]] == ["000001", "000002"]
    assert api.get("/api/cases/around", params={"lon": 500, "lat": 1}).status_code == 422


def test_ones_own_way(api, bare):
    now = now_utc()
    fixes = [
        {"at": (now - timedelta(seconds=n)).isoformat(), "lon": 114.0, "lat": 22.5, "accuracy": 5}
        for n in range(3)
    ]
    assert api.post("/api/cases/track", json={"fixes": fixes}).json() == {"count": 3}
    assert api.post("/api/cases/track", json={"fixes": fixes}).json() == {"count": 0}
    told = [
        one for ago in (0, 1) for one in api.get("/api/cases/track", params={"days_ago": ago}).json()["fixes"]
    ]
    assert len(told) == 3
    for bad in ([], [fixes[0] | {"lon": 200}], fixes * 200):
        assert api.post("/api/cases/track", json={"fixes": bad}).status_code == 422
    person_of(bare, "collector", "grid_officer")
    person_of(bare, "acceptor", "case_acceptor")
    with sign_in(client_of(bare), "collector") as other:
        assert other.get("/api/cases/track").json()["fixes"] == []
        assert other.delete("/api/cases/track").json() == {"count": 0}
    with sign_in(client_of(bare), "acceptor") as indoors:
        assert indoors.get("/api/cases/track").status_code == 403
    assert api.delete("/api/cases/track").json() == {"count": 3}
