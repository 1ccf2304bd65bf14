"""Areas of a pack: the shapes of a dataset, or those of them with the named values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shapely

from jingwei.city.errors import EmptyAreaError, MissingColumnError

if TYPE_CHECKING:
    from jingwei.city.parts import Area
    from jingwei.lake import Lake
    from jingwei.lake.schemas import Version


def shape_of(lake: Lake, area: Area, version: Version) -> Any:
    """Return the union of a dataset's shapes in one version, or of those with the named values.

    Raises
    ------
    MissingColumnError, EmptyAreaError
        Where it has no shapes, or none with these values.

    """
    geometry = version.content.geometry
    if geometry is None:
        raise MissingColumnError(area.source, "geometry", "area", None)
    where = " AND ".join(
        f'"{name}" = ' + "'" + value.replace("'", "''") + "'" for name, value in area.where.items()
    )
    rows = lake.reader.query(version, where=where or None, limit=100_000)
    if rows.table.num_rows == 0:
        raise EmptyAreaError(area.source, area.where)
    # Arrow's own way to NumPy imports pandas, a tenth of a start.
    shapes = shapely.from_wkb(rows.table[geometry].to_pylist())
    union = shapely.union_all(shapely.make_valid(shapes))
    shapely.prepare(union)
    return union


def published(lake: Lake, source: str) -> Version | None:
    """Return the version of a source that is published, if one is."""
    for dataset in lake.catalogue():
        if dataset.id == source and dataset.state == "published":
            return dataset.version
    return None
