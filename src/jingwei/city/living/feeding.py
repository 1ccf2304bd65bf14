"""Telling a city what happens in it, by the doors that every city has.

Readings come by HTTP (`CreateObservations`) and by MQTT, reports through the public's page, calls through the
hotline, and what grid staff find through the desk of cases. Whatever is told bears a key of its own, or is
known by its stream and time: what is told twice is taken in once.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np

from jingwei.city.living.stations import PERIOD, QUANTITIES
from jingwei.errors import JingweiError
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.city.living.stations import Quantity, Station
    from jingwei.city.living.story import Sent, Story, Told

log = logging.getLogger(__name__)

STA = "/sta/v1.1"
MARK = "living"
"""The property by which a stream of the running city is known: its name in the story."""
CATCH_UP = timedelta(minutes=15)
"""How much of what was missed is told afterwards: after a jump the city begins there."""
MOST_ROWS = 5_000
"""Readings of one request."""
MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
BUSY = frozenset({429, 503})
AGAIN = 3
"""How often something is told again to a city that is busy."""
_DEMANDS = {"咨询": "consult", "求助": "ask", "投诉": "complain", "建议": "suggest"}
ANSWER = "已为您查询并答复。"


class FeedError(JingweiError):
    """The city did not take what was told to it, or cannot be reached."""

    code = "living-feed"
    status = 502

    def __init__(self, method: str, path: str, status: int, said: str) -> None:
        self.answered = status
        super().__init__(
            Text(
                f"{method} {path} 未被接收（{status}）：{said}", f"{method} {path} failed ({status}): {said}"
            ),
            where={"path": path, "status": status},
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a city answers: a status, and JSON where there is any."""

    status: int
    body: Any = None


Ask = Callable[[str, str, Any], Answer]
"""Asks a city: method, path with its query, JSON or None."""
Publish = Callable[[str, bytes], None]
"""Publishes a message by MQTT: topic, payload."""


@dataclass(slots=True)
class Done:
    """What was told so far: readings by door, reports by way, and what was refused by its reason."""

    readings: Counter[str] = field(default_factory=Counter)
    reports: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


