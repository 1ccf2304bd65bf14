"""What every answer has: safe headers, problems in the reader's language, bounded bodies; and the pages."""

from __future__ import annotations

import gzip
import socket

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from jingwei.web import create_app, pages
from jingwei.web.server import PortError, listen


def test_a_page_may_fetch_from_this_server_only(client):
    policy = client.get("/api/nothing").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy


def test_no_other_site_holds_a_page_or_draws_an_answer(client):
    headers = client.get("/api/nothing").headers
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_an_answer_that_does_not_say_how_it_may_be_kept_is_not_kept(client):
    assert client.get("/api/session").headers["cache-control"] == "no-store"


def test_a_page_may_also_fetch_from_the_citys_own_map_services_and_no_answer_of_the_api_may(tmp_path):
    (tmp_path / "index.html").write_text("<!doctype html>page")
    app = FastAPI()
    hosts = ["https://maps.example.gov.cn"]
    app.include_router(pages.router(tmp_path, lambda: hosts))
    client = TestClient(app)
    policy = client.get("/").headers["content-security-policy"]
    assert "img-src 'self' data: blob: https://maps.example.gov.cn;" in policy
    assert "connect-src 'self' https://maps.example.gov.cn;" in policy
    assert "script-src 'self';" in policy
    hosts.clear()
    known = client.get("/", headers={"If-None-Match": client.get("/").headers["etag"]})
    assert known.status_code == 304
    assert "https:" not in known.headers["content-security-policy"]


def test_an_unknown_address_is_a_problem_in_the_readers_language(client):
    chinese = client.get("/api/nothing")
    english = client.get("/api/nothing", headers={"Accept-Language": "en-GB,en;q=0.8"})
    assert (chinese.status_code, english.status_code) == (404, 404)
    assert chinese.json()["title"] == "没有这个地址"
    assert english.json()["title"] == "There is nothing at this address"


def test_a_surprise_shows_a_reference_and_no_stack_trace():
    app = create_app()

    @app.get("/api/broken")
    def broken() -> None:
        msg = "secret detail"
        raise RuntimeError(msg)

    app.router.routes.insert(0, app.router.routes.pop())
    answer = TestClient(app, raise_server_exceptions=False).get("/api/broken")
    assert answer.status_code == 500
    assert answer.json()["reference"]
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("declare", [True, False])
def test_a_body_beyond_the_limit_is_refused(declare):
    app = create_app()

    @app.post("/api/echo")
    def echo(body: dict[str, str]) -> dict[str, str]:
        return body

    app.router.routes.insert(0, app.router.routes.pop())
    body = b'{"a": "' + b"x" * (2 << 20) + b'"}'
    content = body if declare else iter([body[: 1 << 20], body[1 << 20 :]])
    answer = TestClient(app).post("/api/echo", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["code"] == "too-large"


def test_the_openapi_document_describes_every_operation_and_its_problems(client):
    document = client.get("/api/openapi.json").json()
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert operations
    for operation in operations:
        assert operation["operationId"]
        assert operation["tags"]
        assert operation["summary"]
        assert any(status.startswith("4") for status in operation["responses"])
    assert "Problem" in document["components"]["schemas"]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))


@pytest.fixture
def built(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>page")
    (tmp_path / "assets" / "index-abc.js").write_text("plain")
    (tmp_path / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(b"packed"))
    (tmp_path.parent / "secret.txt").write_text("secret")
    app = FastAPI()
    app.include_router(pages.router(tmp_path))
    return TestClient(app)


def test_every_page_address_leads_to_the_one_page(built):
    for address in ("/", "/codes", "/data/bus_stops"):
        answer = built.get(address)
        assert answer.text == "<!doctype html>page"
        assert answer.headers["cache-control"] == "no-cache"


def test_a_built_file_is_kept_for_ever_and_a_missing_one_is_not_the_page(built):
    assert "immutable" in built.get("/assets/index-abc.js").headers["cache-control"]
    assert built.get("/assets/index-old.js").status_code == 404
    assert built.get("/favicon.ico").status_code == 404
    assert built.get("/sense/cell/G001130230-200310-000000.00000000000").status_code == 200


def test_a_known_page_is_not_sent_again(built):
    etag = built.get("/").headers["etag"]
    assert built.get("/", headers={"If-None-Match": etag}).status_code == 304


def test_the_packed_form_is_sent_to_those_who_take_it(built):
    packed = built.get("/assets/index-abc.js", headers={"Accept-Encoding": "gzip"}, follow_redirects=False)
    plain = built.get("/assets/index-abc.js", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == "packed"
    assert plain.text == "plain"


@pytest.mark.parametrize("address", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt"])
def test_nothing_outside_the_built_pages_is_served(built, address):
    assert "secret" not in built.get(address).text


def test_pages_that_are_not_built_say_how_to_build_them(tmp_path):
    app = create_app(pages_root=tmp_path)
    answer = TestClient(app).get("/")
    assert answer.status_code == 503
    assert "make pages" in answer.json()["mend"]


def test_a_port_in_use_is_named_with_the_way_out():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortError) as error:
            listen("127.0.0.1", port)
    assert error.value.where["port"] == port
    assert "--port" in str(error.value)
