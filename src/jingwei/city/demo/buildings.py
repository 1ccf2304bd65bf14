"""Buildings: footprints and heights on every parcel, in the pattern of its use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from jingwei.city.demo.arrays import Bools, Floats, Geometries, Ints
from jingwei.city.demo.fabric import Fabric
from jingwei.city.demo.land import HOUSING, Land, Use
from jingwei.city.demo.settings import Settings

# Floor area (m2) of homes in towns for each person and each household: census of 2020 (36.52 and 92.17).
FLOOR_AREA_PER_PERSON = 36.5
FLOOR_AREA_PER_HOME = 92.0


# Outlines of buildings within the unit square about the origin, by the letter that they look like.
FORMS: dict[str, tuple[tuple[float, float], ...]] = {
    "I": ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)),
    "L": ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.0), (-0.1, 0.0), (-0.1, 0.5), (-0.5, 0.5)),
    "U": (
        *((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (0.22, 0.5)),
        *((0.22, -0.1), (-0.22, -0.1), (-0.22, 0.5), (-0.5, 0.5)),
    ),
    "T": (
        *((-0.5, -0.5), (0.5, -0.5), (0.5, -0.1), (0.2, -0.1)),
        *((0.2, 0.5), (-0.2, 0.5), (-0.2, -0.1), (-0.5, -0.1)),
    ),
    "H": (
        *((-0.5, -0.5), (-0.2, -0.5), (-0.2, -0.18), (0.2, -0.18), (0.2, -0.5), (0.5, -0.5)),
        *((0.5, 0.5), (0.2, 0.5), (0.2, 0.18), (-0.2, 0.18), (-0.2, 0.5), (-0.5, 0.5)),
    ),
    "X": (
        *((-0.28, -0.5), (0.28, -0.5), (0.28, -0.3), (0.5, -0.3), (0.5, 0.3), (0.28, 0.3)),
        *((0.28, 0.5), (-0.28, 0.5), (-0.28, 0.3), (-0.5, 0.3), (-0.5, -0.3), (-0.28, -0.3)),
    ),
    "O": (
        *((-0.3, -0.5), (0.3, -0.5), (0.5, -0.3), (0.5, 0.3)),
        *((0.3, 0.5), (-0.3, 0.5), (-0.5, 0.3), (-0.5, -0.3)),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pattern:
    """How buildings stand on a kind of land; lengths in metres.

    Attributes
    ----------
    length, depth
        Size of a building along its row and across it.
    gap, spacing
        Distance between neighbours in a row, and between rows.
    floors
        Fewest and most storeys, from the rim to the middle of a centre.
    storey
        Height of a storey.
    filled
        Share of the places that carry a building.
    loose
        How far buildings may stand off their place.
    setback
        Distance from the parcel's border.
    years
        First and last year of construction.
    forms
        Outlines (`FORMS`), each as likely as it occurs here; on one face most buildings share one.

    """

    length: float
    depth: float
    gap: float
    spacing: float
    floors: tuple[int, int]
    storey: float = 3.0
    filled: float = 1.0
    loose: float = 0.0
    setback: float = 5.0
    years: tuple[int, int] = (1985, 2022)
    forms: str = "I"


# Daylight rows face south, as GB 50180-2018 asks; spacing grows with height.
PATTERNS: dict[Use, Pattern] = {
    Use.OLD_HOUSING: Pattern(
        15.0, 9.5, 2.2, 5.0, (2, 4), filled=0.9, loose=0.8, setback=2.0, years=(1955, 1990)
    ),
    Use.SLAB_HOUSING: Pattern(48.0, 12.5, 9.0, 18.5, (5, 7), filled=0.97, years=(1982, 2004)),
    Use.TOWER_HOUSING: Pattern(
        34.0, 17.0, 15.0, 36.0, (11, 30), filled=0.93, setback=8.0, years=(2005, 2023), forms="IXXHT"
    ),
    Use.URBAN_VILLAGE: Pattern(
        11.5, 11.0, 2.0, 2.6, (3, 6), filled=0.86, loose=0.5, setback=2.0, years=(1992, 2012)
    ),
    Use.VILLAGE: Pattern(
        12.0, 10.0, 9.0, 13.0, (1, 3), filled=0.5, loose=3.0, setback=3.0, years=(1985, 2018)
    ),
    Use.COMMERCE: Pattern(
        52.0, 36.0, 9.0, 11.0, (3, 9), storey=4.5, filled=0.9, setback=5.0, years=(1995, 2021), forms="IILUO"
    ),
    Use.OFFICES: Pattern(
        44.0,
        34.0,
        15.0,
        20.0,
        (6, 42),
        storey=4.0,
        filled=0.85,
        setback=7.0,
        years=(2000, 2024),
        forms="IIXOLT",
    ),
    Use.GOVERNMENT: Pattern(
        70.0, 38.0, 20.0, 30.0, (4, 14), storey=3.8, filled=0.9, setback=12.0, years=(1998, 2015), forms="UHT"
    ),
    Use.SCHOOL: Pattern(
        56.0, 30.0, 14.0, 22.0, (3, 5), storey=3.7, filled=0.9, setback=8.0, years=(1980, 2019), forms="LUHTL"
    ),
    Use.HOSPITAL: Pattern(
        60.0,
        34.0,
        14.0,
        22.0,
        (4, 16),
        storey=4.0,
        filled=0.9,
        setback=8.0,
        years=(1985, 2020),
        forms="HTULX",
    ),
    Use.WELFARE: Pattern(
        48.0, 28.0, 14.0, 22.0, (3, 5), storey=3.6, filled=0.85, setback=8.0, years=(1998, 2020), forms="ULH"
    ),
    Use.INDUSTRY: Pattern(
        68.0, 34.0, 12.0, 14.0, (1, 3), storey=6.0, filled=0.9, setback=7.0, years=(1995, 2020), forms="IIIL"
    ),
    Use.STORAGE: Pattern(
        84.0, 38.0, 14.0, 18.0, (1, 1), storey=9.0, filled=0.9, setback=7.0, years=(1998, 2019)
    ),
    Use.STATION: Pattern(
        96.0, 40.0, 30.0, 40.0, (2, 3), storey=9.0, filled=0.7, setback=10.0, years=(2008, 2014)
    ),
    Use.UTILITIES: Pattern(
        26.0, 14.0, 16.0, 18.0, (1, 2), storey=4.5, filled=0.6, setback=6.0, years=(1990, 2016)
    ),
    Use.PARK: Pattern(
        14.0, 9.0, 60.0, 70.0, (1, 1), storey=4.5, filled=0.35, loose=12.0, setback=8.0, years=(1985, 2018)
    ),
}


@dataclass(frozen=True, slots=True)
class Buildings:
    """Footprints and what stands on them.

    Attributes
    ----------
    shapes
        Footprints, metres.
    x, y
        Middles, metres.
    face
        The face that each stands on, wholly.
    use
        `Use` of the land.
    floors, height
        Storeys, and metres above ground.
    year
        Year of completion.
    floor_area
        All storeys together, m2.
    homes
        Dwellings.

    """

    shapes: Geometries
    x: Floats
    y: Floats
    face: Ints
    use: Ints
    floors: Ints
    height: Floats
    year: Ints
    floor_area: Floats
    homes: Ints


def raise_buildings(settings: Settings, fabric: Fabric, land: Land) -> Buildings:
    """Place buildings on all parcels, wholly inside them and clear of each other."""
    random = settings.draws("buildings")
    shapes: list[Geometries] = []
    faces: list[Ints] = []
    for use, pattern in PATTERNS.items():
        parcels = _sites(land, use, pattern)
        if len(parcels):
            placed, face = _place(parcels, land.parcels, pattern, random)
            shapes.append(placed)
            faces.append(face)
    shape, face = np.concatenate(shapes), np.concatenate(faces)
    order = np.argsort(face, kind="stable")
    shape, face = shape[order], face[order]
    floors, year = _storeys(fabric, land, face, random)
    area = shapely.area(shape)
    floors = _fit_to_population(settings, land.use[face], floors, area)
    storey = np.array(
        [PATTERNS[Use(kind)].storey if Use(kind) in PATTERNS else 3.0 for kind in range(len(Use))]
    )
    middle = shapely.get_coordinates(shapely.centroid(shape))
    is_home = np.isin(land.use[face], HOUSING)
    homes = np.where(is_home, np.maximum(1, np.floor(floors * area / FLOOR_AREA_PER_HOME)), 0).astype(
        np.int64
    )
    return Buildings(
        shapes=shape,
        x=np.round(middle[:, 0], 2),
        y=np.round(middle[:, 1], 2),
        face=face,
        use=land.use[face],
        floors=floors,
        height=np.round(floors * storey[land.use[face]] + 1.2, 1),
        year=year,
        floor_area=np.round(floors * area, 1),
        homes=homes,
    )


def _sites(land: Land, use: Use, pattern: Pattern) -> Ints:
    """Return the faces of a use on which there is room to build; a school keeps its sports ground."""
    faces = np.flatnonzero(
        (land.use == use) & (shapely.area(land.parcels) > 1.5 * pattern.length * pattern.depth)
    )
    if use == Use.SCHOOL:
        return np.asarray(faces[~sports_ground(land, faces)])
    return faces


def sports_ground(land: Land, faces: Ints) -> Bools:
    """Return which faces of schools are sports grounds: some of those that hold a running track."""
    tracks = running_tracks(land, faces)
    fits = shapely.contains(land.parcels[faces], tracks)
    return np.asarray(fits & (faces % 2 == 0), dtype=bool)


def running_tracks(land: Land, faces: Ints) -> Geometries:
    """Return the outline of a 250 m running track in the middle of each face, along its longer side."""
    axis, _, _ = _axes(land.parcels[faces])
    middle = shapely.get_coordinates(shapely.centroid(land.parcels[faces]))
    half = 22.0 * np.column_stack([np.cos(axis), np.sin(axis)])
    return np.asarray(
        shapely.buffer(shapely.linestrings(np.stack([middle - half, middle + half], axis=1)), 24.0)
    )


def _axes(shapes: Geometries) -> tuple[Floats, Floats, Floats]:
    """Return the direction (radians, nearest to east-west) of shapes, and their sides along and across it."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(shapes)).reshape(-1, 5, 2)
    side = corners[:, 1] - corners[:, 0]
    angle = np.arctan2(side[:, 1], side[:, 0])
    turned = (angle + np.pi / 4.0) % (np.pi / 2.0) - np.pi / 4.0
    first, second = np.hypot(*side.T), np.hypot(*(corners[:, 2] - corners[:, 1]).T)
    swapped = np.abs(np.sin(angle - turned)) > 0.5
    return turned, np.where(swapped, second, first), np.where(swapped, first, second)


