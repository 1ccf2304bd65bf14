"""A pack being written: its folder, its manifest, and the faults that are put into its tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from jingwei.city.demo.arrays import Bools, Floats, Geometries, Ints, Texts
from jingwei.city.demo.codes import CREDIT_ALPHABET
from jingwei.city.demo.forms import Columns, Sheet, write_csv, write_geojson, write_geoparquet, write_parquet
from jingwei.city.demo.town import Town
from jingwei.city.demo.truth import Truth
from jingwei.lake.datums import wgs84_to_bd09, wgs84_to_gcj02
from jingwei.words import Text

ZONE = "Asia/Shanghai"


@dataclass(slots=True)
class Pack:
    """A pack under way.

    Attributes
    ----------
    folder
        Where its files go.
    town
        The city.
    truth
        What is true of it.
    sources
        The manifest's sources so far.
    directory
        The manifest's tables of departments and people.
    cases
        What the manifest says of the cases.
    sense
        What it says of the sensors.

    """

    folder: Path
    town: Town
    truth: Truth = field(default_factory=Truth)
    sources: list[dict[str, Any]] = field(default_factory=list)
    directory: dict[str, Any] = field(default_factory=dict)
    cases: dict[str, Any] = field(default_factory=dict)
    sense: dict[str, Any] = field(default_factory=dict)

    def describe(self, identifier: str, file: str, title: Text, owner: str, **more: Any) -> None:
        """Add a source to the manifest; `owner` is the key of a department."""
        self.sources.append(
            {
                "id": identifier,
                "file": file,
                "title": title.as_json(),
                "owner": self.town.departments[owner].name,
                **{key: value for key, value in more.items() if value is not None},
            }
        )

    def csv(
        self,
        identifier: str,
        file: str,
        title: Text,
        owner: str,
        columns: Columns,
        *,
        encoding: str = "UTF-8",
        **more: Any,
    ) -> None:
        """Write a CSV file and describe it."""
        write_csv(self.folder / file, columns, encoding)
        self.describe(
            identifier, file, title, owner, encoding=None if encoding == "UTF-8" else encoding, **more
        )

    def parquet(
        self, identifier: str, file: str, title: Text, owner: str, columns: Columns, **more: Any
    ) -> None:
        """Write a Parquet file and describe it."""
        write_parquet(self.folder / file, columns)
        self.describe(identifier, file, title, owner, **more)

    def shapes(
        self,
        identifier: str,
        file: str,
        title: Text,
        owner: str,
        columns: Columns,
        geometry: Geometries,
        **more: Any,
    ) -> None:
        """Write shapes of the plane as GeoJSON or GeoParquet (by the file's name), and describe them."""
        degrees = self.town.layout.frame.geometries_to_degrees(geometry)
        write = write_geojson if file.endswith(".geojson") else write_geoparquet
        write(self.folder / file, columns, degrees)
        self.describe(
            identifier,
            file,
            title,
            owner,
            place={"geometry": "geometry", "crs": "WGS84"},
            update_cycle="yearly",
            **more,
        )

    def degrees(self, x: Floats, y: Floats, crs: str = "WGS84") -> tuple[Floats, Floats]:
        """Return longitude and latitude of places in a coordinate system, rounded to 1e-6 degrees."""
        longitude, latitude = self.town.layout.frame.to_degrees(x, y)
        if crs == "GCJ-02":
            longitude, latitude = wgs84_to_gcj02(longitude, latitude)
        elif crs == "BD-09":
            longitude, latitude = wgs84_to_bd09(longitude, latitude)
        return np.round(longitude, 6), np.round(latitude, 6)

    def write_manifest(self) -> Path:
        """Write `city.toml`."""
        layout = self.town.layout
        settings = self.town.settings
        lines = [
            "# A generated, fictional city: no place, person or firm in it exists.",
            f"# jingwei demo generate --scale {settings.scale.key} --seed {settings.seed}",
            "",
            "[city]",
            f'id = "demo_{settings.scale.key.lower()}_{settings.seed}"',
            f"name = {_toml(layout.name.as_json())}",
            'adcode = "390100"',
            f'time_zone = "{ZONE}"',
            "generated = true",
            'boundary = { source = "districts" }',
            f"description = {_toml(DESCRIPTION.as_json())}",
        ]
        if self.directory:
            lines += [
                "",
                "[directory]",
                *(f"{key} = {_toml(value)}" for key, value in self.directory.items()),
            ]
        if self.cases:
            lines += ["", "[cases]", *(f"{key} = {_toml(value)}" for key, value in self.cases.items())]
        if self.sense:
            lines += ["", "[sense]", *(f"{key} = {_toml(value)}" for key, value in self.sense.items())]
        for source in self.sources:
            lines += ["", "[[source]]", *(f"{key} = {_toml(value)}" for key, value in source.items())]
        path = self.folder / "city.toml"
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path


DESCRIPTION = Text(
    "由种子生成的虚构城市：其中的地点、人员、企业和编号均不存在。",
    "A fictional city generated from a seed: no place, person, firm or number in it exists.",
)


def _toml(value: Any) -> str:
    """Return a value in TOML; inline tables for dictionaries."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _key(key: str) -> str:
    return (
        key
        if key.isascii() and key.replace("_", "").replace("-", "").isalnum()
        else json.dumps(key, ensure_ascii=False)
    )


def serial(prefix: str, count: int, digits: int = 7) -> Texts:
    """Return running numbers with a prefix, from 1."""
    return np.array([f"{prefix}{number:0{digits}d}" for number in range(1, count + 1)], dtype=object)


class Table:
    """A department's table while faults are put into it; each is recorded in the truth.

    No row gets two faults by chance, so that each can be found by itself; a row is copied whole, before or
    after, never with a fault in one of the two.
    """

    def __init__(
        self, pack: Pack, source: str, columns: dict[str, Any], groups: Sequence[tuple[str, int]] = ()
    ) -> None:
        self.pack, self.source = pack, source
        self.names = Sheet("", columns, "", groups)
        self.columns = {name: np.array(values, dtype=_kind(values)) for name, values in columns.items()}
        self.random = pack.town.settings.draws(f"faults:{source}")
        self.sound = np.ones(len(self), dtype=bool)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def some(self, share: float, among: Bools | None = None) -> Ints:
        """Return a share of the rows, at least one, at random, in order: of those still without a fault."""
        sound = np.flatnonzero(self.sound if among is None else self.sound & among)
        count = min(len(sound), max(1, round(share * len(self))))
        return np.sort(self.random.choice(sound, count, replace=False))

    def _set(self, rows: Ints, column: str, fault: str, value: Any) -> None:
        values = self.columns[column]
        self.sound[rows] = False
        self.pack.truth.note(self.source, rows, self.names.flat(column), fault, values[rows])
        if values.dtype != object:
            values = self.columns[column] = values.astype(object)
        values[rows] = value

    def blank(self, column: str, share: float) -> None:
        """Lose some values of those that there are."""
        known = np.array([value not in (None, "") for value in self.columns[column].tolist()], dtype=bool)
        self._set(self.some(share, known), column, "null", None)

    def minus_one(self, column: str, share: float) -> None:
        """Write -1 where a value is missing."""
        self._set(self.some(share), column, "minus-one", -1)

    def default_point(self, longitude: str, latitude: str, share: float, point: tuple[float, float]) -> None:
        """Give some rows a default point."""
        rows = self.some(share)
        for column, value in zip((longitude, latitude), point, strict=True):
            self._set(rows, column, "default-point", value)

    def swap(self, first: str, second: str, share: float) -> None:
        """Swap two columns in some rows."""
        rows = self.some(share)
        one, other = self.columns[first][rows].copy(), self.columns[second][rows].copy()
        self._set(rows, first, "swapped", other)
        self._set(rows, second, "swapped", one)

    def wrong_check(self, column: str, share: float) -> None:
        """Spoil the last character of some identifiers."""
        rows = self.some(share)
        spoiled = [
            value[:-1] + CREDIT_ALPHABET[(CREDIT_ALPHABET.find(value[-1]) + 3) % 10]
            for value in self.columns[column][rows]
        ]
        self._set(rows, column, "check-digit", np.array(spoiled, dtype=object))

    def repeat(self, share: float, entity: Ints | Texts) -> Ints | Texts:
        """Append copies of some rows; return the entities of all rows."""
        rows = self.some(share)
        before = len(self)
        self.columns = {name: np.concatenate([values, values[rows]]) for name, values in self.columns.items()}
        self.sound[rows] = False
        self.sound = np.concatenate([self.sound, np.zeros(len(rows), dtype=bool)])
        self.pack.truth.note(self.source, before + np.arange(len(rows)), "", "duplicate", rows + 1)
        return np.concatenate([np.asarray(entity), np.asarray(entity)[rows]])

    def mark(self, rows: Ints, column: str, fault: str, true_value: Any = "") -> None:
        """Record a fault that is in the table already, or comes in with it."""
        self.pack.truth.note(self.source, rows, self.names.flat(column), fault, true_value)


def _kind(values: Any) -> Any:
    array = np.asarray(values)
    return object if array.dtype.kind in "OUS" else array.dtype
