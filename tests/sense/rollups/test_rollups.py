"""Roll-ups say what a plain list of readings says, whatever happens to it."""

import math
import shutil
import tempfile
from collections import defaultdict
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from jingwei import grid
from jingwei.city import open_city
from jingwei.city.models import CityRow
from jingwei.records import now_utc
from jingwei.sense.readings import Batch, Reading, Readings, StreamFacts, readings_of
from jingwei.sense.rollups import HOUR, Address, Calendar, Rollups, rollups_when_asked
from jingwei.sense.rollups.calendar import KINDS, Span
from jingwei.sense.rollups.chosen import Chosen
from jingwei.sense.rollups.frames import frame_of

ZONE = ZoneInfo("Asia/Kathmandu")  # 5 h 45 min: no hour of UTC is one of its hours
PLACES = [(114.06, 22.54), (114.06, 22.54), (114.0601, 22.5401), (114.4, 30.5), (116.3, 39.9), (-60.0, -20.0)]
CODES = [int(grid.encode(*place, 32)) for place in PLACES]
LEVELS = (0, 2, 9, 20, 21, 22, 32)
START = int(datetime(2025, 12, 30, tzinfo=UTC).timestamp()) * 1_000_000

quarters = st.integers(0, 5 * 24 * 4).map(lambda quarter: START + quarter * HOUR // 4)
results = st.one_of(
    st.floats(-1e3, 1e3).map(lambda value: 1e6 + value),
    st.integers(-3, 3),
    st.sampled_from(["open", True, 1e200]),
)
readings = st.tuples(st.integers(1, 7), quarters, results).map(lambda told: Reading(*told))


def facts(stream):
    return StreamFacts(stream)


class Kept(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.home = Path(tempfile.mkdtemp())
        self.where = {stream: Address(1 + stream % 2, CODES[stream % 6]) for stream in range(1, 7)}

    @initialize()
    def start(self):
        self.city = open_city(self.home, create=True)
        self.open()

    def open(self):
        self.readings = Readings(self.home / "sense", facts, lake=self.city.lake, in_memory=12)
        self.rollups = Rollups(self.home / "rollups", self.readings, Calendar(ZONE), self.book)

    def book(self, streams):
        return {stream: self.where[stream] for stream in streams if stream in self.where}

    def close(self):
        self.rollups.close()
        self.readings.close()

    def held(self):
        return readings_of(self.readings.read())

    @rule(batch=st.lists(readings, min_size=1, max_size=12), twice=st.booleans())
    def append(self, batch, twice):
        self.readings.append(Batch.of(batch))
        if twice:
            self.readings.append(Batch.of(batch[::-1]))

    @rule(data=st.data(), new=readings)
    def correct(self, data, new):
        if held := self.held():
            one = data.draw(st.sampled_from(held))
            if isinstance(new.result, (int, float)) and not isinstance(new.result, bool):
                self.readings.correct(one.id, {"result": float(new.result), "time": new.time})

    @rule(data=st.data())
    def remove(self, data):
        if held := self.held():
            self.readings.remove(data.draw(st.sampled_from(held)).id)

    @rule(stream=st.integers(1, 7))
    def remove_stream(self, stream):
        self.readings.remove_stream(stream)

    @rule(stream=st.integers(1, 7), place=st.integers(0, 5), property_=st.integers(1, 3))
    def move(self, stream, place, property_):
        self.where[stream] = Address(property_, CODES[place])
        self.readings.forget_facts(stream)

    @rule(compact=st.booleans())
    def flush(self, compact):
        self.readings.flush(compact=compact)

    @rule(every=st.sampled_from([0.0, 1e9]))
    def keep_up(self, every):
        self.rollups.every = every
        self.rollups.keep_up()

    @rule(lost=st.sampled_from(["", "frames.db", "notes.db"]), torn=st.booleans())
    def open_again(self, lost, torn):
        self.close()
        if lost and torn:
            (self.home / "rollups" / lost).write_bytes(b"no database" * 1000)
        elif lost:
            (self.home / "rollups" / lost).unlink()
        self.open()

    @rule()
    def killed(self):
        """What a crash leaves behind: the folder as it is while everything is open."""
        copied = Path(tempfile.mkdtemp())
        shutil.copytree(self.home, copied, dirs_exist_ok=True)
        self.close()
        shutil.rmtree(self.home)
        self.home = copied
        self.city.close()
        self.city = open_city(self.home)
        self.open()

    @rule(since=st.integers(-30, 130), hours=st.integers(0, 130), few=st.booleans())
    def any_period(self, since, hours, few):
        self.rollups.keep_up()
        since = self.rollups.calendar.hour(START) + since * HOUR
        until = since + hours * HOUR
        among = Chosen(np.array([1, 2, 3])) if few else None
        spans = list(self.rollups.calendar.spans(since, until))
        for property_ in (1, 2, 3):
            values = [
                one.result
                for one in self.counted()
                if self.where[one.stream].property == property_
                and since <= one.time < until
                and (not few or one.stream < 4)
            ]
            found = self.rollups.answers.of_cell(property_, 0, (1 << 64) - 1, spans, among)
            same({name: getattr(found, name) for name in ("n", "minimum", "maximum", "mean", "m2")}, values)

    def counted(self):
        return [
            one
            for one in self.held()
            if one.stream in self.where
            and isinstance(one.result, (int, float))
            and not isinstance(one.result, bool)
            and abs(one.result) < 1e150
        ]

    @rule()
    def every_cell_and_interval(self):
        self.rollups.every = 0.0
        self.rollups.keep_up()
        calendar = self.rollups.calendar
        values = defaultdict(list)
        for one in self.counted():
            where = self.where[one.stream]
            for kind, start in zip(KINDS, brute(one.time), strict=True):
                for level in LEVELS:
                    first = where.cell >> (64 - 2 * level) << (64 - 2 * level)
                    values[where.property, kind, start, level, first].append(one.result)
        frames = {
            (property_, kind, start): frame_of(body)
            for property_ in (1, 2, 3)
            for kind in KINDS
            for start, body in self.rollups.frames.within(property_, kind, -(1 << 62), 1 << 62)
        }
        assert frames.keys() == {key[:3] for key in values}
        for property_, kind, start in frames:
            cells = [key[3:] for key in values if key[:3] == (property_, kind, start)]

            def look(_, frame, cells=cells):
                ends = [(first, first + (1 << (64 - 2 * level)) - 1) for level, first in cells]
                return [frame.together(*frame.between(*one)) for one in ends]

            (found,) = self.rollups.frames.look_into(property_, [Span(kind, start)], look)
            for cell, rows in zip(cells, found, strict=True):
                own = values[(property_, kind, start, *cell)]
                same({name: rows[name] for name in rows.dtype.names}, own)
        for frame in frames.values():
            assert len(frame.nodes) < len(frame.leaves)
        assert calendar.phase == HOUR // 4

    def teardown(self):
        if hasattr(self, "rollups"):
            self.every_cell_and_interval()
            self.close()
            self.city.close()
        shutil.rmtree(self.home, ignore_errors=True)


def brute(time):
    local = datetime.fromtimestamp(time // 1_000_000, ZONE)
    hour = local.replace(minute=0, second=0)
    day = hour.replace(hour=0)
    return [int(one.timestamp()) * 1_000_000 for one in (hour, day, day.replace(day=1))]


def same(figures, values):
    if not values:
        assert not len(figures["n"])
        return
    mean = math.fsum(values) / len(values)
    spread = math.fsum((value - mean) ** 2 for value in values)
    assert figures["n"][0] == len(values)
    assert (figures["minimum"][0], figures["maximum"][0]) == (min(values), max(values))
    assert math.isclose(figures["mean"][0], mean, rel_tol=1e-9, abs_tol=1e-9)
    assert math.isclose(figures["m2"][0], spread, rel_tol=1e-9, abs_tol=1e-9 * max(map(abs, values)))


Kept.TestCase.settings = settings(
    max_examples=5, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
)
TestKept = Kept.TestCase


@contextmanager
def opened(home, where):
    with (
        Readings(home / "sense", facts) as store,
        Rollups(home / "rollups", store, Calendar(ZONE), lambda _: where) as rollups,
    ):
        yield store, rollups


def whole(rollups):
    spans = list(rollups.calendar.spans(START - HOUR, START + HOUR))
    return rollups.answers.of_cell(1, 0, (1 << 64) - 1, spans)


def test_readings_that_come_after_a_look_at_nothing_count(tmp_path):
    with opened(tmp_path, {1: Address(1, CODES[0])}) as (store, rollups):
        rollups.keep_up()
        store.append(Batch.of([Reading(1, START, 5.0)]))
        rollups.keep_up()
        assert whole(rollups).n.tolist() == [1]


def test_a_change_that_was_noted_and_cut_off_is_read_anew(tmp_path):
    where = {1: Address(1, CODES[0])}
    with opened(tmp_path, where) as (store, rollups):
        (number,) = store.append(Batch.of([Reading(1, START, 5.0)])).ids.tolist()
        rollups.keep_up()
        rollups.changing([(1, START)])
        store.watch(None)
        store.correct(number, {"result": 7.0})
        rollups.keep_up()  # it is not said that the change is made
        assert whole(rollups).mean.tolist() == [5.0]
    with opened(tmp_path, where) as (_, rollups):
        rollups.keep_up()
        assert whole(rollups).mean.tolist() == [7.0]


def test_to_ask_for_the_roll_ups_again_is_to_look_at_no_stream_anew(tmp_path):
    asked = []
    with (
        open_city(tmp_path, create=True) as city,
        Readings(tmp_path / "sense" / "readings", facts) as store,
    ):
        about = {"name": {"zh": "市"}, "adcode": "990200", "generated": False, "time_zone": "Asia/Shanghai"}
        with city.records.write() as session:
            session.add(CityRow(id="test", about=about, pack="", data="", changed=now_utc()))
        rollups = rollups_when_asked(city, store)
        first = rollups()
        first.book = lambda streams: asked.append(streams) or {1: Address(1, CODES[0])}
        store.append(Batch.of([Reading(1, START, 5.0)]))
        first.keep_up()
        assert len(asked) == 1
        assert rollups() is first
        first.keep_up()
        assert len(asked) == 1
        first.close()
        assert rollups() is not first, "what is closed is opened anew"
        rollups().close()
