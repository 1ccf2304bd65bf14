"""True areas and lengths on the ellipsoid of CGCS2000."""

from __future__ import annotations

from typing import Any

import numpy as np

A = 6_378_137.0
F = 1 / 298.257222101
E2 = F * (2 - F)
"""Semi-major axis in metres, flattening and first eccentricity squared of CGCS2000 (GB/T 39409, 3.5)."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_STRIP = 8.0
"""Widest strip of latitude, in degrees, that one quadrature takes; wider ones are cut."""


def area_m2(west: Any, south: Any, east: Any, north: Any) -> Any:
    """Return the area in m2 between two meridians and two parallels, given in degrees.

    Snyder, Map Projections (1987), eq. 3-11 gives the closed form; its difference of two numbers of the size
    of the earth would lose the smallest cells, so the integrand a²(1-e²)cosφ/(1-e²sin²φ)² is summed by
    Gauss-Legendre quadrature of 12 nodes over strips of at most 8 degrees, exact to rounding.
    """
    west, south, east, north = (np.asarray(v, dtype=np.float64) for v in (west, south, east, north))
    width = np.where(east < west, east - west + 360.0, east - west)
    strips = max(1, int(np.ceil(np.max(north - south, initial=0.0) / _STRIP)))
    total = np.zeros(np.broadcast(west, south, east, north).shape)
    half = np.radians((north - south) / (2 * strips))
    for strip in range(strips):
        middle = np.radians(south + (north - south) * ((strip + 0.5) / strips))
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            phi = middle + half * node
            total = total + weight * half * np.cos(phi) / (1 - E2 * np.sin(phi) ** 2) ** 2
    result = A * A * (1 - E2) * np.radians(width) * total
    return float(result) if result.ndim == 0 else result


def size_m(west: Any, south: Any, east: Any, north: Any) -> tuple[Any, Any]:
    """Return width and height in metres of a cell, measured through its middle.

    Width is along the parallel, N·cosφ·Δλ; height is along the meridian, ∫M dφ, both on CGCS2000.
    """
    west, south, east, north = (np.asarray(v, dtype=np.float64) for v in (west, south, east, north))
    across = np.where(east < west, east - west + 360.0, east - west)
    phi = np.radians((south + north) / 2)
    width = A / np.sqrt(1 - E2 * np.sin(phi) ** 2) * np.cos(phi) * np.radians(across)
    strips = max(1, int(np.ceil(np.max(north - south, initial=0.0) / _STRIP)))
    half = np.radians((north - south) / (2 * strips))
    height = np.zeros_like(phi)
    for strip in range(strips):
        middle = np.radians(south + (north - south) * ((strip + 0.5) / strips))
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            sine = np.sin(middle + half * node)
            height = height + weight * half * A * (1 - E2) / (1 - E2 * sine**2) ** 1.5
    return (float(width), float(height)) if width.ndim == 0 else (width, height)
