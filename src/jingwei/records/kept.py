"""Answers of the record store that are kept for as long as nothing in it changes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from jingwei.records.database import Records

T = TypeVar("T")

MOST = 4_096
"""Answers kept at once; beyond that all are forgotten, which only costs asking again."""


class WhileUnchanged(Generic[T]):
    """Keeps what was read from the record store until any program changes anything in it.

    A page of a map asks hundreds of small questions between two changes. Where the store cannot tell
    cheaply whether it changed (PostgreSQL), nothing is kept, and every question is asked.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._mutex = threading.Lock()
        self._state: object = None
        self._kept: dict[Hashable, T] = {}

    def get(self, key: Hashable, read: Callable[[], T]) -> T:
        """Return what `read` returned for `key` since the last change, or read it now."""
        state = self._records.state()
        if state is None:
            return read()
        with self._mutex:
            if state != self._state or len(self._kept) >= MOST:
                self._state, self._kept = state, {}
            elif key in self._kept:
                return self._kept[key]
        # What is read now is at least as new as `state`: kept under it, it is dropped with the next change.
        found = read()
        with self._mutex:
            if state == self._state:
                self._kept[key] = found
        return found
