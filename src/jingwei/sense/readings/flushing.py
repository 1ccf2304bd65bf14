"""Readings on their way to the lake: sorted, addressed, published as the next version of a dataset.

A version names the last reading of the log that it holds (`fingerprint`), so after a crash at any moment it
is known which readings are in the lake and which are only in the log.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from jingwei import grid
from jingwei.lake.schemas import CITYS_OWN, Column, Content, Counts, Place, SourceFile
from jingwei.lake.store import Description
from jingwei.sense.readings.batch import SCHEMA
from jingwei.sense.readings.tier import lake_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from jingwei.lake import Lake, Version
    from jingwei.lake.schemas import DataFile
    from jingwei.lake.store import TableName
    from jingwei.sense.readings.columns import Rows
    from jingwei.sense.readings.facts import StreamFacts
    from jingwei.sense.readings.overlay import Overlay
    from jingwei.sense.readings.tier import Stored

DATASET = "readings"
TITLE = {"zh": "感知读数", "en": "Sensor readings"}
SHARING = "none"
"""Each stream is shared in its own way, which the rows do not say: as a whole they are for nobody."""
MERGED = 8
"""So many files of like size are merged into one."""
LARGEST = 8_000_000
"""Rows from which a file is merged no more."""

ADDRESS = pa.schema(
    [
        ("jw_object", pa.string()),
        ("jw_cell", pa.int64()),
        ("jw_level", pa.int8()),
        ("jw_height", pa.float64()),
        ("jw_time", pa.timestamp("us", "UTC")),
        ("jw_time_end", pa.timestamp("us", "UTC")),
        ("jw_time_precision", pa.string()),
    ]
)
OWN = tuple(name for name in SCHEMA.names if lake_name(name)[:3] != "jw_")


@dataclass(frozen=True, slots=True)
class Mark:
    """Up to where the log is in the lake: segment, number of the last reading, rows kept apart."""

    segment: int = 0
    reading: int = 0
    apart: int = 0

    def text(self) -> str:
        """Return it as a version bears it."""
        return f"log-{self.segment}-{self.reading}-{self.apart}"

    @staticmethod
    def of(version: Version | None) -> Mark:
        """Return the mark of a version, the first one where there is none."""
        if version is None:
            return Mark()
        return Mark(*(int(part) for part in version.content.fingerprint.split("-")[1:]))


def lake_table(rows: Rows, facts_of: Callable[[int], StreamFacts | None]) -> pa.Table:
    """Return ordered rows as the lake keeps them: their own columns, then the address."""
    table = rows.table()
    columns = {lake_name(name): table[name] for name in OWN}
    for name in ("result_json", "quality", "parameters"):
        columns[name] = columns[name].cast(pa.string())
    streams, inverse = np.unique(rows["stream"], return_inverse=True)
    known = [facts_of(stream) for stream in streams.tolist()]
    for name, field in (
        ("jw_object", "object"),
        ("jw_cell", "cell"),
        ("jw_level", "level"),
        ("jw_height", "height"),
    ):
        values = [None if one is None else getattr(one, field) for one in known]
        columns[name] = pa.array(values, ADDRESS.field(name).type).take(pa.array(inverse))
    columns["jw_time"], columns["jw_time_end"] = table["time"], table["time_end"]
    columns["jw_time_precision"] = pa.array(["second"] * len(rows), pa.string())
    columns["jw_source"] = pa.array(np.zeros(len(rows), np.int16))
    columns["jw_row"] = table["id"]
    return pa.table(columns)


def publish(
    lake: Lake,
    table: pa.Table,
    quarantine: pa.Table,
    *,
    version: Version | None,
    kept: list[DataFile],
    mark: Mark,
    owner: str,
) -> tuple[int, DataFile | None]:
    """Publish rows beside the files that are kept, as the next version; return its number and the new file.

    Raises
    ------
    BusyError
        If another program writes into the city.

    """
    started = time.monotonic()
    old = version.content if version else None
    with lake.store.writing(brief=True), lake.store.load(DATASET) as load:
        before = old.facts if old else []
        written = lake.store.add_table(load, "facts", table, kept=kept, before=before)
        if quarantine.num_rows:
            apart = old.quarantine if old else []
            lake.store.add_table(load, "quarantine", quarantine, kept=apart, before=apart)
        else:
            load.files["quarantine"] = [*(old.quarantine if old else [])]
        content = _content(old, table, quarantine, load.files, mark, time.monotonic() - started)
        about = Description(DATASET, TITLE, owner, SHARING, "realtime", position=CITYS_OWN)
        return lake.store.publish(load, about, content, actor="jingwei"), written


def _content(
    old: Content | None,
    table: pa.Table,
    quarantine: pa.Table,
    files: dict[TableName, list[DataFile]],
    mark: Mark,
    seconds: float,
) -> Content:
    rows = sum(file.rows for file in files["facts"])
    apart = sum(file.rows for file in files["quarantine"])
    placed = len(table) - table["jw_cell"].null_count
    addressed = min(rows, (old.counts.addressed if old else 0) + placed)
    rules = dict(old.rules) if old else {}
    for rule in quarantine["rule"].to_pylist():
        rules[rule] = rules.get(rule, 0) + 1
    levels = set(old.levels.get("", []) if old else []) | set(
        table["jw_level"].drop_null().unique().to_pylist()
    )
    return Content(
        facts=files["facts"],
        covers=[],
        quarantine=files["quarantine"],
        delta=dict(old.delta) if old else {},
        places=[Place("", "point", [])],
        levels={"": sorted(levels)},
        geometry=None,
        time=True,
        name=None,
        keys=["reading"],
        columns=[Column(lake_name(name), str(table.schema.field(lake_name(name)).type)) for name in OWN],
        counts=Counts(rows + apart, rows, addressed, rows - addressed, apart),
        rules=rules,
        findings=[],
        bounds=_bounds(old.bounds if old else None, table),
        period=_period(old.period if old else None, table),
        sources=[SourceFile(f"sense/log/{mark.segment:012}.log", "", 0, 0, mark.text())],
        fingerprint=mark.text(),
        evidence=[],
        seconds=seconds,
        address=[*ADDRESS.names, "jw_source", "jw_row", "jw_fact"],
        reads=[],
    )


def _period(old: tuple[int, int] | None, table: pa.Table) -> tuple[int, int] | None:
    if not table.num_rows:
        return old
    times = table["jw_time"].cast(pa.int64()).to_numpy()
    low, high = int(times.min()), int(times.max())
    return (min(low, old[0]), max(high, old[1])) if old else (low, high)


def _bounds(
    old: tuple[float, float, float, float] | None, table: pa.Table
) -> tuple[float, float, float, float] | None:
    pairs = table.select(["jw_cell", "jw_level"]).group_by(["jw_cell", "jw_level"]).aggregate([]).drop_null()
    boxes = [old] if old else []
    boxes += [grid.bounds(grid.from_stored(one["jw_cell"]), one["jw_level"]) for one in pairs.to_pylist()]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def touched(files: tuple[Stored, ...], overlay: Overlay) -> list[Stored]:
    """Return the files in which readings may lie that were corrected or deleted."""
    places = [(change.stream, change.time) for change in overlay.changes.values()]
    return [
        one
        for one in files
        if any(one.holds(stream, time) for stream, time in places)
        or any(one.holds(stream, None) for stream in overlay.cut)
    ]


def to_merge(files: tuple[Stored, ...]) -> list[Stored]:
    """Return the files that are worth merging into one: many of like size, none where there are few."""
    small = sorted((one for one in files if one.file.rows < LARGEST), key=lambda one: one.file.rows)
    for size in range(len(small), MERGED - 1, -1):
        if small[size - 1].file.rows <= sum(one.file.rows for one in small[: size - 1]):
            return small[:size]
    return []
