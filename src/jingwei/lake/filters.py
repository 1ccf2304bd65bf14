"""Filters on a dataset's own columns: a small, safe part of SQL, checked before any engine sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from jingwei.lake.errors import BadFilterError, UnknownColumnError
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LENGTH = 2_000
"""Characters of a filter."""

ALLOWED = (
    exp.Column,
    exp.Identifier,
    exp.Literal,
    exp.Boolean,
    exp.Null,
    exp.And,
    exp.Or,
    exp.Not,
    exp.Paren,
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.In,
    exp.Between,
    exp.Like,
    exp.ILike,
    exp.Is,
    exp.Neg,
)


def compile_filter(text: str, dataset: str, columns: Iterable[str]) -> str:
    """Return the DuckDB condition for a filter text.

    Parameters
    ----------
    text
        Comparisons of columns with literals, joined by AND, OR and NOT: `price > 50 AND line LIKE '6%'`.
    dataset
        Name of the dataset, for messages.
    columns
        The columns that may be named.

    Raises
    ------
    BadFilterError
        If the text does not parse, is too long, or holds anything but comparisons.
    UnknownColumnError
        If it names a column that the dataset does not have.

    """
    if len(text) > MAX_LENGTH:
        raise BadFilterError(
            text[:80] + "…",
            Text(f"长度超过 {MAX_LENGTH} 个字符。", f"it is longer than {MAX_LENGTH} characters."),
        )
    try:
        trees = sqlglot.parse(text, read="duckdb")
    except (SqlglotError, RecursionError) as error:
        raise BadFilterError(text, Text("不是一个条件。", "it is not a condition.")) from error
    if len(trees) != 1 or trees[0] is None:
        raise BadFilterError(text, Text("应当只有一个条件。", "there must be exactly one condition."))
    tree = trees[0]
    known = list(columns)
    for node in tree.walk():
        if not isinstance(node, ALLOWED):
            shown = node.sql(dialect="duckdb")[:60]
            raise BadFilterError(text, Text(f"不允许“{shown}”。", f"'{shown}' is not allowed."))
        if isinstance(node, exp.Column):
            if node.table or node.name not in known:
                raise UnknownColumnError(dataset, node.sql(dialect="duckdb"), known)
            node.this.set("quoted", True)  # noqa: FBT003 - sqlglot's own signature
    if not isinstance(tree, (exp.Condition, exp.Paren)) or isinstance(tree, (exp.Literal, exp.Column)):
        raise BadFilterError(text, Text("应当是一个比较。", "it must be a comparison."))
    return tree.sql(dialect="duckdb")
