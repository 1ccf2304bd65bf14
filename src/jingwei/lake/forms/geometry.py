"""Geometries of a source: read to WKB, and what is wrong with them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from jingwei.words import Text

UNPARSABLE = Text("几何无法解析", "the geometry cannot be parsed")
EMPTY = Text("几何为空", "the geometry is empty")
NOT_FINITE = Text("坐标不是有限的数", "a coordinate is not a finite number")


def faulty_geometries(wkb: pa.Array) -> dict[int, tuple[str, Text]]:
    """Return the rule and reason for each row whose geometry cannot stand for a place; nulls are no fault.

    Parameters
    ----------
    wkb
        binary array of geometries as WKB.

    Returns
    -------
    dict
        row index to (`broken-geometry` | `empty-geometry` | `not-finite` | `self-intersection` |
        `invalid-geometry`, reason).
    """
    given = wkb.to_numpy(zero_copy_only=False)
    shapes = shapely.from_wkb(given, on_invalid="ignore")
    missing = shapely.is_missing(shapes)
    present = np.array([value is not None for value in given], dtype=bool)
    faults = {int(at): ("broken-geometry", UNPARSABLE) for at in np.flatnonzero(present & missing)}
    faults |= {int(at): ("empty-geometry", EMPTY) for at in np.flatnonzero(shapely.is_empty(shapes))}
    faults |= {int(at): ("not-finite", NOT_FINITE) for at in np.flatnonzero(~missing & ~_is_finite(shapes))}
    for at in np.flatnonzero(~missing & ~shapely.is_valid(shapes)):
        if int(at) not in faults:
            faults[int(at)] = _invalidity(shapely.is_valid_reason(shapes[at]))
    return faults


def _is_finite(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    finite = np.ones(len(shapes), dtype=bool)
    finite[owner[~np.isfinite(coordinates).all(axis=1)]] = False
    return finite


def _invalidity(said: str) -> tuple[str, Text]:
    place = said[said.find("[") :] if "[" in said else ""
    if "elf-intersection" in said:
        return "self-intersection", Text(
            f"边界自相交，位于 {place}", f"the boundary crosses or touches itself at {place}"
        )
    return "invalid-geometry", Text(f"几何不合规则：{said}", f"the geometry is not valid: {said}")
