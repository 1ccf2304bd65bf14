"""Sign-in through an OpenID provider that really runs, over HTTP, with tokens that are really signed."""

from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from jingwei.access import give_role, local_person
from jingwei.city.settings import OidcSettings
from jingwei.web import Entry
from jingwei.web.gate import CALLBACK

from .people import HOST, client_of, person_of
from .provider import CLIENT, SECRET, Provider
from .served import serving

ZHAO = {"sub": "s-1", "preferred_username": "zhao", "name": "赵敏", "groups": ["staff", "eval"]}
RULES = [
    {"claim": "groups", "value": "eval", "role": "evaluator"},
    {"claim": "groups", "value": "auditors", "role": "auditor"},
    {"claim": "groups", "value": "admins", "role": "system_administrator"},
    {"claim": "realm.roles", "value": "op", "role": "operator"},
    {"claim": "groups", "value": "from-userinfo", "role": "staff"},
]


@pytest.fixture
def provider():
    provider = Provider(back=HOST + CALLBACK)
    with serving(provider.app()) as address:
        provider.address = address
        yield provider


@pytest.fixture
def admin(bare):
    return person_of(bare, "admin", "system_administrator")


@pytest.fixture
def entry(provider):
    def of(**more):
        given = {"issuer": provider.address, "client_id": CLIENT, "client_secret": SECRET, "role": RULES}
        return Entry(address=HOST, provider=OidcSettings.model_validate(given | more))

    return of


@pytest.fixture
def client(bare, admin, entry):
    with client_of(bare, entry()) as client:
        yield client


def come_back(client, provider, *, to="/data", claims=ZHAO, change=lambda query: query):
    """Go to the provider and come back as a browser does; return the last answer."""
    provider.claims = claims
    gone = client.get("/api/session/oidc", params={"to": to}, follow_redirects=False)
    assert gone.status_code == 303, gone.text
    there = httpx2.get(gone.headers["location"])
    query = {name: values[0] for name, values in parse_qs(urlsplit(there.headers["location"]).query).items()}
    return client.get(CALLBACK, params=change(query), follow_redirects=False)


def test_whom_the_provider_vouches_for_is_let_in_with_the_roles_of_the_claims(client, provider):
    assert client.get("/api/session").json()["provider"]["en"] == "Sign in with the city's account"
    answer = come_back(client, provider)
    assert (answer.status_code, answer.headers["location"]) == (303, "/data")
    told = client.get("/api/session").json()
    assert (told["login"], told["name"]) == ("zhao", "赵敏")
    assert [(one["role"], one["outside"]) for one in told["duties"]] == [("evaluator", True)]
    account = client.get("/api/account").json()
    assert account["from_outside"]
    assert not account["has_password"]
    come_back(client, provider, claims=ZHAO | {"groups": [], "realm": {"roles": ["op"]}})
    assert [one["role"] for one in client.get("/api/session").json()["duties"]] == ["operator"]


def test_the_cookie_of_the_way_back_is_of_no_use_to_scripts_and_soon_over(client, provider):
    gone = client.get("/api/session/oidc", follow_redirects=False)
    cookie = gone.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "max-age=600" in cookie
    asked = parse_qs(urlsplit(gone.headers["location"]).query)
    assert asked["state"][0] not in cookie
    assert asked["nonce"][0] not in cookie
    assert asked["code_challenge_method"] == ["S256"]


def failed(answer, code):
    return answer.status_code == 303 and answer.headers["location"] == f"/?sign-in={code}"


@pytest.mark.parametrize(
    "change",
    [
        lambda query: query | {"state": "made up"},
        lambda query: query | {"state": ""},
        lambda query: query | {"iss": "https://evil.example"},
        lambda query: {"state": query["state"]},
        lambda query: {},
    ],
)
def test_an_answer_to_another_question_is_refused(client, provider, change):
    assert failed(come_back(client, provider, change=change), "sign-in-failed")
    assert client.get("/api/session").json()["person"] is None


def test_an_answer_in_another_browser_is_refused(client, provider, bare, entry):
    with client_of(bare, entry()) as victim:
        provider.claims = ZHAO
        gone = client.get("/api/session/oidc", follow_redirects=False)
        there = httpx2.get(gone.headers["location"]).headers["location"]
        assert failed(victim.get(there.removeprefix(HOST), follow_redirects=False), "sign-in-failed")


def test_a_code_works_once(client, provider):
    seen = {}
    come_back(client, provider, change=lambda query: seen.setdefault("first", query))
    client.delete("/api/session")
    again = come_back(client, provider, change=lambda query: query | {"code": seen["first"]["code"]})
    assert failed(again, "provider-failed")


