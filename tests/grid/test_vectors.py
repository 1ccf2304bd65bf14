"""The golden vectors: printed in the standards, or agreed on by independent implementations."""

import numpy as np
import pytest

from jingwei import grid

from .vectors import place, vectors


def label(row):
    return f"{row['kind']} {row['code']}"


BEIDOU = vectors("beidou2d", "encode", "edge", "polar")
GEOSOT = vectors("geosot", "encode2d", "edge", "polar")


@pytest.mark.parametrize("row", BEIDOU, ids=label)
def test_beidou_codes_are_those_of_the_standard(row):
    lat, lon = place(row)
    assert grid.beidou_string(lon, lat, row["level"]) == row["code"]


@pytest.mark.parametrize("row", vectors("beidou2d", "must_reject"), ids=lambda row: row["input"]["code"])
def test_malformed_beidou_codes_are_refused_with_position_and_reason(row):
    text = row["input"]["code"]
    with pytest.raises(grid.MalformedCode) as fault:
        grid.parse_beidou(text)
    assert fault.value.reason
    assert 0 <= fault.value.position <= len(text)


@pytest.mark.parametrize("row", BEIDOU, ids=label)
def test_a_decoded_beidou_cell_holds_the_point_it_came_from(row):
    lat, lon = map(float, place(row))
    west, south, east, north = grid.parse_beidou(row["code"]).bounds
    assert south <= lat <= north
    assert west <= lon <= east or (west > east and (lon >= west or lon <= east))


@pytest.mark.parametrize("row", GEOSOT, ids=label)
def test_geosot_codes_are_those_of_the_standard(row):
    lat, lon = place(row)
    code = grid.encode(lon, lat, row["level"])
    # The polar table of 6.2.4 is printed without separators.
    assert grid.geosot_string(code, row["level"], separators=row["kind"] != "polar") == row["code"]
    assert grid.parse_geosot(row["code"]) == grid.Cell(code, row["level"])
    assert code == row.get("code64", code)


@pytest.mark.parametrize("level", sorted({row["level"] for row in GEOSOT}))
def test_codes_of_arrays_are_those_of_single_points(level):
    places = [place(row) for row in GEOSOT if row["level"] == level]
    lat, lon = (np.array([float(value) for value in axis]) for axis in zip(*places, strict=True))
    assert grid.encode(lon, lat, level).tolist() == [grid.encode(x, y, level) for y, x in places]


def test_separators_are_optional():
    assert grid.parse("G001310322230230") == grid.parse("G001310322-230230")
    assert (
        grid.geosot_string(grid.parse("G001310322-230230").code, 15, separators=False) == "G001310322230230"
    )


def test_a_known_cell_is_the_same_in_all_its_names():
    # Both codes are given by iWhere for one cell.
    cell = grid.parse("412869894958481408-23")
    assert cell.beidou == "N48H67171CA372"
    assert grid.parse("N48H67171CA372") == cell
    assert cell.bounds[:2] == (105.38104166666666, 31.528472222222224)
    assert grid.encode(131, 31, 5) == 1188950301625810944
