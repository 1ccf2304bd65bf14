"""Through a real broker: what devices publish is kept, and what is kept is told."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import gmqtt
import pytest

from jingwei.sense.mqtt.bridge import Bridge, Broker
from jingwei.sense.mqtt.mosquitto import BrokerError, free_near, mosquitto, program
from jingwei.sense.mqtt.topics import Mapping, readings_in
from jingwei.sense.readings import Batch, Reading, Readings, StreamFacts
from jingwei.sense.wire import NotPlainError

pytestmark = pytest.mark.skipif(program() is None, reason="mosquitto is not installed")
OBSERVED = {"phenomenonTime": "2026-01-01T00:00:00Z", "result": 21.5}
AT = 1_767_225_600_000_000


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def broker(tmp_path, port):
    with mosquitto(tmp_path / "mosquitto", port=port):
        yield Broker(port=port)


@pytest.fixture
def readings(tmp_path):
    def facts(stream):
        return StreamFacts(stream, maximum=100, multi=stream == 3)

    with Readings(tmp_path / "readings", facts) as store:
        yield store


def bridged(readings, broker, **options):
    return Bridge(
        readings, broker, lambda stream: 1 if stream < 5 else None, root="http://city/sta/v1.1", **options
    )


async def publish(broker, messages):
    """Publish by a device with quality 1; returns when all are acknowledged."""
    client = gmqtt.Client("device", clean_session=True)
    await client.connect(broker.host, broker.port)
    for topic, body in messages:
        client.publish(topic, body if isinstance(body, bytes) else json.dumps(body), qos=1)
    await client._persistent_storage.wait_empty()
    await client.disconnect()


def waited(readings, count):
    """Return once so many readings are there."""
    enough = threading.Event()

    def look(_=None):
        if readings.count() >= count:
            enough.set()

    end = readings.subscribe(look)
    look()
    assert enough.wait(20)
    end()


def test_what_devices_publish_is_kept(readings, broker):
    array = [{**OBSERVED, "result": n, "phenomenonTime": f"2026-01-01T00:01:0{n}Z"} for n in range(3)]
    grouped = [
        {
            "Datastream": {"@iot.id": 3},
            "components": ["phenomenonTime", "result"],
            "dataArray": [["2026-01-01T00:00:00Z", 1], ["2026-01-01T00:00:01Z", 2]],
        }
    ]
    with bridged(
        readings, broker, mappings=(Mapping("parks/+/data", 4, "soil.moisture", "ts", "s"),)
    ).running() as bridge:
        assert bridge.connected.wait(20)
        asyncio.run(
            publish(
                broker,
                [
                    ("v1.1/Datastreams(1)/Observations", OBSERVED),
                    ("v1.1/Observations", {**OBSERVED, "Datastream": {"@iot.id": 2}}),
                    ("v1.1/Datastreams(1)/Observations", array),
                    ("v1.1/Observations", grouped),
                    ("parks/7/data", {"soil": {"moisture": 0.3}, "ts": AT / 1e6}),
                ],
            )
        )
        waited(readings, 8)
    assert readings.latest([4])["result"].to_pylist() == [0.3]
    assert readings.read([1])["time"].cast("int64").to_pylist()[0] == AT
    assert readings.read([3])["feature"].to_pylist() == [1, 1]


def test_what_is_not_understood_or_not_allowed_is_noted(readings, broker):
    with bridged(readings, broker).running() as bridge:
        assert bridge.connected.wait(20)
        sent = [
            ("v1.1/Datastreams(1)/Observations", b"not json"),
            ("v1.1/Datastreams(9)/Observations", OBSERVED),
            ("v1.1/Datastreams(1)/Observations", {**OBSERVED, "result": 1e9}),
            ("v1.1/Datastreams(1)/Observations", OBSERVED),
        ]
        asyncio.run(publish(broker, sent))
        waited(readings, 1)
        assert bridge.traffic.refused >= 2, "the third is counted when the store has answered"
        assert [topic for topic, _ in bridge.traffic.rejects] == ["v1.1/Datastreams(1)/Observations"]
    assert readings.kept_apart()[0] == 1


def test_what_comes_while_the_city_is_away_is_not_lost(readings, broker):
    with bridged(readings, broker).running() as bridge:
        assert bridge.connected.wait(20)
    sent = [
        (
            "v1.1/Datastreams(1)/Observations",
            {**OBSERVED, "result": n, "phenomenonTime": f"2026-01-01T00:00:{n:02}Z"},
        )
        for n in range(50)
    ]
    asyncio.run(publish(broker, sent))
    assert readings.count() == 0
    with bridged(readings, broker).running():
        waited(readings, 50)


def test_the_last_reading_of_a_stream_is_retained(readings, broker):
    async def last():
        found = asyncio.get_running_loop().create_future()

        def on_message(_client, topic, payload, _qos, properties):
            told = json.loads(payload)
            if "@iot.id" in told and told["result"] == 2 and not found.done():
                found.set_result((topic, told, properties["retain"]))

        watcher = gmqtt.Client("watcher")
        watcher.on_message = on_message
        await watcher.connect(broker.host, broker.port)
        watcher.subscribe("v1.1/Datastreams(2)/Observations")
        answer = await asyncio.wait_for(found, 20)
        await watcher.disconnect()
        return answer

    with bridged(readings, broker).running() as bridge:
        assert bridge.connected.wait(20)
        for n in range(3):
            when = f"2026-01-01T00:00:0{n}Z"
            result = "open" if n == 1 else n  # what is told of a text goes another way
            asyncio.run(
                publish(
                    broker,
                    [
                        (
                            "v1.1/Observations",
                            {"result": result, "phenomenonTime": when, "Datastream": {"@iot.id": 2}},
                        )
                    ],
                )
            )
        waited(readings, 3)
        topic, told, _ = asyncio.run(last())
    assert topic == "v1.1/Datastreams(2)/Observations"
    assert told["phenomenonTime"] == "2026-01-01T00:00:02Z"
    assert readings.count() == 3, "what the city tells does not come back to it"


def test_readings_of_a_multidatastream_are_told_by_its_own_topic(readings, broker):
    async def told():
        heard: asyncio.Queue[tuple[str, dict]] = asyncio.Queue()
        watcher = gmqtt.Client("watcher")
        watcher.on_message = lambda _c, topic, payload, _q, _p: heard.put_nowait((topic, json.loads(payload)))
        await watcher.connect(broker.host, broker.port)
        watcher.subscribe("v1.1/#")
        found = {}
        while len(found) < 2:
            topic, body = await asyncio.wait_for(heard.get(), 20)
            if "@iot.id" in body and topic != "v1.1/Observations":
                found[topic] = body["result"]
        await watcher.disconnect()
        return found

    with bridged(readings, broker).running() as bridge:
        assert bridge.connected.wait(20)
        readings.append(Batch.of([Reading(3, AT, [1, 2.5], feature=1), Reading(2, AT, 21.5, feature=1)]))
        assert asyncio.run(told()) == {
            "v1.1/MultiDatastreams(3)/Observations": [1, 2.5],
            "v1.1/Datastreams(2)/Observations": 21.5,
        }


def test_what_changes_a_reading_is_told_after_it(readings, broker):
    async def told(bridge):
        heard, ready, both = [], asyncio.Event(), asyncio.Event()

        def on_message(_client, topic, _payload, _qos, _properties):
            heard.append(topic)
            if len(set(heard)) == 2:
                both.set()

        watcher = gmqtt.Client("watcher")
        watcher.on_message, watcher.on_subscribe = on_message, lambda *_: ready.set()
        await watcher.connect(broker.host, broker.port)
        watcher.subscribe(
            [gmqtt.Subscription(f"v1.1/{one}", qos=0) for one in ("Datastreams(2)/#", "changed")]
        )
        await asyncio.wait_for(ready.wait(), 20)
        readings.append(Batch.of([Reading(2, AT, 21.5, feature=1)]))
        bridge.tell([("v1.1/changed", b"{}")])
        await asyncio.wait_for(both.wait(), 20)
        await watcher.disconnect()
        return heard

    with bridged(readings, broker).running() as bridge:
        assert bridge.connected.wait(20)
        assert asyncio.run(told(bridge)) == ["v1.1/Datastreams(2)/Observations", "v1.1/changed"]


def test_a_port_of_another_program_is_not_taken_for_ours(tmp_path, port):
    with socket.create_server(("127.0.0.1", port)), pytest.raises(BrokerError) as told:  # noqa: SIM117
        with mosquitto(tmp_path / "mosquitto", port=port):
            pass
    assert f"{port} 启动：另一个程序已占用该端口" in told.value.what.zh


def test_a_broker_that_ends_is_started_again(readings, tmp_path, port):
    ended = threading.Event()
    here = tmp_path / "mosquitto"
    with (
        mosquitto(here, port=port, ended=ended.set),
        bridged(readings, Broker(port=port)).running() as bridge,
    ):
        assert bridge.connected.wait(20)
        asyncio.run(publish(Broker(port=port), [("v1.1/Datastreams(1)/Observations", OBSERVED)]))
        waited(readings, 1)
        os.kill(int((here / "mosquitto.pid").read_text()), signal.SIGKILL)
        assert ended.wait(20)
        second = {**OBSERVED, "result": 22}
        for _ in range(100):
            if bridge.connected.is_set():
                with contextlib.suppress(OSError):
                    asyncio.run(publish(Broker(port=port), [("v1.1/Datastreams(1)/Observations", second)]))
            if readings.count() == 2:
                return
            threading.Event().wait(0.1)
        pytest.fail("nothing comes by the broker that was started again")


def test_where_the_usual_port_is_taken_the_next_free_one_is_near():
    with socket.socket() as taken, socket.socket() as after:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        near = free_near("127.0.0.1", port)
        assert port < near < port + 20
        after.bind(("127.0.0.1", near))
        assert free_near("127.0.0.1", 65_535) == 65_535, "there is none after the last"


LEFT = """
import sys
from pathlib import Path
from jingwei.sense.mqtt.mosquitto import mosquitto
with mosquitto(Path(sys.argv[1]), port=int(sys.argv[2])):
    print("runs", flush=True)
    sys.stdin.read()
