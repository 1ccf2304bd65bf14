"""The grid in pandas and GeoPandas: importing this module gives frames and columns the accessor `grid`.

`frame.grid.encode(23, lon="lng", lat="lat")` is a column of stored cells, and `geoframe.grid.encode(23)`
takes the points of its geometry. `frame["jw_cell"].grid.beidou(23)`, `.geosot(23)`, `.parent(23, 19)`,
`.bounds(23)`, `.centre(23)`, `.area_m2(23)`, `.boxes(23)` and `.isin(cover)` go on from there;
`geoframe.grid.cover(19)` gives one row for each cell of each geometry. What is null or no cell is missing in
the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from jingwei.grid import columns

if TYPE_CHECKING:
    import geopandas

    from jingwei.grid.areas import Cover


def _series(values: Any, null: Any, index: Any, name: str) -> pd.Series:
    if values.dtype.kind == "S":
        return pd.Series(values.astype(str), index=index, name=name, dtype="string").mask(null)
    if values.dtype.kind in "iu":
        return pd.Series(pd.arrays.IntegerArray(values, null), index=index, name=name)
    return pd.Series(np.where(null, np.nan, values), index=index, name=name)


@pd.api.extensions.register_dataframe_accessor("grid")
class GridFrame:
    """What the grid can say of a frame of points or geometries."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def _points(self, lon: str | None, lat: str | None) -> tuple[Any, Any]:
        if lon is not None and lat is not None:
            return self._frame[lon], self._frame[lat]
        geometry = _in_degrees(self._frame)
        return geometry.x, geometry.y

    def encode(self, level: Any, *, lon: str | None = None, lat: str | None = None) -> pd.Series:
        """Return the stored cells of points, from two columns in degrees or from the frame's geometry."""
        cells = columns.encode(*self._points(lon, lat), level)
        return _series(*cells, self._frame.index, "jw_cell")

    def beidou(self, level: Any, *, lon: str | None = None, lat: str | None = None) -> pd.Series:
        """Return the BeiDou codes of points, from two columns in degrees or from the frame's geometry."""
        found = columns.beidou_of_points(*self._points(lon, lat), level)
        return _series(*found, self._frame.index, "beidou")

    def cover(self, level: int | None = None, **options: Any) -> pd.DataFrame:
        """Return `jw_cell` and `jw_level` of each cell of each geometry, under the geometry's index.

        Options are those of `areas.cover`.
        """
        from jingwei.grid.areas import cover

        geometry = _in_degrees(self._frame)
        found = [cover(shape, level=level, **options).cells() for shape in geometry]
        index = geometry.index.repeat([len(cells) for cells, _ in found])
        cells = np.concatenate([cells for cells, _ in found] or [np.empty(0, np.uint64)])
        levels = np.concatenate([levels for _, levels in found] or [np.empty(0, np.uint8)])
        return pd.DataFrame({"jw_cell": cells.view(np.int64), "jw_level": levels}, index=index)


def _in_degrees(frame: Any) -> geopandas.GeoSeries:
    """Return a frame's geometry in degrees (EPSG:4490, CGCS2000); without a system, as it is."""
    geometry = frame.geometry
    return geometry if geometry.crs is None or geometry.crs.is_geographic else geometry.to_crs(4490)


@pd.api.extensions.register_series_accessor("grid")
class GridSeries:
    """What the grid can say of a column of stored cells, or of texts."""

    def __init__(self, series: pd.Series) -> None:
        self._series = series

    def beidou(self, level: Any) -> pd.Series:
        """Return the BeiDou codes of cells."""
        return _series(*columns.beidou_of_cells(self._series, level), self._series.index, "beidou")

    def geosot(self, level: Any) -> pd.Series:
        """Return the quaternary texts of cells."""
        return _series(*columns.geosot_of_cells(self._series, level), self._series.index, "geosot")

    def parent(self, level: Any, to_level: int) -> pd.Series:
        """Return the stored ancestors of cells at a coarser level."""
        return _series(*columns.parents(self._series, level, to_level), self._series.index, "jw_cell")

    def area_m2(self, level: Any) -> pd.Series:
        """Return the true areas of cells in m2."""
        return _series(*columns.areas(self._series, level), self._series.index, "area_m2")

    def bounds(self, level: Any) -> pd.DataFrame:
        """Return west, south, east and north of cells in degrees."""
        edges, null = columns.bounds(self._series, level)
        edges = np.where(null[:, None], np.nan, edges)
        return pd.DataFrame(edges, index=self._series.index, columns=["west", "south", "east", "north"])

    def centre(self, level: Any) -> pd.DataFrame:
        """Return longitude and latitude of the middles of cells."""
        middles, null = columns.centres(self._series, level)
        middles = np.where(null[:, None], np.nan, middles)
        return pd.DataFrame(middles, index=self._series.index, columns=["lon", "lat"])

    def boxes(self, level: Any) -> geopandas.GeoSeries:
        """Return the rectangles of cells (EPSG:4490); None where there is no cell."""
        import geopandas
        import shapely

        edges, null = columns.bounds(self._series, level)
        shapes = shapely.box(*np.where(null, 0.0, edges.T))
        shapes[null] = None
        return geopandas.GeoSeries(shapes, index=self._series.index, crs=4490)

    def isin(self, cover: Cover) -> pd.Series:
        """Say which cells (or points' cells) begin in a cover."""
        return pd.Series(cover.contains(self._series), index=self._series.index)

    def parse(self) -> pd.DataFrame:
        """Return `jw_cell` and `jw_level` of texts of either standard."""
        stored, level, bad = columns.parse(self._series)
        index = self._series.index
        return pd.DataFrame(
            {
                "jw_cell": _series(stored, bad, index, "jw_cell"),
                "jw_level": _series(level, bad, index, "jw_level"),
            }
        )
