"""The skeleton of the city: every line that bounds a superblock, and what kind of line it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import shapely

from jingwei.city.demo.arrays import Bools, Floats, Geometries, Ints, Texts
from jingwei.city.demo.plan import Plan, Row
from jingwei.city.demo.settings import Settings

SAMPLES = 6


class Line(IntEnum):
    """Kinds of lines; those from `LANE` up are roads, in rising order of importance."""

    BOUNDARY = 0
    MIDSTREAM = 1
    BANK = 2
    STREAM = 3
    RAIL = 4
    LANE = 5
    BRANCH = 6
    COUNTY = 7
    SECONDARY = 8
    PRIMARY = 9
    EXPRESSWAY = 10


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of the plane.

    Attributes
    ----------
    shapes
        Line strings, metres.
    kinds
        `Line` of each.
    ways
        The way that each is a piece of (`row:7`, `ring:1` ...), from which roads get their names.
    bridges
        True where a road crosses the river.

    """

    shapes: Geometries
    kinds: Ints
    ways: Texts
    bridges: Ints


@dataclass(slots=True)
class _Draft:
    shapes: list[Geometries] = field(default_factory=list)
    kinds: list[Ints] = field(default_factory=list)
    ways: list[Texts] = field(default_factory=list)
    bridges: list[Ints] = field(default_factory=list)

    def add(
        self, plan: Plan, u: Floats, v: Floats, kind: Ints, way: Texts, bridge: Bools | None = None
    ) -> None:
        """Add lines given by lattice coordinates of shape (lines, points)."""
        x, y = plan.place(u, v)
        self.shapes.append(np.asarray(shapely.linestrings(np.stack([x, y], axis=-1)), dtype=object))
        self.kinds.append(np.broadcast_to(kind, len(u)).astype(np.int64))
        self.ways.append(np.broadcast_to(way, len(u)).astype(object))
        self.bridges.append(np.zeros(len(u), np.int64) if bridge is None else bridge.astype(np.int64))

    def finish(self) -> Lines:
        return Lines(
            np.concatenate(self.shapes),
            np.concatenate(self.kinds),
            np.concatenate(self.ways),
            np.concatenate(self.bridges),
        )


def draw_lines(settings: Settings, plan: Plan) -> Lines:
    """Draw the skeleton: lattice, rings, diagonals, river, tributaries and railway."""
    draft = _Draft()
    _add_east_west(draft, plan)
    _add_north_south(draft, plan)
    _add_ring_corners(draft, plan)
    _add_diagonals(draft, plan)
    _add_streams(draft, plan, settings)
    _add_railway(draft, plan)
    return draft.finish()


def cell_remoteness(plan: Plan) -> Floats:
    """Return the remoteness of every lattice cell, shape (rows - 1, columns - 1)."""
    u, v = np.meshgrid(np.arange(len(plan.columns) - 1) + 0.5, np.arange(len(plan.rows) - 1) + 0.5)
    return plan.remoteness(u, v)


def _edges_in_town(plan: Plan) -> tuple[Bools, Bools]:
    """Return which horizontal and vertical lattice edges touch the built-up area."""
    urban = cell_remoteness(plan) < 1.0
    rows, columns = urban.shape
    horizontal = np.zeros((rows + 1, columns), bool)
    horizontal[:-1] |= urban
    horizontal[1:] |= urban
    vertical = np.zeros((rows, columns + 1), bool)
    vertical[:, :-1] |= urban
    vertical[:, 1:] |= urban
    return horizontal, vertical


def _class_of(plan: Plan, line: Ints, along: Ints, in_town: Bools, *, east_west: bool) -> Ints:
    """Return the kind of lattice edges by their place among the rings and axes, in town and outside it.

    `line` and `along` are numbers of roads counted from the middle; `along` is that of the edge's start.
    """
    every = 4 if plan.urban > 8 else 2
    in_street = np.where(np.abs(line) % every == 0, Line.PRIMARY, Line.SECONDARY)
    outside = np.where(np.abs(line) % 3 == 0, Line.COUNTY, Line.BOUNDARY)
    kind = np.where(in_town, in_street, outside).astype(np.int64)
    for index, half in enumerate(plan.rings):
        kind[_on_ring(plan, half, line, along, east_west=east_west)] = (
            Line.EXPRESSWAY if index else Line.PRIMARY
        )
    return kind


