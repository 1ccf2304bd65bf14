"""Administrative units: districts, streets, communities and unit grids that nest exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from jingwei.city.demo.arrays import Bools, Floats, Geometries, Ints, Texts, totals
from jingwei.city.demo.buildings import Buildings
from jingwei.city.demo.fabric import Fabric
from jingwei.city.demo.land import Land, Use
from jingwei.city.demo.names import DISTRICTS, FIRST, SECOND, distinct
from jingwei.city.demo.plan import Plan
from jingwei.city.demo.settings import Settings

# GB/T 2260 assigns no province the number 39, so no code below it is that of a real place.
PROVINCE = "39"
CITY_CODE = PROVINCE + "0100"


@dataclass(frozen=True, slots=True)
class Level:
    """The units of one level.

    Attributes
    ----------
    codes, names
        Code and Chinese name of each unit.
    parent
        Number of the unit above.
    shapes
        Polygons, metres.
    urban
        True where most of the land is built up.

    """

    codes: Texts
    names: Texts
    parent: Ints
    shapes: Geometries
    urban: Bools


@dataclass(frozen=True, slots=True)
class Divisions:
    """The city's administrative units.

    Attributes
    ----------
    districts, streets, communities
        The units of each level.
    district, street, community
        The unit of each face, by level.
    grid_codes
        The 15-digit code of each face as a unit grid: district 6, street 3, community 3, sequence 3
        (sequence from north to south, and from west to east within a row).

    """

    districts: Level
    streets: Level
    communities: Level
    district: Ints
    street: Ints
    community: Ints
    grid_codes: Texts


@dataclass(frozen=True, slots=True)
class _Cells:
    """Faces grouped into the cells that a level is made of, with their borders."""

    of_face: Ints
    x: Floats
    y: Floats
    weight: Floats
    one: Ints
    other: Ints
    border: Floats


def divide(settings: Settings, plan: Plan, fabric: Fabric, land: Land, buildings: Buildings) -> Divisions:
    """Divide the city into districts, streets, communities and unit grids."""
    random = settings.draws("divisions")
    scale = settings.scale
    homes = np.bincount(buildings.face, buildings.homes, minlength=len(fabric.faces))
    weight = homes + 1e-4 * shapely.area(fabric.faces)
    one, other, border = _borders(fabric.faces)
    by_superblock = _cells(fabric.superblock, fabric, weight, one, other, border)
    by_block = _cells(fabric.block, fabric, weight, one, other, border)
    north = _north_of_river(plan, by_superblock)
    whole = np.zeros(len(by_superblock.x), dtype=np.int64)
    district = _split_all(by_superblock, whole, [scale.districts], barrier=north)
    shares = _shares(totals(district, by_superblock.weight), scale.streets)
    street = _split_all(by_superblock, district, shares)
    district_of_face, street_of_face = district[by_superblock.of_face], street[by_superblock.of_face]
    street_of_block = _of_cell(by_block, street_of_face)
    shares = _shares(totals(street_of_block, by_block.weight), scale.communities)
    community = _split_all(by_block, street_of_block, shares)
    community_of_face = community[by_block.of_face]
    urban_face = (fabric.remoteness < 1.0) & (land.use != Use.WATER)
    return _named(fabric, random, district_of_face, street_of_face, community_of_face, urban_face)


def _borders(faces: Geometries) -> tuple[Ints, Ints, Floats]:
    """Return pairs of faces that share a border, and its length in metres."""
    one, other = shapely.STRtree(faces).query(faces, predicate="touches")
    ahead = one < other
    one, other = one[ahead], other[ahead]
    border = shapely.length(shapely.intersection(faces[one], faces[other]))
    real = border > 0.5
    return one[real], other[real], border[real]


def _cells(group: Ints, fabric: Fabric, weight: Floats, one: Ints, other: Ints, border: Floats) -> _Cells:
    """Group faces, and sum the borders between the groups."""
    _, of_face = np.unique(group, return_inverse=True)
    middle = shapely.get_coordinates(shapely.centroid(fabric.faces))
    area = shapely.area(fabric.faces)
    total = totals(of_face, area)
    count = len(total)
    apart = of_face[one] != of_face[other]
    low = np.minimum(of_face[one], of_face[other])[apart]
    high = np.maximum(of_face[one], of_face[other])[apart]
    key, inverse = np.unique(low * count + high, return_inverse=True)
    return _Cells(
        of_face,
        totals(of_face, middle[:, 0] * area) / total,
        totals(of_face, middle[:, 1] * area) / total,
        totals(of_face, weight),
        key // count,
        key % count,
        totals(inverse, border[apart]),
    )


def _of_cell(cells: _Cells, of_face: Ints) -> Ints:
    value = np.zeros(len(cells.x), dtype=np.int64)
    value[cells.of_face] = of_face
    return value


def _north_of_river(plan: Plan, cells: _Cells) -> Bools:
    u = np.linspace(0.0, len(plan.columns) - 1.0, 400)
    x, y = plan.place(u, np.full_like(u, plan.strip + 2.0))
    order = np.argsort(x)
    return np.asarray(cells.y > np.interp(cells.x, x[order], y[order]))


def _shares(weight: Floats, total: int) -> list[int]:
    """Return how many of `total` parts each unit gets, at least one, by its weight (largest remainders)."""
    exact = weight / weight.sum() * total
    parts = np.maximum(1, np.floor(exact)).astype(np.int64)
    order = np.argsort(-(exact - np.floor(exact)), kind="stable")
    for index in np.tile(order, 2)[: max(0, total - int(parts.sum()))]:
        parts[index] += 1
    return [int(part) for part in parts]


def _split_all(cells: _Cells, parent: Ints, parts: list[int], *, barrier: Bools | None = None) -> Ints:
    """Split each parent's cells into connected parts of like weight, and number the parts through."""
    label = np.full(len(cells.x), -1, dtype=np.int64)
    following = 0
    for unit, count in enumerate(parts):
        members = np.flatnonzero(parent == unit)
        count = min(count, len(members))
        if barrier is not None and count > 1:
            sides = [members[barrier[members]], members[~barrier[members]]]
            for side, number in zip(
                sides, _shares(np.array([cells.weight[s].sum() for s in sides]), count), strict=True
            ):
                following = _bisect(cells, side, number, label, following)
        else:
            following = _bisect(cells, members, count, label, following)
    return _mend(cells, parent, label)


