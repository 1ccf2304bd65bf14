"""Contracts as documents of the Open Data Contract Standard 3.1 (Bitol, v3.1.0, 2025-12), out and in.

What the standard has a field for stands there; rules that only we know are `custom` quality checks of the
engine `jingwei`, which other readers pass over. Reading tells what it could not take, and drops nothing in
silence.
"""

from __future__ import annotations

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
    references = {rule.column: rule for rule in contract.rules if isinstance(rule, Reference)}
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
        if isinstance(rule, Reference)
        and (rule.says or rule.severity != "error" or rule is not references[rule.column])
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
    return document.to_yaml()


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
        if not isinstance(data, dict):
            raise ContractError(dataset, Text("不是 ODCS 文件", "it is no ODCS document"))
        document = OpenDataContractStandard(**data)
    except (yaml.YAMLError, ValidationError, TypeError, RecursionError) as error:
        reason = _reason(error)
        raise ContractError(
            dataset, Text(f"不是 ODCS 文件：{reason}", f"it is no ODCS document: {reason}")
        ) from error
    version = document.apiVersion or ""
    if not version.startswith("v3."):
        raise ContractError(
            dataset,
            Text(
                f"只读取 ODCS 3，文件是 {version or '未写明'}",
                f"only ODCS 3 is read, this is {version or 'unsaid'}",
            ),
        )
    tables = document.schema_ or []
    if not tables:
        raise ContractError(dataset, Text("文件中没有 schema", "the document has no schema"))
    table = next((one for one in tables if dataset in (one.name, one.physicalName)), tables[0])
    try:
        return _Reading(dataset, document, table).contract()
    except ValidationError as error:
        raise ContractError(dataset, Text(f"契约有误：{_reason(error)}", _reason(error))) from error


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:300]
    return str(error)[:300]


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
        contract = Contract(
            dataset=self.dataset,
            title=(self.table.businessName or self.document.name or "")[:200],
            purpose=((described.purpose if described else None) or "")[:2_000],
            owner=str(known.get("jingwei:owner") or ""),
            status=cast("Any", _STATUS.get(self.document.status or "", "proposed")),
            fields=fields,
            rules=self._without_twins(),
            gate=known.get("jingwei:gate"),
            deadline_days=int(known.get("jingwei:deadlineDays") or 10),
            retention_days=self.retention_days,
        )
        return contract, self.not_taken

    def _without_twins(self) -> list[Any]:
        """Return the rules; a reference that stands twice counts as it was written out in full."""
        full = {(one.column, one.dataset, one.to): one for one in self.rules if isinstance(one, Reference)}
        kept: list[Any] = []
        for rule in self.rules:
            chosen = full[rule.column, rule.dataset, rule.to] if isinstance(rule, Reference) else rule
            if chosen not in kept:
                kept.append(chosen)
        return kept

    def _field(self, one: SchemaProperty) -> FieldTerms:
        options = one.logicalTypeOptions or {}
        custom = {each.property: each.value for each in one.customProperties or []}
        codes = [str(each.value) for each in one.enum or [] if each.value is not None]
        placeholders: list[str] = []
        for quality in one.quality or []:
            arguments = quality.arguments or {}
            if quality.metric == "invalidValues" and "validValues" in arguments:
                codes = [str(value) for value in arguments["validValues"]]
            elif quality.metric == "missingValues" and "missingValues" in arguments:
                placeholders = [str(value) for value in arguments["missingValues"] if value is not None]
            else:
                self._not_taken(quality, str(one.name))
        for relation in one.relationships or []:
            self._relation(relation, str(one.name))
        level = (one.classification or "").removeprefix("L")
        return FieldTerms(
            name=str(one.name),
            title=one.businessName or "",
            type=cast("FieldType", _IN.get(one.logicalType or "string", "text")),
            required=bool(one.required or one.primaryKey),
            unique=bool(one.unique or (one.primaryKey and self._only_key(one))),
            codes=codes,
            placeholders=placeholders,
            least=options.get("minimum"),
            most=options.get("maximum"),
            longest=options.get("maxLength"),
            pattern=options.get("pattern"),
            format=custom.get("jingwei:format"),
            level=int(level) if level in ("1", "2", "3", "4") else None,
            personal=custom.get("jingwei:personal"),
            severity=custom.get("jingwei:severity") or "error",
        )

    def _only_key(self, one: SchemaProperty) -> bool:
        return [each for each in self.table.properties or [] if each.primaryKey] == [one]

    def _relation(self, relation: Relationship, column: str) -> None:
        to = relation.to
        if isinstance(to, str) and to.count(".") == 1:
            dataset, name = to.split(".")
            self.rules.append(Reference(column=column, dataset=dataset, to=name))
        else:
            self.not_taken.append(f"{column}: relationship {to}")

    def _table_rule(self, quality: DataQuality) -> None:
        severity = quality.severity if quality.severity in ("error", "warning") else "error"
        said = {"says": (quality.description or "")[:400], "severity": severity}
        if quality.engine == ENGINE and isinstance(quality.implementation, dict):
            self.rules.append(_RULE.validate_python({**quality.implementation, **said}))
        elif quality.metric == "duplicateValues" and (quality.arguments or {}).get("properties"):
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
        if sla.property == "latency" and isinstance(sla.value, int | float) and sla.unit in days:
            said = (sla.description or "")[:400]
            self.rules.append(Fresh(days=sla.value * days[sla.unit], says=said))
        elif sla.property == "retention" and isinstance(sla.value, int | float) and sla.unit in kept:
            self.retention_days = max(1, round(sla.value * kept[sla.unit]))
        else:
            self.not_taken.append(f"sla {sla.property}")

    def _not_taken(self, quality: DataQuality, where: str) -> None:
        named = quality.name or quality.metric or quality.rule or quality.type or "quality"
        self.not_taken.append(f"{where}: {named}")
