"""What the public is told, in every form: personal data is searched for everywhere and never found."""

from __future__ import annotations

from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest
import shapely

from jingwei.access import local_person
from jingwei.cases import Desk, Report, regime
from jingwei.cases.clocks import Limit
from jingwei.cases.errors import BadFieldError
from jingwei.cases.ground import Grid, put_grids
from jingwei.cases.photos import FOLDER, Photos
from jingwei.cases.rules import Rule
from jingwei.records import now_utc
from jingwei.web.routes import public_cases
from photographs import photograph

from .citizens import mine, report_of, send, step
from .people import client_of, person_of

PERSONAL = ("张三丰", "13800138000", "zhang@example.org", "440301199001011234")
SAID = f"我是{PERSONAL[0]}，电话{PERSONAL[1]}，身份证{PERSONAL[3]}，搭棚占道"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def api(bare):
    with bare.records.write() as session:
        regime.adopt(
            session,
            local_person(),
            "rules",
            [Rule("R1", "matter", "06001", "搭建", "拆除", Limit("work_day", 5))],
        )
    person_of(bare, "clerk", "case_acceptor")
    with client_of(bare) as client:
        yield client


def act(city, number, action, **fields):
    with city.records.write() as session:
        return Desk(city.policies.current).act(session, local_person(), number, action, fields)


def everything(number):
    yield "/api/public/city"
    yield f"/api/public/cases/{number}"
    yield "/api/public/areas/here?lon=113.9&lat=22.5"
    for path in ("cases", "cases/map", "cases/types", "areas", "figures", "feed.atom", "feed.rss"):
        yield f"/api/public/{path}"
    yield "/api/public/around?lon=113.9&lat=22.5&kind=matter&type=06001&words=搭棚占道"
    for form in ("xml", "json"):
        for path in (
            "discovery",
            "v2/services",
            "v2/requests",
            f"v2/requests/{number}",
            "v2/services/matter-06001",
        ):
            yield f"/api/open311/{path}.{form}"


def test_personal_data_is_in_no_public_answer(api, bare):
    report = report_of(
        description=SAID, contact={"email": PERSONAL[2], "sms": PERSONAL[1], "wishes": ["done"]}
    )
    number = send(api, report).json()["number"]
    step(api, report, "supplement", words=f"电话{PERSONAL[1]}")
    for seen in range(2):
        for address in everything(number):
            answer = api.get(address)
            assert answer.status_code == 200, (address, answer.text)
            assert not [one for one in PERSONAL if one in answer.text], address
            assert "citizen/" not in answer.text
        if not seen:
            act(bare, number, "publish", words="有人搭棚占道")
    assert api.get(f"/api/public/cases/{number}").json()["words"] == "有人搭棚占道"
    assert PERSONAL[0] in mine(api, report).text


def test_what_is_hidden_is_in_no_public_answer(api, bare):
    shown = send(api, report_of()).json()["number"]
    report = report_of(lat=22.6, private=True)
    hidden = send(api, report).json()["number"]
    for address in everything(shown):
        assert hidden not in api.get(address).text, address
    assert api.get(f"/api/public/cases/{hidden}").status_code == 404
    assert api.get("/api/public/cases").json()["count"] == 1
    assert mine(api, report).json()["hidden"] is True


def test_lists_by_area_type_and_box_agree_with_the_map(api, bare):
    numbers = [send(api, report_of(lon=113.9 + n / 100)).json()["number"] for n in range(3)]

    def asked(**query):
        return [one["number"] for one in api.get("/api/public/cases", params=query).json()["cases"]]

    assert asked() == numbers[::-1]
    assert asked(type="component/01037") == []
    assert asked(box="113.895,22.4,113.915,22.6") == numbers[1::-1]
    assert asked(ended=True) == []
    first = api.get("/api/public/cases", params={"limit": 2}).json()
    rest = api.get("/api/public/cases", params={"limit": 2, "after": first["next"]}).json()
    assert [one["number"] for one in (*first["cases"], *rest["cases"])] == numbers[::-1]
    assert sum(one["count"] for one in api.get("/api/public/cases/map").json()) == 3
    for wrong in ({"box": "1,2"}, {"type": "x"}, {"area": "'; DROP"}, {"limit": 0}):
        assert api.get("/api/public/cases", params=wrong).status_code in (400, 422)


def test_small_counts_are_kept_back_and_cannot_be_had_by_subtraction(api, bare):
    made = []
    with bare.records.write() as session:
        desk = Desk(bare.policies.current)
        for n in range(12):
            report = Report(
                "matter", "06001", "public", lon=113.9, lat=22.5, at=now_utc() - timedelta(hours=n + 1)
            )
            made.append(desk.report(session, local_person(), report).number)
        for number in made[:2]:
            desk.act(session, local_person(), number, "reject", {"reason": "不属实"})
    told = {one["key"]: one for one in api.get("/api/public/figures").json()["figures"]}
    assert told["reported"]["value"] == 12
    assert (told["ended"]["value"], told["ended"]["fewer"]) == (None, 5)
    assert told["ended_share"]["value"] is None
    assert told["ended_share"]["formula"]["en"] == "ended ÷ reported"
    for number in made[2:6]:
        act(bare, number, "reject", reason="不属实")
    told = {one["key"]: one for one in api.get("/api/public/figures").json()["figures"]}
    assert (told["ended"]["value"], told["ended_share"]["value"]) == (6, 0.5)


