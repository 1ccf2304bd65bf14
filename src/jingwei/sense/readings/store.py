"""The store of readings of one city: log, memory and lake, read as one."""

from __future__ import annotations

import fcntl
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from jingwei.sense.readings import flushing
from jingwei.sense.readings.apart import Apart, ApartRow
from jingwei.sense.readings.batch import SCHEMA, TEXTS, Batch, Reading, Receipt
from jingwei.sense.readings.columns import EMPTY, Rows, texts_of
from jingwei.sense.readings.errors import StoreInUseError
from jingwei.sense.readings.facts import Ask, FactsBook
from jingwei.sense.readings.incoming import Incoming
from jingwei.sense.readings.intake import Intake
from jingwei.sense.readings.kept import Kept
from jingwei.sense.readings.log import Log, unpacked
from jingwei.sense.readings.moving import Moving
from jingwei.sense.readings.overlay import Change, Overlay
from jingwei.sense.readings.questions import Questions
from jingwei.sense.readings.tier import Tier

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path
    from types import TracebackType

    from jingwei.lake import Lake
    from jingwei.sense.readings.incoming import Counters

IN_MEMORY = 2_000_000
"""Readings that stay in memory when the lake has them: the window in which duplicates are seen at once."""


class Watcher(Protocol):
    """Who must know, even after a crash, that readings changed that were there before."""

    def changing(self, places: Collection[tuple[int, int | None]]) -> int:
        """Note durably which readings will change: streams, each with a time, or None for all of it."""

    def changed(self, change: int) -> None:
        """Take it that the change with the number that `changing` returned is made, or failed."""

    def close(self) -> None:
        """Take it that the store is closed."""


def present() -> int:
    """Return the present instant, UTC microseconds."""
    return time.time_ns() // 1_000


class Readings(Questions):
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
        self.closed = False
        self._watcher: Watcher | None = None
        self._in_use = _take(home)
        self._forgotten: tuple[Callable[[int | None], None], ...] = ()
        self._corrected: tuple[Callable[[int, tuple[str, ...]], None], ...] = ()
        tier = None if lake is None else Tier(lake.root, flushing.DATASET, home / "summaries")
        super().__init__(Kept(tier))
        if lake is not None and tier is not None:
            self._open_lake(lake, tier)
        self._log = Log(home / "log")
        self._recover()
        self._log.open()
        self._incoming = Incoming(self._kept, self._log, FactsBook(streams), latest)
        self._intake = Intake(self._incoming.take)
        self._moving = None
        if tier is not None:
            self._moving = Moving(
                self._kept, tier, self._log, self._intake, self._watched, owner=owner, in_memory=in_memory
            )

    @property
    def facts(self) -> FactsBook:
        """What is known of streams."""
        return self._incoming.facts

    @property
    def counters(self) -> Counters:
        """What went through the intake since it was opened."""
        return self._incoming.counters

    @property
    def flushed_at(self) -> float | None:
        """When readings last went to the lake, in seconds since 1970; None if not since the start."""
        return None if self._moving is None else self._moving.flushed_at

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
        with self._kept.lock:
            self._incoming.listeners = (*self._incoming.listeners, callback)

        def end() -> None:
            with self._kept.lock:
                left = (one for one in self._incoming.listeners if one is not callback)
                self._incoming.listeners = tuple(left)

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

    @property
    def waiting(self) -> int:
        """How many readings wait for the disk."""
        return self._intake.waiting

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
        self._incoming.latest = latest
        self._incoming.facts = FactsBook(streams)
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
        if self._kept.tier is not None:
            self._kept.tier.close()
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

    def _open_lake(self, lake: Lake, tier: Tier) -> None:
        """Take up the version that is published; one that a crash left half published is finished first."""
        if lake.store.root.exists():
            with lake.store.writing():
                pass
        self._kept.version = next(
            (one.version for one in lake.catalogue() if one.id == flushing.DATASET and one.version), None
        )
        self._kept.mark = flushing.Mark.of(self._kept.version)
        self._kept.apart = Apart(gone=self._kept.mark.apart)
        self._kept.next = self._kept.mark.reading + 1
        self._kept.evicted = self._kept.mark.reading
        if self._kept.version is not None:
            tier.files = tier.stored(self._kept.version.content)
            for stored in tier.files:
                self._kept.standing.merge(stored.summary)

    def _recover(self) -> None:
        """Take up from the log what is not in the lake."""
        touched: set[int] = set()
        for _, record in self._log.records():
            if record["kind"] == "readings":
                self._recover_rows(unpacked(record["columns"]))
                apart = [ApartRow(*row) for row in record["apart"]]
                self._kept.apart.add(apart, beyond=self._kept.mark.apart)
            else:
                self._kept.overlay = self._kept.overlay.after(record)
                touched.update(change[0] for _, change in record["changes"])
                touched.update(stream for stream, _ in record["cut"])
        for stream in touched:
            self._kept.restand(stream)

    def _recover_rows(self, rows: Rows) -> None:
        if not len(rows):
            return
        self._kept.next = max(self._kept.next, int(rows["id"][-1]) + 1)
        rows = rows.take(rows["id"] > self._kept.mark.reading)
        self._kept.window.add(rows)
        self._kept.standing.add(rows.ordered())

    def _change(self, reading: int, changes: dict[str, Any] | None) -> None:
        row, time_ = self._kept.get(reading)
        stream = int(row["stream"][0])
        new = None if changes is None else _changed(row, changes)
        times = {int(one["time"][0]) for one in (row, new) if one is not None}
        with self._watched([(stream, time) for time in times]):
            self._lay(Overlay({reading: Change(stream, time_, new)}, {}))
        with self._kept.lock:
            self._kept.restand(stream)

    def _cut(self, stream: int) -> None:
        with self._watched([(stream, None)]):
            self._lay(Overlay({}, {stream: self._kept.next - 1}))
        with self._kept.lock:
            self._kept.restand(stream)

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
        with self._kept.lock:
            self._kept.overlay = Overlay(
                {**self._kept.overlay.changes, **changes.changes}, {**self._kept.overlay.cut, **changes.cut}
            )

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
        if self.lake is None or self._moving is None:
            return None
        return self._moving.flush(self.lake, self.facts, compact=compact)


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
