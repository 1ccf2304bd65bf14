"""The plan of the city: a warped lattice of superblocks, the river in it, centres, rings and the railway.

Everything is first laid out in lattice coordinates `(u, v)`: integer `u` are north-south streets, integer
`v` are east-west lines. The river is a narrow strip of lines (bank, middle, bank) between two riverside
roads. One smooth map then bends the lattice into the plane, so that streets run along the river where they
are near it and the lines stay planar: no two of them can cross where the lattice does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from jingwei.city.demo.arrays import Floats, Ints
from jingwei.city.demo.fields import SmoothField
from jingwei.city.demo.settings import Settings


class Row(IntEnum):
    """What an east-west line of the lattice is."""

    ROAD = 0
    BANK = 1
    MIDSTREAM = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """The lattice and what is placed on it.

    Attributes
    ----------
    columns
        Positions of the north-south lines, metres, before bending.
    rows, row_kinds
        Positions and kinds (`Row`) of the east-west lines.
    strip
        Index of the riverside road south of the river; the strip is rows `strip` to `strip + 4`.
    centre
        Column and row of the city's middle crossing.
    rings
        Half-widths of the ring roads in superblocks, innermost first.
    rail
        Lattice coordinate `v` of the railway.
    streams
        Column and side (1 north, -1 south of the river) of each tributary.
    old_town, new_town
        Lattice coordinates of the two main centres.
    subcentres
        Lattice coordinates of the lesser centres, shape (n, 2).
    industry
        Direction of the industrial side from the centre, radians from east.
    hills
        Direction of the hills, radians from east.

    """

    extent: float
    urban: float
    columns: Floats
    rows: Floats
    row_kinds: Ints
    strip: int
    centre: tuple[int, int]
    rings: tuple[int, ...]
    rail: float
    streams: tuple[tuple[int, int], ...]
    old_town: tuple[float, float]
    new_town: tuple[float, float]
    subcentres: Floats
    industry: float
    hills: float
    turn: float
    meander: Floats
    bends: tuple[SmoothField, SmoothField, SmoothField, SmoothField]
    river_width: float

    def place(self, u: Floats, v: Floats) -> tuple[Floats, Floats]:
        """Return the plane's coordinates (metres, rounded to centimetres) of lattice coordinates."""
        u, v = np.asarray(u, float), np.asarray(v, float)
        x = np.interp(u, np.arange(len(self.columns)), self.columns)
        south = np.clip(np.floor(v).astype(np.int64), 0, len(self.rows) - 2)
        part = v - south
        y = (1.0 - part) * self._row_at(south, x) + part * self._row_at(south + 1, x)
        near = np.exp(-(((y - self.rows[self.strip + 2]) / (0.22 * self.extent)) ** 2))
        dx = 0.012 * self.extent * self.bends[0].at(x, y)
        dy = 0.012 * self.extent * self.bends[1].at(x, y) + near * self._meander_at(x)
        bent_x, bent_y = x + dx, y + dy
        cosine, sine = np.cos(self.turn), np.sin(self.turn)
        return np.round(cosine * bent_x - sine * bent_y, 2), np.round(sine * bent_x + cosine * bent_y, 2)

    def _meander_at(self, x: Floats) -> Floats:
        total = np.zeros(np.shape(x))
        for amplitude, wavelength, phase in self.meander:
            total += amplitude * np.sin(2.0 * np.pi * x / wavelength + phase)
        return total

    def _row_at(self, row: Ints, x: Floats) -> Floats:
        """Return the position of lines, the banks widening and narrowing along the river."""
        is_bank = self.row_kinds[row] == Row.BANK
        side = np.sign(row - (self.strip + 2))
        widening = 0.13 * self.river_width * np.clip(self.bends[2].at(x, np.zeros_like(x)), -1.0, 1.0)
        return np.asarray(self.rows[row] + np.where(is_bank, side * widening, 0.0))

    def row_of_road(self, number: int) -> int:
        """Return the lattice row of the `number`-th east-west road, counted from the south."""
        return number if number <= self.strip else number + 3

    def road_of_row(self, row: Floats) -> Floats:
        """Return lattice rows as numbers of roads (superblocks), the river's strip counted as one."""
        road = np.arange(len(self.rows), dtype=float)
        road[self.strip + 1 : self.strip + 4] = self.strip + np.array([0.25, 0.5, 0.75])
        road[self.strip + 4 :] -= 3
        return np.asarray(np.interp(row, np.arange(len(self.rows)), road))

    def remoteness(self, u: Floats, v: Floats) -> Floats:
        """Return 0 at the middle crossing, about 1 at the edge of the built-up area, more beyond it."""
        du = (np.asarray(u, float) - self.centre[0]) / self.urban
        dv = (
            self.road_of_row(np.asarray(v, float)) - self.road_of_row(np.array(float(self.centre[1])))
        ) / self.urban
        radius = (np.abs(du) ** 3 + np.abs(dv) ** 3) ** (1.0 / 3.0)
        towards_hills = du * np.cos(self.hills) + dv * np.sin(self.hills)
        x, y = self.place(u, v)
        return np.asarray(
            radius * (1.0 + 0.10 * self.bends[3].at(x, y)) + 0.14 * np.maximum(towards_hills, 0.0)
        )


