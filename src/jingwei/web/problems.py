"""Errors as problem details (RFC 9457) in the reader's language; never a stack trace."""

from __future__ import annotations

import json
import logging
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException

from jingwei.errors import JingweiError
from jingwei.grid import GridError
from jingwei.web import grid_words
from jingwei.web.reader import language_of
from jingwei.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUS_WORDS: dict[int, tuple[str, Text, Text]] = {
    400: ("bad-request", Text("请求有误", "The request is malformed"), Text("")),
    404: ("not-found", Text("没有这个地址", "There is nothing at this address"), Text("")),
    405: ("method", Text("这个地址不接受这种操作", "This address does not take this method"), Text("")),
    406: ("not-acceptable", Text("不能以这种格式回答", "This format is not offered"), Text("")),
    413: ("too-large", Text("请求太大", "The request is too large"), Text("请分小份。", "Send less.")),
    422: ("invalid", Text("请求里有不能接受的值", "Some values cannot be taken"), Text("")),
    500: (
        "internal",
        Text("服务器出了意外", "Something unexpected went wrong in the server"),
        Text("请把编号告诉管理员。", "Give the reference to your administrator."),
    ),
}  # fmt: skip

VALUE_WORDS: dict[str, Text] = {
    "missing": Text("缺少这一项", "is required"),
    "int_parsing": Text("应为整数", "must be a whole number"),
    "float_parsing": Text("应为数字", "must be a number"),
    "finite_number": Text("应为有限的数", "must be a finite number"),
    "bool_parsing": Text("应为 true 或 false", "must be true or false"),
    "greater_than_equal": Text("不得小于 {ge}", "must be at least {ge}"),
    "less_than_equal": Text("不得大于 {le}", "must be at most {le}"),
    "greater_than": Text("应大于 {gt}", "must be greater than {gt}"),
    "less_than": Text("应小于 {lt}", "must be less than {lt}"),
    "string_too_short": Text("至少 {min_length} 个字符", "needs at least {min_length} characters"),
    "string_too_long": Text("至多 {max_length} 个字符", "takes at most {max_length} characters"),
    "too_short": Text("至少 {min_length} 项", "needs at least {min_length} items"),
    "too_long": Text("至多 {max_length} 项", "takes at most {max_length} items"),
    "string_pattern_mismatch": Text("写法不对，应符合 {pattern}", "must match {pattern}"),
    "literal_error": Text("只能是 {expected}", "must be {expected}"),
    "enum": Text("只能是 {expected}", "must be {expected}"),
    "json_invalid": Text("不是有效的 JSON：{error}", "is not valid JSON: {error}"),
    "extra_forbidden": Text("没有这一项", "is not a known field"),
    "datetime_from_date_parsing": Text("应为 ISO 8601 时间", "must be an ISO 8601 time"),
    "timezone_aware": Text("时间应带时区", "must name its time zone"),
    "datetime_parsing": Text("应为 ISO 8601 时间", "must be an ISO 8601 time"),
}
ANY_VALUE = Text("不能接受这个值", "cannot be taken")


class FieldFault(BaseModel):
    """What is wrong with one value of a request."""

    field: str = Field(description="Where the value stands, as `query.limit` or `body.region`")
    message: str


class Problem(BaseModel):
    """A problem by RFC 9457, with what an integrator needs to act on it."""

    type: str = Field(examples=["urn:jingwei:problem:not-found"])
    title: str
    status: int
    detail: str | None = None
    instance: str | None = None
    code: str = Field(description="Stable name of the error, the same in every language")
    mend: str | None = Field(default=None, description="What to do about it")
    where: dict[str, Any] | None = Field(default=None, description="The place of the fault")
    faults: list[FieldFault] | None = None
    reference: str | None = Field(default=None, description="Names the entry in the server's log")


