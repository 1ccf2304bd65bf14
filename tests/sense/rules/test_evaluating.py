"""Rules over readings against a plain reading of what they say, however the readings are cut into batches."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jingwei.sense.readings.columns import Rows
from jingwei.sense.rules.evaluating import Evaluator, Watched
from jingwei.sense.rules.form import Sign

SECOND = 1_000_000
STREAMS = 4
VALUES = [0.0, 1.0, 2.0, 3.0, math.nan]


def rows(readings):
    """Return readings (id, stream, time in seconds, result, received in seconds) as columns."""
    number, stream, time, result, received = zip(*readings, strict=True) if readings else ((),) * 5
    return Rows(
        {
            "id": np.array(number, np.int64),
            "stream": np.array(stream, np.int64),
            "time": np.array(time, np.int64) * SECOND,
            "result": np.array(result, np.float64),
            "received": np.array(received, np.int64) * SECOND,
        }
    )


class Plain:
    """One sign in one stream, one reading after the other."""

    def __init__(self, sign):
        self.sign = sign
        self.there = False
        self.since = self.last = self.heard = self.before = self.run = None

    def clock(self, now):
        due = None if self.heard is None else self.heard + self.sign.seconds
        if self.sign.kind == "silent" and not self.there and due is not None and due <= now:
            self.there = True
            return [(due, True)]
        return []

    def reading(self, time, value, received):
        if self.last is not None and time <= self.last:
            return []
        self.last = time
        if self.sign.kind == "silent":
            heard = min(time, received)
            out = self.clock(heard)
            if self.there:
                self.there = False
                out.append((heard, False))
            self.heard = heard if self.heard is None else max(self.heard, heard)
            return out
        if math.isnan(value):
            return []
        on, off = self.judge(time, value)
        if self.there:
            self.there = not off
            self.since = None if off else self.since
            return [(time, False)] if off else []
        if not on:
            self.since = None if on is not None else self.since
            return []
        self.since = time if self.since is None else self.since
        hold = 0 if self.sign.kind == "frozen" else self.sign.seconds
        self.there = time - self.since >= hold
        return [(time, True)] if self.there else []

    def judge(self, time, value):
        """Return whether it would come and whether it would go; None for both where nothing is said."""
        sign = self.sign
        start, stop = sign.value, sign.value if sign.until is None else sign.until
        before, self.before = self.before, (time, value)
        if sign.kind == "above":
            return value >= start, value < stop
        if sign.kind == "below":
            return value <= start, value > stop
        if sign.kind == "frozen":
            if self.run is None or abs(value - self.run[1]) > sign.tolerance:
                self.run = time, value
            long = time - self.run[0] >= sign.seconds
            return long, not long
        if before is None or time - before[0] > sign.gap:
            return None, None
        change = (value - before[1]) / (time - before[0]) * 3600
        change = change if sign.kind == "rising" else -change
        return change >= start, change < stop


def oracle(rules, groups, readings, ticks):
    """Return the turns of rules: rule, group, begins, time, reading."""
    plain = {
        (rule, number, stream): Plain(sign)
        for rule, signs in enumerate(rules)
        for number, sign in enumerate(signs)
        for stream in range(STREAMS)
    }
    held = {}
    turns = []

    def settle(rule, group, time, reading):
        holds = all(
            sum(plain[rule, number, one].there for one in range(STREAMS) if groups[rule][one] == group)
            >= sign.least
            for number, sign in enumerate(rules[rule])
        )
        if holds != held.get((rule, group), False):
            held[rule, group] = holds
            turns.append((rule, group, holds, time * SECOND, reading))

    def step(key, reading, moves):
        rule, _, stream = key
        now = plain[key].there
        for time, comes in moves:  # one after the other: each may turn the group
            plain[key].there = comes
            settle(rule, groups[rule][stream], time, reading)
        plain[key].there = now

    for what in sorted([*((one[0], 0, one) for one in readings), *((at, 1, now) for at, now in ticks)]):
        if what[1]:
            moved = [(key, one.clock(what[2])) for key, one in plain.items()]
            moved = sorted(
                ((key, moves) for key, moves in moved if moves),
                key=lambda one: (one[1][0][0], one[0][2], one[0][0], one[0][1]),
            )
            for key, _ in moved:
                plain[key].there = False
            for key, moves in moved:
                plain[key].there = True
                step(key, 0, moves)
        else:
            number, stream, time, value, received = what[2]
            for key, one in plain.items():
                if key[2] == stream:
                    step(key, number, one.reading(time, value, received))
    return turns


@st.composite
def sign(draw):
    kind = draw(st.sampled_from(["above", "below", "rising", "falling", "frozen", "silent"]))
    least = draw(st.integers(1, 2))
    seconds = draw(st.sampled_from([0, 5, 20]))
    if kind in ("frozen", "silent"):
        tolerance = draw(st.sampled_from([0.0, 1.0]))
        return Sign(observes="x", kind=kind, seconds=max(seconds, 5), least=least, tolerance=tolerance)
    value = draw(st.sampled_from([1.0, 2.0])) * (1 if kind in ("above", "below") else 360)
    apart = draw(st.sampled_from([None, 0.0, 1.0]))
    step = (1 if kind == "below" else -1) * (1 if kind in ("above", "below") else 360)
    until = None if apart is None else value + step * apart
    gap = draw(st.sampled_from([8, 7200]))
    return Sign(observes="x", kind=kind, value=value, until=until, seconds=seconds, least=least, gap=gap)


@st.composite
def happenings(draw):
    """Return rules, the groups of their streams, readings as they came in, and the clock at each cut."""
    rules = draw(st.lists(st.lists(sign(), min_size=1, max_size=2), min_size=1, max_size=3))
    groups = [draw(st.lists(st.integers(0, 1), min_size=STREAMS, max_size=STREAMS)) for _ in rules]
    readings, at = [], 0
    for number in range(1, draw(st.integers(1, 40)) + 1):
        at += draw(st.integers(0, 8))
        time = max(1, at + draw(st.sampled_from([0, 0, 0, -6, 4])))
        stream, value = draw(st.integers(0, STREAMS - 1)), draw(st.sampled_from(VALUES))
        readings.append((number, stream, time, value, at))
    cuts = draw(st.sets(st.integers(1, len(readings)), max_size=6)) | {len(readings)}
    ticks = [(cut, readings[cut - 1][4] + draw(st.integers(0, 30))) for cut in sorted(cuts)]
    return rules, groups, readings, ticks


def evaluator(rules, groups):
    streams = np.arange(STREAMS)
    return Evaluator(
        [
            Watched(rule, number, one, streams, np.array(groups[rule], np.int64))
            for rule, signs in enumerate(rules)
            for number, one in enumerate(signs)
        ]
    )


@settings(max_examples=400, deadline=None)
@given(happenings())
def test_rules_turn_as_a_plain_reading_of_them_says(given_):
    rules, groups, readings, ticks = given_
    found, under = [], evaluator(rules, groups)
    for begin, end in pairwise([0, *(cut for cut, _ in ticks)]):
        found += under.take(rows(readings[begin:end]))
        found += under.tick(dict(ticks)[end] * SECOND)
    told = [(one.rule, one.group, one.begins, one.time, one.reading) for one in found]
    assert told == oracle(rules, groups, readings, ticks)


@settings(max_examples=100, deadline=None)
@given(happenings())
def test_what_is_said_does_not_depend_on_how_readings_are_cut(given_):
    rules, groups, readings, ticks = given_
    whole = evaluator(rules, groups).take(rows(readings))
    under, pieces = evaluator(rules, groups), []
    for begin, end in pairwise([0, *(cut for cut, _ in ticks)]):
        pieces += under.take(rows(readings[begin:end]))
    assert repr(pieces) == repr(whole)  # with its reasons; NaN equals itself in writing


def test_a_firing_says_by_which_readings():
    high = Sign(observes="x", kind="above", value=2.0, least=2)
    under = evaluator([[high]], [[0, 0, 0, 0]])
    (turn,) = under.take(rows([(1, 0, 10, 2.5, 10), (2, 1, 11, 1.0, 11), (3, 2, 12, 3.0, 12)]))
    assert [(one.stream, one.value, one.time // SECOND) for one in turn.reasons] == [
        (2, 3.0, 12),
        (0, 2.5, 10),
    ]
    assert [(one.rule, one.group, one.reasons) for one in under.holding()] == [(0, 0, turn.reasons)]


@pytest.mark.parametrize("count", [0, 3])
def test_readings_of_streams_that_nobody_watches_are_passed_over(count):
    under = Evaluator([])
    assert under.take(rows([(n + 1, 7, n, 1.0, n) for n in range(count)])) == []
    assert under.tick(1 << 60) == []
