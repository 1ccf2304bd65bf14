"""By which wire requests come: TLS, proxies, and never passwords in the clear."""

from __future__ import annotations

import datetime as dt
import queue
import signal
import ssl
import subprocess
import sys
import threading

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from jingwei.access.errors import OpenModeError
from jingwei.cli_serve import Options, plan_of
from jingwei.web import Entry, Wire, check_wire, create_app, server
from jingwei.web.server import PlainHttpError, TlsError

from .people import GOOD, client_of, person_of


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of localhost and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder


@pytest.fixture
def served(monkeypatch):
    """Serve an application by a wire, as `jingwei up` does; gives its address."""
    servers, threads = [], []

    class Kept(server.Server):
        def __init__(self, *made):
            super().__init__(*made)
            servers.append(self)

    monkeypatch.setattr(server, "Server", Kept)

    def start(app, wire):
        addresses = queue.Queue()
        asked = {"port": 0, "wire": wire, "ready": addresses.put}
        threads.append(threading.Thread(target=server.serve, args=(app,), kwargs=asked))
        threads[-1].start()
        return addresses.get(timeout=30)

    yield start
    for one in servers:
        one.should_exit = True
    for thread in threads:
        thread.join()


def options(**more):
    given = {
        "host": "127.0.0.1",
        "port": 8000,
        "open": False,
        "tls_cert": None,
        "tls_key": None,
        "still": False,
    }
    return Options(**given | {"behind_proxy": ()} | more)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "city.example"])
def test_passwords_never_cross_the_network_in_the_clear(tmp_path, certificate, host):
    with pytest.raises(PlainHttpError):
        plan_of(options(host=host), tmp_path)
    with pytest.raises(OpenModeError):
        plan_of(options(host=host, open=True), tmp_path)
    with pytest.raises(OpenModeError):
        plan_of(options(host=host, open=True, behind_proxy=("10.0.0.1",)), tmp_path)
    pair = {"tls_cert": certificate / "cert.pem", "tls_key": certificate / "key.pem"}
    assert plan_of(options(host=host, **pair), tmp_path).entry.secure
    assert plan_of(options(host=host, behind_proxy=("10.0.0.1",)), tmp_path).entry.secure


def test_at_this_machine_plain_http_is_allowed(tmp_path):
    plan = plan_of(options(), tmp_path)
    assert not plan.entry.secure
    assert not plan.entry.open
    assert plan_of(options(open=True), tmp_path).entry.open


def test_the_settings_hold_where_no_option_is_given(tmp_path, certificate):
    (tmp_path / "settings.toml").write_text(
        f"""
        [serve]
        address = "https://city.example"
        tls_cert = "{certificate / "cert.pem"}"
        tls_key = "{certificate / "key.pem"}"
        """
    )
    plan = plan_of(options(host="0.0.0.0"), tmp_path)
    assert plan.wire.cert == certificate / "cert.pem"
    assert plan.hosts == {"city.example", "localhost", "127.0.0.1", "[::1]"}


@pytest.mark.parametrize(
    ("cert", "key"), [("cert.pem", "nothing"), ("key.pem", "key.pem"), ("nothing", "key.pem")]
)
def test_a_certificate_that_cannot_be_used_is_said_at_once(certificate, cert, key):
    with pytest.raises(TlsError):
        check_wire(Wire(certificate / cert, certificate / key), "127.0.0.1")


def test_the_city_is_served_by_tls(bare, served, certificate):
    person_of(bare, "wang")
    app = create_app(bare, entry=Entry(secure=True))
    address = served(app, Wire(certificate / "cert.pem", certificate / "key.pem"))
    assert address.startswith("https://localhost:")
    trust = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    with httpx2.Client(base_url=address, verify=trust) as client:
        answer = client.post("/api/session", json={"login": "wang", "password": GOOD})
        assert answer.headers["strict-transport-security"]
        assert client.get("/api/account").json()["login"] == "wang"


def test_behind_a_proxy_only_what_came_by_https_is_answered(bare, served):
    person_of(bare, "wang")
    address = served(create_app(bare, entry=Entry(secure=True)), Wire(proxies=("127.0.0.1",)))
    proxied = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.9.8.7"}
    assert httpx2.get(f"{address}/api/session").status_code == 403
    given = {"login": "wang", "password": GOOD}
    with httpx2.Client(base_url=address, headers=proxied) as client:
        token = client.post("/api/session", json=given).cookies["__Host-jingwei"]
        cookie = {"Cookie": f"__Host-jingwei={token}"}
        (one,) = client.get("/api/account/sign-ins", headers=cookie).json()
        assert one["address"] == "10.9.8.7"


def test_nobody_else_says_where_a_request_comes_from(bare, served):
    """Else each guess at a password could come from another address."""
    person_of(bare, "wang")
    address = served(create_app(bare), Wire())
    with httpx2.Client(base_url=address, headers={"X-Forwarded-For": "10.9.8.7"}) as client:
        client.post("/api/session", json={"login": "wang", "password": GOOD})
        (one,) = client.get("/api/account/sign-ins").json()
        assert one["address"] == "127.0.0.1"
    other = served(create_app(bare, entry=Entry(secure=True)), Wire(proxies=("10.0.0.1",)))
    spoofed = {"X-Forwarded-Proto": "https"}
    assert httpx2.get(f"{other}/api/session", headers=spoofed).status_code == 403


def test_a_page_of_the_city_is_answered_by_plain_http_nowhere(bare):
    with client_of(bare, Entry(secure=True)) as client:
        assert client.get("/").status_code == 403


SERVED = """
from fastapi import FastAPI
from jingwei.web.server import serve
try:
    serve(FastAPI(), port=0, ready=lambda address: print(address, flush=True))
finally:
    print("closed", flush=True)
"""


def test_who_is_told_to_end_closes_what_was_opened():
    process = subprocess.Popen([sys.executable, "-c", SERVED], stdout=subprocess.PIPE, text=True)
    try:
        answer = httpx2.get(process.stdout.readline().strip(), timeout=60)  # it is up
        assert answer.status_code == 404
        process.terminate()
        assert process.communicate(timeout=60)[0] == "closed\n"
        assert process.returncode == 128 + signal.SIGTERM
    finally:
        process.kill()
