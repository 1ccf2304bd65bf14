"""A city closes what was opened over it."""

import pytest

from jingwei.city import City, open_city
from jingwei.records import open_records
from jingwei.sense.readings import Batch, Reading, StreamFacts
from jingwei.sense.readings.opening import open_readings


def test_what_was_opened_last_is_closed_first(tmp_path):
    closed = []
    with open_city(tmp_path / "home", create=True) as city:
        for name in ("first", "second"):
            city.on_close(lambda name=name: closed.append(name))
    assert closed == ["second", "first"]
    city.close()
    assert len(closed) == 2, "nothing is closed twice"


def test_what_cannot_be_closed_keeps_nothing_open_and_is_told(tmp_path):
    closed = []

    def full(name):
        closed.append(name)
        raise OSError(28, name)

    city = open_city(tmp_path / "home", create=True)
    for name in ("first", "second"):
        city.on_close(lambda name=name: full(name))
    with pytest.raises(ExceptionGroup) as told:
        city.close()
    assert [str(one) for one in told.value.exceptions] == ["[Errno 28] second", "[Errno 28] first"]
    assert closed == ["second", "first"]
    city.on_close(lambda: full("only"))
    with pytest.raises(OSError, match="only"):
        city.close()


def test_readings_are_closed_with_their_city(tmp_path):
    with open_city(tmp_path / "home", create=True) as city:
        readings = open_readings(city, StreamFacts)
        assert open_readings(city, StreamFacts) is readings
    assert readings.closed
    with open_city(tmp_path / "home") as city:
        assert open_readings(city, StreamFacts) is not readings


def test_readings_that_two_cities_share_stay_open_for_the_one_that_is_left(tmp_path):
    with open_city(tmp_path / "home", create=True) as city:
        readings = open_readings(city, StreamFacts)
        other = City(city.home, open_records(f"sqlite:///{tmp_path / 'other.db'}"))
        assert open_readings(other, lambda _stream: None) is readings
        other.close()
        assert not readings.closed
        assert readings.lake is city.lake
        receipt = readings.append(Batch.of([Reading(1, 0, 1.0)]))
        assert not receipt.refused, "streams are asked of the city that is left"
    assert readings.closed
