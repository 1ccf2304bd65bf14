"""From degrees, however they are written, to whole ticks of 1/2048 arc-second."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction
from numbers import Rational, Real
from typing import Any, Literal

from jingwei.grid.errors import MalformedCoordinate, OutOfRange
from jingwei.grid.levels import LAT_END, LON_END, TICKS_PER_DEGREE

Angle = float | int | str | Decimal | Fraction
"""Degrees as a binary float, or exactly: an integer, a Decimal, a Fraction, or a text in decimal degrees
or degrees, minutes and seconds."""

Axis = Literal["lon", "lat"]

SNAP = 1e-6
"""Binary floats this far (in ticks; 15 nm) below a cell edge are taken to lie on it.

A double of a longitude errs by at most 3e-7 tick, and a decimal of ten digits that is not on an edge is at
least 2.56e-6 tick away from one, so that the snap mends what binary rounding broke and moves nothing else.
"""

_LIMIT = {"lon": 180, "lat": 90}
_NAME = {"lon": "longitude", "lat": "latitude"}
_LETTERS = {"lon": ("E", "W"), "lat": ("N", "S")}
_WORDS = {"东经": "E", "西经": "W", "北纬": "N", "南纬": "S"}
_FULL_WIDTH = {0xFF01 + i: 0x21 + i for i in range(94)} | {0x3000: 0x20}
"""Full-width forms of ASCII, and the space that goes with them, as Chinese keyboards write them."""

_NUMBER = r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+"
_DECIMAL = re.compile(
    rf"(?P<sign>[+-]?)(?P<degrees>{_NUMBER})(?:[eE](?P<exponent>[+-]?[0-9]{{1,3}}))?\s*[°度d]?"
)
_SEXAGESIMAL = re.compile(
    rf"(?P<sign>[+-]?)(?P<degrees>[0-9]+)\s*(?:[°度:d]|\s)\s*"
    rf"(?P<minutes>{_NUMBER})\s*(?:['′’分:m]|\s|$)\s*"
    rf"(?:(?P<seconds>{_NUMBER})\s*(?:[\"″”秒s]|''|′′)?)?"
)


def signed_ticks(angle: Angle, axis: Axis, *, normalize_lon: bool = False) -> tuple[bool, int]:
    """Return the hemisphere and the whole ticks of one longitude or latitude.

    Parameters
    ----------
    angle : float, int, str, Decimal or Fraction
        Degrees on WGS84/CGCS2000, east and north positive. Binary floats follow the snap rule (`SNAP`); every
        other type is taken exactly. A text may be decimal (`"116.3"`) or sexagesimal (`39°59'35.38"N`,
        `"39 59 35.38 N"`, `"北纬39度59分35.38秒"`), in full-width characters too.
    axis : {"lon", "lat"}
        Which of the two it is.
    normalize_lon : bool
        Take 180 degrees east as 180 degrees west.

    Returns
    -------
    negative : bool
        True in the west or south. Zero and minus zero are east and north.
    ticks : int
        `floor(abs(angle) * 7372800)`; 180 degrees and 90 degrees stay in the last cell of their hemisphere.

    Raises
    ------
    MalformedCoordinate
        Not a number, not finite, or not readable.
    OutOfRange
        Beyond 180 degrees of longitude or 90 of latitude.
    """
    limit = _LIMIT[axis]
    value: Any = parse_angle(angle, axis) if isinstance(angle, str) else angle
    if isinstance(value, bool):
        raise MalformedCoordinate(f"the {_NAME[axis]} is {value!r}, not a number")
    if isinstance(value, Decimal):
        value = _finite_fraction(value, axis)
    if isinstance(value, Rational):
        exact = Fraction(value)
        _check_range(abs(exact) <= limit, angle, axis)
        negative, ticks = exact < 0, math.floor(abs(exact) * TICKS_PER_DEGREE)
    elif isinstance(value, Real):
        binary = float(value)
        if not math.isfinite(binary):
            raise MalformedCoordinate(f"the {_NAME[axis]} is {binary}, not a finite number")
        _check_range(abs(binary) <= limit, angle, axis)
        negative, ticks = binary < 0, math.floor(abs(binary) * TICKS_PER_DEGREE + SNAP)
    else:
        raise MalformedCoordinate(f"the {_NAME[axis]} is a {type(angle).__name__}, not a number")
    if normalize_lon and axis == "lon":
        negative = negative or ticks >= LON_END
    return negative, min(ticks, (LON_END if axis == "lon" else LAT_END) - 1)


def parse_angle(text: str, axis: Axis) -> Fraction:
    """Return the exact degrees that a text says, signed, east and north positive.

    Raises
    ------
    MalformedCoordinate
        The text is neither decimal nor sexagesimal degrees, or its hemisphere is of the other axis.
    """
    body, letter = _split_hemisphere(text.translate(_FULL_WIDTH).strip(), axis, text)
    match = _DECIMAL.fullmatch(body)
    if match:
        value = Fraction(match["degrees"]) * Fraction(10) ** int(match["exponent"] or 0)
    else:
        match = _SEXAGESIMAL.fullmatch(body)
        if not match:
            raise MalformedCoordinate(
                f"{text!r} is not a {_NAME[axis]} in decimal degrees or degrees, minutes and seconds"
            )
        minutes, seconds = Fraction(match["minutes"]), Fraction(match["seconds"] or 0)
        if minutes >= 60 or seconds >= 60:
            raise MalformedCoordinate(f"{text!r}: minutes and seconds are less than 60")
        if match["seconds"] is not None and minutes.denominator != 1:
            raise MalformedCoordinate(f"{text!r}: only the last part may have a fraction")
        value = int(match["degrees"]) + minutes / 60 + seconds / 3600
    if match["sign"] and letter:
        raise MalformedCoordinate(f"{text!r} has both a sign and a hemisphere")
    return -value if match["sign"] == "-" or letter in ("W", "S") else value


def _split_hemisphere(body: str, axis: Axis, text: str) -> tuple[str, str]:
    """Take the letter or Chinese word of a hemisphere off a text."""
    letter = ""
    for word, meaning in _WORDS.items():
        if body.startswith(word):
            letter, body = meaning, body[len(word) :].strip()
    if not letter:
        # Capitals are hemispheres; a small s is seconds.
        if body[-1:] in ("N", "S", "E", "W"):
            letter, body = body[-1], body[:-1].strip()
        elif body[:1] in ("N", "S", "E", "W"):
            letter, body = body[0], body[1:].strip()
    if letter and letter not in _LETTERS[axis]:
        raise MalformedCoordinate(f"{text!r} names the hemisphere {letter}, which is none of a {_NAME[axis]}")
    return body, letter


def _finite_fraction(value: Decimal, axis: Axis) -> Fraction:
    if not value.is_finite():
        raise MalformedCoordinate(f"the {_NAME[axis]} is {value}, not a finite number")
    return Fraction(value)


def _check_range(within: bool, angle: object, axis: Axis) -> None:
    if not within:
        raise OutOfRange(f"the {_NAME[axis]} {angle} is beyond {_LIMIT[axis]} degrees")
