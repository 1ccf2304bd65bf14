"""GeoJSON: features with their properties as columns and their geometry as WKB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyproj
import shapely
from pyproj.exceptions import CRSError

from jingwei.lake.forms.errors import CorruptFileError, NotATableError, TooLargeError
from jingwei.lake.forms.geometry import UNPARSABLE
from jingwei.lake.forms.parquet import crs_name, without_faulty
from jingwei.lake.forms.reading import BATCH_ROWS, Batch, Evidence, Reading, RowFault
from jingwei.lake.forms.values import ValueWatch, as_column
from jingwei.words import Text

LARGEST = 512 * 2**20
GEOMETRY = "geometry"
TAKEN = Text(
    "JSON 文件可以是 GeoJSON（FeatureCollection 或 Feature）、由对象组成的数组（[{…}, {…}]），或每行一个对象",
    "a JSON file is GeoJSON (a FeatureCollection or a Feature), an array of objects ([{...}, {...}]), "
    "or one object on each line",
)
"""Which forms of JSON are taken."""


class _Collection(msgspec.Struct):
    type: str
    features: list[msgspec.Raw] | None = None
    crs: dict[str, Any] | None = None


class _Feature(msgspec.Struct):
    properties: dict[str, Any] | None = None
    geometry: msgspec.Raw = msgspec.Raw(b"null")


class GeoJsonReading(Reading):
    """A GeoJSON FeatureCollection (RFC 7946, and the older `crs` member)."""

    form = "geojson"
    geometry = GEOMETRY

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        size = path.stat().st_size
        if size > LARGEST:
            raise TooLargeError(path, size, LARGEST, "GeoPackage / GeoParquet")
        collection = _decode_collection(path)
        self._features = collection.features or []
        self.total = len(self._features)
        self.declared_crs, reason = _declared(collection.crs)
        self.evidence.append(Evidence("crs", self.declared_crs or "undeclared", reason, {}))
        self._parts: dict[int, _Feature] = {}
        self._broken: dict[int, RowFault] = {}
        self._read_features()
        names = _property_names(part.properties for part in self._parts.values())
        self.geometry = _free(GEOMETRY, names)
        fields = [pa.field(name, self._type_of(name)) for name in names]
        self.schema = pa.schema([*fields, pa.field(self.geometry, pa.binary())])

    def batches(self, size: int = BATCH_ROWS) -> Iterator[Batch]:
        """Yield the features; those that cannot be parsed or whose geometry is broken are faults."""
        for start in range(0, len(self._features), size):
            numbers = range(start + 1, min(start + size, len(self._features)) + 1)
            faults = [self._broken[number] for number in numbers if number in self._broken]
            good = [number for number in numbers if number in self._parts]
            batch = self._batch(good)
            self._done = numbers[-1] / len(self._features)
            batch.faults = sorted([*faults, *batch.faults], key=lambda fault: fault.row)
            yield batch

    def _read_features(self) -> None:
        for number, raw in enumerate(self._features, start=1):
            try:
                self._parts[number] = msgspec.json.decode(raw, type=_Feature)
            except msgspec.DecodeError as error:
                reason = Text(f"不是要素：{error}", f"it is no feature: {error}")
                self._broken[number] = RowFault(
                    number, "broken-feature", reason, bytes(raw).decode(errors="replace")
                )

    def _type_of(self, name: str) -> pa.DataType:
        watch = ValueWatch()
        for part in self._parts.values():
            watch.see((part.properties or {}).get(name))
        return watch.type

    def _batch(self, numbers: list[int]) -> Batch:
        parts = [self._parts[number] for number in numbers]
        given = [bytes(part.geometry) for part in parts]
        shapes = shapely.from_geojson([None if raw == b"null" else raw for raw in given], on_invalid="ignore")
        wkb = shapely.to_wkb(shapes)
        unparsed = [at for at, raw in enumerate(given) if wkb[at] is None and raw != b"null"]
        columns = [
            as_column([(part.properties or {}).get(field.name) for part in parts], field.type)
            for field in list(self.schema)[:-1]
        ]
        table = pa.RecordBatch.from_arrays([*columns, pa.array(wkb, pa.binary())], schema=self.schema)
        rows = np.array(numbers, dtype=np.int64)
        faults = [
            RowFault(
                numbers[at],
                "broken-geometry",
                UNPARSABLE,
                bytes(self._features[numbers[at] - 1]).decode(errors="replace"),
            )
            for at in unparsed
        ]
        kept = np.ones(len(parts), dtype=bool)
        kept[unparsed] = False
        batch = without_faulty(table.filter(pa.array(kept)), rows[kept], self.geometry)
        batch.faults = [*faults, *batch.faults]
        return batch


def _decode_collection(path: Path) -> _Collection:
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    try:
        collection = msgspec.json.decode(text, type=_Collection)
    except msgspec.ValidationError as error:
        raise NotATableError(path, TAKEN) from error
    except msgspec.DecodeError as error:
        raise CorruptFileError(path, "GeoJSON", str(error)) from error
    if collection.type == "Feature":
        return _Collection("FeatureCollection", [msgspec.Raw(text)], collection.crs)
    if collection.features is None:
        raise NotATableError(
            path,
            Text(
                f"类型 {collection.type} 不是要素集合；{TAKEN.zh}",
                f"the type {collection.type} is no FeatureCollection; {TAKEN.en}",
            ),
        )
    return collection


def _declared(crs: dict[str, Any] | None) -> tuple[str | None, Text]:
    """Return the `crs` member's system; None without one, as many files do not keep to RFC 7946's WGS84."""
    if crs is None:
        return None, Text(
            "文件没有 crs 成员；按 RFC 7946 应为 WGS84，但国内文件常不遵守",
            "the file has no crs member; by RFC 7946 it is WGS84, which files in use often do not keep to",
        )
    name = str((crs.get("properties") or {}).get("name", ""))
    try:
        return crs_name(pyproj.CRS.from_user_input(name)), Text(
            f"文件声明 {name}", f"the file declares {name}"
        )
    except CRSError:
        return None, Text(
            f"文件声明的坐标系 {name} 无法识别", f"the declared coordinate system {name} is unknown"
        )


def _property_names(properties: Any) -> list[str]:
    names: dict[str, None] = {}
    for each in properties:
        names.update(dict.fromkeys(each or {}))
    return list(names)


def _free(name: str, taken: list[str]) -> str:
    while name in taken:
        name += "_"
    return name
