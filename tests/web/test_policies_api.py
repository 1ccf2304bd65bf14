"""The policies are read, tried and changed over the API; and it is said who may see what, and why."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from jingwei import access
from jingwei.access import local_person
from jingwei.web import OPEN, create_app

from .people import asked_by

OPEN_TEXT = '@id("all") permit (principal, action, resource);'


@pytest.fixture
def desk(bare):
    app = create_app(bare, entry=OPEN)
    asked_by(app, lambda: desk.who)
    desk = TestClient(app, raise_server_exceptions=False)
    desk.who = local_person()
    return desk


def body(text, examples=(), **more):
    return {"text": text, "examples": list(examples), **more}


EXAMPLE = {"says": "nobody reads the log", "action": "log.read", "resource": "Log", "allowed": False}


def test_a_city_begins_with_the_defaults(desk):
    found = desk.get("/api/policies").json()
    assert (found["number"], found["adopted"], found["in_force"]) == (0, None, True)
    assert 'Role::"auditor"' in found["text"]
    assert desk.post("/api/policies/check", json=body(found["text"], found["examples"])).json()["valid"]


def test_a_draft_is_tried_before_anything_changes(desk):
    tried = desk.post("/api/policies/check", json=body(OPEN_TEXT, [EXAMPLE])).json()
    assert not tried["valid"]
    assert tried["faults"] == []
    assert [one["right"] for one in tried["examples"]] == [False]
    assert "all" in tried["examples"][0]["fault"]
    assert desk.get("/api/policies").json()["number"] == 0


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("permit (principal, action, resource)", "unexpected"),
        ('@mask("blurred") permit (principal, action, resource);', "blurred"),
        ('@level("many") permit (principal, action, resource);', "many"),
        ('@rule("x") permit (principal, action, resource);', "@rule"),
    ],
)
def test_what_is_wrong_with_a_draft_is_named(desk, text, fault):
    tried = desk.post("/api/policies/check", json=body(text)).json()
    assert not tried["valid"]
    assert fault in " ".join(tried["faults"])
    answer = desk.post("/api/policies", json=body(text, based_on=0))
    assert (answer.status_code, answer.json()["code"]) == (400, "policies-invalid")


def test_an_example_may_say_how_a_field_is_shown(desk):
    text = '@mask("partial") permit (principal, action == Action::"field.read", resource);'
    example = {
        "says": "half of it", "action": "field.read", "resource": "Field", "allowed": True,
        "attributes": {"owner": "D", "sharing": "none", "level": 3, "personal": True, "dataset": "d"},
    }  # fmt: skip
    for shown, right in (("partial", True), ("clear", False)):
        tried = desk.post("/api/policies/check", json=body(text, [example | {"shown": shown}])).json()
        assert tried["valid"] is right


def test_versions_are_kept_compared_and_not_overtaken(desk):
    first = desk.post("/api/policies", json=body(OPEN_TEXT, based_on=0))
    assert (first.status_code, first.json()["number"], first.json()["by"]) == (201, 1, "local")
    late = desk.post("/api/policies", json=body(OPEN_TEXT + " ", based_on=0))
    assert (late.status_code, late.json()["code"]) == (409, "policies-overtaken")
    second = OPEN_TEXT + '\n@id("no-log") forbid (principal, action == Action::"log.read", resource);'
    assert desk.post("/api/policies", json=body(second, based_on=1)).status_code == 201
    listed = desk.get("/api/policies/versions").json()["versions"]
    assert [(one["number"], one["in_force"]) for one in listed] == [(2, True), (1, False), (0, False)]
    page = desk.get("/api/policies/versions", params={"limit": 1}).json()
    assert [one["number"] for one in page["versions"]] == [2]
    assert (
        desk.get("/api/policies/versions", params={"before": page["before"]}).json()["versions"][0]["number"]
        == 1
    )
    lines = desk.get("/api/policies/diff", params={"old": 1, "new": 2}).json()["lines"]
    assert [line["kind"] for line in lines] == ["same", "added"]
    assert desk.get("/api/policies/versions/1").json()["text"] == OPEN_TEXT
    assert desk.get("/api/policies/versions/7").status_code == 404
    assert desk.get("/api/log").status_code == 403


def test_nobody_shuts_the_door_behind_himself(desk):
    text = 'permit (principal, action == Action::"policy.read", resource);'
    answer = desk.post("/api/policies", json=body(text, based_on=0))
    assert (answer.status_code, answer.json()["code"]) == (400, "policies-invalid")
    assert desk.get("/api/policies").json()["number"] == 0


def test_only_the_security_administrator_changes_what_others_may_read(desk, bare):
    with bare.records.write() as session:
        people = {
            role: access.add_person(session, local_person(), role[:8], role)
            for role in ("security_administrator", "auditor", "system_administrator")
        }
        for role, person in people.items():
            access.give_role(session, local_person(), person, role)
    found = {}
    for role, person in people.items():
        with bare.records.read() as session:
            desk.who = access.asker_of_person(session, person)
        found[role] = (
            desk.get("/api/policies").status_code,
            desk.post("/api/policies", json=body("", based_on=9)).status_code,
        )
    assert found == {
        "security_administrator": (200, 409), "auditor": (200, 403), "system_administrator": (403, 403),
    }  # fmt: skip


def test_what_policies_may_speak_of_is_told(desk):
    told = desk.get("/api/policies/vocabulary").json()
    assert {"dataset.read", "policy.change"} <= {one["name"] for one in told["actions"]}
    assert {"Dataset", "Field", "Fact"} <= {one["name"] for one in told["resources"]}
    assert "entity Dataset" in told["schema_text"]


def test_what_a_person_may_see_is_told_with_its_reasons(client):
    told = client.get("/api/policies/explain/stops", params={"person": "local"}).json()
    rights = {one["action"]: one for one in told["rights"]}
    assert rights["dataset.read"]["allowed"]
    assert [rule["id"] for rule in rights["dataset.read"]["rules"]] == ["local-person"]
    assert (told["rows"], told["place_level"], told["smallest"]) == ("all", 32, None)
    assert {one["name"]: one["shown"] for one in told["fields"]} == dict.fromkeys(
        ["code", "name", "lon", "lat"], "clear"
    )
    assert client.get("/api/policies/explain/nothing", params={"person": "local"}).status_code == 404
    assert client.get("/api/policies/explain/stops", params={"person": "nobody"}).status_code == 404
