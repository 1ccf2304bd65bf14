"""The storm drains of the demo city are a network of its lake, and its rule follows them to the river."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from jingwei.access import local_person
from jingwei.city import load_pack, open_city
from jingwei.city.demo import tiny_town
from jingwei.city.demo.files_rules import brought
from jingwei.city.demo.pack import serial
from jingwei.city.living.stations import UNDERPASS, Network
from jingwei.city.manifest import Manifest
from jingwei.sense.rules.form import rule_of
from jingwei.sense.rules.networks import Networks


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
