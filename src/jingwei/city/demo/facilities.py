"""Public places: schools, hospitals, homes for the elderly, parks, parking, stations, safety."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from jingwei.city.demo.addresses import Addresses
from jingwei.city.demo.arrays import Floats, Geometries, Ints, Texts, totals
from jingwei.city.demo.buildings import Buildings
from jingwei.city.demo.divisions import Divisions
from jingwei.city.demo.fabric import Fabric
from jingwei.city.demo.land import Land, Use
from jingwei.city.demo.layout import Layout
from jingwei.city.demo.names import FIRST, SECOND, chinese_number, distinct


@dataclass(frozen=True, slots=True)
class Facilities:
    """Public places.

    Attributes
    ----------
    kind, name
        Chinese kind and name.
    x, y, face
        Where each is.
    address
        Address of its first building; empty for open ground.
    capacity
        Pupils, beds, places; by kind.
    shapes
        Ground of the place, metres: all its faces together.

    """

    kind: Texts
    name: Texts
    x: Floats
    y: Floats
    face: Ints
    address: Texts
    capacity: Ints
    shapes: Geometries

    def of(self, *kinds: str) -> Ints:
        """Return the places of some kinds."""
        return np.flatnonzero(np.isin(self.kind.astype(str), kinds))


_Row = tuple[str, str, int, float]


def open_facilities(layout: Layout) -> Facilities:
    """Open the public places on the land and in the buildings kept for them."""
    fabric, land, buildings = layout.fabric, layout.land, layout.buildings
    divisions, addresses = layout.divisions, layout.addresses
    city = layout.name.zh.removesuffix("市")
    random = layout.settings.draws("facilities")
    floor_area = totals(buildings.face, buildings.floor_area, len(fabric.faces))
    rows: list[_Row] = []
    grounds: list[shapely.Geometry] = []
    pool = distinct(random, FIRST, SECOND, len(FIRST) * len(SECOND) // 2).tolist()

    def add_blocks(
        use: Use, title: str, name: list[str], per_capacity: float, *, ground: bool = False
    ) -> None:
        for number, faces in enumerate(_blocks(fabric, land, use)):
            land_area, built = float(shapely.area(fabric.faces[faces]).sum()), float(floor_area[faces].sum())
            area = land_area if ground or not built else built
            head = int(faces[floor_area[faces].argmax()])
            label = name[number] if number < len(name) else f"{pool.pop()}{title}"
            rows.append((title, label, head, area / per_capacity))
            grounds.append(shapely.coverage_union_all(fabric.faces[faces]))

    primary = [f"{city}市实验小学", f"{city}市第一中学", f"{city}市第二中学"]
    add_blocks(Use.SCHOOL, "学校", primary, 9.0)
    add_blocks(
        Use.HOSPITAL, "医院", [f"{city}市第一人民医院", f"{city}市中医院", f"{city}市妇幼保健院"], 95.0
    )
    add_blocks(Use.WELFARE, "养老机构", [f"{city}市社会福利院", "夕阳红养老院", "康颐护理院"], 38.0)
    add_blocks(
        Use.PARK, "公园", ["人民公园", "滨江公园", "湖心公园", "植物园", "儿童公园"], 30.0, ground=True
    )
    add_blocks(Use.STATION, "客运站", [f"{city}站"], 2.0)
    add_blocks(Use.GOVERNMENT, "政务服务中心", [f"{city}市政务服务中心"], 60.0)
    _rename_schools(rows, divisions)
    for kind, title, uses, per_street in (
        (
            "社区卫生服务中心",
            "社区卫生服务中心",
            (Use.COMMERCE, Use.SLAB_HOUSING, Use.OLD_HOUSING, Use.VILLAGE),
            1,
        ),
        ("派出所", "派出所", (Use.COMMERCE, Use.SLAB_HOUSING, Use.VILLAGE), 1),
        ("农贸市场", "农贸市场", (Use.COMMERCE, Use.OLD_HOUSING, Use.VILLAGE), 1),
        ("消防站", "消防救援站", (Use.COMMERCE, Use.INDUSTRY, Use.SLAB_HOUSING, Use.VILLAGE), 1),
        ("避难场所", "应急避难场所", (Use.PARK, Use.SCHOOL, Use.FARMLAND), 1),
    ):
        for street, label in enumerate(divisions.streets.names):
            faces = np.flatnonzero((divisions.street == street) & np.isin(land.use, uses))
            for face in random.permutation(faces)[:per_street]:
                capacity = {"社区卫生服务中心": 40.0, "避难场所": 1500.0}.get(kind, 60.0)
                rows.append((kind, f"{label}{title}", int(face), capacity))
                grounds.append(land.parcels[face])
    _add_parking(rows, grounds, land, random)
    return _table(rows, grounds, fabric, buildings, addresses)


def _blocks(fabric: Fabric, land: Land, use: Use) -> list[Ints]:
    """Return the faces of each block of a use."""
    faces = np.flatnonzero(land.use == use)
    order = faces[np.argsort(fabric.block[faces], kind="stable")]
    block = fabric.block[order]
    return np.split(order, np.flatnonzero(block[1:] != block[:-1]) + 1) if len(order) else []


def _rename_schools(rows: list[_Row], divisions: Divisions) -> None:
    """Make every third school a middle school and name the others after their street."""
    seen: dict[str, int] = {}
    for index, (kind, name, face, capacity) in enumerate(rows):
        if kind != "学校" or not name.endswith("学校"):
            continue
        middle = index % 3 == 0
        street = divisions.streets.names[divisions.street[face]].removesuffix("街道").removesuffix("镇")
        base = street + ("中学" if middle else "小学")
        seen[base] = seen.get(base, 0) + 1
        label = (
            base
            if seen[base] == 1
            else f"{street}第{chinese_number(seen[base])}{'中学' if middle else '小学'}"
        )
        rows[index] = (kind, label, face, capacity)
    for index, (kind, name, face, capacity) in enumerate(rows):
        if kind == "学校":
            rows[index] = ("中学" if name.endswith("中学") else "小学", name, face, capacity)


def _add_parking(
    rows: list[_Row], grounds: list[shapely.Geometry], land: Land, random: np.random.Generator
) -> None:
    """Lay public parking beside shops, hospitals and the station."""
    faces = np.flatnonzero(np.isin(land.use, (Use.COMMERCE, Use.HOSPITAL, Use.STATION, Use.OFFICES)))
    chosen = np.sort(random.permutation(faces)[: max(2, len(faces) // 4)])
    for number, face in enumerate(chosen, start=1):
        rows.append(("停车场", f"公共停车场{number:03d}", int(face), float(random.integers(40, 420))))
        grounds.append(land.parcels[face])


def _table(
    rows: list[_Row],
    grounds: list[shapely.Geometry],
    fabric: Fabric,
    buildings: Buildings,
    addresses: Addresses,
) -> Facilities:
    face = np.array([row[2] for row in rows], dtype=np.int64)
    first = np.full(len(fabric.faces), -1, dtype=np.int64)
    first[buildings.face[::-1]] = np.arange(len(buildings.face))[::-1]
    building = first[face]
    middle = shapely.get_coordinates(shapely.point_on_surface(fabric.faces[face]))
    in_building = building >= 0
    x = np.where(in_building, buildings.x[building], middle[:, 0])
    y = np.where(in_building, buildings.y[building], middle[:, 1])
    return Facilities(
        kind=np.array([row[0] for row in rows], dtype=object),
        name=np.array([row[1] for row in rows], dtype=object),
        x=np.asarray(np.round(x, 2), dtype=np.float64),
        y=np.asarray(np.round(y, 2), dtype=np.float64),
        face=face,
        address=np.where(in_building, addresses.full[building], ""),
        capacity=np.array([max(1, round(row[3])) for row in rows], dtype=np.int64),
        shapes=np.array(grounds, dtype=object),
    )
