"""Datasets: what there is, what each holds, how good it is, where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from jingwei import access
from jingwei.access import Asker
from jingwei.access.policy import Resource
from jingwei.city import City
from jingwei.errors import NotFoundError
from jingwei.lake import Dataset, Version, lineage
from jingwei.lake.counting import FINEST
from jingwei.lake.schemas import How
from jingwei.lake.views import resource_of
from jingwei.web import answers, problems
from jingwei.web.at_once import at_once
from jingwei.web.policies import allowed, filtered
from jingwei.web.reader import AskerOf
from jingwei.web.routes.city import CityOf
from jingwei.web.texts import TextOut, text_or_none, text_out
from jingwei.words import Text

PATIENCE = 5.0
"""Seconds for which who asks what was made of a version waits until the log is read."""

router = APIRouter(prefix="/datasets", tags=["datasets"], responses=problems.responses(403, 404))

DatasetPath = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,59}$", description="Identifier of the dataset")]


async def of_dataset(city: CityOf, asker: AskerOf, dataset: DatasetPath) -> Resource:
    """Return the dataset of a request as policies see it; one that the asker may not list is unknown."""

    def find() -> Resource:
        return resource_of(city.lake.dataset(asker, dataset), city.policies.current())

    return await at_once(city.records, find)


Right = Literal["read", "count", "export", "inspect", "publish"]


class CountsOut(BaseModel):
    """Rows of a load: read = published + quarantined; published = addressed + without place."""

    read: int
    published: int
    addressed: int
    without_place: int
    quarantined: int


class PlaceRoleOut(BaseModel):
    """One of the places that a dataset's facts have."""

    role: str
    kind: str = Field(description="point, geometry or reference")
    levels: list[int] = Field(description="Levels to which the places are known")


class DatasetOut(BaseModel):
    """A dataset in one line."""

    id: str
    title: TextOut
    owner: str
    sharing: str
    update_cycle: str
    state: str = Field(description="published, held or failed")
    changed: datetime
    version: int | None = Field(description="Number of the version that answers")
    counts: CountsOut | None
    bounds: tuple[float, float, float, float] | None
    period: tuple[str, str] | None = Field(description="First and last instant, UTC")
    places: list[PlaceRoleOut]
    has_geometry: bool
    named: bool
    rights: list[Right] = Field(description="What the reader may do with it")
    place_level: int = Field(
        description="The finest level of its places that is shown: 32 as they are, 0 none"
    )
    map_level: int = Field(
        description="The finest level that a map may show: of places or of counts; 32 as they are, 0 none"
    )
    problem: dict[str, Any] | None


class DatasetPage(BaseModel):
    """A page of the list of datasets."""

    datasets: list[DatasetOut]
    after: str | None = Field(description="Pass as `after` for the next page; null at the end")


class ColumnOut(BaseModel):
    """A column as its department named it."""

    name: str
    type: str
    nulls: int | None
    distinct: int | None = Field(
        description="Different values: counted in up to 100,000 rows, else estimated (HyperLogLog, 0.8 %)"
    )
    minimum: str | None
    maximum: str | None
    key: bool
    level: int | None = Field(description="Classification level, 1 to 4")
    personal: bool | None
    shown: str = Field(description="How its values are shown: clear, generalise, partial or hash")


class FindingOut(BaseModel):
    """Something the quality check noticed."""

    rule: str
    text: TextOut
    rows: int
    examples: list[int]


class SourceFileOut(BaseModel):
    """A file that a version was made from."""

    path: str
    layer: str
    size: int
    digest: str


class ReadOut(BaseModel):
    """A version that was read to make a version."""

    dataset: str
    title: TextOut = Field(description="Of the dataset")
    version: int
    how: How = Field(description="What for: place, area, boundary, anchor, rule, declared, stated")


class VersionOut(BaseModel):
    """A published version."""

    number: int
    published: datetime
    counts: CountsOut
    seconds: float
    sources: list[SourceFileOut]
    reads: list[ReadOut] | None = Field(
        description="What was read of datasets that the reader may list; null where that was not recorded"
    )
    fingerprint: str
    dropped: datetime | None = Field(description="When its rows were removed, after the retention")
    by: str | None = Field(description="Who published it; null for who may not inspect the dataset")
    event: str | None = Field(description="The event of the log that tells of it; null as `by` is")


class HiddenColumnOut(BaseModel):
    """A column of which the reader is shown nothing but that it is there."""

    name: str
    level: int | None
    personal: bool | None


class DatasetDetail(DatasetOut):
    """A dataset with its schema, quality and lineage."""

    asks_purpose: bool = Field(description="Whether more is shown to who states what for")
    columns: list[ColumnOut]
    hidden: list[HiddenColumnOut] = Field(description="Columns that the reader is not shown")
    rules: dict[str, int] = Field(description="Quarantined rows by rule")
    findings: list[FindingOut]
    evidence: list[dict[str, Any]] = Field(description="What was detected about the source, and from what")
    sources: list[SourceFileOut]


