"""Another site can neither make a browser change anything here nor pose as this one."""

import pytest
from fastapi.testclient import TestClient

from jingwei.web import create_app
from jingwei.web.origins import LOOPBACK


@pytest.fixture
def client():
    with TestClient(create_app(hosts=LOOPBACK), base_url="http://127.0.0.1:8000") as client:
        yield client


def post(client, **headers):
    return client.post(
        "/api/nothing", headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "localhost:80", "[::1]:8000", "[::1]"])
def test_the_machine_itself_is_answered(client, host):
    assert client.get("/api/openapi.json", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "localhost."]
)
def test_another_name_for_this_machine_is_refused(client, host):
    assert client.get("/api/openapi.json", headers={"host": host}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "http://127.0.0.1:9999"},
    ],
)
def test_what_another_site_sends_is_refused(client, headers):
    assert post(client, **headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{}, {"origin": "http://127.0.0.1:8000"}, {"sec_fetch_site": "same-origin"}, {"sec_fetch_site": "none"}],
)
def test_what_own_pages_and_programs_send_is_passed_on(client, headers):
    assert post(client, **headers).status_code in (404, 405)


def test_another_site_may_be_linked_from(client):
    assert client.get("/api/openapi.json", headers={"sec-fetch-site": "cross-site"}).status_code == 200
