"""Rules that ask datasets of the lake: what is planted is found and explained, as its owner may read it."""

import csv
import json
import shutil

import numpy as np
import pytest
from tests.sense.conftest import PARKS, WATER, Station, datastream, location, somebody, thing
from tests.sense.rules.test_gating import degrees
from tests.sense.rules.test_raising import HIGH, MINUTE, ZONE, City, at

from jingwei.access import local_person
from jingwei.access.models import DepartmentRow
from jingwei.access.policy import Policies
from jingwei.access.policy.store import default_policies
from jingwei.city import load_pack, open_city, parse_manifest
from jingwei.sense.intake import facts_of
from jingwei.sense.readings import Batch, Readings
from jingwei.sense.rules import service
from jingwei.sense.rules.form import BadRuleError, rule_of
from jingwei.sense.rules.grounds import Grounds
from jingwei.sense.rules.keeping import RuleKeeper
from jingwei.sense.series import micros_of
from jingwei.sense.service import Sensing
from jingwei.web.answers import instant_of

LOCAL = local_person()
KEEPER = somebody("device_keeper", "staff", department=WATER)
UNDERPASSES = [("U1", "下穿通道", 120, 0), ("U2", "高架", 20, 0), ("U3", "下穿通道", 2000, 0)]
PERMITS = [("P1", 3000, 0, "2026-10-20", "2026-11-01"), ("P2", 0, 0, "2026-10-01", "2026-10-31")]
NEAR = {"dataset": "underpasses", "where": "类别 = '下穿通道'", "metres": 200}
WET = HIGH | {"datasets": [NEAR]}
FREE = HIGH | {"datasets": [{"dataset": "permits", "kind": "lacks", "valid": True, "metres": 50}]}


def pack(owner=WATER, sharing="conditional"):
    about = {"id": "grounded", "name": {"zh": "地"}, "adcode": "990100", "time_zone": "Asia/Shanghai"}
    place = {"lon": "经度", "lat": "纬度", "crs": "WGS84"}
    common = {"owner": owner, "sharing": sharing, "place": place, "keys": ["编号"]}
    lasting = {"column": "开工", "end": "竣工", "zone": "Asia/Shanghai", "precision": "day"}
    sources = [
        {
            "id": "underpasses",
            "file": "underpasses.csv",
            "title": {"zh": "通道", "en": "Passages"},
            "time": {"none": True},
        },
        {"id": "permits", "file": "permits.csv", "title": {"zh": "许可", "en": "Permits"}, "time": lasting},
    ]
    return parse_manifest({"city": about, "source": [one | common for one in sources]})


def write(folder, name, header, rows):
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow([*header, "经度", "纬度"])
        out.writerows([*told, *(f"{one:.6f}" for one in degrees(x, y))] for told, x, y in rows)


def write_underpasses(folder, listed=UNDERPASSES, kind="类别"):
    write(folder, "underpasses", ["编号", kind], [((key, what), x, y) for key, what, x, y in listed])


def write_permits(folder):
    write(folder, "permits", ["编号", "开工", "竣工"], [((key, *days), x, y) for key, x, y, *days in PERMITS])


@pytest.fixture(scope="module")
def loaded(tmp_path_factory, migrated_sqlite):
    """A home whose lake has underpasses and permits, to copy."""
    folder = tmp_path_factory.mktemp("grounded")
    write_underpasses(folder)
    write_permits(folder)
    (folder / "home").mkdir()
    shutil.copy(migrated_sqlite, folder / "home" / "records.db")
    with open_city(folder / "home") as city:
        with city.records.write() as session:
            for code in (WATER, PARKS):
                session.add(DepartmentRow(code=code, title=code, parent=None, closed=None))
        assert load_pack(city, pack(), folder, None, LOCAL).complete
    return folder


