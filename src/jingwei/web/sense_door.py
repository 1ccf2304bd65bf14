"""The quick door for readings: what devices send thousands of times a second, taken in without a detour.

It stands before the routes and takes only what it understands wholly: plain observations of streams that
the sender may write to, by token, or by anyone in open mode. It asks sign-in, policy and quotas like every
door; everything else goes on to the routes, which answer it with the same effect or tell what is wrong.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
import numpy as np
from starlette.requests import Request

from jingwei.access import local_person, tokens
from jingwei.errors import JingweiError
from jingwei.sense.entities import OBSERVATION
from jingwei.sense.odata.options import next_page, query_of
from jingwei.sense.odata.syntax import text_of_instant
from jingwei.sense.readings import Batch, Reading
from jingwei.sense.taking import FRESH
from jingwei.sense.wire import NotPlainError, micros, observation, observations, read_groups, read_one
from jingwei.web import problems
from jingwei.web.gate import ACTING, BEARER
from jingwei.words import Text

if TYPE_CHECKING:
    from starlette.datastructures import State
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from jingwei.access import Asker
    from jingwei.sense.readings import Refusal
    from jingwei.web.gate import Gate

ROOT = "/sta/v1.1"
TRUSTED = 1.0
"""Seconds for which it is not asked again who a token is and what it may: a revoked one ends within them."""
MOST_KEPT = 200_000
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


@dataclass(slots=True)
class _Known:
    """Who a token is and what it may, since when."""

    at: float
    fresh: float
    state: tuple[Any, ...]
    asker: Asker
    features: dict[int, int] = field(default_factory=dict)
    readable: dict[int, bool] = field(default_factory=dict)


class SenseDoor:
    """Takes in readings; hands on every other request.

    Parameters
    ----------
    app
        The application behind.
    served
        The state of the application: its `gate`, `readings`, `quotas` and `city`, once there is one.

    """

    def __init__(self, app: ASGIApp, served: State) -> None:
        self.app = app
        self.served = served
        self._known: dict[bytes, _Known] = {}

    @property
    def gate(self) -> Gate:
        """Who decides on whose behalf a request asks."""
        gate: Gate = self.served.gate
        return gate

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
            headers, token = self._who(scope)
            if path.endswith("/CreateObservations"):
                answer = await self._many(body, token, headers)
            else:
                answer = await self._one(body, token, headers, int(stream[1]) if stream else None)
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
        asked = _page(scope["query_string"]) if (stream := _OF_STREAM.fullmatch(scope["path"])) else None
        if stream is None or asked is None:
            await self.app(scope, receive, send)
            return
        number, (limit, offset, following) = int(stream[1]), asked
        try:
            headers, token = self._who(scope)
            self._check_read(token, number)
            rows = self.served.readings.newest(number, limit + 1, offset)
            told = observations(root := self._root(headers), rows.take(slice(0, limit)))
        except NotPlainError:
            await self.app(scope, receive, send)
            return
        more = b""
        if len(rows) > limit:
            address = b"%b/Datastreams(%d)/Observations?%b" % (root, number, following)
            more = b'"@iot.nextLink":"%b",' % address
        text = b'{%b"value":[%b]}' % (more, b",".join(told))
        await send({"type": "http.response.start", "status": 200, "headers": _headers(text)})
        await send({"type": "http.response.body", "body": text})

    def _check_read(self, token: bytes, stream: int) -> None:
        known = self._sender(token)
        may = known.readable.get(stream)
        if may is None:
            may = known.readable[stream] = self.served.taking.may_read(known.asker, stream)
        if not may:
            raise NotPlainError

    def _sender(self, token: bytes) -> _Known:
        known = self._known.get(token)
        now = time.monotonic()
        return self._asked(token, known, now) if known is None or now - known.at > TRUSTED else known

    def _who(self, scope: Scope) -> tuple[dict[bytes, bytes], bytes]:
        """Return the headers, and what the sender shows: a token, or nothing in open mode."""
        headers = dict(scope["headers"])
        shown = headers.get(b"authorization", b"")
        if not self.gate.entry.open:
            if shown[: len(BEARER)].lower() != BEARER.encode():
                raise NotPlainError
            return headers, shown[len(BEARER) :].strip()
        if ACTING.encode() in headers.get(b"cookie", b""):
            raise NotPlainError
        return headers, b""

    def _feature(self, token: bytes, stream: int) -> int:
        """Return the feature of interest of what a sender tells of a stream.

        Raises
        ------
        NotPlainError
            Where the sender may not write plain readings to it.

        """
        known = self._sender(token)
        feature = known.features.get(stream)
        if feature is None:
            feature = self.served.taking.feature_of(known.asker, stream)
            if feature is None:
                raise NotPlainError
            known.features[stream] = feature
        return feature

    def _asked(self, token: bytes, known: _Known | None, now: float) -> _Known:
        """Ask anew who a sender is; what it may is asked anew where anything changed."""
        try:
            self.gate.check_set_up()
            asker = (
                tokens.asker_of_token(self.gate.records, token.decode("latin-1")) if token else local_person()
            )
        except JingweiError:
            self._known.pop(token, None)
            raise NotPlainError from None
        policies = self.served.city.policies.current()
        state = (policies.version, policies.scope(asker), self.served.taking.changes)
        if known is not None and known.asker == asker and known.state == state and known.fresh > now:
            known.at = now
            return known
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[token] = known = _Known(now, now + FRESH, state, asker)
        return known

    async def _one(
        self, body: bytes, token: bytes, headers: dict[bytes, bytes], stream: int | None
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        sent = read_one(body)
        if (sent.stream is None) == (stream is None):
            raise NotPlainError
        stream = stream or (sent.stream.id if sent.stream else 0)
        feature = self._feature(token, stream)
        when = time.time_ns() // 1_000 if sent.when is None else micros(sent.when)
        told = None if sent.told is None else micros(sent.told)
        self.served.quotas.take(token, 1)
        receipt = await self.served.readings.append_async(
            Reading(stream, when, sent.result, result_time=told, feature=feature)
        )
        if receipt.refused:
            raise KeptApartError(receipt.refused[0])
        number = int(receipt.ids[0])
        root = self._root(headers)
        text = observation(
            root,
            number,
            msgspec.json.encode(text_of_instant(when) if sent.when is None else sent.when),
            msgspec.json.encode(sent.told),
            msgspec.json.encode(sent.result),
        )
        return _headers(text, b"%b/Observations(%d)" % (root, number)), text

    async def _many(
        self, body: bytes, token: bytes, headers: dict[bytes, bytes]
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        groups = read_groups(body)
        if not groups:
            raise NotPlainError
        features = [self._feature(token, stream) for stream, _, _ in groups]
        sizes = [len(times) for _, times, _ in groups]
        self.served.quotas.take(token, sum(sizes))
        batch = Batch(
            np.repeat(np.array([stream for stream, _, _ in groups], np.int64), sizes),
            np.concatenate([times for _, times, _ in groups]),
            np.concatenate([results for _, _, results in groups]),
            feature=np.repeat(np.array(features, np.int64), sizes),
        )
        receipt = await self.served.readings.append_async(batch)
        root = self._root(headers).decode("latin-1")
        told = [f'"{root}/Observations({number})"' for number in receipt.ids.tolist()]
        for refusal in receipt.refused:
            told[refusal.index] = '"error"'
        text = ("[" + ",".join(told) + "]").encode("latin-1")
        return _headers(text), text

    def _root(self, headers: dict[bytes, bytes]) -> bytes:
        """Return the address of the service as the client knows it."""
        address = self.gate.entry.address
        if address is not None:
            return address.rstrip("/").encode() + ROOT.encode()
        host = headers.get(b"host", b"")
        if not host or _TEXT.search(host):
            raise NotPlainError
        return b"%b://%b%b" % (b"https" if self.gate.entry.secure else b"http", host, ROOT.encode())


@lru_cache(maxsize=1_024)
def _page(options: bytes) -> tuple[int, int, bytes] | None:
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
