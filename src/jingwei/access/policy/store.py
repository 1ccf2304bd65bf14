"""The versions of the policies: adopted only when valid, and when their own examples come out right."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import cedarpy
import msgspec
from sqlalchemy import func, select

from jingwei import ledger
from jingwei.access.asker import Asker
from jingwei.access.departments import departments
from jingwei.access.models import PolicyVersion
from jingwei.access.policy.engine import MASKS, Decision, Policies, Resource, Situation
from jingwei.access.policy.vocabulary import (
    actions,
    declared_examples,
    declared_policies,
    resource_type,
    schema,
)
from jingwei.errors import BadRequestError, ConflictError, NotFoundError
from jingwei.ledger.models import Event
from jingwei.records import Prepared, WhileUnchanged, now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.records import Records


class BadPoliciesError(BadRequestError):
    """The policies are not valid, or contradict their own examples; those in force stay so."""

    code = "policies-invalid"

    def __init__(self, faults: list[str]) -> None:
        super().__init__(
            Text(
                f"策略未生效：{'；'.join(faults[:5])}",
                f"the policies were not adopted: {'; '.join(faults[:5])}.",
            ),
            where={"faults": faults[:50]},
        )


class OvertakenError(ConflictError):
    """Another version took effect while this one was being written."""

    code = "policies-overtaken"

    def __init__(self, newest: int) -> None:
        super().__init__(
            Text(
                f"其间已有第 {newest} 版策略生效，此次修改未生效",
                f"version {newest} took effect meanwhile; this change was not adopted.",
            ),
            mend=Text("请在新版上重新修改", "Make the change anew, on the newest version."),
            where={"version": newest},
        )


ANNOTATIONS = {
    "id": Text("规则的名称，显示在“为什么”里", "the name of the rule, shown as the reason"),
    "says": Text("向被拒绝者说明的话；不写则不透露规则", "what a refusal says; without it no rule is named"),
    "ask": Text("可向谁申请", "whom to ask"),
    "mask": Text(
        "字段如何显示：clear、generalise、partial、hash、hidden",
        "how a field is shown: clear, generalise, partial, hash or hidden",
    ),
    "level": Text(
        "位置（或统计）的最细层级，1 至 32；0 为不显示",
        "the finest level of places, or of counts: 1 to 32, 0 for none",
    ),
    "smallest": Text("统计中可显示的最小数", "the smallest number that counts may show"),
}
"""What rules may say beside their condition."""

CONTEXT = {
    "purpose": "String",
    "time": "Long",
    "hour": "Long",
    "weekday": "Long",
    "cell?": "Long",
}
"""What rules may ask of the situation."""


class Example(msgspec.Struct, forbid_unknown_fields=True):
    """What must come out of the policies: kept beside them as their tests."""

    says: str
    action: str
    resource: str
    allowed: bool
    roles: list[str] = []
    departments: list[str] = []
    attributes: dict[str, Any] = {}
    purpose: str = ""
    person: str = "person/example"
    above: dict[str, str] = {}
    """Departments of the example and those above them."""
    shown: str = ""
    """Of a field: the mask that must come out."""
    level: int | None = None
    """Of a place: the finest level that must come out."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the policies."""

    number: int
    text: str
    examples: list[Example]
    adopted: datetime | None
    by: str


def default_policies() -> Version:
    """Return the policies that a city starts with."""
    folder = files("jingwei.access.policy")
    text = (folder / "default.cedar").read_text("utf-8") + "\n" + declared_policies()
    examples = msgspec.json.decode((folder / "default_examples.json").read_bytes(), type=list[Example])
    examples += msgspec.convert(declared_examples(), list[Example])
    return Version(0, text, examples, None, "jingwei")


@dataclass(frozen=True, slots=True)
class Examination:
    """What is wrong with policies themselves; of each example what came out wrong, or `None`."""

    faults: list[str]
    examples: list[str | None]

    @property
    def all_faults(self) -> list[str]:
        """The faults of the policies and of their examples."""
        return [*self.faults, *(fault for fault in self.examples if fault is not None)]


