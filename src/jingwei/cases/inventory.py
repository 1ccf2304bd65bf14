"""The inventory of components: each a thing of the registry, known by 17 digits, in somebody's charge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import delete, func, insert, select

from jingwei import grid, ledger, registry
from jingwei.cases.duplicates import metres_between, ranges_around
from jingwei.cases.errors import BadFieldError, UnknownTypeError
from jingwei.cases.models import ComponentRow
from jingwei.cases.types import component_id_2026
from jingwei.ledger.models import encode_json

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.cases.regime import Regime
    from jingwei.records import Records

OWNER = "components"
"""The name under which the registry knows where these identifiers come from."""
KIND = "component"
LEVEL = 32
BATCH = 2_000
MOST_NEAR = 2_000
"""Components around a point that are looked at: more than stand within some tens of metres."""


@dataclass(frozen=True, slots=True)
class Component:
    """A component: its 17 digits, its identifier in the registry, and who is in charge of it."""

    code: str
    object: str
    department: str
    area: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of an inventory: how many, how many codes of 2013 were mapped, the faults by row."""

    count: int
    mapped: int
    faults: list[dict[str, Any]]


def put_components(
    session: Session, asker: Asker, regime: Regime, rows: Sequence[Mapping[str, Any]]
) -> Taken:
    """Take in an inventory; rows with faults are told and left out.

    Parameters
    ----------
    session, asker, regime
        On whose behalf, and the types in force.
    rows
        Each with `code` (17 digits, or the 16 of 2013) and, as known, `name`, `department` (in charge of it),
        `area` (grid), `lon` and `lat` (degrees).

    """
    taken, good = _checked(regime, rows)
    _write(session, asker, good)
    _tell(session, asker, list(good))
    return taken


def put_in_parts(
    records: Records,
    asker: Asker,
    regime: Regime,
    rows: Sequence[Mapping[str, Any]],
    *,
    heed: Callable[[int], bool],
) -> Taken:
    """Take in an inventory in transactions of `BATCH` components, so that others write in between.

    Parameters
    ----------
    records, asker, regime, rows
        As with `put_components`.
    heed
        Told how many are taken in, before the first and after each part; says whether to go on.

    """
    taken, good = _checked(regime, rows)
    codes, done = list(good), 0
    while heed(done) and done < len(codes):
        part = codes[done : done + BATCH]
        with records.write() as session:
            _write(session, asker, {code: good[code] for code in part})
            _tell(session, asker, part)
        done += len(part)
    return Taken(done, taken.mapped, taken.faults)


def _checked(regime: Regime, rows: Sequence[Mapping[str, Any]]) -> tuple[Taken, dict[str, Mapping[str, Any]]]:
    """Return what comes of an inventory, and its rows without faults by their 17 digits."""
    good: dict[str, Mapping[str, Any]] = {}
    faults: list[dict[str, Any]] = []
    mapped = 0
    for number, row in enumerate(rows, start=1):
        try:
            code = component_id_2026(str(row["code"]).strip(), regime.catalogue, row.get("name"))
        except (BadFieldError, UnknownTypeError) as error:
            faults.append({"row": number, "code": str(row["code"])[:40], **error.what.as_json()})
            continue
        if code in good:
            faults.append({"row": number, "code": code, "zh": "标识码重复", "en": "the code is used twice"})
            continue
        mapped += len(str(row["code"]).strip()) != len(code)
        good[code] = row
    return Taken(len(good), mapped, faults), good


def _tell(session: Session, asker: Asker, codes: list[str]) -> None:
    told = {"count": len(codes), "digest": sha256(encode_json(sorted(codes))).hexdigest()}
    ledger.append(session, "case.ground_changed", actor=asker.id, subject="cases/components", data=told)


def _write(session: Session, asker: Asker, good: Mapping[str, Mapping[str, Any]]) -> None:
    codes = list(good)
    for start in range(0, len(codes), BATCH):
        chunk = codes[start : start + BATCH]
        cells = [_cell(good[code]) for code in chunk]
        table = pa.table(
            {
                "key": chunk,
                "title": [str(good[code].get("name") or "") for code in chunk],
                "cell": pa.array(cells, pa.int64()),
                "level": pa.array([None if cell is None else LEVEL for cell in cells], pa.int32()),
            }
        )
        objects = registry.issue_table(session, asker, table, owner=OWNER, kind=KIND).to_pylist()
        session.execute(delete(ComponentRow).where(ComponentRow.code.in_(chunk)))
        session.execute(
            insert(ComponentRow),
            [
                {"code": code, "object": thing, "department": str(good[code].get("department") or ""),
                 "area": str(good[code].get("area") or "")}
                for code, thing in zip(chunk, objects, strict=True)
            ],
        )  # fmt: skip


def _cell(row: Mapping[str, Any]) -> int | None:
    if row.get("lon") is None or row.get("lat") is None:
        return None
    return grid.to_stored(grid.encode(float(row["lon"]), float(row["lat"]), LEVEL))


def components(
    session: Session,
    *,
    area: str = "",
    type_: str = "",
    department: str = "",
    after: str = "",
    limit: int = 100,
) -> list[Component]:
    """Return components by their digits: those after some, in an area, of a type, in somebody's charge."""
    question = select(ComponentRow).where(ComponentRow.code > after).order_by(ComponentRow.code).limit(limit)
    if area:
        question = question.where(ComponentRow.area.startswith(area, autoescape=True))
    if type_:
        question = question.where(func.substr(ComponentRow.code, 7, len(type_)) == type_)
    if department:
        question = question.where(ComponentRow.department == department)
    return [Component(row.code, row.object, row.department, row.area) for row in session.scalars(question)]


def component(session: Session, code: str) -> Component | None:
    """Return a component by its 17 digits."""
    row = session.scalar(select(ComponentRow).where(ComponentRow.code == code))
    return Component(row.code, row.object, row.department, row.area) if row is not None else None


@dataclass(frozen=True, slots=True)
class Nearby:
    """A component near a point, and how far from it (metres)."""

    code: str
    name: str
    department: str
    lon: float
    lat: float
    metres: float


def components_near(
    session: Session, lon: float, lat: float, *, metres: float, limit: int, type_: str = ""
) -> list[Nearby]:
    """Return the components within `metres` of a point (degrees), the nearest first; of one type if given."""
    found = registry.standing_in(session, OWNER, ranges_around(lon, lat, metres), limit=MOST_NEAR)
    near = []
    for thing, place in found:
        if place.cell is None or place.level is None or (type_ and thing.key[6:11] != type_):
            continue
        where = grid.centre(grid.from_stored(place.cell), place.level)
        apart = metres_between((lon, lat), where)
        if apart <= metres:
            near.append((apart, thing, where))
    near.sort(key=lambda one: (one[0], one[1].key))
    near = near[:limit]
    codes = [thing.key for _, thing, _ in near]
    question = select(ComponentRow.code, ComponentRow.department).where(ComponentRow.code.in_(codes))
    departments = dict(iter(session.execute(question)))
    return [
        Nearby(thing.key, thing.title, departments.get(thing.key, ""), float(x), float(y), round(apart, 1))
        for apart, thing, (x, y) in near
    ]