def _place(
    faces: Ints, parcels: Geometries, pattern: Pattern, random: np.random.Generator
) -> tuple[Geometries, Ints]:
    """Return footprints in rows that fill each parcel, and their faces."""
    sites = shapely.buffer(parcels[faces], -pattern.setback, join_style="mitre")
    roomy = ~shapely.is_empty(sites)
    faces, sites = faces[roomy], sites[roomy]
    if not len(faces):
        return np.array([], dtype=object), np.array([], dtype=np.int64)
    angle, _, _ = _axes(sites)
    level = _turned(sites, -angle)
    site, low, high, bottom = _rows(level, pattern, random)
    room = high - low + pattern.gap
    count = np.floor(room / (0.86 * pattern.length + pattern.gap)).astype(np.int64)
    row = np.repeat(np.arange(len(site)), count)
    index = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    pitch = (room / np.maximum(count, 1))[row]
    length = np.minimum(pitch - pattern.gap, 1.3 * pattern.length) * random.uniform(0.92, 1.0, len(row))
    depth = pattern.depth * random.uniform(0.95, 1.0, len(row))
    stray = random.uniform(-1.0, 1.0, (2, len(row))) * pattern.loose
    u = low[row] + pitch * index + (pitch - pattern.gap) / 2.0 + stray[0]
    v = bottom[row] + pattern.depth / 2.0 + stray[1]
    kept = random.random(len(row)) < pattern.filled
    shapely.prepare(sites)
    kept &= shapely.contains(sites[site[row]], _outlines(u, v, length, depth, angle[site[row]], "I"))
    form = random.choice(list(pattern.forms), len(sites))[site[row]]
    form = np.where(random.random(len(row)) < 0.25, random.choice(list(pattern.forms), len(row)), form)
    mirrored = random.choice([-1.0, 1.0], (2, len(row)))
    shapes = np.full(len(row), None, dtype=object)
    for letter in sorted(set(pattern.forms)):
        which = kept & (form == letter)
        along, across = mirrored[0, which] * length[which], mirrored[1, which] * depth[which]
        shapes[which] = _outlines(u[which], v[which], along, across, angle[site[row]][which], letter)
    return shapes[kept], faces[site[row][kept]]


