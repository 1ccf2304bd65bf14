"""The inventory of city components (部件): what stands in streets and parks, and who looks after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import shapely

from jingwei.city.demo.arrays import Floats, Ints, Texts
from jingwei.city.demo.buildings import Buildings
from jingwei.city.demo.drainage import Drains
from jingwei.city.demo.facilities import Facilities
from jingwei.city.demo.land import Use
from jingwei.city.demo.layout import Layout
from jingwei.city.demo.lines import Line
from jingwei.city.demo.roads import WIDTHS
from jingwei.city.demo.transit import Transit

STATES = ("完好", "破损", "丢失", "废弃")
STATE_SHARES = (0.972, 0.021, 0.004, 0.003)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of component: its type code of GB/T 47678.5-2026, its name, its owner and its keeper."""

    code: str
    name: str
    owner: str
    keeper: str = ""


KINDS = {
    kind.code: kind
    for kind in (
        Kind("01001", "供水井盖", "water", "waterworks"),
        Kind("01002", "污水井盖", "water"),
        Kind("01003", "雨水井盖", "water"),
        Kind("01004", "雨水箅子", "water"),
        Kind("01005", "电力井盖", "grid-company"),
        Kind("01006", "路灯井盖", "urban-management"),
        Kind("01007", "通信井盖", "telecom"),
        Kind("01011", "燃气井盖", "housing"),
        Kind("01013", "消防设施", "fire", "waterworks"),
        Kind("01027", "通信交接箱", "telecom"),
        Kind("01030", "电力立杆", "grid-company"),
        Kind("01037", "路灯", "urban-management"),
        Kind("01046", "户外健身设施", "culture"),
        Kind("01048", "变压器（箱）", "grid-company"),
        Kind("01049", "燃气调压站（箱）", "housing"),
        Kind("01050", "监控电子眼设施", "police"),
        Kind("01054", "充电桩", "grid-company"),
        Kind("01062", "通信基站", "telecom"),
        Kind("01067", "防汛监测设施", "water"),
        Kind("01072", "排水泵站", "water"),
        Kind("01073", "雨污水排放口", "water"),
        Kind("01075", "快递柜", "market"),
        Kind("02001", "停车场", "transport"),
        Kind("02004", "公交站设施", "transport"),
        Kind("02009", "跨河桥", "transport"),
        Kind("02010", "交通标志牌及标线", "police"),
        Kind("02012", "路名牌", "civil-affairs"),
        Kind("02014", "交通信号灯", "police"),
        Kind("02017", "交通护栏", "police"),
        Kind("02025", "非机动车停放点", "urban-management"),
        Kind("02032", "轨道交通设施", "metro"),
        Kind("03001", "公共厕所", "urban-management"),
        Kind("03003", "化粪池", "urban-management"),
        Kind("03004", "垃圾间（楼）", "urban-management"),
        Kind("03005", "垃圾箱", "urban-management"),
        Kind("03006", "户外广告", "urban-management"),
        Kind("03008", "宣传栏", "urban-management"),
        Kind("03009", "气象监测站", "meteorology"),
        Kind("03010", "环保监测站", "environment"),
        Kind("04001", "古树名木", "parks"),
        Kind("04002", "行道树", "parks"),
        Kind("04006", "雕塑", "parks"),
        Kind("04007", "街头座椅", "parks"),
        Kind("05003", "车辆加油（气、电）站", "market"),
    )
}


@dataclass(frozen=True, slots=True)
class AlongStreets:
    """A kind that stands along streets at a spacing.

    Attributes
    ----------
    code
        Type code.
    spacing
        Metres between two of them.
    offset
        Where across the street: 0 the middle, 1 the edge of its land.
    sides
        1 or 2.
    least
        The least class of street that has them.

    """

    code: str
    spacing: float
    offset: float
    sides: int = 2
    least: Line = Line.BRANCH


ALONG_STREETS = (
    AlongStreets("01037", 34.0, 0.72),
    AlongStreets("04002", 26.0, 0.84),
    AlongStreets("01003", 45.0, 0.12, 1),
    AlongStreets("01002", 52.0, -0.16, 1),
    AlongStreets("01004", 48.0, 0.60),
    AlongStreets("01001", 95.0, 0.34, 1),
    AlongStreets("01007", 90.0, 0.88, 1),
    AlongStreets("01005", 110.0, -0.88, 1),
    AlongStreets("01011", 140.0, -0.42, 1),
    AlongStreets("01006", 170.0, 0.78, 1),
    AlongStreets("01013", 120.0, 0.90, 1),
    AlongStreets("03005", 90.0, 0.92),
    AlongStreets("02010", 150.0, 0.70, 1),
    AlongStreets("02017", 130.0, 0.02, 1, Line.PRIMARY),
    AlongStreets("04007", 240.0, 0.94, 2, Line.SECONDARY),
    AlongStreets("02025", 320.0, 0.90, 2, Line.SECONDARY),
    AlongStreets("03006", 420.0, 0.96, 1, Line.SECONDARY),
    AlongStreets("01027", 380.0, 0.97, 1),
    AlongStreets("01030", 160.0, 0.95, 1, Line.COUNTY),
)


