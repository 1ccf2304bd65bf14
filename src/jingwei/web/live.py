"""The newest readings as they come in, for pages that stay open."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from jingwei.sense.readings import readings_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from jingwei.sense.readings import Readings


class Live:
    """Keeps the newest reading of each stream that got one since the start, numbered as they came.

    However fast readings come in, a page is told each stream's newest one, as often as it asks.
    """

    def __init__(self, readings: Readings) -> None:
        self._guard = threading.Lock()
        self._newest: dict[int, tuple[int, dict[str, Any]]] = {}
        self._number = 0
        self._bells: set[Callable[[], None]] = set()
        self.end = readings.subscribe(self._take)

    def _take(self, table: pa.Table) -> None:
        streams = table["stream"].to_numpy()
        # The last row of each stream: the first one from behind.
        _, places = np.unique(streams[::-1], return_index=True)
        rows = readings_of(table.take(pa.array(len(streams) - 1 - places)))
        with self._guard:
            self._number += 1
            for one in rows:
                known = self._newest.get(one.stream)
                if known is None or known[1]["time"] <= one.time:
                    told = {"stream": one.stream, "time": one.time, "result": one.result}
                    self._newest[one.stream] = (self._number, told)
            bells = list(self._bells)
        for ring in bells:
            ring()

    @property
    def number(self) -> int:
        """The number of what came in last."""
        return self._number

    def since(self, number: int, streams: Collection[int]) -> tuple[int, list[dict[str, Any]]]:
        """Return the newest readings of some streams that came in after a number, and the number now."""
        with self._guard:
            found = [told for stream, (at, told) in self._newest.items() if at > number and stream in streams]
            return self._number, found

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
