"""The quick door for readings: what devices send thousands of times a second, taken in without a detour.

It stands before the routes and takes only what it understands wholly: plain observations of streams that
the sender may write to, by token, or by anyone in open mode. It asks sign-in, policy and quotas like every
door; everything else goes on to the routes, which answer it with the same effect or tell what is wrong.
"""

from __future__ import annotations

import asyncio
import re
import time
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import msgspec
import numpy as np
from starlette.requests import Request

from jingwei.errors import JingweiError
from jingwei.sense.entities import OBSERVATION
from jingwei.sense.odata.options import next_page, query_of
from jingwei.sense.odata.syntax import text_of_instant
from jingwei.sense.readings import Batch, Reading
from jingwei.sense.taking import LACKING
from jingwei.sense.wire import NotPlainError, micros, observation, observations, read_groups, read_one
from jingwei.web import problems
from jingwei.web.gate import ACTING, BEARER
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.datastructures import State
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from jingwei.sense.readings import Receipt, Refusal
    from jingwei.web.gate import Gate
    from jingwei.web.senders import Sender, Senders

ROOT = "/sta/v1.1"
_OF_STREAM = re.compile(rf"{re.escape(ROOT)}/Datastreams\(([1-9][0-9]{{0,18}})\)/Observations")
_TEXT = re.compile(rb'[\x00-\x1f"\\]')


class KeptApartError(JingweiError):
    """A reading was not taken in, but is kept with the reason."""

    code = "reading-kept-apart"

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(
            Text(
                f"读数未入库，已隔离保存：{refusal.reason.zh}",
                f"The reading was kept apart: {refusal.reason.en}",
            ),
            mend=Text("无需重发；见“接入状况”。", "It need not be sent again; see the intake's health."),
            where={"reason": refusal.code},
        )


