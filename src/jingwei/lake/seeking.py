"""Which rows of which row groups a question of place and time concerns, and reading no more than those."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from jingwei import grid
from jingwei.lake.address import MEASURED
from jingwei.lake.stopping import heed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from jingwei.lake.files import OpenFiles
    from jingwei.lake.region import Region
    from jingwei.lake.schemas import DataFile, Place, Version

AT_FIRST, AT_MOST = 65_536, 524_288
"""Rows, about, of the row groups that are read at once: few at first, as a page may be full soon."""

_THREADS = ThreadPoolExecutor(4, "jingwei-seek")
"""Read from several files at once."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What is sought: rows whose place lies in a region, or is only known to contain a part of it.

    Attributes
    ----------
    place
        Which of the places.
    region
        Where.
    above
        The (stored cell, level) of the region's `above` at which there are places at all.
    period
        UTC microseconds `[from, to)` that the time, or interval, of a row meets; `None` for all.

    """

    place: Place
    region: Region
    above: tuple[tuple[int, int], ...]
    period: tuple[int, int] | None = None

    @staticmethod
    def of(version: Version, place: Place, region: Region, period: tuple[int, int] | None = None) -> Sought:
        """Return what is sought in a version, without what it has none of."""
        levels = set(version.content.levels.get(place.role, []))
        above = tuple(pair for pair in region.above if pair[1] in levels)
        return Sought(place, region, above, period)

    @property
    def wanted(self) -> list[tuple[int, int]]:
        """The ranges of stored cells, inclusive, in which the rows lie."""
        return [
            *((int(low), int(high)) for low, high in self.region.ranges),
            *((c, c) for c, _ in self.above),
        ]

    def placed(
        self, cells: NDArray[np.int64], levels: NDArray[np.int8]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Say which places lie inside the region, and which contain a part of it."""
        around = one_of(cells, levels, self.above)
        inside = in_ranges(cells, self.region.ranges) & ~around
        if not self.region.exact:
            inside[inside] = meets(cells[inside], levels[inside], self.region)
        return inside, around


def rows_of(
    files: OpenFiles, version: Version, sought: Sought, names: list[str], after: int | None
) -> Iterator[pa.Table]:
    """Yield the rows that are sought by a point or a reference, in order of their facts, some at a time.

    Parameters
    ----------
    files, version
        Where they are.
    sought
        By the first place of the version, by which its facts are sorted.
    names
        The columns to read.
    after
        Only rows behind this fact.

    Raises
    ------
    Stopped
        If somebody stopped the question.

    """
    for readings in _at_once(_groups_of(files, version, sought, after)):
        heed()
        parts = [_Reading(files, version.dataset, file, groups) for file, groups in readings]

        def look(part: _Reading) -> pa.Table | None:
            return _matching(part, sought, names, after)

        for table in _THREADS.map(look, parts) if len(parts) > 1 else map(look, parts):
            if table is not None:
                yield table


def _groups_of(
    files: OpenFiles, version: Version, sought: Sought, after: int | None
) -> Iterator[tuple[DataFile, int]]:
    """Yield the row groups that may hold what is sought, in order of their facts."""
    ranges = np.array(sorted(sought.wanted), np.int64).reshape(-1, 2)
    for file in version.content.facts:
        for number in _groups(files, version.dataset, file, ranges, sought.period).tolist():
            group = file.groups[number]
            if after is None or group.first + group.rows > after + 1:
                yield file, number


def _at_once(groups: Iterable[tuple[DataFile, int]]) -> Iterator[list[tuple[DataFile, list[int]]]]:
    """Put row groups together, by their files, until it is worth reading them: few at first, then more."""
    most, rows = AT_FIRST, 0
    waiting: list[tuple[DataFile, list[int]]] = []
    for file, number in groups:
        if waiting and rows + file.groups[number].rows > most:
            yield waiting
            waiting, rows, most = [], 0, min(2 * most, AT_MOST)
        if not waiting or waiting[-1][0] is not file:
            waiting.append((file, []))
        waiting[-1][1].append(number)
        rows += file.groups[number].rows
    if waiting:
        yield waiting


