"""The manifest of a city pack, `city.toml`: what a city is made of.

What the manifest leaves out is detected, shown with the evidence, and asked; it is never silently guessed.
`docs/packs.md` explains every key.
"""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from jingwei.city.cases_spec import (
    CasesSpec,
    CaseStaffSpec,
    CaseStateSpec,
    ComponentsSpec,
    DutiesSpec,
    HistorySpec,
    StepsSpec,
    TableSpec,
    UnitGridsSpec,
)
from jingwei.city.errors import BadManifestError, NoPackError
from jingwei.city.map_services import MapServiceSpec
from jingwei.city.parts import Area, Identifier, Part, Words
from jingwei.city.sense_spec import SenseSpec
from jingwei.words import Text

MANIFEST = "city.toml"

GroundKind = Literal["border", "water", "green", "building", "road", "rail", "line"]
"""As what the lines and areas of a source are drawn on the ground of the map."""


class PlaceSpec(Part):
    """Where the facts of a source are. Exactly one of: `lon` and `lat`; `geometry`; `by`; `none = true`."""

    lon: str | None = None
    lat: str | None = None
    geometry: str | None = None
    by: Identifier | None = None
    columns: list[str] = Field(default_factory=list)
    key: list[str] = Field(default_factory=list)
    none: bool = False
    crs: str | None = None
    level: int = Field(default=32, ge=1, le=32)
    inside: Area | None = None

    @model_validator(mode="after")
    def _one_way(self) -> PlaceSpec:
        ways = [bool(self.lon or self.lat), bool(self.geometry), bool(self.by), self.none]
        if sum(ways) > 1:
            msg = "a place is given by one of: lon and lat; geometry; by (a reference); none = true"
            raise ValueError(msg)
        if (self.lon is None) != (self.lat is None):
            msg = "lon and lat belong together"
            raise ValueError(msg)
        if self.by and not self.columns:
            msg = "a place by reference needs the columns that name the other source's object"
            raise ValueError(msg)
        if self.key and len(self.key) != len(self.columns):
            msg = "key and columns must be of one length"
            raise ValueError(msg)
        return self


class TimeSpec(Part):
    """When the facts of a source are true."""

    column: str | None = None
    end: str | None = None
    zone: str | None = None
    precision: (
        Literal["year", "month", "day", "hour", "minute", "second", "millisecond", "microsecond"] | None
    ) = None
    none: bool = False

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        return _checked_zone(zone) if zone else zone


class FieldSpec(Part):
    """How sensitive a field is; what is left out is found when the field is first loaded."""

    level: int | None = Field(default=None, ge=1, le=4)
    personal: bool | None = None


class SourceSpec(Part):
    """One source of the pack: a file, or several of one form."""

    id: Identifier
    file: str = Field(min_length=1)
    title: Words
    description: Words | None = None
    owner: str = ""
    layer: str | None = None
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    header_row: int | None = Field(default=None, ge=0)
    text: list[str] = Field(default_factory=list)
    keys: list[str] = Field(default_factory=list)
    name: str | None = None
    crs: str | None = None
    place: PlaceSpec | None = None
    places: dict[Identifier, PlaceSpec] = Field(default_factory=dict)
    time: TimeSpec | None = None
    update_cycle: Literal[
        "real-time", "daily", "weekly", "monthly", "quarterly", "yearly", "irregular", "once"
    ] = "irregular"
    sharing: Literal["unconditional", "conditional", "none"] = "conditional"
    level: int | None = Field(default=None, ge=1, le=4)
    fields: dict[str, FieldSpec] = Field(default_factory=dict)
    identify: str = Field(default="", max_length=80)
    made_of: list[Identifier] = Field(default_factory=list, max_length=100)
    ground: GroundKind | None = None
    label: bool | None = None

    @model_validator(mode="after")
    def _identified_by_keys(self) -> SourceSpec:
        if self.identify and not self.keys:
            msg = "identify needs keys: the columns by which the department knows an object again"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _place_or_places(self) -> SourceSpec:
        if self.place and self.places:
            msg = "give either place or places (with roles), not both"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _ground_has_shapes(self) -> SourceSpec:
        if self.ground and (self.places or (self.place and not self.place.geometry)):
            msg = "only lines and areas make the ground of the map"
            raise ValueError(msg)
        if self.label and not (self.ground and self.name):
            msg = "label needs ground, and name: the column that holds the labels"
            raise ValueError(msg)
        return self


class DepartmentsSpec(Part):
    """A table of the city's departments, and what its columns are."""

    file: str = Field(min_length=1)
    encoding: str = "utf-8-sig"
    code: str
    title: str
    parent: str | None = None


