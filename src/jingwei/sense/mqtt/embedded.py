"""A broker within the city, from a library, for where mosquitto is not installed.

The city is no client of it but sits inside: it knows who publishes on every topic, and a message of quality
1 is acknowledged to the device itself only when its readings are durable. Sessions and retained values are
those of this process: who was away subscribes anew after a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from amqtt.broker import Broker as Library
from amqtt.contexts import Action, BrokerConfig, ListenerConfig
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin

from jingwei.sense.mqtt.bridge import Bridge, Broker, Create
from jingwei.sense.mqtt.mosquitto import BrokerError
from jingwei.sense.mqtt.topics import sender_in, stream_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from amqtt.session import Session

    from jingwei.sense.mqtt.mosquitto import Listening
    from jingwei.sense.mqtt.topics import Mapping
    from jingwei.sense.readings import Readings

log = logging.getLogger(__name__)

NUMBER = "jingwei.token"
"""Under which a session keeps the number of the token that signed it in."""
NOT_AUTHORISED = b"\x20\x02\x00\x05"
"""CONNACK with return code 5 (MQTT 3.1.1, 3.2.2.3)."""
MOST_WAITING = 10_000
"""Messages, of all devices, that may wait to be durable; no more is read of who sends meanwhile."""
LARGEST = 16 << 20
"""Bytes of one message; who sends a larger one is let go of."""


class Known(Protocol):
    """Who the city knows by tokens, and what they may do."""

    def signed_in(self, number: str, token: str) -> bool:
        """Say whether a token has this number and stands."""

    def stands(self, number: str) -> bool:
        """Say whether the token of a number stands, for one who was vouched for otherwise."""

    def may_write(self, number: str, stream: int | None) -> bool:
        """Say whether the token of a number may write to a stream; None for all."""

    def may_read(self, number: str, stream: int | None) -> bool:
        """Say whether the token of a number may read a stream; None for all."""


class Embedded(Bridge):
    """A broker and what the bridge to another one does, in one.

    Parameters
    ----------
    readings, feature_of, root, mappings, feature_of_token, make, create
        As of a `Bridge`.
    listening
        Where it listens, and how.
    known
        Who signs in; None where anyone may do all.

    """

    kind: Literal["broker", "embedded"] = "embedded"

    def __init__(
        self,
        readings: Readings,
        listening: Listening,
        feature_of: Callable[[int], int | None],
        *,
        root: str,
        mappings: tuple[Mapping, ...] = (),
        feature_of_token: Callable[[str, int], int | None] | None = None,
        make: Callable[[set[int]], dict[int, int]] = lambda _: {},
        create: Create = lambda _: None,
        known: Known | None = None,
    ) -> None:
        super().__init__(
            readings,
            Broker(listening.host, listening.port),
            feature_of,
            root=root,
            mappings=mappings,
            feature_of_token=feature_of_token,
            make=make,
            create=create,
        )
        self.listening = listening
        self.known = known
        self.held = 0
        self._room = asyncio.Event()
        self._room.set()
        self._failed: BaseException | None = None

    async def _run(self, stop: asyncio.Event) -> None:
        self._wake = asyncio.Event()
        broker = _Library(self._settings(), self)
        try:
            await broker.start()
        except Exception as error:  # noqa: BLE001 -- told to who started it
            self._failed = error
            self.connected.set()
            await stop.wait()
            return
        context: Any = broker.plugins_manager.app_context
        self._client = inside = _Inside(context)
        self.connected.set()
        end = self.readings.subscribe(self._note)
        telling = asyncio.create_task(self._tell(inside))
        try:
            await stop.wait()
        finally:
            end()
            telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await telling
            self.connected.clear()
            await broker.shutdown()

    def _settings(self) -> BrokerConfig:
        where = self.listening
        listener = ListenerConfig(
            bind=f"{where.host}:{where.port}",
            ssl=where.cert is not None,
            certfile=where.cert,
            keyfile=where.key,
            cafile=where.devices,
        )
        here = f"{__name__}.{_Entry.__name__}"
        rights = f"{__name__}.{_Topics.__name__}"
        return BrokerConfig(
            listeners={"default": listener}, plugins={here: {"city": self}, rights: {"city": self}}
        )

    def is_alone(self) -> bool:
        """Say whether nobody subscribes."""
        inside: Any = self._client
        return not inside.has_subscribers

    def hold(self) -> None:
        """Count a message that waits to be durable."""
        self.held += 1
        if self.held >= MOST_WAITING:
            self._room.clear()

    def let_go(self) -> None:
        """Count it no more."""
        self.held -= 1
        if self.held < MOST_WAITING:
            self._room.set()

    async def room(self) -> None:
        """Return when more may be read."""
        await self._room.wait()

    async def published(self, topic: str, payload: bytes, number: str | None) -> None:
        """Take in what a device publishes; returns when it is durable, or is known to be none of ours."""
        self.traffic.messages += 1
        named, own = sender_in(topic)
        if number is not None and named not in (None, number):
            self._reject(topic, payload)
            return
        durable = self._taken(own, payload, number, topic)
        if durable is not None:  # many wait for the same: who goes away takes it from nobody else
            await asyncio.shield(durable)

    # who may do what

    def signed_in(self, session: Session) -> bool:
        """Say whether a session may begin; one that another token began is not taken over."""
        if self.known is None:
            return True
        number = session.username or ""
        if self.listening.devices is not None:
            number = _name_in_certificate(session)
            signed = bool(number) and self.known.stands(number)
        else:
            signed = self.known.signed_in(number, session.password or "")
        if not signed or session.attributes.setdefault(NUMBER, number) != number:
            return False
        return not session.will_flag or self.may(session, session.will_topic or "", Action.PUBLISH)

    def may(self, session: Session, topic: str, action: Action) -> bool:
        """Say whether a session may publish on a topic, subscribe to it or be told of it."""
        if self.known is None:
            return True
        number = session.attributes.get(NUMBER)
        if number is None or not self.known.stands(number):
            return False
        named, own = sender_in(topic)
        if action is Action.PUBLISH:
            if named is not None:
                return bool(named == number)
            mapping = next((one for one in self.mappings if one.matches(own)), None)
            if mapping is not None:
                streams = mapping.goes_to
                return bool(streams) and all(self.known.may_write(number, one) for one in streams)
            return self.known.may_write(number, stream_in(own))
        return named is None and self.known.may_read(number, stream_in(own))

    @contextlib.contextmanager
    def running(self) -> Iterator[Embedded]:
        """Run in a thread of its own while the block lasts.

        Raises
        ------
        BrokerError
            Where it cannot listen.

        """
        with super().running():
            self.connected.wait()
            if self._failed is not None:
                number = getattr(self._failed, "errno", None)
                raise BrokerError(self.listening.port, str(self._failed), number)
            yield self


def _name_in_certificate(session: Session) -> str:
    """Return the common name in the certificate that a device showed, and the listener has checked."""
    told: Any = session.ssl_object.getpeercert() if session.ssl_object is not None else None
    pairs = [pair for group in (told or {}).get("subject", ()) for pair in group]
    return next((value for name, value in pairs if name == "commonName"), "")


class _Delivered(asyncio.Queue[Any]):
    """What a session published: put into it is what is durable, after which the library acknowledges."""

    def __init__(self, city: Embedded, session: Session) -> None:
        super().__init__()
        self._city = city
        self._session = session
        self._waiting: set[asyncio.Task[None]] = set()

    async def put(self, message: Any) -> None:
        await self._taken(message)
        super().put_nowait(message)

    def put_nowait(self, message: Any) -> None:
        if self._city.held < MOST_WAITING:  # beyond that it is dropped, as quality 0 allows
            task = asyncio.ensure_future(self._taken(message))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)
        else:
            self._city.traffic.refused += 1
        super().put_nowait(message)

    async def _taken(self, message: Any) -> None:
        number = self._session.attributes.get(NUMBER)
        if not message.topic or not self._city.may(self._session, message.topic, Action.PUBLISH):
            return
        self._city.hold()
        try:
            await self._city.published(message.topic, bytes(message.data or b""), number)
        finally:
            self._city.let_go()


class _Patient:
    """What a device sends, read no further while too much waits to be durable."""

    def __init__(self, reader: Any, city: Embedded) -> None:
        self._reader = reader
        self._city = city

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    async def read(self, n: int = -1) -> Any:
        if n > LARGEST:
            msg = f"a message of {n} bytes"
            raise ConnectionError(msg)
        await self._city.room()
        return await self._reader.read(n)


class _Entry(BaseAuthPlugin):  # type: ignore[misc]
    """Lets in whom the city knows, and has what they publish taken in before it is acknowledged."""

    @dataclass
    class Config:
        """The city that it is of."""

        city: Any = None

    async def authenticate(self, *, session: Session) -> bool | None:
        city: Embedded = self.config.city
        if not city.signed_in(session):
            return False
        session.delivered_message_queue = _Delivered(city, session)
        return True


class _Topics(BaseTopicPlugin):  # type: ignore[misc]
    """Opens topics to those who may use them."""

    @dataclass
    class Config:
        """The city that it is of."""

        city: Any = None

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool | None:
        city: Embedded = self.config.city
        if session is None or topic is None or action is None or not city.may(session, topic, action):
            return False
        if action is Action.SUBSCRIBE:
            city.selections.note(topic)
        return True


class _Library(Library):  # type: ignore[misc]
    """The library's broker, but for what it does before it knows whether someone may, and without bounds."""

    def __init__(self, config: BrokerConfig, city: Embedded) -> None:
        super().__init__(config)
        self.city = city

    async def _handle_client_session(self, reader: Any, writer: Any, session: Session, *rest: Any) -> None:
        """Turn away who is not let in before a session of the same name is ended for him."""
        *_, name = rest
        if not await self._authenticate(session, self.listeners_config[name]):
            writer.write(NOT_AUTHORISED)
            await writer.drain()
            await writer.close()
            return
        await super()._handle_client_session(_Patient(reader, self.city), writer, session, *rest)

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        """Tell retained values of a topic to those who subscribed to it, and still may."""
        topic = subscription[0]
        mine = any(one.client_id == session.client_id for one, _ in self.subscriptions.get(topic, ()))
        if mine and await self._topic_filtering(session, topic, Action.SUBSCRIBE):
            await super()._publish_retained_messages_for_subscription(subscription, session)


class _Inside:
    """What the city says through the broker, as a client of another one would."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._said: set[asyncio.Future[Any]] = set()
        self.is_connected = True

    @property
    def has_subscribers(self) -> bool:
        """Whether anyone is subscribed to anything."""
        return any(self._context.subscriptions.values())

    def publish(self, topic: str, payload: bytes, qos: int = 0, *, retain: bool = False) -> None:
        """Tell subscribers, and keep the message for later ones where it is to be retained."""
        self._do(self._context.broadcast_message(topic, payload, qos))
        if retain:
            self._do(self._context.retain_message(topic, payload, qos))

    def _do(self, what: Any) -> None:
        task = asyncio.ensure_future(what)
        self._said.add(task)
        task.add_done_callback(self._said.discard)


__all__ = ["Embedded", "Known"]
