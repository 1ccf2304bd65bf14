"""The one log: whatever changes the city's record is an event, appended with the change itself."""

from jingwei.ledger.service import append, events_of

__all__ = ["append", "events_of"]
