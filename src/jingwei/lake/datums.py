"""Coordinate systems in use in China, converted to WGS84: GCJ-02, BD-09, and whatever PROJ knows.

GCJ-02 (the datum of Chinese map services) shifts WGS84 by 100 to 700 m; BD-09 (Baidu's) shifts GCJ-02 once
more. Their forward transforms below are the published ones; neither has a published inverse, so the inverses
are iterated until the forward transform gives the asked point again.

CGCS2000 (EPSG:4490) counts as WGS84: the two differ by less than a metre (the ellipsoids by 0.1 mm, the
frames by the drift of the Eurasian plate since 2000.0), which is below what any source here states.

Longitudes and latitudes are in decimal degrees, projected coordinates in the units of their system; the first
coordinate is always the longitude or easting.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from pyproj.exceptions import CRSError, ProjError
from pyproj.transformer import TransformerGroup

from jingwei.errors import JingweiError
from jingwei.lake.forms.errors import near_misses
from jingwei.words import Text

Floats: TypeAlias = npt.NDArray[np.float64]
Pair: TypeAlias = tuple[Floats, Floats]
Datum: TypeAlias = Literal["WGS84", "GCJ-02", "BD-09"]

DATUMS: tuple[Datum, ...] = ("WGS84", "GCJ-02", "BD-09")

SEMI_MAJOR = 6378245.0
ECCENTRICITY_SQUARED = 0.00669342162296594323
"""Krasovsky 1940, on which GCJ-02 measures its shift."""

CHINA = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north of the rectangle in which map services apply GCJ-02; elsewhere it is WGS84."""

INVERSE_TOLERANCE = 1e-11
INVERSE_ROUNDS = 40
CHUNK = 16_384
"""Points converted at a time, so that what is in between stays in the processor's cache."""

CGCS2000 = 4490
WITHOUT_PUBLIC_PARAMETERS = (4214, 4555, 4610)
"""Geodetic codes of Beijing 1954, New Beijing and Xian 1980."""

NAMES: dict[str, str] = {
    "wgs84": "WGS84",
    "wgs1984": "WGS84",
    "epsg4326": "WGS84",
    "crs84": "WGS84",
    "ogccrs84": "WGS84",
    "cgcs2000": "WGS84",
    "epsg4490": "WGS84",
    "国家2000": "WGS84",
    "2000国家大地坐标系": "WGS84",
    "gcj02": "GCJ-02",
    "gcj2": "GCJ-02",
    "火星": "GCJ-02",
    "火星坐标": "GCJ-02",
    "火星坐标系": "GCJ-02",
    "高德": "GCJ-02",
    "高德坐标": "GCJ-02",
    "腾讯坐标": "GCJ-02",
    "bd09": "BD-09",
    "bd09ll": "BD-09",
    "百度": "BD-09",
    "百度坐标": "BD-09",
    "百度坐标系": "BD-09",
    "xian80": "EPSG:4610",
    "xian1980": "EPSG:4610",
    "西安80": "EPSG:4610",
    "beijing54": "EPSG:4214",
    "beijing1954": "EPSG:4214",
    "北京54": "EPSG:4214",
    "webmercator": "EPSG:3857",
}
"""Names that people write, folded by `_folded`, and the system each means."""


class UnknownSystemError(JingweiError):
    """A coordinate system whose name means nothing here."""

    code = "unknown-coordinate-system"
    status = 422

    def __init__(self, name: str) -> None:
        near = near_misses(
            name, ["WGS84", "CGCS2000", "GCJ-02", "BD-09", "Xian80", "Beijing54", *_epsg_near(name)]
        )
        hint = Text(f"是否指：{'、'.join(near)}？", f"Did you mean {', '.join(near)}?") if near else None
        mend = hint or Text(
            "可用 WGS84、CGCS2000、GCJ-02、BD-09，或 EPSG:4547 一类的代码。",
            "Use WGS84, CGCS2000, GCJ-02, BD-09, or a code such as EPSG:4547.",
        )
        super().__init__(
            Text(f"不认识坐标系“{name}”。", f"The coordinate system “{name}” is unknown."), mend=mend
        )


def canonical_system(name: str) -> str:
    """Return `WGS84`, `GCJ-02`, `BD-09`, an authority's code (`EPSG:4547`), or WKT for a coordinate system.

    Raises
    ------
    UnknownSystemError
        the name is neither one of ours nor one PROJ reads.
    """
    known = NAMES.get(_folded(name))
    if known:
        return known
    try:
        crs = pyproj.CRS.from_user_input(name)
    except CRSError as error:
        raise UnknownSystemError(name) from error
    authority = crs.to_authority(min_confidence=70)
    code = ":".join(authority) if authority else crs.to_wkt()
    return NAMES.get(_folded(code), code)


def _folded(name: str) -> str:
    return re.sub(r"[\s_:\-./]", "", name.casefold())


