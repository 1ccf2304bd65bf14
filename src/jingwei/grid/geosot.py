"""GB/T 40087-2021 for single cells: ticks, the 64-bit code, and the quaternary and binary texts.

A code is unsigned and left-aligned: digit `2 * lat_bit + lon_bit` of level 1 stands in the two highest bits.
The sign bits lead (digit 1: 0 north-east, 1 north-west, 2 south-east, 3 south-west) and each axis follows as
degrees, minutes, seconds and 1/2048 seconds, in 8, 6, 6 and 11 bits.
"""

from __future__ import annotations

from jingwei.grid.errors import MalformedCode, OutOfRange, PolarUnsupported
from jingwei.grid.levels import (
    LAT_END,
    LON_END,
    MAX_LEVEL,
    POLAR_FIRST_LEVEL,
    POLAR_LAST_LEVEL,
    POLAR_START,
    SIZE,
    TICKS_PER_DEGREE,
    TICKS_PER_MINUTE,
    UNIT,
)
from jingwei.grid.polar import GEOSOT_ZONES, zone_at, zone_code, zone_of

DEGREE_PAD = (64 << 17) - (60 << 17)
MINUTE_PAD = (64 << 11) - (60 << 11)
"""What one degree, and one minute, is wider in the padded index than in ticks."""

AXIS_MASK = (1 << 31) - 1
MASK64 = (1 << 64) - 1
SPREAD_STEPS = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)


