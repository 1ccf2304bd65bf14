"""Devices at the broker of a city with sign-in: real clients of mosquitto, its rights those of the city."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import shutil
import subprocess
import threading
from ipaddress import ip_address
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from jingwei.access import add_department, local_person, tokens
from jingwei.city.settings import MappingSettings, MqttSettings, SenseSettings
from jingwei.cli_readings import sensing
from jingwei.records import now_utc
from jingwei.sense.entities import ENTITIES
from jingwei.sense.mqtt import rights
from jingwei.sense.mqtt.mosquitto import free_port, program
from jingwei.sense.writing import Ownership, Writing
from jingwei.web import Entry, create_app

from .people import person_of
from .test_sense_door import THING

WATER, PARKS = "11430000006122244L", "11100000000013338W"
PUBLISH, SUBSCRIBE = shutil.which("mosquitto_pub"), shutil.which("mosquitto_sub")
pytestmark = pytest.mark.skipif(
    program() is None or PUBLISH is None or SUBSCRIBE is None,
    reason="mosquitto and its clients are not installed",
)


class Device(NamedTuple):
    """Who signs in: the number of a token is the name, the token the password."""

    number: str
    token: str


class Square:
    """A city that is served with a broker, and what tests do to it."""

    version = "mqttv5"

    def __init__(self, city, app, port):
        self.city, self.app, self.port = city, app, port
        self.certificates = None

    def device(self, login, role, department=""):
        person = person_of(self.city, login, role, department=department)
        return self.token_of(person)

    def token_of(self, person, *actions):
        with self.city.records.write() as session:
            allowed = frozenset(actions or ("sense.observe", "sense.read"))
            until = now_utc() + dt.timedelta(days=1)
            token, kept = tokens.issue_token(session, person, "t", allowed, until)
        return Device(kept.id, token)

    def _options(self, device):
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-V", self.version]
        if self.certificates is None:
            return [*where, "-u", device.number, "-P", device.token]
        shown, key = self.certificates.of(device.number)
        return [*where, "--cafile", str(self.certificates.ca), "--cert", str(shown), "--key", str(key)]

    def publish(self, device, topic, result, second=0):
        """Publish with quality 1; return what the client says of it, nothing where it was taken."""
        body = json.dumps({"phenomenonTime": f"2026-03-01T00:00:{second:02}Z", "result": result})
        run = subprocess.run(
            [PUBLISH, *self._options(device), "-q", "1", "-t", topic, "-m", body],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        return run.stderr + run.stdout

    def published(self, device, topic, result, second=0):
        """Publish until the broker has heard of the device."""
        for _ in range(50):
            if not self.publish(device, topic, result, second):
                return
            threading.Event().wait(0.1)
        pytest.fail(self.publish(device, topic, result, second))

    def told(self, device, topic):
        """Return the topics of what a client is told that subscribes, asking longer if it is nothing."""
        for seconds in (1, 3, 9):
            run = subprocess.run(
                [SUBSCRIBE, *self._options(device), "-t", topic, "-W", str(seconds), "-F", "%t"],
                capture_output=True, text=True, timeout=30, check=False,
            )  # fmt: skip
            if run.stdout:
                break
        return set(run.stdout.split())

    def results(self, stream, count):
        """Return the results of a stream once there are so many."""
        return self._once(stream, lambda results: len(results) >= count)

    def results_with(self, stream, result):
        """Return the results of a stream once this one is among them."""
        return self._once(stream, lambda results: result in results)

    def _once(self, stream, enough):
        readings, heard = self.app.state.readings, threading.Event()
        end = readings.subscribe(lambda _: heard.set())
        try:
            for _ in range(100):
                found = sorted(readings.read([stream])["result"].to_pylist())
                if enough(found):
                    return found
                heard.wait(0.2)
                heard.clear()
        finally:
            end()
        pytest.fail(f"the stream holds {found}")


class Certificates:
    """Who vouches for the server and for devices."""

    def __init__(self, folder, name="ca"):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        basic = (x509.BasicConstraints(ca=True, path_length=0), True)
        self.ca = self._kept(name, self._made(self.name, self.key, basic), self.key)[0]

    def of(self, name):
        """Return the certificate of a name and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        return self._kept(name, self._made(subject, key, (here, False)), key)

    def _made(self, subject, key, extension):
        now = now_utc()
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
        made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
        made = made.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        return made.add_extension(extension[0], critical=extension[1]).sign(self.key, hashes.SHA256())

    def _kept(self, name, certificate, key):
        plain = serialization.NoEncryption(), serialization.PrivateFormat.PKCS8
        shown, own = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        shown.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        own.write_bytes(key.private_bytes(serialization.Encoding.PEM, plain[1], plain[0]))
        return shown, own


@contextlib.contextmanager
def opened(bare, kind=Square, **mqtt):
    """A city with sign-in and a broker, with a stream of the water department (1) and one of parks (2)."""
    me = local_person()
    port = free_port()
    app = create_app(bare, entry=Entry())
    app.state.gate._is_set_up = True
    with bare.records.write() as session:
        for code in (WATER, PARKS):
            add_department(session, me, code, code)
    for code in (WATER, PARKS):
        with bare.records.write() as session:
            writing = Writing(app.state.sensing.sight(session, me), app.state.readings)
            writing.create(ENTITIES["Thing"], THING, ownership=Ownership(code, "none", 2))
    mapping = MappingSettings(topic="parks/+/data", stream=2)
    settings = SenseSettings(mqtt=MqttSettings(port=port, mapping=(mapping,), **mqtt))
    with sensing(app.state, settings, "http://city/sta/v1.1"):
        assert app.state.bridge.connected.wait(20)
        yield kind(bare, app, port)


