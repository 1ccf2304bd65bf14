"""The height law that both standards share, and the height code of GB/T 40087-2021 (5.6, 6.3).

Heights are ellipsoidal, on CGCS2000 (GB/T 39409, 4.1): a normal height (1985) needs the geoid's first. They
map to an angle, φ = ln(1 + H/r0) / ln(1 + π/180) degrees, which is counted in ticks as a latitude is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from jingwei.grid import geosot
from jingwei.grid.arrays import Bools, Errors, answer, floats_of, is_exact, is_scalar, one_by_one, single
from jingwei.grid.errors import GridError, MalformedCode, MalformedCoordinate, OutOfRange
from jingwei.grid.levels import SIZE, TICKS_PER_DEGREE, TICKS_PER_MINUTE, check_level
from jingwei.grid.ticks import SNAP

R0 = 6_378_137.0
"""Metres: the semi-major axis of CGCS2000."""

HEIGHT_END = 256 * TICKS_PER_DEGREE
"""Layers run from -256 to below 256 degrees: from 6302 km below to 528 680 km above (GB/T 39409, C.13)."""

HeightProfile = Literal["raw", "nested"]

_LOG_STEP = math.log1p(math.pi / 180)
_DOUBTFUL = 1e-4
"""Ticks. The double formula errs by less than this; nearer to a whole tick it is computed with 60 digits."""

_PI = Decimal(
    "3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798"
)


@overload
def height_ticks(height: float | str | Decimal | Fraction) -> int: ...


@overload
def height_ticks(height: Any, *, errors: Errors = "raise") -> Any: ...


def height_ticks(height: Any, *, errors: Errors = "raise") -> Any:
    """Return the layers of 1/2048 arc-second below each height: floor(φ · 7372800).

    Parameters
    ----------
    height : number, text, or column of them
        Metres above the ellipsoid of CGCS2000. Binary floats follow the snap rule, other types are exact.
    errors : {"raise", "mask"}
        Raise at the first bad element, or answer 0 for it and mark it.

    Returns
    -------
    int, or int64 array, or (ticks, bad) with `errors="mask"`

    Raises
    ------
    MalformedCoordinate
        Not a finite number.
    OutOfRange
        Below the lowest layer or above the highest.
    """
    if is_scalar(height):
        value = height.item() if isinstance(height, np.generic) else height
        return single(lambda: _ticks_of_number(value), errors, (0,))
    if is_exact(height):
        return one_by_one(_ticks_of_number, (height,), lambda n: np.zeros(n, np.int64), errors)
    metres, nulls = floats_of(height, "height")
    ticks, bad = _ticks_of_floats(metres)
    if nulls is not None:
        bad |= nulls.reshape(metres.shape)
    ticks[bad] = 0

    def fault(index: int) -> GridError:
        try:
            _ticks_of_number(float(metres.flat[index]))
        except GridError as error:
            return type(error)(error.reason, position=index)
        return MalformedCoordinate("the height is null", position=index)

    return answer(ticks, bad, errors, fault)


def _ticks_of_floats(metres: NDArray[np.float64]) -> tuple[NDArray[np.int64], Bools]:
    """Return the ticks of heights, and which of them have none."""
    bad: Bools = ~(np.isfinite(metres) & (metres > -R0))
    angle = np.log1p(np.where(bad, 0.0, metres) / R0) / _LOG_STEP * TICKS_PER_DEGREE
    ticks = np.floor(angle)
    doubtful = (np.abs(angle - np.rint(angle)) < _DOUBTFUL) | (np.abs(ticks) >= HEIGHT_END - 1)
    for i in np.flatnonzero(doubtful & ~bad & (metres != 0)):
        try:
            ticks.flat[i] = _ticks_of_number(float(metres.flat[i]))
        except OutOfRange:
            bad.flat[i] = True
    return np.where(bad, 0.0, ticks).astype(np.int64), bad


def _ticks_of_number(height: Any) -> int:
    if isinstance(height, bool) or not isinstance(height, str | int | float | Decimal | Fraction):
        raise MalformedCoordinate(f"the height is {height!r}, not a number")
    snap = Decimal(SNAP) if isinstance(height, float) else Decimal(0)
    try:
        exact = Fraction(height)
    except (ValueError, OverflowError, ZeroDivisionError) as error:
        raise MalformedCoordinate(f"the height {height!r} is not a finite number of metres") from error
    with localcontext(prec=60):
        ratio = 1 + Decimal(exact.numerator) / Decimal(exact.denominator) / Decimal(R0)
        if ratio <= 0:
            raise OutOfRange(f"the height {height} m is below the lowest layer, at -6302107 m")
        angle = ratio.ln() / (1 + _PI / 180).ln() * TICKS_PER_DEGREE + snap
        ticks = math.floor(angle)
    if not -HEIGHT_END <= ticks < HEIGHT_END:
        raise OutOfRange(f"the height {height} m is outside the layers, -6302107 m to 528680171 m")
    return ticks


def height_of(ticks: Any) -> Any:
    """Return the height in metres of the bottom of a layer of 1/2048 arc-second: r0 ((1 + π/180)^φ - 1)."""
    metres = R0 * np.expm1(np.asarray(ticks, dtype=np.float64) / TICKS_PER_DEGREE * _LOG_STEP)
    return float(metres) if metres.ndim == 0 else metres


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of heights as a code names it.

    Attributes
    ----------
    bits : str
        The height code of GB/T 40087, as many bits as the level; it begins with 1 below the ellipsoid.
    level : int
        1 to 32.
    profile : str
        `"raw"` is equation 5 to the letter, `"nested"` packs degrees, minutes and seconds as the axes do.
    low, high : int
        Its lower and upper face in ticks; the lower belongs to the layer.
    """

    bits: str
    level: int
    profile: HeightProfile
    low: int
    high: int

    @property
    def number(self) -> int:
        """Number of the layer, 0 just above the ellipsoid and -1 just below (meaningful for whole layers)."""
        return self.low // SIZE[self.level]

    @property
    def bottom_m(self) -> float:
        """Lower face in metres above the ellipsoid."""
        return float(height_of(self.low))

    @property
    def top_m(self) -> float:
        """Upper face in metres above the ellipsoid."""
        return float(height_of(self.high))


