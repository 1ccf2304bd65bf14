"""Loading a city pack: repeatable, and all-or-nothing for each source.

The same files loaded twice change nothing. A source whose coordinate system (or other property that decides
where its facts lie) is neither declared nor beyond doubt is held back with the evidence; all others load.
"""

from __future__ import annotations

import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from sqlalchemy import select

from jingwei import ledger
from jingwei.access import Asker
from jingwei.city import survey
from jingwei.city.areas import published, shape_of
from jingwei.city.assessing import GateError, check_load
from jingwei.city.confirming import Thinned
from jingwei.city.decisions import apply_decisions
from jingwei.city.directory import load_directory
from jingwei.city.errors import (
    HeldError,
    ImplausibleBoundaryError,
    MissingColumnError,
    NothingLeftError,
    OtherCityError,
)
from jingwei.city.kept import FOLDER, PREFIX, apply_kept, place_of
from jingwei.city.manifest import Manifest, SourceSpec, ground_of, in_order
from jingwei.city.models import CityRow
from jingwei.city.naming import named, named_schema
from jingwei.city.parts import Area
from jingwei.city.progress import Listener, Progress, Stage, Stop
from jingwei.city.stating import note_stated, waits_for
from jingwei.errors import JingweiError
from jingwei.lake import contracting, forms, quality
from jingwei.lake.address import REGION_DEGREES, Addresser, GeometryPlacing, Tally, Timing, key_of
from jingwei.lake.covers import cover_table
from jingwei.lake.distinct import Distinct
from jingwei.lake.erasing import erased_marks, without_erased
from jingwei.lake.errors import NoSpaceError, ReadOnlyError, StoppedError, did_you_mean
from jingwei.lake.forms.opening import check_file
from jingwei.lake.forms.side_by_side import ordered_map
from jingwei.lake.quarantine import Quarantined, quarantine_of
from jingwei.lake.schemas import Consulted, Content, Counts, Dataset, Finding, Read, SourceFile, Version
from jingwei.lake.slicing import Outlook
from jingwei.lake.sorting import behind
from jingwei.lake.store import MEMORY, Description, Load
from jingwei.lake.weighing import Anchor
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jingwei.city.service import City

RECIPE = 2
"""Counted up whenever loading the same file would give other facts; part of every fingerprint."""

NO_FACTS = {
    "title", "description", "owner", "sharing", "update_cycle", "level", "fields",
    "ground", "label", "made_of",
}  # fmt: skip
"""What a manifest says of a source that decides nothing of its facts."""

BATCH_ROWS = 65_536
"""Rows addressed at once: few enough that their columns stay in the processor's cache."""

MAX_QUARANTINED = 1_000_000
"""Rows that are kept in quarantine; beyond that the file is not what the manifest says it is."""


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What became of one source."""

    id: str
    title: Text
    stage: Stage
    counts: Counts
    rules: dict[str, int]
    findings: list[Finding]
    problem: dict[str, Any] | None
    seconds: float


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of a pack."""

    city: str
    sources: list[SourceReport]
    seconds: float

    @property
    def complete(self) -> bool:
        """Whether every source is published."""
        return all(source.stage in ("published", "unchanged") for source in self.sources)


@dataclass(slots=True)
class _Work:
    """One load of a pack under way."""

    city: City
    manifest: Manifest
    data: Path
    asker: Asker
    listener: Listener
    stop: Stop
    boundary: Any = None
    boundary_of: Version | None = None
    near: tuple[float, float, float, float] | None = None
    consulted: Consulted = field(default_factory=Consulted)
    """What is read of other datasets for the source under way."""
    plain_times: frozenset[str] = frozenset()
    """Columns of the source under way whose texts were all seen to be times to the second."""
    reports: dict[str, SourceReport] = field(default_factory=dict)

    def heed(self) -> None:
        """Heed a wish to stop."""
        if self.stop.asked:
            raise StoppedError(self.manifest.city.id)

    def tell(self, spec: SourceSpec, stage: Stage, share: float = 0.0, rows: int = 0) -> None:
        """Tell the listener where a source stands; heed a wish to stop."""
        if self.stop.asked:
            raise StoppedError(spec.id)
        self.listener(Progress(spec.id, str(spec.title.text), stage, share, rows))


