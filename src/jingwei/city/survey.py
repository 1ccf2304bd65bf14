"""Finding out how a source is to be read: what the manifest says, what the file says, what the evidence says.

The order is fixed: the manifest decides; where it is silent the file's own declaration does, unless the
evidence speaks against it; where both are silent strong evidence does; and otherwise the source is held back
with the candidates shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from jingwei import grid
from jingwei.city.confirming import Thinned, contradiction, coordinates, names_of
from jingwei.city.errors import HeldError, MissingColumnError
from jingwei.city.kept import PREFIX
from jingwei.city.manifest import PlaceSpec, SourceSpec, places_of
from jingwei.city.parts import Area
from jingwei.errors import BadRequestError
from jingwei.lake import forms
from jingwei.lake.address import (
    MEASURED,
    Clock,
    GeometryPlacing,
    Placing,
    PointPlacing,
    ReferencePlacing,
    Timing,
)
from jingwei.lake.datums import canonical_system, geometries_to_wgs84
from jingwei.lake.detect import names_key
from jingwei.lake.errors import did_you_mean
from jingwei.lake.places import find_places, geometry_column, system_of_names
from jingwei.lake.times import find_epochs, find_times, time_form
from jingwei.lake.weighing import Anchor, check_boundary, check_declared, weigh_datums
from jingwei.words import Text

if TYPE_CHECKING:
    from pathlib import Path

    from jingwei.lake.query import Reader
    from jingwei.lake.schemas import Finding, Version

SAMPLE_ROWS = 20_000
"""Rows by which columns and coordinate systems are weighed."""

NEAR = 1.0
"""Degrees around a city within which a source of it may lie."""
FEW_INSIDE = 0.01
SHOWN_POINTS = 300
"""Of these, so many are shown to a person who has to decide."""

places = places_of

Lookup = Callable[[str, list[str]], tuple[pa.Array, Any, Any]]

LARGEST_CITY = 12.0
"""Degrees: the largest prefecture of China (Hulunbuir, Nagqu) spans about 11 degrees."""


class UnfitError(BadRequestError):
    """So many rows are faulty that the file is not what the manifest says it is."""

    code = "unfit"

    def __init__(self, file: str, rows: int) -> None:
        super().__init__(
            Text(f"文件 {file} 已有 {rows} 行不合格。", f"{rows} rows of {file} are faulty already."),
            mend=Text(
                "请检查清单中的列名、编码与坐标系。", "Check the columns, encoding and crs in the manifest."
            ),
            where={"file": file},
        )


class LayoutChangedError(BadRequestError):
    """The files of one source do not have the same columns."""

    code = "layout-changed"

    def __init__(self, source: str, file: str, missing: list[str], new: list[str]) -> None:
        super().__init__(
            Text(
                f"数据源“{source}”的文件 {file} 与第一个文件的列不同"
                f"（缺少：{'、'.join(missing) or '无'}；多出：{'、'.join(new) or '无'}）。",
                f"File {file} of source '{source}' has other columns than the first one "
                f"(missing: {', '.join(missing) or 'none'}; new: {', '.join(new) or 'none'}).",
            ),
            where={"source": source, "file": file, "missing": missing, "new": new},
        )


class UnreadableTimesError(BadRequestError):
    """A column that is said to hold times holds none that can be read."""

    code = "unreadable-times"

    def __init__(self, source: str, column: str) -> None:
        super().__init__(
            Text(
                f"数据源“{source}”的列“{column}”中没有可读的时间。",
                f"Column '{column}' of source '{source}' holds no times that can be read.",
            ),
            mend=Text("检查清单中的 time.column。", "Check time.column in the manifest."),
            where={"source": source, "column": column},
        )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rest of the city knows that may help to place a source."""

    boundary: Any
    zone: str
    lookup: Lookup
    area: Callable[[Area], Any]
    anchors: Callable[[], list[Anchor]]


