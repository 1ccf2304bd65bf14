"""The weather that neighbours share: days, slow swings, storms that pass from west to east, a day of dust."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DAYS = 35
STEP = 600  # seconds
COUNT = DAYS * 86_400 // STEP
START = np.datetime64("2026-05-10T16:00:00", "s")  # Monday 11 May 2026, midnight in Shanghai
WEST, EAST, SOUTH, NORTH = 120.10, 120.22, 30.22, 30.32  # degrees


@dataclass(frozen=True)
class Event:
    """Something real that many streams show at once and that is nobody's fault; UTC."""

    name: str
    start: np.datetime64
    end: np.datetime64


@dataclass(frozen=True)
class Weather:
    """Series of every ten minutes: ``temperature`` and ``rain`` are functions of longitude, see `at`."""

    air: np.ndarray  # degrees Celsius, without storms
    sun: np.ndarray  # the daily swing, -1 to 1, less under clouds
    haze: np.ndarray  # logarithm of PM2.5 against its usual
    storms: tuple[int, ...]  # steps at which each reaches the west
    dust: int  # step at which the dust reaches the west
    events: tuple[Event, ...]


def moment(step: float) -> np.datetime64:
    """Give the time of a step in UTC."""
    return START + np.timedelta64(int(step * STEP), "s")


def hours() -> np.ndarray:
    """Give the local hour of the day of every step, 0 to 24."""
    return np.arange(COUNT) * STEP / 3600 % 24


def weekend() -> np.ndarray:
    """Tell which steps lie on a Saturday or Sunday."""
    return np.arange(COUNT) * STEP // 86_400 % 7 >= 5


def wander(rng: np.random.Generator, tau: float, sigma: float, count: int = COUNT) -> np.ndarray:
    """Draw a first-order autoregressive series: a memory of ``tau`` steps, a deviation ``sigma``."""
    keep = np.exp(-1 / tau)
    shocks = rng.normal(0, sigma * np.sqrt(1 - keep**2), count)
    out = np.empty(count)
    held = rng.normal(0, sigma)
    for i, shock in enumerate(shocks):
        held = keep * held + shock
        out[i] = held
    return out


def weather(rng: np.random.Generator) -> Weather:
    """Draw five weeks: three storms in the afternoon, one day of dust between them."""
    cloud = np.repeat(rng.uniform(0.45, 1.0, DAYS), COUNT // DAYS)
    cloud = np.convolve(np.pad(cloud, 18, mode="edge"), np.full(37, 1 / 37), mode="valid")
    sun = np.cos((hours() - 14.5) / 24 * 2 * np.pi) * cloud
    air = 22 + 0.08 * np.arange(COUNT) * STEP / 86_400 + 4.5 * sun + wander(rng, 300, 1.8)
    storms = tuple(int((day * 24 + rng.uniform(14, 19)) * 6) for day in (8, 17, 25))
    dust = int((21 * 24 + rng.uniform(5, 9)) * 6)
    events = [Event("storm", moment(s), moment(s + 6 * 30)) for s in storms]
    events.append(Event("dust", moment(dust), moment(dust + 6 * 26)))
    return Weather(air, sun, wander(rng, 200, 0.35), storms, dust, tuple(events))


def arrival(step: int, lon: float) -> int:
    """Give the step at which what is in the west at ``step`` reaches a longitude (50 min to the east)."""
    return step + round((lon - WEST) / (EAST - WEST) * 5)


def fall(sky: Weather, lon: float) -> np.ndarray:
    """Give the cooling by storms in degrees: seven within half an hour, gone after a day."""
    out = np.zeros(COUNT)
    for storm in sky.storms:
        since = np.arange(COUNT) - arrival(storm, lon)
        out += np.where(since >= 0, -7 * np.clip(since / 3, 0, 1) * np.exp(-np.maximum(since, 0) / 50), 0)
    return out


def rain(sky: Weather, lon: float) -> np.ndarray:
    """Give the rain of each step, 0 to 1: two hours, most in the first."""
    out = np.zeros(COUNT)
    for storm in sky.storms:
        since = np.arange(COUNT) - arrival(storm, lon)
        out += np.where((since >= 0) & (since < 12), np.exp(-np.maximum(since, 0) / 6), 0)
    return out


def dusty(sky: Weather, lon: float) -> np.ndarray:
    """Give the factor of PM2.5 by dust: up to four, for a day."""
    since = np.arange(COUNT) - arrival(sky.dust, lon)
    return 1 + 3 * np.clip(since / 12, 0, 1) * np.exp(-np.maximum(since - 90, 0) / 18) * (since >= 0)
