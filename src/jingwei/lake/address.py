"""Giving rows their address: from a department's columns to cell, level and time beside them."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from jingwei import grid
from jingwei.grid.levels import SIZE, TICKS_PER_DEGREE
from jingwei.lake import datums
from jingwei.lake.forms import Batch, RowFault
from jingwei.lake.numbers import read_angles
from jingwei.lake.places import Encoding, read_geometries
from jingwei.lake.schemas import Place
from jingwei.lake.times import PRECISIONS, Precision, TimeForm, Times, read_times
from jingwei.words import Text

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEASURED = 32
"""The level of a measured point: GeoSOT's finest, 1/2048 arc-second (about 15 mm)."""

FEW_BAD = 256
"""So many good rows at least to each bad one, and bad ones are cut out rather than filtered."""

REGION_DEGREES = 3.0
"""A fact farther than this from the city's bounding box cannot be the city's, unless the source says so."""


@dataclass(frozen=True, slots=True)
class PointPlacing:
    """Place by two columns of coordinates."""

    role: str
    lon: str
    lat: str
    crs: str
    level: int = MEASURED
    inside: Any = None

    @property
    def place(self) -> Place:
        """The address role that this fills."""
        return Place(self.role, "point", [self.lon, self.lat])


@dataclass(frozen=True, slots=True)
class GeometryPlacing:
    """Place by a column of geometries, in WKB or as texts; it is kept as WKB (WGS84)."""

    role: str
    column: str
    crs: str
    inside: Any = None
    encoding: Encoding = "wkb"
    swapped: bool = False

    @property
    def place(self) -> Place:
        """The address role that this fills."""
        return Place(self.role, "geometry", [self.column])

    def shapes(self, column: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
        """Return the shapes of the column in its own system, and where something is written that is none."""
        return read_geometries(column, self.encoding, swapped=self.swapped)


@dataclass(frozen=True, slots=True)
class ReferencePlacing:
    """Place of another dataset's object, named by key columns."""

    role: str
    columns: tuple[str, ...]
    target: str
    keys: pa.Array
    cells: NDArray[np.int64]
    levels: NDArray[np.int8]

    @property
    def place(self) -> Place:
        """The address role that this fills."""
        return Place(self.role, "reference", list(self.columns))


Placing = PointPlacing | GeometryPlacing | ReferencePlacing


@dataclass(frozen=True, slots=True)
class Clock:
    """A column of times and how it writes them."""

    column: str
    form: TimeForm


@dataclass(frozen=True, slots=True)
class Timing:
    """Which column holds the time, which its end, in which zone, and how precise they truly are."""

    start: Clock
    end: Clock | None
    zone: str
    precision: Precision | None

    def read(self, table: pa.RecordBatch, clock: Clock) -> Times:
        """Read one column of times."""
        column = table.column(clock.column)
        return read_times(column, clock.form, zone=self.zone, precision=self.precision)


@dataclass(slots=True)
class Tally:
    """What was counted while rows were addressed."""

    read: int = 0
    published: int = 0
    addressed: int = 0
    quarantined: int = 0
    rules: dict[str, int] = field(default_factory=dict)
    unresolved: dict[str, int] = field(default_factory=dict)
    levels: dict[str, set[int]] = field(default_factory=dict)
    bounds: list[float] | None = None
    period: list[int] | None = None

    def add(self, other: Tally) -> None:
        """Add what was counted of other rows."""
        self.read += other.read
        self.published += other.published
        self.addressed += other.addressed
        self.quarantined += other.quarantined
        for mine, more in ((self.rules, other.rules), (self.unresolved, other.unresolved)):
            for name, rows in more.items():
                mine[name] = mine.get(name, 0) + rows
        for role, levels in other.levels.items():
            self.levels.setdefault(role, set()).update(levels)
        if other.bounds is not None:
            self.widen(*other.bounds)
        if other.period is not None:
            self.lengthen(*other.period)

    def widen(self, west: float, south: float, east: float, north: float) -> None:
        """Take in places of a box, in degrees."""
        old = self.bounds or [west, south, east, north]
        self.bounds = [
            float(min(old[0], west)),
            float(min(old[1], south)),
            float(max(old[2], east)),
            float(max(old[3], north)),
        ]

    def lengthen(self, first: int, last: int) -> None:
        """Take in times of a period, in UTC microseconds."""
        old = self.period or [first, last]
        self.period = [min(old[0], first), max(old[1], last)]

    def count_faults(self, faults: list[RowFault]) -> None:
        """Count quarantined rows by rule."""
        self.quarantined += len(faults)
        for fault in faults:
            self.rules[fault.rule] = self.rules.get(fault.rule, 0) + 1


class _Faults:
    """Rows of one batch that are found faulty, each with its first fault."""

    def __init__(self, rows: int) -> None:
        self.bad = np.zeros(rows, bool)
        self.found: list[tuple[int, str, Text]] = []

    def mark(self, mask: NDArray[np.bool_], rule: str, reason: Text) -> None:
        """Mark rows as faulty by `rule`."""
        for row in np.flatnonzero(mask & ~self.bad).tolist():
            self.found.append((row, rule, reason))
        self.bad |= mask


class Addresser:
    """Addresses the batches of one source; keeps the tally."""

    def __init__(
        self,
        schema: pa.Schema,
        placings: list[Placing],
        timing: Timing | None,
        *,
        near: tuple[float, float, float, float] | None,
    ) -> None:
        self.placings = placings
        self.timing = timing
        self.near = near
        self.tally = Tally()
        self._shapes = {one.column for one in placings if isinstance(one, GeometryPlacing)}
        self.own = pa.schema(
            [pa.field(f.name, pa.binary() if f.name in self._shapes else stored_type(f.type)) for f in schema]
        )
        self.schema = self._addressed_schema()

    def _addressed_schema(self) -> pa.Schema:
        fields = list(self.own)
        for placing in self.placings:
            fields += [pa.field(placing.place.cell, pa.int64()), pa.field(placing.place.level, pa.int8())]
        if self.timing:
            fields += [
                pa.field("jw_time", pa.timestamp("us", "UTC")),
                pa.field("jw_time_end", pa.timestamp("us", "UTC")),
                pa.field("jw_time_precision", pa.dictionary(pa.int8(), pa.string())),
            ]
        return pa.schema([*fields, pa.field("jw_source", pa.int16()), pa.field("jw_row", pa.int64())])

    def apart(self, batch: Batch, source: int) -> tuple[pa.RecordBatch, list[RowFault], Tally]:
        """Address a batch as `address` does and return its own tally; threads may do so side by side."""
        mine = copy(self)
        mine.tally = Tally()
        return *mine.address(batch, source), mine.tally

    def address(self, batch: Batch, source: int) -> tuple[pa.RecordBatch, list[RowFault]]:
        """Return the addressed rows of a batch, and the faults of those that cannot be published.

        Parameters
        ----------
        batch
            Rows as read from the source.
        source
            Ordinal of the source file, kept in `jw_source`.

        """
        count = batch.table.num_rows
        faults = _Faults(count)
        columns: dict[str, pa.Array] = {
            field.name: _cast(batch.table.column(number), field.type)
            for number, field in enumerate(self.own)
            if field.name not in self._shapes
        }
        placed = np.zeros(count, bool)
        cells: list[tuple[Placing, NDArray[np.uint64], NDArray[np.int8], NDArray[np.bool_]]] = []
        for placing in self.placings:
            codes, levels, known = self._placed(placing, batch.table, columns, faults)
            cells.append((placing, codes, levels, known))
            placed |= known
        times = self._timed(batch.table, faults) if self.timing else {}
        good = ~faults.bad
        for placing, codes, levels, known in cells:
            columns[placing.place.cell] = pa.array(grid.to_stored(codes), pa.int64(), mask=~known)
            columns[placing.place.level] = pa.array(levels, pa.int8(), mask=~known)
            seen = self.tally.levels.setdefault(placing.role, set())
            seen.update(np.flatnonzero(np.bincount(levels[known & good])).tolist())
        columns.update(times)
        columns["jw_source"] = pa.array(np.full(count, source, np.int16))
        columns["jw_row"] = pa.array(batch.rows, pa.int64())
        addressed = pa.RecordBatch.from_arrays(
            [_cast(columns[name], self.schema.field(name).type) for name in self.schema.names],
            schema=self.schema,
        )
        texts = _row_texts(batch.table, [row for row, _, _ in faults.found])
        quarantined = [
            *batch.faults,
            *(
                RowFault(int(batch.rows[row]), rule, reason, text)
                for (row, rule, reason), text in zip(faults.found, texts, strict=True)
            ),
        ]
        if faults.bad.any():
            addressed = _only(addressed, good)
        self.tally.read += count + len(batch.faults)
        self.tally.published += addressed.num_rows
        self.tally.addressed += int((placed & good).sum())
        self.tally.count_faults(quarantined)
        return addressed, quarantined

    def _placed(
        self, placing: Placing, table: pa.RecordBatch, columns: dict[str, pa.Array], faults: _Faults
    ) -> tuple[NDArray[np.uint64], NDArray[np.int8], NDArray[np.bool_]]:
        if isinstance(placing, PointPlacing):
            return self._by_point(placing, table, faults)
        if isinstance(placing, GeometryPlacing):
            return self._by_geometry(placing, table, columns, faults)
        return self._by_reference(placing, table)

    def _by_point(
        self, placing: PointPlacing, table: pa.RecordBatch, faults: _Faults
    ) -> tuple[NDArray[np.uint64], NDArray[np.int8], NDArray[np.bool_]]:
        x, no_x, bad_x = _coordinates(table.column(placing.lon))
        y, no_y, bad_y = _coordinates(table.column(placing.lat))
        faults.mark(
            bad_x | bad_y, "unreadable-place", Text("坐标不是数字。", "A coordinate is not a number.")
        )
        faults.mark(
            no_x != no_y, "half-place", Text("只有一个坐标。", "Only one of two coordinates is there.")
        )
        known = ~(no_x | no_y | faults.bad)
        odd = known & ~(np.isfinite(x) & np.isfinite(y))
        faults.mark(
            odd, "impossible-place", Text("坐标不是有限的数。", "A coordinate is not a finite number.")
        )
        known &= ~odd
        known = self._misplaced(x, y, known, placing.crs, faults)
        lon, lat = datums.to_wgs84(np.where(known, x, 0.0), np.where(known, y, 0.0), placing.crs)
        known = self._plausible(lon, lat, known, placing.inside, faults)
        codes = grid.encode(np.where(known, lon, 0.0), np.where(known, lat, 0.0), placing.level)
        return codes, np.full(len(x), placing.level, np.int8), known

    def _misplaced(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        known: NDArray[np.bool_],
        crs: str,
        faults: _Faults,
    ) -> NDArray[np.bool_]:
        """Mark points that are no place but a default, and those that lie at the city once swapped."""
        default = known & (x == y) & ((x == 0) | (np.abs(x) >= 90) | (np.abs(x) == 1))
        reason = Text("坐标是默认值，不是位置。", "The coordinates are a default, not a place.")
        faults.mark(default, "default-place", reason)
        known = known & ~default
        if self.near is None or not known.any():
            return known
        west, south, east, north = self.near
        suspect = known.copy()
        lon, lat = datums.to_wgs84(np.where(known, x, 0.0), np.where(known, y, 0.0), crs)
        with np.errstate(invalid="ignore"):
            suspect &= ~((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
        if not suspect.any():
            return known
        lon, lat = datums.to_wgs84(np.where(suspect, y, 0.0), np.where(suspect, x, 0.0), crs)
        swapped = suspect & (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        reason = Text("经度与纬度写反了。", "Longitude and latitude are swapped.")
        faults.mark(swapped, "swapped-coordinates", reason)
        return known & ~swapped

    def _plausible(
        self,
        lon: NDArray[np.float64],
        lat: NDArray[np.float64],
        known: NDArray[np.bool_],
        inside: Any,
        faults: _Faults,
    ) -> NDArray[np.bool_]:
        """Mark places that cannot be; return which remain."""
        finite = np.isfinite(lon) & np.isfinite(lat)
        off = known & ~(finite & (np.abs(lon) <= 180) & (np.abs(lat) <= 90))
        faults.mark(off, "impossible-place", Text("坐标超出地球范围。", "The coordinates are off the earth."))
        known = known & ~off
        if self.near is not None:
            west, south, east, north = self.near
            far = known & ((lon < west) | (lon > east) | (lat < south) | (lat > north))
            reason = Text(
                f"距城市超过 {REGION_DEGREES:g} 度。",
                f"It lies more than {REGION_DEGREES:g} degrees from the city.",
            )
            faults.mark(far, "far-from-city", reason)
            known &= ~far
        if inside is not None:
            outside = known.copy()
            outside[known] = ~shapely.intersects_xy(inside, lon[known], lat[known])
            faults.mark(
                outside,
                "outside-declared-area",
                Text("位置不在清单所声明的区域内。", "It lies outside the area that the manifest declares."),
            )
            known &= ~outside
        good = known & ~faults.bad
        if good.any():
            self.tally.widen(
                np.min(lon, where=good, initial=np.inf),
                np.min(lat, where=good, initial=np.inf),
                np.max(lon, where=good, initial=-np.inf),
                np.max(lat, where=good, initial=-np.inf),
            )
        return known

    def _by_geometry(
        self, placing: GeometryPlacing, table: pa.RecordBatch, columns: dict[str, pa.Array], faults: _Faults
    ) -> tuple[NDArray[np.uint64], NDArray[np.int8], NDArray[np.bool_]]:
        raw = table.column(placing.column)
        shapes, broken = placing.shapes(raw)
        known = ~shapely.is_missing(shapes) | broken
        faults.mark(broken, "broken-geometry", Text("几何无法解析。", "The geometry cannot be read."))
        known &= ~broken
        empty = known & shapely.is_empty(shapes)
        known &= ~empty
        shapes = shapely.from_wkb(datums.geometries_to_wgs84(shapely.to_wkb(shapes), placing.crs))
        boxes = shapely.bounds(shapes)
        centre = shapely.point_on_surface(shapes)
        lon, lat = shapely.get_x(centre), shapely.get_y(centre)
        lon[~known] = lat[~known] = 0.0
        off = known & ~(
            np.isfinite(boxes).all(axis=1)
            & (np.abs(boxes[:, [0, 2]]).max(axis=1) <= 180)
            & (np.abs(boxes[:, [1, 3]]).max(axis=1) <= 90)
        )
        faults.mark(
            off, "impossible-place", Text("几何超出地球范围。", "The geometry reaches off the earth.")
        )
        known = self._plausible(lon, lat, known & ~off, placing.inside, faults)
        good = known & ~faults.bad
        if good.any():
            corners = boxes[good]
            self.tally.widen(
                corners[:, 0].min(), corners[:, 1].min(), corners[:, 2].max(), corners[:, 3].max()
            )
        columns[placing.column] = pa.array(shapely.to_wkb(shapes), pa.binary())
        levels = level_of_extent(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
        codes = np.zeros(len(lon), np.uint64)
        codes[known] = grid.encode(lon[known], lat[known], MEASURED)
        codes &= level_masks(levels)
        return codes, levels, known

    def _by_reference(
        self, placing: ReferencePlacing, table: pa.RecordBatch
    ) -> tuple[NDArray[np.uint64], NDArray[np.int8], NDArray[np.bool_]]:
        keys = key_of([table.column(name) for name in placing.columns])
        found = pc.index_in(keys, value_set=placing.keys)
        resolved = np.asarray(pc.is_valid(found))
        number = np.asarray(pc.fill_null(found, 0), np.int64)
        levels = placing.levels[number] if len(placing.levels) else np.zeros(len(number), np.int8)
        cells = placing.cells[number] if len(placing.cells) else np.zeros(len(number), np.int64)
        missing = int((~resolved & np.asarray(pc.is_valid(keys))).sum())
        if missing:
            name = placing.target
            self.tally.unresolved[name] = self.tally.unresolved.get(name, 0) + missing
        known = resolved & (levels > 0)
        return np.asarray(grid.from_stored(cells), np.uint64), np.maximum(levels, 1).astype(np.int8), known

    def _timed(self, table: pa.RecordBatch, faults: _Faults) -> dict[str, pa.Array]:
        timing = self.timing
        assert timing is not None  # noqa: S101 - called only with a timing
        start = timing.read(table, timing.start)
        faults.mark(start.unreadable, "unreadable-time", _unreadable(timing.start))
        end = timing.read(table, timing.end) if timing.end else None
        if end is not None and timing.end is not None:
            faults.mark(end.unreadable, "unreadable-time", _unreadable(timing.end))
            backwards = end.given & start.given & (end.utc < start.utc)
            faults.mark(backwards, "ends-before-start", Text("结束早于开始。", "It ends before it begins."))
        good = start.given & ~faults.bad
        if good.any():
            self.tally.lengthen(int(start.utc[good].min()), int(start.utc[good].max()))
        precision = start.precision_names()
        if timing.precision is not None:
            named = np.where(start.given, PRECISIONS.index(timing.precision), 0).astype(np.int8)
            precision = pa.DictionaryArray.from_arrays(
                pa.array(named, mask=~start.given), pa.array(PRECISIONS)
            )
        nothing = pa.nulls(table.num_rows, pa.timestamp("us", "UTC"))
        return {
            "jw_time": start.as_arrow(),
            "jw_time_end": nothing if end is None else end.as_arrow(),
            "jw_time_precision": precision,
        }


def _unreadable(clock: Clock) -> Text:
    return Text(f"列“{clock.column}”的时间无法读出。", f"The time in column '{clock.column}' cannot be read.")


def stored_type(type_: pa.DataType) -> pa.DataType:
    """Return the type under which a column is kept (Delta knows no unsigned or dictionary types)."""
    types = pa.types
    if types.is_dictionary(type_):
        return stored_type(type_.value_type)
    if (
        types.is_large_string(type_)
        or types.is_null(type_)
        or types.is_time(type_)
        or types.is_duration(type_)
    ):
        return pa.string()
    if types.is_large_binary(type_) or types.is_fixed_size_binary(type_):
        return pa.binary()
    if types.is_unsigned_integer(type_):
        return pa.decimal128(20, 0) if type_.bit_width == 64 else pa.int64()
    if types.is_float16(type_):
        return pa.float32()
    if types.is_timestamp(type_):
        return pa.timestamp("us", type_.tz and "UTC")
    if types.is_date64(type_):
        return pa.date32()
    if types.is_nested(type_):
        return pa.string()
    return type_


def key_of(columns: list[pa.Array]) -> pa.Array:
    """Return one text key per row from its key columns; null where one of them is null."""
    texts = [_cast(column, pa.string()) for column in columns]
    return (
        texts[0]
        if len(texts) == 1
        else pc.binary_join_element_wise(*texts, "\x1f", null_handling="emit_null")
    )


def level_of_extent(width: NDArray[np.float64], height: NDArray[np.float64]) -> NDArray[np.int8]:
    """Return the finest level at which a cell is at least as large as a thing of this extent (degrees).

    A thing of no extent is a measured point (level 32); one larger than any cell is true to level 1.
    """
    extent = np.nan_to_num(np.maximum(width, height), nan=0.0)
    levels = np.full(len(extent), MEASURED, np.int8)
    for level in range(MEASURED, 1, -1):
        levels[extent > SIZE[level] / TICKS_PER_DEGREE] = level - 1
    return levels


def level_masks(levels: NDArray[np.int8]) -> NDArray[np.uint64]:
    """Return the mask that clears a code's digits below each level."""
    shift = (64 - 2 * levels.astype(np.int64)).astype(np.uint64)
    full = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
    return (full >> shift) << shift


def _only(batch: pa.RecordBatch, good: NDArray[np.bool_]) -> pa.RecordBatch:
    """Return the good rows of a batch; where few are not, what lies between them is copied as a whole."""
    bad = np.flatnonzero(~good)
    if FEW_BAD * len(bad) > len(good):
        return batch.filter(pa.array(good))
    edges = zip([0, *(bad + 1).tolist()], [*bad.tolist(), len(good)], strict=True)
    parts = [batch.slice(begin, end - begin) for begin, end in edges if end > begin]
    return pa.concat_batches(parts) if parts else batch.slice(0, 0)


def _cast(column: pa.Array, type_: pa.DataType) -> pa.Array:
    if column.type == type_:
        return column
    if pa.types.is_nested(column.type):
        return pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())
    return column.cast(type_, safe=False) if pa.types.is_timestamp(type_) else column.cast(type_)


def _coordinates(column: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return a coordinate column as floats, with which are missing and which are unreadable."""
    missing = np.asarray(pc.is_null(column))
    if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
        values = np.asarray(column.cast(pa.float64()).fill_null(0.0))
        return values, missing, np.zeros(len(values), bool)
    values, unreadable = read_angles(column)
    absent = np.isnan(values) & ~unreadable
    return np.nan_to_num(values), absent, unreadable


def _row_texts(table: pa.RecordBatch, rows: list[int]) -> list[str]:
    """Return rows as a person can read them: `column=value` pairs, geometries left out."""
    return [
        " | ".join(f"{name}={_value_text(value)}" for name, value in row.items())
        for row in (table.take(pa.array(rows, pa.int64())).to_pylist() if rows else [])
    ]


def _value_text(value: Any) -> str:
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return "" if value is None else str(value)
