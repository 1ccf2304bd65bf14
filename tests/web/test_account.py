"""One's own account over the API."""

import pyotp
import pytest

from jingwei.access import add_person, give_role, local_person, people, signing_in, take_role, tokens
from jingwei.records import now_utc

from .people import GOOD, client_of, person_of, sign_in

BETTER = "several unrelated words indeed"
TOKEN = {"title": "t", "actions": ["city.read"], "days": 1, "password": GOOD}


@pytest.fixture
def wang(bare):
    """wang's browser, signed in."""
    person_of(bare, "wang", "staff")
    with client_of(bare) as client:
        yield sign_in(client, "wang")


@pytest.fixture
def elsewhere(bare, wang):
    """Another browser of wang's, signed in too."""
    with client_of(bare) as client:
        yield sign_in(client, "wang")


def enrol(client):
    """Set up a second factor; return the device and the recovery codes."""
    offer = client.post("/api/account/second-factor/offer").json()
    assert offer["qr"].startswith("<svg")
    device = pyotp.TOTP(offer["secret"])
    given = {"password": GOOD, "offer": offer["offer"], "code": device.now()}
    answer = client.put("/api/account/second-factor", json=given)
    assert answer.status_code == 200, answer.text
    return device, answer.json()["codes"]


def test_one_sees_and_renames_oneself(wang):
    assert wang.get("/api/account").json()["name"] == "人员wang"
    assert wang.patch("/api/account", json={"name": " 王小芳 "}).json()["name"] == "王小芳"
    assert wang.get("/api/session").json()["name"] == "王小芳"


def test_a_new_password_ends_the_other_sign_ins_and_this_one_goes_on_anew(wang, elsewhere, bare):
    before = wang.cookies.get("jingwei")
    given = {"old": GOOD, "new": BETTER}
    assert wang.post("/api/account/password", json=given | {"old": "wrong"}).status_code == 401
    assert wang.post("/api/account/password", json=given | {"new": "wang12345678"}).status_code == 400
    assert elsewhere.get("/api/account").status_code == 200
    assert wang.post("/api/account/password", json=given).status_code == 204
    assert wang.cookies.get("jingwei") != before
    assert wang.get("/api/account").status_code == 200
    assert elsewhere.get("/api/account").status_code == 401
    with client_of(bare) as client:
        sign_in(client, "wang", BETTER)


