"""How each stream stands: how many readings, over which times, the latest one. Kept up with every reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from jingwei.sense.readings.batch import NONE, TEXTS, Extent
from jingwei.sense.readings.columns import ALWAYS, EMPTY, NUMBERS, Rows, rows_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

COUNTED = ("count", "first", "last", "first_result_time", "last_result_time", "ends", "kept")
"""`last` takes ends of intervals into account, `ends` counts them; `kept` is the latest time that the lake
holds but memory does not."""
SUMMED = COUNTED[:-1]
LEAST = 1_024


class Standing:
    """One row for each stream that ever had a reading, found by its number."""

    def __init__(self) -> None:
        self._row: dict[int, int] = {}
        self._counted: dict[str, NDArray[np.int64]] = {}
        self._latest: dict[str, NDArray[Any]] = {}
        self._held: set[str] = set()
        self._grow(LEAST)

    def _grow(self, size: int) -> None:
        for name in COUNTED:
            empty = np.zeros(size, np.int64) if name in ("count", "ends") else np.full(size, NONE)
            self._counted[name] = _extended(self._counted.get(name), empty)
        for name in (*ALWAYS, *NUMBERS, *TEXTS):
            kind: Any = np.float64 if name == "result" else object if name in TEXTS else np.int64
            self._latest[name] = _extended(
                self._latest.get(name),
                np.full(size, EMPTY.get(name, NONE if name == "time" else 0), kind),
            )

    def rows(self, streams: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the row of each stream; new ones are added."""
        known = self._row
        found = [known.setdefault(stream, len(known)) for stream in streams.tolist()]
        size = len(self._counted["count"])
        if len(known) > size:
            self._grow(max(2 * size, len(known)))
        return np.array(found, np.int64)

    def streams(self) -> list[int]:
        """Return the numbers of all streams that have readings, in order."""
        return sorted(stream for stream, row in self._row.items() if self._counted["count"][row] > 0)

    def add(self, ordered: Rows) -> None:
        """Take in rows that are new; those of one stream follow each other in order."""
        if not len(ordered):
            return
        streams = ordered["stream"]
        begins = np.flatnonzero(np.append(True, streams[1:] != streams[:-1]))
        ends = np.append(begins[1:], len(streams)) - 1
        rows = self.rows(streams[begins])
        counted = self._counted
        counted["count"][rows] += ends - begins + 1
        _lower(counted["first"], rows, ordered["time"][begins])
        _raise(counted["last"], rows, ordered["time"][ends])
        if "time_end" in ordered.columns:
            own = ordered["time_end"]
            counted["ends"][rows] += np.add.reduceat((own != NONE).astype(np.int64), begins)
            _raise(counted["last"], rows, np.maximum.reduceat(own, begins))
        if "result_time" in ordered.columns:
            own = ordered["result_time"]
            _raise(counted["last_result_time"], rows, np.maximum.reduceat(own, begins))
            given = np.where(own == NONE, np.iinfo(np.int64).max, own)
            least = np.minimum.reduceat(given, begins)
            _lower(counted["first_result_time"], rows, np.where(least == np.iinfo(np.int64).max, NONE, least))
        self._newer(ordered, rows, ends)

    def _newer(self, ordered: Rows, rows: NDArray[np.int64], last: NDArray[np.int64]) -> None:
        latest = self._latest
        times = ordered["time"][last]
        newer = (times > latest["time"][rows]) | (
            (times == latest["time"][rows]) & (ordered["id"][last] > latest["id"][rows])
        )
        if not newer.all():
            rows, last = rows[newer], last[newer]
        self._held.update(ordered.columns)
        for name in self._held:  # the other columns are empty
            values = ordered.columns.get(name)
            latest[name][rows] = EMPTY[name] if values is None else values[last]

    def forget(self, stream: int) -> None:
        """Let a stream stand as if it had no reading; `kept` stays."""
        row = self._row.get(stream)
        if row is None:
            return
        for name in COUNTED:
            if name != "kept":
                self._counted[name][row] = 0 if name in ("count", "ends") else NONE
        self._latest["time"][row], self._latest["id"][row] = NONE, 0

    def newest(self, streams: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the time of the latest reading of each stream, `NONE` where there is none."""
        rows = self.rows(streams)  # may make the columns anew
        return self._latest["time"][rows]

    def keep(self, evicted: Rows) -> None:
        """Note which times memory does not hold any more."""
        if len(evicted):
            rows = self.rows(evicted["stream"])
            np.maximum.at(self._counted["kept"], rows, evicted["time"])

    def kept(self, stream: int) -> int:
        """Return the latest time of a stream that only the lake holds, `NONE` where there is none."""
        row = self._row.get(stream)
        return NONE if row is None else int(self._counted["kept"][row])

    def extent(self, stream: int) -> Extent:
        """Return how much there is of a stream."""
        row = self._row.get(stream)
        if row is None or not self._counted["count"][row]:
            return Extent()
        return Extent(*(int(self._counted[name][row]) for name in COUNTED[:5]))

    def count(self, streams: Collection[int] | None) -> int:
        """Return how many readings some streams have, or all."""
        if streams is None:
            return int(self._counted["count"].sum())
        rows = [self._row[stream] for stream in set(streams) if stream in self._row]
        return int(self._counted["count"][rows].sum()) if rows else 0

    def latest(self, streams: Collection[int] | None) -> Rows:
        """Return the latest reading of each stream that has one, in the order of the streams."""
        chosen = self._row if streams is None else [one for one in set(streams) if one in self._row]
        rows = np.array([self._row[stream] for stream in sorted(chosen)], np.int64)
        rows = rows[self._latest["id"][rows] > 0]
        return Rows({name: column[rows] for name, column in self._latest.items()})

    def summary(self) -> pa.Table:
        """Return how every stream stands, in the order of the streams: counts and the latest row."""
        latest = self.latest(None)
        rows = self.rows(latest["stream"])
        table = latest.table()
        for name in SUMMED:
            table = table.append_column(name, pa.array(self._counted[name][rows]))
        return table

    def merge(self, summary: pa.Table) -> None:
        """Take in what `summary` told of other readings."""
        latest = rows_of(summary)
        rows = self.rows(latest["stream"])
        told = {name: summary[name].to_numpy() for name in SUMMED}
        for name in ("count", "ends"):
            self._counted[name][rows] += told[name]
        for name in ("first", "first_result_time"):
            _lower(self._counted[name], rows, told[name])
        for name in ("last", "last_result_time"):
            _raise(self._counted[name], rows, told[name])
        _raise(self._counted["kept"], rows, latest["time"])
        self._newer(latest, rows, np.arange(len(latest)))


def _extended(old: NDArray[Any] | None, new: NDArray[Any]) -> NDArray[Any]:
    if old is not None:
        new[: len(old)] = old
    return new


def _raise(column: NDArray[np.int64], rows: NDArray[np.int64], values: NDArray[np.int64]) -> None:
    column[rows] = np.maximum(column[rows], values)


def _lower(column: NDArray[np.int64], rows: NDArray[np.int64], values: NDArray[np.int64]) -> None:
    old = column[rows]
    column[rows] = np.where(old == NONE, values, np.where(values == NONE, old, np.minimum(old, values)))
