"""The ground: a valley that falls with the river, and hills on one side of the city."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from jingwei.city.demo.arrays import Floats
from jingwei.city.demo.fields import SmoothField
from jingwei.city.demo.lines import Line, Lines
from jingwei.city.demo.plan import Plan
from jingwei.city.demo.settings import Settings

RIVER_SURFACE = 21.5
FALL_PER_METRE = 0.00035


@dataclass(frozen=True, slots=True)
class Terrain:
    """Heights of the ground above the national datum (1985), metres, at any point of the plane."""

    plan: Plan
    river_axis: object
    hollows: SmoothField
    ridges: SmoothField
    knolls: SmoothField

    def at(self, x: Floats, y: Floats) -> Floats:
        """Return the height of the ground at points in metres of the plane."""
        x, y = np.asarray(x, float), np.asarray(y, float)
        away = shapely.distance(self.river_axis, shapely.points(x, y))
        extent = self.plan.extent
        level = RIVER_SURFACE - FALL_PER_METRE * x
        bank = np.clip((away - 0.5 * self.plan.river_width) / 60.0, -1.0, 1.0) * 3.5
        plain = 0.0032 * np.maximum(away - self.plan.river_width, 0.0) + 1.1 * self.hollows.at(x, y)
        towards = (x * np.cos(self.plan.hills) + y * np.sin(self.plan.hills)) / extent
        radius = np.hypot(x, y) / extent
        rise = np.clip((radius - 0.27) / 0.25, 0.0, 1.4) * np.clip(0.35 + 2.4 * towards, 0.0, 1.4)
        ridged = 1.0 + 0.6 * self.ridges.at(x, y) + 0.3 * self.knolls.at(x, y)
        hills = (70.0 + 0.008 * extent) * rise * np.maximum(ridged, 0.05)
        return np.asarray(np.round(level + bank + plain + hills, 2))


def shape_terrain(settings: Settings, plan: Plan, lines: Lines) -> Terrain:
    """Shape the ground of a city around its river."""
    random = settings.draws("terrain")
    axis = shapely.line_merge(shapely.multilinestrings(lines.shapes[lines.kinds == Line.MIDSTREAM]))
    shapely.prepare(axis)
    return Terrain(
        plan,
        axis,
        SmoothField.drawn(random, 900.0),
        SmoothField.drawn(random, 0.22 * plan.extent),
        SmoothField.drawn(random, 0.07 * plan.extent),
    )
