"""A coordinate system is decided only by strong evidence; a wrong decision is worse than none."""

import numpy as np
import pyarrow as pa
import pytest
import shapely

from jingwei.lake.datums import DATUMS, FROM_WGS84, to_wgs84
from jingwei.lake.detect import Anchor, check_boundary, check_declared, weigh_datums
from jingwei.lake.forms import open_form

CITY = shapely.box(113.7, 22.4, 114.7, 22.9)
METRE = 1 / 111_320


def stops(count, seed=1):
    """Random stops of a made-up city in WGS84, each with its own name."""
    random = np.random.default_rng(seed)
    lon, lat = random.uniform(113.8, 114.6, count), random.uniform(22.45, 22.85, count)
    return lon, lat, np.array([f"站{n}" for n in range(count)], dtype=object)


def streets(seed=2):
    """A made-up network of winding streets, some 300 m apart."""
    random = np.random.default_rng(seed)
    along = np.linspace(114.0, 114.1, 60)
    rows = [
        shapely.LineString(np.column_stack([along, y + random.normal(0, 60 * METRE, 60).cumsum() / 4]))
        for y in np.arange(22.5, 22.6, 300 * METRE)
    ]
    up = np.linspace(22.5, 22.6, 60)
    columns = [
        shapely.LineString(np.column_stack([x + random.normal(0, 60 * METRE, 60).cumsum() / 4, up]))
        for x in np.arange(114.0, 114.1, 330 * METRE)
    ]
    return np.array([*rows, *columns], dtype=object)


def along_streets(lines, count, scatter_m, seed=3):
    random = np.random.default_rng(seed)
    chosen = lines[random.integers(0, len(lines), count)]
    points = shapely.line_interpolate_point(chosen, random.uniform(0, 1, count), normalized=True)
    return shapely.get_coordinates(points).T + random.normal(0, scatter_m * METRE, (2, count))


@pytest.mark.parametrize("datum", DATUMS)
def test_same_names_decide(datum):
    lon, lat, names = stops(500)
    anchor = Anchor("stops", shapely.points(lon, lat), names)
    noise = np.random.default_rng(0).normal(0, 8 * METRE, (2, 500))
    x, y = FROM_WGS84[datum](lon + noise[0], lat + noise[1])
    verdict = weigh_datums(x, y, boundary=CITY, anchors=[anchor], names=names)
    assert verdict.decided == datum
    assert verdict.reason.zh
    assert verdict.reason.en


@pytest.mark.parametrize("datum", DATUMS)
def test_the_nearest_street_decides(datum):
    lines = streets()
    x, y = FROM_WGS84[datum](*along_streets(lines, 3_000, 5))
    verdict = weigh_datums(x, y, boundary=None, anchors=[Anchor("streets", lines)])
    assert verdict.decided == datum


@pytest.mark.parametrize("datum", DATUMS)
def test_nothing_to_compare_decides_nothing(datum):
    lon, lat, names = stops(500)
    x, y = FROM_WGS84[datum](lon, lat)
    assert weigh_datums(x, y, boundary=CITY, anchors=[], names=names).decided is None
    districts = Anchor("districts", np.array([CITY], dtype=object), np.array(["城市"], dtype=object))
    assert weigh_datums(x, y, boundary=CITY, anchors=[districts], names=names).decided is None


@pytest.mark.parametrize("datum", DATUMS)
def test_few_points_decide_nothing(datum):
    lon, lat, names = stops(15)
    anchor = Anchor("stops", shapely.points(lon, lat), names)
    x, y = FROM_WGS84[datum](lon, lat)
    repeated = [np.repeat(values, 100) for values in (x, y, names)]
    verdict = weigh_datums(*repeated[:2], boundary=CITY, anchors=[anchor], names=repeated[2])
    assert verdict.decided is None


