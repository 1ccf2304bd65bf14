"""The file of taxi trips of the last week, as the transport bureau's meters report them."""

from __future__ import annotations

import numpy as np

from jingwei.city.demo import clock
from jingwei.city.demo.arrays import Ints, Texts
from jingwei.city.demo.pack import ZONE, Pack, serial
from jingwei.city.demo.trips import Taxis, join
from jingwei.words import Text

DAYS = 7
TRIPS_PER_TAXI = 30  # a day: assumption


def write_trips(pack: Pack) -> None:
    """Write the taxi trips of the last week of the history."""
    taxis, world = Taxis(pack.town.layout), pack.town.world
    last = int(clock.local_day(world.last_step - 1))
    trips = join([taxis.on_day(day) for day in range(last - DAYS + 1, last + 1)])
    random = pack.town.settings.draws("taxi-file")
    fleet = max(3, round(len(trips) / DAYS / TRIPS_PER_TAXI))
    longitude, latitude = pack.degrees(trips.x, trips.y, "GCJ-02")
    to_longitude, to_latitude = pack.degrees(trips.to_x, trips.to_y, "GCJ-02")
    pack.csv(
        "taxi_trips",
        "出租车行程.csv",
        Text("出租车行程", "Taxi trips"),
        "transport",
        {
            "行程号": serial("CZ", len(trips)),
            "车辆编号": serial("C", fleet, 5)[random.integers(0, fleet, len(trips))],
            "上车时间": _texts(trips.start),
            "下车时间": _texts(trips.end),
            "上车经度": longitude,
            "上车纬度": latitude,
            "下车经度": to_longitude,
            "下车纬度": to_latitude,
            "里程": np.round(trips.driven / 1000.0, 2),
            "金额": np.round(8.0 + 2.0 * np.maximum(trips.driven / 1000.0 - 3.0, 0.0), 1),
        },
        encoding="GB18030",
        keys=["行程号"],
        places={
            "origin": {"lon": "上车经度", "lat": "上车纬度", "crs": "GCJ-02"},
            "destination": {"lon": "下车经度", "lat": "下车纬度", "crs": "GCJ-02"},
        },
        time={"column": "上车时间", "end": "下车时间", "zone": ZONE, "precision": "second"},
        update_cycle="daily",
        sharing="conditional",
    )


def _texts(seconds: Ints) -> Texts:
    local = (seconds + clock.ZONE_STEPS * clock.MINUTES * 60).astype("datetime64[s]")
    return np.char.replace(np.datetime_as_string(local, unit="s"), "T", " ").astype(object)