def _answer(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    body = problem.model_dump(exclude_none=True)
    return Response(
        json.dumps(body, ensure_ascii=False, default=str),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={"Vary": "Accept-Language", "Cache-Control": "no-store", **(headers or {})},
    )


def problem_of(error: JingweiError, language: Language, path: str) -> Problem:
    """Return the problem that tells a reader of `language` about `error`."""
    return Problem(
        type=f"urn:jingwei:problem:{error.code}",
        title=error.what.in_language(language),
        status=error.status,
        instance=path,
        code=error.code,
        mend=error.mend.in_language(language) if error.mend else None,
        where=error.where or None,
    )


def _problem_of_status(status: int, language: Language, path: str) -> Problem:
    fallback = (f"http-{status}", Text(HTTPStatus(status).phrase, HTTPStatus(status).phrase), Text(""))
    code, title, mend = STATUS_WORDS.get(status, fallback)
    return Problem(
        type=f"urn:jingwei:problem:{code}",
        title=title.in_language(language),
        status=status,
        instance=path,
        code=code,
        mend=mend.in_language(language) or None,
    )


def _faults(errors: Sequence[Any], language: Language) -> list[FieldFault]:
    faults = []
    for error in errors[:20]:
        words = VALUE_WORDS.get(error["type"], ANY_VALUE).in_language(language)
        context = {name: str(value) for name, value in error.get("ctx", {}).items()}
        try:
            message = words.format(**context)
        except (KeyError, IndexError):
            message = ANY_VALUE.in_language(language)
        faults.append(FieldFault(field=".".join(str(part) for part in error["loc"]), message=message))
    return faults


async def _on_jingwei_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, JingweiError)  # noqa: S101
    return answer_to(request, error)


def answer_to(request: Request, error: JingweiError) -> Response:
    """Return the answer to a request that `error` ends."""
    return _answer(problem_of(error, language_of(request), request.url.path), _headers(error))


def _headers(error: JingweiError) -> dict[str, str]:
    """Return the headers that RFC 9110 wants with a status: how to ask, and when again."""
    if error.status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    if error.status == HTTPStatus.TOO_MANY_REQUESTS and "seconds" in error.where:
        return {"Retry-After": str(error.where["seconds"])}
    if "retry_after" in error.where:
        return {"Retry-After": str(error.where["retry_after"])}
    return {}


async def _on_grid_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, GridError)  # noqa: S101
    language = language_of(request)
    problem = Problem(
        type=f"urn:jingwei:problem:{error.code}",
        title=grid_words.title_of(error).in_language(language),
        status=400,
        detail=grid_words.reason_of(error).in_language(language),
        instance=request.url.path,
        code=error.code,
        where=grid_words.place_of(error),
    )
    return _answer(problem)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    problem = _problem_of_status(error.status_code, language_of(request), request.url.path)
    return _answer(problem, dict(error.headers or {}))


OGC = "/api/dggs-api"
"""Below it a wrong parameter is answered with 400 (OGC API - Common 1.0, 19-072, 7.5)."""


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    language = language_of(request)
    status = 400 if request.url.path.startswith(OGC) else 422
    problem = _problem_of_status(status, language, request.url.path)
    faults = _faults(error.errors(), language)
    problem.faults = faults
    problem.detail = "; ".join(f"{fault.field}: {fault.message}" for fault in faults)
    return _answer(problem)


async def _on_unstorable(request: Request, error: Exception) -> Response:
    """Answer for values that the record store has no form for, such as a text with a null character."""
    log.info("%s %s: %s", request.method, request.url.path, type(error).__name__)
    return _answer(_problem_of_status(422, language_of(request), request.url.path))


async def _on_surprise(request: Request, error: Exception) -> Response:
    problem = _problem_of_status(500, language_of(request), request.url.path)
    problem.reference = secrets.token_hex(4)
    log.error("%s: %s %s", problem.reference, request.method, request.url.path, exc_info=error)
    return _answer(problem)


def install(app: FastAPI) -> None:
    """Answer every error of `app` as a problem."""
    app.add_exception_handler(JingweiError, _on_jingwei_error)
    app.add_exception_handler(GridError, _on_grid_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(DataError, _on_unstorable)
    app.add_exception_handler(Exception, _on_surprise)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses of a route that may answer with problems of these statuses."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }
