"""What kinds of events there are. Each part declares its own, in a module `events` of its own."""

from __future__ import annotations

import importlib
import importlib.machinery
import pkgutil
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

import jingwei
from jingwei.errors import JingweiError
from jingwei.words import Text

TYPE_NAME = re.compile(r"[a-z][a-z0-9]*\.[a-z][a-z0-9_]*")
LARGEST_INTEGER = 2**53
"""JSON readers hold numbers as doubles: larger integers (grid codes) travel as strings."""


class UnknownEventError(JingweiError):
    """An event of a type that no part has declared."""

    code = "event-type-unknown"
    status = 500

    def __init__(self, type_: str) -> None:
        super().__init__(
            Text(f"没有声明过的事件类型：{type_}", f"no part has declared events of type {type_}."),
            mend=Text("请在该部分的 events 模块中用 ledger.declare 声明", "Declare it with ledger.declare."),
        )


class EventDataError(JingweiError):
    """The data of an event does not fit the schema of its type."""

    code = "event-data-invalid"
    status = 500

    def __init__(self, type_: str, why: str) -> None:
        super().__init__(
            Text(f"事件 {type_} 的数据不符合声明：{why}", f"the data of a {type_} event does not fit: {why}.")
        )


@dataclass(frozen=True)
class Field:
    """A field of an event's data: its type (as Python writes it) and what it means."""

    type: Any
    says: Text
    required: bool = True


@dataclass(frozen=True)
class EventType:
    """A declared type of events."""

    name: str
    says: Text
    subject: str
    fields: dict[str, Field]
    struct: type[msgspec.Struct]

    def validate(self, data: dict[str, Any]) -> None:
        """Raise where `data` does not fit the declaration."""
        try:
            msgspec.convert(data, self.struct)
            _check_numbers(data)
        except (msgspec.ValidationError, ValueError) as error:
            raise EventDataError(self.name, str(error)) from error


_declared: dict[str, EventType] = {}


def declare(name: str, says: Text, *, subject: str, fields: dict[str, Field] | None = None) -> EventType:
    """Declare a type of events.

    A declaration is a contract with whoever follows the log: later versions of a part may add fields
    that are not required, and nothing else.

    Parameters
    ----------
    name
        `part.past_participle`, as in `dataset.published`.
    says
        What has happened, in one sentence.
    subject
        The form of the subject, as in `dataset/<name>`.
    fields
        The fields of `data`, by name. JSON values only; never personal data; integers within 2**53.

    """
    if not TYPE_NAME.fullmatch(name):
        msg = f"an event type is named part.past_participle, not {name!r}"
        raise ValueError(msg)
    fields = fields or {}
    members = [
        (key, field.type) if field.required else (key, field.type | msgspec.UnsetType, msgspec.UNSET)
        for key, field in sorted(fields.items(), key=lambda item: not item[1].required)
    ]
    struct = msgspec.defstruct(name.replace(".", "_"), members, forbid_unknown_fields=True)
    declared = EventType(name, says, subject, fields, struct)
    if name in _declared and (_declared[name].says, _declared[name].fields) != (says, fields):
        msg = f"the event type {name} is declared twice, differently"
        raise ValueError(msg)
    _declared[name] = declared
    return declared


def event_type(name: str) -> EventType:
    """Return the declaration of a type.

    Raises
    ------
    UnknownEventError
        Where no part has declared it.

    """
    if name not in _declared:
        load_declarations()
    try:
        return _declared[name]
    except KeyError:
        raise UnknownEventError(name) from None


@cache
def load_declarations() -> None:
    """Read what the parts declare: the module `events` of each, found by its name."""
    for part in pkgutil.iter_modules(jingwei.__path__):
        rooms = [f"{root}/{part.name}" for root in jingwei.__path__]
        # Looked for as a file: to ask by its full name would import every part, the web and its pages too.
        if part.ispkg and importlib.machinery.PathFinder.find_spec("events", rooms):
            importlib.import_module(f"jingwei.{part.name}.events")


def event_types() -> list[EventType]:
    """Return all declared types, by name."""
    load_declarations()
    return [_declared[name] for name in sorted(_declared)]


def _check_numbers(value: Any) -> None:
    """Refuse what JSON cannot carry unchanged."""
    if isinstance(value, dict):
        for item in value.values():
            _check_numbers(item)
    elif isinstance(value, list):
        for item in value:
            _check_numbers(item)
    elif isinstance(value, float) and not -float("inf") < value < float("inf"):
        msg = "a number of an event is finite"
        raise ValueError(msg)
    elif isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        msg = f"{value} exceeds 2**53 and must be given as text"
        raise ValueError(msg)


def events_page(types: list[EventType]) -> str:
    """Return the page `docs/events.md`: every type of events, its subject and its fields."""
    lines = [
        "# 事件 Events",
        "",
        "本页由各部分的事件声明生成（`jingwei ledger types`）。每个事件还带有类型、时间、操作者和对象。",
        "Generated from the declarations of the parts (`jingwei ledger types`). Every event also carries its",
        "type, time, actor and subject.",
    ]
    for kind in types:
        lines += [
            "",
            f"## `{kind.name}`",
            "",
            f"{kind.says.zh}  ",
            f"{kind.says.en}",
            "",
            f"Subject: `{kind.subject}`",
        ]
        if kind.fields:
            lines += ["", "| field | type | | meaning |", "|---|---|---|---|"]
        for name, field in kind.fields.items():
            need = "" if field.required else "optional"
            says = f"{field.says.zh}<br>{field.says.en}"
            lines.append(
                f"| `{name}` | `{_type_name(field.type)}` | {need} | {says} |".replace(" | |", " | |")
            )
    return "\n".join(lines) + "\n"


def _type_name(type_: Any) -> str:
    """Return a type as Python writes it, fit for a cell of a table."""
    written = type_.__name__ if isinstance(type_, type) and not hasattr(type_, "__args__") else str(type_)
    return written.replace("typing.", "").replace("|", "\\|")