"""


def test_a_broker_that_was_left_running_is_ended(tmp_path, port):
    folder = tmp_path / "mosquitto"
    command = [sys.executable, "-c", LEFT, str(folder), str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as city:
        assert city.stdout.readline() == b"runs\n"
        city.kill()
    pid = int((folder / "mosquitto.pid").read_text())
    assert Path(f"/proc/{pid}").exists()
    with mosquitto(folder, port=port):
        mine = int((folder / "mosquitto.pid").read_text())
        assert mine != pid
        assert os.getpgid(mine) == mine, "an interrupt at the terminal does not reach it before the city"


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("v1.1/Things", b"{}"),
        ("v1.1/Datastreams(0)/Observations", b'{"result":1}'),
        ("v1.1/Observations", b'{"result":1}'),
        ("v1.1/Datastreams(1)/Observations", b'{"result":1,"Datastream":{"@iot.id":2}}'),
        ("v1.1/Datastreams(1)/Observations", b'{"value":1}'),
        ("parks/1", b'{"other":1}'),
        ("parks/1", b'{"value":1,"ts":"soon"}'),
    ],
)
def test_other_messages_are_refused(topic, payload):
    with pytest.raises(NotPlainError):
        readings_in(topic, payload, (Mapping("parks/#", 1, time="ts"),))


def test_while_nobody_subscribes_only_the_last_values_are_told_and_then_all(readings, broker, monkeypatch):
    monkeypatch.setattr("jingwei.sense.mqtt.bridge.ALONE", 0.0)
    with bridged(readings, broker).running() as bridge:
        assert bridge.connected.wait(20)

        async def told():
            heard: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
            watcher = gmqtt.Client("watcher")
            watcher.on_message = lambda _c, topic, payload, _q, _p: heard.put_nowait(
                (topic, json.loads(payload))
            )
            await watcher.connect(broker.host, broker.port)
            watcher.subscribe("v1.1/#")
            while (await asyncio.wait_for(heard.get(), 20))[1]["result"] != 9:
                pass
            one = {**OBSERVED, "phenomenonTime": "2026-01-01T01:00:00Z", "Datastream": {"@iot.id": 2}}
            await asyncio.to_thread(asyncio.run, publish(broker, [("v1.1/Observations", one)]))
            found = set()
            while len(found) < 2:
                topic, body = await asyncio.wait_for(heard.get(), 20)
                if "@iot.id" in body and body["result"] == 21.5:
                    found.add(topic)
            await watcher.disconnect()
            return found

        bridge._alone = True  # as mosquitto says within ten seconds
        many = [{**OBSERVED, "result": n, "phenomenonTime": f"2026-01-01T00:00:0{n}Z"} for n in range(10)]
        asyncio.run(publish(broker, [("v1.1/Datastreams(2)/Observations", many)]))
        waited(readings, 10)
        for _ in range(200):
            if bridge.traffic.told:
                break
            threading.Event().wait(0.05)
        assert bridge.traffic.told == 1, "the last of ten"
        assert asyncio.run(told()) == {"v1.1/Observations", "v1.1/Datastreams(2)/Observations"}
        assert bridge.traffic.told == 2
