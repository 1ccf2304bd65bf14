"""A look at a file before it is loaded: its columns, its places on the map, and the first findings."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jingwei import grid
from jingwei.city import survey
from jingwei.city.assessing import surroundings as checked_around
from jingwei.city.loader import survey_of
from jingwei.errors import JingweiError
from jingwei.lake import contracting, quality
from jingwei.lake.address import Addresser, GeometryPlacing
from jingwei.lake.checking import Report, check
from jingwei.lake.forms.reading import Batch, Reading
from jingwei.lake.proposing import propose
from jingwei.lake.schemas import Content, Counts, Dataset
from jingwei.records import now_utc

if TYPE_CHECKING:
    from jingwei.city.manifest import Manifest, SourceSpec
    from jingwei.city.service import City

SHOWN_ROWS = 8
SHOWN_POINTS = 500
LONGEST = 120
"""Characters of a value that is shown."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file looks like from within.

    Attributes
    ----------
    columns
        Name and type of each.
    rows
        The first rows as text, in the order of the columns.
    evidence
        What was detected, and by what.
    problem
        What keeps the source from being loaded as it stands, or None.
    points
        Where rows lie: longitude and latitude, WGS84, from all over what was looked at; as the file has
        them where that is what has to be decided.
    looked_at, placed
        How many rows were looked at, and how many of them have a place.
    faults
        Rows that could not be published, by rule; `examples` shows some with their row and reason.
    report
        What the contract in force, or the proposed one, says of these rows.
    """

    form: str
    columns: list[tuple[str, str]]
    rows: list[list[str]]
    total: int | None
    evidence: list[dict[str, Any]]
    problem: dict[str, Any] | None
    points: list[tuple[float, float]]
    looked_at: int
    placed: int
    faults: dict[str, int]
    examples: list[dict[str, Any]]
    report: Report | None


def preview(city: City, manifest: Manifest, spec: SourceSpec, path: Path) -> Preview:
    """Look at the first rows of a file as a source of the city.

    Raises
    ------
    FormError
        If the file cannot be read at all.

    """
    with survey.open_reading(spec, path) as reading:
        first = _first_rows(reading)
        table = first.table if first is not None else pa.RecordBatch.from_pylist([], schema=reading.schema)
        columns = [(one.name, str(one.type)) for one in reading.schema]
        shown = [[_shown(value) for value in row.values()] for row in table.slice(0, SHOWN_ROWS).to_pylist()]
        seen = _Seen(reading.form, columns, shown, reading.total)
        try:
            around, near = survey_of(city, manifest, spec)
            plan = survey.plan(spec, reading, around)
        except JingweiError as error:
            evidence = (error.where or {}).get("evidence") or [
                survey.as_json(one) for one in reading.evidence
            ]
            return seen.stopped(error, evidence, table.num_rows)
        evidence = [survey.as_json(one) for one in plan.evidence]
        if first is None:
            return Preview(*seen.start, evidence, None, [], 0, 0, {}, [], None)
        return _looked_at(city, spec, reading.schema, plan, near, first, seen, evidence)


def _first_rows(reading: Reading) -> Batch | None:
    """Return the rows by which a file is looked at as one batch; None where it has none."""
    found: list[Batch] = []
    rows = 0
    for batch in reading.batches(survey.SAMPLE_ROWS):
        found.append(batch)
        rows += batch.table.num_rows
        if rows >= survey.SAMPLE_ROWS:
            break
    if not found:
        return None
    table = pa.Table.from_batches([batch.table for batch in found], reading.schema).combine_chunks()
    whole = next(iter(table.to_batches()), found[0].table)
    numbers = np.concatenate([batch.rows for batch in found])
    return Batch(whole, numbers, [fault for batch in found for fault in batch.faults])


@dataclass(frozen=True, slots=True)
class _Seen:
    form: str
    columns: list[tuple[str, str]]
    rows: list[list[str]]
    total: int | None

    @property
    def start(self) -> tuple[str, list[tuple[str, str]], list[list[str]], int | None]:
        return self.form, self.columns, self.rows, self.total

    def stopped(self, error: JingweiError, evidence: list[dict[str, Any]], rows: int) -> Preview:
        """Return a preview that ends at what has to be said by a person."""
        problem = {
            "code": error.code,
            "what": error.what.as_json(),
            "mend": error.mend.as_json() if error.mend else None,
            "where": error.where,
        }
        return Preview(*self.start, evidence, problem, _sample_of(error), rows, 0, {}, [], None)


def _sample_of(error: JingweiError) -> list[tuple[float, float]]:
    """Return the points that an error shows, as the file has them: near enough to see where they lie."""
    shown = [error.where, *(one.get("figures", {}) for one in error.where.get("evidence", ()))]
    sample: list[list[float]] = next((one["sample"] for one in shown if one.get("sample")), [])
    return [(x, y) for x, y in sample if abs(x) <= 180 and abs(y) <= 90]


def _looked_at(
    city: City,
    spec: SourceSpec,
    schema: pa.Schema,
    plan: survey.Plan,
    near: Any,
    first: Batch,
    seen: _Seen,
    evidence: list[dict[str, Any]],
) -> Preview:
    addresser = Addresser(schema, plan.placings, plan.timing, near=near)
    addressed, faults = addresser.address(first, 0)
    places = [placing.place for placing in plan.placings]
    points: list[tuple[float, float]] = []
    if places and addressed.num_rows:
        cells = addressed.column(places[0].cell).drop_null().to_numpy()
        step = max(1, len(cells) // SHOWN_POINTS)
        codes = np.asarray(grid.from_stored(cells[::step][:SHOWN_POINTS]), np.uint64)
        lon, lat = grid.centre(codes, 32) if len(codes) else ([], [])
        points = [(round(float(x), 7), round(float(y), 7)) for x, y in zip(lon, lat, strict=True)]
    tally = addresser.tally
    geometry = next((one.column for one in plan.placings if isinstance(one, GeometryPlacing)), None)
    report = None
    if addressed.num_rows:
        with tempfile.TemporaryDirectory(dir=city.home) as folder:
            report = _checked(city, spec, addresser, addressed, places, geometry, plan, Path(folder))
    examples = [
        {"row": one.row, "rule": one.rule, "reason": one.reason.as_json(), "text": one.text}
        for one in faults[:20]
    ]
    return Preview(
        *seen.start, evidence, None, points, tally.read, tally.addressed, dict(tally.rules), examples, report
    )


def _checked(
    city: City,
    spec: SourceSpec,
    addresser: Addresser,
    addressed: pa.RecordBatch,
    places: list[Any],
    geometry: str | None,
    plan: survey.Plan,
    folder: Path,
) -> Report:
    """Check the rows by the contract in force, else by the one that they themselves propose."""
    path = folder / "facts.parquet"
    table = pa.Table.from_batches([addressed])
    pq.write_table(table.append_column("jw_fact", pa.array(np.arange(table.num_rows))), path)
    columns, _ = quality.describe([path], addresser.own, [], "400MB")
    tally = addresser.tally
    content = Content(
        facts=[],
        covers=[],
        quarantine=[],
        delta={},
        places=places,
        levels={},
        geometry=geometry,
        time=plan.timing is not None,
        name=spec.name,
        keys=spec.keys,
        columns=columns,
        counts=Counts(
            tally.read, tally.published, tally.addressed, tally.published - tally.addressed, tally.quarantined
        ),
        rules=dict(tally.rules),
        findings=[],
        bounds=None,
        period=(tally.period[0], tally.period[1]) if tally.period else None,
        sources=[],
        fingerprint="",
        evidence=[],
        seconds=0.0,
    )
    with city.records.read() as session:
        agreed = contracting.in_force(session, spec.id)
    if agreed is None:
        about = Dataset(
            spec.id,
            spec.title.text,
            spec.owner,
            spec.sharing,
            spec.update_cycle,
            "held",
            None,
            None,
            now_utc(),
            2,
            {},
        )
        contract = propose(about, content, [path], addresser.own)
    else:
        contract = agreed.contract
    around = checked_around(city, spec.id, boundary=city.about.boundary)
    return check(contract, [path], addresser.own, content, around)[0]


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
