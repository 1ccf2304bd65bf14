"""The cells that both standards print for the caps beyond 88 degrees of latitude.

GB/T 40087-2021, 6.2.4 prints codes for levels 8-10 and GB/T 39409-2020, 5.3 for levels 1-2; what follows
below them is not defined there (see `PolarUnsupported`).
"""

from __future__ import annotations

from dataclasses import dataclass

from jingwei.grid.errors import PolarUnsupported
from jingwei.grid.levels import POLAR_FIRST_LEVEL, POLAR_LAST_LEVEL, TICKS_PER_MINUTE


@dataclass(frozen=True, slots=True)
class Zone:
    """A polar cell: a ring of latitude and a stretch of longitude, in minutes away from zero."""

    level: int
    digits: str
    south: int
    north: int
    near: int
    far: int
    sides: str

    def holds(self, west: bool, x: int, y: int) -> bool:
        """Say whether the point `x`, `y` whole minutes from the prime meridian and the equator lies here."""
        return (
            ("W" if west else "E") in self.sides
            and self.near <= x < self.far
            and self.south <= y < self.north
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
        near, far = self.near / 60, self.far / 60
        if self.sides == "EW":
            return near, -near
        return (near, far) if self.sides == "E" else (-far, -near)

    def centre(self, south: bool) -> tuple[float, float]:
        """Return longitude and latitude of the middle in degrees; of a cap, the pole at longitude 0."""
        if self.is_cap:
            return 0.0, -90.0 if south else 90.0
        low, high = self.latitudes(south)
        west, east = self.longitudes()
        return 180.0 if west > east else (west + east) / 2, (low + high) / 2

    def latitudes(self, south: bool) -> tuple[float, float]:
        """Return south and north in degrees, in the northern or southern cap."""
        low, high = self.south / 60, self.north / 60
        return (-high, -low) if south else (low, high)


GEOSOT_ZONES = (
    Zone(8, "00202200", 5280, 5400, 0, 10800, "EW"),
    Zone(9, "002022002", 5340, 5400, 0, 10800, "EW"),
    Zone(9, "002022000", 5280, 5340, 0, 7680, "E"),
    Zone(9, "002022001", 5280, 5340, 7680, 10800, "EW"),
    Zone(9, "102022000", 5280, 5340, 0, 7680, "W"),
    Zone(10, "0020220022", 5372, 5400, 0, 10800, "EW"),
    Zone(10, "0020220020", 5340, 5372, 0, 7680, "E"),
    Zone(10, "0020220021", 5340, 5372, 7680, 10800, "EW"),
    Zone(10, "1020220020", 5340, 5372, 0, 7680, "W"),
    Zone(10, "0020220000", 5280, 5312, 0, 3840, "E"),
    Zone(10, "0020220001", 5280, 5312, 3840, 7680, "E"),
    Zone(10, "0020220002", 5312, 5340, 0, 3840, "E"),
    Zone(10, "0020220003", 5312, 5340, 3840, 7680, "E"),
    Zone(10, "0020220010", 5280, 5312, 7680, 10800, "E"),
    Zone(10, "1020220010", 5280, 5312, 7680, 10800, "W"),
    Zone(10, "0020220012", 5312, 5340, 7680, 10800, "E"),
    Zone(10, "1020220012", 5312, 5340, 7680, 10800, "W"),
    Zone(10, "1020220000", 5280, 5312, 0, 3840, "W"),
    Zone(10, "1020220001", 5280, 5312, 3840, 7680, "W"),
    Zone(10, "1020220002", 5312, 5340, 0, 3840, "W"),
    Zone(10, "1020220003", 5312, 5340, 3840, 7680, "W"),
)
"""GB/T 40087, 6.2.4, northern cap. In the south the first digit is greater by two.

The rings of level 10 part at 32 minutes, where the latitude bit of their codes changes, as everywhere at that
level.
"""

BEIDOU_ZONES = (
    Zone(1, "", 5280, 5400, 0, 10800, "EW"),
    Zone(2, "10", 5280, 5310, 0, 3600, "E"),
    Zone(2, "11", 5280, 5310, 3600, 7200, "E"),
    Zone(2, "20", 5280, 5310, 7200, 10800, "E"),
    Zone(2, "30", 5280, 5310, 0, 3600, "W"),
    Zone(2, "31", 5280, 5310, 3600, 7200, "W"),
    Zone(2, "21", 5280, 5310, 7200, 10800, "W"),
    Zone(2, "12", 5310, 5340, 0, 3600, "E"),
    Zone(2, "13", 5310, 5340, 3600, 7200, "E"),
    Zone(2, "22", 5310, 5340, 7200, 10800, "E"),
    Zone(2, "32", 5310, 5340, 0, 3600, "W"),
    Zone(2, "33", 5310, 5340, 3600, 7200, "W"),
    Zone(2, "23", 5310, 5340, 7200, 10800, "W"),
    Zone(2, "01", 5340, 5370, 0, 7200, "E"),
    Zone(2, "02", 5340, 5370, 7200, 10800, "EW"),
    Zone(2, "03", 5340, 5370, 0, 7200, "W"),
    Zone(2, "00", 5370, 5400, 0, 10800, "EW"),
)
"""GB/T 39409, 5.3 and figure 10."""


def zone_at(zones: tuple[Zone, ...], west: bool, x: int, y: int, level: int) -> Zone:
    """Return the zone of a level that holds the point `x`, `y` ticks from the prime meridian and equator."""
    for zone in zones:
        if zone.level == level and zone.holds(west, x // TICKS_PER_MINUTE, y // TICKS_PER_MINUTE):
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
