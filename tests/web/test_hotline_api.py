"""The hotline over the wire: a call from the ring to the review, and what is told to whom."""

from __future__ import annotations

import pytest

from .people import client_of, person_of, sign_in

DEPARTMENT = "11990000MB0000001A"
ROLES = ("hotline_taker", "hotline_supervisor", "hotline_reviewer", "operator")
SAID = {"kind": "ask", "urgency": "ordinary", "words": "路灯不亮", "seen": 1}
ARTICLE = {
    "title": "路灯报修",
    "body": "拨打市政热线",
    "department": DEPARTMENT,
    "questions": ["楼下路灯不亮"],
}


@pytest.fixture
def desks(bare):
    """A browser of one person of each role."""
    found = {}
    for role in ROLES:
        person_of(bare, role, role)
        found[role.removeprefix("hotline_")] = sign_in(client_of(bare), role)
    return found


def ok(answer, status=200):
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_call_from_the_ring_to_the_review(desks):
    taker, supervisor, reviewer = desks["taker"], desks["supervisor"], desks["reviewer"]
    article = ok(supervisor.post("/api/hotline/articles", json=ARTICLE), 201)
    call = ok(taker.post("/api/hotline/calls", json={"caller": "13800138000", "waited": 4}), 201)
    found = ok(taker.get("/api/hotline/articles", params={"search": "我家楼下路灯不亮了"}))
    assert [one["id"] for one in found["articles"]] == [article["id"]]
    answer = {**SAID, "articles": [{"article": article["id"], "helped": True}], "answer": "请拨打市政热线"}
    done = ok(taker.post(f"/api/hotline/calls/{call['number']}/answer", json=answer))
    assert (done["state"], done["caller"], done["replied"]) == ("answered", "13*******00", True)
    again = ok(taker.post("/api/hotline/callers", json={"caller": "138 0013 8000"}))
    assert [one["words"] for one in again] == ["路灯不亮"]
    settings = ok(reviewer.get("/api/hotline/settings"))
    scores = {one["key"]: one["most"] for one in settings["content"]["sheet"]}
    review = {"seen": done["step"], "scores": scores, "words": "好"}
    reviewed = ok(reviewer.post(f"/api/hotline/calls/{call['number']}/review", json=review))
    assert reviewed["reviews"][0]["points"] == 100
    (rates,) = ok(supervisor.get("/api/hotline/rates"))
    assert rates["figures"]["direct_rate"] == {"top": 1, "bottom": 1, "value": 1.0}
    assert ok(taker.get(f"/api/hotline/articles/{article['id']}"))["helped"] == 1


def test_a_case_of_a_call_is_told_with_its_code_once(desks):
    taker = desks["taker"]
    call = ok(taker.post("/api/hotline/calls", json={"caller": "13800138000"}), 201)
    given = {**SAID, "case_kind": "matter", "type": "06001", "wishes": ["done"]}
    made = ok(taker.post(f"/api/hotline/calls/{call['number']}/case", json=given))
    own = ok(taker.get("/api/public/reports/mine", headers={"Jingwei-Report": made["code"]}))
    assert own["number"] == made["case"]["number"]
    assert own["contact"]["sms"] == "13800138000"
    assert ok(taker.get(f"/api/hotline/calls/{call['number']}"))["code"] is None


def test_the_number_of_a_caller_is_in_no_answer_but_one(desks):
    taker = desks["taker"]
    call = ok(taker.post("/api/hotline/calls", json={"caller": "13800138000"}), 201)
    number = f"/api/hotline/calls/{call['number']}"
    for path in (number, "/api/hotline/calls", "/api/hotline/calls?waiting=reply"):
        assert "13800138000" not in taker.get(path).text
    assert ok(taker.post(f"{number}/number", json={"purpose": "回访"})) == {"caller": "13800138000"}
    assert desks["reviewer"].post(f"{number}/number", json={"purpose": "质检"}).status_code == 403


def test_others_are_told_nothing_of_calls(desks):
    call = ok(desks["taker"].post("/api/hotline/calls", json={}), 201)
    other = desks["operator"]
    assert ok(other.get("/api/hotline/calls"))["calls"] == []
    assert other.get(f"/api/hotline/calls/{call['number']}").status_code == 404
    assert other.post("/api/hotline/calls", json={}).status_code == 403
    assert other.get("/api/hotline/rates").status_code == 403
    assert other.get("/api/hotline/articles").status_code == 403


def test_who_saw_older_settings_changes_nothing(desks):
    supervisor = desks["supervisor"]
    settings = ok(supervisor.get("/api/hotline/settings"))
    change = {"content": {**settings["content"], "answer_seconds": 20}, "seen": settings["version"]}
    ok(supervisor.put("/api/hotline/settings", json=change))
    late = supervisor.put("/api/hotline/settings", json=change)
    assert (late.status_code, late.json()["code"]) == (409, "case-regime-changed")
    assert desks["taker"].put("/api/hotline/settings", json=change).status_code == 403
    bad = {"content": {"clocks": []}, "seen": settings["version"] + 1}
    assert supervisor.put("/api/hotline/settings", json=bad).status_code == 400


def test_topics_are_told_with_the_calls_behind_them(desks):
    taker = desks["taker"]
    for n in range(5):
        call = ok(taker.post("/api/hotline/calls", json={"caller": f"1380013800{n}"}), 201)
        said = {**SAID, "words": "自来水发黄", "area": "440300001"}
        ok(taker.post(f"/api/hotline/calls/{call['number']}/answer", json=said))
    told = ok(desks["supervisor"].get("/api/hotline/topics"))
    assert (told["smallest"], told["topics"]) == (5, [])  # nothing to compare with yet
    assert desks["operator"].get("/api/hotline/topics").status_code == 403
    assert ok(desks["supervisor"].get("/api/hotline/rates/formulas"))[1]["formula"].startswith("count [")
