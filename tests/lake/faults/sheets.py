"""A file as a bureau hands it over, the faults planted in it, and what was agreed about it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import xlsxwriter

DUPLICATES = frozenset({"exact-duplicate", "near-duplicate", "duplicate-key"})


@dataclass(eq=False)
class Row:
    """A row while it is being written; two rows are the same only if they are one."""

    values: dict[str, Any]
    odd: str = ""

    def __getitem__(self, column: str) -> Any:
        return self.values[column]

    def __setitem__(self, column: str, value: Any) -> None:
        self.values[column] = value


@dataclass(frozen=True)
class Fault:
    """What was planted: ``row`` counts rows of data from 0 and is None where the file as a whole is at fault.

    ``also`` names kinds that the same row cannot help showing (a swapped coordinate lies outside the area),
    and ``of`` the row that it repeats: a detector may blame either one of the two.
    """

    file: str
    row: int | None
    field: str | None
    kind: str
    also: frozenset[str] = frozenset()
    of: int | None = None


@dataclass(frozen=True)
class Oddity:
    """A row that looks wrong and is right."""

    file: str
    row: int
    why: str


@dataclass(frozen=True)
class File:
    """A file: its name and form, rows as plain values, and the contract (ODCS 3.1) that was agreed for it."""

    name: str
    form: str
    encoding: str
    delimiter: str
    rows: tuple[dict[str, Any], ...]
    contract: dict[str, Any]

    @property
    def filename(self) -> str:
        return f"{self.name}.{self.form}"

    def content(self) -> bytes:
        """Give the bytes that the bureau sends."""
        return _workbook(self) if self.form == "xlsx" else _delimited(self)


class Sheet:
    """Rows being written: first all healthy, then some spoilt, each row by one fault only."""

    def __init__(self, name: str, rng: np.random.Generator, rows: Iterable[dict[str, Any]]) -> None:
        self.name, self.rng = name, rng
        self.rows = [r if isinstance(r, Row) else Row(r) for r in rows]
        self._taken: set[int] = set()
        self._planted: list[tuple[Row | None, str | None, str, frozenset[str], Row | None]] = []

    def untouched(self, count: int, where: Callable[[Row], bool] = lambda _: True) -> list[Row]:
        """Take rows that hold no fault, are no oddity, and will not be taken again."""
        free = [r for r in self.rows if id(r) not in self._taken and not r.odd and where(r)]
        if len(free) < count:
            raise ValueError(f"{self.name}: {len(free)} rows for {count} faults")
        chosen = [free[int(i)] for i in self.rng.choice(len(free), count, replace=False)]
        self._taken.update(map(id, chosen))
        return chosen

    def plant(
        self, row: Row | None, column: str | None, kind: str, *also: str, of: Row | None = None
    ) -> None:
        """Write a fault down."""
        self._planted.append((row, column, kind, frozenset(also), of))

    def spoil(
        self,
        kind: str,
        column: str,
        count: int,
        value: Callable[[Row], Any],
        *also: str,
        where: Callable[[Row], bool] = lambda _: True,
    ) -> None:
        """Put a wrong value into ``count`` rows."""
        for row in self.untouched(count, where):
            row[column] = value(row)
            self.plant(row, column, kind, *also)

    def insert_after(self, row: Row, values: dict[str, Any], odd: str = "") -> Row:
        """Put a row somewhere below another one."""
        new = Row(values, odd)
        self.rows.insert(int(self.rng.integers(self.rows.index(row) + 1, len(self.rows) + 1)), new)
        self._taken.add(id(new))
        return new

    def repeat(self, count: int, *also: str, where: Callable[[Row], bool] = lambda _: True) -> None:
        """Repeat rows as they are."""
        for row in self.untouched(count, where):
            new = self.insert_after(row, dict(row.values))
            self.plant(new, None, "exact-duplicate", "duplicate-key", "near-duplicate", *also, of=row)

    def same_key(
        self, column: str, count: int, *also: str, where: Callable[[Row], bool] = lambda _: True
    ) -> None:
        """Give rows the key of another row; the lower one of the two is at fault."""
        rows = self.untouched(2 * count, where)
        place = {id(r): i for i, r in enumerate(self.rows)}
        for one, other in zip(rows[::2], rows[1::2], strict=True):
            first, second = sorted((one, other), key=lambda r: place[id(r)])
            second[column] = first[column]
            self.plant(second, column, "duplicate-key", *also, of=first)

    def finish(self) -> tuple[tuple[dict[str, Any], ...], list[Fault], list[Oddity]]:
        """Give the rows, and the truth about them by number of row."""
        at = {id(r): i for i, r in enumerate(self.rows)}
        faults = [
            Fault(
                self.name,
                None if row is None else at[id(row)],
                column,
                kind,
                also,
                None if of is None else at[id(of)],
            )
            for row, column, kind, also, of in self._planted
        ]
        odd = [Oddity(self.name, at[id(r)], r.odd) for r in self.rows if r.odd]
        return tuple(r.values for r in self.rows), faults, odd


@dataclass
class Column:
    """What is agreed about one column, in the words of ODCS 3.1."""

    name: str
    type: str = "string"
    required: bool = False
    unique: bool = False
    codes: tuple[str, ...] = ()
    least: Any = None
    most: Any = None
    pattern: str | None = None
    standard: str | None = None
    to: str | None = None

    def odcs(self) -> dict[str, Any]:
        options = {"minimum": self.least, "maximum": self.most, "pattern": self.pattern}
        out: dict[str, Any] = {
            "name": self.name,
            "logicalType": self.type,
            "required": self.required,
            "unique": self.unique,
        }
        if options := {
            k: _text(v) if isinstance(v, date) else v for k, v in options.items() if v is not None
        }:
            out["logicalTypeOptions"] = options
        if self.codes:
            out["quality"] = [
                {
                    "type": "library",
                    "metric": "invalidValues",
                    "arguments": {"validValues": list(self.codes)},
                    "mustBe": 0,
                }
            ]
        if self.standard:
            out["customProperties"] = [{"property": "standard", "value": self.standard}]
        if self.to:
            out["relationships"] = [{"type": "foreignKey", "to": self.to}]
        return out


@dataclass
class Agreement:
    """A contract: columns by ODCS's own words, the rest as custom properties of the table (see README.md)."""

    name: str
    key: str
    columns: list[Column]
    rules: list[dict[str, Any]] = field(default_factory=list)

    def odcs(self) -> dict[str, Any]:
        properties = [c.odcs() for c in self.columns]
        for p in properties:
            if p["name"] == self.key:
                p |= {"primaryKey": True, "primaryKeyPosition": 1, "required": True, "unique": True}
        return {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "id": self.name,
            "name": self.name,
            "version": "1.0.0",
            "status": "active",
            "schema": [
                {
                    "name": self.name,
                    "logicalType": "object",
                    "properties": properties,
                    "customProperties": [{"property": "rules", "value": self.rules}],
                }
            ],
        }


