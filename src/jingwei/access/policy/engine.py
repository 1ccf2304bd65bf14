"""Deciding: a set of policies, ready to be asked."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Literal
from zoneinfo import ZoneInfo

import cedarpy

from jingwei.access.asker import Asker
from jingwei.access.policy.conditions import Entity, Hierarchy, Residual, RowFilter
from jingwei.access.policy.vocabulary import ResourceType, actions, resource_type
from jingwei.access.roles import roles
from jingwei.errors import JingweiError
from jingwei.records import now_utc
from jingwei.records.recent import Recent
from jingwei.words import Text

Mask = Literal["clear", "generalise", "partial", "hash", "hidden"]
"""How a field is shown, from most to least."""

MASKS: tuple[Mask, ...] = ("clear", "generalise", "partial", "hash", "hidden")
_KEPT = 2000
"""Askers whose entities and filters are kept ready."""
_DECISIONS_KEPT = 50_000
_PURPOSES = 30

_BELONGING = frozenset({"Person", "Department", "Role", "Duty", "Action"})
"""Kinds that an asker may be, or be in: there it matters which one it is."""

_MOMENTS = ("time", "hour", "weekday")


@dataclass(frozen=True, slots=True)
class Resource:
    """What something is to be done with. Departments are given by code, people by identifier."""

    kind: str
    id: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Situation:
    """When and where something is asked, and what for where the asker has not said so."""

    purpose: str = ""
    time: datetime = field(default_factory=now_utc)
    cell: int | None = None
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))

    def context(self, asker: Asker) -> dict[str, Any]:
        """Return what policies see: seconds since 1970, and hour and weekday (Monday is 1) of the city."""
        local = self.time.astimezone(self.zone)
        known: dict[str, Any] = {
            "purpose": self.purpose or asker.purpose,
            "time": int(self.time.timestamp()),
            "hour": local.hour,
            "weekday": local.isoweekday(),
        }
        return known if self.cell is None else known | {"cell": self.cell}


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether something may be done, by which rules, and what they say to the asker."""

    allowed: bool
    rules: tuple[str, ...]
    annotations: tuple[Mapping[str, str], ...]


class RefusedError(JingweiError):
    """The policies do not allow it. The message names the rule where the rule itself says so."""

    code = "refused"
    status = 403

    def __init__(self, action: str, decision: Decision) -> None:
        says = [note["says"] for note in decision.annotations if note.get("says")]
        asks = [note["ask"] for note in decision.annotations if note.get("ask")]
        told = actions().get(action)
        name = told.says if told else Text(action, action)
        reason = f"（{'；'.join(says)}）" if says else ""
        super().__init__(
            Text(
                f"没有权限：{name.zh}{reason}",
                f"you may not {name.en}{': ' + '; '.join(says) if says else ''}.",
            ),
            mend=Text(f"可向 {'、'.join(asks)} 申请", f"Ask {', '.join(asks)}.") if asks else None,
            where={"action": action, "rules": list(decision.rules)} if says else {"action": action},
        )


@dataclass(frozen=True, slots=True)
class _Rules:
    """The policies that can concern one action, and the names of the attributes that they look at."""

    policies: cedarpy.PolicySet
    attributes: frozenset[str]


