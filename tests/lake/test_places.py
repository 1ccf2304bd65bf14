"""Which columns hold the place, by their names and values."""

import numpy as np
import pyarrow as pa
import pytest
import shapely

from jingwei.lake.datums import FROM_WGS84
from jingwei.lake.detect import find_places, read_geometries
from jingwei.lake.forms import open_form

CITY = shapely.box(113.7, 22.4, 114.7, 22.9)
RANDOM = np.random.default_rng(7)
LON, LAT = RANDOM.uniform(113.8, 114.6, 200).round(6), RANDOM.uniform(22.45, 22.85, 200).round(6)


def found(**columns):
    return find_places(pa.table(columns), boundary=CITY)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ("lon", "lat"),
        ("Lng", "Lat"),
        ("经度", "纬度"),
        ("JD", "WD"),
        ("POINT_X", "POINT_Y"),
        ("经度（度）", "纬度（度）"),
        ("x", "y"),
        ("gps_longitude", "gps_latitude"),
        ("中心点经度", "中心点纬度"),
        ("經度", "緯度"),
        ("東經", "北緯"),
        ("座標X", "座標Y"),
        ("橫坐標", "縱坐標"),
    ],
)
def test_names_of_coordinates(x, y):
    [place] = found(**{"name": ["a"] * 200, y: LAT, x: LON})
    assert (place.x, place.y, place.swapped, place.sure) == (x, y, False, True)


def test_values_overrule_swapped_names():
    [place] = found(lon=LAT, lat=LON)
    assert (place.x, place.y, place.swapped) == ("lat", "lon", True)


def test_pairs_have_roles():
    origin, destination = found(Lng=LON, Lat=LAT, ELng=LON, ELat=LAT)
    assert (origin.role, origin.x) == ("origin", "Lng")
    assert (destination.role, destination.x) == ("destination", "ELng")
    roles = {place.role for place in found(起点经度=LON, 起点纬度=LAT, 终点经度=LON, 终点纬度=LAT)}
    assert roles == {"origin", "destination"}
    roles = {place.role for place in found(起點經度=LON, 起點緯度=LAT, 終點經度=LON, 終點緯度=LAT)}
    assert roles == {"origin", "destination"}


def test_a_name_may_state_the_system():
    places = found(bd_lng=LON, bd_lat=LAT, lon_gcj02=LON, lat_gcj02=LAT)
    assert [place.named_system for place in places] == ["BD-09", "GCJ-02"]


def test_degrees_minutes_and_seconds():
    texts = [f"{int(v)}°{int(v % 1 * 60)}′{v % 1 * 60 % 1 * 60:.2f}″" for v in LON]
    [place] = found(经度=texts, 纬度=[f"{v:.6f}" for v in LAT])
    assert place.unit == "sexagesimal"
    points = place.read(pa.table({"经度": texts, "纬度": [f"{v:.6f}" for v in LAT]}))
    assert np.allclose(points.x, LON, atol=1e-5)


def test_projected_metres_are_told_with_their_zones():
    from pyproj import Transformer

    east, north = Transformer.from_crs("EPSG:4490", "EPSG:4547", always_xy=True).transform(LON, LAT)
    [place] = found(X=north, Y=east)
    assert (place.x, place.y, place.unit, place.swapped) == ("Y", "X", "metre", True)
    assert place.systems["EPSG:4547"] == 1.0
    zoned = found(x=east + 38e6, y=north)
    assert "EPSG:4526" in zoned[0].systems


def test_grid_indices_and_counts_are_no_coordinates():
    assert found(SLONCOL=list(range(63, 163)), SLATCOL=list(range(100))) == []
    assert found(lon=[1, 2, 3], lat=[4, 5, 6]) == []
    assert found(x=RANDOM.normal(size=200), y=RANDOM.normal(size=200)) == []


def test_columns_without_names_are_found_but_not_sure():
    [place] = found(column_1=["a"] * 200, column_2=LON, column_3=LAT, column_4=RANDOM.uniform(0, 90, 200))
    assert (place.x, place.y, place.sure) == ("column_2", "column_3", False)
    assert find_places(pa.table({"column_1": LON, "column_2": LAT})) == []


@pytest.mark.parametrize(
    ("encoding", "write"),
    [
        ("wkt", shapely.to_wkt),
        ("wkb", shapely.to_wkb),
        ("wkb-hex", lambda shapes: shapely.to_wkb(shapes, hex=True)),
        ("geojson", shapely.to_geojson),
        ("lon-lat-text", lambda shapes: [f"{p.x},{p.y}" for p in shapes]),
    ],
)
def test_geometry_columns(encoding, write):
    shapes = shapely.points(LON, LAT)
    column = pa.chunked_array([[*list(write(shapes)), None]])
    [place] = find_places(pa.table({"name": ["a"] * 201, "where": column}), boundary=CITY)
    assert place.encoding == encoding
    read, unreadable = read_geometries(column, encoding)
    assert shapely.equals_exact(np.asarray(read[:200]), shapes, tolerance=1e-6).all()
    assert not unreadable.any()


def test_a_missing_place_is_none_and_a_half_one_is_unreadable():
    table = pa.table(
        {"lon": ["113.9", None, "114.0", "x", "", "114.1"], "lat": ["22.5", None, None, "22.5", "", "inf"]}
    )
    [place] = find_places(pa.table({"lon": LON, "lat": LAT}), boundary=CITY)
    points = place.read(table)
    assert points.given.tolist() == [True, False, False, False, False, False]
    assert points.unreadable.tolist() == [False, False, True, True, False, True]


@pytest.mark.parametrize("datum", ["WGS84", "GCJ-02", "BD-09"])
def test_all_datums_are_recognised_as_coordinates(datum):
    lon, lat = FROM_WGS84[datum](LON, LAT)
    [place] = found(lat=lon, lon=lat)
    assert place.swapped


def test_real_files(shared_data):
    def places(name):
        with open_form(shared_data / name) as reading:
            table = pa.Table.from_batches([batch.table for batch in reading.batches()])
            return [(p.role, p.geometry or (p.x, p.y)) for p in find_places(table, geometry=reading.geometry)]

    assert places("shenzhen/公交站点.csv") == [("", ("经度", "纬度"))]
    assert places("shenzhen/taxi_trips.csv") == [
        ("origin", ("Lng", "Lat")),
        ("destination", ("ELng", "ELat")),
    ]
    assert places("shanghai/poi.csv") == [("", ("lon", "lat"))]
    assert places("shenzhen/bus_lines.parquet") == [("", "geometry")]
    assert places("shenzhen/taxi_od_grid.parquet") == []
    assert places("shenzhen/pingshan_dispose_units.csv") == []
