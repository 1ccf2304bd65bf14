"""Observations as devices send them most: plain JSON, read without a detour.

What is read here is a part of SensorThings (18-088); whatever is beyond it raises `NotPlainError`, and who
asked goes the long way.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from jingwei.sense.odata.syntax import EPOCH, MICRO, text_of_instant
from jingwei.sense.readings.batch import EXACT, NONE, TEXTS
from jingwei.sense.readings.columns import EMPTY, Rows

MILLI = 1_000
PLAIN = ("time_end", "result_json", "valid_from", "valid_to", "quality", "parameters")
"""Columns that plain readings do not have."""
_TIME_FIRST, _RESULT_FIRST = ["phenomenonTime", "result"], ["result", "phenomenonTime"]


class NotPlainError(ValueError):
    """It may be right, but it is more than is read here."""


class Ref(msgspec.Struct, forbid_unknown_fields=True):
    """A link to an entity that is there."""

    id: Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)] = msgspec.field(name="@iot.id")


class Sent(msgspec.Struct, forbid_unknown_fields=True):
    """An observation as plain as devices send it."""

    result: Any
    when: str | None = msgspec.field(name="phenomenonTime", default=None)
    told: str | None = msgspec.field(name="resultTime", default=None)
    stream: Ref | None = msgspec.field(name="Datastream", default=None)


class Group(msgspec.Struct, forbid_unknown_fields=True):
    """A data array of one stream, its rows yet unread."""

    stream: Ref = msgspec.field(name="Datastream")
    components: list[str]
    rows: msgspec.Raw = msgspec.field(name="dataArray")
    count: int | None = msgspec.field(name="dataArray@iot.count", default=None)


_sent = msgspec.json.Decoder(Sent)
_many = msgspec.json.Decoder(list[Sent])
_groups = msgspec.json.Decoder(list[Group])
_time_first = msgspec.json.Decoder(list[tuple[str, float]])
_result_first = msgspec.json.Decoder(list[tuple[float, str]])
_instants = msgspec.json.Decoder(list[datetime])
_FORMS = {20: b"0000-00-00T00:00:00Z", 24: b"0000-00-00T00:00:00.000Z"}
"""How times are written most, by their length; a 0 stands for any digit."""


def read_one(body: bytes) -> Sent:
    """Read one observation.

    Raises
    ------
    NotPlainError

    """
    return _checked(_read(_sent, body))


def read_several(body: bytes) -> list[Sent]:
    """Read an array of observations.

    Raises
    ------
    NotPlainError

    """
    return [_checked(one) for one in _read(_many, body)]


def read_groups(body: bytes) -> list[tuple[int, NDArray[np.int64], NDArray[np.float64]]]:
    """Read data arrays of times and results: stream, times (UTC µs), results.

    Raises
    ------
    NotPlainError

    """
    return [(group.stream.id, *_columns(group)) for group in _read(_groups, body)]


def _read(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotPlainError from error


def _checked(sent: Sent) -> Sent:
    if type(sent.result) not in (int, float, bool, str):
        raise NotPlainError
    if isinstance(sent.result, str) and "\0" in sent.result:
        raise NotPlainError
    return sent


def _columns(group: Group) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    if group.components == _TIME_FIRST:
        rows = _read(_time_first, group.rows)
        times, results = [row[0] for row in rows], [row[1] for row in rows]
    elif group.components == _RESULT_FIRST:
        rows = _read(_result_first, group.rows)
        times, results = [row[1] for row in rows], [row[0] for row in rows]
    else:
        raise NotPlainError
    if group.count not in (None, len(rows)):
        raise NotPlainError
    values = np.array(results, np.float64)
    if len(values) and float(np.abs(values).max()) > EXACT:
        raise NotPlainError  # a whole number of that size is kept as its text
    return instants(times), values


def instants(texts: list[str]) -> NDArray[np.int64]:
    """Return instants of ISO 8601 with their offsets as UTC µs, many at once.

    Raises
    ------
    NotPlainError
        Where one is a period, has no offset, or is written in another way.

    """
    found = _alike(texts)
    if found is not None:
        return found
    times = _read(_instants, msgspec.json.encode(texts))
    if any(one.tzinfo is None for one in times):
        raise NotPlainError
    # Seconds as float64 are true to a quarter of a microsecond until 2242.
    return np.array([round(one.timestamp() * 1e6) for one in times], np.int64)


def _alike(texts: list[str]) -> NDArray[np.int64] | None:
    """Return what texts say that are all written in one of the usual forms; else None."""
    form = _FORMS.get(len(texts[0])) if texts else None
    joined = "".join(texts)
    if form is None or len(joined) != len(form) * len(texts) or not joined.isascii():
        return None
    asked = np.frombuffer(form, np.uint8)
    given = np.frombuffer(joined.encode(), np.uint8).reshape(-1, len(form))
    digit = asked == ord("0")
    values = given - np.uint8(ord("0"))
    if (values[:, digit] > 9).any() or (given[:, ~digit] != asked[~digit]).any():
        return None

    def number(start: int, end: int) -> NDArray[np.int64]:
        return values[:, start:end] @ (10 ** np.arange(end - start - 1, -1, -1))

    month, day = number(5, 7), number(8, 10)
    hour, minute, second = number(11, 13), number(14, 16), number(17, 19)
    months = ((number(0, 4) - 1970) * 12 + month - 1).astype("M8[M]")
    days = months.astype("M8[D]") + (day - 1)
    is_time = (hour < 24) & (minute < 60) & (second < 60)
    is_day = (month >= 1) & (month <= 12) & (day >= 1) & (days.astype("M8[M]") == months)
    if not (is_time & is_day).all() or (number(0, 4) < 1).any():
        return None
    seconds = days.astype(np.int64) * 86_400 + hour * 3_600 + minute * 60 + second
    return seconds * 1_000_000 + (number(20, 23) * 1_000 if len(form) == 24 else 0)


def micros(text: str) -> int:
    """Return an instant of ISO 8601 with its offset as UTC µs.

    Raises
    ------
    NotPlainError
        Where it is a period, has no offset, or is written in another way.

    """
    if len(text) < 20 or text[4] != "-" or text[10] != "T":
        raise NotPlainError
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise NotPlainError from None
    if found.tzinfo is None:
        raise NotPlainError
    return (found - EPOCH) // MICRO


def observation(
    root: bytes, number: int, when: bytes, told: bytes, result: bytes, more: bytes = b""
) -> bytes:
    """Return the JSON of an observation: times and result are JSON texts, `root` that of the service.

    `more` is what else it has, as JSON members, each with a comma at its end.
    """
    address = b"%b/Observations(%d)" % (root, number)
    return (
        b'{"@iot.id":%d,"@iot.selfLink":"%b","phenomenonTime":%b,"resultTime":%b,"result":%b,%b'
        b'"Datastream@iot.navigationLink":"%b/Datastream",'
        b'"FeatureOfInterest@iot.navigationLink":"%b/FeatureOfInterest"}'
    ) % (number, address, when, told, result, more, address, address)


def observations(root: bytes, rows: Rows) -> list[bytes]:
    """Return the JSON of plain readings, one by one.

    Raises
    ------
    NotPlainError
        Where one has more than times and a number.

    """
    for name in PLAIN:
        values = rows.columns.get(name)
        if values is not None and _holds_something(name, values):
            raise NotPlainError
    if np.isnan(rows["result"]).any():
        raise NotPlainError
    when = _times(rows["time"])
    told = [b"null"] * len(rows) if "result_time" not in rows.columns else _times(rows["result_time"])
    numbers = [int(one) if one.is_integer() and abs(one) <= EXACT else one for one in rows["result"].tolist()]
    results = msgspec.json.encode(numbers)[1:-1].split(b",")
    return [
        observation(root, *values)
        for values in zip(rows["id"].tolist(), when, told, results, strict=bool(numbers))
    ]


def _holds_something(name: str, values: NDArray[Any]) -> bool:
    if name in TEXTS:
        return any(one is not None for one in values)
    return bool((values != EMPTY[name]).any())


def _times(times: NDArray[np.int64]) -> list[bytes]:
    """Return UTC µs as JSON texts, `null` where there is none."""
    if (times == NONE).any() or (times % MILLI).any():
        return [b"null" if one == NONE else b'"%b"' % text_of_instant(one).encode() for one in times.tolist()]
    texts = np.datetime_as_string((times // MILLI).astype("M8[ms]")).tolist()
    return [b'"%bZ"' % one.removesuffix(".000").encode() for one in texts]
