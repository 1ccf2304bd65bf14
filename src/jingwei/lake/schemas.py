"""What the container says of its datasets: plain data, no rows of the record store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.lake.views import View

CITYS_OWN = 10_000
"""The position in the catalogue from which on datasets are the city's own, behind those of its pack."""
State = Literal["published", "held", "failed", "removed"]
How = Literal["place", "area", "boundary", "anchor", "rule", "declared", "stated"]
Sharing = Literal["unconditional", "conditional", "none"]


@dataclass(frozen=True, slots=True)
class Place:
    """One address role of a dataset and how its facts are placed.

    `kind` is `point` (a measured coordinate), `geometry` (a line or area, addressed through the cover
    table) or `reference` (the place of another dataset's object). `role` is empty for the only place.
    """

    role: str
    kind: Literal["point", "geometry", "reference"]
    columns: list[str] | None = None
    """The department's columns from which it was read; `None` where that was not noted."""

    @property
    def cell(self) -> str:
        """Name of the column with the stored cell."""
        return f"jw_cell__{self.role}" if self.role else "jw_cell"

    @property
    def level(self) -> str:
        """Name of the column with the level that the cell is true to."""
        return f"jw_level__{self.role}" if self.role else "jw_level"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a dataset as its department named it.

    `distinct` is counted up to 100,000 rows and an estimate beyond.
    """

    name: str
    type: str
    nulls: int = 0
    distinct: int | None = None
    minimum: str | None = None
    maximum: str | None = None


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A run of rows that is read as one: its first fact, its rows, and the cells it spans."""

    first: int
    rows: int
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class DataFile:
    """One Parquet file of a published version, with its row groups."""

    path: str
    rows: int
    size: int
    groups: list[RowGroup] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that a version was made from."""

    path: str
    layer: str
    size: int
    modified_ns: int
    digest: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the quality check noticed that does not stop a row from being published."""

    rule: str
    text: dict[str, str]
    rows: int
    examples: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of a load: `read` = `published` + `quarantined`; `published` = `addressed` + `without_place`."""

    read: int = 0
    published: int = 0
    addressed: int = 0
    without_place: int = 0
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class Read:
    """A version of a dataset that was read to make a version of this or another one.

    `how` says what for: `place` (its objects' places), `area` (an area that facts must lie in), `boundary`
    (that of the city), `anchor` (known places by which coordinates were weighed), `rule` (a rule of the
    contract), `declared` (the source says that it was made of it), `stated` (its file says so).
    """

    dataset: str
    version: int
    how: How


class Consulted:
    """Collects which versions are read while something is made, each once for each purpose."""

    def __init__(self) -> None:
        self._found: dict[Read, None] = {}

    def note(self, version: Version, how: How) -> None:
        """Note that a version is read."""
        self._found[Read(version.dataset, version.number, how)] = None

    def listed(self) -> list[Read]:
        """Return what was read, in the order in which it first was."""
        return list(self._found)


@dataclass(frozen=True, slots=True)
class Content:
    """What a version holds: kept whole in the record store, so that every answer can name its origin."""

    facts: list[DataFile]
    covers: list[DataFile]
    quarantine: list[DataFile]
    delta: dict[str, int]
    places: list[Place]
    levels: dict[str, list[int]]
    geometry: str | None
    time: bool
    name: str | None
    keys: list[str]
    columns: list[Column]
    counts: Counts
    rules: dict[str, int]
    findings: list[Finding]
    bounds: tuple[float, float, float, float] | None
    period: tuple[int, int] | None
    sources: list[SourceFile]
    fingerprint: str
    evidence: list[dict[str, Any]]
    seconds: float
    address: list[str] = field(default_factory=list)
    """The address columns that the facts have beside the department's own."""
    erased: int = 0
    """How often rows were erased from it since it was published."""
    compacted: int | None = None
    """The version whose rows these are, where its files were only put together."""
    reads: list[Read] | None = None
    """What was read of other datasets to make it; `None` where that was not recorded."""

    @property
    def identified(self) -> bool:
        """Whether the facts bear the identifiers of objects."""
        return "jw_object" in self.address

    def as_json(self) -> dict[str, Any]:
        """Return JSON values only."""
        return asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> Content:
        """Read what `as_json` wrote."""

        def files(items: list[dict[str, Any]]) -> list[DataFile]:
            return [DataFile(**{**f, "groups": [RowGroup(**g) for g in f["groups"]]}) for f in items]

        return Content(
            **{
                **data,
                "facts": files(data["facts"]),
                "covers": files(data["covers"]),
                "quarantine": files(data["quarantine"]),
                "places": [Place(**p) for p in data["places"]],
                "columns": [Column(**c) for c in data["columns"]],
                "counts": Counts(**data["counts"]),
                "findings": [Finding(**f) for f in data["findings"]],
                "sources": [SourceFile(**s) for s in data["sources"]],
                "bounds": tuple(data["bounds"]) if data["bounds"] else None,
                "period": tuple(data["period"]) if data["period"] else None,
                "reads": None if data.get("reads") is None else [Read(**one) for one in data["reads"]],
            }
        )


@dataclass(frozen=True, slots=True)
class Version:
    """A published version of a dataset."""

    dataset: str
    number: int
    published: datetime
    content: Content
    dropped: datetime | None = None
    """When its rows were removed, after the dataset's retention."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset as the city knows it; `version` is the one that answers, if any is published."""

    id: str
    title: Text
    owner: str
    sharing: str
    update_cycle: str
    state: State
    problem: dict[str, Any] | None
    version: Version | None
    changed: datetime
    level: int
    """Classification level of its rows, 1 to 4; fields have levels of their own."""
    fields: Mapping[str, Mapping[str, Any]]
    """How sensitive each field is: `level`, `personal`, and `by` what that was found."""
    view: View | None = None
    """What the asker may see of it; not there for those who keep the container."""
    own: bool = False
    """Whether the city keeps it itself, as its readings: no pack names it, and none withdraws it."""
