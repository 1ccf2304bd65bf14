"""SensorThings over a record store of either kind, asked without HTTP."""

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from jingwei.access import Asker, local_person
from jingwei.access.policy import Policies
from jingwei.access.policy.store import default_policies
from jingwei.sense.intake import facts_of
from jingwei.sense.readings import Readings
from jingwei.sense.service import Asked, Sensing

WATER, PARKS = "11990000MB0000002B", "11990000MB0000001A"
ROOT = "http://city/sta/v1.1"


def somebody(*roles, department="", only=None):
    departments = frozenset({department} if department else ())
    return Asker("person/1", "某人", frozenset(roles), departments, only=only)


@dataclass
class Station:
    """A service, and who asks it."""

    sensing: Sensing
    asker: Asker

    def get(self, path, options="", asker=None) -> Any:
        return self.sensing.ask(asker or self.asker, Asked("GET", path, options), ROOT).body

    def send(self, method, path, body=None, asker=None, media_type="application/json"):
        return self.sensing.change(asker or self.asker, Asked(method, path, "", body, media_type), ROOT)

    def post(self, path, body, asker=None) -> int:
        answered = self.send("POST", path, body, asker)
        assert answered.status == 201
        return answered.body["@iot.id"]

    def values(self, path, options="", asker=None):
        return self.get(path, options, asker)["value"]

    def names(self, path, options="", asker=None):
        return [one["name"] for one in self.values(path, options, asker)]


@cache
def _policies():
    return Policies(default_policies().text, 0, [(WATER, None), (PARKS, None)])


@contextmanager
def _open_station(records, folder):
    with Readings(folder / "readings", facts_of(records)) as readings:
        yield Station(Sensing(records, _policies, readings), local_person())


@pytest.fixture
def station(records, tmp_path):
    """An empty service, asked by the one person at this machine."""
    with _open_station(records, tmp_path) as station:
        yield station


@pytest.fixture(scope="module")
def shared_station(shared_records, tmp_path_factory):
    """A service for tests of one module that only ask, filled by a fixture of theirs."""
    with _open_station(shared_records, tmp_path_factory.mktemp("shared")) as station:
        yield station


def point(lon, lat):
    return {"type": "Point", "coordinates": [lon, lat]}


def location(name="杆", lon=116.4, lat=39.9):
    return {
        "name": name,
        "description": "路边",
        "encodingType": "application/geo+json",
        "location": point(lon, lat),
    }


def sensor(name="探头"):
    return {"name": name, "description": "", "encodingType": "text/html", "metadata": "https://maker.example"}


def observed(name="PM2.5"):
    return {"name": name, "definition": f"https://terms.example/{name}", "description": ""}


UNIT = {"name": "microgram per cubic metre", "symbol": "ug/m3", "definition": "ucum:ug/m3"}


def datastream(name="颗粒物", **more):
    return {
        "name": name,
        "description": "",
        "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
        "unitOfMeasurement": UNIT,
        "Sensor": sensor(),
        "ObservedProperty": observed(),
        **more,
    }


def thing(name="空气站", **more):
    return {"name": name, "description": "小型站", **more}


def reading(hour, result, **more):
    return {"phenomenonTime": f"2026-11-01T{hour:02d}:00:00Z", "result": result, **more}


def _add_air(station):
    return station.post(
        "Things",
        thing(
            Locations=[location()],
            Datastreams=[datastream(Observations=[reading(h, h * 10) for h in range(3)])],
        ),
    )


@pytest.fixture
def air(station):
    """A thing with a place and one stream of three readings; returns its id."""
    return _add_air(station)


@pytest.fixture(scope="module")
def shared_air(shared_station):
    """What `air` makes, for tests of one module that only ask."""
    _add_air(shared_station)
    return shared_station
