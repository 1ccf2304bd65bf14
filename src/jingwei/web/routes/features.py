"""Facts by region and time: as GeoJSON, as Arrow, as points, as density by cell, as vector tiles."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pyarrow as pa
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from jingwei import grid
from jingwei.errors import BadRequestError, NotFoundError
from jingwei.lake import region_around_bounds
from jingwei.lake.errors import NotPublishedError
from jingwei.lake.export import export_dataset
from jingwei.web import answers, problems, stopping
from jingwei.web.at_once import at_once
from jingwei.web.blocks import E7, Blocks
from jingwei.web.policies import allowed
from jingwei.web.questions import Box, Filter, Moment, Polygon, RegionOf, box_of, period_of, region_of_polygon
from jingwei.web.reader import AskerOf, still_asker_of
from jingwei.web.records_out import RecordOut, features_of, records_of
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.datasets import DatasetPath, of_dataset
from jingwei.web.tiles import MAX_ZOOM, Tiles
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.access import Asker
    from jingwei.city import City
    from jingwei.lake import Region, Version
    from jingwei.lake.views import View

router = APIRouter(
    prefix="/datasets/{dataset}", tags=["features"], responses=problems.responses(400, 403, 404, 409)
)

MAX_POINTS = 1_000_000
Role = Annotated[
    str | None, Query(max_length=60, description="Which of the dataset's places; the first by default")
]
Start = Annotated[Moment, Query(alias="from")]
Form = Annotated[Literal["geojson", "json", "arrow"], Query(alias="f", description="Form of the answer")]
Columns = Annotated[str | None, Query(max_length=2000, description="Names of columns, separated by commas")]
After = Annotated[int | None, Query(ge=-1, lt=1 << 62, description="The last fact of the page before")]
Limit = Annotated[int, Query(ge=1, le=10_000)]
BINARY: dict[int | str, dict[str, Any]] = {
    200: {"content": {answers.ARROW: {"schema": {"type": "string", "format": "binary"}}}},
    304: {"description": "The reader holds this answer already"},
}
EITHER: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            answers.GEOJSON: {"schema": {"type": "object"}},
            "application/json": {"schema": {"type": "object"}},
            answers.ARROW: {"schema": {"type": "string", "format": "binary"}},
        }
    },
    304: {"description": "The reader holds this answer already"},
}
TILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {answers.MVT: {"schema": {"type": "string", "format": "binary"}}}},
    304: {"description": "The reader holds this tile already"},
}


FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("text/csv", answers.GEOJSON, "application/octet-stream")
        }
    }
}


class Question(BaseModel):
    """A question whose region is a polygon."""

    model_config = ConfigDict(extra="forbid")

    region: Polygon
    start: str | None = Field(default=None, alias="from", max_length=40)
    to: str | None = Field(default=None, max_length=40)
    where: str | None = Field(default=None, max_length=2000)
    columns: list[str] | None = Field(default=None, max_length=500)
    after: int | None = Field(default=None, ge=-1, lt=1 << 62)
    limit: int = Field(default=1000, ge=1, le=10_000)


def seen_of(city: City, asker: Asker, dataset: str) -> tuple[View, Version]:
    """Return what the asker may see of a dataset, and the version that answers.

    Raises
    ------
    NotPublishedError
        If no version is published.

    """
    found = city.lake.dataset(asker, dataset)
    if found.version is None or found.view is None:
        raise NotPublishedError(dataset, found.state)
    return found.view, found.version


@router.get(
    "/features",
    summary="Facts by region and time",
    response_class=Response,
    responses=EITHER,
    dependencies=[allowed("dataset.read", of_dataset)],
)
async def list_features(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    dataset: DatasetPath,
    region: RegionOf,
    start: Start = None,
    to: Moment = None,
    where: Filter = None,
    columns: Columns = None,
    after: After = None,
    limit: Limit = 1000,
    f: Form = "geojson",
) -> Response:
    """Return facts in order, a page at a time; `after` in the answer leads to the next page."""
    view, version = await at_once(city.records, seen_of, city, asker, dataset)
    etag = answers.etag_of(view.key, "features", version.dataset, version.number, request.url.query)
    if answers.knows(request, etag):
        return answers.not_modified(etag)
    answer = await stopping.run(
        request,
        _features,
        city,
        asker,
        version,
        region,
        period_of(start, to, city.about.zone),
        where,
        columns.split(",") if columns else None,
        after,
        limit,
        f,
    )
    return answers.tagged(answer, etag)


@router.post(
    "/features",
    summary="Facts in a polygon",
    response_class=Response,
    responses=EITHER,
    dependencies=[allowed("dataset.read", of_dataset)],
)
async def ask_features(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    dataset: DatasetPath,
    question: Question,
    f: Form = "geojson",
) -> Response:
    """Return facts whose place lies in the polygon, or whose line or area touches it."""
    _, version = seen_of(city, asker, dataset)
    period = period_of(question.start, question.to, city.about.zone)

    def work() -> Response:
        region = region_of_polygon(question.region)
        return _features(
            city,
            asker,
            version,
            region,
            period,
            question.where,
            question.columns,
            question.after,
            question.limit,
            f,
        )

    return await stopping.run(request, work)


def _features(
    city: City,
    asker: Asker,
    version: Version,
    region: Region | None,
    period: tuple[int, int] | None,
    where: str | None,
    columns: list[str] | None,
    after: int | None,
    limit: int,
    form: str,
) -> Response:
    geometry = version.content.geometry
    if columns is not None and geometry is not None and form != "json":
        columns = [*columns, *([geometry] if geometry not in columns else [])]
    rows = city.lake.query(
        asker,
        version.dataset,
        version=version.number,
        region=region,
        period=period,
        columns=columns,
        where=where,
        after=after,
        limit=limit,
    )
    if form == "arrow":
        answer = answers.arrow_of(rows.table)
        answer.headers["Jingwei-Version"] = str(version.number)
        if rows.after is not None:
            answer.headers["Jingwei-After"] = str(rows.after)
        return answer
    page: dict[str, Any] = {"dataset": version.dataset, "version": version.number, "after": rows.after}
    if form == "json":
        page["records"] = [record.model_dump() for record in records_of(version, rows.table)]
        return Response(json.dumps(page, ensure_ascii=False), media_type="application/json")
    page = {"type": "FeatureCollection", **page, "features": list(features_of(version, rows.table))}
    return Response(json.dumps(page, ensure_ascii=False), media_type=answers.GEOJSON)


@router.get("/features/{fact}", summary="One fact", dependencies=[allowed("dataset.read", of_dataset)])
def read_feature(
    city: CityOf, asker: AskerOf, dataset: DatasetPath, fact: Annotated[int, Path(ge=0, lt=1 << 62)]
) -> RecordOut:
    """Return one fact of the version that answers, with its source file and row."""
    _, version = seen_of(city, asker, dataset)
    rows = city.lake.query(asker, dataset, version=version.number, after=fact - 1, limit=1)
    for record in records_of(version, rows.table):
        if record.fact == fact:
            return record
    raise NotFoundError(
        Text(f"“{dataset}”没有第 {fact} 条记录", f"'{dataset}' has no fact {fact}"),
        where={"dataset": dataset, "fact": fact},
    )


@router.get(
    "/export",
    summary="The whole dataset as a file",
    response_class=FileResponse,
    responses=FILES,
    dependencies=[allowed("dataset.export", of_dataset)],
)
async def export_features(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    dataset: DatasetPath,
    where: Filter = None,
    f: Annotated[
        Literal["csv", "geojson", "parquet", "arrow"], Query(description="Form of the file")
    ] = "csv",
) -> FileResponse:
    """Return what the reader may see of a dataset; texts that a spreadsheet would run are kept from it."""
    folder = tempfile.mkdtemp(prefix="jingwei-export-")
    path = FilePath(folder) / f"{dataset}.{f}"
    clean = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    try:
        await stopping.run(
            request,
            lambda: export_dataset(
                city.lake, asker, dataset, path, form=f, where=where, again=lambda: still_asker_of(request)
            ),
        )
    except BaseException:
        await clean()
        raise
    headers = {"Cache-Control": "no-store"}
    return FileResponse(path, filename=path.name, headers=headers, background=clean)


@router.get(
    "/density",
    summary="Facts per square metre by cell",
    response_class=Response,
    responses=EITHER,
    dependencies=[allowed(("dataset.read", "dataset.count"), of_dataset)],
)
async def read_density(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    dataset: DatasetPath,
    level: Annotated[int, Query(ge=1, le=32, description="GeoSOT level of the cells")],
    bbox: Box = None,
    role: Role = None,
    start: Start = None,
    to: Moment = None,
    where: Filter = None,
    f: Annotated[Literal["arrow", "json"], Query()] = "arrow",
) -> Response:
    """Return the cells that hold facts: code, edges, number of facts and true area of each.

    In Arrow the code is a 64-bit integer and edges are in 1e-7 degree. Whole blocks of cells are returned, so
    some may lie just outside the box.
    """
    view, version = await at_once(city.records, seen_of, city, asker, dataset)
    box = box_of(bbox) if bbox is not None else None
    period = period_of(start, to, city.about.zone)
    etag = answers.etag_of(view.key, "density", version.dataset, version.number, request.url.query)
    if answers.knows(request, etag):
        return answers.not_modified(etag)
    blocks: Blocks = request.app.state.blocks
    asked: dict[str, Any] = {"role": role, "period": period, "where": where}
    if f == "json":
        table = await stopping.run(request, blocks.density, asker, view, version, level, box, **asked)
        return answers.tagged(_cells_as_json(version, level, table), etag)
    kept = blocks.kept_stream(view, version, level, box, **asked)
    if kept is None:
        kept = await stopping.run(request, blocks.stream, asker, view, version, level, box, **asked)
    return answers.tagged(kept.answer(request, answers.ARROW), etag)


def _cells_as_json(version: Version, level: int, table: pa.Table) -> Response:
    cells = [
        {
            "cell": str(grid.from_stored(row["cell"])),
            "bounds": [row[edge] / E7 for edge in ("west", "south", "east", "north")],
            "n": row["n"],
            "area_m2": row["area_m2"],
        }
        for row in table.to_pylist()
    ]
    page = {"dataset": version.dataset, "version": version.number, "level": level, "cells": cells}
    return Response(json.dumps(page), media_type="application/json")


@router.get(
    "/points",
    summary="Places of facts, compact",
    response_class=Response,
    responses=BINARY,
    dependencies=[allowed("dataset.read", of_dataset)],
)
async def read_points(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    dataset: DatasetPath,
    bbox: Box = None,
    role: Role = None,
    start: Start = None,
    to: Moment = None,
    where: Filter = None,
    limit: Annotated[int, Query(ge=1, le=MAX_POINTS)] = MAX_POINTS,
) -> Response:
    """Return an Arrow stream: `lon` and `lat` in 1e-7 degree, `level`, `fact`, and `second` since the first.

    The schema's metadata says whether the answer is `complete`, and the `epoch` of `second`. Where all places
    are of one level, it holds the `level` in the column's stead; where facts count up, the first `fact`.
    """
    view, version = await at_once(city.records, seen_of, city, asker, dataset)
    period = period_of(start, to, city.about.zone)
    etag = answers.etag_of(view.key, "points", version.dataset, version.number, request.url.query)
    if answers.knows(request, etag):
        return answers.not_modified(etag)

    def work() -> Response:
        region = region_around_bounds(*box_of(bbox)) if bbox is not None else None
        table = city.lake.places(
            asker, dataset, role=role, region=region, period=period, where=where, limit=limit + 1
        )
        return answers.arrow_of(_drawn_points(version, table, limit))

    return answers.tagged(await stopping.run(request, work), etag)


def _drawn_points(version: Version, table: pa.Table, limit: int) -> pa.Table:
    """Return places as a page draws them: the middles of their cells."""
    complete = table.num_rows <= limit
    table = table.slice(0, limit)
    levels = table["jw_level"].to_numpy()
    codes = grid.from_stored(table["jw_cell"].to_numpy())
    lon, lat = np.empty(len(codes), np.int32), np.empty(len(codes), np.int32)
    for level in np.unique(levels).tolist():
        here = levels == level
        middle = grid.centre(codes[here], level)
        lon[here], lat[here] = (np.rint(axis * E7).astype(np.int32) for axis in middle)
    facts = table["jw_fact"].to_numpy()
    columns = {"lon": lon, "lat": lat}
    metadata = {"complete": str(complete).lower(), "version": str(version.number)}
    # What is the same for all, or counts up, is said once: a third of the bytes of a large dataset.
    if len(codes) and levels.min() == levels.max():
        metadata["level"] = str(levels[0])
    else:
        columns["level"] = levels
    if len(codes) and facts[-1] - facts[0] == len(facts) - 1 and (np.diff(facts) == 1).all():
        metadata["fact"] = str(facts[0])
    else:
        columns["fact"] = facts.astype(np.uint32)
    if "second" in table.column_names and version.content.period:
        metadata["epoch"] = str(version.content.period[0] // 1_000_000)
        columns["second"] = table["second"].to_numpy()
    return pa.table(columns).replace_schema_metadata(metadata)


def check_tile(z: int, x: int, y: int) -> None:
    """Raise unless there is such a tile.

    Raises
    ------
    BadRequestError
        Where the zoom has fewer columns or rows.

    """
    if x >= 1 << z or y >= 1 << z:
        raise BadRequestError(
            Text(f"第 {z} 级没有瓦片 {x}/{y}", f"Zoom {z} has no tile {x}/{y}"),
            mend=Text(f"行列号为 0 至 {(1 << z) - 1}。", f"Columns and rows go from 0 to {(1 << z) - 1}."),
            where={"z": z, "x": x, "y": y},
        )


@router.get(
    "/tiles/{z}/{x}/{y}",
    summary="Lines and areas as a vector tile",
    response_class=Response,
    responses=TILE,
    dependencies=[allowed("dataset.read", of_dataset)],
)
async def read_vector_tile(
    request: Request,
    city: CityOf,
    asker: AskerOf,
    dataset: DatasetPath,
    z: Annotated[int, Path(ge=0, le=MAX_ZOOM)],
    x: Annotated[int, Path(ge=0, lt=1 << MAX_ZOOM)],
    y: Annotated[int, Path(ge=0, lt=1 << MAX_ZOOM)],
) -> Response:
    """Return a Mapbox Vector Tile: `shapes`, generalised for the zoom, and `labels`, one point an area."""
    check_tile(z, x, y)
    view, version = await at_once(city.records, seen_of, city, asker, dataset)
    return await tile_of(request, asker, view, version, z, x, y)


async def tile_of(
    request: Request, asker: Asker, view: View, version: Version, z: int, x: int, y: int
) -> Response:
    """Return a tile of what an asker may see of a version; names that are read from it are noted."""
    etag = answers.etag_of(view.key, "tile", version.dataset, version.number, z, x, y)
    if answers.knows(request, etag):
        return answers.not_modified(etag)
    tiles: Tiles = request.app.state.tiles
    tile = tiles.kept(view, version, z, x, y)
    if tile is None:
        tile = await stopping.run(request, tiles.make, asker, view, version, z, x, y)
    if tile.body:
        tiles.note_reading(asker, view, version)
    return answers.tagged(tile.answer(request, answers.MVT), etag)
