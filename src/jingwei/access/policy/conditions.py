"""What is left of policies when the row is not known yet, as a condition in SQL.

Cedar evaluates policies with the resource unknown and leaves residual expressions. They are turned into
conditions that select exactly the rows for which Cedar, given the row, would say yes.

Where Cedar meets an error (an attribute that is missing), it ignores the policy. SQL's NULL stands for that
error here; `&&` and `||` are written so that it spreads as in Cedar, which looks at the right side only
when the left one has not decided.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from jingwei.access.policy.vocabulary import ResourceType
from jingwei.errors import JingweiError
from jingwei.words import Text

Engine = Literal["duckdb", "sqlite", "postgresql"]
Json = Any
Entity = tuple[str, str]
"""Kind and identifier."""


class NotFilterableError(JingweiError):
    """A policy says something about rows that cannot be put as a filter; nothing is shown by it."""

    code = "policy-not-filterable"
    status = 500

    def __init__(self, what: str) -> None:
        super().__init__(
            Text(
                f"策略中有无法转换为行过滤的表达式：{what}",
                f"a policy cannot be turned into a filter: {what}.",
            ),
            mend=Text(
                "行级策略可用比较、in、has、like、contains、if 与逻辑运算",
                "About rows, policies may compare and use in, has, like, contains, if and logic.",
            ),
        )


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Which entities are in which: for each, all that it is in at any depth, itself included."""

    above: Mapping[Entity, frozenset[Entity]]

    def ancestors(self, entity: Entity) -> frozenset[Entity]:
        """Return what `entity` is in, itself included."""
        return self.above.get(entity, frozenset()) | {entity}

    def descendants(self, entity: Entity) -> frozenset[Entity]:
        """Return what is in `entity`, itself included."""
        return frozenset(one for one, above in self.above.items() if entity in above) | {entity}


