"""The shape of a table written as text: its delimiter and its header row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from jingwei.lake.forms.reading import Evidence
from jingwei.words import Text

DELIMITERS: tuple[str, ...] = (",", "\t", ";", "|", "\x01")
DELIMITER_NAMES = {
    ",": Text("逗号", "comma"),
    "\t": Text("制表符", "tab"),
    ";": Text("分号", "semicolon"),
    "|": Text("竖线", "bar"),
    "\x01": Text("控制符 0x01", "control character 0x01"),
}

ONE_COLUMN = "\x1f"
"""The unit separator of ASCII, which stands in no text."""

LONGEST_TITLE = 40
"""Rows above the header in which titles, notes and units may stand."""

VALUE = re.compile(
    r"[-+]?[\d.,]*\d[\d.,]*%?|[-+]?\d+(\.\d+)?[eE][-+]?\d+|"
    r"\d{1,4}[-/.年]\d{1,2}([-/.月]\d{1,2}日?)?([ T].*)?|"
    r"\d{1,2}:\d{2}(:\d{2})?|(?i:true|false|null|nan)"
)
"""Texts that are values rather than names: numbers, dates, times."""
YEAR = re.compile(r"(?:19|20)\d{2}年?")


@dataclass(frozen=True, slots=True)
class Header:
    """Which row names the columns.

    Parameters
    ----------
    row
        0-based index among the rows that were looked at, or None where no row names the columns.
    names
        the names as written; empty texts for unnamed columns.
    evidence
        why.
    """

    row: int | None
    names: list[str]
    evidence: Evidence


def split_record(text: str, delimiter: str) -> list[str] | None:
    """Split a record by RFC 4180, or return None where a quoted field does not end within `text`.

    A quote opens a quoted field only where the field begins; elsewhere it is a character like others. What
    follows a closing quote up to the delimiter belongs to the field.
    """
    if '"' not in text:
        return text.split(delimiter)
    fields: list[str] = []
    at = 0
    while True:
        value = ""
        if text.startswith('"', at):
            closing = _closing_quote(text, at + 1)
            if closing < 0:
                return None
            value = text[at + 1 : closing].replace('""', '"')
            at = closing + 1
        end = text.find(delimiter, at)
        if end < 0:
            fields.append(value + text[at:])
            return fields
        fields.append(value + text[at:end])
        at = end + 1


def _closing_quote(text: str, start: int) -> int:
    at = text.find('"', start)
    while at >= 0 and text.startswith('"', at + 1):
        at = text.find('"', at + 2)
    return at


def head_records(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the records among `lines` with the 1-based line each starts on; blank lines are none."""
    at = 0
    while at < len(lines):
        start, text = at, lines[at]
        fields = split_record(text, delimiter)
        while fields is None and at + 1 < len(lines):
            at += 1
            text += "\n" + lines[at]
            fields = split_record(text, delimiter)
        if fields is None:
            fields, at = lines[start].split(delimiter), start
        if text.strip():
            yield start + 1, fields
        at += 1


