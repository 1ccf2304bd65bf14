"""What a question about a dataset may carry: a region, a period, a filter; each read in one place."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import shapely
from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from jingwei.errors import BadRequestError
from jingwei.grid import Cell
from jingwei.lake import Region, region_of_bounds, region_of_cell, region_of_geometry
from jingwei.web.reading import read_place
from jingwei.words import Text

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

MAX_GEOJSON_DEPTH = 6

DatasetId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Box = Annotated[
    str | None,
    Query(
        max_length=120,
        description="West, south, east, north in degrees, CGCS2000/WGS84",
        examples=["114.0,22.5,114.1,22.6"],
    ),
]
CellCode = Annotated[
    str | None,
    Query(
        max_length=60, description="A BeiDou or GeoSOT code", examples=["N50F0503278214", "G001130230-200011"]
    ),
]
Moment = Annotated[
    str | None,
    Query(max_length=40, description="ISO 8601; a day or an instant without a zone is in the city's zone"),
]
Filter = Annotated[
    str | None,
    Query(
        max_length=2000,
        description="Comparisons of the dataset's columns with values, joined by AND, OR and NOT",
        examples=["price > 50 AND line LIKE '6%'"],
    ),
]


class BadBoxError(BadRequestError):
    """A box is not four numbers."""

    code = "bad-box"


class BadTimeError(BadRequestError):
    """A time cannot be read, or a period ends before it begins."""

    code = "bad-time"


class BadPolygonError(BadRequestError):
    """A region is not a GeoJSON polygon."""

    code = "bad-polygon"


class Polygon(BaseModel):
    """A region as a GeoJSON polygon or multipolygon (RFC 7946)."""

    model_config = ConfigDict(extra="ignore")

    type: Annotated[str, Field(pattern="^(Polygon|MultiPolygon)$")]
    coordinates: list[Any]


def box_of(text: str) -> tuple[float, float, float, float]:
    """Return the numbers of `west,south,east,north`, in degrees.

    Raises
    ------
    BadBoxError
        They are not four numbers in order.

    """
    parts = text.split(",")
    try:
        west, south, east, north = (float(part) for part in parts)
    except ValueError:
        west = east = south = north = float("nan")
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise BadBoxError(
            Text("bbox 应为四个数：西,南,东,北", "A bbox is four numbers: west, south, east, north"),
            mend=Text("例如 114.0,22.5,114.1,22.6", "For example 114.0,22.5,114.1,22.6"),
            where={"bbox": text},
        )
    return west, south, east, north


def region_of_polygon(polygon: Polygon) -> Region:
    """Return the region of a GeoJSON polygon.

    Raises
    ------
    BadPolygonError
        If its coordinates are not those of a polygon.

    """
    try:
        outline = shapely.from_geojson(json.dumps(polygon.model_dump()))
    except (shapely.errors.GEOSException, ValueError, TypeError):
        raise BadPolygonError(
            Text("coordinates 不是多边形的坐标", "The coordinates are not those of a polygon"),
            mend=Text(
                "请按 RFC 7946 书写：由闭合的环组成，每点为 [经度, 纬度]。",
                "Write it by RFC 7946: closed rings of [longitude, latitude].",
            ),
        ) from None
    return region_of_geometry(outline)


def region_of(bbox: Box = None, cell: CellCode = None) -> Region | None:
    """Return the region that a request asks about, if it names one."""
    if cell is not None:
        place = read_place(cell).cell
        return region_of_cell(place) if isinstance(place, Cell) else region_of_bounds(*place.bounds)
    return region_of_bounds(*box_of(bbox)) if bbox is not None else None


def moment_of(text: str, zone: ZoneInfo) -> tuple[int, int]:
    """Return the UTC microseconds at which a day or an instant begins, and at which the next one does."""
    try:
        read = datetime.fromisoformat(text)
        if read.tzinfo is None:
            read = read.replace(tzinfo=zone)
        start = read.astimezone(UTC)
        whole_day = len(text) <= 10 and read.time() == time()
        following = (
            (read + timedelta(days=1)).astimezone(UTC) if whole_day else start + timedelta(microseconds=1)
        )
    except (ValueError, OverflowError):
        raise BadTimeError(
            Text(f"读不出时间“{text}”", f"The time '{text}' cannot be read"),
            mend=Text(
                "请写作 2026-01-31 或 2026-01-31T08:00:00+08:00。",
                "Write 2026-01-31 or 2026-01-31T08:00:00+08:00.",
            ),
            where={"time": text},
        ) from None
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    micro = timedelta(microseconds=1)
    return (start - epoch) // micro, (following - epoch) // micro


def period_of(start: str | None, end: str | None, zone: ZoneInfo) -> tuple[int, int] | None:
    """Return a period in UTC microseconds, `[from, to)`; a day as its end is included whole."""
    if start is None and end is None:
        return None
    low = moment_of(start, zone)[0] if start is not None else -(1 << 55)
    high = moment_of(end, zone)[1] if end is not None else 1 << 55
    if low >= high:
        raise BadTimeError(
            Text("结束早于开始", "The period ends before it begins"), where={"from": start, "to": end}
        )
    return low, high


RegionOf = Annotated[Region | None, Depends(region_of)]
