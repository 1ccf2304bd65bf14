"""The rules of a contract as conditions in DuckDB's SQL, each true for a row that breaks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

from jingwei.lake.check_digits import wrong_credit_code, wrong_identity_number
from jingwei.lake.contracts import FORMATS, Age, ContractError, InNumber, Never, Order, Stale
from jingwei.lake.filters import compile_filter
from jingwei.lake.numbers import read_numbers
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import duckdb

    from jingwei.lake.contracts import Contract, FieldTerms, Rule, Severity

NUMBER = "jw_number"
"""A function of the engine: a text as a number, as `jingwei.lake.numbers` reads it; null where it is none."""
FULL_WIDTH = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)} | {"\u3000": " "}
"""Full-width characters (NFKC), and what they stand for."""

WAYS_OF_WRITING = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
)


@dataclass(frozen=True, slots=True)
class RowTest:
    """A rule on single rows: where it comes from, what it says, and the condition of a row that breaks it."""

    id: str
    kind: str
    columns: tuple[str, ...]
    dimension: str
    severity: Severity
    text: Text
    broken: str


def name_of(column: str) -> str:
    """Return a column as an identifier of SQL."""
    return '"' + column.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def text_of(column: str) -> str:
    """Return a column as text without surrounding blanks."""
    return f"trim(CAST({name_of(column)} AS VARCHAR))"


def plain_text_of(column: str) -> str:
    """Return a column as text in half-width characters, without surrounding blanks."""
    wide, plain = "".join(FULL_WIDTH), "".join(FULL_WIDTH.values())
    return f"trim(translate({text_of(column)}, {literal(wide)}, {literal(plain)}))"


def number_of(column: str) -> str:
    """Return a column as a number, null where it holds none: plainly written ones are read by the engine."""
    text = text_of(column)
    plain = f"TRY_CAST({text} AS DOUBLE)"
    return f"CASE WHEN isfinite({plain}) THEN {plain} ELSE {NUMBER}({text}) END"


def add_number(engine: duckdb.DuckDBPyConnection) -> None:
    """Give an engine the function that reads numbers as people write them."""

    def read(texts: pa.ChunkedArray) -> pa.Array:
        values, _ = read_numbers(texts)
        return pa.array(values, from_pandas=True)

    engine.create_function(
        NUMBER,
        read,
        ["VARCHAR"],
        "DOUBLE",
        type=PythonUDFType.ARROW,
        null_handling=FunctionNullHandling.SPECIAL,
    )


def given(terms: FieldTerms, type_: pa.DataType) -> str:
    """Return the condition that a field holds a value, and none that stands for a missing one."""
    column = name_of(terms.name)
    if pa.types.is_binary(type_):
        return f"{column} IS NOT NULL"
    if not pa.types.is_string(type_) and not terms.placeholders:
        return f"{column} IS NOT NULL"
    there = f"({column} IS NOT NULL AND {text_of(terms.name)} <> '')"
    return f"({there} AND NOT {_placeholder(terms)})" if terms.placeholders else there


def field_tests(contract: Contract, schema: pa.Schema) -> Iterator[RowTest]:
    """Yield the tests on single values that the fields of a contract ask for.

    A field that is not among the columns of `schema` is no matter of rows.
    """
    for terms in contract.fields:
        if terms.name in schema.names:
            yield from _field_tests(terms, schema.field(terms.name).type)


def rule_test(
    contract: Contract, rule: Rule, identifier: str, schema: pa.Schema, at: datetime
) -> RowTest | None:
    """Return the test on single rows that a rule asks for, or None where it is of another kind.

    Parameters
    ----------
    contract, rule, identifier
        The rule, and under which name its findings go.
    schema
        The columns that the facts have.
    at
        The moment against which ages are measured.

    Raises
    ------
    ContractError, BadFilterError, UnknownColumnError
        If it names what is not there, or is no condition.

    """
    said = Text(rule.says, rule.says) if rule.says else None
    if isinstance(rule, Never):
        broken = compile_filter(rule.where, contract.dataset, schema.names)
        text = said or Text(f"不应出现：{rule.where}", f"This cannot be: {rule.where}")
        broken = f"coalesce({broken}, FALSE)"
        return RowTest(identifier, "never", (), "consistent", rule.severity, text, broken)
    if isinstance(rule, Order):
        return _order_test(contract, rule, identifier, said, schema)
    if isinstance(rule, Stale):
        return _stale_test(contract, rule, identifier, said, schema, at)
    if isinstance(rule, InNumber):
        return _number_test(contract, rule, identifier, said, schema)
    if isinstance(rule, Age):
        return _age_test(contract, rule, identifier, said, schema, at)
    return None


def check_there(contract: Contract, columns: list[str], schema: pa.Schema) -> None:
    """Refuse a rule that names a column which is not there.

    Raises
    ------
    ContractError
        Naming the column.

    """
    for column in columns:
        if column not in schema.names:
            raise ContractError(contract.dataset, Text(f"没有列“{column}”", f"there is no column '{column}'"))


def _placeholder(terms: FieldTerms) -> str:
    text = text_of(terms.name)
    listed = ", ".join(literal(one.strip()) for one in terms.placeholders)
    tests = [f"{text} IN ({listed})"]
    numbers = [float(one) for one in terms.placeholders if _is_number(one)]
    if numbers and terms.type in ("integer", "number"):
        tests.append(f"coalesce(TRY_CAST({text} AS DOUBLE) IN ({', '.join(map(repr, numbers))}), FALSE)")
    return f"coalesce({' OR '.join(tests)}, FALSE)"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _field_tests(terms: FieldTerms, type_: pa.DataType) -> Iterator[RowTest]:
    column, text, there = terms.name, text_of(terms.name), given(terms, type_)

    def test(kind: str, dimension: str, says: Text, broken: str) -> RowTest:
        return RowTest(
            f"{kind}:{column}", kind, (column,), dimension, terms.severity, says, f"coalesce({broken}, FALSE)"
        )

    if terms.required:
        empty = f"{name_of(column)} IS NULL"
        if pa.types.is_string(type_):
            empty += f" OR {text} = ''"
        says = Text(f"“{column}”缺少值。", f"'{column}' is missing.")
        yield test("required", "complete", says, f"({empty})")
    if terms.placeholders:
        shown = "、".join(terms.placeholders[:5])
        says = Text(
            f"“{column}”用 {shown} 代替缺失的值。", f"'{column}' has {shown} where a value is missing."
        )
        yield test("placeholder", "complete", says, _placeholder(terms))
    if pa.types.is_binary(type_):
        return
    unreadable = _unreadable(terms, type_)
    if unreadable is not None:
        says = Text(f"“{column}”不是{_TYPES[terms.type].zh}。", f"'{column}' is no {_TYPES[terms.type].en}.")
        yield test("type", "normative", says, f"{there} AND {unreadable}")
    if terms.codes:
        listed = ", ".join(literal(code) for code in terms.codes)
        says = Text(f"“{column}”不在代码表中。", f"'{column}' is not in its list of codes.")
        yield test("codes", "normative", says, f"{there} AND {text} NOT IN ({listed})")
    if terms.longest is not None:
        says = Text(
            f"“{column}”超过 {terms.longest} 个字符。",
            f"'{column}' has more than {terms.longest} characters.",
        )
        yield test("longest", "normative", says, f"length({text}) > {terms.longest}")
    if terms.pattern:
        says = Text(f"“{column}”的写法不对。", f"'{column}' is not written as agreed.")
        yield test(
            "pattern",
            "normative",
            says,
            f"{there} AND NOT regexp_full_match({text}, {literal(terms.pattern)})",
        )
    if terms.format is not None:
        named = FORMATS[terms.format]
        says = Text(f"“{column}”不是有效的{named.zh}。", f"'{column}' is no valid {named.en}.")
        yield test(terms.format, "accurate", says, f"{there} AND {_malformed(terms.format, text)}")
    if terms.least is not None or terms.most is not None:
        low, high = plain_bound(terms.least), plain_bound(terms.most)
        says = Text(f"“{column}”超出 {low}～{high}。", f"'{column}' is outside {low} to {high}.")
        yield test("range", "accurate", says, f"{there} AND ({_outside(terms, type_)})")


_TYPES = {
    "text": Text("文本", "text"),
    "integer": Text("整数", "whole number"),
    "number": Text("数字", "number"),
    "date": Text("日期", "date"),
    "time": Text("时间", "time"),
    "boolean": Text("是否值", "yes or no"),
    "geometry": Text("几何", "geometry"),
}


def _unreadable(terms: FieldTerms, type_: pa.DataType) -> str | None:
    """Return the condition that a value is none of its type, or None where the column cannot hold such."""
    text = text_of(terms.name)
    types = pa.types
    if terms.type == "integer":
        if types.is_integer(type_) or types.is_decimal(type_):
            return None
        if types.is_floating(type_):
            return f"{name_of(terms.name)} <> round({name_of(terms.name)})"
        return f"coalesce({number_of(terms.name)} <> round({number_of(terms.name)}), TRUE)"
    if terms.type == "number":
        if types.is_integer(type_) or types.is_floating(type_) or types.is_decimal(type_):
            return None
        return f"{number_of(terms.name)} IS NULL"
    if terms.type in ("date", "time"):
        if types.is_date(type_) or types.is_timestamp(type_):
            return None
        return f"{moment(terms.name)} IS NULL"
    if terms.type == "boolean" and not types.is_boolean(type_):
        return f"lower({text}) NOT IN ('true', 'false', '1', '0', '是', '否', 'y', 'n', 'yes', 'no')"
    return None


def moment(column: str) -> str:
    """Return a column as a time without zone, null where it holds none; Chinese dates are read, too."""
    plain = (
        f"regexp_replace({plain_text_of(column)}, '^(\\d{{4}})年(\\d{{1,2}})月(\\d{{1,2}})日', '\\1-\\2-\\3')"
    )
    forms = ", ".join(literal(one) for one in WAYS_OF_WRITING)
    # What needs no mending is read first: the other forms cost thirty times as much.
    as_it_is = f"TRY_CAST(CAST({name_of(column)} AS VARCHAR) AS TIMESTAMP)"
    return f"coalesce({as_it_is}, TRY_CAST({plain} AS TIMESTAMP), try_strptime({plain}, [{forms}]))"


def _malformed(form: str, text: str) -> str:
    if form == "identity_number":
        return f"({wrong_identity_number(text)})"
    if form == "credit_code":
        return f"({wrong_credit_code(text)})"
    if form == "mobile":
        return f"NOT regexp_full_match({text}, '(\\+?86[- ]?)?1[3-9]\\d{{9}}')"
    return f"NOT regexp_full_match({text}, '[1-9]\\d{{5}}(\\d{{3}}(\\d{{3}})?)?')"


def plain_bound(bound: float | str | None) -> str:
    """Return a bound as people write it: whole numbers without a point."""
    if isinstance(bound, float) and bound.is_integer():
        return str(int(bound))
    return "" if bound is None else str(bound)


def _outside(terms: FieldTerms, type_: pa.DataType) -> str:
    if terms.type in ("date", "time"):
        value = moment(terms.name)
        bounds = [
            f"{value} {sign} TIMESTAMP {literal(str(bound))}"
            for sign, bound in (("<", terms.least), (">", terms.most))
            if bound is not None
        ]
    else:
        numeric = pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)
        value = name_of(terms.name) if numeric else number_of(terms.name)
        bounds = [
            f"{value} {sign} {float(bound)!r}"
            for sign, bound in (("<", terms.least), (">", terms.most))
            if bound is not None
        ]
    return " OR ".join(bounds)


def _order_test(
    contract: Contract, rule: Order, identifier: str, said: Text | None, schema: pa.Schema
) -> RowTest:
    check_there(contract, [rule.first, rule.second], schema)
    first, second = moment(rule.first), moment(rule.second)
    broken = f"{second} < {first}"
    text = Text(f"“{rule.second}”早于“{rule.first}”。", f"'{rule.second}' lies before '{rule.first}'.")
    if rule.most_hours is not None:
        broken += f" OR epoch({second} - {first}) > {rule.most_hours * 3600}"
        text = Text(
            f"“{rule.second}”早于“{rule.first}”，或晚了 {rule.most_hours:g} 小时以上。",
            f"'{rule.second}' lies before '{rule.first}', or more than {rule.most_hours:g} hours after it.",
        )
    columns = (rule.first, rule.second)
    return RowTest(
        identifier, "order", columns, "consistent", rule.severity, said or text, f"coalesce({broken}, FALSE)"
    )


def _stale_test(
    contract: Contract, rule: Stale, identifier: str, said: Text | None, schema: pa.Schema, at: datetime
) -> RowTest:
    check_there(contract, [rule.column], schema)
    if rule.since is not None:
        edge = f"TIMESTAMP {literal(rule.since)}"
        text = Text(f"“{rule.column}”早于 {rule.since}。", f"'{rule.column}' lies before {rule.since}.")
    else:
        edge = f"TIMESTAMP {literal(at.strftime('%Y-%m-%d %H:%M:%S'))} - INTERVAL {rule.days} DAY"
        text = Text(
            f"“{rule.column}”已超过 {rule.days} 天。", f"'{rule.column}' is more than {rule.days} days old."
        )
    broken = f"coalesce({moment(rule.column)} < {edge}, FALSE)"
    return RowTest(identifier, "stale", (rule.column,), "timely", rule.severity, said or text, broken)


MALE, FEMALE = ("男", "男性", "1", "m", "male"), ("女", "女性", "2", "f", "female")
"""What stands for a sex (GB/T 2261.1 and as people write); other words are a matter of the list of codes."""


def _number_test(
    contract: Contract, rule: InNumber, identifier: str, said: Text | None, schema: pa.Schema
) -> RowTest:
    check_there(contract, [rule.number, rule.column], schema)
    number = text_of(rule.number)
    if rule.tells == "birth":
        differs = f"strftime({moment(rule.column)}, '%Y%m%d') <> substr({number}, 7, 8)"
    else:
        sex = f"lower({text_of(rule.column)})"
        males, females = (", ".join(map(literal, words)) for words in (MALE, FEMALE))
        odd = f"(ascii(substr({number}, 17, 1)) % 2 = 1)"
        differs = f"(({sex} IN ({males}) AND NOT {odd}) OR ({sex} IN ({females}) AND {odd}))"
    # The number itself is another rule's matter; without a right one nothing can be told.
    broken = f"CASE WHEN {wrong_identity_number(number)} THEN FALSE ELSE {differs} END"
    text = Text(
        f"“{rule.column}”与“{rule.number}”不一致。", f"'{rule.column}' is not what '{rule.number}' tells."
    )
    columns = (rule.number, rule.column)
    return RowTest(
        identifier,
        "in-number",
        columns,
        "consistent",
        rule.severity,
        said or text,
        f"coalesce({broken}, FALSE)",
    )


def _age_test(
    contract: Contract, rule: Age, identifier: str, said: Text | None, schema: pa.Schema, at: datetime
) -> RowTest:
    check_there(contract, [rule.age, rule.birth, *([rule.on] if rule.on else [])], schema)
    birth = moment(rule.birth)
    day = moment(rule.on) if rule.on else f"TIMESTAMP {literal(at.strftime('%Y-%m-%d %H:%M:%S'))}"

    def of_year(moment_: str) -> str:
        return f"(100 * month({moment_}) + day({moment_}))"

    years = f"(year({day}) - year({birth}) - CASE WHEN {of_year(day)} < {of_year(birth)} THEN 1 ELSE 0 END)"
    text = Text(f"“{rule.age}”与“{rule.birth}”不符。", f"'{rule.age}' is not the age by '{rule.birth}'.")
    broken = f"coalesce({number_of(rule.age)} <> {years}, FALSE)"
    columns = (rule.age, rule.birth)
    return RowTest(identifier, "age", columns, "consistent", rule.severity, said or text, broken)
