"""Answers of the container equal brute force over the rows themselves."""

import json

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei import grid
from jingwei.access import local_person
from jingwei.city import load_pack, open_city, parse_manifest
from jingwei.errors import BadRequestError
from jingwei.lake import region_of_bounds, region_of_geometry
from jingwei.lake.errors import BadFilterError, BadRegionError, UnknownColumnError, UnknownDatasetError

ASKER = local_person()
POINTS = 4_000
WEST, SOUTH, EAST, NORTH = 113.9, 22.4, 114.3, 22.8


def source(name, file, **place):
    return {"id": name, "file": file, "title": {"zh": name}, "place": place}


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    folder = tmp_path_factory.mktemp("query")
    random = np.random.default_rng(7)
    lon = random.uniform(WEST, EAST, POINTS)
    lat = random.uniform(SOUTH, NORTH, POINTS)
    days = random.integers(1, 29, POINTS)
    lines = ["n,kind,name,lon,lat,t"] + [
        f"{n},{'甲乙丙'[n % 3]},点{n % 500}号,{x!r},{y!r},2020-02-{d:02d} 12:00:00"
        for n, (x, y, d) in enumerate(zip(lon.tolist(), lat.tolist(), days.tolist(), strict=True))
    ]
    (folder / "points.csv").write_text("\n".join(lines) + "\n", "utf-8")
    shapes = []
    for n in range(200):
        x, y = random.uniform(WEST, EAST), random.uniform(SOUTH, NORTH)
        if n % 2:
            shape = shapely.LineString(
                np.column_stack([x + random.normal(0, 0.02, 5), y + random.normal(0, 0.02, 5)])
            )
        else:
            shape = shapely.Point(x, y).buffer(random.uniform(0.0005, 0.03), quad_segs=4)
        shapes.append(
            {"type": "Feature", "properties": {"n": n}, "geometry": json.loads(shapely.to_geojson(shape))}
        )
    (folder / "shapes.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": shapes}), "utf-8"
    )
    points = source("points", "points.csv", lon="lon", lat="lat", crs="WGS84") | {
        "name": "name",
        "time": {"column": "t", "zone": "Asia/Shanghai", "precision": "second"},
    }
    coarse = source("coarse", "points.csv", lon="lon", lat="lat", crs="WGS84", level=15)
    manifest = parse_manifest(
        {
            "city": {"id": "random", "name": {"zh": "随机城"}, "adcode": "990100"},
            "source": [points, coarse, source("shapes", "shapes.geojson", geometry="geometry", crs="WGS84")],
        }
    )
    with open_city(folder / "home", create=True) as city:
        assert load_pack(city, manifest, folder, None, ASKER).complete
        yield city


@pytest.fixture(scope="module")
def points(city):
    table = city.lake.query(ASKER, "points", limit=100_000).table
    return {
        name: table[name].to_numpy(zero_copy_only=False) for name in ("n", "kind", "lon", "lat", "jw_time")
    }


@pytest.fixture(scope="module")
def shapes(city):
    table = city.lake.query(ASKER, "shapes", limit=100_000).table
    return dict(zip(table["n"].to_pylist(), shapely.from_wkb(table["geometry"].to_numpy()), strict=True))


cells = st.builds(grid.Cell.at, st.floats(WEST, EAST), st.floats(SOUTH, NORTH), st.integers(9, 24))


@settings(max_examples=60, deadline=None)
@given(cell=cells)
def test_everything_in_a_cell_is_what_brute_force_finds(city, points, shapes, cell):
    found = {dataset.id: rows for dataset, rows in city.lake.at(ASKER, cell, limit=100_000)}
    here = np.asarray(grid.encode(points["lon"], points["lat"], cell.level)) == np.uint64(cell.code)
    got = set(found["points"].table["n"].to_pylist()) if "points" in found else set()
    assert got == set(points["n"][here].tolist())

    box = shapely.box(*cell.bounds)
    crossing = {n for n, shape in shapes.items() if shape.intersects(box)}
    assert (set(found["shapes"].table["n"].to_pylist()) if "shapes" in found else set()) == crossing

    level = min(cell.level, 15)
    around = np.asarray(grid.encode(points["lon"], points["lat"], level)) == np.uint64(
        grid.parent(cell.code, cell.level, level)
    )
    got = set(found["coarse"].table["n"].to_pylist()) if "coarse" in found else set()
    assert got == set(points["n"][around].tolist())
    if got:
        relation = "around" if cell.level > 15 else "within"
        assert set(found["coarse"].table["jw_relation"].to_pylist()) == {relation}
        assert found["coarse"].around == (len(got) if cell.level > 15 else 0)


boxes = st.tuples(
    st.floats(WEST, EAST - 0.01), st.floats(SOUTH, NORTH - 0.01), st.floats(0.001, 0.2), st.floats(0.001, 0.2)
)


