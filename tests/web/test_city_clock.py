"""The city's clock by HTTP, and the running city told by its doors: reading, storm, incident, cases."""

from __future__ import annotations

import json
import shutil
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from jingwei.access import local_person
from jingwei.cases import Desk, regime
from jingwei.cases.following import Listener
from jingwei.city import open_city
from jingwei.city.demo import tiny_town
from jingwei.city.living.clock import AHEAD
from jingwei.city.living.feeding import Answer, Feeder
from jingwei.city.living.running import NotADemoCityError, Where, run
from jingwei.city.living.story import Story
from jingwei.city.models import CityRow
from jingwei.city.sense_spec import SenseSpec
from jingwei.ledger.sealer import Sealer
from jingwei.records import now_utc
from jingwei.sense.founding import BadRulesFileError, found_rules
from jingwei.sense.rules.keeping import RuleKeeper
from jingwei.sense.series import micros_of
from jingwei.web import OPEN, create_app

from .served import serving

CLOCK = "/api/city/clock"
MINUTE = timedelta(minutes=1)
BROUGHT = json.loads((files("jingwei.city.demo") / "rules.json").read_text("utf-8"))
"""The rules that the demo city brings, and which of their calls become cases."""


@pytest.fixture(scope="module")
def story():
    """What happens in the tiny demo city."""
    return Story(tiny_town(seed=1))


class Running:
    """A tiny demo city with its clock, its rules and its desk, led by hand."""

    def __init__(self, city, client):
        self.city, self.client = city, client
        self.keeper = RuleKeeper(city.records, client.app.state.readings, city.about.zone)
        self.listener = Listener(city.records, Desk(city.policies.current))
        self.sealer = Sealer(city.records, city.home / "log")

    def ask(self, method, path, body=None):
        answer = self.client.request(method, path, json=body)
        return Answer(answer.status_code, answer.json() if answer.content else None)

    def settle(self):
        for _ in range(2):
            self.sealer.seal_all()
            self.listener.follower.catch_up()


@contextmanager
def opened(home, migrated_sqlite):
    shutil.copy(migrated_sqlite, home / "records.db")
    with open_city(home) as city:
        about = {"name": {"zh": "演示"}, "adcode": "390100", "generated": True, "time_zone": "Asia/Shanghai"}
        with city.records.write() as session:
            session.add(CityRow(id="demo_tiny_1", about=about, pack="", data="", changed=now_utc()))
        app = create_app(city, entry=OPEN)
        with TestClient(app, raise_server_exceptions=False, base_url="http://localhost") as client:
            yield Running(city, client)


@pytest.fixture
def running(tmp_path, migrated_sqlite):
    """A city whose clock was not set yet."""
    with opened(tmp_path, migrated_sqlite) as running:
        yield running


@pytest.fixture(scope="module")
def fed(tmp_path_factory, migrated_sqlite, story):
    """A city whose stations are registered; its clock only goes on from test to test."""
    with opened(tmp_path_factory.mktemp("fed"), migrated_sqlite) as running:
        assert Feeder(story, running.ask).register() == len(story.streams)
        yield running


def at(told, name="now"):
    return datetime.fromisoformat(told[name])


def test_the_clock_of_a_demo_city_is_the_present_until_it_is_set_going(running):
    before = running.client.get(CLOCK).json()
    assert (before["generated"], before["living"], before["speed"], before["may_set"]) == (
        True,
        False,
        1.0,
        True,
    )
    assert before["now"] == before["present"]
    started = running.client.post(CLOCK, json={"speed": 60}).json()
    assert (started["living"], started["speed"]) == (True, 60.0)
    assert at(running.client.get(CLOCK).json()) > at(running.client.get(CLOCK).json(), "present")


def test_it_jumps_to_the_next_storm_and_stands_when_it_is_paused(running):
    storm = running.client.get(CLOCK).json()["storm"]
    jumped = running.client.post(CLOCK, json={"storm": True, "paused": True}).json()
    assert jumped["now"] == storm
    assert running.client.get(CLOCK).json()["now"] == storm
    assert jumped["storm"] is None or jumped["storm"] > storm


def test_it_goes_neither_back_nor_more_than_a_week_ahead(running):
    now = now_utc()
    back = running.client.post(CLOCK, json={"to": (now - MINUTE).isoformat()})
    assert (back.status_code, back.json()["code"]) == (400, "city-clock-backwards")
    ahead = running.client.post(CLOCK, json={"to": (now + AHEAD + MINUTE).isoformat()})
    assert (ahead.status_code, ahead.json()["code"]) == (409, "city-clock-ahead")


def test_a_real_city_has_the_present_and_no_clock_to_set(client):
    told = client.get(CLOCK).json()
    assert (told["generated"], told["storm"], told["may_set"]) == (False, None, False)
    assert client.post(CLOCK, json={"speed": 60}).json()["code"] == "city-clock-real"