def find_delimiter(lines: list[str]) -> tuple[str, Evidence]:
    """Choose the delimiter that cuts the most records into the same number of fields, more than one.

    A record goes on where a quoted field holds the end of a line.

    Where none cuts at least half of the lines below the titles alike, the file is one column, and is read
    with a delimiter that no text holds, so that commas in it are what they are.
    """
    scores = {delimiter: _agreement(lines, delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: scores[delimiter])
    count, share, width = scores[best]
    if share < 0.5:
        reason = Text(
            "没有一种分隔符能切分各行，按一列读取", "no delimiter cuts the lines; read as one column"
        )
        return ONE_COLUMN, Evidence("delimiter", "none", reason, {"fields": 1})
    name = DELIMITER_NAMES[best]
    reason = Text(
        f"{name.zh}把 {share:.0%} 的行切成 {width} 个字段",
        f"the {name.en} cuts {share:.0%} of the lines into {width} fields",
    )
    return best, Evidence(
        "delimiter", best, reason, {"lines": count, "share": round(share, 4), "fields": width}
    )


def _agreement(lines: list[str], delimiter: str) -> tuple[int, float, int]:
    """Return how many records have the commonest width above 1, their share below the titles, the width."""
    widths = [len(fields) for _, fields in head_records(lines, delimiter)]
    titles = next((at for at, width in enumerate(widths) if width > 1), len(widths))
    counted = Counter(width for width in widths[min(titles, LONGEST_TITLE) :] if width > 1)
    if not counted:
        return 0, 0.0, 1
    width, count = max(counted.items(), key=lambda item: (item[1], item[0]))
    return count, count / (len(widths) - min(titles, LONGEST_TITLE)), width


def usual_width(rows: list[list[str]]) -> int:
    """Return the commonest number of cells up to the last one filled or delimited."""
    return Counter(len(row) for row in rows).most_common(1)[0][0] if rows else 0


def find_header(rows: list[list[str]], width: int) -> Header:
    """Find the row that names the columns: the first full one made of distinct names, above rows of values.

    Parameters
    ----------
    rows
        the first rows of the file, cells as text, empty cells as empty texts.
    width
        the number of columns.
    """
    for index, row in enumerate(rows[:LONGEST_TITLE]):
        if not _is_full(row, width):
            continue
        if _names_columns(row, rows[index + 1 :], width):
            return Header(index, _padded(row, width), header_evidence(index + 1, row))
        break
    reason = Text("第一行已是数据，没有列名", "the first row is data already; there are no column names")
    return Header(None, [""] * width, Evidence("header", "none", reason, {"columns": width}))


def _is_full(row: list[str], width: int) -> bool:
    filled = sum(bool(cell.strip()) for cell in row)
    return len(row) <= width and filled >= max(1, round(0.6 * width))


def _names_columns(row: list[str], below: list[list[str]], width: int) -> bool:
    """Tell whether a row reads as names: hardly a value in it, and where columns hold values, none.

    Years name columns (指标, 2018, 2019 ...) unless the column below holds years as well.
    """
    cells = [cell.strip() for cell in row if cell.strip()]
    if len(set(cells)) < 0.5 * len(cells):
        return False
    sample = [_padded(other, width) for other in below[:100] if len(other) <= width]
    columns = [[other[at].strip() for other in sample] for at in range(width)]
    values = [_is_value_above(cell.strip(), columns[at]) for at, cell in enumerate(_padded(row, width))]
    if any(value and _is_value_column(columns[at]) for at, value in enumerate(values)):
        return False
    return sum(values) <= 0.5 * width


def _is_value_above(cell: str, column: list[str]) -> bool:
    if not VALUE.fullmatch(cell):
        return False
    years = [bool(YEAR.fullmatch(other)) for other in column if other]
    return not YEAR.fullmatch(cell) or not years or sum(years) > 0.5 * len(years)


def _is_value_column(cells: list[str]) -> bool:
    filled = [cell.strip() for cell in cells if cell.strip()]
    return bool(filled) and sum(bool(VALUE.fullmatch(cell)) for cell in filled) >= 0.5 * len(filled)


def _padded(row: list[str], width: int) -> list[str]:
    return row + [""] * (width - len(row))


def header_evidence(number: int, row: list[str]) -> Evidence:
    """Say which row, counted from 1 as a person sees it, names the columns."""
    shown = "、".join(cell for cell in row[:4] if cell)
    shown_en = ", ".join(cell for cell in row[:4] if cell)
    above = (
        Text(f"，其上 {number - 1} 行不是数据", f"; the {number - 1} above it are no data")
        if number > 1
        else Text("", "")
    )
    reason = Text(
        f"第 {number} 行是列名（{shown} …）{above.zh}",
        f"row {number} names the columns ({shown_en} …){above.en}",
    )
    return Evidence("header", str(number), reason, {"row": number, "columns": len(row)})
