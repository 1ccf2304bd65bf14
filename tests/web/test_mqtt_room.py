"""The broker within the city holds no more than it may of what is not yet durable; a bare socket asks it."""

import struct

import pytest

from .test_mqtt_embedded import TOPIC, WATER, Within, connect
from .test_mqtt_sign_in import opened


@pytest.fixture
def within(bare, monkeypatch):
    """A city of which the broker is its own; its clients here are bare sockets."""
    monkeypatch.setattr("jingwei.cli_readings.program", lambda: None)
    with opened(bare, kind=Within) as square:
        yield square


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
        payload = b'{"phenomenonTime":"2026-03-02T00:%02d:%02dZ","result":%d}' % (n // 60, n % 60, n)
        body = struct.pack("!H", len(TOPIC)) + TOPIC.encode() + struct.pack("!H", n + 1) + payload
        line.sendall(bytes([0x32, len(body)]) + body)
    acknowledged = b""
    while len(acknowledged) < 4 * 300 and (more := line.recv(4096)):
        acknowledged += more
    line.close()
    assert len(acknowledged) == 4 * 300
    assert within.now(1) == list(range(300))
    assert len(seen) >= 5
    assert max(seen) <= 25, "however often the intake was full"
    assert bridge.held == 0
