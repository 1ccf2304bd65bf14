"""The fabric of the city: the plane cut without gap or overlap into faces, the later unit grids.

The skeleton of lines is cut into superblocks; superblocks are halved across their longer side until blocks
have the size that their place in the city asks for, each cut being a street; blocks are halved on into
faces of about a hectare without streets between them. All cuts are then noded together at one centimetre,
so that neighbouring faces share every vertex of their common border.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from jingwei.city.demo.arrays import Bools, Floats, Geometries, Ints, Texts
from jingwei.city.demo.lines import Line, Lines
from jingwei.city.demo.plan import Plan
from jingwei.city.demo.settings import Settings

GRID_SIZE = 0.01
SMALLEST_FACE = 1_200.0
URBAN_FACE = 10_000.0
RURAL_FACE = 50_000.0


@dataclass(frozen=True, slots=True)
class Fabric:
    """Faces that tile the municipality, and the noded lines between them.

    Attributes
    ----------
    faces
        Polygons, metres; neighbours share their vertices.
    block
        Number of the block that each face is part of (blocks are bounded by streets).
    superblock
        Number of the superblock.
    remoteness
        0 at the middle, 1 at the edge of the built-up area.
    surface
        `Row` of river strip faces: -1 land, otherwise 0 green bank, 1 water.
    edges
        Noded line strings, each between two nodes.
    edge_kinds, edge_ways, edge_bridges
        As in `Lines`.

    """

    faces: Geometries
    block: Ints
    superblock: Ints
    remoteness: Floats
    surface: Ints
    edges: Geometries
    edge_kinds: Ints
    edge_ways: Texts
    edge_bridges: Bools


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Polygons on their way to becoming faces."""

    shapes: Geometries
    superblock: Ints
    block: Ints
    remoteness: Floats

    def take(self, which: Bools | Ints) -> _Pieces:
        return _Pieces(self.shapes[which], self.superblock[which], self.block[which], self.remoteness[which])


def weave(settings: Settings, plan: Plan, lines: Lines) -> Fabric:
    """Cut the plane into faces and node the lines between them."""
    pieces = _superblocks(plan, lines)
    surface = _surface_of(plan, pieces)
    cuts, kinds, ways, leaves = _subdivide(settings, pieces.take(surface < 0))
    leaves = _join(leaves, pieces.take(surface >= 0))
    shapes = np.concatenate([lines.shapes, cuts])
    all_kinds = np.concatenate([lines.kinds, kinds])
    all_ways = np.concatenate([lines.ways, ways])
    bridges = np.concatenate([lines.bridges, np.zeros(len(cuts), np.int64)])
    edges = shapely.get_parts(shapely.union_all(shapes, grid_size=GRID_SIZE))
    faces = shapely.get_parts(shapely.polygonize(edges))
    source = _source_of(edges, shapes, all_kinds)
    leaf = _leaf_of(faces, leaves.shapes)
    faces, leaf = _merge_slivers(faces, leaf, _surface_of_leaf(leaves, surface, leaf))
    return Fabric(
        faces=faces,
        block=leaves.block[leaf],
        superblock=leaves.superblock[leaf],
        remoteness=leaves.remoteness[leaf],
        surface=_surface_of_leaf(leaves, surface, leaf),
        edges=edges,
        edge_kinds=all_kinds[source],
        edge_ways=all_ways[source],
        edge_bridges=bridges[source].astype(bool),
    )


def _superblocks(plan: Plan, lines: Lines) -> _Pieces:
    """Return the faces of the skeleton with the remoteness of the lattice cell that they lie in."""
    shapes = shapely.get_parts(
        shapely.polygonize(shapely.get_parts(shapely.union_all(lines.shapes, grid_size=GRID_SIZE)))
    )
    shapes = shapes[shapely.area(shapes) > 1.0]
    u, v = np.meshgrid(
        np.linspace(0, len(plan.columns) - 1, 4 * len(plan.columns) - 3),
        np.linspace(0, len(plan.rows) - 1, 4 * len(plan.rows) - 3),
    )
    x, y = plan.place(u.ravel(), v.ravel())
    tree = shapely.STRtree(shapely.points(x, y))
    nearest = tree.nearest(shapely.point_on_surface(shapes))
    remoteness = plan.remoteness(u.ravel(), v.ravel())[nearest]
    order = np.lexsort((shapely.get_y(shapely.centroid(shapes)), shapely.get_x(shapely.centroid(shapes))))
    number = np.arange(len(shapes))
    return _Pieces(shapes[order], number, number.copy(), remoteness[order])


