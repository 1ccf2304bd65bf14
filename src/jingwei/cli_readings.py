"""What `jingwei up` runs for readings: their way to the lake, their roll-ups, and the broker."""

from __future__ import annotations

import contextlib
import functools
import secrets
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from sqlalchemy import select

from jingwei.access import asker_of_person, local_person, tokens
from jingwei.access.models import PersonRow
from jingwei.access.signing_in import is_local
from jingwei.cli_guard import say
from jingwei.errors import JingweiError
from jingwei.sense.faults.keeping import FaultKeeper
from jingwei.sense.mqtt.bridge import Bridge, Broker, Create
from jingwei.sense.mqtt.mosquitto import (
    Listening,
    PlainMqttError,
    end_left,
    free_near,
    free_port,
    mosquitto,
    program,
)
from jingwei.sense.mqtt.rights import CITY, Rights
from jingwei.sense.mqtt.telling import alarms_following, corrections_told, following
from jingwei.sense.mqtt.topics import Mapping
from jingwei.sense.readings.opening import Flusher
from jingwei.sense.rollups import Keeper
from jingwei.sense.rules.hearing import CaseListener
from jingwei.sense.rules.keeping import RuleKeeper
from jingwei.sense.series import micros_of
from jingwei.sense.service import Asked
from jingwei.sense.wire import NotPlainError
from jingwei.web.ahead import Ahead
from jingwei.web.at_broker import TokensAtBroker
from jingwei.web.routes.sta import body_of, readings_in
from jingwei.web.senders import Collector, Senders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session
    from starlette.datastructures import State

    from jingwei.access import Asker
    from jingwei.city import City
    from jingwei.city.settings import MqttSettings, NatsSettings, SenseSettings
    from jingwei.sense.nats.follower import Following

FOLDER = "sense/mosquitto"
REST = 10.0
"""Seconds between two times that rules take up streams that changed."""