@dataclass(frozen=True, slots=True)
class Components:
    """Components of the city.

    Attributes
    ----------
    identifier
        17 digits: district 6, type code 5, sequence 6.
    code
        Type code.
    x, y, height
        Where each stands, metres.
    face
        Its unit grid.
    state
        `完好`, `破损`, `丢失` or `废弃`.
    since
        Day of the first census or of installation, `YYYYMMDD`.
    bearer
        What it belongs to: the drain node, facility or building, -1 for none.

    """

    identifier: Texts
    code: Texts
    x: Floats
    y: Floats
    height: Floats
    face: Ints
    state: Texts
    since: Texts
    bearer: Ints


@dataclass(slots=True)
class _Draft:
    codes: list[Texts]
    x: list[Floats]
    y: list[Floats]
    bearer: list[Ints]

    def add(self, code: str, x: Floats, y: Floats, bearer: Ints | None = None) -> None:
        self.codes.append(np.full(len(x), code, dtype=object))
        self.x.append(x)
        self.y.append(y)
        self.bearer.append(np.full(len(x), -1, dtype=np.int64) if bearer is None else bearer)


def take_inventory(
    layout: Layout, drains: Drains, facilities: Facilities, metro: Transit, buses: Transit
) -> Components:
    """Take stock of the city's components."""
    random = layout.settings.draws("components")
    draft = _Draft([], [], [], [])
    for rule in ALONG_STREETS:
        draft.add(rule.code, *_along_streets(layout, rule, random))
    _add_at_junctions(draft, layout, drains)
    _add_at_places(draft, layout, facilities, metro, buses, random)
    _add_at_buildings(draft, layout.buildings, random)
    code, x, y = np.concatenate(draft.codes), np.concatenate(draft.x), np.concatenate(draft.y)
    bearer = np.concatenate(draft.bearer)
    face = np.asarray(shapely.STRtree(layout.fabric.faces).nearest(shapely.points(x, y)), dtype=np.int64)
    order = np.lexsort((x, y, face, code.astype(str)))
    code, x, y, face, bearer = code[order], x[order], y[order], face[order], bearer[order]
    start = date(2015, 1, 1)
    age = random.integers(0, (layout.settings.last_day - start).days - 800, len(code))
    days = np.array(
        [(start + timedelta(days=day)).strftime("%Y%m%d") for day in range(int(age.max()) + 1)], dtype=object
    )
    return Components(
        identifier=_identifiers(layout.divisions.districts.codes[layout.divisions.district[face]], code),
        code=code,
        x=np.round(x, 2),
        y=np.round(y, 2),
        height=layout.terrain.at(x, y),
        face=face,
        state=np.array(STATES, dtype=object)[random.choice(len(STATES), len(code), p=STATE_SHARES)],
        since=days[age],
        bearer=bearer,
    )


def _identifiers(district: Texts, code: Texts) -> Texts:
    """Number the components of each type in each district through."""
    _, key = np.unique((district + code).astype(str), return_inverse=True)
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], key[order][1:] != key[order][:-1]]))
    sequence = np.zeros(len(code), dtype=np.int64)
    sequence[order] = np.arange(len(code)) - np.repeat(starts, np.diff(np.append(starts, len(code)))) + 1
    return np.asarray(district + code + np.char.zfill(sequence.astype("U6"), 6).astype(object), dtype=object)