@dataclass(slots=True)
class Plan:
    """How a source will be read."""

    placings: list[Placing]
    timing: Timing | None
    evidence: list[forms.Evidence]
    findings: list[Finding] = field(default_factory=list)


def as_json(evidence: forms.Evidence) -> dict[str, Any]:
    """Return a piece of evidence as JSON values."""
    return {**asdict(evidence), "reason": evidence.reason.as_json()}


def is_unsaid(spec: SourceSpec) -> bool:
    """Say whether a source leaves open where its facts are, so that its surroundings decide."""
    declared = places_of(spec)
    unsaid = spec.crs is None
    return not declared or any(
        p.crs is None and unsaid and not p.by and not p.none for p in declared.values()
    )


def open_reading(spec: SourceSpec, path: Path, spool: Path | None = None) -> forms.Reading:
    """Open a file of a source as its manifest says; what need not be parsed twice goes to `spool`."""
    return forms.open_form(
        path,
        layer=spec.layer,
        encoding=spec.encoding,
        delimiter=spec.delimiter,
        header_row=spec.header_row,
        columns_as_text=spec.text,
        spool=spool,
    )


def check_same_layout(spec: SourceSpec, first: forms.Reading, other: forms.Reading, path: Path) -> None:
    """Refuse a further file whose columns are not those of the first."""
    if first.columns != other.columns:
        missing = [name for name in first.columns if name not in other.columns]
        new = [name for name in other.columns if name not in first.columns]
        raise LayoutChangedError(spec.id, path.name, missing, new)


def plan(spec: SourceSpec, reading: forms.Reading, around: Surroundings) -> Plan:
    """Decide how a source is read.

    Raises
    ------
    MissingColumnError
        If the manifest names a column that the file does not have; near misses are named.
    HeldError
        If what decides where the facts lie is neither declared nor beyond doubt.

    """
    _check_columns(spec, reading)
    work = _Survey(spec, reading, _sample(reading), around, list(reading.evidence))
    placings = [work.placing(role, place) for role, place in work.places().items() if not place.none]
    return Plan(placings, work.timing(), work.evidence)


def confirm(spec: SourceSpec, chosen: Plan, thinned: Thinned, around: Surroundings) -> None:
    """Check a plan against rows from all over the source.

    Raises
    ------
    HeldError
        If a stretch of the source speaks against the coordinate system that its first rows showed.

    """
    if thinned.all_kept:
        return
    stated = {role for role, place in places_of(spec).items() if place.crs or spec.crs}
    for placing in chosen.placings:
        anchors = [] if placing.role in stated else around.anchors()
        reason = contradiction(thinned, [placing], around.boundary, anchors)
        if reason is not None:
            raise _held(spec, reason, chosen.evidence)


def _check_columns(spec: SourceSpec, reading: forms.Reading) -> None:
    """Refuse a manifest that names columns the file does not have."""
    named: list[tuple[str, str]] = [(column, "keys") for column in spec.keys]
    named += [(column, "text") for column in spec.text]
    if spec.name:
        named.append((spec.name, "name"))
    for role, place in places_of(spec).items():
        prefix = f"places.{role}" if role else "place"
        named += [(c, f"{prefix}.{n}") for n, c in (("lon", place.lon), ("lat", place.lat)) if c]
        named += [(column, f"{prefix}.columns") for column in place.columns]
        if place.geometry and place.geometry != reading.geometry:
            named.append((place.geometry, f"{prefix}.geometry"))
    if spec.time:
        named += [(c, f"time.{n}") for n, c in (("column", spec.time.column), ("end", spec.time.end)) if c]
    for column, purpose in named:
        if column not in reading.columns:
            raise MissingColumnError(spec.id, column, purpose, did_you_mean(column, reading.columns))


def _sample(reading: forms.Reading) -> pa.Table:
    """Return the first rows of a source."""
    batches: list[pa.RecordBatch] = []
    rows = 0
    for batch in reading.batches(SAMPLE_ROWS):
        batches.append(batch.table)
        rows += batch.table.num_rows
        if rows >= SAMPLE_ROWS:
            break
    return pa.Table.from_batches(batches, reading.schema).slice(0, SAMPLE_ROWS)


