"""E-mail alerts over the API: asked for with a small proof, confirmed and ended by the code alone."""

from __future__ import annotations

import json
import re
import secrets

import pytest

from jingwei.cases import Desk
from jingwei.cases.alerts import Alerts
from jingwei.city.channels import FileChannel
from jingwei.city.settings import FILE

from .citizens import proof
from .people import client_of, person_of

MAIL = '[notices]\nfile = "notices.jsonl"\n'


@pytest.fixture
def api(bare):
    (bare.home / FILE).write_text(MAIL, "utf-8")
    person_of(bare, "clerk")
    with client_of(bare) as client:
        yield client


def asked(api, **more):
    secret = secrets.token_hex(16)
    body = {"secret": secret, "email": "me@example.org", **more} | proof(api, secret)
    return api.post("/api/public/alerts", json=body)


def code_sent(city):
    path = city.home / "notices.jsonl"
    desk = Desk(city.policies.current)
    Alerts(city.records, desk, FileChannel(path), city.about.name, "https://city.example").send()
    return re.search(r"[A-Z2-7]{10}", path.read_text("utf-8").splitlines()[-1]).group()


def test_an_alert_is_asked_for_confirmed_and_ended(api, bare):
    answer = asked(api, types=["matter/06001"], every="week")
    assert (answer.status_code, answer.json()) == (202, {"days": 2})
    mine = {"headers": {"Jingwei-Alert": code_sent(bare)}}
    told = api.get("/api/public/alerts/mine", **mine).json()
    assert (told["confirmed"], told["every"], told["types"]) == (False, "week", ["matter/06001"])
    assert api.post("/api/public/alerts/mine", **mine).json()["confirmed"] is True
    assert "me@example.org" not in api.get("/api/public/alerts/mine", **mine).text
    assert api.delete("/api/public/alerts/mine", **mine).status_code == 204
    assert api.get("/api/public/alerts/mine", **mine).status_code == 404


def test_without_the_proof_nothing_is_sent(api):
    body = {"secret": "0" * 32, "stamp": "x", "nonce": "1", "email": "me@example.org"}
    assert api.post("/api/public/alerts", json=body).json()["code"] == "proof-missing"


def test_a_city_without_e_mail_says_so(bare):
    person_of(bare, "clerk")
    with client_of(bare) as api:
        assert asked(api).json()["code"] == "case-no-mail"


def test_a_mail_program_ends_an_alert_at_the_press_of_its_button(api, bare):
    asked(api)
    code_sent(bare)
    path = bare.home / "notices.jsonl"
    address = json.loads(path.read_text("utf-8").splitlines()[-1])["end"]
    assert address.startswith("https://city.example/api/public/alerts/one-click/")
    path = address.removeprefix("https://city.example")
    assert api.get(path, follow_redirects=False).headers["location"].startswith("/report/alerts#")
    assert api.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 204
    assert api.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 404
