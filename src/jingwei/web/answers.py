"""How answers travel: Arrow streams, ETags, and times, codes and values as JSON holds them."""

from __future__ import annotations

import gzip
import hashlib
import io
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from fastapi import Response

from jingwei.sense.odata.syntax import EPOCH, MAX_TIME, MIN_TIME

if TYPE_CHECKING:
    from fastapi import Request

ARROW = "application/vnd.apache.arrow.stream"
MVT = "application/vnd.mapbox-vector-tile"
GEOJSON = "application/geo+json"
LEVEL, LEAST = 4, 1024
"""How strongly answers are compressed, and from how many bytes on."""

EXACT = 1 << 53
"""Integers beyond this are no longer exact in JavaScript, and travel as strings."""


def etag_of(seen: str, *parts: object) -> str:
    """Return the tag of an answer that depends on what the asker may see and on `parts`, on nothing else.

    `seen` is `View.key`, or empty for an answer that is the same for all who get one.
    """
    text = "\0".join([seen, *(str(part) for part in parts)])
    return f'"{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"'


def knows(request: Request, etag: str) -> bool:
    """Say whether the reader already holds the answer tagged `etag`."""
    held = request.headers.get("if-none-match", "").split(",")
    return etag in {part.strip().removeprefix("W/") for part in held}


def tagged(answer: Response, etag: str) -> Response:
    """Return an answer with its tag: a browser keeps it, and asks each time whether it still holds."""
    answer.headers["ETag"] = etag
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Vary"] = "Accept-Language, Accept-Encoding"
    return answer


def not_modified(etag: str) -> Response:
    """Return that the answer which the reader holds is still the answer."""
    return tagged(Response(status_code=304), etag)


@dataclass(frozen=True, slots=True)
class Packed:
    """The body of an answer that is kept, and its compressed form where that is smaller."""

    body: bytes
    gzip: bytes | None

    @classmethod
    def of(cls, body: bytes) -> Packed:
        """Compress a body once for all who will ask for it."""
        packed = gzip.compress(body, LEVEL, mtime=0) if len(body) >= LEAST else body
        return cls(body, packed if len(packed) < len(body) else None)

    def answer(self, request: Request, media_type: str) -> Response:
        """Return the answer in a form that the reader takes."""
        if self.gzip is None or "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(self.body, media_type=media_type)
        return Response(self.gzip, media_type=media_type, headers={"Content-Encoding": "gzip"})


def stream_of(table: pa.Table) -> bytes:
    """Return the bytes of a table as an Arrow IPC stream."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def arrow_of(table: pa.Table) -> Response:
    """Return a table as an Arrow IPC stream."""
    return Response(stream_of(table), media_type=ARROW)


def value_of(value: Any) -> Any:
    """Return a value of a department's column as JSON holds it, losing nothing."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [value_of(item) for item in value]
    if isinstance(value, dict):
        return {str(name): value_of(item) for name, item in value.items()}
    return value if isinstance(value, str) else str(value)


def instant_of(micros: int) -> str:
    """Return UTC microseconds as an ISO 8601 instant.

    What no calendar holds is told as its first or last moment.
    """
    kept = min(max(micros, MIN_TIME), MAX_TIME)
    return (EPOCH + timedelta(microseconds=kept)).isoformat().replace("+00:00", "Z")