def _along_streets(layout: Layout, rule: AlongStreets, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the places of a kind along the streets that have it."""
    roads = layout.roads
    near = layout.fabric.remoteness[
        shapely.STRtree(shapely.centroid(layout.fabric.faces)).nearest(shapely.centroid(roads.shapes))
    ]
    county = rule.least == Line.COUNTY
    in_town = (roads.kinds != Line.COUNTY) & (near < 1.1) & (roads.kinds >= rule.least)
    chosen = np.flatnonzero((roads.kinds == Line.COUNTY) if county else in_town)
    chosen = chosen[~roads.bridges[chosen] | (rule.code == "01037")]
    count = np.floor(np.maximum(roads.length[chosen] - 20.0, 0.0) / rule.spacing).astype(np.int64)
    road = np.repeat(chosen, count)
    index = np.arange(len(road)) - np.repeat(np.cumsum(count) - count, count)
    pitch = np.repeat((roads.length[chosen] - 20.0) / np.maximum(count, 1), count)
    along = 10.0 + pitch * (index + 0.5) + random.uniform(-0.08, 0.08, len(road)) * pitch
    half = roads.table(WIDTHS)[road] / 2.0
    x, y = [], []
    for side in (1.0, -1.0)[: rule.sides]:
        place = _beside(roads.shapes[road], along, side * rule.offset * half)
        x.append(place[:, 0])
        y.append(place[:, 1])
    return np.concatenate(x), np.concatenate(y)


def _beside(shapes: np.ndarray[tuple[int], np.dtype[np.object_]], along: Floats, offset: Floats) -> Floats:
    """Return points at distances along lines, moved to their left by an offset (metres)."""
    here = shapely.get_coordinates(shapely.line_interpolate_point(shapes, along))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(shapes, along + 1.0))
    back = shapely.get_coordinates(shapely.line_interpolate_point(shapes, along - 1.0))
    direction = ahead - back
    direction /= np.maximum(np.hypot(*direction.T), 1e-9)[:, None]
    return np.asarray(here + np.column_stack([-direction[:, 1], direction[:, 0]]) * offset[:, None])


def _add_at_junctions(draft: _Draft, layout: Layout, drains: Drains) -> None:
    roads = layout.roads
    great = np.zeros(len(roads.x), dtype=np.int64)
    wide = roads.kinds >= Line.SECONDARY
    np.add.at(great, roads.start[wide], 1)
    np.add.at(great, roads.end[wide], 1)
    signals = np.flatnonzero((great >= 3) & (roads.degree >= 3))
    for dx, dy in ((14.0, 14.0), (-14.0, -14.0)):
        draft.add("02014", roads.x[signals] + dx, roads.y[signals] + dy, signals)
    cameras = signals[::2]
    draft.add("01050", roads.x[cameras] - 16.0, roads.y[cameras] + 15.0, cameras)
    corners = np.flatnonzero(roads.degree >= 3)
    draft.add("02012", roads.x[corners] + 9.0, roads.y[corners] - 9.0, corners)
    bridges = np.flatnonzero(roads.bridges)
    middle = shapely.get_coordinates(
        shapely.line_interpolate_point(roads.shapes[bridges], 0.5, normalized=True)
    )
    draft.add("02009", middle[:, 0], middle[:, 1], bridges)
    outfall = np.flatnonzero(drains.downstream < 0)
    draft.add("01073", drains.x[outfall], drains.y[outfall], outfall)
    deep = np.flatnonzero((drains.ground - drains.invert > 5.5) & (drains.downstream < 0))
    draft.add("01072", drains.x[deep] + 6.0, drains.y[deep] + 6.0, deep)


def _add_at_places(
    draft: _Draft,
    layout: Layout,
    facilities: Facilities,
    metro: Transit,
    buses: Transit,
    random: np.random.Generator,
) -> None:
    stops = np.unique(np.column_stack([buses.x, buses.y]), axis=0)
    draft.add("02004", stops[:, 0], stops[:, 1])
    draft.add("02032", metro.x, metro.y)
    parking = facilities.of("停车场")
    draft.add("02001", facilities.x[parking] + 20.0, facilities.y[parking] + 14.0, parking)
    draft.add("01054", facilities.x[parking] + 24.0, facilities.y[parking] + 16.0, parking)
    parks = facilities.of("公园")
    for code, dx, dy in (
        ("03001", 12.0, 8.0),
        ("01046", -15.0, 6.0),
        ("04006", 3.0, -12.0),
        ("03008", 9.0, -7.0),
    ):
        draft.add(code, facilities.x[parks] + dx, facilities.y[parks] + dy, parks)
    old = np.flatnonzero(np.isin(layout.land.use, (Use.OLD_HOUSING, Use.PARK, Use.VILLAGE, Use.COMMERCE)))
    middle = shapely.get_coordinates(shapely.point_on_surface(layout.fabric.faces[old]))
    for code, share in (("03001", 0.10), ("04001", 0.05), ("03004", 0.09), ("05003", 0.03)):
        chosen = random.random(len(old)) < share
        draft.add(code, middle[chosen, 0] + random.uniform(-6, 6, int(chosen.sum())), middle[chosen, 1])


def _add_at_buildings(draft: _Draft, buildings: Buildings, random: np.random.Generator) -> None:
    home = buildings.homes > 0
    for code, every, dx, dy in (
        ("01048", 14, 5.0, -9.0),
        ("01049", 22, -6.0, -9.0),
        ("01075", 9, 9.0, -10.0),
        ("03003", 3, 0.0, -11.0),
        ("03008", 24, 12.0, -10.0),
        ("01062", 60, 0.0, 0.0),
    ):
        chosen = np.flatnonzero(home & (buildings.homes >= 8))
        chosen = np.sort(random.permutation(chosen)[: len(chosen) // every])
        draft.add(code, buildings.x[chosen] + dx, buildings.y[chosen] + dy, chosen)
