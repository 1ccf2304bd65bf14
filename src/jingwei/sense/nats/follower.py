"""The city as a consumer of a stream of NATS JetStream: what is there is made durable, then acknowledged.

The stream keeps what comes while the city is away, and again what was not acknowledged; a reading that comes
twice changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nats
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from jingwei.sense.mqtt.bridge import AGAIN, Traffic
from jingwei.sense.mqtt.topics import CREATE, ROOT, readings_in
from jingwei.sense.readings import Batch, IntakeFullError
from jingwei.sense.taking import completed
from jingwei.sense.wire import NotPlainError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nats.aio.msg import Msg

    from jingwei.sense.readings import Reading, Readings

log = logging.getLogger(__name__)

AT_ONCE = 1_000
"""Messages that are asked for together."""
PATIENCE = 0.5
"""Seconds for which it waits for messages before it looks whether to stop."""


@dataclass(frozen=True, slots=True)
class Source:
    """A stream, and how it is reached.

    Attributes
    ----------
    server
        Its address: `nats://host:4222`, or `tls://`.
    stream, subject
        The stream, made where it is not there; readings come on the subject (an observation that names its
        stream, an array of them, data arrays) and on `subject.<stream>`.
    durable
        The name under which JetStream keeps how far the city has come.
    name, password
        By which the city signs in there.

    """

    server: str
    stream: str = "READINGS"
    subject: str = "sense.observations"
    durable: str = "jingwei"
    name: str | None = None
    password: str | None = None


class Following:
    """Takes in what is in a stream.

    Parameters
    ----------
    readings
        The store.
    source
        The stream.
    feature_of
        Returns the feature of interest of a stream's readings; None where they are not taken in.
    make
        Makes the features of interest of streams for which `feature_of` returned `LACKING`.

    """

    def __init__(
        self,
        readings: Readings,
        source: Source,
        feature_of: Callable[[int], int | None],
        make: Callable[[set[int]], dict[int, int]] = lambda _: {},
    ) -> None:
        self.readings = readings
        self.source = source
        self.traffic = Traffic()
        self.connected = threading.Event()
        self._feature_of = feature_of
        self._make = make

    async def _run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._follow(stop)
            except (OSError, NatsError, TimeoutError) as error:
                log.warning("%s: %s", self.source.server, error)
            self.connected.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)

    async def _follow(self, stop: asyncio.Event) -> None:
        source = self.source
        client = await nats.connect(
            source.server, user=source.name, password=source.password, allow_reconnect=False, error_cb=_note
        )
        try:
            stream = client.jetstream()
            try:
                await stream.stream_info(source.stream)
            except NotFoundError:
                await stream.add_stream(name=source.stream, subjects=[source.subject, f"{source.subject}.>"])
            pulled = await stream.pull_subscribe("", durable=source.durable, stream=source.stream)
            self.connected.set()
            while not stop.is_set() and client.is_connected:
                with contextlib.suppress(nats.errors.TimeoutError):
                    await self._take_in(await pulled.fetch(AT_ONCE, timeout=PATIENCE))
        finally:
            await client.close()

    async def _take_in(self, messages: list[Msg]) -> None:
        """Take in messages; acknowledge them when all their readings are durable."""
        found: list[Reading] = []
        for message in messages:
            self.traffic.messages += 1
            try:
                read = readings_in(self._topic(message.subject), message.data)
            except NotPlainError:
                self.traffic.refused += 1
                self.traffic.rejects.append(
                    (message.subject[:200], message.data[:200].decode("utf-8", "replace"))
                )
                continue
            for one in read:
                feature = self._feature_of(one.stream)
                if feature is None:
                    self.traffic.refused += 1
                else:
                    found.append(one._replace(feature=feature or None))
        whole = await asyncio.to_thread(completed, found, self._make)
        self.traffic.refused += len(found) - len(whole)
        if whole:
            receipt = await self._appended(Batch.of(whole))
            self.traffic.readings += len(whole) - len(receipt.refused) - receipt.duplicates
            self.traffic.duplicates += receipt.duplicates
            self.traffic.refused += len(receipt.refused)
        for message in messages:  # what was not understood is not understood the next time either
            await message.ack()

    async def _appended(self, batch: Batch) -> Any:
        while True:
            try:
                return await self.readings.append_async(batch)
            except IntakeFullError:
                await asyncio.sleep(AGAIN)  # what is not acknowledged in time comes again, and is a duplicate

    def _topic(self, subject: str) -> str:
        """Return the topic of SensorThings that a subject stands for."""
        number = subject.removeprefix(self.source.subject).removeprefix(".")
        return f"{ROOT}/Datastreams({number})/Observations" if number else CREATE

    @contextlib.contextmanager
    def running(self) -> Iterator[Following]:
        """Follow in a thread of its own while the block lasts."""
        started = threading.Event()
        loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

        async def whole() -> None:
            loops.append((asyncio.get_running_loop(), asyncio.Event()))
            started.set()
            await self._run(loops[0][1])

        thread = threading.Thread(target=lambda: asyncio.run(whole()), name="nats", daemon=True)
        thread.start()
        started.wait()
        try:
            yield self
        finally:
            loop, stop = loops[0]
            loop.call_soon_threadsafe(stop.set)
            thread.join()


async def _note(error: Exception) -> None:
    log.warning("NATS: %s", error)
