"""How the intake of readings fares: how much came in each minute, by which door, and how late."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from numpy.typing import NDArray

    from jingwei.sense.readings import Readings
    from jingwei.sense.readings.apart import ApartRow
    from jingwei.sense.readings.columns import Rows

MINUTE = 60.0
KEPT = 180
"""Minutes that are kept."""
MOST_LOOKED_AT = 2_000
"""Readings whose streams and lags are looked at at once; of more, evenly spread ones stand for all."""
TOGETHER = 0.05
"""Seconds within which commits are held, to be looked at together."""
MOST_HELD = 500
MOST_STREAMS = 100_000
MOST_APART = 2_000
EXAMPLES = 20
"""Readings kept apart that are shown of each reason."""
LOOK_AGAIN = 5.0
"""Seconds after which it is looked again what was kept apart."""
EDGES = np.array([0.1, 0.3, 1, 3, 10, 30, 60, 300, 900, 3_600, 6 * 3_600, 86_400, 7 * 86_400])
"""Seconds at which lags are told apart."""


@dataclass(slots=True)
class Minute:
    """What came in within one minute.

    Attributes
    ----------
    at
        The minute, counted from 1970.
    taken, duplicates, apart, unknown, refused
        Readings by what became of them: kept, known already, kept apart, of no stream, sent away.
    mqtt
        How many of those taken came by MQTT.
    lags
        How many there were between the edges of `EDGES`, by the seconds from phenomenon to receipt.

    """

    at: int
    taken: int = 0
    mqtt: int = 0
    duplicates: int = 0
    apart: int = 0
    unknown: int = 0
    refused: int = 0
    lags: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(EDGES) + 1))
    streams: dict[int, float] = field(default_factory=dict)

    def lag(self, part: float) -> float | None:
        """Return a bound in seconds beneath which a part of the lags lies; None where nothing came."""
        total = self.lags.sum()
        if total == 0:
            return None
        place = int(np.searchsorted(np.cumsum(self.lags), part * total))
        return float(EDGES[min(place, len(EDGES) - 1)])


class Health:
    """Watches a store of readings while it is open.

    Parameters
    ----------
    readings
        The store.
    by_mqtt
        Answers how many readings were taken by MQTT so far.
    clock
        The time, seconds since 1970.

    """

    def __init__(
        self,
        readings: Readings,
        by_mqtt: Callable[[], int] = lambda: 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.readings = readings
        self.by_mqtt = by_mqtt
        self._clock = clock
        self._guard = threading.Lock()
        self._minutes: deque[Minute] = deque(maxlen=KEPT)
        self._seen = self._counted()
        self._apart_seen = 0
        self._looked = 0.0
        self._held: list[tuple[float, Rows]] = []
        self._noted = 0.0
        self._reasons: dict[str, deque[ApartRow]] = {}
        self.apart: dict[str, int] = {}
        self.end = readings.subscribe(self._note)

    def _counted(self) -> dict[str, int]:
        counters = self.readings.counters
        return {
            "taken": counters.taken,
            "duplicates": counters.duplicates,
            "apart": counters.kept_apart,
            "unknown": counters.unknown,
            "refused": self.readings.refused,
            "mqtt": self.by_mqtt(),
        }

    def _now(self) -> Minute:
        """Return the minute that runs, with what was counted since it was last looked at."""
        at = int(self._clock() // MINUTE)
        if not self._minutes or self._minutes[-1].at < at:
            self._minutes.append(Minute(at))
        minute, counted = self._minutes[-1], self._counted()
        for name, number in counted.items():
            setattr(minute, name, getattr(minute, name) + max(0, number - self._seen[name]))
        self._seen = counted
        return minute

    def _note(self, fresh: Rows) -> None:
        """Note a commit, in the thread of the store; it is looked at with those that come right after it."""
        with self._guard:
            self._held.append((self._clock(), fresh))
            if len(self._held) > MOST_HELD or not 0 <= self._held[-1][0] - self._noted < TOGETHER:
                self._look()

    def _look(self) -> None:
        """Look at the commits that are held: few of their readings stand for all."""
        if not self._held:
            return
        self._noted = self._held[-1][0]
        rows = sum(len(some) for _, some in self._held)
        step = -(-rows // MOST_LOOKED_AT)
        received = np.concatenate([np.full(len(some), at) for at, some in self._held])[::step]
        streams, times = (
            np.concatenate([some[name] for _, some in self._held])[::step] for name in ("stream", "time")
        )
        self._held = []
        weight = rows / len(streams)
        lags = np.maximum(received - times / 1e6, 0.0)
        numbers, counts = np.unique(streams, return_counts=True)
        if self._noted - self._looked > LOOK_AGAIN:
            self._look_apart()
        minute = self._now()
        minute.lags += np.bincount(np.searchsorted(EDGES, lags), minlength=len(EDGES) + 1) * weight
        if len(minute.streams) < MOST_STREAMS:
            for stream, count in zip(numbers.tolist(), counts.tolist(), strict=True):
                minute.streams[stream] = minute.streams.get(stream, 0.0) + count * weight

    def _look_apart(self) -> None:
        """Note what was kept apart since the last look; what is long in the lake is counted there."""
        self._looked = self._clock()
        rows = [row for row in self.readings.kept_apart(limit=MOST_APART)[1] if row.number > self._apart_seen]
        for row in reversed(rows):
            self._apart_seen = row.number
            self.apart[row.code] = self.apart.get(row.code, 0) + 1
            self._reasons.setdefault(row.code, deque(maxlen=EXAMPLES)).append(row)

    def kept_apart(self, streams: Collection[int]) -> tuple[dict[str, int], list[ApartRow]]:
        """Return how many readings were kept apart by reason, and the newest ones of some streams."""
        with self._guard:
            self._look_apart()
            rows = [row for listed in self._reasons.values() for row in listed if row.stream in streams]
            return dict(self.apart), sorted(rows, key=lambda row: -row.number)

    def minutes(self) -> list[Minute]:
        """Return the minutes in which something was noted, the oldest first."""
        with self._guard:
            self._look()
            self._now()
            return list(self._minutes)

    def busiest(self, streams: Iterable[int], last: int = 10, limit: int = 50) -> list[tuple[int, float]]:
        """Return those of some streams of which most came in the last minutes, and how much a minute."""
        wanted = set(streams)
        since = int(self._clock() // MINUTE) - last
        found: dict[int, float] = {}
        with self._guard:
            self._look()
            for minute in self._minutes:
                if minute.at > since:
                    for stream, count in minute.streams.items():
                        if stream in wanted:
                            found[stream] = found.get(stream, 0.0) + count
        return sorted(((one, count / last) for one, count in found.items()), key=lambda one: -one[1])[:limit]


def state_of(readings: Readings) -> dict[str, Any]:
    """Return what the store says of itself now: what waits, what is not yet in the lake, how syncs went."""
    counters = readings.counters
    return {
        "readings": readings.count(),
        "waiting": readings.waiting,
        "unflushed": readings.unflushed,
        "log_bytes": readings.log_bytes,
        "flushed_at": readings.flushed_at,
        "taken": counters.taken,
        "duplicates": counters.duplicates,
        "unknown": counters.unknown,
        "refused": readings.refused,
        "sync_ms": counters.sync_seconds / counters.syncs * 1_000 if counters.syncs else None,
    }
