"""Contracts as documents of the Open Data Contract Standard 3.1 (Bitol, v3.1.0, 2025-12), out and in.

What the standard has a field for stands there; rules that only we know are `custom` quality checks of the
engine `jingwei`, which other readers pass over. Reading tells what it could not take, and drops nothing in
silence.
"""

from __future__ import annotations

import math
from typing import Any, cast

import yaml  # type: ignore[import-untyped]
from open_data_contract_standard.model import (
    CustomProperty,
    DataQuality,
    Description,
    OpenDataContractStandard,
    Relationship,
    SchemaObject,
    SchemaProperty,
    ServiceLevelAgreementProperty,
)
from pydantic import TypeAdapter, ValidationError

from jingwei.lake.contracts import (
    Contract,
    ContractError,
    FieldTerms,
    FieldType,
    Fresh,
    Reference,
    Repeated,
    Rule,
)
from jingwei.lake.odcs_rest import MOST_NODES, nodes, not_taken
from jingwei.words import Text

API_VERSION = "v3.1.0"
ENGINE = "jingwei"
LONGEST = 2_000_000
"""Characters of a document that is read."""

_OUT: dict[str, str] = {
    "text": "string",
    "integer": "integer",
    "number": "number",
    "date": "date",
    "time": "timestamp",
    "boolean": "boolean",
    "geometry": "object",
}
_IN: dict[str, str] = {**{theirs: ours for ours, theirs in _OUT.items()}, "array": "text"}
_STATUS = {"active": "active", "proposed": "proposed", "draft": "proposed"}
_RULE: TypeAdapter[Any] = TypeAdapter(Rule)


def to_odcs(contract: Contract, *, version: int, identifier: str) -> str:
    """Write a contract as YAML of the standard.

    Parameters
    ----------
    contract
        The contract.
    version
        Its number.
    identifier
        What names it in the whole world: a URN of the city and the dataset.

    """
    fields = {terms.name for terms in contract.fields}
    references = {
        rule.column: rule for rule in contract.rules if isinstance(rule, Reference) and rule.column in fields
    }
    table = SchemaObject(
        name=contract.dataset,
        businessName=contract.title or None,
        logicalType="object",
        physicalType="table",
        properties=[_property(terms, references.get(terms.name)) for terms in contract.fields],
        quality=[_quality(rule) for rule in contract.rules if not isinstance(rule, Fresh | Reference)]
        or None,
    )
    custom = [CustomProperty(property="jingwei:deadlineDays", value=contract.deadline_days)]
    if contract.owner:
        custom.append(CustomProperty(property="jingwei:owner", value=contract.owner))
    if contract.gate is not None:
        custom.append(CustomProperty(property="jingwei:gate", value=contract.gate))
    # What has no column of its own, or more than the standard can say, goes along as it is.
    custom += [
        CustomProperty(property="jingwei:rule", value=rule.model_dump(mode="json"))
        for rule in contract.rules
        if (isinstance(rule, Fresh) and rule.severity != "error")
        or (
            isinstance(rule, Reference)
            and (rule.says or rule.severity != "error" or rule is not references.get(rule.column))
        )
    ]
    document = OpenDataContractStandard(
        apiVersion=API_VERSION,
        kind="DataContract",
        id=identifier,
        version=f"{version}.0.0",
        name=contract.title or contract.dataset,
        status=contract.status,
        description=Description(purpose=contract.purpose) if contract.purpose else None,
        schema=[table],
        slaProperties=_agreements(contract) or None,
        customProperties=custom,
    )
    order = _order(contract, _Reading(contract.dataset, document, table).contract()[0])
    if order != sorted(order):
        document.customProperties = [*custom, CustomProperty(property="jingwei:order", value=order)]
    return document.to_yaml()


def _order(contract: Contract, read: Contract) -> list[int]:
    """Return at which place each rule stands in the contract, in the order in which they are read."""
    left = list(enumerate(contract.rules))
    order = []
    for rule in read.rules:
        place = next((n for n, (_, one) in enumerate(left) if one == rule), None)
        if place is not None:
            order.append(left.pop(place)[0])
    return order


def _agreements(contract: Contract) -> list[ServiceLevelAgreementProperty]:
    """Return how fresh the dataset is to be, and how long its versions are kept."""
    found = [
        ServiceLevelAgreementProperty(
            property="latency",
            value=rule.days,
            unit="d",
            element=contract.dataset,
            description=rule.says or None,
        )
        for rule in contract.rules
        if isinstance(rule, Fresh)
    ]
    if contract.retention_days is not None:
        found.append(
            ServiceLevelAgreementProperty(
                property="retention", value=contract.retention_days, unit="d", element=contract.dataset
            )
        )
    return found


