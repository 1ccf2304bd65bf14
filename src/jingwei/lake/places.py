"""Where the places of a table are: longitude and latitude columns, projected ones, geometry columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from jingwei.lake.datums import CHINA, Floats, to_wgs84
from jingwei.lake.forms.reading import JSON, Evidence
from jingwei.lake.names import folded, role_of, tokens, without_system
from jingwei.lake.numbers import Mask, are_sexagesimal, plain_text, read_angles, read_numbers
from jingwei.words import Text

Unit: TypeAlias = Literal["degree", "sexagesimal", "metre"]
Encoding: TypeAlias = Literal["wkb", "wkb-hex", "wkt", "geojson", "lon-lat-text"]

LONGITUDE_WORDS = ("longitude", "lon", "lng", "long", "经度", "东经", "jingdu", "jd", "gpsx", "经")
LATITUDE_WORDS = ("latitude", "lat", "纬度", "北纬", "weidu", "wd", "gpsy", "纬")
EAST_WORDS = ("x", "easting", "east", "横坐标", "东坐标", "坐标x", "x坐标")
NORTH_WORDS = ("y", "northing", "north", "纵坐标", "北坐标", "坐标y", "y坐标")

SAMPLE = 20_000
ENOUGH = 0.9
NEAR_CITY = 1.0
"""Degrees around the city's boundary within which a place is taken to belong to a city's file."""

NORTHINGS = (380_000.0, 6_200_000.0)
EASTINGS = (100_000.0, 900_000.0)
"""Metres: what Gauss-Krueger and UTM give from 3.5° to 55.8° north, within half a zone of the meridian."""

ZONED = tuple(
    (zone * 1e6 + EASTINGS[0], zone * 1e6 + EASTINGS[1]) for zone in [*range(13, 24), *range(25, 46)]
)
"""Eastings with the zone number before them: 13 to 23 of six degrees, 25 to 45 of three."""

WKT = (
    r"^\s*(?i:SRID=\d+;)?\s*(?i:MULTI)?(?i:POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION)\s*(?i:Z|M|ZM)?\s*[(E]"
)
GEOJSON = r"^\s*\{.*\"coordinates\"\s*:"
HEX = r"^\s*0[01][0-9A-Fa-f]{8,}$"
PAIR = r"^\s*[\[(]?\s*(?P<x>-?\d{1,3}\.\d+)\s*[,，;\s]\s*(?P<y>-?\d{1,3}\.\d+)\s*[\])]?\s*$"


@dataclass(frozen=True, slots=True)
class Points:
    """Coordinates of a table: `x` east, `y` north; both NaN where none is given or it is unreadable."""

    x: Floats
    y: Floats
    given: Mask
    unreadable: Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceColumns:
    """Columns that together hold a place.

    Parameters
    ----------
    role
        `origin`, `destination`, another word of the names, or empty for the only or plain place.
    x, y
        names of the columns with longitudes (eastings) and latitudes (northings); None for a geometry column.
    geometry
        name of the geometry column; None for a pair.
    encoding
        how a geometry column is written.
    unit
        of a pair: `degree` (decimal), `sexagesimal` (degrees, minutes, seconds), `metre` (projected).
    swapped
        the names say the opposite of the values; `x` and `y` follow the values.
    sure
        names and values agree, or the values leave no doubt; else somebody should be asked.
    evidence
        why.
    named_system
        the coordinate system that the names name (`bd_lng`, `高德经度`), or None.
    systems
        for `metre`: share of the points inside the city under each projected system tried.
    """

    role: str = ""
    x: str | None = None
    y: str | None = None
    geometry: str | None = None
    encoding: Encoding | None = None
    unit: Unit = "degree"
    swapped: bool = False
    sure: bool = True
    named_system: str | None = None
    systems: dict[str, float] = field(default_factory=dict)
    evidence: Evidence

    def read(self, table: pa.Table | pa.RecordBatch) -> Points:
        """Read the coordinates of a pair, or of a column of texts `lon,lat`."""
        if self.geometry is not None:
            return read_pair_text(table[self.geometry], swapped=self.swapped)
        reader = read_angles if self.unit == "sexagesimal" else read_numbers
        x, x_unreadable = reader(table[self.x])
        y, y_unreadable = reader(table[self.y])
        return as_points(x, y, x_unreadable | y_unreadable)


def as_points(x: Floats, y: Floats, unreadable: Mask) -> Points:
    """Tell given, absent and unreadable places apart: one coordinate without the other is unreadable."""
    half = np.isnan(x) != np.isnan(y)
    infinite = np.isinf(x) | np.isinf(y)
    unreadable = unreadable | half | infinite
    given = ~np.isnan(x) & ~np.isnan(y) & ~unreadable
    return Points(np.where(given, x, np.nan), np.where(given, y, np.nan), given, unreadable)


def find_places(
    table: pa.Table,
    *,
    geometry: str | None = None,
    boundary: shapely.Geometry | None = None,
) -> list[PlaceColumns]:
    """Find the columns of a table that hold places, the likeliest first.

    Parameters
    ----------
    table
        the rows, or the first ones; at most `SAMPLE` of them are looked at.
    geometry
        the WKB column that the file's form gives.
    boundary
        the city in WGS84; without it, China is taken.
    """
    sample = table.slice(0, SAMPLE)
    found = list(_geometry_columns(sample, geometry, boundary))
    found += _named_pairs(sample, boundary)
    if not found:
        found += _unnamed_pairs(sample, boundary)
    return _with_roles(found)


def _geometry_columns(
    table: pa.Table, given: str | None, boundary: shapely.Geometry | None
) -> Iterator[PlaceColumns]:
    for name in table.column_names:
        found = geometry_column(table, name, given, boundary)
        if found is not None:
            yield found


def geometry_column(
    table: pa.Table, name: str, given: str | None, boundary: shapely.Geometry | None
) -> PlaceColumns | None:
    """Return how a column holds geometries, or None where it holds none; `given` is the form's own (WKB)."""
    encoding: Encoding | None = "wkb" if name == given else geometry_encoding(table[name])
    if encoding is None:
        return None
    swapped = False
    if encoding == "lon-lat-text":
        points = read_pair_text(table[name])
        verdict = _degrees(points.x[points.given], points.y[points.given], boundary)
        if verdict is None:
            return None
        swapped = verdict == "swapped"
    reason = Text(f"“{name}”列的值是 {encoding} 几何", f"the values of “{name}” are geometries as {encoding}")
    evidence = Evidence("place", name, reason, {"encoding": encoding})
    role = "" if name == given else _geometry_role(name)
    return PlaceColumns(role=role, geometry=name, encoding=encoding, swapped=swapped, evidence=evidence)


