"""The printed SQL on a real Spark: run where pyspark and Java are, skipped with the reason elsewhere.

`pip install pyspark` (about 450 MB) beside the development packages, and Java 17 or later, are all it needs.
"""

import os
import shutil

import numpy as np
import pytest

from jingwei import grid
from jingwei.grid import sql

from .test_where_people_work import places
from .vectors import place, vectors


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    pyspark = pytest.importorskip("pyspark.sql", reason="pyspark is not installed")
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        pytest.skip("there is no Java")
    folder = tmp_path_factory.mktemp("spark")
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.local.dir": str(folder),
        "spark.sql.shuffle.partitions": "1",
    }
    builder = pyspark.SparkSession.builder.master("local[1]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    for statement in sql.functions("spark"):
        session.sql(statement)
    yield session
    session.stop()


def found_by(spark, rows, *expressions):
    """Answers to expressions over points x, y of level n, in the order of the rows."""
    spark.createDataFrame(
        [(i, *row) for i, row in enumerate(rows)], "i INT, x DOUBLE, y DOUBLE, n INT"
    ).createOrReplaceTempView("points")
    answers = spark.sql(f"SELECT {', '.join(expressions)} FROM points ORDER BY i").collect()
    return [list(column) for column in zip(*answers, strict=True)]


def test_spark_gives_the_codes_of_the_vectors(spark):
    rows = [row for row in vectors("geosot", "encode2d", "edge") if row["level"]]
    points = [(float(lon), float(lat), row["level"]) for row in rows for lat, lon in [place(row)]]
    (cells,) = found_by(spark, points, "jw_encode(x, y, n)")
    names = [row["code"] for row in rows]
    assert [
        grid.geosot_string(cell, level) for cell, (_, _, level) in zip(cells, points, strict=True)
    ] == names


def test_spark_gives_the_same_codes_at_all_levels(spark):
    lon, lat = places(4_000)
    level = np.arange(len(lon)) % 32 + 1
    rows = list(zip(lon.tolist(), lat.tolist(), level.tolist(), strict=True))
    cells, parents, lows, highs, contained = found_by(
        spark,
        rows,
        "jw_encode(x, y, n)",
        "jw_parent(jw_encode(x, y, 32), n)",
        "jw_low(jw_encode(x, y, 32), n)",
        "jw_high(jw_encode(x, y, 32), n)",
        "jw_contains(jw_encode(x, y, n), n, jw_encode(x, y, 32))",
    )
    assert all(contained)
    for one in range(1, 33):
        at = np.flatnonzero(level == one)
        low, high = grid.cell_range(grid.encode(lon[at], lat[at]), one)
        for column in (cells, parents, lows):
            assert [column[i] for i in at] == low.tolist()
        assert [highs[i] for i in at] == high.tolist()


def test_spark_answers_null_where_there_is_no_cell(spark):
    nan = float("nan")
    rows = [(nan, 1.0, 5), (181.0, 1.0, 5), (1.0, 89.0, 8), (1.0, 1.0, 33), (None, 1.0, 5), (1.0, 89.0, 7)]
    (cells,) = found_by(spark, rows, "jw_encode(x, y, n)")
    assert cells == [None] * 5 + [grid.to_stored(grid.encode(1, 89, 7))]
    edges = [(180.0, 10.0), (-180.0, 10.0), (-0.0, -0.0)]
    (cells,) = found_by(spark, [(x, y, 32) for x, y in edges], "jw_encode(x, y, n)")
    assert cells == [grid.to_stored(grid.encode(x, y)) for x, y in edges]
