"""The versions of the policies: adopted only when valid, and when their own examples come out right."""

from __future__ import annotations

import hashlib
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
from jingwei.access.policy.engine import Policies, Resource, Situation
from jingwei.access.policy.vocabulary import actions, declared_policies, resource_type, schema
from jingwei.errors import BadRequestError
from jingwei.ledger.models import Event
from jingwei.records import WhileUnchanged, now_utc
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
    return Version(0, text, examples, None, "jingwei")


def check_policies(text: str, examples: list[Example]) -> None:
    """Raise unless policies are valid and all their examples come out right.

    Raises
    ------
    BadPoliciesError
        Naming every fault.

    """
    try:
        result = cedarpy.validate_policies(text, schema())
        faults = [str(error) for error in result.errors]
        if result.validation_passed:
            faults += [fault for example in examples if (fault := _fault_of(text, example))]
    except ValueError as error:
        faults = [str(error)]
    if faults:
        raise BadPoliciesError(faults)


def _fault_of(text: str, example: Example) -> str | None:
    if example.action not in actions() or example.resource not in actions()[example.action].resources:
        return f"“{example.says}”: {example.action} / {example.resource}?"
    known = {**dict.fromkeys(example.departments), **dict.fromkeys(example.above.values()), **example.above}
    asker = Asker(
        id=example.person,
        name=example.says,
        roles=frozenset(example.roles),
        departments=frozenset(example.departments),
    )
    missing = resource_type(example.resource).required - set(example.attributes)
    if missing:
        return f"“{example.says}”: {', '.join(sorted(missing))}?"
    resource = Resource(example.resource, "example", example.attributes)
    owner = example.attributes.get("owner")
    known = {**dict.fromkeys([owner] if owner else []), **known}
    policies = Policies(text, 0, known.items())
    decision = policies.decide(asker, example.action, resource, Situation(purpose=example.purpose))
    if decision.allowed == example.allowed:
        return None
    found = "allowed" if decision.allowed else "refused"
    return f"“{example.says}”: {found} ({', '.join(decision.rules) or '-'})"


def adopt(session: Session, asker: Asker, text: str, examples: list[Example]) -> int:
    """Let policies take effect, if they are valid; return their number."""
    check_policies(text, examples)
    newest = session.scalar(select(func.max(PolicyVersion.number))) or 0
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


def versions(session: Session, *, limit: int = 50) -> list[Version]:
    """Return the versions, newest first; the defaults where none was ever adopted."""
    rows = session.scalars(select(PolicyVersion).order_by(PolicyVersion.number.desc()).limit(limit))
    found = [
        Version(row.number, row.text, msgspec.convert(row.examples, list[Example]), row.adopted, row.by)
        for row in rows
    ]
    return found or [default_policies()]


class PolicyKeeper:
    """Keeps the policies in force ready, and notices at the next question when they changed."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self._guard = threading.Lock()
        self._known: tuple[Any, Policies] | None = None
        self._current: WhileUnchanged[Policies] = WhileUnchanged(records)

    def current(self) -> Policies:
        """Return the policies in force at this moment."""
        return self._current.get("current", self._read)

    def _read(self) -> Policies:
        with self.records.read() as session:
            state = tuple(session.execute(_STATE).one())
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


_STATE = select(func.max(Event.id), func.count()).where(
    Event.type.in_(["policy.adopted", "department.added", "department.changed", "department.closed"])
)
"""Differs whenever the policies or the departments do, for each change appends its event. The count finds
what was committed late under a smaller number."""
