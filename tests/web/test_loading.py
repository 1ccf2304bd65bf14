"""A held-back source is decided by a person, and its load finished with its progress told live."""

from __future__ import annotations

import json

import numpy as np
import pytest
from fastapi.testclient import TestClient

from jingwei.access import local_person
from jingwei.city import load_pack, read_manifest
from jingwei.web import OPEN, create_app
from square import open_square


@pytest.fixture
def held(tmp_path):
    """A square city of its own, since these tests change it, with the source `mystery` held back."""
    with open_square(tmp_path) as city:
        yield city


@pytest.fixture
def desk(held):
    with TestClient(create_app(held, entry=OPEN), raise_server_exceptions=False) as client:
        yield client


def events_of(answer):
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]


def test_each_candidate_shows_where_the_places_would_lie(desk):
    candidates = desk.get("/api/datasets/mystery/candidates").json()["candidates"]
    by_name = {one["crs"]: one["points"] for one in candidates}
    assert {"WGS84", "GCJ-02", "BD-09"} <= set(by_name)
    assert len(by_name["WGS84"]) == len(by_name["GCJ-02"]) > 0
    assert abs(by_name["WGS84"][0][0] - by_name["GCJ-02"][0][0]) > 0.001


def test_a_decision_finishes_the_load_and_outlives_the_next_one(desk, held, tmp_path):
    started = desk.post("/api/datasets/mystery/decision", json={"crs": "gcj02"})
    assert started.status_code == 202
    told = events_of(desk.get(started.json()["events"]))
    assert told[-1]["state"] == "done"
    stages = {one["id"]: one["stage"] for one in told[-1]["result"]["sources"]}
    assert stages["mystery"] == "published"
    assert stages["stops"] == "unchanged"
    dataset = desk.get("/api/datasets/mystery").json()
    assert dataset["state"] == "published"
    pack = tmp_path / "pack"
    again = load_pack(held, read_manifest(pack), pack, None, local_person())
    assert {source.id: source.stage for source in again.sources}["mystery"] == "unchanged"


def test_the_decided_system_is_the_one_the_places_are_read_in(desk):
    wanted = {
        one["crs"]: one["points"] for one in desk.get("/api/datasets/mystery/candidates").json()["candidates"]
    }
    events_of(desk.get(desk.post("/api/datasets/mystery/decision", json={"crs": "BD-09"}).json()["events"]))
    features = desk.get("/api/datasets/mystery/features").json()["features"]
    found = sorted(one["geometry"]["coordinates"] for one in features)
    assert np.array(found) == pytest.approx(np.array(sorted(wanted["BD-09"])), abs=2e-6)


@pytest.mark.parametrize(("dataset", "crs", "status"), [
    ("mystery", "mars", 422), ("mystery", "", 422), ("stops", "WGS84", 409), ("nothing", "WGS84", 404),
])  # fmt: skip
def test_a_decision_that_cannot_be_is_refused(desk, dataset, crs, status):
    answer = desk.post(f"/api/datasets/{dataset}/decision", json={"crs": crs})
    assert answer.status_code == status
    assert answer.json()["title"]


def test_an_unknown_job_is_not_found(desk):
    assert desk.get("/api/jobs/none/events").status_code == 404
    assert desk.delete("/api/jobs/none").status_code == 404
