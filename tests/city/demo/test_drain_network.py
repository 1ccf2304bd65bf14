"""The rules of the demo city find in its lake what they ask: its storm drains, and its schools."""

from __future__ import annotations

import shutil
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from jingwei import grid
from jingwei.access import local_person
from jingwei.city import load_pack, open_city
from jingwei.city.demo import tiny_town
from jingwei.city.demo.files_rules import brought
from jingwei.city.demo.pack import serial
from jingwei.city.living.stations import UNDERPASS, Network
from jingwei.city.manifest import Manifest
from jingwei.grid.levels import MAX_LEVEL
from jingwei.sense.rules.form import rule_of
from jingwei.sense.rules.grounds import Grounds, asker_of
from jingwei.sense.rules.networks import Networks
from jingwei.sense.rules.surroundings import Spot


def test_the_rule_on_underpasses_follows_the_drains_as_they_fall(
    pack: Path, manifest: Manifest, tmp_path: Path, migrated_sqlite: Path
) -> None:
    (way,) = {rule_of(one).downstream for one in brought()["rules"]} - {None}
    assert way is not None
    town = tiny_town(seed=2)
    drains, gauges = town.drains, town.devices.drain
    codes = serial("YS", len(drains.node), 6)
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(migrated_sqlite, home / "records.db")
    with open_city(home) as city:
        load_pack(city, manifest, pack, None, local_person(), only="storm_pipes")
        Networks(city.lake).check(local_person(), way)
        network = Networks(city.lake).whole(way)
        assert network is not None
        stations = [one for one in Network(town).streams.stations if one.kind == UNDERPASS]
        assert len(stations) >= 3
        bearer = dict(zip(gauges.code.tolist(), gauges.bearer.tolist(), strict=True))
        for station in stations:
            node = bearer[station.key.replace("XC", "PS")]
            gone, expected = 0.0, []
            while drains.downstream[node] >= 0 and gone < way.metres:
                expected.append(str(codes[node]))
                gone += float(drains.distance[node] - drains.distance[drains.downstream[node]])
                node = drains.downstream[node]
            found = network.reach(station.lon, station.lat, way.metres, way.near)
            assert [network.lines[one.line].name for one in found] == expected
            assert sum(one.high - one.low for one in found) == pytest.approx(min(gone, way.metres), rel=0.01)


def test_the_rule_on_schools_finds_the_one_beside_the_air_station(
    pack: Path, manifest: Manifest, tmp_path: Path, migrated_sqlite: Path
) -> None:
    (rule,) = [found for one in brought()["rules"] if (found := rule_of(one)).datasets]
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(migrated_sqlite, home / "records.db")
    (station,) = {one for one in Network(tiny_town(seed=2)).streams.stations if one.kind == "air_station"}
    with open_city(home) as city:
        load_pack(city, manifest, pack, None, local_person(), only="schools")
        grounds = Grounds(city.lake, lambda: ZoneInfo("Asia/Shanghai"))
        grounds.check(local_person(), "", rule)
        held = grounds.held(asker_of(""), rule, 0)
        spot = Spot(int(grid.encode(station.lon, station.lat, MAX_LEVEL)), MAX_LEVEL, rule.level)
        said = held.ground(0, rule.datasets[0], spot, 0)
    assert said["count"] == 1
    assert 400 < said["rows"][0]["metres"] < 800
