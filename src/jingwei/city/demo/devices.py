"""Sensors of the city: what each measures and where it stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from jingwei.city.demo.arrays import Bools, Floats, Ints, Texts, totals
from jingwei.city.demo.drainage import Drains
from jingwei.city.demo.facilities import Facilities
from jingwei.city.demo.land import Use
from jingwei.city.demo.layout import Layout
from jingwei.city.demo.lines import Line
from jingwei.city.demo.organisations import Organisations
from jingwei.city.demo.people import People
from jingwei.city.demo.transit import Transit


@dataclass(frozen=True, slots=True)
class Group:
    """Sensors of one kind.

    Attributes
    ----------
    code
        Identifier of each device.
    name
        Its Chinese name.
    x, y
        Where it stands, metres.
    bearer
        What it watches: a drain node, road, community, facility; -1 for none.

    """

    code: Texts
    name: Texts
    x: Floats
    y: Floats
    bearer: Ints

    def __len__(self) -> int:
        return len(self.code)


@dataclass(frozen=True, slots=True)
class Devices:
    """All sensors of the city by kind, and what the process must know of their surroundings.

    Attributes
    ----------
    rain, river, drain, traffic, air, meter, footfall
        Sensors; `meter` is one pair of electricity and water meters for each community.
    low
        How readily the ground floods at each drain sensor, about 1 in hollows.
    free_speed
        Free-flow speed (km/h) of each traffic section.
    residents, households, jobs
        In each community.
    busy
        Visitors per hour of an ordinary afternoon at each footfall counter.
    treated_water, treated_light, treated_traffic
        Which communities and sections the three planted measures touch.

    """

    rain: Group
    river: Group
    drain: Group
    traffic: Group
    air: Group
    meter: Group
    footfall: Group
    low: Floats
    free_speed: Floats
    residents: Floats
    households: Floats
    jobs: Floats
    busy: Floats
    treated_water: Bools
    treated_light: Bools
    treated_traffic: Bools


def install_devices(
    layout: Layout,
    drains: Drains,
    facilities: Facilities,
    metro: Transit,
    organisations: Organisations,
    people: People,
) -> Devices:
    """Install the city's sensors."""
    random = layout.settings.draws("devices")
    thousand = layout.settings.scale.population / 1000.0
    count = {name: max(low, round(per * thousand**0.62)) for name, low, per in _NUMBERS}
    plan, roads = layout.plan, layout.roads
    communities = layout.divisions.communities
    middle = shapely.get_coordinates(shapely.point_on_surface(communities.shapes))
    u = np.linspace(0.25, 0.75, count["river"]) * (len(plan.columns) - 1)
    river_x, river_y = plan.place(u, np.full_like(u, plan.strip + 1.0))
    drain = _drain_sites(random, drains, count["drain"])
    road = _road_sites(random, layout, count["traffic"])
    on_road = shapely.get_coordinates(
        shapely.line_interpolate_point(roads.shapes[road], 0.5, normalized=True)
    )
    rain_site, air_site = (_spread(random, layout, count[name]) for name in ("rain", "air"))
    names = layout.addresses.road_names
    foot = _footfall_sites(random, facilities, count["footfall"])
    foot_x = np.concatenate([facilities.x[foot], metro.x])
    foot_y = np.concatenate([facilities.y[foot], metro.y])
    foot_name = np.concatenate([facilities.name[foot], metro.stop_names])
    home = layout.divisions.community[layout.buildings.face]
    residents = totals(home[people.home], np.ones(len(people.name)), len(communities.codes))
    households = totals(home[people.building], np.ones(len(people.building)), len(communities.codes))
    jobs = totals(home[organisations.building], organisations.size.astype(float), len(communities.codes))
    hollow = -layout.land.height[
        shapely.STRtree(shapely.centroid(layout.fabric.faces)).nearest(
            shapely.points(drains.x[drain], drains.y[drain])
        )
    ]
    rank = np.argsort(np.argsort(hollow)) / max(len(drain) - 1, 1)
    treated = _halves(random, len(communities.codes))
    return Devices(
        rain=_group("YL", "雨量站", middle_names(layout, *rain_site), *rain_site),
        river=_group("SW", "水位站", np.full(len(u), layout.river, dtype=object), river_x, river_y),
        drain=_group(
            "PS", "管网液位计", _road_names_at(layout, drains, drain), drains.x[drain], drains.y[drain], drain
        ),
        traffic=_group("LD", "路段", names[road], on_road[:, 0], on_road[:, 1], road),
        air=_group("KQ", "空气站", middle_names(layout, *air_site), *air_site),
        meter=_group("JL", "社区总表", communities.names, middle[:, 0], middle[:, 1], np.arange(len(middle))),
        footfall=_group(
            "KL", "客流计", foot_name, foot_x, foot_y, np.concatenate([foot, np.full(len(metro.x), -1)])
        ),
        low=0.35 + 0.9 * rank,
        free_speed=np.array([0, 0, 0, 0, 0, 22, 32, 58, 46, 52, 78], dtype=float)[roads.kinds[road]],
        residents=residents,
        households=households,
        jobs=jobs,
        busy=random.uniform(60.0, 260.0, len(foot_x))
        * np.where(np.arange(len(foot_x)) >= len(foot), 4.0, 1.0),
        treated_water=treated,
        treated_light=_halves(random, len(communities.codes)),
        treated_traffic=_halves(random, len(road)),
    )


