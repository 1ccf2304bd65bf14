"""What measures in the running city: its stations and their streams, as SensorThings knows them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jingwei.city.demo.arrays import Ints
    from jingwei.city.demo.devices import Group
    from jingwei.city.demo.town import Town

PERIOD = 60
"""Seconds between two readings of a stream."""
Door = Literal["http", "mqtt"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a stream tells.

    Attributes
    ----------
    key
        Its name in `Story`.
    observes
        Name of the observed property.
    unit, ucum
        Symbol of the unit as it is shown, and its code in UCUM.
    decimals
        To how many it is told.

    """

    key: str
    observes: Text
    unit: str
    ucum: str
    decimals: int


QUANTITIES = {
    one.key: one
    for one in (
        Quantity("rain", Text("降雨强度", "Rainfall intensity"), "mm/h", "mm/h", 1),
        Quantity("river", Text("河道水位", "River stage"), "m", "m", 3),
        Quantity("drain", Text("管网液位", "Water level in the drain"), "m", "m", 3),
        Quantity("ponding", Text("积水深度", "Water depth on the road"), "m", "m", 3),
        Quantity("speed", Text("车速", "Vehicle speed"), "km/h", "km/h", 1),
        Quantity("PM2.5", Text("PM2.5", "PM2.5"), "ug/m3", "ug/m3", 1),
        Quantity("PM10", Text("PM10", "PM10"), "ug/m3", "ug/m3", 1),
        Quantity("NO2", Text("NO2", "NO2"), "ug/m3", "ug/m3", 1),
        Quantity("O3", Text("O3", "O3"), "ug/m3", "ug/m3", 1),
        Quantity("temperature", Text("气温", "Air temperature"), "°C", "Cel", 2),
        Quantity("power", Text("用电功率", "Electric power"), "kW", "kW", 1),
        Quantity("water", Text("用水流量", "Water flow"), "m3/h", "m3/h", 2),
        Quantity("footfall", Text("客流", "Footfall"), "1/h", "/h", 0),
    )
}
UNDERPASS = "underpass_gauge"
_DOORS: dict[str, Door] = {
    UNDERPASS: "mqtt",
    "rain_gauge": "mqtt",
    "river_gauge": "mqtt",
    "drain_gauge": "mqtt",
}
"""By which door the readings of a kind come; the others by HTTP."""


@dataclass(frozen=True, slots=True)
class Station:
    """A device of the running city, with its place in degrees (WGS84) and what it tells."""

    key: str
    name: str
    kind: str
    lon: float
    lat: float
    quantities: tuple[str, ...]

    @property
    def door(self) -> Door:
        """By which door its readings come."""
        return _DOORS.get(self.kind, "http")


@dataclass(frozen=True, slots=True)
class Streams:
    """All streams of the stations, in one order.

    Attributes
    ----------
    station, quantity
        Of each stream: the number of its station, and its key of `QUANTITIES`.
    column
        Which of the sensors of the process it is.
    phase
        At which second of a period it is read.

    """

    stations: tuple[Station, ...]
    station: Ints
    quantity: tuple[str, ...]
    column: Ints
    phase: Ints

    def __len__(self) -> int:
        return len(self.station)

    def key(self, number: int) -> str:
        """Return the name of a stream: its station's key and its quantity."""
        return f"{self.stations[self.station[number]].key}/{self.quantity[number]}"


class Network:
    """The stations of a town, and their streams."""

    def __init__(self, town: Town) -> None:
        self._town = town
        devices = town.devices
        lowest = np.argsort(-devices.low, kind="stable")
        self.underpasses = np.sort(lowest[: max(3, len(lowest) // 3)])
        """Which drain sensors lie where a road dips: those where the ground floods most readily."""

    @cached_property
    def streams(self) -> Streams:
        """The streams of all stations."""
        devices = self._town.devices
        made: list[tuple[Station, int]] = [
            *self._of(devices.rain, "rain_gauge", ("rain",)),
            *self._of(devices.river, "river_gauge", ("river",)),
            *self._of(devices.drain, "drain_gauge", ("drain",)),
            *self._underpasses(),
            *self._of(devices.traffic, "traffic_counter", ("speed",)),
            *self._of(devices.air, "air_station", ("PM2.5", "PM10", "NO2", "O3", "temperature")),
            *self._of(devices.meter, "community_meter", ("power", "water")),
            *self._of(devices.footfall, "footfall_counter", ("footfall",)),
        ]
        rows = [
            (number, quantity, column)
            for number, (station, column) in enumerate(made)
            for quantity in station.quantities
        ]
        stations = tuple(station for station, _ in made)
        names = [f"{stations[number].key}/{quantity}" for number, quantity, _ in rows]
        return Streams(
            stations,
            np.array([number for number, _, _ in rows], dtype=np.int64),
            tuple(quantity for _, quantity, _ in rows),
            np.array([column for _, _, column in rows], dtype=np.int64),
            np.array([zlib.crc32(name.encode()) % PERIOD for name in names], dtype=np.int64),
        )

    def _of(
        self, group: Group, kind: str, quantities: tuple[str, ...], columns: Iterable[int] | None = None
    ) -> list[tuple[Station, int]]:
        longitude, latitude = self._town.layout.frame.to_degrees(group.x, group.y)
        return [
            (
                Station(
                    str(group.code[column]), str(group.name[column]), kind,
                    round(float(longitude[column]), 6), round(float(latitude[column]), 6), quantities,
                ),
                int(column),
            )
            for column in (range(len(group)) if columns is None else columns)
        ]  # fmt: skip

    def _underpasses(self) -> list[tuple[Station, int]]:
        found = self._of(self._town.devices.drain, UNDERPASS, ("ponding",), self.underpasses)
        return [
            (
                Station(
                    one.key.replace("PS", "XC"), one.name.removesuffix("管网液位计") + "下穿通道水尺",
                    one.kind, one.lon, one.lat, one.quantities,
                ),
                column,
            )
            for one, column in found
        ]  # fmt: skip
