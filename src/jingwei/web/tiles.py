"""Vector tiles of a dataset's lines and areas, generalised by zoom, kept as long as they are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely

from jingwei.errors import BadRequestError
from jingwei.lake import paged, region_of_bounds
from jingwei.records.recent import Recent
from jingwei.web import mvt
from jingwei.web.answers import Packed
from jingwei.words import Text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from jingwei.access import Asker
    from jingwei.lake import Lake, Rows, Version
    from jingwei.lake.views import View

MAX_ZOOM = 18
HELD_AT_ONCE = 200_000
"""Geometries of a dataset that are kept in memory; larger datasets are asked tile by tile."""

ASKED_PER_TILE = 20_000
PAGE = 50_000
TILES_KEPT = 4_096
TILE_SIDE = 512
"""Pixels of a tile on a page, as MapLibre draws it."""
NAMED_FROM = 24
"""Pixels that an area must be wide or high to bear its name."""
DRAWINGS_KEPT = 8

NOTHING = Packed(b"", None)


class NotDrawableError(BadRequestError):
    """A dataset has no lines or areas."""

    code = "no-geometry"


@dataclass(slots=True)
class Drawing:
    """The geometries of one version on the unit square, and what has been generalised of them by zoom."""

    world: NDArray[Any]
    facts: NDArray[np.int64]
    names: list[str | None]
    anchors: NDArray[Any]
    by_zoom: dict[int, tuple[NDArray[Any], shapely.STRtree]] = field(default_factory=dict)

    def at_zoom(self, z: int) -> tuple[NDArray[Any], shapely.STRtree]:
        """Return the geometries generalised for `z`, and their index."""
        if z not in self.by_zoom:
            shapes = mvt.generalise(self.world, z)
            self.by_zoom[z] = (shapes, shapely.STRtree(shapes))
        return self.by_zoom[z]

    def tile(self, z: int, x: int, y: int) -> bytes:
        """Return a tile: layer `shapes`, and `labels` with a point for each named area centred here.

        An area that is too small to be seen at this zoom has no label: its name would stand for nothing.
        """
        shapes, tree = self.at_zoom(z)
        hit = np.sort(tree.query(shapely.box(*mvt.tile_bounds(z, x, y))))
        names = [self.names[number] for number in hit]
        drawn = mvt.TileLayer("shapes", mvt.to_tile(shapes[hit], z, x, y), self.facts[hit], {"name": names})
        return mvt.encode([drawn, self._labels(hit, z, x, y)])

    def _labels(self, hit: NDArray[np.int64], z: int, x: int, y: int) -> mvt.TileLayer:
        west, north, east, south = mvt.tile_bounds(z, x, y, buffer=0)
        px, py = shapely.get_x(self.anchors[hit]), shapely.get_y(self.anchors[hit])
        named = np.array([self.names[number] is not None for number in hit], bool)
        named &= np.isin(shapely.get_type_id(self.world[hit]), (3, 6))
        west_edge, north_edge, east_edge, south_edge = shapely.bounds(self.world[hit]).T
        side = np.maximum(east_edge - west_edge, south_edge - north_edge)
        named &= side * (TILE_SIDE << z) >= NAMED_FROM
        here = hit[named & (px >= west) & (px < east) & (py >= north) & (py < south)]
        points = mvt.to_tile(self.anchors[here], z, x, y)
        return mvt.TileLayer(
            "labels", points, self.facts[here], {"name": [self.names[number] for number in here]}
        )


class Tiles:
    """The vector tiles of a city."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._drawings: Recent[str, Drawing] = Recent(DRAWINGS_KEPT)
        self._tiles: Recent[tuple[str, int, int, int], Packed] = Recent(TILES_KEPT)

    def kept(self, view: View, version: Version, z: int, x: int, y: int) -> Packed | None:
        """Return a tile that was made before; a tile beyond the dataset is empty.

        Raises
        ------
        NotDrawableError
            The dataset has no lines or areas.

        """
        content = version.content
        if content.geometry is None:
            raise NotDrawableError(
                Text(f"“{version.dataset}”没有线或面", f"'{version.dataset}' has no lines or areas"),
                mend=Text("点和网格请用 points 或 density。", "Ask for its points or its density."),
                where={"dataset": version.dataset},
            )
        if content.bounds is None or not _meets(content.bounds, z, x, y):
            return NOTHING
        return self._tiles.get((view.key, z, x, y))

    def make(self, asker: Asker, view: View, version: Version, z: int, x: int, y: int) -> Packed:
        """Return a tile, made if need be, and keep it."""
        key = (view.key, z, x, y)
        return self._tiles.once(key, lambda: Packed.of(self._make(asker, view, version, z, x, y)))

    def note_reading(self, asker: Asker, view: View, version: Version) -> None:
        """Note that names were read from a tile, where they are personal."""
        self.lake.note_reading(asker, view, [version.content.name] if version.content.name else [], 1)

    def _make(self, asker: Asker, view: View, version: Version, z: int, x: int, y: int) -> bytes:
        if version.content.counts.published <= HELD_AT_ONCE:
            drawing = self._drawings.once(view.key, lambda: self._draw(asker, version))
        else:
            drawing = self._draw_part(asker, version, tile_degrees(z, x, y))
        return drawing.tile(z, x, y)

    def _draw(self, asker: Asker, version: Version) -> Drawing:
        def ask(after: int | None) -> Rows:
            return self.lake.query(
                asker,
                version.dataset,
                version=version.number,
                columns=_columns(version),
                after=after,
                limit=PAGE,
            )

        return _drawing(version, pa.concat_tables([rows.table for rows in paged(ask)]))

    def _draw_part(self, asker: Asker, version: Version, box: tuple[float, float, float, float]) -> Drawing:
        rows = self.lake.query(
            asker,
            version.dataset,
            version=version.number,
            region=region_of_bounds(*box),
            columns=_columns(version),
            limit=ASKED_PER_TILE,
        )
        return _drawing(version, rows.table)


def _columns(version: Version) -> list[str]:
    content = version.content
    return [name for name in (content.geometry, content.name) if name is not None]


def _drawing(version: Version, table: pa.Table) -> Drawing:
    content = version.content
    if not table.num_rows:
        return Drawing(np.empty(0, object), np.empty(0, np.int64), [], np.empty(0, object))
    degrees = shapely.from_wkb(table[content.geometry].to_numpy(), on_invalid="ignore")
    there = ~(shapely.is_missing(degrees) | shapely.is_empty(degrees))
    world = mvt.to_world(degrees[there])
    names = table[content.name].to_pylist() if content.name else [None] * table.num_rows
    return Drawing(
        world,
        table["jw_fact"].to_numpy()[there],
        [None if name is None else str(name) for name, keep in zip(names, there, strict=True) if keep],
        np.asarray(shapely.point_on_surface(world)),
    )


def tile_degrees(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """Return west, south, east, north of a tile in degrees."""
    side = 1 / (1 << z)
    west, east = x * side * 360 - 180, (x + 1) * side * 360 - 180
    north, south = (
        float(np.degrees(2 * np.arctan(np.exp((0.5 - edge * side) * 2 * np.pi)) - np.pi / 2))
        for edge in (y, y + 1)
    )
    return west, south, east, north


def _meets(bounds: tuple[float, float, float, float], z: int, x: int, y: int) -> bool:
    west, south, east, north = tile_degrees(z, x, y)
    margin = (east - west) / 16
    return (
        bounds[0] <= east + margin
        and bounds[2] >= west - margin
        and bounds[1] <= north + margin
        and bounds[3] >= south - margin
    )
