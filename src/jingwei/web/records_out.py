"""Records of a dataset as they travel: own columns, place, time and source; GeoJSON and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import shapely
from pydantic import BaseModel, Field

from jingwei import grid
from jingwei.web.answers import value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from jingwei.lake import Version

MEASURED = 29
"""From this level on (about 12 cm) a place is drawn as a point; a coarser one as its cell."""

DIGITS = 7


class PlaceOut(BaseModel):
    """Where a fact is."""

    role: str = Field(description="Which of the dataset's places; empty for the only one")
    cell: str = Field(description="GeoSOT code")
    beidou: str | None = Field(description="BeiDou code of the same cell, where there is one")
    stored: str = Field(description="The 64-bit code as stored")
    level: int
    lon: float
    lat: float


class TimeOut(BaseModel):
    """When a fact is true, never finer than it is known."""

    start: str
    end: str | None
    precision: str


class SourceOut(BaseModel):
    """Where a fact was read: file, layer and row of the version."""

    version: int
    file: str
    layer: str
    row: int


class RecordOut(BaseModel):
    """One fact with its address, its source and its department's own values."""

    fact: int = Field(description="Number of the fact within its version")
    object: str | None = Field(default=None, description="Identifier of the object that it is about")
    name: str | None
    relation: Literal["within", "crosses", "around"] | None = Field(
        default=None, description="How it concerns the cell that was asked about"
    )
    places: list[PlaceOut]
    time: TimeOut | None
    source: SourceOut | None
    values: dict[str, Any]


def records_of(version: Version, table: pa.Table) -> Iterator[RecordOut]:
    """Yield the rows of a table that the container answered."""
    content = version.content
    own = [column.name for column in content.columns if column.name != content.geometry]
    own = [name for name in own if name in table.column_names]
    for row in table.to_pylist():
        yield RecordOut(
            fact=row["jw_fact"],
            object=row.get("jw_object"),
            name=None if content.name is None or row.get(content.name) is None else str(row[content.name]),
            relation=row.get("jw_relation"),
            places=list(_places(version, row)),
            time=_time(row),
            source=_source(version, row),
            values={name: value_of(row[name]) for name in own},
        )


def _places(version: Version, row: dict[str, Any]) -> Iterator[PlaceOut]:
    for place in version.content.places:
        stored, level = row.get(place.cell), row.get(place.level)
        if stored is None or level is None:
            continue
        cell = grid.Cell(grid.from_stored(stored), level)
        lon, lat = cell.centre
        yield PlaceOut(
            role=place.role,
            cell=cell.geosot,
            beidou=cell.beidou,
            stored=str(stored),
            level=level,
            lon=round(lon, DIGITS),
            lat=round(lat, DIGITS),
        )


def _time(row: dict[str, Any]) -> TimeOut | None:
    if row.get("jw_time") is None:
        return None
    end = row.get("jw_time_end")
    return TimeOut(
        start=value_of(row["jw_time"]),
        end=None if end is None else value_of(end),
        precision=row.get("jw_time_precision") or "second",
    )


def _source(version: Version, row: dict[str, Any]) -> SourceOut | None:
    number = row.get("jw_source")
    sources = version.content.sources
    if number is None or not 0 <= number < len(sources):
        return None
    file = sources[number]
    return SourceOut(version=version.number, file=file.path, layer=file.layer, row=row["jw_row"])


def features_of(version: Version, table: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table as GeoJSON features (RFC 7946)."""
    geometry = version.content.geometry
    shapes = table[geometry].to_pylist() if geometry and geometry in table.column_names else None
    for number, record in enumerate(records_of(version, table)):
        drawn = _geometry(shapes[number]) if shapes else _geometry_of_place(record.places)
        about = record.model_dump(exclude={"values", "fact"}, exclude_none=True)
        yield {
            "type": "Feature",
            "id": record.fact,
            "geometry": drawn,
            "properties": {**record.values, "jw": about},
        }


def _geometry(wkb: bytes | None) -> dict[str, Any] | None:
    return None if wkb is None else geometry_of(shapely.from_wkb(wkb, on_invalid="ignore"))


def geometry_of(shape: Any) -> dict[str, Any] | None:
    """Return a shapely geometry in degrees as GeoJSON, to 1e-7 degree."""
    if shape is None or shape.is_empty:
        return None
    rounded = shapely.transform(shape, lambda points: points.round(DIGITS))
    found: dict[str, Any] = json.loads(shapely.to_geojson(rounded))
    return found


def _geometry_of_place(places: list[PlaceOut]) -> dict[str, Any] | None:
    if not places:
        return None
    first = places[0]
    if first.level >= MEASURED:
        return {"type": "Point", "coordinates": [first.lon, first.lat]}
    return geometry_of(shapely.box(*grid.parse_geosot(first.cell).bounds))
