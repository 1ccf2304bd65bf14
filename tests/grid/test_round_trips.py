"""A hundred million random points there and back, through every form of code: `make soak`."""

from collections import Counter

import numpy as np
import pytest

from jingwei import grid
from jingwei.grid import beidou
from jingwei.grid.levels import SIZE

from . import reference as ref
from .test_exactness import exact_codes

ROUND = 1_000_000
POINTS = 100_000_000
PROFILES = ["mixed", "c3_literal_twos", "c3_literal_signabs"]


def draw(rng, count):
    """Signed ticks, half of them whole sizes of some level, and layers, half of them within 20 km of zero."""
    x = rng.integers(-180 * ref.DEGREE + 1, 180 * ref.DEGREE, count)
    y = rng.integers(-88 * ref.DEGREE + 1, 88 * ref.DEGREE, count)
    half = count // 2
    for axis in (x, y):
        size = np.array(SIZE)[rng.integers(9, 33, half)]
        axis[:half] -= np.fmod(axis[:half], size)
    layer = rng.integers(ref.LOWEST, ref.HIGHEST, count)
    layer[:half] = rng.integers(-1_300_000, 1_300_000, half)
    return x, y, layer


def there_and_back(x, y, layer, level, stage, profile):
    """Send points through the codes of a GeoSOT level, and of a BeiDou level with heights."""
    lon, lat = x / ref.DEGREE, y / ref.DEGREE
    finest = grid.encode(lon, lat)
    assert np.array_equal(finest, exact_codes(x, y))
    codes = grid.encode(lon, lat, level)
    assert np.array_equal(codes, grid.parent(finest, 32, level))
    assert np.array_equal(grid.encode(*grid.centre(codes, level), level), codes)
    west, south, east, north = (np.rint(edge * ref.DEGREE) for edge in grid.bounds(codes, level))
    assert ((west <= x) & (x <= east) & (south <= y) & (y <= north)).all()
    assert np.array_equal(grid.from_stored(grid.to_stored(codes)), codes)
    texts = grid.geosot_string(codes, level, separators=bool(stage % 2))
    again, levels = grid.parse_geosot(texts)
    assert np.array_equal(again, codes)
    assert (levels == level).all()

    names = grid.beidou_string(lon, lat, 10)
    cut = beidou.LENGTH[stage]
    assert np.array_equal(grid.beidou_string(lon, lat, stage), names.astype(f"S{cut}"))
    again, twins = grid.parse_beidou(names)
    assert np.array_equal(again, finest)
    if stage >= 4:
        again, twins = grid.parse_beidou(names.astype(f"S{cut}"))
        assert np.array_equal(again, grid.parent(finest, 32, int(twins[0])))
        assert np.array_equal(grid.beidou_of(again, int(twins[0])), names.astype(f"S{cut}"))

    # The middle of a layer: 0.5 is far from its faces, whatever a double rounds.
    height = grid.height_of(layer + 0.5)
    assert np.array_equal(grid.height_ticks(height), layer)
    stage = max(stage, 4)
    solids = grid.beidou3d_string(lon, lat, height, stage, profile)
    again, twins, low, high = grid.parse_beidou3d(solids, profile)
    assert np.array_equal(again, grid.parent(finest, 32, int(twins[0])))
    assert ((low <= layer) & (layer < high)).all()


def test_a_few_points_round_trip():
    rng = np.random.default_rng(4)
    for turn in range(33):
        there_and_back(*draw(rng, 1_000), turn % 32 + 1, turn % 10 + 1, PROFILES[turn % 3])


@pytest.mark.soak
def test_a_hundred_million_points_round_trip(capsys):
    seed = np.random.SeedSequence().entropy
    rng = np.random.default_rng(seed)
    sent, quadrants, levels, stages = 0, Counter(), Counter(), Counter()
    with capsys.disabled():
        print(f"\nround trips, seed {seed}", flush=True)
        for turn in range(POINTS // ROUND):
            x, y, layer = draw(rng, ROUND)
            level, stage = turn % 32 + 1, turn % 10 + 1
            there_and_back(x, y, layer, level, stage, PROFILES[turn % 3])
            sent += ROUND
            levels[level] += ROUND
            stages[stage] += ROUND
            for name, south, west in (("NE", 0, 0), ("NW", 0, 1), ("SE", 1, 0), ("SW", 1, 1)):
                quadrants[name] += int(np.count_nonzero(((y < 0) == south) & ((x < 0) == west)))
            if turn % 10 == 9:
                print(f"  {sent:,} points", flush=True)
        print(
            f"{sent:,} points there and back through the 64-bit code, its stored form, GeoSOT levels "
            f"{min(levels)}-{max(levels)} with their texts, BeiDou levels {min(stages)}-{max(stages)} and "
            f"three-dimensional codes of {len(PROFILES)} profiles: "
            + ", ".join(f"{name} {count:,}" for name, count in quadrants.items())
        )
    assert sent == POINTS
    assert set(levels) == set(range(1, 33))
    assert set(stages) == set(range(1, 11))
    assert all(count > POINTS / 5 for count in quadrants.values())
