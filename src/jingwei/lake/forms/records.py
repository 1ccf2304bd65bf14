"""JSON lines: one object a line, streamed in bounded memory; sequences of GeoJSON features too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
import shapely

from jingwei.lake.forms.errors import EmptyFileError, NotATableError, TooLargeError, UnknownColumnError
from jingwei.lake.forms.geometry import UNPARSABLE
from jingwei.lake.forms.parquet import without_faulty
from jingwei.lake.forms.reading import BATCH_ROWS, Batch, Evidence, Progress, Reading, RowFault
from jingwei.lake.forms.values import ValueWatch, as_column
from jingwei.words import Text

LONGEST_LINE = 64 * 2**20
LARGEST_ARRAY = 512 * 2**20
RECORD_SEPARATOR = b"\x1e"
"""Stands before each record of a JSON text sequence (RFC 7464, RFC 8142)."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Record: TypeAlias = dict[str, Any]
Numbered: TypeAlias = tuple[int, bytes]


class RecordsReading(Reading):
    """JSON objects, one a line or in one array."""

    form = "json"

    def __init__(
        self, path: Path, *, columns_as_text: Iterable[str] = (), progress: Progress | None = None
    ) -> None:
        super().__init__(path)
        self._as_array = first_byte(path) == b"["
        self._size = path.stat().st_size
        if self._as_array and self._size > LARGEST_ARRAY:
            raise TooLargeError(path, self._size, LARGEST_ARRAY, "JSON Lines")
        self._scan(set(columns_as_text), progress)

    def batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the records; lines that hold no object are faults."""
        records: list[Record] = []
        numbers: list[int] = []
        faults: list[RowFault] = []
        done = 0
        for number, raw in self._raw():
            done += len(raw) + 1
            record = read_record(number, raw)
            if isinstance(record, RowFault):
                faults.append(record)
            else:
                records.append(record)
                numbers.append(number)
            if len(numbers) + len(faults) >= size:
                self._done = min(1.0, done / self._size)
                yield self._batch(records, numbers, faults)
                records, numbers, faults = [], [], []
        if numbers or faults:
            yield self._batch(records, numbers, faults)
        self._done = 1.0

    def _scan(self, columns_as_text: set[str], progress: Progress | None) -> None:
        watches: dict[str, ValueWatch] = {}
        self.total = 0
        done = good = 0
        geometric = False
        for number, raw in self._raw():
            self.total += 1
            done += len(raw) + 1
            record = read_record(number, raw)
            if isinstance(record, RowFault):
                continue
            good += 1
            geometric = geometric or is_feature(record)
            for name, value in properties_of(record).items():
                if name not in watches:
                    watches[name] = ValueWatch(as_text=name in columns_as_text)
                watches[name].see(value)
            if progress and self.total % 10_000 == 0:
                progress(min(1.0, done / self._size))
        self._check(good, columns_as_text, list(watches))
        self.schema = pa.schema([pa.field(name, watch.type) for name, watch in watches.items()])
        if geometric:
            self.geometry = "geometry"
            while self.geometry in watches:
                self.geometry += "_"
            self.schema = self.schema.append(pa.field(self.geometry, pa.binary()))
            reason = Text("要素未写坐标系", "the features state no coordinate system")
            self.evidence.append(Evidence("crs", "undeclared", reason, {}))

    def _check(self, good: int, columns_as_text: set[str], names: list[str]) -> None:
        if self.total == 0:
            raise EmptyFileError(self.path)
        if good == 0:
            raise NotATableError(self.path, Text("没有一行是 JSON 对象", "no line of it is a JSON object"))
        for column in sorted(columns_as_text - set(names)):
            raise UnknownColumnError(self.path, column, names)

    def _raw(self) -> Iterator[Numbered]:
        return array_items(self.path) if self._as_array else lines_of(self.path)

    def _batch(self, records: list[Record], numbers: list[int], faults: list[RowFault]) -> Batch:
        fields = [field for field in self.schema if field.name != self.geometry]
        columns = [
            as_column([properties_of(r).get(field.name) for r in records], field.type) for field in fields
        ]
        rows = np.array(numbers, dtype=np.int64)
        if self.geometry is None:
            return Batch(pa.RecordBatch.from_arrays(columns, schema=self.schema), rows, faults)
        given = [r.get("geometry") if is_feature(r) else None for r in records]
        texts = [None if shape is None else msgspec.json.encode(shape).decode() for shape in given]
        wkb = shapely.to_wkb(shapely.from_geojson(texts, on_invalid="ignore"))
        broken = [at for at, text in enumerate(texts) if text is not None and wkb[at] is None]
        table = pa.RecordBatch.from_arrays([*columns, pa.array(wkb, pa.binary())], schema=self.schema)
        faults += [RowFault(numbers[at], "broken-geometry", UNPARSABLE, texts[at] or "") for at in broken]
        kept = np.ones(len(records), dtype=bool)
        kept[broken] = False
        batch = without_faulty(table.filter(pa.array(kept)), rows[kept], self.geometry)
        batch.faults = sorted([*faults, *batch.faults], key=lambda fault: fault.row)
        return batch


def first_byte(path: Path) -> bytes:
    """Return the first byte of a file that is neither blank nor part of a byte order mark."""
    with path.open("rb") as file:
        return file.read(2**16).removeprefix(BYTE_ORDER_MARK).lstrip()[:1]


def lines_of(path: Path) -> Iterator[Numbered]:
    """Yield the lines that are not blank with their 1-based numbers."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            if len(line) >= LONGEST_LINE and not line.endswith(b"\n"):
                size = LONGEST_LINE // 2**20
                raise NotATableError(
                    path, Text(f"{size} MiB 之内没有换行", f"there is no line end within {size} MiB")
                )
            number += 1
            text = (
                line.removeprefix(BYTE_ORDER_MARK if number == 1 else b"")
                .removeprefix(RECORD_SEPARATOR)
                .strip()
            )
            if text:
                yield number, text


def array_items(path: Path) -> Iterator[Numbered]:
    """Yield the items of a JSON array with their 1-based ordinals."""
    text = path.read_bytes().removeprefix(BYTE_ORDER_MARK)
    try:
        items = msgspec.json.decode(text, type=list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotATableError(
            path,
            Text(
                "不是完整的 JSON 数组，可能在传输中被截断",
                "it is no whole JSON array; it may have been cut off",
            ),
        ) from error
    for number, item in enumerate(items, start=1):
        yield number, bytes(item)


def read_record(number: int, raw: bytes) -> Record | RowFault:
    """Decode one record, or say what is wrong with it."""
    try:
        record = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = Text(f"不是合法的 JSON：{error}", f"it is no valid JSON: {error}")
        return RowFault(number, "unreadable-record", reason, raw.decode(errors="backslashreplace"))
    if not isinstance(record, dict):
        reason = Text("不是 JSON 对象", "it is no JSON object")
        return RowFault(number, "not-an-object", reason, raw.decode(errors="backslashreplace"))
    return record


def is_feature(record: Record) -> bool:
    """Tell whether a record is a GeoJSON feature."""
    return record.get("type") == "Feature" and "geometry" in record


def properties_of(record: Record) -> Record:
    """Return the columns of a record: of a feature its properties."""
    if not is_feature(record):
        return record
    properties = record.get("properties")
    return properties if isinstance(properties, dict) else {}
