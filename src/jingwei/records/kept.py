"""Answers of the record store that are kept for as long as nothing in it changes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from jingwei.records.database import Records
    from jingwei.records.prepared import Prepared

T = TypeVar("T")

MOST = 4_096
"""Answers kept at once; beyond that all are forgotten, which only costs asking again."""


class WhileUnchanged(Generic[T]):
    """Keeps what was read from the record store until any program changes anything in it.

    A page of a map asks hundreds of small questions between two changes. Where the store cannot tell
    cheaply whether it changed (PostgreSQL), nothing is kept, and every question is asked.

    Parameters
    ----------
    records
        The record store.
    rests_on
        A question whose answer differs whenever what is kept would: it is then kept also while other things
        change, which in a busy city is a hundred times a second.

    """

    def __init__(self, records: Records, *, rests_on: Prepared | None = None) -> None:
        self._records = records
        self._rests_on = rests_on
        self._mutex = threading.Lock()
        self._state: object = None
        self._told: object = None
        self._kept: dict[Hashable, T] = {}

    def get(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return what `read` returned for `key` since the last change, or read it now."""
        state = self._records.state()
        if state is None:
            return read()
        with self._mutex:
            if state != self._state:
                self._look_again(state)
            if len(self._kept) >= MOST:
                self._kept = {}
            if key in self._kept:
                return self._kept[key]
            kept = self._kept
        # What is read now is at least as new as what `kept` rests on: it is dropped with the next change.
        found = read()
        with self._mutex:
            if kept is self._kept:
                kept[key] = found
        return found

    def _look_again(self, state: int) -> None:
        told = object() if self._rests_on is None else self._records.told(self._rests_on)
        if told != self._told:
            self._kept = {}
        self._state, self._told = state, told
