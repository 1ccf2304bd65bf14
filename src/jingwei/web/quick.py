"""The way of plain readings through HTTP without a detour: a protocol before the application, same server.

A device asks with the same head each time, so what a head says is read once (by httptools, as all others
are) and known by its bytes from then on. Readings of all connections that come at one time go to the store
as one batch and are answered when it is durable. What is not understood wholly goes on, byte for byte as
it came, to the server's own protocol; so does a reading that could not be taken in, to be told why.
"""

from __future__ import annotations

import asyncio
import re
import time
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import httptools
import msgspec
import numpy as np
from starlette.datastructures import Headers
from starlette.requests import Request
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from jingwei.errors import JingweiError
from jingwei.sense.odata.syntax import text_of_instant
from jingwei.sense.readings import NONE, Batch
from jingwei.sense.readings.batch import plain_number
from jingwei.sense.taking import LACKING
from jingwei.sense.wire import NotPlainError, Sent, micros, observation, read_one
from jingwei.web import problems
from jingwei.web.limits import MAX_BODY, safe_headers
from jingwei.web.origins import SameOrigin
from jingwei.web.sense_door import ROOT, KeptApartError, SenseDoor, page_of, stream_of

if TYPE_CHECKING:
    from asyncio import Future

    from jingwei.sense.readings import Readings, Receipt, Refusal
    from jingwei.web.quotas import Quotas

STARTS = (f"POST {ROOT}/".encode(), f"GET {ROOT}/Datastreams(".encode())
LONGEST_HEAD = 16_384
MOST_HEADS = 20_000
"""Heads that are known by their bytes; of a city of more senders the others are known by their form."""
MOST_FORMS = 1_000
MOST_LINES = 16
_LINES = rb"((?:[^\r\n]+\r\n)*?)"
_BEGIN = rb"(POST " + re.escape(ROOT).encode() + rb"/Datastreams\()(?P<stream>[1-9][0-9]{0,17})"
_BEGIN += rb"(\)/Observations HTTP/1\.1\r\n)" + _LINES
_TOKEN = rb"authorization: bearer (?P<token>[\w.~+/=-]{1,200})\r\n"
_LENGTH = rb"content-length: (?P<length>[1-9][0-9]{0,8})\r\n"
_FORMS = tuple(
    re.compile(_BEGIN + what + _LINES + rb"\r\n", re.IGNORECASE)
    for what in (_TOKEN + _LINES + _LENGTH, _LENGTH + _LINES + _TOKEN)
)
"""The head of a reading but for what differs from device to device: stream, token and length."""
_OTHERS = (1, 3, 4, 6, 8)
"""The groups of a form that are alike in the heads of many devices: all but the three that have names."""
GATHERED = 0.05
"""Seconds for which first readings of streams are gathered: to make many features costs little more."""
AT_ONCE = 64
"""Readings of one connection that may wait for their answers."""
KNOWN = frozenset(
    {b"host", b"authorization", b"content-type", b"content-length", b"user-agent", b"accept"}
    | {b"accept-encoding", b"accept-language", b"connection"}
)
"""What a head may hold here; whatever else it says, the application reads."""
_JSON = re.compile(rb"application/json(;.*)?", re.IGNORECASE)
_dumps = msgspec.json.Encoder().encode


class Head(NamedTuple):
    """What a head asks for.

    Attributes
    ----------
    kind
        A reading, data arrays, or the newest readings of a stream.
    length
        Bytes of the body.
    stream
        The stream that the path names; 0 where the body does.
    page
        How many of the newest are asked for, after how many, and how the next page is asked for.

    """

    kind: Literal["one", "many", "newest"]
    length: int
    stream: int
    token: bytes
    root: bytes
    page: tuple[int, int, bytes] | None


