"""What comes in: checked, numbered, told from what is there already, and written to the log."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jingwei.sense.readings.batch import TEXTS, TIMES, Batch, Reading, Receipt, Refusal
from jingwei.sense.readings.columns import Rows, joined, texts_of
from jingwei.sense.readings.errors import IntakeFullError
from jingwei.sense.readings.facts import CODES, reason
from jingwei.sense.readings.log import packed
from jingwei.sense.readings.memory import find_in, repeated

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from jingwei.sense.readings.apart import ApartRow
    from jingwei.sense.readings.facts import FactsBook
    from jingwei.sense.readings.intake import Item
    from jingwei.sense.readings.kept import Kept
    from jingwei.sense.readings.log import Log

log = logging.getLogger(__name__)

MOST_UNFLUSHED = 20_000_000
"""Readings that may wait for the lake; no more are taken in."""


@dataclass(slots=True)
class Counters:
    """What went through the intake since it was opened."""

    taken: int = 0
    duplicates: int = 0
    kept_apart: int = 0
    unknown: int = 0
    syncs: int = 0
    sync_seconds: float = 0.0


class Incoming:
    """Takes readings in; called by the one thread that writes.

    Parameters
    ----------
    kept
        What there is.
    written
        The log.
    facts
        What is known of streams.
    latest
        Tells the instant (UTC microseconds) after which readings lie in the future.

    """

    def __init__(self, kept: Kept, written: Log, facts: FactsBook, latest: Callable[[], int]) -> None:
        self._kept = kept
        self._log = written
        self.facts = facts
        self.latest = latest
        self.counters = Counters()
        self.listeners: tuple[Callable[[Rows], None], ...] = ()

    def take(self, items: list[Item]) -> None:
        """Make readings durable and set the answers to those who wait.

        Raises
        ------
        IntakeFullError
            Where too much waits for the lake.

        """
        if self._kept.tier is not None and self._kept.unflushed > MOST_UNFLUSHED:
            raise IntakeFullError(self._kept.unflushed, retry_after=30)
        now = time.time_ns() // 1_000
        rows = _incoming(items, now)
        codes = self.facts.check(rows, now, self.latest())
        ids = np.zeros(len(rows), np.int64)
        fresh, duplicates = self._numbered(rows, codes == 0, ids)
        apart = self._set_apart(rows, codes)
        if len(fresh) or apart:
            started = time.perf_counter()
            self._log.write(
                [{"kind": "readings", "columns": packed(fresh), "apart": [tuple(row) for row in apart]}]
            )
            self.counters.syncs += 1
            self.counters.sync_seconds += time.perf_counter() - started
        ordered = fresh if _of_different_streams(fresh) else fresh.ordered()
        with self._kept.lock:
            self._kept.next += len(fresh)
            self._kept.window.add(ordered)
            self._kept.standing.add(ordered)
            self._kept.apart.add(apart)
        self._count(fresh, duplicates, codes)
        _answer(items, ids, duplicates, codes, rows)
        self._tell(fresh)

    def _numbered(
        self, rows: Rows, good: NDArray[np.bool_], ids: NDArray[np.int64]
    ) -> tuple[Rows, NDArray[np.bool_]]:
        """Give the good rows their numbers; return those that are new, and which are duplicates."""
        duplicate = np.zeros(len(rows), bool)
        if good.all() and self._are_all_newer(rows):
            ids[:] = self._kept.next + np.arange(len(rows))
            return Rows({**rows.columns, "id": ids.copy()}), duplicate
        numbers = np.flatnonzero(good)
        own = rows.take(numbers)
        order = np.lexsort((own["time"], own["stream"]))
        ordered = own.take(order)
        first = repeated(ordered)
        known = self._known(ordered)
        known = known[first]
        is_new = (known == 0) & (first == np.arange(len(first)))
        place = np.empty(len(order), np.int64)  # the new ones get their numbers in the order of arrival
        new_at = np.sort(order[is_new])
        place[new_at] = self._kept.next + np.arange(len(new_at))
        assigned = np.where(known > 0, known, place[order][first])
        ids[numbers[order]] = assigned
        duplicate[numbers[order[~is_new]]] = True
        fresh = own.take(new_at)
        fresh.columns["id"] = place[new_at]
        return fresh, duplicate

    def _are_all_newer(self, rows: Rows) -> bool:
        """Say whether rows are of different streams, each newer than all of its own: none is a duplicate."""
        if not _of_different_streams(rows):
            return False
        with self._kept.lock:
            return bool((rows["time"] > self._kept.standing.newest(rows["stream"])).all())

    def _known(self, ordered: Rows) -> NDArray[np.int64]:
        """Return the numbers of the same readings that are in memory, 0 where there is none."""
        known = np.zeros(len(ordered), np.int64)
        streams, inverse = np.unique(ordered["stream"], return_inverse=True)
        with self._kept.lock:
            newest = self._kept.standing.newest(streams)[inverse]
            old = np.flatnonzero(ordered["time"] <= newest)
            if len(old):
                known[old] = self._kept.window.find(ordered.take(old))
        if self._kept.overlay and len(old):
            known[np.isin(known, self._kept.overlay.numbers())] = 0
            for stream, last in self._kept.overlay.cut.items():
                known[(ordered["stream"] == stream) & (known <= last)] = 0
            changed = self._kept.overlay.rows(streams.tolist(), None, None)
            if len(changed):
                find_in(changed, ordered, known)
        return known

    def _set_apart(self, rows: Rows, codes: NDArray[np.int8]) -> list[ApartRow]:
        kept = np.flatnonzero(codes > 1)
        if not len(kept):
            return []
        chosen = codes[kept].tolist()
        return self._kept.apart.made(rows.take(kept), [CODES[code] for code in chosen])

    def _count(self, fresh: Rows, duplicates: NDArray[np.bool_], codes: NDArray[np.int8]) -> None:
        counters = self.counters
        counters.taken += len(fresh)
        counters.duplicates += int(np.count_nonzero(duplicates))
        if codes.any():
            counters.unknown += int((codes == 1).sum())
            counters.kept_apart += int((codes > 1).sum())

    def _tell(self, fresh: Rows) -> None:
        for callback in self.listeners if len(fresh) else ():
            try:
                callback(fresh)
            except Exception:  # who listens does not take back what is durable
                log.exception("a listener of readings")


def _incoming(items: list[Item], now: int) -> Rows:
    """Put what waits into columns, in the order in which it came."""
    parts: list[Rows] = []
    single: list[Reading] = []
    for item in items:
        if isinstance(item.work, Reading):
            single.append(item.work)
            continue
        if single:
            parts.append(_columns(Batch.of(single), now))
            single = []
        parts.append(_columns(item.work, now))
    if single:
        parts.append(_columns(Batch.of(single), now))
    return joined(parts)


def _of_different_streams(rows: Rows) -> bool:
    return len(set(rows["stream"].tolist())) == len(rows)


def _columns(batch: Batch, now: int) -> Rows:
    rows = len(batch)
    columns: dict[str, NDArray[Any]] = {
        "id": np.zeros(rows, np.int64),
        "stream": np.asarray(batch.stream, np.int64),
        "time": np.asarray(batch.time, np.int64),
        "result": np.asarray(batch.result, np.float64),
        "received": np.full(rows, now, np.int64),
    }
    for name in (*TIMES, "feature"):
        values = getattr(batch, name)
        if values is not None:
            columns[name] = np.asarray(values, np.int64)
    for name in TEXTS:
        values = getattr(batch, name)
        if values is not None:
            columns[name] = texts_of(values)
    return Rows(columns)


def _answer(
    items: list[Item],
    ids: NDArray[np.int64],
    duplicates: NDArray[np.bool_],
    codes: NDArray[np.int8],
    rows: Rows,
) -> None:
    all_new = not duplicates.any()
    all_good = not codes.any()
    at = 0
    for item in items:
        end = at + item.rows
        receipt = Receipt(ids[at:end])
        if not all_new:
            receipt.duplicates = int(duplicates[at:end].sum())
        if not all_good:
            for row in (np.flatnonzero(codes[at:end]) + at).tolist():
                code = CODES[codes[row]]
                why = reason(code, int(rows["stream"][row]))
                receipt.refused.append(Refusal(row - at, code, why, kept=code != CODES[1]))
        item.answer = receipt
        at = end
