"""The protocol that takes in readings itself: it answers as the routes do, in order; the rest it hands on."""

from __future__ import annotations

import datetime as dt
import http.client
import json
import socket
import threading

import pytest

from jingwei.access import local_person, set_disabled, take_role, tokens
from jingwei.access.policy.vocabulary import with_implied
from jingwei.records import now_utc
from jingwei.web import OPEN, Entry, create_app, senders
from jingwei.web.ahead import Ahead

from .people import person_of
from .served import serving
from .test_sense_door import FIRST, ROOT, THING

PATH = f"{ROOT}/Datastreams(1)/Observations"
ROWS = [["2026-01-05T00:00:00Z", 3], ["2026-01-05T00:00:01Z", 5000]]
ARRAYS = json.dumps(
    [{"Datastream": {"@iot.id": 1}, "components": ["phenomenonTime", "result"], "dataArray": ROWS}]
).encode()


class Line:
    """One connection, to which bytes are said as a test wants."""

    def __init__(self, address, token=None):
        self.host, port = address.removeprefix("http://").split(":")
        self.host = f"{self.host}:{port}"
        self.socket = socket.create_connection(("127.0.0.1", int(port)), timeout=120)
        self.token = token
        self.read = self.socket.makefile("rb")

    def request(self, method, path, body=b"", **more):
        headers = {"Host": self.host, "Content-Length": str(len(body)), **more}
        if self.token is not None:
            headers = {"Authorization": f"Bearer {self.token}", **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def say(self, text):
        self.socket.sendall(text)

    def answer(self):
        """Return status, headers and body of the next answer."""
        status = int(self.read.readline().split()[1])
        headers = http.client.parse_headers(self.read)
        return status, headers, self.read.read(int(headers["content-length"]))

    def ask(self, method, path, body=b"", **more):
        self.say(self.request(method, path, body, **more))
        return self.answer()


@pytest.fixture
def app(bare):
    """An open city with a stream that has one reading."""
    return create_app(bare, entry=OPEN)


@pytest.fixture
def line(app):
    """A connection to the city."""
    with serving(app) as address:
        line = Line(address)
        assert line.ask("POST", f"{ROOT}/Things", json.dumps(THING).encode())[0] == 201
        assert line.ask("POST", PATH, json.dumps(FIRST).encode())[0] == 201
        yield line
        line.socket.close()


def of(second, result=1):
    return json.dumps({"phenomenonTime": f"2026-02-01T00:00:{second:02}Z", "result": result}).encode()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", PATH, of(1, 2.5)),
        ("POST", PATH, of(2, "open")),
        ("POST", PATH, of(3, result=True)),
        ("POST", PATH, of(4, 12345678901234567890)),
        ("POST", PATH, of(5, 5000)),
        ("POST", PATH, b'{"result":1,"phenomenonTime":"yesterday"}'),
        ("POST", f"{ROOT}/Datastreams(99)/Observations", of(6)),
        ("POST", f"{ROOT}/Observations", of(7)[:-1] + b',"Datastream":{"@iot.id":1}}'),
        (
            "POST",
            f"{ROOT}/CreateObservations",
            ARRAYS,
        ),
        ("GET", f"{PATH}?$top=1&$orderby=phenomenonTime%20desc", b""),
        ("GET", f"{PATH}?$top=1", b""),
        ("GET", f"{ROOT}/Datastreams(7)/Observations?$top=1&$orderby=phenomenonTime%20desc", b""),
    ],
)
def test_it_answers_as_the_application_does(line, method, path, body):
    quick = line.ask(method, path, body)
    long = line.ask(method, path, body, **{"X-Long-Way": "1"})  # a second time, a duplicate changes nothing
    assert quick[0] == long[0]
    assert quick[2] == long[2]
    mine, theirs = ({name.lower(): value for name, value in one[1].items()} for one in (quick, long))
    for named in ("date", "vary"):
        mine.pop(named, None)
        theirs.pop(named, None)
    assert mine == theirs