class Grounded(City):
    """Gauges in a city whose lake has datasets."""

    def begin(self):
        """Let a process begin anew."""
        grounds = self.station.sensing.grounds
        self.keeper = RuleKeeper(self.records, self.readings, ZONE, grounds=grounds)

    def gauge(self, x, y):
        lon, lat = degrees(x, y)
        place = location(lon=lon)
        place["location"] = {"type": "Point", "coordinates": [lon, lat]}
        made = self.station.post("Things", thing(Locations=[place], Datastreams=[datastream()]))
        (stream,) = self.station.values(f"Things({made})/Datastreams")
        return stream["@iot.id"]

    def load(self, manifest=None, **rows):
        write_underpasses(self.folder, **rows)
        assert load_pack(self.opened, manifest or pack(), self.folder, None, LOCAL).complete

    def wet(self, *gauges, hour=1, result=60):
        for one in gauges:
            self.say(one, hour, result)
        self.look(hour, 1)

    def subjects(self):
        return [(row.subject, row.ended is None) for row in self.rows()]


@pytest.fixture
def city(loaded, tmp_path):
    home = shutil.copytree(loaded / "home", tmp_path / "home")
    for name in ("underpasses", "permits"):
        shutil.copy(loaded / f"{name}.csv", tmp_path)
    policies = Policies(default_policies().text, 0, [(WATER, None), (PARKS, None)])
    with open_city(home) as opened, Readings(tmp_path / "readings", facts_of(opened.records)) as readings:
        grounds = Grounds(opened.lake, lambda: ZONE)
        sensing = Sensing(opened.records, lambda: policies, readings, grounds=grounds)
        grounded = Grounded(Station(sensing, LOCAL))
        grounded.opened, grounded.folder = opened, tmp_path
        grounded.begin()
        yield grounded


def test_water_near_an_underpass_is_an_alarm_that_names_it_and_elsewhere_none(city):
    near, far = city.gauge(0, 0), city.gauge(600, 0)
    rule = city.write(WET)
    city.look(0)
    city.wet(near, far)
    (alarm,) = city.rows()
    assert (alarm.rule_id, alarm.subject, alarm.began) == (rule, f"stream/{near}", at(1))
    (ground,) = alarm.grounds
    assert (ground["dataset"], ground["version"], ground["count"], ground["open"]) == (
        "underpasses",
        1,
        1,
        False,
    )
    ((row,),) = [ground["rows"]]
    assert (row["name"], row["metres"]) == ("U1", pytest.approx(120, abs=0.5))
    city.wet(near, hour=2, result=10)
    assert city.subjects() == [(f"stream/{near}", False)]


def test_a_zone_asks_its_own_cell(city):
    city.gauge(0, 0)
    gauge = city.gauge(2000, 10)
    city.write(
        WET
        | {"together": "zone", "level": 17, "datasets": [{"dataset": "underpasses", "where": "编号 = 'U3'"}]}
    )
    city.look(0)
    city.wet(1, gauge)
    (alarm,) = city.rows()
    assert [(row["name"], row["metres"]) for row in alarm.grounds[0]["rows"]] == [("U3", None)]


def test_while_a_permit_is_valid_nothing_is_raised_and_when_its_last_day_is_over_it_is(city):
    there = city.gauge(3000, 20)
    city.write(FREE)
    city.keeper.look(at(0))
    city.wet(there)
    assert city.rows() == []
    end = at(16)  # 00:00 of 2 November in Shanghai
    city.keeper.look(end + 5_000_000)
    (alarm,) = city.rows()
    assert alarm.began == end
    assert (alarm.grounds[0]["dataset"], alarm.grounds[0]["count"]) == ("permits", 0)


