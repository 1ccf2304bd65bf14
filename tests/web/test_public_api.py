"""Reporting without an account, as programs meet it, where everybody else signs in."""

from __future__ import annotations

import secrets

import pytest

from jingwei.access import local_person
from jingwei.access.policy import Policies
from jingwei.access.policy.store import default_policies
from jingwei.cases import regime
from photographs import photograph

from .citizens import mine, proof, report_of, send, step
from .people import client_of, person_of

PERSONAL = ("张三丰", "13800138000", "zhang@example.org", "440301199001011234")
SAID = f"我是{PERSONAL[0]}，电话{PERSONAL[1]}，身份证{PERSONAL[3]}，搭棚占道"


@pytest.fixture
def api(bare):
    """A city in which one signs in; the client is signed in as nobody."""
    person_of(bare, "clerk", "case_acceptor")
    with client_of(bare) as client:
        yield client


def test_a_stranger_reports_and_follows_in_plain_words(api):
    report = report_of()
    told = send(api, report)
    assert told.status_code == 201, told.text
    first = told.json()
    assert (first["title"]["zh"], first["state"]) == ("已收到", "reported")
    assert first["office"]["en"]
    assert first["due"] > "2026"
    assert [one["says"]["zh"] for one in first["told"]] == ["您上报了"]
    assert {one["action"] for one in first["may"]} == {"supplement", "correct", "redact", "hide", "withdraw"}
    assert mine(api, report).json()["number"] == first["number"]
    by_code = api.get("/api/public/reports/mine", headers={"Jingwei-Report": first["code"]}).json()
    assert (by_code["number"], by_code["code"]) == (first["number"], None)
    assert send(api, report).json()["number"] == first["number"]
    assert step(api, report, "supplement", words="还在").json()["told"][1]["words"] == "还在"
    assert step(api, report, "withdraw").json()["state"] == "withdrawn"
    assert api.get("/api/cases").status_code == 401


def test_a_photograph_tells_its_place_once_and_is_shown_to_its_reporter_only(api):
    report = report_of()
    header = {"Jingwei-Report": report["secret"]}
    up = api.post("/api/public/photos", content=photograph(1, place=(113.9, 22.5)), headers=header)
    assert up.status_code == 201, up.text
    assert up.json()["place"] == pytest.approx({"lon": 113.9, "lat": 22.5}, abs=1e-4)
    report["photos"] = [up.json()["digest"]]
    assert send(api, report).status_code == 201
    address = f"/api/public/reports/mine/photos/{report['photos'][0]}"
    shown = api.get(address, headers=header)
    assert shown.status_code == 200
    assert b"Exif" not in shown.content
    other = report_of()
    send(api, other)
    assert api.get(address, headers={"Jingwei-Report": other["secret"]}).status_code == 404
    other = report_of(photos=report["photos"])
    assert send(api, other).status_code in (404, 409)