def _geometry_role(name: str) -> str:
    words = [
        w for w in tokens(name) if w not in ("geometry", "geom", "shape", "wkt", "wkb", "location", "loc")
    ]
    return role_of(words)


def geometry_encoding(column: pa.ChunkedArray) -> Encoding | None:
    """Return how a column writes geometries, or None where most of its values are none."""
    values = column.drop_null().slice(0, 1_000).combine_chunks()
    if len(values) == 0:
        return None
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        shapes = shapely.from_wkb(values.to_numpy(zero_copy_only=False), on_invalid="ignore")
        return "wkb" if (~shapely.is_missing(shapes)).mean() >= ENOUGH else None
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        return None
    patterns: tuple[tuple[Encoding, str], ...] = (
        ("wkt", WKT),
        ("geojson", GEOJSON),
        ("wkb-hex", HEX),
        ("lon-lat-text", PAIR),
    )
    for encoding, pattern in patterns:
        if pc.mean(pc.cast(pc.match_substring_regex(values, pattern), pa.float64())).as_py() >= ENOUGH:
            return encoding
    return None


def read_geometries(
    column: pa.Array | pa.ChunkedArray, encoding: Encoding, *, swapped: bool = False
) -> tuple[npt.NDArray[np.object_], Mask]:
    """Read a geometry column; `swapped` where texts `lat,lon` write the latitude first.

    Returns
    -------
    shapes
        Shapely geometries in the source's own system, None where there is none.
    unreadable
        True where something is written that is no geometry.
    """
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if encoding == "lon-lat-text":
        points = read_pair_text(column, swapped=swapped)
        shapes = np.full(len(column), None, dtype=object)
        shapes[points.given] = shapely.points(points.x[points.given], points.y[points.given])
        return shapes, points.unreadable
    if encoding in ("wkt", "wkb-hex", "geojson"):
        texts = pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
        texts = pc.replace_substring_regex(texts, r"^(?i:SRID=\d+;)\s*", "") if encoding == "wkt" else texts
        given = pc.if_else(pc.equal(texts, ""), None, texts).to_numpy(zero_copy_only=False)
    else:
        given = column.to_numpy(zero_copy_only=False)
    reader = {"wkb": shapely.from_wkb, "wkb-hex": shapely.from_wkb, "wkt": shapely.from_wkt}.get(
        encoding, shapely.from_geojson
    )
    shapes = reader(given, on_invalid="ignore")
    written = np.array([value is not None for value in given], dtype=bool)
    return shapes, written & shapely.is_missing(shapes)


