"""Mapbox Vector Tiles 2.1: generalised geometries of a tile, encoded with NumPy.

The container holds shapely geometries, so a tile is made by whole-array operations on their coordinates:
all parts of all geometries become one string of varints. `bench/web.py` measures it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EXTENT = 4096
BUFFER = 128
"""Units by which geometries reach beyond the tile, so that no line ends visibly at its edge."""

POINT, LINE, POLYGON = 1, 2, 3
_KIND = {0: POINT, 4: POINT, 1: LINE, 2: LINE, 5: LINE, 3: POLYGON, 6: POLYGON}
"""The MVT type (4.3.4) of each shapely geometry type."""

MERCATOR_LIMIT = 85.051128779806604
MOVE_TO, LINE_TO, CLOSE = 1, 2, 7


@dataclass(frozen=True, slots=True)
class TileLayer:
    """A layer of a tile: geometries in tile units, their ids, and columns of values beside them."""

    name: str
    shapes: NDArray[Any]
    ids: NDArray[np.int64]
    columns: dict[str, Sequence[str | int | float | None]]


def to_world(shapes: NDArray[Any]) -> NDArray[Any]:
    """Return geometries in degrees as spherical Mercator on the unit square, x east and y south."""

    def project(points: NDArray[np.float64]) -> NDArray[np.float64]:
        lat = np.radians(np.clip(points[:, 1], -MERCATOR_LIMIT, MERCATOR_LIMIT))
        y = 0.5 - np.log(np.tan(np.pi / 4 + lat / 2)) / (2 * np.pi)
        return np.column_stack([points[:, 0] / 360 + 0.5, y])

    return np.asarray(shapely.transform(shapes, project))


def tile_bounds(z: int, x: int, y: int, buffer: int = BUFFER) -> tuple[float, float, float, float]:
    """Return the bounds of a tile with its buffer on the unit square."""
    side = 1 / (1 << z)
    margin = side * buffer / EXTENT
    return x * side - margin, y * side - margin, (x + 1) * side + margin, (y + 1) * side + margin


def generalise(world: NDArray[Any], z: int) -> NDArray[Any]:
    """Return unit-square geometries without the detail that zoom `z` cannot show (half a pixel of 512)."""
    tolerance = 0.5 / (512 << z)
    return np.asarray(shapely.simplify(world, tolerance, preserve_topology=False))


def to_tile(world: NDArray[Any], z: int, x: int, y: int) -> NDArray[Any]:
    """Return unit-square geometries clipped to a tile with its buffer, in tile units."""
    clipped = shapely.clip_by_rect(world, *tile_bounds(z, x, y))
    scale = EXTENT * (1 << z)
    origin = np.array([x * EXTENT, y * EXTENT], np.float64)
    return np.asarray(shapely.transform(clipped, lambda points: points * scale - origin))


def encode(layers: Sequence[TileLayer]) -> bytes:
    """Return the bytes of a tile; features that vanish at this scale are left out."""
    return b"".join(_field(3, _layer(layer)) for layer in layers if len(layer.shapes))


def _layer(layer: TileLayer) -> bytes:
    commands, kinds = _commands(layer.shapes)
    names = list(layer.columns)
    values: dict[str | int | float, int] = {}
    features = []
    for number in range(len(layer.shapes)):
        if not commands[number]:
            continue
        tags = []
        for key, name in enumerate(names):
            value = layer.columns[name][number]
            if value is not None:
                tags += [key, values.setdefault(value, len(values))]
        body = (
            b"\x08" + _varint(int(layer.ids[number]))
            + (_field(2, b"".join(map(_varint, tags))) if tags else b"")
            + bytes((0x18, kinds[number]))
            + _field(4, commands[number])
        )  # fmt: skip
        features.append(_field(2, body))
    return b"".join(
        [
            b"\x78\x02",
            _field(1, layer.name.encode()),
            *features,
            *(_field(3, name.encode()) for name in names),
            *(_field(4, _value(value)) for value in values),
            b"\x28" + _varint(EXTENT),
        ]
    )


def _value(value: str | float) -> bytes:
    if isinstance(value, str):
        return _field(1, value.encode())
    if isinstance(value, int):
        return b"\x30" + _varint(value << 1 ^ value >> 63)
    return b"\x19" + np.float64(value).tobytes()


def _field(number: int, body: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _commands(shapes: NDArray[Any]) -> tuple[list[bytes], list[int]]:
    """Return for each geometry its encoded commands (4.3), empty where nothing is left, and its type.

    All parts of all geometries are encoded at once: each part is a run of vertices, and each run becomes
    MoveTo, LineTo and, for rings, ClosePath.
    """
    owners, parts, is_ring = _parts(shapes)
    points, run = shapely.get_coordinates(parts, return_index=True)
    whole = np.rint(points).astype(np.int64)
    keep = np.ones(len(run), bool)
    keep[1:] = (run[1:] != run[:-1]) | np.any(whole[1:] != whole[:-1], axis=1)
    last = np.flatnonzero(np.append(run[1:] != run[:-1], True)) if len(run) else np.empty(0, np.int64)
    keep[last[is_ring[run[last]]]] = False  # a ring's last vertex is its first
    whole, run = whole[keep], run[keep]
    lengths = np.bincount(run, minlength=len(parts))
    least = np.where(is_ring, 3, np.where(_is_line(shapes, owners), 2, 1))
    good = lengths >= least
    _drop_flat_rings(whole, run, is_ring, good)
    chosen = good[run]
    whole, run = whole[chosen], run[chosen]
    return _written(shapes, owners, is_ring, whole, run)


def _parts(shapes: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[np.bool_]]:
    """Return the owners, the single lines, rings and points of the geometries, and which are rings.

    Rings run as the format wants them: outer ones clockwise on the screen, inner ones counter-clockwise.
    """
    singles, owners = shapely.get_parts(shapes, return_index=True)
    areas = shapely.get_type_id(singles) == 3
    # In tiles y grows to the south: what is counter-clockwise for shapely is clockwise here.
    singles[areas] = shapely.orient_polygons(singles[areas], exterior_cw=False)
    rings, polygon = shapely.get_rings(singles[areas], return_index=True)
    order = np.concatenate([np.flatnonzero(~areas), np.flatnonzero(areas)[polygon]])
    parts = np.concatenate([singles[~areas], rings])
    is_ring = np.concatenate([np.zeros(int((~areas).sum()), bool), np.ones(len(rings), bool)])
    arranged = np.argsort(order, kind="stable")
    return owners[order[arranged]], parts[arranged], is_ring[arranged]


def _is_line(shapes: NDArray[Any], owners: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.isin(shapely.get_type_id(shapes)[owners], (1, 2, 5))


def _drop_flat_rings(
    whole: NDArray[np.int64], run: NDArray[np.int64], is_ring: NDArray[np.bool_], good: NDArray[np.bool_]
) -> None:
    """Mark as not good the rings whose area is zero once their vertices are whole numbers."""
    if not is_ring.any() or not len(run):
        return
    following = np.append(np.arange(1, len(run)), 0)
    ends = np.flatnonzero(np.append(run[1:] != run[:-1], True))
    starts = np.append(0, ends[:-1] + 1)
    following[ends] = starts
    cross = whole[:, 0] * whole[following, 1] - whole[following, 0] * whole[:, 1]
    area = np.zeros(len(good), np.int64)
    np.add.at(area, run, cross)
    good &= ~is_ring | (area != 0)


def _written(
    shapes: NDArray[Any],
    owners: NDArray[np.int64],
    is_ring: NDArray[np.bool_],
    whole: NDArray[np.int64],
    run: NDArray[np.int64],
) -> tuple[list[bytes], list[int]]:
    kinds = [_KIND.get(int(kind), 0) for kind in shapely.get_type_id(shapes)]
    commands = [b""] * len(shapes)
    if not len(run):
        return commands, kinds
    starts = np.flatnonzero(np.append(True, run[1:] != run[:-1]))
    lengths = np.diff(np.append(starts, len(run)))
    part = run[starts]
    owner = owners[part]
    step = np.empty_like(whole)
    step[0], step[1:] = whole[0], whole[1:] - whole[:-1]
    first_of_shape = starts[np.append(True, owner[1:] != owner[:-1])]
    step[first_of_shape] = whole[first_of_shape]  # the cursor begins anew in each feature
    zigzag = (step << 1 ^ step >> 63).astype(np.uint32)

    heads = np.where(lengths > 1, 4, 3) + is_ring[part]
    sizes = 2 * (lengths - 1) + heads
    ends = np.cumsum(sizes)
    begin = ends - sizes
    out = np.zeros(int(ends[-1]), np.uint32)
    out[begin] = MOVE_TO | 1 << 3
    out[begin + 1], out[begin + 2] = zigzag[starts, 0], zigzag[starts, 1]
    long = lengths > 1
    out[begin[long] + 3] = LINE_TO | (lengths[long] - 1) << 3
    rest = np.ones(len(run), bool)
    rest[starts] = False
    within = np.arange(len(run)) - np.repeat(starts, lengths)
    at = (np.repeat(begin, lengths) + 4 + 2 * (within - 1))[rest]
    out[at], out[at + 1] = zigzag[rest, 0], zigzag[rest, 1]
    ringed = is_ring[part]
    out[ends[ringed] - 1] = CLOSE | 1 << 3

    encoded, offsets = _varints(out)
    first = np.flatnonzero(np.append(True, owner[1:] != owner[:-1]))
    edges = offsets[np.append(begin[first], len(out))]
    for number, shape in enumerate(owner[first].tolist()):
        commands[shape] = encoded[edges[number] : edges[number + 1]]
    return commands, kinds


def _varints(values: NDArray[np.uint32]) -> tuple[bytes, NDArray[np.int64]]:
    """Return the varints of all values in one string, and where each begins (with the end as the last)."""
    wide = values.astype(np.uint64)
    size = np.ones(len(wide), np.int64)
    for n in range(1, 5):
        size += wide >= np.uint64(1 << 7 * n)
    offsets = np.concatenate([[0], np.cumsum(size)])
    out = np.zeros(int(offsets[-1]), np.uint8)
    for n in range(5):
        here = size > n
        byte = (wide[here] >> np.uint64(7 * n)) & np.uint64(0x7F)
        more = (size[here] > n + 1).astype(np.uint64) << np.uint64(7)
        out[offsets[:-1][here] + n] = byte | more
    return out.tobytes(), offsets
