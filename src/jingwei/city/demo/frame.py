"""The city's local metric frame, and its place on the globe."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from pyproj import Transformer

from jingwei.city.demo.arrays import Floats, Geometries
from jingwei.city.demo.settings import Settings


@dataclass(frozen=True, slots=True)
class Frame:
    """A transverse Mercator plane tangent at the city's centre: x east, y north, in metres.

    Attributes
    ----------
    longitude, latitude
        The centre, in degrees, WGS84.

    """

    longitude: float
    latitude: float

    @property
    def projection(self) -> str:
        """The plane as a PROJ string."""
        return f"+proj=tmerc +lat_0={self.latitude} +lon_0={self.longitude} +k=1 +x_0=0 +y_0=0 +ellps=WGS84"

    def to_degrees(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return longitude and latitude (WGS84, rounded to 1e-7 degrees, about 1 cm) of points in metres."""
        transformer = Transformer.from_crs(self.projection, "EPSG:4326", always_xy=True)
        longitude, latitude = transformer.transform(np.asarray(x), np.asarray(y))
        return np.round(longitude, 7), np.round(latitude, 7)

    def geometries_to_degrees(self, geometries: Geometries) -> Geometries:
        """Return shapes of the plane as shapes in WGS84; equal vertices stay equal."""

        def degrees(points: Floats) -> Floats:
            return np.column_stack(self.to_degrees(points[:, 0], points[:, 1]))

        return np.asarray(shapely.transform(geometries, degrees), dtype=object)


def frame_of(settings: Settings) -> Frame:
    """Return the frame of a city: a spot that the seed picks in the hills south of the lower Yangtze."""
    random = settings.draws("frame")
    longitude = 117.36 + float(random.uniform(-0.12, 0.12))
    latitude = 29.04 + float(random.uniform(-0.08, 0.08))
    return Frame(round(longitude, 4), round(latitude, 4))
