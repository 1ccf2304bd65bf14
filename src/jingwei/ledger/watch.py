"""When something last happened of which what is kept in memory depends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from jingwei.ledger.models import Event
from jingwei.ledger.service import of_types

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from jingwei.records import Records

EVERY = 1.0
"""Seconds after which the log is looked at again."""
MOST_TOLD = 1_000
"""New events that are told one by one; of more it is only said that there were."""


class Watch:
    """Tells when events of some types were last found in the log.

    Who keeps what follows from them reads it again where it was read before `moved`. The log is looked at
    at most once in a second, and only after something in the record store changed.

    Parameters
    ----------
    records
        The record store, with the log.
    types
        Of events.
    clock
        Seconds that rise.

    """

    def __init__(
        self, records: Records, types: Collection[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._records = records
        self._clock = clock
        found = of_types(types, Event.id).subquery()
        # The count finds what was committed late under a smaller number.
        self._question = select(func.max(found.c.id), func.count()).select_from(found)
        self._looked = float("-inf")
        self._state: int | None = None
        self._found: tuple[int | None, ...] | None = None
        self._moved = 0.0

    def moved(self) -> float:
        """Return the clock's time at which something new was last found; at first that of the first look."""
        now = self._clock()
        if now - self._looked < EVERY:
            return self._moved
        state = self._records.state()
        if state is None or state != self._state or self._found is None:
            with self._records.read() as session:
                found = tuple(session.execute(self._question).one())
            if found != self._found:
                self._found, self._moved = found, now
            self._state = state
        self._looked = now
        return self._moved


class News:
    """Tells of what the new events of some types spoke.

    Who keeps much that follows from events lets go of what these subjects name, and of nothing else.

    Parameters
    ----------
    records
        The record store, with the log.
    types
        Of events.

    """

    def __init__(self, records: Records, types: Collection[str]) -> None:
        self._records = records
        found = of_types(types, Event.id, Event.subject).subquery()
        # The count finds what was committed late under a smaller number.
        self._size = select(func.max(found.c.id), func.count()).select_from(found)
        self._found = found
        self._state: int | None = None
        self._known: tuple[int, int] | None = None

    def subjects(self) -> frozenset[str] | None:
        """Return of what there was news since this was last asked; None where all may have changed.

        The first answer is None: what is read after it is as new as it is.
        """
        state = self._records.state()
        if self._known is not None and state is not None and state == self._state:
            return frozenset()
        with self._records.read() as session:
            last, count = session.execute(self._size).one()
            now = int(last or 0), int(count)
            before, self._known, self._state = self._known, now, state
            if before is None or now[1] - before[1] > MOST_TOLD:
                return None
            if now == before:
                return frozenset()
            newer = select(self._found.c.subject).where(self._found.c.id > before[0]).limit(MOST_TOLD + 1)
            subjects = session.scalars(newer).all()
        return frozenset(subjects) if len(subjects) == now[1] - before[1] and None not in subjects else None
