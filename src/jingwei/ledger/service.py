"""Appending to the log and reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei.ledger.models import Event
from jingwei.records import now_utc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


def append(session: Session, type_: str, *, actor: str, subject: str, data: dict[str, Any]) -> Event:
    """Append an event within the caller's transaction.

    Parameters
    ----------
    session
        The session of the change that this event tells of; both are committed together or not at all.
    type_
        What happened, as `part.past_participle` (`dataset.published`).
    actor
        Identifier of the person or program that did it.
    subject
        Identifier of what it was done to (`dataset/bus_stops`).
    data
        The facts of the event: JSON values only, never personal data.

    """
    event = Event(type=type_, time=now_utc(), actor=actor, subject=subject, data=data)
    session.add(event)
    return event


def events_of(session: Session, subject: str, *, limit: int = 100) -> Sequence[Event]:
    """Return the newest events of `subject`, newest first."""
    question = select(Event).where(Event.subject == subject).order_by(Event.id.desc()).limit(limit)
    return session.scalars(question).all()
