"""The grid in pandas, GeoPandas, Polars, Arrow, DuckDB and SQL: the same answers as the library's own."""

import duckdb
import geopandas
import numpy as np
import pandas as pd
import polars as pl
import psycopg
import pyarrow as pa
import pytest
import shapely
import sqlglot

from jingwei import grid
from jingwei.grid import sql, with_duckdb, with_pandas, with_polars

assert with_pandas
assert with_polars

LON = [116.3, -0.5, 180.0, None, 200.0, -118.25, 10.0]
LAT = [39.9, -0.25, 10.1, 1.0, 2.0, 34.05, 89.0]
GOOD = [True, True, True, False, False, True, False]
LEVEL = 23


@pytest.fixture
def wanted():
    return [
        grid.to_stored(grid.encode(x, y, LEVEL)) if ok else None
        for x, y, ok in zip(LON, LAT, GOOD, strict=True)
    ]


def texts(cells, write):
    return [None if cell is None else write(grid.from_stored(cell), LEVEL) for cell in cells]


def nones(series):
    return [None if value is pd.NA or value != value else value for value in series.astype(object)]


@pytest.mark.parametrize(
    "column", [pa.array, lambda values: pa.chunked_array([values[:3], values[3:]]), pl.Series, pd.Series]
)
def test_every_kind_of_column_is_read_with_its_nulls(column, wanted):
    codes, bad = grid.encode(column(LON), column(LAT), LEVEL, errors="mask")
    assert bad.tolist() == [not ok for ok in GOOD]
    assert [c for c, ok in zip(grid.to_stored(codes).tolist(), GOOD, strict=True) if ok] == [
        w for w in wanted if w is not None
    ]


def masked(cells):
    return np.ma.array([cell or 0 for cell in cells], mask=[cell is None for cell in cells], dtype=np.int64)


@pytest.mark.parametrize(
    "column", [pa.array, pl.Series, lambda cells: pd.Series(cells, dtype="Int64"), masked]
)
def test_columns_of_cells_keep_all_64_bits_beside_nulls(column, wanted):
    *edges, bad = grid.bounds(column(wanted), LEVEL, errors="mask")
    assert bad.tolist() == [w is None for w in wanted]
    assert np.isnan(edges[0]).tolist() == bad.tolist()


def test_pandas(wanted):
    frame = pd.DataFrame({"x": LON, "y": LAT}, index=list("abcdefg"))
    cells = frame.grid.encode(LEVEL, lon="x", lat="y")
    assert nones(cells) == wanted
    assert cells.index.tolist() == frame.index.tolist()
    assert nones(cells.grid.beidou(LEVEL)) == texts(wanted, grid.beidou_of)
    assert nones(cells.grid.geosot(LEVEL)) == texts(wanted, grid.geosot_string)
    assert nones(cells.grid.parent(LEVEL, 15)) == texts(
        wanted, lambda c, _: grid.to_stored(grid.parent(c, LEVEL, 15))
    )
    assert nones(cells.grid.area_m2(LEVEL)) == pytest.approx(texts(wanted, grid.area_m2))
    assert cells.grid.bounds(LEVEL).loc["a"].tolist() == list(grid.bounds(grid.from_stored(wanted[0]), LEVEL))
    assert cells.grid.bounds(LEVEL).loc["d"].isna().all()
    assert cells.grid.centre(LEVEL).loc["a"].tolist() == list(grid.centre(grid.from_stored(wanted[0]), LEVEL))
    parsed = cells.grid.beidou(LEVEL).grid.parse()
    assert nones(parsed["jw_cell"]) == wanted
    assert nones(parsed["jw_level"]) == [None if w is None else LEVEL for w in wanted]
    near = grid.cover((116, 39, 117, 40), level=11)
    assert cells.grid.isin(near).tolist() == [True] + [False] * 6


