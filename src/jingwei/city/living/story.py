"""What happens in the running city between two instants: readings of its sensors, and what people report.

All of it follows from the seed: however the time is cut, and whenever it is asked for, the same happens.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from jingwei.city.demo import clock
from jingwei.city.demo.cases import COLLECTOR
from jingwei.city.demo.matters import MATTERS
from jingwei.city.demo.process import POLLUTANTS, WARM_UP_DAYS, State, World, advance
from jingwei.city.living.faults import PlantedFault, faults_of
from jingwei.city.living.stations import PERIOD, QUANTITIES, Network, Streams
from jingwei.city.living.storms import planted_events, storms_between

if TYPE_CHECKING:
    from jingwei.city.demo.arrays import Bools, Floats, Ints
    from jingwei.city.demo.process import Readings
    from jingwei.city.demo.town import Town

STEP = 60 * clock.MINUTES
"""Seconds of a step of the process."""
DAY = clock.STEPS_PER_DAY * STEP
DEEP = 0.27
"""Metres of water in an underpass from which on it is closed."""
AFTER = timedelta(hours=6)
"""How long after a storm water may still stand."""
Way = Literal["public", "hotline", "patrol"]
_WAYS: dict[str, Way] = {
    "随手拍": "public", "政府信箱": "public", "12345热线": "hotline", "12319热线": "hotline",
    "电话": "hotline", COLLECTOR: "patrol",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """Readings by time: numbers of streams, seconds since 1970 (UTC), and results."""

    stream: Ints
    time: Ints
    result: Floats

    def __len__(self) -> int:
        return len(self.stream)

    def take(self, which: Ints | Bools) -> Sent:
        """Return some of them."""
        return Sent(self.stream[which], self.time[which], self.result[which])


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody reports.

    Attributes
    ----------
    key
        32 hexadecimal digits that only this report has, however often it is asked for.
    at
        When, by the city's clock.
    way
        By which door it comes: the public's, the hotline, or the patrol of grid staff.
    nature
        What is wanted, as 投诉.
    type
        Code of the matter.
    lon, lat
        Degrees, WGS84.

    """

    key: str
    at: datetime
    way: Way
    nature: str
    type: str
    lon: float
    lat: float
    words: str


