"""An account for who wants one: entered by a code, gathering reports, gone at once."""

from __future__ import annotations

import json
import re
import secrets

import pytest

from jingwei.city.settings import FILE

from .citizens import mine, proof, report_of, send
from .people import client_of, person_of

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