def _turned(shapes: Geometries, angle: Floats) -> Geometries:
    """Return shapes turned about the origin, each by its own angle (radians)."""
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    cosine, sine = np.cos(angle)[owner], np.sin(angle)[owner]
    turned = np.column_stack(
        [cosine * points[:, 0] - sine * points[:, 1], sine * points[:, 0] + cosine * points[:, 1]]
    )
    return np.asarray(shapely.set_coordinates(shapes.copy(), turned), dtype=object)


def _rows(
    sites: Geometries, pattern: Pattern, random: np.random.Generator
) -> tuple[Ints, Floats, Floats, Floats]:
    """Return the rows of level sites: the site of each, its usable interval along, and its lower edge."""
    _, low, _, high = shapely.bounds(sites).T
    rows = np.floor((high - low + pattern.spacing) / (pattern.depth + pattern.spacing)).astype(np.int64)
    site = np.repeat(np.arange(len(sites)), rows)
    index = np.arange(len(site)) - np.repeat(np.cumsum(rows) - rows, rows)
    pitch = ((high - low + pattern.spacing) / np.maximum(rows, 1))[site]
    slack = np.maximum(pitch - pattern.spacing - pattern.depth, 0.0)
    bottom = low[site] + pitch * index + slack * random.uniform(0.2, 0.8, len(sites))[site]
    west, east = np.full(len(site), -1e9), np.full(len(site), 1e9)
    ends = np.full(len(site), 1e6)
    for v in (bottom + 0.01, bottom + pattern.depth - 0.01):
        lines = shapely.linestrings(np.stack([np.stack([-ends, v], -1), np.stack([ends, v], -1)], axis=1))
        bounds = shapely.bounds(shapely.intersection(lines, sites[site]))
        west = np.fmax(west, np.where(np.isnan(bounds[:, 0]), 1e9, bounds[:, 0]))
        east = np.fmin(east, np.where(np.isnan(bounds[:, 2]), -1e9, bounds[:, 2]))
    usable = east - west > 0.5 * pattern.length
    return site[usable], west[usable] + 0.02, east[usable] - 0.02, bottom[usable]