@pytest.mark.parametrize(
    ("content", "status"), [(b"x" * (50 << 20), 413), (b"not a picture", 400), (b"", 400), (b"<svg/>", 400)]
)
def test_what_is_no_photograph_is_told_so(api, content, status):
    answer = api.post(
        "/api/public/photos", content=content, headers={"Jingwei-Report": secrets.token_hex(16)}
    )
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"lon": None}, 422, "invalid"),
        ({"lon": 10.0, "lat": 10.0}, 400, "case-elsewhere"),
        ({"type": "99999"}, 400, "case-type-unknown"),
        ({"description": "<script>x</script>"}, 400, "case-field-invalid"),
        ({"secret": "short"}, 422, "invalid"),
        ({"at": "2020-01-01T00:00:00Z"}, 400, "case-field-invalid"),
        ({"contact": {"email": "x"}}, 400, "case-field-invalid"),
        ({"surprise": 1}, 422, "invalid"),
    ],
)
def test_bad_reports_are_told_what_and_how_to_mend(client, change, status, code):
    answer = send(client, report_of(114.05, 22.55) | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    english = send(client, report_of(114.05, 22.55) | change, **{"Accept-Language": "en"})
    assert english.json()["title"] != answer.json()["title"]


def test_emoji_and_rare_characters_come_back_as_they_were_written(api):
    said = "𠮷野家门口👨‍👩‍👧‍👦🕳️，㐂𫝆𪚥，combining é, العربية"
    report = report_of(description=said)
    assert send(api, report).status_code == 201
    assert mine(api, report).json()["description"] == said


@pytest.mark.parametrize("fault", ["none", "other secret", "forged", "no work"])
def test_a_report_without_the_small_work_is_refused(api, fault):
    report = report_of()
    given = proof(api, secrets.token_hex(16) if fault == "other secret" else report["secret"])
    if fault == "none":
        given = {"stamp": "", "nonce": ""}
    if fault == "forged":
        seal = given["stamp"].rsplit(".", 1)[1]
        given = {"stamp": f"{given['stamp'].split('.')[0]}.0.{seal}", "nonce": "1"}
    if fault == "no work":
        given["nonce"] += "x"
    answer = api.post("/api/public/reports", json=report | given)
    assert (answer.status_code, answer.json()["code"]) == (400, "proof-missing")
    assert mine(api, report).status_code == 404


def test_types_are_proposed_from_everyday_words_in_both_languages(api, bare):
    for words, name in (
        ("门口路灯不亮了", "路灯"),
        ("a deep pothole here", "道路破损"),
        ("共享单车乱停", "共享单车乱象"),
    ):
        found = api.get("/api/public/around", params={"words": words}).json()["types"]
        assert found[0]["name"]["zh"] == name
        assert found[0]["why"]["en"]
    nothing = api.get("/api/public/around", params={"words": "𠮷"}).json()
    assert nothing == {"types": [], "near": []}


def test_what_was_reported_nearby_is_offered_without_anybodys_words(api):
    first = send(api, report_of(description=SAID)).json()
    asked = {"lon": 113.9, "lat": 22.5, "kind": "matter", "type": "06001", "words": "搭棚占道"}
    answer = api.get("/api/public/around", params=asked)
    assert [one["number"] for one in answer.json()["near"]] == [first["number"]]
    assert not [one for one in PERSONAL if one in answer.text]
    joined = send(api, report_of(join=first["number"])).json()
    assert (joined["main"], joined["others"]) == (first["number"], 0)


def test_many_reports_of_one_address_take_more_work_and_are_not_locked_out(api):
    easy = api.get("/api/public/stamp").json()["bits"]
    for _ in range(12):
        assert send(api, report_of()).status_code == 201
    assert api.get("/api/public/stamp").json()["bits"] > easy


def test_guessing_codes_is_slowed(api):
    answers = [
        api.get("/api/public/reports/mine", headers={"Jingwei-Report": "AAAAA22222"}).status_code
        for _ in range(40)
    ]
    assert answers[0] == 404
    assert answers[-1] == 429


def test_a_city_that_wants_no_reports_says_so_by_policy(api, bare):
    refusal = 'forbid (principal, action == Action::"case.attach", resource);'
    fewer = Policies(default_policies().text + refusal, 99, [])
    bare.policies.current = lambda: fewer
    assert api.get("/api/public/stamp").status_code == 403
    assert send_refused(api) == 403


def send_refused(api):
    return api.post("/api/public/reports", json=report_of(stamp="", nonce="")).status_code


def test_the_city_says_something_at_once(api, bare):
    with bare.records.write() as session:
        regime.adopt(
            session, local_person(), "settings", {"message_zh": "台风红色预警", "message_en": "Typhoon"}
        )
    told = api.get("/api/public/city").json()
    assert told["message"] == {"zh": "台风红色预警", "en": "Typhoon"}
