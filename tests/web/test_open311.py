"""Open311 GeoReport v2 against a strict reading of the standard, and its schemas."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import jsonschema_rs
import pytest
from georeport import GeoReport

from jingwei.access import local_person
from jingwei.cases import Desk, Report, open311, regime
from jingwei.cases.clocks import Limit
from jingwei.cases.rules import Rule
from jingwei.records import now_utc
from jingwei.web import create_app
from jingwei.web.open311_xml import document

from . import strict_xml
from .people import client_of, person_of
from .served import serving

V2 = "/api/open311/v2"
SCHEMAS = Path(__file__).resolve().parents[3] / "shared/spec/cases/open311-schema"
PERSONAL = ("张三丰", "13800138000", "zhang@example.org", "Sanfeng")
RULES = [
    Rule("R1", "matter", "06013", "坑深 < 5 厘米 & 面积 > 0.5 平方米", "修复", Limit("work_day", 5)),
    Rule("R2", "component", "01037", "路灯不亮", "修复", Limit("work_day", 2)),
]


@pytest.fixture
def city(bare):
    with bare.records.write() as session:
        regime.adopt(session, local_person(), "rules", RULES)
    person_of(bare, "clerk", "case_acceptor")
    return bare


@pytest.fixture
def api(city):
    with client_of(city) as client:
        yield client


@pytest.fixture
def key(city):
    with city.records.write() as session:
        return open311.new_key(session, local_person(), "a neighbour's system")


def post(api, key, form="xml", **given):
    fields = {"api_key": key, "service_code": "matter-06013", "lat": "22.5", "long": "113.9", **given}
    return api.post(
        f"{V2}/requests.{form}", data={name: one for name, one in fields.items() if one is not None}
    )


def report(city, **more):
    given = {"kind": "matter", "type": "06013", "source": "public", "lon": 113.9, "lat": 22.5, **more}
    with city.records.write() as session:
        return Desk(city.policies.current).report(session, local_person(), Report(**given)).number


def test_discovery_services_and_definitions_read_strictly(api):
    found = strict_xml.root(api.get("/api/open311/discovery.xml"), "discovery")
    assert [child.tag for child in found] == ["changeset", "contact", "key_service", "endpoints"]
    told = strict_xml.services(api.get(f"{V2}/services.xml"))
    assert [one["service_code"] for one in told] == ["component-01037", "matter-06013"]
    asked = strict_xml.definition(api.get(f"{V2}/services/matter-06013.xml"))
    assert asked[0]["values"] == [{"key": "R1", "name": "坑深 < 5 厘米 & 面积 > 0.5 平方米"}]
    assert [one["code"] for one in strict_xml.definition(api.get(f"{V2}/services/component-01037.xml"))] == [
        "rule",
        "component",
    ]
    english = api.get(f"{V2}/services.json", headers={"Accept-Language": "en"}).json()
    assert english[1]["service_name"].startswith("Damaged road")


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("services.json", "services"),
        ("requests.json", "requests"),
        ("services/matter-06013.json", "service-definition"),
    ],
)
def test_json_is_valid_by_the_published_schemas(api, city, path, schema):
    if not SCHEMAS.is_dir():
        pytest.skip("the published schemas of Open311 are not here")
    report(city, description="坑")
    answer = api.get(f"{V2}/{path}")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    one = {"services": "service", "requests": "request"}.get(schema, schema)
    valid = jsonschema_rs.validator_for(json.loads((SCHEMAS / f"{one}.json").read_text()))
    told = answer.json()
    for item in told if isinstance(told, list) else [told]:
        assert [str(fault) for fault in valid.iter_errors(item)] == []
    assert isinstance(told, list) == (schema != "service-definition")


def test_a_request_goes_in_and_comes_out_without_anybodys_words(api, city, key):
    told = strict_xml.created(
        post(
            api, key, description=f"我是{PERSONAL[0]}，电话{PERSONAL[1]}",
            email=PERSONAL[2], phone=PERSONAL[1],
            first_name=PERSONAL[3], **{"attribute[rule]": "R1"},
        )
    )  # fmt: skip
    number = told["service_request_id"]
    (one,) = strict_xml.requests(api.get(f"{V2}/requests/{number}.xml"))
    assert (one["service_code"], one["status"], one["lat"], one["long"]) == (
        "matter-06013",
        "open",
        "22.5",
        "113.9",
    )
    assert isinstance(api.get(f"{V2}/requests/{number}.json").json()[0]["service_request_id"], str)
    assert api.get(f"{V2}/tokens/{number}.json").json()[0]["service_request_id"] == number
    with city.records.read() as session:
        case = Desk(city.policies.current).get(session, local_person(), number)
    assert case.reporter.startswith("outside/")
    for path in ("requests.xml", "requests.json", f"requests/{number}.xml", "services.xml"):
        answer = api.get(f"{V2}/{path}").text
        assert not [secret for secret in PERSONAL if secret in answer]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"api_key": None}, 403),
        ({"api_key": "wrong"}, 403),
        ({"service_code": "matter-99999"}, 404),
        ({"service_code": None}, 400),
        ({"lat": None, "long": None}, 400),
        ({"lat": "north"}, 400),
        ({"lat": "91"}, 400),
        ({"description": "x" * 4001}, 400),
        ({"description": "<b>html</b>"}, 400),
        ({"attribute[rule]": "R9"}, 400),
        ({"attribute[colour]": "red"}, 400),
        ({"jurisdiction_id": "elsewhere.gov"}, 404),
    ],
)
def test_faults_are_told_as_the_standard_tells_them(api, key, given, status):
    answer = post(api, key, **given)
    assert answer.status_code == status
    assert {one["code"] for one in strict_xml.errors(answer)} == {str(status)}
    assert isinstance(post(api, key, "json", **given).json(), list)
    assert strict_xml.requests(api.get(f"{V2}/requests.xml")) == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("requests/none.xml", 404),
        ("tokens/none.xml", 404),
        ("services/none.xml", 404),
        ("requests.xml?status=broken", 400),
        ("requests.xml?service_code=none", 404),
        ("requests.xml?start_date=yesterday", 400),
        ("requests.xml?start_date=2026-01-01T00:00:00Z&end_date=2026-06-01T00:00:00Z", 400),
        ("requests.xml?start_date=2026-06-01T00:00:00Z&end_date=2026-05-01T00:00:00Z", 400),
        ("requests.xml?page=0", 400),
        ("services.xml?jurisdiction_id=elsewhere.gov", 404),
    ],
)
def test_questions_that_cannot_be_answered(api, path, status):
    answer = api.get(f"{V2}/{path}")
    assert answer.status_code == status
    strict_xml.errors(answer)


def test_a_body_that_is_no_form_and_a_form_of_files(api, key):
    broken = api.post(
        f"{V2}/requests.xml", content=b"<request><unclosed>", headers={"Content-Type": "text/xml"}
    )
    assert broken.status_code in (400, 403)
    strict_xml.errors(broken)
    files = api.post(
        f"{V2}/requests.xml", data={"api_key": key}, files={"media": ("a.jpg", b"x", "image/jpeg")}
    )
    assert files.status_code == 400
    strict_xml.errors(files)


def test_ranges_statuses_services_and_pages(api, city):
    now = now_utc()
    old = report(city, at=now - timedelta(days=100))
    mine = [report(city, at=now - timedelta(days=n)) for n in (1, 2, 3)]
    lamp = report(city, kind="component", type="01037", at=now - timedelta(days=4))

    def asked(query=""):
        told = strict_xml.requests(api.get(f"{V2}/requests.xml{query}"))
        return [one["service_request_id"] for one in told]

    assert asked() == [*mine, lamp]
    assert asked("?service_code=component-01037") == [lamp]
    assert asked("?status=closed") == []
    assert asked("?status=open,closed") == [*mine, lamp]
    assert asked("?page_size=2&page=2") == [mine[2], lamp]
    start, end = ((now - timedelta(days=n)).strftime("%Y-%m-%dT%H:%M:%SZ") for n in (120, 90))
    assert asked(f"?start_date={start}&end_date={end}") == [old]
    assert set(asked(f"?service_request_id={old},{lamp}&status=closed")) == {old, lamp}
    assert asked("?jurisdiction_id=&status=&service_code=") == [*mine, lamp]


def test_a_published_wording_is_the_description_and_a_hidden_case_is_gone(api, city):
    number, desk = report(city, description="张三丰门口的坑"), Desk(city.policies.current)
    with city.records.write() as session:
        desk.act(session, local_person(), number, "publish", {"words": "路面有坑 & 待修，坑深 < 5 厘米"})
    (one,) = strict_xml.requests(api.get(f"{V2}/requests/{number}.xml"))
    assert one["description"] == "路面有坑 & 待修，坑深 < 5 厘米"
    with city.records.write() as session:
        desk.act(session, local_person(), number, "hide")
    assert api.get(f"{V2}/requests/{number}.xml").status_code == 404


def test_keys_are_made_ended_and_never_told_again(city, key, api):
    assert post(api, key).status_code == 200
    with city.records.write() as session:
        assert open311.end_key(session, "a neighbour's system") == 1
    assert post(api, key).status_code == 403
    with city.records.read() as session:
        assert all(key.encode() not in one.digest for one in open311.keys(session))


def test_text_that_is_no_xml_is_escaped_or_left_out():
    written = document("errors", [{"code": "400", "description": "a < b & c\x00\x0b\ufffe 😀 ]]>"}])
    assert b"a &lt; b &amp; c" in written
    assert b"\x00" not in written
    assert "😀" in written.decode()


# updates, by mySociety's extension


def offer_updates(city):
    with city.records.write() as session:
        regime.adopt(session, local_person(), "settings", {"open311_updates": True})


def updates_of(api, query=""):
    root = strict_xml.root(api.get(f"{V2}/servicerequestupdates.xml{query}"), "service_request_updates")
    assert {one.tag for one in root} <= {"request_update"}
    return [{child.tag: child.text for child in one} for one in root]


def test_updates_are_not_there_unless_the_city_offers_them(api, key):
    assert api.get(f"{V2}/servicerequestupdates.xml").status_code == 404
    sent = api.post(f"{V2}/servicerequestupdates.json", data={"api_key": key})
    assert (sent.status_code, isinstance(sent.json(), list)) == (404, True)


def test_updates_tell_what_the_public_is_told_and_nothing_else(api, city, key):
    offer_updates(city)
    number = strict_xml.created(post(api, key, description=f"我是{PERSONAL[0]}"))["service_request_id"]
    hidden, desk = report(city, description="张三丰"), Desk(city.policies.current)
    with city.records.write() as session:
        desk.act(session, local_person(), number, "publish", {"words": "坑 & 待修"})
        desk.act(session, local_person(), number, "withdraw")
        desk.act(session, local_person(), hidden, "hide")
    assert updates_of(api) == []  # withdrawn: the public is told nothing of it any more
    other = report(city)
    with city.records.write() as session:
        desk.act(session, local_person(), other, "publish", {"words": "坑 & 待修"})
    told = updates_of(api)
    assert [one["service_request_id"] for one in told] == [other, other]
    assert [one["status"] for one in told] == ["OPEN", "OPEN"]
    assert told[1]["description"].endswith("坑 & 待修")
    assert all(strict_xml.W3C.fullmatch(one["updated_datetime"]) for one in told)
    assert len({one["update_id"] for one in told}) == 2
    assert PERSONAL[0] not in api.get(f"{V2}/servicerequestupdates.json").text
    assert updates_of(api, "?start_date=2020-01-01T00:00:00Z&end_date=2020-02-01T00:00:00Z") == []


def test_a_system_adds_to_its_own_requests_once_and_to_no_others(api, city, key):
    offer_updates(city)
    number = strict_xml.created(post(api, key))["service_request_id"]
    given = {"api_key": key, "service_request_id": number, "update_id": "7", "description": "还在 <1 米"}
    answers = [api.post(f"{V2}/servicerequestupdates.xml", data=given) for _ in range(2)]
    assert [one.status_code for one in answers] == [200, 200]
    assert [strict_xml.root(one, "service_request_updates")[0][0].text for one in answers] == ["7", "7"]
    with city.records.read() as session:
        assert Desk(city.policies.current).get(session, local_person(), number).step == 2
    for change, status in (
        ({"service_request_id": report(city)}, 404),
        ({"api_key": "wrong"}, 403),
        ({"description": ""}, 400),
        ({"status": "BROKEN", "update_id": "8"}, 400),
        ({"description": "x" * 2001, "update_id": "9"}, 400),
    ):
        refused = api.post(f"{V2}/servicerequestupdates.xml", data=given | change)
        assert refused.status_code == status, refused.text
        strict_xml.errors(refused)


def test_not_fixed_takes_up_the_same_request_again(api, city, key):
    offer_updates(city)
    number = strict_xml.created(post(api, key))["service_request_id"]
    desk = Desk(city.policies.current)
    with city.records.write() as session:
        desk.act(session, local_person(), number, "force_close", {"reason": "已在其他案件中修复"})
    given = {"api_key": key, "service_request_id": number, "update_id": "1", "description": "坑还在"}
    told = api.post(f"{V2}/servicerequestupdates.xml", data=given | {"status": "REOPEN"})
    assert told.status_code == 200, told.text
    with city.records.read() as session:
        case = desk.get(session, local_person(), number)
    assert (case.reopened, case.disputed, case.stands.terminal) == (1, 1, False)
    assert api.get(f"{V2}/requests/{number}.json").json()[0]["status"] == "open"


# a public client, as it comes from the package index


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_public_client_works_unmodified(city, key, form):
    numbers = [report(city) for _ in range(2)]
    with serving(create_app(city)) as address:
        there = GeoReport(f"{address}{V2}", jurisdiction="990100", output_format=form)
        assert [one["service_code"] for one in there.get_service_list()] == [
            "component-01037",
            "matter-06013",
        ]
        assert there.get_service_definition("matter-06013")["service_code"] == "matter-06013"
        found = there.get_service_requests(status="open", service_code="matter-06013")
        assert {one["service_request_id"] for one in found} == set(numbers)
        one = there.get_service_request(numbers[0])
        assert (one["service_request_id"], one["status"]) == (numbers[0], "open")
