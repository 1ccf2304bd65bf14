"""Pages follow the log: from where they stopped, only what they may know, and no longer than they may."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack

import httpx2
import pytest

from jingwei import access, ledger
from jingwei.access import Asker, local_person
from jingwei.access.policy.store import adopt, default_policies
from jingwei.city import City
from jingwei.ledger.sealer import Sealer
from jingwei.records import open_records
from jingwei.web import OPEN, create_app
from jingwei.web.routes import events

from .people import asked_by
from .served import serving

PATIENCE = 20
GARDENS, ROADS = "11440300000000001R", "11440300000000002W"


class Person:
    """Whoever asks at the moment; tests change it."""

    now = local_person()


@pytest.fixture
def city(square, tmp_path):
    """The square city with records of its own, for these tests change them."""
    with square.records.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(square.home / "records.db", tmp_path / "records.db")
    city = City(square.home, open_records(f"sqlite:///{tmp_path / 'records.db'}", migrate=False))
    with Sealer(city.records, tmp_path / "log", pause=0.001).running():
        yield city
    city.close()


@pytest.fixture
def address(city, monkeypatch):
    Person.now = local_person()
    monkeypatch.setattr(events, "still_asker_of", lambda _request: Person.now)
    app = create_app(city, entry=OPEN)
    asked_by(app, lambda: Person.now)
    with serving(app) as address:
        yield address


class Stream:
    """A page that follows."""

    def __init__(self, answer):
        self.lines = answer.iter_lines()
        self.last = None

    def next(self):
        """Return the next event as (kind, data), `None` at the end of the stream."""
        kind, data = "message", None
        for line in self.lines:
            if line.startswith("id: "):
                self.last = int(line[4:])
            elif line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif not line and data is not None:
                return kind, data
        return None


def follow(address, headers=None, **params):
    return httpx2.stream("GET", f"{address}/api/events", params=params, headers=headers, timeout=PATIENCE)


def publish(city, dataset):
    with city.records.write() as session:
        ledger.append(session, "dataset.removed", actor="local", subject=f"dataset/{dataset}", data={})


@pytest.mark.parametrize("path", ["/api/events", "/api/sense/live"])
def test_a_stream_ends_whole_when_the_server_does(city, path):
    """One that is cut is told as an error to the page, and as a trace to whoever stops the city."""
    with ExitStack() as open_:
        app = create_app(city, entry=OPEN)
        asked_by(app, local_person)
        with serving(app) as address:
            answer = open_.enter_context(httpx2.stream("GET", address + path, timeout=PATIENCE))
            told = answer.iter_lines()
            assert next(told).startswith("retry")
        list(told)  # raises where it was cut


def test_what_happens_is_told_as_it_happens(address, city):
    with follow(address) as answer:
        stream = Stream(answer)
        assert answer.headers["content-type"].startswith("text/event-stream")
        publish(city, "stops")
        kind, told = stream.next()
    assert kind == "message"
    assert (told["type"], told["subject"], told["actor"]) == ("dataset.removed", "dataset/stops", "local")
    assert stream.last == told["position"]


def test_a_stream_goes_on_where_the_page_lost_it(address, city):
    with follow(address) as answer:
        publish(city, "stops")
        stream = Stream(answer)
        stream.next()
    publish(city, "lines")
    publish(city, "visits")
    with follow(address, headers={"Last-Event-ID": str(stream.last)}) as answer:
        stream = Stream(answer)
        assert [stream.next()[1]["subject"] for _ in range(2)] == ["dataset/lines", "dataset/visits"]


def test_the_whole_log_can_be_read_from_its_beginning(address, city):
    with city.records.read() as session:
        expected = [(one.position, one.type) for one in ledger.entries(session, 0, ledger.size(session))]
    with follow(address, after=-1) as answer:
        stream = Stream(answer)
        seen = [stream.next()[1] for _ in expected]
    assert [(one["position"], one["type"]) for one in seen] == expected


def test_only_the_kinds_that_were_asked_for_are_told(address, city):
    with follow(address, types="policy") as answer:
        publish(city, "stops")
        with city.records.write() as session:
            adopt(session, local_person(), "permit (principal, action, resource);", [])
        assert Stream(answer).next()[1]["type"] == "policy.adopted"


def test_a_stranger_is_told_nothing_of_what_is_not_listed_for_strangers(address, city):
    Person.now = Asker("person/1", "某人")
    with follow(address) as answer:
        publish(city, "stops")  # conditional: strangers do not see that it exists
        with city.records.write() as session:
            access.add_person(session, local_person(), "wang", "王芳")
            adopt(session, local_person(), default_policies().text, [])
        kind, told = Stream(answer).next()
    assert (kind, told["type"]) == ("message", "policy.adopted")


def test_a_stream_tells_who_did_it_only_to_those_who_read_the_log(address, city):
    Person.now = Asker("person/1", "某人", frozenset({"staff"}), frozenset({"D"}))
    with follow(address) as answer:
        publish(city, "stops")
        _, told = Stream(answer).next()
    assert set(told) == {"position", "type", "time", "subject"}


def concern(city, number, **data):
    """An event of a case, with whom it concerns."""
    head = {"action": "order", "step": 2, "at": "2026-11-22T00:00:00+00:00", "words": "0" * 64}
    head |= {"was": "handling", "to": "handling"} | data
    with city.records.write() as session:
        ledger.append(session, "case.ordered", actor="system", subject=f"case/{number}", data=head)


@pytest.mark.parametrize(
    ("role", "department", "mine"),
    [
        ("case_department", GARDENS, {"departments": [GARDENS, ROADS]}),
        ("case_handler", None, {"people": ["person/1"]}),
        ("grid_officer", None, {"was": "checking", "to": "pending_check"}),
    ],
)
def test_who_is_concerned_by_a_case_follows_what_happens_to_it(address, city, role, department, mine):
    with city.records.write() as session:
        for code, title in ((GARDENS, "园林"), (ROADS, "道路")):
            access.add_department(session, local_person(), code, title)
    Person.now = Asker("person/1", "某人", frozenset({role}), frozenset({department} if department else ()))
    with follow(address, types="case") as answer:
        concern(city, "1", departments=[ROADS], people=["person/2"])
        concern(city, "2", **mine)
        _, told = Stream(answer).next()
    assert told["subject"] == "case/2"


def test_a_stream_ends_with_the_right_to_it(address, city):
    Person.now = Asker("person/1", "某人", frozenset({"staff"}))
    with follow(address) as answer:
        stream = Stream(answer)
        publish(city, "stops")
        assert stream.next()[1]["subject"] == "dataset/stops"
        with city.records.write() as session:
            adopt(session, local_person(), 'permit (principal in Role::"local", action, resource);', [])
        assert stream.next() == ("end", {"code": "refused"})
        assert stream.next() is None
    assert httpx2.get(f"{address}/api/events", timeout=PATIENCE).status_code == 403


def test_what_was_erased_is_told_to_nobody(address, city):
    publish(city, "stops")
    with follow(address, after=-1) as answer:
        stream = Stream(answer)
        while (told := stream.next()[1])["type"] != "dataset.removed":
            pass
        with city.records.write() as session:
            ledger.erase(session, [told["position"]], actor="local", reason="依法删除")
        while stream.next()[1]["type"] != "ledger.erased":
            pass
    with follow(address, after=told["position"] - 1) as answer:
        assert Stream(answer).next()[1]["subject"] is None


def test_as_many_follow_as_the_server_takes(address, monkeypatch):
    monkeypatch.setattr(events, "MOST", 0)
    answer = httpx2.get(f"{address}/api/events", timeout=PATIENCE)
    assert (answer.status_code, answer.json()["code"]) == (503, "too-many-followers")