def pack(ticks: int) -> int:
    """Return the padded 31-bit index of an axis: degrees, minutes, seconds, 1/2048 seconds."""
    return ticks + MINUTE_PAD * (ticks // TICKS_PER_MINUTE) + DEGREE_PAD * (ticks // TICKS_PER_DEGREE)


def unpack(index: int) -> int | None:
    """Return the ticks of a padded 31-bit index, or None if it points into a pad."""
    degrees, minutes, seconds = index >> 23, index >> 17 & 63, index >> 11 & 63
    if minutes >= 60 or seconds >= 60:
        return None
    return index - MINUTE_PAD * (60 * degrees + minutes) - DEGREE_PAD * degrees


def interleave(lat: int, lon: int) -> int:
    """Return the Morton code of two 32-bit numbers, latitude in the odd bits and longitude in the even."""
    return _spread(lat) << 1 | _spread(lon)


def deinterleave(code: int) -> tuple[int, int]:
    """Return the latitude and longitude bits of a Morton code."""
    return _gather(code >> 1), _gather(code)


def _spread(value: int) -> int:
    for shift, mask in SPREAD_STEPS:
        value = (value | value << shift) & mask
    return value


def _gather(code: int) -> int:
    code &= SPREAD_STEPS[-1][1]
    for (shift, _), mask in zip(
        reversed(SPREAD_STEPS),
        (0x3333333333333333, 0x0F0F0F0F0F0F0F0F, 0x00FF00FF00FF00FF, 0x0000FFFF0000FFFF, 0xFFFFFFFF),
        strict=True,
    ):
        code = (code | code >> shift) & mask
    return code


def level_mask(level: int) -> int:
    """Return the mask that keeps the bits of a level and clears those below it."""
    return (1 << 64) - (1 << (64 - 2 * level)) if level else 0


def code_of_ticks(west: bool, x: int, south: bool, y: int, level: int) -> int:
    """Return the code of the cell of a level that holds a point.

    Parameters
    ----------
    west, south : bool
        Hemispheres of the point.
    x, y : int
        Distance from the prime meridian and the equator, in ticks.
    level : int
        0 to 32.

    Raises
    ------
    PolarUnsupported
        At 88 degrees of latitude and beyond, for levels above 10.
    """
    if y >= POLAR_START and level >= POLAR_FIRST_LEVEL:
        return zone_code(zone_at(GEOSOT_ZONES, west, x, y, level), south)
    return interleave(south << 31 | pack(y), west << 31 | pack(x)) & level_mask(level)


def anchor(code: int, level: int) -> tuple[bool, int, bool, int]:
    """Return hemispheres and ticks (west, x, south, y) of the corner of a regular cell nearest the origin.

    Raises
    ------
    MalformedCode
        The code points into a pad, beyond 180 or 90 degrees, or into a polar cell.
    """
    lat, lon = deinterleave(code & level_mask(level))
    x, y = unpack(lon & AXIS_MASK), unpack(lat & AXIS_MASK)
    if x is None or y is None:
        raise MalformedCode(
            f"{_show(code, level)} points into the unused 60th-63rd minute or second of the grid"
        )
    if x >= LON_END or y >= LAT_END:
        raise MalformedCode(f"{_show(code, level)} lies beyond {'180' if x >= LON_END else '90'} degrees")
    if y >= POLAR_START and level >= POLAR_FIRST_LEVEL:
        raise MalformedCode(f"{_show(code, level)} is none of the polar cells of GB/T 40087, 6.2.4")
    return bool(lon >> 31), x, bool(lat >> 31), y


def far_edge(ticks: int, level: int, end: int) -> int:
    """Return the far edge of the cell that begins at `ticks`, cut at its degree or minute and at `end`."""
    unit = UNIT[level]
    return min(ticks + SIZE[level], (ticks // unit + 1) * unit, end)


def bounds_in_degrees(code: int, level: int) -> tuple[float, float, float, float]:
    """Return west, south, east, north of a cell in degrees; west > east in polar cells that cross 180."""
    if level == 0:
        return -180.0, -90.0, 180.0, 90.0
    zone = zone_of(code, level)
    if zone:
        south, north = zone.latitudes(south=bool(code >> 63))
        west, east = zone.longitudes()
        return west, south, east, north
    is_west, x, is_south, y = anchor(code, level)
    west, east = _signed(x, far_edge(x, level, LON_END), is_west)
    south, north = _signed(y, far_edge(y, level, LAT_END), is_south)
    return west, south, east, north


def centre_in_degrees(code: int, level: int) -> tuple[float, float]:
    """Return longitude and latitude of the middle of a cell; of a polar cap, the pole at longitude 0."""
    if level == 0:
        return 0.0, 0.0
    zone = zone_of(code, level)
    if zone:
        return zone.centre(south=bool(code >> 63))
    west, x, south, y = anchor(code, level)
    lon = (x + far_edge(x, level, LON_END)) / (2 * TICKS_PER_DEGREE)
    lat = (y + far_edge(y, level, LAT_END)) / (2 * TICKS_PER_DEGREE)
    return -lon if west else lon, -lat if south else lat


def _signed(near: int, far: int, negative: bool) -> tuple[float, float]:
    a, b = near / TICKS_PER_DEGREE, far / TICKS_PER_DEGREE
    return (-b, -a if near else 0.0) if negative else (a, b)


def check_code(code: int, level: int) -> int:
    """Return the unsigned code of an existing cell of the level, or raise `MalformedCode`."""
    code = unsigned(code)
    if code & ~level_mask(level):
        raise MalformedCode(f"{code} has bits below level {level}")
    if level and zone_of(code, level) is None:
        anchor(code, level)
    return code


def unsigned(code: int) -> int:
    """Return the unsigned form of a code in either form."""
    if isinstance(code, bool) or not hasattr(code, "__index__"):
        raise MalformedCode(f"a code is a whole number, not {code!r}")
    code = code.__index__()
    if not -(1 << 63) <= code < 1 << 64:
        raise MalformedCode(f"{code} does not fit into 64 bits")
    return code & MASK64


def text_of(code: int, level: int, separators: bool = True) -> str:
    """Return the quaternary text, e.g. `G001310322-230230`.

    Separators follow figure 12 of GB/T 40087: `-` after digits 9 and 15, `.` after 21, where a digit follows.
    """
    digits = "".join(str(code >> (62 - 2 * i) & 3) for i in range(level))
    if not separators:
        return "G" + digits
    parts = [digits[:9], digits[9:15], digits[15:21]]
    text = "G" + "-".join(part for part in parts if part)
    return f"{text}.{digits[21:]}" if level > 21 else text


def parse_text(text: str) -> tuple[int, int]:
    """Return the code and level of a quaternary text, with or without its separators.

    Raises
    ------
    MalformedCode
        With the position of the first offending character and the reason.
    """
    body = text.rstrip()
    start = len(body) - len(body.lstrip())
    if body[start : start + 1] != "G":
        raise MalformedCode("a GeoSOT code begins with G", position=start, text=text)
    digits: list[str] = []
    for position in range(start + 1, len(body)):
        character = body[position]
        if character in "0123" and character.isascii():
            digits.append(character)
            if len(digits) > MAX_LEVEL:
                raise MalformedCode("a GeoSOT code has at most 32 digits", position=position, text=text)
        elif _is_separator(character, len(digits), body, position):
            continue
        elif character in "-.":
            raise MalformedCode(
                f"{character!r} stands only after digits 9 and 15 ('-') and 21 ('.'), before another digit",
                position=position,
                text=text,
            )
        else:
            raise MalformedCode(
                f"{character!r} is not a quaternary digit (0-3)", position=position, text=text
            )
    level = len(digits)
    code = int("".join(digits) or "0", 4) << (64 - 2 * level)
    if level and zone_of(code, level) is None:
        _check_digits(code, level, text)
    return code, level


def _is_separator(character: str, digits: int, body: str, position: int) -> bool:
    due = (character == "-" and digits in (9, 15)) or (character == "." and digits == 21)
    return due and body[position + 1 : position + 2].isdigit() and body[position - 1] not in "-."


def _check_digits(code: int, level: int, text: str) -> None:
    """Raise `MalformedCode` at the first digit whose prefix is no cell."""
    try:
        anchor(code, level)
    except MalformedCode as error:
        positions = [i for i, character in enumerate(text) if character.isascii() and character.isdigit()]
        for prefix in range(1, level + 1):
            try:
                anchor(code, prefix)
            except MalformedCode as first:
                if zone_of(code & level_mask(prefix), prefix) and prefix < level:
                    continue
                raise MalformedCode(first.reason, position=positions[prefix - 1], text=text) from None
        raise error from None


def binary_of(code: int, level: int) -> tuple[str, str]:
    """Return the two-dimensional binary form (6.2.3): latitude and longitude, `level` bits each."""
    lat, lon = deinterleave(code)
    if level == 0:
        return "", ""
    return f"{lat >> (32 - level):0{level}b}", f"{lon >> (32 - level):0{level}b}"


def parse_binary(lat: str, lon: str) -> tuple[int, int]:
    """Return the code and level of a two-dimensional binary form.

    Raises
    ------
    MalformedCode
        Characters other than 0 and 1, unequal or excessive length, or no such cell.
    """
    for text in (lat, lon):
        for position, character in enumerate(text):
            if character not in "01":
                raise MalformedCode(f"{character!r} is not a binary digit", position=position, text=text)
    level = len(lat)
    if len(lon) != level or level > MAX_LEVEL:
        raise MalformedCode(
            "latitude and longitude have the same number of bits, at most 32", position=level, text=lon
        )
    code = interleave(int(lat or "0", 2) << (32 - level), int(lon or "0", 2) << (32 - level))
    return check_code(code, level), level


def parent_of(code: int, level: int, to_level: int) -> int:
    """Return the code of the ancestor of a cell at a coarser level, or of the cell itself.

    Raises
    ------
    PolarUnsupported
        From a polar cell to a level above 8, where 90 ordinary cells share the cap.
    """
    zone = zone_of(code, level)
    if zone is None or to_level == 0:
        return code & level_mask(to_level)
    if to_level < POLAR_FIRST_LEVEL:
        raise PolarUnsupported(
            f"the polar cell {text_of(code, level)} lies in several cells of level {to_level}"
        )
    wider = next(other for other in GEOSOT_ZONES if other.level == to_level and other.covers(zone))
    return zone_code(wider, south=bool(code >> 63))


def children_of(code: int, level: int) -> list[int]:
    """Return the codes of the children of a cell, in code order: four, or fewer where the grid is cut.

    Raises
    ------
    PolarUnsupported
        The children would be polar cells that the standard does not define.
    """
    zone = zone_of(code, level)
    if zone:
        if level == POLAR_LAST_LEVEL:
            raise PolarUnsupported(
                f"the standard defines no cells below the polar cell {text_of(code, level)}"
            )
        inner = (z for z in GEOSOT_ZONES if z.level == level + 1 and zone.covers(z))
        return sorted(zone_code(z, south=bool(code >> 63)) for z in inner)
    step = 1 << (62 - 2 * level)
    found = []
    for digit in range(4):
        child = code + digit * step
        try:
            anchor(child, level + 1)
        except MalformedCode:
            continue
        found.append(child)
    if not found:
        raise PolarUnsupported(
            f"the cell {text_of(code, level)} lies at 88 degrees and beyond: it has no children"
        )
    return found


def range_of(code: int, level: int) -> tuple[int, int]:
    """Return the lowest and highest code of all descendants of a cell, in stored (signed) form."""
    if level == 0:
        raise OutOfRange("level 0 means everything and is no range")
    low = code & level_mask(level)
    high = low | ~level_mask(level) & MASK64
    return stored(low), stored(high)


def stored(code: int) -> int:
    """Return an unsigned code reinterpreted as a signed 64-bit integer."""
    return code - (1 << 64) if code >> 63 else code


def _show(code: int, level: int) -> str:
    return f"the code {text_of(code, level)}"
