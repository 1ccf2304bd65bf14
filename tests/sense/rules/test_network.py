"""What lies downstream of a place: along the flow, past forks and loops, up to a bound, and nothing else."""

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from jingwei import grid
from jingwei.sense.rules import network as network_
from jingwei.sense.rules.network import Line, Network

# metres east and north of 114 E, 22.5 N: a trunk with a side branch above, a fork, and a loop below it
EAST, NORTH = 102_844.0, 110_747.0
NODES = {
    "source": (0, 0), "side": (1000, 900), "joint": (1000, 0), "fork": (2000, 0), "left": (2000, 1000),
    "right": (3000, 0), "round": (3500, 500), "back": (3500, -500), "end": (4000, -2000),
}  # fmt: skip
PIPES = {
    "upper": ("source", "joint"), "branch": ("side", "joint"), "trunk": ("joint", "fork"),
    "to the left": ("fork", "left"), "to the right": ("fork", "right"), "loop 1": ("right", "round"),
    "loop 2": ("round", "back"), "loop 3": ("back", "right"), "outlet": ("back", "end"),
}  # fmt: skip


def degrees(x, y):
    return 114 + x / EAST, 22.5 + y / NORTH


def network(*, named=True, against=()):
    shapes = np.empty(len(PIPES), object)
    for at, (name, pair) in enumerate(PIPES.items()):
        ends = [degrees(*NODES[one]) for one in pair]
        shapes[at] = shapely.LineString(ends[::-1] if name in against else ends)
    return Network([Line(one) for one in PIPES], shapes, list(PIPES.values()) if named else None)


def reached(found, made):
    return {(made.lines[one.line].name, round(one.low, -1), round(one.high, -1)) for one in found}


@pytest.mark.parametrize("named", [True, False])
def test_what_is_downstream_is_reached_past_the_fork_and_round_the_loop_and_what_is_upstream_is_not(named):
    made = network(named=named)
    found = made.reach(*degrees(1500, 5), 20_000, 30)
    names = {made.lines[one.line].name for one in found}
    assert names == {"trunk", "to the left", "to the right", "loop 1", "loop 2", "loop 3", "outlet"}
    assert [(one.low, one.high) for one in found if one.line == 2] == [pytest.approx((500, 1000), rel=1e-3)]


def test_it_ends_at_the_bound_on_both_sides_of_the_fork():
    made = network()
    assert reached(made.reach(*degrees(1500, 0), 800, 30), made) == {
        ("trunk", 500, 1000), ("to the left", 0, 300), ("to the right", 0, 300),
    }  # fmt: skip


def test_what_is_upstream_is_the_same_turned_round():
    made = network()
    found = reached(made.reach(*degrees(1500, 0), 900, 30, up=True), made)
    assert found == {("trunk", 0, 500), ("upper", 600, 1000), ("branch", 500, 900)}


def test_a_place_on_a_loop_is_downstream_of_itself_only_by_going_round():
    made = network()
    found = made.reach(*degrees(3500, 0), 20_000, 30)
    assert {made.lines[one.line].name for one in found} == {"loop 1", "loop 2", "loop 3", "outlet"}
    assert sum(one.high - one.low for one in found if one.line == 6) == pytest.approx(1000, rel=1e-3)


def test_at_a_node_what_flows_there_is_no_part_of_what_flows_on():
    made = network()
    assert reached(made.reach(*degrees(1000, 0), 400, 30), made) == {("trunk", 0, 400)}
    assert made.reach(*degrees(4000, -2000), 400, 30) == []


def test_lines_with_nodes_may_be_drawn_either_way():
    made = network(against=("trunk", "loop 1", "branch"))
    plain = network()
    at = degrees(1500, 0)
    assert reached(made.reach(*at, 3000, 30), made) == reached(plain.reach(*at, 3000, 30), plain)


def test_who_is_not_at_a_line_has_nothing_downstream():
    made = network()
    assert made.reach(*degrees(1500, 40), 800, 30) == []
    assert made.reach(*degrees(1500, 40), 800, 50)


def test_a_place_is_on_a_branch_where_it_lies_on_a_stretch():
    made = network()
    found = made.reach(*degrees(1500, 0), 800, 30)
    assert made.is_on(*degrees(2250, 3), 30, found)
    for x, y in ((2350, 0), (1400, 0), (2250, 60)):
        assert not made.is_on(*degrees(x, y), 30, found)


@pytest.mark.parametrize("level", [15, 17, 20])
def test_the_cells_are_those_through_which_it_flows_and_each_knows_its_way(level):
    made = network()
    cells = made.cells(*degrees(1500, 0), 800, 30, level)
    drawn = [[(1500, 0), (2000, 0)], [(2000, 0), (2000, 300)], [(2000, 0), (2300, 0)]]
    flow = shapely.union_all([shapely.LineString([degrees(*one) for one in line]) for line in drawn])
    for code in cells:
        assert shapely.distance(shapely.box(*grid.bounds(code, level)), flow) < 1e-6
    for share in np.linspace(0.001, 0.999, 200):
        for line in shapely.get_parts(flow):
            lon, lat = shapely.get_coordinates(shapely.line_interpolate_point(line, share, normalized=True))[
                0
            ]
            assert grid.encode(lon, lat, level) in cells
    if level == 20:  # cells of about 60 m
        ways = {}
        for x, y in ((1500, 0), (1900, 0), (2000, 250), (2250, 0)):
            entry = cells[grid.encode(*degrees(x, y), level)]
            assert 0 <= abs(x - 1500) + y - entry.metres < 70
            ways[x, y] = [made.lines[one].name for one in entry.lines]
        assert ways == {
            (1500, 0): ["trunk"], (1900, 0): ["trunk"],
            (2000, 250): ["trunk", "to the left"], (2250, 0): ["trunk", "to the right"],
        }  # fmt: skip


