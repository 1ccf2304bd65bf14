"""The one log: whatever changes the city's record is an event, appended with the change itself."""

from jingwei.ledger.schemas import Field, declare, event_types, events_page
from jingwei.ledger.service import (
    Entry,
    append,
    append_many,
    correct,
    entries,
    entry_at,
    erase,
    events_of,
    of_types,
    search,
    size,
    telling,
)

__all__ = [
    "Entry",
    "Field",
    "append",
    "append_many",
    "correct",
    "declare",
    "entries",
    "entry_at",
    "erase",
    "event_types",
    "events_of",
    "events_page",
    "of_types",
    "search",
    "size",
    "telling",
]
