"""Which rows break the rules on single rows: told from the few values of a column, else in a scan.

All that is left to ask of the rows is asked in one scan, which tells of each row that breaks any rule which.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from jingwei.lake.rules import RowTest, literal, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jingwei.lake.schemas import Content

FEW_VALUES = 100_000
MANY_ROWS = 20
"""A column of at most so many values, each in so many rows on average, is tested value by value."""
VERY_FEW = 1_000
"""Values from which on that is only worth while for a test that takes long."""
QUICK = frozenset({"required", "placeholder", "codes", "longest"})
"""Kinds of tests that take hardly longer than reading the column."""
LISTED = 100
"""Values that break a test are looked for by name where they are at most so many."""
TOGETHER = 60
"""Tests that are asked in one scan, one bit each."""


@dataclass(frozen=True, slots=True)
class Broken:
    """How many rows break a test; `facts` is the question for them."""

    test: RowTest
    rows: int
    facts: str


class RowChecks:
    """Asks rules on single rows of the view `facts` of an engine."""

    def __init__(self, engine: duckdb.DuckDBPyConnection, own: pa.Schema, content: Content) -> None:
        self._engine = engine
        self._own = own
        self._published = content.counts.published
        self._distinct = {column.name: column.distinct for column in content.columns}
        self._few: dict[str, str] = {}
        self._numbers = itertools.count()

    def narrowed(self, test: RowTest) -> RowTest | None:
        """Return a test as it is quickest asked, or None where a shorter way shows that all rows keep it."""
        if len(test.columns) != 1:
            return test
        (name,) = test.columns
        try:
            if pa.types.is_string(self._own.field(name).type):
                return self._by_values(test, name)
            if test.kind == "required" and not self._ask(
                f"SELECT 1 FROM facts WHERE {name_of(name)} IS NULL LIMIT 1"
            ):
                return None  # as the files tell without being read
        except duckdb.Error:  # what is wrong with the test is told where rows are asked
            pass
        return test

    def _by_values(self, test: RowTest, name: str) -> RowTest | None:
        most = VERY_FEW if test.kind in QUICK else min(FEW_VALUES, self._published // MANY_ROWS)
        distinct = self._distinct.get(name)
        if name not in self._few:
            if distinct is None or distinct > most:
                return test
            self._few[name] = f"few_{next(self._numbers)}"
            self._ask(f"CREATE TEMP TABLE {self._few[name]} AS SELECT DISTINCT {name_of(name)} FROM facts")
        found = self._ask(
            f"SELECT {name_of(name)} FROM {self._few[name]} WHERE {test.broken} LIMIT {LISTED + 1}"
        )
        if not found or len(found) > LISTED:
            return test if found else None
        listed = ", ".join(literal(value) for (value,) in found if value is not None)
        broken = [f"{name_of(name)} IS NULL"] if (None,) in found else []
        broken += [f"coalesce({name_of(name)} IN ({listed}), FALSE)"] if listed else []
        return replace(test, broken=f"({' OR '.join(broken)})")

    def broken(self, tests: Sequence[RowTest]) -> list[Broken]:
        """Ask tests of the rows, all in one scan.

        Raises
        ------
        duckdb.Error
            If one of them does not suit the type of its column.

        """
        found: list[Broken] = []
        for begin in range(0, len(tests), TOGETHER):
            some = tests[begin : begin + TOGETHER]
            table = f"broken_{next(self._numbers)}"
            bits = " | ".join(
                f"CASE WHEN {test.broken} THEN {1 << n}::BIGINT ELSE 0 END" for n, test in enumerate(some)
            )
            self._ask(
                f"CREATE TEMP TABLE {table} AS SELECT jw_fact, jw_broken "
                f"FROM (SELECT jw_fact, {bits} AS jw_broken FROM facts) WHERE jw_broken <> 0"
            )
            met = [f"jw_broken & {1 << n} <> 0" for n in range(len(some))]
            counted = ", ".join(f"count(*) FILTER (WHERE {one})" for one in met)
            (counts,) = self._ask(f"SELECT {counted} FROM {table}")
            found += [
                Broken(test, rows, f"SELECT jw_fact FROM {table} WHERE {one}")
                for test, rows, one in zip(some, counts, met, strict=True)
            ]
        return found

    def _ask(self, question: str) -> list[tuple[Any, ...]]:
        return self._engine.execute(question).fetchall()
