"""Contracts and checks as a client meets them."""

import json

import pytest
from fastapi.testclient import TestClient

from jingwei.web import OPEN, create_app
from square import open_square


@pytest.fixture
def desk(tmp_path):
    with (
        open_square(tmp_path) as city,
        TestClient(create_app(city, entry=OPEN), raise_server_exceptions=False) as client,
    ):
        yield client


def finish(desk, started):
    assert started.status_code == 202
    told = [
        line[6:] for line in desk.get(started.json()["events"]).text.splitlines() if line.startswith("data: ")
    ]
    return json.loads(told[-1])


def test_a_contract_is_proposed_edited_adopted_and_checked(desk):
    proposed = desk.get("/api/datasets/stops/contract").json()
    assert proposed["number"] == 0
    names = [one["name"] for one in proposed["contract"]["fields"]]
    assert names == [one["name"] for one in desk.get("/api/datasets/stops").json()["columns"]]
    proposed["contract"]["fields"][0] |= {"pattern": "never"}
    body = {"contract": proposed["contract"], "after": 0}
    adopted = desk.put("/api/datasets/stops/contract", json=body)
    assert adopted.status_code == 200, adopted.text
    assert adopted.json()["number"] == 1
    assert desk.put("/api/datasets/stops/contract", json=body).status_code == 409
    ended = finish(desk, desk.post("/api/datasets/stops/checks"))
    assert ended["state"] == "done"
    check = desk.get("/api/datasets/stops/checks").json()["checks"][0]
    assert check["score"] == 0.0
    rule = next(one for one in check["rules"] if one["kind"] == "pattern")
    page = desk.get(
        f"/api/datasets/stops/checks/{check['id']}/findings", params={"rule": rule["id"], "limit": 2}
    )
    found = page.json()
    assert len(found["findings"]) == min(2, rule["rows"])
    assert found["total"] == rule["rows"]
    assert found["findings"][0]["lon"] is not None


def test_a_contract_goes_out_as_odcs_and_comes_back(desk):
    text = desk.get("/api/datasets/stops/contract/odcs")
    assert text.headers["content-type"].startswith("application/yaml")
    answer = desk.post(
        "/api/datasets/stops/contract/odcs", content=text.text, headers={"Content-Type": "application/yaml"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["contract"] == desk.get("/api/datasets/stops/contract").json()["contract"]
    assert answer.json()["not_taken"] == []


@pytest.mark.parametrize("rule", [{"kind": "never", "where": "nothing > 1"}, {"kind": "eat"}])
def test_a_rule_that_cannot_be_is_refused_with_the_reason(desk, rule):
    contract = {"dataset": "stops", "rules": [rule]}
    answer = desk.put("/api/datasets/stops/contract", json={"contract": contract, "after": 0})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert desk.get("/api/datasets/stops/contract").json()["number"] == 0


def test_what_is_wrong_with_a_contract_is_told_with_its_place(desk):
    fields = [{"name": "code", "type": "number", "least": "many"}]
    rules = [{"kind": "change"}, {"kind": "reference", "column": "code", "dataset": "nowhere", "to": "x"}]
    for contract, place in [
        ({"dataset": "stops", "rules": rules}, {"rule": 2}),
        ({"dataset": "stops", "fields": fields}, {"field": "code", "term": "least"}),
    ]:
        answer = desk.put("/api/datasets/stops/contract", json={"contract": contract, "after": 0})
        assert answer.status_code == 400
        assert place.items() <= answer.json()["where"].items()