@pytest.mark.parametrize("east_m", [-800, -300, -100, -60, 60, 100, 300, 800])
@pytest.mark.parametrize("north_m", [-100, 100, 400])
def test_an_unknown_shift_is_held_back(east_m, north_m):
    lon, lat, names = stops(400)
    anchor = Anchor("stops", shapely.points(lon, lat), names)
    x, y = lon + east_m * METRE, lat + north_m * METRE
    verdict = weigh_datums(x, y, boundary=CITY, anchors=[anchor], names=names)
    assert verdict.decided is None
    lines = streets()
    x, y = along_streets(lines, 1_500, 5)
    shifted = weigh_datums(
        x + east_m * METRE, y + north_m * METRE, boundary=None, anchors=[Anchor("streets", lines)]
    )
    assert shifted.decided is None


@pytest.mark.parametrize("seed", range(6))
def test_unrelated_points_are_held_back(seed):
    lon, lat, names = stops(3_000, seed)
    lines = streets(seed + 50)
    verdict = weigh_datums(lon, lat, boundary=CITY, anchors=[Anchor("streets", lines)], names=names)
    assert verdict.decided is None
    other = stops(3_000, seed + 100)
    shuffled = Anchor("others", shapely.points(other[0], other[1]), names)
    assert weigh_datums(lon, lat, boundary=CITY, anchors=[shuffled], names=names).decided is None


def test_coarse_coordinates_are_held_back():
    lon, lat, names = stops(2_000)
    anchor = Anchor("stops", shapely.points(lon, lat), names)
    verdict = weigh_datums(lon.round(2), lat.round(2), boundary=CITY, anchors=[anchor], names=names)
    assert verdict.decided is None


def test_anchors_that_contradict_each_other_decide_nothing():
    lon, lat, names = stops(300)
    right = Anchor("right", shapely.points(lon, lat), names)
    wrong = Anchor("wrong", shapely.points(*to_wgs84(lon, lat, "GCJ-02")), names)
    verdict = weigh_datums(lon, lat, boundary=CITY, anchors=[right, wrong], names=names)
    assert verdict.decided is None
    assert "contradict" in verdict.reason.en


def test_a_false_declaration_is_contradicted():
    lon, lat, names = stops(500)
    anchor = Anchor("stops", shapely.points(lon, lat), names)
    gcj = FROM_WGS84["GCJ-02"](lon, lat)
    given = {"boundary": CITY, "anchors": [anchor], "names": names}
    assert not check_declared(lon, lat, "WGS84", **given).contradicted
    assert not check_declared(*gcj, "GCJ-02", **given).contradicted
    assert check_declared(*gcj, "WGS84", **given).rule == "other-datum"
    assert check_declared(lon, lat, "BD-09", **given).rule == "other-datum"
    assert check_declared(lat, lon, "WGS84", **given).rule in ("elsewhere", "not-in-system")
    assert check_declared(lon + 10, lat, "WGS84", **given).rule == "elsewhere"
    assert check_declared(lon * 1e5, lat * 1e5, "WGS84", **given).rule == "not-in-system"


def test_a_boundary_in_another_system_is_found():
    circle = shapely.Point(114.1, 22.6).buffer(0.2, quad_segs=200)
    corners = shapely.get_coordinates(circle)
    wobble = 1 + 0.1 * np.sin(np.arctan2(corners[:, 1] - 22.6, corners[:, 0] - 114.1) * 9)[:, None]
    city = shapely.Polygon(shapely.Point(114.1, 22.6).coords[0] + (corners - [114.1, 22.6]) * wobble)
    outline = Anchor("districts", np.array([city], dtype=object))
    assert check_boundary(city, known_place=(114.06, 22.54), outlines=[outline]) is None

    def moved(convert):
        return shapely.transform(city, lambda at: np.column_stack(convert(at[:, 0], at[:, 1])))

    assert check_boundary(moved(lambda x, y: (x * 1e5, y * 1e5))).rule == "projected"
    assert check_boundary(moved(lambda x, y: (y, x))).rule == "swapped-axes"
    assert check_boundary(moved(lambda x, y: (x + 3, y)), known_place=(114.06, 22.54)).rule == "elsewhere"
    for datum in ("GCJ-02", "BD-09"):
        assert check_boundary(moved(FROM_WGS84[datum]), outlines=[outline]).rule == "other-datum"
    bow = shapely.Polygon([(114, 22), (115, 23), (115, 22), (114, 23)])
    assert check_boundary(bow).rule == "self-intersection"