@pytest.fixture
def square(bare):
    """A city whose devices sign in by their tokens."""
    with opened(bare) as square:
        yield square


@pytest.fixture
def vouched(bare, tmp_path):
    """A city whose devices sign in by certificates."""
    mine = Certificates(tmp_path)
    cert, key = mine.of("127.0.0.1")
    with opened(bare, tls_cert=cert, tls_key=key, devices_ca=mine.ca) as square:
        square.certificates = mine
        yield square


def test_a_device_publishes_what_it_may_and_is_told_what_it_may(square):
    water, parks = square.device("water", "device", WATER), square.device("parks", "device", PARKS)
    one, two = "v1.1/Datastreams(1)/Observations", "v1.1/Datastreams(2)/Observations"
    square.published(water, one, 1)
    square.published(parks, two, 2)
    assert "uthori" in square.publish(water, two, 66, 1)
    assert "uthori" in square.publish(water, "v1.1/Observations", 66, 2)
    assert "uthori" in square.publish(water, f"devices/{parks.number}/{two}", 66, 3)
    assert "uthori" in square.publish(water, "parks/7/data", 66, 4)
    assert not square.publish(water, f"devices/{water.number}/{two}", 66, 5), "it may speak, and is not heard"
    square.published(water, f"devices/{water.number}/{one}", 3, 6)
    assert square.results(1, 2) == [1, 3]
    assert square.results(2, 1) == [2]
    assert square.app.state.bridge.traffic.refused >= 1
    assert square.told(water, "#") == {one}
    assert square.told(parks, two) == {two}
    nobody = Device("0" * 16, water.token)
    for other in (nobody, Device(water.number, parks.token), Device("jingwei", "")):
        assert "efused" in square.publish(other, one, 66) or "uthori" in square.publish(other, one, 66)


def test_of_very_many_tokens_some_have_the_topics_below_their_name_alone(square, monkeypatch):
    monkeypatch.setattr(rights, "MOST_LISTED", 1)
    devices = [square.device(login, "device", WATER) for login in ("one", "two", "three")]
    passwords, topics = rights.files(square.city.records, square.city.policies.current(), "digest")
    assert all(f"\n{one.number}:" in passwords for one in devices)
    assert sum(f"\nuser {one.number}\n" in topics for one in devices) == 1
    assert topics.startswith("pattern write devices/%u/#\n")


def test_rights_that_are_worked_out_in_parts_are_the_same(square, monkeypatch):
    for login in ("one", "two", "three"):
        square.device(login, "device", WATER)
    asked = square.city.records, square.city.policies.current(), "digest"
    whole, parts = rights.files(*asked), []
    monkeypatch.setattr(rights, "STREAMS_AT_ONCE", 1)
    monkeypatch.setattr(tokens, "TOLD_AT_ONCE", 1)
    assert rights.files(*asked, rest=parts.append) == whole
    assert len(parts) >= 4
    assert whole[0].count("\n") == 4


def test_who_lost_the_right_is_no_longer_heard(square):
    person = person_of(square.city, "keeper", "device_keeper", department=WATER)
    device, other = square.token_of(person), square.token_of(person)
    topic = "v1.1/Datastreams(1)/Observations"
    square.published(device, topic, 1)
    with square.city.records.write() as session:
        tokens.revoke_token(session, local_person(), person, device.number)
    for _ in range(100):
        if square.publish(device, topic, 2, 1):
            break
        threading.Event().wait(0.1)
    said = square.publish(device, topic, 66, 2)
    assert "uthori" in said or "efused" in said
    square.published(other, topic, 3, 3)
    assert 66 not in square.results(1, 2)


def test_a_certificate_stands_for_the_token_of_its_name(vouched, tmp_path):
    person = person_of(vouched.city, "keeper", "device_keeper", department=WATER)
    device, other = vouched.token_of(person), vouched.token_of(person)
    topic = "v1.1/Datastreams(1)/Observations"
    vouched.published(device, topic, 1)
    vouched.published(other, f"devices/{other.number}/{topic}", 2, 1)
    assert vouched.results(1, 2) == [1, 2]
    assert "uthori" in vouched.publish(device, "v1.1/Datastreams(2)/Observations", 66, 2)
    assert "uthori" in vouched.publish(device, f"devices/{other.number}/{topic}", 66, 3)
    (tmp_path / "strangers").mkdir()
    city, strangers = vouched.certificates, Certificates(tmp_path / "strangers")
    strangers.ca = city.ca
    vouched.certificates = strangers
    assert vouched.publish(device, topic, 66, 4), "vouched for by nobody of the city"
    vouched.certificates = city
    with vouched.city.records.write() as session:
        tokens.revoke_token(session, local_person(), person, device.number)
    for _ in range(100):
        if vouched.publish(device, topic, 3, 5):
            break
        threading.Event().wait(0.1)
    assert "uthori" in vouched.publish(device, topic, 66, 6)
    assert not vouched.publish(device, f"devices/{device.number}/{topic}", 66, 7), "it may speak, unheard"
    vouched.published(other, topic, 4, 8)
    assert 66 not in vouched.results_with(1, 4)
