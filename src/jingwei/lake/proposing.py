"""A first contract, proposed from the data itself: what nearly all rows keep to is what may be agreed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from jingwei.lake.check_digits import wrong_credit_code, wrong_identity_number
from jingwei.lake.contracts import (
    Change,
    Contract,
    FieldTerms,
    FieldType,
    Fresh,
    Inside,
    OnePlace,
    Order,
    Repeated,
)
from jingwei.lake.engines import in_files, open_engine
from jingwei.lake.rules import literal, moment, name_of, plain_text_of, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from jingwei.lake.schemas import Content, Dataset

WRITTEN = r"^\s*[-+]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?([eE][-+]?\d+)?\s*(万|亿|万亿|%)?\s*$"
"""How most numbers are written."""
SAMPLE = 200_000
"""Rows that are looked at."""
FEW = 20
"""Rows below which nothing is concluded from how many keep to something."""
MOST_CODES = 40
MAY_BE_EMPTY = re.compile(r"上级|父级|备注|说明|结束|注销|终止|parent|remark|note|(?:^|_)end", re.IGNORECASE)
"""Names of columns that are empty by nature for some: the top of a tree, what has not ended."""
NEARLY_ALL = 0.95
SELDOM_EMPTY = 0.03
WORDS_FOR_NOTHING = (
    "无",
    "不详",
    "未知",
    "暂无",
    "空",
    "/",
    "-",
    "--",
    "N/A",
    "NA",
    "null",
    "NULL",
    "None",
    "#N/A",
)
NUMBERS_FOR_NOTHING = (-1, -9, -99, -999, -9999, -99999)
CYCLES = {
    "real-time": 1.0,
    "daily": 3.0,
    "weekly": 14.0,
    "monthly": 62.0,
    "quarterly": 186.0,
    "yearly": 740.0,
}
"""Days after which a dataset of this update cycle is no longer fresh: two cycles, or three days."""


def propose(dataset: Dataset, content: Content, paths: Sequence[Path], own: pa.Schema) -> Contract:
    """Return the contract that a version keeps to but for a few rows.

    Parameters
    ----------
    dataset
        What the city says of the dataset.
    content
        What its version holds.
    paths
        The Parquet files of its facts.
    own
        The department's own columns.

    """
    fields: list[FieldTerms] = []
    rules: list[Any] = [Repeated()]
    if paths and own.names:
        with open_engine("1GB") as engine:
            engine.execute(
                f"CREATE TEMP TABLE facts AS SELECT * "
                f"FROM {in_files(paths)} "
                f"USING SAMPLE reservoir({SAMPLE} ROWS) REPEATABLE (7)"
            )
            rows = engine.execute("SELECT count(*) FROM facts").fetchall()[0][0]
            look = _Look(engine, rows, content)
            fields = [look.field(column) for column in own]
            rules += look.orders(fields)
            rules += look.places()
    if dataset.update_cycle in CYCLES and content.time:
        rules.append(Fresh(days=CYCLES[dataset.update_cycle], severity="warning"))
    rules.append(Change(share=0.3))
    return Contract(
        dataset=dataset.id,
        title=dataset.title.zh[:200],
        owner=dataset.owner,
        fields=[_classed(one, dataset) for one in fields],
        rules=rules,
    )


def _classed(terms: FieldTerms, dataset: Dataset) -> FieldTerms:
    known = dataset.fields.get(terms.name)
    if known is None:
        return terms
    return terms.model_copy(update={"level": known["level"], "personal": known["personal"]})


class _Look:
    """Looks at the sample of one version."""

    def __init__(self, engine: duckdb.DuckDBPyConnection, rows: int, content: Content) -> None:
        self.engine = engine
        self.rows = rows
        self.content = content

    def one(self, question: str) -> tuple[Any, ...]:
        """Return the only row of an answer."""
        found: tuple[Any, ...] = self.engine.execute(question).fetchall()[0]
        return found

    def field(self, column: pa.Field) -> FieldTerms:
        """Return the terms of one column."""
        name = column.name
        if pa.types.is_binary(column.type):
            return FieldTerms(name=name, type="geometry")
        text = text_of(name)
        there = f"{text} <> ''"
        given = int(self.one(f"SELECT count(*) FILTER (WHERE {there}) FROM facts")[0])
        enough = self.rows >= FEW
        required = enough and given > 0 and (self.rows - given) / self.rows <= SELDOM_EMPTY
        required = required and not MAY_BE_EMPTY.search(name)
        if not given:
            return FieldTerms(name=name, type=_plain(column.type))
        type_ = self._type(name, column.type, given)
        form = self._format(name, column.type, given) if enough else None
        codes = self._codes(name, given) if type_ == "text" and form is None else []
        return FieldTerms(
            name=name,
            type=type_,
            required=required,
            unique=self.content.keys == [name] or self._tells_apart(name, given, form),
            codes=codes,
            placeholders=self._placeholders(name, type_, given),
            format=form,  # type: ignore[arg-type]  # one of its literals
        )

    def _type(self, name: str, type_: pa.DataType, given: int) -> FieldType:
        plain = _plain(type_)
        if plain != "text" or given < FEW:
            return plain
        text = plain_text_of(name)
        moments, days, numbers, rounded = self.one(
            f"SELECT count({moment(name)}), "
            f"count(*) FILTER (WHERE {moment(name)} = date_trunc('day', {moment(name)})), "
            f"count(*) FILTER (WHERE regexp_matches({text}, '{WRITTEN}') AND regexp_matches({text}, '\\d') "
            f"AND NOT regexp_matches({text}, '^0\\d')), "
            f"count(*) FILTER (WHERE regexp_matches({text}, '\\d\\s*(万|亿|万亿|%)\\s*$')) FROM facts"
        )
        longest = int(self.one(f"SELECT max(length({text})) FROM facts")[0])
        if moments >= NEARLY_ALL * given and longest >= 8:
            return "date" if days == moments else "time"
        # What is only figures and yet came as text is a code; what has a word for ten thousand is none.
        if numbers >= NEARLY_ALL * given and (numbers < given or rounded) and longest < 15:
            return "number"
        return "text"

    def _format(self, name: str, type_: pa.DataType, given: int) -> str | None:
        if not (pa.types.is_string(type_) or pa.types.is_integer(type_)):
            return None
        text = text_of(name)
        identity, credit, mobile = self.one(
            f"SELECT count(*) FILTER (WHERE NOT ({wrong_identity_number('t')})), "
            f"count(*) FILTER (WHERE NOT ({wrong_credit_code('t')})), "
            f"count(*) FILTER (WHERE regexp_full_match(t, '1[3-9]\\d{{9}}')) "
            f"FROM (SELECT {text} AS t FROM facts WHERE {text} <> '' LIMIT 20000)"
        )
        looked = min(given, 20_000)
        for form, fitting in (("identity_number", identity), ("credit_code", credit), ("mobile", mobile)):
            if fitting >= 0.8 * looked:
                return form
        return None

    def _tells_apart(self, name: str, given: int, form: str | None) -> bool:
        """Say whether nearly all values of a number that identifies something are different."""
        if form not in ("identity_number", "credit_code") or given < FEW:
            return False
        distinct = int(self.one(f"SELECT count(DISTINCT {text_of(name)}) FROM facts")[0])
        return distinct >= NEARLY_ALL * given

    def _codes(self, name: str, given: int) -> list[str]:
        text = text_of(name)
        distinct = int(self.one(f"SELECT approx_count_distinct({text}) FROM facts")[0])
        if distinct > 2 * MOST_CODES or given < 20 * max(distinct, 1):
            return []
        values = self.engine.execute(
            f"SELECT DISTINCT {text} FROM facts WHERE {text} <> '' ORDER BY 1 LIMIT {MOST_CODES + 1}"
        ).fetchall()
        return (
            [value for (value,) in values if value not in WORDS_FOR_NOTHING]
            if len(values) <= MOST_CODES
            else []
        )

    def _placeholders(self, name: str, type_: str, given: int) -> list[str]:
        text = text_of(name)
        listed = ", ".join(literal(word) for word in WORDS_FOR_NOTHING)
        found = self.engine.execute(
            f"SELECT {text}, count(*) FROM facts WHERE {text} IN ({listed}) GROUP BY 1 ORDER BY 1"
        ).fetchall()
        words = [word for word, times in found if times <= 0.5 * given]
        if type_ in ("integer", "number"):
            value = f"TRY_CAST({text} AS DOUBLE)"
            numbers = ", ".join(map(str, NUMBERS_FOR_NOTHING))
            negative, listed_ones = self.one(
                f"SELECT count(*) FILTER (WHERE {value} < 0 AND {value} NOT IN ({numbers})), "
                f"list(DISTINCT {value}) FILTER (WHERE {value} IN ({numbers})) FROM facts"
            )
            if not negative and listed_ones:
                words += [f"{number:g}" for number in sorted(listed_ones)]
        return words

    def orders(self, fields: list[FieldTerms]) -> list[Order]:
        """Return pairs of times of which one nearly never lies before the other."""
        times = [terms.name for terms in fields if terms.type == "time"][:8]
        found = []
        for position, first in enumerate(times):
            for second in times[position + 1 :]:
                both, ordered, equal = self.one(
                    f"SELECT count(*), count(*) FILTER (WHERE a <= b), count(*) FILTER (WHERE a = b) "
                    f"FROM (SELECT {moment(first)} AS a, {moment(second)} AS b FROM facts) "
                    f"WHERE a IS NOT NULL AND b IS NOT NULL"
                )
                if both >= FEW and ordered >= 0.98 * both and equal < 0.9 * both:
                    found.append(Order(first=first, second=second))
        return found

    def places(self) -> list[Any]:
        """Return rules on places: a point at which far more lies than at any other is a default."""
        place = next((one for one in self.content.places if one.kind == "point"), None)
        if place is None or self.rows < FEW:
            return []
        cell = name_of(place.cell)
        most, usual = self.one(
            f"SELECT max(n), quantile_cont(n, 0.99) FROM (SELECT count(*) AS n FROM facts "
            f"WHERE {cell} IS NOT NULL AND {name_of(place.level)} = 32 GROUP BY {cell})"
        )
        rules: list[Any] = []
        if most and most >= 3 and most >= 3 * usual and usual <= 5:
            rules.append(OnePlace(most=max(2, int(usual * 2)), severity="warning"))
        if place.role == "":
            rules.append(Inside(severity="warning"))
        return rules


def _plain(type_: pa.DataType) -> FieldType:
    types = pa.types
    if types.is_boolean(type_):
        return "boolean"
    if types.is_integer(type_) or (types.is_decimal(type_) and type_.scale == 0):
        return "integer"
    if types.is_floating(type_) or types.is_decimal(type_):
        return "number"
    if types.is_date(type_):
        return "date"
    if types.is_timestamp(type_):
        return "time"
    if types.is_binary(type_):
        return "geometry"
    return "text"