_NUMBERS = (
    ("rain", 2, 0.36),
    ("river", 3, 0.27),
    ("drain", 4, 1.45),
    ("traffic", 6, 2.2),
    ("air", 1, 0.27),
    ("footfall", 3, 0.8),
)


def _group(prefix: str, title: str, place: Texts, x: Floats, y: Floats, bearer: Ints | None = None) -> Group:
    number = np.arange(1, len(x) + 1)
    return Group(
        code=np.array([f"{prefix}{value:05d}" for value in number], dtype=object),
        name=np.asarray(place + title, dtype=object),
        x=np.round(x, 2),
        y=np.round(y, 2),
        bearer=np.full(len(x), -1, dtype=np.int64) if bearer is None else np.asarray(bearer, dtype=np.int64),
    )


def middle_names(layout: Layout, x: Floats, y: Floats) -> Texts:
    """Return the name of the community at each point."""
    face = shapely.STRtree(layout.fabric.faces).nearest(shapely.points(x, y))
    return np.asarray(layout.divisions.communities.names[layout.divisions.community[face]])


def _road_names_at(layout: Layout, drains: Drains, drain: Ints) -> Texts:
    nearest = shapely.STRtree(layout.roads.shapes).nearest(shapely.points(drains.x[drain], drains.y[drain]))
    return np.asarray(layout.addresses.road_names[nearest])


def _spread(random: np.random.Generator, layout: Layout, count: int) -> tuple[Floats, Floats]:
    """Return well-spread points in town: the best of several draws each time."""
    town = np.flatnonzero((layout.fabric.remoteness < 1.0) & (layout.land.use != Use.WATER))
    middle = shapely.get_coordinates(shapely.centroid(layout.fabric.faces[town]))
    chosen = [int(random.integers(len(town)))]
    for _ in range(count - 1):
        tries = random.integers(0, len(town), 24)
        away = np.hypot(*(middle[tries][:, None, :] - middle[chosen][None, :, :]).transpose(2, 0, 1)).min(
            axis=1
        )
        chosen.append(int(tries[away.argmax()]))
    return middle[chosen, 0], middle[chosen, 1]


def _drain_sites(random: np.random.Generator, drains: Drains, count: int) -> Ints:
    """Return drain nodes worth watching: where much land drains through, spread over the city."""
    inner = np.flatnonzero(drains.downstream >= 0)
    score = np.log(drains.area[inner] + 1.0) + random.normal(0.0, 0.9, len(inner))
    return np.sort(inner[np.argsort(-score, kind="stable")][:count])


def _road_sites(random: np.random.Generator, layout: Layout, count: int) -> Ints:
    """Return road sections worth watching: long pieces of main streets."""
    roads = layout.roads
    main = np.flatnonzero((roads.kinds >= Line.SECONDARY) & (roads.length > 60.0))
    score = roads.kinds[main] * 0.5 + random.normal(0.0, 1.0, len(main))
    return np.sort(main[np.argsort(-score, kind="stable")][:count])


def _footfall_sites(random: np.random.Generator, facilities: Facilities, count: int) -> Ints:
    places = facilities.of("公园", "农贸市场", "客运站", "医院")
    return np.sort(random.permutation(places)[:count])


def _halves(random: np.random.Generator, count: int) -> Bools:
    """Return a random third of the units, at least one, never all."""
    chosen = np.zeros(count, dtype=bool)
    chosen[random.permutation(count)[: max(1, count // 3)]] = True
    return chosen
