"""The newest readings as they come in, for pages that stay open."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from jingwei.sense.readings import readings_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from jingwei.sense.readings import Readings
    from jingwei.sense.readings.columns import Rows


class Live:
    """Knows which streams got a reading since the start, numbered as they came.

    However fast readings come in, a page is told each stream's latest one, as often as it asks.
    """

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        self._guard = threading.Lock()
        self._newest: dict[int, int] = {}
        self._number = 0
        self._bells: set[Callable[[], None]] = set()
        self.end = readings.subscribe(self._take)

    def _take(self, rows: Rows) -> None:
        streams = rows["stream"].tolist()
        with self._guard:
            self._number += 1
            self._newest.update(dict.fromkeys(streams, self._number))
            bells = list(self._bells)
        for ring in bells:
            ring()

    @property
    def number(self) -> int:
        """The number of what came in last."""
        return self._number

    def since(self, number: int, streams: Collection[int]) -> tuple[int, list[dict[str, Any]]]:
        """Return the latest readings of those streams that got one after a number, and the number now."""
        with self._guard:
            now = self._number
            got = [one for one in streams if self._newest.get(one, 0) > number]
        found = readings_of(self._readings.latest(got)) if got else []
        return now, [{"stream": one.stream, "time": one.time, "result": one.result} for one in found]

    def listen(self, rung: asyncio.Event) -> Callable[[], None]:
        """Set an event of the running loop whenever something came in; returns what ends that."""
        loop = asyncio.get_running_loop()

        def ring() -> None:
            loop.call_soon_threadsafe(rung.set)

        with self._guard:
            self._bells.add(ring)

        def end() -> None:
            with self._guard:
                self._bells.discard(ring)

        return end