def load_pack(
    city: City,
    manifest: Manifest,
    pack: Path,
    data: Path | None,
    asker: Asker,
    *,
    listener: Listener = lambda _: None,
    stop: Stop | None = None,
    only: str | None = None,
) -> LoadReport:
    """Load the sources of a pack that changed since they were last loaded.

    Parameters
    ----------
    city
        The open city that the pack belongs to.
    manifest
        The pack's manifest.
    pack
        The folder of the pack.
    data
        The folder of its files, where they lie apart from the manifest.
    asker
        Who loads; named in the events.
    listener
        Told how far each source is.
    stop
        Ask it to stop the load between two batches; the source under way leaves nothing behind.
    only
        Load just this source.

    Raises
    ------
    OtherCityError
        If the home holds another city.
    BusyError, ReadOnlyError, NoSpaceError, StoppedError
        If the load as a whole cannot go on. What is wrong with one source is in its report instead.

    """
    started = time.monotonic()
    manifest = apply_decisions(city, apply_kept(city, manifest))
    work = _Work(city, manifest, (data or pack).resolve(), asker, listener, stop or Stop())
    with city.lake.store.writing(waiting=work.heed):
        _introduce(work, pack)
        if manifest.directory is not None and only is None:
            load_directory(city, manifest.directory, work.data, asker)
        waiting = [spec for spec in in_order(manifest) if only is None or spec.id == only]
        _find_boundary(work)
        # Sources that a later one may help to decide are tried again once all others are loaded.
        for attempt in (1, 2):
            waiting = [spec for spec in waiting if not _settled(work, spec, last=attempt == 2)]
        if only is None:
            _withdraw_missing(work)
    reports = [work.reports[spec.id] for spec in manifest.source if spec.id in work.reports]
    return LoadReport(manifest.city.id, reports, time.monotonic() - started)


def _introduce(work: _Work, pack: Path) -> None:
    """Record which city this is."""
    spec = work.manifest.city
    about = {
        "name": spec.name.text.as_json(),
        "adcode": spec.adcode,
        "time_zone": spec.time_zone,
        "generated": spec.generated,
        "description": spec.description.text.as_json() if spec.description else None,
        "ground": ground_of(work.manifest),
        "map_services": [service.model_dump(mode="json") for service in work.manifest.map_service],
    }
    with work.city.records.write() as session:
        row = session.scalar(select(CityRow).limit(1))
        if row is not None and row.id != spec.id:
            raise OtherCityError(str(work.city.home), row.id, spec.id)
        if row is None:
            row = CityRow(id=spec.id, about={}, pack="", data="", changed=now_utc())
            session.add(row)
            ledger.append(
                session,
                "city.founded",
                actor=work.asker.id,
                subject=f"city/{spec.id}",
                data={"adcode": spec.adcode},
            )
        old = {key: row.about.get(key) for key in ("boundary", "bounds")}
        if (row.about, row.pack, row.data) != ({**about, **old}, str(pack.resolve()), str(work.data)):
            row.about, row.pack, row.data = {**about, **old}, str(pack.resolve()), str(work.data)
            row.changed = now_utc()


def _find_boundary(work: _Work) -> None:
    """Take the boundary from its dataset where that is published already."""
    area = work.manifest.city.boundary
    if area is None:
        return
    version = published(work.city.lake, area.source)
    if version is not None and version.content.geometry is not None:
        _set_boundary(work, area, version)