@settings(max_examples=40, deadline=None)
@given(box=boxes)
def test_a_box_holds_what_lies_in_it(city, points, shapes, box):
    west, south, width, height = box
    region = region_of_bounds(west, south, west + width, south + height)
    got = city.lake.query(ASKER, "points", region=region, limit=100_000).table["n"].to_pylist()
    inside = shapely.contains_xy(region.outline, points["lon"], points["lat"])
    assert sorted(got) == sorted(points["n"][inside].tolist())
    got = city.lake.query(ASKER, "shapes", region=region, limit=100_000).table["n"].to_pylist()
    assert set(got) == {n for n, shape in shapes.items() if shape.intersects(region.outline)}
    density = city.lake.density(ASKER, "points", 17, region=region)
    assert sum(density["n"].to_pylist()) == int(inside.sum())


@pytest.mark.parametrize("level", [1, 5, 10, 12, 15, 17, 18, 21, 26, 32])
def test_density_counts_each_fact_once_at_every_level(city, points, level):
    table = city.lake.density(ASKER, "points", level)
    assert sum(table["n"].to_pylist()) == POINTS
    codes, counts = np.unique(
        np.asarray(grid.encode(points["lon"], points["lat"], level)), return_counts=True
    )
    expected = dict(zip(grid.to_stored(codes).tolist(), counts.tolist(), strict=True))
    assert dict(zip(table["jw_cell"].to_pylist(), table["n"].to_pylist(), strict=True)) == expected
    assert np.allclose(table["area_m2"].to_numpy(), grid.area_m2(codes, level))


def test_facts_known_only_coarsely_lie_in_no_finer_cell(city):
    assert city.lake.density(ASKER, "coarse", 16).num_rows == 0
    assert sum(city.lake.density(ASKER, "coarse", 15)["n"].to_pylist()) == POINTS


def test_pages_give_every_row_once(city):
    seen, after = [], None
    while True:
        rows = city.lake.query(ASKER, "points", after=after, limit=333)
        seen += rows.table["n"].to_pylist()
        after = rows.after
        if after is None:
            break
    assert sorted(seen) == list(range(POINTS))


def test_a_filter_selects_by_the_departments_own_columns(city, points):
    rows = city.lake.query(ASKER, "points", where="kind = '甲' AND n BETWEEN 10 AND 20", limit=100)
    assert sorted(rows.table["n"].to_pylist()) == [12, 15, 18]
    rows = city.lake.query(ASKER, "points", where="NOT kind IN ('甲', '乙') AND (n < 3 OR n = 5)", limit=100)
    assert sorted(rows.table["n"].to_pylist()) == [2, 5]


def test_a_period_selects_by_time_in_utc(city, points):
    first = int(np.datetime64("2020-02-10T04:00:00", "us").astype(np.int64))
    day = 86_400_000_000
    rows = city.lake.query(ASKER, "points", period=(first, first + day), limit=100_000)
    expected = points["n"][points["jw_time"].astype("datetime64[D]") == np.datetime64("2020-02-10")]
    assert sorted(rows.table["n"].to_pylist()) == sorted(expected.tolist())


@pytest.mark.parametrize(
    "where",
    [
        "1=1; DROP TABLE x",
        "n = (SELECT 1)",
        "read_text('/etc/passwd') = 'x'",
        "n = 1 UNION SELECT 1",
        "points.n = 1",
        "n",
        "'x'",
        "n = 'not a number'",
        "",
        "(" * 300,
        "n = 1 -- comment\n OR 1 = 1; SELECT 2",
        "\x00",
    ],
)
def test_a_filter_that_is_no_comparison_is_refused(city, where):
    if where == "":
        assert city.lake.query(ASKER, "points", where=where, limit=1).table.num_rows == 1
        return
    with pytest.raises(BadRequestError) as caught:
        city.lake.query(ASKER, "points", where=where)
    assert isinstance(caught.value, (BadFilterError, UnknownColumnError))


def test_unknown_names_are_told_with_near_misses(city):
    with pytest.raises(UnknownDatasetError) as unknown:
        city.lake.dataset(ASKER, "point")
    assert "points" in unknown.value.mend.en
    with pytest.raises(UnknownColumnError) as column:
        city.lake.query(ASKER, "points", columns=["kinds"])
    assert "kind" in column.value.mend.en


@pytest.mark.parametrize(
    "box", [(1, 2, 1, 3), (float("nan"), 0, 1, 1), (0, 0, 181, 1), (10, 10, 5, 20), (0, -91, 1, 0)]
)
def test_an_impossible_box_is_refused(box):
    with pytest.raises(BadRegionError):
        region_of_bounds(*box)


def test_a_region_is_bounded(city):
    with pytest.raises(BadRegionError):
        region_of_geometry(shapely.Point(114, 22).buffer(0.1, quad_segs=6_000))
    with pytest.raises(BadRegionError):
        region_of_geometry(shapely.LineString([(0, 0), (1, 1)]))
    with pytest.raises(BadRegionError):
        region_of_geometry(shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]))


def test_search_finds_names_and_treats_wildcards_as_letters(city):
    found = city.lake.search(ASKER, "点12号")
    assert found[0].name == "点12号"
    assert found[0].facts == 8
    assert city.lake.search(ASKER, "%") == []
    assert city.lake.search(ASKER, "点_号") == []
    assert city.lake.search(ASKER, "  ") == []
    assert len(city.lake.search(ASKER, "点", limit=7)) == 7
