"""What can be asked of readings, wherever they lie; who may see them is asked by nobody here."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jingwei.sense.readings.batch import SCHEMA, Extent
from jingwei.sense.readings.columns import Rows, joined, no_rows
from jingwei.sense.readings.errors import ImpossibleOrderError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from jingwei.sense.readings.apart import ApartRow
    from jingwei.sense.readings.kept import Kept

Where = Any
"""What chooses readings: a pyarrow expression on the columns, or a function from a table to a mask."""


class Questions:
    """Answers about readings.

    Parameters
    ----------
    kept
        What there is.

    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def fresh(self, after: int) -> tuple[Rows, int]:
        """Return the readings with higher numbers than `after`, as they are now, and the number of the last.

        Readings with numbers up to that one that are not among them never will be.
        """
        with self._kept.lock:
            now, last, gone = self._kept.now(), self._kept.next - 1, self._kept.evicted
        if after >= last:
            return no_rows(), last
        parts = [run.take((run["id"] > after) & (run["id"] <= last)) for run in now.runs]
        if self._kept.tier is not None and after < gone:
            known = np.concatenate([part["id"] for part in parts]) if parts else np.empty(0, np.int64)
            for stored in now.files:
                for rows in self._kept.tier.whole(stored):
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
        return self._kept.get(reading)[0].table()

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
                rows = self._kept.of_stream(stream, since, until, (0, enough) if down else (enough, 0))
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
        return joined(
            [piece for piece in self._kept.pieces(self._kept.now(), streams, since, until) if len(piece)]
        )

    def newest(self, stream: int, limit: int, offset: int = 0) -> Rows:
        """Return the last readings of a stream, the newest first; the quickest of all questions."""
        rows = self._kept.of_stream(stream, None, None, (0, limit + offset))
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
            with self._kept.lock:
                return self._kept.standing.count(streams)
        pieces = self._kept.pieces(self._kept.now(), streams, since, until)
        if where is None:
            return sum(len(piece) for piece in pieces)
        return sum(_filtered(piece.table(), where).num_rows for piece in pieces if len(piece))

    def latest(self, streams: Collection[int] | None = None) -> pa.Table:
        """Return the latest reading (by `time`, then `id`) of each stream that has one, sorted by stream."""
        with self._kept.lock:
            rows = self._kept.standing.latest(streams)
        return rows.table()

    def extent(self, stream: int) -> Extent:
        """Return how much there is of a stream and over which times; kept with every reading."""
        with self._kept.lock:
            return self._kept.standing.extent(stream)

    def streams(self) -> list[int]:
        """Return the numbers of all streams that have readings, in order."""
        with self._kept.lock:
            return self._kept.standing.streams()

    def kept_apart(self, *, limit: int = 100, offset: int = 0) -> tuple[int, list[ApartRow]]:
        """Return how many readings were kept apart, and a page of them, the newest first."""
        with self._kept.lock:
            waiting = self._kept.apart.newest_first()
        total = len(waiting) + self._kept.mark.apart - self._kept.apart.gone
        return total, waiting[offset : offset + limit]

    @property
    def last(self) -> int:
        """The number of the last reading that was taken in."""
        return self._kept.last

    @property
    def unflushed(self) -> int:
        """How many readings are in the log and not in the lake."""
        return self._kept.unflushed

    def _chosen(
        self, streams: Collection[int] | None, since: int | None, until: int | None, where: Where | None
    ) -> pa.Table:
        """Return chosen readings in the order of stream, time and id."""
        pieces = [piece for piece in self._kept.pieces(self._kept.now(), streams, since, until) if len(piece)]
        if where is None:
            return joined(pieces).ordered().table()
        tables = [_filtered(piece.table(), where) for piece in pieces]
        table = pa.concat_tables(tables) if tables else SCHEMA.empty_table()
        return table.take(pc.sort_indices(table, sort_keys=_sort_keys(())))

    def _needed(self, streams: Collection[int] | None, offset: int, enough: int) -> tuple[list[int], int]:
        """Return the streams in which rows from `offset` to before `enough` lie, and the rows before them."""
        with self._kept.lock:
            known = self._kept.standing.streams()
            wanted = known if streams is None else sorted(set(streams) & set(known))
            counts = [self._kept.standing.count([stream]) for stream in wanted]
        ends = [0, *np.cumsum(counts).tolist()]
        needed = [
            stream
            for stream, (begin, end) in zip(wanted, pairwise(ends), strict=True)
            if end > offset and begin < enough
        ]
        skipped = next((begin for begin, end in pairwise(ends) if end > offset), 0)
        return needed, skipped


def _filtered(table: pa.Table, where: Where) -> pa.Table:
    return table.filter(where if isinstance(where, pc.Expression) else where(table))


def _sort_keys(order: Sequence[tuple[str, bool]]) -> list[tuple[str, str]]:
    keys: dict[str, bool] = {}
    for name, down in (*order, *((name, False) for name in ("stream", "time", "id"))):
        keys.setdefault(name, down)
    return [(name, "descending" if down else "ascending") for name, down in keys.items()]