def _set_boundary(work: _Work, area: Area, version: Version) -> None:
    work.boundary, work.boundary_of = shape_of(work.city.lake, area, version), version
    west, south, east, north = work.boundary.bounds
    work.near = (
        west - REGION_DEGREES,
        south - REGION_DEGREES,
        east + REGION_DEGREES,
        north + REGION_DEGREES,
    )
    outline = shapely.simplify(work.boundary, min(0.0005, max(east - west, north - south) / 4000))
    with work.city.records.write() as session:
        row = session.get_one(CityRow, work.manifest.city.id)
        boundary = json.loads(shapely.to_geojson(outline))
        if row.about.get("boundary") != boundary:
            row.about = {**row.about, "boundary": boundary, "bounds": [west, south, east, north]}
            row.changed = now_utc()


def _settled(work: _Work, spec: SourceSpec, *, last: bool) -> bool:
    """Load one source; say whether it needs no further attempt."""
    started = time.monotonic()
    about = _description(work, spec)
    try:
        work.tell(spec, "examining")
        report = _load_source(work, spec, about, started)
    except (NoSpaceError, ReadOnlyError, StoppedError):
        raise
    except (GateError, NothingLeftError) as error:
        report = _problem(work, spec, about, "held", error, started)
    except HeldError as error:
        if not last:
            return False
        report = _problem(work, spec, about, "held", error, started)
    except JingweiError as error:
        report = _problem(work, spec, about, "failed", error, started)
    work.reports[spec.id] = report
    boundary = work.manifest.city.boundary
    if boundary is not None and boundary.source == spec.id:
        _find_boundary(work)
    work.tell(spec, report.stage, 1.0, report.counts.read)
    return True


def _description(work: _Work, spec: SourceSpec) -> Description:
    position = next(n for n, source in enumerate(work.manifest.source) if source.id == spec.id)
    return Description(
        spec.id,
        spec.title.text.as_json(),
        spec.owner,
        spec.sharing,
        spec.update_cycle,
        position,
        spec.level,
        {name: one.model_dump() for name, one in spec.fields.items()},
    )


def _problem(
    work: _Work, spec: SourceSpec, about: Description, stage: Stage, error: JingweiError, started: float
) -> SourceReport:
    problem = {
        "code": error.code,
        "what": error.what.as_json(),
        "mend": error.mend.as_json() if error.mend else None,
        "where": error.where,
    }
    work.city.lake.store.set_problem(about, stage, problem, actor=work.asker.id)
    return SourceReport(
        spec.id, spec.title.text, stage, Counts(), {}, [], problem, time.monotonic() - started
    )


def _load_source(work: _Work, spec: SourceSpec, about: Description, started: float) -> SourceReport:
    dataset = next((d for d in work.city.lake.catalogue() if d.id == spec.id), None)
    if dataset and dataset.version and dataset.version.content.erased and _is_gone(work, spec):
        return _unchanged(work, spec, about, dataset, started)
    paths = _files(work, spec)
    before = dataset.version.content if dataset and dataset.version else None
    known = before.sources if before else []
    for path in paths:
        check_file(path)
    with ThreadPoolExecutor(1, "jingwei-digest") as beside:
        pending = [beside.submit(_source_file, work, spec, path, known) for path in paths]
        sizes = {source.size for source in known}
        if dataset and dataset.version and all(path.stat().st_size in sizes for path in paths):
            fingerprint = _fingerprint(work, spec, [one.result() for one in pending])
            if dataset.version.content.fingerprint == fingerprint:
                return _unchanged(work, spec, about, dataset, started)
        work.consulted = Consulted()
        with work.city.lake.store.load(spec.id) as load:
            note_stated(work.city, work.asker, spec, paths, work.consulted)
            content = _write(work, spec, load, paths, started)
            _check_something_left(spec, content, before)
            compared = _check(work, spec, load, content)
            sources = [one.result() for one in pending]
            content = replace(
                content,
                sources=sources,
                fingerprint=_fingerprint(work, spec, sources),
                reads=[*work.consulted.listed(), *compared],
            )
            work.tell(spec, "publishing", 1.0, content.counts.read)
            work.city.lake.store.publish(load, about, content, actor=work.asker.id)
    return _published_report(spec, "published", content, time.monotonic() - started)


