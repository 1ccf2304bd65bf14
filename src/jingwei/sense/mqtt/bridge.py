"""The city as a client of its broker: takes in what devices publish, and tells what is new.

A message of quality 1 is acknowledged to the broker only when its readings are durable; until then the
broker keeps it, also while the city is not there, for the session lasts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import gmqtt
import msgspec
import numpy as np
import uvloop

from jingwei.errors import JingweiError
from jingwei.sense.mqtt.telling import Message, Selections
from jingwei.sense.mqtt.topics import (
    CREATE,
    OF_TOKEN,
    ROOT,
    Mapping,
    creates_in,
    observations_topic,
    readings_in,
    sender_in,
)
from jingwei.sense.odata.syntax import text_of_instant
from jingwei.sense.readings import Batch, IntakeFullError, Reading, readings_of
from jingwei.sense.readings.columns import joined
from jingwei.sense.taking import LACKING, completed
from jingwei.sense.wire import NotPlainError, observation, observations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jingwei.sense.readings import Readings
    from jingwei.sense.readings.columns import Rows

log = logging.getLogger(__name__)

Create = Callable[["str | None"], "Callable[[str, bytes], int] | None"]

MOST_TOLD = 20_000
"""New readings that may wait to be told; beyond that only the last one of each stream is."""
MOST_REJECTS = 200
MOST_CREATING = 10_000
"""Messages with more than plain readings that may wait; no more than the broker hands over unacknowledged."""
SUBSCRIPTIONS = "$SYS/broker/log/M/subscribe"
"""Where mosquitto, if it is told to, says who subscribed to what: `time: client quality topic`."""
COUNT = "$SYS/broker/subscriptions/count"
"""Where mosquitto says how many subscriptions it keeps, the city's own among them."""
ALONE = 1.0
"""Seconds for which new readings are gathered while nobody subscribes: then only the last values are kept."""
OF_TOKENS = (f"{OF_TOKEN}/+/{CREATE}", f"{OF_TOKEN}/+/{ROOT}/+/Observations")
FOREVER = 0xFFFFFFFF
AGAIN = 0.2
"""Seconds after which a message is tried again that found the intake full."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is.

    Attributes
    ----------
    name, password
        By which the city signs in there.
    tls
        Whether the way there is TLS.

    """

    host: str = "127.0.0.1"
    port: int = 1883
    name: str | None = None
    password: str | None = None
    tls: bool = False


@dataclass(slots=True)
class Traffic:
    """What went through since the bridge was built."""

    messages: int = 0
    readings: int = 0
    duplicates: int = 0
    refused: int = 0
    told: int = 0
    restarts: int = 0
    """How often the broker ended by itself and was started again."""
    rejects: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=MOST_REJECTS))
    """Topics of messages that were not understood, and how they began."""


