"""Workbooks (XLSX, XLS, XLSB, ODS): one sheet as a table, with its titles, merged cells and odd headers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    load_workbook,
)

from jingwei.lake.forms.archives import check_archive
from jingwei.lake.forms.columns import unique_names
from jingwei.lake.forms.delimited import renamed_evidence
from jingwei.lake.forms.errors import (
    CorruptFileError,
    EmptyFileError,
    LayerNeededError,
    NotATableError,
    TooLargeError,
    UnknownColumnError,
    UnknownLayerError,
)
from jingwei.lake.forms.reading import BATCH_ROWS, JSON, Batch, Evidence, Progress, Reading
from jingwei.lake.forms.sheet_gaps import Gap, gaps
from jingwei.lake.forms.text_table import VALUE, Header, find_header
from jingwei.lake.forms.values import Value, ValueWatch, as_column, as_text, whole_if_whole
from jingwei.words import Text

HEAD_ROWS = 200
ZIPPED_SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".ods")
LARGEST_FILE = 256 * 2**20
SHOWN_ROWS = 20
SHOWN_COLUMNS = 5


@dataclass(frozen=True, slots=True)
class _Merges:
    """Merged ranges of a sheet: the cell each covered cell takes its value from."""

    source: dict[tuple[int, int], tuple[int, int]]
    last_row: int

    def fill(self, rows: Iterator[tuple[int, list[Value]]]) -> Iterator[tuple[int, list[Value]]]:
        """Give every cell of a merged range the value of its first."""
        kept: dict[tuple[int, int], Value] = {}
        firsts = set(self.source.values())
        by_row: dict[int, list[int]] = {}
        for row, column in self.source:
            by_row.setdefault(row, []).append(column)
        for number, cells in rows:
            row = number - 1
            if row <= self.last_row:
                kept.update({(row, at): cells[at] for at in range(len(cells)) if (row, at) in firsts})
                for column in by_row.get(row, []):
                    if column < len(cells) and cells[column] is None:
                        cells[column] = kept.get(self.source[row, column])
            yield number, cells


@dataclass(slots=True)
class _Gaps:
    """Cells that are read as empty: how many in which columns, and the first rows of them."""

    columns: Counter[int] = field(default_factory=Counter)
    rows: list[int] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)

    @property
    def cells(self) -> int:
        """How many there are."""
        return self.columns.total()

    def note(self, gap: Gap) -> None:
        """Count one more; they come in the order of rows."""
        self.columns[gap.column] += 1
        if len(self.rows) < SHOWN_ROWS and self.rows[-1:] != [gap.row]:
            self.rows.append(gap.row)
        if len(self.kinds) < SHOWN_ROWS:
            self.kinds.add(gap.said)


class WorkbookReading(Reading):
    """One sheet of a workbook."""

    form = "xlsx"

    def __init__(
        self,
        path: Path,
        *,
        layer: str | None = None,
        header_row: int | None = None,
        columns_as_text: Iterable[str] = (),
        progress: Progress | None = None,
    ) -> None:
        super().__init__(path)
        self._workbook = open_workbook(path)
        self.layer = _chosen_layer(path, self._workbook, layer)
        self._sheet = self._workbook.get_sheet_by_name(self.layer)
        self._merges = _merges(self._sheet)
        self._find_header(header_row)
        self._scan(list(columns_as_text), progress)

    def batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the rows that are not wholly empty; merged cells all have the value of their first."""
        rows = self._data_rows()
        done = 0
        while part := list(islice(rows, size)):
            columns = [
                as_column([cells[at] for _, cells in part], field.type)
                for at, field in zip(self._positions, self.schema, strict=True)
            ]
            done += len(part)
            self._done = done / max(1, self.total or 0)
            numbers = np.array([number for number, _ in part], dtype=np.int64)
            yield Batch(pa.RecordBatch.from_arrays(columns, schema=self.schema), numbers)

    def close(self) -> None:
        """Let go of the workbook."""
        self._workbook.close()

    def _find_header(self, header_row: int | None) -> None:
        head = list(islice(_rows(self._sheet), HEAD_ROWS))
        if not any(any(cell is not None for cell in cells) for _, cells in head):
            raise EmptyFileError(self.path)
        texts = [[as_text(cell) or "" for cell in cells] for _, cells in head]
        width = max((at + 1 for row in texts for at, cell in enumerate(row) if cell), default=0)
        texts = [row[:width] for row in texts]
        header = _stated_header(self.path, texts, header_row) if header_row is not None else None
        header = header or find_header([row for row in texts if any(row)], width)
        index = None if header.row is None else _row_index(texts, header, stated=header_row is not None)
        names, self._first_row = self._header_names(texts, index, header)
        self._names = names + [""] * (self._sheet.total_width - len(names))

    def _header_names(
        self, texts: list[list[str]], index: int | None, header: Header
    ) -> tuple[list[str], int]:
        """Return the names of all columns, header rows joined, and the number of the first data row."""
        if index is None:
            self.evidence.append(header.evidence)
            return header.names, 1
        top, bottom = _levels(texts, index, self._merges)
        filled = [
            cells
            for _, cells in self._merges.fill(
                (n + 1, [t or None for t in texts[n]]) for n in range(bottom + 1)
            )
        ]
        names = []
        for column in range(len(texts[0])):
            parts = list(
                dict.fromkeys(str(filled[row][column] or "").strip() for row in range(top, bottom + 1))
            )
            names.append("_".join(part for part in parts if part))
        shown = str(index + 1) if top == bottom else f"{top + 1}-{bottom + 1}"
        reason = Text(f"第 {shown} 行是列名", f"row {shown} names the columns")
        self.evidence.append(
            Evidence("header", shown, reason, {"row": bottom + 1, "levels": bottom - top + 1})
        )
        return names, bottom + 2

    def _scan(self, columns_as_text: list[str], progress: Progress | None) -> None:
        height = max(1, self._sheet.total_height)
        filled = [False] * len(self._names)
        names, changed = unique_names(self._names)
        for column in columns_as_text:
            if column not in names:
                raise UnknownColumnError(self.path, column, [name for name in names if name not in changed])
        watches = [ValueWatch(as_text=name in columns_as_text) for name in names]
        total = 0
        for number, cells in self._data_rows():
            total += 1
            for at, cell in enumerate(cells):
                if cell is not None:
                    filled[at] = True
                    watches[at].see(cell)
            if progress and total % 10_000 == 0:
                progress(number / height)
        self._positions = [at for at in range(len(names)) if filled[at] or self._names[at]]
        self.total = total
        self.schema = pa.schema([pa.field(names[at], watches[at].type) for at in self._positions])
        changed = {name: was for name, was in changed.items() if name in self.schema.names}
        if changed:
            self.evidence.append(renamed_evidence(changed))
        self._tell_gaps(progress)
        if self._merges.last_row >= self._first_row - 1:
            reason = Text(
                "数据中的合并单元格已按首格取值",
                "merged cells among the data have the value of their first cell",
            )
            self.evidence.append(Evidence("merged-cells", "filled", reason, {}))

    def _tell_gaps(self, progress: Progress | None) -> None:
        """Tell of cells that are read as empty although something stands in them."""
        errors, formulas = _Gaps(), _Gaps()
        for gap in gaps(self.path, self.layer, lambda: progress(1.0) if progress else None):
            if gap.row >= self._first_row:
                (errors if gap.said else formulas).note(gap)
        if errors.cells:
            zh, en, figures = self._where(errors)
            said = " ".join(sorted(errors.kinds))
            reason = Text(
                f"{zh}是错误值（{said}），按空值读取", f"{en} hold an error ({said}) and are read as empty"
            )
            self.evidence.append(Evidence("cell-errors", said, reason, figures))
        if formulas.cells:
            zh, en, figures = self._where(formulas)
            reason = Text(
                f"{zh}是没有保存结果的公式，按空值读取；请在表格软件中打开并保存后再提交",
                f"{en} hold a formula without its result and are read as empty; open the workbook in a "
                "spreadsheet program, save it, and hand it in again",
            )
            self.evidence.append(Evidence("formulas", "empty", reason, figures))

    def _where(self, gaps: _Gaps) -> tuple[str, str, dict[str, JSON]]:
        """Return how many cells in which columns these are and in which rows, in words and figures."""
        columns: dict[str, JSON] = {
            (self._names[column - 1] if column <= len(self._names) else "") or f"column_{column}": cells
            for column, cells in gaps.columns.items()
        }
        listed = list(columns)[:SHOWN_COLUMNS]
        numbers = [str(row) for row in gaps.rows[:SHOWN_COLUMNS]]
        zh = f"“{'”“'.join(listed)}”列有 {gaps.cells} 个单元格（如第 {'、'.join(numbers)} 行）"
        en = f"{gaps.cells} cells of “{'”, “'.join(listed)}” (rows {', '.join(numbers)} ...)"
        return zh, en, {"cells": gaps.cells, "columns": columns, "rows": [*gaps.rows]}

    def _data_rows(self) -> Iterator[tuple[int, list[Value]]]:
        for number, cells in self._merges.fill(_rows(self._sheet)):
            if number >= self._first_row and any(cell is not None for cell in cells):
                yield number, cells