def read_pair_text(column: pa.Array | pa.ChunkedArray, *, swapped: bool = False) -> Points:
    """Read texts such as `114.05,22.54` as points; `swapped` where the latitude is written first."""
    texts = plain_text(column)
    parts = pc.extract_regex(texts, PAIR)
    x, _ = read_numbers(pc.struct_field(parts, "x"))
    y, _ = read_numbers(pc.struct_field(parts, "y"))
    written = np.asarray(pc.fill_null(pc.not_equal(texts, ""), fill_value=False))
    if swapped:
        x, y = y, x
    return as_points(x, y, written & np.isnan(x))


def _named_pairs(table: pa.Table, boundary: shapely.Geometry | None) -> list[PlaceColumns]:
    found: list[PlaceColumns] = []
    for first, second, rest in _pairs_by_name(table.column_names):
        pair = _judge_pair(table, first, second, boundary)
        if pair is None:
            continue
        words, system = without_system(rest)
        x, y = (second, first) if pair.swapped else (first, second)
        found.append(
            PlaceColumns(
                role=role_of(words),
                x=x,
                y=y,
                unit=pair.unit,
                swapped=pair.swapped,
                named_system=system,
                systems=pair.systems,
                evidence=_pair_evidence(x, y, pair),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class _Pair:
    """What the values of two columns say."""

    unit: Unit
    swapped: bool
    systems: dict[str, float] = field(default_factory=dict)


def _pair_evidence(x: str, y: str, pair: _Pair) -> Evidence:
    how = {
        "degree": Text("值是十进制度", "the values are decimal degrees"),
        "sexagesimal": Text("值是度分秒", "the values are degrees, minutes and seconds"),
        "metre": Text("值是投影坐标（米）", "the values are projected metres"),
    }[pair.unit]
    zh = f"“{x}”是经度（东坐标），“{y}”是纬度（北坐标）；{how.zh}"
    en = f"“{x}” holds longitudes (eastings), “{y}” latitudes (northings); {how.en}"
    if pair.swapped:
        zh += "；名称与值相反，以值为准"
        en += "; the names say the opposite of the values, which are followed"
    figures: dict[str, JSON] = {"unit": pair.unit, "swapped": pair.swapped, **pair.systems}
    return Evidence("place", f"{x}, {y}", Text(zh, en), figures)


def _pairs_by_name(names: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the pairs of names that differ only in the word for the axis, with the rest of their words."""
    axes = {name: found for name in names if (found := _axis_of(name)) is not None}
    for name, (axis, rest, word) in axes.items():
        if axis != "x":
            continue
        for other, (other_axis, other_rest, other_word) in axes.items():
            if other_axis == "y" and other_rest == rest and _same_kind(word, other_word):
                yield name, other, rest


def system_of_names(lon: str, lat: str) -> str | None:
    """Return the coordinate system that the names of both columns name (`bd_lng`, `高德纬度`), or None."""
    found = {without_system(axis[1])[1] for axis in (_axis_of(lon), _axis_of(lat)) if axis is not None}
    return found.pop() if len(found) == 1 else None


def _same_kind(word: str, other: str) -> bool:
    return (word in LONGITUDE_WORDS) == (other in LATITUDE_WORDS)


def _axis_of(name: str) -> tuple[str, list[str], str] | None:
    """Return the axis a name stands for, its other words, and the word itself."""
    words = tokens(name)
    for axis, known in (("x", LONGITUDE_WORDS + EAST_WORDS), ("y", LATITUDE_WORDS + NORTH_WORDS)):
        for word in known:
            if word in words:
                at = words.index(word)
                return axis, words[:at] + words[at + 1 :], word
    plain = folded(name).lower()
    for axis, known in (("x", LONGITUDE_WORDS + EAST_WORDS), ("y", LATITUDE_WORDS + NORTH_WORDS)):
        for word in known:
            if len(word) > 1 and (plain.endswith(word) or (plain.startswith(word) and not word.isascii())):
                rest = plain.removesuffix(word) if plain.endswith(word) else plain.removeprefix(word)
                return axis, [part for part in re.split(r"[\W_]+", rest) if part], word
    return None


def _judge_pair(table: pa.Table, first: str, second: str, boundary: shapely.Geometry | None) -> _Pair | None:
    """Return what the values of two columns say, or None where they are no places."""
    sexagesimal = are_sexagesimal(table[first]) or are_sexagesimal(table[second])
    reader = read_angles if sexagesimal else read_numbers
    x, _ = reader(table[first])
    y, _ = reader(table[second])
    given = np.isfinite(x) & np.isfinite(y)
    if not given.any() or given.mean() < 0.5 * (np.isfinite(x) | np.isfinite(y)).mean():
        return None
    x, y = x[given], y[given]
    degrees = _degrees(x, y, boundary)
    if degrees is not None:
        return _Pair("sexagesimal" if sexagesimal else "degree", degrees == "swapped")
    for a, b, swapped in ((x, y, False), (y, x, True)):
        if _are_metres(a, b):
            return _Pair("metre", swapped, _projected_systems(a, b, boundary))
    return None


def _degrees(x: Floats, y: Floats, boundary: shapely.Geometry | None) -> Literal["right", "swapped"] | None:
    """Tell whether pairs of numbers are longitudes and latitudes around the city (else in China)."""
    if len(x) == 0 or (np.mod(x, 1) == 0).mean() > 0.5 or (np.mod(y, 1) == 0).mean() > 0.5:
        return None
    west, south, east, north = _surroundings(boundary)
    right = ((x >= west) & (x <= east) & (y >= south) & (y <= north)).mean()
    swapped = ((y >= west) & (y <= east) & (x >= south) & (x <= north)).mean()
    if max(right, swapped) < 0.5 and boundary is not None:
        return _degrees(x, y, None)
    if max(right, swapped) < 0.5:
        return None
    return "right" if right >= swapped else "swapped"


def _surroundings(boundary: shapely.Geometry | None) -> tuple[float, float, float, float]:
    if boundary is None:
        return CHINA
    west, south, east, north = boundary.bounds
    return west - NEAR_CITY, south - NEAR_CITY, east + NEAR_CITY, north + NEAR_CITY


def _are_metres(x: Floats, y: Floats) -> bool:
    northing = ((y >= NORTHINGS[0]) & (y <= NORTHINGS[1])).mean()
    plain = ((x >= EASTINGS[0]) & (x <= EASTINGS[1])).mean()
    zoned = np.mean([any(low <= value <= high for low, high in ZONED) for value in x[:1_000]])
    return bool(northing >= ENOUGH and max(plain, zoned) >= ENOUGH)


def _projected_systems(x: Floats, y: Floats, boundary: shapely.Geometry | None) -> dict[str, float]:
    """Return the share of points inside the city under the CGCS2000 zones that could be meant.

    Xian 1980 and Beijing 1954 give nearly the same numbers (some 100 m apart), and a city's own system may as
    well: a good share says which meridian is meant, not which datum, and decides nothing.
    """
    if boundary is None:
        return {}
    shares: dict[str, float] = {}
    for code in (*range(4491, 4555), 32647, 32648, 32649, 32650, 32651, 32652):
        lon, lat = to_wgs84(x[:500], y[:500], f"EPSG:{code}")
        share = float(shapely.contains_xy(boundary, lon, lat).mean())
        if share > 0:
            shares[f"EPSG:{code}"] = round(share, 4)
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _unnamed_pairs(table: pa.Table, boundary: shapely.Geometry | None) -> list[PlaceColumns]:
    """Find a pair by its values alone: only two columns whose every value lies around the city will do."""
    if boundary is None:
        return []
    west, south, east, north = boundary.buffer(0.1).bounds
    longitudes = [name for name in table.column_names if _lies_between(table[name], west, east)]
    latitudes = [name for name in table.column_names if _lies_between(table[name], south, north)]
    if len(longitudes) != 1 or len(latitudes) != 1:
        return []
    x, y = longitudes[0], latitudes[0]
    reason = Text(
        f"列名没有说明，但“{x}”和“{y}”的值都在城市范围内",
        f"the names do not say so, but the values of “{x}” and “{y}” lie around the city",
    )
    evidence = Evidence("place", f"{x}, {y}", reason, {"by": "values"})
    return [PlaceColumns(x=x, y=y, sure=False, evidence=evidence)]


def _lies_between(column: pa.ChunkedArray, low: float, high: float) -> bool:
    values, unreadable = read_numbers(column)
    values = values[np.isfinite(values)]
    if len(values) < 10 or unreadable.mean() > 0.1 or (np.mod(values, 1) == 0).mean() > 0.1:
        return False
    return bool(((values >= low) & (values <= high)).mean() >= 0.95)


def _with_roles(found: list[PlaceColumns]) -> list[PlaceColumns]:
    """Make the plain place the origin where another one is the destination, and tell equal roles apart."""
    roles = [place.role for place in found]
    plain = "origin" if "destination" in roles and "origin" not in roles else ""
    seen: dict[str, int] = {}
    result = []
    for place in found:
        role = place.role or plain if place.geometry is None else place.role
        seen[role] = seen.get(role, 0) + 1
        unique = role if seen[role] == 1 else f"{role or 'place'}_{seen[role]}"
        result.append(replace(place, role=unique))
    return result