@given(st.integers(0, 2**32 - 1), st.integers(1, 3_000))
def test_how_far_it_flows_is_as_dijkstra_says(seed, metres):
    random = np.random.default_rng(seed)
    places = random.uniform(0, 2_000, (8, 2)).round()
    pairs = {(int(a), int(b)) for a, b in random.integers(0, 8, (12, 2)) if a != b}
    pairs = sorted(pairs)
    shapes = np.empty(len(pairs), object)
    shapes[:] = [shapely.LineString([degrees(*places[one]) for one in pair]) for pair in pairs]
    made = Network([Line(str(one)) for one in pairs], shapes, pairs)
    length = np.array([np.hypot(*(places[b] - places[a])) for a, b in pairs])
    graph = coo_array((length, np.array(pairs).T), shape=(8, 8)).tocsr()
    start = pairs[0][0]
    lone = [line for line in range(len(pairs)) if line != 0]
    apart = shapely.distance(shapely.Point(places[start]), shapely.linestrings(places[np.array(pairs)]))
    if any(apart[one] < 3 and start not in pairs[one] for one in lone):
        return  # it lies on another line, too
    away = dijkstra(graph, indices=start)
    found = made.reach(*degrees(*places[start]), metres, 2)
    told = {}
    for one in found:
        assert one.metres == pytest.approx(away[pairs[one.line][0]], abs=5)
        told[one.line] = told.get(one.line, 0) + one.high - one.low
    for line, pair in enumerate(pairs):
        expected = min(max(metres - away[pair[0]], 0), length[line]) if np.isfinite(away[pair[0]]) else 0
        assert told.get(line, 0) == pytest.approx(expected, abs=8)


def turned_one_by_one(shapes, ends):
    """Whether each line is drawn against its flow: its ends compared with those of all at its nodes."""
    found = []
    for number, (upper, lower) in enumerate(ends):
        first, last = (shapely.get_coordinates(shapes[number])[at] for at in (0, -1))

        def away(point, node, number=number):
            others = [one for one, pair in enumerate(ends) if node in pair and one != number]
            points = [shapely.get_coordinates(shapes[one])[at] for one in others for at in (0, -1)]
            return min((float(np.hypot(*(point - one))) for one in points), default=0.0)

        drawn, against = away(first, upper) + away(last, lower), away(last, upper) + away(first, lower)
        found.append(upper != lower and against < drawn - network_.ALIKE)
    return found


@pytest.mark.parametrize("hub", [2, 64])
@given(seed=st.integers(0, 2**32 - 1))
def test_lines_are_turned_by_the_ends_of_those_at_their_nodes(hub, seed):
    random = np.random.default_rng(seed)
    nodes = random.uniform(0, 2_000, (6, 2))
    ends = [tuple(one) for one in random.integers(0, 6, (random.integers(0, 25), 2)).tolist()]
    shapes = np.empty(len(ends), object)
    for number, pair in enumerate(ends):
        points = nodes[list(pair)] + random.uniform(-30, 30, (2, 2))
        shapes[number] = shapely.LineString(points[:: random.choice([-1, 1])])
    before, network_.HUB = network_.HUB, hub
    try:
        assert network_._turned(shapes, ends).tolist() == turned_one_by_one(shapes, ends)
    finally:
        network_.HUB = before


def test_many_lines_at_one_node_take_no_longer_than_others():
    """Twenty thousand lines from one node: each compared with each would be 400 million pairs."""
    angles = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    tips = np.stack([np.cos(angles), np.sin(angles)], axis=1) * 1_000
    shapes = shapely.linestrings(np.stack([tips, np.zeros_like(tips)], axis=1))
    made = Network([Line(str(one)) for one in range(len(tips))], shapely.transform(
        shapes, lambda points: np.array([degrees(*one) for one in points])
    ), [("middle", one) for one in range(len(tips))])  # fmt: skip
    found = {one.line: one for one in made.reach(*degrees(*(tips[0] / 4)), 100, 5)}
    assert (found[0].low, found[0].high) == pytest.approx((250, 350), abs=2), "outwards, though drawn inwards"


def test_a_long_way_is_told_by_its_last_lines():
    places = [degrees(100 * at, 0) for at in range(401)]
    shapes = shapely.linestrings([[one, other] for one, other in pairwise(places)])
    made = Network([Line(str(one)) for one in range(400)], shapes)
    cells = made.cells(*degrees(1, 0), 40_000, 5, 17)
    last = max(cells.values(), key=lambda one: one.metres)
    assert last.steps > 390
    assert last.lines == tuple(range(last.steps - network_.MOST_NAMED, last.steps))