def _epsg_near(name: str) -> list[str]:
    digits = re.sub(r"\D", "", name)
    return (
        [f"EPSG:{digits}"]
        if digits and name.casefold().startswith("ep") and _is_code(f"EPSG:{digits}")
        else []
    )


def _is_code(name: str) -> bool:
    try:
        pyproj.CRS.from_user_input(name)
    except CRSError:
        return False
    return True


def in_china(lon: Floats, lat: Floats) -> npt.NDArray[np.bool_]:
    """Tell which points lie in the rectangle `CHINA`, edges included; NaN does not."""
    west, south, east, north = CHINA
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def _gcj02_shifted(lon: Floats, lat: Floats) -> Pair:
    """Apply the GCJ-02 polynomial wherever the point lies.

    Source: the transform as published with the "eviltransform" collection and in OpenStreetMap's and
    Wikipedia's article on restrictions of geographic data in China.
    """
    pi = np.pi
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    common = 20.0 * np.sin(6.0 * pi * x) + 20.0 * np.sin(2.0 * pi * x)
    north = (
        common
        + 20.0 * np.sin(pi * y)
        + 40.0 * np.sin(pi / 3.0 * y)
        + 160.0 * np.sin(pi / 12.0 * y)
        + 320.0 * np.sin(pi / 30.0 * y)
    ) * (2.0 / 3.0)
    north += -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    east = (
        common
        + 20.0 * np.sin(pi * x)
        + 40.0 * np.sin(pi / 3.0 * x)
        + 150.0 * np.sin(pi / 12.0 * x)
        + 300.0 * np.sin(pi / 30.0 * x)
    ) * (2.0 / 3.0)
    east += 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    latitude = np.radians(lat)
    squared = 1.0 - ECCENTRICITY_SQUARED * np.sin(latitude) ** 2
    meridian = SEMI_MAJOR * (1.0 - ECCENTRICITY_SQUARED) / (squared * np.sqrt(squared))
    parallel = SEMI_MAJOR / np.sqrt(squared) * np.cos(latitude)
    return lon + np.degrees(east / parallel), lat + np.degrees(north / meridian)


def _bd09_shifted(lon: Floats, lat: Floats) -> Pair:
    """Apply Baidu's shift of GCJ-02 (source as above)."""
    turn = np.pi * 3000.0 / 180.0
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * turn)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * turn)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _inverted(forward: Callable[[Floats, Floats], Pair], lon: Floats, lat: Floats) -> Pair:
    """Find the points whose forward transform is (lon, lat): subtract what it still misses by, and repeat.

    The shifts change by less than 3 % of the distance moved, so each round gains at least a digit and a half.
    """
    x, y = lon.copy(), lat.copy()
    for _ in range(INVERSE_ROUNDS):
        forward_x, forward_y = forward(x, y)
        miss_x, miss_y = forward_x - lon, forward_y - lat
        x -= miss_x
        y -= miss_y
        if not ((np.abs(miss_x) > INVERSE_TOLERANCE) | (np.abs(miss_y) > INVERSE_TOLERANCE)).any():
            break
    return x, y


def _in_chunks(convert: Callable[[Floats, Floats], Pair], lon: npt.ArrayLike, lat: npt.ArrayLike) -> Pair:
    """Convert arrays of any shape chunk by chunk; NaN and infinite coordinates become NaN."""
    x, y = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
    flat_x, flat_y = np.ravel(x), np.ravel(y)
    out_x, out_y = np.full(flat_x.shape, np.nan), np.full(flat_x.shape, np.nan)
    with np.errstate(invalid="ignore"):
        for start in range(0, len(flat_x), CHUNK):
            part = slice(start, start + CHUNK)
            out_x[part], out_y[part] = convert(flat_x[part], flat_y[part])
    broken = ~(np.isfinite(flat_x) & np.isfinite(flat_y))
    out_x[broken] = out_y[broken] = np.nan
    return out_x.reshape(x.shape), out_y.reshape(x.shape)


def wgs84_to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> Pair:
    """Convert WGS84 to GCJ-02, both in degrees; a point outside the rectangle `CHINA` stays as it is."""

    def convert(x: Floats, y: Floats) -> Pair:
        shifted_x, shifted_y = _gcj02_shifted(x, y)
        inside = in_china(x, y)
        return np.where(inside, shifted_x, x), np.where(inside, shifted_y, y)

    return _in_chunks(convert, lon, lat)


def gcj02_to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike) -> Pair:
    """Convert GCJ-02 to WGS84, both in degrees, to 1e-9 degree of the exact inverse.

    At the edge of the rectangle `CHINA` a strip as wide as the shift (at most 700 m) has two preimages or
    none. A point with a preimage inside is taken to come from there; any other point outside is its own
    preimage; a point inside that no point maps to gets the one that the shift would have without the edge.
    """

    def convert(x: Floats, y: Floats) -> Pair:
        back_x, back_y = _inverted(_gcj02_shifted, x, y)
        own = ~in_china(back_x, back_y) & ~in_china(x, y)
        return np.where(own, x, back_x), np.where(own, y, back_y)

    return _in_chunks(convert, lon, lat)


