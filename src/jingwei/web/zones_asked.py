"""What every list of zones is asked by: of which system, where, how fine, and as what it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request, Response

from jingwei.web.dggs_answers import zone_list
from jingwei.web.dggs_asking import (
    LISTS,
    BoxText,
    CompactOf,
    CrsText,
    LevelOf,
    LimitOf,
    ListFormOf,
    OffsetOf,
    ParentOf,
    SubsetCrsText,
    SubsetTexts,
    SystemPath,
    box_and_time,
    form_of,
    level_asked,
)
from jingwei.web.zones import system_of

if TYPE_CHECKING:
    from jingwei.web.zones import Bounds, System, Zone


@dataclass(frozen=True, slots=True)
class ZonesAsked:
    """Which zones are asked for.

    Attributes
    ----------
    system, parent
        Of which reference system, and within which zone, if any.
    compact
        Whether a zone stands in place of all of its children.

    """

    request: Request
    system: System
    parent: Zone | None
    compact: bool
    _place: tuple[str | None, str | None, list[str] | None, str | None]
    _level: int | None
    _page: tuple[int, int, str]

    def where(self, time: str | None, *, timed: bool) -> tuple[Bounds | None, str | None]:
        """Return the box and the time, each named once; see `box_and_time`."""
        return box_and_time(*self._place, time, timed=timed)

    def level(self, box: Bounds | None, finest: int | None = None) -> int:
        """Return the level that is asked for; where it is not said, none beyond the finest to be told."""
        at = level_asked(self.system, self._level, self.parent, box)
        return at if self._level is not None or finest is None else min(at, finest)

    def compacted(self, ids: list[str], level: int) -> list[str]:
        """Return zones of a level as they are to be listed."""
        return self.system.compact(ids, level) if self.compact else ids

    def page(self, ids: list[str]) -> Response:
        """Return the page of a list that is asked for."""
        return zone_list(self.request, self.system, ids, *self._page)


def _asked(
    request: Request,
    system: SystemPath,
    bbox: BoxText = None,
    bbox_crs: CrsText = None,
    subset: SubsetTexts = None,
    subset_crs: SubsetCrsText = None,
    level: LevelOf = None,
    parent: ParentOf = None,
    compact: CompactOf = True,
    limit: LimitOf = 1000,
    offset: OffsetOf = 0,
    f: ListFormOf = None,
) -> ZonesAsked:
    found = system_of(system)
    upper = None if parent is None else found.read(parent)
    page = (limit, offset, form_of(request, f, dict(LISTS)))
    return ZonesAsked(request, found, upper, compact, (bbox, bbox_crs, subset, subset_crs), level, page)


ZonesAskedOf = Annotated[ZonesAsked, Depends(_asked)]