def second_of(instant: datetime) -> int:
    """Return the whole seconds since 1970 (UTC) that have passed at an instant."""
    return int(instant.timestamp() // 1)


class Story:
    """What happens in a town."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.network = Network(town)
        low, drains = self.network.underpasses, town.devices.drain
        lowest = np.column_stack([drains.x[low], drains.y[low]])
        self._planted = partial(planted_events, town.settings, town.layout.plan.extent, lowest)
        self._world = World(town.layout, town.devices, self._planted)
        self._values = lru_cache(maxsize=4)(self._values_of)
        self._faults = lru_cache(maxsize=8)(self._faults_of)
        self._told = lru_cache(maxsize=4)(self._told_of)

    @cached_property
    def streams(self) -> Streams:
        """The streams that tell of it."""
        return self.network.streams

    # readings

    def readings(self, since: datetime, until: datetime, *, sound: bool = False) -> Sent:
        """Return what is sent from one instant, that included, to another, that not included, by time.

        With `sound`, what would be sent if no sensor failed.
        """
        stream, time = self._times(second_of(since), second_of(until))
        result = self._true(stream, time)
        sent = np.ones(len(stream), dtype=bool)
        if not sound:
            for day in np.unique(_day(time)).tolist():
                for fault in self._faults(day):
                    self._spoil(fault, stream, time, result, sent)
        decimals = np.array([QUANTITIES[name].decimals for name in self.streams.quantity])[stream]
        scale = 10.0**decimals
        return Sent(stream, time, np.round(result * scale) / scale).take(sent)

    def faults(self, since: datetime, until: datetime) -> list[PlantedFault]:
        """Return the planted faults that last at some time between two instants, by their beginning."""
        start, end = second_of(since), second_of(until)
        days = range(_day_of(start), _day_of(end) + 1)
        found = [one for day in days for one in self._faults(day) if one.end > start and one.start < end]
        return sorted(found, key=lambda one: (one.start, one.stream))

    def flooded(self, since: datetime, until: datetime, deeper: float = DEEP) -> list[str]:
        """Return the keys of the underpasses in which water truly stood as deep between two instants."""
        numbers = [n for n, quantity in enumerate(self.streams.quantity) if quantity == "ponding"]
        time = np.arange(second_of(since), second_of(until), PERIOD)
        return [
            self.streams.stations[self.streams.station[number]].key
            for number in numbers
            if (self._true(np.full(len(time), number), time) >= deeper).any()
        ]

    def _times(self, start: int, end: int) -> tuple[Ints, Ints]:
        """Return which stream is read when, by time."""
        phase = self.streams.phase
        first = -((phase - start) // PERIOD)  # periods before the first reading at or after the start
        count = np.maximum(-((phase + first * PERIOD - end) // PERIOD), 0)
        stream = np.repeat(np.arange(len(phase)), count)
        turn = np.arange(len(stream)) - np.repeat(np.cumsum(count) - count, count)
        time = phase[stream] + (first[stream] + turn) * PERIOD
        order = np.lexsort((stream, time))
        return stream[order], time[order]

    def _true(self, stream: Ints, time: Ints) -> Floats:
        """Return what is true at the streams' places at some times: between two steps, on the line."""
        result = np.zeros(len(stream))
        days = _day(time)
        for day in np.unique(days).tolist():
            values, mine = self._values(day), np.flatnonzero(days == day)
            passed = (time[mine] - _midnight(day)) / STEP
            row = passed.astype(np.int64)
            part = passed - row
            low, high = values[row, stream[mine]], values[row + 1, stream[mine]]
            result[mine] = low * (1.0 - part) + high * part
        return result

    def _values_of(self, day: int) -> Floats:
        """Return what is true at each step of a local day and at the first of the next, by stream."""
        start = day * clock.STEPS_PER_DAY - clock.ZONE_STEPS
        warm = WARM_UP_DAYS * clock.STEPS_PER_DAY
        state, _ = advance(self._world, State(start - warm, {}), warm)
        _, readings = advance(self._world, state, clock.STEPS_PER_DAY + 1)
        tables = _tables(readings)
        columns = [
            tables[name][:, column]
            for name, column in zip(self.streams.quantity, self.streams.column.tolist(), strict=True)
        ]
        return np.stack(columns, axis=1)

    def _faults_of(self, day: int) -> list[PlantedFault]:
        return faults_of(self.town.settings, self.streams, day)

    def _spoil(self, fault: PlantedFault, stream: Ints, time: Ints, result: Floats, sent: Bools) -> None:
        during = (stream == fault.stream) & (time >= fault.start) & (time < fault.end)
        if fault.kind == "silent":
            sent[during] = False
        elif fault.kind == "stuck":
            result[during] = self._true(np.array([fault.stream]), np.array([fault.start]))[0]
        else:
            result[during] += fault.size * (time[during] - fault.start) / (fault.end - fault.start)

    # what people tell

    def told(self, since: datetime, until: datetime) -> list[Told]:
        """Return what people report from one instant, that included, to another, that not included."""
        days = range(_day_of(second_of(since)), _day_of(second_of(until)) + 1)
        return [one for day in days for one in self._told(day) if since <= one.at < until]

    def _told_of(self, day: int) -> list[Told]:
        """Return what people report on a local day."""
        start = day * clock.STEPS_PER_DAY - clock.ZONE_STEPS
        cases = self.town.desk.between(start, start + clock.STEPS_PER_DAY, self._planted)
        longitude, latitude = self.town.layout.frame.to_degrees(cases.x, cases.y)
        rows = zip(
            cases.second.tolist(), cases.matter.tolist(), cases.channel.tolist(), cases.nature.tolist(),
            longitude.tolist(), latitude.tolist(), cases.text.tolist(), strict=True,
        )  # fmt: skip
        return [
            Told(
                key=_key(self.town.settings.seed, second, matter, lon, lat, words),
                at=datetime.fromtimestamp(second, UTC), way=_WAYS[channel], nature=nature,
                type=MATTERS[matter].code, lon=round(lon, 6), lat=round(lat, 6), words=words,
            )
            for second, matter, channel, nature, lon, lat, words in rows
        ]  # fmt: skip


def truth_of(story: Story, since: datetime, until: datetime) -> dict[str, list[dict[str, object]]]:
    """Return what is true between two instants: planted storms, what they flood, and planted faults."""
    start, end = second_of(since) // STEP, -(-second_of(until) // STEP)
    storms = storms_between(story.town.settings, start, end)
    return {
        "storms": [
            {
                "from": one.begins.isoformat(),
                "to": one.over.isoformat(),
                "flooded": story.flooded(one.begins, one.over + AFTER),
            }
            for one in storms
        ],
        "faults": [one.told(story.streams) for one in story.faults(since, until)],
    }


def _key(*parts: object) -> str:
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:32]


def _tables(readings: Readings) -> dict[str, Floats]:
    """Return what each quantity is at each step and sensor, as rates and levels."""
    hourly = float(clock.STEPS_PER_HOUR)
    return {
        "rain": readings.rain * hourly,
        "river": readings.river,
        "drain": readings.drain,
        "ponding": readings.ponding / 100.0,
        "speed": readings.speed,
        "temperature": readings.temperature,
        "power": readings.electricity * hourly,
        "water": readings.water * hourly,
        "footfall": readings.footfall * hourly,
        **{name: readings.air[:, :, number] for number, name in enumerate(POLLUTANTS)},
    }


def _day(seconds: Ints) -> Ints:
    return np.asarray((seconds + clock.ZONE_STEPS * STEP) // DAY)


def _day_of(second: int) -> int:
    return (second + clock.ZONE_STEPS * STEP) // DAY


def _midnight(day: int) -> int:
    return day * DAY - clock.ZONE_STEPS * STEP
