"""A city in Python: ask it, and go on in Arrow, pandas, Polars or GeoPandas.

`import jingwei; city = jingwei.open(path)`. Every question passes the policies as the person at this machine,
or as whom it is asked for; personal fields are noted in the log as anywhere else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import pyarrow as pa
import shapely

from jingwei import grid
from jingwei.access import Asker, local_person
from jingwei.city import City, open_city
from jingwei.city.errors import NoCityError
from jingwei.errors import BadRequestError
from jingwei.lake import Region, Rows, Version, paged, region_of_bounds, region_of_cell, region_of_geometry
from jingwei.lake.errors import BadRegionError
from jingwei.lake.linking import Alike, Condition, Equal, Inside, Pairs, SameCell, SameTime, Within
from jingwei.lake.linking import link as link_tables
from jingwei.lake.stamping import stamp_of, stamped, stamps_of
from jingwei.words import Text

if TYPE_CHECKING:
    from types import TracebackType

    import geopandas
    import pandas as pd
    import polars as pl

PAGE = 100_000
"""Rows that are fetched at a time."""
POINT_LEVEL = 19
"""Level of the cell that a coordinate stands for: 4 arc-seconds, about 120 m."""

Moment: TypeAlias = datetime | date | str
Place: TypeAlias = "str | grid.Cell | tuple[float, float]"


class ArgumentError(BadRequestError):
    """An argument is not what it stands for."""

    code = "argument"

    def __init__(self, name: str, value: object, what: Text) -> None:
        super().__init__(
            Text(f"{name} {what.zh}，不能是 {value!r:.80}。", f"{name} {what.en}, not {value!r:.80}."),
            where={"argument": name},
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of one dataset, with the version that answered. Any Arrow reader takes it as it is."""

    dataset: str
    version: Version
    table: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Hand the rows over without copying (the Arrow PyCapsule interface)."""
        return self.table.__arrow_c_stream__(requested_schema)

    def arrow(self) -> pa.Table:
        """Return an Arrow table."""
        return self.table

    def pandas(self) -> pd.DataFrame:
        """Return a pandas frame; pandas must be installed."""
        return self.table.to_pandas()

    def polars(self) -> pl.DataFrame:
        """Return a Polars frame; Polars must be installed."""
        import polars as pl

        return pl.DataFrame(self.table)

    def geopandas(self) -> geopandas.GeoDataFrame:
        """Return a GeoPandas frame (EPSG:4326) of lines and areas, or of the middles of cells."""
        import geopandas

        frame = self.pandas()
        return geopandas.GeoDataFrame(frame, geometry=self.shapes(), crs="EPSG:4326")

    def shapes(self) -> Any:
        """Return shapely geometries (WGS84), one for each row; missing where there is no place."""
        column = self.version.content.geometry
        if column is not None and column in self.table.column_names:
            return shapely.from_wkb(self.table[column].to_numpy())
        lon, lat = self.coordinates()
        points = shapely.points(np.nan_to_num(lon), np.nan_to_num(lat))
        points[np.isnan(lon)] = None
        return points

    def coordinates(self) -> tuple[Any, Any]:
        """Return longitude and latitude (WGS84 degrees) of the middles of the cells; NaN without a place."""
        places = self.version.content.places
        rows = self.table.num_rows
        lon, lat = np.full(rows, np.nan), np.full(rows, np.nan)
        if not places or places[0].cell not in self.table.column_names:
            return lon, lat
        cells = self.table[places[0].cell]
        levels = self.table[places[0].level].fill_null(0).to_numpy()
        codes = np.asarray(grid.from_stored(cells.fill_null(0).to_numpy()), np.uint64)
        for level in np.unique(levels[levels > 0]).tolist():
            mine = levels == level
            lon[mine], lat[mine] = grid.centre(codes[mine], int(level))
        return lon, lat


class OpenedCity:
    """A city that is open in Python. Close it, or use it as a context manager."""

    def __init__(self, city: City, asker: Asker) -> None:
        self.city = city
        self.asker = asker

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<city {self.city.about.id} at {self.city.home}>"

    def close(self) -> None:
        """Let go of the city's files."""
        self.city.close()

    @property
    def datasets(self) -> dict[str, Text]:
        """The datasets that there are, with their titles."""
        return {one.id: one.title for one in self.city.lake.datasets(self.asker)}

    def at(self, place: Place, *, level: int | None = None, limit: int = 1_000) -> Mapping[str, Answer]:
        """Return everything at a place, by dataset.

        Parameters
        ----------
        place
            A grid code in any form, a cell, or (longitude, latitude) in WGS84 degrees.
        level
            GeoSOT level of the cell, for a coordinate or a coarser look.
        limit
            Rows of each dataset.

        """
        found = self.city.lake.at(self.asker, _cell(place, level), limit=_limit(limit))
        return {dataset.id: Answer(dataset.id, rows.version, rows.table) for dataset, rows in found}

    def query(
        self,
        dataset: str,
        *,
        within: Any = None,
        since: Moment | None = None,
        until: Moment | None = None,
        where: str | None = None,
        columns: Sequence[str] | None = None,
        version: int | None = None,
        limit: int | None = None,
    ) -> Answer:
        """Return rows of a dataset.

        Parameters
        ----------
        dataset
            Its identifier.
        within
            A grid code or cell, (west, south, east, north) in degrees (as `total_bounds` of GeoPandas), or a
            shapely geometry; WGS84.
        since, until
            Facts whose time meets `[since, until)`; a day begins at midnight, without a zone in that of the
            city.
        where
            A filter on the department's columns: `"price > 50 AND line LIKE '6%'"`.
        columns
            Of the department's columns; all by default. Address columns always come along.
        version
            An earlier version; the one in force by default.
        limit
            Rows at most; all by default.

        Raises
        ------
        UnknownDatasetError, NotPublishedError, RefusedError, BadFilterError
            As the container does.
        ArgumentError
            If an argument is none.

        """
        region, period = _region(within), self._period(since, until)
        if isinstance(columns, str):
            raise ArgumentError("columns", columns, Text("应为列名的列表", "is a list of names"))
        limit = None if limit is None else _limit(limit)
        pages: list[Rows] = []
        found = 0

        def page(after: int | None) -> Rows:
            return self.city.lake.query(
                self.asker,
                dataset,
                version=version,
                region=region,
                period=period,
                columns=columns,
                where=where,
                after=after,
                limit=PAGE if limit is None else max(1, min(PAGE, limit - found)),
            )

        for rows in paged(page):
            version = rows.version.number  # the pages of one answer are of one version
            pages.append(rows)
            found += rows.table.num_rows
            if limit is not None and found >= limit:
                break
        table = pa.concat_tables([rows.table for rows in pages])
        answered = pages[0].version
        schema = stamped(table.schema, [stamp_of(answered)])
        return Answer(dataset, answered, table.replace_schema_metadata(schema.metadata))

    def _period(self, since: Moment | None, until: Moment | None) -> tuple[int, int] | None:
        if since is None and until is None:
            return None
        return (
            self._micro("since", since) if since is not None else -(2**62),
            self._micro("until", until) if until is not None else 2**62,
        )

    def _micro(self, name: str, moment: Moment) -> int:
        try:
            read = moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment))
        except ValueError:
            raise ArgumentError(
                name, moment, Text("应为时间，如 2026-09-01T08:00", "is a time such as 2026-09-01T08:00")
            ) from None
        aware = read if read.tzinfo else read.replace(tzinfo=self.city.about.zone)
        return round((aware - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1_000_000)

    def link(
        self,
        left: str | Answer | pa.Table,
        right: str | Answer | pa.Table,
        by: Sequence[Condition],
        *,
        pairs: Pairs = "best",
    ) -> pa.Table:
        """Link two datasets (or answers) that share no key; see `jingwei.lake.linking.link`.

        Returns
        -------
        pyarrow.Table
            `left`, `right` (which rows of the two answers, counted from 0: `answer.arrow().take(...)`; for
            names of datasets those of `query(name)`), `score`, and what explains it. It is stamped with
            what both were read from, so that a Parquet file of it says so when it is loaded as a dataset.

        """
        tables = self._table(left), self._table(right)
        found = link_tables(*tables, by, pairs=pairs)
        stamps = [stamp for table in tables for stamp in stamps_of(table.schema)]
        return found.replace_schema_metadata(stamped(found.schema, stamps).metadata)

    def _table(self, data: str | Answer | pa.Table) -> pa.Table:
        if isinstance(data, str):
            return self.query(data).table
        if isinstance(data, Answer | pa.Table):
            return data.table if isinstance(data, Answer) else data
        what = Text(
            "应为数据集的编号、query 的回答或带地址列的 Arrow 表",
            "is the identifier of a dataset, an answer of query, or an Arrow table with address columns",
        )
        raise ArgumentError("left, right", type(data).__name__, what)


def open_path(
    path: str | os.PathLike[str], *, asker: Asker | None = None, records_url: str | None = None
) -> OpenedCity:
    """Open the city in a folder.

    Parameters
    ----------
    path
        The city's own folder, where its records and its container lie.
    asker
        For whom is asked; the person at this machine by default.
    records_url
        SQLAlchemy URL of the record store if it is not in the folder; else what `JINGWEI_RECORDS` says.

    Raises
    ------
    NoCityError
        If there is none.

    """
    home = Path(path).expanduser()
    if not home.is_dir():
        raise NoCityError(str(home))
    return OpenedCity(
        open_city(home, records_url=records_url or os.environ.get("JINGWEI_RECORDS")), asker or local_person()
    )


def _limit(limit: int) -> int:
    if not isinstance(limit, int) or limit < 1:
        raise ArgumentError("limit", limit, Text("应为不小于 1 的整数", "is a whole number from 1"))
    return limit


def _cell(place: Any, level: int | None) -> grid.Cell:
    if isinstance(place, tuple | list) and len(place) == 2:
        return grid.Cell.at(place[0], place[1], POINT_LEVEL if level is None else level)
    if not isinstance(place, str | grid.Cell):
        what = Text(
            "应为网格码、网格单元或（经度, 纬度）", "is a grid code, a cell, or (longitude, latitude)"
        )
        raise ArgumentError("place", place, what)
    cell = place if isinstance(place, grid.Cell) else grid.parse(place)
    return cell if level is None else cell.parent(level)


def _region(within: Any) -> Region | None:
    if within is None:
        return None
    if isinstance(within, (str, grid.Cell)):
        return region_of_cell(_cell(within, None))
    if isinstance(within, tuple | list | np.ndarray) and len(within) == 4:
        return region_of_bounds(*map(float, within))
    if isinstance(within, shapely.Geometry):
        return region_of_geometry(within)
    raise BadRegionError(
        Text("不认识这种范围。", "This is no region."),
        mend=Text(
            "用网格码、（西, 南, 东, 北）或 shapely 几何。",
            "Give a grid code, (west, south, east, north), or a shapely geometry.",
        ),
        where={"within": str(type(within))},
    )


__all__ = [
    "Alike",
    "Answer",
    "Equal",
    "Inside",
    "OpenedCity",
    "SameCell",
    "SameTime",
    "Within",
    "open_path",
]