def _on_ring(plan: Plan, half: int, line: Ints, along: Ints, *, east_west: bool) -> Bools:
    """Return which edges lie on the straight sides of a ring: all but its rounded corners."""
    rounded = {side: int(_is_rounded(plan, half, side)) for side in (-1, 1)}
    if east_west:
        cut = np.where(line > 0, rounded[1], rounded[-1])
        return np.asarray((np.abs(line) == half) & (np.abs(along + 0.5) < half - cut))
    return np.asarray((np.abs(line) == half) & (along >= rounded[-1] - half) & (along < half - rounded[1]))


def _ways_of(plan: Plan, name: str, line: Ints, along: Ints, *, east_west: bool) -> Texts:
    """Return the ways of lattice edges: their line's, or the ring's where they are part of one."""
    way = np.full(len(line), name, dtype=object)
    for index, half in enumerate(plan.rings):
        way[_on_ring(plan, half, line, along, east_west=east_west)] = f"ring:{index}"
    return way


def _is_rounded(plan: Plan, half: int, side: int) -> bool:
    """Tell whether a ring's northern (1) or southern (-1) corners are rounded: not where the river is."""
    return not _crosses_river(plan, side * np.array([half - 1.0, half]))


def _add_east_west(draft: _Draft, plan: Plan) -> None:
    horizontal, _ = _edges_in_town(plan)
    columns = len(plan.columns) - 1
    step = np.linspace(0.0, 1.0, SAMPLES)
    for row, row_kind in enumerate(plan.row_kinds):
        start = np.arange(columns)
        u = start[:, None] + step[None, :]
        v = np.full_like(u, float(row))
        if row_kind != Row.ROAD:
            kind = np.full(columns, Line.BANK if row_kind == Row.BANK else Line.MIDSTREAM, dtype=np.int64)
            draft.add(plan, u, v, kind, np.full(columns, "river", dtype=object))
            continue
        number = int(plan.road_of_row(np.array(float(row)))) - int(
            plan.road_of_row(np.array(float(plan.centre[1])))
        )
        line = np.full(columns, number)
        along = start - plan.centre[0]
        riverside = row in (plan.strip, plan.strip + 4)
        kind = _class_of(plan, line, along, horizontal[row], east_west=True)
        if riverside:
            kind = np.where(horizontal[row], np.maximum(kind, Line.SECONDARY), kind)
        rim = row in (0, len(plan.rows) - 1)
        way = _ways_of(plan, f"row:{number}", line, along, east_west=True)
        draft.add(plan, u, v, np.where(rim, Line.BOUNDARY, kind), way)


def _add_north_south(draft: _Draft, plan: Plan) -> None:
    _, vertical = _edges_in_town(plan)
    rows = len(plan.rows) - 1
    step = np.linspace(0.0, 1.0, SAMPLES)
    start = np.arange(rows)
    in_strip = (start >= plan.strip) & (start < plan.strip + 4)
    along = np.floor(
        plan.road_of_row(start.astype(float)) - plan.road_of_row(np.array(float(plan.centre[1])))
    ).astype(np.int64)
    for column in range(len(plan.columns)):
        number = column - plan.centre[0]
        v = start[:, None] + step[None, :]
        u = np.full_like(v, float(column))
        line = np.full(rows, number)
        kind = _class_of(plan, line, along, vertical[:, column], east_west=False)
        in_town = bool(vertical[plan.strip, column] or vertical[plan.strip + 3, column])
        if not _has_bridge(plan, number, urban=in_town):
            kind[in_strip] = Line.BOUNDARY
        rim = column in (0, len(plan.columns) - 1)
        kind = np.where(rim, Line.BOUNDARY, kind)
        way = _ways_of(plan, f"column:{number}", line, along, east_west=False)
        draft.add(plan, u, v, kind, way, in_strip & (kind >= Line.LANE))