def geosot_height(height: Any, level: int, profile: HeightProfile = "raw") -> Layer:
    """Return the layer of a level that holds a height (GB/T 40087, 5.6 and 6.3).

    Parameters
    ----------
    height : number or text
        Metres above the ellipsoid of CGCS2000.
    level : int
        1 to 32.
    profile : {"raw", "nested"}
        `"raw"`, the form for exchange, is floor(φ / θ) in two's complement. Its codes do not begin with those
        of coarser layers where minutes or seconds pad: above 1 839.585 m from level 16, and below the
        ellipsoid. `"nested"` keeps that property (6.3.1 c) by packing.
    """
    level = check_level(level, 1)
    ticks = _ticks_of_number(height)
    if profile == "raw":
        number = ticks // SIZE[level]
        return parse_geosot_height(f"{number & ((1 << level) - 1):0{level}b}", profile)
    _check_profile(profile)
    word = (ticks < 0) << 31 | geosot.pack(ticks % HEIGHT_END)
    return parse_geosot_height(f"{word:032b}"[:level], profile)


def geosot_height_string(
    height: Any, level: int, profile: HeightProfile = "raw", *, errors: Errors = "raise"
) -> Any:
    """Return the height code of the layer of a level that holds each height, as bits.

    Parameters are those of `geosot_height`; heights may be a column, whose bad elements answer an empty text
    and are marked with `errors="mask"`.

    Returns
    -------
    str, or array of dtype `S` (ASCII bytes), or (texts, bad) with `errors="mask"`
    """
    level = check_level(level, 1)
    _check_profile(profile)
    if is_scalar(height):
        return single(lambda: geosot_height(height, level, profile).bits, errors, ("",))
    ticks, bad = height_ticks(height, errors="mask")
    if bad.any():
        height_ticks(height, errors=errors)  # raises, unless they are to be marked
    if profile == "raw":
        words = ticks // SIZE[level] << (32 - level)
    else:
        rest = ticks % HEIGHT_END
        minutes, degrees = rest // TICKS_PER_MINUTE, rest // TICKS_PER_DEGREE
        words = rest + geosot.MINUTE_PAD * minutes + geosot.DEGREE_PAD * degrees
        words |= (ticks < 0).astype(np.int64) << 31
    bits = words.astype(np.uint32)[..., None] >> np.arange(31, 31 - level, -1, dtype=np.uint32) & 1
    rows = np.ascontiguousarray(bits.astype(np.uint8) + np.uint8(ord("0")))
    rows[bad] = 0
    return answer(rows.view(f"S{level}")[..., 0], bad, errors, lambda i: MalformedCoordinate("", position=i))


def parse_geosot_height(text: str, profile: HeightProfile = "raw") -> Layer:
    """Return the layer that a height code names: its bits, or a sign and bits without leading zeros.

    Signed codes ("+10010") do not say their level; they are refused here, see `parse_signed_height`.

    Raises
    ------
    MalformedCode
        Not bits, too many of them, a pad, or a layer outside the range; with the position.
    """
    _check_profile(profile)
    for position, character in enumerate(text):
        if character not in "01":
            raise MalformedCode(f"{character!r} is not a binary digit", position=position, text=text)
    if not 1 <= len(text) <= 32:
        raise MalformedCode("a height code has 1 to 32 bits", position=min(len(text), 32), text=text)
    level, negative = len(text), text[0] == "1"
    if profile == "raw":
        number = int(text, 2) - (negative << level)
        low, high = number * SIZE[level], (number + 1) * SIZE[level]
    else:
        ticks = geosot.unpack(int(text[1:].ljust(31, "0"), 2))
        if ticks is None:
            raise MalformedCode(
                "this code points into the unused 60th-63rd minute or second", position=0, text=text
            )
        low = ticks - negative * HEIGHT_END
        high = geosot.far_edge(ticks, level, HEIGHT_END) - negative * HEIGHT_END
    low, high = max(low, -HEIGHT_END), min(high, HEIGHT_END)
    if low >= high:
        raise MalformedCode("this layer lies outside -256 to 256 degrees", position=0, text=text)
    return Layer(text, level, profile, low, high)


def parse_signed_height(text: str, level: int) -> Layer:
    """Return the layer of a raw height code written as sign and bits without leading zeros, e.g. `+10010`.

    Below the ellipsoid the bits are those of the two's complement, as GB/T 40087, 6.3.2 b) drops only zeros.
    """
    level = check_level(level, 1)
    if text[:1] not in ("+", "-"):
        raise MalformedCode("a signed height code begins with + or -", position=0, text=text)
    bits = text[1:].rjust(level, "0" if text[0] == "+" else "1")
    if len(bits) > level or (bits[:1] == "1") != (text[0] == "-"):
        raise MalformedCode(f"these bits do not fit level {level} and the sign", position=1, text=text)
    return parse_geosot_height(bits)


def _check_profile(profile: str) -> None:
    if profile not in ("raw", "nested"):
        raise ValueError(f"the profile of a GeoSOT height is 'raw' or 'nested', not {profile!r}")
