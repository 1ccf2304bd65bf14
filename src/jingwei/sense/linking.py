"""Links put and taken away by their own address: `Things(1)/Locations/$ref` (OData 4.0, Part 1, 11.4.6)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei.sense.entities import ENTITIES, OBSERVATION, Entity, Link
from jingwei.sense.errors import BadEntityError, BadPathError, NotOfThisKindError
from jingwei.sense.models import ThingLocation
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jingwei.sense.odata.paths import Resource
    from jingwei.sense.writing import Writing

_PLACES: Any = ThingLocation.__table__
_ADDRESS = re.compile(r"(?:.*/)?([A-Za-z]+)\((\d{1,19})\)")
NAMES = ("@odata.id", "@id", "@iot.selfLink", "url")
"""What clients call the address of an entity."""


def change_link(
    writing: Writing, resource: Resource, method: str, body: Any, options: Mapping[str, str], path: str
) -> tuple[Entity, int]:
    """Put or take away a link; return the entity that had or has it.

    Raises
    ------
    NotOfThisKindError
        Where the link cannot be without, or is one of observations, which stay with their stream.

    """
    link = resource.last.link
    if link is None or OBSERVATION.name in (link.target, resource.steps[-2].entity.name):
        raise NotOfThisKindError(method, path)
    holder = resource.steps[-2].entity
    row = writing.asking.one(resource.steps[:-1])
    if method == "DELETE":
        _remove(writing, (holder, row, link), _removed(resource, options), path)
    elif method == ("POST" if link.many else "PUT"):
        if resource.last.key is not None:
            raise NotOfThisKindError(method, path)
        target = writing.existing(ENTITIES[link.target], _named(body, link), link.name)["id"]
        ids = [*_places(writing, row["id"]), target] if _is_place(holder, link) else [target]
        told = [{"@iot.id": one} for one in dict.fromkeys(ids)]
        writing.change(holder, row, {link.name: told if link.many else told[0]}, whole=False)
    else:
        raise NotOfThisKindError(method, path)
    return holder, int(row["id"])


def _is_place(holder: Entity, link: Link) -> bool:
    return (holder.name, link.target) == ("Thing", "Location")


def _places(writing: Writing, thing: int) -> list[int]:
    asked = select(_PLACES.c.location_id).where(_PLACES.c.thing_id == thing).order_by(_PLACES.c.location_id)
    return list(writing.session.scalars(asked))


def _named(body: Any, link: Link) -> int:
    """Return the entity that a body names, by its id or by its address."""
    if isinstance(body, dict):
        if isinstance(body.get("@iot.id"), int):
            return int(body["@iot.id"])
        address = next((body[name] for name in NAMES if isinstance(body.get(name), str)), "")
        return _addressed(address, link)
    raise BadEntityError(link.name, Text("应为 JSON 对象", "is a JSON object."))


def _addressed(address: str, link: Link) -> int:
    found = _ADDRESS.fullmatch(address)
    if found is None or found[1] != ENTITIES[link.target].collection:
        raise BadEntityError(
            link.name,
            Text("未指明实体", "names no entity."),
            mend=Text('请写 {"@iot.id": 编号}', 'Write {"@iot.id": number}.'),
        )
    return int(found[2])


def _removed(resource: Resource, options: Mapping[str, str]) -> int:
    """Return which link goes: `Locations(2)/$ref`, or `Locations/$ref?$id=…/Locations(2)`."""
    link = resource.last.link
    if resource.last.key is not None:
        return resource.last.key
    if link is not None and "$id" in options:
        return _addressed(options["$id"], link)
    raise BadEntityError("$id", Text("未指明要去掉哪一个", "says which one is to go."))


def _remove(writing: Writing, of: tuple[Entity, Mapping[str, Any], Link], gone: int, path: str) -> None:
    holder, row, link = of
    if (holder.name, link.target) == ("Location", "Thing"):
        thing, place = gone, int(row["id"])
    elif _is_place(holder, link):
        thing, place = int(row["id"]), gone
    else:  # one cannot be without the other
        raise NotOfThisKindError("DELETE", path)
    left = _places(writing, thing)
    if place not in left:
        raise BadPathError(path)
    writing.move(thing, [one for one in left if one != place])
