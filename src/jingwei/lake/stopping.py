"""Stopping questions that nobody waits for any more."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stopped(Exception):  # noqa: N818 -- not a fault: somebody wished it
    """The question was stopped because its asker has gone."""


class Stopper:
    """Stops, from any thread, the questions that run under it."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._running: set[duckdb.DuckDBPyConnection] = set()
        self.stopped = False

    def stop(self) -> None:
        """Stop what runs, and let nothing more begin."""
        with self._mutex:
            self.stopped = True
            for cursor in self._running:
                cursor.interrupt()

    def begin(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Take a cursor under this stopper, or raise `Stopped`."""
        with self._mutex:
            if self.stopped:
                raise Stopped
            self._running.add(cursor)

    def end(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Let a cursor go."""
        with self._mutex:
            self._running.discard(cursor)


_stopper: ContextVar[Stopper | None] = ContextVar("stopper", default=None)


@contextmanager
def stopping(stopper: Stopper) -> Iterator[None]:
    """Put the questions asked within under `stopper`."""
    token = _stopper.set(stopper)
    try:
        yield
    finally:
        _stopper.reset(token)


@contextmanager
def stoppable(cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Run a question on `cursor` so that it can be stopped.

    Raises
    ------
    Stopped
        Somebody stopped it.

    """
    stopper = _stopper.get()
    if stopper is None:
        yield
        return
    stopper.begin(cursor)
    try:
        yield
    except duckdb.InterruptException:
        raise Stopped from None
    finally:
        stopper.end(cursor)


def heed() -> None:
    """Raise `Stopped` if somebody stopped the question that is being answered."""
    stopper = _stopper.get()
    if stopper is not None and stopper.stopped:
        raise Stopped