def _check_something_left(spec: SourceSpec, content: Content, before: Content | None) -> None:
    """Keep a version without a single row from taking the place of one that has some."""
    counts = content.counts
    was = before.counts.published if before else 0
    if not counts.published and (counts.read or was):
        raise NothingLeftError(spec.id, counts.read, dict(content.rules))


def _check(work: _Work, spec: SourceSpec, load: Load, content: Content) -> list[Read]:
    """Check what was written against the contract in force, which may keep it from being published."""
    folder = load.table("facts")
    written = [folder / file.path for file in content.facts]
    own = contracting.own_schema(written, content)
    return check_load(work.city, spec.id, load.intent, written, own, content, work.boundary, work.plain_times)


def _unchanged(
    work: _Work, spec: SourceSpec, about: Description, dataset: Dataset, started: float
) -> SourceReport:
    assert dataset.version is not None  # noqa: S101 - asked for by the caller
    work.city.lake.store.describe(about)
    return _published_report(spec, "unchanged", dataset.version.content, time.monotonic() - started)


def _published_report(spec: SourceSpec, stage: Stage, content: Content, seconds: float) -> SourceReport:
    return SourceReport(
        spec.id, spec.title.text, stage, content.counts, content.rules, content.findings, None, seconds
    )


def _is_gone(work: _Work, spec: SourceSpec) -> bool:
    """Say whether a source's file was handed in, and was deleted since as it held what was erased."""
    return spec.file.startswith(PREFIX) and not place_of(work.city.home, work.data, spec.file).exists()


def _files(work: _Work, spec: SourceSpec) -> list[Path]:
    """Return the files of a source, in order; a pattern may stand for several."""
    if any(mark in spec.file for mark in "*?[") and not spec.file.startswith(PREFIX):
        found = sorted(path for path in work.data.glob(spec.file) if path.is_file())
        if found:
            return found
    return [place_of(work.city.home, work.data, spec.file)]


def _source_file(work: _Work, spec: SourceSpec, path: Path, known: list[SourceFile]) -> SourceFile:
    """Describe a file; its digest is computed only where size or time of change say that it may be new."""
    stat = path.stat()
    name = _name_of(work, path)
    for old in known:
        if (old.path, old.size, old.modified_ns) == (name, stat.st_size, stat.st_mtime_ns):
            return SourceFile(name, spec.layer or "", stat.st_size, stat.st_mtime_ns, old.digest)
    return SourceFile(name, spec.layer or "", stat.st_size, stat.st_mtime_ns, forms.digest(path))


def _name_of(work: _Work, path: Path) -> str:
    """Return what a file is called: its place in the pack, or the name under which it was handed in."""
    if path.is_relative_to(work.city.home / FOLDER):
        return path.name
    return path.relative_to(work.data).as_posix() if path.is_relative_to(work.data) else str(path)


