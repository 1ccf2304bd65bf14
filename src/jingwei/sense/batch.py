"""Batches: several requests in one, as multipart (18-088, 10.6) or as JSON (OData 4.01, 19)."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import Message
from email.policy import HTTP
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import msgspec

from jingwei.errors import BadRequestError, JingweiError
from jingwei.sense.asking import Bare
from jingwei.sense.errors import BadEntityError
from jingwei.sense.service import Answered, Asked, Sensing
from jingwei.sense.writing import Writing, finish
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.access import Asker

MOST = 5_000
"""Requests in one batch."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_REFERENCE = re.compile(r"\$([\w-]+)")

Refuse = Callable[[JingweiError], Answered]
"""Tells an error as the body of an answer."""


class BadBatchError(BadRequestError):
    """A batch cannot be read."""

    code = "sense-batch"


def _fault(zh: str, en: str) -> BadBatchError:
    return BadBatchError(Text(zh, en))


@dataclass(frozen=True, slots=True)
class Part:
    """One request of a batch: its name, and the group with which it is done or not done."""

    name: str
    asked: Asked
    group: str = ""


@dataclass
class Batch:
    """Runs the requests of a batch in their order; what fails does not stop the others.

    Parameters
    ----------
    sensing, asker, root
        The service, who asks, and the address of the service.
    refuse
        Tells an error as an answer.
    count
        Takes what a request would create out of the quota of who asks; raises where it is not in it.

    """

    sensing: Sensing
    asker: Asker
    root: str
    refuse: Refuse
    count: Callable[[Asked], None] = lambda _: None
    known: dict[str, tuple[str, int]] = field(default_factory=dict)
    """The set and id of each entity that was made, by the name of the request that made it."""

    def run(self, parts: Sequence[Part]) -> Iterator[list[tuple[Part, Answered]]]:
        """Yield the answers, those of a group together."""
        for together in _grouped(parts):
            if together[0].group:
                yield self._group(together)
            else:
                yield [(one, self._single(one)) for one in together]

    def _single(self, part: Part) -> Answered:
        try:
            asked = self._resolved(part.asked)
            if asked.method == "GET":
                return self.sensing.ask(self.asker, asked, self.root)
            self.count(asked)
            answered = self.sensing.change(self.asker, asked, self.root)
        except JingweiError as error:
            return self.refuse(error)
        self._remember(part, answered)
        return answered

    def _group(self, parts: Sequence[Part]) -> list[tuple[Part, Answered]]:
        """Do the requests of a group in one transaction: all of them, or none."""
        failed: tuple[Part, JingweiError] | None = None
        before = dict(self.known)
        done = []
        part = parts[0]
        try:
            with self.sensing.records.write() as session:
                writing = Writing(self.sensing.sight(session, self.asker), self.sensing.readings)
                for part in parts:
                    asked = self._resolved(part.asked)
                    if asked.method == "GET":
                        raise _fault("变更集中不能有 GET", "a change set has no GET.")
                    self.count(asked)
                    one = self.sensing.do(writing, asked)
                    done.append((part, one))
                    if one.id and asked.method == "POST":
                        self.known[part.name] = (one.entity.collection, one.id)
            ids = finish(writing.after, self.sensing.readings)
        except JingweiError as error:
            failed = (part, error)
        if failed is None:
            return [(part, self.sensing.told(self.asker, one, ids, self.root)) for part, one in done]
        self.known = before
        return [
            (one, self.refuse(failed[1]) if one is failed[0] else Answered(HTTPStatus.FAILED_DEPENDENCY))
            for one in parts
        ]

    def _remember(self, part: Part, answered: Answered) -> None:
        address = answered.headers.get("Location", "")
        found = re.fullmatch(r".*/(\w+)\((\d+)\)", address)
        if found:
            self.known[part.name] = (found[1], int(found[2]))

    def _resolved(self, asked: Asked) -> Asked:
        """Put the ids of what was made before in place of references to it."""
        path = asked.path
        head, slash, rest = path.strip("/").partition("/")
        if head.startswith("$") and head[1:] in self.known:
            name, identifier = self.known[head[1:]]
            path = f"{name}({identifier}){slash}{rest}"
        return replace(asked, path=path, body=self._body(asked.body))

    def _body(self, body: Any) -> Any:
        if isinstance(body, list):
            return [self._body(one) for one in body]
        if not isinstance(body, dict):
            return body
        return {
            name: self._referred(one) if name == "@iot.id" else self._body(one) for name, one in body.items()
        }

    def _referred(self, value: Any) -> Any:
        found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            return value
        if found[1] not in self.known:
            raise BadEntityError("@iot.id", Text(f"没有请求 {value}", f"no request {value} made anything."))
        return self.known[found[1]][1]


def _grouped(parts: Iterable[Part]) -> Iterator[list[Part]]:
    together: list[Part] = []
    for part in parts:
        if together and (part.group != together[0].group or not part.group):
            yield together
            together = []
        together.append(part)
    if together:
        yield together


def address_in(url: str, root: str) -> tuple[str, str]:
    """Return the path below the root, decoded, and the options of an address as a batch writes it.

    `/v1.1/Things` is below the root wherever that is, as in the examples of 18-088, 11.2.
    """
    split = urlsplit(url)
    path = unquote(split.path)
    base = urlsplit(root).path
    for start in (base, base[base.rfind("/") :]):
        if path.startswith(start + "/") or path == start:
            path = path[len(start) :]
            break
    return path.strip("/"), split.query


