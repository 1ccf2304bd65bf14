"""Forwarding to another city's Open311 endpoint: a second Jingwei that really serves, and worse ones."""

from __future__ import annotations

import shutil
from datetime import timedelta

import httpx2
import pytest

from jingwei.access import local_person
from jingwei.cases import Desk, Report, forwarding, open311, regime
from jingwei.cases.clocks import Limit
from jingwei.cases.errors import BadFieldError
from jingwei.cases.forwarding import Forwards
from jingwei.cases.open311_client import Endpoint, EndpointError, safe_address
from jingwei.cases.rules import Rule
from jingwei.cases.words import descriptions
from jingwei.city import open_city
from jingwei.city.models import CityRow
from jingwei.ledger.models import Event
from jingwei.ledger.sealer import Sealer
from jingwei.records import now_utc
from jingwei.web import create_app

from .people import client_of, person_of, sign_in
from .served import serving

POTHOLE = Rule("R1", "matter", "06013", "坑深超过 5 厘米", "修复", Limit("work_day", 5))
PERSONAL = ("张三丰", "13800138000", "zhang@example.org")


@pytest.fixture
def there(tmp_path, migrated_sqlite):
    """Another city that takes potholes, and offers updates."""
    home = tmp_path / "there"
    home.mkdir()
    shutil.copy(migrated_sqlite, home / "records.db")
    about = {"name": {"zh": "圆城", "en": "Round City"}, "adcode": "990200", "generated": False}
    with open_city(home) as city:
        with city.records.write() as session:
            session.add(
                CityRow(
                    id="round",
                    about=about | {"time_zone": "Asia/Shanghai"},
                    pack="",
                    data="",
                    changed=now_utc(),
                )
            )
            regime.adopt(session, local_person(), "rules", [POTHOLE])
            regime.adopt(session, local_person(), "settings", {"open311_updates": True})
            city.key = open311.new_key(session, local_person(), "方城")
        person_of(city, "clerk")
        yield city


def set_up(city, address, **more):
    neighbour = {
        "zh": "圆城", "en": "Round City", "box": (115.0, 22.0, 116.0, 23.0), "key": "ROUND",
        "open311": f"{address}/api/open311/v2", "jurisdiction": "990200", "when": "reported", "updates": True,
        "services": {"matter/06013": "matter-06013"}, **more,
    }  # fmt: skip
    with city.records.write() as session:
        regime.adopt(session, local_person(), "rules", [POTHOLE])
        regime.adopt(session, local_person(), "settings", {"neighbours": [neighbour]})


def report(city, **more):
    given = {"kind": "matter", "type": "06013", "source": "collector", "lon": 115.5, "lat": 22.5, **more}
    with city.records.write() as session:
        return Desk(city.policies.current).report(session, local_person(), Report(**given)).number


def act(city, number, action, **fields):
    with city.records.write() as session:
        return Desk(city.policies.current).act(session, local_person(), number, action, fields)


class Here:
    """The city that forwards: its worker is moved on by hand."""

    def __init__(self, city, client=None):
        self.city, self.now = city, now_utc()
        self.forwards = Forwards(city.records, Desk(city.policies.current), "https://square.example", client)
        self.sealer = Sealer(city.records, city.home / "log")

    def step(self, **time):
        self.sealer.seal_all()
        self.forwards.follower.catch_up()
        self.now += timedelta(**time)
        self.forwards.step(self.now)

    def of(self, number):
        with self.city.records.read() as session:
            settings = Desk(self.city.policies.current).regime(session).settings
            return forwarding.of_case(session, settings, number)

    def told(self):
        with self.city.records.read() as session:
            rows = session.query(Event).filter(Event.subject == forwarding.TOLD).order_by(Event.id)
            return [(one.type, one.data) for one in rows]


@pytest.fixture
def here(bare, monkeypatch, there):
    person_of(bare, "somebody")
    monkeypatch.setenv("JINGWEI_OPEN311_KEY_ROUND", there.key)
    return Here(bare)


