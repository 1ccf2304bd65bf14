"""The broker within the city holds no more than it may of what is not yet durable; a bare socket asks it."""

import struct
import threading

import pytest

from .test_mqtt_embedded import TOPIC, WATER, Within, connect
from .test_mqtt_sign_in import opened


@pytest.fixture
def within(bare, monkeypatch):
    """A city of which the broker is its own; its clients here are bare sockets."""
    monkeypatch.setattr("jingwei.cli_readings.program", lambda: None)
    with opened(bare, kind=Within) as square:
        yield square


def message(number, at):
    """Return a reading of stream 1 as a device publishes it with quality 1."""
    payload = b'{"phenomenonTime":"2026-03-02T00:%02d:%02dZ","result":%d}' % (at // 60, at % 60, at)
    body = struct.pack("!H", len(TOPIC)) + TOPIC.encode() + struct.pack("!H", number) + payload
    return bytes([0x32, len(body)]) + body


def test_a_device_that_goes_away_takes_the_answer_from_no_other(within, monkeypatch):
    device, bridge = within.device("pump", "device", WATER), within.app.state.bridge
    full, gone = threading.Event(), threading.Event()

    def is_full(*_):
        if bridge.held == 2:
            full.set()
        return not gone.is_set()

    monkeypatch.setattr("jingwei.sense.readings.intake.Intake._is_full", is_full)
    leaving, _ = connect(within.port, device, "pump-1", clean=True)
    staying, _ = connect(within.port, device, "pump-2", clean=True)
    for line, at in ((leaving, 1), (staying, 2)):
        line.sendall(message(1, at))
    assert full.wait(20), "both wait for the intake"
    leaving.close()
    while bridge.held > 1:  # the broker has let go of who left
        assert not gone.wait(0.01)
    gone.set()
    assert staying.recv(4) == b"@\x02\x00\x01"
    staying.sendall(message(2, 3))
    assert staying.recv(4) == b"@\x02\x00\x02"
    staying.close()
    assert within.now(1) == [1, 2, 3]


def test_a_device_is_read_no_further_while_much_waits_and_loses_nothing(within, monkeypatch):
    monkeypatch.setattr("jingwei.sense.mqtt.embedded.MOST_WAITING", 20)
    device, bridge, seen = within.device("pump", "device", WATER), within.app.state.bridge, []

    def is_full(*_):
        if bridge.held:
            seen.append(bridge.held)
        return 0 < len(seen) < 5

    monkeypatch.setattr("jingwei.sense.readings.intake.Intake._is_full", is_full)
    line, said = connect(within.port, device, "pump-7", clean=True)
    assert said == b" \x02\x00\x00"
    for n in range(300):
        line.sendall(message(n + 1, n))
    acknowledged = b""
    while len(acknowledged) < 4 * 300 and (more := line.recv(4096)):
        acknowledged += more
    line.close()
    assert len(acknowledged) == 4 * 300
    assert within.now(1) == list(range(300))
    assert len(seen) >= 5
    assert max(seen) <= 25, "however often the intake was full"
    assert bridge.held == 0
