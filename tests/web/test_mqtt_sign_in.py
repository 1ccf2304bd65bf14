"""Devices at the broker of a city with sign-in: real clients of mosquitto, its rights those of the city."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import threading
from typing import NamedTuple

import pytest

from jingwei.access import add_department, local_person, tokens
from jingwei.city.settings import MappingSettings, MqttSettings, SenseSettings
from jingwei.cli_readings import sensing
from jingwei.records import now_utc
from jingwei.sense.entities import ENTITIES
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

    def __init__(self, city, app, port):
        self.city, self.app, self.port = city, app, port

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
        return [
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-u",
            device.number,
            "-P",
            device.token,
            "-V",
            "mqttv5",
        ]

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

    def told(self, device, topic, seconds=1):
        """Return the topics of what a client is told that subscribes."""
        run = subprocess.run(
            [SUBSCRIBE, *self._options(device), "-t", topic, "-W", str(seconds), "-F", "%t"],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        return set(run.stdout.split())

    def results(self, stream, count):
        """Return the results of a stream once there are so many."""
        readings = self.app.state.readings
        enough = threading.Event()
        end = readings.subscribe(lambda _: enough.set() if readings.count([stream]) >= count else None)
        if readings.count([stream]) < count:
            assert enough.wait(20)
        end()
        return sorted(readings.read([stream])["result"].to_pylist())


@pytest.fixture
def square(bare):
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
    settings = SenseSettings(mqtt=MqttSettings(port=port, mapping=(mapping,)))
    with sensing(app.state, settings, "http://city/sta/v1.1"):
        assert app.state.bridge.connected.wait(20)
        yield Square(bare, app, port)


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