class Policies:
    """A version of the policies, ready to decide for anyone.

    Parameters
    ----------
    text
        The policies in Cedar.
    version
        The number of this version; part of what caches of answers are keyed by.
    departments
        Each department's code and that of the one above it.
    titles
        Each department's code and title, by which datasets may name their owners.

    """

    def __init__(
        self,
        text: str,
        version: int,
        departments: Iterable[tuple[str, str | None]] = (),
        titles: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.text = text
        self.version = version
        self._codes = _codes_by_title(titles)
        self._set = cedarpy.PolicySet.from_str(text)  # also says whether it can be read
        written = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
        self._annotations: dict[str, dict[str, str]] = {
            name: {key: value or "" for key, value in policy.get("annotations", {}).items()}
            for name, policy in written.items()
        }
        self._written: dict[str, dict[str, Any]] = written
        self._rules: dict[str, _Rules] = {}
        self._named_kinds = frozenset(_kinds_named(list(written.values())))
        self._names_people = "Person" in self._named_kinds
        about_data = [policy for policy in written.values() if _speaks_of_data(policy)]
        self._names_individuals = any(map(_names_individuals, about_data))
        self._moments = [name for name in _MOMENTS if _uses_context(about_data, name)]
        self.purposes = _purposes(about_data)
        """Purposes to try, to find out whether stating one shows more: any, and those that rules name."""
        self._above = dict(departments)
        self._base = cedarpy.Entities.from_json_str(json.dumps(self._base_entities()))
        self._uses_time = _uses_context(list(written.values()), "time")
        self._entities: Recent[Asker, cedarpy.Entities] = Recent(_KEPT)
        self._filters: Recent[tuple[Any, ...], RowFilter] = Recent(_KEPT)
        self._decisions: Recent[tuple[Any, ...], Decision] = Recent(_DECISIONS_KEPT)

    # deciding

    def decide(
        self, asker: Asker, action: str, resource: Resource, situation: Situation | None = None
    ) -> Decision:
        """Say whether `asker` may do `action` with `resource`.

        A resource that lacks a required attribute is refused: what is not known is not shown. So is what
        lies outside the actions that the asker's token is limited to.
        """
        if asker.only is not None and action not in asker.only:
            return Decision(allowed=False, rules=(), annotations=())
        kind = resource_type(resource.kind)
        if any(resource.attributes.get(name) is None for name in kind.required):
            return Decision(allowed=False, rules=(), annotations=())
        context = (situation or Situation()).context(asker)
        rules = self._rules_for(action)
        seen = tuple(value for name, value in context.items() if name != "time" or self._uses_time)
        key = (action, resource.kind, seen, *self._alike(rules, kind, asker, resource))
        known = self._decisions.get(key)
        if known is None:
            known = self._decisions.put(key, self._decide(rules, asker, action, resource, context))
        return known

    def _alike(self, rules: _Rules, kind: ResourceType, asker: Asker, resource: Resource) -> Iterator[Any]:
        """Yield what the policies can tell a question from others by.

        To policies people and resources that they do not name are only the same or not the same, so that who
        asks about the own thing stands for all who do; and what they do not look at makes no difference.
        """
        told = [
            (name, _hashable(resource.attributes.get(name)), kind.types.get(name) == "Person")
            for name in kind.types
            if name in rules.attributes
        ]
        if self._names_people or resource.kind in _BELONGING:
            people: dict[Any, Any] = {}
            yield asker.id
        else:
            people = {asker.id: 0}
            for _, value, person in told:
                if person and value is not None:
                    people.setdefault(value, len(people))
        yield from (asker.roles, asker.departments, asker.duties)
        yield tuple(people.get(value, value) if person else value for _, value, person in told)
        if resource.kind in _BELONGING or resource.kind in self._named_kinds:
            yield resource.id

    def _decide(
        self, rules: _Rules, asker: Asker, action: str, resource: Resource, context: Mapping[str, Any]
    ) -> Decision:
        kind = resource_type(resource.kind)
        told = {
            "uid": {"type": resource.kind, "id": resource.id},
            "attrs": {
                name: _cedar_value(kind.types[name], value)
                for name, value in resource.attributes.items()
                if value is not None and name in kind.types
            },
            "parents": [],
        }
        owners = [
            str(value) for name, value in resource.attributes.items() if kind.types.get(name) == "Department"
        ]
        known = {one for code in asker.departments for one in self._chain(code)}
        around = [told, *self._chains(owners, but=known)]
        entities = self._entities_of(asker).with_added_json_str(json.dumps(around))
        request = {
            "principal": {"type": "Person", "id": asker.id},
            "action": {"type": "Action", "id": action},
            "resource": {"type": resource.kind, "id": resource.id},
            "context": context,
        }
        answer = cedarpy.is_authorized(request, rules.policies, entities)
        reasons = answer.diagnostics.reasons
        notes = tuple(self._annotations[name] for name in reasons)
        names = tuple(note.get("id") or name for name, note in zip(reasons, notes, strict=True))
        return Decision(bool(answer.allowed), names, notes)

    def _rules_for(self, action: str) -> _Rules:
        """Return the policies that can concern an action: what a decision costs grows with their number."""
        known = self._rules.get(action)
        if known is None:
            concerned = {name: one for name, one in self._written.items() if _can_concern(one, action)}
            told = {"staticPolicies": concerned, "templates": {}, "templateLinks": []}
            policies = cedarpy.PolicySet.from_json_str(json.dumps(told))
            known = self._rules[action] = _Rules(policies, frozenset(_attributes_of(concerned)))
        return known

    def names_any(self, kind: str) -> bool:
        """Say whether a rule names single resources of a kind; else those of like attributes are alike."""
        return kind in self._named_kinds

    def check(
        self, asker: Asker, action: str, resource: Resource, situation: Situation | None = None
    ) -> None:
        """Raise `RefusedError` unless `asker` may do `action` with `resource`."""
        decision = self.decide(asker, action, resource, situation)
        if not decision.allowed:
            raise RefusedError(action, decision)

    def rows(self, asker: Asker, action: str, kind: str, situation: Situation | None = None) -> RowFilter:
        """Return which resources of a kind `asker` may do `action` with, to be put as an SQL condition."""
        if asker.only is not None and action not in asker.only:
            return RowFilter(resource_type(kind), (), Hierarchy({}))
        context = (situation or Situation()).context(asker)
        key = (asker, action, kind, *((n, v) for n, v in context.items() if n != "time" or self._uses_time))
        known = self._filters.get(key)
        if known is None:
            request = {
                "principal": f"Person::{json.dumps(asker.id, ensure_ascii=False)}",
                "action": f"Action::{json.dumps(action)}",
                "context": context,
            }
            entities = self._base.with_added_json_str(json.dumps(self._own_entities(asker)))
            answer = cedarpy.is_authorized_partial(request, self._set, entities)
            residuals = tuple(
                Residual(policy["effect"] == "forbid", _conjunction(policy["conditions"]))
                for _, policy in sorted(answer.residuals.items())
            )
            known = self._filters.put(key, RowFilter(resource_type(kind), residuals, self._hierarchy(asker)))
        return known

    def mask(self, asker: Asker, resource: Resource, situation: Situation | None = None) -> Mask:
        """Return how a field is shown: by `@mask` of the rule that permits most; clear if it has none."""
        decision = self.decide(asker, "field.read", resource, situation)
        if not decision.allowed:
            return "hidden"
        masks = [note.get("mask", "clear") for note in decision.annotations]
        return min((mask for mask in MASKS if mask in masks), key=MASKS.index, default="hidden")

    def place_level(self, asker: Asker, resource: Resource, situation: Situation | None = None) -> int:
        """Return the finest level at which places of a dataset are shown: 32 as they are, 0 not at all."""
        decision = self.decide(asker, "place.read", resource, situation)
        if not decision.allowed:
            return 0
        return max(int(note.get("level", "32")) for note in decision.annotations)

    def scope(self, asker: Asker, situation: Situation | None = None) -> str:
        """Return what caches of answers with data are keyed by.

        Askers of one scope may be given the same bytes: the policies tell them apart by nothing.
        """
        individual = asker.id if self._names_individuals else ""
        context = (situation or Situation()).context(asker)
        moment = ",".join(str(context[name]) for name in self._moments)
        return f"{self.version}|{asker.scope}|{individual}|{moment}"

    def department(self, owner: str) -> str:
        """Return the code of a department that is named by its code or title.

        A title that two departments bear, or none, stands for itself: nobody belongs to it.
        """
        return owner if owner in self._above else self._codes.get(owner, owner)

    def knows(self, department: str) -> bool:
        """Say whether there is a department of that code."""
        return department in self._above

    # what policies see

    def _base_entities(self) -> list[dict[str, Any]]:
        listed = [_entity("Role", name) for name in {*roles(), "local"}]
        listed += [_entity("Action", name) for name in actions()]
        return listed + [self._department(code) for code in self._above]

    def _own_entities(self, asker: Asker) -> list[dict[str, Any]]:
        """Return a person as policies see one, with the duties held."""
        duties = [("Duty", f"{role}/{department}") for role, department in sorted(asker.duties)]
        parents = [("Role", role) for role in sorted(asker.roles)] + duties
        parents += [("Department", code) for code in sorted(asker.departments) if code in self._above]
        held = [_reference("Department", code) for code in sorted(asker.departments)]
        person = _entity("Person", asker.id, parents=parents, attrs={"departments": held})
        return [person, *(_entity(kind, name) for kind, name in duties)]

    def _entities_of(self, asker: Asker) -> cedarpy.Entities:
        """Return a person and all that the person is in: the fewer entities, the quicker the decision."""
        known = self._entities.get(asker)
        if known is None:
            listed = self._own_entities(asker)
            listed += [_entity("Role", role) for role in sorted(asker.roles)]
            listed += self._chains(asker.departments)
            known = self._entities.put(asker, cedarpy.Entities.from_json_str(json.dumps(listed)))
        return known

    def _chains(self, codes: Iterable[str], but: Container[str] = ()) -> list[dict[str, Any]]:
        """Return departments and all above them, leaving out those that are known already."""
        wanted = dict.fromkeys(one for code in codes for one in self._chain(code) if one not in but)
        return [self._department(code) for code in wanted]

    def _department(self, code: str) -> dict[str, Any]:
        parent = self._above.get(code)
        return _entity("Department", code, parents=[("Department", parent)] if parent else [])

    def _hierarchy(self, asker: Asker) -> Hierarchy:
        above: dict[Entity, frozenset[Entity]] = {
            ("Department", code): frozenset(("Department", one) for one in self._chain(code))
            for code in self._above
        }
        own: set[Entity] = {("Person", asker.id)}
        own |= {("Role", role) for role in asker.roles}
        own |= {("Duty", f"{role}/{department}") for role, department in asker.duties}
        own |= {("Department", one) for code in asker.departments for one in self._chain(code)}
        above["Person", asker.id] = frozenset(own)
        return Hierarchy(above)

    def _chain(self, code: str | None) -> Iterator[str]:
        while code is not None and code in self._above:
            yield code
            code = self._above[code]


def _entity(
    kind: str, identifier: str, *, parents: Iterable[Entity] = (), attrs: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "uid": {"type": kind, "id": identifier},
        "attrs": attrs or {},
        "parents": [{"type": parent, "id": name} for parent, name in parents],
    }


def _reference(kind: str, identifier: str) -> dict[str, Any]:
    return {"__entity": {"type": kind, "id": identifier}}


def _hashable(value: Any) -> Any:
    return tuple(sorted(value)) if isinstance(value, list | set | frozenset) else value


def _codes_by_title(titles: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the code of each title that one department alone bears."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    for code, title in titles:
        if title in found:
            twice.add(title)
        found[title] = code
    return {title: code for title, code in found.items() if title not in twice}


def _cedar_value(type_: str, value: Any) -> Any:
    if type_ in ("Department", "Person"):
        return _reference(type_, value)
    return sorted(value) if type_ == "Set<String>" else value


def _conjunction(conditions: list[dict[str, Any]]) -> Any:
    """Return the conditions of a residual as one: all `when`, none of `unless`."""
    whole: Any = {"Value": True}
    for condition in conditions:
        body = condition["body"] if condition["kind"] == "when" else {"!": {"arg": condition["body"]}}
        whole = body if whole == {"Value": True} else {"&&": {"left": whole, "right": body}}
    return whole


def _kinds_named(node: Any) -> Iterator[str]:
    """Yield the kinds of all entities that policies name one by one."""
    if isinstance(node, list):
        for one in node:
            yield from _kinds_named(one)
    elif isinstance(node, dict):
        if isinstance(node.get("type"), str) and "id" in node:
            yield node["type"]
        for one in node.values():
            yield from _kinds_named(one)


def _names_individuals(policy: dict[str, Any]) -> bool:
    """Say whether a policy tells apart people who hold the same duties."""
    return policy["principal"].get("op") == "==" or any(
        _uses_person(condition["body"]) for condition in policy["conditions"]
    )


def _uses_person(node: Any) -> bool:
    if isinstance(node, list):
        return any(map(_uses_person, node))
    if not isinstance(node, dict):
        return False
    if node == {"Var": "principal"}:
        return True
    if "in" in node and node["in"].get("left") == {"Var": "principal"}:
        return _uses_person(node["in"]["right"])
    if "." in node and node["."] == {"left": {"Var": "principal"}, "attr": "departments"}:
        return False
    return any(map(_uses_person, node.values()))


def _uses_context(node: Any, name: str) -> bool:
    """Say whether a policy looks at a part of the context, such as the moment."""
    if isinstance(node, list):
        return any(_uses_context(one, name) for one in node)
    if not isinstance(node, dict):
        return False
    if node == {"left": {"Var": "context"}, "attr": name}:
        return True
    return any(_uses_context(one, name) for one in node.values())


def _purposes(about_data: list[dict[str, Any]]) -> tuple[str, ...]:
    asking = [policy for policy in about_data if _uses_context(policy["conditions"], "purpose")]
    named = {text for policy in asking for text in _literals(policy["conditions"])} - {""}
    return ("?", *sorted(named)[:_PURPOSES]) if asking else ()


def _literals(node: Any) -> Iterator[str]:
    """Yield the texts that a condition compares with."""
    if isinstance(node, list):
        for one in node:
            yield from _literals(one)
    elif isinstance(node, dict):
        if isinstance(node.get("Value"), str):
            yield node["Value"]
        for one in node.values():
            yield from _literals(one)


def _attributes_of(node: Any) -> Iterator[str]:
    """Yield the names of all attributes that policies look at, of whatever."""
    if isinstance(node, list):
        for one in node:
            yield from _attributes_of(one)
    elif isinstance(node, dict):
        named = node.get("attr")
        if isinstance(named, str):
            yield named
        elif isinstance(named, list):
            yield from named
        for one in node.values():
            yield from _attributes_of(one)


def _can_concern(policy: Mapping[str, Any], action: str) -> bool:
    """Say whether a policy's scope leaves an action open; actions of ours are in no groups."""
    scope = policy["action"]
    if scope["op"] == "All":
        return True
    named = scope.get("entities") or [scope["entity"]]
    return any(one == {"type": "Action", "id": action} for one in named)


def _speaks_of_data(policy: dict[str, Any]) -> bool:
    """Say whether a policy can concern data, and not only people, the log or the policies themselves."""
    scope = policy["action"]
    if scope.get("op") == "==":
        named = [scope["entity"]]
    elif scope.get("op") == "in":
        named = scope.get("entities") or [scope["entity"]]
    else:
        return True
    known = actions()
    return any(
        one["id"] not in known or any(resource_type(kind).data for kind in known[one["id"]].resources)
        for one in named
    )
