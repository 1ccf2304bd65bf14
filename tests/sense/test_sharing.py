"""Readings as a dataset of the lake are told to nobody whom the streams themselves may not be told."""

import pytest

from jingwei.access import local_person
from jingwei.access.policy import RefusedError
from jingwei.city import open_city
from jingwei.lake.errors import UnknownDatasetError
from jingwei.sense.readings import Batch, Reading, Readings, StreamFacts

from .conftest import WATER, somebody


@pytest.fixture
def city(tmp_path):
    with open_city(tmp_path / "home", create=True) as city:
        with Readings(tmp_path / "readings", StreamFacts, lake=city.lake) as readings:
            readings.append(Batch.of([Reading(stream=1, time=1_700_000_000_000_000, result=1.5)]))
            readings.flush()
        yield city


def test_who_is_at_the_machine_reads_all_streams(city):
    assert city.lake.query(local_person(), "readings").table.num_rows == 1


@pytest.mark.parametrize("role", ["staff", "operator", "citizen"])
def test_a_role_alone_reads_no_stream_in_sql(city, role):
    with pytest.raises((RefusedError, UnknownDatasetError)):
        city.lake.query(somebody(role, department=WATER), "readings")
