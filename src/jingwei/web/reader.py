"""Who reads: the asker and the language of a request, each decided in one place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from jingwei.access import Asker
from jingwei.web.gate import Gate
from jingwei.words import LANGUAGES, Language, language_of_header

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection


PURPOSE = "jingwei-purpose"
"""The header in which a page or program says what it asks for, as percent-encoded UTF-8."""
MAX_PURPOSE = 200


async def asker_of(request: Request) -> Asker:
    """Return on whose behalf and what for the request asks; the one place where this is decided."""
    gate = gate_of(request)
    asker = gate.asker_without_asking(request)
    if asker is None:
        asker = await run_in_threadpool(gate.asker_of, request)
    return replace(asker, purpose=_purpose_of(request))


def still_asker_of(request: Request) -> Asker:
    """Return the same of a request that goes on, without taking that for a sign of life of the person."""
    return replace(gate_of(request).asker_of(request, touch=False), purpose=_purpose_of(request))


async def _gate_of_request(request: Request) -> Gate:
    return gate_of(request)


def gate_of(request: Request) -> Gate:
    """Return the gate through which people come in."""
    gate: Gate = request.app.state.gate
    return gate


def _purpose_of(request: Request) -> str:
    """Return the stated purpose; a filter of a page's links may state it as `?purpose=`."""
    stated = unquote(request.headers.get(PURPOSE, "")) or request.query_params.get("purpose", "")
    return " ".join(stated.split())[:MAX_PURPOSE]


def language_of(request: HTTPConnection) -> Language:
    """Return the reader's language: `?lang=zh|en` if given, else the `Accept-Language` header."""
    wanted = request.query_params.get("lang")
    for language in LANGUAGES:
        if wanted == language:
            return language
    return language_of_header(request.headers.get("accept-language"))


async def _language_of_request(request: Request) -> Language:
    return language_of(request)


GateOf = Annotated[Gate, Depends(_gate_of_request)]
AskerOf = Annotated[Asker, Depends(asker_of)]
LanguageOf = Annotated[Language, Depends(_language_of_request)]