def test_an_area_counts_from_its_edge_and_in_each_cell_that_it_touches(city):
    beside, inside = city.gauge(5150, 50), city.gauge(5050, 50)
    edge = [degrees(x, y) for x, y in ((5000, 0), (5100, 0), (5100, 100), (5000, 100), (5000, 0))]
    shape = {"type": "Polygon", "coordinates": [edge]}
    told = {"type": "Feature", "properties": {"编号": "F1"}, "geometry": shape}
    (city.folder / "fields.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [told]}))
    about = {"id": "grounded", "name": {"zh": "地"}, "adcode": "990100", "time_zone": "Asia/Shanghai"}
    fields = {
        "id": "fields", "file": "fields.geojson", "title": {"zh": "田", "en": "Fields"}, "keys": ["编号"],
        "place": {"geometry": "geometry", "crs": "WGS84"}, "time": {"none": True}, "owner": WATER,
    }  # fmt: skip
    manifest = parse_manifest({"city": about, "source": [fields]})
    assert load_pack(city.opened, manifest, city.folder, None, LOCAL).complete
    near = [city.write(HIGH | {"datasets": [{"dataset": "fields", "metres": metres}]}) for metres in (40, 60)]
    cell = city.write(HIGH | {"level": 23, "datasets": [{"dataset": "fields"}]})
    city.look(0)
    city.wet(beside, inside)
    found = {(row.rule_id, row.subject): row.grounds[0]["rows"][0]["metres"] for row in city.rows()}
    assert found == {
        (near[0], f"stream/{inside}"): 0,
        (near[1], f"stream/{inside}"): 0,
        (near[1], f"stream/{beside}"): pytest.approx(50, abs=0.2),
        (cell, f"stream/{inside}"): None,
    }


def test_a_new_version_changes_the_outcome_both_ways(city):
    gauge = city.gauge(600, 0)
    city.write(WET)
    city.look(0)
    city.wet(gauge)
    assert city.rows() == []
    city.load(listed=[*UNDERPASSES, ("U4", "下穿通道", 640, 0)])
    city.look(2)
    (alarm,) = city.rows()
    assert (alarm.began, alarm.ended) == (at(2), None)
    assert [(one["version"], one["rows"][0]["name"]) for one in alarm.grounds] == [(2, "U4")]
    city.load()
    city.look(3)
    (alarm,) = city.rows()
    assert (alarm.ended, alarm.ended_by) == (at(3), [])
    assert [(one["version"], one["count"]) for one in alarm.ended_grounds] == [(3, 0)]


def test_a_rule_whose_field_is_gone_is_broken_raises_nothing_and_stops_no_other(city):
    gauge, other = city.gauge(0, 0), city.gauge(2000, 0)
    rule = city.write(WET)
    plain = city.write(HIGH)
    grounds = city.station.sensing.grounds
    city.look(0)
    city.wet(gauge)
    assert grounds.trouble("", rule_of(WET)) is None
    city.load(kind="种类")
    city.wet(other, hour=2)
    assert "类别" in grounds.trouble("", rule_of(WET)).zh
    lasting = {(row.rule_id, row.subject) for row in city.rows() if row.ended is None}
    assert lasting == {(rule, f"stream/{gauge}"), (plain, f"stream/{gauge}"), (plain, f"stream/{other}")}
    city.begin()
    city.look(3)
    assert {(row.rule_id, row.subject) for row in city.rows() if row.ended is None} == lasting
    city.load()
    city.look(4)
    assert (rule, f"stream/{other}") in {(row.rule_id, row.subject) for row in city.rows()}
    (broken,) = city.events("sense.rule_broken")
    (mended,) = city.events("sense.rule_mended")
    assert (broken.subject, mended.subject) == (f"sense/rules/{rule}",) * 2
    assert "类别" in broken.data["zh"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"dataset": "underpass"}, "datasets[0].dataset"),
        ({"where": "种类 = 'x'"}, "datasets[0].where"),
        ({"where": "类别 ="}, "datasets[0].where"),
        ({"where": "1 = 1; DROP TABLE x"}, "datasets[0].where"),
        ({"valid": True}, "datasets[0].valid"),
        ({"metres": -1}, "datasets[0].metres"),
        ({"metres": 50_000}, "datasets[0].metres"),
        ({"count": 0}, "datasets[0].count"),
        ({"kind": "maybe"}, "datasets[0].kind"),
    ],
)
def test_a_condition_that_says_nothing_sensible_is_refused_with_where(city, change, field):
    with pytest.raises(BadRuleError) as caught:
        service.checked(HIGH | {"datasets": [NEAR | change]}, None, LOCAL, city.station.sensing.grounds)
    assert caught.value.where["field"] == field
    assert service.checked(WET, None, LOCAL, city.station.sensing.grounds) == rule_of(WET)


