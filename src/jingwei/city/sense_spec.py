"""What a city pack says of its sensors: the rules over readings that it starts with."""

from __future__ import annotations

from pydantic import Field

from jingwei.city.parts import Part


class SenseSpec(Part):
    """The rules of a city: a JSON array of them, taken in and switched on where the city has none yet."""

    rules: str = Field(min_length=1)