class Bridge:
    """Between a broker and the store of readings.

    Parameters
    ----------
    readings
        The store.
    broker
        Where the broker is.
    feature_of
        Returns the feature of interest of a stream's readings; None where readings may not be taken for
        it from here: such a stream does not exist, or the one on whose behalf the bridge acts may not
        write to it.
    root
        The address of the SensorThings service, which observations name.
    mappings
        Topics of plain JSON.
    client_id
        Under which the broker keeps what came while the city was away.
    feature_of_token
        The same as `feature_of` for what the token of a number sends, where the broker knows tokens.
    make
        Makes the features of interest of streams for which these returned `LACKING`.
    create
        Returns what takes in, by path and JSON, what holds more than times and a result, and returns how many
        observations that were; None where whoever sends (the token of a number, or nobody) is not known.

    """

    kind: Literal["broker", "embedded"] = "broker"

    def __init__(
        self,
        readings: Readings,
        broker: Broker,
        feature_of: Callable[[int], int | None],
        *,
        root: str,
        mappings: tuple[Mapping, ...] = (),
        client_id: str = "jingwei",
        feature_of_token: Callable[[str, int], int | None] | None = None,
        make: Callable[[set[int]], dict[int, int]] = lambda _: {},
        create: Create = lambda _: None,
    ) -> None:
        self.readings = readings
        self.broker = broker
        self.mappings = mappings
        self.traffic = Traffic()
        self.connected = threading.Event()
        self.selections = Selections()
        self._own = 0
        self._alone = False
        self._feature_of = feature_of
        self._feature_of_token = feature_of_token
        self._make = make
        self._create = create
        self._creating: set[asyncio.Task[None]] = set()
        self._root = root.encode()
        self._client_id = client_id
        self._came: list[Reading] = []
        self._durable: asyncio.Future[None] | None = None
        self._unanswered: dict[asyncio.Future[None], dict[Any, list[int]]] = {}
        self._appending: asyncio.Task[None] | None = None
        self._told: deque[Rows] = deque()
        self._changes: deque[list[Message]] = deque()
        self._wake: asyncio.Event | None = None
        self._is_rung = False
        self._client: gmqtt.Client | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def _run(self, stop: asyncio.Event) -> None:
        self._wake = asyncio.Event()
        client = gmqtt.Client(
            self._client_id,
            clean_session=False,
            optimistic_acknowledgement=False,
            session_expiry_interval=FOREVER,
            receive_maximum=10_000,
        )
        client.set_config({"reconnect_retries": gmqtt.constants.UNLIMITED_RECONNECTS, "reconnect_delay": 1})
        if self.broker.name is not None:
            client.set_auth_credentials(self.broker.name, self.broker.password)
        self._client = client
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        # By the library each message of quality 1 is a task of its own, which costs more than all else.
        client._package_handler._handle_qos_1_publish_packet = self._on_message_to_answer  # noqa: SLF001
        end = self.readings.subscribe(self._note)
        telling = asyncio.create_task(self._tell(client))
        try:
            await self._connected(client, stop)
            await stop.wait()
        finally:
            end()
            telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await telling
            with contextlib.suppress(Exception):
                await client.disconnect()

    async def _connected(self, client: gmqtt.Client, stop: asyncio.Event) -> None:
        """Connect, again and again until the broker is there."""
        while not stop.is_set():
            try:
                await client.connect(self.broker.host, self.broker.port, ssl=self.broker.tls)
            except (OSError, gmqtt.mqtt.handler.MQTTConnectError) as error:
                log.warning("broker %s:%d: %s", self.broker.host, self.broker.port, error)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 1.0)
            else:
                return

    def _on_connect(self, client: gmqtt.Client, *_: Any) -> None:
        topics = (
            CREATE,
            f"{ROOT}/+/Observations",
            SUBSCRIPTIONS,
            COUNT,
            *(() if self._feature_of_token is None else OF_TOKENS),
            *(mapping.topic for mapping in self.mappings),
        )
        self._own, self._alone = len(topics), False
        # No local: what the city tells on these topics does not come back to it (MQTT 5, 3.8.3.1).
        client.subscribe([gmqtt.Subscription(topic, qos=1, no_local=True) for topic in topics])
        self.connected.set()

    def _on_disconnect(self, *_: Any) -> None:
        self.connected.clear()

    def _on_message(self, _: Any, topic: str, payload: bytes, _qos: int, properties: Any) -> None:
        """Take in a message of quality 0, which nobody waits for."""
        self._came_in(topic, payload, properties)

    def _on_message_to_answer(self, identifier: int, payload: bytes, topic: str, properties: Any) -> None:
        """Take in a message of quality 1, to be acknowledged when it is durable."""
        assert self._client is not None  # noqa: S101 -- it hands the message in
        connection = self._client._package_handler.current_connection  # noqa: SLF001
        durable = self._came_in(topic, payload, properties)
        if durable is None:
            connection.send_package(_acknowledgements([identifier]))
            return
        waiting = self._unanswered.get(durable)
        if waiting is None:
            waiting = self._unanswered[durable] = {}
            durable.add_done_callback(self._answer)
        waiting.setdefault(connection, []).append(identifier)

    def _answer(self, durable: asyncio.Future[None]) -> None:
        """Acknowledge all messages that are durable by now, together."""
        waiting = self._unanswered.pop(durable)
        if durable.cancelled() or durable.exception() is not None:
            return
        for connection, identifiers in waiting.items():
            if not connection.is_closing():  # else they come again by the next one
                connection.send_package(_acknowledgements(identifiers))

    def _came_in(self, topic: str, payload: bytes, properties: Any) -> asyncio.Future[None] | None:
        """Take in a message; return what is told when it is durable, None where nobody need wait."""
        if topic == COUNT:
            self._alone = payload.isdigit() and int(payload) <= self._own
            return None
        if _value(properties, "retain"):
            return None  # what was told before, not what comes in
        if topic == SUBSCRIPTIONS:
            said = payload.decode("utf-8", "replace")
            if f" {self._client_id} " not in said:
                self._alone = False
            self.selections.note(said.rpartition(" ")[2])
            return None
        self.traffic.messages += 1
        number, own = sender_in(topic)
        return self._taken(own, payload, number, topic)

    def _taken(self, own: str, payload: bytes, number: str | None, topic: str) -> asyncio.Future[None] | None:
        """Take in what came on the topic `own` from the token of a number; see `_came_in`."""
        try:
            read = readings_in(own, payload, self.mappings)
        except NotPlainError:
            return self._created(own, payload, number, topic)
        found = [self._with_feature(one, number) for one in read]
        mine = [one for one in found if one is not None]
        self.traffic.refused += len(found) - len(mine)
        return self._gathered(mine) if mine else None

    def _created(self, own: str, payload: bytes, number: str | None, topic: str) -> asyncio.Task[None] | None:
        """Take in, as by HTTP, what is more than a plain reading; see `_came_in`."""
        path, create = creates_in(own, payload), self._create(number)
        if path is None or create is None or len(self._creating) >= MOST_CREATING:
            self._reject(topic, payload)
            return None

        async def whole() -> None:
            try:
                self.traffic.readings += await asyncio.to_thread(create, path, payload)
            except IntakeFullError:
                raise  # not acknowledged: it comes again
            except JingweiError:
                self._reject(topic, payload)

        task = asyncio.create_task(whole())
        self._creating.add(task)
        task.add_done_callback(self._creating.discard)
        return task

    def _gathered(self, readings: list[Reading]) -> asyncio.Future[None]:
        """Take readings along with all that come meanwhile; what is told when they are durable."""
        self._came += readings
        if self._durable is None:
            self._durable = asyncio.get_running_loop().create_future()
            if not self._appending:
                self._appending = asyncio.create_task(self._append())
        return self._durable

    async def _append(self) -> None:
        """Make durable what came, all of it at once, again and again until nothing comes."""
        try:
            await asyncio.sleep(0)  # for what came with the first of them
            while self._durable is not None:
                readings, durable, self._came, self._durable = self._came, self._durable, [], None
                try:
                    whole = readings
                    if any(one.feature == LACKING for one in readings):
                        whole = await asyncio.to_thread(completed, readings, self._make)
                    receipt = await self._appended(Batch.of(whole))
                except Exception as error:  # noqa: BLE001 -- told to those who wait: they are not acknowledged
                    durable.set_exception(error)
                    continue
                self.traffic.readings += len(whole) - len(receipt.refused) - receipt.duplicates
                self.traffic.duplicates += receipt.duplicates
                self.traffic.refused += len(receipt.refused) + len(readings) - len(whole)
                durable.set_result(None)
        finally:
            self._appending = None

    async def _appended(self, batch: Batch) -> Any:
        while True:
            try:
                return await self.readings.append_async(batch)
            except IntakeFullError:
                await asyncio.sleep(AGAIN)  # the broker waits with us: its window is bounded

    def _with_feature(self, reading: Reading, number: str | None) -> Reading | None:
        if number is None:
            feature = self._feature_of(reading.stream)
        else:
            feature = self._feature_of_token(number, reading.stream) if self._feature_of_token else None
        return None if feature is None else reading._replace(feature=feature or None)

    def _reject(self, topic: str, payload: bytes) -> None:
        self.traffic.refused += 1
        self.traffic.rejects.append((topic[:200], payload[:200].decode("utf-8", "replace")))

    # telling

    def is_alone(self) -> bool:
        """Say whether nobody subscribes, as far as that is known."""
        return self._alone

    def _note(self, fresh: Rows) -> None:
        """Note new readings, in the thread of the store; the loop is woken once for many of them."""
        self._told.append(fresh)
        self._ring()

    def _ring(self) -> None:
        if not self._is_rung and self._loop is not None and not self._loop.is_closed():
            self._is_rung = True
            self._loop.call_soon_threadsafe(self._rung)

    def _rung(self) -> None:
        if self._wake is not None:
            self._wake.set()

    async def _tell(self, client: gmqtt.Client) -> None:
        assert self._wake is not None  # noqa: S101 -- set before
        while True:
            await self._wake.wait()
            if self.is_alone():
                await asyncio.sleep(ALONE)
            self._wake.clear()
            self._is_rung = False  # what is noted before is among those told now
            while self._told or self._changes:
                # Before the readings are looked at: those that a change corrects are among them, or told.
                changes = [self._changes.popleft() for _ in range(len(self._changes))]
                for number, (stream, text) in enumerate(self._next_told() if self._told else []):
                    self._publish(client, stream, text)
                    if number % 200 == 199:
                        await asyncio.sleep(0)
                for messages in changes:
                    self._say(client, messages)
                await asyncio.sleep(0)

    def _next_told(self) -> list[tuple[int, bytes]]:
        """Return the streams and texts of what is to be told: of a flood only the last of each stream."""
        rows = joined([self._told.popleft() for _ in range(len(self._told))])
        if len(rows) > MOST_TOLD or self.is_alone():
            _, last = np.unique(rows["stream"][::-1], return_index=True)
            rows = rows.take(len(rows) - 1 - last)
        try:
            texts = observations(self._root, rows)
        except NotPlainError:
            texts = [self._text(one) for one in readings_of(rows.table())]
        return list(zip(rows["stream"].tolist(), texts, strict=True))

    def _text(self, one: Reading) -> bytes:
        period = f"{text_of_instant(one.time)}/{text_of_instant(one.time_end or one.time)}"
        when = msgspec.json.encode(text_of_instant(one.time) if one.time_end is None else period)
        told = msgspec.json.encode(None if one.result_time is None else text_of_instant(one.result_time))
        valid = None
        if one.valid_from is not None:
            valid = f"{text_of_instant(one.valid_from)}/{text_of_instant(one.valid_to or one.valid_from)}"
        others = {"resultQuality": one.quality, "validTime": valid, "parameters": one.parameters}
        more = b"".join(
            b'"%b":%b,' % (name.encode(), msgspec.json.encode(value))
            for name, value in others.items()
            if value is not None
        )
        return observation(self._root, one.id, when, told, msgspec.json.encode(one.result), more)

    def _publish(self, client: gmqtt.Client, stream: int, text: bytes) -> None:
        if not client.is_connected:
            return
        own = observations_topic(stream, self.readings.facts.of(stream))
        client.publish(own, text, qos=0, retain=True)
        self.traffic.told += 1
        if self.is_alone():
            return
        client.publish(CREATE, text, qos=0)
        if self.selections:
            for base in (own, CREATE):
                for topic, chosen in self.selections.of(base, text):
                    client.publish(topic, chosen, qos=0)

    def tell(self, messages: list[Message]) -> None:
        """Tell what is new of entities, and of readings that were there; from any thread.

        It is told after all readings that came before it.
        """
        self._changes.append(messages)
        self._ring()

    def _say(self, client: gmqtt.Client, messages: list[Message]) -> None:
        if not client.is_connected:
            return
        for base, text in messages:
            client.publish(base, text, qos=0)
            for topic, chosen in self.selections.of(base, text):
                client.publish(topic, chosen, qos=0)

    @contextlib.contextmanager
    def running(self) -> Iterator[Bridge]:
        """Run in a thread of its own while the block lasts."""
        started, stops = threading.Event(), []

        def run() -> None:
            async def whole() -> None:
                self._loop = asyncio.get_running_loop()
                stops.append(asyncio.Event())
                started.set()
                await self._run(stops[0])

            # uvloop sends what is written in one turn at once: acknowledgements of a batch travel together.
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(whole())

        thread = threading.Thread(target=run, name="mqtt bridge", daemon=True)
        thread.start()
        started.wait()
        try:
            yield self
        finally:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(stops[0].set)
            thread.join()


def _acknowledgements(identifiers: list[int]) -> bytes:
    """Return what says of messages of quality 1 that they were taken in (MQTT 5, 3.4)."""
    return b"".join(b"\x40\x02" + one.to_bytes(2, "big") for one in identifiers)


def _value(properties: Any, name: str) -> Any:
    found = properties.get(name) if isinstance(properties, dict) else None
    return found[0] if isinstance(found, list) and found else found
