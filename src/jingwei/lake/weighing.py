"""Which of WGS84, GCJ-02 and BD-09 a source's coordinates are in, weighed against places that are trusted.

The three lie 100 m to 1.3 km apart, which nobody sees on a map, so nothing is decided by looks. A datum is
decided only where, under it and under no other, the source fits trusted places, and fits them best exactly
where it lies: moved by 60 m or more in any direction it fits clearly worse. A source that fits nothing, or
fits equally well elsewhere, stays undecided.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import shapely

from jingwei.lake.datums import CHINA, DATUMS, TO_WGS84, Datum, Floats, canonical_system, to_wgs84
from jingwei.lake.forms.reading import JSON
from jingwei.words import Text

Names: TypeAlias = npt.NDArray[np.object_]
Shapes: TypeAlias = npt.NDArray[np.object_]
How: TypeAlias = Literal["same-name", "same-area", "nearest"]
Misfit: TypeAlias = Callable[[Floats, Floats], Floats]

METRES_PER_DEGREE = 111_320.0
RADII = (60.0, 120.0, 250.0, 500.0, 800.0)
DIRECTIONS = 12
NEXT_STREET = 100.0
"""Metres: a move up to here may follow a street, so it need not fit much worse; it must not fit better."""

LARGEST_OFFSET = {"same-name": 30.0, "nearest": 20.0}
"""Metres: the median distance to trusted places under the right datum may be no more."""
SHARPNESS = {"same-name": 1 / 3, "nearest": 1 / 2}
"""The median distance where the source lies may be no more than this share of the best one further off."""
FEWEST = {"same-name": 20, "nearest": 300, "same-area": 1_000}
"""Different points that must be compared."""
MOST = {"same-name": 1_000, "nearest": 1_000, "same-area": 20_000}
LARGEST_OUTSIDE = 0.1
SMALLEST_SIGNIFICANCE = 5.0
"""Standard errors by which moving a source must put more of its points outside their own areas."""
ALONE_BY = 2.0
"""Times by which every other datum must fit worse."""
INSIDE_TOLERANCE = 0.1

PIECE = 300.0
"""Metres: lines are cut into pieces no longer than this before they are searched."""

SEED = 39409


@dataclass(frozen=True, slots=True)
class Anchor:
    """Things whose places are trusted, in WGS84.

    Parameters
    ----------
    title
        what they are, for the evidence.
    shapes
        Shapely points, lines or polygons.
    names
        their names, to be compared with the source's; None where they have none.
    """

    title: str
    shapes: Shapes
    names: Names | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """How a source fits one anchor under one datum.

    Parameters
    ----------
    against
        title of the anchor.
    how
        `same-name` (distance to the thing of the same name), `same-area` (share outside the area of that
        name) or `nearest` (distance to the nearest thing).
    matched
        different points compared.
    misfit
        median distance in metres, or share of points outside (`same-area`).
    best_moved
        the same after the most favourable of the moves tried (60 to 800 m; none further once one shows that
        the fit is not clear); None where none was needed.
    clear
        the source fits, and best where it lies.
    """

    against: str
    how: How
    matched: int
    misfit: float
    best_moved: float | None
    clear: bool

    def as_json(self) -> dict[str, JSON]:
        """Return the figures for the evidence."""
        return {
            "against": self.against,
            "how": self.how,
            "matched": self.matched,
            "misfit": round(self.misfit, 4),
            "best_moved": None if self.best_moved is None else round(self.best_moved, 4),
            "clear": self.clear,
        }


@dataclass(frozen=True, slots=True)
class Candidate:
    """What speaks for one datum: share of points inside the city (None without a boundary), and fits."""

    datum: Datum
    share_inside: float | None
    fits: list[Fit] = field(default_factory=list)

    @property
    def median_offset_m(self) -> float | None:
        """Smallest median distance to trusted places, in metres; None where nothing could be compared."""
        return min((fit.misfit for fit in self.fits if fit.how != "same-area"), default=None)

    @property
    def matched(self) -> int:
        """Most points compared with one anchor."""
        return max((fit.matched for fit in self.fits), default=0)

    @property
    def against(self) -> list[str]:
        """Titles of the anchors compared with."""
        return [fit.against for fit in self.fits]

    def as_json(self) -> dict[str, JSON]:
        """Return the figures for the evidence."""
        return {
            "datum": self.datum,
            "share_inside": None if self.share_inside is None else round(self.share_inside, 4),
            "fits": [fit.as_json() for fit in self.fits],
        }


@dataclass(frozen=True, slots=True)
class DatumVerdict:
    """The candidates, and the one that the evidence decides for; None where it does not."""

    candidates: list[Candidate]
    decided: Datum | None
    reason: Text


def weigh_datums(
    lon: npt.ArrayLike,
    lat: npt.ArrayLike,
    *,
    boundary: shapely.Geometry | None,
    anchors: Sequence[Anchor],
    names: Names | Sequence[Names] | None = None,
) -> DatumVerdict:
    """Weigh the three datums for the points of a source.

    Parameters
    ----------
    lon, lat
        the source's coordinates in degrees; NaN where a row has no place.
    boundary
        the city in WGS84, for the share of points inside.
    anchors
        trusted places.
    names
        the source's own names by row, or several columns of them; each anchor takes the column that shares
        most names with it.
    """
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    columns = _columns(names)
    finite = np.isfinite(x) & np.isfinite(y)
    x, y, columns = x[finite], y[finite], [column[finite] for column in columns]
    candidates = [Candidate(datum, _share_inside(x, y, datum, boundary)) for datum in DATUMS]
    decisions: dict[str, Datum] = {}
    for anchor in anchors:
        decided = _weigh_against(anchor, x, y, columns, candidates)
        if decided:
            decisions[anchor.title] = decided
    return _verdict(candidates, decisions, len(x))


def _columns(names: Names | Sequence[Names] | None) -> list[Names]:
    if names is None:
        return []
    if isinstance(names, np.ndarray) and (len(names) == 0 or not isinstance(names[0], np.ndarray)):
        return [names]
    return [np.asarray(column, dtype=object) for column in names]


def _share_inside(x: Floats, y: Floats, datum: Datum, boundary: shapely.Geometry | None) -> float | None:
    if boundary is None or len(x) == 0:
        return None
    chosen = _chosen(len(x), MOST["same-area"])
    shapely.prepare(boundary)
    return float(shapely.contains_xy(boundary, *to_wgs84(x[chosen], y[chosen], datum)).mean())


def _chosen(count: int, most: int) -> npt.NDArray[np.int64]:
    """Return at most `most` of `count` indices, the same ones each time."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(SEED).choice(count, most, replace=False))


