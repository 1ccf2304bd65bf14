"""Waking who waits, within one process: the sealer when something was appended, followers when sealed.

A bell saves waiting, never correctness: what is rung in another process is found by looking again
after a while.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from jingwei.records.database import after_commit

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session


class Bell:
    """Something that is rung, and counted, so that no ring is missed between looking and waiting."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._callbacks: set[Callable[[], object]] = set()
        self.count = 0

    def ring(self) -> None:
        """Wake all who wait."""
        with self._condition:
            self.count += 1
            self._condition.notify_all()
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback()

    def wait(self, seen: int, timeout: float) -> int:
        """Wait until the count differs from `seen`, at most `timeout` seconds; return the count."""
        with self._condition:
            self._condition.wait_for(lambda: self.count != seen, timeout)
            return self.count

    def subscribe(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Have `callback` called, in the ringing thread, at each ring; return how to stop that."""
        with self._condition:
            self._callbacks.add(callback)

        def unsubscribe() -> None:
            with self._condition:
                self._callbacks.discard(callback)

        return unsubscribe


class Bells:
    """The bells of one record store."""

    def __init__(self) -> None:
        self.appended = Bell()
        self.sealed = Bell()


_bells: WeakValueDictionary[tuple[Any, ...], Bells] = WeakValueDictionary()
_guard = threading.Lock()


def bells_of(engine: Engine) -> Bells:
    """Return the bells of the record store behind `engine`, the same for all who ask."""
    with _guard:
        return _bells.setdefault(_store(engine), Bells())


def _store(engine: Engine) -> tuple[Any, ...]:
    """Return which record store is behind `engine`; a URL as a key would be written anew each time."""
    url = engine.url
    return url.drivername, url.host, url.port, url.database


def mark_appended(session: Session) -> None:
    """Note that `session` appended, so that its commit rings."""
    with _guard:
        bells = _bells.get(_store(session.connection().engine))
    if bells is not None:
        after_commit(session, bells.appended.ring)