def _surface_of(plan: Plan, pieces: _Pieces) -> Ints:
    """Return -1 for land, 0 for the green banks of the river and 1 for its water."""
    inside = shapely.point_on_surface(pieces.shapes)
    u = np.linspace(0.0, len(plan.columns) - 1.0, 8 * len(plan.columns))
    surface = np.full(len(pieces.shapes), -1, dtype=np.int64)
    for value, (low, high) in ((0, (0, 4)), (1, (1, 3))):
        south, north = (
            np.column_stack(plan.place(u, np.full_like(u, float(plan.strip + row)))) for row in (low, high)
        )
        band = shapely.polygons(np.concatenate([south, north[::-1]]))
        shapely.prepare(band)
        surface[shapely.contains(band, inside)] = value
    return surface


def _surface_of_leaf(leaves: _Pieces, surface: Ints, leaf: Ints) -> Ints:
    """Return the surface of faces by the leaf that they come from: river pieces were joined last."""
    river = surface[surface >= 0]
    of_leaf = np.concatenate([np.full(len(leaves.shapes) - len(river), -1), river])
    return of_leaf[leaf]


def _join(first: _Pieces, second: _Pieces) -> _Pieces:
    block = second.superblock + 1 + (first.block.max() if len(first.block) else 0)
    return _concatenate([first, replace(second, block=block)])


def block_size(remoteness: Floats) -> Floats:
    """Return the largest area (m2) of a block: small in the old centre, larger outwards, fields beyond."""
    return np.interp(
        remoteness, [0.0, 0.25, 0.6, 0.95, 1.0, 1.05], [18_000, 26_000, 42_000, 70_000, 70_000, 1e9]
    )


def face_size(remoteness: Floats) -> Floats:
    """Return the area (m2) aimed at for a face: about a hectare in town, more in the fields."""
    return np.where(remoteness < 1.0, URBAN_FACE, np.interp(remoteness, [1.0, 1.25], [30_000.0, RURAL_FACE]))


def _subdivide(settings: Settings, pieces: _Pieces) -> tuple[Geometries, Ints, Texts, _Pieces]:
    """Halve pieces until they are small enough; return the cuts, their kinds and ways, and the leaves."""
    random = settings.draws("blocks")
    cuts: list[Geometries] = []
    kinds: list[Ints] = []
    ways: list[Texts] = []
    done: list[_Pieces] = []
    streets = True
    for level in range(40):
        if not len(pieces.shapes):
            break
        target = block_size(pieces.remoteness) if streets else 1.42 * face_size(pieces.remoteness)
        large = shapely.area(pieces.shapes) > target
        done.append(pieces.take(~large))
        pieces = pieces.take(large)
        if not len(pieces.shapes):
            if not streets:
                break
            pieces, done, streets = _number_blocks(done), [], False
            continue
        lines, halves, parent = _halve(pieces.shapes, random)
        cuts.append(lines)
        kinds.append(np.full(len(lines), Line.BRANCH if streets else Line.BOUNDARY, dtype=np.int64))
        ways.append(np.array([f"cut:{level}:{index}" for index in range(len(lines))], dtype=object))
        pieces = _Pieces(halves, pieces.superblock[parent], pieces.block[parent], pieces.remoteness[parent])
    none = np.array([], dtype=object)
    return (
        np.concatenate(cuts) if cuts else none,
        np.concatenate(kinds) if kinds else none.astype(np.int64),
        np.concatenate(ways) if ways else none,
        _concatenate(done),
    )


def _concatenate(pieces: list[_Pieces]) -> _Pieces:
    return _Pieces(
        np.concatenate([piece.shapes for piece in pieces]),
        np.concatenate([piece.superblock for piece in pieces]),
        np.concatenate([piece.block for piece in pieces]),
        np.concatenate([piece.remoteness for piece in pieces]),
    )


