"""When a case of a type is registered, how long it may take, and when it is done: a city's own table.

立案、处置和结案规则 (GB/T 30428.8). Such a table is a city's own; it is imported whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from jingwei.cases.clocks import UNITS, Limit, Unit
from jingwei.cases.errors import BadFieldError, BadRulesError, UnknownTypeError
from jingwei.cases.types import CaseType, Catalogue, Kind, Mapped, local_code, major_of
from jingwei.words import Text


class Rule(msgspec.Struct, frozen=True):
    """A rule: the condition for registering, the one for closing, and the limit for handling between them.

    `handler` and `supervisor` name units as the table does; which departments they are is said by the
    duties of the ground.
    """

    id: str
    kind: Kind
    type: str
    condition: str
    closing: str
    limit: Limit
    handler: str = ""
    supervisor: str = ""
    code_2013: str | None = None


@dataclass(frozen=True, slots=True)
class RuleTable:
    """A table of rules as it was read: the rules, the types that the city adds, and how codes were mapped."""

    rules: list[Rule]
    types: list[CaseType]
    mapped: dict[str, int]


_KIND_WORDS: dict[str, Kind] = {
    "component": "component", "部件": "component", "管理部件": "component",
    "event": "matter", "matter": "matter", "事件": "matter", "事项": "matter", "管理事项": "matter",
}  # fmt: skip

COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("id", "序号", "编号"),
    "kind": ("kind", "种类", "类型"),
    "code": ("code_2013", "code", "代码", "类别代码"),
    "code_2026": ("code_2026",),
    "kind_2026": ("kind_2026",),
    "name": ("minor_zh", "name", "小类", "类别名称"),
    "name_en": ("minor_en", "name_en", "小类英文", "英文名称"),
    "major": ("major_zh", "大类"),
    "condition": ("register_if", "condition", "立案条件"),
    "closing": ("close_if", "closing", "结案条件"),
    "limit": ("limit_text", "limit", "处置时限"),
    "limit_value": ("limit_value",),
    "limit_unit": ("limit_unit",),
    "handler": ("handler_zh", "handler", "处置单位", "责任单位"),
    "supervisor": ("supervisor_zh", "supervisor", "监管单位"),
}
"""Under which headings each column may stand."""

LOCAL_FROM = 78
"""Numbers within a major from which on they may be a city's own."""

_LIMIT = re.compile(r"(\d+(?:\.\d+)?)\s*(紧急工作时|紧急工作日|自然日|工作时|工作日|小时|天|日)")
_WORDS: dict[str, Unit] = {
    "紧急工作时": "urgent_hour",
    "紧急工作日": "natural_day",
    "自然日": "natural_day",
    "工作时": "work_hour",
    "小时": "work_hour",
    "工作日": "work_day",
    "天": "work_day",
    "日": "work_day",
}
"""Plain hours and days mean working ones: so in 270 of 274 rows of a city that has both tables."""


def read_limit(text: str) -> Limit | None:
    """Return the limit that a text like “2紧急工作时” tells, or None."""
    found = _LIMIT.match(text.strip())
    return Limit(_WORDS[found[2]], float(found[1])) if found else None


def read_rules(rows: Iterable[Mapping[str, Any]], catalogue: Catalogue) -> RuleTable:
    """Read a table of rules, whatever its headings among `COLUMNS`.

    Codes of four digits are those of 2013 and are mapped; what has no number of 2026 becomes a type of the
    city's own, with the names that the table gives it in Chinese and English.

    Parameters
    ----------
    rows
        The rows, each by heading.
    catalogue
        The types in force.

    Raises
    ------
    BadRulesError
        Naming every fault by its row; nothing is taken then.

    """
    table = _Reading(catalogue)
    for number, row in enumerate(rows, start=1):
        table.read(number, {name: _value(row, headings) for name, headings in COLUMNS.items()})
    if table.faults:
        raise BadRulesError(table.faults)
    return RuleTable(table.rules, list(table.added.values()), table.mapped)


def _value(row: Mapping[str, Any], headings: Sequence[str]) -> Any:
    for heading in headings:
        value = row.get(heading)
        if value is not None and value != "":
            return value.strip() if isinstance(value, str) else value
    return None


