"""People who sign in to a city of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.testclient import TestClient

from jingwei.access import add_person, give_role, local_person, signing_in
from jingwei.web import Entry, create_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

    from jingwei.access import Asker
    from jingwei.city import City

GOOD = "correct horse battery staple"
HOST = "http://127.0.0.1:8000"


def person_of(city: City, login: str, *roles: str, department: str = "") -> str:
    """Add a person who has set a password; return the identifier."""
    me = local_person()
    with city.records.write() as session:
        person = add_person(session, me, login, f"人员{login}")
        signing_in.set_first_password(session, signing_in.new_setup_code(session, me, person), GOOD)
        for role in roles:
            give_role(session, me, person, role, department)
    return person


def client_of(city: City, entry: Entry | None = None) -> TestClient:
    """Return a browser that has not signed in."""
    return TestClient(create_app(city, entry=entry), base_url=HOST, raise_server_exceptions=False)


def asked_by(app: FastAPI, who: Callable[[], Asker]) -> None:
    """Take all requests to be those of whoever `who` returns; what for, they say themselves."""
    app.state.gate.asker_without_asking = lambda _request: who()


def sign_in(client: TestClient, login: str, password: str = GOOD, code: str = "") -> TestClient:
    """Sign a person in; return the browser."""
    answer = client.post("/api/session", json={"login": login, "password": password, "code": code})
    assert answer.status_code == 200, answer.text
    return client
