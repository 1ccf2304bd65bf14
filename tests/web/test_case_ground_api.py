"""The ground, the rules and the calendar as those who keep them meet them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from fastapi.testclient import TestClient

from jingwei import access
from jingwei.access import local_person
from jingwei.cases import ground, inventory
from jingwei.cases.regime import Regime
from jingwei.web import OPEN, create_app

from .people import client_of, person_of, sign_in

CODE = "11440300000000001R"
PARKS, WATER = "11990000MB0000001A", "11990000MB0000002B"
GRIDS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"网格编码": f"11990000100100{n}", "责任网格": "D1", "管理等级": "一类"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[113 + n / 100, 22], [113.01 + n / 100, 22], [113.01 + n / 100, 22.01],
                     [113 + n / 100, 22.01], [113 + n / 100, 22]]
                ],
            },
        }
        for n in (1, 2)
    ],
}  # fmt: skip

TEXT = json.dumps(GRIDS, ensure_ascii=False)


@pytest.fixture
def api(bare):
    with TestClient(create_app(bare, entry=OPEN), raise_server_exceptions=False) as client:
        yield client


def put(api, path, name, content, status=200, how="put"):
    body = content if isinstance(content, bytes) else content.encode()
    answer = getattr(api, how)(f"/api/cases/{path}", params={"name": name}, content=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_grids_come_from_a_file_and_earlier_ones_stay_for_their_time(api):
    before = datetime.now(UTC)
    assert put(api, "grids", "grids.geojson", TEXT)["count"] == 2
    between = datetime.now(UTC)
    assert (
        put(api, "grids", "g.geojson", json.dumps(GRIDS | {"features": GRIDS["features"][:1]}))["count"] == 1
    )
    (now,) = api.get("/api/cases/grids", params={"outline": True}).json()["grids"]
    assert (now["code"], now["duty_grid"], now["outline"]["type"]) == ("119900001001001", "D1", "Polygon")
    listed = api.get("/api/cases/grids", params={"at": between.isoformat()}).json()["grids"]
    assert [one["code"][-1] for one in listed] == ["1", "2"]
    assert api.get("/api/cases/grids", params={"at": before.isoformat()}).json()["grids"] == []
    report = {"kind": "matter", "type": "06001", "source": "collector", "lon": 113.015, "lat": 22.005}
    assert api.post("/api/cases", json=report).json()["area"] == "119900001001001"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("grids.geojson", "{}"),
        ("grids.exe", "x"),
        ("grids.csv", "网格编码\n119900001001001\n"),
        ("grids.geojson", TEXT.replace("119900001001001", "12")),
        ("grids.geojson", TEXT.replace("网格编码", "number")),
        ("grids.geojson", TEXT.replace("113.", "50113.")),
    ],
)
def test_grids_that_cannot_be_taken_are_told_and_change_nothing(api, name, content):
    put(api, "grids", "grids.geojson", TEXT)
    assert "code" in put(api, "grids", name, content, 400)
    assert len(api.get("/api/cases/grids").json()["grids"]) == 2


def test_duties_hold_since_and_until_and_are_proposed(api):
    api.post("/api/cases/duties", json=[{"type": "06001", "department": PARKS}])
    table = f"部门代码,区域代码,种类,类别代码\n{WATER},119900,事项,06001\n"
    assert put(api, "duties/table", "duties.csv", table, 201, "post")["count"] == 1
    one, other = api.get("/api/cases/duties").json()["duties"]
    assert (one["department"], other["area"], other["kind"]) == (PARKS, "119900", "matter")
    case = api.post("/api/cases", json={"kind": "matter", "type": "06001", "source": "collector"}).json()
    proposed = api.get(f"/api/cases/{case['number']}/proposals").json()["departments"]
    assert [found["department"] for found in proposed] == [PARKS]
    assert api.post(f"/api/cases/duties/{one['id']}/end", json={}).status_code == 204
    assert api.post(f"/api/cases/duties/{one['id']}/end", json={}).status_code == 404
    assert api.get(f"/api/cases/{case['number']}/proposals").json()["departments"] == []
    soon = (datetime.now(UTC) + timedelta(seconds=5)).isoformat()
    held = api.get("/api/cases/duties", params={"at": soon}).json()["duties"]
    assert [found["id"] for found in held] == [other["id"]]
    bad = put(api, "duties/table", "duties.csv", "部门代码,类别代码\n12,06001\n", 400, "post")
    assert (bad["code"], "1" in bad["title"]) == ("table-invalid", True)


def test_default_points_are_recognised_and_named_once(api):
    point = {"lon": 113.5, "lat": 22.5, "says": "市民中心"}
    assert api.put("/api/cases/default-points", json=[point, point]).json()["count"] == 1
    now = api.get("/api/cases/default-points").json()
    assert now["points"] == [point]
    other = {"lon": 113.6, "lat": 22.6, "says": "呼叫中心"}
    put_points = partial(api.put, "/api/cases/default-points", params={"seen": now["version"]})
    assert put_points(json=[point, other]).status_code == 200
    late = put_points(json=[])
    assert (late.status_code, late.json()["code"]) == (409, "case-regime-changed")
    assert api.get("/api/cases/default-points").json()["points"] == [point, other]
    report = {"kind": "matter", "type": "06001", "source": "collector", "lon": 113.5, "lat": 22.5}
    assert api.post("/api/cases", json=report).json()["where"] == "default"


def test_an_inventory_of_2013_is_mapped_and_its_faults_are_told(api):
    table = "标识码,名称,主管部门代码\n1199000101000001,上水井盖," + WATER + "\n119900,井盖,\n"
    taken = put(api, "components", "parts.csv", table)
    assert (taken["count"], taken["mapped"], len(taken["faults"])) == (1, 1, 1)
    (one,) = api.get("/api/cases/components", params={"type": "01"}).json()["components"]
    assert (one["code"], one["department"]) == ("11990001001000001", WATER)
    assert api.get("/api/cases/components", params={"type": "02001"}).json()["components"] == []


def test_single_rules_change_in_versions_that_can_be_compared(api):
    rule = {"id": "R1", "kind": "matter", "type": "06001", "condition": "有", "closing": "无",
            "unit": "work_day", "amount": 1}  # fmt: skip
    assert api.post("/api/cases/rules/changes", json={"put": [rule], "seen": 0}).json() == {"version": 1}
    longer = rule | {"amount": 3}
    more = rule | {"id": "R2"}
    changes = {"put": [longer, more], "seen": 1, "note": "延长"}
    assert api.post("/api/cases/rules/changes", json=changes).json() == {"version": 2}
    late = api.post("/api/cases/rules/changes", json={"remove": ["R1"], "seen": 1})
    assert (late.status_code, late.json()["code"]) == (409, "case-regime-changed")
    told = api.get("/api/cases/regime/rules/difference", params={"one": 1, "other": 2}).json()
    assert [(one["key"], one["before"] is None) for one in told] == [("R1", False), ("R2", True)]
    versions = api.get("/api/cases/regime/rules/versions").json()
    assert [(one["number"], one["count"], one["note"]) for one in versions] == [(2, 2, "延长"), (1, 1, "")]
    listed = api.get("/api/cases/rules/all", params={"search": "R2"}).json()
    assert (listed["version"], listed["count"], listed["rules"][0]["amount"]) == (2, 1, 1)
    assert api.get("/api/cases/regime/rules/versions/9").status_code == 404
    unknown = api.post("/api/cases/rules/changes", json={"put": [rule | {"type": "99999"}]})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "case-type-unknown")
    assert api.post("/api/cases/rules/changes", json={"remove": ["no"]}).status_code == 400


def test_rules_come_from_a_file_whole_or_not_at_all(api):
    table = "序号,种类,类别代码,小类,立案条件,结案条件,处置时限\n1,事项,06001,私搭乱建,有,无,1天\n"
    assert put(api, "rules/table", "rules.csv", table, how="post")["rules"] == 1
    bad = put(api, "rules/table", "rules.csv", table + "2,事项,06001,私搭乱建,有,无,soon\n", 400, "post")
    assert bad["code"] == "case-rules-invalid"
    assert api.get("/api/cases/rules/all").json()["count"] == 1


def test_days_are_decided_and_undone(api):
    year = api.get("/api/cases/calendar", params={"year": 2026}).json()
    assert (len(year["days"]), year["announced"], year["version"]) == (365, True, 0)
    days = {"days": {"2026-11-20": False, "2026-11-21": True}}
    assert api.post("/api/cases/calendar/days", json=days).json() == {"version": 1}
    put(api, "calendar/table", "days.csv", "日期,是否上班\n2026-11-23,休息\n2026-11-24,休息\n", how="post")
    api.post("/api/cases/calendar/days", json={"days": {"2026-11-24": None}})
    found = {one["day"]: one for one in api.get("/api/cases/calendar", params={"year": 2026}).json()["days"]}
    assert [found[f"2026-11-{day}"]["works"] for day in (20, 21, 23, 24)] == [False, True, False, True]
    assert [found[f"2026-11-{day}"]["decided"] for day in (20, 24)] == [True, False]
    periods = {"periods": [["09:00:00", "17:00:00"]]}
    assert api.put("/api/cases/calendar", json=periods | {"seen": 3}).json() == {"version": 4}
    late = api.put("/api/cases/calendar", json={"periods": [["10:00:00", "17:00:00"]], "seen": 3})
    assert (late.status_code, late.json()["code"]) == (409, "case-regime-changed")
    again = api.get("/api/cases/calendar", params={"year": 2026}).json()
    assert (again["periods"], sum(one["decided"] for one in again["days"])) == ([["09:00:00", "17:00:00"]], 3)
    overlapping = {"periods": [["09:00:00", "13:00:00"], ["12:00:00", "17:00:00"]]}
    assert api.put("/api/cases/calendar", json=overlapping).status_code == 400
    for wrong in (
        periods | {"zone": ""},
        periods | {"zone": "../etc/passwd"},
        {"periods": [["09:00Z", "17:00"]]},
    ):
        assert api.put("/api/cases/calendar", json=wrong).status_code == 400, wrong


def test_settings_are_versions_too(api):
    assert api.get("/api/cases/settings").json()["version"] == 0
    assert api.put("/api/cases/settings", json={"reopen_days": 10}).json() == {"version": 1}
    assert api.get("/api/cases/settings").json()["settings"]["reopen_days"] == 10
    assert api.put("/api/cases/settings", json={"number": "{nothing}"}).status_code == 400
    for wrong in (
        {"unknown": 1},
        {"limits": {}},
        {"shares": [0]},
        {"overall": ["work_day", -1]},
        {"trusted": ["nobody"]},
        {"number": "{day}{sequence:099999999d}"},
        {"number": "{day}"},
        {"suspension_days": 10**9},
    ):
        assert api.put("/api/cases/settings", json=wrong).status_code == 400, wrong


def test_only_those_who_keep_the_rules_change_them(bare):
    person_of(bare, "acceptor", "case_acceptor")
    with sign_in(client_of(bare), "acceptor") as client:
        decided = client.post("/api/cases/calendar/days", json={"days": {"2026-11-20": False}})
        assert decided.status_code == 403
        assert client.get("/api/cases/duties").status_code == 403
        assert client.get("/api/cases/calendar", params={"year": 2026}).status_code == 200


def ended(api, job):
    """Return the last that a job's stream tells."""
    told = api.get(job["events"]).text
    return json.loads([line for line in told.splitlines() if line.startswith("data: ")][-1][6:])


