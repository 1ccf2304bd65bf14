"""Links equal what brute force finds, pair by pair."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei import grid
from jingwei.lake.linking import Alike, Equal, Inside, LinkError, SameCell, SameTime, Within, link

EARTH = 6_371_008.8


def table_of(lon, lat, **columns):
    codes = grid.to_stored(grid.encode(np.asarray(lon, float), np.asarray(lat, float), 32))
    return pa.table(
        {
            "jw_cell": pa.array(codes, pa.int64()),
            "jw_level": pa.array(np.full(len(lon), 32, np.int8)),
            **columns,
        }
    )


def random_table(seed, rows, spread=0.01, at=(114.0, 22.5)):
    draw = np.random.default_rng(seed)
    return at[0] + draw.uniform(0, spread, rows), at[1] + draw.uniform(0, spread, rows)


def metres_between(a, b):
    """Return all distances by another formula: the chord of unit vectors."""

    def vectors(lon, lat):
        x, y = np.radians(lon), np.radians(lat)
        return np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)], axis=1)

    chord = np.linalg.norm(vectors(*a)[:, None] - vectors(*b)[None], axis=2)
    return 2 * EARTH * np.arcsin(chord / 2)


def centres(table):
    return grid.centre(np.asarray(grid.from_stored(table["jw_cell"].to_numpy()), np.uint64), 32)


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 10_000),
    st.integers(1, 60),
    st.integers(1, 60),
    st.floats(1, 800),
    st.sampled_from([0.0, 22.5, 52.0, -33.9]),
)
def test_all_pairs_within_a_distance_are_those_of_brute_force(seed, n, m, metres, lat):
    left = table_of(*random_table(seed, n, at=(114.0, lat)))
    right = table_of(*random_table(seed + 1, m, at=(114.0, lat)))
    found = link(left, right, [Within(metres)], pairs="all")
    far = metres_between(centres(left), centres(right))
    clear = np.abs(far - metres) > 1e-6
    wanted = {(int(a), int(b)) for a, b in np.argwhere((far <= metres) & clear)}
    got = set(zip(found["left"].to_pylist(), found["right"].to_pylist(), strict=True))
    assert {pair for pair in got if clear[pair]} == wanted
    for a, b, away in zip(
        found["left"].to_pylist(), found["right"].to_pylist(), found["metres"].to_pylist(), strict=True
    ):
        assert away == pytest.approx(far[a, b], abs=1e-4)


def test_the_best_is_the_nearest_and_one_to_one_uses_each_once():
    left, right = table_of(*random_table(1, 80)), table_of(*random_table(2, 70))
    far = metres_between(centres(left), centres(right))
    best = link(left, right, [Within(5_000)])
    assert best["right"].to_pylist() == far.argmin(axis=1).tolist()
    once = link(left, right, [Within(5_000)], pairs="one-to-one")
    assert len(set(once["left"].to_pylist())) == len(set(once["right"].to_pylist())) == once.num_rows == 70
    order = np.argsort(far, axis=None, kind="stable")
    used_a, used_b, wanted = set(), set(), set()
    for a, b in zip(*np.unravel_index(order, far.shape), strict=True):
        if a not in used_a and b not in used_b:
            used_a.add(a), used_b.add(b), wanted.add((a, b))
    assert set(zip(once["left"].to_pylist(), once["right"].to_pylist(), strict=True)) == wanted


def test_of_those_that_are_equally_near_the_first_is_the_best():
    left, right = table_of([114.0, 114.1], [22.5, 22.5]), table_of([114.1, 114.0, 114.0], [22.5] * 3)
    best = link(left, right, [Within(10)])
    assert (best["left"].to_pylist(), best["right"].to_pylist()) == ([0, 1], [1, 0])


def test_the_same_cell_and_those_beside_it():
    left, right = table_of(*random_table(3, 60)), table_of(*random_table(4, 60))
    codes = [
        np.asarray(grid.from_stored(t["jw_cell"].to_numpy()), np.uint64) >> np.uint64(64 - 38)
        for t in (left, right)
    ]
    same = {(int(a), int(b)) for a, b in np.argwhere(codes[0][:, None] == codes[1][None])}
    found = link(left, right, [SameCell(19)], pairs="all")
    assert set(zip(found["left"].to_pylist(), found["right"].to_pylist(), strict=True)) == same
    boxes = [shapely.box(*grid.bounds(code << np.uint64(64 - 38), 19)) for code in codes]
    touch = {
        (int(a), int(b)) for a in range(60) for b in range(60) if boxes[0][a].distance(boxes[1][b]) < 1e-9
    }
    beside = link(left, right, [SameCell(19, neighbours=True)], pairs="all")
    assert set(zip(beside["left"].to_pylist(), beside["right"].to_pylist(), strict=True)) == touch


def test_inside_an_area():
    lon, lat = random_table(5, 200)
    areas = [shapely.box(114.0 + x / 500, 22.5, 114.0 + (x + 1) / 500, 22.505) for x in range(3)]
    right = table_of([114.0] * 3, [22.5] * 3, geometry=pa.array(shapely.to_wkb(areas).tolist(), pa.binary()))
    left = table_of(lon, lat)
    found = link(left, right, [Inside()], pairs="all")
    x, y = centres(left)
    wanted = {
        (int(p), a) for a, area in enumerate(areas) for p in np.flatnonzero(shapely.intersects_xy(area, x, y))
    }
    assert set(zip(found["left"].to_pylist(), found["right"].to_pylist(), strict=True)) == wanted


def test_time_and_likeness_narrow_what_is_near():
    times = pa.array([0, 60_000_000, 7_200_000_000], pa.timestamp("us", "UTC"))
    left = table_of([114.0] * 3, [22.5] * 3, jw_time=times, name=["南山实验学校", "南山实验学校", "北山小学"])
    right = table_of([114.0], [22.5], jw_time=times[:1], label=["南山试验学校"])
    found = link(left, right, [Within(50), SameTime(120), Alike("name", "label", 0.7)], pairs="all")
    assert found["left"].to_pylist() == [0, 1]
    assert found["seconds"].to_pylist() == [0.0, 60.0]
    assert found["likeness"].to_pylist() == pytest.approx([5 / 6] * 2)
    assert found["score"].to_pylist() == pytest.approx([5 / 6, 5 / 6 * 0.75])


def test_equal_values_need_no_place():
    left, right = pa.table({"a": ["１", "2", None, ""]}), pa.table({"b": ["1", "1", ""]})
    found = link(left, right, [Equal("a", "b")], pairs="all")
    assert list(zip(found["left"].to_pylist(), found["right"].to_pylist(), strict=True)) == [(0, 0), (0, 1)]


@pytest.mark.parametrize("by", [[], [Alike("a", "b")], [Within(0)], [Equal("nothing", "b")]])
def test_conditions_that_find_no_candidates_are_refused(by):
    left, right = table_of([114.0], [22.5], a=["x"]), table_of([114.0], [22.5], b=["x"])
    with pytest.raises(LinkError):
        link(left, right, by)


def test_rows_without_a_place_are_linked_to_nothing():
    left = table_of([114.0, 114.0], [22.5, 22.5])
    left = left.set_column(0, "jw_cell", pa.array([None, left["jw_cell"][1].as_py()], pa.int64()))
    assert link(left, left, [Within(10)], pairs="all")["left"].to_pylist() == [1]


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 10_000),
    st.integers(1, 40),
    st.integers(1, 40),
    st.floats(50, 600),
    st.floats(10, 4_000),
    st.booleans(),
)
def test_several_conditions_at_once_are_those_of_pandas_and_shapely(seed, n, m, metres, seconds, inside):
    draw = np.random.default_rng(seed)

    def drawn(rows, number):
        times = draw.integers(0, 7_200, rows)
        lon, lat = random_table(seed + number, rows)
        squares = shapely.to_wkb(shapely.box(lon - 0.003, lat - 0.002, lon + 0.002, lat + 0.003))
        table = table_of(
            lon,
            lat,
            jw_time=pa.array(times * 1_000_000, pa.timestamp("us", "UTC")),
            kind=pa.array(draw.choice(["甲", "乙", None], rows), pa.string()),
            geometry=pa.array(squares, pa.binary()),
        )
        x, y = centres(table)
        frame = pd.DataFrame(
            {"row": range(rows), "x": x, "y": y, "t": times, "kind": table["kind"].to_pylist()}
        )
        return table, frame.assign(area=squares)

    (left, one), (right, other) = drawn(n, 1), drawn(m, 2)
    by = [Within(metres), SameTime(seconds), Equal("kind", "kind"), *([Inside()] if inside else [])]
    found = link(left, right, by, pairs="all")
    pairs = one.merge(other, how="cross", suffixes=("", "_r"))
    far = metres_between((one.x, one.y), (other.x, other.y)).ravel()
    holds = (far <= metres) & ((pairs.t - pairs.t_r).abs() <= seconds) & (pairs.kind == pairs.kind_r)
    if inside:
        holds &= shapely.intersects(
            shapely.from_wkb(pairs.area_r.to_numpy()), shapely.points(pairs.x, pairs.y)
        )
    sure = np.abs(far - metres) > 1e-6
    expected = set(map(tuple, pairs[holds & sure][["row", "row_r"]].to_numpy().tolist()))
    doubtful = set(map(tuple, pairs[~sure][["row", "row_r"]].to_numpy().tolist()))
    assert set(zip(found["left"].to_pylist(), found["right"].to_pylist(), strict=True)) - doubtful == expected


@pytest.mark.parametrize(
    "by",
    [
        Within(50),
        ["within"],
        [Within(0)],
        [Within(float("nan"))],
        [Within("50")],
        [SameCell(0)],
        [SameCell(33)],
        [SameCell(15.0)],
        [SameCell(15, neighbours="yes")],
        [Within(50), SameTime(-1)],
        [Within(50), Alike("name", "name", 80)],
        [Within(50), Alike(1, "name")],
    ],
)
def test_a_condition_that_means_nothing_is_refused(by):
    table = table_of([114.0], [22.5], name=pa.array(["甲"]))
    with pytest.raises(LinkError):
        link(table, table, by)


def test_another_way_to_choose_pairs_than_those_known_is_refused():
    table = table_of([114.0], [22.5])
    with pytest.raises(LinkError, match="one-to-one"):
        link(table, table, [Within(5)], pairs="some")