class Feeder:
    """Tells a city what happens in it.

    Parameters
    ----------
    story
        What happens.
    ask
        By which the city is asked.
    publish
        By which messages are published, where the city has a broker; else all readings come by HTTP.
    owner
        The department that owns the stations; empty for those of the whole city.

    """

    def __init__(self, story: Story, ask: Ask, publish: Publish | None = None, *, owner: str = "") -> None:
        self.story = story
        self.publish = publish
        self.owner = owner
        self.done = Done()
        self.until: datetime | None = None
        """Up to where the city was told."""
        self._ask = ask
        self._numbers: np.ndarray[Any, np.dtype[np.int64]] = np.zeros(0, np.int64)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON of an answer; a city that is busy is asked again.

        Raises
        ------
        FeedError
            If the city refuses.

        """
        for turn in count(1):
            answer = self._ask(method, path, body)
            if answer.status not in BUSY or turn > AGAIN:
                break
            time.sleep(min(turn, 2))
        if answer.status >= 300:
            said = answer.body.get("code", "") if isinstance(answer.body, dict) else ""
            raise FeedError(method, path.partition("?")[0], answer.status, str(said))
        return answer.body

    # stations

    def register(self) -> int:
        """Register the stations and streams that the city does not have; return how many streams were new."""
        known = self._known()
        streams = self.story.streams
        names = [streams.key(number) for number in range(len(streams))]
        lacking = [number for number, name in enumerate(names) if name not in known]
        if lacking:
            things = self._things({int(streams.station[number]) for number in lacking})
            sensors = self._catalogue("Sensors", {one.kind: _sensor(one) for one in streams.stations})
            observed = self._catalogue("ObservedProperties", {k: _observed(q) for k, q in QUANTITIES.items()})
            for number in lacking:
                station = streams.stations[streams.station[number]]
                quantity = QUANTITIES[streams.quantity[number]]
                body = _stream(names[number], quantity) | {
                    "Sensor": {"@iot.id": sensors[station.kind]},
                    "ObservedProperty": {"@iot.id": observed[quantity.key]},
                }
                self.ask("POST", f"{STA}/Things({things[station.key]})/Datastreams", body)
            known = self._known()
        self._numbers = np.array([known[name] for name in names], np.int64)
        return len(lacking)

    def _known(self) -> dict[str, int]:
        """Return the streams that the city has: name in the story to number."""
        found: dict[str, int] = {}
        options = {"$select": "id,properties", "$filter": f"properties/{MARK} gt ''", "$top": 1000}
        for one in self._pages(f"{STA}/Datastreams?{urlencode(options)}"):
            found[one["properties"][MARK]] = one["@iot.id"]
        return found

    def _pages(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        following: str | None = path
        while following is not None:
            page = self.ask("GET", following)
            found += page["value"]
            following = page.get("@iot.nextLink")
            if following is not None:
                following = STA + following.partition(STA)[2]
        return found

    def _things(self, stations: set[int]) -> dict[str, int]:
        """Return the Things of some stations by their keys; those that are missing are registered."""
        found: dict[str, int] = {}
        after: int | None = 0
        while after is not None:
            page = self.ask("GET", f"/api/sense/devices?limit=500&after={after}")
            found |= {one["key"]: one["id"] for one in page["devices"] if one["owner"] == self.owner}
            after = page["next"]
        for number in sorted(stations):
            station = self.story.streams.stations[number]
            if station.key not in found:
                made = self.ask("POST", "/api/sense/devices", _device(station, self.owner))
                found[station.key] = made["device"]["id"]
        return found

    def _catalogue(self, collection: str, wanted: dict[str, dict[str, Any]]) -> dict[str, int]:
        """Return the ids of sensors or observed properties by key; those that are missing are made."""
        options = {"$select": "id,name", "$top": 1000}
        known = {
            one["name"]: one["@iot.id"] for one in self._pages(f"{STA}/{collection}?{urlencode(options)}")
        }
        found = {}
        for key, body in wanted.items():
            if body["name"] not in known:
                self.ask("POST", f"{STA}/{collection}", body)
                options = {"$select": "id", "$filter": f"name eq '{body['name']}'"}
                known[body["name"]] = self._pages(f"{STA}/{collection}?{urlencode(options)}")[0]["@iot.id"]
            found[key] = known[body["name"]]
        return found

    # telling

    def begin(self, now: datetime) -> None:
        """Find how far the city was told before."""
        newest = [datetime.fromisoformat(one["time"]) for one in self._newest()]
        self.until = max([now - CATCH_UP, *(one - timedelta(seconds=PERIOD) for one in newest if one <= now)])

    def _newest(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for start in range(0, len(self._numbers), 500):
            asked = [("stream", int(one)) for one in self._numbers[start : start + 500]]
            found += self.ask("GET", f"/api/sense/latest?{urlencode(asked)}")
        return found

    def tell(self, now: datetime) -> int:
        """Tell what happened since then, up to an instant of the city; return how much that was."""
        if self.until is None:
            self.begin(now)
        since = max(self.until or now, now - CATCH_UP)
        if since >= now:
            return 0
        sent = self.story.readings(since, now)
        self._send(sent)
        reports = self.story.told(since, now)
        for one in reports:
            self._report(one)
        self.until = now
        return len(sent) + len(reports)

    def _send(self, sent: Sent) -> None:
        """Send readings, each by the door of its station."""
        streams = self.story.streams
        by_mqtt = np.array([streams.stations[number].door == "mqtt" for number in streams.station])
        publish = self.publish
        mqtt = by_mqtt[sent.stream] & (publish is not None)
        if publish is not None:
            chosen = sent.take(mqtt)
            for stream, when, result in zip(
                self._numbers[chosen.stream].tolist(),
                chosen.time.tolist(),
                chosen.result.tolist(),
                strict=True,
            ):
                told = {"phenomenonTime": _iso(when), "result": result}
                publish(f"v1.1/Datastreams({stream})/Observations", json.dumps(told).encode())
            self.done.readings["mqtt"] += len(chosen)
        rest = sent.take(~mqtt)
        for start in range(0, len(rest), MOST_ROWS):
            self._post(rest.take(np.arange(start, min(start + MOST_ROWS, len(rest)))))

    def _post(self, sent: Sent) -> None:
        rows: dict[int, list[list[Any]]] = {}
        for stream, when, result in zip(
            self._numbers[sent.stream].tolist(), sent.time.tolist(), sent.result.tolist(), strict=True
        ):
            rows.setdefault(stream, []).append([_iso(when), result])
        body = [
            {
                "Datastream": {"@iot.id": stream},
                "components": ["phenomenonTime", "result"],
                "dataArray": told,
            }
            for stream, told in rows.items()
        ]
        self.ask("POST", f"{STA}/CreateObservations", body)
        self.done.readings["http"] += len(sent)

    def _report(self, one: Told) -> None:
        """Tell of something that people report; what the city does not take is counted, and nothing stops."""
        try:
            {"public": self._in_public, "hotline": self._by_telephone, "patrol": self._on_patrol}[one.way](
                one
            )
        except FeedError as error:
            if error.answered == 0:
                raise
            log.debug("a report was not taken: %s", error)
            self.done.refused[f"{one.way}/{error.answered}"] += 1
        else:
            self.done.reports[one.way] += 1

    def _in_public(self, one: Told) -> None:
        stamp = self.ask("GET", "/api/public/stamp")
        nonce = proof_of(stamp["stamp"], one.key, stamp["bits"])
        body = {
            "secret": one.key, "stamp": stamp["stamp"], "nonce": nonce,
            "kind": "matter", "type": one.type, "lon": one.lon, "lat": one.lat, "description": one.words,
        }  # fmt: skip
        self.ask("POST", "/api/public/reports", body)

    def _by_telephone(self, one: Told) -> None:
        number = int(one.key[:8], 16)
        call = self.ask(
            "POST", "/api/hotline/calls",
            {
                "caller": f"154{number % 100_000_000:08d}", "channel": "phone", "waited": number % 40,
                "source_key": f"{MARK}/{one.key}",
            },
        )  # fmt: skip
        if call["state"] != "taken":  # it was told before
            return
        demand = {
            "seen": call["step"], "kind": _DEMANDS[one.nature], "urgency": "ordinary", "words": one.words,
            "lon": one.lon, "lat": one.lat,
        }  # fmt: skip
        path = f"/api/hotline/calls/{call['number']}"
        if one.nature == "咨询":
            self.ask("POST", f"{path}/answer", demand | {"answer": ANSWER})
        else:
            self.ask("POST", f"{path}/case", demand | {"case_kind": "matter", "type": one.type})

    def _on_patrol(self, one: Told) -> None:
        body = {
            "kind": "matter", "type": one.type, "source": "collector", "description": one.words,
            "lon": one.lon, "lat": one.lat, "key": one.key,
        }  # fmt: skip
        self.ask("POST", "/api/cases", body)


def proof_of(stamp: str, secret: str, bits: int) -> str:
    """Return a nonce by which SHA-256 of `stamp:secret:nonce` begins with so many zero bits."""
    begun = hashlib.sha256(f"{stamp}:{secret}:".encode())
    for nonce in count():
        tried = begun.copy()
        tried.update(str(nonce).encode())
        if int.from_bytes(tried.digest()[:8], "big") >> (64 - bits) == 0:
            return str(nonce)
    raise AssertionError  # pragma: no cover -- counting has no end


def _iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _device(station: Station, owner: str) -> dict[str, Any]:
    return {
        "key": station.key, "name": station.name, "kind": station.kind, "owner": owner, "lon": station.lon,
        "lat": station.lat, "description": "演示城市的虚构设备 A fictional device of the demo city",
        "sharing": "unconditional", "level": 1,
    }  # fmt: skip


def _sensor(station: Station) -> dict[str, Any]:
    return {
        "name": f"{MARK}:{station.kind}", "description": "虚构 fictional", "encodingType": "text/html",
        "metadata": "https://jingwei.example/demo",
    }  # fmt: skip


def _observed(quantity: Quantity) -> dict[str, Any]:
    return {
        "name": quantity.observes.zh, "description": quantity.observes.en,
        "definition": f"https://jingwei.example/observed/{quantity.key}",
    }  # fmt: skip


def _stream(name: str, quantity: Quantity) -> dict[str, Any]:
    return {
        "name": quantity.observes.zh, "description": f"{quantity.observes.zh} {quantity.observes.en}",
        "observationType": MEASUREMENT,
        "unitOfMeasurement": {
            "name": quantity.unit, "symbol": quantity.unit, "definition": f"ucum:{quantity.ucum}",
        },
        "properties": {MARK: name},
    }  # fmt: skip
