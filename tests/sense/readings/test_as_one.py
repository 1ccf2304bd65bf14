"""Log, memory and lake answer as one: whatever happens to readings, a plain list of them says the same."""

import shutil
import tempfile
from pathlib import Path

import pyarrow.compute as pc
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jingwei import grid
from jingwei.access import local_person
from jingwei.city import open_city
from jingwei.sense.readings import (
    NONE,
    Batch,
    Extent,
    Reading,
    Readings,
    StreamFacts,
    readings_of,
)

PLACE = int(grid.to_stored(grid.encode(114.06, 22.54, 32)))


def facts(stream):
    return StreamFacts(
        stream, cell=PLACE, level=32, object=f"sensor-{stream}", minimum=-1000.0, maximum=1000.0
    )


results = st.one_of(st.integers(0, 3), st.sampled_from([0.5, "open", True, [1, 2.5]]))
one_reading = st.builds(
    Reading,
    stream=st.integers(1, 4),
    time=st.integers(0, 12),
    result=results,
    time_end=st.none() | st.integers(12, 14),
    result_time=st.none() | st.integers(0, 5),
    feature=st.none() | st.integers(1, 2),
    quality=st.none() | st.just({"q": 1}),
    valid_from=st.none(),
    valid_to=st.none(),
    parameters=st.none(),
    id=st.just(0),
    received=st.just(0),
)


def key(one):
    return (one.stream, one.time, one.time_end, type(one.result).__name__, str(one.result))


def plain(one):
    return one._replace(received=0)


class Store(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.held: dict[int, Reading] = {}
        self.numbers: set[int] = set()
        self.repeats: set[int] = set()

    @initialize()
    def start(self):
        self.city = open_city(self.home, create=True)
        self.open()

    def open(self):
        self.readings = Readings(self.home / "sense", facts, lake=self.city.lake, owner="", in_memory=12)

    @rule(batch=st.lists(one_reading, min_size=1, max_size=12))
    def append(self, batch):
        receipt = self.readings.append(Batch.of(batch))
        assert not receipt.refused
        for one, number in zip(batch, receipt.ids.tolist(), strict=True):
            same = {held for held, other in self.held.items() if key(other) == key(one)}
            if number in same:
                continue
            assert number not in self.numbers
            if same:  # beyond the window: it is left out when it comes to the lake
                self.repeats.add(number)
            self.held[number] = one._replace(id=number)
            self.numbers.add(number)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), result=st.integers(0, 3), time=st.none() | st.integers(0, 12))
    def correct(self, data, result, time):
        number = data.draw(st.sampled_from(sorted(self.held)))
        changes = {"result": float(result), "result_json": None, "feature": 7}
        changes |= {} if time is None else {"time": time}
        self.readings.correct(number, changes)
        self.repeats.discard(number)
        new = self.held[number]._replace(result=result, feature=7)
        self.held[number] = new if time is None else new._replace(time=time)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def remove(self, data):
        number = data.draw(st.sampled_from(sorted(self.held)))
        self.readings.remove(number)
        del self.held[number]

    @rule(stream=st.integers(1, 4))
    def remove_stream(self, stream):
        self.readings.remove_stream(stream)
        self.held = {number: one for number, one in self.held.items() if one.stream != stream}

    @rule(compact=st.booleans())
    def flush(self, compact):
        self.readings.flush(compact=compact)
        for number in self.repeats & set(self.held):
            one = self.held.pop(number)
            if key(one) not in {key(other) for other in self.held.values()}:
                self.held[number] = one  # what it repeated was changed meanwhile
        self.repeats.clear()
        if compact:
            assert self.in_the_lake() == len(self.held)

    def in_the_lake(self):
        found = [one.version for one in self.city.lake.catalogue() if one.id == "readings" and one.version]
        if not found or not found[0].content.facts:
            return 0
        return self.city.lake.query(local_person(), "readings", limit=100_000).table.num_rows

    @rule()
    def reopen(self):
        self.readings.close()
        self.open()

    @invariant()
    def is_read_as_one(self):
        if not hasattr(self, "readings"):
            return
        expected = sorted(self.held.values(), key=lambda one: (one.stream, one.time, one.id))
        assert [plain(one) for one in readings_of(self.readings.read())] == expected
        assert self.readings.count() == len(expected)

    @invariant()
    def answers_like_a_list(self):
        if not hasattr(self, "readings"):
            return
        for stream in (1, 2):
            mine = sorted(
                (one for one in self.held.values() if one.stream == stream),
                key=lambda one: (-one.time, one.id),
            )
            page = self.readings.read([stream], order=[("time", True)], limit=3)
            got, times = page["id"].to_pylist(), [one.time for one in mine]
            assert [self.held[number].time for number in got] == times[:3]
            assert self.readings.read([stream], since=3, until=9).num_rows == sum(3 <= t < 9 for t in times)
            assert self.readings.extent(stream) == extent(mine)
            latest = self.readings.latest([stream])["id"].to_pylist()
            assert latest == [max(mine, key=lambda one: (one.time, one.id)).id] if mine else not latest
        for number in list(self.held)[:2]:
            assert plain(readings_of(self.readings.get(number))[0]) == self.held[number]
        pages = [self.readings.read(limit=4, offset=offset) for offset in range(0, len(self.held) + 4, 4)]
        assert [number for page in pages for number in page["id"].to_pylist()] == self.readings.read()[
            "id"
        ].to_pylist()
        numbers = [one for one in self.held.values() if type(one.result) is not str]
        wanted = sum(type(one.result) in (int, float) and one.result >= 1 for one in numbers)
        assert self.readings.count(where=pc.field("result") >= 1) == wanted

    def teardown(self):
        if hasattr(self, "readings"):
            self.readings.close()
            self.city.close()
        shutil.rmtree(self.home)


def extent(mine):
    if not mine:
        return Extent()
    told = [one.result_time for one in mine if one.result_time is not None]
    ends = [one.time_end or 0 for one in mine]
    return Extent(
        len(mine),
        min(one.time for one in mine),
        max(*(one.time for one in mine), *ends),
        min(told, default=NONE),
        max(told, default=NONE),
    )


Store.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestAsOne = Store.TestCase