def _property(terms: FieldTerms, reference: Reference | None) -> SchemaProperty:
    options: dict[str, Any] = {}
    if terms.least is not None:
        options["minimum"] = terms.least
    if terms.most is not None:
        options["maximum"] = terms.most
    if terms.longest is not None:
        options["maxLength"] = terms.longest
    if terms.pattern:
        options["pattern"] = terms.pattern
    quality = []
    if terms.codes:
        quality.append(_library("invalidValues", terms, {"validValues": terms.codes}))
    if terms.placeholders:
        quality.append(_library("missingValues", terms, {"missingValues": terms.placeholders}))
    custom = []
    if terms.personal is not None:
        custom.append(CustomProperty(property="jingwei:personal", value=terms.personal))
    if terms.severity != "error":
        custom.append(CustomProperty(property="jingwei:severity", value=terms.severity))
    if terms.format:
        custom.append(CustomProperty(property="jingwei:format", value=terms.format))
    return SchemaProperty(
        name=terms.name,
        businessName=terms.title or None,
        logicalType=_OUT[terms.type],
        logicalTypeOptions=options or None,
        required=terms.required or None,
        unique=terms.unique or None,
        classification=f"L{terms.level}" if terms.level else None,
        relationships=[Relationship(type="foreignKey", to=f"{reference.dataset}.{reference.to}")]
        if reference
        else None,
        quality=quality or None,
        customProperties=custom or None,
    )


def _library(metric: str, terms: FieldTerms, arguments: dict[str, Any]) -> DataQuality:
    return DataQuality.model_validate(
        {
            "type": "library",
            "metric": metric,
            "arguments": arguments,
            "mustBe": 0,
            "severity": terms.severity,
        }
    )


def _quality(rule: Any) -> DataQuality:
    said = {"severity": rule.severity, "description": rule.says or None}
    if isinstance(rule, Repeated) and rule.columns:
        arguments = {"properties": list(rule.columns)}
        library = {"type": "library", "metric": "duplicateValues", "arguments": arguments, "mustBe": 0}
        return DataQuality.model_validate({**library, **said})
    implementation = rule.model_dump(mode="json", exclude={"says", "severity"})
    custom = {"type": "custom", "engine": ENGINE, "implementation": implementation}
    return DataQuality.model_validate({**custom, **said})


def from_odcs(text: str, dataset: str) -> tuple[Contract, list[str]]:
    """Read a contract from a document of the standard (YAML or JSON).

    Parameters
    ----------
    text
        The document.
    dataset
        The dataset that it is for; of several tables, the one of this name, else the first.

    Returns
    -------
    contract, not_taken
        The contract, and what of the document says something that we cannot check.

    Raises
    ------
    ContractError
        If it is no document of the standard.

    """
    if len(text) > LONGEST:
        raise ContractError(dataset, Text("文件太大", "the document is too large"))
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ContractError(dataset, _no_yaml(error)) from error
    if not isinstance(data, dict):
        raise ContractError(dataset, Text("不是 ODCS 文件", "it is no ODCS document"))
    if nodes(data) > MOST_NODES:
        raise ContractError(dataset, Text("文件太大", "the document is too large"))
    version = str(data.get("apiVersion") or "")
    if not version.startswith("v3."):
        raise ContractError(
            dataset,
            Text(
                f"只读取 ODCS 3，文件是 {version or '未写明'}",
                f"only ODCS 3 is read, this is {version or 'unsaid'}",
            ),
        )
    try:
        document = OpenDataContractStandard(**data)
    except (ValidationError, TypeError) as error:
        where, what = _reason(error)
        raise ContractError(
            dataset,
            Text(f"不合 ODCS 3.1：{where}{what.zh}", f"it does not follow ODCS 3.1: {where}{what.en}"),
        ) from error
    tables = document.schema_ or []
    if not tables:
        raise ContractError(dataset, Text("文件中没有 schema", "the document has no schema"))
    table = next((one for one in tables if dataset in (one.name, one.physicalName)), tables[0])
    try:
        contract, left = _Reading(dataset, document, table).contract()
    except (ValueError, TypeError, OverflowError) as error:
        where, what = _reason(error)
        raise ContractError(dataset, Text(f"{where}{what.zh}", f"{where}{what.en}")) from error
    return contract, [*left, *not_taken(data, table.name or "")]


