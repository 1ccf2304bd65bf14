"""Cases as feeds: Atom (RFC 4287) and RSS 2.0, written with nothing but what the public is told."""

from __future__ import annotations

from datetime import UTC
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from jingwei.cases.calendar import moment
from jingwei.cases.open311 import w3c
from jingwei.web.open311_xml import text_of
from jingwei.words import Language, Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jingwei.cases.public import Told

FEEDS = {"atom": "application/atom+xml; charset=utf-8", "rss": "application/rss+xml; charset=utf-8"}
PAGE = "/report/around"
"""The public's page of cases."""
_TITLE = Text("城市管理案件", "cases of the city")
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


def feed_of(form: str, told: Sequence[Told], *, title: str, root: str, own: str, language: Language) -> bytes:
    """Return a feed of cases, the newest first.

    Parameters
    ----------
    form
        `atom` or `rss`.
    told
        The cases.
    title
        The city's name.
    root, own
        The addresses of the city and of the feed itself.
    language
        Of the reader.

    """
    named = f"{title} · {_TITLE.in_language(language)}"
    entries = "".join((_entry if form == "atom" else _item)(one, root, language) for one in told)
    newest = max((one.changed for one in told), default=0)
    if form == "atom":
        body = (
            f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{language}"><id>{text_of(own)}</id>'
            f"<title>{text_of(named)}</title><updated>{w3c(newest)}</updated><author><name>{text_of(title)}</name>"
            f'</author><link rel="self" href={quoteattr(own)}/><link href={quoteattr(root + PAGE)}/>'
            f"{entries}</feed>\n"
        )
    else:
        body = (
            '<rss version="2.0" xmlns:georss="http://www.georss.org/georss" xmlns:atom="http://www.w3.org/2005/Atom">'
            f"<channel><title>{text_of(named)}</title><link>{text_of(root)}{PAGE}</link>"
            f"<description>{text_of(named)}</description><language>{language}</language>"
            f'<atom:link rel="self" href={quoteattr(own)} type="application/rss+xml"/>'
            f"{entries}</channel></rss>\n"
        )
    return (_HEAD + body).encode()


def _said(one: Told, language: Language) -> tuple[str, str]:
    title = f"{one.type_name.in_language(language)} · {one.state.in_language(language)}"
    return title, "\n".join(part for part in (one.words, one.office) if part)


def _entry(one: Told, root: str, language: Language) -> str:
    title, words = _said(one, language)
    host = urlsplit(root).hostname or "city"
    point = (
        f"<georss:point xmlns:georss='http://www.georss.org/georss'>{_point(one)}</georss:point>"
        if one.lat
        else ""
    )
    return (
        f"<entry><id>tag:{text_of(host)},2026:case/{text_of(one.number)}</id><title>{text_of(title)}</title>"
        f"<updated>{w3c(one.changed)}</updated><published>{w3c(one.reported)}</published>"
        f"<link href={quoteattr(f'{root}{PAGE}/{one.number}')}/>"
        f"<summary>{text_of(words)}</summary>{point}</entry>"
    )


def _item(one: Told, root: str, language: Language) -> str:
    title, words = _said(one, language)
    when = format_datetime(moment(one.reported).astimezone(UTC), usegmt=True)
    point = f"<georss:point>{_point(one)}</georss:point>" if one.lat else ""
    return (
        f"<item><title>{text_of(title)}</title><link>{text_of(root)}{PAGE}/{text_of(one.number)}</link>"
        f'<guid isPermaLink="false">{text_of(one.number)}</guid><pubDate>{when}</pubDate>'
        f"<description>{text_of(words)}</description>{point}</item>"
    )


def _point(one: Told) -> str:
    return f"{one.lat:.6f} {one.lon:.6f}"
