"""The ground: unit grids, duty grids, and who is responsible for what on them, since when and until when.

A unit grid (单元网格, about 10,000 m²) bears 15 digits: division 6, street 3, community 3, sequence 3. Codes
are nested, so that “the street of a grid” is the first nine digits of its code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely
from sqlalchemy import bindparam, delete, func, insert, or_, select

from jingwei import grid, ledger
from jingwei.cases.errors import BadFieldError, RulesChangedError, UnknownDutyError
from jingwei.cases.models import DefaultPoint, Responsibility, UnitGrid
from jingwei.ledger.models import encode_json
from jingwei.records import Prepared, now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access import Asker

GRID_CODE = re.compile(r"[0-9]{6}[0-9A-Z]{9}")
POINT_LEVEL = 32
_EARTH = 6_371_008.8
"""Mean radius in metres: enough for distances of a few hundred metres."""

Where = Literal["inside", "border", "outside", "default", "unknown"]


@dataclass(frozen=True, slots=True)
class Grid:
    """A unit grid. `outline` is a shapely polygon in degrees, CGCS2000."""

    code: str
    outline: Any
    duty_grid: str = ""
    grade: str = ""


@dataclass(frozen=True, slots=True)
class Duty:
    """Who is responsible for what and where, as `models.Responsibility` explains."""

    area: str
    department: str
    kind: str = ""
    type: str = ""
    person: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Located:
    """Where a point is.

    Attributes
    ----------
    cell, level
        Its stored grid code and the level to which that is true.
    area
        The code of its unit grid; of the nearest one where it lies outside of all.
    where
        Whether it lies inside, on a border, outside, or on a default point; unknown without grids.
    rule
        What is done about it, for people.
    neighbours
        The grids on whose border it lies, with their distance in metres; the nearest one where outside.

    """

    cell: int
    level: int
    area: str
    where: Where
    rule: Text
    neighbours: tuple[tuple[str, float], ...] = ()


_RULES: dict[Where, Text] = {
    "inside": Text(""),
    "unknown": Text("本市尚未划分单元网格", "the city has no unit grids yet."),
    "border": Text(
        "位于网格边界：由点所在网格负责；部件以普查所在网格为准；相邻网格如有异议由派遣员指定",
        "on a border: the grid that holds the point is responsible, for a component that of its census;"
        " the dispatcher settles a dispute.",
    ),
    "outside": Text(
        "位于所有网格之外：按最近网格派遣，并核对位置",
        "outside of all grids: goes to the nearest one; check the place.",
    ),
    "default": Text(
        "位置是默认点，真实位置不明：立案前须核实位置",
        "a default point: the true place is not known and must be found before registration.",
    ),
}


class Ground:
    """The unit grids in force, ready to be asked where a point lies.

    Parameters
    ----------
    grids
        The grids.
    defaults
        Stored codes of the default points.
    border_metres
        How near to the border of another grid a point is on it.

    """

    def __init__(
        self, grids: Sequence[Grid] = (), defaults: Iterable[int] = (), border_metres: float = 5
    ) -> None:
        self._codes = [one.code for one in grids]
        self._grids = {one.code: one for one in grids}
        self._outlines = np.array([one.outline for one in grids], dtype=object)
        self._tree = shapely.STRtree(self._outlines) if len(grids) else None
        self._defaults = frozenset(defaults)
        self._border = border_metres

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def codes(self) -> Sequence[str]:
        """The codes of the grids."""
        return self._codes

    def get(self, code: str) -> Grid | None:
        """Return a grid by its code."""
        return self._grids.get(code)

    def locate(self, lon: float, lat: float) -> Located:
        """Return where a point lies (degrees, CGCS2000)."""
        cell = grid.to_stored(grid.encode(lon, lat, POINT_LEVEL))
        if cell in self._defaults:
            return Located(cell, POINT_LEVEL, "", "default", _RULES["default"])
        if self._tree is None:
            return Located(cell, POINT_LEVEL, "", "unknown", _RULES["unknown"])
        point = shapely.Point(lon, lat)
        holding = self._tree.query(point, predicate="intersects")
        if not len(holding):
            nearest = int(self._tree.nearest(point))
            apart = ((self._codes[nearest], self._metres(nearest, point)),)
            return Located(cell, POINT_LEVEL, self._codes[nearest], "outside", _RULES["outside"], apart)
        mine = min(self._codes[index] for index in holding)
        near = self._near(point)
        others = tuple((code, metres) for code, metres in near if code != mine)
        where: Where = "border" if others else "inside"
        return Located(cell, POINT_LEVEL, mine, where, _RULES[where], others)

    def _near(self, point: Any) -> list[tuple[str, float]]:
        degrees = self._border / _EARTH * 180 / np.pi
        box = shapely.box(
            point.x - degrees / np.cos(np.radians(point.y)), point.y - degrees,
            point.x + degrees / np.cos(np.radians(point.y)), point.y + degrees,
        )  # fmt: skip
        assert self._tree is not None  # noqa: S101
        found = [(self._codes[index], self._metres(index, point)) for index in self._tree.query(box)]
        return sorted((one for one in found if one[1] <= self._border), key=lambda one: one[1])

    def _metres(self, index: int, point: Any) -> float:
        """Return how far a point is from a grid, in metres, on a sphere flattened around the point."""
        scale = np.array([np.cos(np.radians(point.y)), 1.0]) * np.radians(1) * _EARTH
        flat = shapely.transform(self._outlines[index], lambda xy: (xy - (point.x, point.y)) * scale)
        return round(float(shapely.distance(flat, shapely.Point(0, 0))), 1)


def prefixes(area: str) -> list[str]:
    """Return the areas that hold an area, the finest first: grid, community, street, district, city."""
    return [area[:length] for length in (15, 12, 9, 6) if len(area) >= length] + [""]


def load_ground(session: Session, border_metres: float, at: datetime | None = None) -> Ground:
    """Return the ground as it is in force at a moment, now if not given."""
    when = at or now_utc()
    question = select(UnitGrid).where(
        UnitGrid.since <= when, or_(UnitGrid.until.is_(None), UnitGrid.until > when)
    )
    grids = [
        Grid(row.code, shapely.from_wkb(row.outline), row.duty_grid, row.grade)
        for row in session.scalars(question.order_by(UnitGrid.code))
    ]
    return Ground(grids, session.scalars(select(DefaultPoint.cell)), border_metres)


def put_grids(session: Session, asker: Asker, grids: Sequence[Grid], *, since: datetime | None = None) -> int:
    """Let grids be in force from a moment on, instead of those before; return how many.

    Raises
    ------
    BadFieldError
        Where a code is not one of a unit grid, is used twice, or an outline is not a valid area.

    """
    when = since or now_utc()
    _check_grids(grids)
    session.query(UnitGrid).where(UnitGrid.until.is_(None)).update({"until": when})
    session.execute(delete(UnitGrid).where(UnitGrid.since == when))
    rows = [
        {
            "code": one.code, "since": when, "until": None, "grade": one.grade, "duty_grid": one.duty_grid,
            "outline": shapely.to_wkb(one.outline),
        }
        for one in grids
    ]  # fmt: skip
    if rows:
        session.execute(insert(UnitGrid), rows)
    _tell(session, asker, "unit_grids", [[one.code, shapely.to_wkb(one.outline, hex=True)] for one in grids])
    return len(rows)


def _check_grids(grids: Sequence[Grid]) -> None:
    seen: set[str] = set()
    for one in grids:
        if not GRID_CODE.fullmatch(one.code):
            raise BadFieldError(
                "code",
                Text(
                    f"{one.code[:40]} 不是 15 位单元网格编码", f"{one.code[:40]} is no code of a unit grid."
                ),
            )
        if one.code in seen:
            raise BadFieldError("code", Text(f"网格 {one.code} 重复", f"the grid {one.code} is given twice."))
        seen.add(one.code)
        west, south, east, north = one.outline.bounds
        inside = -180 <= west <= east <= 180 and -90 <= south <= north <= 90  # degrees, not metres
        if not inside or not shapely.is_valid(one.outline) or shapely.get_dimensions(one.outline) != 2:
            raise BadFieldError(
                "outline",
                Text(f"网格 {one.code} 的边界无效", f"the outline of {one.code} is not a valid area."),
            )


def put_duties(session: Session, asker: Asker, duties: Sequence[Duty]) -> int:
    """Add responsibilities; return how many."""
    now = now_utc()
    rows = []
    for one in duties:
        if one.until is not None and one.until <= (one.since or now):
            raise BadFieldError("until", Text("截止时间须晚于起始时间", "a duty ends after it begins."))
        values = {
            "area": one.area, "kind": one.kind, "type": one.type, "department": one.department,
            "person": one.person, "since": one.since or now, "until": one.until,
        }  # fmt: skip
        rows.append(values)
    if rows:
        session.execute(insert(Responsibility), rows)
    _tell(session, asker, "duties", [[str(value) for value in row.values()] for row in rows])
    return len(rows)


def put_default_points(
    session: Session,
    asker: Asker,
    points: Sequence[tuple[float, float, str]],
    *,
    seen: int | None = None,
) -> int:
    """Name the default points (degrees, and what they stand for), instead of those before.

    Of several at one place the last one holds; return how many places those are.

    Raises
    ------
    RulesChangedError
        Where others were named since those whose `default_points_version` is `seen`.

    """
    if seen is not None and seen != (now := default_points_version(session)):
        raise RulesChangedError("default_points", seen, now)
    session.execute(delete(DefaultPoint))
    cells = {
        grid.to_stored(grid.encode(lon, lat, POINT_LEVEL)): (lon, lat, says) for lon, lat, says in points
    }
    rows = [{"cell": cell, "lon": lon, "lat": lat, "says": says} for cell, (lon, lat, says) in cells.items()]
    if rows:
        session.execute(insert(DefaultPoint), rows)
    _tell(session, asker, "default_points", [list(point) for point in points])
    return len(rows)


def duties_for(session: Session, areas: Sequence[str], kind: str, type_: str, at: datetime) -> list[Duty]:
    """Return the duties that hold for a type in one of some areas at a moment, the most particular first.

    More particular is the finer area, and in the same area the finer type.
    """
    question = select(Responsibility).where(
        Responsibility.area.in_(list(areas)),
        Responsibility.kind.in_([kind, ""]),
        Responsibility.type.in_([type_, type_[:2], ""]),
        Responsibility.since <= at,
        or_(Responsibility.until.is_(None), Responsibility.until > at),
    )
    found = [
        Duty(row.area, row.department, row.kind, row.type, row.person, row.since, row.until)
        for row in session.scalars(question.order_by(Responsibility.id))
    ]
    order = {area: index for index, area in enumerate(areas)}
    return sorted(found, key=lambda one: (order[one.area], -len(one.type), -len(one.kind)))


@dataclass(frozen=True, slots=True)
class KeptDuty:
    """A duty with the number under which it is kept."""

    id: int
    duty: Duty


def duties(
    session: Session,
    *,
    area: str = "",
    department: str = "",
    person: str = "",
    at: datetime | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[KeptDuty]:
    """Return duties in the order in which they were given.

    Parameters
    ----------
    session
        A session that reads.
    area
        The beginning of an area's code.
    department, person
        Whose.
    at
        Only those that hold at this moment; all that ever held if not given.
    after, limit
        Those after this number, so many.

    """
    question = select(Responsibility).where(Responsibility.id > after)
    question = question.order_by(Responsibility.id).limit(limit)
    if area:
        question = question.where(Responsibility.area.startswith(area, autoescape=True))
    if department:
        question = question.where(Responsibility.department == department)
    if person:
        question = question.where(Responsibility.person == person)
    if at is not None:
        question = question.where(
            Responsibility.since <= at, or_(Responsibility.until.is_(None), Responsibility.until > at)
        )
    return [
        KeptDuty(
            row.id,
            Duty(row.area, row.department, row.kind, row.type, row.person, row.since, row.until),
        )
        for row in session.scalars(question)
    ]


def end_duty(session: Session, asker: Asker, number: int, until: datetime | None = None) -> None:
    """Let a duty end at a moment, now if not given; what it was until then stays.

    Raises
    ------
    UnknownDutyError
        Where there is none of that number that has not ended.

    """
    when = until or now_utc()
    row = session.get(Responsibility, number)
    if row is None or (row.until is not None and row.until <= when):
        raise UnknownDutyError(number)
    row.until = max(when, row.since)
    _tell(session, asker, "duties", [["ended", str(number), when.isoformat()]])


def unit_grids(
    session: Session, *, area: str = "", at: datetime | None = None, after: str = "", limit: int = 100
) -> list[tuple[Grid, datetime, datetime | None]]:
    """Return the unit grids in force at a moment, by code, with since when and until when they are.

    Parameters
    ----------
    session
        A session that reads.
    area
        The beginning of their codes, or the code of a duty grid.
    at
        Now if not given.
    after, limit
        Those after this code, so many.

    """
    when = at or now_utc()
    question = select(UnitGrid).where(
        UnitGrid.since <= when, or_(UnitGrid.until.is_(None), UnitGrid.until > when), UnitGrid.code > after
    )
    if area:
        inside = UnitGrid.code.startswith(area, autoescape=True)
        question = question.where(or_(inside, UnitGrid.duty_grid == area))
    rows = session.scalars(question.order_by(UnitGrid.code).limit(limit))
    return [
        (Grid(row.code, shapely.from_wkb(row.outline), row.duty_grid, row.grade), row.since, row.until)
        for row in rows
    ]


def default_points(session: Session) -> list[tuple[float, float, str]]:
    """Return the default points: degrees, and what they stand for."""
    return [(row.lon, row.lat, row.says) for row in session.scalars(select(DefaultPoint))]


def default_points_version(session: Session) -> int:
    """Return a number that grows whenever default points are named; 0 where none ever were."""
    newest = ledger.events_of(session, "cases/default_points", limit=1)
    return newest[0].id if newest else 0


_NOW: Any = bindparam("now", type_=UnitGrid.since.type)
_BEGUN, _OVER = UnitGrid.since <= _NOW, UnitGrid.until <= _NOW
_VERSION = Prepared(
    select(
        select(func.count())
        .where(_BEGUN, or_(UnitGrid.until.is_(None), UnitGrid.until > _NOW))
        .scalar_subquery(),
        select(func.max(UnitGrid.since)).where(_BEGUN).scalar_subquery(),
        select(func.max(UnitGrid.until)).where(_OVER).scalar_subquery(),
        select(func.sum(DefaultPoint.cell % 1_000_003)).scalar_subquery(),
    )
)


def version(session: Session, at: datetime | None = None) -> tuple[Any, ...]:
    """Return what tells whether the ground is another than when it was loaded: by a change, or by its day."""
    return _VERSION.rows(session, now=at or now_utc())[0]


def _tell(session: Session, asker: Asker, part: str, content: list[Any]) -> None:
    told = {"count": len(content), "digest": sha256(encode_json(content)).hexdigest()}
    ledger.append(session, "case.ground_changed", actor=asker.id, subject=f"cases/{part}", data=told)