def _outlines(u: Floats, v: Floats, length: Floats, depth: Floats, angle: Floats, form: str) -> Geometries:
    """Return outlines of a form about points of the turned plane; a negative side mirrors it."""
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    corners = np.array(FORMS[form])
    along = u[:, None] + length[:, None] * corners[:, 0]
    across = v[:, None] + depth[:, None] * corners[:, 1]
    x, y = cosine * along - sine * across, sine * along + cosine * across
    return np.asarray(shapely.polygons(np.round(np.stack([x, y], axis=-1), 2)), dtype=object)


def _storeys(fabric: Fabric, land: Land, face: Ints, random: np.random.Generator) -> tuple[Ints, Ints]:
    """Return storeys and year of each building; a block was built at one time to nearly one height."""
    blocks = int(fabric.block.max()) + 1
    of_block = random.uniform(0.0, 1.0, blocks)
    when = random.uniform(0.0, 1.0, blocks)
    low, high, first, last = np.ones((4, len(Use)))
    for kind, pattern in PATTERNS.items():
        low[kind], high[kind] = pattern.floors
        first[kind], last[kind] = pattern.years
    use, block = land.use[face], fabric.block[face]
    spread = 0.62 * land.centrality[face] ** 0.8 + 0.30 * of_block[block] + 0.08 * random.random(len(face))
    floors = np.rint(low[use] + (high[use] - low[use]) * np.clip(spread, 0.0, 1.0))
    landmark = (use == Use.OFFICES) & (random.random(len(face)) < 0.06)
    floors = np.where(landmark, np.rint(floors * 1.35), floors)
    year = first[use] + (last[use] - first[use]) * np.clip(
        when[block] + random.normal(0.0, 0.04, len(face)), 0.0, 1.0
    )
    return floors.astype(np.int64), year.astype(np.int64)


def _fit_to_population(settings: Settings, use: Ints, floors: Ints, area: Floats) -> Ints:
    """Stretch the storeys of housing so that the city just holds its people, some homes standing empty."""
    is_home: Bools = np.isin(use, HOUSING)
    need = settings.scale.population * FLOOR_AREA_PER_PERSON / 0.86
    tall = is_home & np.isin(use, (Use.SLAB_HOUSING, Use.TOWER_HOUSING))
    low = float((floors * area)[is_home & ~tall].sum())
    have = float((floors * area)[tall].sum())
    factor = float(np.clip((need - low) / max(have, 1.0), 0.45, 2.2))
    return np.where(tall, np.maximum(2, np.rint(floors * factor)), floors).astype(np.int64)