def folded(name: object) -> str:
    """Return a name as it is compared: half-width, lower case, without 区, 县 or 市 at its end."""
    plain = unicodedata.normalize("NFKC", str(name)).strip().casefold() if name is not None else ""
    return plain[:-1] if len(plain) > 2 and plain[-1] in "区县市" else plain


def _weigh_against(
    anchor: Anchor, x: Floats, y: Floats, columns: list[Names], candidates: list[Candidate]
) -> Datum | None:
    """Add the fits with one anchor to the candidates; return the datum it decides for."""
    comparison = _named_comparison(anchor, x, y, columns) or _nearest_comparison(anchor, x, y)
    if comparison is None:
        return None
    fits = {candidate.datum: comparison.fit(candidate.datum) for candidate in candidates}
    for candidate in candidates:
        candidate.fits.append(fits[candidate.datum])
    clear = [datum for datum, fit in fits.items() if fit.clear]
    if len(clear) != 1:
        return None
    best = clear[0]
    others = min(fit.misfit for datum, fit in fits.items() if datum != best)
    alone = comparison.how == "same-area" or others >= ALONE_BY * fits[best].misfit
    return best if alone else None


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Points of a source, and what measures how badly they fit an anchor after a move in metres."""

    title: str
    how: How
    lon: Floats
    lat: Floats
    origin: tuple[float, float]
    misfit: Misfit

    def fit(self, datum: Datum) -> Fit:
        east, north = _metres(*to_wgs84(self.lon, self.lat, datum), self.origin)
        here = self.misfit(east, north)
        if self.how == "same-area":
            return self._area_fit(east, north, here)
        offset = float(np.median(here))
        enough = len(here) >= FEWEST[self.how]
        if offset > LARGEST_OFFSET[self.how] or not enough:
            return Fit(self.title, self.how, len(here), offset, None, clear=False)
        best = np.inf
        for dx, dy in _moves():
            moved = float(np.median(self.misfit(east + dx, north + dy)))
            best = min(best, moved)
            far = np.hypot(dx, dy) > NEXT_STREET
            if moved < offset or (far and offset > SHARPNESS[self.how] * moved):
                return Fit(self.title, self.how, len(here), offset, best, clear=False)
        return Fit(self.title, self.how, len(here), offset, best, clear=True)

    def _area_fit(self, east: Floats, north: Floats, here: Floats) -> Fit:
        outside = float(here.mean())
        if outside > LARGEST_OUTSIDE or len(here) < FEWEST["same-area"]:
            return Fit(self.title, self.how, len(here), outside, None, clear=False)
        moves = [(self.misfit(east + dx, north + dy), np.hypot(dx, dy)) for dx, dy in _moves()]
        shares = [float(there.mean()) for there, _ in moves]
        best_everywhere = outside <= min(shares)
        far = [_significance(here, there) for there, radius in moves if radius >= 250]
        clear = best_everywhere and bool(min(far) >= SMALLEST_SIGNIFICANCE)
        return Fit(self.title, self.how, len(here), outside, min(shares), clear=clear)


def _significance(here: Floats, there: Floats) -> float:
    """Return by how many standard errors more points are outside there than here (McNemar's paired test)."""
    worse, better = float((there > here).sum()), float((there < here).sum())
    return (worse - better) / np.sqrt(worse + better) if worse + better else 0.0


def _moves() -> list[tuple[float, float]]:
    angles = np.arange(DIRECTIONS) * (2 * np.pi / DIRECTIONS)
    return [(radius * np.cos(angle), radius * np.sin(angle)) for radius in RADII for angle in angles]


def _metres(lon: Floats, lat: Floats, origin: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return metres east and north of an origin, on a sphere: right to 1 % within a city."""
    east = (lon - origin[0]) * METRES_PER_DEGREE * np.cos(np.radians(origin[1]))
    return east, (lat - origin[1]) * METRES_PER_DEGREE


def _shapes_in_metres(shapes: Shapes, origin: tuple[float, float]) -> Shapes:
    return np.asarray(
        shapely.transform(shapes, lambda at: np.column_stack(_metres(at[:, 0], at[:, 1], origin))),
        dtype=object,
    )


def _named_comparison(anchor: Anchor, x: Floats, y: Floats, columns: list[Names]) -> _Comparison | None:
    """Compare each point with the anchor's only thing of the same name, where enough names are shared."""
    if anchor.names is None or not columns:
        return None
    things = _by_unique_name(anchor)
    keys = [np.array([folded(name) for name in column], dtype=object) for column in columns]
    matches = [np.array([key in things for key in column], dtype=bool) for column in keys]
    best = int(np.argmax([match.sum() for match in matches]))
    points = _unique_points(x[matches[best]], y[matches[best]], keys[best][matches[best]])
    shapes = np.array([things[key] for key in points.keys], dtype=object)
    areas = bool(len(shapes)) and bool((shapely.get_dimensions(shapes) == 2).all())
    how: How = "same-area" if areas else "same-name"
    if len(shapes) < FEWEST["same-name"]:
        return None
    chosen = _chosen(len(shapes), MOST[how])
    lon, lat, shapes = points.lon[chosen], points.lat[chosen], shapes[chosen]
    origin = (float(np.median(lon)), float(np.median(lat)))
    misfit = _outside_of(shapes, origin) if areas else _distance_to(shapes, origin)
    return _Comparison(anchor.title, how, lon, lat, origin, misfit)


def _by_unique_name(anchor: Anchor) -> dict[str, shapely.Geometry]:
    """Return the things of an anchor by name; things that share a name are taken together."""
    by_name: dict[str, list[shapely.Geometry]] = {}
    for name, shape in zip(anchor.names if anchor.names is not None else [], anchor.shapes, strict=True):
        key = folded(name)
        if key and shape is not None and not shape.is_empty:
            by_name.setdefault(key, []).append(shape)
    return {key: same[0] if len(same) == 1 else shapely.union_all(same) for key, same in by_name.items()}


@dataclass(frozen=True, slots=True)
class _NamedPoints:
    lon: Floats
    lat: Floats
    keys: Names


def _unique_points(x: Floats, y: Floats, keys: Names) -> _NamedPoints:
    """Return each place and name once: many rows at one point are one piece of evidence."""
    seen: dict[tuple[float, float, str], None] = {}
    for place in zip(x.tolist(), y.tolist(), keys.tolist(), strict=True):
        seen.setdefault(place, None)
    lon, lat, names = zip(*seen, strict=True) if seen else ((), (), ())
    return _NamedPoints(np.array(lon, dtype=float), np.array(lat, dtype=float), np.array(names, dtype=object))


def _distance_to(shapes: Shapes, origin: tuple[float, float]) -> Misfit:
    local = _shapes_in_metres(shapes, origin)

    def misfit(east: Floats, north: Floats) -> Floats:
        return np.asarray(shapely.distance(shapely.points(east, north), local), dtype=np.float64)

    return misfit


def _outside_of(shapes: Shapes, origin: tuple[float, float]) -> Misfit:
    owner: dict[int, list[int]] = {}
    for at, shape in enumerate(shapes):
        owner.setdefault(id(shape), []).append(at)
    areas = [(np.array(rows), _shapes_in_metres(shapes[rows[:1]], origin)[0]) for rows in owner.values()]
    for _, area in areas:
        shapely.prepare(area)

    def misfit(east: Floats, north: Floats) -> Floats:
        outside = np.ones(len(east))
        for rows, area in areas:
            outside[rows] = ~shapely.contains_xy(area, east[rows], north[rows])
        return outside

    return misfit


def _nearest_comparison(anchor: Anchor, x: Floats, y: Floats) -> _Comparison | None:
    """Compare each point with the nearest point or line of an anchor; areas say nothing this way."""
    present = anchor.shapes[~shapely.is_missing(anchor.shapes) & ~shapely.is_empty(anchor.shapes)]
    present = present[shapely.get_dimensions(present) < 2]
    if len(present) == 0 or len(x) == 0:
        return None
    places = np.unique(np.column_stack([x, y]), axis=0)
    if len(places) < FEWEST["nearest"]:
        return None
    places = places[_chosen(len(places), MOST["nearest"])]
    origin = (float(np.median(places[:, 0])), float(np.median(places[:, 1])))
    tree = shapely.STRtree(_segments(_shapes_in_metres(present, origin)))

    def misfit(east: Floats, north: Floats) -> Floats:
        _, distance = tree.query_nearest(shapely.points(east, north), return_distance=True, all_matches=False)
        return np.asarray(distance, dtype=np.float64)

    return _Comparison(anchor.title, "nearest", places[:, 0], places[:, 1], origin, misfit)


def _segments(shapes: Shapes) -> Shapes:
    """Cut lines into short straight pieces, each once: a tree of short pieces is quick to search."""
    points = shapely.get_parts(shapes[shapely.get_dimensions(shapes) == 0])
    lines = shapely.get_parts(shapes[shapely.get_dimensions(shapes) == 1])
    at, owner = shapely.get_coordinates(shapely.segmentize(lines, PIECE), return_index=True)
    same_line = owner[1:] == owner[:-1]
    ends = np.unique(np.hstack([at[:-1], at[1:]])[same_line], axis=0)
    pieces = shapely.linestrings(ends.reshape(-1, 2, 2)) if len(ends) else np.empty(0, dtype=object)
    return np.concatenate([points, pieces])


def _verdict(candidates: list[Candidate], decisions: dict[str, Datum], count: int) -> DatumVerdict:
    found = set(decisions.values())
    if not found:
        return DatumVerdict(candidates, None, _held_back(candidates, count))
    if len(found) > 1:
        zh = "；".join(f"{title}：{datum}" for title, datum in decisions.items())
        en = "; ".join(f"{title}: {datum}" for title, datum in decisions.items())
        return DatumVerdict(
            candidates, None, Text(f"参照互相矛盾：{zh}", f"the trusted places contradict each other: {en}")
        )
    decided = found.pop()
    shares = {c.datum: c.share_inside for c in candidates if c.share_inside is not None}
    if shares and shares[decided] < max(shares.values()) - INSIDE_TOLERANCE:
        return DatumVerdict(candidates, None, _held_back(candidates, count))
    return DatumVerdict(candidates, decided, _decided(candidates, decided, decisions))


def _decided(candidates: list[Candidate], decided: Datum, decisions: dict[str, Datum]) -> Text:
    title = next(iter(decisions))
    fits = {c.datum: fit for c in candidates for fit in c.fits if fit.against == title}
    others = [datum for datum in DATUMS if datum != decided]
    zh = "、".join(f"{datum} {_shown(fits[datum]).zh}" for datum in others)
    en = ", ".join(f"{datum} {_shown(fits[datum]).en}" for datum in others)
    own = _shown(fits[decided])
    return Text(
        f"与“{title}”比较 {fits[decided].matched} 个点：{decided} {own.zh}，而 {zh}",
        f"{fits[decided].matched} points compared with “{title}”: {decided} {own.en}, but {en}",
    )


def _shown(fit: Fit) -> Text:
    if fit.how == "same-area":
        return Text(f"有 {fit.misfit:.1%} 在所属区域外", f"puts {fit.misfit:.1%} outside their own areas")
    return Text(f"相差中位数 {fit.misfit:,.1f} 米", f"is off by {fit.misfit:,.1f} m in the median")


def _held_back(candidates: list[Candidate], count: int) -> Text:
    if count == 0:
        return Text("没有坐标可供比较", "there are no coordinates to compare")
    zh, en = [], []
    for candidate in candidates:
        offset = candidate.median_offset_m
        parts_zh, parts_en = [], []
        if candidate.share_inside is not None:
            parts_zh.append(f"{candidate.share_inside:.1%} 在城市内")
            parts_en.append(f"{candidate.share_inside:.1%} inside the city")
        if offset is not None:
            parts_zh.append(f"与参照相差 {offset:,.0f} 米")
            parts_en.append(f"{offset:,.0f} m off trusted places")
        zh.append(f"{candidate.datum}（{'，'.join(parts_zh) or '无可比较'}）")
        en.append(f"{candidate.datum} ({', '.join(parts_en) or 'nothing to compare'})")
    return Text(f"证据不足以区分：{'；'.join(zh)}", f"the evidence does not tell them apart: {'; '.join(en)}")


FARTHEST_FROM_KNOWN_PLACE = 30_000.0
"""Metres: the seat of a city's government lies inside it, or hardly outside a generalised outline."""


@dataclass(frozen=True, slots=True)
class BoundaryFault:
    """What is wrong with a city's boundary."""

    rule: str
    reason: Text


def check_boundary(
    boundary: shapely.Geometry,
    *,
    known_place: tuple[float, float] | None = None,
    outlines: Sequence[Anchor] = (),
) -> BoundaryFault | None:
    """Tell whether a city's boundary is in another coordinate system than WGS84.

    Parameters
    ----------
    boundary
        as read, taken for WGS84 degrees.
    known_place
        longitude and latitude (WGS84) of the city by its administrative code.
    outlines
        areas or lines of trusted sources whose outlines follow the same boundary.

    Returns
    -------
    BoundaryFault or None
        rule `empty-geometry`, `self-intersection`, `projected`, `swapped-axes`, `elsewhere` or `other-datum`.
    """
    fault = _unusable(boundary)
    if fault:
        return fault
    west, south, east, north = boundary.bounds
    if known_place is not None:
        distance = shapely.distance(boundary, shapely.Point(known_place)) * METRES_PER_DEGREE
        if distance > FARTHEST_FROM_KNOWN_PLACE:
            km = distance / 1000
            reason = Text(
                f"边界距该行政区划代码的所在地约 {km:,.0f} 公里",
                f"the boundary lies about {km:,.0f} km from the place of the administrative code",
            )
            return BoundaryFault("elsewhere", reason)
    corners = shapely.get_coordinates(shapely.segmentize(boundary, max(east - west, north - south) / 300))
    lines = [Anchor(anchor.title, _outlines(anchor.shapes)) for anchor in outlines]
    weighed = weigh_datums(corners[:, 0], corners[:, 1], boundary=None, anchors=lines)
    if weighed.decided not in (None, "WGS84"):
        reason = Text(
            f"边界像是 {weighed.decided}：{weighed.reason.zh}",
            f"the boundary seems to be in {weighed.decided}: {weighed.reason.en}",
        )
        return BoundaryFault("other-datum", reason)
    return None


def _unusable(boundary: shapely.Geometry) -> BoundaryFault | None:
    if boundary is None or boundary.is_empty:
        return BoundaryFault("empty-geometry", Text("边界为空", "the boundary is empty"))
    west, south, east, north = boundary.bounds
    if max(abs(west), abs(east)) > 360 or max(abs(south), abs(north)) > 360:
        reason = Text(
            "边界是以米为单位的投影坐标，请在清单中写明坐标系（例如 EPSG:4547）",
            "the boundary is in projected metres; state its system in the manifest (such as EPSG:4547)",
        )
        return BoundaryFault("projected", reason)
    if CHINA[1] <= west and east <= CHINA[3] and south >= CHINA[0] and north <= CHINA[2]:
        reason = Text("经度和纬度颠倒了", "longitude and latitude are swapped")
        return BoundaryFault("swapped-axes", reason)
    if not shapely.is_valid(boundary):
        said = shapely.is_valid_reason(boundary)
        reason = Text(f"边界不合规则：{said}", f"the boundary is not valid: {said}")
        return BoundaryFault("self-intersection", reason)
    return None


def _outlines(shapes: Shapes) -> Shapes:
    areas = shapely.get_dimensions(shapes) == 2
    return np.where(areas, shapely.boundary(shapes), shapes)


@dataclass(frozen=True, slots=True)
class DeclaredVerdict:
    """Whether the evidence contradicts a declared coordinate system; `weighed` holds the candidates."""

    contradicted: bool
    rule: str
    reason: Text
    weighed: DatumVerdict | None


def check_declared(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    declared: str,
    *,
    boundary: shapely.Geometry | None,
    anchors: Sequence[Anchor],
    names: Names | Sequence[Names] | None = None,
) -> DeclaredVerdict:
    """Check a declared coordinate system against the city and trusted places.

    Parameters
    ----------
    x, y
        the coordinates as the source has them.
    declared
        the system that the source or its manifest states.
    boundary, anchors, names
        as for `weigh_datums`.

    Returns
    -------
    DeclaredVerdict
        contradicted by rule `not-in-system` (no value is possible in the system), `elsewhere` (everything far
        from the city) or `other-datum` (the evidence decides for another datum).
    """
    system = canonical_system(declared)
    lon, lat = to_wgs84(x, y, system)
    given = np.isfinite(np.asarray(x, dtype=float)) & np.isfinite(np.asarray(y, dtype=float))
    possible = given & (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    if given.any() and possible.sum() < 0.5 * given.sum():
        reason = Text(f"坐标值不可能是 {declared}", f"the values cannot be coordinates in {declared}")
        return DeclaredVerdict(contradicted=True, rule="not-in-system", reason=reason, weighed=None)
    if boundary is not None and possible.any():
        west, south, east, north = boundary.buffer(1.0).bounds
        near = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        if near[possible].mean() < 0.5:
            reason = Text(
                f"按 {declared}，多数点不在城市附近", f"in {declared}, most points lie far from the city"
            )
            return DeclaredVerdict(contradicted=True, rule="elsewhere", reason=reason, weighed=None)
    own = system in TO_WGS84
    weighed = weigh_datums(
        np.asarray(x) if own else lon,
        np.asarray(y) if own else lat,
        boundary=boundary,
        anchors=anchors,
        names=names,
    )
    expected = system if own else "WGS84"
    if weighed.decided is not None and weighed.decided != expected:
        reason = Text(
            f"声明为 {declared}，但证据表明是 {weighed.decided}：{weighed.reason.zh}",
            f"declared {declared}, but the evidence says {weighed.decided}: {weighed.reason.en}",
        )
        return DeclaredVerdict(contradicted=True, rule="other-datum", reason=reason, weighed=weighed)
    reason = Text(f"没有与 {declared} 矛盾的证据", f"nothing contradicts {declared}")
    return DeclaredVerdict(contradicted=False, rule="", reason=reason, weighed=weighed)
