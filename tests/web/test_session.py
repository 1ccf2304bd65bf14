"""Signing in and out over the API: the first set-up, cookies, locks, rates, and open mode."""

import pytest

from jingwei.access import signing_in
from jingwei.web import OPEN, Entry

from .people import GOOD, client_of, person_of, sign_in


@pytest.fixture
def client(bare):
    with client_of(bare) as client:
        yield client


def code_of(answer):
    return answer.status_code, answer.json().get("code")


def test_the_first_start_ends_with_a_password(client, bare):
    with bare.records.write() as session:
        code = signing_in.first_start(session)
    assert client.get("/api/session").json()["set_up"] is False
    everything_else = ("/api/city", "/api/log", "/api/account", "/api/people", "/api/codes/explain?q=N50F")
    for path in everything_else:
        answer = client.get(path)
        assert code_of(answer) == (503, "not-set-up")
        assert answer.json()["mend"]
    assert code_of(client.post("/api/session", json={"login": "admin", "password": GOOD})) == (
        503,
        "not-set-up",
    )
    assert client.post("/api/session/set-up/who", json={"code": code}).json() == {"login": "admin"}
    assert code_of(client.post("/api/session/set-up", json={"code": code, "password": "short"})) == (
        400,
        "password-weak",
    )
    told = client.post("/api/session/set-up", json={"code": code, "password": GOOD}).json()
    assert (told["login"], told["set_up"]) == ("admin", True)
    assert {"people.manage", "roles.appoint"} <= set(told["may"])
    assert not {"roles.manage", "log.read", "policy.change"} & set(told["may"])
    assert client.get("/api/city").status_code == 200
    assert code_of(client.post("/api/session/set-up", json={"code": code, "password": GOOD})) == (
        401,
        "setup-code-wrong",
    )


def test_who_signs_in_gets_a_cookie_that_scripts_and_other_sites_do_not(client, bare):
    person = person_of(bare, "wang", "staff")
    answer = client.post("/api/session", json={"login": " WANG ", "password": GOOD})
    assert answer.json()["person"] == person
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "secure" not in cookie  # plain HTTP at this machine
    assert client.get("/api/session").json()["name"] == "人员wang"


def test_over_https_the_cookie_travels_by_nothing_else(bare):
    person_of(bare, "wang")
    with client_of(bare, Entry(secure=True)) as client:
        client.base_url = "https://city.example"
        cookie = client.post("/api/session", json={"login": "wang", "password": GOOD}).headers["set-cookie"]
        assert cookie.startswith("__Host-jingwei=")
        assert "secure" in cookie.lower()
        assert "domain" not in cookie.lower()
        assert client.get("/api/account").status_code == 200


def test_a_session_is_never_the_one_from_before(client, bare):
    """Nor does it outlive a sign-in of someone else at the same browser."""
    person_of(bare, "wang")
    person_of(bare, "li")
    client.cookies.set("jingwei", "planted-by-someone", domain="127.0.0.1")
    first = sign_in(client, "wang").cookies.get("jingwei")
    assert first != "planted-by-someone"
    sign_in(client, "li")
    with client_of(bare) as other:
        other.cookies.set("jingwei", first)
        assert other.get("/api/account").status_code == 401


def test_who_signs_out_is_out(client, bare):
    person_of(bare, "wang")
    token = sign_in(client, "wang").cookies.get("jingwei")
    assert client.delete("/api/session").json() == {"leave": None}
    assert "jingwei" not in client.cookies
    client.cookies.set("jingwei", token)
    assert client.get("/api/account").status_code == 401
    assert client.delete("/api/session").status_code == 200  # twice does no harm


@pytest.mark.parametrize("login", ["wang", "nobody"])
def test_guessing_locks_a_name_whether_or_not_anyone_has_it(client, bare, login):
    person_of(bare, "wang")
    answers = [client.post("/api/session", json={"login": login, "password": f"wrong {n}"}) for n in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1].json()["code"] == "account-locked"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 61
    assert answers[0].json()["title"] == "用户名、密码或验证码不正确"
    assert "WWW-Authenticate" in answers[0].headers


def test_trying_one_name_after_another_is_slowed_by_address(client, bare):
    person_of(bare, "wang")
    answers = [
        client.post("/api/session", json={"login": f"name{n}", "password": "wrong"}) for n in range(61)
    ]
    assert code_of(answers[-1]) == (429, "too-often")
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert answers[-1].headers["content-type"].startswith("application/problem+json")


