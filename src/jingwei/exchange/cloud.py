"""Events of the log as CloudEvents 1.0, in structured mode (JSON event format)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jingwei.ledger import Entry

MEDIA_TYPE = "application/cloudevents+json; charset=UTF-8"
PREFIX = "jingwei."


def event_of(entry: Entry, source: str, *, whole: bool) -> dict[str, Any]:
    """Return an event as others are told it.

    Parameters
    ----------
    entry
        The event.
    source
        Which city tells it, as a URI.
    whole
        Whether who did it and its data are told, too.

    """
    told: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(entry.position),
        "source": source,
        "type": PREFIX + entry.type,
        "time": entry.time.isoformat(),
        "sequence": f"{entry.position:020}",
    }
    if entry.subject:
        told["subject"] = entry.subject
    if whole:
        told |= {"datacontenttype": "application/json", "data": entry.data}
        if entry.actor:
            told["actor"] = entry.actor
    return told


def body_of(event: dict[str, Any]) -> bytes:
    """Return the bytes that are sent and signed."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
