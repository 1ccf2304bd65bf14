"""Conversions between coordinate systems: published forwards, exact inverses, PROJ's systems by name."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from jingwei.lake.datums import (
    CHINA,
    UnknownSystemError,
    bd09_to_gcj02,
    bd09_to_wgs84,
    canonical_system,
    conversion_accuracy,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    geometries_to_wgs84,
    to_wgs84,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)

longitudes = st.floats(73.0, 137.0)
latitudes = st.floats(1.5, 55.0)


def test_the_forward_transforms_give_published_values():
    # The pairs that the "coordtransform" and "eviltransform" collections use as their tests.
    assert np.allclose(wgs84_to_gcj02(120.67287, 31.27530), (120.67710, 31.27320), atol=5e-5)
    assert np.allclose(gcj02_to_bd09(116.404, 39.915), (116.41036949371029, 39.92133699351021), atol=1e-9)
    assert np.allclose(wgs84_to_gcj02(116.404, 39.915), (116.41024449916938, 39.91640428150164), atol=1e-9)


@given(longitudes, latitudes)
def test_each_inverse_undoes_its_forward(lon, lat):
    for forward, inverse in (
        (wgs84_to_gcj02, gcj02_to_wgs84),
        (gcj02_to_bd09, bd09_to_gcj02),
        (wgs84_to_bd09, bd09_to_wgs84),
    ):
        assert np.allclose(inverse(*forward(lon, lat)), (lon, lat), rtol=0, atol=1e-9)
        assert np.allclose(forward(*inverse(lon, lat)), (lon, lat), rtol=0, atol=1e-9)


def test_outside_china_gcj02_is_wgs84():
    for lon, lat in ((2.35, 48.86), (-74.0, 40.7), (139.7, 35.7), (100.0, -6.2)):
        assert np.allclose(wgs84_to_gcj02(lon, lat), (lon, lat), atol=0)
        assert np.allclose(gcj02_to_wgs84(lon, lat), (lon, lat), atol=0)


@given(st.floats(1e-9, 0.02) | st.floats(-0.02, -1e-9), st.floats(2.0, 55.0))
def test_at_the_edge_every_image_has_its_preimage(step, lat):
    west = CHINA[0]
    lon, back_lat = gcj02_to_wgs84(*wgs84_to_gcj02(west + step, lat))
    image = wgs84_to_gcj02(lon, back_lat)
    assert np.allclose(image, wgs84_to_gcj02(west + step, lat), rtol=0, atol=1e-9)


def test_nothing_and_infinity_become_nothing():
    for convert in (wgs84_to_gcj02, gcj02_to_wgs84, bd09_to_wgs84, wgs84_to_bd09):
        lon, lat = convert([np.nan, 114.0, np.inf, 114.0], [22.0, np.nan, 22.0, 22.5])
        assert np.isnan(lon[:3]).all()
        assert np.isnan(lat[:3]).all()
        assert np.isfinite(lon[3])


def test_shapes_and_chunks_do_not_matter():
    lon = np.linspace(113, 115, 60_000).reshape(200, 300)
    whole = wgs84_to_bd09(lon, 22.5)
    assert whole[0].shape == (200, 300)
    assert whole[0][199, 299] == wgs84_to_bd09(lon[199, 299], 22.5)[0]


@pytest.mark.parametrize(
    ("name", "system"),
    [
        ("wgs84", "WGS84"),
        ("EPSG:4326", "WGS84"),
        ("OGC:CRS84", "WGS84"),
        ("CGCS2000", "WGS84"),
        ("EPSG:4490", "WGS84"),
        ("gcj02", "GCJ-02"),
        ("火星坐标系", "GCJ-02"),
        ("BD-09", "BD-09"),
        ("百度", "BD-09"),
        ("EPSG:4547", "EPSG:4547"),
        ("西安80", "EPSG:4610"),
    ],
)
def test_names_of_systems(name, system):
    assert canonical_system(name) == system


@pytest.mark.parametrize(
    ("name", "meant"), [("WGS-94", "WGS84"), ("gjc02", "GCJ-02"), ("EPGS:4547", "EPSG:4547")]
)
def test_an_unknown_system_names_near_misses(name, meant):
    with pytest.raises(UnknownSystemError) as caught:
        canonical_system(name)
    assert meant in caught.value.mend.en


def test_projected_metres_of_cgcs2000():
    # On the central meridian of EPSG:4547 (114° E) the easting is 500 km and the longitude exact.
    lon, lat = to_wgs84([500_000.0], [2_493_800.0], "EPSG:4547")
    assert lon[0] == pytest.approx(114.0, abs=1e-9)
    assert lat[0] == pytest.approx(22.5417, abs=1e-3)
    assert conversion_accuracy("EPSG:4547") == 1.0


def test_systems_without_public_parameters_say_so():
    assert conversion_accuracy("Xian80") is None
    assert conversion_accuracy("Beijing54") is None


def test_geometries_are_converted_point_by_point():
    line = shapely.LineString([(114.0, 22.5), (114.1, 22.6)])
    moved = shapely.from_wkb(geometries_to_wgs84([shapely.to_wkb(line), None], "BD-09"))
    assert moved[1] is None
    lon, lat = bd09_to_wgs84([114.0, 114.1], [22.5, 22.6])
    assert np.allclose(shapely.get_coordinates(moved[0]), np.column_stack([lon, lat]), atol=1e-12)