def open_workbook(path: Path) -> CalamineWorkbook:
    """Open a workbook after looking into its archive.

    Raises
    ------
    ZipBombError, CorruptFileError, TooLargeError
        it is not safe or not possible to read it.
    """
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise TooLargeError(path, size, LARGEST_FILE, "CSV / Parquet")
    if path.suffix.lower() in ZIPPED_SUFFIXES:
        check_archive(path, path.suffix[1:].upper())
    try:
        return load_workbook(path)
    except PasswordError as error:
        raise NotATableError(
            path,
            Text("工作簿有密码，请去掉密码后再提交", "the workbook has a password; hand it over without one"),
        ) from error
    except CalamineError as error:
        raise CorruptFileError(path, path.suffix[1:].upper(), str(error)) from error


def sheet_names(workbook: CalamineWorkbook) -> list[str]:
    """Return the names of the sheets that hold cells and are not hidden."""
    return [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]


def table_sheet(path: Path) -> str | None:
    """Return the sheet that looks most like a table: with the most cells in rows of several, near its top.

    An explanation (说明) in front of the data has one text in a row. None where no sheet holds anything.
    """
    workbook = open_workbook(path)
    try:
        filled = {name: _cells_in_rows(workbook.get_sheet_by_name(name)) for name in sheet_names(workbook)}
    finally:
        workbook.close()
    return max(filled, key=lambda name: filled[name], default=None)


