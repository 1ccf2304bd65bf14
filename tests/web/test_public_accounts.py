"""An account for who wants one: entered by a code, gathering reports, gone at once."""

from __future__ import annotations

import json
import re
import secrets
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from jingwei.city.settings import FILE, CitizenOidcSettings
from jingwei.web import Entry
from jingwei.web.gate import CALLBACK, CITIZENS_CALLBACK

from .citizens import mine, proof, report_of, send
from .people import HOST, client_of, person_of
from .provider import CLIENT, SECRET, Provider
from .served import serving

ME = "me@example.org"


@pytest.fixture
def api(bare):
    (bare.home / FILE).write_text('[notices]\nfile = "notices.jsonl"\n', "utf-8")
    person_of(bare, "clerk")
    with client_of(bare) as client:
        yield client


def asked(api, email=ME):
    secret = secrets.token_hex(16)
    return api.post("/api/public/account/code", json={"secret": secret, "email": email} | proof(api, secret))


def code_sent(city):
    line = (city.home / "notices.jsonl").read_text("utf-8").splitlines()[-1]
    return re.search(r"[A-Z2-7]{10}", json.loads(line)["body"]).group()


def entered(api, code, email=ME):
    return api.post("/api/public/account", json={"email": email, "code": code})


def test_reports_of_one_telephone_are_found_from_another_and_forgotten_on_demand(api, bare):
    first, other = report_of(), report_of()
    number = send(api, first).json()["number"]
    send(api, other)
    assert asked(api).status_code == 202
    answer = entered(api, code_sent(bare).lower(), ME.upper())
    header = {"Jingwei-Account": answer.json()["token"]}
    given = {"secrets": [first["secret"], secrets.token_hex(16)]}
    for _ in range(2):
        assert api.put("/api/public/account/reports", json=given, headers=header).status_code == 204
    (kept,) = api.get("/api/public/account", headers=header).json()["reports"]
    assert (kept["number"], kept["secret"], kept["title"]["zh"]) == (number, first["secret"], "已收到")
    stored = b"".join(path.read_bytes() for path in bare.home.glob("records.db*"))
    assert ME.encode() not in stored
    assert first["secret"].encode() not in stored
    assert api.delete("/api/public/account", headers=header).status_code == 204
    assert api.get("/api/public/account", headers=header).status_code == 404
    assert mine(api, first).status_code == 200


def test_a_code_is_good_once_and_is_not_guessed(api, bare):
    asked(api)
    code = code_sent(bare)
    assert entered(api, "AAAAA22222").json()["code"] == "case-account-code"
    assert entered(api, code, "another@example.org").status_code == 400
    assert entered(api, code).status_code == 200
    assert entered(api, code).status_code == 400
    asked(api, "new@example.org")
    code = code_sent(bare)
    assert [entered(api, "AAAAA22222", "new@example.org").status_code for _ in range(5)] == [400] * 5
    assert entered(api, code, "new@example.org").status_code == 400


def test_a_mailbox_is_not_flooded_and_a_forged_token_is_nobodys(api, bare):
    for _ in range(3):
        assert asked(api).status_code == 202
    assert len((bare.home / "notices.jsonl").read_text("utf-8").splitlines()) == 1
    assert api.get("/api/public/account", headers={"Jingwei-Account": "x" * 80}).status_code == 404
    assert asked(api, "no address").status_code == 400


# by an OpenID provider, which really runs


@pytest.fixture
def provider():
    provider = Provider(back=HOST + CITIZENS_CALLBACK)
    with serving(provider.app()) as address:
        provider.address = address
        yield provider


@pytest.fixture
def browser(bare, provider):
    person_of(bare, "clerk")
    given = {"issuer": provider.address, "client_id": CLIENT, "client_secret": SECRET}
    entry = Entry(address=HOST, citizens=CitizenOidcSettings.model_validate(given))
    with client_of(bare, entry) as client:
        yield client


def went_there(browser, provider, subject):
    """Go to the provider and come back as a browser does."""
    provider.claims = {"sub": subject, "name": "赵敏"} if subject else {}
    gone = browser.get("/api/public/account/oidc", follow_redirects=False)
    there = httpx2.get(gone.headers["location"])
    query = {name: values[0] for name, values in parse_qs(urlsplit(there.headers["location"]).query).items()}
    return browser.get(CITIZENS_CALLBACK, params=query, follow_redirects=False)


def handed(browser):
    return browser.post("/api/public/account/oidc")


def test_an_account_elsewhere_gathers_reports_and_tells_nobody_who_it_is(browser, provider, bare):
    assert browser.get("/api/public/city").json()["sign_in"]["en"] == "Sign in with the city's account"
    report = report_of()
    number = send(browser, report).json()["number"]
    answer = went_there(browser, provider, "s-1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/report/mine?sign-in=done")
    header = {"Jingwei-Account": handed(browser).json()["token"]}
    assert handed(browser).status_code == 404  # it is handed out once
    browser.put("/api/public/account/reports", json={"secrets": [report["secret"]]}, headers=header)
    went_there(browser, provider, "s-2")
    other = {"Jingwei-Account": handed(browser).json()["token"]}
    assert browser.get("/api/public/account", headers=other).json()["reports"] == []
    went_there(browser, provider, "s-1")
    again = {"Jingwei-Account": handed(browser).json()["token"]}
    (kept,) = browser.get("/api/public/account", headers=again).json()["reports"]
    assert kept["number"] == number
    assert browser.get("/api/session").json()["person"] is None  # a citizen is nobody of the staff
    stored = b"".join(path.read_bytes() for path in bare.home.glob("records.db*"))
    assert "赵敏".encode() not in stored


def test_who_is_refused_or_comes_with_anothers_answer_is_not_let_in(browser, provider):
    assert went_there(browser, provider, "").headers["location"] == "/report/mine?sign-in=sign-in-failed"
    assert handed(browser).status_code == 404
    strange = browser.get(CITIZENS_CALLBACK, params={"code": "x", "state": "y"}, follow_redirects=False)
    assert strange.headers["location"] == "/report/mine?sign-in=sign-in-failed"
    provider.back = HOST + CALLBACK
    assert browser.get("/api/session/oidc", follow_redirects=False).status_code == 404


def test_without_a_provider_there_is_no_such_door(api):
    assert api.get("/api/public/city").json()["sign_in"] is None
    assert api.get("/api/public/account/oidc", follow_redirects=False).status_code == 404
