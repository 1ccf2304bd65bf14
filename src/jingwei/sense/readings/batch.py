"""Readings in columns: what goes into the store, what comes out, and what the store says to it.

All times are UTC microseconds since 1970; `NONE` stands for a time that is not given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from jingwei.words import Text

NONE = int(np.iinfo(np.int64).min)
"""The time that is not given."""

EXACT = 2.0**53
"""Up to this size every whole number is a float64; beyond it a number travels as its text."""

_TIME = pa.timestamp("us", "UTC")

SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("stream", pa.int64(), nullable=False),
        pa.field("time", _TIME, nullable=False),
        pa.field("time_end", _TIME),
        pa.field("result", pa.float64()),
        pa.field("result_json", pa.binary()),
        pa.field("result_time", _TIME),
        pa.field("valid_from", _TIME),
        pa.field("valid_to", _TIME),
        pa.field("feature", pa.int64()),
        pa.field("quality", pa.binary()),
        pa.field("parameters", pa.binary()),
        pa.field("received", _TIME, nullable=False),
    ]
)
"""The columns of every answer. `time` to `time_end` is the phenomenon time; `result` is null where
`result_json` holds the JSON text of a result that is no plain number."""

TIMES = ("time_end", "result_time", "valid_from", "valid_to")
"""Times that a reading may have beside its own."""
TEXTS = ("result_json", "quality", "parameters")
"""Columns of JSON texts."""


class Reading(NamedTuple):
    """One reading as it comes in, or as it is kept."""

    stream: int
    time: int
    result: Any
    """Any JSON value."""
    time_end: int | None = None
    result_time: int | None = None
    valid_from: int | None = None
    valid_to: int | None = None
    feature: int | None = None
    quality: Any = None
    parameters: Any = None
    id: int = 0
    received: int = 0


@dataclass(slots=True)
class Batch:
    """Readings to be taken in, in columns of one length.

    Attributes
    ----------
    stream, time
        int64: whose reading, and when it was (UTC µs).
    result
        float64; NaN where `result_json` holds it.
    time_end, result_time, valid_from, valid_to
        int64, `NONE` where not given; None where no reading has one.
    feature
        int64, 0 where there is none; None where no reading has one.
    result_json, quality, parameters
        JSON texts, None where not given; None where no reading has one.

    """

    stream: NDArray[np.int64]
    time: NDArray[np.int64]
    result: NDArray[np.float64]
    time_end: NDArray[np.int64] | None = None
    result_time: NDArray[np.int64] | None = None
    valid_from: NDArray[np.int64] | None = None
    valid_to: NDArray[np.int64] | None = None
    feature: NDArray[np.int64] | None = None
    result_json: Sequence[bytes | None] | None = None
    quality: Sequence[bytes | None] | None = None
    parameters: Sequence[bytes | None] | None = None

    def __len__(self) -> int:
        return len(self.stream)

    @staticmethod
    def of(readings: Sequence[Reading]) -> Batch:
        """Put single readings into columns."""
        rows = len(readings)
        batch = Batch(
            np.fromiter((one.stream for one in readings), np.int64, rows),
            np.fromiter((one.time for one in readings), np.int64, rows),
            np.fromiter((plain_number(one.result) for one in readings), np.float64, rows),
        )
        for name in TIMES:
            values = [getattr(one, name) for one in readings]
            if any(value is not None for value in values):
                filled = (NONE if value is None else value for value in values)
                setattr(batch, name, np.fromiter(filled, np.int64, rows))
        if any(one.feature for one in readings):
            batch.feature = np.fromiter((one.feature or 0 for one in readings), np.int64, rows)
        if np.isnan(batch.result).any():
            texts = zip(batch.result.tolist(), readings, strict=True)
            batch.result_json = [None if number == number else encode(one.result) for number, one in texts]  # noqa: PLR0124 -- only NaN differs from itself
        for name in ("quality", "parameters"):
            values = [getattr(one, name) for one in readings]
            if any(value is not None for value in values):
                setattr(batch, name, [None if value is None else encode(value) for value in values])
        return batch


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reading of a batch that was not taken in: which, under what code, and why.

    `kept` says whether it is in the quarantine (`late`, `future`, `impossible`) and so need not come again.
    """

    index: int
    code: str
    reason: Text
    kept: bool = True


@dataclass(slots=True)
class Receipt:
    """What became of a batch, all of it durable.

    `ids` are those of the readings, in their order: 0 for one that was refused; for a duplicate the one of
    the reading that was there before (`duplicates` counts them).
    """

    ids: NDArray[np.int64]
    refused: list[Refusal] = field(default_factory=list)
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Extent:
    """How much there is of a stream: readings, and over which times (UTC µs, `NONE` if there is none)."""

    count: int = 0
    first: int = NONE
    last: int = NONE
    first_result_time: int = NONE
    last_result_time: int = NONE


def plain_number(value: Any) -> float:
    """Return a result as float64 where that loses nothing, else NaN."""
    kind = type(value)
    if kind is float or (kind is int and -EXACT <= value <= EXACT):
        return float(value)
    return float("nan")


def encode(value: Any) -> bytes:
    """Return the JSON text of a value."""
    return msgspec.json.encode(value)


def readings_of(table: pa.Table) -> list[Reading]:
    """Return the rows of an answer as single readings; whole numbers are `int` again."""
    columns: dict[str, list[Any]] = {
        name: table[name].cast(pa.int64()).to_pylist() for name in ("id", "stream", "time", "feature", *TIMES)
    }
    received = table["received"].cast(pa.int64()).to_pylist()
    results = [
        _result(number, text)
        for number, text in zip(table["result"].to_pylist(), table["result_json"].to_pylist(), strict=True)
    ]
    for name in ("quality", "parameters"):
        texts = table[name].to_pylist()
        columns[name] = [None if text is None else msgspec.json.decode(text) for text in texts]
    columns["result"], columns["received"] = results, received
    return [
        Reading(**{name: values[row] for name, values in columns.items()}) for row in range(table.num_rows)
    ]


def _result(number: float | None, text: bytes | None) -> Any:
    if text is not None:
        return msgspec.json.decode(text)
    if number is not None and number.is_integer() and abs(number) <= EXACT:
        return int(number)
    return number
