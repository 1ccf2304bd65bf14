"""On whose behalf a request asks, decided anew for every request."""

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from jingwei.access import add_person, give_role, local_person, signing_in, take_role, tokens
from jingwei.access.signing_in import Credentials
from jingwei.access.vault import KEY_FILE, Vault
from jingwei.records import now_utc
from jingwei.web import OPEN, create_app

from .people import GOOD, person_of


@pytest.fixture
def auditor(bare):
    """An auditor who has set a password; gives the identifier."""
    return person_of(bare, "shen", "auditor")


def signed_in(city):
    """Return the token of a session of the auditor."""
    vault = Vault.open(city.home / "keys" / KEY_FILE)
    return signing_in.sign_in(city.records, vault, Credentials("shen", GOOD))


@pytest.fixture
def client(bare):
    with TestClient(create_app(bare)) as client:
        yield client


def test_nothing_works_before_the_administrator_has_set_a_password(client, bare):
    answer = client.get("/api/log")
    assert (answer.status_code, answer.json()["code"]) == (503, "not-set-up")
    with bare.records.write() as session:
        code = signing_in.first_start(session)
        signing_in.set_first_password(session, code, GOOD)
    assert client.get("/api/log").json()["code"] == "not-signed-in"


@pytest.mark.parametrize(
    ("cookie", "header"), [(None, ""), ("made-up", ""), (None, "Bearer jw_made-up"), (None, "Bearer ")]
)
def test_who_is_not_signed_in_gets_nothing(client, auditor, cookie, header):
    if cookie:
        client.cookies.set("jingwei", cookie)
    answer = client.get("/api/log", headers={"authorization": header} if header else {})
    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")


def test_who_is_signed_in_asks_with_the_rights_held_at_this_moment(client, bare, auditor):
    client.cookies.set("jingwei", signed_in(bare))
    assert client.get("/api/log").status_code == 200
    with bare.records.write() as session:
        give_role(session, local_person(), add_person(session, local_person(), "qi", "齐心"), "auditor")
        take_role(session, local_person(), auditor, "auditor")
    assert client.get("/api/log").status_code == 403


def test_a_token_may_do_what_it_names_and_its_person_may_and_no_more(client, bare, auditor):
    def ask(actions, path):
        with bare.records.write() as session:
            until = now_utc() + timedelta(days=1)
            token, _ = tokens.issue_token(session, auditor, "审计", frozenset(actions), until)
        return client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code

    assert ask({"log.read"}, "/api/log") == 200
    assert ask({"log.export", "policy.read"}, "/api/log") == 403
    assert ask({"people.manage"}, "/api/log") == 403


def test_a_token_beside_a_session_counts(client, bare, auditor):
    client.cookies.set("jingwei", signed_in(bare))
    assert client.get("/api/log", headers={"Authorization": "Bearer jw_x"}).status_code == 401


def test_in_open_mode_one_acts_as_any_person(bare, auditor):
    with bare.records.write() as session:
        staff = add_person(session, local_person(), "li", "李想")
    with TestClient(create_app(bare, entry=OPEN)) as client:
        assert client.get("/api/log").status_code == 200  # the one at this machine may do all
        client.cookies.set("jingwei-acting-as", staff)
        assert client.get("/api/log").status_code == 403
        client.cookies.set("jingwei-acting-as", auditor)
        assert client.get("/api/log").status_code == 200
        client.cookies.set("jingwei-acting-as", "a person of another city")
        assert client.get("/api/log").status_code == 200
