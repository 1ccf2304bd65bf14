"""What `jingwei up` runs for readings: their way to the lake, and the broker."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click
from sqlalchemy import select

from jingwei.access import asker_of_person, local_person
from jingwei.access.models import PersonRow
from jingwei.cli_guard import say
from jingwei.errors import JingweiError
from jingwei.sense.readings.opening import Flusher
from jingwei.web.senders import Collector, Senders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session
    from starlette.datastructures import State

    from jingwei.access import Asker
    from jingwei.city.settings import MqttSettings, SenseSettings

FOLDER = "sense/mosquitto"


@contextlib.contextmanager
def sensing(served: State, settings: SenseSettings, root: str) -> Iterator[None]:
    """Take in readings by MQTT and move readings to the lake while the block lasts.

    Parameters
    ----------
    served
        The state of the application.
    settings
        What `settings.toml` says of readings.
    root
        The address of the SensorThings service.

    """
    with contextlib.ExitStack() as running:
        running.callback(served.readings.close)
        running.enter_context(Flusher(served.readings).running())
        if settings.mqtt.enabled:
            try:
                _connect(running, served, settings.mqtt, root)
            except JingweiError as error:
                click.echo(say(f"未启用 MQTT：{error}", f"Without MQTT: {error}"), err=True)
        yield


def _connect(running: contextlib.ExitStack, served: State, settings: MqttSettings, root: str) -> None:
    """Start or find the broker, and become its client.

    Without sign-in at the broker, only an open city lets anyone publish; else the settings name a broker
    that lets in only whom it knows, and the person on whose behalf the city takes in what comes from it.
    """
    open_mode = served.gate.entry.open
    if settings.broker is None and not open_mode:
        return
    from jingwei.sense.mqtt.bridge import Bridge, Broker
    from jingwei.sense.mqtt.mosquitto import mosquitto, program
    from jingwei.sense.mqtt.telling import following
    from jingwei.sense.mqtt.topics import Mapping

    if settings.broker is not None:
        parts = urlsplit(settings.broker)
        tls = parts.scheme == "mqtts"
        password = settings.password_file.read_text("utf-8").strip() if settings.password_file else None
        broker = Broker(
            parts.hostname or "", parts.port or (8883 if tls else 1883), settings.name, password, tls
        )
        shown = settings.broker
    elif program() is None:
        return
    else:
        folder = served.city.home / FOLDER
        port = running.enter_context(mosquitto(folder, host=settings.host, port=settings.port))
        broker, shown = Broker(settings.host, port), f"mqtt://{settings.host}:{port}"
    mappings = tuple(
        Mapping(one.topic, one.stream, one.result, one.time, one.time_unit, one.key, one.streams or None)
        for one in settings.mapping
    )
    bridge = Bridge(
        served.readings, broker, _feature_of(served, settings.person), root=root, mappings=mappings,
        client_id=f"jingwei-{served.city.about.id}",
    )  # fmt: skip
    running.enter_context(bridge.running())
    telling = following(
        served.sensing, lambda session: _reader(session, served, settings.person), root, bridge.tell
    )
    running.enter_context(telling.running())
    served.bridge = bridge
    served.sensing.mqtt = {"endpoints": [shown]}
    click.echo(say(f"MQTT：{shown}", f"MQTT at {shown}"), file=sys.stderr)


def _reader(session: Session, served: State, person: str | None) -> Asker | None:
    """Return with whose rights entities are told to subscribers; None where there is no such person."""
    if served.gate.entry.open and person is None:
        return local_person()
    found = session.scalar(select(PersonRow.id).where(PersonRow.login == person))
    return None if found is None else asker_of_person(session, found)


def _feature_of(served: State, person: str | None) -> Callable[[int], int | None]:
    """Return what answers the bridge about streams."""
    login = person if person is not None or served.gate.entry.open else ""
    policies = served.city.policies
    senders = Senders(served.gate, policies, served.taking)
    return Collector(senders, policies, served.taking, login).feature_of