def draw_plan(settings: Settings) -> Plan:
    """Draw the plan of a city from its settings."""
    random = settings.draws("plan")
    scale = settings.scale
    n = scale.cells
    middle = n // 2
    widths = scale.spacing * random.uniform(0.86, 1.16, n)
    heights = scale.spacing * random.uniform(0.86, 1.16, n)
    remote = np.abs(np.arange(n) + 0.5 - middle) / max(scale.urban, 1.0)
    widths *= np.clip(0.82 + 0.28 * remote, 0.8, 1.3)
    heights *= np.clip(0.82 + 0.28 * remote, 0.8, 1.3)
    strip = max(1, middle - 1 - round(0.16 * scale.urban))
    green = 0.28 * scale.river_width + 12.0
    heights[strip] = scale.river_width + 2.0 * green
    columns = np.concatenate([[0.0], np.cumsum(widths)])
    roads = np.concatenate([[0.0], np.cumsum(heights)])
    rows, kinds = _with_river(roads, strip, green)
    columns, rows = columns - columns[middle], rows - roads[middle]
    extent = float(columns[-1] - columns[0])
    centre = (middle, middle if middle <= strip else middle + 3)
    rings = tuple(
        k for k in dict.fromkeys((round(0.42 * scale.urban), round(0.95 * scale.urban))) if 2 <= k < middle
    )
    reach = scale.urban
    new_angle = float(random.choice([0.12, 0.88])) * np.pi
    subcentres = 0 if scale.population < 200_000 else 3
    angles = random.uniform(0.0, 2.0 * np.pi) + np.arange(subcentres) * 2.0 * np.pi / max(subcentres, 1)
    industry = float(random.choice([0.0, np.pi])) + float(random.uniform(-0.5, 0.5))
    side = int(random.choice([-1, 1]))
    stream_columns = random.permutation(
        np.arange(max(1, round(middle - 0.6 * reach)), min(n - 1, round(middle + 0.6 * reach)))
    )
    count = 2 if n >= 8 else 1
    rail_road = min(n - 2, middle + max(1, round(0.62 * reach))) + 0.5
    return Plan(
        extent=extent,
        urban=reach,
        columns=columns,
        rows=rows,
        row_kinds=kinds,
        strip=strip,
        centre=centre,
        rings=rings,
        rail=rail_road + 3,
        streams=tuple(
            (int(column), 1 if index % 2 == 0 else -1) for index, column in enumerate(stream_columns[:count])
        ),
        old_town=(middle - 0.4, float(strip + 4) + 0.2 * reach),
        new_town=(middle + 0.5 * reach * np.cos(new_angle), centre[1] + 0.3 * reach * np.sin(new_angle)),
        subcentres=np.column_stack(
            [middle + 0.68 * reach * np.cos(angles), centre[1] + 0.68 * reach * np.sin(angles)]
        ),
        industry=industry,
        hills=industry + np.pi + side * float(random.uniform(0.3, 0.9)),
        turn=float(random.uniform(-0.17, 0.17)),
        meander=np.array(
            [
                [0.040 * extent, 0.85 * extent, random.uniform(0, 2 * np.pi)],
                [0.012 * extent, 0.37 * extent, random.uniform(0, 2 * np.pi)],
            ]
        ),
        bends=(
            SmoothField.drawn(random, 0.5 * extent),
            SmoothField.drawn(random, 0.5 * extent),
            SmoothField.drawn(random, 9.0 * scale.river_width),
            SmoothField.drawn(random, 0.35 * extent),
        ),
        river_width=scale.river_width,
    )


def _with_river(roads: Floats, strip: int, green: float) -> tuple[Floats, Ints]:
    """Return the east-west lines with the river's banks and middle set between two roads."""
    low, high = roads[strip], roads[strip + 1]
    inner = np.array([low + green, (low + high) / 2.0, high - green])
    rows = np.concatenate([roads[: strip + 1], inner, roads[strip + 1 :]])
    kinds = np.full(len(rows), Row.ROAD, dtype=np.int64)
    kinds[strip + 1 : strip + 4] = [Row.BANK, Row.MIDSTREAM, Row.BANK]
    return rows, kinds
