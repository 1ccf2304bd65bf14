"""What policies say of cases: roles, the resource, an action for every step, and the rules to start with.

The default rules are written from the table of the life cycle; a city may adopt others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jingwei.access import Asker, declare_role
from jingwei.access.policy import Resource, declare_action, declare_resource
from jingwei.access.policy.vocabulary import declare_policies
from jingwei.cases.case import Case
from jingwei.cases.lifecycle import (
    ACCEPTOR,
    COLLECTOR,
    DEPARTMENT,
    DISPATCHER,
    DUTY_CHIEF,
    HANDLER,
    LEADER,
    REPORTER,
    ROLES,
    SYSTEM,
    TRANSITIONS,
    Transition,
)
from jingwei.words import Text

READ = "case.read"
READ_PUBLIC = "case.read_public"
REPORT_OUTSIDE = "case.report_from_outside"
EVALUATE = "case.figures"
MANAGE = "case.manage"
ALONE = "case.act_alone"
ATTACH = "case.attach"
FIELD = "case.field"
BAR = "case.bar"
ANNOUNCE = "case.announce"

FILTERED = (
    "state",
    "kind",
    "type",
    "source",
    "area",
    "department",
    "handler",
    "reporter",
    "collector",
    "hidden",
)
"""Attributes by which lists are filtered; each is a column of the board."""

SEES_ALL = (ACCEPTOR, DUTY_CHIEF, DISPATCHER, LEADER, "operator", "evaluator")
ATTACHES = (*(role for role in ROLES if role not in (REPORTER, SYSTEM)), "citizen")
ON_THE_SPOT = '["pending_verify", "checking"].contains(resource.state)'
ITS_EVENTS = 'resource.part == "case"'
_CONCERNS_MINE = "resource has department && principal in resource.department"
_ON_MY_WAY = f'principal in Role::"{COLLECTOR}" && resource has state && ({ON_THE_SPOT})'
FOR_A_PART = ("finish_part", "return_part")
FOR_ALL_REPORTERS = ("reopen", "supplement")
"""Steps that everybody may take who reported the same."""

UNSEEN = ("withdrawn", "cancelled")
"""States of which the public is told nothing."""

STRANGER = Asker(id="stranger", name="公众", roles=frozenset({"citizen"}))
"""Anybody, of whom nothing is known: public answers are those that the policies give to him."""

THE_SYSTEM = Asker(id="system", name="系统", roles=frozenset({SYSTEM}))
"""Who acts when a clock runs out."""


def _declare() -> None:
    for name, says in ROLES.items():
        if name not in (COLLECTOR, REPORTER, SYSTEM):
            declare_role(name, says)
    declare_resource(
        "Case",
        {
            "state": "String",
            "kind": "String",
            "type": "String",
            "source": "String",
            "area": "String",
            "department?": "Department",
            "part?": "Department",
            "handler?": "Person",
            "reporter?": "Person",
            "collector?": "Person",
            "hidden?": "String",
        },
    )
    declare_action(READ, ("Case",), Text("查看案件", "see a case"))
    declare_action(READ_PUBLIC, ("Case",), Text("公开查看案件", "see what the public is told of a case"))
    declare_action(ALONE, ("Case",), Text("不受岗位分离约束", "act without separation of duties"))
    declare_action(EVALUATE, ("City",), Text("查看案件评价", "see the figures about cases"))
    declare_action(ATTACH, ("City",), Text("上传案件照片", "upload photographs for cases"))
    declare_action(
        FIELD, ("City",), Text("在现场用手机办理、留存本人轨迹", "work in the field, keep one's own way")
    )
    declare_action(BAR, ("City",), Text("限制滥用者上报", "bar senders who abuse reporting"))
    declare_action(
        ANNOUNCE,
        ("City",),
        Text("在公众页面发布紧急消息", "say something on every public page in an emergency"),
    )
    declare_action(MANAGE, ("City",), Text("维护案件规则、网格和分工", "keep the rules and duties of cases"))
    for one in TRANSITIONS.values():
        if one.axis != "system":
            declare_action(one.policy_action, ("Case",), one.says)
    examples = files("jingwei.cases") / "data" / "policy_examples.json"
    declare_policies(default_rules(), json.loads(examples.read_text("utf-8")))


def default_rules() -> str:
    """Return the rules in Cedar that a city starts with, written from the table."""
    everyone = _any_of(*SEES_ALL)
    rules = [
        _permit("case-staff-read", [READ], everyone),
        _permit("case-own-department-read", [READ], _OWN[DEPARTMENT]),
        _permit("case-own-part-read", [READ], "resource has part && principal in resource.part"),
        *(
            _permit(f"case-own-{name}-read", [READ], f"resource has {name} && resource.{name} == principal")
            for name in ("handler", "reporter", "collector")
        ),
        _permit("case-collectors-read-tasks", [READ], f'principal in Role::"{COLLECTOR}" && ({ON_THE_SPOT})'),
        _permit("case-figures", [EVALUATE], _any_of(*SEES_ALL, "department_head")),
        _permit("case-manage", [MANAGE], 'principal in Role::"system_administrator"'),
        _permit("case-bar", [BAR], _any_of(ACCEPTOR, DUTY_CHIEF)),
        _permit("case-announce", [ANNOUNCE], _any_of(DUTY_CHIEF, LEADER, "operator")),
        _permit("case-attach", [ATTACH], _any_of(*ATTACHES)),
        _permit("case-field", [FIELD], _any_of(COLLECTOR, HANDLER)),
        _permit("case-staff-follow", ["event.follow"], f"{ITS_EVENTS} && ({everyone})"),
        _permit("case-own-department-follow", ["event.follow"], f"{ITS_EVENTS} && {_CONCERNS_MINE}"),
        _permit("case-collectors-follow", ["event.follow"], f"{ITS_EVENTS} && {_ON_MY_WAY}"),
        _permit("case-public", [READ_PUBLIC], _PUBLIC),
        _permit("case-report-from-outside", ["case.report_from_outside"], 'principal in Role::"citizen"'),
    ]  # fmt: skip
    for role in (*ROLES, "evaluator"):
        mine = [one for one in TRANSITIONS.values() if role in one.roles and one.axis != "system"]
        parts = [one.policy_action for one in mine if one.action in FOR_A_PART]
        whole = [one.policy_action for one in mine if one.action not in FOR_A_PART]
        rules += _of_role(role, whole)
        if parts and role in (DEPARTMENT, HANDLER):
            when = f'principal in Role::"{role}" && resource has part && principal in resource.part'
            rules.append(_permit(f"{role}-parts", parts, when))
    return "\n".join(rules)


_PUBLIC = f"!({json.dumps(list(UNSEEN))}.contains(resource.state)) && !(resource has hidden)"
_OWN = {
    REPORTER: "resource has reporter && resource.reporter == principal",
    DEPARTMENT: "resource has department && principal in resource.department",
    HANDLER: "resource has handler && resource.handler == principal",
    COLLECTOR: "if resource has collector then resource.collector == principal else true",
}


def _of_role(role: str, actions: list[str]) -> list[str]:
    if role == REPORTER:
        actions = [one for one in actions if one != "case.report_from_outside"]
        return [_permit("case-own-report", actions, _OWN[role])]
    if not actions:
        return []
    held = f'principal in Role::"{role}"'
    return [_permit(f"{role}-steps", actions, f"{held} && ({_OWN[role]})" if role in _OWN else held)]


def _any_of(*roles: str) -> str:
    return " || ".join(f'principal in Role::"{role}"' for role in roles)


def _permit(name: str, actions: list[str], when: str) -> str:
    listed = ", ".join(f'Action::"{one}"' for one in actions)
    return f'@id("{name}")\npermit (principal, action in [{listed}], resource)\nwhen {{ {when} }};\n'


def resource_of(
    case: Case,
    one: Transition | None = None,
    fields: Mapping[str, Any] | None = None,
    asker: Asker | None = None,
) -> Resource:
    """Return a case as policies see it, before a step with its fields is taken by an asker.

    Who joined it with a report of his own stands where its reporter stands, in what concerns them both.
    """
    joined = one is not None and one.action in FOR_ALL_REPORTERS and asker and asker.id in case.followers
    named = (fields or {}).get("department")
    part = named if one is not None and one.action in FOR_A_PART and isinstance(named, str) else None
    return Resource(
        "Case",
        case.number,
        {
            "state": case.state,
            "kind": case.kind,
            "type": case.type,
            "source": case.source,
            "area": case.area,
            "department": case.department,
            "part": part,
            "handler": case.handler,
            "reporter": asker.id if joined and asker else case.reporter,
            "collector": case.collector,
            "hidden": case.hidden or None,
        },
    )


_declare()