class SenseDoor:
    """Takes in readings; hands on every other request.

    Parameters
    ----------
    app
        The application behind.
    served
        The state of the application: its `gate`, `readings`, `quotas`, `senders` and `city`.

    """

    def __init__(self, app: ASGIApp, served: State) -> None:
        self.app = app
        self.served = served

    @property
    def gate(self) -> Gate:
        """Who decides on whose behalf a request asks."""
        gate: Gate = self.served.gate
        return gate

    @property
    def senders(self) -> Senders:
        """Who shows which token."""
        senders: Senders = self.served.senders
        return senders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take in a reading, or pass the request on."""
        if scope["type"] != "http" or not scope["path"].startswith(ROOT):
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if scope["method"] == "GET":
            await self._newest(scope, receive, send)
            return
        if scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        stream = _OF_STREAM.fullmatch(path)
        if stream is None and path not in (f"{ROOT}/Observations", f"{ROOT}/CreateObservations"):
            await self.app(scope, receive, send)
            return
        body = await _whole(receive)
        if body is None:  # the client went away
            return
        try:
            headers, token = self.who(scope["headers"])
            root = self.root(headers)
            if path.endswith("/CreateObservations"):
                text = await self.many(body, token, root)
                answer = _headers(text), text
            else:
                answer = await self._one(body, token, root, int(stream[1]) if stream else None)
        except NotPlainError:
            await self.app(scope, _again(body, receive), send)
            return
        except JingweiError as error:
            response = problems.answer_to(Request(scope), error)
            await response(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 201, "headers": answer[0]})
        await send({"type": "http.response.body", "body": answer[1]})

    async def _newest(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for the last readings of a stream, or pass the request on."""
        stream, asked = stream_of(scope["path"]), page_of(scope["query_string"])
        if stream is None or asked is None:
            await self.app(scope, receive, send)
            return
        try:
            headers, token = self.who(scope["headers"])
            text = self.newest(token, self.root(headers), stream, asked)
        except NotPlainError:
            await self.app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": _headers(text)})
        await send({"type": "http.response.body", "body": text})

    def newest(self, token: bytes, root: bytes, stream: int, asked: tuple[int, int, bytes]) -> bytes:
        """Return the last readings of a stream, as `page_of` says which.

        Raises
        ------
        NotPlainError
            Where the sender may not read them, or they hold more than times and numbers.

        """
        self._check_read(token, stream)
        limit, offset, following = asked
        rows = self.served.readings.newest(stream, limit + 1, offset)
        told = observations(root, rows.take(slice(0, limit)))
        more = b""
        if len(rows) > limit:
            address = b"%b/Datastreams(%d)/Observations?%b" % (root, stream, following)
            more = b'"@iot.nextLink":"%b",' % address
        return b'{%b"value":[%b]}' % (more, b",".join(told))

    def _check_read(self, token: bytes, stream: int) -> None:
        if not self.senders.may_read(self.senders.of(token).sender, stream):
            raise NotPlainError

    def who(self, said: Iterable[tuple[bytes, bytes]]) -> tuple[dict[bytes, bytes], bytes]:
        """Return the headers, and what the sender shows: a token, or nothing in open mode.

        Raises
        ------
        NotPlainError
            Where it is somebody else who asks.

        """
        headers = dict(said)
        shown = headers.get(b"authorization", b"")
        if not self.gate.entry.open:
            if shown[: len(BEARER)].lower() != BEARER.encode():
                raise NotPlainError
            return headers, shown[len(BEARER) :].strip()
        if ACTING.encode() in headers.get(b"cookie", b""):
            raise NotPlainError
        return headers, b""

    async def _one(
        self, body: bytes, token: bytes, root: bytes, stream: int | None
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        sent = read_one(body)
        if (sent.stream is None) == (stream is None):
            raise NotPlainError
        stream = stream or (sent.stream.id if sent.stream else 0)
        shown = self.senders.of(token)
        (feature,) = await self._features(shown.sender, [stream])
        when = time.time_ns() // 1_000 if sent.when is None else micros(sent.when)
        told = None if sent.told is None else micros(sent.told)
        self.served.quotas.take(shown.number, 1)
        receipt = await self.served.readings.append_async(
            Reading(stream, when, sent.result, result_time=told, feature=feature)
        )
        if receipt.refused:
            raise KeptApartError(receipt.refused[0])
        number = int(receipt.ids[0])
        text = observation(
            root,
            number,
            msgspec.json.encode(text_of_instant(when) if sent.when is None else sent.when),
            msgspec.json.encode(sent.told),
            msgspec.json.encode(sent.result),
        )
        return _headers(text, b"%b/Observations(%d)" % (root, number)), text

    async def many(self, body: bytes, token: bytes, root: bytes) -> bytes:
        """Take in data arrays; return what is said to them.

        Raises
        ------
        NotPlainError
            Where they are not plain, or the sender may not write to one of the streams.
        TooOftenError, IntakeFullError
            Where so many are not taken now.

        """
        groups = read_groups(body)
        if not groups:
            raise NotPlainError
        shown = self.senders.of(token)
        features = await self._features(shown.sender, [stream for stream, _, _ in groups])
        sizes = [len(times) for _, times, _ in groups]
        self.served.quotas.take(shown.number, sum(sizes))
        batch = Batch(
            np.repeat(np.array([stream for stream, _, _ in groups], np.int64), sizes),
            np.concatenate([times for _, times, _ in groups]),
            np.concatenate([results for _, _, results in groups]),
            feature=np.repeat(np.array(features, np.int64), sizes),
        )
        receipt = await self.served.readings.append_async(batch)
        return told_of(root, receipt)

    async def _features(self, sender: Sender, streams: list[int]) -> list[int]:
        """Return the features of interest of readings of streams; those that are lacking are made together.

        Raises
        ------
        NotPlainError
            Where the sender may not write to one of them, or it has no place.

        """
        features = [self.senders.feature(sender, stream) for stream in streams]
        if LACKING not in features:
            return features
        made = await asyncio.to_thread(self.served.taking.make, self.senders.lacking(streams))
        found = zip(streams, features, strict=True)
        features = [made.get(stream, LACKING) if one == LACKING else one for stream, one in found]
        if LACKING in features:
            raise NotPlainError
        return features

    def root(self, headers: dict[bytes, bytes]) -> bytes:
        """Return the address of the service as the client knows it.

        Raises
        ------
        NotPlainError
            Where the client does not say how it knows it.

        """
        address = self.gate.entry.address
        if address is not None:
            return address.rstrip("/").encode() + ROOT.encode()
        host = headers.get(b"host", b"")
        if not host or _TEXT.search(host):
            raise NotPlainError
        return b"%b://%b%b" % (b"https" if self.gate.entry.secure else b"http", host, ROOT.encode())


def told_of(root: bytes, receipt: Receipt) -> bytes:
    """Return what `CreateObservations` answers: the address of each reading, or that it is none."""
    begin, end = f'"{root.decode("latin-1")}/Observations(', ')"'
    if not receipt.refused:
        text = begin + f"{end},{begin}".join(map(str, receipt.ids.tolist())) + end
    else:
        told = [f"{begin}{number}{end}" for number in receipt.ids.tolist()]
        for refusal in receipt.refused:
            told[refusal.index] = '"error"'
        text = ",".join(told)
    return b"[%b]" % text.encode("latin-1")


def stream_of(path: str) -> int | None:
    """Return whose observations a path names, None where it is another path."""
    found = _OF_STREAM.fullmatch(path)
    return int(found[1]) if found else None


@lru_cache(maxsize=1_024)
def page_of(options: bytes) -> tuple[int, int, bytes] | None:
    """Return how many of the newest readings are asked for, after how many, and how the next page is.

    None where the options ask for anything else.
    """
    asked = dict(parse_qsl(options.decode("latin-1")))
    limit, offset = asked.get("$top", ""), asked.get("$skip", "0")
    if asked.get("$orderby") != "phenomenonTime desc" or not set(asked) <= {"$top", "$skip", "$orderby"}:
        return None
    if not (limit.isdecimal() and offset.isdecimal() and len(limit) < 5 and len(offset) < 9):
        return None
    try:
        query = query_of(OBSERVATION, options.decode("latin-1"))
    except JingweiError:
        return None
    if query.size != int(limit) or not query.size:
        return None
    return query.size, int(offset), next_page(query).encode("latin-1")


def _headers(text: bytes, address: bytes | None = None) -> list[tuple[bytes, bytes]]:
    found = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(text))]
    return found if address is None else [*found, (b"location", address)]


async def _whole(receive: Receive) -> bytes | None:
    """Return the whole body, None where the client went away."""
    message = await receive()
    if message["type"] == "http.disconnect":
        return None
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
    return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read to those behind."""
    given = False

    async def give() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give
