"""The store of readings of one city."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jingwei.sense.readings.batch import NONE, SCHEMA, TEXTS, Batch, Extent, Receipt, Refusal
from jingwei.sense.readings.errors import ImpossibleOrderError, UnknownReadingError
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path
    from types import TracebackType

Where = Any
"""What chooses readings: a pyarrow expression on the columns, or a function from a table to a mask."""


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What the intake needs to know of a stream.

    Attributes
    ----------
    stream
        Its number.
    cell, level
        The stored code (signed int64) of where it measures, and the level that is true to; None where
        that is not known or not fixed.
    height
        Metres.
    object, owner
        Identifier of the device in the registry, and the department that owns the stream.
    minimum, maximum
        Beyond these a result is impossible.
    late_after, future_after
        Seconds: a reading that much older than when it is received, or newer, is kept apart. None: the
        store's own bound (for late ones there is none).

    """

    stream: int
    cell: int | None = None
    level: int | None = None
    height: float | None = None
    object: str | None = None
    owner: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    late_after: float | None = None
    future_after: float | None = None


class Readings:
    """The readings of one city, kept in `home`. One process has it open at a time.

    Parameters
    ----------
    home
        Folder of the log and of what is kept beside it.
    streams
        Answers what is known of a stream, None if there is no such stream (its readings are refused). It
        is asked seldom: answers are kept until `forget_facts`. Without it every stream is taken.

    """

    def __init__(self, home: Path, streams: Callable[[int], StreamFacts | None] | None = None) -> None:
        self.home = home
        self._streams = streams
        self._lock = threading.RLock()
        self._rows: dict[int, dict[str, Any]] = {}
        self._next = 1
        self._callbacks: list[Callable[[pa.Table], None]] = []
        home.mkdir(parents=True, exist_ok=True)
        path = home / "readings.jsonl"
        for line in path.read_bytes().splitlines() if path.exists() else []:
            self._apply(msgspec.msgpack.decode(bytes.fromhex(line.decode())))
        self._log = path.open("ab")

    # taking in

    def append(self, batch: Batch) -> Receipt:
        """Take in readings; returns when they are durable.

        Raises
        ------
        IntakeFullError
            Where more waits than the intake holds.

        """
        receipt = Receipt(np.zeros(len(batch), np.int64))
        fresh = []
        with self._lock:
            known = {self._key(row): row["id"] for row in self._rows.values()}
            for index, row in enumerate(self._rows_of(batch)):
                if self._streams is not None and self._streams(row["stream"]) is None:
                    reason = Text(f"没有数据流 {row['stream']}", f"There is no stream {row['stream']}.")
                    receipt.refused.append(Refusal(index, "stream-unknown", reason, kept=False))
                elif self._key(row) in known:
                    receipt.ids[index] = known[self._key(row)]
                    receipt.duplicates += 1
                else:
                    row["id"] = self._next
                    self._next += 1
                    receipt.ids[index] = known[self._key(row)] = row["id"]
                    fresh.append(row)
            self._write([*fresh])
            table = self._table(fresh)
        for callback in self._callbacks if fresh else []:
            callback(table)
        return receipt

    async def append_async(self, batch: Batch) -> Receipt:
        """Take in readings without holding up the event loop; see `append`."""
        return await asyncio.to_thread(self.append, batch)

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
        with self._lock:
            if reading not in self._rows:
                raise UnknownReadingError(reading)
            self._write([{**self._rows[reading], **changes}])

    def remove(self, reading: int) -> None:
        """Delete a reading; durable when it returns.

        Raises
        ------
        UnknownReadingError
            If there is none of this number.

        """
        with self._lock:
            if reading not in self._rows:
                raise UnknownReadingError(reading)
            self._write([{"gone": reading}])

    def remove_stream(self, stream: int) -> None:
        """Delete all readings of a stream; durable when it returns."""
        with self._lock:
            self._write([{"gone": row["id"]} for row in self._rows.values() if row["stream"] == stream])

    def subscribe(self, callback: Callable[[pa.Table], None]) -> Callable[[], None]:
        """Call `callback` with every table of new readings (of `SCHEMA`) once they are durable.

        It is called from a thread of the store and must be quick; returns what ends the subscription.
        """
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def forget_facts(self, stream: int | None = None) -> None:
        """Ask anew what is known of a stream, or of all, at its next reading."""

    # questions

    def get(self, reading: int) -> pa.Table:
        """Return one reading, as a table of one row.

        Raises
        ------
        UnknownReadingError
            If there is none of this number.

        """
        with self._lock:
            if reading not in self._rows:
                raise UnknownReadingError(reading)
            return self._table([self._rows[reading]])

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
        table = self._chosen(streams, since, until, where)
        for column, _ in order:
            if column not in SCHEMA.names:
                raise ImpossibleOrderError(column, SCHEMA.names)
        named = [*order, *((name, False) for name in ("stream", "time", "id"))]
        keys = [
            (name, "descending" if down else "ascending") for name, down in dict(reversed(named)).items()
        ][::-1]
        return table.sort_by(keys).slice(offset, limit)

    def count(
        self,
        streams: Collection[int] | None = None,
        *,
        since: int | None = None,
        until: int | None = None,
        where: Where | None = None,
    ) -> int:
        """Count readings; without a condition and a period it is known and not counted."""
        return int(self._chosen(streams, since, until, where).num_rows)

    def latest(self, streams: Collection[int] | None = None) -> pa.Table:
        """Return the latest reading (by `time`, then `id`) of each stream that has one, sorted by stream."""
        newest: dict[int, dict[str, Any]] = {}
        with self._lock:
            for row in self._rows.values():
                if streams is None or row["stream"] in streams:
                    other = newest.get(row["stream"])
                    if other is None or (row["time"], row["id"]) > (other["time"], other["id"]):
                        newest[row["stream"]] = row
            return self._table([newest[stream] for stream in sorted(newest)])

    def extent(self, stream: int) -> Extent:
        """Return how much there is of a stream and over which times; kept with every reading."""
        table = self._chosen([stream], None, None, None)
        if not table.num_rows:
            return Extent()
        times = pc.min_max(table["time"].cast(pa.int64())).as_py()
        results = pc.min_max(table["result_time"].cast(pa.int64())).as_py()
        ends = pc.max(table["time_end"].cast(pa.int64())).as_py()
        return Extent(
            table.num_rows,
            times["min"],
            max(times["max"], NONE if ends is None else ends),
            NONE if results["min"] is None else results["min"],
            NONE if results["max"] is None else results["max"],
        )

    def close(self) -> None:
        """Let go of the files."""
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # the simple engine

    def _write(self, rows: list[dict[str, Any]]) -> None:
        self._log.write(b"".join(msgspec.msgpack.encode(row).hex().encode() + b"\n" for row in rows))
        self._log.flush()
        os.fsync(self._log.fileno())
        for row in rows:
            self._apply(row)

    def _apply(self, row: dict[str, Any]) -> None:
        if "gone" in row:
            self._rows.pop(row["gone"], None)
        else:
            self._rows[row["id"]] = row
            self._next = max(self._next, row["id"] + 1)

    @staticmethod
    def _key(row: dict[str, Any]) -> tuple[Any, ...]:
        return (row["stream"], row["time"], row["time_end"], row["result"], row["result_json"])

    @staticmethod
    def _rows_of(batch: Batch) -> list[dict[str, Any]]:
        now = time.time_ns() // 1000
        rows = []
        for index in range(len(batch)):
            row: dict[str, Any] = {"received": now, "id": 0}
            for name in SCHEMA.names:
                if name in row:
                    continue
                column = getattr(batch, name)
                value = None if column is None else column[index]
                row[name] = value if value is None or name in TEXTS else value.item()
                if row[name] == NONE or (name == "feature" and value == 0):
                    row[name] = None
            if row["result"] != row["result"]:
                row["result"] = None
            rows.append(row)
        return rows

    @staticmethod
    def _table(rows: list[dict[str, Any]]) -> pa.Table:
        return pa.table(
            {field.name: pa.array([row[field.name] for row in rows], field.type) for field in SCHEMA}, SCHEMA
        )

    def _chosen(
        self, streams: Collection[int] | None, since: int | None, until: int | None, where: Where | None
    ) -> pa.Table:
        with self._lock:
            rows = [
                row
                for row in self._rows.values()
                if (streams is None or row["stream"] in streams)
                and (since is None or row["time"] >= since)
                and (until is None or row["time"] < until)
            ]
        table = self._table(rows)
        if where is None:
            return table
        return table.filter(where if isinstance(where, pc.Expression) else where(table))