def test_a_case_is_sent_once_followed_and_named_to_nobody(here, there):
    with serving(create_app(there)) as address:
        set_up(here.city, address)
        here.step()
        number = report(here.city, description=f"我是{PERSONAL[0]}，电话{PERSONAL[1]}")
        act(here.city, number, "publish", words="路口有坑 <深>")
        ours = report(here.city, lon=113.9, kind="matter")
        other = report(here.city, type="06001")
        here.step(seconds=5)
        (sent,) = here.of(number)
        assert (sent.to, sent.fault, sent.status) == ("圆城", "", "")
        assert [here.of(one) for one in (ours, other)] == [[], []]
        with there.records.read() as session:
            case = Desk(there.policies.current).get(session, local_person(), sent.number)
            said = descriptions(session, [sent.number])[sent.number]
        assert (case.kind, case.type, case.reporter[:8]) == ("matter", "06013", "outside/")
        assert said.startswith("路口有坑 <深>")
        assert not [one for one in PERSONAL if one in said]
        act(there, sent.number, "publish", words="明天来补")
        here.step(hours=1)
        (open_,) = here.of(number)
        assert (open_.status, open_.updates[-1]["says"].splitlines()[-1]) == ("open", "明天来补")
        act(there, sent.number, "reject", reason="不归我们")
        here.step(hours=1)
        here.step(hours=1)
        (closed,) = here.of(number)
        assert closed.status == "closed"
        with client_of(here.city) as client:
            shown = client.get(f"/api/public/cases/{number}").json()["forwarded"]
        assert shown == [{"to": "圆城", "number": sent.number, "status": "closed"}]
        assert len({one["id"] for one in closed.updates}) == len(closed.updates)
    types = [type_ for type_, _ in here.told()]
    assert types[0] == "case.forwarded"
    assert set(types[1:]) == {"case.forward_moved"}
    everything = str(here.told()) + str(closed)
    assert not [one for one in PERSONAL if one in everything]


def test_what_is_sent_is_what_the_public_is_told(here):
    sent = []

    def answer(request):
        sent.append(dict(httpx2.QueryParams(request.content.decode())))
        return httpx2.Response(200, text=receipt("<service_request_id>T-1</service_request_id>"))

    told = Here(here.city, httpx2.Client(transport=httpx2.MockTransport(answer)))
    set_up(here.city, "https://round.example")
    told.step()
    mine = [
        report(here.city, description="我是张三丰，电话13800138000", source="public", reporter="citizen/abc")
        for _ in range(2)
    ]
    act(here.city, mine[1], "hide")
    told.step(seconds=5)
    (fields,) = sent
    assert set(fields) == {
        "service_code", "description", "lat", "long", "external_id", "jurisdiction_id", "api_key",
    }  # fmt: skip
    assert fields["external_id"] == mine[0]
    assert f"https://square.example/report/around/{mine[0]}" in fields["description"]
    assert not [one for one in (*PERSONAL, "citizen/abc") if one in str(fields)]
    assert told.of(mine[1])[0].fault == "not-public"


def receipt(inner):
    return f"<service_requests><request>{inner}</request></service_requests>"


def test_what_is_lost_on_the_way_is_sent_again_and_is_one_request_there(here, there):
    class Lossy(httpx2.BaseTransport):
        """Takes the first request to the other city, and loses its answer."""

        def __init__(self):
            self.inner, self.lost = httpx2.HTTPTransport(), 0

        def handle_request(self, request):
            answer = self.inner.handle_request(request)
            if not self.lost:
                self.lost += 1
                answer.read()
                raise httpx2.ReadTimeout("", request=request)
            return answer

    with serving(create_app(there)) as address, httpx2.Client(transport=Lossy()) as client:
        lossy = Here(here.city, client)
        set_up(here.city, address, areas=["all"])
        lossy.step()
        number = report(here.city, lon=113.9)
        lossy.step(seconds=5)
        assert lossy.of(number)[0].fault == "ReadTimeout"
        lossy.step(minutes=5)
        assert lossy.of(number)[0].number
    with there.records.read() as session:
        assert session.query(Event).filter(Event.type == "case.reported").count() == 1


