"""Geometry as the covers need it: pieces between -180 and 180 degrees, their edges in signed ticks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from jingwei.grid.errors import MalformedCoordinate, OutOfRange
from jingwei.grid.levels import TICKS_PER_DEGREE
from jingwei.grid.ticks import SNAP

Crossing = Literal["short", "planar"]


@dataclass(frozen=True, slots=True)
class Edges:
    """Straight edges in signed ticks, from (ax, ay) to (bx, by)."""

    ax: NDArray[np.float64]
    ay: NDArray[np.float64]
    bx: NDArray[np.float64]
    by: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ax)


def geometry_of(area: Any) -> BaseGeometry:
    """Return a Shapely geometry of a geometry, WKB, WKT, GeoJSON, or (west, south, east, north).

    Raises
    ------
    MalformedCoordinate
        It is none of these, or has coordinates that are not finite.
    """
    try:
        geometry = _read(area)
    except (shapely.errors.ShapelyError, ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, MalformedCoordinate):
            raise
        raise MalformedCoordinate(f"this is no geometry and no bounding box: {error}") from error
    if not np.isfinite(shapely.get_coordinates(geometry)).all():
        raise MalformedCoordinate("the geometry has coordinates that are not finite numbers")
    return geometry


def _read(area: Any) -> BaseGeometry:
    if isinstance(area, BaseGeometry):
        return area
    if isinstance(area, bytes | bytearray | memoryview):
        return shapely.from_wkb(bytes(area))
    if isinstance(area, str):
        return shapely.from_geojson(area) if area.lstrip().startswith("{") else shapely.from_wkt(area)
    if isinstance(area, Mapping):
        return shapely.from_geojson(json.dumps(area))
    if hasattr(area, "__geo_interface__"):
        return shapely.from_geojson(json.dumps(area.__geo_interface__))
    west, south, east, north = (float(value) for value in area)
    if not (
        np.isfinite([west, south, east, north]).all()
        and south <= north
        and abs(west) <= 180
        and abs(east) <= 180
    ):
        raise MalformedCoordinate(
            "a bounding box is west, south, east, north in degrees, with south <= north and longitudes to 180"
        )
    east = east + 360 if east < west else east
    if west == east or south == north:
        point = west == east and south == north
        return shapely.Point(west, south) if point else shapely.LineString([(west, south), (east, north)])
    return shapely.box(west, south, east, north)


def pieces_of(geometry: BaseGeometry, crossing: Crossing) -> Iterator[BaseGeometry]:
    """Yield the simple parts of a geometry, cut at 180 degrees and brought between -180 and 180.

    Raises
    ------
    OutOfRange
        It goes round a pole, or beyond 540 degrees of longitude or 90 of latitude.
    """
    _, south, _, north = geometry.bounds
    if max(north, -south) > 90:
        raise OutOfRange("the geometry reaches beyond 90 degrees of latitude")
    for part in _simple_parts(geometry):
        whole = _unwrapped(part) if crossing == "short" else part
        west, _, east, _ = whole.bounds
        if west < -540 or east > 540:
            raise OutOfRange("the longitudes of a geometry lie between -540 and 540 degrees")
        if west >= -180 and east <= 180:
            yield whole
            continue
        for turn in (-360, 0, 360):
            window = shapely.intersection(whole, shapely.box(-180 + turn, -90, 180 + turn, 90))
            for piece in _simple_parts(window):
                if shapely.get_dimensions(piece) == shapely.get_dimensions(whole):
                    yield shapely.transform(piece, _shifted(-turn))


def _shifted(turn: float) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    return lambda xy: xy + np.array([turn, 0.0])


def _simple_parts(geometry: BaseGeometry) -> list[BaseGeometry]:
    """Return the points, lines and polygons of a geometry, however deep its collections."""
    parts = list(shapely.get_parts(geometry))
    if len(parts) == 1 and not hasattr(parts[0], "geoms"):
        return [part for part in parts if not part.is_empty]
    return [simple for part in parts for simple in _simple_parts(part)]


def _unwrapped(part: BaseGeometry) -> BaseGeometry:
    """Return a part whose edges over 180 degrees of longitude go the short way, over the 180th meridian.

    An edge of exactly 360 degrees is a parallel all the way round and stays.
    """
    coordinates = shapely.get_coordinates(part)
    if np.ptp(coordinates[:, 0], axis=0) <= 180 or shapely.get_dimensions(part) == 0:
        return part
    if shapely.get_type_id(part) == shapely.GeometryType.POLYGON:
        shell, *holes = (_unwrapped_line(ring) for ring in shapely.get_rings(part))
        if shell[0, 0] != shell[-1, 0]:
            raise OutOfRange("the ring goes round a pole: cut it at 180 degrees")
        middle = (shell[:, 0].min() + shell[:, 0].max()) / 2
        for hole in holes:
            hole[:, 0] += 360 * np.round((middle - hole[:, 0].mean()) / 360)
        return shapely.Polygon(shell, holes)
    return shapely.LineString(_unwrapped_line(part))


def _unwrapped_line(line: BaseGeometry) -> NDArray[np.float64]:
    coordinates: NDArray[np.float64] = shapely.get_coordinates(line).copy()
    step = np.diff(coordinates[:, 0])
    turns = np.where((np.abs(step) > 180) & (np.abs(step) < 360), -360.0 * np.sign(step), 0.0)
    coordinates[1:, 0] += np.cumsum(turns)
    return coordinates


def ticks_of(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return coordinates in ticks, those within the snap of a whole tick as whole numbers."""
    ticks = degrees * TICKS_PER_DEGREE
    whole = np.rint(ticks)
    snapped: NDArray[np.float64] = np.where(np.abs(ticks - whole) <= SNAP, whole, ticks)
    return snapped


def edges_of(piece: BaseGeometry) -> Edges:
    """Return the edges of a line or of all rings of a polygon, those of no length left out."""
    lines = shapely.get_rings(piece) if shapely.get_dimensions(piece) == 2 else piece
    coordinates, owner = shapely.get_coordinates(lines, return_index=True)
    ticks = ticks_of(coordinates)
    a, b = ticks[:-1], ticks[1:]
    keep = (owner[:-1] == owner[1:]) & ((a[:, 0] != b[:, 0]) | (a[:, 1] != b[:, 1]))
    return Edges(*(np.ascontiguousarray(v) for v in (a[keep, 0], a[keep, 1], b[keep, 0], b[keep, 1])))