def test_what_the_owner_may_not_read_cannot_be_asked(city):
    grounds = city.station.sensing.grounds
    city.load(pack(PARKS, "none"))
    for owner, asker in ((WATER, KEEPER), (WATER, LOCAL), ("", LOCAL)):
        with pytest.raises(BadRuleError) as caught:
            service.checked(WET, None, asker, grounds, owner)
        assert caught.value.where["field"] == "datasets[0].dataset"
    assert service.checked(WET, None, LOCAL, grounds, PARKS)
    gauge = city.gauge(0, 0)
    city.write(WET)
    city.look(0)
    city.wet(gauge)
    assert city.rows() == []


def test_who_may_not_read_a_dataset_is_not_told_its_rows(city):
    city.load(pack(PARKS, "none"))
    gauge = city.gauge(0, 0)
    city.share("unconditional")
    city.write(WET, owner=PARKS)
    city.look(0)
    city.wet(gauge)
    told = {who.id: city.alarms(who)[0].grounds[0] for who in (LOCAL, somebody("operator"))}
    assert (told["local"]["told"], told["local"]["count"]) == (True, 1)
    assert (told["person/1"]["told"], told["person/1"]["count"], told["person/1"]["rows"]) == (
        False,
        None,
        [],
    )
    (called,) = city.events("sense.alarm_called")
    assert "PM2.5" in called.data["reasons"]
    assert "U1" not in called.data["reasons"]


def test_history_is_asked_by_the_version_of_its_time(city):
    gauge = city.gauge(0, 0)
    city.load(listed=UNDERPASSES[1:])
    second, first = (micros_of(one.published) for one in city.opened.lake.versions(LOCAL, "underpasses"))
    between = (first + second) // 2
    moments = [first - 2 * MINUTE, first - MINUTE, between, between + 1, second + MINUTE, second + 2 * MINUTE]
    for moment, result in zip(moments, (60, 10, 60, 10, 60, 10), strict=True):
        told = {"phenomenonTime": instant_of(moment), "result": result}
        city.station.post(f"Datastreams({gauge})/Observations", told)
    since, until = first - 60 * MINUTE, second + 60 * MINUTE
    with city.records.read() as session:
        sensing = city.station.sensing
        sight = sensing.sight(session, LOCAL)
        tried = service.tried(
            session, city.readings, sight, rule_of(WET), since=since, until=until, grounds=sensing.grounds
        )
    assert [(one.began, one.grounds[0]["rows"][0]["name"]) for one in tried.found] == [
        (moments[0], "U1"),
        (between, "U1"),
    ]
    assert [(one.version, one.since, one.until, one.assumed) for one in tried.datasets] == [
        (1, since, first, True),
        (1, first, second, False),
        (2, second, until, False),
    ]


def test_readings_outlast_the_pack_being_opened_again(city, tmp_path):
    stream = city.gauge(0, 0)
    with Readings(tmp_path / "kept", facts_of(city.records), lake=city.opened.lake) as readings:
        readings.append(Batch(np.array([stream]), np.array([at(1)]), np.array([60.0])))
        readings.flush()
        city.load()
        (kept,) = [one for one in city.opened.lake.catalogue() if one.own]
        assert (kept.id, kept.state) == ("readings", "published")
        assert readings.count([stream]) == 1
