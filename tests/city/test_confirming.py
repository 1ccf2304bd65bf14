"""What the first rows of a source show must hold for all of it; names of columns may name their system."""

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei import grid
from jingwei.city.confirming import PARTS, Thinned
from jingwei.lake import datums

from .packs import EAST, NORTH, SOUTH, WEST, write_pack

KNOWN = """
[[source]]
id = "known"
file = "known.csv"
title = { zh = "已知" }
name = "name"
place = { lon = "lon", lat = "lat", crs = "WGS84" }
"""
UNSAID = """
[[source]]
id = "things"
file = "things*.csv"
title = { zh = "物" }
name = "name"
place = { lon = "lon", lat = "lat" }
"""
NAMED = """
[[source]]
id = "things"
file = "things.csv"
title = { zh = "物" }
name = "name"
place = { lon = "%s", lat = "%s" }
"""
MANY = 24_000


def fill_city(count, seed=3):
    random = np.random.default_rng(seed)
    return random.uniform(WEST, EAST, count), random.uniform(SOUTH, NORTH, count)


def write_points(path, x, y, columns=("lon", "lat"), first=0):
    names = [f"第{n}号" for n in range(first, first + len(x))]
    pacsv.write_csv(pa.table({"name": names, columns[0]: x, columns[1]: y}), path)


@pytest.fixture
def city_of_known_places(tmp_path):
    """A pack with places that are known by name, and a second source whose system is not said."""
    pack = write_pack(tmp_path / "pack", KNOWN, UNSAID)
    x, y = fill_city(2 * MANY)
    write_points(pack / "known.csv", x, y)
    return pack, x, y


FROM_WGS84 = {"WGS84": lambda x, y: (x, y), "GCJ-02": datums.wgs84_to_gcj02, "BD-09": datums.wgs84_to_bd09}


@pytest.mark.parametrize("files", [1, 2])
def test_a_source_put_together_from_two_systems_is_held_back(opened, city_of_known_places, files):
    pack, x, y = city_of_known_places
    other_x, other_y = datums.wgs84_to_gcj02(x[MANY:], y[MANY:])
    if files == 2:
        write_points(pack / "things1.csv", x[:MANY], y[:MANY])
        write_points(pack / "things2.csv", other_x, other_y, first=MANY)
    else:
        together = np.concatenate([x[:MANY], other_x]), np.concatenate([y[:MANY], other_y])
        write_points(pack / "things1.csv", *together)
    report = opened.load(pack)["things"]
    assert report.stage == "held"
    assert f"rows {MANY + 1} to" in report.problem["what"]["en"]
    assert "GCJ-02" in report.problem["what"]["en"]
    assert opened.dataset("things").version is None


def test_a_source_of_one_system_is_not(opened, city_of_known_places):
    pack, x, y = city_of_known_places
    write_points(pack / "things1.csv", x, y)
    report = opened.load(pack)["things"]
    assert (report.stage, report.counts.addressed) == ("published", 2 * MANY)


@pytest.mark.parametrize(
    ("names", "system"),
    [
        (("bd_lng", "bd_lat"), "BD-09"),
        (("高德经度", "高德纬度"), "GCJ-02"),
        (("wgs84_lon", "wgs84_lat"), "WGS84"),
    ],
)
def test_names_of_columns_that_name_their_system_are_a_declaration(opened, tmp_path, names, system):
    pack = write_pack(tmp_path / "pack", NAMED % names)
    lon, lat = 114.1, 22.6  # one place: what it is in cannot be seen from the values
    x, y = FROM_WGS84[system](np.array([lon]), np.array([lat]))
    write_points(pack / "things.csv", x, y, names)
    assert opened.load(pack)["things"].stage == "published"
    [row] = opened.rows("things")
    west, south, east, north = grid.bounds(grid.from_stored(row["jw_cell"]), 32)
    assert (west + east) / 2 == pytest.approx(lon, abs=1e-5)
    assert (south + north) / 2 == pytest.approx(lat, abs=1e-5)


def test_names_that_the_values_speak_against_hold_the_source_back(opened, tmp_path):
    columns = ("bd_lng", "bd_lat")
    pack = write_pack(tmp_path / "pack", KNOWN, NAMED % columns)
    x, y = fill_city(2_000)
    write_points(pack / "known.csv", x, y)
    write_points(pack / "things.csv", x, y, columns)
    assert opened.load(pack)["things"].stage == "held"


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(4, 40))
def test_rows_are_kept_evenly_from_all_over(sizes, most):
    schema = pa.schema([("n", pa.int64())])
    thinned = Thinned(schema, most)
    first = 0
    for size in sizes:
        thinned.note(
            pa.RecordBatch.from_arrays([pa.array(range(first, first + size), pa.int64())], schema=schema)
        )
        first += size
    parts = thinned.parts()
    kept = [n for _, _, table in parts for n in table["n"].to_pylist()]
    assert len(kept) <= most
    assert len(kept) >= min(first, most // 2)
    assert len({b - a for a, b in itertools.pairwise(kept)}) <= 1
    assert thinned.all_kept == (len(kept) == first)
    assert len(parts) <= PARTS
    assert [(low, high) for low, high, _ in parts] == [
        (table["n"][0].as_py(), table["n"][-1].as_py()) for _, _, table in parts
    ]