@dataclass(frozen=True, slots=True)
class Residual:
    """What is left of one policy: whether it forbids, and its condition."""

    forbids: bool
    body: Json


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows of a kind of resource an asker may act on."""

    kind: ResourceType
    residuals: tuple[Residual, ...]
    hierarchy: Hierarchy

    def sql(
        self,
        columns: Mapping[str, str],
        engine: Engine,
        *,
        placeholder: Callable[[int], str] = "${}".format,
        first: int = 1,
    ) -> tuple[str, list[Any]]:
        """Return the condition as SQL and its parameters.

        Parameters
        ----------
        columns
            For each attribute, the SQL expression that holds it: codes of departments and identifiers of
            people as text. `id` for the identifier of the resource itself. An attribute without a column
            counts as missing; a row in which a required attribute is missing is never selected.
        engine
            Whose dialect to write.
        placeholder
            How the n-th parameter is written; `"${}".format` for DuckDB.
        first
            The number of the first parameter.

        Raises
        ------
        NotFilterableError
            Where a policy cannot be put as a filter.

        """
        writer = _Writer(self.kind, columns, self.hierarchy, engine)
        permits = [writer.policy(one.body) for one in self.residuals if not one.forbids]
        forbids = [writer.policy(one.body) for one in self.residuals if one.forbids]
        permits = [one for one in permits if one != "FALSE"]
        if not permits or "TRUE" in forbids or not self.kind.required <= set(columns):
            return "FALSE", []
        clauses = [f"{columns[name]} IS NOT NULL" for name in sorted(self.kind.required)]
        if "TRUE" not in permits:
            clauses.append(_join(" OR ", permits))
        clauses += [f"NOT {one}" for one in forbids if one != "FALSE"]
        return writer.numbered(_join(" AND ", clauses) or "TRUE", placeholder, first)

    @property
    def everything(self) -> bool:
        """Whether no row is held back."""
        permitted = any(one.body == {"Value": True} for one in self.residuals if not one.forbids)
        return permitted and all(one.body == {"Value": False} for one in self.residuals if one.forbids)


def _join(word: str, parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else "(" + word.join(parts) + ")" if parts else ""


class _Written(NamedTuple):
    """A condition in SQL, and whether it can be NULL: whether Cedar can meet an error in it."""

    sql: str
    nullable: bool = False


_TRUE, _FALSE = _Written("TRUE"), _Written("FALSE")
_MARK = re.compile("\0([0-9]+)\0")
"""Stands for a parameter until all are known. No column or text contains it."""
_COMPARISONS = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


@dataclass
class _Writer:
    """Writes conditions and gathers their parameters."""

    kind: ResourceType
    columns: Mapping[str, str]
    hierarchy: Hierarchy
    engine: Engine
    values: list[Any] = field(default_factory=list)

    def policy(self, body: Json) -> str:
        """Write the condition of one policy; it is never NULL."""
        written = self.condition(body)
        return f"COALESCE({written.sql}, FALSE)" if written.nullable else written.sql

    def condition(self, node: Json) -> _Written:
        """Write an expression that is true, false or an error."""
        ((operator, operands),) = node.items()
        match operator:
            case "Value" if isinstance(operands, bool):
                return _TRUE if operands else _FALSE
            case "!":
                return self._not(self.condition(operands["arg"]))
            case "&&":
                return self._and(operands["left"], operands["right"])
            case "||":
                return self._or(operands["left"], operands["right"])
            case "if-then-else":
                return self._if(operands)
            case "==" | "!=" | "<" | "<=" | ">" | ">=":
                return self._compare(_COMPARISONS[operator], operands["left"], operands["right"])
            case "in":
                return self._in(operands["left"], operands["right"])
            case "is":
                return self._is(operands)
            case "has":
                return self._has(operands)
            case "like":
                return self._like(operands["left"], operands["pattern"])
            case "contains" | "containsAll" | "containsAny":
                return self._contains(operator, operands["left"], operands["right"])
            case "." if self.kind.types.get(_attribute(node) or "") == "Bool":
                return self._column(node)
        raise NotFilterableError(operator)

    # logic, in which the right side counts only when the left one has not decided

    @staticmethod
    def _not(one: _Written) -> _Written:
        if one.sql in ("TRUE", "FALSE"):
            return _FALSE if one == _TRUE else _TRUE
        return _Written(f"(NOT {one.sql})", one.nullable)

    def _and(self, left_node: Json, right_node: Json) -> _Written:
        left = self.condition(left_node)
        if left == _FALSE:
            return left
        right = self.condition(right_node)
        if left == _TRUE:
            return right
        if left.nullable:
            return _Written(f"(CASE WHEN {left.sql} THEN {right.sql} ELSE {left.sql} END)", nullable=True)
        return _Written(f"({left.sql} AND {right.sql})", right.nullable)

    def _or(self, left_node: Json, right_node: Json) -> _Written:
        left = self.condition(left_node)
        if left == _TRUE:
            return left
        right = self.condition(right_node)
        if left == _FALSE:
            return right
        if left.nullable:
            return _Written(f"(CASE WHEN NOT {left.sql} THEN {right.sql} ELSE {left.sql} END)", nullable=True)
        return _Written(f"({left.sql} OR {right.sql})", right.nullable)

    def _if(self, operands: Json) -> _Written:
        asked = self.condition(operands["if"])
        if asked in (_TRUE, _FALSE):
            return self.condition(operands["then" if asked == _TRUE else "else"])
        yes, no = self.condition(operands["then"]), self.condition(operands["else"])
        written = f"(CASE WHEN {asked.sql} THEN {yes.sql} WHEN NOT {asked.sql} THEN {no.sql} END)"
        return _Written(written, asked.nullable or yes.nullable or no.nullable)

    # comparisons

    def _compare(self, sign: str, left_node: Json, right_node: Json) -> _Written:
        left, right = self._scalar(left_node), self._scalar(right_node)
        return _Written(f"({left.sql} {sign} {right.sql})", left.nullable or right.nullable)

    def _scalar(self, node: Json) -> _Written:
        """Write a number, text, truth value or entity: a parameter, or a column."""
        if _attribute(node) is not None:
            if self.kind.types.get(_attribute(node) or "") == "Set<String>":
                raise NotFilterableError("== of sets")
            return self._column(node)
        if _is_resource(node):
            return self._identifier()
        entities = _entities(node)
        if entities is not None and "Set" not in node:
            return _Written(self._parameter(entities[0][1]))
        value = node.get("Value")
        if isinstance(value, str | int | bool):
            return _Written(self._parameter(value))
        raise NotFilterableError(next(iter(node)))

    def _like(self, node: Json, pattern: Sequence[Json]) -> _Written:
        column = self._column(node)
        if self.engine == "sqlite":  # its LIKE takes A for a
            parts = ["*" if part == "Wildcard" else _glob(part["Literal"]) for part in pattern]
            return _Written(f"({column.sql} GLOB {self._parameter(''.join(parts))})", column.nullable)
        parts = ["%" if part == "Wildcard" else _escaped(part["Literal"]) for part in pattern]
        return _Written(f"({column.sql} LIKE {self._parameter(''.join(parts))} ESCAPE '!')", column.nullable)

    def _has(self, operands: Json) -> _Written:
        name = operands["attr"]
        if not _is_resource(operands["left"]):
            raise NotFilterableError("has")
        if name in self.kind.required:
            return _TRUE
        return _Written(f"({self.columns[name]} IS NOT NULL)") if name in self.columns else _FALSE

    # entities and sets

    def _in(self, left: Json, right: Json) -> _Written:
        inside, around = _entities(left), _entities(right)
        if around is not None:
            if inside is not None:
                return _TRUE if self.hierarchy.ancestors(inside[0]) & set(around) else _FALSE
            below = frozenset[Entity]().union(*(self.hierarchy.descendants(one) for one in around))
            return self._among(left, below if not _is_resource(left) else frozenset(around))
        if inside is not None:
            return self._among(right, self.hierarchy.ancestors(inside[0]))
        raise NotFilterableError("in")

    def _among(self, node: Json, entities: Iterable[Entity]) -> _Written:
        """Write that an attribute, or the resource itself, is one of `entities`."""
        if _is_resource(node):
            kind, column = self.kind.name, self._identifier()
        else:
            kind, column = self.kind.types.get(_attribute(node) or "", "String"), self._column(node)
        return self._one_of(column, sorted(identifier for type_, identifier in entities if type_ == kind))

    def _one_of(self, column: _Written, values: Sequence[Any]) -> _Written:
        if not values:
            return _Written(f"({column.sql} <> {column.sql})", column.nullable) if column.nullable else _FALSE
        listed = ", ".join(self._parameter(value) for value in values)
        return _Written(f"({column.sql} IN ({listed}))", column.nullable)

    def _is(self, operands: Json) -> _Written:
        if not _is_resource(operands["left"]):
            raise NotFilterableError("is")
        if operands["entity_type"] != self.kind.name:
            return _FALSE
        return self._in(operands["left"], operands["in"]) if operands.get("in") else _TRUE

    def _contains(self, operator: str, left: Json, right: Json) -> _Written:
        listed = _literals(left)
        if listed is not None and operator == "contains":
            return self._one_of(self._column(right), listed)
        if self.kind.types.get(_attribute(left) or "") != "Set<String>":
            raise NotFilterableError(operator)
        column = self._column(left)
        wanted = [right["Value"]] if operator == "contains" and "Value" in right else _literals(right)
        if wanted is None or not all(isinstance(one, str) for one in wanted):
            raise NotFilterableError(operator)
        found = [self._holds(column.sql, one) for one in wanted]
        together = _join(" OR " if operator == "containsAny" else " AND ", found)
        if not found:
            together = "FALSE" if operator == "containsAny" else "TRUE"
        return _Written(f"(CASE WHEN {column.sql} IS NOT NULL THEN {together} END)", column.nullable)

    def _holds(self, column: str, value: str) -> str:
        """Write that a set of texts holds one: a list in DuckDB, a JSON array in the record store."""
        parameter = self._parameter(value)
        if self.engine == "duckdb":
            return f"list_contains({column}, {parameter})"
        if self.engine == "sqlite":
            return f"EXISTS (SELECT 1 FROM json_each({column}) WHERE value = {parameter})"
        return f"jsonb_exists({column}, {parameter})"

    # what rows are made of

    def _column(self, node: Json) -> _Written:
        name = _attribute(node)
        if name is None or name not in self.kind.types:
            raise NotFilterableError(str(name or next(iter(node))))
        return _Written(self.columns.get(name, "NULL"), nullable=name not in self.kind.required)

    def _identifier(self) -> _Written:
        if "id" not in self.columns:
            raise NotFilterableError("resource ==")
        return _Written(self.columns["id"])

    def _parameter(self, value: Any) -> str:
        self.values.append(value)
        return f"\0{len(self.values) - 1}\0"

    def numbered(self, sql: str, placeholder: Callable[[int], str], first: int) -> tuple[str, list[Any]]:
        """Number the parameters that are left after all that was decided was taken out."""
        used = list(dict.fromkeys(int(mark) for mark in _MARK.findall(sql)))
        written = _MARK.sub(lambda mark: placeholder(first + used.index(int(mark[1]))), sql)
        return written, [self.values[i] for i in used]


def _is_resource(node: Json) -> bool:
    return bool(node == {"unknown": [{"Value": "resource"}]})


def _attribute(node: Json) -> str | None:
    """Return which attribute of the resource an expression is, if it is one."""
    if "." in node and _is_resource(node["."]["left"]):
        return str(node["."]["attr"])
    return None


def _entities(node: Json) -> list[Entity] | None:
    """Return the entities that an expression names, one or a set; `None` if it does not."""
    parts = node.get("Set", [node])
    found = []
    for part in parts:
        value = part.get("Value")
        several = value if isinstance(value, list) else [value]
        for one in several:
            if not isinstance(one, dict) or "__entity" not in one:
                return None
            found.append((one["__entity"]["type"], one["__entity"]["id"]))
    return found


def _literals(node: Json) -> list[Any] | None:
    """Return the values that a set names, identifiers for entities; `None` if it is none."""
    if "Set" in node:
        values = [part.get("Value") for part in node["Set"]]
    elif isinstance(node.get("Value"), list):
        values = node["Value"]
    else:
        return None
    plain = [one["__entity"]["id"] if isinstance(one, dict) and "__entity" in one else one for one in values]
    return plain if all(isinstance(one, str | int | bool) for one in plain) else None


def _glob(character: str) -> str:
    return f"[{character}]" if character in "*?[" else character


def _escaped(character: str) -> str:
    return "!" + character if character in "%_!" else character
