"""Through a real broker: subscribers are told of entities that are new or changed (18-088, clause 14.2)."""

import asyncio
import json
import socket
import threading

import gmqtt
import pytest

from jingwei import ledger
from jingwei.access import local_person
from jingwei.access.policy import Policies
from jingwei.access.policy.store import default_policies
from jingwei.ledger.sealer import Sealer
from jingwei.sense.intake import facts_of
from jingwei.sense.mqtt.bridge import Bridge, Broker
from jingwei.sense.mqtt.mosquitto import mosquitto, program
from jingwei.sense.mqtt.telling import Selections, alarms_following, corrections_told, following
from jingwei.sense.readings import Readings
from jingwei.sense.service import Asked, Sensing

from .conftest import ROOT, datastream, location, reading, somebody, thing


@pytest.mark.skipif(program() is None, reason="mosquitto is not installed")
def test_subscribers_are_told_of_entities_and_of_what_they_select(records, tmp_path):
    policies = Policies(default_policies().text, 0, [])
    wanted = {
        "v1.1/Things": "name",
        "v1.1/Things(1)": "name",
        "v1.1/Things(1)/description": "description",
        "v1.1/Things(1)/Datastreams": "name",
        "v1.1/Things?$select=name": "name",
        "v1.1/Observations?$select=result": "result",
        "v1.1/Datastreams(1)/Thing": "name",
        "v1.1/Things(1)/HistoricalLocations": "time",
        "v1.1/Observations(1)": "result",
        "v1.1/Observations(1)/result": "result",
    }
    heard: dict[str, list[dict]] = {topic: [] for topic in wanted}

    async def watch(sensing, bridge):
        done, ready = asyncio.Event(), asyncio.Event()

        def on_message(_client, topic, payload, _qos, _properties):
            heard[topic].append(json.loads(payload))
            if all(heard.values()):
                done.set()

        watcher = gmqtt.Client("watcher")
        watcher.on_message = on_message
        watcher.on_subscribe = lambda *_: ready.set()
        await watcher.connect(broker.host, broker.port)
        watcher.subscribe([gmqtt.Subscription(topic, qos=0) for topic in wanted])
        await asyncio.wait_for(ready.wait(), 20)
        known = asyncio.get_running_loop()
        await known.run_in_executor(None, selected, bridge)
        await known.run_in_executor(None, change, sensing)
        await asyncio.wait_for(done.wait(), 20)
        await watcher.disconnect()

    def selected(bridge):
        limit = threading.Event()
        while len(bridge.selections) < 2 or "v1.1/Datastreams(1)/Thing" not in bridge.selections.by_links:
            assert not limit.wait(0.02)

    def change(sensing):
        def send(method, path, body):
            return sensing.change(local_person(), Asked(method, path, "", body), ROOT)

        stream = datastream(Observations=[reading(1, 7)])
        send("POST", "Things", thing(Locations=[location()]))
        send("PATCH", "Things(1)", {"description": "neu"})
        send("POST", "Things(1)/Datastreams", stream)
        send("PATCH", "Observations(1)", {"result": 8})
        Sealer(records, tmp_path / "log").seal_all()

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        broker = Broker(port=free.getsockname()[1])
    with (
        mosquitto(tmp_path / "mosquitto", port=broker.port),
        Readings(tmp_path / "readings", facts_of(records)) as readings,
    ):
        sensing = Sensing(records, lambda: policies, readings)
        with Bridge(readings, broker, lambda _: 0, root=ROOT).running() as bridge:
            assert bridge.connected.wait(20)
            links = bridge.selections.by_links
            readings.when_corrected(corrections_told(sensing, lambda _: local_person(), ROOT, bridge.tell))
            with following(
                sensing, lambda _: local_person(), ROOT, bridge.tell, by_links=lambda: links
            ).running():
                asyncio.run(watch(sensing, bridge))
    assert heard["v1.1/Things(1)/description"] == [{"description": "neu"}]
    assert heard["v1.1/Things?$select=name"][0] == {"name": "空气站"}
    assert {"result": 7} in heard["v1.1/Observations?$select=result"]
    assert heard["v1.1/Things(1)"][-1]["@iot.selfLink"] == f"{ROOT}/Things(1)"
    assert [one["name"] for one in heard["v1.1/Things(1)/Datastreams"]] == ["颗粒物"]
    assert heard["v1.1/Observations(1)/result"] == [{"result": 8}]
    assert heard["v1.1/Datastreams(1)/Thing"][-1] == heard["v1.1/Things(1)"][-1]


