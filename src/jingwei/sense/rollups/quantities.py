"""What is rolled up together: readings of one observed property in one unit, by where their streams are."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, cast, select

from jingwei.sense.models import (
    LocationRow,
    ObservedPropertyRow,
    StreamProperty,
    StreamRow,
    ThingLocation,
)
from jingwei.sense.rollups.kept import Address

if TYPE_CHECKING:
    from jingwei.records import Records

Book = Callable[[Collection[int]], "Mapping[int, Address]"]

STREAMS: Any = StreamRow.__table__
PROPERTIES: Any = StreamProperty.__table__
OBSERVED: Any = ObservedPropertyRow.__table__
PLACES: Any = ThingLocation.__table__
LOCATIONS: Any = LocationRow.__table__


@dataclass(frozen=True, slots=True)
class Quantity:
    """An observed property in one unit.

    Attributes
    ----------
    key
        Number under which it is rolled up.
    observed, name, unit
        Id and name of the ObservedProperty, and the symbol of the unit.
    measure
        The unit as SensorThings tells it.

    """

    key: int
    observed: int
    name: str
    unit: str
    measure: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def field(self) -> str:
        """The name of the field that holds it, the same in every answer."""
        return f"p{self.observed}_{self.key & 0xFFFFFFFF:08x}"


FEW = 20_000
"""Streams below which each is asked for; of more all are read."""
AT_ONCE = 500
"""Numbers that a statement names at once."""
ALL_BITS = 2**64 - 1
"""What makes a stored (signed) code of a cell the unsigned one."""


def quantity_of(property_: int, name: str, unit: Any) -> Quantity:
    """Return what readings of a property in a unit of SensorThings belong to."""
    told = unit if isinstance(unit, dict) else {}
    symbol = str(told.get("symbol") or told.get("name") or "")
    written = str(told.get("definition") or symbol)
    digest = blake2b(f"{property_} {written}".encode(), digest_size=8).digest()
    return Quantity(int.from_bytes(digest, "big") >> 1, property_, name, symbol, told)


def book_of(records: Records) -> Book:
    """Return what tells of Datastreams what they observe and where they are.

    Left out are MultiDatastreams, whose results are no single numbers, and streams of things without a place
    that is a point.
    """

    def book(streams: Collection[int]) -> dict[int, Address]:
        wanted = frozenset(streams)
        asked = (
            select(
                STREAMS.c.id, cast(STREAMS.c.unit, Text), PROPERTIES.c.observed_property_id, LOCATIONS.c.cell
            )
            .join(PROPERTIES, PROPERTIES.c.stream_id == STREAMS.c.id)
            .join(PLACES, PLACES.c.thing_id == STREAMS.c.thing_id)
            .join(LOCATIONS, LOCATIONS.c.id == PLACES.c.location_id)
            .where(STREAMS.c.multi.is_(False), LOCATIONS.c.cell.is_not(None))
            .order_by(STREAMS.c.id, LOCATIONS.c.id)
        )
        some = sorted(wanted)
        each = [asked]
        if len(some) < FEW:
            groups = (some[at : at + AT_ONCE] for at in range(0, len(some), AT_ONCE))
            each = [asked.where(STREAMS.c.id.in_(group)) for group in groups]
        keys: dict[tuple[int, str], int] = {}  # of many streams few quantities
        found: dict[int, Address] = {}
        with records.read() as session:
            for those in each:
                for stream, unit, property_, cell in session.execute(those):
                    if stream in wanted and stream not in found:
                        key = keys.get((property_, unit))
                        if key is None:
                            told = json.loads(unit) if unit else None
                            key = keys[property_, unit] = quantity_of(property_, "", told).key
                        found[stream] = Address(key, cell & ALL_BITS)
        return found

    return book