def test_what_is_asked_without_waiting_is_answered_in_order(line, app):
    asked = [
        line.request("POST", PATH, of(1)),
        line.request("POST", PATH, of(2, 5000)),
        line.request("POST", PATH, of(3)),
        line.request("POST", PATH, b"{"),
        line.request("POST", PATH, of(4)),
        line.request("GET", f"{PATH}?$top=2&$orderby=phenomenonTime%20desc"),
        line.request("GET", f"{ROOT}/Datastreams(1)?$select=name"),
        line.request("POST", PATH, of(5)),
    ]
    line.say(b"".join(asked))
    answers = [line.answer() for _ in asked]
    assert [status for status, _, _ in answers] == [201, 400, 201, 400, 201, 200, 200, 201]
    newest = [one["phenomenonTime"] for one in json.loads(answers[5][2])["value"]]
    assert newest == ["2026-02-01T00:00:04Z", "2026-02-01T00:00:03Z"]
    assert app.state.readings.count([1]) == 5


def test_first_readings_of_streams_make_their_features_together_and_are_answered_in_order(line, app):
    for _ in range(3):
        assert line.ask("POST", f"{ROOT}/Things", json.dumps(THING).encode())[0] == 201
    without = {**THING, "Locations": []}
    assert line.ask("POST", f"{ROOT}/Things", json.dumps(without).encode())[0] == 201
    asked = [
        line.request("POST", PATH.replace("(1)", f"({stream})"), of(second))
        for second, stream in enumerate((2, 1, 3, 5, 4, 2), 1)
    ]
    others = [Line(f"http://{line.host}") for _ in range(3)]
    for number, one in enumerate(others):
        one.say(one.request("POST", PATH.replace("(1)", f"({2 + number})"), of(30 + number)))
    line.say(b"".join(asked))
    assert [line.answer()[0] for _ in asked] == [201, 201, 201, 400, 201, 201], "the fifth has no place"
    assert [one.answer()[0] for one in others] == [201, 201, 201]
    told = line.ask("GET", f"{ROOT}/FeaturesOfInterest?$select=@iot.id&$expand=Observations($count=true)")
    counts = [one["Observations@iot.count"] for one in json.loads(told[2])["value"]]
    assert counts == [2, 3, 2, 2], "one feature for each place, whoever was first"
    streams = json.loads(line.ask("GET", f"{ROOT}/Datastreams?$select=observedArea")[2])["value"]
    assert [one.get("observedArea", {}).get("type") for one in streams] == ["Point"] * 4 + [None]
    for one in others:
        one.socket.close()


def test_it_may_come_in_pieces_of_any_size(line, app):
    whole = line.request("POST", PATH, of(1)) + line.request("POST", PATH, of(2))
    for at in range(0, len(whole), 7):
        line.say(whole[at : at + 7])
    assert [line.answer()[0], line.answer()[0]] == [201, 201]
    assert app.state.readings.count([1]) == 3


def test_a_full_intake_asks_to_come_again(line, app, monkeypatch):
    line.ask("POST", PATH, of(1))
    monkeypatch.setattr("jingwei.sense.readings.intake.Intake._is_full", lambda *_: True)
    status, headers, _ = line.ask("POST", PATH, of(2))
    assert (status, headers["retry-after"]) == (503, "1")


def test_other_sites_do_not_send_readings(line, app):
    refused = line.ask("POST", PATH, of(9), Origin="https://elsewhere.example")
    assert refused[0] == 403
    assert app.state.readings.count([1]) == 1


@pytest.fixture
def signed(bare):
    """A city with sign-in, a stream, and a connection of a keeper's token."""
    person = person_of(bare, "keeper", "system_administrator")
    allowed = with_implied(["sense.write", "sense.observe", "sense.read"])
    with bare.records.write() as session:
        token, kept = tokens.issue_token(session, person, "t", allowed, now_utc() + dt.timedelta(days=1))
    app = create_app(bare, entry=Entry())
    with serving(app) as address:
        line = Line(address, token)
        assert line.ask("POST", f"{ROOT}/Things", json.dumps(THING).encode())[0] == 201
        assert line.ask("POST", PATH, of(1))[0] == 201
        yield bare, app, line, (person, kept.id)
        line.socket.close()


