"""XML as Open311 writes it: one element for each field, empty where nothing is known, text escaped."""

from __future__ import annotations

import re
from typing import Any
from xml.sax.saxutils import escape

ITEMS = {
    "services": "service",
    "service_requests": "request",
    "errors": "error",
    "endpoints": "endpoint",
    "formats": "format",
    "attributes": "attribute",
    "values": "value",
    "service_request_updates": "request_update",
}
"""What the elements of a list are called."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no form for (2.2)."""


def document(name: str, content: Any) -> bytes:
    """Return plain data (lists, dictionaries, texts, numbers) as an XML document in UTF-8."""
    body = _NOT_XML.sub("", _element(name, content))  # once: of a thousand requests it is half the work
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'.encode()


def _element(name: str, content: Any) -> str:
    if isinstance(content, dict):
        inner = "".join(_element(key, value) for key, value in content.items())
    elif isinstance(content, list):
        inner = "".join(_element(ITEMS[name], value) for value in content)
    else:
        inner = _plain(content)
    return f"<{name}>{inner}</{name}>"


def text_of(value: Any) -> str:
    """Return a value as the text of an element: escaped, and without what XML has no form for."""
    return _NOT_XML.sub("", _plain(value))


def _plain(value: Any) -> str:
    """Return a value as escaped text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value))
