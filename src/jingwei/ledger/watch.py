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