@pytest.mark.parametrize("shown", ["", " ", "\t ", "jw_nobody", "jw_nobody\t"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", PATH, of(2)),
        ("POST", f"{ROOT}/CreateObservations", ARRAYS),
        ("GET", f"{PATH}?$top=1&$orderby=phenomenonTime%20desc", b""),
    ],
)
def test_who_shows_no_token_is_nobody(signed, shown, method, path, body):
    _, app, line, _ = signed
    line.token = None
    for more in ({}, {"X-Long-Way": "1"}):
        assert line.ask(method, path, body, Authorization=f"Bearer {shown}", **more)[0] == 401
    assert app.state.readings.count([1]) == 1


def test_what_heads_have_alike_is_read_once_and_what_differs_each_time(signed):
    bare, app, line, (person, _) = signed
    with bare.records.write() as session:
        other, _ = tokens.issue_token(
            session, person, "reads", frozenset({"sense.read"}), now_utc() + dt.timedelta(days=1)
        )
    known = app.state.readings.count([1])
    mine = line.token
    for shown, status in ((mine, 201), (other, 403), ("jw_nobody", 401), (mine, 201)):
        line.token = shown
        known += status == 201
        assert line.ask("POST", PATH, of(known))[0] == status
        assert line.ask("POST", PATH.replace("(1)", "(77)"), of(known, 2.25))[0] == (
            401 if status == 401 else 404
        )
    line.token = None
    last = {"Authorization": f"Bearer {other}"}  # behind the length
    assert line.ask("POST", PATH, of(30), **last)[0] == 403
    assert line.ask("POST", PATH, of(30), Authorization=f"Bearer {mine}")[0] == 201
    assert line.ask("POST", PATH, of(30))[0] == 401
    assert app.state.readings.count([1]) == known + 1


def read_ahead(app):
    """Read all who may send, and all streams, as a city does that is served."""
    state = app.state
    Ahead(state.city.records, state.taking, state.readings, [state.senders]).read(threading.Event())


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("ended", ["token", "role", "person"])
def test_who_lost_the_right_sends_nothing_more(signed, ended, ahead):
    bare, app, line, (person, number) = signed
    if ahead:
        with bare.records.write() as session:
            soon = now_utc() + dt.timedelta(days=1)
            line.token, kept = tokens.issue_token(session, person, "o", frozenset({"sense.observe"}), soon)
            number = kept.id
        read_ahead(app)
    assert line.ask("POST", PATH, of(2))[0] == 201
    if ahead:
        read_ahead(app)
    person_of(bare, "successor", "system_administrator")
    with bare.records.write() as session:
        if ended == "token":
            tokens.revoke_token(session, local_person(), person, number)
        else:
            take_role(session, local_person(), person, "system_administrator")
        if ended == "person":
            set_disabled(session, local_person(), person, disabled=True)
    assert line.ask("POST", PATH, of(3))[0] == (404 if ended == "role" else 401)
    assert app.state.readings.count([1]) == 2


def test_who_loses_the_right_while_being_read_ahead_sends_nothing(signed):
    bare, app, line, (person, number) = signed
    known = app.state.senders
    with bare.records.read() as session:
        told, ends = senders.read_ahead(session, person, now_utc()), known.ends
    with bare.records.write() as session:
        tokens.revoke_token(session, local_person(), person, number)
    assert line.ask("POST", PATH, of(2))[0] == 401
    known.hand(told, ends)
    assert line.ask("POST", PATH, of(3))[0] == 401
    assert app.state.readings.count([1]) == 1