def test_setup_codes_cannot_be_guessed_at_speed(client, bare):
    person_of(bare, "wang")
    answers = [client.post("/api/session/set-up/who", json={"code": str(n)}) for n in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]


def test_another_site_cannot_sign_one_in_or_out(client, bare):
    person_of(bare, "wang")
    sign_in(client, "wang")
    evil = {"origin": "https://evil.example"}
    assert client.delete("/api/session", headers=evil).status_code == 403
    assert client.post("/api/session", json={}, headers=evil).status_code == 403
    assert client.get("/api/session").json()["login"] == "wang"


def test_what_was_typed_is_never_said_back(client, bare, caplog):
    person_of(bare, "wang")
    secret = "a secret that is much too long " * 12
    for body in (
        {"login": "wang", "password": secret},
        {"login": secret, "password": secret},
        {"login": "wang", "password": [secret]},
        {"login": "wang", "password": "x", secret: secret},
    ):
        answer = client.post("/api/session", json=body)
        assert answer.status_code in (401, 422)
        assert "much too long" not in answer.text.replace(f"body.{secret}", "")
    assert "much too long" not in caplog.text


def test_errors_of_the_record_store_name_no_values(bare):
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    with pytest.raises(SQLAlchemyError) as caught, bare.records.read() as session:
        session.execute(text("SELECT :secret FROM nowhere"), {"secret": "the password"})
    assert "the password" not in str(caught.value)


# --- open mode ---


@pytest.fixture
def open_client(bare):
    with client_of(bare, OPEN) as client:
        yield client


def test_open_mode_says_so_and_lets_one_act_as_anyone(open_client, bare):
    auditor = person_of(bare, "shen", "auditor")
    told = open_client.get("/api/session").json()
    assert (told["open"], told["person"], told["name"]) == (True, None, "本机用户")
    assert "policy.change" in told["may"]
    acting = open_client.put("/api/session/acting", json={"person": auditor}).json()
    assert (acting["person"], acting["login"]) == (auditor, "shen")
    assert acting["duties"][0]["title"]["zh"] == "审计员"
    assert "log.read" in acting["may"]
    assert "people.manage" not in acting["may"]
    assert open_client.post("/api/people", json={"login": "x", "name": "x"}).status_code == 403
    assert open_client.put("/api/session/acting", json={"person": None}).json()["person"] is None
    assert open_client.post("/api/people", json={"login": "x", "name": "x"}).status_code == 201


def test_acting_as_someone_is_in_the_log(open_client, bare):
    from jingwei import ledger

    auditor = person_of(bare, "shen", "auditor")
    open_client.put("/api/session/acting", json={"person": auditor})
    with bare.records.read() as session:
        (told,) = [e for e in ledger.events_of(session, f"person/{auditor}") if e.type == "person.acted_as"]
    assert told.actor == "local"


def test_people_to_act_as_are_searched_and_paged(open_client, bare):
    for n in range(5):
        person_of(bare, f"p{n}", "staff" if n else "operator")
    page = open_client.get("/api/session/acting/people", params={"limit": 2}).json()
    assert [one["login"] for one in page["people"]] == ["p0", "p1"]
    page = open_client.get("/api/session/acting/people", params={"after": page["after"]}).json()
    assert [one["login"] for one in page["people"]] == ["p2", "p3", "p4"]
    found = open_client.get("/api/session/acting/people", params={"role": "operator"}).json()
    assert [one["login"] for one in found["people"]] == ["p0"]


def test_nobody_signs_in_where_it_is_open_and_nobody_acts_where_it_is_not(open_client, client, bare):
    person = person_of(bare, "wang")
    assert open_client.post("/api/session", json={"login": "wang", "password": GOOD}).status_code == 400
    assert client.put("/api/session/acting", json={"person": person}).status_code == 404
    assert client.get("/api/session/acting/people").status_code == 404
    client.cookies.set("jingwei-acting-as", person)
    assert client.get("/api/account").status_code == 401
    assert client.get("/api/session/oidc").status_code == 404


def test_the_one_at_the_machine_has_no_account(open_client):
    assert open_client.get("/api/account").status_code == 404
