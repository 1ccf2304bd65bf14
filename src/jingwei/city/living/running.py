"""The running city as a process of its own: it asks the city what time it is, and tells it what happens.

It knows nothing of the city but its address, and a token where one is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2

from jingwei.city.demo.town import build_town
from jingwei.city.living.feeding import STA, Answer, Feeder, FeedError
from jingwei.city.living.storms import settings_of_city
from jingwei.city.living.story import Story
from jingwei.errors import BadRequestError
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gmqtt import Client

    from jingwei.city.living.feeding import Publish

log = logging.getLogger(__name__)

CLOCK = "/api/city/clock"
TICK = 0.5
"""Seconds between two times that the city is told what happened."""
REST = 2.0
"""Seconds after which a city is tried again that could not be reached."""
PATIENCE = 60.0
CONNECT = 5.0
"""Seconds for which a broker is waited for."""


class NotADemoCityError(BadRequestError):
    """A real city is not told what does not happen in it."""

    code = "living-not-demo"

    def __init__(self, city: str) -> None:
        super().__init__(
            Text(f"城市 {city} 不是由种子生成的演示城市", f"the city {city} is no demo city of a seed."),
            mend=Text("只有演示城市可以运行。", "Only a demo city can be run."),
            where={"city": city},
        )


@dataclass(frozen=True, slots=True)
class Where:
    """A city to be told, and who tells it.

    Attributes
    ----------
    address
        Of the city, such as `http://127.0.0.1:8000`.
    token
        By which to sign in; None for an open city.
    owner
        The department whose stations they are, where not the whole city's.
    mqtt_name
        The number of the token, under which its broker knows it; None where only an open broker is used.

    """

    address: str
    token: str | None = None
    owner: str = ""
    mqtt_name: str | None = None


class HttpDoor:
    """Asks a city by HTTP, over one connection that is kept."""

    def __init__(self, where: Where) -> None:
        headers = {} if where.token is None else {"Authorization": f"Bearer {where.token}"}
        self._client = httpx2.Client(base_url=where.address, headers=headers, timeout=PATIENCE)

    def __call__(self, method: str, path: str, body: Any = None) -> Answer:
        """Ask; a city that cannot be reached answers with the status 0."""
        try:
            answer = self._client.request(method, path, json=body)
        except httpx2.HTTPError as error:
            return Answer(0, {"code": type(error).__name__})
        try:
            return Answer(answer.status_code, answer.json() if answer.content else None)
        except ValueError:
            return Answer(answer.status_code)

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()


class MqttDoor:
    """Publishes to a broker, with quality 1, from a thread of its own."""

    def __init__(self, where: Where) -> None:
        self._where = where
        self._loop = asyncio.new_event_loop()
        self._client: Client | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="mqtt door", daemon=True)
        self._thread.start()

    def connect(self, endpoint: str) -> bool:
        """Connect to a broker; say whether that was possible."""
        future = asyncio.run_coroutine_threadsafe(self._connect(endpoint), self._loop)
        try:
            future.result(CONNECT)
        except Exception as error:  # noqa: BLE001 -- whatever it is, there is the other door
            log.warning("the broker %s cannot be reached: %s", endpoint, error)
            return False
        return True

    async def _connect(self, endpoint: str) -> None:
        from gmqtt import Client

        parts = urlsplit(endpoint)
        client = Client(f"jingwei-living-{time.time_ns():x}")
        if self._where.mqtt_name is not None:
            client.set_auth_credentials(self._where.mqtt_name, self._where.token)
        tls = parts.scheme == "mqtts"
        await client.connect(parts.hostname or "", parts.port or (8883 if tls else 1883), ssl=tls)
        self._client = client

    def publish(self, topic: str, payload: bytes) -> None:
        """Publish a message; it is kept and sent again while the broker is away."""
        below = "" if self._where.mqtt_name is None else f"devices/{self._where.mqtt_name}/"
        if self._client is not None:
            self._loop.call_soon_threadsafe(self._publish, below + topic, payload)

    def _publish(self, topic: str, payload: bytes) -> None:
        if self._client is not None:
            self._client.publish(topic, payload, qos=1)

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            with contextlib.suppress(Exception):
                asyncio.run_coroutine_threadsafe(self._client.disconnect(), self._loop).result(CONNECT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CONNECT)


@dataclass(frozen=True, slots=True)
class News:
    """How the running city stands: its instant, and how many readings and reports were told so far."""

    now: datetime
    readings: int
    reports: int
    refused: int


def run(
    where: Where,
    *,
    stop: threading.Event,
    speed: float | None = None,
    until_away: float | None = None,
    tell: Callable[[News], None] = lambda _news: None,
) -> None:
    """Tell a city what happens in it until `stop` is set.

    Parameters
    ----------
    where
        Which city, and on whose behalf.
    stop
        Ends it.
    speed
        How fast its clock is to go from now on; as it goes where left out.
    until_away
        Seconds for which the city may be away before this ends by itself; for ever if left out.
    tell
        Told how it stands, each time that something was told to the city.

    Raises
    ------
    NotADemoCityError, FeedError

    """
    ask = HttpDoor(where)
    with contextlib.ExitStack() as open_:
        open_.callback(ask.close)
        feeder = Feeder(_story_of(ask, stop, until_away), ask, owner=where.owner)
        feeder.publish = open_.enter_context(_by_mqtt(where, feeder))
        feeder.register()
        clock = feeder.ask("GET", CLOCK)
        if not clock["living"] or speed is not None:
            feeder.ask("POST", CLOCK, {} if speed is None else {"speed": speed})
        away: float | None = None
        while not stop.is_set():
            begun = time.monotonic()
            try:
                _turn(feeder, tell)
                away = None
            except FeedError as error:
                log.warning("%s", error)
                away = begun if away is None else away
                if until_away is not None and begun - away > until_away:
                    return
                stop.wait(REST)
            stop.wait(max(0.0, TICK - (time.monotonic() - begun)))


def _turn(feeder: Feeder, tell: Callable[[News], None]) -> None:
    clock = feeder.ask("GET", CLOCK)
    if not clock["living"]:
        return
    now = datetime.fromisoformat(clock["now"])
    if feeder.tell(now):
        done = feeder.done
        tell(News(now, done.readings.total(), done.reports.total(), done.refused.total()))


def _story_of(ask: HttpDoor, stop: threading.Event, until_away: float | None) -> Story:
    """Return the story of the city; one that does not answer yet is waited for."""
    begun = time.monotonic()
    while not (answer := ask("GET", "/api/city")).status and not stop.is_set():
        if time.monotonic() - begun > (PATIENCE if until_away is None else until_away):
            break
        stop.wait(TICK)
    if answer.status != 200:
        said = answer.body.get("code", "") if isinstance(answer.body, dict) else ""
        raise FeedError("GET", "/api/city", answer.status, said)
    settings = settings_of_city(answer.body["id"]) if answer.body["generated"] else None
    if settings is None:
        raise NotADemoCityError(answer.body["id"])
    return Story(build_town(settings))


@contextlib.contextmanager
def _by_mqtt(where: Where, feeder: Feeder) -> Iterator[Publish | None]:
    """Give what publishes to the city's broker; nothing where it has none that lets this one in."""
    endpoint = None if where.token is not None and where.mqtt_name is None else _broker(feeder)
    if endpoint is None:
        yield None
        return
    door = MqttDoor(where)
    try:
        yield door.publish if door.connect(endpoint) else None
    finally:
        door.close()


def _broker(feeder: Feeder) -> str | None:
    """Return where the city takes readings by MQTT, as its service says."""
    for value in feeder.ask("GET", STA).get("serverSettings", {}).values():
        endpoints = value.get("endpoints") if isinstance(value, dict) else None
        if endpoints:
            return str(endpoints[0])
    return None
