"""What policies speak of: kinds of resources with their attributes, and actions. Parts declare theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from jingwei.words import Text

AttributeType = Literal["String", "Long", "Bool", "Set<String>", "Department", "Person"]


@dataclass(frozen=True)
class ResourceType:
    """A kind of thing that something is done with.

    An attribute whose name ends in `?` may be missing; policies ask with `has` before they use it. Of `data`
    answers are made that are kept for all whom the policies on it do not tell apart.
    """

    name: str
    attributes: Mapping[str, AttributeType]
    data: bool = False

    @cached_property
    def types(self) -> dict[str, AttributeType]:
        """The attributes without the mark for those that may be missing."""
        return {name.removesuffix("?"): type_ for name, type_ in self.attributes.items()}

    @cached_property
    def required(self) -> frozenset[str]:
        """The attributes that are never missing."""
        return frozenset(name for name in self.attributes if not name.endswith("?"))


@dataclass(frozen=True, slots=True)
class Action:
    """Something that is done with resources of given kinds."""

    name: str
    resources: tuple[str, ...]
    says: Text
    implies: tuple[str, ...] = ()
    """What a token that names it is for as well, since it could not be used without."""


_resources: dict[str, ResourceType] = {}
_actions: dict[str, Action] = {}
_policies: list[str] = []
_examples: list[Mapping[str, Any]] = []

_CONTEXT = "{ purpose: String, time: Long, hour: Long, weekday: Long, cell?: Long }"


def declare_resource(
    name: str, attributes: Mapping[str, AttributeType], *, data: bool = False
) -> ResourceType:
    """Declare a kind of resource, so that policies can speak of it."""
    _resources[name] = ResourceType(name, attributes, data)
    return _resources[name]


def declare_action(
    name: str, resources: tuple[str, ...], says: Text, *, implies: tuple[str, ...] = ()
) -> str:
    """Declare an action on kinds of resources; return its name."""
    _actions[name] = Action(name, resources, says, implies)
    return name


def with_implied(names: Iterable[str]) -> frozenset[str]:
    """Return actions with those that they imply: a token to read data may see what it reads."""
    listed = list(names)
    return frozenset(listed).union(*(_actions[name].implies for name in listed if name in _actions))


def declare_policies(text: str, examples: Iterable[Mapping[str, Any]] = ()) -> None:
    """Declare the policies, in Cedar, that a part brings for cities that have adopted none of their own.

    `examples` say what must come out of them, in the form of `default_examples.json`: every rule is the one
    that decides some example.
    """
    if text not in _policies:
        _policies.append(text)
        _examples.extend(examples)


def declared_examples() -> list[Mapping[str, Any]]:
    """Return the examples that all parts brought with their policies."""
    return list(_examples)


def declared_policies() -> str:
    """Return what all parts brought."""
    return "\n".join(_policies)


def resource_type(name: str) -> ResourceType:
    """Return a declared kind of resource."""
    return _resources[name]


def resource_types() -> dict[str, ResourceType]:
    """Return all declared kinds of resources by name."""
    return dict(_resources)


def actions() -> dict[str, Action]:
    """Return all declared actions by name."""
    return dict(_actions)


def schema() -> str:
    """Return the Cedar schema of all that is declared."""
    lines = [
        "entity Role;",
        "entity Duty;",
        "entity Department in [Department];",
        "entity Person in [Department, Role, Duty] { departments: Set<Department> };",
    ]
    for kind in _resources.values():
        if kind.name not in ("Person", "Department"):
            attributes = ", ".join(f"{name}: {type_}" for name, type_ in kind.attributes.items())
            lines.append(f"entity {kind.name} {{ {attributes} }};")
    for action in _actions.values():
        kinds = ", ".join(action.resources)
        lines.append(
            f'action "{action.name}" appliesTo'
            f" {{ principal: [Person], resource: [{kinds}], context: {_CONTEXT} }};"
        )
    return "\n".join(lines) + "\n"


declare_resource("City", {})
declare_resource("Log", {})
declare_resource("PolicySet", {})
declare_resource("Account", {"person": "Person"})
declare_resource("Dataset", {"owner": "Department", "sharing": "String", "level": "Long"}, data=True)
declare_resource(
    "Field",
    {"owner": "Department", "sharing": "String", "level": "Long", "personal": "Bool", "dataset": "String"},
    data=True,
)
declare_resource(
    "Fact",
    {
        "owner": "Department",
        "sharing": "String",
        "level": "Long",
        "dataset": "String",
        "object?": "String",
        "cell?": "Long",
        "time?": "Long",
    },
    data=True,
)

declare_resource(
    "Event",
    {
        "type": "String",
        "part": "String",
        "subject": "String",
        "person?": "Person",
        "department?": "Department",
        "state?": "String",
    },
)
declare_resource("Job", {"starter": "Person"})
declare_resource(
    "Object",
    {
        "kind": "String",
        "owner?": "Department",
        "sharing?": "String",
        "level?": "Long",
        "dataset?": "String",
    },
)

declare_action("city.read", ("City",), Text("查看城市概况", "see the city"))
declare_action("dataset.list", ("Dataset",), Text("查看数据集目录", "see that a dataset exists"))
_SEEN = ("dataset.list", "field.read", "place.read")
declare_action("dataset.read", ("Dataset", "Fact"), Text("读取数据", "read data"), implies=_SEEN)
declare_action(
    "dataset.count",
    ("Dataset",),
    Text("按网格统计数量", "count facts by cell"),
    implies=("dataset.list",),
)
declare_action(
    "dataset.inspect",
    ("Dataset",),
    Text("查看来源、质量证据和隔离的行", "see how a dataset was read: evidence, and rows held back"),
    implies=("dataset.list",),
)
declare_action(
    "dataset.publish", ("Dataset",), Text("发布数据集", "publish a dataset"), implies=("dataset.list",)
)
declare_action("intake.manage", ("City",), Text("接收和装载文件", "take in and load files"))
declare_action("dataset.export", ("Dataset", "Fact"), Text("导出数据", "export data"), implies=_SEEN)
declare_action("field.read", ("Field",), Text("读取字段", "read a field"))
declare_action("place.read", ("Dataset",), Text("查看位置", "see where facts are"))
declare_action("account.use", ("Account",), Text("管理本人账号", "manage one's own account"))
declare_action("people.read", ("City",), Text("查看人员和部门", "see people and departments"))
declare_action("people.manage", ("City",), Text("管理人员和部门", "manage people and departments"))
declare_action("roles.manage", ("City",), Text("授予和收回角色", "give and take roles"))
declare_action(
    "roles.appoint", ("City",), Text("任命首位安全管理员", "appoint the first security administrator")
)
declare_action("policy.read", ("PolicySet",), Text("查看策略", "read the policies"))
declare_action("policy.change", ("PolicySet",), Text("修改策略", "change the policies"))
declare_action("log.read", ("Log",), Text("查看日志", "read the log"))
declare_action("log.export", ("Log",), Text("导出日志", "export the log"))
declare_action("log.checkpoint", ("Log",), Text("查看日志的检查点", "see the checkpoint of the log"))
declare_action("event.follow", ("Event",), Text("跟随事件", "follow events as they happen"))
declare_action("job.follow", ("Job",), Text("查看和停止任务", "follow and stop a piece of work"))
declare_action("object.read", ("Object",), Text("查看对象", "see an object"))
declare_action("object.manage", ("City",), Text("管理对象标识", "manage identifiers of objects"))
