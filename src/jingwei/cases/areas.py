"""The areas that the public knows: streets and communities by name, and what is reported in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jingwei.cases import public
from jingwei.cases.policy import STRANGER

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.cases.board import Board
    from jingwei.cases.service import Desk
    from jingwei.words import Text

STREET, COMMUNITY = 9, 12
"""Digits of the code of each."""
MOST = 1_000
"""Areas, or types, of an answer at most: three digits number the communities of a street."""


@dataclass(frozen=True, slots=True)
class Area:
    """A street or community: its code, its name as far as the settings tell it, how many cases are open."""

    code: str
    name: Text | None
    open: int


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of which something was reported, and how often."""

    kind: str
    code: str
    name: Text
    count: int


def areas(session: Session, desk: Desk, board: Board, within: str = "") -> list[Area]:
    """Return the streets of the city, or the communities of a street, in the order of their codes.

    Parameters
    ----------
    session, desk, board
        Where names, grids and cases are.
    within
        The code of a street, nine digits; empty for the streets.

    Returns
    -------
    list of Area
        Those that hold unit grids, bear a name or have cases of which the public is told; 1,000 at most.

    """
    column, length = ("community", COMMUNITY) if within else ("street", STREET)
    board.refresh()
    where, given = board.allowed(STRANGER, public.choice(area=within))
    rows = board.rows(
        f"SELECT {column}, count(*) FILTER (NOT ended) FROM cases"
        f" WHERE {where} AND {column} IS NOT NULL GROUP BY 1",
        given,
    )
    open_: dict[str, int] = dict(rows)
    settings = desk.regime(session).settings
    codes = {one[:length] for one in desk.ground(session).codes} | open_.keys() | settings.area_names.keys()
    found = sorted(one for one in codes if len(one) == length and one.startswith(within))
    return [Area(one, settings.area_name(one), open_.get(one, 0)) for one in found[:MOST]]


def area_named(session: Session, desk: Desk, code: str) -> Area:
    """Return an area by its code, without a count."""
    return Area(code, desk.regime(session).settings.area_name(code), 0)


def area_at(session: Session, desk: Desk, lon: float, lat: float) -> Area | None:
    """Return the community in which a place lies (degrees, WGS84); None where the grids do not tell it."""
    found = desk.ground(session).locate(lon, lat)
    if found.where not in ("inside", "border"):
        return None
    return area_named(session, desk, found.area[:COMMUNITY])


def kinds(
    session: Session,
    desk: Desk,
    board: Board,
    area: str = "",
    *,
    ended: bool | None = None,
    limit: int = MOST,
) -> list[Kind]:
    """Return the types of which something was reported in an area, the most frequent first."""
    board.refresh()
    where, given = board.allowed(STRANGER, public.choice(area=area, ended=ended))
    rows = board.rows(
        f"SELECT kind, type, count(*) AS n FROM cases WHERE {where}"
        f" GROUP BY 1, 2 ORDER BY n DESC, 1, 2 LIMIT {min(limit, MOST)}",
        given,
    )
    catalogue = desk.regime(session).catalogue
    return [Kind(kind, code, catalogue.get(kind, code).name, count) for kind, code, count in rows]
