"""A version of readings leads to the roll-ups once all of it counts in them."""

from zoneinfo import ZoneInfo

import numpy as np

from jingwei import grid
from jingwei.access import local_person
from jingwei.city import open_city
from jingwei.lake import lineage
from jingwei.sense.readings import Batch, StreamFacts
from jingwei.sense.readings.flushing import DATASET
from jingwei.sense.readings.opening import open_readings
from jingwei.sense.rollups import Address, Calendar, Rollups
from jingwei.sense.rollups.opening import FOLDER

NOON = 1_793_491_200_000_000
CELL = int(grid.encode(np.array([114.0]), np.array([22.5]), 32)[0])


def rolled_up(city, number):
    found = lineage.uses(city.lake, local_person(), DATASET, number)
    return [one.subject for one in found if one.kind == "rolled-up"]


def test_a_version_of_readings_leads_to_the_roll_ups_once_they_count_all_of_it(tmp_path):
    with open_city(tmp_path / "home", create=True) as city:
        readings = open_readings(city, StreamFacts)

        def publish(time):
            readings.append(Batch(np.array([1]), np.array([time]), np.array([5.0])))
            readings.flush()

        publish(NOON)
        assert rolled_up(city, 1) == []
        calendar = Calendar(ZoneInfo("Asia/Shanghai"))
        with Rollups(city.home / FOLDER, readings, calendar, lambda _: {1: Address(1, CELL)}) as rollups:
            rollups.keep_up()
            assert rolled_up(city, 1) == ["sense/rollups"]
            publish(NOON + 1_000_000)
            assert (rolled_up(city, 1), rolled_up(city, 2)) == (["sense/rollups"], [])
            rollups.keep_up()
        assert rolled_up(city, 2) == ["sense/rollups"]
