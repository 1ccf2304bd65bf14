"""Pages of entities that have no rows of their own: filtered, sorted and counted one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from jingwei.sense.errors import BadQueryError
from jingwei.sense.finding import Page
from jingwei.sense.odata.evaluate import holds
from jingwei.sense.odata.options import Query
from jingwei.sense.odata.syntax import Instant, Path, Period
from jingwei.words import Text

Row = dict[str, Any]
Value = Callable[[Row, Path], Any]
"""Returns of a row what a path leads to, as filters compare it."""
MOST = 50_000
"""Cells, and intervals of cells, that one answer is worked out from."""


class Work:
    """What an answer has been worked out from so far."""

    def __init__(self, most: int = MOST) -> None:
        self.left = most

    def count(self, number: int = 1) -> None:
        """Take note of some more.

        Raises
        ------
        BadQueryError
            Where that is too much for one answer.

        """
        self.left -= number
        if self.left < 0:
            raise BadQueryError(
                "$filter",
                Text(f"一次至多查看 {MOST} 个网格或时段", f"at most {MOST} cells or intervals at once."),
                mend=Text(
                    "请用 zoneLevel 或 phenomenonTime 缩小范围。", "Narrow it by zoneLevel or phenomenonTime."
                ),
            )


def listed(rows: Iterable[Row], query: Query, value: Value) -> Page:
    """Return the page of rows that a query asks for; no more rows are taken than it needs."""
    if query.order:
        rows = list(rows)
        for one in reversed(query.order):
            rows.sort(key=lambda row: _rank(value(row, one.path)), reverse=one.descending)
    page: list[Row] = []
    found = 0
    for row in rows:
        if query.filter is not None and not holds(query.filter, lambda path: value(row, path)):  # noqa: B023
            continue
        found += 1
        if query.skip < found <= query.skip + query.size:
            page.append(row)
        if found > query.skip + query.size and not query.count:
            break
    more = found > query.skip + query.size and query.size > 0
    return Page(page, more, found if query.count else None)


def _rank(value: Any) -> tuple[int, Any]:
    """Return what sorts values of one property: null first, numbers before all else."""
    if value is None:
        return 0, 0
    if isinstance(value, int | float | Instant | Period):
        return 1, value
    return 2, str(value)
