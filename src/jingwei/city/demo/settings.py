"""How large a demo city is, and where its randomness comes from."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from datetime import date

import numpy as np


@dataclass(frozen=True, slots=True)
class Scale:
    """The size of a demo city.

    Attributes
    ----------
    population
        Residents.
    cells
        Superblocks along each side of the whole municipality.
    urban
        Half the width of the built-up area, in superblocks.
    spacing
        Mean side of a superblock in metres.
    river_width
        Metres between the water's edges.
    districts, streets, communities
        Numbers of administrative units of each level.
    metro_lines, bus_lines
        Lines of public transport.
    days
        Length of the history.
    cases
        Cases in that history.

    """

    key: str
    population: int
    cells: int
    urban: float
    spacing: float
    river_width: float
    districts: int
    streets: int
    communities: int
    metro_lines: int
    bus_lines: int
    days: int
    cases: int


SCALES: dict[str, Scale] = {
    "tiny": Scale("tiny", 6_000, 6, 2.2, 300.0, 40.0, 2, 3, 6, 1, 2, 150, 900),
    "S": Scale("S", 50_000, 10, 3.3, 430.0, 70.0, 2, 6, 18, 1, 8, 730, 14_000),
    "M": Scale("M", 1_000_000, 30, 11.0, 480.0, 170.0, 5, 32, 260, 3, 48, 730, 220_000),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides a demo city: nothing else does.

    Attributes
    ----------
    scale
        Its size.
    seed
        Any non-negative integer; equal seeds give equal cities.
    last_day
        The last day of its history, in the city's zone.

    """

    scale: Scale
    seed: int = 1
    last_day: date = date(2026, 10, 31)

    def draws(self, name: str) -> np.random.Generator:
        """Return the generator of random numbers that belongs to one named step.

        Each step has a stream of its own, so that a change in one does not disturb the others, and the
        order in which steps run does not matter.
        """
        return np.random.default_rng(np.random.SeedSequence([self.seed, zlib.crc32(name.encode())]))

    def on_day(self, name: str, day: int) -> np.random.Generator:
        """Return the generator of one named step on one day, counted from 1970-01-01."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, zlib.crc32(name.encode()), day]))

    def with_seed(self, seed: int) -> Settings:
        """Return these settings with another seed."""
        return replace(self, seed=seed)


def settings_of(scale: str, seed: int = 1) -> Settings:
    """Return the settings of a scale by its key (`tiny`, `S` or `M`)."""
    return Settings(SCALES[scale], seed)
