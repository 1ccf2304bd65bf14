"""The broker within the city, where mosquitto is not installed: clients of mosquitto, rights by token."""

import socket
import struct
import subprocess

import pytest

from jingwei.access import local_person, tokens
from jingwei.records import now_utc
from jingwei.sense.mqtt.embedded import Embedded
from jingwei.sense.mqtt.mosquitto import BrokerError, Listening

from .test_mqtt_sign_in import PARKS, PUBLISH, SUBSCRIBE, WATER, Device, Square, opened

pytestmark = pytest.mark.skipif(
    PUBLISH is None or SUBSCRIBE is None, reason="the clients of mosquitto are not installed"
)
TOPIC = "v1.1/Datastreams(1)/Observations"


class Within(Square):
    """The same city with its own broker, which speaks MQTT 3.1.1."""

    version = "mqttv311"

    def now(self, stream):
        """Return the results of a stream as they are at this moment."""
        return sorted(self.app.state.readings.read([stream])["result"].to_pylist())


@pytest.fixture
def within(bare, monkeypatch):
    monkeypatch.setattr("jingwei.cli_readings.program", lambda: None)
    with opened(bare, kind=Within) as square:
        yield square


def test_what_is_acknowledged_is_durable_and_a_token_does_what_it_may(within):
    device = within.device("pump", "device", WATER)
    keeper = within.device("keeper", "system_administrator")
    assert not within.publish(device, TOPIC, 1, 1)
    assert within.now(1) == [1], "there when the device was answered"
    within.publish(device, f"devices/{device.number}/{TOPIC}", 2, 2)
    within.publish(device, f"devices/{keeper.number}/{TOPIC}", 66, 3)
    within.publish(device, "v1.1/Datastreams(2)/Observations", 66, 4)
    within.publish(device, "parks/1/data", 66, 5)
    assert (within.now(1), within.now(2)) == ([1, 2], [])
    assert "uthor" in within.publish(Device(device.number, keeper.token), TOPIC, 66, 6)
    assert "uthor" in within.publish(Device("nobody", "jw_nobody"), TOPIC, 66, 7)
    assert within.told(device, TOPIC) == {TOPIC}, "the last value is retained"
    assert within.told(device, "v1.1/#") == set()
    assert TOPIC in within.told(keeper, "v1.1/#")
    with within.city.records.write() as session:
        person = tokens.person_of_number(session, device.number, now_utc())
        tokens.revoke_token(session, local_person(), person, device.number)
    assert "uthor" in within.publish(device, TOPIC, 66, 8)
    assert within.now(1) == [1, 2]


def connect(port, device, client, *, clean):
    """Sign in over a bare socket; return it and what the broker said."""
    texts = [client, device.number, device.token]
    body = b"\x00\x04MQTT\x04" + bytes([0xC0 | clean << 1]) + b"\x00\x3c"
    body += b"".join(struct.pack("!H", len(one)) + one.encode() for one in texts)
    line = socket.create_connection(("127.0.0.1", port), timeout=60)
    line.sendall(bytes([0x10, len(body)]) + body)
    return line, line.recv(4)


def test_a_session_is_not_taken_over_by_who_is_somebody_else(within):
    device, other = within.device("pump", "device", WATER), within.device("gate", "device", PARKS)
    mine, said = connect(within.port, device, "pump-7", clean=False)
    assert said == b" \x02\x00\x00"
    theirs, said = connect(within.port, Device(device.number, other.token), "pump-7", clean=False)
    assert said[3:] != b"\x00"
    theirs.close()
    theirs, said = connect(within.port, other, "pump-7", clean=False)
    assert said[3:] != b"\x00", "nor by who is known, as another"
    theirs.close()
    mine.close()


def test_a_port_that_is_taken_is_told(within):
    second = Embedded(within.app.state.readings, Listening(port=within.port), lambda _: 1, root="http://city")
    with pytest.raises(BrokerError, match=str(within.port)), second.running():
        pass


def test_what_a_client_sends_without_waiting_is_kept_whole(within):
    device = within.device("pump", "device", WATER)
    lines = "\n".join(
        f'{{"phenomenonTime":"2026-03-01T00:{n // 60:02}:{n % 60:02}Z","result":{n}}}' for n in range(300)
    )
    run = subprocess.run(
        [PUBLISH, *within._options(device), "-q", "1", "-t", TOPIC, "-l"],
        input=lines, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert not run.stderr
    assert within.now(1) == list(range(300))
