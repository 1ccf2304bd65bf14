"""The golden vectors: codes printed in the standards or given alike by independent implementations."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "vectors"


def vectors(name: str, *kinds: str) -> list[dict[str, Any]]:
    """Vectors of one file and of the kinds named (all kinds where none is)."""
    rows: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    found = [row for row in rows if not kinds or row["kind"] in kinds]
    assert found, f"no vectors of {kinds} in {name}"
    return found


def angle(value: str | float) -> Fraction:
    """Degrees of "39 59 35.38 N", "239/6", "39.9" or of a number as it was written."""
    words = str(value).split()
    if len(words) == 1:
        return Fraction(words[0])
    degrees, minutes, seconds, letter = words
    size = Fraction(degrees) + Fraction(minutes) / 60 + Fraction(seconds) / 3600
    return -size if letter in "SW" else size


def place(row: dict[str, Any]) -> tuple[Fraction, Fraction]:
    """Exact latitude and longitude of a vector."""
    given = row["input"]
    lat, lon = (
        next(given[key] for key in (f"{axis}_exact", f"{axis}_dms", axis) if key in given)
        for axis in ("lat", "lon")
    )
    return angle(lat), angle(lon)