def gcj02_to_bd09(lon: npt.ArrayLike, lat: npt.ArrayLike) -> Pair:
    """Convert GCJ-02 to BD-09, both in degrees; Baidu's own shift knows no rectangle."""
    return _in_chunks(_bd09_shifted, lon, lat)


def bd09_to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> Pair:
    """Convert BD-09 to GCJ-02, both in degrees, to 1e-9 degree of the exact inverse."""
    return _in_chunks(lambda x, y: _inverted(_bd09_shifted, x, y), lon, lat)


def wgs84_to_bd09(lon: npt.ArrayLike, lat: npt.ArrayLike) -> Pair:
    """Convert WGS84 to BD-09 by way of GCJ-02, both in degrees."""
    return gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))


def bd09_to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike) -> Pair:
    """Convert BD-09 to WGS84 by way of GCJ-02, both in degrees, to 1e-9 degree of the exact inverse."""
    return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))


def _same(lon: npt.ArrayLike, lat: npt.ArrayLike) -> Pair:
    return _in_chunks(lambda x, y: (x, y), lon, lat)


TO_WGS84: dict[str, Callable[[npt.ArrayLike, npt.ArrayLike], Pair]] = {
    "WGS84": _same,
    "GCJ-02": gcj02_to_wgs84,
    "BD-09": bd09_to_wgs84,
}
FROM_WGS84: dict[str, Callable[[npt.ArrayLike, npt.ArrayLike], Pair]] = {
    "WGS84": _same,
    "GCJ-02": wgs84_to_gcj02,
    "BD-09": wgs84_to_bd09,
}


def to_wgs84(x: npt.ArrayLike, y: npt.ArrayLike, system: str) -> Pair:
    """Convert coordinates of any system to WGS84.

    Parameters
    ----------
    x, y
        longitude and latitude in degrees, or easting and northing in the units of the system.
    system
        a name that `canonical_system` knows.

    Returns
    -------
    lon, lat
        degrees, in the shape of `x` and `y` broadcast together; NaN where the input is not finite or PROJ
        cannot convert it.

    Raises
    ------
    UnknownSystemError
        the system is unknown, or there is no way from it to WGS84.
    """
    name = canonical_system(system)
    convert = TO_WGS84.get(name)
    if convert:
        return convert(x, y)
    lon, lat = _transformer(name).transform(
        np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64), errcheck=False
    )
    broken = ~(np.isfinite(lon) & np.isfinite(lat))
    return np.where(broken, np.nan, lon), np.where(broken, np.nan, lat)


def geometries_to_wgs84(wkb: npt.ArrayLike, system: str) -> npt.NDArray[np.object_]:
    """Convert an array of geometries as WKB (None allowed) to WGS84, as WKB; heights stay as they are.

    Raises
    ------
    UnknownSystemError
        as `to_wgs84`.
    """
    shapes = shapely.from_wkb(np.asarray(wkb, dtype=object))
    if canonical_system(system) == "WGS84":
        return np.asarray(shapely.to_wkb(shapes), dtype=object)

    def convert(coordinates: Floats) -> Floats:
        lon, lat = to_wgs84(coordinates[:, 0], coordinates[:, 1], system)
        return np.column_stack([lon, lat, coordinates[:, 2:]])

    converted = shapely.transform(shapes, convert, include_z=bool(shapely.has_z(shapes).any()))
    return np.asarray(shapely.to_wkb(converted), dtype=object)


def conversion_accuracy(system: str) -> float | None:
    """Return how far, in metres, `to_wgs84` may be off for a system, or None where PROJ cannot say.

    Xian 1980 and Beijing 1954 have no public transformation that holds everywhere: the published ones are for
    single basins and seas, elsewhere PROJ only swaps the ellipsoid, which is off by up to some 200 m.
    """
    name = canonical_system(system)
    geodetic = None if name in TO_WGS84 else _geodetic_code(pyproj.CRS.from_user_input(name))
    if name in TO_WGS84 or geodetic == CGCS2000:
        return 1.0
    if geodetic in WITHOUT_PUBLIC_PARAMETERS:
        return None
    group = TransformerGroup(name, "EPSG:4326", always_xy=True)
    accuracy = group.transformers[0].accuracy if group.transformers else -1
    return float(accuracy) if accuracy is not None and accuracy >= 0 else None


def _geodetic_code(crs: Any) -> int | None:
    geodetic = crs.geodetic_crs
    return None if geodetic is None else geodetic.to_epsg(min_confidence=20)


@lru_cache(maxsize=64)
def _transformer(name: str) -> Any:
    crs = pyproj.CRS.from_user_input(name)
    target = "EPSG:4490" if _geodetic_code(crs) == CGCS2000 else "EPSG:4326"
    try:
        return pyproj.Transformer.from_crs(crs, target, always_xy=True)
    except ProjError as error:
        raise UnknownSystemError(name) from error
