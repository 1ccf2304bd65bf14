"""Everything in a city as files that other programs read, and a new city from them.

Datasets are GeoParquet, contracts YAML of the Open Data Contract Standard, all other records JSON lines, the
log a bundle that anyone can verify; what was handed in goes along as it is. Of each dataset the version
that answers is exported, and answers equally where it is imported.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from sqlalchemy import select
from sqlalchemy.orm import Session

import jingwei
from jingwei import grid, ledger
from jingwei.keeping import events  # noqa: F401 -- declares them
from jingwei.keeping.backup import NAMED, check_apart, copy_readings, files_below, put_keys
from jingwei.keeping.copying import Copy, Tell, nothing
from jingwei.lake import contracting, odcs
from jingwei.lake.models import DatasetRow, VersionRow
from jingwei.lake.schemas import Content
from jingwei.lake.store import TABLES
from jingwei.ledger import bundle
from jingwei.ledger.sealer import latest_checkpoint
from jingwei.records import dumping, now_utc

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import ColumnElement, Connection, Table

    from jingwei.city import City

CONTENTS = "export.json"
FORM = "jingwei-export"
FILES = "files"
"""Below this lies what was handed in, as it is in the city's own folder."""
POINT = "jw_point"
"""The middle of a fact's cell as a geometry, for those who do not read cells; not in the container."""
OF_THIS_MACHINE = ("sign_in", "sign_in_failure", "rate_count", "api_token", "intent")
"""Sessions, tokens, counts, and writing under way: nothing of them concerns another machine."""


@dataclass(frozen=True, slots=True)
class Export:
    """What an export holds."""

    folder: Path
    files: int
    bytes: int
    datasets: int
    rows: int
    events: int


def export_city(
    city: City, folder: Path, *, keys: Path | None = None, actor: str, tell: Tell = nothing
) -> Export:
    """Write everything in a city into a folder, in open formats; the city may be served meanwhile.

    Parameters
    ----------
    city
        The open city.
    folder
        A new or empty folder outside the city's own, or one in which an export was interrupted.
    keys
        A new folder for the keys and `settings.toml`; they are never in the export.
    actor
        Who does it; named in the event.
    tell
        Told of each file.

    Raises
    ------
    TargetNotEmptyError, TargetInsideError, NoSpaceError
        If the folder cannot be written.
    BusyError
        If versions are being dropped or erased at this moment.

    """
    if keys is not None:
        check_apart(keys, city.home, folder)
    about = city.about
    copy = Copy(folder, city.home, tell)
    try:
        with city.lake.store.holding():
            copy_readings(copy, city.home, FILES)
            with dumping.one_moment(city.records.engine) as connection, Session(connection) as session:
                told = _write_records(copy, connection, session)
                versions = session.scalars(_current()).all()
                for row in versions:
                    _write_dataset(copy, city.home / "lake", row)
                    _write_contract(copy, session, about.id, row.dataset)
        for part in NAMED:
            for path in files_below(city.home / part):
                name = path.relative_to(city.home).as_posix()
                copy.take(path, f"{FILES}/{name}", may_be_gone=True)
        told |= {
            "form": FORM,
            "made": now_utc().isoformat(timespec="seconds"),
            "jingwei": jingwei.__version__,
            "city": {"id": about.id, "name": about.name.as_json()},
            "keys": "without" if keys is None else put_keys(copy, city.home, keys),
        }
        digest = copy.finish(CONTENTS, told)
    except BaseException:
        copy.abandon()
        raise
    rows = sum(row.content["counts"]["published"] for row in versions)
    with city.records.write() as session:
        data = {"files": len(copy.sums), "bytes": copy.bytes, "datasets": len(versions), "digest": digest}
        data["versions"] = {row.dataset: row.number for row in versions}
        ledger.append(session, "keeping.exported", actor=actor, subject=f"city/{about.id}", data=data)
    return Export(folder, len(copy.sums), copy.bytes, len(versions), rows, told["log"]["size"])


