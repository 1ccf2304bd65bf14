"""Which middles lie inside an area, whatever coarse cells say of most of them."""

import numpy as np
import pytest
import shapely

from jingwei import grid
from jingwei.lake.enclosing import middles_inside, ranges_inside

TURNS = np.linspace(0, 2 * np.pi, 60)
WAVY = shapely.Polygon(
    np.stack([114 + 0.4 * np.cos(TURNS) + 0.03 * np.cos(9 * TURNS), 22.5 + 0.2 * np.sin(TURNS)], 1)
)
HOLED = WAVY.difference(shapely.box(113.9, 22.45, 114.05, 22.53))
ISLANDS = shapely.MultiPolygon([WAVY.buffer(-0.05), shapely.box(115.1, 22.1, 115.2, 22.3)])
LEAVES = shapely.GeometryCollection(
    [shapely.box(113.9, 22.4, 114.1, 22.6), shapely.LineString([(113, 22), (114, 23)])]
)


@pytest.mark.parametrize("area", [WAVY, HOLED, ISLANDS, LEAVES, shapely.box(114, 22.5, 114.25, 22.75)])
@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("rows", [0, 1, 60_000])
def test_cells_answer_as_points_do(area, ordered, rows):
    random = np.random.default_rng(7)
    lon, lat = random.uniform(113.2, 115.4, rows), random.uniform(21.9, 23.1, rows)
    edge = random.random(rows) < 0.2
    lon[edge] = np.round(lon[edge] * 60) / 60
    codes = np.asarray(grid.encode(lon, lat, 32), np.uint64)
    codes = np.sort(codes) if ordered else codes
    shapely.prepare(area)
    wanted = shapely.contains_xy(area, *grid.centre(codes, 32)) if rows else np.empty(0, bool)
    assert np.array_equal(middles_inside(area, codes), wanted)


@pytest.mark.parametrize("area", [WAVY, HOLED, ISLANDS, LEAVES, shapely.box(114, 22.5, 114.25, 22.75)])
@pytest.mark.parametrize("rows", [1, 40, 2_000])
def test_of_a_range_that_lies_inside_every_middle_does(area, rows):
    random = np.random.default_rng(8)
    lon, lat = random.uniform(113.5, 115.3, 100_000), random.uniform(22.1, 22.9, 100_000)
    codes = np.sort(np.asarray(grid.encode(lon, lat, 32), np.uint64)).reshape(-1, rows)[:: 1 + 50 // rows]
    inside = ranges_inside(area, codes[:, 0].copy(), codes[:, -1].copy())
    every = middles_inside(area, codes.ravel()).reshape(codes.shape).all(axis=1)
    assert not (inside & ~every).any()
    if area.geom_type in ("Polygon", "MultiPolygon") and rows < 2_000:
        assert inside.sum() > (0.8 if rows == 1 else 0.3) * every.sum()


def test_ranges_from_one_end_of_the_world_to_the_other_are_not_inside():
    ends = np.asarray(
        grid.encode(np.array([-170.0, 114.0, 114.0, 114.0]), np.array([40.0, -22.5, 87.5, 22.5]), 32),
        np.uint64,
    )
    here = np.asarray(grid.encode(np.full(4, 114.0), np.full(4, 22.5), 32), np.uint64)
    assert ranges_inside(WAVY, np.minimum(ends, here), np.maximum(ends, here)).tolist() == [
        False,
        False,
        False,
        True,
    ]
    assert ranges_inside(WAVY, ends, ends).tolist() == [False, False, False, True]
    assert not ranges_inside(WAVY, here[:1] + np.uint64(1), here[:1]).any()
