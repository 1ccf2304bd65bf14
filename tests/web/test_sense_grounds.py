"""Rules that ask datasets by HTTP: refused with where, tried, explained by their rows, told to be broken."""

import shutil

import pytest
from fastapi.testclient import TestClient
from tests.sense.conftest import datastream, location, reading, thing
from tests.sense.rules.test_gating import degrees
from tests.sense.rules.test_grounds import LOCAL, NEAR, WET, pack, write_permits, write_underpasses

from jingwei.city import load_pack, open_city
from jingwei.sense.rules.keeping import RuleKeeper
from jingwei.web import OPEN, create_app

from .test_dggs_sensing import ROOT

API = "/api/sense"
PERIOD = {"since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"}


@pytest.fixture(scope="module")
def served(tmp_path_factory, migrated_sqlite):
    folder = tmp_path_factory.mktemp("grounded")
    (folder / "home").mkdir()
    shutil.copy(migrated_sqlite, folder / "home" / "records.db")
    write_underpasses(folder)
    write_permits(folder)
    with open_city(folder / "home") as city:
        assert load_pack(city, pack(), folder, None, LOCAL).complete
        app = create_app(city, entry=OPEN)
        with TestClient(app, raise_server_exceptions=False, base_url="http://localhost") as client:
            grounds = app.state.sensing.grounds
            keeper = RuleKeeper(city.records, app.state.readings, city.about.zone, grounds=grounds)
            yield client, keeper, city, folder
        app.state.readings.close()


def test_an_alarm_names_the_rows_that_mattered_and_a_rule_without_its_column_is_broken(served):
    client, keeper, city, folder = served
    lon, lat = degrees(0, 0)
    station = thing("积水计", Locations=[location(lon=lon, lat=lat)], Datastreams=[datastream()])
    assert client.post(f"{ROOT}/Things", json=station).status_code == 201
    wrong = WET | {"datasets": [NEAR | {"where": "种类 = 'x'"}]}
    refused = client.post(f"{API}/rules", json={"rule": wrong})
    assert (refused.status_code, refused.json()["where"]["field"]) == (400, "datasets[0].where")
    assert "编号" in refused.text
    rule = client.post(f"{API}/rules", json={"rule": WET}).json()
    assert (rule["rule"]["datasets"], rule["broken"]) == ([NEAR], None)
    client.post(f"{API}/rules/{rule['id']}/switch", json={"to": "on"})
    keeper.look()
    assert client.post(f"{ROOT}/Datastreams(1)/Observations", json=reading(1, 60)).status_code == 201
    keeper.look()
    (alarm,) = client.get(f"{API}/alarms").json()["alarms"]
    (ground,) = alarm["grounds"]
    assert (ground["dataset"], ground["title"]["en"], ground["version"]) == ("underpasses", "Passages", 1)
    assert (ground["told"], ground["count"], ground["rows"][0]["name"]) == (True, 1, "U1")
    assert ground["rows"][0]["metres"] == pytest.approx(120, abs=0.5)
    assert (alarm["datasets"][ground["sign"]]["where"], alarm["ended_grounds"]) == (NEAR["where"], [])
    tried = client.post(f"{API}/rule-trials", json={"rule": WET, **PERIOD}).json()
    assert [one["grounds"][0]["rows"][0]["name"] for one in tried["found"]] == ["U1"]
    assert [(one["version"], one["assumed"], one["trouble"]) for one in tried["datasets"]] == [
        (1, True, None)
    ]
    write_underpasses(folder, kind="种类")
    assert load_pack(city, pack(), folder, None, LOCAL).complete
    for told in (
        client.get(f"{API}/rules").json()["rules"][0],
        client.get(f"{API}/rules/{rule['id']}").json()["rule"],
    ):
        assert "类别" in told["broken"]["zh"]
