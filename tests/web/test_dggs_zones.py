"""Zones equal what the grid library says of cells one by one, the pads and the poles included."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jingwei import grid
from jingwei.grid import BeidouCell, Cell, PolarUnsupported
from jingwei.web.zones import POLAR, SYSTEMS, share_area

GEOSOT, BEIDOU = SYSTEMS["geosot"], SYSTEMS["beidou"]
LON = st.one_of(
    st.floats(-180, 180),
    st.integers(-179, 179).map(lambda n: n - 1e-4),
    st.sampled_from([-180.0, 0.0, 180.0]),
)
LAT = st.one_of(
    st.floats(-87.9, 87.9), st.integers(-87, 87).map(lambda n: n - 1e-4), st.sampled_from([0.0, 22.9999])
)
QUIET = settings(deadline=None, max_examples=60)


@QUIET
@given(LON, LAT, st.integers(0, 32), st.integers(1, 4))
def test_sub_zones_are_the_true_descendants(lon, lat, level, depth):
    assume(level + depth <= 32)
    cell = Cell.at(lon, lat, level)
    zone = GEOSOT.read(cell.geosot)
    try:
        wanted = [one.geosot for one in cell.children(level + depth)]
    except PolarUnsupported:
        with pytest.raises(PolarUnsupported):
            GEOSOT.sub_zones(zone, depth)
        return
    assert GEOSOT.sub_zones(zone, depth) == wanted
    area = sum(GEOSOT.read(one).area_m2 for one in wanted)
    assert cell.level < 8 or area == pytest.approx(cell.area_m2, rel=1e-9)


@QUIET
@given(LON, LAT, st.integers(1, 10), st.integers(0, 1))
def test_sub_zones_of_beidou_are_its_children(lon, lat, level, depth):
    assume(level + depth <= 10)
    cell = BeidouCell.at(lon, lat, level)
    wanted = [one.text for one in cell.children()] if depth else [cell.text]
    assert BEIDOU.sub_zones(BEIDOU.read(cell.text), depth) == wanted


boxes = st.tuples(LON, LAT, st.floats(1e-3, 1.5), st.floats(1e-3, 1.5)).map(
    lambda one: (one[0], one[1], min(180.0, one[0] + one[2]), min(90.0, one[1] + one[3]))
)


@QUIET
@given(boxes, st.integers(5, 13))
def test_zones_of_a_box_are_those_that_share_area_with_it(box, level):
    assume(box[2] - box[0] > 1e-6 and box[3] - box[1] > 1e-6)
    found = GEOSOT.touching(box, level)
    cells = [GEOSOT.read(one) for one in found]
    assert len(set(found)) == len(found)
    assert all(share_area(one.bounds, box) for one in cells)
    # Side by side they hold the box: their parts in it have its area, the poles aside.
    assume(level <= 7 or box[3] <= POLAR)
    assert sum(_shared(one.bounds, box) for one in cells) == pytest.approx(_size(box), rel=1e-6)


@QUIET
@given(boxes, st.integers(1, 4))
def test_beidou_zones_of_a_box_are_those_that_share_area_with_it(box, level):
    assume(box[2] - box[0] > 1e-6 and box[3] - box[1] > 1e-6 and box[3] <= POLAR)
    cells = [BEIDOU.read(one) for one in BEIDOU.touching(box, level)]
    assert all(share_area(one.bounds, box) for one in cells)
    assert sum(_shared(one.bounds, box) for one in cells) == pytest.approx(_size(box), rel=1e-6)


def _size(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def _shared(a, b):
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))


def brute_compact(system, ids):
    """Put a parent in place of all of its children, one by one, until there is none."""
    found = set(ids)
    while True:
        parents = {system.parent(system.read(one)) for one in found} - {None}
        whole = [one for one in parents if (below := system.children(system.read(one))) and found >= {*below}]
        if not whole:
            return found
        for one in whole:
            found = (found - {*system.children(system.read(one))}) | {one}


@QUIET
@given(boxes, st.integers(6, 13), st.randoms(use_true_random=False), st.floats(0, 0.2))
def test_compact_zones_are_those_of_putting_parents_in_place(box, level, random, holes):
    assume(box[2] - box[0] > 1e-6 and box[3] - box[1] > 1e-6 and box[3] <= POLAR)
    ids = [one for one in GEOSOT.touching(box, level) if random.random() >= holes]
    found = GEOSOT.compact(ids, level)
    assert set(found) == brute_compact(GEOSOT, ids)
    assert len(set(found)) == len(found)


@QUIET
@given(boxes, st.integers(2, 4), st.randoms(use_true_random=False), st.floats(0, 0.2))
def test_compact_beidou_zones_are_too(box, level, random, holes):
    assume((box[2] - box[0] > 1e-6 and box[3] - box[1] > 1e-6 and level < 4) or _size(box) < 0.3)
    ids = [one for one in BEIDOU.touching(box, level) if random.random() >= holes]
    assert set(BEIDOU.compact(ids, level)) == brute_compact(BEIDOU, ids)


@pytest.mark.parametrize("level", [8, 9, 10])
def test_a_polar_cap_is_made_of_its_zones(level):
    ids = [one for one in GEOSOT.touching((-180, 85, 180, 90), level) if GEOSOT.read(one).bounds[1] >= POLAR]
    assert len(ids) == {8: 1, 9: 4, 10: 16}[level]
    assert GEOSOT.compact(ids, level) == ["G00202200"]
    area = sum(GEOSOT.read(one).area_m2 for one in ids)
    assert area == pytest.approx(GEOSOT.read("G00202200").area_m2, rel=1e-9)


def test_the_whole_earth_is_one_zone():
    assert GEOSOT.compact(GEOSOT.touching((-180, -90, 180, 90), 5), 5) == ["G"]


def test_no_zone_stands_for_the_caps_above_it():
    for text in GEOSOT.compact(GEOSOT.touching((0, 60, 64, 90), 8), 8):
        _, _, _, north = GEOSOT.read(text).bounds
        assert north <= POLAR or text == "G00202200"


@QUIET
@given(LON, LAT, st.integers(0, 32))
def test_integers_are_read_back_by_the_rule_of_the_definition(lon, lat, level):
    cell = Cell.at(lon, lat, level)
    number = int(GEOSOT.integers([cell.geosot])[0])
    low = (number & -number).bit_length() - 1
    if number >> 61 & 1:
        read = Cell(number ^ (1 << 61), 32)
    elif low == 0:
        read = Cell(number ^ 1, 1)
    else:
        read = Cell(number ^ (1 << low), (63 - low) // 2)
    assert read == cell


@QUIET
@given(LON, LAT, st.integers(1, 32))
def test_a_zone_knows_its_family(lon, lat, level):
    zone = GEOSOT.read(Cell.at(lon, lat, level).geosot)
    parent = GEOSOT.parent(zone)
    assert zone.id in GEOSOT.children(GEOSOT.read(parent))
    for one in GEOSOT.neighbours(zone):
        assert GEOSOT.read(one).level == level


def test_beidou_codes_name_the_same_zone_of_geosot():
    cell = grid.parse("N50F0503278214")
    assert GEOSOT.read("N50F0503278214").id == cell.geosot
