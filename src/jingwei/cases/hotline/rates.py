"""Rates of the hotline: formulas as data, like the indicators of cases (`cases.indicators`).

Each is a number of calls, a sum over calls, or one of these over another number of calls. The formula that
is shown is the one that was counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from jingwei.cases.case import decode as decode_case
from jingwei.cases.columns import Rows, Sheet
from jingwei.cases.errors import BadFieldError
from jingwei.cases.hotline.call import decode
from jingwei.cases.hotline.facts import CHUNK, COLUMNS, Pairs, facts_of
from jingwei.cases.indicators import Figure, Indicator
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.cases.case import Case
    from jingwei.cases.hotline.call import Call
    from jingwei.cases.regime import Regime

Dimension = Literal[
    "street", "community", "department", "kind", "urgency", "channel", "taker", "day", "week", "month"
]
DIMENSIONS: tuple[Dimension, ...] = (
    "street", "community", "department", "kind", "urgency", "channel", "taker", "day", "week", "month",
)  # fmt: skip
"""What rates can be told by; each is a column."""
_ARROW = {"VARCHAR": pa.string(), "INTEGER": pa.int32(), "BIGINT": pa.int64(), "BOOLEAN": pa.bool_()}
_SCHEMA = pa.schema([("id", pa.int64()), *((name, _ARROW[type_]) for name, type_ in COLUMNS.items())])
_NEVER = 2**63 - 1


@cache
def rates_known() -> dict[str, Indicator]:
    """Return all rates by key, in the order of the table."""
    table = json.loads((files("jingwei.cases") / "data" / "hotline_rates.json").read_text("utf-8"))
    return {one["key"]: Indicator(says=Text(one.pop("zh"), one.pop("en")), **one) for one in table["rates"]}


class CallSheet(Sheet):
    """Calls in columns in memory, to be asked in SQL about the table `calls`."""

    table = "calls"
    columns = tuple(f'"{name}" {type_}' for name, type_ in COLUMNS.items())

    def rates(
        self, regime: Regime, *, now: int, by: Dimension | None = None, since: int = 0, until: int = _NEVER
    ) -> list[dict[str, Any]]:
        """Return the values of all rates over the calls that came between two instants; see `rates`."""
        if by is not None and by not in DIMENSIONS:
            raise BadFieldError("by", Text("没有此分组", "rates are not told by that."))
        known = list(rates_known().values())
        aggregates = [part for one in known for part in (one.top, one.bottom) if part]
        listed = ", ".join([by or "NULL", *aggregates])
        sql = f"SELECT {listed} FROM calls WHERE began >= $1 AND began < $2"
        sql += " GROUP BY 1 ORDER BY 1 NULLS LAST" if by else ""
        sql = sql.replace("{now}", str(int(now))).replace("{answer}", str(regime.hotline.answer_seconds))
        return [{"by": row[0], "figures": _figures(known, row[1:])} for row in self.rows(sql, [since, until])]


def rates(calls: Pairs, regime: Regime, *, now: int, by: Dimension | None = None) -> list[dict[str, Any]]:
    """Return the values of all rates over some calls, one entry for each value of `by`.

    Parameters
    ----------
    calls
        The calls with their cases; see `facts`.
    regime
        By what is in force clocks are judged.
    now
        The instant at which what is still open is judged, microseconds.
    by
        A dimension; None for the whole.

    Returns
    -------
    list of dict
        `by`: the value of the dimension, `figures`: each rate's `Figure`.

    """
    sheet = CallSheet()
    waiting = enumerate(calls)
    while some := list(islice(waiting, CHUNK)):
        sheet.put(_table(((id_, *pair) for id_, pair in some), regime), replace=False)
    return sheet.rates(regime, now=now, by=by)


def call_table_of(rows: Rows, regime: Regime) -> pa.Table:
    """Return calls in columns, each given as its row's number, its body and that of its case."""
    cases = ((id_, decode(body), decode_case(case) if case else None) for id_, body, case in rows)
    return _table(cases, regime)


def _table(calls: Iterable[tuple[int, Call, Case | None]], regime: Regime) -> pa.Table:
    rows = [{"id": id_, **facts_of(call, case, regime)} for id_, call, case in calls]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def _figures(known: Sequence[Indicator], row: Sequence[Any]) -> dict[str, Figure]:
    values = iter(row)
    found = {}
    for one in known:
        top = int(next(values))
        bottom = int(next(values)) if one.bottom else None
        value = top if bottom is None else (top / (bottom * one.scale) if bottom else None)
        found[one.key] = Figure(top, bottom, value)
    return found