class _Parts:
    """Collects what httptools reads of a head."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))


class QuickDoor:
    """What the connections of one server share.

    Parameters
    ----------
    door
        Knows senders, streams and quotas.
    same
        Knows under which names the city is asked, and from where.

    """

    def __init__(self, door: SenseDoor, same: SameOrigin) -> None:
        self.door = door
        self.same = same
        self.senders = door.senders
        self.quotas: Quotas = door.served.quotas
        self.secure = door.gate.entry.secure
        self.gathering = Gathering(door)
        self._heads: dict[bytes, Head | None] = {}
        self._rare: dict[bytes, Head | None] = {}
        self._alike: tuple[dict[tuple[bytes, ...], Head | None], ...] = tuple({} for _ in _FORMS)
        self._safe = b"".join(
            b"%b: %b\r\n" % (name.lower().encode(), value.encode())
            for name, value in safe_headers(secure=self.secure).items()
        )
        self._begins: tuple[Any, dict[int, bytes]] = (None, {})

    def head_of(self, raw: bytes, scheme: str | None) -> Head | None:
        """Return what a head asks for; None where it is not for here."""
        try:
            return self._heads[raw]
        except KeyError:
            pass
        found = None if self.secure and scheme != "https" else self._of_form(raw)
        if len(self._heads) < MOST_HEADS:
            self._heads[raw] = found
        return found

    def _of_form(self, raw: bytes) -> Head | None:
        """Return what a head asks for; what is alike in the heads of many devices is read once."""
        if raw.count(b"\r\n") <= MOST_LINES:
            for form, known in zip(_FORMS, self._alike, strict=True):
                parts = form.fullmatch(raw)
                if parts is not None:
                    return self._like(raw, parts, known)
        if raw not in self._rare:
            if len(self._rare) >= MOST_FORMS:
                self._rare.clear()
            self._rare[raw] = self._understood(raw)
        return self._rare[raw]

    def _like(
        self, raw: bytes, parts: re.Match[bytes], known: dict[tuple[bytes, ...], Head | None]
    ) -> Head | None:
        alike: tuple[bytes, ...] = parts.group(*_OTHERS)
        if alike not in known:
            if len(known) >= MOST_FORMS:
                known.clear()
            known[alike] = self._understood(raw)
        like = known[alike]
        stream, token, length = parts.group("stream", "token", "length")
        if like is None or int(length) > MAX_BODY:
            return None
        return Head(like.kind, int(length), int(stream), token if like.token else b"", like.root, None)

    def _understood(self, raw: bytes) -> Head | None:
        try:
            return self._read(raw)
        except (NotPlainError, httptools.HttpParserError, httptools.HttpParserUpgrade, JingweiError):
            return None

    def _read(self, raw: bytes) -> Head | None:
        parts = _Parts()
        parser = httptools.HttpRequestParser(parts)
        parser.feed_data(raw)
        said = dict(parts.headers)
        method = parser.get_method()
        if (
            parser.get_http_version() != "1.1"
            or not parser.should_keep_alive()
            or parser.should_upgrade()
            or len(said) != len(parts.headers)
            or not KNOWN.issuperset(said)
            or not self.same.is_own(method.decode(), Headers(raw=parts.headers))
        ):
            return None
        length = said.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > MAX_BODY or (method == b"POST") != (int(length) > 0):
            return None
        headers, token = self.door.who(parts.headers)
        root = self.door.root(headers)
        kind, stream, page = self._asked(method, parts.url, said)
        return Head(kind, int(length), stream, token, root, page)

    @staticmethod
    def _asked(
        method: bytes, url: bytes, said: dict[bytes, bytes]
    ) -> tuple[Literal["one", "many", "newest"], int, tuple[int, int, bytes] | None]:
        path, _, options = url.partition(b"?")
        zipped = b"gzip" in said.get(b"accept-encoding", b"").lower()
        stream = stream_of(path.decode())
        if method == b"GET":
            page = page_of(options)
            if stream is None or page is None or zipped:
                raise NotPlainError
            return "newest", stream, page
        if options or not _JSON.fullmatch(said.get(b"content-type", b"application/json")):
            raise NotPlainError
        if stream is not None or path == f"{ROOT}/Observations".encode():
            return "one", stream or 0, None
        if path != f"{ROOT}/CreateObservations".encode() or zipped:
            raise NotPlainError
        return "many", 0, None

    def answer(
        self, status: int, body: bytes, default: list[tuple[bytes, bytes]], address: bytes | None = None
    ) -> bytes:
        """Return an answer as it travels; `default` are the headers that the server puts in each."""
        if self._begins[0] is not default:
            self._begins = (default, {})
        begin = self._begins[1].get(status)
        if begin is None:
            begin = b"HTTP/1.1 %d %b\r\n" % (status, HTTPStatus(status).phrase.encode())
            begin += b"".join(b"%b: %b\r\n" % header for header in default)
            begin += self._safe + b"vary: Accept-Encoding\r\ncontent-type: application/json\r\n"
            self._begins[1][status] = begin
        if address is None:
            return b"%bcontent-length: %d\r\n\r\n%b" % (begin, len(body), body)
        return b"%blocation: %b\r\ncontent-length: %d\r\n\r\n%b" % (begin, address, len(body), body)

    def refusal(self, ask: Ask, refused: Refusal, default: list[tuple[bytes, bytes]]) -> bytes:
        """Return the answer to a reading that was kept apart."""
        parts = _Parts()
        httptools.HttpRequestParser(parts).feed_data(ask.raw)
        path = parts.url.decode()
        asked = Request({"type": "http", "path": path, "headers": parts.headers, "query_string": b""})
        told = problems.answer_to(asked, KeptApartError(refused))
        begin = b"HTTP/1.1 %d %b\r\n" % (told.status_code, HTTPStatus(told.status_code).phrase.encode())
        named = b"".join(b"%b: %b\r\n" % header for header in (*default, *told.raw_headers))
        return b"%b%b%b\r\n%b" % (begin, named, self._safe, bytes(told.body))


class Ask:
    """A reading that was sent, and what is said to it; no answer lets it go the long way."""

    __slots__ = ("answer", "connection", "head", "raw", "sent", "when")

    def __init__(self, connection: QuickProtocol, head: Head, raw: bytes, sent: Sent, when: int) -> None:
        self.connection = connection
        self.head = head
        self.raw = raw
        self.sent = sent
        self.when = when
        self.answer: bytes | None = None

    def taken(self, number: int) -> None:
        """Say that it is durable, under this number."""
        root, sent = self.head.root, self.sent
        when = _dumps(text_of_instant(self.when) if sent.when is None else sent.when)
        body = observation(root, number, when, _dumps(sent.told), _dumps(sent.result))
        connection = self.connection
        self.answer = connection.quick.answer(
            201, body, connection.server_state.default_headers, b"%b/Observations(%d)" % (root, number)
        )


class Gathering:
    """Readings of all connections that wait to be handed in together."""

    def __init__(self, door: SenseDoor) -> None:
        self._door = door
        self._readings: Readings = door.served.readings
        self._asks: list[Ask] = []
        self._columns: tuple[list[int], list[int], list[int], list[float], list[int]] = ([], [], [], [], [])
        self._texts: dict[int, bytes] = {}
        self._under_way = 0
        self._called = False
        self._without: list[tuple[Ask, int, int | None]] = []
        self._making = False

    def add_without(self, ask: Ask, stream: int, told: int | None) -> None:
        """Take the first reading of a stream along when its feature of interest is made, with others."""
        self._without.append((ask, stream, told))
        if not self._making:
            self._making = True
            asyncio.get_running_loop().call_later(GATHERED, self._make)

    def _make(self) -> None:
        asks, self._without = self._without, []
        lacking = self._door.senders.lacking(stream for _, stream, _ in asks)
        future = asyncio.get_running_loop().run_in_executor(None, self._door.served.taking.make, lacking)
        future.add_done_callback(partial(self._made, asks))

    def _made(self, asks: list[tuple[Ask, int, int | None]], future: Future[dict[int, int]]) -> None:
        self._making = bool(self._without)
        if self._making:
            self._make()
        made = {} if future.cancelled() or future.exception() is not None else future.result()
        for ask, stream, told in asks:
            if stream in made:
                self.add(ask, stream, made[stream], told)
        _finish([ask for ask, stream, _ in asks if stream not in made])

    def add(self, ask: Ask, stream: int, feature: int, told: int | None) -> None:
        """Take a reading along with the next batch."""
        number = plain_number(ask.sent.result)
        if number != number:  # noqa: PLR0124 -- only NaN differs from itself
            self._texts[len(self._asks)] = _dumps(ask.sent.result)
        streams, times, features, numbers, tolds = self._columns
        streams.append(stream)
        times.append(ask.when)
        features.append(feature)
        numbers.append(number)
        tolds.append(NONE if told is None else told)
        self._asks.append(ask)
        if not self._under_way and not self._called:
            self._called = True
            asyncio.get_running_loop().call_soon(self._hand_in)

    def _hand_in(self) -> None:
        self._called = False
        if not self._asks:
            return
        asks, (streams, times, features, numbers, tolds), texts = self._asks, self._columns, self._texts
        self._asks, self._columns, self._texts = [], ([], [], [], [], []), {}
        batch = Batch(
            np.array(streams, np.int64),
            np.array(times, np.int64),
            np.array(numbers, np.float64),
            feature=np.array(features, np.int64),
            result_time=np.array(tolds, np.int64) if any(told != NONE for told in tolds) else None,
            result_json=[texts.get(number) for number in range(len(asks))] if texts else None,
        )
        try:
            future = self._readings.append_async(batch)
        except JingweiError:
            _finish(asks)
            return
        self._under_way += 1
        future.add_done_callback(partial(self._done, asks))

    def _done(self, asks: list[Ask], future: Future[Receipt]) -> None:
        self._under_way -= 1
        self._hand_in()  # the disk is not kept waiting for the answers
        if not future.cancelled() and future.exception() is None:
            receipt = future.result()
            for ask, number in zip(asks, receipt.ids.tolist(), strict=True):
                if number:
                    ask.taken(number)
            for refused in receipt.refused:
                ask = asks[refused.index]
                default = ask.connection.server_state.default_headers
                ask.answer = ask.connection.quick.refusal(ask, refused, default)
        _finish(asks)


def _finish(asks: list[Ask]) -> None:
    for connection in dict.fromkeys(ask.connection for ask in asks):
        connection.answered()


class QuickProtocol(HttpToolsProtocol):
    """A connection: quick where it can be, else the server's own."""

    quick: QuickDoor

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._asks: list[Ask] = []
        self._alone = False
        self._many: Future[bytes] | None = None
        self._held = bytearray()
        self._needed = 0
        self._in_message = False
        self._last_ = False
        self._at = 0.0
        self._idle: asyncio.TimerHandle | None = None

    # of the server's own protocol

    def on_message_begin(self) -> None:
        """Note that a request of the long way has begun."""
        self._in_message = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Note that a request of the long way has come in wholly."""
        self._in_message = False
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of what is held."""
        if self._idle is not None:
            self._idle.cancel()
        self._held.clear()
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """Go on when the client has read its answers."""
        super().resume_writing()
        self._go_on_held()

    def shutdown(self) -> None:
        """Close when what is under way has been answered."""
        if self._asks or self._many is not None:
            self._last_ = True
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Take in readings, or pass on what came."""
        if self._asks or self._many is not None or self.flow.write_paused or self._held:
            self._held += data
            if len(self._held) > max(HIGH_WATER_LIMIT, self._needed):
                self.flow.pause_reading()
            if len(self._held) >= self._needed:
                self._go_on_held()
        elif self._in_message or self.pipeline or not (self.cycle is None or self.cycle.response_complete):
            super().data_received(data)
        else:
            self._go_on(data)

    # quick

    def _go_on_held(self) -> None:
        if self._held and not self._asks and self._many is None and not self.transport.is_closing():
            data = bytes(self._held)
            self._held.clear()
            self._needed = 0
            self.flow.resume_reading()
            self._go_on(data)

    def _go_on(self, data: bytes) -> None:
        """Take all that is quick, in its order; hold what is not whole, pass on what is not quick."""
        at, size = 0, len(data)
        while at < size:
            end = data.find(b"\r\n\r\n", at) + 4
            if not data.startswith(STARTS, at) or (end < 4 and size - at > LONGEST_HEAD):
                self._pass_on(data[at:])
                return
            if end < 4:
                self._hold(data[at:], 0)
                return
            head = self.quick.head_of(data[at:end], self.scheme)
            if head is None:
                self._pass_on(data[at:])
                return
            stop = end + head.length
            waits = self._asks and (head.kind != "one" or len(self._asks) >= AT_ONCE or self._alone)
            if stop > size or waits:
                self._hold(data[at:], stop - at)
                return
            try:
                taken = self._take(head, data[at:stop], data[end:stop])
            except (NotPlainError, JingweiError):
                self._pass_on(data[at:])
                return
            if not taken:
                self._hold(data[at:], 0)
                return
            at = stop
            if (self._many is not None or self.flow.write_paused) and at < size:
                self._hold(data[at:], 0)
                return

    def _hold(self, data: bytes, needed: int) -> None:
        self._held += data
        self._needed = needed

    def _pass_on(self, data: bytes) -> None:
        if self._asks:  # answers keep the order of what was asked
            self._hold(data, 0)
        else:
            super().data_received(data)

    def _take(self, head: Head, raw: bytes, body: bytes) -> bool:
        """Take one in; return whether it was, or waits for those before it."""
        door = self.quick.door
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        if head.kind == "newest":
            assert head.page is not None  # noqa: S101 -- what asks for the newest has one
            told = door.newest(head.token, head.root, head.stream, head.page)
            self._say(self.quick.answer(200, told, self.server_state.default_headers))
            return True
        if head.kind == "many":
            self._many = asyncio.ensure_future(door.many(body, head.token, head.root))
            self._many.add_done_callback(partial(self._many_done, raw))
            return True
        sent = read_one(body)
        stream = head.stream or (sent.stream.id if sent.stream else 0)
        if (sent.stream is None) == (not head.stream):
            raise NotPlainError
        senders = self.quick.senders
        shown = senders.of(head.token)
        feature = senders.feature(shown.sender, stream)
        if feature == LACKING and self._asks:
            return False
        when = time.time_ns() // 1_000 if sent.when is None else micros(sent.when)
        told_at = None if sent.told is None else micros(sent.told)
        self.quick.quotas.take(shown.number, 1)
        ask = Ask(self, head, raw, sent, when)
        self._asks.append(ask)
        self._alone = feature == LACKING
        if self._alone:
            self.quick.gathering.add_without(ask, stream, told_at)
        else:
            self.quick.gathering.add(ask, stream, feature, told_at)
        return True

    def _many_done(self, raw: bytes, future: Future[bytes]) -> None:
        self._many = None
        if self.transport.is_closing() or future.cancelled():
            return
        if future.exception() is not None:
            rest = raw + bytes(self._held)
            self._held.clear()
            self.flow.resume_reading()
            super().data_received(rest)
            return
        self._say(self.quick.answer(201, future.result(), self.server_state.default_headers))
        self._go_on_held()

    def answered(self) -> None:
        """Send the answers to what was asked; what has none goes the long way, with all behind it."""
        asks, self._asks = self._asks, []
        if self.transport.is_closing():
            return
        whole = next((number for number, ask in enumerate(asks) if ask.answer is None), len(asks))
        if whole:
            self._say(b"".join(ask.answer for ask in asks[:whole] if ask.answer is not None))
        if whole < len(asks):  # what was taken in behind it is a duplicate when it comes again
            rest = b"".join(ask.raw for ask in asks[whole:]) + bytes(self._held)
            self._held.clear()
            self.flow.resume_reading()
            super().data_received(rest)
            return
        if self._held:
            self._go_on_held()

    def _say(self, text: bytes) -> None:
        self.transport.write(text)
        self.server_state.total_requests += 1
        if self._last_:
            self.transport.close()
            return
        self._at = self.loop.time()
        if self._idle is None:
            self._idle = self.loop.call_later(self.timeout_keep_alive, self._check_idle)

    def _check_idle(self) -> None:
        """Close a connection on which nothing was asked for long; the long way has a clock of its own."""
        self._idle = None
        if self.transport.is_closing() or self.timeout_keep_alive_task is not None:
            return
        busy = self._asks or self._many is not None or self._held or self._in_message
        busy = busy or not (self.cycle is None or self.cycle.response_complete)
        left = self._at + self.timeout_keep_alive - self.loop.time()
        if not busy and left <= 0:
            self.transport.close()
            return
        self._idle = self.loop.call_later(max(left, 1.0), self._check_idle)


def protocol_of(door: SenseDoor, same: SameOrigin) -> type[QuickProtocol]:
    """Return the protocol by which a server takes in readings of this door."""
    return type("CityProtocol", (QuickProtocol,), {"quick": QuickDoor(door, same)})