@contextlib.contextmanager
def sensing(served: State, settings: SenseSettings, root: str) -> Iterator[None]:
    """Take in readings by MQTT, move them to the lake, roll them up and ask rules, while the block lasts.

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
        rollups = served.rollups()
        running.enter_context(Flusher(served.readings).running())
        running.enter_context(Keeper(rollups).running())
        city: City = served.city
        running.enter_context(CaseListener(city.records).running())
        clock = lambda: micros_of(city.clock.now())  # noqa: E731
        networks = served.sensing.networks
        zone = city.about.zone
        rules = RuleKeeper(
            city.records,
            served.readings,
            zone,
            rest=REST,
            clock=clock,
            networks=networks,
            grounds=served.sensing.grounds,
        )
        running.enter_context(rules.running())
        ahead = Ahead(city.records, served.taking, served.readings, [served.senders])
        running.enter_context(FaultKeeper(city.records, rollups, clock).running())
        if settings.mqtt.enabled:
            try:
                _connect(running, served, settings.mqtt, root, ahead)
            except JingweiError as error:
                click.echo(say(f"未启用 MQTT：{error}", f"Without MQTT: {error}"), err=True)
        if settings.nats is not None:
            served.nats = running.enter_context(_following(served, settings.nats).running())
        running.enter_context(ahead.running())
        yield


def _following(served: State, settings: NatsSettings) -> Following:
    """Return what takes in readings from a stream of NATS, with the rights of the one `person`."""
    from jingwei.sense.nats.follower import Following, Source  # few cities have one

    password = settings.password_file.read_text("utf-8").strip() if settings.password_file else None
    source = Source(
        settings.server, settings.stream, settings.subject, settings.durable, settings.name, password
    )
    login = settings.person if settings.person is not None or served.gate.entry.open else ""
    policies = served.city.policies
    senders = Senders(served.gate, policies, served.taking)
    click.echo(say(f"NATS：{settings.server}", f"NATS at {settings.server}"), err=True)
    return Following(served.readings, source, Collector(senders, login).feature_of, _maker(served, senders))


def _maker(served: State, senders: Senders) -> Callable[[set[int]], dict[int, int]]:
    """Return what makes the features of interest that streams lack, on behalf of who sent to them."""

    def make(streams: set[int]) -> dict[int, int]:
        made: dict[int, int] = served.taking.make(senders.lacking(streams))
        return made

    return make


def _connect(
    running: contextlib.ExitStack, served: State, settings: MqttSettings, root: str, ahead: Ahead
) -> None:
    """Start or find the broker, and become its client.

    A broker that the settings name decides itself who signs in; the city takes in what comes from it with
    the rights of the one `person`. One that the city starts lets in those whose tokens the city issued, and
    anyone in an open city.
    """
    settings = _with_free_port(settings, served.city.home / FOLDER)
    senders = Senders(served.gate, served.city.policies, served.taking)
    is_open = served.gate.entry.open
    signed = settings.broker is None and not is_open
    if signed:
        ahead.senders.append(senders)
    login = settings.person
    if login is None and settings.broker is not None and not is_open:
        login = ""  # of a broker that knows others than the city does nothing is taken in for nobody
    common: dict[str, Any] = {
        "root": root,
        "mappings": _mappings(settings),
        "feature_of_token": _of_token(senders, served) if signed else None,
        "make": _maker(served, senders),
    }
    collector = Collector(senders, login)
    feature_of = collector.feature_of
    common["create"] = _creator(served, senders, collector, root)
    bridge: Bridge
    if settings.broker is None and program() is None:
        from jingwei.sense.mqtt.embedded import Embedded  # a library that few cities need

        listening, shown = _listening(settings, is_open=is_open), _shown(settings)
        known = TokensAtBroker(senders) if signed else None
        bridge = Embedded(served.readings, listening, feature_of, known=known, **common)
    else:
        named = settings.broker
        shown = named or _shown(settings)
        broker = _started(running, served, settings) if named is None else _named(settings, named)
        name = f"jingwei-{served.city.about.id}"
        bridge = Bridge(served.readings, broker, feature_of, client_id=name, **common)
    running.enter_context(bridge.running())
    telling = following(
        served.sensing,
        lambda session: _reader(session, login, everything=signed or is_open),
        root,
        bridge.tell,
        bridge.is_alone,
        lambda: bridge.selections.by_links,
    )
    running.enter_context(telling.running())
    served.readings.when_corrected(
        corrections_told(
            served.sensing,
            lambda session: _reader(session, login, everything=signed or is_open),
            root,
            bridge.tell,
            bridge.is_alone,
        )
    )
    alarms = alarms_following(
        served.sensing,
        lambda session: _reader(session, login, everything=signed or is_open),
        bridge.tell,
        bridge.is_alone,
    )
    running.enter_context(alarms.running())
    served.bridge = bridge
    served.sensing.mqtt = {"endpoints": [shown]}
    click.echo(say(f"MQTT：{shown}", f"MQTT at {shown}"), file=sys.stderr)


def _mappings(settings: MqttSettings) -> tuple[Mapping, ...]:
    return tuple(
        Mapping(one.topic, one.stream, one.result, one.time, one.time_unit, one.key, one.streams or None)
        for one in settings.mapping
    )


def _named(settings: MqttSettings, address: str) -> Broker:
    """Return the broker that the settings name."""
    parts = urlsplit(address)
    tls = parts.scheme == "mqtts"
    password = settings.password_file.read_text("utf-8").strip() if settings.password_file else None
    port = parts.port or (8883 if tls else 1883)
    return Broker(parts.hostname or "", port, settings.name, password, tls)


def _with_free_port(settings: MqttSettings, folder: Path) -> MqttSettings:
    """Return settings with a free port for a broker of the city's own, where they name no port.

    Another city, or a broker that came with the machine, may have the usual one.
    """
    if settings.broker is not None or "port" in settings.model_fields_set:
        return settings
    end_left(folder)
    port = free_near(settings.host, settings.port)
    if port != settings.port:
        taken = say(
            f"MQTT 端口 {settings.port} 已被占用，改用 {port}（settings.toml 的 [sense.mqtt] 可指定 port）",
            f"MQTT: port {settings.port} is in use, {port} is taken instead"
            " (settings.toml may name a port under [sense.mqtt])",
        )
        click.echo(taken, err=True)
    return settings.model_copy(update={"port": port})


def _listening(settings: MqttSettings, *, is_open: bool) -> Listening:
    """Return where a broker of the city's own listens.

    Raises
    ------
    PlainMqttError
        Where tokens would cross a network in the clear.

    """
    if settings.tls_cert is None and not is_open and not is_local(settings.host):
        raise PlainMqttError(settings.host)
    return Listening(settings.host, settings.port, settings.tls_cert, settings.tls_key, settings.devices_ca)


def _shown(settings: MqttSettings) -> str:
    """Return by which address others reach it."""
    return f"mqtt{'s' if settings.tls_cert is not None else ''}://{settings.host}:{settings.port}"


def _started(running: contextlib.ExitStack, served: State, settings: MqttSettings) -> Broker:
    """Start mosquitto; return how the city reaches it."""
    folder = served.city.home / FOLDER
    tls = settings.tls_cert is not None
    is_open = served.gate.entry.open
    listening = replace(_listening(settings, is_open=is_open), inside=free_port() if tls else None)
    if is_open:
        port = running.enter_context(mosquitto(folder, listening, ended=lambda: _note_end(served)))
        return Broker(settings.host, port)
    password = secrets.token_urlsafe(32)
    folder.mkdir(parents=True, exist_ok=True)
    rights = Rights(
        served.city.records,
        served.city.policies.current,
        folder,
        tokens.for_broker(password),
        _mappings(settings),
    )
    port = running.enter_context(mosquitto(folder, listening, rights, ended=lambda: _note_end(served)))
    return Broker("127.0.0.1" if tls else settings.host, port, CITY, password)


def _note_end(served: State) -> None:
    """Note that the broker ended by itself."""
    bridge: Bridge | None = getattr(served, "bridge", None)
    if bridge is not None:
        bridge.traffic.restarts += 1


def _of_token(senders: Senders, served: State) -> Callable[[str, int], int | None]:
    """Return what answers about streams for what the token of a number sends."""

    def feature_of(number: str, stream: int) -> int | None:
        try:
            shown = senders.of_number(number)
            feature = senders.feature(shown.sender, stream)
            served.quotas.take(number, 1)
        except (NotPlainError, JingweiError):
            return None
        return feature

    return feature_of


def _creator(served: State, senders: Senders, collector: Collector, root: str) -> Create:
    """Return what takes in observations with all that they may have, as `POST` does, for who sends them."""

    def of(number: str | None) -> Callable[[str, bytes], int] | None:
        try:
            asker = collector.asker() if number is None else senders.of_number(number).sender.asker
        except (NotPlainError, JingweiError):
            return None
        return None if asker is None else functools.partial(create, number, asker)

    def create(number: str | None, asker: Asker, path: str, payload: bytes) -> int:
        body = body_of(payload)
        count = readings_in("POST", path, body)
        if number is not None:
            served.quotas.take(number, count)
        served.sensing.change(asker, Asked("POST", path, "", body), root)
        return count

    return of


def _reader(session: Session, login: str | None, *, everything: bool) -> Asker | None:
    """Return with whose rights entities are told to subscribers; None where there is no such person.

    A broker of the city's own opens their topics only to those who see all.
    """
    if everything and login is None:
        return local_person()
    found = session.scalar(select(PersonRow.id).where(PersonRow.login == login))
    return None if found is None else asker_of_person(session, found)
