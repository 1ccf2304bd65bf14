"""Land use: what each face of the city is for, by the classes of GB 50137-2011."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import shapely

from jingwei.city.demo.arrays import Bools, Floats, Geometries, Ints, totals
from jingwei.city.demo.fabric import Fabric
from jingwei.city.demo.lines import Line
from jingwei.city.demo.plan import Plan
from jingwei.city.demo.roads import WIDTHS
from jingwei.city.demo.settings import Settings
from jingwei.city.demo.terrain import Terrain


class Use(IntEnum):
    """What a face is for; residential land also by the way it was built."""

    WATER = 0
    BANK = 1
    FOREST = 2
    FARMLAND = 3
    VILLAGE = 4
    PARK = 5
    OLD_HOUSING = 6
    SLAB_HOUSING = 7
    TOWER_HOUSING = 8
    URBAN_VILLAGE = 9
    COMMERCE = 10
    OFFICES = 11
    GOVERNMENT = 12
    SCHOOL = 13
    HOSPITAL = 14
    WELFARE = 15
    INDUSTRY = 16
    STORAGE = 17
    STATION = 18
    UTILITIES = 19
    BUILDING_SITE = 20


USE_CODES: dict[Use, tuple[str, str]] = {
    Use.WATER: ("E1", "水域"),
    Use.BANK: ("G2", "防护绿地"),
    Use.FOREST: ("E2", "林地"),
    Use.FARMLAND: ("E2", "农田"),
    Use.VILLAGE: ("H14", "村庄建设用地"),
    Use.PARK: ("G1", "公园绿地"),
    Use.OLD_HOUSING: ("R3", "三类居住用地"),
    Use.SLAB_HOUSING: ("R2", "二类居住用地"),
    Use.TOWER_HOUSING: ("R2", "二类居住用地"),
    Use.URBAN_VILLAGE: ("R3", "三类居住用地"),
    Use.COMMERCE: ("B1", "商业用地"),
    Use.OFFICES: ("B2", "商务用地"),
    Use.GOVERNMENT: ("A1", "行政办公用地"),
    Use.SCHOOL: ("A33", "中小学用地"),
    Use.HOSPITAL: ("A51", "医院用地"),
    Use.WELFARE: ("A6", "社会福利用地"),
    Use.INDUSTRY: ("M1", "一类工业用地"),
    Use.STORAGE: ("W1", "一类物流仓储用地"),
    Use.STATION: ("S3", "交通枢纽用地"),
    Use.UTILITIES: ("U1", "供应设施用地"),
    Use.BUILDING_SITE: ("R2", "在建用地"),
}

HOUSING = (Use.OLD_HOUSING, Use.SLAB_HOUSING, Use.TOWER_HOUSING, Use.URBAN_VILLAGE, Use.VILLAGE)


@dataclass(frozen=True, slots=True)
class Land:
    """Land use of every face.

    Attributes
    ----------
    use
        `Use` of each face.
    centrality
        1 at the middle of the main centre, falling outwards; a lesser peak at each other centre.
    height
        Height of the ground at the face's middle, metres.
    parcels
        What is left of each face after the roads around it, metres; may be empty.

    """

    use: Ints
    centrality: Floats
    height: Floats
    parcels: Geometries


@dataclass(frozen=True, slots=True)
class _Blocks:
    of_face: Ints
    x: Floats
    y: Floats
    area: Floats
    remoteness: Floats
    height: Floats
    centrality: Floats
    dry: Bools


def centres_of(plan: Plan) -> tuple[Floats, Floats, Floats, Floats]:
    """Return x, y, weight and reach (metres) of the city's centres, the main one first."""
    u = np.concatenate([[plan.new_town[0], plan.old_town[0]], plan.subcentres[:, 0]])
    v = np.concatenate([[plan.new_town[1], plan.old_town[1]], plan.subcentres[:, 1]])
    x, y = plan.place(u, v)
    weight = np.concatenate([[1.0, 0.72], np.full(len(plan.subcentres), 0.5)])
    spread = np.concatenate([[0.13, 0.12], np.full(len(plan.subcentres), 0.075)]) * 2.0 * plan.urban
    return x, y, weight, spread * plan.extent / (len(plan.columns) - 1)


def centrality_at(plan: Plan, x: Floats, y: Floats) -> Floats:
    """Return how central points of the plane are, from 0 to 1."""
    total = np.zeros(np.shape(x))
    for cx, cy, weight, spread in zip(*centres_of(plan), strict=True):
        total = np.maximum(total, weight * np.exp(-np.hypot(x - cx, y - cy) / spread))
    return total


