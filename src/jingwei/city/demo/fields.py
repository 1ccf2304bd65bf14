"""Smooth random fields over the plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jingwei.city.demo.arrays import Floats


@dataclass(frozen=True, slots=True)
class SmoothField:
    """A stationary Gaussian field with a squared-exponential covariance, evaluable at any point.

    It is a sum of random plane waves (random Fourier features: Rahimi and Recht, 2007), so that no raster
    limits it and neighbouring points that are shared by two shapes get the same value.
    """

    waves: Floats
    phases: Floats

    @classmethod
    def drawn(cls, random: np.random.Generator, wavelength: float, count: int = 24) -> SmoothField:
        """Draw a field of unit variance whose typical wavelength is given in metres."""
        return cls(
            random.normal(0.0, 2.0 * np.pi / wavelength / np.sqrt(2.0), (count, 2)),
            random.uniform(0.0, 2.0 * np.pi, count),
        )

    def at(self, x: Floats, y: Floats) -> Floats:
        """Return the field's values at points in metres; the shape of `x` is kept."""
        total = np.zeros(np.shape(x))
        for (kx, ky), phase in zip(self.waves, self.phases, strict=True):
            total += np.cos(kx * x + ky * y + phase)
        return np.asarray(total * np.sqrt(2.0 / len(self.phases)))