def _fingerprint(work: _Work, spec: SourceSpec, sources: list[SourceFile]) -> str:
    """Return a digest of all that decides what this source's facts are."""
    referred = {place.by for place in survey.places(spec).values() if place.by}
    referred |= {place.inside.source for place in survey.places(spec).values() if place.inside}
    below = {}
    for name in sorted(referred):
        version = published(work.city.lake, name)
        below[name] = version.content.fingerprint if version else None
    unsaid = survey.is_unsaid(spec)
    boundary = work.manifest.city.boundary
    handed_in = spec.file.startswith(PREFIX)  # known by its content, whatever it is called
    text = json.dumps(
        {
            "recipe": RECIPE,
            "spec": spec.model_dump(mode="json", exclude=NO_FACTS | ({"file"} if handed_in else set())),
            "files": [("" if handed_in else source.path, source.digest) for source in sources],
            "zone": work.manifest.city.time_zone,
            "referred": below,
            "boundary": boundary.model_dump(mode="json") if boundary and unsaid else None,
        },
        sort_keys=True,
        ensure_ascii=False,
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _write(
    work: _Work,
    spec: SourceSpec,
    load: Load,
    paths: list[Path],
    started: float,
) -> Content:
    """Read, address and write the files of a source; returns what was written, by its files not yet named."""
    readings = [survey.open_reading(spec, path, load.scratch) for path in paths]
    try:
        first = readings[0]
        around = _surroundings(work, spec)
        plan = survey.plan(spec, first, around)
        _check_boundary(work, spec, first, plan)
        if work.boundary_of is not None and around.boundary is not None and plan.placings:
            work.consulted.note(work.boundary_of, "boundary")
        for reading, path in zip(readings[1:], paths[1:], strict=True):
            survey.check_same_layout(spec, first, reading, path)
        addresser = Addresser(first.schema, plan.placings, plan.timing, near=work.near)
        quarantine = _Quarantine()
        thinned = Thinned(first.schema)
        names = [_name_of(work, path) for path in paths]
        batches = _addressed(work, spec, addresser, readings, names, quarantine, thinned)
        places = [placing.place for placing in plan.placings]
        sorting = [place.cell for place in places]
        order = quality.KeyOrder(addresser.own, spec.keys)
        times = quality.PlainTimes(addresser.own)
        different = Distinct(addresser.own)
        first_place = places[0] if places else None
        passing = _noted(batches, order, times, different)
        rows = named(passing, spec, first_place, work.city.records, work.asker, load.intent)
        stream = pa.RecordBatchReader.from_batches(named_schema(addresser.schema, spec), rows)
        zone = work.manifest.city.time_zone
        work.city.lake.store.write_facts(load, stream, sorting, zone, _outlook(readings, plan.timing))
        survey.confirm(spec, plan, thinned, around)
        work.plain_times = frozenset(times.columns)
    finally:
        for reading in readings:
            reading.close()
    folder = load.table("facts")
    written = [folder / file.path for file in load.files["facts"]]
    geometry = next((p.column for p in plan.placings if isinstance(p, GeometryPlacing)), None)
    covers = cover_table(written, places, geometry)
    work.city.lake.store.write_table(load, "covers", covers, "jw_cell")
    work.city.lake.store.write_table(load, "quarantine", quarantine.table(), None)
    columns, findings = quality.describe(
        written, addresser.own, spec.keys, MEMORY, rising=order.rising, distinct=different.counts()
    )
    tally = addresser.tally
    levels = {role: sorted(seen) for role, seen in tally.levels.items()}
    for role in {place.role for place in places if place.kind == "geometry"}:
        mine = np.asarray(covers.filter(pc.equal(covers["jw_role"], role))["jw_level"])
        levels[f"{role}#cover"] = np.unique(mine).tolist()
    return Content(
        facts=load.files["facts"],
        covers=load.files["covers"],
        quarantine=load.files["quarantine"],
        delta={},
        places=places,
        levels=levels,
        geometry=geometry,
        time=plan.timing is not None,
        name=spec.name,
        keys=spec.keys,
        columns=columns,
        counts=Counts(
            tally.read, tally.published, tally.addressed, tally.published - tally.addressed, tally.quarantined
        ),
        rules=tally.rules,
        findings=[*findings, *_unresolved(tally.unresolved), *plan.findings],
        bounds=tuple(tally.bounds) if tally.bounds else None,  # type: ignore[arg-type]  # four floats
        period=(tally.period[0], tally.period[1]) if tally.period else None,
        sources=[],
        fingerprint="",
        evidence=[survey.as_json(item) for item in plan.evidence],
        seconds=time.monotonic() - started,
        address=[name for name in load.schemas["facts"].names if name not in addresser.own.names],
    )


def _outlook(readings: list[forms.Reading], timing: Timing | None) -> Outlook | None:
    """Return what is known of the times of a source before its rows are addressed, if anything is."""
    if timing is None:
        return None
    rows, times = 0, []
    for reading in readings:
        glance = reading.glance()
        if glance is None or reading.total is None:
            return None
        rows += reading.total
        read = timing.read(glance, timing.start)
        times.append(read.utc[read.given])
    return Outlook(rows, np.concatenate(times))


def _addressed(
    work: _Work,
    spec: SourceSpec,
    addresser: Addresser,
    readings: list[forms.Reading],
    names: list[str],
    quarantine: _Quarantine,
    thinned: Thinned,
) -> Iterator[pa.RecordBatch]:
    """Yield addressed rows of all files of a source, in order; faults go to the quarantine."""
    lake = work.city.lake
    marks = erased_marks(lake, spec.id)

    def batches() -> Iterator[tuple[int, forms.Batch]]:
        for number, reading in enumerate(readings):
            for read in reading.last_batches(BATCH_ROWS):
                batch = read
                if marks:
                    kept = without_erased(lake, spec.id, read.table, marks)
                    batch = replace(read, table=read.table.filter(pa.array(kept)), rows=read.rows[kept])
                thinned.note(batch.table)
                yield number, batch

    def address(one: tuple[int, forms.Batch]) -> tuple[int, pa.RecordBatch, list[forms.RowFault], Tally]:
        number, batch = one
        return number, *addresser.apart(batch, number)

    for number, rows, faults, tally in ordered_map(address, batches()):
        addresser.tally.add(tally)
        quarantine.add(names[number], faults)
        share = (number + readings[number].progress) / len(readings)
        work.tell(spec, "reading", share, addresser.tally.read)
        if rows.num_rows:
            yield rows


def _noted(
    batches: Iterator[pa.RecordBatch], *watching: quality.KeyOrder | quality.PlainTimes | Distinct
) -> Iterator[pa.RecordBatch]:
    """Pass batches on; a thread behind takes note of each, and has of all when they end."""

    def note(batch: pa.RecordBatch) -> None:
        for one in watching:
            one.note(batch)

    with behind(note) as hand_over:
        for batch in batches:
            hand_over(batch)
            yield batch


class _Quarantine:
    """Rows that cannot be published, with where they stand and why."""

    def __init__(self) -> None:
        self._rows: list[Quarantined] = []

    def add(self, file: str, faults: list[forms.RowFault]) -> None:
        """Add faults found in a file."""
        for fault in faults:
            reason = fault.reason
            self._rows.append((file, fault.row, fault.rule, reason.zh, reason.en or reason.zh, fault.text))
        if len(self._rows) > MAX_QUARANTINED:
            raise survey.UnfitError(file, len(self._rows))

    def table(self) -> pa.Table:
        """Return the quarantine as a table, in order of file and row."""
        return quarantine_of(sorted(self._rows))


def _unresolved(counts: dict[str, int]) -> list[Finding]:
    return [
        Finding(
            "unresolved-reference",
            Text(
                f"{rows} 行所引用的对象不在“{target}”中，因此没有位置。",
                f"{rows} rows refer to an object that '{target}' does not hold, and so have no place.",
            ).as_json(),
            rows,
        )
        for target, rows in sorted(counts.items())
    ]


def _surroundings(work: _Work, spec: SourceSpec) -> survey.Surroundings:
    """Gather what the rest of the city says that may help to place this source."""

    def lookup(target: str, key: list[str]) -> tuple[pa.Array, Any, Any]:
        return _gazetteer(work, spec, target, key)

    def area(wanted: Area) -> Any:
        version = published(work.city.lake, wanted.source)
        if version is None:
            raise waits_for(spec, wanted.source)
        work.consulted.note(version, "area")
        return shape_of(work.city.lake, wanted, version)

    def anchors() -> list[Anchor]:
        return _anchors(work, spec)

    is_boundary = work.manifest.city.boundary is not None and work.manifest.city.boundary.source == spec.id
    return survey.Surroundings(
        boundary=None if is_boundary else work.boundary,
        zone=work.manifest.city.time_zone,
        lookup=lookup,
        area=area,
        anchors=anchors,
    )


def survey_of(
    city: City, manifest: Manifest, spec: SourceSpec
) -> tuple[survey.Surroundings, tuple[float, float, float, float] | None]:
    """Return what the city knows that helps to place a source, and how far from it a place may lie.

    Raises
    ------
    HeldError
        When a surrounding is asked for that is not published.

    """
    about = city.about
    nobody = Asker(id="jingwei", name="", roles=frozenset())
    work = _Work(city, apply_decisions(city, manifest), Path(about.data), nobody, lambda _: None, Stop())
    _find_boundary(work)
    return _surroundings(work, spec), work.near


def _gazetteer(work: _Work, spec: SourceSpec, target: str, key: list[str]) -> tuple[pa.Array, Any, Any]:
    """Return keys, cells and levels of another dataset's placed objects; an ambiguous key has no place."""
    version = published(work.city.lake, target)
    if version is None:
        raise waits_for(spec, target)
    work.consulted.note(version, "place")
    content = version.content
    own = [column.name for column in content.columns]
    key = key or content.keys
    for column in key:
        if column not in own:
            raise MissingColumnError(target, column, "key", did_you_mean(column, own))
    if not content.places:
        return pa.array([], pa.string()), np.empty(0, np.int64), np.empty(0, np.int8)
    place = content.places[0]
    table = work.city.lake.reader.columns(version, [*key, place.cell, place.level])
    keys = key_of([table[column].combine_chunks() for column in key])
    levels = table[place.level].fill_null(0).to_numpy()
    cells = table[place.cell].fill_null(0).to_numpy()
    texts = np.asarray(keys.fill_null("").to_numpy(zero_copy_only=False), str)
    unique, inverse = np.unique(texts, return_inverse=True)
    chosen_cells, chosen_levels = np.zeros(len(unique), np.int64), np.zeros(len(unique), np.int8)
    ambiguous = np.zeros(len(unique), bool)
    for row in np.flatnonzero(levels > 0).tolist():
        group = inverse[row]
        if chosen_levels[group] and (chosen_cells[group], chosen_levels[group]) != (cells[row], levels[row]):
            ambiguous[group] = True
        chosen_cells[group], chosen_levels[group] = cells[row], levels[row]
    chosen_levels[ambiguous] = 0
    return pa.array(unique.tolist(), pa.string()), chosen_cells, chosen_levels


def _anchors(work: _Work, spec: SourceSpec) -> list[Anchor]:
    """Return the published datasets by whose places an undeclared one can be weighed."""
    found = []
    for dataset in work.city.lake.catalogue():
        if dataset.id == spec.id or dataset.state != "published" or dataset.version is None:
            continue
        anchor = survey.anchor_of(dataset.title, work.city.lake.reader, dataset.version)
        if anchor is not None:
            work.consulted.note(dataset.version, "anchor")
            found.append(anchor)
    return found


def _check_boundary(work: _Work, spec: SourceSpec, reading: forms.Reading, plan: survey.Plan) -> None:
    """Refuse a boundary that cannot be what it is said to be."""
    boundary = work.manifest.city.boundary
    if boundary is None or boundary.source != spec.id:
        return
    reason = survey.implausible_boundary(reading, plan.placings)
    if reason is not None:
        raise ImplausibleBoundaryError(spec.id, reason)


def _withdraw_missing(work: _Work) -> None:
    """Withdraw datasets that the pack no longer names."""
    named = {spec.id for spec in work.manifest.source}
    for dataset in work.city.lake.catalogue():
        if dataset.id not in named and not dataset.own:
            work.city.lake.store.remove(dataset.id, actor=work.asker.id)


__all__ = ["LoadReport", "SourceReport", "load_pack"]
