"""Cases as programs and pages meet them."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from jingwei.web import OPEN, create_app
from photographs import photograph

from .people import client_of, person_of, sign_in

RULE = {
    "种类": "事项",
    "类别代码": "06001",
    "立案条件": "有私搭乱建",
    "结案条件": "拆除",
    "处置时限": "1天",
    "序号": "R1",
}
REPORT = {
    "kind": "matter",
    "type": "06001",
    "source": "collector",
    "description": "搭棚占道",
    "lon": 113.9,
    "lat": 22.5,
}


@pytest.fixture
def api(bare):
    with TestClient(create_app(bare, entry=OPEN), raise_server_exceptions=False) as client:
        assert client.post("/api/cases/rules", json=[RULE]).json()["rules"] == 1
        yield client


def step(api, case, action, status=200, seen=None, **fields):
    answer = api.post(
        f"/api/cases/{case['number']}/steps",
        json={"action": action, "fields": fields, "seen": seen or case["step"]},
    )
    assert answer.status_code == status, answer.text
    return answer.json()


def upload(api, content):
    answer = api.post("/api/cases/photos", content=content)
    assert answer.status_code == 201, answer.text
    return answer.json()["digest"]


def test_a_case_from_report_to_closure(api):
    case = api.post("/api/cases", json=REPORT).json()
    assert (case["state"], case["type_name"]["zh"]) == ("pending_register", "私搭乱建")
    for action, fields in (
        ("register", {"rule": "R1"}),
        ("dispatch", {"department": "11990000MB0000001A"}),
        ("assign", {"handler": "person/x"}),
        ("submit", {"photos": [upload(api, photograph(1))], "before": [upload(api, photograph(2))]}),
        ("confirm", {}),
        ("send_check", {}),
        ("check", {"verdict": "pass"}),
        ("close", {"closing": "拆除"}),
    ):
        case = step(api, case, action, **fields)
    assert case["state"] == "closed"
    assert [one["action"] for one in case["timeline"]][-1] == "close"
    assert case["timeline"][0]["words"] == {"description": "搭棚占道"}
    (handle,) = [clock for clock in case["clocks"] if clock["stage"] == "handle"]
    assert handle["on_time"]
    listed = api.get("/api/cases", params={"state": "closed"}).json()
    assert (listed["count"], listed["cases"][0]["number"]) == (1, case["number"])
    (whole,) = api.get("/api/cases/figures").json()
    assert whole["figures"]["archive_num"]["value"] == 1
    assert api.get("/api/cases", params={"indicator": "archive_num"}).json()["count"] == 1
    (cell,) = api.get("/api/cases/map", params={"level": 18}).json()
    assert cell["count"] == 1


def test_the_second_of_two_is_told_what_changed(api):
    case = api.post("/api/cases", json=REPORT).json()
    step(api, case, "register", rule="R1")
    problem = step(api, case, "reject", status=409, reason="不属实")
    assert problem["code"] == "case-changed"
    assert problem["where"]["since"][0]["action"] == "register"


def test_a_step_out_of_turn_names_those_that_are_possible(api):
    case = api.post("/api/cases", json=REPORT).json()
    problem = step(api, case, "close", status=409, closing="拆除")
    assert problem["code"] == "case-transition"
    assert "register" in [one["action"] for one in problem["where"]["allowed"]]


def test_proposals_say_why(api):
    one = api.post("/api/cases", json=REPORT).json()
    two = api.post("/api/cases", json=REPORT).json()
    found = api.get(f"/api/cases/{two['number']}/proposals").json()
    assert [rule["id"] for rule in found["rules"]] == ["R1"]
    assert [other["number"] for other in found["duplicates"]] == [one["number"]]
    assert found["duplicates"][0]["why"]["zh"]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"type": "99999"}, 400, "case-type-unknown"),
        ({"source": "rumour"}, 400, "case-field-invalid"),
        ({"description": "<script>alert(1)</script>"}, 400, "case-field-invalid"),
        ({"lon": 500}, 422, "invalid"),
        ({"colour": "red"}, 422, "invalid"),
    ],
)
def test_bad_reports(api, change, status, code):
    answer = api.post("/api/cases", json=REPORT | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert api.get("/api/cases").json()["count"] == 0


@pytest.mark.parametrize(
    "question",
    ["?box=1,2,3", "?box=4,1,3,2", "?limit=501", "?since=yesterday", "?indicator=luck", "?sort=body"],
)
def test_bad_questions(api, question):
    assert api.get(f"/api/cases{question}").status_code in (400, 422)


def test_a_table_of_rules_is_taken_whole_or_not_at_all(api):
    answer = api.post("/api/cases/rules", json=[RULE, RULE | {"序号": "R2", "处置时限": "很快"}])
    assert answer.json()["code"] == "case-rules-invalid"
    assert [
        one["id"] for one in api.get("/api/cases/rules", params={"kind": "matter", "type": "06001"}).json()
    ] == ["R1"]


def test_the_table_is_told(api):
    table = api.get("/api/cases/lifecycle").json()
    assert len(table["states"]) == 19
    assert {"register", "dispatch", "close"} <= {one["action"] for one in table["transitions"]}
    assert len(api.get("/api/cases/indicators").json()) == 63
    assert len(api.get("/api/cases/types").json()) == 403


def test_states_are_counted_of_the_same_choice_as_the_list(api):
    one = api.post("/api/cases", json=REPORT).json()
    api.post("/api/cases", json=REPORT | {"description": "井盖破损"})
    step(api, one, "register", rule="R1")
    counts = {row["state"]: row["count"] for row in api.get("/api/cases/states").json()}
    assert counts == {"pending_dispatch": 1, "pending_register": 1}
    assert (
        api.get("/api/cases/states", params={"search": "井盖破损"}).json()[0]["state"] == "pending_register"
    )
    assert api.get("/api/cases", params={"waiting": True}).json()["count"] == 2


@pytest.mark.parametrize(
    ("search", "count"),
    [("搭棚", 1), ("私搭乱建", 2), ("井盖破损", 1), ("Private", 0), ("没有的话", 0), ("%", 0)],
)
def test_cases_are_found_by_words_and_by_the_name_of_their_type(api, search, count):
    api.post("/api/cases", json=REPORT)
    api.post("/api/cases", json=REPORT | {"description": "井盖破损"})
    assert api.get("/api/cases", params={"search": search}).json()["count"] == count


def test_whom_a_step_may_name_is_asked_of_the_policies(api):
    case = api.post("/api/cases", json=REPORT).json()
    assert api.get(f"/api/cases/{case['number']}/hands", params={"action": "send_verify"}).json() == []
    assert api.get(f"/api/cases/{case['number']}/hands", params={"action": "close"}).status_code == 400
    assert api.get("/api/cases/none/hands", params={"action": "assign"}).status_code == 404
    assert api.get("/api/cases/none/names").status_code == 404
    assert api.get("/api/cases/departments", params={"search": "没有"}).json() == []


def test_the_table_names_what_steps_need(api):
    table = api.get("/api/cases/lifecycle").json()
    asked = {name for one in table["transitions"] for name in (*one["needs"], *one["takes"])}
    assert asked <= set(table["inputs"])
    assert table["choices"]["verdict"] == ["pass", "not_pass", "unable"]


def test_a_photograph_is_shown_under_the_policy_of_its_case(api, bare):
    said = api.post(
        "/api/cases/photos", content=photograph(3, place=(113.9, 22.5), taken="2026:11:16 09:30:00")
    ).json()
    assert said["place"] == {"lon": pytest.approx(113.9, abs=1e-6), "lat": pytest.approx(22.5, abs=1e-6)}
    assert said["taken"] == "2026-11-16T01:30:00Z"
    case = api.post("/api/cases", json=REPORT | {"photos": [said["digest"]]}).json()
    address = f"/api/cases/{case['number']}/photos/{said['digest']}"
    answer = api.get(address)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert len(answer.content) == said["size"]
    assert api.get(address, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert len(api.get(address, params={"form": "small"}).content) < said["size"]
    assert api.get(f"/api/cases/{case['number']}/photos/{'0' * 64}").status_code == 404
    other = api.post("/api/cases", json=REPORT).json()
    assert api.get(f"/api/cases/{other['number']}/photos/{said['digest']}").status_code == 404
    person_of(bare, "citizen", "citizen")
    with sign_in(client_of(bare), "citizen") as stranger:
        assert stranger.get(address).status_code == 404
        assert stranger.post("/api/cases/photos", content=photograph(4)).status_code == 201
    person_of(bare, "nobody")
    with sign_in(client_of(bare), "nobody") as nobody:
        assert nobody.post("/api/cases/photos", content=photograph(4)).status_code == 403


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"no picture", 400, "case-photo-unreadable"),
        (photograph()[:3000], 400, "case-photo-unreadable"),
        (b"\0\0\0\x18ftypheic", 400, "case-photo-unreadable"),
        (bytes((16 << 20) + 1), 413, "too-large"),
    ],
    ids=["text", "cut off", "heic", "too large"],
)
def test_uploads_that_are_refused(api, content, status, code):
    answer = api.post("/api/cases/photos", content=content)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["title"]


def test_a_photograph_beyond_the_limit_of_other_bodies_is_taken(api):
    content = photograph(5, size=(1400, 1100), kind="PNG")
    content += bytes((2 << 20) - len(content))  # what follows the end of a PNG is no part of it
    assert api.post("/api/cases/photos", content=content).status_code == 201


def test_scores_comparisons_and_findings_lead_to_their_cases(api):
    case = api.post("/api/cases", json=REPORT).json()
    for action, fields in (("register", {"rule": "R1"}), ("dispatch", {"department": "11990000MB0000001A"})):
        case = step(api, case, action, **fields)
    boards = {one["key"]: one for one in api.get("/api/cases/scoreboards").json()}
    assert boards["departments"]["indicators"][0]["key"] == "intime_dispose_rate"
    (score,) = api.get("/api/cases/scoreboards/departments").json()
    assert (score["by"], score["rank"], score["score"]) == ("11990000MB0000001A", 1, 0.0)
    behind = {"department": score["by"], "indicator": "need_dispose_num"}
    assert api.get("/api/cases", params=behind).json()["cases"][0]["number"] == case["number"]
    assert api.get("/api/cases/scoreboards/nothing").status_code == 404
    period = {"since": "2020-01-01T00:00:00Z", "until": "2040-01-01T00:00:00Z", "key": "report_num"}
    (whole,) = api.get("/api/cases/figures/compared", params=period).json()
    told = whole["figures"]["report_num"]
    assert (told["now"]["value"], told["before"]["value"], told["change"]) == (1, 0, 1)
    assert api.get("/api/cases/figures/compared").status_code == 400
    assert {one["key"] for one in api.get("/api/cases/findings/kinds").json()} >= {"own_twins", "last_moment"}
    assert api.get("/api/cases/findings").json() == []


def test_the_people_of_figures_have_names(api):
    assert api.get("/api/cases/people", params={"id": ["person/none", "local"]}).json() == []
