"""Terms of a field that cannot be meant: bounds that are none, a pattern that is none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import duckdb

from jingwei.lake.contracts import ContractError
from jingwei.lake.engines import open_engine
from jingwei.lake.rules import plain_bound
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.lake.contracts import Contract, FieldTerms


def check_terms(contract: Contract) -> None:
    """Refuse a contract of which a field's terms cannot be meant.

    Raises
    ------
    ContractError
        Its `where` names the `field` and the `term`.

    """
    with open_engine("100MB") as engine:
        for terms in contract.fields:
            for term, what in _faults(terms, engine):
                fault = Text(f"“{terms.name}”{what.zh}", f"'{terms.name}': {what.en}")
                error = ContractError(contract.dataset, fault)
                error.where = {**error.where, "field": terms.name, "term": term}
                raise error


def _faults(terms: FieldTerms, engine: duckdb.DuckDBPyConnection) -> list[tuple[str, Text]]:
    found = []
    bounds = {}
    for name, said in (("least", terms.least), ("most", terms.most)):
        bounds[name] = _bound(terms, said, engine)
        if said is not None and bounds[name] is None:
            found.append((name, _no_bound(terms, str(said))))
    low, high = bounds["least"], bounds["most"]
    if low is not None and high is not None and low > high:
        least, most = plain_bound(terms.least), plain_bound(terms.most)
        what = Text(
            f"的最大值 {most} 小于最小值 {least}", f"the most ({most}) is less than the least ({least})"
        )
        found.append(("most", what))
    if terms.pattern:
        try:
            engine.execute("SELECT regexp_full_match('', ?)", [terms.pattern])
        except duckdb.Error:
            what = Text(
                f"的写法“{terms.pattern}”不是正则表达式", f"'{terms.pattern}' is no regular expression"
            )
            found.append(("pattern", what))
    return found


def _bound(terms: FieldTerms, said: float | str | None, engine: duckdb.DuckDBPyConnection) -> float | None:
    """Return a bound as a number (of a date or time: seconds), or None where it is none."""
    if said is None:
        return None
    if terms.type in ("date", "time"):
        found = engine.execute("SELECT epoch(TRY_CAST(? AS TIMESTAMP))", [str(said)]).fetchall()
        return None if found[0][0] is None else float(found[0][0])
    try:
        number = float(said)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _no_bound(terms: FieldTerms, said: str) -> Text:
    if terms.type in ("date", "time"):
        return Text(
            f"的界限“{said}”不是日期，应写成 2026-01-31", f"the bound '{said}' is no date such as 2026-01-31"
        )
    return Text(f"的界限“{said}”不是数字", f"the bound '{said}' is no number")