def test_readings_follow_a_stream_that_changes_and_leave_the_others_as_they_are(signed):
    bare, app, line, (person, _) = signed
    soon = now_utc() + dt.timedelta(days=1)
    with bare.records.write() as session:
        device, _ = tokens.issue_token(session, person, "d", frozenset({"sense.observe"}), soon)
    assert line.ask("POST", f"{ROOT}/Things", json.dumps(THING).encode())[0] == 201
    read_ahead(app)
    other, keeper = PATH.replace("(1)", "(2)"), line.token
    line.token = device
    assert [line.ask("POST", path, of(2))[0] for path in (PATH, other)] == [201, 201]
    line.token = keeper
    elsewhere = {**THING["Locations"][0], "location": {"type": "Point", "coordinates": [114.1, 22.6]}}
    assert line.ask("POST", f"{ROOT}/Things(1)/Locations", json.dumps(elsewhere).encode())[0] == 201
    read_ahead(app)
    line.token = device
    told = [json.loads(line.ask("POST", path, of(3))[2])["@iot.id"] for path in (PATH, other)]
    line.token = keeper
    places = [
        json.loads(line.ask("GET", f"{ROOT}/Observations({one})/FeatureOfInterest")[2])["feature"]
        for one in told
    ]
    assert [one["coordinates"] for one in places] == [[114.1, 22.6], [114.06, 22.54]]


def test_a_token_that_is_new_is_known_at_once_and_one_that_ran_out_no_more(signed, monkeypatch):
    bare, app, line, (person, _) = signed
    soon = now_utc() + dt.timedelta(days=1)
    with bare.records.write() as session:
        line.token, _ = tokens.issue_token(session, person, "new", frozenset({"sense.observe"}), soon)
    assert line.ask("POST", PATH, of(2))[0] == 201
    later = soon + dt.timedelta(seconds=1)
    for part in (senders, tokens):
        monkeypatch.setattr(part, "now_utc", lambda: later)
    assert line.ask("POST", PATH, of(3))[0] == 401
    assert app.state.readings.count([1]) == 2


def test_a_quota_is_that_of_a_token_by_whatever_way_readings_come(signed, monkeypatch):
    bare, app, line, (person, _) = signed
    monkeypatch.setattr(app.state.quotas, "per_minute", 3)
    app.state.quotas._left.clear()
    long = {"X-Long-Way": "1"}
    assert line.ask("POST", PATH, of(2))[0] == 201
    assert line.ask("POST", PATH, of(3), **long)[0] == 201
    assert line.ask("POST", f"{ROOT}/CreateObservations", ARRAYS, **long)[0] == 429
    assert line.ask("POST", PATH, b"[%b]" % of(4))[0] == 201
    for way in ({}, long):
        status, headers, _ = line.ask("POST", PATH, of(5), **way)
        assert (status, headers["retry-after"].isdecimal()) == (429, True)
    with bare.records.write() as session:
        soon = now_utc() + dt.timedelta(days=1)
        line.token, _ = tokens.issue_token(session, person, "other", frozenset({"sense.observe"}), soon)
    assert line.ask("POST", PATH, of(5), **long)[0] == 201
    streams = [{**THING["Datastreams"][0], "Observations": [{"result": n} for n in range(3)]}]
    deep = json.dumps({**THING, "Datastreams": streams}).encode()
    assert line.ask("POST", f"{ROOT}/Things", deep)[0] == 429
    posts = [
        {"id": str(n), "method": "post", "url": "Datastreams(1)/Observations", "body": json.loads(of(n))}
        for n in (6, 7, 8)
    ]
    told = line.ask("POST", f"{ROOT}/$batch", json.dumps({"requests": posts}).encode())
    assert [one["status"] for one in json.loads(told[2])["responses"]] == [201, 201, 429]


def test_a_feature_is_made_for_each_who_waits_for_it(bare):
    app = create_app(bare, entry=OPEN)
    with serving(app) as address:
        assert Line(address).ask("POST", f"{ROOT}/Things", json.dumps(THING).encode())[0] == 201
        known = senders.Senders(app.state.gate, bare.policies, app.state.taking)
        sender = known.of(b"").sender
        assert known.feature(sender, 1) == senders.LACKING
        first, second = known.lacking({1}), known.lacking({1})
        assert first == second == {1: sender.asker.id}
        made = [app.state.taking.make(one) for one in (first, second)]
        assert made[0] == made[1] == {1: known.feature(sender, 1)}