def _has_bridge(plan: Plan, number: int, *, urban: bool) -> bool:
    if abs(number) in plan.rings:
        return True
    if not urban:
        return number % 6 == 0
    return number % (3 if plan.urban > 8 else 2) == 0


def _lattice(plan: Plan, u: Floats, road: Floats) -> tuple[Floats, Floats]:
    """Return lattice coordinates of columns and numbers of roads counted from the middle crossing."""
    number = road + plan.road_of_row(np.array(float(plan.centre[1])))
    rows = np.where(number <= plan.strip, number, number + 3.0)
    return u + plan.centre[0], rows


def _crosses_river(plan: Plan, road: Floats) -> bool:
    number = road + plan.road_of_row(np.array(float(plan.centre[1])))
    return bool(((number > plan.strip - 1e-9) & (number < plan.strip + 1 + 1e-9)).any())


def _add_ring_corners(draft: _Draft, plan: Plan) -> None:
    """Round the corners of the ring roads by a quarter circle through the corner's superblock."""
    angle = np.linspace(0.0, np.pi / 2.0, 13)
    for index, half in enumerate(plan.rings):
        for east in (-1, 1):
            for north in (-1, 1):
                u = east * (half - 1 + np.cos(angle))
                road = north * (half - 1 + np.sin(angle))
                if not _is_rounded(plan, half, north):
                    continue
                u, v = _lattice(plan, u, road)
                kind = Line.EXPRESSWAY if index else Line.PRIMARY
                draft.add(plan, u[None], v[None], np.array([kind]), np.array([f"ring:{index}"], dtype=object))


def _add_diagonals(draft: _Draft, plan: Plan) -> None:
    """Lead avenues from the inner ring's corners outwards, where neither river nor rail is in the way."""
    if len(plan.rings) < 2 or plan.rings[1] - plan.rings[0] < 4:
        return
    inner, outer = plan.rings
    for east in (-1, 1):
        for north in (-1, 1):
            for step in range(inner, outer):
                last = (
                    np.sqrt(0.5) if step == outer - 1 else 1.0
                )  # the last piece ends on the ring's quarter circle
                part = step + np.linspace(0.0, last, SAMPLES)
                if _crosses_river(plan, north * part):
                    break
                u, v = _lattice(plan, east * part, north * part)
                way = np.array([f"diagonal:{east}{north}"], dtype=object)
                draft.add(plan, u[None], v[None], np.array([Line.PRIMARY]), way)


def _add_streams(draft: _Draft, plan: Plan, settings: Settings) -> None:
    random = settings.draws("streams")
    rows = len(plan.rows) - 1
    for index, (column, side) in enumerate(plan.streams):
        start, end = (plan.strip + 2.6, rows - 0.001) if side > 0 else (plan.strip + 1.4, 0.001)
        v = np.linspace(start, end, 6 * round(abs(end - start)) + 1)
        phase = random.uniform(0.0, 2.0 * np.pi)
        u = column + 0.5 + 0.2 * np.sin(1.3 * v + phase) + 0.1 * np.sin(3.1 * v + 2.0 * phase)
        draft.add(
            plan, u[None], v[None], np.array([Line.STREAM]), np.array([f"stream:{index}"], dtype=object)
        )


def _add_railway(draft: _Draft, plan: Plan) -> None:
    u = np.linspace(0.0, len(plan.columns) - 1.0, 8 * len(plan.columns) + 1)
    v = plan.rail + 0.12 * np.sin(2.0 * np.pi * u / len(plan.columns))
    draft.add(plan, u[None], v[None], np.array([Line.RAIL]), np.array(["rail"], dtype=object))
