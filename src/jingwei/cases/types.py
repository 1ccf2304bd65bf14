"""Types of components and matters: GB/T 47678.5-2026, and what a city adds of its own.

A type is known by its kind and its code together: 01001 is a component (供水井盖) and, as a matter, what is
wrong with it (供水井盖异常). Numbers are never used again, so that old cases keep their meaning.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

from jingwei.cases.errors import BadFieldError, UnknownTypeError
from jingwei.words import Text

Kind = Literal["component", "matter"]
KINDS: tuple[Kind, ...] = ("component", "matter")

COMPONENT_ID_2013, COMPONENT_ID = 16, 17
"""Digits of a component's identifier: 6 of the division, the type (2+2, now 2+3), 6 in sequence."""
_MATTERS_2013 = range(1, 5)
"""Majors of the matters of 2013 that live on, five higher."""


@dataclass(frozen=True, slots=True)
class CaseType:
    """A type of component or matter.

    `code_2013` is its number before; `local` marks what the city added.
    """

    kind: Kind
    code: str
    name: Text
    major: Text
    code_2013: str | None = None
    local: bool = False


class Mapped(NamedTuple):
    """What a code of 2013 became, and how that is known: by number and name, one of them, or not at all."""

    type: CaseType | None
    by: Literal["number and name", "number", "name", "nothing"]


class Catalogue:
    """The types in force: those of the standard, and a city's own.

    Parameters
    ----------
    local
        The city's own types. None may take a number of the standard.

    """

    def __init__(self, local: Iterable[CaseType] = ()) -> None:
        self._types: dict[tuple[str, str], CaseType] = dict(_standard())
        for one in local:
            if (one.kind, one.code) in self._types:
                raise BadFieldError(
                    "code", Text(f"代码 {one.code} 已被占用", f"the code {one.code} is taken.")
                )
            self._types[one.kind, one.code] = one
        self._by_name: dict[tuple[str, str], CaseType] = {
            (one.kind, one.name.zh): one for one in self._types.values()
        }
        self._by_2013: dict[tuple[str, str], CaseType] = {
            (one.kind, one.code_2013): one for one in self._types.values() if one.code_2013
        }

    def __iter__(self) -> Iterator[CaseType]:
        return iter(self._types.values())

    def __len__(self) -> int:
        return len(self._types)

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._types

    def get(self, kind: str, code: str) -> CaseType:
        """Return a type.

        Raises
        ------
        UnknownTypeError
            Where there is none of that kind and code.

        """
        found = self._types.get((kind, code))
        if found is None:
            raise UnknownTypeError(kind, code)
        return found

    def named(self, kind: str, name: str) -> CaseType | None:
        """Return the type of that Chinese name, if there is one."""
        return self._by_name.get((kind, name))

    def search(self, text: str) -> list[CaseType]:
        """Return the types whose name, in either language, or code holds a text."""
        wanted = text.casefold()
        return [
            one
            for one in self._types.values()
            if wanted in one.name.zh.casefold() or wanted in one.name.en.casefold() or wanted in one.code
        ]

    def from_2013(self, kind: str, code: str, name: str | None = None) -> Mapped:
        """Return what the four digits of a 2013 inventory or case are now.

        Components (mm, nn) became mm0nn; matters of majors 01 to 04 became (mm+5)0nn; the few that moved are
        in the table. Where the city's name says otherwise than the number, the name wins if another type
        bears it; a type renamed by the standard keeps its number.
        """
        by_number = self._by_2013.get((kind, code)) or self._types.get((kind, _renumbered(kind, code)))
        by_name = self.named(kind, name) if name else None
        if by_number is not None and (name is None or by_name is by_number):
            return Mapped(by_number, "number and name" if name else "number")
        if by_name is not None:
            return Mapped(by_name, "name")
        if by_number is not None and not by_number.local:
            return Mapped(by_number, "number")
        return Mapped(None, "nothing")


def _renumbered(kind: str, code: str) -> str:
    """Return the number that the rule of renumbering gives to a code of 2013."""
    if len(code) != 4 or not code.isdigit():
        raise BadFieldError(
            "code", Text(f"{code[:20]} 不是 2013 版的四位代码", f"{code[:20]} is no code of 2013 (4 digits).")
        )
    major, minor = int(code[:2]), int(code[2:])
    moved = major + 5 if kind == "matter" and major in _MATTERS_2013 else major
    return f"{moved:02d}{minor:03d}"


def local_code(kind: str, code_2013: str) -> str:
    """Return the five digits for a city's own addition of 2013, whose numbers count down from 99."""
    return _renumbered(kind, code_2013)


def component_id_2026(identifier: str, catalogue: Catalogue, name: str | None = None) -> str:
    """Return the 17 digits of a component that a 2013 inventory knows by 16.

    Raises
    ------
    BadFieldError
        Where it is neither 16 nor 17 digits.
    UnknownTypeError
        Where its type has no number of 2026.

    """
    if not identifier.isdigit() or len(identifier) not in (COMPONENT_ID_2013, COMPONENT_ID):
        raise BadFieldError(
            "component",
            Text(f"部件标识码 {identifier[:40]} 应为 17 位数字", f"{identifier[:40]} is not 17 digits."),
        )
    if len(identifier) == COMPONENT_ID:
        catalogue.get("component", identifier[6:11])
        return identifier
    mapped = catalogue.from_2013("component", identifier[6:10], name)
    if mapped.type is None:
        raise UnknownTypeError("component", identifier[6:10])
    return identifier[:6] + mapped.type.code + identifier[10:]


@cache
def _standard() -> Mapping[tuple[str, str], CaseType]:
    table = json.loads((files("jingwei.cases") / "data" / "types.json").read_text("utf-8"))
    majors = {(kind, code): Text(zh, en) for kind, code, zh, en in table["majors"]}
    return {
        (kind, code): CaseType(kind, code, Text(zh, en), majors[kind, code[:2]], old)
        for kind, code, zh, en, old, _ in table["types"]
    }


def major_of(kind: str, code: str) -> Text:
    """Return the name of the major class that a code belongs to; empty for one of the city's own."""
    for one in _standard().values():
        if one.kind == kind and one.code[:2] == code[:2]:
            return one.major
    return Text("")
