"""The cells that both standards print for the caps beyond 88 degrees of latitude.

GB/T 40087-2021, 6.2.4 prints codes for levels 8-10 and GB/T 39409-2020, 5.3 for levels 1-2; what follows
below them is not defined there (see `PolarUnsupported`).
"""

from __future__ import annotations

from dataclasses import dataclass

from jingwei.grid.errors import PolarUnsupported
from jingwei.grid.levels import POLAR_FIRST_LEVEL, POLAR_LAST_LEVEL, TICKS_PER_DEGREE


@dataclass(frozen=True, slots=True)
class Zone:
    """A polar cell: rings of latitude and a stretch of longitude, both counted away from zero, in degrees."""

    level: int
    digits: str
    south: float
    north: float
    near: float
    far: float
    sides: str

    def holds(self, west: bool, x: float, y: float) -> bool:
        """Say whether the point `x`, `y` degrees from the prime meridian and the equator lies here."""
        side = "W" if west else "E"
        return (
            side in self.sides
            and self.near <= x
            and (x < self.far or self.far == 180)
            and (self.south <= y < self.north or self.north == y == 90)
        )

    def covers(self, other: Zone) -> bool:
        """Say whether `other` lies wholly in this zone."""
        return (
            set(other.sides) <= set(self.sides)
            and self.near <= other.near
            and other.far <= self.far
            and self.south <= other.south
            and other.north <= self.north
        )

    @property
    def is_cap(self) -> bool:
        """Whether the zone goes all the way round the pole."""
        return self.near == 0 and self.sides == "EW"

    def longitudes(self) -> tuple[float, float]:
        """Return west and east in degrees; west is greater than east where the zone crosses 180 degrees."""
        if self.is_cap:
            return -180.0, 180.0
        if self.sides == "EW":
            return self.near, -self.near
        return (self.near, self.far) if self.sides == "E" else (-self.far, -self.near)


GEOSOT_ZONES = (
    Zone(8, "00202200", 88, 90, 0, 180, "EW"),
    Zone(9, "002022002", 89, 90, 0, 180, "EW"),
    Zone(9, "002022000", 88, 89, 0, 128, "E"),
    Zone(9, "002022001", 88, 89, 128, 180, "EW"),
    Zone(9, "102022000", 88, 89, 0, 128, "W"),
    Zone(10, "0020220022", 89.5, 90, 0, 180, "EW"),
    Zone(10, "0020220020", 89, 89.5, 0, 128, "E"),
    Zone(10, "0020220021", 89, 89.5, 128, 180, "EW"),
    Zone(10, "1020220020", 89, 89.5, 0, 128, "W"),
    Zone(10, "0020220000", 88, 88.5, 0, 64, "E"),
    Zone(10, "0020220001", 88, 88.5, 64, 128, "E"),
    Zone(10, "0020220002", 88.5, 89, 0, 64, "E"),
    Zone(10, "0020220003", 88.5, 89, 64, 128, "E"),
    Zone(10, "0020220010", 88, 88.5, 128, 180, "E"),
    Zone(10, "1020220010", 88, 88.5, 128, 180, "W"),
    Zone(10, "0020220012", 88.5, 89, 128, 180, "E"),
    Zone(10, "1020220012", 88.5, 89, 128, 180, "W"),
    Zone(10, "1020220000", 88, 88.5, 0, 64, "W"),
    Zone(10, "1020220001", 88, 88.5, 64, 128, "W"),
    Zone(10, "1020220002", 88.5, 89, 0, 64, "W"),
    Zone(10, "1020220003", 88.5, 89, 64, 128, "W"),
)
"""GB/T 40087, 6.2.4, northern cap. In the south the first digit is greater by two."""

BEIDOU_ZONES = (
    Zone(1, "", 88, 90, 0, 180, "EW"),
    Zone(2, "10", 88, 88.5, 0, 60, "E"),
    Zone(2, "11", 88, 88.5, 60, 120, "E"),
    Zone(2, "20", 88, 88.5, 120, 180, "E"),
    Zone(2, "30", 88, 88.5, 0, 60, "W"),
    Zone(2, "31", 88, 88.5, 60, 120, "W"),
    Zone(2, "21", 88, 88.5, 120, 180, "W"),
    Zone(2, "12", 88.5, 89, 0, 60, "E"),
    Zone(2, "13", 88.5, 89, 60, 120, "E"),
    Zone(2, "22", 88.5, 89, 120, 180, "E"),
    Zone(2, "32", 88.5, 89, 0, 60, "W"),
    Zone(2, "33", 88.5, 89, 60, 120, "W"),
    Zone(2, "23", 88.5, 89, 120, 180, "W"),
    Zone(2, "01", 89, 89.5, 0, 120, "E"),
    Zone(2, "02", 89, 89.5, 120, 180, "EW"),
    Zone(2, "03", 89, 89.5, 0, 120, "W"),
    Zone(2, "00", 89.5, 90, 0, 180, "EW"),
)
"""GB/T 39409, 5.3 and figure 10."""


def zone_at(zones: tuple[Zone, ...], west: bool, x: int, y: int, level: int) -> Zone:
    """Return the zone of a level that holds the point `x`, `y` ticks from the prime meridian and equator."""
    lon, lat = x / TICKS_PER_DEGREE, y / TICKS_PER_DEGREE
    for zone in zones:
        if zone.level == level and zone.holds(west, lon, lat):
            return zone
    last = max(zone.level for zone in zones)
    raise PolarUnsupported(
        f"there are no cells of level {level} at 88 degrees of latitude and beyond: "
        f"the standard defines them to level {last}"
    )


def zone_of(code: int, level: int) -> Zone | None:
    """Return the zone that a GeoSOT code names, or None if it names none."""
    if POLAR_FIRST_LEVEL <= level <= POLAR_LAST_LEVEL:
        return _ZONE_BY_CODE.get((level, code & ~(1 << 63)))
    return None


def zone_code(zone: Zone, south: bool) -> int:
    """Return the unsigned code of a GeoSOT zone in the northern or southern cap."""
    return int(zone.digits, 4) << (64 - 2 * zone.level) | south << 63


_ZONE_BY_CODE = {(zone.level, zone_code(zone, south=False)): zone for zone in GEOSOT_ZONES}