@pytest.mark.parametrize("form", ["atom", "rss"])
def test_feeds_are_well_formed_and_of_what_was_asked(api, bare, form):
    number = send(api, report_of()).json()["number"]
    act(bare, number, "publish", words="坑 < 5 厘米 & 未修 😀")
    answer = api.get(f"/api/public/feed.{form}", params={"type": "matter/06001"})
    assert answer.headers["content-type"].startswith(f"application/{form}+xml")
    feed = ET.fromstring(answer.content)
    found = feed.findall(f"{ATOM}entry") if form == "atom" else feed.findall("channel/item")
    words = found[0].findtext(f"{ATOM}summary") if form == "atom" else found[0].findtext("description")
    assert (len(found), words) == (1, "坑 < 5 厘米 & 未修 😀")
    if form == "atom":
        assert {child.tag.removeprefix(ATOM) for child in feed} >= {"id", "title", "updated", "author"}
        assert {child.tag.removeprefix(ATOM) for child in found[0]} >= {"id", "title", "updated"}
    empty = ET.fromstring(api.get(f"/api/public/feed.{form}", params={"type": "component/01037"}).content)
    assert not empty.findall(f"{ATOM}entry")
    assert not empty.findall("channel/item")


def test_a_photograph_is_public_only_once_it_is_published(api, bare):
    report = report_of()
    up = api.post(
        "/api/public/photos", content=photograph(3), headers={"Jingwei-Report": report["secret"]}
    ).json()
    number = send(api, report | {"photos": [up["digest"]]}).json()["number"]
    address = f"/api/public/cases/{number}/photos/{up['digest']}"
    assert api.get(address).status_code == 404
    act(bare, number, "publish", words="见图", shown=[up["digest"]])
    assert api.get(address).status_code == 200
    covered = (
        Photos(bare.home / FOLDER).keep(bare.records, local_person(), photograph(4), bare.about.zone).digest
    )
    act(bare, number, "publish", words="见图", photos=[covered])
    assert api.get(address).status_code == 404
    assert api.get(f"/api/public/cases/{number}/photos/{covered}").status_code == 200


def test_areas_and_types_are_told_by_name_and_by_what_is_reported_there(api, bare):
    with bare.records.write() as session:
        put_grids(
            session, local_person(), [Grid("990100001002003", shapely.box(113.85, 22.45, 113.95, 22.55))]
        )
        names = {"990100001": "东街道", "990100001002": "东一社区"}
        english = {"990100001": "East Street"}
        settings = {"area_names": names, "area_names_en": english}
        regime.adopt(session, local_person(), "settings", settings)
    street = {"zh": "东街道", "en": "East Street"}
    east = {"zh": "东一社区", "en": "东一社区"}  # without an English name
    number = send(api, report_of()).json()["number"]
    assert api.get("/api/public/areas").json() == [{"code": "990100001", "name": street, "open": 1}]
    (community,) = api.get("/api/public/areas", params={"within": "990100001"}).json()
    assert (community["code"], community["name"], community["open"]) == ("990100001002", east, 1)
    here = api.get("/api/public/areas/here", params={"lon": 113.9, "lat": 22.5}).json()
    assert (here["community"]["name"], here["street"]["name"]) == (east, street)
    elsewhere = api.get("/api/public/areas/here", params={"lon": 100, "lat": 22.5}).json()
    assert elsewhere == {"community": None, "street": None}
    (type_,) = api.get("/api/public/cases/types", params={"area": "990100001002"}).json()
    assert (type_["code"], type_["count"]) == ("06001", 1)
    assert api.get("/api/public/cases/types", params={"area": "990100002"}).json() == []
    assert api.get("/api/public/figures", params={"area": "990100001002"}).json()["name"] == east
    told = api.get(f"/api/public/cases/{number}").json()
    assert (told["street_name"], told["community_name"]) == (street, east)


def test_names_of_areas_belong_to_codes(api, bare):
    for wrong in ({"99": "短"}, {"990100": " "}, {"990100001": "长" * 41}):
        with pytest.raises(BadFieldError), bare.records.write() as session:
            regime.adopt(session, local_person(), "settings", {"area_names": wrong})
    with pytest.raises(BadFieldError), bare.records.write() as session:
        regime.adopt(session, local_person(), "settings", {"area_names_en": {"990100001": "x" * 81}})


def test_the_public_is_told_what_happened_but_not_what_its_reporter_did(api, bare):
    report = report_of(description=SAID)
    number = send(api, report).json()["number"]
    step(api, report, "supplement", words="还有")
    act(bare, number, "accept")
    told = api.get(f"/api/public/cases/{number}").json()
    assert [one["says"]["en"] for one in told["told"]] == ["Somebody reported it", "It was accepted"]
    assert all(set(one) == {"at", "says"} for one in told["told"])


def test_a_map_of_more_cells_than_a_map_shows_is_refused(api, bare, monkeypatch):
    monkeypatch.setattr(public_cases, "MOST_CELLS", 1)
    send(api, report_of())
    assert len(api.get("/api/public/cases/map").json()) == 1
    send(api, report_of(lon=113.8))
    answer = api.get("/api/public/cases/map")
    assert (answer.status_code, answer.json()["where"]) == (400, {"field": "level"})
