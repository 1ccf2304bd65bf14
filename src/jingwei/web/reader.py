"""Who reads: the asker and the language of a request, each decided in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from jingwei.access import Asker, local_person
from jingwei.words import LANGUAGES, Language, language_of_header

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection


def asker_of(request: Request) -> Asker:  # noqa: ARG001 -- a sign-in will read the request
    """Return on whose behalf the request asks: the one person at this machine."""
    return local_person()


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