@dataclass
class Mark:
    """How a detector did at one kind of fault."""

    right: int = 0
    false: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.false) if self.right + self.false else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def judge(faults: Iterable[Fault], found: Iterable[tuple[str, int | None, str]]) -> dict[str, Mark]:
    """Hold findings (file, row, kind) against the truth.

    A finding that a planted fault explains otherwise (``also``), or that blames the row which a duplicate
    repeats, is neither right nor false.
    """
    faults, found = list(faults), set(found)
    planted = {(f.file, f.row, f.kind) for f in faults}
    excused = {(f.file, f.row, kind) for f in faults for kind in f.also}
    excused |= {
        (f.file, f.of, kind) for f in faults if f.of is not None for kind in DUPLICATES & ({f.kind} | f.also)
    }
    marks: dict[str, Mark] = {kind: Mark() for _, _, kind in planted | found}
    for f in {(f.file, f.row, f.kind): f for f in faults}.values():
        seen = (f.file, f.row, f.kind) in found or (f.of is not None and (f.file, f.of, f.kind) in found)
        marks[f.kind].right += seen
        marks[f.kind].missed += not seen
    for one in found - planted - excused:
        marks[one[2]].false += 1
    return marks


def days(rng: np.random.Generator, first: date, last: date) -> date:
    """Draw a day."""
    return first + timedelta(days=int(rng.integers(0, (last - first).days + 1)))


def pick(rng: np.random.Generator, pool: tuple[Any, ...] | list[Any] | str) -> Any:
    """Draw one of a pool."""
    return pool[int(rng.integers(len(pool)))]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return value.isoformat() if isinstance(value, date) else str(value)


def _delimited(file: File) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=file.delimiter, lineterminator="\r\n")
    writer.writerow(file.rows[0])
    writer.writerows([_text(v) for v in row.values()] for row in file.rows)
    return out.getvalue().encode(file.encoding)


def _workbook(file: File) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    book.set_properties({"created": datetime(2026, 1, 1)})  # noqa: DTZ001 -- the same bytes from the same seed
    sheet = book.add_worksheet(file.name)
    for column, name in enumerate(file.rows[0]):
        sheet.write_string(0, column, name)
        for line, row in enumerate(file.rows, start=1):
            value = row[name]
            if isinstance(value, date):
                sheet.write_datetime(line, column, value)
            elif isinstance(value, str):
                sheet.write_string(line, column, value)
            elif value is not None:
                sheet.write_number(line, column, value)
    book.close()
    return out.getvalue()
