"""Of what new events spoke, for who keeps in memory what follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, bindparam, func, literal, null, select, union_all

from jingwei.ledger.models import Event, Head

if TYPE_CHECKING:
    from collections.abc import Collection

    from jingwei.records import Records

NEVER = 1 << 62
MOST_TOLD = 1_000
"""New events that are told one by one; of more it is only said that there were."""


class News:
    """Tells of what the new events of some types spoke.

    Who keeps much that follows from events lets go of what these subjects name, and of nothing else. What
    was committed before the question is told with its answer, sealed or not; on PostgreSQL, where a smaller
    number may be committed after a greater one, such an event is told at the latest when it is sealed.
    However long the log is, the question costs what is new.

    Parameters
    ----------
    records
        The record store, with the log.
    types
        Of events.
    but
        How the subjects begin of events that are no news.

    """

    def __init__(self, records: Records, types: Collection[str], *, but: str | None = None) -> None:
        self._records = records
        asked = select(Event.position, Event.id, Event.subject).where(Event.type.in_(types))
        if but is not None:
            asked = asked.where(Event.subject.not_like(f"{but}%"))
        number = bindparam("number", type_=BigInteger)
        position = bindparam("position", type_=BigInteger)
        sealed = asked.where(Event.position >= position).limit(MOST_TOLD + 1).subquery()
        waiting = asked.where(Event.position.is_(None), Event.id > number).limit(MOST_TOLD + 1).subquery()
        size, last = select(Head.size).scalar_subquery(), select(func.max(Event.id)).scalar_subquery()
        self._question = union_all(
            select(literal(False), size, last, null()),  # noqa: FBT003 -- a value, no option
            select(literal(True), sealed.c.position, sealed.c.id, sealed.c.subject),  # noqa: FBT003
            select(literal(True), waiting.c.position, waiting.c.id, waiting.c.subject),  # noqa: FBT003
        )
        self._state: int | None = None
        self._known: tuple[int, int] | None = None
        self._told: set[int] = set()

    def subjects(self) -> frozenset[str] | None:
        """Return of what there was news since this was last asked; None where all may have changed.

        The first answer is None: what is read after it is as new as it is.
        """
        state = self._records.state()
        if self._known is not None and state is not None and state == self._state:
            return frozenset()
        position, number = self._known or (NEVER, 0)  # what waits already is no news when it is sealed
        with self._records.read() as session:
            rows = session.execute(self._question, {"position": position, "number": number}).all()
        ((size, last),) = [(size or 0, last or 0) for new, size, last, _ in rows if not new]
        events = [row[1:] for row in rows if row[0]]
        first, self._state = self._known is None, state
        self._known = max([size, *(place + 1 for place, _, _ in events if place is not None)]), last
        subjects = {subject for _, one, subject in events if one not in self._told}
        self._told.difference_update(one for place, one, _ in events if place is not None)
        self._told.update(one for place, one, _ in events if place is None)
        return None if first or len(events) > MOST_TOLD or None in subjects else frozenset(subjects)
