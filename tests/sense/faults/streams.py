"""Healthy streams of a city: air, dust, water levels, sound, power."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sense.faults.weather import (
    COUNT,
    EAST,
    NORTH,
    SOUTH,
    STEP,
    WEST,
    Weather,
    dusty,
    fall,
    hours,
    moment,
    rain,
    wander,
    weekend,
)


@dataclass(frozen=True)
class Stream:
    """One sensor's readings of one property.

    ``times`` in UTC (datetime64[s], rising), ``values`` in ``unit``; ``least`` and ``most`` bound what the
    instrument can tell; ``network`` names the river that it shares with others; ``maintenance`` lists
    declared windows (UTC); ``odd`` says what looks wrong here and is right.
    """

    id: str
    property: str
    unit: str
    lon: float
    lat: float
    interval: int
    resolution: float
    least: float
    most: float
    times: np.ndarray
    values: np.ndarray
    network: str = ""
    maintenance: tuple[tuple[np.datetime64, np.datetime64], ...] = ()
    odd: str = ""

    def told(self, values: np.ndarray) -> Stream:
        """Give the stream with other values, in steps of its resolution."""
        figures = max(0, -int(np.floor(np.log10(self.resolution))))
        return replace(self, values=np.round(np.round(values / self.resolution) * self.resolution, figures))


def healthy(rng: np.random.Generator, sky: Weather) -> list[Stream]:
    """Draw all streams without gaps."""
    made = [_thermometer(rng, sky, i) for i in range(1, 17)]
    made += [_dust_meter(rng, sky, i) for i in range(1, 13)]
    made += [_gauge(rng, sky, i) for i in range(1, 17)]
    made += [_sound(rng, sky, i) for i in range(1, 13)]
    made += [_power(rng, sky, i) for i in range(1, 13)]
    return made


def _stream(
    rng: np.random.Generator,
    kind: tuple[str, str, str, float, float, float],
    i: int,
    lon: float,
    series: np.ndarray,
    odd: str = "",
) -> Stream:
    letter, name, unit, resolution, least, most = kind
    interval = 3600 if letter in "pv" else STEP
    stride = interval // STEP
    steps = np.arange(0, COUNT, stride)
    times = moment(0) + (steps * STEP).astype("timedelta64[s]")
    if stride > 1:
        series = series.reshape(-1, stride).mean(axis=1)
    lat = round(float(rng.uniform(SOUTH, NORTH)), 6)
    blank = Stream(
        f"{letter}{i:02d}",
        name,
        unit,
        round(lon, 6),
        lat,
        interval,
        resolution,
        least,
        most,
        times,
        series,
        odd=odd,
    )
    return blank.told(series)


def _lon(rng: np.random.Generator) -> float:
    return float(rng.uniform(WEST, EAST))


def _thermometer(rng: np.random.Generator, sky: Weather, i: int) -> Stream:
    lon = _lon(rng)
    own = (
        rng.normal(0, 0.4) + rng.normal(0, 0.4) * sky.sun + wander(rng, 9, 0.25) + rng.normal(0, 0.07, COUNT)
    )
    odd = ""
    if i == 5:
        own += -3.5 - 1.5 * np.clip(-sky.sun, 0, 1)
        odd = "in a hollow: colder from the first day, most at night"
    elif i == 9:
        own += 2.2 * np.clip(sky.sun - 0.2, 0, 1)
        odd = "in a court: warmer at noon, every day"
    kind = ("t", "air temperature", "°C", 0.1, -40.0, 85.0)
    return _stream(rng, kind, i, lon, sky.air + fall(sky, lon) + own, odd)


def _dust_meter(rng: np.random.Generator, sky: Weather, i: int) -> Stream:
    lon = _lon(rng)
    rush = np.exp(-(((hours() - 8) / 1.3) ** 2)) + np.exp(-(((hours() - 18) / 1.6) ** 2))
    rush = rush * np.where(weekend(), 0.4, 1.0)
    washed = np.zeros(COUNT)
    for step in np.flatnonzero(rain(sky, lon)):
        washed += np.where(
            np.arange(COUNT) >= step, 0.12 * np.exp(-np.maximum(np.arange(COUNT) - step, 0) / 60), 0
        )
    log = sky.haze + 0.15 * rush - washed + wander(rng, 36, 0.10) + rng.normal(0, 0.12)
    usual, odd = 38.0, ""
    if i == 9:
        log += 0.55 * rush
        odd = "in a street with traffic: twice the others at rush hours"
    elif i == 10:
        usual = 19.0
        odd = "in a park: half of the others, always"
    series = usual * np.exp(log) * dusty(sky, lon) + rng.normal(0, 1.2, COUNT)
    return _stream(rng, ("p", "PM2.5", "µg/m³", 1.0, 0.0, 1000.0), i, lon, np.maximum(series, 1), odd)


def _gauge(rng: np.random.Generator, sky: Weather, i: int) -> Stream:
    lon = WEST + (EAST - WEST) * ((i - 1) % 7) / 7
    series, odd, network = np.full(COUNT, 0.0), "", ""
    if i <= 13:  # gauges 1 to 7 of one river and 8 to 13 of another, from its spring down
        network, place = ("north river", i - 1) if i <= 7 else ("south river", i - 8)
        base, gain = (
            (1.6 + 0.25 * place, 0.30 + 0.03 * place) if i <= 7 else (2.4 + 0.2 * place, 0.22 + 0.02 * place)
        )
        series = base + gain * _flood(sky, delay=6 + 4 * place) + 0.03 * np.sin(np.arange(COUNT) / 1400)
        series = series + wander(rng, 40, 0.006) + rng.normal(0, 0.003, COUNT)
    elif i == 14:
        series = 3.1 + 0.12 * ((hours() > 6) & (hours() < 20)) + wander(rng, 60, 0.01) + 0.2 * _flood(sky, 8)
        odd = "a canal: a sluice lifts it each morning and lowers it each evening"
    elif i == 15:
        odd = "a river bed that is dry for all five weeks: exactly 0"
    else:
        flood = np.convolve(rain(sky, lon), np.exp(-np.arange(20) / 7))[:COUNT]
        series = np.maximum(0.06 * flood - 0.05, 0)
        odd = "an underpass: exactly 0 but for the storms"
    return replace(
        _stream(rng, ("w", "water level", "m", 0.01, -1.0, 10.0), i, lon, series, odd), network=network
    )


def _flood(sky: Weather, delay: int) -> np.ndarray:
    since = np.arange(240)
    answer = np.clip(since / 15, 0, 1) * np.exp(-np.maximum(since - 15, 0) / 70)
    return np.concatenate([np.zeros(delay), np.convolve(rain(sky, WEST), answer)])[:COUNT]


def _sound(rng: np.random.Generator, sky: Weather, i: int) -> Stream:
    lon, h = _lon(rng), hours()
    awake = 1 / (1 + np.exp(-(h - 6.2) * 1.8)) - 1 / (1 + np.exp(-(h - 22.8) * 1.4))
    peaks = (np.exp(-(((h - 8) / 1.1) ** 2)) + np.exp(-(((h - 18) / 1.4) ** 2))) * np.where(
        weekend(), 0.25, 1.0
    )
    night, day, rush, odd = float(rng.uniform(46, 50)), float(rng.uniform(12, 15)), 3.0, ""
    if i == 9:
        night, day, rush = 27.0, 17.0, 0.5
        odd = "in a park: at night exactly 30.0, the least that the instrument tells"
    elif i == 10:
        rush = 9.0
        odd = "on an avenue: loud at rush hours on working days"
    series = night + day * awake + rush * peaks + wander(rng, 4, 1.1) + rng.normal(0, 0.5, COUNT)
    if i == 9:
        series = np.where(awake < 0.05, 27.0, series)
    series = 10 * np.log10(10 ** (series / 10) + 10**6.3 * np.clip(rain(sky, lon) * 1.5, 0, 1))
    return _stream(
        rng, ("n", "sound level", "dB(A)", 0.1, 30.0, 130.0), i, lon, np.maximum(series, 30.0), odd
    )


def _power(rng: np.random.Generator, sky: Weather, i: int) -> Stream:
    lon, h, odd = _lon(rng), hours(), ""
    work = ((h > 8) & (h < 19)) * np.where(weekend(), 0.15, 1.0)
    heat = np.clip(sky.air + fall(sky, lon) - 24, 0, 12)
    wide = 1 + wander(rng, 30, 0.05) + rng.normal(0, 0.015, COUNT)
    if i <= 5:
        series = (60 + 140 * work + 6 * heat * (0.3 + work)) * wide * float(rng.uniform(0.7, 1.3))
    elif i <= 8:
        evening = np.exp(-(((h - 20) / 2.5) ** 2))
        series = (45 + 70 * evening + 7 * heat) * wide * float(rng.uniform(0.7, 1.3))
    elif i <= 10:
        series = np.where((h >= 19) | (h < 5), 42.5 if i == 9 else 18.0, 0.0)
        odd = "a circuit of street lamps: 0 by day, the same figure all night"
    elif i == 11:
        series = 220 + wander(rng, 20, 0.35) + rng.normal(0, 0.15, COUNT)
        odd = "a room of computers: nearly the same always"
    else:
        series = 0.4 + 75 * np.clip(_flood(sky, 2) / 5, 0, 1)
        odd = "a pumping station: a lamp's power but for the storms"
    return _stream(rng, ("v", "active power", "kW", 0.1, 0.0, 1000.0), i, lon, series, odd)
