"""Everything in one cell."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from jingwei.grid import Cell
from jingwei.lake import region_of_bounds
from jingwei.web import problems, stopping
from jingwei.web.explain import Explanation, explain
from jingwei.web.policies import filtered
from jingwei.web.reader import AskerOf, LanguageOf
from jingwei.web.reading import read_place
from jingwei.web.records_out import RecordOut, records_of
from jingwei.web.routes.city import CityOf
from jingwei.web.texts import TextOut, text_out

router = APIRouter(prefix="/cells", tags=["cells"], responses=problems.responses(400))


class Group(BaseModel):
    """What one dataset has in a cell."""

    dataset: str
    title: TextOut
    owner: str
    version: int
    total: int
    around: int = Field(description="How many of them are only known to lie in a larger cell around this one")
    records: list[RecordOut] = Field(description="The first of them, those around last")


class CellOut(BaseModel):
    """A cell and everything in it."""

    cell: Explanation
    groups: list[Group]
    total: int = Field(description="Records that concern the cell, over all datasets")
    around: int = Field(description="How many of them are only known to lie in a larger cell around this one")


@router.get(
    "/{code}",
    summary="Everything in a cell, of all datasets",
    dependencies=[filtered("dataset.read")],
)
async def read_cell(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    language: LanguageOf,
    code: Annotated[
        str, Path(max_length=60, description="A BeiDou or GeoSOT code", examples=["N50F0503278214"])
    ],
    limit: Annotated[int, Query(ge=1, le=500, description="Records of each dataset")] = 20,
) -> CellOut:
    """Return the codes, bounds and size of a cell, and its records by dataset with the source of each.

    Lines and areas that merely cross the cell are there too, and facts that are only known to be around it.
    """
    place = read_place(code)

    def work() -> CellOut:
        cell = place.cell
        found = (
            city.lake.at(asker, cell, limit=limit)
            if isinstance(cell, Cell)
            else city.lake.inside(asker, region_of_bounds(*cell.bounds), limit=limit)
        )
        groups = [
            Group(
                dataset=dataset.id,
                title=text_out(dataset.title),
                owner=dataset.owner,
                version=rows.version.number,
                total=rows.total or rows.table.num_rows,
                around=rows.around,
                records=list(records_of(rows.version, rows.table)),
            )
            for dataset, rows in found
        ]
        return CellOut(
            cell=explain(place, language),
            groups=groups,
            total=sum(group.total for group in groups),
            around=sum(group.around for group in groups),
        )

    return await stopping.run(request, work)
