"""What policies say of sensing: the resource, the actions, and the rules to start with."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jingwei.access import declare_role
from jingwei.access.policy import Resource
from jingwei.access.policy.masks import SMALLEST
from jingwei.access.policy.vocabulary import declare_action, declare_policies, declare_resource
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.access import Asker
    from jingwei.access.policy import Policies

KIND = "Sensing"
READ = "sense.read"
PLACE = "sense.place"
SUMMARISE = "sense.summarise"
"""To be told what many streams say together, without what one of them says."""
WRITE = "sense.write"
OBSERVE = "sense.observe"
RULE_KIND = "SenseRule"
WATCH = "sense.watch"
"""To see a rule and the alarms it raises, and to say whether they are true."""
RULE = "sense.rule"
"""To write a rule, and to switch it on and off."""
FINEST = 32
FINEST_TOGETHER = 21
"""One arc-second, about 31 m, as for counts of facts."""

SHARINGS = ("unconditional", "conditional", "none")
LEVELS = range(1, 5)
DEFAULT_SHARING, DEFAULT_LEVEL = "conditional", 2

_RULES = """
@id("sense-own-department")
permit (principal, action in [Action::"sense.read", Action::"sense.place"], resource)
when { resource has owner && principal in resource.owner };

@id("sense-unconditional")
permit (principal, action in [Action::"sense.read", Action::"sense.place"], resource)
when { resource.sharing == "unconditional" && resource.level <= 2 };

@id("sense-operators")
permit (principal in Role::"operator", action in [Action::"sense.read", Action::"sense.place"], resource)
when { resource.sharing != "none" && resource.level <= 3 };

@id("sense-staff-elsewhere")
permit (principal in Role::"staff", action == Action::"sense.read", resource)
when { resource.sharing == "conditional" && resource.level <= 2 };

@id("sense-places-for-staff-elsewhere")
@level("17")
permit (principal in Role::"staff", action == Action::"sense.place", resource)
when { resource.sharing == "conditional" && resource.level <= 2 };

@id("sense-keepers")
permit (principal in Role::"device_keeper", action == Action::"sense.write", resource)
when { resource has owner && principal in resource.owner };

@id("sense-devices")
permit (principal, action == Action::"sense.observe", resource)
when {
  (principal in Role::"device" || principal in Role::"device_keeper") &&
  resource has owner && principal in resource.owner
};

@id("sense-catalogue-for-keepers")
permit (principal in Role::"device_keeper", action == Action::"sense.write", resource)
when { !(resource has owner) };

@id("sense-administrator")
permit (
  principal in Role::"system_administrator",
  action in [Action::"sense.read", Action::"sense.place", Action::"sense.write", Action::"sense.observe"],
  resource
);

@id("sense-rules-own-department")
permit (principal, action == Action::"sense.watch", resource)
when {
  (principal in Role::"staff" || principal in Role::"department_head") &&
  resource has owner && principal in resource.owner
};

@id("sense-rules-operators")
permit (principal in Role::"operator", action == Action::"sense.watch", resource);

@id("sense-rules-keepers")
permit (principal in Role::"device_keeper", action in [Action::"sense.rule", Action::"sense.watch"], resource)
when { resource has owner && principal in resource.owner };

@id("sense-rules-administrator")
permit (
  principal in Role::"system_administrator",
  action in [Action::"sense.rule", Action::"sense.watch"],
  resource
);

@id("sense-staff-follow")
permit (principal, action == Action::"event.follow", resource)
when {
  resource.part == "sense" && (principal in Role::"operator" || principal in Role::"system_administrator")
};
"""


def _declare() -> None:
    declare_role("device_keeper", Text("设备管理员", "device keeper"))
    declare_role("device", Text("设备", "device"))
    declare_resource(
        KIND,
        {"entity": "String", "owner?": "Department", "sharing": "String", "level": "Long"},
        data=True,
    )
    declare_action(READ, (KIND,), Text("查看感知设备和数据", "see sensors and their readings"))
    declare_action(SUMMARISE, (KIND,), Text("查看感知汇总", "see what many sensors say together"))
    declare_action(PLACE, (KIND,), Text("查看感知设备位置", "see where sensors are"))
    declare_action(WRITE, (KIND,), Text("维护感知设备", "keep sensors and devices"), implies=(READ, PLACE))
    declare_action(OBSERVE, (KIND,), Text("上报观测值", "send readings"), implies=(READ,))
    declare_resource(RULE_KIND, {"owner?": "Department"})
    declare_action(
        WATCH, (RULE_KIND,), Text("查看感知规则和告警", "see rules over readings, and their alarms")
    )
    declare_action(
        RULE, (RULE_KIND,), Text("编写和启停感知规则", "write rules over readings"), implies=(WATCH,)
    )
    examples = files("jingwei.sense") / "data" / "policy_examples.json"
    declare_policies(_RULES, json.loads(examples.read_text("utf-8")))


def resource_of(
    entity: str, identifier: object = "", *, owner: str = "", sharing: str, level: int
) -> Resource:
    """Return an entity as policies see it; `entity` is its kind, as `Thing`."""
    attributes: dict[str, Any] = {"entity": entity, "sharing": sharing, "level": level}
    if owner:
        attributes["owner"] = owner
    return Resource(KIND, str(identifier), attributes)


def rule_resource(identifier: object, owner: str) -> Resource:
    """Return a rule as policies see it; one of the whole city has no owner."""
    return Resource(RULE_KIND, str(identifier), {"owner": owner} if owner else {})


def place_level(policies: Policies, asker: Asker, resource: Resource) -> int:
    """Return the finest level at which the asker sees where an entity is: 32 as it is, 0 not at all."""
    decision = policies.decide(asker, PLACE, resource)
    if not decision.allowed:
        return 0
    return max(int(note.get("level", str(FINEST))) for note in decision.annotations)


def together(policies: Policies, asker: Asker, resource: Resource) -> tuple[int, int]:
    """Return how many streams figures for an asker are of at least, and the finest level of their zones."""
    notes = policies.decide(asker, SUMMARISE, resource).annotations
    smallest = min((int(note.get("smallest", SMALLEST)) for note in notes), default=SMALLEST)
    level = max((int(note.get("level", FINEST_TOGETHER)) for note in notes), default=FINEST_TOGETHER)
    return max(1, smallest), min(level, FINEST_TOGETHER)


_declare()