def test_geopandas():
    points = geopandas.GeoDataFrame(
        {"name": ["a", "b"]}, geometry=[shapely.Point(116.3, 39.9), None], crs=4326
    )
    assert nones(points.grid.encode(LEVEL)) == [grid.to_stored(grid.encode(116.3, 39.9, LEVEL)), None]
    metres = points.iloc[:1].to_crs(4527)
    assert abs(int(metres.grid.encode(19).iloc[0]) - grid.to_stored(grid.encode(116.3, 39.9, 19))) < 1 << 32
    areas = geopandas.GeoDataFrame(
        {"name": ["a"]}, geometry=[shapely.Point(116.3, 39.9).buffer(0.01)], crs=4326, index=[7]
    )
    cells = areas.grid.cover(19)
    assert set(cells.index) == {7}
    assert grid.Cover.of_cells(cells["jw_cell"], cells["jw_level"]) == grid.cover(
        areas.geometry.iloc[0], level=19
    )
    boxes = points.grid.encode(15).grid.boxes(15)
    assert boxes.iloc[0].bounds == grid.bounds(grid.encode(116.3, 39.9, 15), 15)
    assert boxes.iloc[1] is None


def test_polars(wanted):
    frame = pl.DataFrame({"x": LON, "y": LAT}).with_columns(cell=pl.struct("x", "y").grid.encode(LEVEL))
    assert frame["cell"].to_list() == wanted
    cell = pl.col("cell").grid
    out = (
        frame.lazy()
        .select(
            beidou=cell.beidou(LEVEL),
            points=pl.struct("x", "y").grid.beidou_of_points(7),
            geosot=cell.geosot(LEVEL),
            parent=cell.parent(LEVEL, 15),
            low=cell.low(15),
            high=cell.high(15),
            area=cell.area_m2(LEVEL),
            bounds=cell.bounds(LEVEL),
            inside=cell.contains(grid.cover((116, 39, 117, 40), level=11)),
            again=cell.beidou(LEVEL).grid.parse(),
        )
        .collect()
    )
    assert out["beidou"].to_list() == texts(wanted, grid.beidou_of)
    assert out["points"].to_list() == texts(wanted, grid.beidou_of)
    assert out["geosot"].to_list() == texts(wanted, grid.geosot_string)
    ranges = texts(wanted, lambda c, _: grid.cell_range(c, 15))
    assert out["low"].to_list() == out["parent"].to_list() == [r and r[0] for r in ranges]
    assert out["high"].to_list() == [r and r[1] for r in ranges]
    assert out["area"].to_list() == texts(wanted, grid.area_m2)
    assert tuple(out["bounds"][0].values()) == grid.bounds(grid.from_stored(wanted[0]), LEVEL)
    assert out["inside"].to_list() == [True] + [False] * 6
    assert out["again"].struct.field("cell").to_list() == wanted


@pytest.fixture
def duck():
    connection = duckdb.connect()
    with_duckdb.register(connection)
    points = pa.table({"x": pa.array(LON), "y": pa.array(LAT), "n": pa.array([LEVEL] * 6 + [15], pa.int32())})
    connection.register("points", points)
    return connection


def column(connection, expression, source="points"):
    return [row[0] for row in connection.execute(f"SELECT {expression} FROM {source}").fetchall()]


def test_duckdb(duck, wanted):
    duck.execute("CREATE TABLE facts AS SELECT *, jw_encode(x, y, n) AS cell FROM points")
    assert column(duck, "cell", "facts") == wanted
    assert column(duck, f"jw_beidou_of(cell, {LEVEL})", "facts") == texts(wanted, grid.beidou_of)
    assert column(duck, "jw_beidou(x, y, 7)") == texts(wanted, grid.beidou_of)
    assert column(duck, f"jw_geosot(cell, {LEVEL})", "facts") == texts(wanted, grid.geosot_string)
    assert column(duck, f"jw_cell_of(jw_beidou_of(cell, {LEVEL}))", "facts") == wanted
    assert column(duck, f"jw_level_of(jw_geosot(cell, {LEVEL}))", "facts") == [w and LEVEL for w in wanted]
    assert column(duck, f"jw_area(cell, {LEVEL})", "facts") == texts(wanted, grid.area_m2)
    assert tuple(column(duck, f"jw_bounds(cell, {LEVEL})", "facts")[0].values()) == grid.bounds(
        grid.from_stored(wanted[0]), LEVEL
    )
    ranges = texts(wanted, lambda c, _: grid.cell_range(c, 15))
    assert column(duck, "jw_low(cell, 15)", "facts") == column(duck, "jw_parent(cell, 15)", "facts")
    assert column(duck, "jw_low(cell, 15)", "facts") == [r and r[0] for r in ranges]
    assert column(duck, "jw_high(cell, 15)", "facts") == [r and r[1] for r in ranges]
    assert column(duck, "jw_contains(jw_parent(cell, 9), 9, cell)", "facts") == [w and True for w in wanted]


