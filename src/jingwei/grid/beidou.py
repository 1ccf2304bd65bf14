"""GB/T 39409-2020, two-dimensional codes (clause 5): single codes, their cells, and the GeoSOT twins.

Indices grow away from the equator and the prime meridian in every hemisphere; nothing is mirrored.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jingwei.grid.errors import MalformedCode, NoTwin, OutOfRange
from jingwei.grid.geosot import anchor, code_of_ticks
from jingwei.grid.levels import (
    LAT_END,
    LON_END,
    POLAR_START,
    TICKS_PER_DEGREE,
    TICKS_PER_MINUTE,
    check_level,
)
from jingwei.grid.polar import BEIDOU_ZONES, Zone, zone_at, zone_of
from jingwei.grid.ticks import Angle, signed_ticks

HEX = "0123456789ABCDEF"
ROWS = "ABCDEFGHIJKLMNOPQRSTUV"
LENGTH = (1, 4, 6, 7, 9, 11, 12, 14, 16, 18, 20)
"""Characters of a code of levels 0-10."""

LAST_LEVEL = 10
LAST_POLAR_LEVEL = 2
WIDTH = (0, 6 * TICKS_PER_DEGREE, 3_686_400, 1_843_200, TICKS_PER_MINUTE, 8_192, 4_096, 512, 64, 8, 1)
HEIGHT = (0, 4 * TICKS_PER_DEGREE, 3_686_400, 1_228_800, TICKS_PER_MINUTE, 8_192, 4_096, 512, 64, 8, 1)
"""Cell sides of levels 1-10 in ticks of longitude and of latitude (table 1)."""

COLUMNS = (0, 60, 12, 2, 15, 15, 2, 8, 8, 8, 8)
ROWS_PER_PARENT = (0, 22, 8, 3, 10, 15, 2, 8, 8, 8, 8)
ONE_DIGIT = (3, 6)
"""Levels whose cells are numbered by one digit, along the parallel first."""

EDGE_STEPS = ((0, 1), (1, 0), (0, -1), (-1, 0))
CORNER_STEPS = ((-1, 1), (1, 1), (1, -1), (-1, -1))
"""North, east, south, west; then the corners clockwise from the north-west."""

TWIN_LEVEL = {4: 15, 5: 19, 6: 20, 7: 23, 8: 26, 9: 29, 10: 32}
"""The GeoSOT level whose cells equal those of a BeiDou level."""

BEIDOU_LEVEL = {geosot: beidou for beidou, geosot in TWIN_LEVEL.items()}


def twin_level(level: int) -> int:
    """Return the GeoSOT level with the same cells as a BeiDou level, or raise `NoTwin`."""
    if level not in TWIN_LEVEL:
        raise NoTwin(f"BeiDou level {level} has no equal in GeoSOT; levels 4-10 have")
    return TWIN_LEVEL[level]


def beidou_level(level: int) -> int:
    """Return the BeiDou level with the same cells as a GeoSOT level, or raise `NoTwin`."""
    if level not in BEIDOU_LEVEL:
        levels = ", ".join(map(str, BEIDOU_LEVEL))
        raise NoTwin(f"GeoSOT level {level} has no equal among the BeiDou codes; levels {levels} have")
    return BEIDOU_LEVEL[level]


def text_of_ticks(west: bool, x: int, south: bool, y: int, level: int) -> str:
    """Return the code of the cell of a level that holds a point given in ticks.

    Raises
    ------
    PolarUnsupported
        At 88 degrees of latitude and beyond, for levels above 2.
    """
    text = "S" if south else "N"
    if level == 0:
        return text
    if y >= POLAR_START:
        return f"{text}000{zone_at(BEIDOU_ZONES, west, x, y, level).digits}"
    column, row = x // WIDTH[1], y // HEIGHT[1]
    text += f"{30 - column if west else 31 + column:02d}{ROWS[row]}"
    for deeper in range(2, level + 1):
        a = x % WIDTH[deeper - 1] // WIDTH[deeper]
        b = y % HEIGHT[deeper - 1] // HEIGHT[deeper]
        text += HEX[2 * b + a] if deeper in ONE_DIGIT else HEX[a] + HEX[b]
    return text


@dataclass(frozen=True, slots=True)
class BeidouCell:
    """A cell of GB/T 39409: its text, and what it covers.

    Attributes
    ----------
    text : str
        The code in upper case.
    level : int
        0 to 10.
    bounds : tuple of float
        West, south, east, north in degrees, CGCS2000; west > east where a polar cell crosses 180 degrees.
    """

    text: str
    level: int
    bounds: tuple[float, float, float, float]
    _anchor: tuple[bool, int, bool, int] | None

    @classmethod
    def at(cls, lon: Angle, lat: Angle, level: int = 10, *, normalize_lon: bool = False) -> BeidouCell:
        """Return the cell of a level that holds a point in degrees (see `texts.beidou_string`)."""
        level = check_level(level, 0, LAST_LEVEL)
        west, x = signed_ticks(lon, "lon", normalize_lon=normalize_lon)
        return parse(text_of_ticks(west, x, *signed_ticks(lat, "lat"), level))

    @property
    def centre(self) -> tuple[float, float]:
        """Longitude and latitude of the middle, in degrees."""
        if self._anchor is None:
            _, south, _, north = self.bounds
            zone = next((zone for zone in BEIDOU_ZONES if zone.digits == self.text[4:]), None)
            return zone.centre(south < 0) if zone and self.level else (0.0, (south + north) / 2)
        is_west, x, is_south, y = self._anchor
        lon = (2 * x + WIDTH[self.level]) / (2 * TICKS_PER_DEGREE)
        lat = (2 * y + HEIGHT[self.level]) / (2 * TICKS_PER_DEGREE)
        return -lon if is_west else lon, -lat if is_south else lat

    @property
    def anchor(self) -> tuple[float, float]:
        """Longitude and latitude of the corner nearest the origin, in degrees."""
        if self._anchor is None:
            raise NoTwin(f"{self.text} has no corner nearest the origin")
        west, x, south, y = self._anchor
        lon, lat = x / TICKS_PER_DEGREE, y / TICKS_PER_DEGREE
        return (-lon if west and x else lon), (-lat if south and y else lat)

    @property
    def code(self) -> int:
        """The unsigned 64-bit code of the equal GeoSOT cell, or `NoTwin`."""
        twin = twin_level(self.level)
        west, x, south, y = self._anchor  # type: ignore[misc]  # levels with a twin always have an anchor
        return code_of_ticks(west, x, south, y, twin)

    def parent(self) -> BeidouCell:
        """Return the cell of the level above that contains this one."""
        if self.level == 0:
            raise NoTwin(f"{self.text} is the whole hemisphere: it has no parent")
        return parse(self.text[: LENGTH[self.level - 1]])

    def children(self) -> list[BeidouCell]:
        """Return the cells of the level below that make up this one, in the order of their texts."""
        return list(_children(self))

    def neighbour(self, east: int, north: int) -> BeidouCell:
        """Return the cell so many columns to the east and rows to the north; columns close at 180 degrees.

        Raises
        ------
        OutOfRange
            The row lies in a polar cap, or this cell does, or is a whole hemisphere.
        """
        if self._anchor is None:
            raise OutOfRange(f"{self.text} has no column and row")
        west, x, south, y = self._anchor
        half = LON_END // WIDTH[self.level]
        column, row = x // WIDTH[self.level], y // HEIGHT[self.level]
        column = ((-column - 1 if west else column) + east + half) % (2 * half) - half
        row = (-row - 1 if south else row) + north
        x = (column if column >= 0 else -column - 1) * WIDTH[self.level]
        y = (row if row >= 0 else -row - 1) * HEIGHT[self.level]
        if y >= POLAR_START:
            raise OutOfRange(f"row {row} of BeiDou level {self.level} lies at 88 degrees and beyond")
        return parse(text_of_ticks(column < 0, x, row < 0, y, self.level))

    def neighbours(self, *, corners: bool = True) -> list[BeidouCell]:
        """Return the cells that share an edge (and, by default, a corner); none in the polar caps."""
        found: dict[str, BeidouCell] = {}
        for east, north in EDGE_STEPS + CORNER_STEPS if corners else EDGE_STEPS:
            try:
                cell = self.neighbour(east, north)
            except OutOfRange:
                continue
            found[cell.text] = cell
        return list(found.values())

    def __str__(self) -> str:
        return self.text


def _children(cell: BeidouCell) -> Iterator[BeidouCell]:
    level = check_level(cell.level + 1, 1, LAST_LEVEL)
    if level == 1:
        for column in range(1, 61):
            for row in ROWS:
                yield parse(f"{cell.text}{column:02d}{row}")
        yield parse(f"{cell.text}000")
        return
    if cell.text[1:4] == "000":
        zones = sorted(zone.digits for zone in BEIDOU_ZONES if zone.level == level)
        for digits in zones:
            yield parse(cell.text + digits)
        if zones:
            return
        text_of_ticks(west=False, x=0, south=False, y=POLAR_START, level=level)
    for index in range(COLUMNS[level] * ROWS_PER_PARENT[level]):
        if level in ONE_DIGIT:
            yield parse(cell.text + HEX[index])
        else:
            a, b = divmod(index, ROWS_PER_PARENT[level])
            yield parse(cell.text + HEX[a] + HEX[b])


def parse(text: str, *, lower_case: bool = False) -> BeidouCell:
    """Return the cell that a BeiDou code of levels 0-10 names.

    Parameters
    ----------
    text : str
        The code; spaces around it are ignored.
    lower_case : bool
        Also accept lower-case letters.

    Raises
    ------
    MalformedCode
        With the position of the first offending character and the reason.
    PolarUnsupported
        A code at the poles that goes on below level 2.
    """
    body = text.upper() if lower_case and text.isascii() else text
    start = len(body) - len(body.lstrip())
    reader = _Reader(body.strip(), start, text)
    length = len(reader.body)
    level = max((level for level in range(LAST_LEVEL + 1) if LENGTH[level] <= length), default=-1)
    cell = _read(reader, level) if level >= 0 else None  # a wrong character explains more than the length
    if cell is not None and length == LENGTH[level]:
        return cell
    raise _wrong_length(reader, level)


def _read(reader: _Reader, level: int) -> BeidouCell:
    """Return the cell of a level that the first characters name."""
    body = reader.body[: LENGTH[level]]
    south = reader.take("NS", "a BeiDou code begins with N or S") == 1
    if level == 0:
        lat = (-90.0, 0.0) if south else (0.0, 90.0)
        return BeidouCell(body, 0, (-180.0, lat[0], 180.0, lat[1]), None)
    tens = reader.take(HEX[:10], "the column is two decimal digits")
    column = 10 * tens + reader.take(HEX[:10], "the column is two decimal digits")
    if column == 0:
        return _read_polar(reader, level, south)
    if column > 60:
        raise reader.fault(f"the column {column} is beyond 60", back=2)
    row = reader.take(ROWS, "the row is a letter A-V")
    west = column <= 30
    x = (30 - column if west else column - 31) * WIDTH[1]
    y = row * HEIGHT[1]
    for deeper in range(2, level + 1):
        a, b = _take_pair(reader, deeper)
        x += a * WIDTH[deeper]
        y += b * HEIGHT[deeper]
    w, e = _signed(x, min(x + WIDTH[level], LON_END), west)
    s, n = _signed(y, min(y + HEIGHT[level], LAT_END), south)
    return BeidouCell(body, level, (w, s, e, n), (west, x, south, y))


def _wrong_length(reader: _Reader, level: int) -> MalformedCode:
    """Return the error of a text whose first characters are a code (of level -1: none) and which goes on."""
    length = len(reader.body)
    if level == LAST_LEVEL:
        return reader.fault("a BeiDou code has at most 20 characters")
    polar = reader.body[1:4] == "000"
    while level >= 0 and not polar and reader.at < length:
        column = level == 0
        alphabet = HEX[:10] if column else HEX[: COLUMNS[level + 1]]
        reader.take(
            alphabet, "the column is two decimal digits" if column else f"this digit is 0-{alphabet[-1]}"
        )
    lengths = ", ".join(map(str, LENGTH[:-1]))
    return MalformedCode(
        f"{length} characters end inside a level; codes have {lengths} or {LENGTH[-1]}",
        position=reader.start + length,
        text=reader.text,
    )


def _take_pair(reader: _Reader, level: int) -> tuple[int, int]:
    columns, rows = COLUMNS[level], ROWS_PER_PARENT[level]
    if level in ONE_DIGIT:
        last = columns * rows - 1
        b, a = divmod(reader.take(HEX[: last + 1], f"level {level} is a digit 0-{last}"), 2)
        return a, b
    a = reader.take(HEX[:columns], f"the longitude of level {level} is a digit 0-{HEX[columns - 1]}")
    return a, reader.take(HEX[:rows], f"the latitude of level {level} is a digit 0-{HEX[rows - 1]}")


def _read_polar(reader: _Reader, level: int, south: bool) -> BeidouCell:
    reader.take("0", "column 00 is the pole, whose row is 0")
    digits = reader.body[LENGTH[1] : LENGTH[level]]
    zones = {zone.digits: zone for zone in BEIDOU_ZONES}
    if level > LAST_POLAR_LEVEL:
        zone_at(BEIDOU_ZONES, west=False, x=0, y=POLAR_START, level=level)
    if digits not in zones:
        raise reader.fault(f"{digits} is none of the polar cells of GB/T 39409, figure 10")
    return _zone_cell(reader.body[: LENGTH[level]], zones[digits], south)


def _zone_cell(text: str, zone: Zone, south: bool) -> BeidouCell:
    lat = zone.latitudes(south)
    west, east = zone.longitudes()
    return BeidouCell(text, zone.level, (west, lat[0], east, lat[1]), None)


def _signed(near: int, far: int, negative: bool) -> tuple[float, float]:
    a, b = near / TICKS_PER_DEGREE, far / TICKS_PER_DEGREE
    return (-b, -a if near else 0.0) if negative else (a, b)


class _Reader:
    """Reads a code from left to right and knows where it is."""

    def __init__(self, body: str, start: int, text: str) -> None:
        self.body, self.start, self.text, self.at = body, start, text, 0

    def take(self, alphabet: str, reason: str) -> int:
        """Return the index in `alphabet` of the next character, or raise with its position."""
        character = self.body[self.at]
        index = alphabet.find(character)
        if index < 0:
            raise MalformedCode(f"{reason}, not {character!r}", position=self.start + self.at, text=self.text)
        self.at += 1
        return index

    def fault(self, reason: str, back: int = 0) -> MalformedCode:
        """Return the error for the character `back` places before the next one."""
        return MalformedCode(reason, position=self.start + self.at - back, text=self.text)


def of_code(code: int, level: int) -> str:
    """Return the BeiDou code of the cell that equals a GeoSOT cell, or raise `NoTwin`."""
    beidou = beidou_level(level)
    if zone_of(code, level):
        raise NoTwin("polar cells have no equal in the other standard")
    return text_of_ticks(*anchor(code, level), beidou)
