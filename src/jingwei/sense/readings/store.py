"""The store of readings of one city: log, memory and lake, read as one."""

from __future__ import annotations

import fcntl
import logging
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jingwei.sense.readings import flushing
from jingwei.sense.readings.apart import Apart, ApartRow
from jingwei.sense.readings.batch import NONE, SCHEMA, TEXTS, TIMES, Batch, Extent, Reading, Receipt, Refusal
from jingwei.sense.readings.columns import EMPTY, Rows, joined, no_rows, texts_of
from jingwei.sense.readings.errors import (
    ImpossibleOrderError,
    IntakeFullError,
    StoreInUseError,
    UnknownReadingError,
)
from jingwei.sense.readings.facts import CODES, Ask, FactsBook, reason
from jingwei.sense.readings.intake import Intake, Item
from jingwei.sense.readings.log import Log, packed, unpacked
from jingwei.sense.readings.memory import Window, find_in, repeated
from jingwei.sense.readings.overlay import Change, Overlay
from jingwei.sense.readings.standing import Standing
from jingwei.sense.readings.tier import Stored, Tier

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

    from jingwei.lake import Lake, Version
    from jingwei.sense.readings.flushing import Mark

log = logging.getLogger(__name__)

Where = Any
"""What chooses readings: a pyarrow expression on the columns, or a function from a table to a mask."""

IN_MEMORY = 2_000_000
"""Readings that stay in memory when the lake has them: the window in which duplicates are seen at once."""
MOST_UNFLUSHED = 20_000_000
"""Readings that may wait for the lake; no more are taken in."""
COMPACT_AT = 1_000
"""Corrections and deletions that lie over the lake before they are worked in."""
FEW = 64
"""Streams up to which each is looked up by itself."""


@dataclass(frozen=True, slots=True)
class _Now:
    """What there is at one moment: questions are put to it while more comes in."""

    runs: tuple[Rows, ...]
    files: tuple[Stored, ...]
    flushed: int
    overlay: Overlay


class Watcher(Protocol):
    """Who must know, even after a crash, that readings changed that were there before."""

    def changing(self, places: Collection[tuple[int, int | None]]) -> int:
        """Note durably which readings will change: streams, each with a time, or None for all of it."""

    def changed(self, change: int) -> None:
        """Take it that the change with the number that `changing` returned is made, or failed."""

    def close(self) -> None:
        """Take it that the store is closed."""


@dataclass(slots=True)
class Counters:
    """What went through the intake since it was opened."""

    taken: int = 0
    duplicates: int = 0
    kept_apart: int = 0
    unknown: int = 0
    syncs: int = 0
    sync_seconds: float = 0.0


def present() -> int:
    """Return the present instant, UTC microseconds."""
    return time.time_ns() // 1_000


