"""Shapefiles whose field names were cut to ten bytes in the middle of a character.

What writes Chinese names as UTF-8 into the ten bytes that dBase has for them leaves a piece of a character
behind, which GDAL hands on and nothing can decode.
"""

from __future__ import annotations

DESCRIPTOR, NAME = 32, 11
"""Bytes of a field's descriptor in dBase III, and of the name in front of it."""


def whole_names(table: bytes, encoding: str) -> bytes:
    """Return the start of a dBase table with names that the encoding reads; as it was where they are."""
    end = min(int.from_bytes(table[8:10], "little"), len(table))
    whole = bytearray(table)
    for at in range(DESCRIPTOR, end - DESCRIPTOR + 1, DESCRIPTOR):
        name = table[at : at + NAME].split(b"\0")[0]
        kept = name.decode(encoding, errors="ignore").encode(encoding)
        if kept != name and name.startswith(kept):
            whole[at : at + NAME] = kept.ljust(NAME, b"\0")
    return bytes(whole)