def test_an_inventory_is_taken_in_by_a_job_that_tells_how_far_it_is(api):
    table = "标识码,名称\n" + "".join(f"11990001001{n:06d},井盖\n" for n in range(1, 4501)) + "119900,井盖\n"
    job = put(api, "components/jobs", "parts.csv", table, 202, how="post")
    told = ended(api, job)
    assert (told["state"], told["result"]["count"], len(told["result"]["faults"])) == ("done", 4500, 1)
    assert told["steps"][0]["rows"] == 4500
    job = put(api, "components/jobs", "parts.csv", "a,b\n1,2\n", 202, how="post")
    told = ended(api, job)
    assert (told["state"], told["problem"]["code"]) == ("failed", "table-invalid")


def test_an_inventory_that_is_stopped_keeps_the_parts_that_are_in(bare):
    regime = Regime()
    rows = [{"code": f"11990001001{n:06d}"} for n in range(1, 2 * inventory.BATCH + 2)]
    heard = []

    def heed(done):
        heard.append(done)
        return done < inventory.BATCH

    taken = inventory.put_in_parts(bare.records, local_person(), regime, rows, heed=heed)
    assert heard == [0, inventory.BATCH]
    assert taken.count == inventory.BATCH
    with bare.records.read() as session:
        assert len(inventory.components(session, limit=len(rows))) == inventory.BATCH
    taken = inventory.put_in_parts(bare.records, local_person(), regime, rows, heed=lambda _: True)
    with bare.records.read() as session:
        assert len(inventory.components(session, limit=2 * len(rows))) == len(rows)


