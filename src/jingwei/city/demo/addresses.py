"""Road names and addresses in Chinese form, so that every address leads to one building."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from jingwei.city.demo.arrays import Bools, Floats, Ints, Texts
from jingwei.city.demo.buildings import Buildings
from jingwei.city.demo.divisions import Divisions
from jingwei.city.demo.fabric import Fabric
from jingwei.city.demo.land import Use
from jingwei.city.demo.lines import Line
from jingwei.city.demo.names import (
    AXES,
    COMPOUND_FIRST,
    COMPOUND_LAST,
    FIRST,
    OLD_COMPOUND_FIRST,
    OLD_COMPOUND_LAST,
    SECOND,
    distinct,
)
from jingwei.city.demo.roads import Roads
from jingwei.city.demo.settings import Settings

METRES_PER_NUMBER = 12.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Names of roads and compounds, and the address of each building.

    Attributes
    ----------
    road_names
        Name of each road of the graph.
    compound
        Name of the housing compound of each building, empty elsewhere.
    road
        The road (index into the graph) that each building's gate opens to.
    gate
        House number of the gate.
    building
        Number of the building behind that gate, 0 where it stands alone.
    full
        District, street, road, number, compound and building in one text; each occurs once.

    """

    road_names: Texts
    compound: Texts
    road: Ints
    gate: Ints
    building: Ints
    full: Texts


def give_addresses(
    settings: Settings, city: str, fabric: Fabric, roads: Roads, buildings: Buildings, divisions: Divisions
) -> Addresses:
    """Name the roads, and give every building an address."""
    random = settings.draws("addresses")
    road_names = name_roads(random, roads)
    compound = _compounds(random, fabric, buildings)
    _, block = np.unique(fabric.block[buildings.face], return_inverse=True)
    group = _gate_groups(block, compound != "")
    road, gate = _gates(roads, road_names, buildings, group)
    number = _number_behind_gate(buildings, group)
    district = divisions.districts.names[divisions.district[buildings.face]]
    street = divisions.streets.names[divisions.street[buildings.face]]
    alone = np.bincount(group)[group] == 1
    tail = np.where(alone, "", number.astype(str).astype(object) + "栋")
    full = (
        city
        + "市"
        + district
        + street
        + road_names[road]
        + gate.astype(str).astype(object)
        + "号"
        + compound
        + tail
    )
    return Addresses(
        road_names, compound, road, gate, np.where(alone, 0, number), np.asarray(full, dtype=object)
    )


def name_roads(random: np.random.Generator, roads: Roads) -> Texts:
    """Return a name for each road: one per way, great ones also by their side of the axis."""
    ways, first, way = np.unique(roads.ways.astype(str), return_index=True, return_inverse=True)
    kind = np.zeros(len(ways), dtype=np.int64)
    np.maximum.at(kind, way, roads.kinds)
    base = distinct(random, FIRST, SECOND, len(ways))
    major = list(AXES)
    names = np.empty(len(ways), dtype=object)
    rings = ("内环路", "外环路") if (np.char.startswith(ways, "ring:1")).any() else ("环城路",)
    for index, name in enumerate(ways):
        if name.startswith("ring:"):
            names[index] = rings[int(name[5:])]
        elif name in {"row:0", "column:0", "row:2", "column:2", "row:-2", "column:-2"} and major:
            names[index] = major.pop(0)
        else:
            names[index] = base[index] + _suffix(Line(int(kind[index])), name)
    del first
    return names[way]


def _suffix(kind: Line, way: str) -> str:
    if kind == Line.COUNTY:
        return "公路"
    if way.startswith("lane"):
        return "村路"
    if kind >= Line.PRIMARY:
        return "大道" if way.startswith(("column", "diagonal")) else "路"
    if kind == Line.SECONDARY:
        return "路"
    return "街" if way.endswith(("1", "3", "5")) else "巷" if way.endswith("7") else "路"