def test_what_is_never_taken_is_given_up_told_and_can_be_tried_again(here):
    refusing = Here(
        here.city, httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(403, text="no")))
    )
    set_up(here.city, "https://round.example")
    refusing.step()
    number = report(here.city)
    for _ in range(forwarding.MOST_TRIES + 2):
        refusing.step(days=2)
    (given_up,) = refusing.of(number)
    assert (given_up.fault, given_up.next) == ("http-403", None)
    assert [type_ for type_, _ in refusing.told()] == ["case.forward_failed"]
    person_of(here.city, "chief", "system_administrator")
    person_of(here.city, "clerk", "case_acceptor")
    with client_of(here.city) as client:
        sign_in(client, "chief")
        (listed,) = client.get("/api/cases/forwards").json()["forwards"]
        assert (listed["case"], listed["fault"]) == (number, "http-403")
        assert client.post(f"/api/cases/forwards/{listed['id']}/again").status_code == 204
        assert client.post("/api/cases/forwards/999/again").status_code == 404
    assert refusing.of(number)[0].next is not None
    with client_of(here.city) as client:
        sign_in(client, "clerk")
        assert client.get("/api/cases/forwards").status_code == 403


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><service_requests/>", "document-type"),
        ("not xml", "no-xml"),
        ("<html/>", "not-the-standard"),
        (receipt(""), "no-number"),
        ("x" * (5 << 20), "too-large"),
    ],
)
def test_an_endpoint_that_answers_nonsense_is_told_so(body, why):
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, text=body))
    with pytest.raises(EndpointError) as error:
        Endpoint(httpx2.Client(transport=transport), "https://a.example").send({"service_code": "1"})
    assert error.value.why == why


def test_redirects_are_not_followed():
    asked = []

    def answer(request):
        asked.append(str(request.url))
        return httpx2.Response(302, headers={"Location": "http://169.254.169.254/"})

    client = httpx2.Client(transport=httpx2.MockTransport(answer), follow_redirects=True)
    with pytest.raises(EndpointError):
        Endpoint(client, "https://a.example").standing("1")
    assert asked == ["https://a.example/requests/1.xml"]


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://round.example/open311/v2", True),
        ("http://127.0.0.1:8000/api/open311/v2", True),
        ("http://10.0.0.1/open311", False),
        ("file:///etc/passwd", False),
        ("https://user:word@round.example", False),
        ("https://round.example/?a=b", False),
        ("https://", False),
        ("https://[broken", False),
    ],
)
def test_an_endpoint_is_reached_by_https_alone(address, safe):
    assert safe_address(address) is safe


@pytest.mark.parametrize(
    "change",
    [
        {"open311": "http://10.0.0.1/"},
        {"key": "../OIDC"},
        {"services": {"06013": "1"}},
        {"areas": ["everywhere"]},
    ],
)
def test_settings_of_a_neighbour_that_cannot_be_are_refused(bare, change):
    with pytest.raises(BadFieldError, match="Round City"):
        set_up(bare, "https://round.example", **change)


def test_keys_of_other_entries_of_the_environment_are_out_of_reach(monkeypatch):
    monkeypatch.setenv("SECRET", "a secret")
    sent = []

    def answer(request):
        sent.append(request.content.decode())
        return httpx2.Response(200, text=receipt("<token>1</token>"))

    client = httpx2.Client(transport=httpx2.MockTransport(answer))
    for name in ("SECRET", "../SECRET", ""):
        assert Endpoint(client, "https://a.example", key=name).send({"service_code": "1"}).token == "1"
    assert not [one for one in sent if "secret" in one]
