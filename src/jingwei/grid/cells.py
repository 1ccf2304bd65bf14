"""One cell as a value: what it is called in each standard, what it covers, and what surrounds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, overload

from jingwei.grid import adjacency, beidou, codes, geosot
from jingwei.grid.arrays import Errors
from jingwei.grid.errors import GridError, LevelError, MalformedCode
from jingwei.grid.levels import check_level
from jingwei.grid.texts import parse_beidou_texts, parse_geosot_texts


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A cell of GB/T 40087: its unsigned 64-bit code and its level.

    Raises
    ------
    MalformedCode
        No such cell: bits below the level, a pad, or a place out of the earth.
    """

    code: int
    level: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "level", check_level(self.level))
        object.__setattr__(self, "code", geosot.check_code(self.code, self.level))

    @classmethod
    def at(cls, lon: Any, lat: Any, level: int = 32, *, normalize_lon: bool = False) -> Cell:
        """Return the cell of a level that holds a point in degrees (see `codes.encode`)."""
        return cls(codes.encode(lon, lat, level, normalize_lon=normalize_lon), level)

    @property
    def stored(self) -> int:
        """The code as a signed 64-bit integer, the form of a `jw_cell` column."""
        return geosot.stored(self.code)

    @property
    def geosot(self) -> str:
        """The quaternary text of GB/T 40087 with its separators."""
        return geosot.text_of(self.code, self.level)

    @property
    def binary(self) -> tuple[str, str]:
        """The two-dimensional binary form of GB/T 40087, 6.2.3: latitude and longitude, `level` bits each."""
        return geosot.binary_of(self.code, self.level)

    @property
    def beidou(self) -> str | None:
        """The code of GB/T 39409 that names the same cell, or None where there is none."""
        if self.level not in beidou.BEIDOU_LEVEL:
            return None
        return beidou.of_code(self.code, self.level)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees."""
        return geosot.bounds_in_degrees(self.code, self.level)

    @property
    def centre(self) -> tuple[float, float]:
        """Longitude and latitude of the middle, in degrees."""
        return geosot.centre_in_degrees(self.code, self.level)

    @property
    def area_m2(self) -> float:
        """True area in m2 on CGCS2000."""
        return float(codes.area_m2(self.code, self.level))

    @property
    def size_m(self) -> tuple[float, float]:
        """Width and height in metres through the middle."""
        width, height = codes.size_m(self.code, self.level)
        return width, height

    @property
    def range(self) -> tuple[int, int]:
        """Lowest and highest stored code of all descendants, both inclusive."""
        return geosot.range_of(self.code, self.level)

    def parent(self, level: int | None = None) -> Cell:
        """Return the cell of a coarser level (by default the next) that contains this one."""
        if level is None:
            if self.level == 0:
                raise LevelError("the cell of level 0 is the whole earth: it has no parent")
            level = self.level - 1
        return Cell(codes.parent(self.code, self.level, level), level)

    def ancestors(self) -> list[Cell]:
        """Return all cells of levels 1 and up that contain this one, the coarsest first."""
        return [Cell(code, level) for code, level in codes.ancestors(self.code, self.level)]

    def children(self, level: int | None = None) -> list[Cell]:
        """Return the cells of a finer level (by default the next) that make up this one."""
        level = self.level + 1 if level is None else level
        return [Cell(int(code), level) for code in codes.children(self.code, self.level, level)]

    def contains(self, other: Cell) -> bool:
        """Say whether `other` is this cell or one of its descendants."""
        return bool(codes.contains(self.code, self.level, other.code, other.level))

    def neighbour(self, east: int, north: int) -> Cell:
        """Return the cell so many columns to the east and rows to the north."""
        return Cell(adjacency.neighbour(self.code, self.level, east, north), self.level)

    def neighbours(self, *, corners: bool = True) -> list[Cell]:
        """Return the cells that share an edge (and, by default, a corner) with this one."""
        return [
            Cell(code, self.level) for code in adjacency.neighbours(self.code, self.level, corners=corners)
        ]

    def ring(self, distance: int) -> list[Cell]:
        """Return the cells exactly so many steps away."""
        return [Cell(code, self.level) for code in adjacency.ring(self.code, self.level, distance)]

    def distance(self, other: Cell) -> int:
        """Return the number of steps over edges or corners to a cell of the same level."""
        if other.level != self.level:
            raise LevelError(f"the cells are of levels {self.level} and {other.level}")
        return adjacency.grid_distance(self.code, other.code, self.level)

    def common_ancestor(self, other: Cell) -> Cell:
        """Return the finest cell that contains both."""
        return Cell(*codes.common_ancestor(self.code, self.level, other.code, other.level))

    def __str__(self) -> str:
        return self.geosot


@overload
def parse_geosot(text: str, *, lower_case: bool = False) -> Cell: ...


@overload
def parse_geosot(text: Any, *, lower_case: bool = False, errors: Errors = "raise") -> Any: ...


def parse_geosot(text: Any, *, lower_case: bool = False, errors: Errors = "raise") -> Any:
    """Return the cell of a quaternary text, with or without separators; codes and levels of a column.

    Parameters
    ----------
    text : str or column of str
    lower_case : bool
        Also accept a small g.
    errors : {"raise", "mask"}
        For a column: raise at the first bad element, or answer zeros for it and mark it.

    Raises
    ------
    MalformedCode
        With the position of the first offending character (or element) and the reason.
    """
    if isinstance(text, str):
        return Cell(*geosot.parse_text(_capitals(text, lower_case)))
    return parse_geosot_texts(text, lower_case=lower_case, errors=errors)


def parse_geosot_binary(lat: str, lon: str) -> Cell:
    """Return the cell of a two-dimensional binary form: bits of latitude and of longitude.

    Raises
    ------
    MalformedCode
        Characters other than 0 and 1, unequal or excessive length, or no such cell.
    """
    return Cell(*geosot.parse_binary(lat, lon))


@overload
def parse_beidou(text: str, *, lower_case: bool = False) -> beidou.BeidouCell: ...


@overload
def parse_beidou(text: Any, *, lower_case: bool = False, errors: Errors = "raise") -> Any: ...


def parse_beidou(text: Any, *, lower_case: bool = False, errors: Errors = "raise") -> Any:
    """Return the `BeidouCell` that a code of levels 0-10 names; GeoSOT codes and levels of a column.

    Parameters
    ----------
    text : str or column of str
        One code of levels 0-10, or a column of codes of levels 4-10.
    lower_case : bool
        Also accept lower-case letters.
    errors : {"raise", "mask"}
        For a column: raise at the first bad element, or answer zeros for it and mark it.

    Raises
    ------
    MalformedCode, NoTwin, PolarUnsupported
        With the position of the first offending character (or element) and the reason.
    """
    if isinstance(text, str):
        return beidou.parse(text, lower_case=lower_case)
    return parse_beidou_texts(text, lower_case=lower_case, errors=errors)


def parse(text: str, *, lower_case: bool = False) -> Cell:
    """Return the cell that a text names: GeoSOT `G...`, BeiDou `N...`/`S...`, or decimal `code64-level`.

    Raises
    ------
    MalformedCode
        The text is none of these; with position and reason.
    NoTwin
        A BeiDou code of levels 0-3 names no GeoSOT cell: read it with `parse_beidou`.
    """
    text = _capitals(text, lower_case)
    body = text.strip()
    if body[:1] == "G":
        return Cell(*geosot.parse_text(text))
    if body[:1] in ("N", "S"):
        cell = beidou.parse(text)
        return Cell(cell.code, beidou.twin_level(cell.level))
    return _parse_decimal(text)


def _capitals(text: str, lower_case: bool) -> str:
    return text.upper() if lower_case and text.isascii() else text


def _parse_decimal(text: str) -> Cell:
    body = text.strip()
    start = len(text) - len(text.lstrip())
    number, dash, level = body.rpartition("-")
    if not dash or not number:
        raise MalformedCode(
            "a code begins with G, N or S, or is a decimal number and its level: 412869894958481408-23",
            position=start,
            text=text,
        )
    for part, offset in ((number.removeprefix("-"), number.startswith("-")), (level, len(number) + 1)):
        for i, character in enumerate(part):
            if not (character.isascii() and character.isdigit()):
                raise MalformedCode(
                    f"{character!r} is not a decimal digit", position=start + offset + i, text=text
                )
        if not part:
            raise MalformedCode("a decimal number is missing here", position=start + offset, text=text)
    try:
        return Cell(int(number), int(level))
    except GridError as error:
        at = start + len(number) + 1 if isinstance(error, LevelError) else start
        raise MalformedCode(error.reason, position=at, text=text) from None
