"""The store of readings: acknowledged only when durable, and read as one, wherever they lie.

`Readings` stands beneath the policy: it knows streams by number and asks nobody who may see them. Whoever
asks it on behalf of a person passes only streams that this person may see.
"""

from jingwei.sense.readings.batch import (
    NONE,
    SCHEMA,
    Batch,
    Extent,
    Reading,
    Receipt,
    Refusal,
    readings_of,
)
from jingwei.sense.readings.errors import (
    ImpossibleOrderError,
    IntakeFullError,
    StoreInUseError,
    UnknownReadingError,
)
from jingwei.sense.readings.facts import StreamFacts
from jingwei.sense.readings.store import Readings

__all__ = [
    "NONE",
    "SCHEMA",
    "Batch",
    "Extent",
    "ImpossibleOrderError",
    "IntakeFullError",
    "Reading",
    "Readings",
    "Receipt",
    "Refusal",
    "StoreInUseError",
    "StreamFacts",
    "UnknownReadingError",
    "readings_of",
]
