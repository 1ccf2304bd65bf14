"""The grid commands on files: Parquet, CSV and Arrow in, the same with grid columns out."""

import json

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.parquet as pq
import pytest
import shapely
from click.testing import CliRunner

from jingwei import cli_grid_files, grid
from jingwei.cli import main

LON = [116.3, -0.5, None, 200.0]
LAT = [39.9, -0.25, 1.0, 2.0]
CELLS = [
    grid.to_stored(grid.encode(x, y, 23)) if i < 2 else None
    for i, (x, y) in enumerate(zip(LON, LAT, strict=True))
]


def run(*arguments):
    return CliRunner(env={"JINGWEI_LANG": "en"}).invoke(main, ["grid", *map(str, arguments)])


@pytest.fixture
def points():
    return pa.table({"name": ["甲", "b", "c", "d"], "x": LON, "y": LAT})


def written(path):
    if path.suffix == ".csv":
        return pv.read_csv(path)
    return pq.read_table(path) if path.suffix == ".parquet" else pa.ipc.open_file(path).read_all()


def write(table, path):
    if path.suffix == ".csv":
        pv.write_csv(table, path)
    elif path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        with pa.ipc.new_file(path, table.schema) as file:
            file.write_table(table)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".arrow"])
def test_points_get_their_cells_and_keep_their_columns(points, suffix, tmp_path):
    source = tmp_path / f"points{suffix}"
    write(points, source)
    result = run("encode", source, "--lon", "x", "--lat", "y", "--level", 23, "--text", "beidou")
    assert result.exit_code == 0, result.output
    assert "4 rows, 2 of them without a cell" in result.output
    found = written(tmp_path / f"points.grid{suffix}").to_pydict()
    assert found["name"] == points["name"].to_pylist()
    assert found["jw_cell"] == CELLS
    assert found["jw_level"] == [23, 23, None, None]
    assert [text or None for text in found["jw_beidou"]] == [
        c and grid.beidou_of(grid.from_stored(c), 23) for c in CELLS
    ]


def test_a_file_of_many_batches_is_worked_through_batch_by_batch(tmp_path, monkeypatch):
    monkeypatch.setattr(cli_grid_files, "BATCH_ROWS", 100)
    source, target = tmp_path / "many.parquet", tmp_path / "out.parquet"
    write(pa.table({"x": [i / 10 for i in range(1_050)], "y": [0.5] * 1_050}), source)
    assert run("encode", source, "--lon", "x", "--lat", "y", "--level", 19, "-o", target).exit_code == 0
    assert written(target)["jw_cell"].to_pylist() == [grid.encode(i / 10, 0.5, 19) for i in range(1_050)]


def test_a_table_of_another_encoding_with_degrees_minutes_and_seconds(tmp_path):
    source = tmp_path / "points.csv"
    source.write_bytes(
        "名称,经度,纬度\n甲,东经116度18分45.37秒,北纬39度59分35.38秒\n乙,,1\n".encode("gb18030")
    )
    result = run(
        "encode",
        source,
        "--lon",
        "经度",
        "--lat",
        "纬度",
        "--level",
        26,
        "--encoding",
        "gb18030",
        "--text",
        "beidou",
    )
    assert result.exit_code == 0, result.output
    found = written(tmp_path / "points.grid.csv").to_pydict()
    assert found["jw_beidou"][0] == "N50J47539B825534"
    assert found["名称"] == ["甲", "乙"]
    assert found["jw_cell"][1] is None


