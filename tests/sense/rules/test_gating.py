"""Rules that ask datasets against a plain reading of what they say: rows at random, readings at random."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sense.rules.test_evaluating import SECOND, Plain, rows

from jingwei import grid
from jingwei.sense.rules.binding import Stream, watched
from jingwei.sense.rules.evaluating import Evaluator
from jingwei.sense.rules.form import DatasetSign, Rule, Sign
from jingwei.sense.rules.gating import DatasetGate
from jingwei.sense.rules.surroundings import ALWAYS, NEVER_ENDS, Placed, Spot, Surroundings

LON, LAT = 116.4, 39.9
EAST, NORTH = 85_513.0, 111_034.0
"""Metres of a degree at 39.9 N."""
HIGH = Sign(observes="x", kind="above", value=2.0)
STREAMS = 3


def degrees(x, y):
    return LON + x / EAST, LAT + y / NORTH


def code(x, y, level=32):
    return int(grid.encode(*degrees(x, y), level))


def streams_at(places):
    return {
        one: Stream(one, one, "", "conditional", 2, "x", "", None if place is None else code(*place))
        for one, place in enumerate(places)
    }


class Rows:
    """Rows that a version holds: x and y in metres, and from when to when in seconds."""

    def __init__(self, listed):
        self.listed = listed
        micros = [[ALWAYS, NEVER_ENDS] if one is None else [s * SECOND for s in one] for *_, one in listed]
        since, until = np.array(micros, np.int64).reshape(-1, 2).T
        stored = [int(grid.to_stored(code(x, y))) for x, y, _ in listed]
        levels = np.full(len(listed), 32, np.int8)
        self.surroundings = Surroundings(Placed(None, np.array(stored, np.int64), levels, since, until))

    def ground(self, at, sign, spot, moment):
        found, metres = self.surroundings.around(spot, sign.metres).at(moment)
        return {"sign": at, "count": len(found), "rows": found.tolist(), "metres": metres}


def says(sign, listed, place, seconds, level):
    """Say plainly whether a condition is so at a place and time."""
    if sign.metres is None:

        def near(x, y):
            return code(x, y, level) == code(*place, level)
    else:

        def near(x, y):
            return math.hypot(x - place[0], y - place[1]) <= sign.metres

    count = sum(near(x, y) and (valid is None or valid[0] <= seconds < valid[1]) for x, y, valid in listed)
    return (count >= sign.count) == (sign.kind == "has")


def oracle(rule, listed, places, readings, end):
    """Return the turns of a rule in streams: group, begins, second; asking at every second there is."""
    turns = []
    for stream, place in enumerate(places):
        if place is None:
            continue
        plain, holds = Plain(rule.signs[0]), False
        own = {at: value for one, at, value in readings if one == stream}
        for second in range(end + 1):
            if second in own:
                plain.reading(second, own[second], second)
            so = plain.there and all(says(sign, listed, place, second, rule.level) for sign in rule.datasets)
            if so != holds:
                holds = so
                turns.append((stream, so, second))
    return sorted(turns)


coordinate = st.integers(-12, 12).map(lambda n: n * 50.0 + 7.0)
validity = st.one_of(
    st.none(), st.tuples(st.integers(0, 20), st.integers(1, 15)).map(lambda one: (one[0], one[0] + one[1]))
)
row = st.tuples(coordinate, coordinate, validity)
sign = st.builds(
    DatasetSign,
    dataset=st.just("d"),
    kind=st.sampled_from(["has", "lacks"]),
    metres=st.sampled_from([None, 30.0, 130.0, 260.0]),
    valid=st.just(True),  # noqa: FBT003 - a strategy
    count=st.integers(1, 3),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(row, max_size=12),
    st.lists(sign, min_size=1, max_size=2),
    st.lists(st.one_of(st.none(), st.tuples(coordinate, coordinate)), min_size=STREAMS, max_size=STREAMS),
    st.lists(
        st.tuples(st.integers(0, STREAMS - 1), st.integers(1, 3), st.sampled_from([1.0, 3.0])), max_size=20
    ),
    st.sets(st.integers(0, 19), max_size=4),
)
def test_rules_with_datasets_turn_as_a_plain_reading_of_them_says(listed, signs, places, steps, cuts):
    rule = Rule(zh="一", en="one", signs=[HIGH], datasets=signs, level=18)
    readings, at = [], 0
    for stream, step, value in steps:
        at += step
        readings.append((stream, at, value))
    streams = streams_at(places)
    gate = DatasetGate({0: rule}, streams)
    gate.held[0] = [Rows(listed)] * len(signs)
    under = Evaluator(watched(0, rule, streams, ""), gate)
    told, begin = [], 0
    for cut in sorted({one for one in cuts if one < len(readings)} | {len(readings)}):
        part = [(n + 1, s, t, v, t) for n, (s, t, v) in enumerate(readings)][begin:cut]
        if part:
            told += under.take(rows(part))
            told += under.tick(part[-1][2] * SECOND)
        begin = cut
    told += under.tick((at + 40) * SECOND)
    found = sorted((turn.group, turn.begins, turn.time // SECOND) for turn in told)
    assert found == oracle(rule, listed, places, readings, at + 40)
    assert all(turn.grounds for turn in told if turn.begins)


@settings(max_examples=150, deadline=None)
@given(st.lists(row, min_size=1, max_size=30), coordinate, coordinate, st.sampled_from([40.0, 200.0, 900.0]))
def test_what_is_near_is_found_with_how_far_it_is(listed, x, y, metres):
    around = Rows(listed).surroundings.around(Spot(code(x, y), 32, 17), metres)
    plain = {n: math.hypot(one[0] - x, one[1] - y) for n, one in enumerate(listed)}
    near = {n for n, far in plain.items() if far <= metres * 0.997}
    assert near <= set(around.rows.tolist()) <= {n for n, far in plain.items() if far <= metres * 1.003}
    assert all(abs(far - plain[n]) < 1 for n, far in zip(around.rows.tolist(), around.metres, strict=True))
    assert (np.diff(around.metres) >= 0).all()


def test_what_cannot_be_asked_neither_begins_nor_ends_anything():
    rule = Rule(zh="一", en="one", signs=[HIGH], datasets=[DatasetSign(dataset="d", metres=100)])
    streams = streams_at([(0, 0)])
    gate = DatasetGate({0: rule}, streams)
    under = Evaluator(watched(0, rule, streams, ""), gate)
    assert under.take(rows([(1, 0, 1, 3.0, 1)])) == []
    assert under.unknown() == {(0, 0)}
    gate.held[0] = [Rows([(10, 0, None)])]
    (begun,) = under.asked_anew({0}, 5 * SECOND)
    assert (begun.begins, begun.time, begun.reasons[0].value) == (True, 5 * SECOND, 3.0)
    gate.held[0] = None
    assert under.asked_anew({0}, 6 * SECOND) == []
    (ended,) = under.take(rows([(2, 0, 7, 1.0, 7)]))
    assert (ended.begins, ended.reasons[0].value) == (False, 1.0)