def test_a_city_writes_its_own_phrases_in_versions(api):
    assert api.get("/api/cases/phrases").json() == {"version": 0, "phrases": {}}
    body = {"phrases": {"reject": [" 不属本市 ", "不属本市", ""], "reply": []}, "seen": 0}
    assert api.put("/api/cases/phrases", json=body).json() == {"version": 1}
    assert api.get("/api/cases/phrases").json()["phrases"] == {"reject": ["不属本市"], "reply": []}
    refused = api.put("/api/cases/phrases", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "case-regime-changed")
    assert api.put("/api/cases/phrases", json={"phrases": {"reject": None}}).json() == {"version": 2}
    assert api.get("/api/cases/phrases").json()["phrases"] == {"reply": []}
    for wrong in ({"fly": ["x"]}, {"reject": ["x" * 201]}, {"reject": ["<script>x</script>"]}):
        assert api.put("/api/cases/phrases", json={"phrases": wrong}).status_code == 400, wrong


def test_settings_that_another_adopted_first_are_told(api):
    now = api.get("/api/cases/settings").json()
    fresh = now["settings"] | {"extensions": 3}
    assert api.put("/api/cases/settings", params={"seen": now["version"]}, json=fresh).status_code == 200
    again = api.put("/api/cases/settings", params={"seen": now["version"]}, json=fresh)
    assert (again.status_code, again.json()["code"]) == (409, "case-regime-changed")
    assert api.get("/api/cases/settings").json()["settings"]["extensions"] == 3