def test_strict_stops_at_the_first_bad_point_and_leaves_no_file(points, tmp_path):
    source = tmp_path / "points.parquet"
    write(points, source)
    result = run("encode", source, "--lon", "x", "--lat", "y", "--level", 23, "--strict")
    assert result.exit_code == 2
    assert "Row 3" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["points.parquet"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--lon", "lng", "--lat", "y", "--level", "9"], "no column 'lng'"),
        (["--lon", "x", "--lat", "y", "--level", "9", "--text", "beidou"], "level 9 has no equal"),
        (["--lon", "x", "--lat", "y", "--level", "40"], "not in the range"),
        (["--lon", "x", "--lat", "y", "--level", "9", "-o", "out.xlsx"], "out.xlsx"),
    ],
)
def test_a_wrong_question_is_answered_with_what_is_wrong(points, arguments, said, tmp_path):
    source = tmp_path / "points.parquet"
    write(points, source)
    result = run("encode", source, *arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_the_file_that_is_read_is_never_written(points, tmp_path):
    source = tmp_path / "points.parquet"
    write(points, source)
    before = source.read_bytes()
    result = run("encode", source, "--lon", "x", "--lat", "y", "--level", 9, "-o", source)
    assert result.exit_code == 2
    assert "the file that is read" in result.output
    assert source.read_bytes() == before
    nowhere = tmp_path / "nowhere" / "out.csv"
    result = run("encode", source, "--lon", "x", "--lat", "y", "--level", 9, "-o", nowhere)
    assert result.exit_code == 2
    assert "cannot be written to" in result.output


def test_a_point_does_not_depend_on_the_others_of_its_file(tmp_path):
    """Decimals in a text are floats with their snap, whether or not another row has minutes."""
    near = "39.99999999999999"
    found = []
    for name, other in (("plain", "1"), ("mixed", "东经1度")):
        source = tmp_path / f"{name}.csv"
        source.write_text(f"x,y\n{near},5\n{other},2\n", encoding="utf-8")
        assert run("encode", source, "--lon", "x", "--lat", "y", "--level", 32).exit_code == 0
        found.append(written(tmp_path / f"{name}.grid.csv")["jw_cell"].to_pylist())
    assert found[0] == found[1] == [grid.encode(40, 5), grid.encode(1, 2)]


def test_a_large_parquet_file_is_not_kept_in_memory(tmp_path):
    source = tmp_path / "many.parquet"
    rng = np.random.default_rng(1)
    with pq.ParquetWriter(source, pa.schema([("x", pa.float64())])) as writer:
        for _ in range(40):
            writer.write_batch(pa.record_batch({"x": rng.uniform(size=65_536)}))
            writer.write_table(pa.table({"x": rng.uniform(size=65_536)}))
    held = 0
    start = pa.total_allocated_bytes()
    for _ in cli_grid_files.open_table(source).batches():
        held = max(held, pa.total_allocated_bytes() - start)
    assert held < source.stat().st_size / 4


def test_a_file_that_is_not_what_its_name_says(tmp_path):
    source = tmp_path / "points.parquet"
    source.write_text("x,y\n1,2\n")
    result = run("encode", source, "--lon", "x", "--lat", "y", "--level", 9)
    assert result.exit_code == 2
    assert "cannot be read" in result.output


def test_columns_that_are_there_already_are_not_overwritten(points, tmp_path):
    source = tmp_path / "points.parquet"
    write(points.append_column("jw_cell", pa.array([1, 2, 3, 4])), source)
    result = run("encode", source, "--lon", "x", "--lat", "y", "--level", 9)
    assert result.exit_code == 2
    assert "already has the columns jw_cell" in result.output


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_cells_are_decoded_to_whatever_is_asked(points, suffix, tmp_path):
    source, coded, target = (tmp_path / f"{name}{suffix}" for name in ("points", "coded", "decoded"))
    write(points, source)
    assert run("encode", source, "--lon", "x", "--lat", "y", "--level", 23, "-o", coded).exit_code == 0
    gives = [word for give in ("centre", "bounds", "area", "beidou", "geosot") for word in ("--give", give)]
    result = run("decode", coded, *gives, "-o", target)
    assert result.exit_code == 0, result.output
    found = written(target).to_pylist()
    cell = grid.Cell(grid.from_stored(CELLS[0]), 23)
    assert (found[0]["jw_lon"], found[0]["jw_lat"]) == cell.centre
    assert tuple(found[0][f"jw_{side}"] for side in ("west", "south", "east", "north")) == cell.bounds
    assert found[0]["jw_area_m2"] == pytest.approx(cell.area_m2)
    assert (found[0]["jw_beidou"], found[0]["jw_geosot"]) == (cell.beidou, cell.geosot)
    assert found[3]["jw_lon"] is None


def test_texts_are_decoded_without_a_level(tmp_path):
    source, target = tmp_path / "codes.csv", tmp_path / "out.parquet"
    source.write_text("code\nN50J475340000000\nG001310322-230230\nnonsense\n")
    assert run("decode", source, "--cell", "code", "--give", "geosot", "-o", target).exit_code == 0
    assert written(target)["jw_geosot"].to_pylist() == [
        "G001310322-230230-000000.00000",
        "G001310322-230230",
        None,
    ]


def test_numbers_without_a_level_are_refused(tmp_path):
    source = tmp_path / "codes.csv"
    source.write_text("code\n412869894958481408\n")
    result = run("decode", source, "--cell", "code")
    assert result.exit_code == 2
    assert "need a level" in result.output
    assert run("decode", source, "--cell", "code", "--level", 23, "--give", "beidou").exit_code == 0
    assert written(tmp_path / "codes.grid.csv")["jw_beidou"].to_pylist() == ["N48H67171CA372"]


def test_the_geometries_of_a_file_are_covered(tmp_path):
    source, target = tmp_path / "areas.geojson", tmp_path / "cells.parquet"
    ring = [[116.3, 39.9], [116.32, 39.9], [116.31, 39.92], [116.3, 39.9]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    features = [{"type": "Feature", "properties": {}, "geometry": shape}] * 2
    source.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    result = run("cover", source, "--level", 19, "-o", target)
    assert result.exit_code == 0, result.output
    table = written(target)
    second = table.filter(pa.compute.equal(table["feature"], 1))
    assert grid.Cover.of_cells(second["jw_cell"], second["jw_level"].to_numpy()) == grid.cover(
        shape, level=19
    )


def test_geometries_in_metres_are_covered_in_degrees_and_missing_ones_left_out(tmp_path):
    area = geopandas.GeoSeries([shapely.box(116.3, 39.9, 116.31, 39.91), None], crs=4490)
    source, target = tmp_path / "areas.gpkg", tmp_path / "cells.parquet"
    area.to_crs(4527).to_file(source)
    result = run("cover", source, "--level", 15, "-o", target)
    assert result.exit_code == 0, result.output
    assert "1 of them without a cell" in result.output
    cells = grid.Cover.of_cells(written(target)["jw_cell"], 15)
    assert len(grid.cover(area.iloc[0].buffer(-1e-6), level=15) - cells) == 0


@pytest.mark.parametrize(("name", "text"), [("points.csv", "x,y\n1,2\n"), ("broken.geojson", "{")])
def test_a_file_without_geometries_is_refused(name, text, tmp_path):
    (tmp_path / name).write_text(text)
    result = run("cover", tmp_path / name, "--level", 9, "-o", tmp_path / "out.parquet")
    assert result.exit_code == 2
    assert "table-file" in result.output
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize("dialect", ["postgres", "spark", "duckdb"])
def test_the_functions_of_a_database_are_printed(dialect):
    result = run("sql", dialect)
    assert result.exit_code == 0
    assert "jw_low" in result.output