def _cells_in_rows(sheet: CalamineSheet) -> int:
    counts = [sum(cell is not None for cell in cells) for _, cells in islice(_rows(sheet), HEAD_ROWS)]
    return sum(count for count in counts if count > 1)


def _chosen_layer(path: Path, workbook: CalamineWorkbook, layer: str | None) -> str:
    known = [sheet.name for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    if layer is not None:
        if layer not in known:
            raise UnknownLayerError(path, layer, known)
        return layer
    filled = [name for name in sheet_names(workbook) if workbook.get_sheet_by_name(name).start is not None]
    if not filled:
        raise EmptyFileError(path)
    if len(filled) > 1:
        raise LayerNeededError(path, filled)
    return filled[0]


def _rows(sheet: CalamineSheet) -> Iterator[tuple[int, list[Value]]]:
    """Yield the rows of a sheet with their 1-based numbers, from column A on; empty cells are None."""
    left: list[Value] = [None] * (sheet.start[1] if sheet.start else 0)
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        yield number, left + [None if cell == "" else whole_if_whole(_plain(cell)) for cell in cells]


def _plain(cell: Any) -> Value:
    value: Value = cell
    return value


def _merges(sheet: CalamineSheet) -> _Merges:
    source: dict[tuple[int, int], tuple[int, int]] = {}
    for first, last in sheet.merged_cell_ranges or []:
        for row in range(first[0], min(last[0], sheet.total_height) + 1):
            for column in range(first[1], min(last[1], sheet.total_width) + 1):
                if (row, column) != first:
                    source[row, column] = first
    return _Merges(source, max((row for row, _ in source), default=-1))


def _stated_header(path: Path, texts: list[list[str]], header_row: int) -> Header:
    stated = Evidence("header", str(header_row or "none"), Text("按指定", "as stated"), {})
    if header_row == 0:
        return Header(None, [""] * len(texts[0]), stated)
    if header_row > len(texts):
        raise NotATableError(
            path,
            Text(f"前 {len(texts)} 行中没有第 {header_row} 行", f"there is no row {header_row} near the top"),
        )
    return Header(header_row - 1, texts[header_row - 1], stated)


def _row_index(texts: list[list[str]], header: Header, *, stated: bool) -> int:
    """Return the index of the header among all rows; it was found among those that are not empty."""
    if stated or header.row is None:
        return header.row or 0
    filled = [at for at, row in enumerate(texts) if any(row)]
    return filled[header.row]


def _levels(texts: list[list[str]], index: int, merges: _Merges) -> tuple[int, int]:
    """Return the first and last of the rows that together name the columns, by their merged cells."""
    top = bottom = index
    while top > 0 and _is_group_row(texts[top - 1], top - 1, merges):
        top -= 1
    while bottom + 1 < len(texts) and _has_names_below(texts, bottom, merges):
        bottom += 1
    return top, bottom


def _is_group_row(row: list[str], at: int, merges: _Merges) -> bool:
    """Tell whether a row above the header names groups of columns: several texts, some over more columns."""
    merged = any(merges.source.get((at, column), (at, column)) != (at, column) for column in range(len(row)))
    return sum(bool(cell) for cell in row) >= 2 and merged and not any(VALUE.fullmatch(c) for c in row if c)


def _has_names_below(texts: list[list[str]], at: int, merges: _Merges) -> bool:
    """Tell whether the row below names the single columns of a group: texts under a wide cell."""
    groups = [
        column for column in range(len(texts[at])) if merges.source.get((at, column), (at, column))[0] == at
    ]
    wide = [
        column for column in groups if (at, column) in merges.source or _is_group_start(at, column, merges)
    ]
    below = [texts[at + 1][column] for column in wide]
    return bool(wide) and any(below) and not any(VALUE.fullmatch(cell.strip()) for cell in below if cell)


def _is_group_start(row: int, column: int, merges: _Merges) -> bool:
    return merges.source.get((row, column + 1)) == (row, column)