@pytest.mark.skipif(program() is None, reason="mosquitto is not installed")
def test_an_observation_by_mqtt_may_have_all_that_one_by_http_may(records, tmp_path):
    """create-observations-via-mqtt: deep insert, parameters, and topics of features of interest."""
    policies = Policies(default_policies().text, 0, [])
    feature = {"name": "f", "description": "", "encodingType": "text/plain", "feature": "x"}
    more = {"parameters": {"p": "q"}, "validTime": "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z"}
    whole = datastream(Thing=thing())
    sent = [
        ("v1.1/Observations", {**reading(1, 7), "Datastream": whole, "FeatureOfInterest": feature, **more}),
        ("v1.1/FeaturesOfInterest(1)/Observations", {**reading(2, 8), "Datastream": {"@iot.id": 1}}),
        ("v1.1/FeaturesOfInterest(99)/Observations", {**reading(2, 8), "Datastream": {"@iot.id": 1}}),
    ]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        broker = Broker(port=free.getsockname()[1])
    with (
        mosquitto(tmp_path / "mosquitto", port=broker.port),
        Readings(tmp_path / "readings", facts_of(records)) as readings,
    ):
        sensing = Sensing(records, lambda: policies, readings)

        def create(path, payload):
            sensing.change(local_person(), Asked("POST", path, "", json.loads(payload)), ROOT)
            return 1

        async def publish(topic, body):
            device = gmqtt.Client("device")
            await device.connect(broker.host, broker.port)
            device.publish(topic, json.dumps(body), qos=1)
            await device._persistent_storage.wait_empty()
            await device.disconnect()

        def answered(bridge, count):
            limit = threading.Event()
            while bridge.traffic.readings + bridge.traffic.refused < count:
                assert not limit.wait(0.02)

        with Bridge(readings, broker, lambda _: 0, root=ROOT, create=lambda _: create).running() as bridge:
            assert bridge.connected.wait(20)
            for count, message in enumerate(sent, 1):
                asyncio.run(publish(*message))
                answered(bridge, count)
        told = sensing.ask(local_person(), Asked("GET", "Observations", "$orderby=id"), ROOT).body["value"]
    assert [one["result"] for one in told] == [7, 8]
    assert more.items() <= told[0].items()
    assert [topic for topic, _ in bridge.traffic.rejects] == ["v1.1/FeaturesOfInterest(99)/Observations"]


def test_only_selections_of_properties_are_noted():
    selections = Selections()
    for topic in (
        "v1.1/Things",
        "v1.1/Things?$filter=id eq 1",
        "v1.1/Nothing?$select=name",
        "x?$select=name",
    ):
        selections.note(topic)
    assert len(selections) == 0
    selections.note("v1.1/Things(1)/Datastreams?%24select=name,Sensor")
    ((topic, told),) = selections.of(
        "v1.1/Things(1)/Datastreams", b'{"name":"d","description":"","@iot.id":1}'
    )
    assert (topic[-11:], told) == ("name,Sensor", b'{"name":"d"}')


@pytest.mark.parametrize(("asker", "told"), [(local_person(), True), (somebody("citizen"), False)])
def test_alarms_are_told_on_their_topics_to_who_may_follow_them(records, tmp_path, asker, told):
    policies = Policies(default_policies().text, 0, [])
    heard = []
    with Readings(tmp_path / "readings", facts_of(records)) as readings:
        sensing = Sensing(records, lambda: policies, readings)
        telling = alarms_following(sensing, lambda _: asker, heard.extend)
        with records.write() as session:
            data = {"rule": 1, "incident": 2}
            ledger.append(
                session, "sense.alarm_ended", actor="sense/rules", subject="sense/alarms/7", data=data
            )
        Sealer(records, tmp_path / "log").seal_all()
        telling.catch_up()
    if told:
        ((topic, text),) = heard
        said = json.loads(text)
        assert (topic, said["subject"], said["data"]) == (
            "v1.1/events/sense.alarm_ended",
            "sense/alarms/7",
            data,
        )
    assert bool(heard) is told
