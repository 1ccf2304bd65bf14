"""What the store of readings holds, it holds for good, and answers as one."""

import numpy as np
import pyarrow.compute as pc
import pytest

from jingwei.sense.readings import Batch, Reading, Readings, StreamFacts, UnknownReadingError, readings_of

SECOND = 1_000_000


@pytest.fixture
def readings(tmp_path):
    with Readings(tmp_path / "readings") as store:
        yield store


def hourly(stream, count, first=0):
    return Batch.of([Reading(stream, (first + n) * SECOND, float(first + n)) for n in range(count)])


def test_a_reading_is_there_after_a_restart(tmp_path):
    reading = Reading(7, 5, {"class": "car"}, result_time=9, feature=3, quality="good", parameters={"a": [1]})
    with Readings(tmp_path) as store:
        receipt = store.append(Batch.of([reading]))
    with Readings(tmp_path) as store:
        (found,) = readings_of(store.get(int(receipt.ids[0])))
    assert found._replace(id=0, received=0) == reading


def test_numbers_rise(readings):
    first = readings.append(hourly(1, 5)).ids
    second = readings.append(hourly(2, 5)).ids
    assert (np.diff(np.concatenate([first, second])) > 0).all()
    assert first[0] > 0


def test_a_duplicate_changes_nothing_and_is_told_the_first_number(readings):
    first = readings.append(hourly(1, 3))
    again = readings.append(hourly(1, 4))
    assert again.duplicates == 3
    assert again.ids[:3].tolist() == first.ids.tolist()
    assert readings.count([1]) == 4


def test_duplicates_within_a_batch_are_one_reading(readings):
    receipt = readings.append(Batch.of([Reading(1, 5, 2.0)] * 3))
    assert len(set(receipt.ids.tolist())) == 1
    assert readings.count() == 1


def test_a_page_of_a_stream_begins_with_the_newest(readings):
    readings.append(hourly(1, 10))
    readings.append(hourly(2, 10))
    table = readings.read([1], order=[("time", True)], limit=3, offset=2)
    assert table["result"].to_pylist() == [7.0, 6.0, 5.0]


def test_a_condition_chooses(readings):
    readings.append(hourly(1, 10))
    assert readings.read(where=pc.field("result") > 6)["result"].to_pylist() == [7.0, 8.0, 9.0]
    assert readings.count(since=2 * SECOND, until=5 * SECOND) == 3


def test_the_latest_of_many_streams(readings):
    readings.append(hourly(1, 10))
    readings.append(hourly(2, 3, first=50))
    readings.append(hourly(1, 2, first=3))
    assert readings.latest([1, 2, 3])["result"].to_pylist() == [9.0, 52.0]


def test_a_correction_moves_a_reading(readings):
    number = int(readings.append(hourly(1, 3)).ids[0])
    readings.correct(number, {"time": 60 * SECOND, "result": 1.5})
    assert readings.latest([1])["id"].to_pylist() == [number]
    assert readings.extent(1).first == SECOND


def test_what_is_removed_is_gone(readings):
    number = int(readings.append(hourly(1, 3)).ids[2])
    readings.remove(number)
    with pytest.raises(UnknownReadingError):
        readings.get(number)
    assert readings.extent(1).last == SECOND
    readings.remove_stream(1)
    assert readings.extent(1).count == 0


def test_a_stream_that_is_not_there_is_refused(tmp_path):
    with Readings(tmp_path, lambda stream: StreamFacts(stream) if stream == 1 else None) as store:
        receipt = store.append(Batch.of([Reading(1, 1, 1), Reading(2, 1, 1)]))
    assert [(one.index, one.code, one.kept) for one in receipt.refused] == [(1, "stream-unknown", False)]


def test_who_subscribes_is_told_of_durable_readings(readings):
    told = []
    end = readings.subscribe(told.append)
    readings.append(hourly(1, 3))
    end()
    readings.append(hourly(1, 6))
    assert [rows["result"].tolist() for rows in told] == [[0.0, 1.0, 2.0]]


def test_ten_thousand_streams_come_at_once(readings):
    streams = np.arange(1, 10_001)
    for at in range(2):
        readings.append(Batch(streams, np.full(len(streams), at), streams.astype(float)))
    assert readings.latest(range(1, 10_001))["result"].to_pylist() == streams.tolist()
    assert readings.count() == 20_000
