"""What a dataset has in zones, as far as the asker may be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jingwei import grid
from jingwei.errors import JingweiError
from jingwei.lake.errors import UnknownColumnError
from jingwei.lake.summing import Sums, added_up
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from jingwei.access import Asker
    from jingwei.lake import Lake
    from jingwei.web.zones import Bounds, System, Zone


class FinerThanPermittedError(JingweiError):
    """A zone is finer than the asker may be told of."""

    code = "finer-than-permitted"
    status = 403

    def __init__(self, dataset: str, level: int, finest: int | None) -> None:
        super().__init__(
            Text(
                f"“{dataset}”的第 {level} 级网格比允许查看的更细",
                f"Zones of level {level} of '{dataset}' are finer than you may see",
            ),
            mend=Text(f"请用第 {finest} 级或更粗的层级。", f"Take level {finest} or a coarser one.")
            if finest is not None
            else None,
            where={"dataset": dataset, "level": level, "finest": finest},
        )


def finest_of(lake: Lake, asker: Asker, dataset: str, system: System) -> int | None:
    """Return the finest level of a system of whose zones the asker may be told, if there is one."""
    finest = lake.finest(asker, dataset)
    levels = [one for one in range(system.first, system.last + 1) if system.counted_at(one) <= finest]
    return max(levels, default=None)


def check_finest(lake: Lake, asker: Asker, dataset: str, system: System, level: int) -> int:
    """Return the finest permitted level of a system; raise if `level` is finer.

    Raises
    ------
    FinerThanPermittedError
        It is, or no level is permitted.

    """
    finest = finest_of(lake, asker, dataset, system)
    if finest is None or level > finest:
        raise FinerThanPermittedError(dataset, level, finest)
    return finest


def check_columns(lake: Lake, asker: Asker, dataset: str, columns: Collection[str]) -> None:
    """Raise unless a dataset has each of the columns, as far as the asker may know.

    Raises
    ------
    UnknownColumnError
        It has not.

    """
    view = lake.view(asker, dataset)
    known = [column.name for column in view.version.content.columns] if view.version else []
    for name in columns:
        if name not in known and name not in view.masks:
            raise UnknownColumnError(dataset, name, known)


def sums_of(
    lake: Lake,
    asker: Asker,
    dataset: str,
    system: System,
    zone: Zone,
    ids: Sequence[str],
    level: int,
    *,
    period: tuple[int, int] | None = None,
    columns: Collection[str] | None = None,
) -> Sums:
    """Return what a dataset has in sub-zones of a zone, in their order.

    Parameters
    ----------
    lake, asker, dataset
        Who asks, of what.
    system, zone
        The zone.
    ids, level
        Its sub-zones, and their level.
    period, columns
        As in `Lake.sums`.

    """
    nothing = np.zeros(len(ids), np.int64)
    counts_only = lake.view(asker, dataset).counts_only
    region = system.region(zone)
    if region is not None and not len(region.ranges):
        return Sums(nothing, np.full(len(ids), not counts_only))
    table, names = lake.sums(
        asker, dataset, system.counted_at(level), region=region, period=period, columns=columns
    )
    codes = np.asarray(grid.from_stored(table["jw_cell"].to_numpy()), np.uint64)
    place = {one: number for number, one in enumerate(ids)}
    group = np.array([place.get(one, -1) for one in system.ids_of(codes, level)], np.int64)
    sums = added_up(table, names, group, len(ids))
    if not counts_only:
        return sums
    # A sum of some of a zone's blocks would be less than there is; none at all may be few.
    told = sums.facts > 0 if system.is_counted_whole(level) else np.zeros(len(ids), bool)
    return Sums(np.where(told, sums.facts, 0), told)


def zones_with_facts(
    lake: Lake,
    asker: Asker,
    dataset: str,
    system: System,
    level: int,
    *,
    parent: Zone | None,
    box: Bounds | None,
    period: tuple[int, int] | None,
) -> list[str]:
    """Return the zones of a level that hold facts, as far as the asker may be told, in order."""
    region = None if parent is None else system.region(parent)
    if region is not None and not len(region.ranges):
        return []
    at = system.counted_at(level)
    table, _ = lake.sums(asker, dataset, at, region=region, period=period, columns=())
    codes = np.sort(np.asarray(grid.from_stored(table["jw_cell"].to_numpy()), np.uint64))
    if box is not None and len(codes):
        codes = codes[_meeting(codes, at, box)]
    return list(dict.fromkeys(system.ids_of(codes, level)))


def _meeting(codes: np.ndarray, level: int, box: Bounds) -> np.ndarray:
    """Say which cells share area with a box, cells and box crossing 180 degrees or not."""
    from jingwei.web.zones import parts_of

    west, south, east, north = (np.asarray(edge) for edge in grid.bounds(codes, level))
    met = np.zeros(len(codes), bool)
    for left, low, right, high in parts_of(box):
        across = np.where(west <= east, (west < right) & (east > left), (west < right) | (east > left))
        met |= across & (south < high) & (north > low)
    return met