@dataclass(frozen=True, slots=True)
class Uses:
    """What every face is for: `use`, `centrality` and `height` as in `Land`."""

    use: Ints
    centrality: Floats
    height: Floats


def choose_uses(settings: Settings, plan: Plan, fabric: Fabric, terrain: Terrain) -> Uses:
    """Decide what every face is for."""
    random = settings.draws("land")
    middle = shapely.get_coordinates(shapely.centroid(fabric.faces))
    height = terrain.at(middle[:, 0], middle[:, 1])
    centrality = centrality_at(plan, middle[:, 0], middle[:, 1])
    blocks = _blocks(fabric, middle, height, centrality)
    of_block = _town_uses(settings, plan, blocks, random)
    use = of_block[blocks.of_face]
    rural = (fabric.remoteness >= 1.0) & (fabric.surface < 0)
    use[rural] = np.where(height[rural] > np.median(height) + 22.0, Use.FOREST, Use.FARMLAND)
    hamlet = rural & (use == Use.FARMLAND) & (random.random(len(use)) < 0.13)
    use[hamlet] = Use.VILLAGE
    use[fabric.surface == 0] = Use.BANK
    use[fabric.surface == 1] = Use.WATER
    return Uses(use, centrality, height)


def assign_land(settings: Settings, fabric: Fabric, uses: Uses) -> Land:
    """Return the land of every face, what roads and streams take cut away."""
    parcels = cut_parcels(fabric)
    hamlets = np.flatnonzero(uses.use == Use.VILLAGE)
    parcels[hamlets] = _hamlets(parcels[hamlets], settings.draws("hamlets"))
    return Land(use=uses.use, centrality=uses.centrality, height=uses.height, parcels=parcels)


def _hamlets(parcels: Geometries, random: np.random.Generator) -> Geometries:
    """Return the ground of villages: a few rounded patches that touch, amid the fields of each face."""
    size = np.sqrt(np.maximum(shapely.area(parcels), 1.0))
    middle = shapely.get_coordinates(shapely.point_on_surface(parcels))
    ground = np.full(len(parcels), shapely.Polygon(), dtype=object)
    for _ in range(3):
        reach = size * random.uniform(0.16, 0.34, len(parcels))
        off = random.uniform(-0.24, 0.24, (len(parcels), 2)) * size[:, None]
        ground = shapely.union(ground, shapely.buffer(shapely.points(middle + off), reach, quad_segs=3))
    return np.asarray(shapely.intersection(parcels, ground), dtype=object)


def _blocks(fabric: Fabric, middle: Floats, height: Floats, centrality: Floats) -> _Blocks:
    _, of_face = np.unique(fabric.block, return_inverse=True)
    area = shapely.area(fabric.faces)
    total = totals(of_face, area)

    def mean(values: Floats) -> Floats:
        return totals(of_face, values * area) / total

    return _Blocks(
        of_face,
        mean(middle[:, 0]),
        mean(middle[:, 1]),
        total,
        mean(fabric.remoteness),
        mean(height),
        mean(centrality),
        mean((fabric.surface < 0).astype(np.float64)) > 0.5,
    )