def test_what_lies_in_the_future_is_measured_by_the_clock_of_a_demo_city(fed):
    ahead = max(now_utc(), at(fed.client.get(CLOCK).json())) + timedelta(days=2)
    body = {"phenomenonTime": ahead.isoformat(), "result": 1.0}
    path = "/sta/v1.1/Datastreams(1)/Observations"
    assert fed.client.post(path, json=body).json()["code"] == "reading-kept-apart"
    fed.client.post(CLOCK, json={"to": ahead.isoformat()})
    assert fed.client.post(path, json=body).status_code == 201
    body["phenomenonTime"] = (ahead + timedelta(days=2)).isoformat()
    assert fed.client.post(path, json=body).json()["code"] == "reading-kept-apart"


def test_what_happens_is_told_once_however_often_the_feeder_begins_anew(fed, story):
    now = datetime(2026, 11, 20, 4, 0, 30, tzinfo=UTC)
    readings = fed.client.app.state.readings
    before = readings.last
    first = Feeder(story, fed.ask)
    first.register()
    first.tell(now)
    told = readings.last
    assert told - before == len(story.readings(now - 15 * MINUTE, now))
    again = Feeder(story, fed.ask)
    assert again.register() == 0
    again.tell(now)
    assert readings.last == told
    again.tell(now + 5 * MINUTE)
    assert readings.last == told + len(story.readings(now, now + 5 * MINUTE))


def test_people_are_heard_by_the_page_the_telephone_and_the_patrol(running, story):
    feeder = Feeder(story, running.ask)
    day = datetime(2026, 11, 20, tzinfo=UTC)
    known = {one["code"] for one in running.client.get("/api/cases/types").json()}
    wanted = {}
    for one in story.told(day, day + timedelta(days=12)):
        if one.type in known:  # the others come with the rules of a whole pack
            wanted.setdefault(one.way, one)
    for one in [*wanted.values(), *wanted.values()]:
        feeder._report(one)  # one of each way, without days of readings
    assert not feeder.done.refused
    listed = running.client.get("/api/cases", params={"limit": 50}).json()["cases"]
    assert sorted(one["source"] for one in listed) == ["collector", "hotline", "public"]


def test_the_planted_storm_is_one_incident_and_no_more_cases_than_places_that_flood(fed, story):
    running = fed
    running.client.post(CLOCK, json={"storm": True, "paused": True})
    begins = at(running.client.get(CLOCK).json())
    feeder = Feeder(story, running.ask)
    feeder.register()
    for rule in (one for one in BROUGHT["rules"] if "datasets" not in one):  # there are no schools here
        told = {name: rule[name] for name in rule if name != "downstream"}  # there are no pipes here
        number = running.client.post("/api/sense/rules", json={"rule": told}).json()["id"]
        assert running.client.post(f"/api/sense/rules/{number}/switch", json={"to": "on"}).json()["on"]
    with running.city.records.write() as session:
        calls = [{**one, "type": "06013"} for one in BROUGHT["events"]]  # a type that every city has
        regime.adopt(session, local_person(), "settings", {"events": calls})
    running.keeper.look(micros_of(begins))
    for step in range(5, 7 * 60, 5):
        now = begins + step * MINUTE
        feeder.tell(now)
        running.keeper.look(micros_of(now))
    running.settle()
    deep = story.flooded(begins, begins + timedelta(hours=7))
    found = running.client.get("/api/sense/incidents").json()["incidents"]
    assert [(one["cause"], one["ended"] is not None) for one in found] == [("storm", True)]
    raised = running.client.get("/api/sense/alarms").json()["alarms"]
    assert len({one["incident"] for one in raised}) == 1
    cases = running.client.get("/api/cases", params={"source": "sensor"}).json()["cases"]
    assert 1 <= len(cases) <= len(deep)


def test_a_process_of_its_own_runs_the_city_at_its_address(tmp_path, migrated_sqlite):
    heard, stop = [], threading.Event()

    def tell(news):
        heard.append(news)
        stop.set()

    with opened(tmp_path, migrated_sqlite) as running, serving(running.client.app) as address:
        run(Where(address), stop=stop, speed=60, tell=tell)
        told = running.client.get(CLOCK).json()
    assert (told["living"], told["speed"]) == (True, 60.0)
    assert heard[0].readings > 0


def test_a_real_city_is_told_nothing(client):
    with (
        serving(client.app) as address,
        pytest.raises(NotADemoCityError),
    ):
        run(Where(address), stop=threading.Event())


def test_the_rules_of_a_pack_are_taken_in_once_and_are_on(running, tmp_path):
    (tmp_path / "rules.json").write_text(json.dumps(BROUGHT["rules"]), "utf-8")
    manifest = SimpleNamespace(sense=SenseSpec(rules="rules.json"))
    assert found_rules(running.city, manifest, tmp_path, local_person()) == len(BROUGHT["rules"])
    assert found_rules(running.city, manifest, tmp_path, local_person()) == 0
    listed = running.client.get("/api/sense/rules").json()["rules"]
    assert [one["on"] for one in listed] == [True] * len(BROUGHT["rules"])
    for wrong in ("[1]", "{", "{}"):
        (tmp_path / "rules.json").write_text(wrong, "utf-8")
        with pytest.raises(BadRulesFileError):
            found_rules(running.city, manifest, tmp_path, local_person())
