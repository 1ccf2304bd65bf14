"""GB/T 39409-2020, three-dimensional codes (clause 6): a height woven into the two-dimensional code.

The standard contradicts itself on how layers turn into digits; a code carries no mark of the reading, so that
every code here goes with its profile:

`mixed`
    The normative clauses 6.1 and 6.2: layers of 4 degrees, 30, 15 and 1 minute, 4, 2 and 1/4 seconds and on,
    digits 0-E at levels 4 and 5. This is what Jingwei writes.
`c3_literal_twos`
    The informative annex C.3 to the letter: the bits of the layer count, two's complement below ground.
`c3_literal_signabs`
    The same with a sign and the absolute count below ground, as some programs write it.

All three agree from 0 to 1 839.585 m and differ everywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from jingwei.grid import beidou
from jingwei.grid.arrays import Errors, check_errors, is_scalar, single, texts_of
from jingwei.grid.beidou import HEX, LENGTH, BeidouCell
from jingwei.grid.errors import MalformedCode, MalformedCoordinate, OutOfRange
from jingwei.grid.heights import HEIGHT_END, height_of, height_ticks
from jingwei.grid.levels import TICKS_PER_DEGREE, TICKS_PER_MINUTE, check_level
from jingwei.grid.texts import beidou_string, element_of, rows_of, with_faults

Profile = Literal["mixed", "c3_literal_twos", "c3_literal_signabs"]
PROFILES: tuple[Profile, ...] = ("mixed", "c3_literal_twos", "c3_literal_signabs")

MIXED_UNITS = (
    HEIGHT_END,
    4 * TICKS_PER_DEGREE,
    30 * TICKS_PER_MINUTE,
    15 * TICKS_PER_MINUTE,
    TICKS_PER_MINUTE,
    8_192,
    4_096,
    512,
    64,
    8,
    1,
)
"""Thickness of a layer of levels 0-10 in ticks, by clause 6.2."""

LITERAL_UNITS = tuple(1 << bits for bits in (31, 25, 22, 21, 17, 13, 12, 9, 6, 3, 0))
"""The same by equation C.14, which cuts the count at bits."""

MIXED_LAST = (1, 63, 7, 1, 14, 14, 1, 7, 7, 7, 7)
LITERAL_LAST = (1, 63, 7, 1, 15, 15, 1, 7, 7, 7, 7)
"""Highest digit of each level; that of level 1 is written with two decimal digits."""

HEIGHT_LENGTH = tuple(level + 2 if level else 1 for level in range(11))
LENGTH_3D = tuple(LENGTH[level] + HEIGHT_LENGTH[level] for level in range(11))
"""Characters of a code of levels 0-10: 2, 7, 10, 12, 15, 18, 20, 23, 26, 29, 32."""


@dataclass(frozen=True, slots=True)
class BeidouSolid:
    """A cell of GB/T 39409 with its layer of heights.

    Attributes
    ----------
    text : str
        The woven code.
    level : int
        0 to 10.
    profile : str
        The reading of the standard by which the code was written or read.
    cell : BeidouCell
        The two-dimensional cell.
    height_digits : str
        The height code by itself, 1 to 12 characters.
    low, high : int
        Lower and upper face of the layer in ticks; the lower one belongs to it.
    """

    text: str
    level: int
    profile: Profile
    cell: BeidouCell
    height_digits: str
    low: int
    high: int

    @classmethod
    def at(cls, lon: Any, lat: Any, height: Any, level: int = 10, profile: Profile = "mixed") -> BeidouSolid:
        """Return the cell and layer of a level that hold a point (see `beidou3d_string`)."""
        return _parse_one(str(beidou3d_string(lon, lat, height, level, profile)), profile)

    @property
    def bottom_m(self) -> float:
        """Lower face in metres above the ellipsoid of CGCS2000."""
        return float(height_of(self.low))

    @property
    def top_m(self) -> float:
        """Upper face in metres above the ellipsoid of CGCS2000."""
        return float(height_of(self.high))

    def above(self, layers: int = 1) -> BeidouSolid:
        """Return the cell so many layers higher (lower, if negative), over the surface too."""
        unit = (MIXED_UNITS if self.profile == "mixed" else LITERAL_UNITS)[self.level]
        if self.profile != "c3_literal_signabs" or unit == 1:
            # The outermost layers are cut at the ends of the range: count from the face that is not.
            low = (self.low if self.low >= 0 else self.high - unit) + layers * unit
            tick = low if low >= 0 else low + unit - 1
        else:
            # Layers of absolute values: those below the surface are numbered -1, -2 ... downwards.
            number = self.low // unit if self.low >= 0 else -1 - (1 - self.high) // unit
            number += layers
            tick = number * unit if number >= 0 else min(-1, (number + 1) * unit)
        return _solid(self.cell, _digits(tick, self.level, self.profile), self.profile)

    def __str__(self) -> str:
        return self.text


@overload
def beidou3d_string(
    lon: float | str, lat: float | str, height: float | str, level: int, profile: Profile = "mixed"
) -> str: ...


@overload
def beidou3d_string(
    lon: Any,
    lat: Any,
    height: Any,
    level: int,
    profile: Profile = "mixed",
    *,
    normalize_lon: bool = False,
    errors: Errors = "raise",
) -> Any: ...


def beidou3d_string(
    lon: Any,
    lat: Any,
    height: Any,
    level: int,
    profile: Profile = "mixed",
    *,
    normalize_lon: bool = False,
    errors: Errors = "raise",
) -> Any:
    """Return the three-dimensional code of each point (GB/T 39409, clause 6).

    Parameters
    ----------
    lon, lat : number, text, or column of them
        Degrees on CGCS2000.
    height : number, text, or column of them
        Metres above the ellipsoid of CGCS2000; one for all points, or one each.
    level : int
        0 to 10.
    profile : {"mixed", "c3_literal_twos", "c3_literal_signabs"}
        How layers turn into digits; see the module.
    normalize_lon : bool
        Take 180 degrees east as 180 degrees west.
    errors : {"raise", "mask"}
        Raise at the first bad element, or answer an empty text for it and mark it.

    Returns
    -------
    str, or array of dtype `S` (ASCII bytes), or (texts, bad) with `errors="mask"`
        The texts do not say their profile: keep it beside them.

    Raises
    ------
    MalformedCoordinate, OutOfRange, PolarUnsupported
        With the index of the element, in a column.
    """
    level = check_level(level, 0, beidou.LAST_LEVEL)
    _check_profile(profile)
    if is_scalar(lon) and is_scalar(lat) and is_scalar(height):

        def woven() -> str:
            plane: str = beidou_string(lon, lat, level, normalize_lon=normalize_lon)
            return weave(plane, _digits(height_ticks(height), level, profile))

        return single(woven, errors, ("",))
    plane, bad = beidou_string(lon, lat, level, normalize_lon=normalize_lon, errors="mask")
    ticks, none = height_ticks(height, errors="mask")
    if np.shape(none) not in ((), np.shape(bad)):
        raise MalformedCoordinate(
            f"there are heights of shape {np.shape(none)} and points of {np.shape(bad)}"
        )
    if not check_errors(errors):
        _raise_first(bad, none, lambda: beidou_string(lon, lat, level), lambda: height_ticks(height))
    bad = bad | none
    out = _woven_rows(plane, np.broadcast_to(ticks, bad.shape), level, profile)
    out[bad] = 0
    texts = out.view(f"S{LENGTH_3D[level]}")[..., 0]
    return (texts, bad) if check_errors(errors) else texts


def _raise_first(bad: Any, none: Any, of_points: Any, of_heights: Any) -> None:
    """Raise for the first bad element, of the point before that of the height."""
    first, second = (int(np.argmax(mask)) if np.any(mask) else np.size(bad) for mask in (bad, none))
    if np.any(bad) or np.any(none):
        (of_points if first <= second else of_heights)()


def _woven_rows(plane: Any, ticks: NDArray[np.int64], level: int, profile: Profile) -> NDArray[np.uint8]:
    """Return three-dimensional codes as rows of bytes."""
    letters = np.ascontiguousarray(plane).view(np.uint8).reshape(*plane.shape, LENGTH[level])
    digits = _digit_rows(ticks, level, profile)
    out = np.zeros((*plane.shape, LENGTH_3D[level]), dtype=np.uint8)
    for stage in range(level + 1):
        (a, b), (c, d) = _parts(stage)
        at = LENGTH_3D[stage - 1] if stage else 0
        out[..., at : at + b - a] = letters[..., a:b]
        out[..., at + b - a : LENGTH_3D[stage]] = digits[..., c:d]
    return out


def _parts(level: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return where a level stands in the two-dimensional code and in the height code."""
    if level == 0:
        return (0, 1), (0, 1)
    return (LENGTH[level - 1], LENGTH[level]), (HEIGHT_LENGTH[level - 1], HEIGHT_LENGTH[level])