def _groups(
    files: OpenFiles,
    dataset: str,
    file: DataFile,
    ranges: NDArray[np.int64],
    period: tuple[int, int] | None,
) -> NDArray[np.int64]:
    numbers = files.spans(dataset, "facts", file).meeting(ranges)
    if period is None:
        return numbers
    times = files.footer(dataset, file).times.meeting(np.array([[period[0], period[1] - 1]], np.int64))
    return np.intersect1d(numbers, times, assume_unique=True)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Some row groups of a file of facts."""

    files: OpenFiles
    dataset: str
    file: DataFile
    groups: list[int]

    def columns(self, names: list[str]) -> pa.Table:
        return self.files.facts(self.dataset, self.file, self.groups, names)


def _matching(read: _Reading, sought: Sought, names: list[str], after: int | None) -> pa.Table | None:
    """Read the rows of some row groups that are sought; only of groups that have any, the other columns."""
    looked_at = [sought.place.cell, sought.place.level]
    looked_at += ["jw_time", "jw_time_end"] if sought.period is not None else []
    looked_at += ["jw_fact"] if after is not None else []
    seen = read.columns(looked_at)
    chosen = _chosen(seen, sought, after)
    rows = np.flatnonzero(chosen)
    if not len(rows):
        return None
    table = seen.select([name for name in names if name in looked_at]).take(pa.array(rows))
    others = [name for name in names if name not in looked_at]
    if others:
        sizes = np.array([read.file.groups[number].rows for number in read.groups], np.int64)
        begins = np.cumsum(sizes) - sizes
        has_any = np.add.reduceat(chosen, begins) > 0
        owner = np.searchsorted(begins, rows, side="right") - 1
        skipped = np.cumsum(np.where(has_any, 0, sizes))
        groups = [number for number, some in zip(read.groups, has_any.tolist(), strict=True) if some]
        rest = replace(read, groups=groups).columns(others).take(pa.array(rows - skipped[owner]))
        for name in others:
            table = table.append_column(name, rest[name])
    return table.select(names)


def _chosen(seen: pa.Table, sought: Sought, after: int | None) -> NDArray[np.bool_]:
    cells = seen[sought.place.cell]
    chosen = np.ones(seen.num_rows, bool) if not cells.null_count else np.asarray(cells.is_valid())
    if after is not None:
        chosen &= seen["jw_fact"].to_numpy() > after
    if sought.period is not None:
        chosen &= during(seen, sought.period)
    known = np.asarray(cells.fill_null(0) if cells.null_count else cells)[chosen]
    levels = seen[sought.place.level]
    known_levels = np.asarray(levels.fill_null(0) if levels.null_count else levels)[chosen]
    inside, around = sought.placed(known, known_levels)
    chosen[chosen] = inside | around
    return chosen


def during(table: pa.Table, period: tuple[int, int]) -> NDArray[np.bool_]:
    """Say for which rows the time, or interval, meets a period of UTC microseconds `[from, to)`."""
    since, until = (pa.scalar(one, pa.timestamp("us", "UTC")) for one in period)
    ends = table["jw_time_end"]
    last = table["jw_time"] if ends.null_count == len(ends) else pc.coalesce(ends, table["jw_time"])
    met = pc.and_(pc.less(table["jw_time"], until), pc.greater_equal(last, since))
    return np.asarray(met.fill_null(False) if met.null_count else met)  # noqa: FBT003 - the library's own order


def in_ranges(cells: NDArray[np.int64], ranges: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which cells lie in one of the sorted disjoint ranges."""
    number = np.searchsorted(ranges[:, 0], cells, side="right") - 1
    inside: NDArray[np.bool_] = (number >= 0) & (cells <= ranges[np.maximum(number, 0), 1])
    return inside


def one_of(
    cells: NDArray[np.int64], levels: NDArray[np.int8], pairs: tuple[tuple[int, int], ...]
) -> NDArray[np.bool_]:
    """Say which (cell, level) are among the given ones."""
    found = np.zeros(len(cells), bool)
    for level in {level for _, level in pairs}:
        codes = np.array([cell for cell, at in pairs if at == level], np.int64)
        found |= (levels == level) & np.isin(cells, codes)
    return found


def meets(cells: NDArray[np.int64], levels: NDArray[np.int8], region: Region) -> NDArray[np.bool_]:
    """Say which cells meet a region's outline; a measured point does if its own centre lies inside."""
    codes = np.asarray(grid.from_stored(cells), np.uint64)
    met = np.zeros(len(codes), bool)
    for level in np.unique(levels).tolist():
        chosen = levels == level
        if level == MEASURED:
            met[chosen] = shapely.contains_xy(region.outline, *grid.centre(codes[chosen], level))
        else:
            met[chosen] = shapely.intersects(region.outline, shapely.box(*grid.bounds(codes[chosen], level)))
    return met