class PeopleSpec(Part):
    """A table of the city's people, a row for each role that one holds."""

    file: str = Field(min_length=1)
    encoding: str = "utf-8-sig"
    login: str
    name: str
    role: str
    department: str


class DirectorySpec(Part):
    """Departments and people that the city starts with."""

    departments: DepartmentsSpec | None = None
    people: PeopleSpec | None = None


class CitySpec(Part):
    """What the city itself is."""

    id: Identifier
    name: Words
    adcode: str = Field(pattern=r"^\d{6}$")
    time_zone: str = "Asia/Shanghai"
    boundary: Area | None = None
    generated: bool = False
    description: Words | None = None

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        return _checked_zone(zone)


class Manifest(Part):
    """A whole `city.toml`."""

    city: CitySpec
    directory: DirectorySpec | None = None
    source: list[SourceSpec] = Field(min_length=1)
    map_service: list[MapServiceSpec] = Field(default_factory=list, max_length=8)
    cases: CasesSpec | None = None
    sense: SenseSpec | None = None

    @model_validator(mode="after")
    def _case_tables(self) -> Manifest:
        if self.cases is None:
            return self
        for name, table in self.cases.tables().items():
            if (table.file is None) == (table.source is None):
                msg = f"cases.{name} needs either file or source"
                raise ValueError(msg)
        steps = self.cases.steps
        if steps is not None and self.cases.history is None:
            msg = "cases.steps needs cases.history: the table in which its cases are told"
            raise ValueError(msg)
        if steps is not None and steps.until is not None and not self.city.generated:
            msg = "only a generated city may move its cases in time (cases.steps.until)"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _references_resolve(self) -> Manifest:
        ids = [source.id for source in self.source]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            msg = f"two sources are named {', '.join(twice)}"
            raise ValueError(msg)
        services = [service.id for service in self.map_service]
        if len(set(services)) < len(services):
            msg = f"two map services are named {max(services, key=services.count)}"
            raise ValueError(msg)
        for owner, target in _references(self):
            if target not in ids:
                near = get_close_matches(target, ids, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; the sources are {', '.join(ids)}"
                msg = f"{owner} refers to a source {target} that the pack does not have{hint}"
                raise ValueError(msg)
        return self

    def zone(self) -> ZoneInfo:
        """Return the city's time zone."""
        return ZoneInfo(self.city.time_zone)


def _checked_zone(zone: str) -> str:
    if zone not in available_timezones():
        near = get_close_matches(zone, available_timezones(), n=2)
        msg = f"{zone} is no time zone{'; did you mean ' + ' or '.join(near) + '?' if near else ''}"
        raise ValueError(msg)
    return zone


def _references(manifest: Manifest) -> list[tuple[str, str]]:
    found = []
    if manifest.city.boundary:
        found.append(("city.boundary", manifest.city.boundary.source))
    for name, table in manifest.cases.tables().items() if manifest.cases else ():
        if table.source:
            found.append((f"cases.{name}", table.source))
        if isinstance(table, HistorySpec) and table.within:
            found.append((f"cases.{name}", table.within.source))
    for source in manifest.source:
        for place in places_of(source).values():
            if place.by:
                found.append((f"source {source.id}", place.by))
            if place.inside:
                found.append((f"source {source.id}", place.inside.source))
    return found


def ground_of(manifest: Manifest) -> list[dict[str, Any]]:
    """Return the sources that make the ground of the map, as what, and whether with names."""
    return [
        {"dataset": source.id, "kind": source.ground, "label": _labelled(source)}
        for source in manifest.source
        if source.ground
    ]


def _labelled(source: SourceSpec) -> bool:
    """Say whether names are written on the map; unsaid, all names are, but for buildings and lines."""
    if source.label is not None:
        return source.label
    return source.name is not None and source.ground not in ("building", "line")


def places_of(source: SourceSpec) -> dict[str, PlaceSpec]:
    """Return the declared places of a source by role; the only place has the role ''."""
    if source.places:
        return dict(source.places)
    return {"": source.place} if source.place else {}


def in_order(manifest: Manifest) -> list[SourceSpec]:
    """Return the sources so that each comes after those it refers to; the boundary's source comes first.

    Raises
    ------
    BadManifestError
        If sources refer to each other in a circle.

    """
    needs: dict[str, set[str]] = {source.id: set() for source in manifest.source}
    for source in manifest.source:
        for place in places_of(source).values():
            needs[source.id] |= {place.by} if place.by else set()
            needs[source.id] |= {place.inside.source} if place.inside else set()
        needs[source.id] |= set(source.made_of) & set(needs)
    first = manifest.city.boundary.source if manifest.city.boundary else None
    ordered: list[SourceSpec] = []
    done: set[str] = set()
    waiting = sorted(manifest.source, key=lambda source: source.id != first)
    while waiting:
        ready = [source for source in waiting if needs[source.id] <= done | {source.id}]
        if not ready:
            circle = ", ".join(source.id for source in waiting)
            raise BadManifestError(
                MANIFEST,
                [
                    Text(
                        f"这些数据源互相引用：{circle}",
                        f"these sources refer to each other in a circle: {circle}",
                    ),
                ],
            )
        ordered += ready
        done |= {source.id for source in ready}
        waiting = [source for source in waiting if source.id not in done]
    return ordered


def read_manifest(pack: Path) -> Manifest:
    """Read the manifest of the pack at `pack` (a folder, or the path of a `city.toml`).

    Raises
    ------
    NoPackError
        If there is no manifest.
    BadManifestError
        If it is not TOML, has unknown keys (near misses are named), or lacks what it needs.

    """
    path = pack / MANIFEST if pack.is_dir() else pack
    if not path.is_file():
        raise NoPackError(str(path))
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadManifestError(
            str(path), [Text("无法以 UTF-8 读取。", f"it cannot be read as UTF-8: {error}")]
        ) from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadManifestError(
            str(path), [Text(f"不是有效的 TOML：{error}", f"it is not TOML: {error}")]
        ) from error
    return parse_manifest(data, str(path))


def parse_manifest(data: dict[str, Any], path: str = MANIFEST) -> Manifest:
    """Check a manifest given as plain data; `path` is named in errors. See `read_manifest`."""
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        raise BadManifestError(path, [_explained(dict(item), data) for item in error.errors()]) from error


def _explained(item: dict[str, Any], data: dict[str, Any]) -> Text:
    """Say in both languages what is wrong at one place of the manifest, naming near misses."""
    where = _where(item["loc"], data)
    if item["type"] == "extra_forbidden":
        known = _known_keys(item["loc"][:-1])
        near = get_close_matches(str(item["loc"][-1]), known, n=2, cutoff=0.5)
        hint_zh = f"；是否为 {'、'.join(near)}？" if near else f"；可用：{'、'.join(known)}"
        hint_en = f"; did you mean {' or '.join(near)}?" if near else f"; known here: {', '.join(known)}"
        return Text(f"{where}：未知的键{hint_zh}", f"{where}: unknown key{hint_en}")
    if item["type"] == "missing":
        return Text(f"{where}：缺少此项", f"{where}: this is missing")
    reason = item["msg"].removeprefix("Value error, ")
    return Text(f"{where}：{reason}", f"{where}: {reason}")


def _where(loc: tuple[str | int, ...], data: dict[str, Any]) -> str:
    """Name a place in the manifest as a person would: `source bus_stops, place.lon`."""
    if len(loc) >= 2 and loc[0] in ("source", "map_service") and isinstance(loc[1], int):
        try:
            name = data[loc[0]][loc[1]]["id"]
        except (KeyError, TypeError, IndexError):
            name = f"#{loc[1] + 1}"
        rest = ".".join(str(part) for part in loc[2:])
        return f"{loc[0]} {name}" + (f", {rest}" if rest else "")
    return ".".join(str(part) for part in loc) or MANIFEST


def _known_keys(loc: tuple[str | int, ...]) -> list[str]:
    """Return the keys allowed at a place of the manifest."""
    names = [part for part in loc if isinstance(part, str)]
    model: type[BaseModel] = Manifest
    steps: dict[str, type[BaseModel]] = {
        "city": CitySpec,
        "source": SourceSpec,
        "map_service": MapServiceSpec,
        "attribution": Words,
        "place": PlaceSpec,
        "places": PlaceSpec,
        "time": TimeSpec,
        "fields": FieldSpec,
        "directory": DirectorySpec,
        "departments": DepartmentsSpec,
        "people": PeopleSpec,
        "cases": CasesSpec,
        "staff": CaseStaffSpec,
        "grids": UnitGridsSpec,
        "duties": DutiesSpec,
        "components": ComponentsSpec,
        "rules": TableSpec,
        "history": HistorySpec,
        "states": CaseStateSpec,
        "within": Area,
        "steps": StepsSpec,
        "boundary": Area,
        "inside": Area,
        "name": Words,
        "title": Words,
        "description": Words,
    }
    for name in names:
        model = steps.get(name, model)
    return list(model.model_fields)