class _Reading:
    """A table of rules while it is read."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.rules: list[Rule] = []
        self.added: dict[tuple[str, str], CaseType] = {}
        self.mapped: dict[str, int] = {}
        self.faults: list[dict[str, Any]] = []
        self._seen: set[str] = set()

    def read(self, number: int, row: Mapping[str, Any]) -> None:
        """Read one row; note what is wrong with it."""
        kind = _KIND_WORDS.get(str(row["kind"]))
        limit = _limit_of(row)
        identifier = str(row["id"] if row["id"] is not None else number)
        for wrong, zh, en in (
            (
                kind is None,
                f"种类“{row['kind']}”应为部件或事项",
                f"“{row['kind']}” is neither component nor matter",
            ),
            (
                limit is None,
                f"处置时限“{row['limit']}”无法识别",
                f"the limit “{row['limit']}” cannot be read",
            ),
            (not row["condition"], "缺少立案条件", "the condition for registering is missing"),
            (not row["closing"], "缺少结案条件", "the condition for closing is missing"),
            (identifier in self._seen, f"编号 {identifier} 重复", f"the number {identifier} is used twice"),
        ):
            if wrong:
                self.faults.append({"row": number, "zh": zh, "en": en})
        if kind is None or limit is None or not row["condition"] or not row["closing"]:
            return
        self._seen.add(identifier)
        try:
            type_ = self._type(kind, row)
        except (BadFieldError, UnknownTypeError) as error:
            self.faults.append({"row": number, "zh": error.what.zh, "en": error.what.en})
            return
        code = str(row["code"])
        self.rules.append(
            Rule(
                id=identifier, kind=type_.kind, type=type_.code, condition=str(row["condition"]),
                closing=str(row["closing"]), limit=limit, handler=str(row["handler"] or ""),
                supervisor=str(row["supervisor"] or ""), code_2013=code if len(code) == 4 else None,
            )
        )  # fmt: skip

    def _type(self, kind: Kind, row: Mapping[str, Any]) -> CaseType:
        """Return the type that a row speaks of, adding it where it is the city's own."""
        code = str(row["code"] or "")
        name = Text(str(row["name"] or ""), str(row["name_en"] or ""))
        if row["code_2026"]:
            self._count("stated")
            return self.catalogue.get(_KIND_WORDS.get(str(row["kind_2026"]), kind), str(row["code_2026"]))
        if len(code) == 5 and code.isdigit():
            return self._stated(kind, code, name)
        mapped: Mapped = self.catalogue.from_2013(kind, code, name.zh or None)
        if mapped.type is not None and (mapped.by != "number" or not _local(code)):
            self._count(mapped.by)
            return mapped.type
        self._count("local")
        return self.added.setdefault((kind, code), self._new_type(kind, code, name))

    def _stated(self, kind: Kind, code: str, name: Text) -> CaseType:
        """Return the type of five digits; one that the city counts down from 999 or 099 may be its own."""
        if name.zh and int(code[2:]) >= LOCAL_FROM and (kind, code) not in self.catalogue:
            self._count("local")
            fresh = CaseType(kind, code, name, major_of(kind, code), local=True)
            return self.added.setdefault((kind, code), fresh)
        self._count("stated")
        return self.catalogue.get(kind, code)

    def _new_type(self, kind: Kind, code: str, name: Text) -> CaseType:
        fresh = local_code(kind, code)
        while (kind, fresh) in {(one.kind, one.code) for one in (*self.catalogue, *self.added.values())}:
            if self.added.get((kind, code)):
                break
            fresh = (
                f"{fresh[:2]}{int(fresh[2:]) + 100:03d}"  # the number is taken: the same one, a hundred on
            )
        return CaseType(kind, fresh, name if name.zh else Text(code), major_of(kind, fresh), code, local=True)

    def _count(self, how: str) -> None:
        self.mapped[how] = self.mapped.get(how, 0) + 1


def _limit_of(row: Mapping[str, Any]) -> Limit | None:
    if row["limit_unit"] in UNITS and row["limit_value"] is not None:
        return Limit(row["limit_unit"], float(row["limit_value"]))
    return read_limit(str(row["limit"] or ""))


def _local(code: str) -> bool:
    """Say whether a number of 2013 is one of those that cities count down from 99."""
    return len(code) == 4 and int(code[2:]) >= LOCAL_FROM