class VersionPage(BaseModel):
    """A page of versions, newest first."""

    versions: list[VersionOut]
    after: int | None


class UseOut(BaseModel):
    """Something that was made of a version."""

    kind: lineage.Kind
    at: datetime
    subject: str = Field(
        description="As the log names it: dataset/ID, correction/N, matching/NAME, city/ID, sense/rollups"
    )
    title: TextOut | None = Field(description="Of a dataset")
    version: int | None
    event: str | None
    how: list[str] = Field(
        description="What it was read for, see `reads` of a version; or the form of a file"
    )
    times: int = Field(description="How often, of exports, whose `at` is the last; how many, of identifiers")


class UsePage(BaseModel):
    """A page of what was made of a version, oldest first."""

    uses: list[UseOut]
    after: str | None = Field(description="Pass as `after` for the next page; null at the end")


class QuarantinedRow(BaseModel):
    """A row that could not be published."""

    file: str
    row: int
    rule: str
    reason: TextOut | None = Field(description="Null, as the text, for who is not shown whole rows")
    text: str | None


class QuarantinePage(BaseModel):
    """A page of quarantined rows."""

    rows: list[QuarantinedRow]
    total: int
    after: int | None


def _counts(version: Version) -> CountsOut:
    counts = version.content.counts
    return CountsOut(**{name: getattr(counts, name) for name in CountsOut.model_fields})


def _summary(dataset: Dataset) -> dict[str, Any]:
    view = dataset.view
    assert view is not None  # noqa: S101 -- every answer to an asker has one
    content = dataset.version.content if dataset.version else None
    period = content.period if content else None
    return {
        "id": dataset.id,
        "title": text_out(dataset.title),
        "owner": dataset.owner,
        "sharing": dataset.sharing,
        "update_cycle": dataset.update_cycle,
        "state": dataset.state,
        "changed": dataset.changed,
        "version": dataset.version.number if dataset.version else None,
        "counts": _counts(dataset.version) if dataset.version and view.total_shown else None,
        "bounds": content.bounds if content else None,
        "period": tuple(answers.instant_of(edge) for edge in period) if period else None,
        "places": [
            PlaceRoleOut(role=place.role, kind=place.kind, levels=content.levels.get(place.role, []))
            for place in content.places
        ]
        if content
        else [],
        "has_geometry": bool(content and content.geometry),
        "named": bool(content and content.name),
        "rights": sorted(view.rights),
        "place_level": view.place_level,
        "map_level": min(FINEST, view.count_level) if view.counts_only else view.place_level,
        "problem": dataset.problem,
    }


def _version(version: Version, known: Mapping[str, Text], load: lineage.Load | None) -> VersionOut:
    content, read = version.content, lineage.reads(version, known)
    return VersionOut(
        number=version.number,
        published=version.published,
        counts=_counts(version),
        seconds=content.seconds,
        sources=_sources(version),
        reads=None
        if read is None
        else [ReadOut(**asdict(one), title=text_out(known[one.dataset])) for one in read],
        fingerprint=content.fingerprint,
        dropped=version.dropped,
        by=load.by if load else None,
        event=load.event if load else None,
    )


def _loads(city: City, asker: Asker, dataset: str, versions: list[Version]) -> dict[int, lineage.Load]:
    """Return who published versions, with the names of people."""
    found = lineage.loads_of(city.lake, asker, dataset, versions)
    with city.records.read() as session:
        names = access.names_of(session, {one.by for one in found.values()})
    return {number: lineage.Load(names.get(one.by, one.by), one.event) for number, one in found.items()}


def _sources(version: Version) -> list[SourceFileOut]:
    return [
        SourceFileOut(path=file.path, layer=file.layer, size=file.size, digest=file.digest)
        for file in version.content.sources
    ]