@pytest.mark.parametrize("keep", [False, True])
def test_a_new_password_revokes_the_tokens_unless_they_are_to_be_kept(wang, bare, keep):
    token = wang.post("/api/account/tokens", json=TOKEN).json()["token"]
    given = {"old": GOOD, "new": BETTER, "keep_tokens": keep}
    assert wang.post("/api/account/password", json=given).status_code == 204
    assert len(wang.get("/api/account/tokens").json()) == int(keep)
    with client_of(bare) as program:
        answer = program.get("/api/city", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == (200 if keep else 401)


def test_a_password_set_by_a_new_code_revokes_the_tokens(wang, bare):
    wang.post("/api/account/tokens", json=TOKEN)
    me = local_person()
    with bare.records.write() as session:
        (person,) = [one.id for one in people(session, search="wang")]
        signing_in.set_first_password(session, signing_in.new_setup_code(session, me, person), BETTER)
        assert tokens.tokens(session, person) == []


def test_a_token_needs_all_factors_anew(wang):
    for wrong in ("", "wrong"):
        assert wang.post("/api/account/tokens", json=TOKEN | {"password": wrong}).status_code == 401
    _, codes = enrol(wang)
    assert wang.post("/api/account/tokens", json=TOKEN).json()["code"] == "second-factor-needed"
    assert wang.post("/api/account/tokens", json=TOKEN | {"code": codes[0]}).status_code == 201
    assert len(wang.get("/api/account/tokens").json()) == 1


def test_with_a_second_factor_the_password_alone_lets_nobody_in(wang, bare):
    device, codes = enrol(wang)
    assert wang.get("/api/account").json()["has_second_factor"]
    with client_of(bare) as client:
        answer = client.post("/api/session", json={"login": "wang", "password": GOOD})
        assert answer.json()["code"] == "second-factor-needed"
        assert "jingwei" not in client.cookies
        sign_in(client, "wang", code=device.at(now_utc().timestamp() + 30))
        sign_in(client, "wang", code=codes[0])
        answer = client.post("/api/session", json={"login": "wang", "password": GOOD, "code": codes[0]})
        assert answer.json()["code"] == "sign-in-failed"


def test_a_second_factor_needs_the_password_and_a_code_of_the_device(wang):
    offer = wang.post("/api/account/second-factor/offer").json()
    code = pyotp.TOTP(offer["secret"]).now()
    given = {"password": GOOD, "offer": offer["offer"], "code": code}
    for wrong, status in (({"password": "x"}, 401), ({"code": "000"}, 400), ({"offer": "x"}, 400)):
        assert wang.put("/api/account/second-factor", json=given | wrong).status_code == status
    assert not wang.get("/api/account").json()["has_second_factor"]


def test_a_second_factor_is_removed_with_both_factors(wang):
    _, codes = enrol(wang)
    removal = "/api/account/second-factor/removal"
    assert wang.post(removal, json={"password": GOOD}).json()["code"] == "second-factor-needed"
    assert wang.post(removal, json={"password": "x", "code": codes[0]}).status_code == 401
    renewed = wang.post("/api/account/recovery-codes", json={"password": GOOD, "code": codes[0]}).json()
    assert not set(renewed["codes"]) & set(codes)
    assert wang.post(removal, json={"password": GOOD, "code": codes[1]}).status_code == 401
    assert wang.post(removal, json={"password": GOOD, "code": renewed["codes"][0]}).status_code == 204
    assert not wang.get("/api/account").json()["has_second_factor"]


def test_sign_ins_are_listed_and_ended(wang, elsewhere):
    listed = wang.get("/api/account/sign-ins").json()
    assert len(listed) == 2
    other = next(one["id"] for one in listed if not one["this"])
    assert wang.delete(f"/api/account/sign-ins/{other}").status_code == 204
    assert wang.delete(f"/api/account/sign-ins/{other}").status_code == 404
    assert elsewhere.get("/api/account").status_code == 401
    sign_in(elsewhere, "wang")
    assert wang.delete("/api/account/sign-ins").status_code == 204
    assert elsewhere.get("/api/account").status_code == 401
    assert [one["this"] for one in wang.get("/api/account/sign-ins").json()] == [True]


def test_nobody_ends_the_sign_in_of_another(wang, bare):
    person_of(bare, "li")
    with client_of(bare) as client:
        li = sign_in(client, "li")
        (own,) = li.get("/api/account/sign-ins").json()
        assert wang.delete(f"/api/account/sign-ins/{own['id']}").status_code == 404
        token = li.post("/api/account/tokens", json=TOKEN)
        assert wang.delete(f"/api/account/tokens/{token.json()['id']}").status_code == 404


def test_a_token_is_shown_once_used_and_revoked(wang, bare):
    given = TOKEN | {"title": "报表", "actions": ["city.read", "object.read"], "days": 30}
    answer = wang.post("/api/account/tokens", json=given)
    assert answer.status_code == 201
    token = answer.json()["token"]
    assert token.startswith("jw_")
    assert token not in wang.get("/api/account/tokens").text
    bearer = {"Authorization": f"Bearer {token}"}
    with client_of(bare) as program:
        assert program.get("/api/city", headers=bearer).status_code == 200
        for closed in ("/api/account", "/api/account/tokens", "/api/people"):
            assert program.get(closed, headers=bearer).status_code == 403
        # A program sends no Origin; a page of another site that did would be refused.
        evil = bearer | {"origin": "https://evil.example"}
        assert program.post("/api/account/tokens", json=given, headers=evil).status_code == 403
        (listed,) = wang.get("/api/account/tokens").json()
        assert listed["used"] is not None
        assert wang.delete(f"/api/account/tokens/{listed['id']}").status_code == 204
        assert program.get("/api/city", headers=bearer).status_code == 401


@pytest.mark.parametrize(
    "wrong", [{"actions": []}, {"actions": ["account.use"]}, {"days": 0}, {"days": 366}, {"title": ""}]
)
def test_a_token_without_limits_is_refused(wang, wrong):
    given = TOKEN | wrong
    assert wang.post("/api/account/tokens", json=given).status_code in (400, 422)


def test_tokens_are_not_made_at_speed(wang):
    statuses = [wang.post("/api/account/tokens", json=TOKEN).status_code for _ in range(11)]
    assert statuses == [201] * 10 + [429]


def test_a_token_can_be_for_everything_declared_but_the_account(wang):
    offered = {one["name"] for one in wang.get("/api/account/tokens/actions").json()}
    assert {"city.read", "dataset.read", "log.read"} <= offered
    assert "account.use" not in offered


def test_what_the_person_loses_the_token_loses(wang, bare):
    with bare.records.write() as session:
        person = wang.get("/api/account").json()["id"]
        give_role(session, local_person(), person, "auditor")
        successor = add_person(session, local_person(), "qi", "齐心")
        give_role(session, local_person(), successor, "auditor")
    given = TOKEN | {"actions": ["log.read"]}
    token = wang.post("/api/account/tokens", json=given).json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    with client_of(bare) as program:
        assert program.get("/api/log", headers=bearer).status_code == 200
        with bare.records.write() as session:
            take_role(session, local_person(), person, "auditor")
        assert program.get("/api/log", headers=bearer).status_code == 403