def _current() -> Any:
    answers = (DatasetRow.id == VersionRow.dataset) & (DatasetRow.current == VersionRow.number)
    return select(VersionRow).join(DatasetRow, answers).order_by(DatasetRow.position, DatasetRow.id)


def _write_records(copy: Copy, connection: Connection, session: Session) -> dict[str, Any]:
    def current(table: Table) -> ColumnElement[bool]:
        numbers = select(DatasetRow.current).where(DatasetRow.id == table.c.dataset).scalar_subquery()
        return table.c.number == numbers

    dumping.dump(
        connection,
        copy.folder / "records",
        leave_out=OF_THIS_MACHINE,
        only={VersionRow.__tablename__: current},
    )
    copy.note_all("records")
    note = latest_checkpoint(session)
    if note:
        bundle.export(session, copy.folder / "log.zip")
        copy.note("log.zip")
    return {
        "revision": dumping.revision_of(connection),
        "log": {"size": int(note.splitlines()[1]) if note else 0, "checkpoint": note},
        "datasets": {row.dataset: row.number for row in session.scalars(_current())},
    }


def _write_contract(copy: Copy, session: Session, city: str, dataset: str) -> None:
    agreed = contracting.in_force(session, dataset)
    if agreed is None:
        return
    name = f"datasets/{dataset}/contract.odcs.yaml"
    identifier = f"urn:jingwei:{city}:{dataset}"
    text = odcs.to_odcs(agreed.contract, version=agreed.number, identifier=identifier)
    (copy.folder / name).parent.mkdir(parents=True, exist_ok=True)
    (copy.folder / name).write_text(text, "utf-8")
    copy.note(name)


def _write_dataset(copy: Copy, lake: Path, row: VersionRow) -> None:
    content = Content.from_json(row.content)
    for table in TABLES:
        for file in getattr(content, table):
            name = f"datasets/{row.dataset}/{table}/{file.path}"
            path = lake / row.dataset / table / file.path
            if table == "facts":
                (copy.folder / name).parent.mkdir(parents=True, exist_ok=True)
                _write_facts(path, copy.folder / name, content)
                copy.note(name)
            else:
                copy.take(path, name)
    findings = lake / row.dataset / "findings"
    for path in sorted(findings.glob(f"{row.intent}-*.parquet")):
        copy.take(path, f"datasets/{row.dataset}/findings/{path.name}")


def _write_facts(source: Path, target: Path, content: Content) -> None:
    """Write facts as GeoParquet 1.1, row group by row group: answers read them as they read the container."""
    column = content.geometry
    placed = next((place for place in content.places if place.kind != "geometry"), None)
    point = column is None and placed is not None
    with pq.ParquetFile(source) as file:
        schema = file.schema_arrow
        if point:
            column, schema = POINT, schema.append(pa.field(POINT, pa.binary()))
        if column is not None:
            geo = {
                "version": "1.1.0",
                "primary_column": column,
                "columns": {column: {"encoding": "WKB", "geometry_types": []}},
            }
            schema = schema.with_metadata({**(schema.metadata or {}), b"geo": json.dumps(geo).encode()})
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            for number in range(file.num_row_groups):
                table = file.read_row_group(number)
                if point and placed is not None:
                    points = _points(table[placed.cell], table[placed.level])
                    table = table.append_column(pa.field(POINT, pa.binary()), points)
                writer.write_table(table.cast(schema), row_group_size=max(1, table.num_rows))


def _points(cells: pa.ChunkedArray, levels: pa.ChunkedArray) -> pa.Array:
    """Return the middles of cells as WKB points (WGS84), null where there is no cell."""
    known = levels.fill_null(0).to_numpy()
    codes = cells.fill_null(0).to_numpy()
    points = np.full(len(codes), None, object)
    for level in np.unique(known[known > 0]).tolist():
        mine = known == level
        lon, lat = grid.centre(grid.from_stored(codes[mine]), level)
        points[mine] = shapely.to_wkb(shapely.points(lon, lat))
    return pa.array(points, pa.binary())