@pytest.mark.parametrize("seed", range(12))
def test_anywhere_in_china_a_decision_is_right(seed):
    random = np.random.default_rng(seed)
    west, south = random.uniform(75, 134), random.uniform(4, 52)
    lon, lat = random.uniform(west, west + 0.15, 600), random.uniform(south, south + 0.15, 600)
    names = np.array([f"n{n % 300}" for n in range(600)], dtype=object)
    anchor = Anchor("stops", shapely.points(lon, lat), names.copy())
    mixed = random.random(600) < random.choice([0, 0.2, 0.6])
    names[mixed] = random.permutation(names[mixed])
    noise = random.normal(0, random.choice([0, 5, 40]) * METRE, (2, 600))
    for datum in DATUMS:
        x, y = FROM_WGS84[datum](lon + noise[0], lat + noise[1])
        verdict = weigh_datums(x, y, boundary=None, anchors=[anchor], names=names)
        assert verdict.decided in (None, datum)
    turned = west + (lon - west) * 0.98, south + (lat - south) * 1.02
    assert weigh_datums(*turned, boundary=None, anchors=[anchor], names=names).decided is None


def rows(path):
    with open_form(path) as reading:
        return pa.Table.from_batches([batch.table for batch in reading.batches()])


def anchor_of(path, names):
    table = rows(path)
    shapes = shapely.from_wkb(table["geometry"].to_numpy())
    return Anchor(path.name, shapes, table[names].to_numpy())


@pytest.mark.parametrize("datum", DATUMS)
def test_the_bus_stops_of_shenzhen(shared_data, datum):
    table = rows(shared_data / "shenzhen/公交站点.csv")
    lines = anchor_of(shared_data / "shenzhen/bus_lines.parquet", "linename")
    districts = anchor_of(shared_data / "shenzhen/districts.geojson", "qh")
    names = [table["线路名称"].to_numpy(), table["站点名称"].to_numpy()]
    x, y = FROM_WGS84[datum](*to_wgs84(table["经度"], table["纬度"], "BD-09"))
    city = shapely.union_all(districts.shapes)
    assert weigh_datums(x, y, boundary=city, anchors=[districts, lines], names=names).decided == datum
    assert weigh_datums(x, y, boundary=city, anchors=[districts], names=names).decided is None


def test_the_taxi_trips_of_shenzhen_are_never_decided_wrongly(shared_data):
    table = rows(shared_data / "shenzhen/taxi_trips.csv")
    lines = anchor_of(shared_data / "shenzhen/bus_lines.parquet", "linename")
    for datum in DATUMS:
        x, y = FROM_WGS84[datum](table["Lng"], table["Lat"])
        assert weigh_datums(x, y, boundary=None, anchors=[lines]).decided in (None, datum)


@pytest.mark.parametrize("datum", DATUMS)
def test_the_places_of_shanghai(shared_data, datum):
    districts = anchor_of(shared_data / "shanghai/districts.geojson", "NAME")
    metro = anchor_of(shared_data / "shanghai/metro_line2.geojson", "linename")
    city = shapely.union_all(districts.shapes)
    for name, columns in (
        ("poi.csv", ("name", "adname")),
        ("metro_stops_line2_etc.csv", ("stationnames", "linename")),
    ):
        table = rows(shared_data / "shanghai" / name)
        x, y = FROM_WGS84[datum](table["lon"], table["lat"])
        names = [table[column].to_numpy() for column in columns]
        verdict = weigh_datums(x, y, boundary=city, anchors=[districts, metro], names=names)
        assert verdict.decided == datum, name


@pytest.mark.parametrize("datum", DATUMS)
def test_stations_with_nothing_beside_them_are_held_back(shared_data, datum):
    table = rows(shared_data / "sense/beijing_air_stations.csv")
    x, y = FROM_WGS84[datum](table["lon"], table["lat"])
    names = table["name_zh"].to_numpy()
    assert weigh_datums(x, y, boundary=None, anchors=[], names=names).decided is None