def test_grids_of_a_day_to_come_are_in_force_when_it_comes(api, bare):
    put(api, "grids", "grids.geojson", TEXT)
    coming = datetime.now(UTC) + timedelta(days=30)
    one = json.dumps(GRIDS | {"features": GRIDS["features"][:1]})
    answer = api.put(
        "/api/cases/grids", params={"name": "g.geojson", "since": coming.isoformat()}, content=one
    )
    assert answer.json()["count"] == 1
    assert len(api.get("/api/cases/grids").json()["grids"]) == 2
    with bare.records.read() as session:
        now, then = ground.version(session), ground.version(session, coming)
        assert now == ground.version(session, coming - timedelta(seconds=1))
        assert now != then
        assert len(ground.load_ground(session, 5)) == 2
        assert len(ground.load_ground(session, 5, coming)) == 1


def test_a_duty_tells_names_and_finds_its_people(api, bare):
    with bare.records.write() as session:
        access.add_department(session, local_person(), CODE, "园林局")
    wang = person_of(bare, "wang", "case_handler", department=CODE)
    (one,) = api.get("/api/cases/duties/people", params={"department": CODE}).json()
    assert one == {"id": f"person/{wang.removeprefix('person/')}", "name": "人员wang"}
    given = [{"department": CODE, "person": one["id"]}]
    assert api.post("/api/cases/duties", json=given).status_code == 201
    (kept,) = api.get("/api/cases/duties").json()["duties"]
    assert (kept["title"], kept["name"]) == ("园林局", "人员wang")
