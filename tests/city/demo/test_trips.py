"""Who goes from where to where: flows that balance, a fit that finds the truth, trips like real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei.city.demo import lay_out, settings_of
from jingwei.city.demo.clock import EPOCH
from jingwei.city.demo.gravity import POWER, REACH, deterrence, fit_deterrence, flows, zones_of
from jingwei.city.demo.trips import HOURS, WALKED, Taxis, Trips, join

DAY = (settings_of("S").last_day - EPOCH).days


@pytest.fixture(scope="module")
def week() -> Trips:
    taxis = Taxis(lay_out(settings_of("S", 2)))
    return join([taxis.on_day(DAY - back) for back in range(7)])


def square_of_zones(side: int, pitch: float) -> np.ndarray:
    x, y = (axis.ravel() * pitch for axis in np.meshgrid(np.arange(side), np.arange(side)))
    distance = np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :])
    np.fill_diagonal(distance, 0.52 * pitch)
    return distance


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_flows_meet_both_margins(seed: int) -> None:
    random = np.random.default_rng(seed)
    starts, ends = random.lognormal(0.0, 1.0, (2, 36))
    flow = flows(starts, ends, deterrence(square_of_zones(6, 600.0)))
    assert (flow >= 0).all()
    assert flow.sum(axis=1) == pytest.approx(starts, rel=1e-9)
    assert flow.sum(axis=0) == pytest.approx(ends * starts.sum() / ends.sum(), rel=1e-4)


@pytest.mark.parametrize("truth", [(-0.4, 5000.0), (-1.2, 9000.0), (0.3, 2500.0)])
def test_the_fit_finds_the_deterrence_that_made_the_trips(truth: tuple[float, float]) -> None:
    distance = square_of_zones(16, 800.0)
    starts, ends = np.random.default_rng(1).lognormal(0.0, 1.0, (2, 256))
    power, reach = fit_deterrence(flows(starts, ends, deterrence(distance, *truth)), distance)
    assert power == pytest.approx(truth[0], abs=0.02)
    assert reach == pytest.approx(truth[1], rel=0.02)


def test_the_deterrence_is_that_of_real_taxi_trips(shared_data: Path) -> None:
    """The busiest thousand cells tell about the same as all 4,400, from which the constants were fitted."""
    table = pq.read_table(shared_data / "shenzhen" / "taxi_od_grid.parquet")
    ends = [np.stack([table[f"{end}LONCOL"].to_numpy(), table[f"{end}LATCOL"].to_numpy()], 1) for end in "SE"]
    cells, cell = np.unique(np.concatenate(ends), axis=0, return_inverse=True)
    start, end = np.split(cell.ravel(), 2)
    count = table["VehicleNum"].to_numpy().astype(float)
    busy = np.argsort(-np.bincount(np.concatenate([start, end]), np.tile(count, 2)))[:1000]
    number = np.full(len(cells), -1)
    number[busy] = np.arange(len(busy))
    kept = (number[start] >= 0) & (number[end] >= 0)
    trips = np.zeros((len(busy), len(busy)))
    np.add.at(trips, (number[start][kept], number[end][kept]), count[kept])
    middle = cells[busy] * 500.0
    distance = np.hypot(*(middle[:, None, :] - middle[None, :, :]).transpose(2, 0, 1))
    np.fill_diagonal(distance, 260.0)
    power, reach = fit_deterrence(trips, distance)
    assert power == pytest.approx(POWER, abs=0.25)
    assert reach == pytest.approx(REACH, rel=0.35)


def test_zones_are_the_superblocks_with_buildings() -> None:
    layout = lay_out(settings_of("tiny", 3))
    zones = zones_of(layout)
    superblock = layout.fabric.superblock[layout.buildings.face]
    pairs = set(zip(zones.of_building.tolist(), superblock.tolist(), strict=True))
    assert len(pairs) == len(set(superblock.tolist())) == len(zones.distance)
    assert (zones.distance > 0).all()


def test_trips_begin_and_end_at_a_kerb_in_the_city(week: Trips) -> None:
    layout = lay_out(settings_of("S", 2))
    tree = shapely.STRtree(layout.roads.shapes)
    for x, y in ((week.x, week.y), (week.to_x, week.to_y)):
        _, away = tree.query_nearest(shapely.points(x[::50], y[::50]), return_distance=True)
        assert away.max() < 0.2


def test_trips_keep_the_hours_of_real_ones_and_are_not_walks(week: Trips) -> None:
    hour = ((week.start + 8 * 3600) // 3600) % 24
    shares = np.bincount(hour, minlength=24) / len(hour)
    assert shares == pytest.approx(np.array(HOURS) / sum(HOURS), abs=0.006)
    assert (week.end > week.start).all()
    assert (week.driven >= week.straight).mean() > 0.99
    assert np.percentile(week.straight, 5) > 0.4 * WALKED


def test_a_day_is_the_same_whenever_it_is_asked_for() -> None:
    first, again = (Taxis(lay_out(settings_of("tiny", 3))) for _ in range(2))
    first.on_day(DAY - 1)
    assert first.on_day(DAY).start.tolist() == again.on_day(DAY).start.tolist()
    assert first.on_day(DAY).to_x.tolist() == again.on_day(DAY).to_x.tolist()
