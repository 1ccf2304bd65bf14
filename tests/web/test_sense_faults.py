"""Sensors at fault by HTTP: found in the readings, told with evidence, marked, and over."""

import shutil

import numpy as np
import pytest
from fastapi.testclient import TestClient

from jingwei import ledger
from jingwei.city import open_city
from jingwei.city.models import CityRow
from jingwei.records import now_utc
from jingwei.sense.faults.hours import HOUR
from jingwei.sense.faults.keeping import FaultKeeper
from jingwei.sense.readings import Batch, Reading
from jingwei.web import OPEN, create_app

from .test_dggs_sensing import ROOT, thing

API = "/api/sense/faults"
BEGIN = 1_767_196_800_000_000 // HOUR * HOUR
HOURS = 24 * 20


@pytest.fixture(scope="module")
def served(tmp_path_factory, migrated_sqlite):
    """Six sensors side by side over twenty days, of which the third stands still on the last five."""
    home = tmp_path_factory.mktemp("faulty")
    shutil.copy(migrated_sqlite, home / "records.db")
    with open_city(home) as city:
        about = {"name": {"zh": "方城"}, "adcode": "990100", "generated": False, "time_zone": "Asia/Shanghai"}
        with city.records.write() as session:
            session.add(CityRow(id="faulty", about=about, pack="", data="", changed=now_utc()))
        app = create_app(city, entry=OPEN)
        with TestClient(app, raise_server_exceptions=False, base_url="http://localhost") as client:
            for at in range(6):
                made = thing((114.05 + at / 1000, 22.55))
                if at:
                    made["Datastreams"][0]["ObservedProperty"] = {"@iot.id": 1}
                assert client.post(f"{ROOT}/Things", json=made).status_code == 201
            keeper = FaultKeeper(city.records, app.state.rollups())
            app.state.readings.append(Batch.of(list(_readings())))
            yield client, city, keeper


def _readings():
    rng = np.random.default_rng(4)
    hour = np.arange(HOURS)
    common = 40 + 10 * np.sin(hour / 24 * 2 * np.pi) + np.cumsum(rng.normal(0, 1, HOURS))
    for stream in range(1, 7):
        values = np.round(common + rng.normal(0, 1, HOURS), 1)
        if stream == 3:
            values[-120:] = values[-120]
        for at in range(HOURS):
            yield Reading(stream, int(BEGIN + at * HOUR + HOUR // 2), float(values[at]))


def test_a_stuck_sensor_is_found_shown_and_no_longer_found_when_it_is_repaired(served):
    client, city, keeper = served
    now = BEGIN + HOURS * HOUR
    assert client.get(API).json() == {"faults": [], "before": None, "lasting": {}}
    assert keeper.look(now) == 1
    assert keeper.look(now + HOUR // 2) == 0, "what is known is not found again"

    told = client.get(API, params={"lasting": True}).json()
    assert told["lasting"] == {"stuck": 1}
    (fault,) = told["faults"]
    assert (fault["stream"], fault["kind"], fault["until"]) == (3, "stuck", None)
    assert fault["since"] == "2026-01-15T16:00:00Z"
    assert fault["evidence"]["evidence"] > fault["evidence"]["bound"]
    assert fault["says"]["zh"].startswith("卡死")
    chart = client.get(f"{API}/{fault['id']}").json()["points"]
    own = [one[1] for one in chart if one[0] > fault["since"] and one[1] is not None]
    expected = [one[2] for one in chart if one[0] > fault["since"] and one[2] is not None]
    assert max(own) == min(own)
    assert max(expected) - min(expected) > 10

    shown = {
        stream["id"]: stream["faults"]
        for one in client.get("/api/sense/map").json()["sensors"]
        for stream in one["streams"]
    }
    assert shown == {1: [], 2: [], 3: ["stuck"], 4: [], 5: [], 6: []}

    with city.records.read() as session:
        events = ledger.events_of(session, f"sense/faults/{fault['id']}")
    assert [one.type for one in events] == ["sense.fault_found"]

    assert client.post(f"{API}/{fault['id']}/mark", json={"mark": "false"}).json()["mark"] == "false"
    assert client.get(API).json()["lasting"] == {}, "what people found to be false is none"
    assert client.post(f"{API}/{fault['id']}/mark", json={"mark": "true"}).status_code == 200
    assert client.get(f"{API}/999").status_code == 404
    assert client.get(API, params={"kind": "noisy"}).json()["faults"] == []


def test_a_sensor_that_moves_again_is_at_fault_no_more(served):
    client, city, keeper = served
    rng = np.random.default_rng(5)
    later = [
        Reading(stream, int(BEGIN + (HOURS + at) * HOUR + HOUR // 2), float(np.round(rng.normal(40, 2), 1)))
        for stream in range(1, 7)
        for at in range(24)
    ]
    client.app.state.readings.append(Batch.of(later))
    assert keeper.look(BEGIN + (HOURS + 24) * HOUR) >= 1
    (fault,) = [one for one in client.get(API).json()["faults"] if one["kind"] == "stuck"]
    assert fault["until"] == "2026-01-20T16:00:00Z"
    with city.records.read() as session:
        events = ledger.events_of(session, f"sense/faults/{fault['id']}")
    assert [one.type for one in events].count("sense.fault_ended") == 1
