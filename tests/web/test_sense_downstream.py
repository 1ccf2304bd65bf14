"""States downstream in a network by HTTP: a rule names a dataset, and a red cell tells which way it came."""

import shutil

import pytest
from fastapi.testclient import TestClient
from tests.sense.conftest import datastream, location, reading, thing
from tests.sense.rules.test_downstream import DOWN, FLOWS, LOCAL, degrees, here, pack, write_pipes

from jingwei.city import load_pack, open_city
from jingwei.grid import Cell, from_stored
from jingwei.sense.rules.keeping import RuleKeeper
from jingwei.web import OPEN, create_app

from .test_dggs_sensing import ROOT

API = "/api/sense"


@pytest.fixture(scope="module")
def served(tmp_path_factory, migrated_sqlite):
    folder = tmp_path_factory.mktemp("drained")
    (folder / "home").mkdir()
    shutil.copy(migrated_sqlite, folder / "home" / "records.db")
    write_pipes(folder)
    with open_city(folder / "home") as city:
        assert load_pack(city, pack(), folder, None, LOCAL).complete
        app = create_app(city, entry=OPEN)
        with TestClient(app, raise_server_exceptions=False, base_url="http://localhost") as client:
            networks = app.state.sensing.networks
            yield client, RuleKeeper(city.records, app.state.readings, city.about.zone, networks=networks)


def test_a_red_cell_downstream_tells_its_sensor_and_its_way(served):
    client, keeper = served
    lon, lat = degrees(2500, 0)
    station = thing("管网液位计", Locations=[location(lon=lon, lat=lat)], Datastreams=[datastream()])
    assert client.post(f"{ROOT}/Things", json=station).status_code == 201
    rule = client.post(f"{API}/rules", json={"rule": DOWN}).json()
    assert rule["rule"]["downstream"] == FLOWS
    client.post(f"{API}/rules/{rule['id']}/switch", json={"to": "on"})
    keeper.look()
    assert client.post(f"{ROOT}/Datastreams(1)/Observations", json=reading(1, 60)).status_code == 201
    keeper.look()
    states = client.get(f"{API}/states", params={"level": 17}).json()["states"]
    ways = {int(one["cell"]): one["alarms"][0]["way"] for one in states}
    assert ways[here(2500, 0)] is None
    way = ways[here(6600, 600)]
    assert (way["dataset"], way["title"]["en"], way["stream"]) == ("pipes", "Storm drains", 1)
    assert [one["name"] for one in way["lines"]] == ["trunk", "to the right", "loop 1"][: way["steps"]]
    code = Cell(int(from_stored(here(6600, 600))), 17).geosot
    cell = client.get(f"{API}/states/{code}").json()
    assert (cell["severity"], cell["alarms"][0]["way"]) == ("warning", way)
    upstream = Cell(int(from_stored(here(500, 0))), 17).geosot
    assert client.get(f"{API}/states/{upstream}").json()["alarms"] == []
    (alarm,) = client.get(f"{API}/alarms").json()["alarms"]
    assert alarm["way"] is None


def test_a_network_that_is_not_there_is_told_when_the_rule_is_written(served):
    client, _ = served
    wrong = [("dataset", "pipe", "unknown-dataset"), ("to", "出口", "sense-rule-invalid")]
    for member, value, code in wrong:
        answer = client.post(f"{API}/rules", json={"rule": DOWN | {"downstream": FLOWS | {member: value}}})
        assert answer.status_code in (400, 404)
        assert answer.json()["code"] == code
    assert (
        "上游井"
        in client.post(f"{API}/rules", json={"rule": DOWN | {"downstream": FLOWS | {"to": "出口"}}}).json()[
            "mend"
        ]
    )
