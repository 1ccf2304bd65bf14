"""What was asked for lately is kept at hand: its bound, what goes first, and many threads at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jingwei.records.recent import Recent

KEYS = st.integers(0, 7)
WAYS = st.sampled_from(["put", "get", "of", "once", "forget", "clear"])
STEPS = st.lists(st.tuples(WAYS, KEYS), max_size=60)


class Line:
    """The rule in the plainest words: a line of keys, of which those asked for pass once more to its end."""

    def __init__(self, most, sizes):
        self.most, self.sizes, self.line, self.asked = most, sizes, [], set()

    def ask(self, key):
        if key in self.line:
            self.asked.add(key)
        return key in self.line

    def put(self, key):
        self.forget(key)
        while self.line and sum(self.sizes[one] for one in [*self.line, key]) > self.most:
            first = self.line.pop(0)
            if first in self.asked:
                self.asked.discard(first)
                self.line.append(first)
        self.line.append(key)

    def forget(self, key):
        self.asked.discard(key)
        self.line = [one for one in self.line if one != key]


@given(STEPS, st.integers(1, 5), st.lists(st.integers(1, 7), min_size=8, max_size=8))
def test_it_keeps_what_the_rule_says(steps, most, sizes):
    recent, line = Recent(most, size=lambda value: sizes[value[0]]), Line(most, sizes)
    for turn, (step, key) in enumerate(steps):
        if step == "put":
            recent.put(key, (key, turn))
            line.put(key)
        elif step in ("of", "once"):
            kept = line.ask(key)
            found = getattr(recent, step)(key, lambda key=key, turn=turn: (key, turn))
            assert (found[1] < turn) == kept
            if not kept:
                line.put(key)
        elif step == "get":
            assert (recent.get(key) is not None) == line.ask(key)
        elif step == "forget":
            recent.forget(key)
            line.forget(key)
        else:
            recent.clear()
            line = Line(most, sizes)
    assert [key for key in range(8) if recent.get(key) is not None] == sorted(line.line)


@given(st.integers(2, 9), st.lists(st.integers(), unique=True))
def test_what_is_asked_for_again_and_again_stays(most, others):
    recent = Recent(most)
    hot = recent.put("hot", object())
    for one in others:
        recent.put(one, one)
        assert recent.get("hot") is hot


def test_the_newest_is_kept_however_large_it_is():
    recent = Recent(10, size=len)
    recent.put("small", "1234")
    recent.put("large", "x" * 99)
    assert (recent.get("small"), recent.get("large")) == (None, "x" * 99)
    recent.put("next", "12")
    assert (recent.get("large"), recent.get("next")) == (None, "12")


def test_what_counts_for_nothing_is_not_kept_without_end():
    recent = Recent(3, size=len)
    for key in range(10):
        recent.put(key, "")
    assert [key for key in range(10) if recent.get(key) is not None] == [7, 8, 9]


def test_none_is_a_value_that_is_made_once():
    recent, made = Recent(3), []
    for _ in range(2):
        assert recent.of("key", lambda: made.append(1)) is None
    assert made == [1]


@pytest.mark.parametrize("way", ["of", "once"])
def test_what_was_begun_before_all_was_let_go_of_is_not_kept(way):
    recent = Recent(3)

    def make():
        recent.clear()
        return "old"

    assert getattr(recent, way)("key", make) == "old"
    assert recent.get("key") is None


@pytest.mark.parametrize("way", ["of", "once"])
def test_a_failure_is_told_and_nothing_is_kept(way):
    recent = Recent(3)
    with pytest.raises(ZeroDivisionError):
        getattr(recent, way)("key", lambda: 1 // 0)
    assert getattr(recent, way)("key", lambda: "made") == "made"


def test_who_asks_while_it_is_made_waits_for_the_one_making():
    recent, made, begun, go_on = Recent(3), [], threading.Event(), threading.Event()

    def make():
        begun.set()
        go_on.wait(10)
        made.append(object())
        return made[-1]

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(recent.once, "key", make)
        assert begun.wait(10)
        others = [pool.submit(recent.once, "key", make) for _ in range(3)]
        go_on.set()
        assert {id(one.result(10)) for one in (first, *others)} == {id(made[0])}
    assert len(made) == 1


def test_many_threads_share_one():
    recent = Recent(20, size=lambda value: value[1])

    def work(seed):
        for turn in range(2_000):
            key = (turn * seed) % 50
            if turn % 97 == 0:
                recent.clear()
            elif turn % 13 == 0:
                recent.forget(key)
            found = (recent.of if turn % 2 else recent.once)(key, lambda key=key: (key, 1 + key % 3))
            assert found == (key, 1 + key % 3)

    with ThreadPoolExecutor(8) as pool:
        for one in [pool.submit(work, seed) for seed in (1, 3, 7, 11, 13, 17, 19, 23)]:
            one.result(60)
    kept = [found for key in range(50) if (found := recent.get(key)) is not None]
    assert 0 < sum(size for _, size in kept) <= 20
    recent.put(99, (99, 20))  # what is counted as kept is what is there: it all makes room
    assert [key for key in range(50) if recent.get(key) is not None] == []
