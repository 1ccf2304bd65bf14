"""How many go from where to where: a doubly constrained gravity model over the superblocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.optimize import root

from jingwei.city.demo.arrays import Floats, Ints, totals
from jingwei.city.demo.layout import Layout

# Deterrence distance**POWER * exp(-distance / REACH), metres: fitted with `fit_deterrence` to 456,111 taxi
# trips between 4,400 cells of 500 m in Shenzhen (taxi_od_grid.parquet of the public data).
POWER, REACH = -0.38, 5_440.0
ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Zones:
    """The superblocks as ends of trips.

    Attributes
    ----------
    of_building
        Zone of each building.
    distance
        Metres between zones, shape (zones, zones); of a zone to itself, the mean within it.

    """

    of_building: Ints
    distance: Floats


def zones_of(layout: Layout) -> Zones:
    """Return the superblocks that have buildings as zones."""
    buildings = layout.buildings
    _, zone = np.unique(layout.fabric.superblock[buildings.face], return_inverse=True)
    count = np.bincount(zone)
    x, y = totals(zone, buildings.x) / count, totals(zone, buildings.y) / count
    distance = np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :])
    area = np.zeros(len(x))
    faces = np.unique(buildings.face)
    of_face = np.zeros(len(layout.fabric.faces), dtype=np.int64)
    of_face[buildings.face] = zone
    np.add.at(area, of_face[faces], shapely.area(layout.fabric.faces[faces]))
    np.fill_diagonal(distance, 0.52 * np.sqrt(area))  # the mean distance of two points in a square
    return Zones(np.asarray(zone, dtype=np.int64), distance)


def deterrence(distance: Floats, power: float = POWER, reach: float = REACH) -> Floats:
    """Return how distance (metres) keeps people from going: Tanner's function (1961)."""
    return np.asarray(distance**power * np.exp(-distance / reach))


def flows(starts: Floats, ends: Floats, attraction: Floats) -> Floats:
    """Return the trips between zones, shape (from, to): a doubly constrained gravity model (Wilson, 1971).

    Parameters
    ----------
    starts, ends
        Trips that start and end in each zone; the ends are scaled to the sum of the starts.
    attraction
        Deterrence between zones.

    Balanced by Furness's method, the rows last, so that the starts are met exactly.

    """
    ends = ends * starts.sum() / max(float(ends.sum()), 1e-12)
    row, column = np.ones(len(starts)), np.ones(len(ends))
    for _ in range(ROUNDS):
        column = ends / np.maximum(attraction.T @ row, 1e-300)
        row = starts / np.maximum(attraction @ column, 1e-300)
    return np.asarray(row[:, None] * attraction * column[None, :])


def fit_deterrence(trips: Floats, distance: Floats) -> tuple[float, float]:
    """Return power and reach of the deterrence that makes `flows` most likely for the trips seen.

    At the maximum the model has the mean length and the mean logarithm of length of the trips (Hyman, 1969).

    Parameters
    ----------
    trips
        Trips seen between zones, shape (from, to).
    distance
        Metres between zones; positive.

    """
    logarithm = np.log(distance)

    def means(counts: Floats) -> Floats:
        total = counts.sum()
        return np.array([np.log((counts * distance).sum() / total), (counts * logarithm).sum() / total])

    wanted, starts, ends = means(trips), trips.sum(axis=1), trips.sum(axis=0)

    def missed(parameters: Floats) -> Floats:
        attraction = deterrence(distance, parameters[0], float(np.exp(parameters[1])))
        return means(flows(starts, ends, attraction)) - wanted

    start = np.array([-0.5, np.log(distance.mean())])
    solution = root(missed, start, options={"xtol": 1e-4})
    return float(solution.x[0]), float(np.exp(solution.x[1]))


def draw_ends(random: np.random.Generator, flow: Floats, start: Ints) -> Ints:
    """Draw the zone that each trip ends in, given the zone it starts in."""
    share = np.cumsum(flow, axis=1)
    share /= np.maximum(share[:, -1:], 1e-300)
    point = random.random(len(start))
    end = np.empty(len(start), dtype=np.int64)
    order = np.argsort(start, kind="stable")
    cuts = np.searchsorted(start[order], np.arange(len(flow) + 1))
    for zone in np.flatnonzero(np.diff(cuts)):
        here = order[cuts[zone] : cuts[zone + 1]]
        end[here] = np.searchsorted(share[zone], point[here])
    return np.asarray(np.minimum(end, flow.shape[1] - 1), dtype=np.int64)


def draw_within(random: np.random.Generator, zone: Ints, of_item: Ints, weight: Floats) -> Ints:
    """Draw an item of each zone asked for, in proportion to the items' weights; -1 where a zone has none."""
    order = np.argsort(of_item, kind="stable")
    reach = np.concatenate([[0.0], np.cumsum(weight[order])])
    count = int(max(zone.max(initial=0), of_item.max(initial=0))) + 2
    starts = np.searchsorted(of_item[order], np.arange(count))
    low, high = reach[starts[zone]], reach[starts[zone + 1]]
    point = low + (high - low) * random.random(len(zone))
    drawn = order[np.minimum(np.searchsorted(reach[1:], point, side="right"), len(order) - 1)]
    return np.asarray(np.where(high > low, drawn, -1), dtype=np.int64)