def test_a_cover_is_joined_in_duckdb_as_ranges(duck):
    with_duckdb.register_cover(duck, "near", grid.cover((116, 39, 117, 40), level=13))
    found = duck.execute(
        "SELECT x FROM points JOIN near ON jw_encode(x, y, 32) BETWEEN low AND high"
    ).fetchall()
    assert found == [(116.3,)]


def places(count=20_000):
    rng = np.random.default_rng(7)
    lon, lat = rng.uniform(-180, 180, count), rng.uniform(-87.4, 87.4, count)
    edges = rng.integers(0, 3600, count // 2)
    lon[: count // 2], lat[: count // 2] = (
        np.round(lon[: count // 2]) + edges / 3600,
        np.round(lat[: count // 2]),
    )
    return np.clip(lon, -180, 180), lat


@pytest.mark.postgres
def test_the_functions_of_postgresql_give_the_same_codes(postgres):
    name = postgres.create()
    lon, lat = places()
    level = np.arange(len(lon)) % 32 + 1
    try:
        with psycopg.connect(host=str(postgres.folder), user="postgres", dbname=name) as connection:
            for statement in sql.functions("postgres"):
                connection.execute(statement)
            connection.execute("CREATE TABLE points (i int, x double precision, y double precision, n int)")
            with connection.cursor().copy("COPY points FROM STDIN") as copy:
                for row in zip(range(len(lon)), lon.tolist(), lat.tolist(), level.tolist(), strict=True):
                    copy.write_row(row)
            connection.execute(
                "CREATE TABLE encoded AS "
                "SELECT i, n, jw_encode(x, y, n) AS cell, jw_encode(x, y, 32) AS finest FROM points"
            )
            found = connection.execute(
                "SELECT cell, jw_high(finest, n), jw_contains(cell, n, finest) FROM encoded ORDER BY i"
            ).fetchall()
            odd = connection.execute(
                "SELECT jw_encode('nan', 1, 5), jw_encode(181, 1, 5), jw_encode(1, 89, 8), "
                "jw_encode(1, 1, 33), jw_encode(NULL, 1, 5), jw_encode(1, 89, 7)"
            ).fetchone()
    finally:
        postgres.drop(name)
    codes = grid.encode(lon, lat)
    assert all(contained for _, _, contained in found)
    for one in range(1, 33):
        rows = np.flatnonzero(level == one)
        low, high = grid.cell_range(codes[rows], one)
        assert [found[i][0] for i in rows] == low.tolist()
        assert [found[i][1] for i in rows] == high.tolist()
    assert odd == (None, None, None, None, None, grid.to_stored(grid.encode(1, 89, 7)))


def test_the_functions_of_spark_give_the_same_codes_when_run_in_duckdb():
    # Spark's own grammar is checked by the parser; what it means, by running its DuckDB translation.
    connection = duckdb.connect()
    for statement in sql.functions("spark"):
        head, body = statement.split(" RETURNS ", 1)
        name, arguments = head.removeprefix("CREATE OR REPLACE FUNCTION ").removesuffix(")").split("(")
        names = ", ".join(one.split()[0] for one in arguments.split(", "))
        query = sqlglot.transpile("SELECT " + body.split(" RETURN ", 1)[1], read="spark", write="duckdb")[0]
        connection.execute(f"CREATE MACRO {name}({names}) AS ({query.removeprefix('SELECT ')})")
    lon, lat = places(300)
    keep = lat > 0  # DuckDB refuses to shift into the sign bit, which Spark does
    connection.register("points", pa.table({"x": lon[keep], "y": lat[keep]}))
    for level in (5, 12, 23, 32):
        found = column(connection, f"jw_encode(x, y, {level})")
        assert found == grid.to_stored(grid.encode(lon[keep], lat[keep], level)).tolist()
