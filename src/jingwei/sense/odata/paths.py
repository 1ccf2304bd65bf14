"""Reads the path of a resource: sets, entities, links, properties, `$value`, `$ref` (18-088, 9.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jingwei.sense.entities import COLLECTIONS, ENTITIES, Entity, Link
from jingwei.sense.errors import BadPathError

DEEPEST = 12
_SEGMENT = re.compile(r"([A-Za-z]+)(?:\(\s*(-?\d{1,30}|'[^']{0,60}')\s*\))?")

_PLACE = re.compile(r"\[(\d{1,9})\]")
"""A place in a list."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path: by a link, or from the root to a set; to one entity where it has a key."""

    entity: Entity
    link: Link | None = None
    key: int | None = None

    @property
    def one(self) -> bool:
        """Whether it leads to one entity."""
        return self.key is not None or (self.link is not None and not self.link.many)


@dataclass(frozen=True, slots=True)
class Resource:
    """What a path leads to: an entity or a set of them, a property of one, or only their addresses.

    Attributes
    ----------
    inside
        The property, and what to take of its JSON.
    name
        The last part of the path to it as it was written: `list[1]`, where `inside` ends with `1`.
    value
        Whether the bare value is asked for.
    ref
        Whether only addresses are.
    count
        Whether only how many there are is (OData 4.0, Part 2, 4.8).

    """

    steps: tuple[Step, ...]
    inside: tuple[str, ...] = ()
    name: str = ""
    value: bool = False
    ref: bool = False
    count: bool = False

    @property
    def last(self) -> Step:
        """What the path leads to."""
        return self.steps[-1]


def resource_of(path: str) -> Resource:
    """Return what a path below the root leads to; it is decoded already.

    Raises
    ------
    BadPathError
        Where there is nothing of that form.

    """
    parts = [part for part in path.strip("/").split("/") if part]
    if not 0 < len(parts) <= DEEPEST:
        raise BadPathError(path)
    first = _step(parts[0], None, path)
    steps = [first]
    for number, part in enumerate(parts[1:], 1):
        rest = tuple(parts[number:])
        here = steps[-1]
        if part == "$ref" and len(rest) == 1:
            return Resource(tuple(steps), ref=True)
        if part == "$count" and len(rest) == 1 and not here.one:
            return Resource(tuple(steps), count=True)
        if not here.one:
            raise BadPathError(path)
        name = part.partition("(")[0]
        if name in here.entity.link:
            steps.append(_step(part, here.entity, path))
            continue
        return property_of(tuple(steps), rest, path)
    return Resource(tuple(steps))


def _step(part: str, entity: Entity | None, path: str) -> Step:
    found = _SEGMENT.fullmatch(part)
    if found is None:
        raise BadPathError(path)
    name, key = found.groups()
    if entity is None:
        target = COLLECTIONS.get(name)
        if target is None:
            raise BadPathError(path)
        return Step(target, None, _key(key, path))
    link = entity.link[name]
    if key is not None and not link.many:
        raise BadPathError(path)
    return Step(ENTITIES[link.target], link, _key(key, path))


def _key(text: str | None, path: str) -> int | None:
    if text is None:
        return None
    bare = text.strip("'")
    if not bare.isascii() or not re.fullmatch(r"-?\d{1,19}", bare):
        raise BadPathError(path)
    return int(bare)


def property_of(steps: tuple[Step, ...], rest: tuple[str, ...], path: str) -> Resource:
    """Return the property of an entity that the rest of a path leads to.

    Raises
    ------
    BadPathError

    """
    entity = steps[-1].entity
    value = rest[-1] == "$value"
    written = rest[:-1] if value else rest
    inside = tuple(name for part in written for name in _PLACE.sub(r"/\1", part).split("/"))
    name = "@iot.id" if inside and inside[0] == "id" else (inside or ("",))[0]
    field = entity.by_name.get(name)
    if field is None or (len(inside) > 1 and field.kind not in ("json", "geometry")):
        raise BadPathError(path)
    inside = (name, *inside[1:])
    return Resource(steps, inside, name=written[-1] if len(inside) > 1 else name, value=value)
