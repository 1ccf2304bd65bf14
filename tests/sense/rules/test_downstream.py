"""States go over a network of the lake to what lies downstream, and alarms of one branch are one incident."""

import json
import shutil

import pytest
from tests.sense.conftest import PARKS, WATER, Station, datastream, location, somebody, thing
from tests.sense.rules.test_raising import HIGH, ZONE, City, at

from jingwei import grid
from jingwei.access import local_person
from jingwei.access.policy import Policies
from jingwei.access.policy.store import default_policies
from jingwei.city import load_pack, open_city, parse_manifest
from jingwei.grid import Cell
from jingwei.lake import lineage
from jingwei.lake.errors import UnknownDatasetError
from jingwei.records import now_utc
from jingwei.sense.intake import facts_of
from jingwei.sense.readings import Readings
from jingwei.sense.rules import service, standing
from jingwei.sense.rules.form import BadRuleError, rule_of
from jingwei.sense.rules.keeping import RuleKeeper
from jingwei.sense.rules.networks import Networks
from jingwei.sense.series import micros_of
from jingwei.sense.service import Sensing

LOCAL = local_person()
OPERATOR = somebody("operator")
EAST, NORTH = 85_513.0, 111_034.0
"""Metres of a degree at 39.9 N."""
NODES = {
    "source": (0, 0), "side": (2000, 1800), "joint": (2000, 0), "fork": (4000, 0), "left": (4000, 2000),
    "right": (6000, 0), "round": (7000, 1000), "back": (7000, -1000),
}  # fmt: skip
PIPES = {
    "upper": ("source", "joint"), "branch": ("side", "joint"), "trunk": ("joint", "fork"),
    "to the left": ("fork", "left"), "to the right": ("fork", "right"), "loop 1": ("right", "round"),
    "loop 2": ("round", "back"), "loop 3": ("back", "right"),
}  # fmt: skip
FLOWS = {"dataset": "pipes", "from": "上游井", "to": "下游井", "metres": 9000}
DOWN = HIGH | {"downstream": FLOWS}


def degrees(x, y):
    return 116.4 + x / EAST, 39.9 + y / NORTH


def pack(sharing="conditional"):
    lines = {"file": "pipes.geojson", "place": {"geometry": "geometry", "crs": "WGS84"}, "sharing": sharing}
    about = {"id": "drained", "name": {"zh": "渠"}, "adcode": "990100"}
    source = {"id": "pipes", "title": {"zh": "雨水管线", "en": "Storm drains"}, "keys": ["管段"], **lines}
    return parse_manifest({"city": about, "source": [source | {"time": {"none": True}}]})


def write_pipes(folder):
    features = [
        {
            "type": "Feature",
            "properties": {"管段": name, "上游井": pair[0], "下游井": pair[1]},
            "geometry": {"type": "LineString", "coordinates": [degrees(*NODES[one]) for one in pair]},
        }
        for name, pair in PIPES.items()
    ]
    told = {"type": "FeatureCollection", "features": features}
    (folder / "pipes.geojson").write_text(json.dumps(told), "utf-8")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory, migrated_sqlite):
    """A home whose lake has the pipes, to copy."""
    folder = tmp_path_factory.mktemp("drained")
    write_pipes(folder)
    (folder / "home").mkdir()
    shutil.copy(migrated_sqlite, folder / "home" / "records.db")
    with open_city(folder / "home") as city:
        assert load_pack(city, pack(), folder, None, LOCAL).complete
    return folder


class Drained(City):
    """Gauges at storm drains."""

    def __init__(self, station):
        super().__init__(station)
        self.begin()

    def begin(self):
        """Let a process begin anew."""
        networks = self.station.sensing.networks
        self.keeper = RuleKeeper(self.records, self.readings, ZONE, networks=networks)

    def gauge(self, x, y, name="液位计"):
        lon, lat = degrees(x, y)
        place = location(lon=lon)
        place["location"] = {"type": "Point", "coordinates": [lon, lat]}
        made = self.station.post("Things", thing(name, Locations=[place], Datastreams=[datastream()]))
        (stream,) = self.station.values(f"Things({made})/Datastreams")
        return stream["@iot.id"]

    def states(self, asker=None, level=17, at=None):
        with self.records.read() as session:
            sight = self.station.sensing.sight(session, asker or self.station.asker)
            return standing.states(session, sight, level, at, networks=self.station.sensing.networks)

    def lose(self, pipe):
        """Publish the network without one of its pipes."""
        features = json.loads((self.folder / "pipes.geojson").read_text("utf-8"))
        features["features"] = [one for one in features["features"] if one["properties"]["管段"] != pipe]
        (self.folder / "pipes.geojson").write_text(json.dumps(features), "utf-8")
        assert load_pack(self.opened, pack(), self.folder, None, LOCAL).complete

    def state(self, x, y, asker=None, level=17):
        cell = Cell(grid.encode(*degrees(x, y), level), level)
        with self.records.read() as session:
            sight = self.station.sensing.sight(session, asker or self.station.asker)
            networks = self.station.sensing.networks
            return standing.of_cell(session, sight, self.readings, cell, networks)

    def incidents(self):
        return [row.incident_id for row in self.rows()]


