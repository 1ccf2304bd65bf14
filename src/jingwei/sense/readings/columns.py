"""Readings in memory: NumPy columns of one length, of which those that hold nothing are left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from jingwei.sense.readings.batch import NONE, SCHEMA, TEXTS, TIMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ALWAYS = ("id", "stream", "time", "result", "received")
NUMBERS = ("feature", *TIMES)
"""Columns of int64 that may be left out."""
EMPTY: dict[str, Any] = {"feature": 0, **dict.fromkeys(TIMES, NONE), **dict.fromkeys(TEXTS)}
"""What stands where a column holds nothing."""


@dataclass(slots=True)
class Rows:
    """Readings in columns; `columns` always has those of `ALWAYS`. Columns are never written into."""

    columns: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns["id"]) if self.columns else 0

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def filled(self, name: str) -> NDArray[Any]:
        """Return a column, also one that was left out."""
        found = self.columns.get(name)
        if found is not None:
            return found
        kind = object if name in TEXTS else np.int64
        return np.full(len(self), EMPTY[name], kind)

    def take(self, chosen: NDArray[Any] | slice) -> Rows:
        """Return some of the rows, by number, mask or slice."""
        return Rows({name: values[chosen] for name, values in self.columns.items()})

    def ordered(self) -> Rows:
        """Return the rows in the order of stream, time and id."""
        order = in_order(self["stream"], self["time"], self["id"])
        return self if order is None else self.take(order)

    def between(self, stream: int, since: int | None, until: int | None) -> tuple[int, int]:
        """Return from where to where the readings of a stream in a period stand; the rows must be ordered."""
        low, high = np.searchsorted(self["stream"], [stream, stream + 1])
        times = self["time"][low:high]
        first = low if since is None else low + np.searchsorted(times, since)
        last = high if until is None else low + np.searchsorted(times, until)
        return int(first), int(max(first, last))

    def table(self) -> pa.Table:
        """Return the rows as a table of `SCHEMA`."""
        arrays = [self._array(one) for one in SCHEMA]
        return pa.Table.from_arrays(arrays, schema=SCHEMA)

    def _array(self, one: pa.Field) -> pa.Array:
        values = self.columns.get(one.name)
        if values is None:
            return pa.nulls(len(self), one.type)
        if one.name in TEXTS:
            return pa.array(values, pa.binary())
        if one.name == "result":
            return pa.array(values, mask=np.isnan(values))
        if one.name in NUMBERS:
            return pa.array(values, pa.int64(), mask=values == EMPTY[one.name]).cast(one.type)
        return pa.array(values, pa.int64()).cast(one.type)


def in_order(
    stream: NDArray[np.int64], time: NDArray[np.int64], number: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """Return what sorts by stream, time and id; None where that is the order already."""
    if _is_in_order(stream, time, number):
        return None
    keys = _keys(stream, time)
    if keys is not None:
        # Sorted runs one behind the other are merged in one pass; three sorts would take each by itself.
        order = np.argsort(keys, kind="stable")
        keys, number = keys[order], number[order]
        if bool(((keys[1:] > keys[:-1]) | (number[1:] >= number[:-1])).all()):
            return order
        number = number[np.argsort(order)]
    return np.lexsort((number, time, stream))


def _is_in_order(stream: NDArray[np.int64], time: NDArray[np.int64], number: NDArray[np.int64]) -> bool:
    same = stream[1:] == stream[:-1]
    later = (time[1:] > time[:-1]) | ((time[1:] == time[:-1]) & (number[1:] >= number[:-1]))
    return bool(((stream[1:] > stream[:-1]) | (same & later)).all())


def _keys(stream: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return numbers that sort as stream and time do; None where they would be too great."""
    first, began = int(stream.min()), int(time.min())
    streams, lasted = int(stream.max()) - first + 1, int(time.max()) - began + 1
    if streams * lasted >= 1 << 63:
        return None
    return (stream - first) * lasted + (time - began)


def joined(parts: Sequence[Rows]) -> Rows:
    """Put rows together, in the order of the parts."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return no_rows()
    if len(parts) == 1:
        return parts[0]
    names = list(dict.fromkeys(name for part in parts for name in part.columns))
    return Rows({name: np.concatenate([part.filled(name) for part in parts]) for name in names})


def no_rows() -> Rows:
    """Return rows of which there are none."""
    kinds = {name: np.float64 if name == "result" else np.int64 for name in ALWAYS}
    return Rows({name: np.empty(0, kind) for name, kind in kinds.items()})


def rows_of(table: pa.Table) -> Rows:
    """Return a table of `SCHEMA` as rows."""
    columns: dict[str, NDArray[Any]] = {}
    for one in SCHEMA:
        values = table[one.name]
        if one.name not in ALWAYS and values.null_count == len(values):
            continue
        if one.name in TEXTS:
            texts = np.empty(len(values), object)
            texts[:] = values.to_pylist()
            columns[one.name] = texts
        elif one.name == "result":
            columns[one.name] = values.fill_null(float("nan")).to_numpy()
        else:
            columns[one.name] = values.cast(pa.int64()).fill_null(EMPTY.get(one.name, 0)).to_numpy()
    return Rows(columns)


def texts_of(values: Sequence[bytes | None]) -> NDArray[Any]:
    """Return JSON texts as a column."""
    column = np.empty(len(values), object)
    column[:] = values
    return column