def _no_yaml(error: Exception) -> Text:
    """Return where a document stops being YAML."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return Text("不是正确的 YAML", "it is no YAML")
    line, column = mark.line + 1, mark.column + 1
    return Text(
        f"第 {line} 行第 {column} 列附近不是正确的 YAML",
        f"it is no YAML near line {line}, column {column}",
    )


_WORDS = {
    "extra_forbidden": Text("标准中没有这一项", "the standard has no such part"),
    "missing": Text("缺少这一项", "is missing"),
    "string_type": Text("应为文字", "must be a text"),
    "list_type": Text("应为列表", "must be a list"),
    "dict_type": Text("应为键值表", "must be a mapping"),
    "model_type": Text("应为键值表", "must be a mapping"),
    "bool_parsing": Text("应为 true 或 false", "must be true or false"),
}


def _reason(error: Exception) -> tuple[str, Text]:
    """Return where a document is wrong, and what is."""
    if not isinstance(error, ValidationError):
        return "", Text("有的值不能读取", f"a value cannot be read: {error}"[:300])
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    what = _WORDS.get(first["type"], Text(f"有不能接受的值（{first['msg']}）", first["msg"]))
    return (f"{where}: " if where else ""), what


def _allows_none(quality: DataQuality) -> bool:
    """Tell whether a check allows no row that breaks it."""
    bounds = quality.model_dump(include=_BOUNDS, exclude_none=True)
    return not bounds or (bounds == {"mustBe": 0} and quality.unit in (None, "rows", "percent"))


_BOUNDS = {name for name in DataQuality.model_fields if name.startswith("mustBe") or name == "mustNotBe"}


def _twin(rule: Any) -> tuple[Any, ...] | None:
    """Return what is the same of a rule in its two places: where the standard has a field, and in full."""
    if isinstance(rule, Reference):
        return ("reference", rule.column, rule.dataset, rule.to)
    return ("fresh", rule.days, rule.says) if isinstance(rule, Fresh) else None


class _Reading:
    """One document being read."""

    def __init__(self, dataset: str, document: OpenDataContractStandard, table: SchemaObject) -> None:
        self.dataset = dataset
        self.document = document
        self.table = table
        self.not_taken: list[str] = []
        self.rules: list[Any] = []
        self.retention_days: int | None = None

    def contract(self) -> tuple[Contract, list[str]]:
        """Return what it says, and what could not be taken."""
        fields = [self._field(one) for one in self.table.properties or [] if one.name]
        for quality in self.table.quality or []:
            self._table_rule(quality)
        for sla in self.document.slaProperties or []:
            self._sla(sla)
        known = {one.property: one.value for one in self.document.customProperties or []}
        self.rules += [
            _RULE.validate_python(one.value)
            for one in self.document.customProperties or []
            if one.property == "jingwei:rule"
        ]
        described = self.document.description
        if (self.document.status or "draft") not in _STATUS:
            self.not_taken.append(f"status {self.document.status}")
        named = self.document.name if self.document.name != self.table.name else None
        contract = Contract(
            dataset=self.dataset,
            title=(self.table.businessName or named or "")[:200],
            purpose=((described.purpose if described else None) or "")[:2_000],
            owner=str(known.get("jingwei:owner") or ""),
            status=cast("Any", _STATUS.get(self.document.status or "", "proposed")),
            fields=fields,
            rules=self._in_order(self._without_twins(), known.get("jingwei:order")),
            gate=known.get("jingwei:gate"),
            deadline_days=int(known.get("jingwei:deadlineDays") or 10),
            retention_days=self.retention_days,
        )
        return contract, self.not_taken

    def _without_twins(self) -> list[Any]:
        """Return the rules; one that stands twice counts as it was written out in full."""
        full = {_twin(one): one for one in self.rules if _twin(one)}
        kept: list[Any] = []
        for rule in self.rules:
            chosen = full.get(_twin(rule), rule)
            if chosen not in kept:
                kept.append(chosen)
        return kept

    def _in_order(self, rules: list[Any], order: Any) -> list[Any]:
        """Return the rules in the order that the document names, if it is one of these very rules."""
        if not isinstance(order, list) or sorted(map(str, order)) != sorted(map(str, range(len(rules)))):
            return rules
        return [rule for _, rule in sorted(zip(map(int, order), rules, strict=True), key=lambda one: one[0])]

    def _field(self, one: SchemaProperty) -> FieldTerms:
        options = one.logicalTypeOptions or {}
        custom = {each.property: each.value for each in one.customProperties or []}
        said: dict[str, Any] = {
            "codes": [str(each.value) for each in one.enum or [] if each.value is not None],
            "pattern": options.get("pattern"),
            "required": bool(one.required or one.primaryKey),
            "unique": bool(one.unique or (one.primaryKey and self._only_key(one))),
        }
        for quality in one.quality or []:
            said |= self._field_rule(quality, str(one.name), said)
        for relation in one.relationships or []:
            self._relation(relation, str(one.name))
        level = (one.classification or "").removeprefix("L")
        if one.classification and level not in ("1", "2", "3", "4"):
            self.not_taken.append(f"{one.name}: classification {one.classification}")
        if (one.logicalType or "string") not in _IN or one.logicalType == "array":
            self.not_taken.append(f"{one.name}: logicalType {one.logicalType}")
        return FieldTerms(
            name=str(one.name),
            title=one.businessName or "",
            type=cast("FieldType", _IN.get(one.logicalType or "string", "text")),
            least=options.get("minimum"),
            most=options.get("maximum"),
            longest=options.get("maxLength"),
            format=custom.get("jingwei:format"),
            level=int(level) if level in ("1", "2", "3", "4") else None,
            personal=custom.get("jingwei:personal"),
            severity=custom.get("jingwei:severity") or "error",
            **said,
        )

    def _field_rule(self, quality: DataQuality, column: str, said: dict[str, Any]) -> dict[str, Any]:
        """Return what a check of a field's values says of its terms; only those that allow no row count."""
        arguments = quality.arguments or {}
        metric, valid = quality.metric, arguments.get("validValues")
        missing, pattern = arguments.get("missingValues"), arguments.get("pattern")
        if not _allows_none(quality):
            pass
        elif metric == "invalidValues" and isinstance(valid, list) and not pattern:
            return {"codes": [str(value) for value in valid]}
        elif metric == "invalidValues" and isinstance(pattern, str) and not valid and not said["pattern"]:
            return {"pattern": pattern}
        elif metric == "missingValues" and isinstance(missing, list):
            return {"placeholders": [str(value) for value in missing if value is not None]}
        elif metric == "nullValues" and not arguments:
            return {"required": True}
        elif metric == "duplicateValues" and not arguments:
            return {"unique": True}
        self._not_taken(quality, column)
        return {}

    def _only_key(self, one: SchemaProperty) -> bool:
        return [each for each in self.table.properties or [] if each.primaryKey] == [one]

    def _relation(self, relation: Relationship, column: str) -> None:
        to = relation.to
        dataset, _, name = to.partition(".") if isinstance(to, str) else ("", "", "")
        try:
            self.rules.append(Reference(column=column, dataset=dataset, to=name))
        except ValidationError:
            self.not_taken.append(f"{column}: relationship {to}")

    def _table_rule(self, quality: DataQuality) -> None:
        severity = quality.severity if quality.severity in ("error", "warning") else "error"
        said = {"says": (quality.description or "")[:400], "severity": severity}
        if quality.engine == ENGINE and isinstance(quality.implementation, dict):
            self.rules.append(_RULE.validate_python({**quality.implementation, **said}))
        elif (
            quality.metric == "duplicateValues"
            and _allows_none(quality)
            and isinstance((quality.arguments or {}).get("properties"), list)
        ):
            columns = (quality.arguments or {})["properties"]
            self.rules.append(_RULE.validate_python({"kind": "repeated", "columns": columns, **said}))
        else:
            self._not_taken(quality, self.dataset)

    def _sla(self, sla: ServiceLevelAgreementProperty) -> None:
        days = {"d": 1.0, "day": 1.0, "days": 1.0, "h": 1 / 24, "hour": 1 / 24, "hours": 1 / 24}
        kept = {
            **dict.fromkeys(("d", "day", "days"), 1.0),
            **dict.fromkeys(("y", "yr", "year", "years"), 365.25),
        }
        value = sla.value if isinstance(sla.value, int | float) and sla.value > 0 else math.inf
        if not math.isfinite(value):
            self.not_taken.append(f"sla {sla.property}")
        elif sla.property == "latency" and sla.unit in days:
            said = (sla.description or "")[:400]
            self.rules.append(Fresh(days=value * days[sla.unit], says=said))
        elif sla.property == "retention" and sla.unit in kept:
            self.retention_days = max(1, round(value * kept[sla.unit]))
        else:
            self.not_taken.append(f"sla {sla.property}")

    def _not_taken(self, quality: DataQuality, where: str) -> None:
        named = quality.name or quality.metric or quality.rule or quality.type or "quality"
        self.not_taken.append(f"{where}: {named}")
