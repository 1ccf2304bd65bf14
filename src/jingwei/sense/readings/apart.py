"""Readings that were kept apart: late, from the future, or impossible; none is dropped in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pyarrow as pa

from jingwei.lake.quarantine import quarantine_of
from jingwei.sense.readings.batch import readings_of
from jingwei.sense.readings.facts import reason

if TYPE_CHECKING:
    from jingwei.sense.readings.columns import Rows


class ApartRow(NamedTuple):
    """A reading that was kept apart: its number among those, why, and what it said (JSON)."""

    number: int
    code: str
    stream: int
    text: str


class Apart:
    """The readings kept apart that are in the log and not in the lake."""

    def __init__(self, rows: list[ApartRow] | None = None, gone: int = 0) -> None:
        self._rows = rows or []
        self.gone = gone
        self.last = gone

    def __len__(self) -> int:
        return len(self._rows)

    def made(self, rows: Rows, codes: list[str]) -> list[ApartRow]:
        """Return rows as they are kept apart, numbered behind those that are there."""
        told = readings_of(rows.table())
        return [
            ApartRow(number, code, one.stream, msgspec.json.encode(_said(one._asdict())).decode())
            for number, (code, one) in enumerate(zip(codes, told, strict=True), self.last + 1)
        ]

    def add(self, rows: list[ApartRow], beyond: int = 0) -> None:
        """Take in rows, of those that are numbered beyond some number."""
        self._rows += [row for row in rows if row.number > beyond]
        self.last = max([self.last, beyond, *(row.number for row in rows)])

    def drop(self, until: int) -> None:
        """Let go of rows that the lake has."""
        self._rows = [row for row in self._rows if row.number > until]
        self.gone = max(self.gone, until)

    def copy(self) -> Apart:
        """Return what there is now."""
        return Apart([*self._rows], self.gone)

    def newest_first(self) -> list[ApartRow]:
        """Return the rows."""
        return self._rows[::-1]

    def table(self, segment: int) -> pa.Table:
        """Return the rows as the lake keeps what it quarantined."""
        file = f"sense/log/{segment:012}.log"
        rows = []
        for row in self._rows:
            why = reason(row.code, row.stream)
            rows.append((file, row.number, row.code, why.zh, why.en, row.text))
        return quarantine_of(rows)


def _said(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if value is not None and name != "id"}