def _compounds(random: np.random.Generator, fabric: Fabric, buildings: Buildings) -> Texts:
    """Return the name of the compound of each housing building: one per block, by its age."""
    pools = {
        Use.TOWER_HOUSING: (COMPOUND_FIRST, COMPOUND_LAST, ""),
        Use.SLAB_HOUSING: (OLD_COMPOUND_FIRST, OLD_COMPOUND_LAST, ""),
        Use.URBAN_VILLAGE: (FIRST, SECOND, "新村"),
        Use.VILLAGE: (FIRST, SECOND, "自然村"),
    }
    block = fabric.block[buildings.face]
    name = np.full(len(block), "", dtype=object)
    for use, (first, second, tail) in pools.items():
        which = buildings.use == use
        blocks, index = np.unique(block[which], return_inverse=True)
        name[which] = distinct(random, first, second, len(blocks))[index] + tail
    return name


def _gate_groups(block: Ints, in_compound: Bools) -> Ints:
    """Return which gate each building lies behind: one per compound, one per lone building."""
    key = np.where(in_compound, block, block.max() + 1 + np.arange(len(block)))
    _, group = np.unique(key, return_inverse=True)
    return np.asarray(group, dtype=np.int64)


def _gates(roads: Roads, names: Texts, buildings: Buildings, group: Ints) -> tuple[Ints, Ints]:
    """Return the road and number of each building's gate; no two gates of a road share a number."""
    count = np.bincount(group)
    x = np.bincount(group, buildings.x) / count
    y = np.bincount(group, buildings.y) / count
    candidates = np.flatnonzero((roads.kinds < Line.EXPRESSWAY) & ~roads.bridges)
    nearest = candidates[shapely.STRtree(roads.shapes[candidates]).nearest(shapely.points(x, y))]
    _, name = np.unique(names.astype(str), return_inverse=True)
    along = _position(roads, name, nearest, x, y)
    side = _side(roads, nearest, x, y)
    wanted = np.floor(along / METRES_PER_NUMBER).astype(np.int64)
    gate = np.zeros(len(x), dtype=np.int64)
    order = np.lexsort((along, side, name[nearest]))
    key = (name[nearest] * 2 + side)[order]
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    lifted = wanted[order] - rank
    for begin, end in zip(starts, np.append(starts[1:], len(order)), strict=True):
        lifted[begin:end] = np.maximum.accumulate(lifted[begin:end])
    gate[order] = lifted + rank
    return nearest[group], (2 * gate + 1 + side)[group]


def _position(roads: Roads, name: Ints, nearest: Ints, x: Floats, y: Floats) -> Floats:
    """Return metres from the road's western or southern end, along its main direction."""
    bounds = shapely.bounds(roads.shapes)
    low_x = np.full(int(name.max()) + 1, np.inf)
    low_y, high_x, high_y = low_x.copy(), -low_x, -low_x
    np.minimum.at(low_x, name, bounds[:, 0])
    np.minimum.at(low_y, name, bounds[:, 1])
    np.maximum.at(high_x, name, bounds[:, 2])
    np.maximum.at(high_y, name, bounds[:, 3])
    way = name[nearest]
    eastward = (high_x - low_x >= high_y - low_y)[way]
    return np.asarray(np.maximum(np.where(eastward, x - low_x[way], y - low_y[way]), 0.0))


def _side(roads: Roads, nearest: Ints, x: Floats, y: Floats) -> Ints:
    """Return 0 for odd numbers (south or west of the road) and 1 for even ones."""
    on_road = shapely.get_coordinates(
        shapely.line_interpolate_point(
            roads.shapes[nearest], shapely.line_locate_point(roads.shapes[nearest], shapely.points(x, y))
        )
    )
    dx, dy = x - on_road[:, 0], y - on_road[:, 1]
    return np.asarray(np.where(np.abs(dx) > np.abs(dy), dx > 0, dy > 0), dtype=np.int64)


def _number_behind_gate(buildings: Buildings, group: Ints) -> Ints:
    """Return running numbers behind each gate, from north to south and west to east."""
    order = np.lexsort((buildings.x, -np.floor(buildings.y / 30.0), group))
    starts = np.flatnonzero(np.concatenate([[True], group[order][1:] != group[order][:-1]]))
    number = np.zeros(len(group), dtype=np.int64)
    number[order] = np.arange(len(group)) - np.repeat(starts, np.diff(np.append(starts, len(group)))) + 1
    return number