def _number_blocks(done: list[_Pieces]) -> _Pieces:
    pieces = _concatenate(done)
    return replace(pieces, block=np.arange(len(pieces.shapes)))


def _halve(shapes: Geometries, random: np.random.Generator) -> tuple[Geometries, Geometries, Ints]:
    """Cut polygons across their longer side, near the middle; return cuts, halves, and each half's parent."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(shapes)).reshape(-1, 5, 2)
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]
    first_longer = (np.hypot(*first.T) >= np.hypot(*second.T))[:, None]
    long = np.where(first_longer, first, second)
    across = np.where(first_longer, second, first)
    origin = np.where(first_longer, corners[:, 0], corners[:, 1])
    side = np.where(first_longer, 1.0, -1.0)
    across = across * side
    part = 0.5 + random.uniform(-0.09, 0.09, len(shapes))
    start = origin + long * part[:, None] - 0.5 * across
    end = start + 2.0 * across
    cutters = shapely.linestrings(np.stack([start, end], axis=1))
    back = 1.5 * long
    halfplanes = shapely.polygons(np.stack([start, end, end - back, start - back], axis=1))
    lines = shapely.intersection(cutters, shapes)
    near, far = shapely.intersection(shapes, halfplanes), shapely.difference(shapes, halfplanes)
    halves, index = shapely.get_parts(np.concatenate([near, far]), return_index=True)
    polygonal = (shapely.get_type_id(halves) == 3) & (shapely.area(halves) > 1.0)
    cuts = shapely.get_parts(lines)
    cuts = cuts[(shapely.get_dimensions(cuts) == 1) & (shapely.length(cuts) > 0.05)]
    return cuts, halves[polygonal], index[polygonal] % len(shapes)


def _source_of(edges: Geometries, shapes: Geometries, kinds: Ints) -> Ints:
    """Return for each noded edge the line it is a piece of: of several, the most important."""
    middles = shapely.line_interpolate_point(edges, 0.5, normalized=True)
    tree = shapely.STRtree(shapes)
    edge, line = tree.query(middles, predicate="dwithin", distance=2.0 * GRID_SIZE)
    order = np.lexsort((line, -kinds[line], edge))
    edge, line = edge[order], line[order]
    first = np.concatenate([[True], edge[1:] != edge[:-1]]) if len(edge) else np.array([], dtype=bool)
    source = tree.nearest(middles)
    source[edge[first]] = line[first]
    return np.asarray(source, dtype=np.int64)


def _leaf_of(faces: Geometries, leaves: Geometries) -> Ints:
    inside = shapely.point_on_surface(faces)
    return np.asarray(shapely.STRtree(leaves).nearest(inside), dtype=np.int64)


def _merge_slivers(faces: Geometries, leaf: Ints, surface: Ints) -> tuple[Geometries, Ints]:
    """Join faces that are too small to manage with the neighbour they share the longest border with."""
    area = shapely.area(faces)
    small = np.flatnonzero((area < SMALLEST_FACE) & (surface < 0))
    if not len(small):
        return faces, leaf
    one, other = shapely.STRtree(faces).query(faces[small], predicate="touches")
    keep = surface[other] < 0
    one, other = small[one[keep]], other[keep]
    border = shapely.length(shapely.intersection(faces[one], faces[other]))
    order = np.lexsort((other, -border, one))
    one, other, border = one[order], other[order], border[order]
    first = np.concatenate([[True], one[1:] != one[:-1]]) & (border > 0.0)
    links = coo_array((np.ones(int(first.sum())), (one[first], other[first])), shape=(len(faces), len(faces)))
    _, group = connected_components(links, directed=False)
    order = np.lexsort((-area, group))
    starts = np.flatnonzero(np.concatenate([[True], group[order][1:] != group[order][:-1]]))
    sizes = np.diff(np.append(starts, len(order)))
    merged = faces[order[starts]].copy()
    for index in np.flatnonzero(sizes > 1):
        merged[index] = shapely.coverage_union_all(faces[order[starts[index] : starts[index] + sizes[index]]])
    whole = shapely.get_type_id(merged) == 3
    if not whole.all():
        return faces, leaf
    return merged, leaf[order[starts]]
