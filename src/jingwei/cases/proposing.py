"""Which type a report is of: proposed from what is written, where it is, and what the city is told most.

A proposal only: the citizen chooses, the acceptor puts right. Everyday words for types are data
(`data/everyday.json`); a type for which the city has rules goes before one for which it has none.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from jingwei.cases.duplicates import likeness
from jingwei.cases.inventory import components_near
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from jingwei.cases.board import Board
    from jingwei.cases.regime import Regime
    from jingwei.cases.types import CaseType, Kind

SHOWN = 6
NEAR_METRES = 25
"""How far the component may be that is photographed."""
FREQUENT_DAYS = 90
_WORD = re.compile(r"[a-z]{3,}")
_SAID, _STANDS, _NAMED, _RULED = 0.6, 0.25, 0.5, 0.1


@dataclass(frozen=True, slots=True)
class TypeProposal:
    """A type that a report may be of: how strongly, and why."""

    type: CaseType
    weight: float
    why: Text


@cache
def _everyday() -> tuple[tuple[tuple[str, ...], Kind, str], ...]:
    table = json.loads((files("jingwei.cases") / "data" / "everyday.json").read_text("utf-8"))
    return tuple((tuple(words.split("|")), kind, code) for words, kind, code in table)


def types_for(
    session: Session, regime: Regime, words: str, place: tuple[float, float] | None, *, limit: int = SHOWN
) -> list[TypeProposal]:
    """Return the types that a report may be of, the likeliest first.

    Parameters
    ----------
    session, regime
        What stands where, and which types and rules are in force.
    words
        What is written so far, in either language.
    place
        Longitude and latitude in degrees (WGS84), if known.
    limit
        How many at most.

    """
    found: dict[tuple[Kind, str], tuple[float, Text]] = {}

    def add(kind: Kind, code: str, weight: float, why: Text) -> None:
        before = found.get((kind, code))
        found[kind, code] = (weight + (before[0] if before else 0.0), before[1] if before else why)

    said = words.casefold().strip()
    if said:
        for terms, kind, code in _everyday():
            hit = next((term for term in terms if term in said), None)
            if hit:
                add(kind, code, _SAID + min(len(hit), 8) / 80, Text(f"您写了“{hit}”", f"you wrote “{hit}”"))
        english = set(_WORD.findall(said))
        for one in regime.catalogue:
            alike = likeness(one.name.zh, words)
            named = set(_WORD.findall(one.name.en.casefold()))
            share = len(named & english) / len(named) if named else 0.0
            if max(alike, share) >= 0.3:
                add(one.kind, one.code, _NAMED * max(alike, share), Text("名称相近", "its name is alike"))
    if place is not None:
        near = components_near(session, *place, metres=NEAR_METRES, limit=3)
        for thing in near:
            why = Text(
                f"{thing.metres:.0f} 米处有{thing.name}", f"{thing.name} stands {thing.metres:.0f} m away"
            )
            add("component", thing.code[6:11], _STANDS * (1 - thing.metres / NEAR_METRES), why)
    told = []
    for (kind, code), (weight, why) in found.items():
        if (kind, code) not in regime.catalogue:
            continue
        ruled = _RULED if (kind, code) in regime.by_type else 0.0
        told.append(TypeProposal(regime.catalogue.get(kind, code), round(weight + ruled, 4), why))
    told.sort(key=lambda one: (-one.weight, one.type.kind, one.type.code))
    return told[:limit]


def offered(board: Board, regime: Regime, since: int, *, limit: int = 8) -> list[CaseType]:
    """Return the types that the public is offered before it has written a word.

    Those that the city chose; else those reported most since an instant (microseconds); then those with
    rules.
    """
    chosen: list[tuple[str, str]] = [tuple(one.split("/", 1)) for one in regime.settings.offered]  # type: ignore[misc]
    if not chosen:
        board.refresh()
        counted = (
            "SELECT kind, type, count(*) FROM cases WHERE reported >= $1"
            f" GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT {int(limit)}"
        )
        chosen = [(kind, code) for kind, code, _ in board.rows(counted, [since])]
    chosen += [one for one in regime.by_type if one not in chosen]
    return _known(regime, chosen)[:limit]


def _known(regime: Regime, chosen: Sequence[tuple[str, str]]) -> list[CaseType]:
    return [regime.catalogue.get(kind, code) for kind, code in chosen if (kind, code) in regime.catalogue]