def weave(plane: str, digits: str) -> str:
    """Return a two-dimensional code and a height code of the same level as one three-dimensional code."""
    level = LENGTH.index(len(plane))
    spans = [_parts(stage) for stage in range(level + 1)]
    return "".join(plane[a:b] + digits[c:d] for (a, b), (c, d) in spans)


def height_digits(height: Any, level: int, profile: Profile = "mixed") -> str:
    """Return the height code by itself, 1 to 12 characters for levels 0-10."""
    level = check_level(level, 0, beidou.LAST_LEVEL)
    _check_profile(profile)
    return _digits(height_ticks(height), level, profile)


def _numbers(ticks: Any, level: int, profile: Profile) -> list[Any]:
    """Return the digit of each level for a count of ticks, or for an array of them."""
    units: tuple[int, ...] = MIXED_UNITS if profile == "mixed" else LITERAL_UNITS
    if profile == "mixed":
        rest = ticks % HEIGHT_END
    else:
        rest = abs(ticks) if profile == "c3_literal_signabs" else ticks % LITERAL_UNITS[0]
    numbers = [(ticks < 0) * 1]
    for deeper in range(1, level + 1):
        numbers.append(rest // units[deeper])
        rest = rest % units[deeper]
    return numbers


def _digits(ticks: int, level: int, profile: Profile) -> str:
    if not -HEIGHT_END <= ticks < HEIGHT_END:
        raise OutOfRange("this layer lies outside -6302107 m to 528680171 m")
    sign, *numbers = _numbers(ticks, level, profile)
    return str(sign) + "".join(f"{n:02d}" if i == 0 else HEX[n] for i, n in enumerate(numbers))


def _digit_rows(ticks: NDArray[np.int64], level: int, profile: Profile) -> NDArray[np.uint8]:
    letters = np.frombuffer(HEX.encode(), dtype=np.uint8)
    sign, *numbers = _numbers(ticks, level, profile)
    columns = [sign]
    for i, n in enumerate(numbers):
        columns.extend((n // 10, n % 10) if i == 0 else (n,))
    rows: NDArray[np.uint8] = letters[np.stack(columns, axis=-1)]
    return rows


@overload
def parse_beidou3d(text: str, profile: Profile = "mixed", *, lower_case: bool = False) -> BeidouSolid: ...


@overload
def parse_beidou3d(
    text: Any, profile: Profile = "mixed", *, lower_case: bool = False, errors: Errors = "raise"
) -> Any: ...


def parse_beidou3d(
    text: Any, profile: Profile = "mixed", *, lower_case: bool = False, errors: Errors = "raise"
) -> Any:
    """Return the cell and layer that a three-dimensional code names, read by a profile.

    Parameters
    ----------
    text : str or column of str
        One code of levels 0-10, or a column of codes of levels 4-10.
    profile : {"mixed", "c3_literal_twos", "c3_literal_signabs"}
        How its layers were turned into digits; the code does not say it.
    lower_case : bool
        Also accept lower-case letters.
    errors : {"raise", "mask"}
        For a column: raise at the first bad element, or answer zeros for it and mark it.

    Returns
    -------
    BeidouSolid, or (codes, levels, low, high), or (codes, levels, low, high, bad) with `errors="mask"`
        Of a column: GeoSOT codes and levels (uint64, uint8), and the faces of the layers in ticks (int64).

    Raises
    ------
    MalformedCode
        With the position of the first offending character (or element) and the reason.
    NoTwin
        A code of levels 0-3 in a column has no 64-bit code.
    PolarUnsupported
        A code at the poles that goes on below level 2.
    """
    _check_profile(profile)
    if not isinstance(text, str):
        return _parse_column(text, profile, lower_case, errors)
    return _parse_one(text.upper() if lower_case and text.isascii() else text, profile)


def _parse_column(texts: Any, profile: Profile, lower_case: bool, errors: Errors) -> Any:
    from jingwei.grid import kernels_text

    column, _ = texts_of(texts, lower_case=lower_case)
    flat = column.ravel()
    codes, levels = np.empty(flat.size, np.uint64), np.empty(flat.size, np.uint8)
    low, high = np.empty(flat.size, np.int64), np.empty(flat.size, np.int64)
    units, last = (MIXED_UNITS, MIXED_LAST) if profile == "mixed" else (LITERAL_UNITS, LITERAL_LAST)
    faults = kernels_text.solids_of_texts(
        rows_of(column),
        np.array(units),
        np.array(last),
        profile != "c3_literal_signabs",
        HEIGHT_END,
        codes,
        levels,
        low,
        high,
    )
    bad = levels == 0 if faults else np.zeros(flat.size, dtype=bool)

    def fault(index: int) -> None:
        beidou.twin_level(_parse_one(element_of(texts, index, lower_case), profile).level)

    return with_faults((codes, levels, low, high), bad, column.shape, errors, fault)


def _parse_one(text: str, profile: Profile) -> BeidouSolid:
    body = text.strip()
    start = len(text) - len(text.lstrip())
    if len(body) not in LENGTH_3D:
        complete = max((length for length in LENGTH_3D if length <= len(body)), default=0)
        if complete:  # a wrong character explains more than a wrong length
            try:
                _parse_one(text[: start + complete], profile)
            except MalformedCode as error:
                raise MalformedCode(error.reason, position=error.position, text=text) from None
        raise MalformedCode(
            f"{len(body)} characters are no whole level; three-dimensional codes have "
            f"{', '.join(map(str, LENGTH_3D[:-1]))} or 32",
            position=start + min(len(body), LENGTH_3D[-1]),
            text=text,
        )
    level = LENGTH_3D.index(len(body))
    plane, digits = _unwoven(range(len(body)), level)
    try:
        cell = beidou.parse("".join(body[i] for i in plane))
    except MalformedCode as error:
        at = start + (plane[error.position] if error.position is not None else 0)
        raise MalformedCode(error.reason, position=at, text=text) from None
    height = "".join(body[i] for i in digits)
    try:
        return _solid(cell, height, profile)
    except MalformedCode as error:
        raise MalformedCode(error.reason, position=start + digits[error.position or 0], text=text) from None


def _unwoven(places: range, level: int) -> tuple[list[int], list[int]]:
    """Return the positions of the two-dimensional code and those of the height code."""
    plane: list[int] = []
    digits: list[int] = []
    at = 0
    for stage in range(level + 1):
        (a, b), _ = _parts(stage)
        plane.extend(places[at : at + b - a])
        digits.extend(places[at + b - a : LENGTH_3D[stage]])
        at = LENGTH_3D[stage]
    return plane, digits


def _solid(cell: BeidouCell, digits: str, profile: Profile) -> BeidouSolid:
    low, high = layer_of(digits, profile)
    return BeidouSolid(weave(cell.text, digits), cell.level, profile, cell, digits, low, high)


def layer_of(digits: str, profile: Profile = "mixed") -> tuple[int, int]:
    """Return lower and upper face, in ticks, of the layer that a height code names.

    Raises
    ------
    MalformedCode
        With the position in the height code.
    """
    _check_profile(profile)
    if len(digits) not in HEIGHT_LENGTH:
        raise MalformedCode("a height code has 1 or 3 to 12 characters", position=len(digits), text=digits)
    level = HEIGHT_LENGTH.index(len(digits))
    units, last = (MIXED_UNITS, MIXED_LAST) if profile == "mixed" else (LITERAL_UNITS, LITERAL_LAST)
    negative = _digit(digits, 0, last[0]) == 1
    count = 0
    for deeper in range(1, level + 1):
        if deeper == 1:
            number = 10 * _digit(digits, 1, 9) + _digit(digits, 2, 9)
            if number > last[1]:
                raise MalformedCode(
                    f"the layer of level 1 is 00-63, not {digits[1:3]}", position=1, text=digits
                )
        else:
            number = _digit(digits, deeper + 1, last[deeper])
        count += number * units[deeper]
    unit = units[level]
    if not negative:
        low, high = count, count + unit
    elif profile == "c3_literal_signabs":
        # The layer of 0 has the sign 0, so that the one below the surface lacks it.
        low, high = 1 - count - unit, min(1 - count, 0)
    else:
        low = count - units[0]
        high = low + unit
    low, high = max(low, -HEIGHT_END), min(high, HEIGHT_END)
    if low >= high:
        raise MalformedCode("there is no such layer", position=0, text=digits)
    return low, high


def _digit(digits: str, at: int, last: int) -> int:
    number = HEX.find(digits[at])
    if not 0 <= number <= last:
        raise MalformedCode(
            f"this digit of the height is 0-{HEX[last]}, not {digits[at]!r}", position=at, text=digits
        )
    return number


def _check_profile(profile: str) -> None:
    if profile not in PROFILES:
        raise ValueError(f"the profile of a BeiDou height is one of {', '.join(PROFILES)}, not {profile!r}")