# JSON


def run_json(batch: Batch, body: Any) -> dict[str, Any]:
    """Run a JSON batch; return its answer."""
    listed = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(listed, list) or len(listed) > MOST:
        raise _fault(f"应有 requests 数组，至多 {MOST} 项", f"“requests” is an array of at most {MOST}.")
    parts = [_json_part(one, number, batch.root) for number, one in enumerate(listed)]
    told = []
    for group in batch.run(parts):
        for part, answered in group:
            one: dict[str, Any] = {"id": part.name, "status": int(answered.status)}
            if "Location" in answered.headers:
                one["location"] = answered.headers["Location"]
            if answered.body is not None:
                bare = isinstance(answered.body, Bare)
                one["body"] = answered.body.value if bare else answered.body
            told.append(one)
    return {"responses": told}


def _json_part(one: Any, number: int, root: str) -> Part:
    if not isinstance(one, dict) or not isinstance(one.get("url"), str):
        raise _fault(f"第 {number + 1} 个请求缺少 url", f"request {number + 1} has no “url”.")
    method = str(one.get("method", "")).upper()
    if method not in METHODS:
        raise _fault(f"第 {number + 1} 个请求的方法不对", f"request {number + 1} has no such method.")
    headers: Any = one.get("headers")
    headers = headers if isinstance(headers, dict) else {}
    media = next((str(value) for name, value in headers.items() if name.lower() == "content-type"), "")
    path, options = address_in(one["url"], root)
    name, group = str(one.get("id", number)), str(one.get("atomicityGroup") or "")
    return Part(name, Asked(method, path, options, one.get("body"), media), group)


# multipart


def run_multipart(batch: Batch, media_type: str, raw: bytes) -> tuple[str, bytes]:
    """Run a multipart batch; return the media type and the bytes of its answer."""
    parts = list(_parts(_message(media_type, raw), batch.root))
    if len(parts) > MOST:
        raise _fault(f"至多 {MOST} 个请求", f"a batch has at most {MOST} requests.")
    pieces = []
    for group in batch.run(parts):
        if group[0][0].group:
            boundary = f"changeset_{secrets.token_hex(8)}"
            inner = _joined([_written(part, one) for part, one in group], boundary)
            pieces.append(f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n".encode() + inner)
        else:
            pieces += [_written(part, one) for part, one in group]
    boundary = f"batch_{secrets.token_hex(8)}"
    return f"multipart/mixed; boundary={boundary}", _joined(pieces, boundary)


def _message(media_type: str, raw: bytes) -> Message:
    message = message_from_bytes(
        f"Content-Type: {media_type}\r\n\r\n".encode("latin-1", "replace") + raw, policy=HTTP
    )
    if not message.is_multipart():
        raise _fault("不是 multipart/mixed", "this is no multipart/mixed with its boundary.")
    return message


def _parts(message: Message, root: str, group: str = "") -> Iterator[Part]:
    for number, piece in enumerate(_pieces(message)):
        if piece.get_content_type() == "multipart/mixed" and not group:
            yield from _parts(piece, root, f"changeset-{number}")
            continue
        if piece.get_content_type() != "application/http":
            raise _fault("每部分应为 application/http", "each part is application/http.")
        name = str(piece.get("Content-ID", f"{group}#{number}")).strip("<> ")
        yield Part(name, _http(_bytes(piece), root), group)


def _pieces(message: Message) -> list[Message]:
    found = message.get_payload()
    return [one for one in found if isinstance(one, Message)] if isinstance(found, list) else []


def _bytes(piece: Message) -> bytes:
    found = piece.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _http(raw: bytes, root: str) -> Asked:
    head, _, body = raw.lstrip().replace(b"\r\n", b"\n").partition(b"\n\n")
    first, *lines = head.decode("utf-8", "replace").split("\n")
    words = first.split()
    if len(words) < 2 or words[0].upper() not in METHODS:
        raise _fault(f"读不出请求行“{first[:80]}”", f"the request line “{first[:80]}” cannot be read.")
    # A filter may hold blanks that were not encoded.
    url = " ".join(words[1:-1]) if words[-1].upper().startswith("HTTP/") else " ".join(words[1:])
    headers = _headers(lines)
    path, options = address_in(url, root)
    return Asked(words[0].upper(), path, options, _json(body), headers.get("content-type", ""))


def _headers(lines: Iterable[str]) -> Mapping[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _json(body: bytes) -> Any:
    if not body.strip():
        return None
    try:
        return msgspec.json.decode(body.strip())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _fault("某个请求的正文不是 JSON", "the body of a request is not JSON.") from None


def _written(part: Part, answered: Answered) -> bytes:
    status = HTTPStatus(answered.status)
    lines = [
        "Content-Type: application/http",
        f"Content-ID: {part.name}",
        "",
        f"HTTP/1.1 {status.value} {status.phrase}",
    ]
    lines += [f"{name}: {value}" for name, value in answered.headers.items()]
    body = b""
    if answered.body is not None:
        value = answered.body.value if isinstance(answered.body, Bare) else answered.body
        body = json.dumps(value, ensure_ascii=False).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _joined(pieces: Iterable[bytes], boundary: str) -> bytes:
    mark = f"--{boundary}".encode()
    return b"".join(mark + b"\r\n" + piece + b"\r\n" for piece in pieces) + mark + b"--\r\n"
