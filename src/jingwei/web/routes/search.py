"""Search by code, by coordinates or by name."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from jingwei import grid
from jingwei.errors import NotFoundError
from jingwei.grid import GridError
from jingwei.web import problems, stopping
from jingwei.web.policies import filtered
from jingwei.web.reader import AskerOf
from jingwei.web.reading import NoPlaceError, read_place
from jingwei.web.routes.city import CityOf
from jingwei.web.texts import TextOut, text_out

router = APIRouter(prefix="/search", tags=["search"], responses=problems.responses(400))


ADDRESS = re.compile(r"[路街巷道村弄].*\d|\d+\s*(?:号|栋|幢|座)")
LEVELS = {"building": 21, "gate": 20, "compound": 19, "road": 17, "street": 15, "district": 14}
"""Level of the cell that is shown for an address known so precisely."""


class Hit(BaseModel):
    """A place that was found."""

    kind: Literal["code", "coordinate", "name", "address"]
    title: str
    code: str | None = Field(description="The cell of the place, if it has one")
    bounds: tuple[float, float, float, float] | None
    centre: tuple[float, float] | None
    dataset: str | None = None
    dataset_title: TextOut | None = None
    fact: int | None = None
    facts: int | None = Field(default=None, description="How many facts bear this name")


class HitPage(BaseModel):
    """What a search found, best first."""

    hits: list[Hit]


@router.get("", summary="Find a place by code, coordinates or name", dependencies=[filtered("dataset.read")])
async def search(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    q: Annotated[str, Query(min_length=1, max_length=120)],
    limit: Annotated[int, Query(ge=1, le=50)] = 12,
) -> HitPage:
    """Return the cell of a code or of coordinates, and the facts whose name holds the text."""
    hits = _place_hit(q)
    if not hits:
        found = await stopping.run(request, city.lake.search, asker, q, limit=limit)
        for named in found:
            placed = named.cell is not None and named.level is not None
            cell = grid.Cell(grid.from_stored(named.cell), named.level or 0) if placed else None
            hits.append(
                Hit(
                    kind="name",
                    title=named.name,
                    code=cell.geosot if cell else None,
                    bounds=cell.bounds if cell else None,
                    centre=cell.centre if cell else None,
                    dataset=named.dataset.id,
                    dataset_title=text_out(named.dataset.title),
                    fact=named.fact,
                    facts=named.facts,
                )
            )
    if not hits and ADDRESS.search(q):
        hits = await run_in_threadpool(_address_hits, request, asker, q)
    return HitPage(hits=hits)


def _address_hits(request: Request, asker: AskerOf, text: str) -> list[Hit]:
    """Return where an address is, as far as the city's table of addresses tells."""
    try:
        found = request.app.state.geocoder.find(asker, [text]).found[0]
    except NotFoundError:
        return []
    if found.lon is None or found.lat is None:
        return []
    cell = grid.Cell.at(found.lon, found.lat, LEVELS[found.precision])
    centre = (found.lon, found.lat)
    return [Hit(kind="address", title=found.address, code=cell.geosot, bounds=cell.bounds, centre=centre)]


def _place_hit(text: str) -> list[Hit]:
    """Return the hit of a code or of a pair of coordinates; a text that is neither has none."""
    try:
        place = read_place(text)
    except (NoPlaceError, GridError):
        return []
    cell = place.cell
    code = cell.geosot if isinstance(cell, grid.Cell) else cell.text
    kind: Literal["code", "coordinate"] = "coordinate" if place.read_as == "coordinate" else "code"
    return [Hit(kind=kind, title=text.strip(), code=code, bounds=cell.bounds, centre=cell.centre)]
