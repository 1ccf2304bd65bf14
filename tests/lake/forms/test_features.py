"""GeoJSON and GeoParquet: properties as columns, geometry as WKB, broken geometry as faults by row."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from jingwei.errors import JingweiError
from jingwei.lake.forms import open_form


def collection(path, features, **members):
    path.write_text(
        json.dumps({"type": "FeatureCollection", **members, "features": features}), encoding="utf-8"
    )
    return path


def feature(geometry, **properties):
    return {"type": "Feature", "properties": properties, "geometry": geometry}


BOW = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}


def test_broken_geometries_are_faults_by_feature(tmp_path):
    path = collection(
        tmp_path / "a.geojson",
        [
            feature(SQUARE, name="good"),
            feature(BOW, name="crossing"),
            feature({"type": "Point", "coordinates": []}, name="empty"),
            feature({"type": "Polygon", "coordinates": "x"}, name="unparsable"),
            feature(None, name="nowhere"),
        ],
    )
    with open_form(path) as reading:
        [batch] = reading.batches()
    assert batch.table["name"].to_pylist() == ["good", "nowhere"]
    assert batch.rows.tolist() == [1, 5]
    assert [(fault.row, fault.rule) for fault in batch.faults] == [
        (2, "self-intersection"),
        (3, "empty-geometry"),
        (4, "broken-geometry"),
    ]
    assert shapely.from_wkb(batch.table["geometry"][0].as_py()).area == 1


def test_properties_keep_names_and_types(tmp_path):
    path = collection(
        tmp_path / "a.geojson",
        [
            feature(SQUARE, 名称="甲", n=1, x=1, mixed=1, deep={"a": [1]}),
            feature(SQUARE, 名称="乙", n=2, x=1.5, mixed="一", later=True),
        ],
    )
    with open_form(path) as reading:
        table = next(reading.batches()).table
    assert table.drop_columns("geometry").to_pylist() == [
        {"名称": "甲", "n": 1, "x": 1.0, "mixed": "1", "deep": '{"a": [1]}', "later": None},
        {"名称": "乙", "n": 2, "x": 1.5, "mixed": "一", "deep": None, "later": True},
    ]


def test_the_declared_system_is_told_and_its_absence_too(tmp_path):
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    with open_form(collection(tmp_path / "a.geojson", [feature(SQUARE)], crs=crs)) as reading:
        assert reading.declared_crs == "EPSG:4490"
    with open_form(collection(tmp_path / "b.geojson", [feature(SQUARE)])) as reading:
        assert reading.declared_crs is None


def test_geoparquet_rows_with_broken_geometry_are_faults(tmp_path):
    geo = {
        "version": "1.1.0",
        "primary_column": "geom",
        "columns": {"geom": {"encoding": "WKB", "geometry_types": []}},
    }
    wkb = [
        shapely.to_wkb(shapely.Point(1, 2)),
        b"no geometry",
        shapely.to_wkb(shapely.Point(float("nan"), 2)),
        None,
    ]
    table = pa.table({"n": [1, 2, 3, 4], "geom": pa.array(wkb, pa.binary())})
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), tmp_path / "a.parquet")
    with open_form(tmp_path / "a.parquet") as reading:
        batches = list(reading.batches(size=2))
        assert (reading.geometry, reading.declared_crs) == ("geom", "OGC:CRS84")
    assert [row for batch in batches for row in batch.rows.tolist()] == [1, 4]
    assert [(f.row, f.rule) for batch in batches for f in batch.faults] == [
        (2, "broken-geometry"),
        (3, "not-finite"),
    ]


def test_geoparquet_that_is_not_wkb_is_refused_clearly(tmp_path):
    geo = {"version": "1.1.0", "primary_column": "g", "columns": {"g": {"encoding": "point"}}}
    points = pa.array([{"x": 114.0, "y": 22.5}])
    table = pa.table({"g": points}).replace_schema_metadata({"geo": json.dumps(geo)})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(JingweiError) as caught:
        open_form(tmp_path / "a.parquet")
    assert caught.value.code == "form-geometry-encoding"
    pq.write_table(table.replace_schema_metadata({"geo": "{"}), tmp_path / "b.parquet")
    with pytest.raises(JingweiError) as caught:
        open_form(tmp_path / "b.parquet")
    assert caught.value.code == "form-corrupt"


def test_real_files_are_read_whole(shared_data):
    rows = {
        "shenzhen/公交站点.csv": 61_026,
        "shenzhen/bus_lines.parquet": 2_113,
        "shenzhen/taxi_trips.csv": 10_619,
        "shenzhen/taxi_od_grid.parquet": 193_455,
        "shenzhen/grid.parquet": 9_005,
        "shenzhen/districts.geojson": 10,
        "shenzhen/pingshan_cases.parquet": 10_000,
        "shenzhen/pingshan_communities.csv": 25,
        "shanghai/poi.csv": 48_030,
        "shanghai/districts.geojson": 17,
        "shanghai/metro_line2.geojson": 2,
        "shanghai/metro_stops_line2_etc.csv": 60,
        "shanghai/metro_line2_section_flow.csv": 58,
        "admin/divisions_2016.parquet": 36_719,
        "service_items_sample.csv": 35,
    }
    for name, expected in rows.items():
        with open_form(shared_data / name) as reading:
            batches = list(reading.batches())
        assert sum(batch.table.num_rows for batch in batches) == reading.total == expected, name
        assert not any(batch.faults for batch in batches), name