class Readings:
    """The readings of one city, kept in `home`. One process has it open at a time.

    Parameters
    ----------
    home
        Folder of the log and of what is kept beside it.
    streams
        Answers what is known of a stream, None if there is no such stream (its readings are refused), or
        what is known of several, that one among them. It is asked seldom: answers are kept until
        `forget_facts`. Without it every stream is taken.
    lake
        Where readings go when they are flushed; without it they stay in the log.
    owner
        Department that owns the dataset of readings.
    in_memory
        Readings that stay in memory after they went to the lake.
    latest
        Tells the instant (UTC microseconds) after which readings lie in the future.

    Raises
    ------
    StoreInUseError
        If another process has it open.

    """

    def __init__(
        self,
        home: Path,
        streams: Ask | None = None,
        *,
        lake: Lake | None = None,
        owner: str = "",
        in_memory: int = IN_MEMORY,
        latest: Callable[[], int] = present,
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.lake = lake
        self.owner = owner
        self.in_memory = in_memory
        self._latest = latest
        self.facts = FactsBook(streams)
        self.counters = Counters()
        self.flushed_at: float | None = None
        self.closed = False
        self._watcher: Watcher | None = None
        self._in_use = _take(home)
        self._lock = threading.RLock()
        self._flushing = threading.Lock()
        self._window = Window()
        self._standing = Standing()
        self._overlay = Overlay({}, {})
        self._apart = Apart()
        self._next = 1
        self._evicted = 0
        self._mark = flushing.Mark()
        self._version: Version | None = None
        self._tier: Tier | None = None
        self._callbacks: tuple[Callable[[Rows], None], ...] = ()
        self._forgotten: tuple[Callable[[int | None], None], ...] = ()
        self._corrected: tuple[Callable[[int, tuple[str, ...]], None], ...] = ()
        if lake is not None:
            self._tier = Tier(lake.root, flushing.DATASET, home / "summaries")
            self._open_lake(lake)
        self._log = Log(home / "log")
        self._recover()
        self._log.open()
        self._intake = Intake(self._take_in)

    # taking in

    def append(self, batch: Batch) -> Receipt:
        """Take in readings; returns when they are durable.

        Raises
        ------
        IntakeFullError
            Where more waits than the intake holds.

        """
        receipt: Receipt = self._intake.ask(batch, len(batch))
        return receipt

    def append_async(self, batch: Batch | Reading) -> Future[Receipt]:
        """Take in readings without holding up the event loop; see `append`. To be awaited."""
        return self._intake.ask_async(batch, 1 if isinstance(batch, Reading) else len(batch))

    def correct(self, reading: int, changes: dict[str, Any]) -> None:
        """Change columns of a reading; durable when it returns.

        Parameters
        ----------
        reading
            Its number.
        changes
            Column of `SCHEMA` (not `id`, `stream`, `received`) to its new value: int µs for times, float for
            `result`, JSON text (bytes) for the texts, None to empty one. Who changes `result` to what is no
            plain number sets `result` None and `result_json`.

        Raises
        ------
        UnknownReadingError
            If there is none of this number.

        """
        self._intake.ask(lambda: self._change(reading, changes), 1)
        for callback in self._corrected:
            callback(reading, tuple(changes))

    def remove(self, reading: int) -> None:
        """Delete a reading; durable when it returns.

        Raises
        ------
        UnknownReadingError
            If there is none of this number.

        """
        self._intake.ask(lambda: self._change(reading, None), 1)

    def remove_stream(self, stream: int) -> None:
        """Delete all readings of a stream; durable when it returns."""
        self._intake.ask(lambda: self._cut(stream), 1)

    def subscribe(self, callback: Callable[[Rows], None]) -> Callable[[], None]:
        """Call `callback` with all new readings, in the order in which they came, once they are durable.

        It is called from a thread of the store and must be quick; returns what ends the subscription.
        """
        with self._lock:
            self._callbacks = (*self._callbacks, callback)

        def end() -> None:
            with self._lock:
                self._callbacks = tuple(one for one in self._callbacks if one is not callback)

        return end

    def forget_facts(self, stream: int | None = None) -> None:
        """Ask anew what is known of a stream, or of all, at its next reading."""
        self.facts.forget(stream)
        for callback in self._forgotten:
            callback(stream)

    def when_forgotten(self, callback: Callable[[int | None], None]) -> None:
        """Call `callback` whenever `forget_facts` is called, with what it is called with."""
        self._forgotten = (*self._forgotten, callback)

    def when_corrected(self, callback: Callable[[int, tuple[str, ...]], None]) -> None:
        """Call `callback` after each correction that is durable, with the reading and its changed columns."""
        self._corrected = (*self._corrected, callback)

    def watch(self, watcher: Watcher | None) -> None:
        """Tell one watcher before and after readings change that were there, or nobody."""
        self._watcher = watcher

    # questions

    def fresh(self, after: int) -> tuple[Rows, int]:
        """Return the readings with higher numbers than `after`, as they are now, and the number of the last.

        Readings with numbers up to that one that are not among them never will be.
        """
        with self._lock:
            now, last, gone = self._now(), self._next - 1, self._evicted
        if after >= last:
            return no_rows(), last
        parts = [run.take((run["id"] > after) & (run["id"] <= last)) for run in now.runs]
        if self._tier is not None and after < gone:
            known = np.concatenate([part["id"] for part in parts]) if parts else np.empty(0, np.int64)
            for stored in now.files:
                for rows in self._tier.whole(stored):
                    chosen = rows.take((rows["id"] > after) & (rows["id"] <= last))
                    parts.append(chosen.take(~np.isin(chosen["id"], known)))
        rows = now.overlay.covered(joined(parts))
        changed = now.overlay.rows(None, None, None)
        changed = changed.take((changed["id"] > after) & (changed["id"] <= last))
        return joined([rows, changed]), last

    def get(self, reading: int) -> pa.Table:
        """Return one reading, as a table of one row.

        Raises
        ------
        UnknownReadingError
            If there is none of this number.

        """
        return self._get(reading)[0].table()

    def read(
        self,
        streams: Collection[int] | None = None,
        *,
        since: int | None = None,
        until: int | None = None,
        where: Where | None = None,
        order: Sequence[tuple[str, bool]] = (),
        limit: int | None = None,
        offset: int = 0,
    ) -> pa.Table:
        """Return readings as a table of `SCHEMA`.

        Parameters
        ----------
        streams
            Whose; None for all.
        since, until
            UTC microseconds `[since, until)`: only readings whose `time` lies there.
        where
            A further condition: a pyarrow expression on the columns, or a function from a table of
            readings to a mask (nulls count as false).
        order
            Columns with whether they descend. What is equal by them follows (stream, time, id), so pages
            are stable; `[("time", True)]` of one stream and no order at all are the quick ones.
        limit, offset
            Which part of the answer.

        """
        for column, _ in order:
            if column not in SCHEMA.names:
                raise ImpossibleOrderError(column, SCHEMA.names)
        enough = None if limit is None else limit + offset
        if enough is not None and where is None and len(order) < 2:
            if streams is not None and len(set(streams)) == 1 and (not order or order[0][0] == "time"):
                down = bool(order) and order[0][1]
                (stream,) = set(streams)
                rows = self._of_stream(stream, since, until, (0, enough) if down else (enough, 0))
                rows = rows.take(np.lexsort((rows["id"], -rows["time"]))) if down else rows
                return rows.take(slice(offset, enough)).table()
            if not order and since is None and until is None:
                streams, skipped = self._needed(streams, offset, enough)
                offset, enough = offset - skipped, enough - skipped
        table = self._chosen(streams, since, until, where)
        if not order:
            return table.slice(offset, None if enough is None else enough - offset)
        order_of = pc.sort_indices(table, sort_keys=_sort_keys(order))
        chosen = order_of.slice(offset, None if enough is None else enough - offset)
        return table.take(chosen)

    def within(self, streams: Collection[int], since: int, until: int) -> Rows:
        """Return the readings of some streams of which `time` lies in `[since, until)`, without an order."""
        return joined([piece for piece in self._pieces(self._now(), streams, since, until) if len(piece)])

    def newest(self, stream: int, limit: int, offset: int = 0) -> Rows:
        """Return the last readings of a stream, the newest first; the quickest of all questions."""
        rows = self._of_stream(stream, None, None, (0, limit + offset))
        order = np.lexsort((rows["id"], -rows["time"]))
        return rows.take(order[offset : offset + limit])

    def count(
        self,
        streams: Collection[int] | None = None,
        *,
        since: int | None = None,
        until: int | None = None,
        where: Where | None = None,
    ) -> int:
        """Count readings; without a condition and a period it is known and not counted."""
        if since is None and until is None and where is None:
            with self._lock:
                return self._standing.count(streams)
        pieces = self._pieces(self._now(), streams, since, until)
        if where is None:
            return sum(len(piece) for piece in pieces)
        return sum(_filtered(piece.table(), where).num_rows for piece in pieces if len(piece))

    def latest(self, streams: Collection[int] | None = None) -> pa.Table:
        """Return the latest reading (by `time`, then `id`) of each stream that has one, sorted by stream."""
        with self._lock:
            rows = self._standing.latest(streams)
        return rows.table()

    def extent(self, stream: int) -> Extent:
        """Return how much there is of a stream and over which times; kept with every reading."""
        with self._lock:
            return self._standing.extent(stream)

    def streams(self) -> list[int]:
        """Return the numbers of all streams that have readings, in order."""
        with self._lock:
            return self._standing.streams()

    def kept_apart(self, *, limit: int = 100, offset: int = 0) -> tuple[int, list[ApartRow]]:
        """Return how many readings were kept apart, and a page of them, the newest first."""
        with self._lock:
            waiting = self._apart.newest_first()
        total = len(waiting) + self._mark.apart - self._apart.gone
        return total, waiting[offset : offset + limit]

    @property
    def last(self) -> int:
        """The number of the last reading that was taken in."""
        with self._lock:
            return self._next - 1

    @property
    def waiting(self) -> int:
        """How many readings wait for the disk."""
        return self._intake.waiting

    @property
    def unflushed(self) -> int:
        """How many readings are in the log and not in the lake."""
        with self._lock:
            return self._next - 1 - self._mark.reading

    @property
    def log_bytes(self) -> int:
        """The size of the segment that is written to."""
        return self._log.size

    @property
    def refused(self) -> int:
        """How many readings were sent away because the intake was full."""
        return self._intake.refused

    def use(self, streams: Ask, lake: Lake, latest: Callable[[], int] = present) -> None:
        """Go on with the records, the lake and the clock of a city that was opened again."""
        self._latest = latest
        self.facts = FactsBook(streams)
        self._forgotten = ()
        if self.lake is not None:
            self.lake = lake

    def close(self) -> None:
        """Finish what waits and let go of the files."""
        if self.closed:
            return
        self.closed = True
        self._intake.close()
        self._log.close()
        if self._tier is not None:
            self._tier.close()
        self._in_use.close()
        if self._watcher is not None:
            self._watcher.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # opening

    def _open_lake(self, lake: Lake) -> None:
        """Take up the version that is published; one that a crash left half published is finished first."""
        assert self._tier is not None  # noqa: S101 -- set by the caller
        if lake.store.root.exists():
            with lake.store.writing():
                pass
        self._version = next(
            (one.version for one in lake.catalogue() if one.id == flushing.DATASET and one.version), None
        )
        self._mark = flushing.Mark.of(self._version)
        self._apart = Apart(gone=self._mark.apart)
        self._next = self._mark.reading + 1
        self._evicted = self._mark.reading
        if self._version is not None:
            self._tier.files = self._tier.stored(self._version.content)
            for stored in self._tier.files:
                self._standing.merge(stored.summary)

    def _recover(self) -> None:
        """Take up from the log what is not in the lake."""
        touched: set[int] = set()
        for _, record in self._log.records():
            if record["kind"] == "readings":
                self._recover_rows(unpacked(record["columns"]))
                self._apart.add([ApartRow(*row) for row in record["apart"]], beyond=self._mark.apart)
            else:
                self._overlay = self._overlay.after(record)
                touched.update(change[0] for _, change in record["changes"])
                touched.update(stream for stream, _ in record["cut"])
        for stream in touched:
            self._restand(stream)

    def _recover_rows(self, rows: Rows) -> None:
        if not len(rows):
            return
        self._next = max(self._next, int(rows["id"][-1]) + 1)
        rows = rows.take(rows["id"] > self._mark.reading)
        self._window.add(rows)
        self._standing.add(rows.ordered())

    # the thread that writes

    def _take_in(self, items: list[Item]) -> None:
        if self.unflushed > MOST_UNFLUSHED and self.lake is not None:
            raise IntakeFullError(self.unflushed, retry_after=30)
        now = time.time_ns() // 1_000
        rows = _incoming(items, now)
        codes = self.facts.check(rows, now, self._latest())
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
        with self._lock:
            self._next += len(fresh)
            self._window.add(ordered)
            self._standing.add(ordered)
            self._apart.add(apart)
        self._count(fresh, duplicates, codes)
        _answer(items, ids, duplicates, codes, rows)
        self._tell(fresh)

    def _numbered(
        self, rows: Rows, good: NDArray[np.bool_], ids: NDArray[np.int64]
    ) -> tuple[Rows, NDArray[np.bool_]]:
        """Give the good rows their numbers; return those that are new, and which are duplicates."""
        duplicate = np.zeros(len(rows), bool)
        if good.all() and self._are_all_newer(rows):
            ids[:] = self._next + np.arange(len(rows))
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
        place[new_at] = self._next + np.arange(len(new_at))
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
        with self._lock:
            return bool((rows["time"] > self._standing.newest(rows["stream"])).all())

    def _known(self, ordered: Rows) -> NDArray[np.int64]:
        """Return the numbers of the same readings that are in memory, 0 where there is none."""
        known = np.zeros(len(ordered), np.int64)
        streams, inverse = np.unique(ordered["stream"], return_inverse=True)
        with self._lock:
            newest = self._standing.newest(streams)[inverse]
            old = np.flatnonzero(ordered["time"] <= newest)
            if len(old):
                known[old] = self._window.find(ordered.take(old))
        if self._overlay and len(old):
            known[np.isin(known, self._overlay.numbers())] = 0
            for stream, last in self._overlay.cut.items():
                known[(ordered["stream"] == stream) & (known <= last)] = 0
            changed = self._overlay.rows(streams.tolist(), None, None)
            if len(changed):
                find_in(changed, ordered, known)
        return known

    def _set_apart(self, rows: Rows, codes: NDArray[np.int8]) -> list[ApartRow]:
        kept = np.flatnonzero(codes > 1)
        if not len(kept):
            return []
        chosen = codes[kept].tolist()
        return self._apart.made(rows.take(kept), [CODES[code] for code in chosen])

    def _count(self, fresh: Rows, duplicates: NDArray[np.bool_], codes: NDArray[np.int8]) -> None:
        counters = self.counters
        counters.taken += len(fresh)
        counters.duplicates += int(np.count_nonzero(duplicates))
        if codes.any():
            counters.unknown += int((codes == 1).sum())
            counters.kept_apart += int((codes > 1).sum())

    def _tell(self, fresh: Rows) -> None:
        for callback in self._callbacks if len(fresh) else ():
            try:
                callback(fresh)
            except Exception:  # who listens does not take back what is durable
                log.exception("a listener of readings")

    def _change(self, reading: int, changes: dict[str, Any] | None) -> None:
        row, time_ = self._get(reading)
        stream = int(row["stream"][0])
        new = None if changes is None else _changed(row, changes)
        times = {int(one["time"][0]) for one in (row, new) if one is not None}
        with self._watched([(stream, time) for time in times]):
            self._lay(Overlay({reading: Change(stream, time_, new)}, {}))
        with self._lock:
            self._restand(stream)

    def _cut(self, stream: int) -> None:
        with self._watched([(stream, None)]):
            self._lay(Overlay({}, {stream: self._next - 1}))
        with self._lock:
            self._restand(stream)

    @contextmanager
    def _watched(self, places: Collection[tuple[int, int | None]]) -> Iterator[None]:
        """Tell the watcher before and after a change."""
        watcher = self._watcher if places else None
        if watcher is None:
            yield
            return
        change = watcher.changing(places)
        try:
            yield
        finally:
            watcher.changed(change)

    def _lay(self, changes: Overlay) -> None:
        self._log.write([changes.packed()])
        with self._lock:
            self._overlay = Overlay(
                {**self._overlay.changes, **changes.changes}, {**self._overlay.cut, **changes.cut}
            )

    def _restand(self, stream: int) -> None:
        """Work out anew how a stream stands."""
        self._standing.forget(stream)
        self._standing.add(self._of_stream(stream, None, None, None))

    # reading

    def _now(self) -> _Now:
        with self._lock:
            files = () if self._tier is None else self._tier.files
            return _Now(tuple(self._window.runs()), files, self._mark.reading, self._overlay)

    def _of_stream(
        self, stream: int, since: int | None, until: int | None, ends: tuple[int, int] | None
    ) -> Rows:
        """Return the readings of one stream, ordered; the first or the last of them if `ends` says so."""
        now = self._now()
        wide = ends and (
            ends[0] and ends[0] + len(now.overlay.changes),
            ends[1] and ends[1] + len(now.overlay.changes),
        )
        if now.overlay.cut.get(stream) is not None:
            wide = None
        if ends is not None and wide is not None and ends[1] and self._tier is not None:
            found = self._finished(
                now, _memory(now, stream, since, until, wide, 0), stream, since, until, ends
            )
            with self._lock:
                kept = self._standing.kept(stream)
            if kept == NONE or (len(found) >= ends[1] and found["time"][0] > kept):
                return found
        parts = _memory(now, stream, since, until, wide, now.flushed)
        if self._tier is not None:
            parts += [self._tier.of_stream(one, stream, since, until, wide) for one in now.files]
        return self._finished(now, parts, stream, since, until, ends)

    @staticmethod
    def _finished(
        now: _Now,
        parts: list[Rows],
        stream: int,
        since: int | None,
        until: int | None,
        ends: tuple[int, int] | None,
    ) -> Rows:
        rows = joined(parts)
        if now.overlay:
            rows = joined([now.overlay.covered(rows), now.overlay.rows([stream], since, until)])
        rows = rows.ordered()
        if ends is None:
            return rows
        return rows.take(slice(0, ends[0]) if ends[0] else slice(max(0, len(rows) - ends[1]), None))

    def _pieces(
        self, now: _Now, streams: Collection[int] | None, since: int | None, until: int | None
    ) -> Iterator[Rows]:
        """Yield all readings of some streams in a period, in pieces without an order."""
        if streams is not None and len(set(streams)) <= FEW:
            for stream in set(streams):
                yield self._of_stream(stream, since, until, None)
            return
        memory = (run.take(run["id"] > now.flushed) for run in now.runs)
        files = (rows for one in now.files for rows in (self._tier.whole(one) if self._tier else ()))
        wanted = None if streams is None else np.array(sorted(set(streams)), np.int64)
        for rows in chain(files, memory):
            kept = np.ones(len(rows), bool)
            if wanted is not None:
                kept &= np.isin(rows["stream"], wanted)
            if since is not None:
                kept &= rows["time"] >= since
            if until is not None:
                kept &= rows["time"] < until
            yield now.overlay.covered(rows if kept.all() else rows.take(kept))
        if now.overlay:
            yield now.overlay.rows(streams, since, until)

    def _chosen(
        self, streams: Collection[int] | None, since: int | None, until: int | None, where: Where | None
    ) -> pa.Table:
        """Return chosen readings in the order of stream, time and id."""
        pieces = [piece for piece in self._pieces(self._now(), streams, since, until) if len(piece)]
        if where is None:
            return joined(pieces).ordered().table()
        tables = [_filtered(piece.table(), where) for piece in pieces]
        table = pa.concat_tables(tables) if tables else SCHEMA.empty_table()
        return table.take(pc.sort_indices(table, sort_keys=_sort_keys(())))

    def _needed(self, streams: Collection[int] | None, offset: int, enough: int) -> tuple[list[int], int]:
        """Return the streams in which rows from `offset` to before `enough` lie, and the rows before them."""
        with self._lock:
            known = self._standing.streams()
            wanted = known if streams is None else sorted(set(streams) & set(known))
            counts = [self._standing.count([stream]) for stream in wanted]
        ends = [0, *np.cumsum(counts).tolist()]
        needed = [
            stream
            for stream, (begin, end) in zip(wanted, pairwise(ends), strict=True)
            if end > offset and begin < enough
        ]
        skipped = next((begin for begin, end in pairwise(ends) if end > offset), 0)
        return needed, skipped

    def _get(self, reading: int) -> tuple[Rows, int]:
        """Return a reading, and the time under which it is stored."""
        now = self._now()
        changed = now.overlay.changes.get(reading)
        if changed is not None:
            if changed.row is None or not len(now.overlay.rows([changed.stream], None, None)):
                raise UnknownReadingError(reading)
            return changed.row, changed.time
        found = no_rows()
        for run in now.runs:
            at = np.flatnonzero(run["id"] == reading)
            if len(at):
                found = run.take(at)
        if not len(found) and self._tier is not None:
            found = self._tier.find(reading, now.files)
        found = now.overlay.covered(found)
        if not len(found):
            raise UnknownReadingError(reading)
        return found, int(found["time"][0])

    # to the lake

    def flush(self, *, compact: bool = False) -> int | None:
        """Move what is in the log to the lake; return the number of the version, None where nothing was new.

        Parameters
        ----------
        compact
            Merge all files into one and work in all corrections and deletions.

        Raises
        ------
        BusyError
            If another program writes into the city; nothing is lost.

        """
        if self.lake is None:
            return None
        with self._flushing:
            return self._flush(self.lake, compact=compact)

    def _flush(self, lake: Lake, *, compact: bool) -> int | None:
        assert self._tier is not None  # noqa: S101 -- there is one with a lake
        segment, now, last, apart = self._intake.ask(self._rotate, 0)
        fresh = joined([run.take((run["id"] > now.flushed) & (run["id"] <= last)) for run in now.runs])
        fresh, repeats = self._without_known(now, now.overlay.covered(fresh).ordered())
        mine = {n: c for n, c in now.overlay.changes.items() if n > now.flushed}
        fresh = joined([fresh, Overlay(mine, now.overlay.cut).rows(None, None, None)])
        work_in = compact or len(now.overlay.changes) + len(now.overlay.cut) >= COMPACT_AT
        old = list(now.files) if compact else flushing.to_merge(now.files)
        if work_in and not compact:
            old += [one for one in flushing.touched(now.files, now.overlay) if one not in old]
        if not work_in and not len(fresh) and not len(apart):
            self._log.drop(segment)
            return None
        rows = joined([*(piece for one in old for piece in self._tier.whole(one))])
        if work_in:
            earlier = {n: c for n, c in now.overlay.changes.items() if n <= now.flushed}
            changed = Overlay(earlier, now.overlay.cut).rows(None, None, None)
            rows = joined([now.overlay.covered(rows), changed])
        rows = joined([rows, fresh]).ordered()
        mark = flushing.Mark(segment, last, self._mark.apart + len(apart))
        gone = {one.file.path for one in old}
        table = flushing.lake_table(rows, self.facts.of)
        twice = zip(repeats["stream"].tolist(), repeats["time"].tolist(), strict=True)
        with self._watched(list(twice)):
            number, written = flushing.publish(
                lake,
                table,
                apart.table(segment),
                version=self._version,
                kept=[one.file for one in now.files if one.file.path not in gone],
                mark=mark,
                owner=self.owner,
            )
            if written is not None:
                self._tier.summarise(written.path, rows)
            self._settle(lake, mark, now, work_in=work_in, repeats=repeats)
        self._log.drop(segment)
        self.flushed_at = time.time()
        return number

    def _rotate(self) -> tuple[int, _Now, int, Apart]:
        segment = self._log.rotate()
        if self._overlay:
            self._log.write([self._overlay.packed()])
        return segment, self._now(), self._next - 1, self._apart.copy()

    def _without_known(self, now: _Now, fresh: Rows) -> tuple[Rows, Rows]:
        """Leave out what the lake has already; return the rest, and what was left out."""
        assert self._tier is not None  # noqa: S101 -- there is one with a lake
        found = np.zeros(len(fresh), np.int64)
        streams, begins = np.unique(fresh["stream"], return_index=True)
        for stream, begin in zip(streams.tolist(), begins.tolist(), strict=True):
            first = int(fresh["time"][begin])
            end = int(np.searchsorted(fresh["stream"], stream, "right"))
            last = int(fresh["time"][end - 1])
            for stored in now.files:
                at = int(np.searchsorted(stored.streams, stream))
                if at == len(stored.streams) or stored.streams[at] != stream:
                    continue
                if stored.last[at] < first or stored.first[at] > last:
                    continue
                there = self._tier.of_stream(stored, stream, first, last + 1, None)
                find_in(now.overlay.covered(there), fresh.take(slice(begin, end)), found[begin:end])
        known = found > 0
        return fresh.take(~known), fresh.take(known)

    def _settle(self, lake: Lake, mark: Mark, now: _Now, *, work_in: bool, repeats: Rows) -> None:
        """Read from the published version what it holds."""
        assert self._tier is not None  # noqa: S101 -- there is one with a lake
        version = next(one.version for one in lake.catalogue() if one.id == flushing.DATASET)
        assert version is not None  # noqa: S101 -- just published
        files = self._tier.stored(version.content)
        done = {n: c for n, c in now.overlay.changes.items() if work_in or n > now.flushed}
        with self._lock:
            left = self._overlay.without(Overlay(done, now.overlay.cut if work_in else {}))
            self._tier.files, self._version, self._mark, self._overlay = files, version, mark, left
            self._apart.drop(mark.apart)
            if now.overlay:
                self._replace(now.overlay, done, work_in=work_in)
            if len(repeats):
                self._window.drop(repeats["id"])
            if self._window.rows > self.in_memory:
                newest = self._next - 1 - self.in_memory // 2
                self._evicted = max(self._evicted, min(mark.reading, newest))
                self._standing.keep(self._window.evict(min(mark.reading, newest)))
            for stream in np.unique(repeats["stream"]).tolist():
                self._restand(stream)

    def _replace(self, overlay: Overlay, done: dict[int, Change], *, work_in: bool) -> None:
        """Put into memory what the lake now holds instead of rows that were corrected or deleted."""
        rows = joined([change.row for change in done.values() if change.row is not None])
        self._window.drop(np.fromiter(done, np.int64, len(done)))
        if len(rows):
            self._window.add(Overlay({}, overlay.cut).covered(rows))
        if work_in:
            for stream, last in overlay.cut.items():
                self._window.drop_stream(stream, last)


def _memory(
    now: _Now, stream: int, since: int | None, until: int | None, ends: tuple[int, int] | None, after: int
) -> list[Rows]:
    """Return the readings of a stream that are in memory, those behind the `after`-th."""
    parts = []
    for run in now.runs:
        low, high = run.between(stream, since, until)
        if high <= low:
            continue
        if ends is not None and (after == 0 or int(run["id"][low:high].min()) > after):
            low, high = (low, min(high, low + ends[0])) if ends[0] else (max(low, high - ends[1]), high)
        rows = run.take(slice(low, high))
        parts.append(rows.take(rows["id"] > after) if after else rows)
    return parts


def _filtered(table: pa.Table, where: Where) -> pa.Table:
    return table.filter(where if isinstance(where, pc.Expression) else where(table))


def _sort_keys(order: Sequence[tuple[str, bool]]) -> list[tuple[str, str]]:
    keys: dict[str, bool] = {}
    for name, down in (*order, *((name, False) for name in ("stream", "time", "id"))):
        keys.setdefault(name, down)
    return [(name, "descending" if down else "ascending") for name, down in keys.items()]


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


def _changed(row: Rows, changes: dict[str, Any]) -> Rows:
    columns = dict(row.columns)
    for name, value in changes.items():
        if name not in SCHEMA.names or name in ("id", "stream", "received"):
            msg = f"{name} of a reading does not change"
            raise ValueError(msg)
        if name in TEXTS:
            columns[name] = texts_of([value])
        elif name == "result":
            columns[name] = np.array([np.nan if value is None else value], np.float64)
        else:
            columns[name] = np.array([EMPTY[name] if value is None else value], np.int64)
    if changes.get("result") is not None:
        columns.pop("result_json", None)
    return Rows(columns)


def _take(home: Path) -> Any:
    """Hold the one right to this store until the file is closed."""
    handle = (home / "lock").open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.close()
        raise StoreInUseError(str(home)) from error
    return handle