def _bisect(cells: _Cells, members: Ints, count: int, label: Ints, following: int) -> int:
    """Recursive coordinate bisection: cut across the longer axis in proportion to the weight."""
    if count == 1:
        label[members] = following
        return following + 1
    x, y = cells.x[members], cells.y[members]
    mean_x, mean_y = x.mean(), y.mean()
    xx, yy, xy = ((x - mean_x) ** 2).sum(), ((y - mean_y) ** 2).sum(), ((x - mean_x) * (y - mean_y)).sum()
    angle = 0.5 * np.arctan2(2.0 * xy, xx - yy)
    order = np.argsort((x - mean_x) * np.cos(angle) + (y - mean_y) * np.sin(angle), kind="stable")
    left = count // 2
    weight = np.cumsum(cells.weight[members[order]])
    cut = int(np.searchsorted(weight, weight[-1] * left / count)) + 1
    cut = min(max(cut, left), len(members) - (count - left))
    following = _bisect(cells, members[order[:cut]], left, label, following)
    return _bisect(cells, members[order[cut:]], count - left, label, following)


def _mend(cells: _Cells, parent: Ints, label: Ints) -> Ints:
    """Give stray pieces of a part to the neighbour with the longest border, until every part is connected."""
    count = len(label)
    for _ in range(20):
        same = label[cells.one] == label[cells.other]
        links = coo_array(
            (np.ones(int(same.sum())), (cells.one[same], cells.other[same])), shape=(count, count)
        )
        _, piece = connected_components(links, directed=False)
        weight = np.bincount(piece, cells.weight)
        piece_label = np.zeros(len(weight), dtype=np.int64)
        piece_label[piece] = label
        order = np.lexsort((-weight, piece_label))
        main = np.zeros(len(weight), dtype=bool)
        main[order[np.concatenate([[True], piece_label[order][1:] != piece_label[order][:-1]])]] = True
        if main.all():
            break
        moved = False
        for stray in np.flatnonzero(~main):
            inside = piece == stray
            crossing = (inside[cells.one] != inside[cells.other]) & (parent[cells.one] == parent[cells.other])
            if not crossing.any():
                continue
            beyond = np.where(inside[cells.one[crossing]], cells.other[crossing], cells.one[crossing])
            label[inside] = np.bincount(label[beyond], cells.border[crossing]).argmax()
            moved = True
        if not moved:
            break
    return label