@dataclass(slots=True)
class _Survey:
    """One source under examination; what is found is added to the evidence."""

    spec: SourceSpec
    reading: forms.Reading
    sample: pa.Table
    around: Surroundings
    evidence: list[forms.Evidence]

    def places(self) -> dict[str, PlaceSpec]:
        """Return the places that the manifest declares, or those that the columns show beyond doubt."""
        declared = places_of(self.spec)
        if declared:
            return declared
        found = find_places(self.sample, geometry=self.reading.geometry, boundary=self.around.boundary)
        self.evidence += [columns.evidence for columns in found]
        chosen: dict[str, PlaceSpec] = {}
        for columns in found:
            if not columns.sure:
                raise self._held(columns.evidence.reason)
            if columns.geometry is not None:
                return {"": PlaceSpec(geometry=columns.geometry)}
            chosen.setdefault(columns.role, PlaceSpec(lon=columns.x, lat=columns.y))
        return chosen

    def placing(self, role: str, place: PlaceSpec) -> Placing:
        """Return how one address role is filled."""
        inside = self.around.area(place.inside) if place.inside else None
        if place.by is not None:
            keys, cells, levels = self.around.lookup(place.by, place.key)
            return ReferencePlacing(role, tuple(place.columns), place.by, keys, cells, levels)
        if place.lon is not None and place.lat is not None:
            unplaced = PointPlacing(role, place.lon, place.lat, "", place.level, inside)
            named = system_of_names(place.lon, place.lat)
            crs = self._system(place, *coordinates(self.sample, unplaced), named)
            return replace(unplaced, crs=crs)
        column = place.geometry or self.reading.geometry
        if column is None:
            raise MissingColumnError(self.spec.id, "geometry", "place", None)
        shape = self._shape(role, column, inside)
        return replace(shape, crs=self._system(place, *coordinates(self.sample, shape), None))

    def _shape(self, role: str, column: str, inside: Any) -> GeometryPlacing:
        """Return how a column of geometries is read; hold back where it holds something else."""
        found = geometry_column(self.sample, column, self.reading.geometry, self.around.boundary)
        if found is not None:
            return GeometryPlacing(role, column, "", inside, found.encoding or "wkb", found.swapped)
        if self.sample[column].null_count < len(self.sample[column]):
            raise self._held(
                Text(f"“{column}”列的值不是几何。", f"the values of “{column}” are no geometries.")
            )
        return GeometryPlacing(role, column, "", inside)

    def _system(self, place: PlaceSpec, x: Any, y: Any, named: str | None) -> str:
        """Return the coordinate system that manifest, file or evidence make certain; else hold back.

        `named` is the system that the columns' names name: as good as a declaration of the file.
        """
        stated = place.crs or self.spec.crs
        if stated is not None:
            declared = check_declared(x, y, stated, boundary=self.around.boundary, anchors=[])
            if declared.contradicted:
                raise self._misplaced(declared.reason, x, y)
            return canonical_system(stated)
        if self.reading.declared_crs is not None or named is not None:
            return self._declared_by_file(self.reading.declared_crs or str(named), x, y)
        if not np.isfinite(x).any():
            raise self._held(Text("样本中没有坐标。", "no row of the sample has coordinates."))
        verdict = weigh_datums(
            x,
            y,
            boundary=self.around.boundary,
            anchors=self.around.anchors(),
            names=names_of(self.sample, len(x)),
        )
        inside = [one.share_inside for one in verdict.candidates if one.share_inside is not None]
        if verdict.decided is None and inside and max(inside) < FEW_INSIDE and self._elsewhere(x, y):
            raise self._misplaced(verdict.reason, x, y)
        figures: dict[str, Any] = {"candidates": [candidate.as_json() for candidate in verdict.candidates]}
        if verdict.decided is None:
            figures["sample"] = _some_points(x, y)
        shown = forms.Evidence("crs", verdict.decided or "", verdict.reason, figures)
        self.evidence.append(shown)
        if verdict.decided is None:
            raise self._held(verdict.reason)
        return str(verdict.decided)

    def _declared_by_file(self, declared: str, x: Any, y: Any) -> str:
        """Follow what the file says of itself unless the city around speaks against it."""
        verdict = check_declared(
            x,
            y,
            declared,
            boundary=self.around.boundary,
            anchors=self.around.anchors(),
            names=names_of(self.sample, len(x)),
        )
        self.evidence.append(forms.Evidence("crs", declared, verdict.reason, {"declared": declared}))
        if verdict.contradicted:
            raise self._misplaced(verdict.reason, x, y)
        return canonical_system(declared)

    def _elsewhere(self, x: Any, y: Any) -> bool:
        """Say whether coordinates in degrees lie outside of the city whatever the system."""
        given = np.isfinite(x) & np.isfinite(y) & (np.abs(x) <= 180) & (np.abs(y) <= 90)
        if self.around.boundary is None or given.sum() < 0.5 * np.isfinite(x).sum():
            return False
        west, south, east, north = self.around.boundary.bounds
        near = (x > west - NEAR) & (x < east + NEAR) & (y > south - NEAR) & (y < north + NEAR)
        return bool(near[given].mean() < 0.5)

    def _misplaced(self, reason: Text, x: Any, y: Any) -> HeldError:
        """Return what holds back a source by where its points lie, which are shown."""
        if not self._elsewhere(x, y):
            return _held(self.spec, reason, self.evidence, _some_points(x, y))
        west, east = np.nanpercentile(x, (1, 99))
        south, north = np.nanpercentile(y, (1, 99))
        said = Text(
            f"其中的位置不在本市：经度 {west:.3f} 至 {east:.3f}，纬度 {south:.3f} 至 {north:.3f}。",
            f"its places are not in this city: longitudes {west:.3f} to {east:.3f}, "
            f"latitudes {south:.3f} to {north:.3f}.",
        )
        return _held(self.spec, said, self.evidence, _some_points(x, y), elsewhere=True)

    def timing(self) -> Timing | None:
        """Return how the times of the facts are read."""
        declared = self.spec.time
        if declared is not None and (declared.none or declared.column is None):
            return None
        if declared is None:
            return self._found_timing()
        assert declared.column is not None  # noqa: S101 - looked at above
        zone = declared.zone or self.around.zone
        start = self._clock(declared.column)
        end = self._clock(declared.end) if declared.end else None
        return Timing(start, end, zone, declared.precision)

    def _found_timing(self) -> Timing | None:
        """Take the only time column of a table; where there are several, somebody has to say which."""
        found = find_times(self.sample)
        epochs = [] if found else [one for one in find_epochs(self.sample) if not names_key(one.columns[0])]
        self.evidence += [columns.evidence for columns in (*found, *epochs)]
        found = found or [one for one in epochs if one.sure]
        if len(found) != 1 or len(found[0].columns) != 1:
            return None
        return Timing(Clock(found[0].columns[0], found[0].form), None, self.around.zone, None)

    def _clock(self, column: str) -> Clock:
        form = time_form(self.sample[column], named=True)
        if form is None:
            raise UnreadableTimesError(self.spec.id, column)
        return Clock(column, form)

    def _held(self, reason: Text) -> HeldError:
        return _held(self.spec, reason, self.evidence)


