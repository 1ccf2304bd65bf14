"""What readings say together in a cell, as the Observations of MultiDatastreams (26-057, aggregation)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from jingwei.sense.cells.cells import ends
from jingwei.sense.cells.functions import FUNCTIONS, INTERVALS, SYSTEM, UNITY, derived
from jingwei.sense.entities import COMPLEX
from jingwei.sense.odata.functions import period_of
from jingwei.sense.odata.syntax import (
    EPOCH,
    MAX_TIME,
    MICRO,
    MIN_TIME,
    Binary,
    Day,
    Instant,
    Literal,
    Path,
    Period,
    conjuncts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jingwei.sense.cells.cells import Cells
    from jingwei.sense.cells.listing import Row, Work
    from jingwei.sense.odata.syntax import Expression
    from jingwei.sense.rollups import Quantity

MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
COUNT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_CountObservation"
TIME = ("phenomenonTime",)
_STREAM = re.compile(r"(?P<zone>G[0-3.\-]*)~(?P<field>p\d{1,19}_[0-9a-f]{8})~(?P<interval>\w{1,10})")
_START = "%Y%m%dT%H%M%SZ"


class CellFigures:
    """The figures of cells, as far as an asker may be told of them.

    What is withheld is as if it were not there, and so is what no stream has a reading of.
    """

    def __init__(self, cells: Cells, work: Work) -> None:
        self.cells = cells
        self.aggregates = cells.aggregates
        self.work = work

    # streams

    def streams(self, cell: Row) -> list[Row]:
        """Return what is told of a cell: one stream for each quantity and interval."""
        return [
            _stream(cell, quantity, interval)
            for quantity in self.aggregates.quantities
            if self._is_told(cell, quantity)
            for interval in INTERVALS
        ]

    def stream(self, identifier: str) -> Row | None:
        """Return a stream by its id, None where there is none or the asker may not know of it."""
        found = _STREAM.fullmatch(identifier)
        if found is None or found["interval"] not in INTERVALS:
            return None
        cell = self.cells.get(found["zone"])
        quantity = next((one for one in self.aggregates.quantities if one.field == found["field"]), None)
        if cell is None or quantity is None or not self._is_told(cell, quantity):
            return None
        return _stream(cell, quantity, found["interval"])

    def properties(self, stream: Row) -> list[Row]:
        """Return what the parts of the results of a stream are, in their order."""
        quantity: Quantity = stream["quantity"]
        return [derived(quantity.observed, quantity.name, one) for one in FUNCTIONS]

    def property(self, identifier: str) -> Row | None:
        """Return what a function makes of an observed property."""
        observed, _, function = identifier.partition("~")
        for one in self.aggregates.quantities:
            if str(one.observed) == observed:
                return next((derived(one.observed, one.name, f) for f in FUNCTIONS if f.id == function), None)
        return None

    def _is_told(self, cell: Row, quantity: Quantity) -> bool:
        codes = self.cells.zones(quantity, cell["zoneLevel"])
        at = int(codes.searchsorted(codes.dtype.type(cell["code"])))
        return at < len(codes) and int(codes[at]) == cell["code"]

    # observations

    def observation(self, identifier: str) -> Row | None:
        """Return the figures of one interval by their id."""
        name, _, start = identifier.rpartition("~")
        stream = self.stream(name)
        try:
            moment = (datetime.strptime(start, _START).replace(tzinfo=UTC) - EPOCH) // MICRO
        except ValueError:
            return None
        if stream is None or moment not in self._starts(stream, moment, moment + 1):
            return None
        return next(iter(self._of(stream, [moment])), None)

    def observations(
        self, stream: Row, node: Expression | None = None, *, newest_first: bool = False
    ) -> Iterator[Row]:
        """Yield the figures of the intervals of a stream, one after the other.

        Parameters
        ----------
        stream
            A row of `streams`.
        node
            A filter; intervals that by their times cannot make it true are left out.
        newest_first
            From the last to the first.

        """
        starts = self._starts(stream, *bounds_of(node))
        if newest_first:
            starts.reverse()
        calendar, kind = self.aggregates.rollups.calendar, INTERVALS[stream["interval"]]
        # What is told of many only together is worked out of whole days: so each day is read once.
        slab = calendar.day if kind == "hour" else calendar.month
        for _, some in groupby(starts, key=slab):
            here = sorted(some)
            found = self._of(stream, here)
            yield from reversed(found) if newest_first else found

    def _starts(self, stream: Row, since: int, until: int) -> list[int]:
        kind = INTERVALS[stream["interval"]]
        return self.aggregates.starts_of(stream["quantity"], kind, since, until)

    def _of(self, stream: Row, starts: list[int]) -> list[Row]:
        self.work.count(len(starts))
        cell, kind = stream["of"], INTERVALS[stream["interval"]]
        told = self.aggregates.of_intervals(stream["quantity"], cell["zoneLevel"], ends(cell), kind, starts)
        figures, deviation = told.figures, told.figures.deviation
        found = []
        for at, start in enumerate(starts):
            count = int(figures.n[at])
            if not count:
                continue
            end = self.aggregates.end(kind, start)
            numbers = [figures.minimum[at], figures.maximum[at], figures.mean[at]]
            spread = float(deviation[at]) if count > 1 else None
            written = (EPOCH + start * MICRO).strftime(_START)
            found.append(
                {
                    "id": f"{stream['id']}~{written}",
                    "phenomenonTime": Period(start, end),
                    "resultTime": Instant(end),
                    "result": [*map(float, numbers), spread, count],
                    "stream": stream,
                    "of": cell,
                }
            )
        return found


def bounds_of(node: Expression | None) -> tuple[int, int]:
    """Return a time outside which no interval lies of which a filter can be true, in UTC microseconds."""
    since, until = MIN_TIME, MAX_TIME
    for part in [] if node is None else conjuncts(node):
        if not isinstance(part, Binary) or not isinstance(part.right, Literal):
            continue
        value = part.right.value
        if part.left != Path(TIME) or not isinstance(value, Instant | Period | Day):
            continue
        period = period_of(value)
        if period is None:
            continue
        if part.operator in ("gt", "ge", "eq"):
            since = max(since, period.start)
        if part.operator in ("lt", "le", "eq"):
            until = min(until, period.end + 1)
    return since, until


def _stream(cell: Row, quantity: Quantity, interval: str) -> Row:
    measure = {
        name: quantity.measure.get(name, quantity.unit if name != "definition" else None)
        for name in ("name", "symbol", "definition")
    }
    what = f"{quantity.name} ({quantity.unit})" if quantity.unit else quantity.name
    return {
        "id": f"{cell['id']}~{quantity.field}~{interval}",
        "name": f"{SYSTEM} {cell['id']} {what} {interval}",
        "description": f"min, max, avg, stddev and count of {what} in {cell['id']} by {interval}",
        "observationType": COMPLEX,
        "multiObservationDataTypes": [MEASUREMENT] * 4 + [COUNT],
        "unitOfMeasurements": [measure] * 4 + [UNITY],
        "properties": {"dggs.system": SYSTEM, "dggs.cell": cell["id"], "dggs.interval": interval},
        "of": cell,
        "quantity": quantity,
        "interval": interval,
    }
