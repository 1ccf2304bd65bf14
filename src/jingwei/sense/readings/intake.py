"""The one thread that writes: whoever waits meanwhile is served together, by one sync of the disk."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jingwei.sense.readings.errors import IntakeFullError

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_WAITING = 400_000
"""Readings that may wait; memory grows no further."""
AT_ONCE = 100_000
"""Readings that are made durable together."""
PATIENCE = 30.0
"""Seconds for which who may be held up waits for room."""


@dataclass(slots=True)
class Item:
    """Something to be made durable, and who waits for it."""

    work: Any
    rows: int
    loop: asyncio.AbstractEventLoop | None = None
    waiter: Any = None
    answer: Any = None
    error: BaseException | None = None


class Intake:
    """A bounded queue before a thread.

    Parameters
    ----------
    take_in
        Makes items durable that are batches or single readings, and sets their answers.

    """

    def __init__(self, take_in: Callable[[list[Item]], None]) -> None:
        self._take_in = take_in
        self._queue: deque[Item] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self.waiting = 0
        self.refused = 0
        self._thread = threading.Thread(target=self._run, name="readings intake", daemon=True)
        self._thread.start()

    def ask(self, work: Any, rows: int) -> Any:
        """Hand in work and wait until it is done.

        Raises
        ------
        IntakeFullError
            Where no room comes for long.

        """
        item = Item(work, rows, waiter=threading.Event())
        with self._changed:
            end = time.monotonic() + PATIENCE
            while self._is_full(rows):
                if not self._changed.wait(end - time.monotonic()):
                    self.refused += rows
                    raise IntakeFullError(self.waiting)
            self._put(item)
        item.waiter.wait()
        if item.error is not None:
            raise item.error
        return item.answer

    def ask_async(self, work: Any, rows: int) -> asyncio.Future[Any]:
        """Hand in work from an event loop; the future tells when it is done.

        Raises
        ------
        IntakeFullError
            Where there is no room.

        """
        loop = asyncio.get_running_loop()
        item = Item(work, rows, loop, loop.create_future())
        with self._changed:
            if self._is_full(rows):
                self.refused += rows
                raise IntakeFullError(self.waiting)
            self._put(item)
        future: asyncio.Future[Any] = item.waiter
        return future

    def _is_full(self, rows: int) -> bool:
        return self.waiting > 0 and self.waiting + rows > MOST_WAITING

    def _put(self, item: Item) -> None:
        if self._closing:
            msg = "the intake is closed"
            raise RuntimeError(msg)
        self._queue.append(item)
        self.waiting += item.rows
        if len(self._queue) == 1:
            self._changed.notify_all()

    def close(self) -> None:
        """Finish what waits, and stop."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            items = self._next()
            if not items:
                return
            try:
                if callable(items[0].work):
                    items[0].answer = items[0].work()
                else:
                    self._take_in(items)
            except BaseException as error:  # noqa: BLE001 -- told to those who wait
                for item in items:
                    item.error = error
            with self._changed:
                self.waiting -= sum(item.rows for item in items)
                self._changed.notify_all()
            _tell(items)

    def _next(self) -> list[Item]:
        """Return what can be done together: readings, or one piece of other work; nothing at the end."""
        with self._changed:
            while not self._queue:
                if self._closing:
                    return []
                self._changed.wait()
            items = [self._queue.popleft()]
            rows = items[0].rows
            while self._queue and not callable(items[0].work) and not callable(self._queue[0].work):
                rows += self._queue[0].rows
                if rows > AT_ONCE:
                    break
                items.append(self._queue.popleft())
            return items


def _tell(items: list[Item]) -> None:
    of_loop: dict[asyncio.AbstractEventLoop, list[Item]] = {}
    for item in items:
        if item.loop is None:
            item.waiter.set()
        else:
            of_loop.setdefault(item.loop, []).append(item)
    for loop, mine in of_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, mine)


def _resolve(items: list[Item]) -> None:
    for item in items:
        if item.waiter.done():
            continue
        if item.error is not None:
            item.waiter.set_exception(item.error)
        else:
            item.waiter.set_result(item.answer)
