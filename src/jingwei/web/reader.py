"""Who reads: the asker and the language of a request, each decided in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from jingwei.access import Asker
from jingwei.words import LANGUAGES, Language, language_of_header

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from jingwei.web.gate import Gate


def asker_of(request: Request) -> Asker:
    """Return on whose behalf the request asks; the one place where this is decided."""
    gate: Gate = request.app.state.gate
    return gate.asker_of(request)


def language_of(request: HTTPConnection) -> Language:
    """Return the reader's language: `?lang=zh|en` if given, else the `Accept-Language` header."""
    wanted = request.query_params.get("lang")
    for language in LANGUAGES:
        if wanted == language:
            return language
    return language_of_header(request.headers.get("accept-language"))


def _language_of_request(request: Request) -> Language:
    return language_of(request)


AskerOf = Annotated[Asker, Depends(asker_of)]
LanguageOf = Annotated[Language, Depends(_language_of_request)]