def _named(
    fabric: Fabric, random: np.random.Generator, district: Ints, street: Ints, community: Ints, urban: Bools
) -> Divisions:
    districts = _level(fabric, district, np.zeros(int(district.max()) + 1, dtype=np.int64), urban)
    streets = _level(fabric, street, _parent_of(street, district), urban)
    communities = _level(fabric, community, _parent_of(community, street), urban)
    number = np.arange(len(districts.parent)) + 2
    district_codes = np.array([f"{PROVINCE}01{value:02d}" for value in number], dtype=object)
    name = np.array(DISTRICTS, dtype=object)[random.permutation(len(DISTRICTS))][: len(number)]
    districts = _with_names(districts, district_codes, name + "区")
    rank = _rank_within(streets.parent, ~streets.urban)
    in_street = np.where(streets.urban, rank + 1, rank + 100)
    street_codes = np.array(
        [
            f"{district_codes[parent]}{value:03d}"
            for parent, value in zip(streets.parent, in_street, strict=True)
        ],
        dtype=object,
    )
    given = distinct(random, FIRST, SECOND, len(streets.parent) + len(communities.parent))
    streets = _with_names(
        streets, street_codes, given[: len(street_codes)] + np.where(streets.urban, "街道", "镇")
    )
    rank = _rank_within(communities.parent, np.zeros(len(communities.parent), bool)) + 1
    community_codes = np.array(
        [
            f"{street_codes[parent]}{value:03d}"
            for parent, value in zip(communities.parent, rank, strict=True)
        ],
        dtype=object,
    )
    communities = _with_names(
        communities, community_codes, given[len(street_codes) :] + np.where(communities.urban, "社区", "村")
    )
    return Divisions(
        districts,
        streets,
        communities,
        district,
        street,
        community,
        _grid_codes(fabric.faces, community, community_codes),
    )


def _with_names(level: Level, codes: Texts, names: Texts) -> Level:
    return Level(codes, names, level.parent, level.shapes, level.urban)


def _parent_of(child: Ints, parent: Ints) -> Ints:
    of_child = np.zeros(int(child.max()) + 1, dtype=np.int64)
    of_child[child] = parent
    return of_child


def _level(fabric: Fabric, of_face: Ints, parent: Ints, urban: Bools) -> Level:
    area = shapely.area(fabric.faces)
    share = np.bincount(of_face, area * urban) / np.bincount(of_face, area)
    order = np.argsort(of_face, kind="stable")
    pieces = np.split(fabric.faces[order], np.cumsum(np.bincount(of_face))[:-1])
    shapes = np.array(
        [shapely.normalize(shapely.coverage_union_all(piece)) for piece in pieces], dtype=object
    )
    nothing = np.full(len(parent), "", dtype=object)
    return Level(nothing, nothing, parent, shapes, np.asarray(share > 0.3))


def _rank_within(parent: Ints, kind: Bools) -> Ints:
    """Return each unit's position among those of the same parent and kind."""
    key = parent * 2 + kind
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], key[order][1:] != key[order][:-1]]))
    rank = np.zeros(len(parent), dtype=np.int64)
    rank[order] = np.arange(len(parent)) - np.repeat(starts, np.diff(np.append(starts, len(parent))))
    return rank


def _grid_codes(faces: Geometries, community: Ints, codes: Texts) -> Texts:
    middle = shapely.get_coordinates(shapely.centroid(faces))
    order = np.lexsort((middle[:, 0], -np.floor(middle[:, 1] / 100.0), community))
    starts = np.flatnonzero(np.concatenate([[True], community[order][1:] != community[order][:-1]]))
    sequence = np.zeros(len(faces), dtype=np.int64)
    sequence[order] = np.arange(len(faces)) - np.repeat(starts, np.diff(np.append(starts, len(faces)))) + 1
    return np.array(
        [f"{codes[unit]}{number:03d}" for unit, number in zip(community, sequence, strict=True)], dtype=object
    )