def examine(text: str, examples: list[Example]) -> Examination:
    """Validate policies against what is declared, and run their examples."""
    try:
        result = cedarpy.validate_policies(text, schema())
        faults = [str(error) for error in result.errors]
        if not result.validation_passed:
            return Examination(faults or ["?"], [])
        faults += _unknown_annotations(text)
        stage = Stage(text)
        return Examination(faults, [_fault_of(stage, example) for example in examples])
    except ValueError as error:
        return Examination([str(error)], [])


def check_policies(text: str, examples: list[Example]) -> None:
    """Raise unless policies are valid and all their examples come out right.

    Raises
    ------
    BadPoliciesError
        Naming every fault.

    """
    faults = examine(text, examples).all_faults
    if faults:
        raise BadPoliciesError(faults)


def _unknown_annotations(text: str) -> list[str]:
    """Return what is wrong with annotations: Cedar takes any, but a mask that is none would hide."""
    faults = []
    for name, policy in json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"].items():
        notes = policy.get("annotations", {})
        where = notes.get("id") or name
        faults += [f"{where}: @{key}?" for key in notes if key not in ANNOTATIONS]
        if notes.get("mask", "clear") not in MASKS:
            faults.append(f'{where}: @mask("{notes["mask"]}")? {", ".join(MASKS)}')
        for key, most in (("level", 32), ("smallest", 1_000_000)):
            value = notes.get(key)
            if value is not None and not (value.isdecimal() and int(value) <= most):
                faults.append(f'{where}: @{key}("{value}")?')
    return faults


