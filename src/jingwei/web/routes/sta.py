"""OGC SensorThings API 1.1 over HTTP: every resource by its path; `jingwei.sense.service` answers."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from jingwei.access import tokens
from jingwei.errors import BadRequestError, JingweiError
from jingwei.records import now_utc
from jingwei.sense import policy
from jingwei.sense.asking import Bare
from jingwei.sense.batch import Batch, Refuse, run_json, run_multipart
from jingwei.sense.service import Answered, Asked, Sensing
from jingwei.web.gate import BEARER
from jingwei.web.policies import filtered
from jingwei.web.problems import problem_of
from jingwei.web.reader import AskerOf, language_of
from jingwei.words import Text

ROOT = "/sta/v1.1"
MOST_BYTES = 64 << 20
"""Bytes of a body with many observations."""
UPLOADS = {f"{ROOT}/{name}": MOST_BYTES for name in ("Observations", "CreateObservations", "$batch")}

router = APIRouter(prefix=ROOT, tags=["sense"], include_in_schema=False)


class BadJsonError(BadRequestError):
    """A body is not JSON."""

    code = "bad-json"

    def __init__(self, why: str) -> None:
        super().__init__(Text(f"正文不是有效的 JSON：{why}", f"The body is not JSON: {why}"))


def sensing_of(request: Request) -> Sensing:
    """Return the service over the open city."""
    found: Sensing = request.app.state.sensing
    return found


def root_of_request(request: Request) -> str:
    """Return the address of the service as the client knows it."""
    return base_of_request(request) + ROOT


def base_of_request(request: Request) -> str:
    """Return the address of the city as the client knows it, without a slash at its end."""
    address: str | None = request.app.state.gate.entry.address
    return (address or str(request.base_url)).rstrip("/")


def written(answered: Answered) -> Response:
    """Return an answer as HTTP carries it."""
    body, headers = answered.body, answered.headers
    if body is None:
        return Response(status_code=answered.status, headers=headers)
    if isinstance(body, Bare):
        if isinstance(body.value, str):
            return Response(body.value, media_type="text/plain", headers=headers)
        return Response(json_of(body.value), media_type="application/json", headers=headers)
    return Response(json_of(body), answered.status, headers, media_type="application/json")


def json_of(value: Any) -> bytes:
    """Return JSON, numbers of any size included."""
    return msgspec.json.encode(value)


def body_of(raw: bytes) -> Any:
    """Return the JSON of a body.

    Raises
    ------
    BadJsonError

    """
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadJsonError(str(error)[:200]) from None
    except UnicodeDecodeError:
        raise BadJsonError("UTF-8") from None


def text_of(raw: bytes) -> str:
    """Return a body of plain text.

    Raises
    ------
    BadJsonError
        Where it is not UTF-8.

    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise BadJsonError("UTF-8") from None


@router.get("", dependencies=[filtered(policy.READ)])
@router.get("/{path:path}", dependencies=[filtered(policy.READ)])
@router.head("", dependencies=[filtered(policy.READ)])
@router.head("/{path:path}", dependencies=[filtered(policy.READ)])
async def ask(request: Request, asker: AskerOf, path: str = "") -> Response:
    """Answer for a set, an entity, a property or addresses: those that the policies show the asker."""
    asked = Asked("GET", path, request.scope["query_string"].decode("latin-1"))
    return written(await run_in_threadpool(sensing_of(request).ask, asker, asked, root_of_request(request)))


@router.post("/$batch", dependencies=[filtered(policy.READ)])
async def run_batch(request: Request, asker: AskerOf) -> Response:
    """Run several requests: as multipart/mixed, or as JSON."""
    raw, media_type = await request.body(), request.headers.get("content-type", "")
    batch = Batch(
        sensing_of(request),
        asker,
        root_of_request(request),
        _refusal(request),
        lambda asked: _count(request, readings_in(asked.method, asked.path, asked.body)),
    )
    return await run_in_threadpool(_ran, batch, media_type, raw)


def _ran(batch: Batch, media_type: str, raw: bytes) -> Response:
    if media_type.startswith("multipart/"):
        told_as, told = run_multipart(batch, media_type, raw)
        return Response(told, media_type=told_as)
    return Response(json_of(run_json(batch, body_of(raw))), media_type="application/json")


def _refusal(request: Request) -> Refuse:
    """Return what tells an error of a part as a problem in the reader's language."""

    def refuse(error: JingweiError) -> Answered:
        problem = problem_of(error, language_of(request), request.url.path)
        return Answered(problem.status, problem.model_dump(exclude_none=True, mode="json"))

    return refuse


@router.post("/{path:path}", dependencies=[filtered(policy.WRITE)])
@router.put("/{path:path}", dependencies=[filtered(policy.WRITE)])
@router.patch("/{path:path}", dependencies=[filtered(policy.WRITE)])
@router.delete("/{path:path}", dependencies=[filtered(policy.WRITE)])
async def change(request: Request, asker: AskerOf, path: str) -> Response:
    """Create, change or delete what the policies let the asker."""
    raw = await request.body()

    def work() -> Response:
        asked = asked_of(request, path, raw)
        return written(sensing_of(request).change(asker, asked, root_of_request(request)))

    return await run_in_threadpool(work)


def asked_of(request: Request, path: str, raw: bytes) -> Asked:
    """Return what is to be changed, once the readings in it are taken out of the quota of who sends them.

    Raises
    ------
    BadJsonError, TooOftenError

    """
    media_type = request.headers.get("content-type", "")
    body: Any = None
    if path.endswith("/$value") and media_type.startswith("text/plain"):
        body = text_of(raw)
    elif request.method != "DELETE":
        body = body_of(raw)
    created = readings_in(request.method, path, body)
    if created:
        _count(request, created)
    options = request.scope["query_string"].decode("latin-1")
    return Asked(request.method, path, options, body, media_type)


def _count(request: Request, readings: int) -> None:
    """Take readings out of the quota of who sends them, as the quick door does.

    Raises
    ------
    TooOftenError
        Where so many are not in it.

    """
    if not readings:
        return
    served = request.app.state
    shown, number = request.headers.get("authorization", ""), ""
    if not served.gate.entry.open and shown[: len(BEARER)].lower() == BEARER:
        with served.gate.records.read() as session:
            token = shown[len(BEARER) :].strip()
            number = tokens.standing_of_token(session, token, now_utc()).id
    served.quotas.take(number, readings)


def readings_in(method: str, path: str, body: Any) -> int:
    """Return how many observations a request is to create, those inside new entities too."""
    if method != "POST":
        return 0
    name = path.rstrip("/").rpartition("/")[2]
    if name not in ("Observations", "CreateObservations"):
        return _inside(body)
    if not isinstance(body, list):
        return 1
    groups = [one.get("dataArray") for one in body if isinstance(one, dict)]
    arrays = [one for one in groups if isinstance(one, list)]
    return sum(map(len, arrays)) if name == "CreateObservations" else len(body)


def _inside(body: Any) -> int:
    """Return how many observations stand inside entities that are sent, at any depth."""
    found, left = 0, [body]
    while left:
        one = left.pop()
        if isinstance(one, list):
            left += one
        elif isinstance(one, dict):
            observed = one.get("Observations")
            found += len(observed) if isinstance(observed, list) else 0
            left += [
                one[name]
                for name in ("Datastreams", "MultiDatastreams", "Things", "Datastream")
                if name in one
            ]
    return found
