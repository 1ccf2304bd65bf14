"""How the intake fares is told minute by minute, by what became of readings and how late they were."""

import pytest

from jingwei.sense.health import Health
from jingwei.sense.readings import Batch, Reading, Readings, StreamFacts

NOW = 1_793_491_200.0


@pytest.fixture
def watched(tmp_path):
    """A store whose streams take results up to 100, watched by a clock that stands still until it is set."""
    clock = [NOW]
    with Readings(tmp_path / "readings", lambda stream: StreamFacts(stream, maximum=100)) as readings:
        yield readings, Health(readings, clock=lambda: clock[0]), clock


def told(*readings):
    return Batch.of([Reading(stream, int((NOW - ago) * 1e6), result) for stream, ago, result in readings])


def test_readings_are_counted_by_minute_and_by_what_became_of_them(watched):
    readings, health, clock = watched
    readings.append(told((1, 5, 1.0), (1, 6, 2.0), (2, 7, 3.0)))
    clock[0] += 120
    readings.append(told((1, 5, 1.0), (1, 8, 1e6), (1, 200, 4.0)))
    first, second = health.minutes()
    assert (first.taken, first.duplicates, first.apart) == (3, 0, 0)
    assert (second.taken, second.duplicates, second.apart) == (1, 1, 1)
    assert second.at - first.at == 2


def test_the_delay_is_told_as_a_bound(watched):
    readings, health, _ = watched
    readings.append(told(*((1, 0.5 if n < 90 else 1_000, float(n)) for n in range(100))))
    (minute,) = health.minutes()
    assert (minute.lag(0.5), minute.lag(0.95)) == (1, 3_600)


def test_what_was_kept_apart_is_told_by_reason_and_only_of_streams_that_are_seen(watched):
    readings, health, _ = watched
    readings.append(told((1, 5, 1e6), (2, 5, 1e7)))
    by_reason, rows = health.kept_apart({2})
    assert by_reason == {"impossible": 2}
    assert [row.stream for row in rows] == [2]
    assert health.kept_apart({1, 2})[0] == {"impossible": 2}, "looking again counts nothing twice"


def test_the_busiest_streams_of_those_that_are_seen(watched):
    readings, health, clock = watched
    readings.append(told(*((1, n, 1.0) for n in range(5)), *((2, n, 1.0) for n in range(20)), (3, 1, 1.0)))
    assert health.busiest({1, 2}, last=10) == [(2, 2.0), (1, 0.5)]
    clock[0] += 3_600
    assert health.busiest({1, 2}, last=10) == []


def test_of_many_readings_some_stand_for_all(watched):
    readings, health, _ = watched
    readings.append(told(*((1 + n % 2, n, 1.0) for n in range(10_000))))
    (minute,) = health.minutes()
    assert minute.taken == 10_000
    assert minute.lags.sum() == pytest.approx(10_000)