@pytest.fixture
def city(loaded, tmp_path):
    home = shutil.copytree(loaded / "home", tmp_path / "home")
    shutil.copy(loaded / "pipes.geojson", tmp_path)
    policies = Policies(default_policies().text, 0, [(WATER, None), (PARKS, None)])
    with open_city(home) as opened, Readings(tmp_path / "readings", facts_of(opened.records)) as readings:
        sensing = Sensing(opened.records, lambda: policies, readings, Networks(opened.lake))
        drained = Drained(Station(sensing, LOCAL))
        drained.opened, drained.folder = opened, tmp_path
        yield drained


def here(x, y, level=17):
    return int(grid.to_stored(grid.encode(*degrees(x, y), level)))


def raise_at(city, *gauges, hour=1):
    for one in gauges:
        city.say(one, hour, 60)
    city.look(hour)


def test_what_is_downstream_turns_red_and_what_is_upstream_stays_green(city):
    gauge = city.gauge(2500, 0)
    city.write(DOWN)
    city.look(0)
    raise_at(city, gauge)
    found = city.states()
    red = [(2500, 0), (3300, 0), (4000, 1900), (5500, 0), (6600, 600), (7000, 300), (6600, -600)]
    green = [(0, 0), (1900, 0), (2000, 900), (4000, -600), (3000, 900)]
    for place in red:
        assert here(*place) in found, place
        assert city.state(*place).severity == "warning"
    for place in green:
        assert here(*place) not in found, place
        assert city.state(*place).alarms == []
    city.say(gauge, 2, 10)
    city.look(2)
    assert city.states() == {}


def test_a_red_cell_says_from_which_sensor_and_which_way_it_came(city):
    gauge = city.gauge(2500, 5)
    city.write(DOWN)
    city.look(0)
    raise_at(city, gauge)
    (own,) = city.state(2500, 5).alarms
    assert own.way is None
    (alarm,) = city.state(6600, 600, level=20).alarms
    assert alarm.id == own.id
    assert [why["stream"] for why in alarm.reasons] == [alarm.way.stream] == [gauge]
    assert (alarm.way.dataset, alarm.way.title.zh, alarm.way.steps) == ("pipes", "雨水管线", 3)
    assert [one.name for one in alarm.way.lines] == ["trunk", "to the right", "loop 1"]
    assert alarm.way.metres == pytest.approx(1500 + 2000 + 848, abs=100)
    assert [one.way for one in city.states(level=20)[here(6600, 600, 20)]] == [alarm.way]


def test_from_the_pipes_one_comes_forward_to_the_rules_that_go_by_them(city):
    number = city.write(DOWN)
    city.write(HIGH)
    found = lineage.uses(city.opened.lake, LOCAL, "pipes", 1)
    assert [one.subject for one in found if one.kind == "rule"] == [f"sense/rules/{number}"]
    stranger = somebody("citizen")
    uses = service.used_by(city.opened.lake, stranger, city.opened.lake.dataset(LOCAL, "pipes").version)
    assert list(uses) == []


def test_at_the_bound_it_ends(city):
    gauge = city.gauge(2500, 0)
    city.write(DOWN | {"downstream": FLOWS | {"metres": 900}})
    city.look(0)
    raise_at(city, gauge)
    assert here(3350, 0) in city.states()
    assert city.state(4000, 0).alarms == []


def test_lines_without_nodes_flow_as_they_are_drawn(city):
    gauge = city.gauge(2500, 0)
    city.write(DOWN | {"downstream": {"dataset": "pipes", "metres": 5000}})
    city.look(0)
    raise_at(city, gauge)
    found = city.states()
    assert {here(5500, 0), here(4000, 1900)} <= found.keys()
    assert not {here(1900, 0), here(2000, 900)} & found.keys()


def test_the_network_is_that_of_the_newest_version(city):
    gauge = city.gauge(2500, 0)
    city.write(DOWN)
    city.look(0)
    raise_at(city, gauge)
    assert here(4000, 1900) in city.states()
    city.lose("to the left")
    assert here(4000, 1900) not in city.states()
    assert here(5500, 0) in city.states()


