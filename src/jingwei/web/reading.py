"""What a person may type for a place: a code of either standard, or coordinates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from jingwei.errors import BadRequestError
from jingwei.grid import BeidouCell, Cell, GridError, parse, parse_beidou
from jingwei.grid.ticks import parse_angle
from jingwei.words import Text

ReadAs = Literal["beidou", "geosot", "integer", "coordinate"]

COORDINATE_LEVEL = 23
"""The level shown for a pair of coordinates unless another is asked for: 1/4 arc-second, about 8 m."""

_PAIR = re.compile(r"\s*(?P<first>[^,，;；]+?)\s*[,，;；]\s*(?P<second>[^,，;；]+?)\s*")
_PAIR_OF_DECIMALS = re.compile(r"\s*(?P<first>[+-]?\d+(?:\.\d+)?)\s+(?P<second>[+-]?\d+(?:\.\d+)?)\s*")
_LONGITUDE = re.compile(r"[EWew东西]")


@dataclass(frozen=True, slots=True)
class Place:
    """A place that a text names: a cell of GeoSOT, or one of the BeiDou cells that GeoSOT lacks."""

    read_as: ReadAs
    cell: Cell | BeidouCell


class NoPlaceError(BadRequestError):
    """A text names no place."""

    code = "no-place"


def coordinates_of(text: str) -> tuple[float, float] | None:
    """Return longitude and latitude of a text that has the form of a pair of coordinates, else None.

    Latitude comes first, as people write it (`22.54, 114.05`), unless letters or ranges say otherwise.

    Raises
    ------
    GridError
        It has the form of a pair, but a part is unreadable or out of range.

    """
    match = _PAIR.fullmatch(text) or _PAIR_OF_DECIMALS.fullmatch(text)
    if match is None:
        return None
    first, second = match["first"], match["second"]
    if _longitude_first(first, second):
        first, second = second, first
    lat, lon = parse_angle(first, "lat"), parse_angle(second, "lon")
    return float(lon), float(lat)


def _longitude_first(first: str, second: str) -> bool:
    if _LONGITUDE.search(first):
        return True
    try:
        return abs(parse_angle(first, "lon")) > 90 >= abs(parse_angle(second, "lat"))
    except GridError:
        return False


def read_place(text: str, level: int | None = None) -> Place:
    """Return the cell that `text` names; coordinates give the cell of `level` around them.

    Raises
    ------
    GridError
        It has the form of a code or of coordinates, but is none: with position and reason.
    NoPlaceError
        It has neither form.

    """
    body = text.strip()
    point = coordinates_of(body)
    if point is not None:
        return Place("coordinate", Cell.at(*point, COORDINATE_LEVEL if level is None else level))
    body = body.upper()
    if body[:1] in ("N", "S"):
        beidou = parse_beidou(body)
        return Place("beidou", parse(body) if beidou.level >= 4 else beidou)
    if body[:1] == "G":
        return Place("geosot", parse(body))
    if body[:1].isdigit() or body[:1] == "-":
        return Place("integer", parse(body))
    raise NoPlaceError(
        Text("这不是网格编码，也不是坐标", "This is neither a grid code nor a pair of coordinates"),
        mend=Text(
            "北斗编码以 N 或 S 开头，GeoSOT 编码以 G 开头，坐标写作“22.54, 114.06”。",
            "A BeiDou code begins with N or S, a GeoSOT code with G; coordinates read `22.54, 114.06`.",
        ),
        where={"text": text[:80], "position": 0},
    )
