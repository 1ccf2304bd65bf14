"""The static city: everything that stands still, built step by step from the settings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jingwei.city.demo.addresses import Addresses, give_addresses
from jingwei.city.demo.buildings import Buildings, raise_buildings
from jingwei.city.demo.divisions import Divisions, divide
from jingwei.city.demo.fabric import Fabric, weave
from jingwei.city.demo.frame import Frame, frame_of
from jingwei.city.demo.land import Land, Use, assign_land, choose_uses
from jingwei.city.demo.lines import Lines, draw_lines
from jingwei.city.demo.names import CITIES, CITIES_EN, RIVERS
from jingwei.city.demo.plan import Plan, draw_plan
from jingwei.city.demo.roads import Roads, build_roads
from jingwei.city.demo.settings import Settings
from jingwei.city.demo.terrain import Terrain, shape_terrain
from jingwei.city.demo.villages import lead_lanes
from jingwei.words import Text


@dataclass(frozen=True, slots=True)
class Layout:
    """The static city, in metres of its own plane (`frame`)."""

    settings: Settings
    name: Text
    river: str
    frame: Frame
    plan: Plan
    lines: Lines
    terrain: Terrain
    fabric: Fabric
    roads: Roads
    land: Land
    buildings: Buildings
    divisions: Divisions
    addresses: Addresses


def lay_out(settings: Settings) -> Layout:
    """Build the static city that the settings decide."""
    random = settings.draws("names")
    which = int(random.integers(len(CITIES)))
    plan = draw_plan(settings)
    lines = draw_lines(settings, plan)
    terrain = shape_terrain(settings, plan, lines)
    fabric = weave(settings, plan, lines)
    uses = choose_uses(settings, plan, fabric, terrain)
    fabric = lead_lanes(fabric, np.flatnonzero(uses.use == Use.VILLAGE))
    roads = build_roads(settings, fabric)
    land = assign_land(settings, fabric, uses)
    buildings = raise_buildings(settings, fabric, land)
    divisions = divide(settings, plan, fabric, land, buildings)
    return Layout(
        settings=settings,
        name=Text(CITIES[which] + "市", CITIES_EN[which]),
        river=str(random.choice(RIVERS)),
        frame=frame_of(settings),
        plan=plan,
        lines=lines,
        terrain=terrain,
        fabric=fabric,
        roads=roads,
        land=land,
        buildings=buildings,
        divisions=divisions,
        addresses=give_addresses(settings, CITIES[which], fabric, roads, buildings, divisions),
    )