class Stage:
    """Where examples are played: policies in the small city that each example names."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._cities: dict[tuple[tuple[str, str | None], ...], Policies] = {}

    def decision(self, example: Example) -> Decision:
        """Return what the policies decide, and by which rules."""
        policies, asker, resource, situation = self._play(example)
        return policies.decide(asker, example.action, resource, situation)

    def mask(self, example: Example) -> str:
        """Return how the field of an example is shown."""
        policies, asker, resource, situation = self._play(example)
        return policies.mask(asker, resource, situation)

    def place_level(self, example: Example) -> int:
        """Return the finest level at which the places of an example are shown."""
        policies, asker, resource, situation = self._play(example)
        return policies.place_level(asker, resource, situation)

    def _play(self, example: Example) -> tuple[Policies, Asker, Resource, Situation]:
        types = resource_type(example.resource).types
        owners = [value for name, value in example.attributes.items() if types.get(name) == "Department"]
        named = [*owners, *example.departments, *example.above.values()]
        known = tuple(sorted({**dict.fromkeys(named), **example.above}.items()))
        policies = self._cities.get(known)
        if policies is None:
            policies = self._cities[known] = Policies(self._text, 0, known)
        asker = Asker(
            id=example.person,
            name=example.says,
            roles=frozenset(example.roles),
            departments=frozenset(example.departments),
        )
        resource = Resource(example.resource, "example", example.attributes)
        return policies, asker, resource, Situation(purpose=example.purpose)


def _fault_of(stage: Stage, example: Example) -> str | None:
    if example.action not in actions() or example.resource not in actions()[example.action].resources:
        return f"“{example.says}”: {example.action} / {example.resource}?"
    missing = resource_type(example.resource).required - set(example.attributes)
    if missing:
        return f"“{example.says}”: {', '.join(sorted(missing))}?"
    decision = stage.decision(example)
    if decision.allowed == example.allowed:
        if example.shown and (mask := stage.mask(example)) != example.shown:
            return f"“{example.says}”: {mask} ({', '.join(decision.rules) or '-'})"
        if example.level is not None and (level := stage.place_level(example)) != example.level:
            return f"“{example.says}”: {level} ({', '.join(decision.rules) or '-'})"
        return None
    found = "allowed" if decision.allowed else "refused"
    return f"“{example.says}”: {found} ({', '.join(decision.rules) or '-'})"


def adopt(
    session: Session, asker: Asker, text: str, examples: list[Example], *, based_on: int | None = None
) -> int:
    """Let policies take effect, if they are valid; return their number.

    Parameters
    ----------
    session, asker
        On whose behalf.
    text, examples
        The policies in Cedar, and what must come out of them.
    based_on
        The version in force when the change was begun. Where it is given, a change that another has
        overtaken is refused, and so is one by which the asker could change no policies any more.

    Raises
    ------
    BadPoliciesError
        Naming every fault.
    OvertakenError
        Where another version took effect meanwhile.

    """
    check_policies(text, examples)
    # Whoever else is adopting at this moment is waited for; then the newest is asked for anew.
    session.execute(
        select(PolicyVersion.number).order_by(PolicyVersion.number.desc()).limit(1).with_for_update()
    )
    newest = session.scalar(select(func.max(PolicyVersion.number))) or 0
    if based_on is not None:
        if based_on != newest:
            raise OvertakenError(newest)
        if not Policies(text, 0).decide(asker, "policy.change", Resource("PolicySet")).allowed:
            raise BadPoliciesError(["policy.change: -"])
    told = {"version": newest + 1, "digest": hashlib.sha256(text.encode()).hexdigest()}
    session.add(
        PolicyVersion(
            number=newest + 1,
            text=text,
            examples=msgspec.to_builtins(examples),
            adopted=now_utc(),
            by=asker.id,
        )
    )
    session.flush()
    ledger.append(session, "policy.adopted", actor=asker.id, subject="policies", data=told)
    return newest + 1


def versions(session: Session, *, limit: int = 50, before: int | None = None) -> list[Version]:
    """Return the versions, newest first, those before `before`; the last are the defaults, as number 0."""
    question = select(PolicyVersion).order_by(PolicyVersion.number.desc()).limit(limit)
    if before is not None:
        question = question.where(PolicyVersion.number < before)
    found = [_version(row) for row in session.scalars(question)]
    return found if len(found) == limit or before == 0 else [*found, default_policies()]


def version(session: Session, number: int) -> Version:
    """Return one version; 0 for the defaults.

    Raises
    ------
    NotFoundError
        Where there is none of that number.

    """
    if number == 0:
        return default_policies()
    row = session.get(PolicyVersion, number)
    if row is None:
        raise NotFoundError(Text(f"没有第 {number} 版策略", f"the policies have no version {number}."))
    return _version(row)


def _version(row: PolicyVersion) -> Version:
    examples = msgspec.convert(row.examples, list[Example])
    return Version(row.number, row.text, examples, row.adopted, row.by)


class PolicyKeeper:
    """Keeps the policies in force ready, and notices at the next question when they changed."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self._guard = threading.Lock()
        self._known: tuple[Any, Policies] | None = None
        self._current: WhileUnchanged[Policies] = WhileUnchanged(records, rests_on=_STATE)

    def current(self) -> Policies:
        """Return the policies in force at this moment."""
        return self._current.get("current", self._read)

    def _read(self) -> Policies:
        with self.records.read() as session:
            state = _STATE.row(session)
            with self._guard:
                if self._known is not None and self._known[0] == state:
                    return self._known[1]
            (newest,) = versions(session, limit=1)
            open_ = [one for one in departments(session) if not one.closed]
        pairs = [(one.code, one.parent) for one in open_]
        titles = [(one.code, one.title) for one in open_]
        policies = Policies(newest.text, newest.number, pairs, titles)
        with self._guard:
            self._known = (state, policies)
        return policies


_CHANGES = ledger.of_types(
    ["policy.adopted", "department.added", "department.changed", "department.closed"], Event.id
).subquery()
_STATE = Prepared(select(func.max(_CHANGES.c.id), func.count()).select_from(_CHANGES))
"""Differs whenever the policies or the departments do, for each change appends its event. The count finds
what was committed late under a smaller number."""