@pytest.mark.parametrize(
    "tamper",
    [
        {"nonce": "another"},
        {"aud": "another client"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1_000_000_000},
        {"sub": None},
        {"nonce": None},
        {"at_hash": "of another token"},
    ],
)
def test_a_token_that_says_the_wrong_thing_is_refused(client, provider, tamper):
    provider.tamper = tamper
    assert failed(come_back(client, provider), "provider-failed")
    assert client.get("/api/session").json()["person"] is None


def test_a_token_signed_by_another_is_refused(client, provider):
    provider.signs_with = RSAKey.generate_key(2048, {"kid": "first"})
    assert failed(come_back(client, provider), "provider-failed")


@pytest.mark.parametrize("algorithm", ["HS256", "none"])
def test_a_token_that_no_private_key_signed_is_refused(client, provider, algorithm, monkeypatch):
    """Neither by the client's secret, which others may know, nor by nobody."""
    real, made = jwt.encode, []

    def weak(_header, claims, _key):
        key = OctKey.import_key(SECRET)
        made.append(real({"alg": algorithm}, claims, key, algorithms=[algorithm]))
        return made[0]

    monkeypatch.setattr("web.provider.jwt.encode", weak)
    assert failed(come_back(client, provider), "provider-failed")
    assert made  # it was the token that was refused


def test_new_keys_of_the_provider_are_fetched(client, provider):
    come_back(client, provider)
    provider.key = RSAKey.generate_key(2048, {"kid": "second"})
    assert come_back(client, provider).headers["location"] == "/data"


def test_a_provider_that_is_down_is_said_and_passwords_still_serve(client, provider):
    provider.down = True
    answer = client.get("/api/session/oidc", follow_redirects=False)
    assert (answer.status_code, answer.json()["code"]) == (502, "provider-failed")
    given = {"login": "admin", "password": "correct horse battery staple"}
    assert client.post("/api/session", json=given).status_code == 200


def test_who_is_refused_there_is_not_let_in_here(client, provider):
    assert failed(come_back(client, provider, claims={}), "sign-in-failed")


def test_claims_cannot_bring_two_separated_duties_together(client, provider, bare):
    both = ZHAO | {"groups": ["auditors", "admins"]}
    assert failed(come_back(client, provider, claims=both), "duties-not-separated")
    come_back(client, provider, claims=ZHAO | {"groups": []})
    person = client.get("/api/session").json()["person"]
    with bare.records.write() as session:
        give_role(session, local_person(), person, "security_administrator")
    again = come_back(client, provider, claims=ZHAO | {"groups": ["auditors"]})
    assert failed(again, "duties-not-separated")


def test_who_is_disabled_here_stays_out(client, provider, bare):
    from jingwei.access import set_disabled

    come_back(client, provider)
    person = client.get("/api/session").json()["person"]
    with bare.records.write() as session:
        set_disabled(session, local_person(), person, disabled=True)
    assert failed(come_back(client, provider), "sign-in-failed")


def test_a_local_person_of_the_same_name_is_another_person(client, provider, admin):
    come_back(client, provider, claims=ZHAO | {"preferred_username": "admin"})
    told = client.get("/api/session").json()
    assert told["person"] != admin
    assert told["login"] == "admin-2"


def test_without_leave_nobody_is_added(bare, admin, provider, entry):
    with client_of(bare, entry(add_people=False)) as client:
        assert failed(come_back(client, provider), "sign-in-failed")


def test_claims_may_come_from_the_userinfo_endpoint(bare, admin, provider, entry):
    with client_of(bare, entry(userinfo=True)) as client:
        claims = {name: value for name, value in ZHAO.items() if name != "groups"}
        come_back(client, provider, claims=claims)
        assert [one["role"] for one in client.get("/api/session").json()["duties"]] == ["staff"]


@pytest.mark.parametrize(
    "to", ["https://evil.example", "//evil.example", "/\\evil.example", "data", "/a\r\nSet-Cookie: x=1"]
)
def test_nobody_is_sent_on_to_another_site(client, provider, to):
    assert come_back(client, provider, to=to).headers["location"] == "/"


def test_who_signs_out_here_signs_out_there(client, provider):
    come_back(client, provider)
    leave = client.delete("/api/session").json()["leave"]
    assert leave.startswith(provider.address + "/leave?")
    httpx2.get(leave)
    (left,) = provider.left
    assert left["client_id"] == CLIENT
    assert left["post_logout_redirect_uri"] == HOST + "/"
    assert jwt.decode(left["id_token_hint"], provider.key).claims["sub"] == "s-1"


def test_no_secret_of_a_sign_in_is_logged(client, provider, caplog):
    provider.tamper = {"nonce": "another"}
    come_back(client, provider)
    assert caplog.text
    assert not any(secret in caplog.text for secret in (SECRET, "zhao", "赵敏", "s-1"))
