"""The city in motion: latent events, weather and habit drive every series, each with its own lag.

One recurrence serves the history and the running clock: `advance` carries a state over any number of steps
and returns what the sensors would truly read. Noise belongs to a day and a series, not to a call, so the
result does not depend on how the steps are cut. Rain feeds the drains through two linear reservoirs (a Nash
cascade: Nash, 1957), what the drains cannot hold stands on the streets, what stands on the streets slows the
traffic, and people report it: each stage lags the one before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from jingwei.city.demo import clock
from jingwei.city.demo.arrays import Floats, Ints
from jingwei.city.demo.clock import MINUTES, STEPS_PER_DAY, WORKDAY, Span
from jingwei.city.demo.devices import Devices
from jingwei.city.demo.latent import Events, events_between
from jingwei.city.demo.layout import Layout

WARM_UP_DAYS = 12

# The three planted measures: what each claims to improve, when it began, and what it truly does.
WATER_SAVING_EFFECT = -0.12
CITY_WIDE_RELIEF = -0.22


@dataclass(frozen=True, slots=True)
class World:
    """What the process runs on."""

    layout: Layout
    devices: Devices
    planted: Callable[[int, int], Events] | None = None
    """Events that happen besides those of the list: under way between two steps."""

    def events(self, start: int, end: int) -> Events:
        """Return all events that are under way at some time in the steps from `start` to `end`."""
        found = events_between(self.layout, start, end)
        return found if self.planted is None else found.joined(self.planted(start, end))

    @property
    def first_step(self) -> int:
        """The step at which the history begins."""
        return clock.step_of(self.first_day)

    @property
    def last_step(self) -> int:
        """The step at which the history ends."""
        return clock.step_of(self.layout.settings.last_day + timedelta(days=1))

    @property
    def first_day(self) -> date:
        """The first day of the history."""
        return self.layout.settings.last_day - timedelta(days=self.layout.settings.scale.days - 1)

    def measure_step(self, part: float) -> int:
        """Return the start of the day at which a part (0 to 1) of the history has passed."""
        return clock.step_of(self.first_day + timedelta(days=round(part * self.layout.settings.scale.days)))


@dataclass(frozen=True, slots=True)
class State:
    """Where the process stands: the next step, and the memory of each recurrence."""

    step: int
    memory: dict[str, Floats]


@dataclass(frozen=True, slots=True)
class Readings:
    """What the sensors truly read, in rows of steps and columns of sensors.

    Attributes
    ----------
    steps
        The step of each row.
    rain
        mm in the step, at each gauge.
    river
        Stage, metres above the datum.
    drain
        Level above the pipe's bottom, metres.
    ponding
        Water on the street at each drain sensor, centimetres.
    speed
        Mean speed, km/h, on each section.
    temperature, humidity, wind, pressure
        Degrees, per cent, m/s, hPa, of the city (columns are air stations).
    air
        PM2.5, PM10, NO2, SO2, O3 (ug/m3) and CO (mg/m3), shape (steps, stations, 6).
    electricity, water
        kWh and m3 in the step, of each community.
    footfall
        Persons in the step, at each counter.
    flu
        Excess of illness, 0 in quiet times.

    """

    steps: Ints
    rain: Floats
    river: Floats
    drain: Floats
    ponding: Floats
    speed: Floats
    temperature: Floats
    humidity: Floats
    wind: Floats
    pressure: Floats
    air: Floats
    electricity: Floats
    water: Floats
    footfall: Floats
    flu: Floats


POLLUTANTS = ("PM2.5", "PM10", "NO2", "SO2", "O3", "CO")


def open_process(world: World) -> State:
    """Return the state at the beginning of the history, warmed up so that no reservoir starts empty."""
    state = State(world.first_step - WARM_UP_DAYS * STEPS_PER_DAY, {})
    state, _ = advance(world, state, WARM_UP_DAYS * STEPS_PER_DAY)
    return state


def step(world: World, state: State, minutes: int) -> tuple[State, Readings]:
    """Carry the process forward by some minutes (a multiple of 15).

    Raises
    ------
    ValueError
        When the minutes are no multiple of the process's step.

    """
    if minutes <= 0 or minutes % MINUTES:
        raise ValueError(f"the process moves in steps of {MINUTES} minutes, not of {minutes}")
    return advance(world, state, minutes // MINUTES)


def advance(world: World, state: State, count: int) -> tuple[State, Readings]:
    """Carry the process forward by `count` steps; return the new state and the true readings."""
    run = _Run(world, state, clock.span(state.step, count))
    weather = run.weather()
    rain = run.rain(world.devices.rain.x, world.devices.rain.y, "rain")
    drain_rain = run.rain(world.devices.drain.x, world.devices.drain.y, "drain-rain")
    drain, ponding = run.drains(drain_rain)
    wet = rain.mean(axis=1, keepdims=True)
    readings = Readings(
        steps=run.span.steps,
        rain=rain,
        river=run.river(wet),
        drain=drain,
        ponding=ponding,
        speed=run.traffic(ponding, wet),
        temperature=weather[0],
        humidity=weather[1],
        wind=weather[2],
        pressure=weather[3],
        air=run.air(weather, wet),
        electricity=run.electricity(weather[0]),
        water=run.water(weather[0]),
        footfall=run.footfall(weather[0], wet),
        flu=run.flu(),
    )
    return State(state.step + count, run.memory), readings


class _Run:
    """One call of `advance`: the span, the events under way, and the memory as it is carried on."""

    def __init__(self, world: World, state: State, span: Span) -> None:
        self.world, self.span = world, span
        self.devices = world.devices
        self.memory = dict(state.memory)
        self.events = world.events(span.start, span.start + span.count)

    def noise(self, name: str, columns: int) -> Floats:
        """Return standard normal noise, the same for a step however the run is cut."""
        first, last = int(self.span.day[0]), int(self.span.day[-1])
        settings = self.world.layout.settings
        days = [
            settings.on_day(f"noise:{name}", day).standard_normal((STEPS_PER_DAY, columns))
            for day in range(first, last + 1)
        ]
        skip = self.span.start + clock.ZONE_STEPS - first * STEPS_PER_DAY
        return np.concatenate(days)[skip : skip + self.span.count]

    def smooth(self, name: str, values: Floats, hours: float) -> Floats:
        """Pass values through a linear reservoir with a mean residence time in hours."""
        keep = float(np.exp(-MINUTES / 60.0 / hours))
        start = self.memory.get(name, np.zeros((1, values.shape[1])))
        out, self.memory[name] = _first_order(1.0 - keep, keep, values, start)
        return out

    def wander(self, name: str, columns: int, hours: float) -> Floats:
        """Return noise of unit variance that forgets itself over some hours."""
        keep = float(np.exp(-MINUTES / 60.0 / hours))
        start = self.memory.get(name, np.zeros((1, columns)))
        out, self.memory[name] = _first_order(
            float(np.sqrt(1.0 - keep**2)), keep, self.noise(name, columns), start
        )
        return out

    def within(self, events: Events, index: int) -> tuple[slice, Floats]:
        """Return the rows in which an event is under way, and the part of it that has passed in each."""
        low = max(int(events.start[index]) - self.span.start, 0)
        high = min(int(events.end[index]) - self.span.start, self.span.count)
        length = float(events.end[index] - events.start[index])
        passed = (self.span.start + np.arange(low, high) + 0.5 - float(events.start[index])) / length
        return slice(low, high), np.asarray(passed, dtype=np.float64)

    def rain(self, x: Floats, y: Floats, name: str) -> Floats:
        """Return rain (mm in the step) at places: each event's course in time times its footprint."""
        falls = np.zeros((self.span.count, len(x)))
        events = self.events.of("rain", "storm", "typhoon")
        for index in range(len(events)):
            rows, passed = self.within(events, index)
            course = (
                passed**1.4 * (1.0 - passed) ** 2.2 / 0.1345
                if events.kind[index] == "storm"
                else np.sin(np.pi * passed) ** 0.6
            )
            reach = events.radius[index]
            drift = 0.0 if np.isinf(reach) else 0.5 * reach
            away = np.hypot(
                x[None, :] - events.x[index] - drift * (passed[:, None] - 0.5), y[None, :] - events.y[index]
            )
            foot = np.exp(-0.5 * (away / reach) ** 2) if np.isfinite(reach) else np.ones_like(away)
            falls[rows] += events.strength[index] * course[:, None] * foot / clock.STEPS_PER_HOUR
        gusts = np.exp(0.35 * self.wander(name, len(x), 1.0) - 0.06)
        return np.where(falls > 0.012, falls * gusts, 0.0)

    def drains(self, rain: Floats) -> tuple[Floats, Floats]:
        """Return levels in the drains (m) and water standing on the streets (cm)."""
        low = self.devices.low[None, :]
        flow = self.smooth("drain-1", self.smooth("drain-0", rain, 0.45), 0.45)
        dry = 0.10 + 0.05 * np.sin(2.0 * np.pi * (self.span.hour[:, None] - 8.0) / 12.0) ** 2
        level = dry + 0.30 * low * flow**0.8 + 0.012 * self.wander("drain-noise", rain.shape[1], 3.0)
        depth = 2.1
        excess = np.maximum(flow * low - 2.6, 0.0)
        ponding = 9.0 * self.smooth("pond", excess, 1.1)
        return np.clip(level, 0.02, depth), np.where(ponding > 0.3, ponding, 0.0)

    def river(self, wet: Floats) -> Floats:
        """Return the river's stage, which follows the rain of the whole basin by hours."""
        upstream = self.smooth("river-1", self.smooth("river-0", wet, 4.0), 14.0)
        season = 0.5 * np.sin(2.0 * np.pi * (self.span.season[:, None] - 0.25))
        count = len(self.devices.river)
        fall = np.linspace(0.35, -0.35, count)[None, :]
        base = 21.5 + season + fall + 0.03 * self.wander("river-noise", count, 10.0)
        return base + 3.2 * upstream**0.75

    def weather(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Return temperature, humidity, wind and pressure at the air stations."""
        count = len(self.devices.air)
        season = -np.cos(2.0 * np.pi * (self.span.season - 0.055))[:, None]
        day = np.cos(2.0 * np.pi * (self.span.hour - 14.8) / 24.0)[:, None]
        synoptic = self.wander("synoptic", 1, 60.0)
        spell = np.zeros((self.span.count, 1))
        cloud = np.zeros((self.span.count, 1))
        events = self.events.of("cold-wave", "heat-wave", "rain", "typhoon")
        for index in range(len(events)):
            rows, passed = self.within(events, index)
            shape = np.minimum(1.0, 6.0 * passed) * np.minimum(1.0, 2.5 * (1.0 - passed))
            kind = events.kind[index]
            if kind == "cold-wave":
                spell[rows, 0] -= events.strength[index] * shape
            elif kind == "heat-wave":
                spell[rows, 0] += events.strength[index] * shape
            else:
                cloud[rows, 0] = np.maximum(cloud[rows, 0], shape)
        local = 0.3 * self.wander("local-heat", count, 12.0)
        temperature = (
            17.4 + 11.4 * season + (4.2 - 2.6 * cloud) * day + 2.3 * synoptic + spell - 2.0 * cloud + local
        )
        humidity = np.clip(
            70.0 - 11.0 * day + 17.0 * cloud + 7.0 * self.wander("humidity", count, 20.0), 18.0, 100.0
        )
        wind = np.abs(1.9 + 0.7 * day + 0.9 * self.wander("wind", count, 5.0) - 0.15 * spell)
        pressure = (
            1013.0 - 8.5 * season - 2.4 * synoptic - 0.5 * spell + 0.4 * self.wander("pressure", count, 30.0)
        )
        return temperature, humidity, wind, pressure

    def working(self) -> Floats:
        """Return how much the city works in each step: 1 in a busy hour, less at night and on free days."""
        hour = self.span.hour
        shift = 1.0 / (1.0 + np.exp(-(hour - 8.2) * 2.2)) / (1.0 + np.exp((hour - 18.2) * 1.8))
        rate = np.choose(self.span.kind, [1.0, 0.42, 0.30])
        return np.asarray(shift * rate)

    def travel(self) -> Floats:
        """Return the demand for travel in each step, about 1 in the worst peak of a workday."""
        hour = self.span.hour
        morning = np.exp(-(((hour - 7.9) / 0.95) ** 2))
        evening = np.exp(-(((hour - 17.9) / 1.25) ** 2))
        daytime = 0.50 / (1.0 + np.exp(-(hour - 6.6) * 2.0)) / (1.0 + np.exp((hour - 21.4) * 1.2))
        afternoon = 0.62 * np.exp(-(((hour - 15.8) / 3.4) ** 2))
        friday = 1.0 + 0.06 * (self.span.weekday == 4)
        work = (0.78 * morning + 0.72 * evening * friday + 0.62 * daytime) * (self.span.kind == WORKDAY)
        free = (0.72 * daytime + 0.42 * afternoon) * np.choose(self.span.kind, [0.0, 1.0, 0.82])
        return np.asarray(work + free + 0.02)

    def traffic(self, ponding: Floats, wet: Floats) -> Floats:
        """Return the mean speed on each road section."""
        devices, x, y = self.devices, self.devices.traffic.x, self.devices.traffic.y
        count = len(x)
        demand = self.travel()[:, None] * (0.82 + 0.30 * _spread(count))[None, :]
        slow = 0.50 * np.clip(demand, 0.0, 1.4) ** 1.7
        standing = np.zeros((self.span.count, count))
        for column in np.flatnonzero(ponding.max(axis=0) > 0.0):  # what stands on streets near by
            near = np.exp(-np.hypot(x - devices.drain.x[column], y - devices.drain.y[column]) / 380.0)
            standing += ponding[:, column][:, None] * near[None, :]
        flooded = self.smooth("flooded", np.clip(standing / 16.0, 0.0, 1.0), 0.7)
        trouble = self.smooth("trouble", self._trouble(x, y), 0.4)
        relief = np.where(
            self.span.steps[:, None] >= self.world.measure_step(0.62), 1.0 + CITY_WIDE_RELIEF, 1.0
        )
        delay = (slow + 0.05 * np.clip(wet * 4.0, 0.0, 1.0)) * relief + 0.95 * flooded + trouble
        pace = devices.free_speed[None, :] / (1.0 + delay * 1.15)
        return np.clip(pace * np.exp(0.055 * self.wander("speed", count, 0.8)), 3.0, 110.0)

    def _trouble(self, x: Floats, y: Floats) -> Floats:
        """Return the delay that collisions, concerts, works and fires bring to places."""
        total = np.zeros((self.span.count, len(x)))
        weight = {"collision": 1.7, "concert": 0.55, "construction": 0.16, "fire": 0.9, "burst-main": 0.7}
        events = self.events.of(*weight)
        for index in range(len(events)):
            rows, _ = self.within(events, index)
            near = np.exp(-np.hypot(x - events.x[index], y - events.y[index]) / events.radius[index])
            busy = (
                self.travel()[rows]
                if events.kind[index] == "construction"
                else np.ones(rows.stop - rows.start)
            )
            total[rows] += (
                weight[events.kind[index]]
                * events.strength[index]
                * busy[:, None]
                * (near * (near > 0.08))[None, :]
            )
        return total

    def air(self, weather: tuple[Floats, Floats, Floats, Floats], wet: Floats) -> Floats:
        """Return six pollutants at each station."""
        temperature, _, wind, _ = weather
        count = len(self.devices.air)
        hour, season = self.span.hour[:, None], self.span.season[:, None]
        winter = 0.5 + 0.5 * np.cos(2.0 * np.pi * (season - 0.02))
        haze = np.zeros((self.span.count, 1))
        events = self.events.of("haze")
        for index in range(len(events)):
            rows, passed = self.within(events, index)
            haze[rows, 0] += (
                events.strength[index] * np.minimum(1.0, 3.0 * passed) * np.minimum(1.0, 6.0 * (1.0 - passed))
            )
        traffic = self.smooth("exhaust", self.travel()[:, None], 1.2)
        washed = self.smooth("washed", np.clip(wet * 2.5, 0.0, 1.0), 3.0)
        still = np.clip(1.6 - 0.28 * wind, 0.5, 1.6)
        drift = self.wander("dust", 1, 26.0) + 0.35 * self.wander("dust-local", count, 6.0)
        night = 0.10 * np.cos(2.0 * np.pi * (hour - 22.5) / 24.0)
        night = night + 0.025 * np.cos(4.0 * np.pi * (hour - 9.5) / 24.0)
        fine = (
            23.0
            * (0.72 + 0.75 * winter + 0.9 * haze)
            * still**0.6
            * np.exp(0.36 * drift + night)
            * (1.0 - 0.62 * washed)
        )
        coarse = fine * 1.38 + 9.0 + 6.0 * np.maximum(self.wander("coarse", count, 8.0), -1.0)
        sun = np.clip(np.cos(2.0 * np.pi * (hour - 14.6) / 24.0) + 0.35, 0.0, None)
        mixed = 1.0 - 0.30 * sun  # the layer that exhaust mixes into is deep in the afternoon
        nitrogen = (19.0 + 9.0 * traffic) * mixed * (0.8 + 0.5 * winter) * still * np.exp(0.2 * drift)
        light = np.clip((temperature - 4.0) / 22.0, 0.1, 1.5)
        ozone = (18.0 + 76.0 * sun * light) * (1.0 - 0.5 * washed) - 0.35 * nitrogen
        sulphur = 4.2 + 3.6 * winter + 1.2 * self.wander("sulphur", count, 10.0)
        carbon = 0.42 + 0.006 * fine + 0.22 * traffic
        ozone = np.maximum(ozone + 17.0 + 5.0 * self.wander("ozone", count, 5.0), 4.0)
        stack = [fine, coarse, nitrogen, sulphur, ozone, carbon]
        return np.stack(
            [np.maximum(np.broadcast_to(item, (self.span.count, count)), 0.1) for item in stack], axis=-1
        )

    def electricity(self, temperature: Floats) -> Floats:
        """Return kWh in the step in each community; the second planted measure does nothing to it."""
        devices, hour = self.devices, self.span.hour[:, None]
        heat = temperature.mean(axis=1, keepdims=True)
        climate = 0.055 * np.maximum(heat - 25.0, 0.0) ** 1.25 + 0.040 * np.maximum(9.0 - heat, 0.0)
        evening = (
            0.55 + 0.85 * np.exp(-(((hour - 20.3) / 2.4) ** 2)) + 0.25 * np.exp(-(((hour - 12.2) / 1.6) ** 2))
        )
        home = devices.households[None, :] * (0.22 * evening + 0.34 * climate * (0.45 + 0.55 * evening))
        work = devices.jobs[None, :] * (0.12 + 0.62 * self.working()[:, None] * (1.0 + 0.8 * climate))
        drift = np.exp(0.05 * self.wander("power", len(devices.meter), 9.0))
        return np.asarray((home + work + 4.0) * drift / clock.STEPS_PER_HOUR)

    def water(self, temperature: Floats) -> Floats:
        """Return m3 in the step in each community: habit, heat, bursts, and the first planted measure."""
        devices, hour = self.devices, self.span.hour[:, None]
        habit = (
            0.35 + 1.3 * np.exp(-(((hour - 7.4) / 1.2) ** 2)) + 1.25 * np.exp(-(((hour - 20.4) / 2.1) ** 2))
        )
        habit = habit + 0.55 * np.exp(-(((hour - 12.3) / 1.5) ** 2))
        free = 1.0 + 0.06 * (self.span.kind[:, None] != WORKDAY)
        warm = 1.0 + 0.012 * (temperature.mean(axis=1, keepdims=True) - 17.0)
        people = devices.residents[None, :] * 0.0058 * habit * free * warm
        work = devices.jobs[None, :] * 0.0042 * self.working()[:, None]
        saved = np.where(self.span.steps[:, None] >= self.world.measure_step(0.5), WATER_SAVING_EFFECT, 0.0)
        use = (people + work + 0.05) * (1.0 + saved * devices.treated_water[None, :])
        loss = np.zeros((self.span.count, len(devices.meter)))
        bursts = self.events.of("burst-main")
        for index in range(len(bursts)):
            rows, passed = self.within(bursts, index)
            nearest = np.hypot(devices.meter.x - bursts.x[index], devices.meter.y - bursts.y[index]).argmin()
            loss[rows, nearest] += 38.0 * bursts.strength[index] * np.minimum(1.0, 8.0 * (1.0 - passed))
        drift = np.exp(0.045 * self.wander("water", len(devices.meter), 7.0))
        return np.asarray((use * drift) + loss / clock.STEPS_PER_HOUR)

    def footfall(self, temperature: Floats, wet: Floats) -> Floats:
        """Return persons in the step at each counter."""
        devices, hour = self.devices, self.span.hour[:, None]
        transit = devices.footfall.bearer[None, :] < 0
        leisure = np.exp(-(((hour - 15.5) / 3.2) ** 2)) + 0.85 * np.exp(-(((hour - 19.6) / 1.8) ** 2))
        rate = np.choose(self.span.kind, [0.62, 1.25, 1.7])[:, None]
        mild = np.exp(-(((temperature.mean(axis=1, keepdims=True) - 21.0) / 15.0) ** 2))
        dry = 1.0 - 0.6 * np.clip(wet * 4.0, 0.0, 1.0)
        mean = devices.busy[None, :] * np.where(
            transit, 1.15 * self.travel()[:, None], leisure * rate * mild * dry
        )
        crowds = np.zeros_like(mean)
        concerts = self.events.of("concert")
        for index in range(len(concerts)):
            rows, _ = self.within(concerts, index)
            near = np.exp(
                -np.hypot(devices.footfall.x - concerts.x[index], devices.footfall.y - concerts.y[index])
                / 500.0
            )
            crowds[rows] += 900.0 * concerts.strength[index] * (near * (near > 0.1))[None, :]
        drift = np.exp(0.16 * self.wander("footfall", len(devices.footfall), 2.0))
        return np.rint((mean * drift + crowds) / clock.STEPS_PER_HOUR)

    def flu(self) -> Floats:
        """Return the excess of illness: waves that rise and fall over two months."""
        total = np.zeros(self.span.count)
        events = self.events.of("flu")
        for index in range(len(events)):
            rows, passed = self.within(events, index)
            total[rows] += events.strength[index] * np.sin(np.pi * passed) ** 2
        return total


def _spread(count: int) -> Floats:
    """Return numbers from 0 to 1 that differ from column to column and never change."""
    return np.asarray((np.arange(count) * 0.6180339887498949) % 1.0, dtype=np.float64)


def _first_order(gain: float, keep: float, values: Floats, start: Floats) -> tuple[Floats, Floats]:
    """Return y[t] = keep y[t-1] + gain x[t] down the rows, and the memory at the end."""
    from scipy.signal import lfilter  # takes most of a second to import

    out, memory = lfilter([gain], [1.0, -keep], values, axis=0, zi=start)
    return np.asarray(out), np.asarray(memory)
