"""What goes in and out of the registry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["active", "split", "merged", "retired"]


@dataclass(frozen=True, slots=True)
class NewObject:
    """An object to be given an identifier.

    `owner` and `key` name it where it comes from: the same pair always gets the same identifier.
    `cell` is a signed grid code and `level` the level it is true to (design, address in columns).
    """

    owner: str
    key: str
    kind: str
    title: str = ""
    cell: int | None = None
    level: int | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Object:
    """An object as it is registered."""

    id: str
    kind: str
    owner: str
    key: str
    title: str
    state: State
    created: datetime
    valid_from: datetime | None
    valid_to: datetime | None
    cell: int | None
    level: int | None
    placed: datetime | None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What an identifier stands for today.

    `current` is the object itself while it is active; after a split its parts, after a merger what it
    became part of, after it was retired without successor nothing.
    """

    object: Object
    current: list[Object]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object is or was: a signed grid code, its level, and since when."""

    cell: int | None
    level: int | None
    since: datetime | None
