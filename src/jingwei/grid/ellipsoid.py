"""True areas and lengths on the ellipsoid of CGCS2000."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jingwei.grid.levels import TICKS_PER_DEGREE

A = 6_378_137.0
F = 1 / 298.257222101
E2 = F * (2 - F)
"""Semi-major axis in metres, flattening and first eccentricity squared of CGCS2000 (GB/T 39409, 3.5)."""

_STRIP = 8.0
"""Widest strip of latitude, in degrees, that one quadrature takes; wider ones are cut."""


@cache
def _quadrature() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from numpy.polynomial.legendre import leggauss

    nodes, weights = leggauss(12)
    return nodes, weights


def area_m2(west: Any, south: Any, east: Any, north: Any) -> Any:
    """Return the area in m2 of cells with these bounds in degrees.

    Snyder, Map Projections (1987), eq. 3-11 gives the closed form; its difference of two numbers of the size
    of the earth would lose the smallest cells, so the integrand a²(1-e²)cosφ/(1-e²sin²φ)² is summed by
    Gauss-Legendre quadrature of 12 nodes over strips of at most 8 degrees, exact to rounding.
    """
    width, height = _sides(west, south, east, north)
    total = _integral(south, height, lambda phi: np.cos(phi) / (1 - E2 * np.sin(phi) ** 2) ** 2)
    return _number(A * A * (1 - E2) * np.radians(width) * total)


def size_m(west: Any, south: Any, east: Any, north: Any) -> tuple[Any, Any]:
    """Return width and height in metres of cells with these bounds in degrees, measured through the middle.

    Width is along the parallel, N·cosφ·Δλ; height is along the meridian, ∫M dφ, both on CGCS2000.
    """
    width, height = _sides(west, south, east, north)
    phi = np.radians((np.asarray(south) + north) / 2)
    across = A / np.sqrt(1 - E2 * np.sin(phi) ** 2) * np.cos(phi) * np.radians(width)
    along = _integral(south, height, lambda phi: A * (1 - E2) / (1 - E2 * np.sin(phi) ** 2) ** 1.5)
    return _number(across), _number(along)


def _sides(west: Any, south: Any, east: Any, north: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return width and height in degrees; they are whole ticks, which undoes the rounding of the bounds."""
    width = np.asarray(east, dtype=np.float64) - west
    width = np.where(width < 0, width + 360.0, width)
    height = np.asarray(north, dtype=np.float64) - south
    across: NDArray[np.float64] = np.rint(width * TICKS_PER_DEGREE) / TICKS_PER_DEGREE
    along: NDArray[np.float64] = np.rint(height * TICKS_PER_DEGREE) / TICKS_PER_DEGREE
    return across, along


def _integral(south: Any, height: NDArray[np.float64], integrand: Any) -> Any:
    """Return the integral of a function of latitude in radians, from `south` over `height` degrees."""
    highest = np.max(height, initial=0.0, where=~np.isnan(height))
    strips = max(1, int(np.ceil(highest / _STRIP)))
    half = np.radians(height / (2 * strips))
    total = np.zeros(height.shape)
    for strip in range(strips):
        middle = np.radians(south + height * ((strip + 0.5) / strips))
        for node, weight in zip(*_quadrature(), strict=True):
            total = total + weight * half * integrand(middle + half * node)
    return total


def _number(values: Any) -> Any:
    return float(values) if np.ndim(values) == 0 else values
