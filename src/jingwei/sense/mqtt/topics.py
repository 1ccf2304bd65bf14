"""What a message by MQTT says: by the topics of SensorThings, or by a mapping of a city's own."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from jingwei.sense.readings import Reading
from jingwei.sense.wire import NotPlainError, Sent, micros, read_groups, read_one, read_several

if TYPE_CHECKING:
    from jingwei.sense.readings import StreamFacts

ROOT = "v1.1"
CREATE = f"{ROOT}/Observations"
OF_TOKEN = "devices"  # noqa: S105 -- a level of topics
"""Below it and the number of its token a device publishes where the broker lets in whom the city knows."""
_OF_TOKEN = re.compile(rf"{OF_TOKEN}/([0-9a-f]{{1,32}})/({re.escape(ROOT)}/.+)", re.DOTALL)
_OF_STREAM = re.compile(rf"{re.escape(ROOT)}/(?:Multi)?Datastreams\(([1-9][0-9]{{0,18}})\)/Observations")

_OF_ANY = re.compile(
    rf"{re.escape(ROOT)}/((?:(?:Datastreams|MultiDatastreams|FeaturesOfInterest)\([1-9][0-9]{{0,18}}\)/)?Observations)"
)


def observations_topic(stream: int, facts: StreamFacts | None) -> str:
    """Return the topic below which the readings of a stream are told (OGC 18-088, 14.2.1)."""
    kind = "MultiDatastreams" if facts is not None and facts.multi else "Datastreams"
    return f"{ROOT}/{kind}({stream})/Observations"


@dataclass(frozen=True, slots=True)
class Mapping:
    """How the plain JSON of one topic becomes readings.

    Attributes
    ----------
    topic
        As it is subscribed to; may hold `+` and `#`.
    stream
        Where its readings go; None where `streams` says it by a field.
    result, time
        The fields, dots lead into objects, that hold the result and the time; without a time a reading is
        of when it came.
    time_unit
        `iso`, or what whole numbers count since 1970: `s` or `ms`.
    key, streams
        A field, and the stream for each of its values.

    """

    topic: str
    stream: int | None = None
    result: str = "value"
    time: str | None = None
    time_unit: str = "iso"
    key: str | None = None
    streams: dict[str, int] | None = None

    @property
    def goes_to(self) -> frozenset[int]:
        """The streams to which it leads."""
        return frozenset((self.streams or {}).values() if self.stream is None else (self.stream,))

    def matches(self, topic: str) -> bool:
        """Say whether a topic is one of these (MQTT 3.1.1, 4.7)."""
        asked, given = self.topic.split("/"), topic.split("/")
        for number, level in enumerate(asked):
            if level == "#":
                return True
            if number >= len(given) or level not in ("+", given[number]):
                return False
        return len(asked) == len(given)

    def readings(self, payload: bytes, now: int) -> list[Reading]:
        """Read a message: one object, or an array of them.

        Raises
        ------
        NotPlainError
            Where a field is missing or is not what the mapping says.

        """
        try:
            told = msgspec.json.decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise NotPlainError from error
        return [self._reading(one, now) for one in (told if isinstance(told, list) else [told])]

    def _reading(self, told: Any, now: int) -> Reading:
        stream = self.stream
        if self.key is not None and self.streams is not None:
            stream = self.streams.get(str(_field(told, self.key)))
        if stream is None:
            raise NotPlainError
        when = now if self.time is None else _time(_field(told, self.time), self.time_unit)
        return Reading(stream, when, _field(told, self.result) if self.result else told)


def _field(told: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(told, dict) or name not in told:
            raise NotPlainError
        told = told[name]
    return told


def _time(value: Any, unit: str) -> int:
    if unit == "iso" and isinstance(value, str):
        return micros(value)
    if unit in ("s", "ms") and isinstance(value, int | float) and not isinstance(value, bool):
        return round(value * (1_000_000 if unit == "s" else 1_000))
    raise NotPlainError


def sender_in(topic: str) -> tuple[str | None, str]:
    """Return the number of the token that sends on a topic, if it names one, and the topic behind it."""
    found = _OF_TOKEN.fullmatch(topic)
    return (found[1], found[2]) if found else (None, topic)


def stream_in(topic: str) -> int | None:
    """Return of which stream a topic tells the observations, None where it is another, or of several."""
    found = _OF_STREAM.fullmatch(topic.partition("?")[0])
    return int(found[1]) if found else None


def creates_in(topic: str, payload: bytes) -> str | None:
    """Return the path to which a message would be sent by HTTP; None where its topic creates nothing."""
    found = _OF_ANY.fullmatch(topic)
    if found is None:
        return None
    return "CreateObservations" if b'"dataArray"' in payload and topic == CREATE else found[1]


def readings_in(topic: str, payload: bytes, mappings: tuple[Mapping, ...] = ()) -> list[Reading]:
    """Read a message of a topic: an observation, an array of them, or data arrays.

    Raises
    ------
    NotPlainError
        Where it is none of these.

    """
    now = time.time_ns() // 1_000
    found = _OF_STREAM.fullmatch(topic)
    if found is None and topic != CREATE:
        mapping = next((one for one in mappings if one.matches(topic)), None)
        if mapping is None:
            raise NotPlainError
        return mapping.readings(payload, now)
    stream = int(found[1]) if found else None
    if payload.lstrip()[:1] != b"[":
        return [_reading(read_one(payload), stream, now)]
    try:
        return [_reading(one, stream, now) for one in read_several(payload)]
    except NotPlainError:
        if stream is not None:
            raise
    return [
        Reading(of, when, result)
        for of, times, results in read_groups(payload)
        for when, result in zip(times.tolist(), results.tolist(), strict=True)
    ]


def _reading(sent: Sent, stream: int | None, now: int) -> Reading:
    if (sent.stream is None) == (stream is None):
        raise NotPlainError
    of = stream if sent.stream is None else sent.stream.id
    told = None if sent.told is None else micros(sent.told)
    return Reading(of or 0, now if sent.when is None else micros(sent.when), sent.result, result_time=told)