def test_an_hour_is_replayed_over_the_network_of_that_hour(city):
    gauge = city.gauge(2500, 0)
    city.write(DOWN)
    city.look(0)
    raise_at(city, gauge)
    recorded = []
    for pipe in ("to the left", "loop 1"):
        recorded.append((micros_of(now_utc()), set(city.states())))
        city.lose(pipe)
    recorded.append((micros_of(now_utc()), set(city.states())))
    assert len({len(cells) for _, cells in recorded}) == 3
    for moment, cells in recorded:
        assert set(city.states(at=moment)) == cells
    assert set(city.states(at=at(2))) == recorded[0][1]  # before the lake had any: the oldest


def test_who_may_not_read_the_network_is_told_nothing_of_it(city):
    gauge = city.gauge(2500, 0)
    city.write(DOWN)
    city.look(0)
    raise_at(city, gauge)
    assert here(5500, 0) in city.states(OPERATOR)
    assert load_pack(city.opened, pack("none"), city.folder, None, LOCAL).complete
    assert set(city.states(OPERATOR)) == {here(2500, 0)}
    assert city.state(5500, 0, OPERATOR).alarms == []


def test_who_is_told_places_coarsely_is_not_told_where_a_way_begins(city):
    assert load_pack(city.opened, pack("unconditional"), city.folder, None, LOCAL).complete
    gauge = city.gauge(2500, 0)
    city.share("unconditional")
    city.write(DOWN, owner=PARKS)
    city.look(0)
    raise_at(city, gauge)
    gardener = somebody("staff", department=PARKS)
    assert here(5500, 0) in city.states(gardener)
    city.share("conditional")
    assert set(city.states(gardener)) == {here(2500, 0)}


def test_alarms_of_one_branch_are_one_incident_whichever_came_first(city):
    up, down, left = city.gauge(2500, 0), city.gauge(5500, 0), city.gauge(4000, 1900)
    city.write(DOWN)
    city.look(0)
    raise_at(city, down)
    raise_at(city, left)
    first, other = city.incidents()
    assert first != other  # on two branches of the fork
    city.say(left, 2, 10)
    city.look(4)  # and over
    raise_at(city, up, hour=4)
    assert city.incidents() == [first, other, first]
    raise_at(city, left, hour=5)
    assert city.incidents() == [first, other, first, first]


def test_what_flows_together_is_not_of_one_branch_before_it_does(city):
    one, other, below = city.gauge(500, 0), city.gauge(2000, 1500), city.gauge(3500, 0)
    city.write(DOWN)
    city.look(0)
    raise_at(city, one)
    raise_at(city, other)
    raise_at(city, below)
    first, second, third = city.incidents()
    assert first != second
    assert third == first


def test_an_alarm_of_another_rule_joins_what_reaches_it_also_after_a_new_start(city):
    up, down, aside = city.gauge(2500, 0), city.gauge(5500, 0), city.gauge(4000, -1900)
    city.write(DOWN | {"within": [Cell(grid.encode(*degrees(2500, 0), 17), 17).geosot]})
    below = [Cell(grid.encode(*degrees(*one), 17), 17).geosot for one in ((5500, 0), (4000, -1900))]
    city.write(HIGH | {"within": below})
    city.look(0)
    raise_at(city, up)
    city.begin()
    raise_at(city, aside, down)
    by_subject = {row.subject: row.incident_id for row in city.rows()}
    assert by_subject[f"stream/{up}"] == by_subject[f"stream/{down}"] != by_subject[f"stream/{aside}"]


def test_alarms_come_also_where_the_network_is_not_there(city):
    gauge = city.gauge(2500, 0)
    city.write(DOWN | {"downstream": {"dataset": "nowhere", "metres": 100}})
    city.write(DOWN | {"downstream": FLOWS | {"from": "井"}})
    city.look(0)
    raise_at(city, gauge)
    assert len(city.rows()) == 2
    assert set(city.states()) == {here(2500, 0)}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"metres": 0}, "downstream.metres"),
        ({"metres": 50_000}, "downstream.metres"),
        ({"to": None}, "downstream.to"),
        ({"from": None}, "downstream.from"),
        ({"from": "井"}, "downstream.from"),
    ],
)
def test_a_network_that_says_nothing_sensible_is_refused_with_where(city, change, field):
    said = {name: value for name, value in (FLOWS | change).items() if value is not None}
    networks = city.station.sensing.networks
    with pytest.raises(BadRuleError) as caught:
        service.checked(HIGH | {"downstream": said}, networks, LOCAL)
    assert caught.value.where["field"] == field
    assert service.checked(DOWN, networks, LOCAL) == rule_of(DOWN)
    with pytest.raises(UnknownDatasetError):
        service.checked(HIGH | {"downstream": FLOWS | {"dataset": "pipe"}}, networks, LOCAL)