def _held(
    spec: SourceSpec,
    reason: Text,
    evidence: list[forms.Evidence],
    sample: list[list[float]] | None = None,
    *,
    elsewhere: bool = False,
) -> HeldError:
    """Return the error that holds a source back, with all the evidence, and points as the file has them.

    What can be done is told in words of the page to who handed in a file, else in words of the manifest.
    """
    handed_in = spec.file.startswith(PREFIX)
    what = (
        Text(f"还不能装载：{reason.zh}", f"It cannot be loaded yet: {reason.en}")
        if handed_in
        else Text(f"数据源“{spec.id}”暂缓发布：{reason.zh}", f"Source '{spec.id}' is held back: {reason.en}")
    )
    shown = {"sample": sample} if sample else {}
    return HeldError(
        what,
        mend=_MENDS[handed_in, elsewhere],
        where={"source": spec.id, "evidence": [as_json(item) for item in evidence], **shown},
    )


_MENDS = {
    (True, True): Text(
        "请核对是否送错了文件、经度列和纬度列是否选对；地图上画出了这些位置。",
        "Check that it is the right file, and that the columns of longitude and latitude are the right ones; "
        "the map shows these places.",
    ),
    (True, False): Text(
        "请在“如何读取”中选定经度列、纬度列和坐标系；没有位置的，勾选“这份数据没有位置”。",
        "Under “How it is read” choose the longitude column, the latitude column and the coordinate system; "
        "tick “This data has no places” where it has none.",
    ),
    (False, True): Text(
        "请核对清单中此数据源的 file、place 与 crs。",
        "Check file, place and crs of this source in the manifest.",
    ),
    (False, False): Text(
        "请在清单中为此数据源写明 place 与 crs（WGS84、GCJ-02、BD-09 或 EPSG:…）。",
        "State place and crs (WGS84, GCJ-02, BD-09 or EPSG:...) of this source in the manifest.",
    ),
}
"""What can be done, by whether the file was handed in, and whether its places are elsewhere."""