def _town_uses(settings: Settings, plan: Plan, blocks: _Blocks, random: np.random.Generator) -> Ints:
    """Give blocks their use, the scarce uses choosing first; housing takes what is left."""
    count = len(blocks.area)
    use = np.full(count, -1, dtype=np.int64)
    town = (blocks.remoteness < 1.0) & blocks.dry
    noise = random.normal(0.0, 1.0, (8, count))
    people = settings.scale.population
    area = float(blocks.area[town].sum())
    centre_x, centre_y, _, _ = centres_of(plan)
    x, y = blocks.x, blocks.y

    def take(score: Floats, kind: Use, *, share: float = 0.0, number: int = 0, apart: float = 0.0) -> None:
        free = town & (use < 0)
        chosen = _choose(score, free, blocks, limit=share * area, number=number, apart=apart)
        use[chosen] = kind

    government = -np.hypot(x - centre_x[0], y - centre_y[0])
    take(government, Use.GOVERNMENT, number=1 if people < 200_000 else 2)
    rail_x, rail_y = plan.place(np.array(float(plan.centre[0])), np.array(plan.rail))
    take(-np.hypot(x - rail_x, y - rail_y), Use.STATION, number=1)
    even = noise[0] - 2.0 * np.abs(blocks.remoteness - 0.45)
    spacing = np.sqrt(area / max(people / 24_000, 1.0))
    take(even, Use.HOSPITAL, number=max(1, round(people / 28_000)), apart=0.6 * spacing)
    take(
        noise[1] - blocks.remoteness,
        Use.SCHOOL,
        number=max(1, round(people / 7_000)),
        apart=0.5 * np.sqrt(area / (people / 7_000)),
    )
    take(noise[2] + (blocks.height - np.median(blocks.height)) / 8.0, Use.PARK, share=0.05)
    take(noise[3], Use.PARK, share=0.035, apart=0.35 * spacing)
    take(noise[4], Use.WELFARE, number=max(1, round(people / 40_000)), apart=spacing)
    take(4.0 * blocks.centrality + 0.25 * noise[5], Use.OFFICES, share=0.045)
    take(3.0 * blocks.centrality + 0.45 * noise[6], Use.COMMERCE, share=0.075)
    towards = (x * np.cos(plan.industry) + y * np.sin(plan.industry)) / (plan.extent / 2.0)
    industrial = 2.2 * towards + 0.9 * blocks.remoteness + 0.22 * noise[7]
    take(industrial, Use.INDUSTRY, share=0.17 if people > 10_000 else 0.08)
    take(-np.abs(y - rail_y) / 300.0 + industrial, Use.STORAGE, share=0.02)
    take(noise[0] + blocks.remoteness, Use.UTILITIES, share=0.012, apart=spacing)
    take(noise[1] + 1.2 * blocks.remoteness, Use.BUILDING_SITE, share=0.015)
    free = use < 0
    use[free] = _housing(plan, blocks, noise)[free]
    return use


def _choose(score: Floats, free: Bools, blocks: _Blocks, *, limit: float, number: int, apart: float) -> Ints:
    """Return the best free blocks up to a number or an area, no two of them nearer than `apart` metres."""
    chosen: list[int] = []
    taken = 0.0
    order = np.argsort(-score, kind="stable")
    for index in order[free[order]]:
        if (number and len(chosen) >= number) or (limit and taken >= limit):
            break
        if apart and chosen:
            near = np.hypot(blocks.x[chosen] - blocks.x[index], blocks.y[chosen] - blocks.y[index])
            if near.min() < apart:
                continue
        chosen.append(int(index))
        taken += float(blocks.area[index])
    return np.array(chosen, dtype=np.int64)


def _housing(plan: Plan, blocks: _Blocks, noise: Floats) -> Ints:
    """Return the kind of housing: old in the old town, then slabs, then towers; villages at the rim."""
    x, y = plan.place(np.array(plan.old_town[0]), np.array(plan.old_town[1]))
    reach = plan.urban * plan.extent / (len(plan.columns) - 1)
    from_old = np.hypot(blocks.x - x, blocks.y - y) / reach
    kind = np.full(len(blocks.area), Use.TOWER_HOUSING, dtype=np.int64)
    kind[from_old + 0.13 * noise[2] < 0.52] = Use.SLAB_HOUSING
    kind[from_old + 0.06 * noise[3] < 0.2] = Use.OLD_HOUSING
    kind[(blocks.remoteness > 0.7) & (noise[4] > 1.15)] = Use.URBAN_VILLAGE
    kind[(from_old >= 0.3) & (noise[5] > 1.7)] = Use.SLAB_HOUSING
    return kind


def cut_parcels(fabric: Fabric) -> Geometries:
    """Return faces without the land of the roads, railway and streams on their borders."""
    widths = np.zeros(len(Line))
    for kind, width in WIDTHS.items():
        widths[kind] = width
    widths[Line.RAIL] = 30.0
    widths[Line.STREAM] = 34.0
    wide = widths[fabric.edge_kinds] > 0
    bands = shapely.buffer(fabric.edges[wide], widths[fabric.edge_kinds[wide]] / 2.0, quad_segs=2)
    face, band = shapely.STRtree(fabric.faces).query(bands, predicate="intersects")[::-1]
    order = np.lexsort((band, face))
    face, band = face[order], band[order]
    starts = np.flatnonzero(np.concatenate([[True], face[1:] != face[:-1]]))
    rank = np.arange(len(face)) - np.repeat(starts, np.diff(np.append(starts, len(face))))
    parcels = fabric.faces.copy()
    for turn in range(int(rank.max()) + 1 if len(rank) else 0):
        now = rank == turn
        parcels[face[now]] = shapely.difference(parcels[face[now]], bands[band[now]])
    return parcels
