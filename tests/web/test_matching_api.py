"""Matching as a client meets it: set up, run in the background, pairs, a decision, and what is refused."""

import json

import pytest
from fastapi.testclient import TestClient

from city.conftest import Opened
from city.packs import write_pack
from jingwei.web import OPEN, create_app
from matching.persons import two_departments
from matching.test_matching import SOURCES, TEXT, write


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("matching-api")
    pack = write_pack(folder / "pack", SOURCES)
    write(pack, *two_departments(300, seed=11)[:2])
    opened = Opened(folder / "home")
    opened.load(pack)
    with TestClient(create_app(opened.city, entry=OPEN), raise_server_exceptions=False) as client:
        yield client
    opened.city.close()


def ended(desk, job):
    """Return the last word of a job."""
    with desk.stream("GET", job["events"]) as stream:
        lines = [line for line in stream.iter_lines() if line.startswith("data:")]
    return json.loads(lines[-1].removeprefix("data:"))


def test_from_the_document_to_a_decision(desk):
    made = desk.put("/api/matchings/people", json={"text": TEXT})
    assert made.status_code == 200, made.text
    assert made.json()["run"] is None
    assert desk.get("/api/matchings/people/pairs").json() == {"run": None, "pairs": [], "after": None}
    told = ended(desk, desk.post("/api/matchings/people/runs").json())
    assert told["state"] == "done"
    page = desk.get("/api/matchings/people/pairs", params={"state": "linked", "limit": 2}).json()
    assert len(page["pairs"]) == 2
    first = page["pairs"][0]
    assert first["records"][0]["fields"].keys() == {"name", "identity", "birth", "phone", "address"}
    where = f"/api/matchings/people/runs/{page['run']}/pairs/{first['number']}"
    assert desk.put(where, json={"choice": "different", "note": "同名"}).status_code == 204
    parted = desk.get("/api/matchings/people/pairs", params={"state": "different"}).json()["pairs"]
    assert [(one["number"], one["decided"]["note"]) for one in parted] == [(first["number"], "同名")]
    (listed,) = desk.get("/api/matchings").json()["matchings"]
    assert listed["run"]["states"]["different"] == 1


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/api/matchings/people", {"text": "title = 3"}, 400, "matching-invalid"),
        ("/api/matchings/nobody/runs/1/pairs/1", {"choice": "same"}, 404, "matching-unknown"),
        ("/api/matchings/people/runs/1/pairs/1", {"choice": "perhaps"}, 422, None),
    ],
)
def test_what_cannot_be_is_said(desk, path, body, status, code):
    answer = desk.put(path, json=body)
    assert answer.status_code == status, answer.text
    assert code is None or answer.json()["code"] == code
