"""Through a real nats-server: what is in a stream is taken in once, even if the city was away."""

import asyncio
import json
import shutil
import socket
import subprocess
import threading

import nats
import pytest

from jingwei.sense.mqtt.mosquitto import free_port
from jingwei.sense.nats.follower import Following, Source
from jingwei.sense.readings import Readings, StreamFacts

PROGRAM = shutil.which("nats-server") or shutil.which("/usr/sbin/nats-server")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="nats-server is not installed")
SUBJECT = "sense.observations"


@pytest.fixture
def source(tmp_path):
    port = free_port()
    said = (tmp_path / "nats.log").open("wb")
    process = subprocess.Popen(
        [PROGRAM, "-js", "-sd", str(tmp_path / "nats"), "-a", "127.0.0.1", "-p", str(port)], stderr=said
    )
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            threading.Event().wait(0.05)
    yield Source(f"nats://127.0.0.1:{port}")
    process.terminate()
    process.wait()
    said.close()


@pytest.fixture
def readings(tmp_path):
    with Readings(tmp_path / "readings", lambda stream: StreamFacts(stream, maximum=100)) as store:
        yield store


def followed(readings, source):
    return Following(readings, source, lambda stream: 1 if stream < 5 else None).running()


def publish(source, *messages):
    async def all_of():
        client = await nats.connect(source.server)
        stream = client.jetstream()
        for subject, body in messages:
            await stream.publish(subject, body if isinstance(body, bytes) else json.dumps(body).encode())
        await client.close()

    asyncio.run(all_of())


def waiting(source):
    """Return how many messages are not acknowledged, or not yet delivered."""

    async def asked():
        client = await nats.connect(source.server)
        info = await client.jetstream().consumer_info(source.stream, source.durable)
        await client.close()
        return info.num_ack_pending + info.num_pending

    return asyncio.run(asked())


def settled(readings, source, count):
    """Return once so many readings are there, and all is acknowledged."""
    for _ in range(200):
        if readings.count() >= count and not waiting(source):
            return
        threading.Event().wait(0.05)
    pytest.fail(f"{readings.count()} readings, {waiting(source)} messages wait")


def of(second, result=1.5, **more):
    return {"phenomenonTime": f"2026-01-01T00:00:{second:02}Z", "result": result, **more}


def test_what_is_in_a_stream_is_taken_in_once(readings, source):
    first = {"Datastream": {"@iot.id": 1}}
    rows = [["2026-01-01T00:01:00Z", 1], ["2026-01-01T00:01:01Z", 2]]
    grouped = [{"Datastream": {"@iot.id": 3}, "components": ["phenomenonTime", "result"], "dataArray": rows}]
    with followed(readings, source) as following:
        assert following.connected.wait(20)
        publish(
            source,
            (SUBJECT, of(0, **first)),
            (SUBJECT, [of(1, **first), of(2, **first)]),
            (SUBJECT, grouped),
            (f"{SUBJECT}.2", of(3)),
            (f"{SUBJECT}.2", of(3)),
            (f"{SUBJECT}.2", of(4, 1e9)),
            (f"{SUBJECT}.9", of(3)),
            (f"{SUBJECT}.x", of(3)),
            (SUBJECT, b"not json"),
        )
        settled(readings, source, 6)
        assert (following.traffic.readings, following.traffic.duplicates) == (6, 1)
        assert [subject for subject, _ in following.traffic.rejects] == [f"{SUBJECT}.x", SUBJECT]
    assert readings.kept_apart()[0] == 1
    assert readings.read([2])["result"].to_pylist() == [1.5]


def test_what_came_while_the_city_was_away_is_not_lost(readings, source):
    with followed(readings, source) as following:
        assert following.connected.wait(20)
    publish(source, *((f"{SUBJECT}.1", of(n, n)) for n in range(50)))
    assert readings.count() == 0
    with followed(readings, source):
        settled(readings, source, 50)