def anchor_of(title: Text, reader: Reader, version: Version) -> Anchor | None:
    """Return a published dataset as a set of trusted places, or None if it has none."""
    content = version.content
    place = content.places[0] if content.places else None
    if place is None or place.kind == "reference" or not content.counts.addressed:
        return None
    if place.kind == "point" and content.levels.get(place.role) != [MEASURED]:
        return None
    columns = [column for column in (content.name, content.geometry) if column]
    table = reader.columns(version, [*columns, place.cell, place.level])
    table = table.filter(pc.is_valid(table[place.cell]))
    if content.geometry is not None:
        shapes = shapely.from_wkb(table[content.geometry].to_numpy())
    else:
        shapes = shapely.points(*grid.centre(grid.from_stored(table[place.cell].to_numpy()), MEASURED))
    names = table[content.name].to_numpy() if content.name else None
    return Anchor(str(title), shapes, names)


def implausible_boundary(reading: forms.Reading, placings: list[Placing]) -> Text | None:
    """Say why the areas of a source cannot be a city's boundary in WGS84, or None.

    Whether they are shifted by the 100 m to 700 m of GCJ-02 cannot be seen from the boundary alone.
    """
    placing = next((p for p in placings if isinstance(p, GeometryPlacing)), None)
    if placing is None:
        return Text("其中没有面。", "it holds no areas.")
    column = _sample(reading)[placing.column]
    given, _ = placing.shapes(column)
    shapes = shapely.from_wkb(geometries_to_wgs84(shapely.to_wkb(given), placing.crs), on_invalid="ignore")
    whole = shapely.union_all(shapely.make_valid(shapes[~shapely.is_missing(shapes)]))
    fault = check_boundary(whole)
    if fault is not None:
        return fault.reason
    west, south, east, north = whole.bounds
    if max(east - west, north - south) > LARGEST_CITY:
        return Text(
            f"其范围超过 {LARGEST_CITY:g} 度，大于任何城市。",
            f"it spans more than {LARGEST_CITY:g} degrees, more than any city.",
        )
    return None


def _some_points(x: Any, y: Any) -> list[list[float]]:
    """Return at most `SHOWN_POINTS` of the coordinates as they stand in the file, for a person to look at."""
    there = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    picked = there[:: max(1, -(-len(there) // SHOWN_POINTS))]
    return [[float(a), float(b)] for a, b in zip(x[picked], y[picked], strict=True)]