@router.get("", summary="The city's datasets", dependencies=[filtered("dataset.list")])
def list_datasets(
    city: CityOf,
    asker: AskerOf,
    after: Annotated[
        str | None, Query(max_length=60, description="The last dataset of the page before")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 200,
) -> DatasetPage:
    """Return the datasets that the reader may see, in the order of the pack."""
    found = city.lake.datasets(asker)
    if after is not None:
        ids = [dataset.id for dataset in found]
        found = found[ids.index(after) + 1 :] if after in ids else []
    page = found[:limit]
    return DatasetPage(
        datasets=[DatasetOut(**_summary(dataset)) for dataset in page],
        after=page[-1].id if len(found) > limit else None,
    )


@router.get(
    "/{dataset}",
    summary="One dataset: schema, quality, lineage",
    dependencies=[allowed("dataset.list", of_dataset)],
)
def read_dataset(city: CityOf, asker: AskerOf, dataset: DatasetPath) -> DatasetDetail:
    """Return what is known of a dataset."""
    found = city.lake.dataset(asker, dataset)
    content = found.version.content if found.version else None
    return DatasetDetail(
        **_summary(found),
        asks_purpose=_asks_purpose(city, asker, dataset),
        columns=list(_columns(found)),
        hidden=[
            HiddenColumnOut(
                name=name, level=_field(found, name, "level"), personal=_field(found, name, "personal")
            )
            for name, mask in (found.view.masks.items() if found.view else [])
            if mask == "hidden" and not (content and name == content.geometry)
        ],
        rules=content.rules if content else {},
        findings=[
            FindingOut(rule=one.rule, text=text_out(one.text), rows=one.rows, examples=one.examples)
            for one in content.findings
        ]
        if content
        else [],
        evidence=content.evidence if content else [],
        sources=_sources(found.version) if found.version else [],
    )


def _asks_purpose(city: City, asker: Asker, dataset: str) -> bool:
    """Say whether a purpose, of those that the policies know, would change what the asker is shown."""
    seen: set[str | None] = set()
    for purpose in ("", *city.policies.current().purposes):
        try:
            view = city.lake.dataset(replace(asker, purpose=purpose), dataset).view
            seen.add(view.key if view else None)
        except NotFoundError:  # who states nothing, or that, may not even list it
            seen.add(None)
    return len(seen) > 1


def _columns(dataset: Dataset) -> Iterator[ColumnOut]:
    """Yield the columns that the reader is shown."""
    if dataset.version is None or dataset.view is None:
        return
    content = dataset.version.content
    for column in content.columns:
        mask = "clear" if column.name == content.geometry else dataset.view.masks[column.name]
        if mask == "hidden":
            continue
        yield ColumnOut(
            name=column.name,
            type=column.type,
            nulls=column.nulls if mask == "clear" and dataset.view.all_rows else None,
            distinct=column.distinct,
            minimum=column.minimum,
            maximum=column.maximum,
            key=column.name in content.keys,
            level=_field(dataset, column.name, "level"),
            personal=_field(dataset, column.name, "personal"),
            shown=mask,
        )


def _field(dataset: Dataset, column: str, name: str) -> Any:
    return dataset.fields.get(column, {}).get(name)


@router.get(
    "/{dataset}/versions",
    summary="The versions of a dataset, newest first",
    dependencies=[allowed("dataset.read", of_dataset)],
)
def list_versions(
    city: CityOf,
    asker: AskerOf,
    dataset: DatasetPath,
    after: Annotated[
        int | None, Query(ge=1, description="Number of the last version of the page before")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> VersionPage:
    """Return what was published when, from which files."""
    found = [one for one in city.lake.versions(asker, dataset) if after is None or one.number < after]
    page = found[:limit]
    known, loads = lineage.listed(city.lake, asker), _loads(city, asker, dataset, page)
    return VersionPage(
        versions=[_version(one, known, loads.get(one.number)) for one in page],
        after=page[-1].number if len(found) > limit else None,
    )


@router.get(
    "/{dataset}/versions/{number}/uses",
    summary="What was made of a version",
    dependencies=[allowed("dataset.read", of_dataset)],
    responses=problems.responses(503),
)
def list_uses(
    city: CityOf,
    asker: AskerOf,
    dataset: DatasetPath,
    number: Annotated[int, Path(ge=1, le=2**31 - 1)],
    after: Annotated[
        str | None,
        Query(pattern=lineage.AFTER, max_length=440, description="As the page before gave it"),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=lineage.MOST)] = 100,
) -> UsePage:
    """Return versions that read it, checks, corrections, links, cases, rules and exports, oldest first."""
    page = lineage.page_of_uses(
        city.lake, asker, dataset, number, after=after, limit=limit, patience=PATIENCE
    )
    known = lineage.listed(city.lake, asker)
    return UsePage(uses=[_use(one, known) for one in page.uses], after=page.after)


def _use(use: lineage.Use, known: Mapping[str, Text]) -> UseOut:
    title = known.get(use.subject.removeprefix("dataset/")) if use.subject.startswith("dataset/") else None
    return UseOut(
        kind=use.kind,
        at=use.at,
        subject=use.subject,
        title=text_or_none(title),
        version=use.version,
        event=use.event,
        how=list(use.how),
        times=use.times,
    )


@router.get(
    "/{dataset}/quarantine",
    summary="Rows that could not be published, and why",
    dependencies=[allowed("dataset.inspect", of_dataset)],
)
def list_quarantine(
    city: CityOf,
    asker: AskerOf,
    dataset: DatasetPath,
    after: Annotated[int, Query(ge=0, le=10_000_000, description="Rows of the pages before")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> QuarantinePage:
    """Return quarantined rows in the order of file and row."""
    table = city.lake.quarantine(asker, dataset, after=after, limit=limit)
    version = city.lake.dataset(asker, dataset).version
    total = version.content.counts.quarantined if version else 0
    rows = [
        QuarantinedRow(
            file=row["file"],
            row=row["row"],
            rule=row["rule"],
            reason=None
            if row["reason_zh"] is None
            else TextOut(zh=row["reason_zh"], en=row["reason_en"] or row["reason_zh"]),
            text=row["text"],
        )
        for row in table.to_pylist()
    ]
    return QuarantinePage(
        rows=rows, total=total, after=after + len(rows) if after + len(rows) < total else None
    )
