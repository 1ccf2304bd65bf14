"""People, departments and roles over the API: who may do what with them."""

import pytest

from .people import GOOD, client_of, person_of, sign_in

BUREAU = "11430000006122244L"
SECTION = "11100000000013338W"


@pytest.fixture
def browser_of(bare):
    """Return a browser of a person who has just been added with these roles."""
    opened = []

    def of(login, *roles):
        person_of(bare, login, *roles)
        opened.append(client_of(bare))
        return sign_in(opened[-1], login)

    yield of
    for client in opened:
        client.close()


@pytest.fixture
def system(browser_of):
    return browser_of("sys", "system_administrator")


@pytest.fixture
def security(browser_of):
    return browser_of("sec", "security_administrator")


def give(client, person, role, department=""):
    return client.post(f"/api/people/{person}/duties", json={"role": role, "department": department})


def added(client, login="wang"):
    answer = client.post("/api/people", json={"login": login, "name": f"人员{login}"})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_the_system_administrator_adds_people_and_the_security_administrator_gives_roles(system, security):
    made = added(system)
    person = made["person"]["id"]
    assert made["person"]["has_password"] is False
    assert system.post("/api/departments", json={"code": BUREAU, "title": "城管局"}).status_code == 201
    assert give(system, person, "staff", BUREAU).status_code == 403
    assert give(security, person, "staff", BUREAU).json()["duties"][0]["department_title"] == "城管局"
    assert security.post("/api/people", json={"login": "x", "name": "x"}).status_code == 403
    assert security.post("/api/departments", json={"code": SECTION, "title": "x"}).status_code == 403
    taken = security.delete(f"/api/people/{person}/duties", params={"role": "staff", "department": BUREAU})
    assert taken.json()["duties"] == []


def test_others_neither_see_nor_change_people(browser_of, system):
    made = added(system)["person"]["id"]
    staff = browser_of("li", "staff", "operator")
    assert staff.get("/api/people").status_code == 403
    assert staff.get(f"/api/people/{made}").status_code == 403
    assert staff.get("/api/departments").status_code == 403
    assert give(staff, made, "staff").status_code == 403
    auditor = browser_of("shen", "auditor")
    assert auditor.get("/api/people").status_code == 200
    assert auditor.post("/api/people", json={"login": "x", "name": "x"}).status_code == 403


def test_the_person_sets_a_password_with_the_code_and_signs_in(system, bare):
    made = added(system)
    with client_of(bare) as client:
        told = client.post("/api/session/set-up", json={"code": made["code"], "password": GOOD}).json()
        assert told["login"] == "wang"
        assert client.get("/api/account").json()["has_password"]


def test_departments_are_a_tree(system):
    for code, title, parent in ((BUREAU, "城管局", None), (SECTION, "市容科", BUREAU)):
        given = {"code": code.lower(), "title": title, "parent": parent}
        assert system.post("/api/departments", json=given).status_code == 201
    (top,) = system.get("/api/departments").json()["departments"]
    assert (top["title"], top["below"]) == ("城管局", 1)
    (below,) = system.get("/api/departments", params={"parent": BUREAU}).json()["departments"]
    assert below["code"] == SECTION
    (found,) = system.get("/api/departments", params={"search": "市容"}).json()["departments"]
    assert found["code"] == SECTION
    detail = system.get(f"/api/departments/{SECTION}").json()
    assert [one["title"] for one in detail["path"]] == ["城管局", "市容科"]
    circle = system.put(f"/api/departments/{BUREAU}", json={"title": "城管局", "parent": SECTION})
    assert circle.status_code == 409
    assert system.delete(f"/api/departments/{BUREAU}").status_code == 409
    assert system.put(f"/api/departments/{SECTION}", json={"title": "市容处"}).json()["parent"] is None
    assert system.delete(f"/api/departments/{SECTION}").status_code == 204
    assert system.get("/api/departments", params={"search": "市容"}).json()["departments"] == []


@pytest.mark.parametrize("code", ["1143000000612224L4", "123", "", "11430000006122244M"])
def test_a_code_that_does_not_check_is_refused(system, code):
    answer = system.post("/api/departments", json={"code": code, "title": "x"})
    assert (answer.status_code, answer.json()["code"]) == (400, "department-code-invalid")


