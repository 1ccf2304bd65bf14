"""Cases in columns: worked out in all processors where they are many, and kept in memory to be asked."""

from __future__ import annotations

import gc
import itertools
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from operator import itemgetter
from threading import Lock
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa

from jingwei import grid
from jingwei.cases import traces
from jingwei.cases.case import decode
from jingwei.cases.facts import COLUMNS, facts_of
from jingwei.cases.regime import Regime
from jingwei.cases.settings import CalendarContent, Settings

FEW = 100
"""Cases that are named one by one, so that the columns' ranges are looked up instead of read."""
MANY = 8
"""Chunks from which on it is worth to start processes, which takes a second."""

_ARROW = {
    "VARCHAR": pa.string(), "INTEGER": pa.int32(), "BIGINT": pa.int64(), "BOOLEAN": pa.bool_(),
    "DOUBLE": pa.float64(), "VARCHAR[]": pa.list_(pa.string()),
}  # fmt: skip
_IN_ORDER = itemgetter(*COLUMNS)
SCHEMA = pa.schema([("id", pa.int64()), *((name, _ARROW[type_]) for name, type_ in COLUMNS.items())])

Rows = Sequence[tuple[int, str | bytes, str | None]]
"""Cases as they are kept: their row's number, what their events made of them, and their words."""


def table_of(rows: Rows, regime: Regime) -> pa.Table:
    """Return cases in columns, judged by what is in force."""
    collecting = gc.isenabled()
    gc.disable()  # cases hold no circles: looking for them takes a third of the time
    try:
        facts = [(id_, *_IN_ORDER(facts_of(decode(body), regime))) for id_, body, _ in rows]
        columns = zip(*facts, strict=True) if facts else ([] for _ in SCHEMA)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    finally:
        if collecting:
            gc.enable()
    placed = _with_place(pa.Table.from_arrays(arrays, schema=SCHEMA))
    return _with_words(placed, [traces.plain(said or "") for _, _, said in rows])


def tables_of(
    chunks: Iterable[Rows], regime: Regime, work: Callable[[Rows, Regime], pa.Table] = table_of
) -> Iterator[pa.Table]:
    """Yield cases in columns, chunk by chunk in any order: in all processors where there are many.

    Parameters
    ----------
    chunks, regime
        Rows as they are kept, and by what is in force they are judged.
    work
        Makes columns of a chunk: a function of a module, for it is named to other processes.

    """
    waiting = iter(chunks)
    first = list(itertools.islice(waiting, MANY))
    workers = os.cpu_count() or 1
    if len(first) < MANY or workers == 1:
        for rows in itertools.chain(first, waiting):
            yield work(rows, regime)
        return
    told = msgspec.json.encode((regime.settings, regime.content))
    with ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(told,)
    ) as pool:
        under_way: deque[Future[bytes]] = deque()
        for rows in itertools.chain(first, waiting):
            under_way.append(pool.submit(_worked_out, work, rows))
            if len(under_way) > 2 * workers:
                yield _read(under_way.popleft().result())
        while under_way:
            yield _read(under_way.popleft().result())


_regime: Regime | None = None
"""What is in force, in a process that works out columns."""


def _begin(told: bytes) -> None:
    global _regime  # noqa: PLW0603 -- a process has one
    settings, content = msgspec.json.decode(told, type=tuple[Settings, CalendarContent])
    _regime = Regime(settings, content)
    gc.disable()


def _worked_out(work: Callable[[Rows, Regime], pa.Table], rows: Rows) -> bytes:
    assert _regime is not None  # noqa: S101
    table = work(rows, _regime)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _read(written: bytes) -> pa.Table:
    return pa.ipc.open_stream(written).read_all()


def _with_place(table: pa.Table) -> pa.Table:
    """Return rows of cases with the middle of their cells, in degrees."""
    known = table["cell"].is_valid().to_numpy()
    cells = table["cell"].fill_null(0).to_numpy()
    levels = table["level"].fill_null(0).to_numpy()
    lon, lat = np.full(len(cells), np.nan), np.full(len(cells), np.nan)
    for level in np.unique(levels[known]):
        mine = known & (levels == level)
        lon[mine], lat[mine] = grid.centre(grid.from_stored(cells[mine]), int(level))
    for name, values in (("lon", lon), ("lat", lat)):
        table = table.append_column(name, pa.array(values, mask=~known))
    return table


def _with_words(table: pa.Table, said: Sequence[str]) -> pa.Table:
    """Return rows of cases with their words, and the traces by which these are found."""
    table = table.append_column("said", pa.array(said, pa.string()))
    for name, column in zip(traces.COLUMNS, traces.traces(said).T, strict=True):
        table = table.append_column(name, pa.array(np.ascontiguousarray(column)))
    return table


_WORDS = ("said VARCHAR", *(f"{name} UBIGINT" for name in traces.COLUMNS))


class Sheet:
    """Cases in columns in memory, to be asked in SQL about the table `cases`."""

    table = "cases"
    columns = (*(f'"{name}" {type_}' for name, type_ in COLUMNS.items()), "lon DOUBLE", "lat DOUBLE", *_WORDS)

    def __init__(self) -> None:
        self._opened: duckdb.DuckDBPyConnection | None = None
        self._opening = Lock()

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """The engine, opened when it is first needed: few processes ask every sheet that they could."""
        with self._opening:
            if self._opened is None:
                self._opened = duckdb.connect(":memory:", config={"preserve_insertion_order": "false"})
                self._opened.execute(f"CREATE TABLE {self.table} (id BIGINT, {', '.join(self.columns)})")
            return self._opened

    def close(self) -> None:
        """Let go of the engine and all rows."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()

    def clear(self) -> None:
        """Forget all rows."""
        self._connection.execute(f"DELETE FROM {self.table}")

    def put(self, fresh: pa.Table, *, replace: bool) -> None:
        """Take rows in; with `replace` in place of those with the same numbers of rows."""
        connection = self._connection
        connection.register("fresh", fresh)
        try:
            connection.execute("BEGIN")
            if replace:
                ids = fresh["id"].to_pylist()
                listed = ", ".join(map(str, ids)) if len(ids) <= FEW else "SELECT id FROM fresh"
                connection.execute(f"DELETE FROM {self.table} WHERE id IN ({listed})")
            connection.execute(f"INSERT INTO {self.table} SELECT * FROM fresh")
            connection.execute("COMMIT")
        except duckdb.Error:
            connection.execute("ROLLBACK")
            raise
        finally:
            connection.unregister("fresh")

    def ask(self, sql: str, given: Sequence[Any] = ()) -> pa.Table:
        """Return the answer to a question of ours about the table."""
        with self._connection.cursor() as cursor:
            return cursor.sql(sql, params=list(given)).to_arrow_table()

    def rows(self, sql: str, given: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the answer to a question of ours as rows."""
        with self._connection.cursor() as cursor:
            return cursor.execute(sql, list(given)).fetchall()