def test_three_duties_are_kept_apart(system, security):
    person = added(system)["person"]["id"]
    pending = give(security, person, "auditor")
    assert pending.json()["code"] == "setup-pending"  # the administrator still knows the code
    assert give(security, person, "staff").status_code == 200


def test_separated_duties_are_given_to_who_has_set_a_password_and_one_only(bare, security):
    person = person_of(bare, "zhou")
    assert give(security, person, "auditor").status_code == 200
    assert give(security, person, "system_administrator").json()["code"] == "duties-not-separated"
    assert give(security, person, "auditor", BUREAU).status_code in (400, 404)
    last = security.delete(f"/api/people/{person}/duties", params={"role": "auditor"})
    assert last.json()["code"] == "duty-last-holder"


def test_nobody_gives_a_role_to_oneself(security):
    me = security.get("/api/account").json()["id"]
    assert give(security, me, "staff").json()["code"] == "role-own"


def test_no_administrator_gets_at_the_account_of_another(system, security, bare):
    victim = security.get("/api/account").json()["id"]
    for attack in (
        lambda: system.post(f"/api/people/{victim}/setup-code"),
        lambda: system.delete(f"/api/people/{victim}/second-factor"),
        lambda: system.patch(f"/api/people/{victim}", json={"disabled": True}),
    ):
        assert attack().json()["code"] == "person-separated"


def test_the_first_security_administrator_is_appointed(system, bare, browser_of):
    assert system.get("/api/roles").json()["appointed"] is False
    person = person_of(bare, "zhou")
    assert system.post(f"/api/people/{person}/appointment").json()["separated"] is True
    assert system.get("/api/roles").json()["appointed"] is True
    other = person_of(bare, "wu")
    assert system.post(f"/api/people/{other}/appointment").status_code == 409
    assert browser_of("li", "staff").post(f"/api/people/{other}/appointment").status_code == 403


def test_who_forgot_the_password_gets_a_new_code_and_is_unlocked(system, bare):
    person = person_of(bare, "wang")
    with client_of(bare) as client:
        for _ in range(6):
            answer = client.post("/api/session", json={"login": "wang", "password": "wrong"})
        assert answer.status_code == 429
        code = system.post(f"/api/people/{person}/setup-code").json()["code"]
        assert sign_in(client, "wang").get("/api/account").status_code == 200  # the old one still holds
        client.post("/api/session/set-up", json={"code": code, "password": "several unrelated words"})
        assert client.get("/api/account").status_code == 200


def test_a_disabled_person_is_out_at_once(system, browser_of):
    wang = browser_of("wang", "staff")
    given = {"title": "t", "actions": ["city.read"], "days": 1, "password": GOOD}
    token = wang.post("/api/account/tokens", json=given)
    bearer = {"Authorization": f"Bearer {token.json()['token']}"}
    person = wang.get("/api/account").json()["id"]
    assert system.patch(f"/api/people/{person}", json={"disabled": True}).json()["disabled"] is True
    assert wang.get("/api/city").status_code == 401
    wang.cookies.clear()
    assert wang.get("/api/city", headers=bearer).status_code == 401
    assert wang.post("/api/session", json={"login": "wang", "password": GOOD}).status_code == 401


def test_people_are_searched_and_paged(system):
    for n in range(5):
        added(system, f"p{n}")
    page = system.get("/api/people", params={"limit": 2}).json()
    assert [one["login"] for one in page["people"]] == ["p0", "p1"]
    assert page["after"] == "p1"
    (found,) = system.get("/api/people", params={"search": "人员p3"}).json()["people"]
    assert found["login"] == "p3"
    assert [one["login"] for one in system.get(
        "/api/people", params={"role": "system_administrator"}).json()["people"]] == ["sys"]  # fmt: skip


def test_a_time_without_a_zone_is_refused(system, security):
    person = added(system)["person"]["id"]
    given = {"role": "staff", "until": "2027-01-01T00:00:00"}
    assert security.post(f"/api/people/{person}/duties", json=given).status_code == 422
