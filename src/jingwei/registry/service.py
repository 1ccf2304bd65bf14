"""Issuing identifiers and keeping them true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from jingwei import ledger
from jingwei.errors import BadRequestError, ConflictError, NotFoundError
from jingwei.records import now_utc
from jingwei.registry.identifiers import new_identifiers
from jingwei.registry.models import FormerPlace, ObjectRow, Successor
from jingwei.registry.schemas import NewObject, Object, Place, Resolution
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from jingwei.access import Asker

CHUNK = 5_000
"""Rows of a table that are written and read back at a time."""

_COLUMNS = tuple(getattr(ObjectRow, name) for name in Object.__slots__)


class UnknownObjectError(NotFoundError):
    """No object has that identifier."""

    code = "object-unknown"

    def __init__(self, identifier: str) -> None:
        super().__init__(
            Text(f"没有标识为 {identifier} 的对象", f"no object has the identifier {identifier}.")
        )


class NotActiveError(ConflictError):
    """The object was split, merged or retired before."""

    code = "object-not-active"

    def __init__(self, row: ObjectRow) -> None:
        super().__init__(
            Text(
                f"对象 {row.id} 已失效（{row.state}）",
                f"the object {row.id} is no longer active ({row.state}).",
            ),
            mend=Text("请改用它的后继对象", "Use what took its place."),
            where={"object": row.id},
        )


class BadTableError(BadRequestError):
    """A table of objects lacks what is needed."""

    code = "registry-table-invalid"


DATASET = "dataset/"
"""Begins the owner of objects that a dataset names by keys of its own."""


def dataset_of(thing: Object) -> str | None:
    """Return the dataset whose key an object bears, if it is one's."""
    return thing.owner.removeprefix(DATASET) if thing.owner.startswith(DATASET) else None


def issue(session: Session, asker: Asker, new: NewObject) -> Object:
    """Return the object of that owner and key, giving it an identifier if it has none yet."""
    found = find(session, new.owner, new.key)
    if found is not None:
        return found
    (identifier,) = new_identifiers(1)
    _insert(session, [_values(identifier, new)])
    found = find(session, new.owner, new.key)
    if found is None:
        msg = "an object vanished between its registration and its reading"
        raise RuntimeError(msg)
    if found.id == identifier:  # or else another was quicker
        told = {"kind": new.kind}
        ledger.append(session, "object.issued", actor=asker.id, subject=f"object/{identifier}", data=told)
    return found


def issue_table(
    session: Session, asker: Asker, table: pa.Table, *, owner: str, kind: str, load: str | None = None
) -> pa.Array:
    """Return an identifier for each row of a table, issuing those that are missing.

    Parameters
    ----------
    session
        A session that writes; all is issued or nothing.
    asker
        On whose behalf.
    table
        A column `key` (text, not null) and, as known, `title`, `cell` (signed int64), `level`,
        `valid_from` and `valid_to` (timestamps in UTC). Rows with the same key get the same identifier.
    owner, kind
        Of all rows.
    load
        The load of a dataset whose rows they are, if so: its version leads to the identifiers.

    Raises
    ------
    BadTableError
        Where the column `key` is missing or has nulls.

    """
    if "key" not in table.column_names or table["key"].null_count:
        raise BadTableError(
            Text("需要没有空值的 key 列", "the table needs a column “key” without nulls."),
            where={"column": "key"},
        )
    identifiers: list[str] = []
    count = 0
    for batch in table.to_batches(max_chunksize=CHUNK):
        rows = batch.to_pylist()
        fresh = new_identifiers(len(rows))
        news = [NewObject(owner=owner, kind=kind, **_known(row)) for row in rows]
        _insert(session, [_values(identifier, new) for identifier, new in zip(fresh, news, strict=True)])
        by_key = _identifiers(session, owner, [new.key for new in news])
        count += len(set(fresh) & set(by_key.values()))
        identifiers += [by_key[new.key] for new in news]
    if count:
        told = {"kind": kind, "count": count} | ({} if load is None else {"load": load})
        ledger.append(
            session, "object.issued_in_bulk", actor=asker.id, subject=f"registry/{owner}", data=told
        )
    return pa.array(identifiers, pa.string())


def _known(row: dict[str, Any]) -> dict[str, Any]:
    names = ("title", "cell", "level", "valid_from", "valid_to")
    known = {name: row[name] for name in names if row.get(name) is not None}
    return {"key": str(row["key"]), **known}


def _values(identifier: str, new: NewObject) -> dict[str, Any]:
    now = now_utc()
    return {
        "id": identifier,
        "kind": new.kind,
        "owner": new.owner,
        "key": new.key,
        "title": new.title,
        "state": "active",
        "created": now,
        "valid_from": new.valid_from,
        "valid_to": new.valid_to,
        "cell": new.cell,
        "level": new.level,
        "placed": new.valid_from or now if new.cell is not None else None,
    }


def _insert(session: Session, rows: list[dict[str, Any]]) -> None:
    """Register what is not registered yet."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    table: Table = ObjectRow.__table__  # type: ignore[assignment]
    statement = dialect.insert(table).on_conflict_do_nothing(index_elements=["owner", "key"])
    session.connection().execute(statement, rows)


def _identifiers(session: Session, owner: str, keys: Sequence[str]) -> dict[str, str]:
    question = select(ObjectRow.key, ObjectRow.id).where(ObjectRow.owner == owner, ObjectRow.key.in_(keys))
    return dict(iter(session.execute(question)))


def find(session: Session, owner: str, key: str) -> Object | None:
    """Return the object that `owner` knows as `key`, whatever became of it; `None` if there is none."""
    row = session.execute(
        select(*_COLUMNS).where(ObjectRow.owner == owner, ObjectRow.key == key)
    ).one_or_none()
    return Object(*row) if row else None


def get(session: Session, identifier: str) -> Object:
    """Return the object of that identifier, whatever became of it.

    Raises
    ------
    UnknownObjectError
        Where no object has it.

    """
    row = session.execute(select(*_COLUMNS).where(ObjectRow.id == identifier)).one_or_none()
    if row is None:
        raise UnknownObjectError(identifier)
    return Object(*row)


def resolve(session: Session, identifier: str) -> Resolution:
    """Return what an identifier stands for today, through all splits and mergers since.

    Raises
    ------
    UnknownObjectError
        Where no object ever had it.

    """
    asked = get(session, identifier)
    current: dict[str, Object] = {}
    waiting, seen = [asked], {asked.id}
    while waiting:
        current |= {one.id: one for one in waiting if one.state == "active"}
        gone = [one.id for one in waiting if one.state != "active"]
        waiting = [one for one in _successors(session, gone) if one.id not in seen] if gone else []
        seen |= {one.id for one in waiting}
    return Resolution(asked, sorted(current.values(), key=lambda one: one.id))


def _successors(session: Session, identifiers: Sequence[str]) -> Iterator[Object]:
    question = select(*_COLUMNS).join(Successor, Successor.successor == ObjectRow.id).distinct()
    for row in session.execute(question.where(Successor.object.in_(identifiers))):
        yield Object(*row)


def rename(session: Session, asker: Asker, identifier: str, title: str) -> None:
    """Give an object another title; its identifier stays."""
    row = _active(session, identifier)
    if row.title == title:
        return
    told = {"before": row.title, "after": title}
    ledger.append(session, "object.renamed", actor=asker.id, subject=f"object/{row.id}", data=told)
    row.title = title


def move(
    session: Session, asker: Asker, identifier: str, *, cell: int | None, level: int | None, since: datetime
) -> None:
    """Record that an object is at another place since a given moment."""
    row = _active(session, identifier)
    if row.placed is not None and since <= row.placed:
        raise ConflictError(
            Text("新位置的起始时间须晚于现位置", "the new place must begin after the present one."),
            where={"object": row.id},
        )
    session.add(FormerPlace(object=row.id, until=since, since=row.placed, cell=row.cell, level=row.level))
    row.cell, row.level, row.placed = cell, level, since
    told = {"cell": None if cell is None else str(cell), "level": level, "since": since.isoformat()}
    ledger.append(session, "object.moved", actor=asker.id, subject=f"object/{row.id}", data=told)


def place_at(session: Session, identifier: str, time: datetime) -> Place:
    """Return where an object was at `time`; a place without cell if that is not known."""
    row = session.get(ObjectRow, identifier)
    if row is None:
        raise UnknownObjectError(identifier)
    if row.placed is not None and row.placed <= time:
        return Place(row.cell, row.level, row.placed)
    former = session.scalar(
        select(FormerPlace)
        .where(FormerPlace.object == identifier, FormerPlace.until > time)
        .order_by(FormerPlace.until)
        .limit(1)
    )
    if former is None or (former.since is not None and former.since > time):
        return Place(None, None, None)
    return Place(former.cell, former.level, former.since)


def split(
    session: Session, asker: Asker, identifier: str, into: Sequence[NewObject], *, reason: str
) -> list[Object]:
    """Replace an object by several new ones; return them."""
    if len(into) < 2:
        raise BadRequestError(Text("拆分须得到至少两个对象", "a split gives at least two objects."))
    row = _active(session, identifier)
    parts = [issue(session, asker, new) for new in into]
    for part in parts:
        if _active(session, part.id) is row:
            raise BadRequestError(Text("对象不能拆分为自身", "an object cannot be a part of itself."))
    told = {"into": [part.id for part in parts], "reason": reason}
    _end(session, row, "split", [part.id for part in parts])
    ledger.append(session, "object.split", actor=asker.id, subject=f"object/{row.id}", data=told)
    return parts


def merge(session: Session, asker: Asker, identifiers: Sequence[str], into: str, *, reason: str) -> None:
    """Let objects become part of an active one, `into`, which may be new."""
    target = _active(session, into)
    for identifier in identifiers:
        if identifier == target.id:
            continue
        row = _active(session, identifier)
        _end(session, row, "merged", [target.id])
        told = {"into": target.id, "reason": reason}
        ledger.append(session, "object.merged", actor=asker.id, subject=f"object/{row.id}", data=told)


def retire(
    session: Session, asker: Asker, identifier: str, *, reason: str, successors: Sequence[str] = ()
) -> None:
    """End an object, naming what takes its place, if anything does."""
    row = _active(session, identifier)
    for successor in successors:
        _active(session, successor)
    if row.id in successors:
        raise BadRequestError(Text("对象不能由自己接替", "an object cannot succeed itself."))
    _end(session, row, "retired", successors)
    told = {"successors": list(successors), "reason": reason}
    ledger.append(session, "object.retired", actor=asker.id, subject=f"object/{row.id}", data=told)


def _active(session: Session, identifier: str) -> ObjectRow:
    row = session.get(ObjectRow, identifier, with_for_update=True)
    if row is None:
        raise UnknownObjectError(identifier)
    if row.state != "active":
        raise NotActiveError(row)
    return row


def _end(session: Session, row: ObjectRow, state: str, successors: Sequence[str]) -> None:
    row.state = state
    row.valid_to = row.valid_to or now_utc()
    session.flush()
    if successors:
        pairs = [{"object": row.id, "successor": successor} for successor in dict.fromkeys(successors)]
        session.execute(insert(Successor), pairs)


def history(session: Session, identifier: str, *, limit: int = 100) -> list[dict[str, Any]]:
    """Return what happened to an object, newest first, as `type`, `time`, `actor` and `data`."""
    events = ledger.events_of(session, f"object/{identifier}", limit=limit)
    told = [{"type": e.type, "time": e.time, "actor": e.actor, "data": e.data, "event": e.id} for e in events]
    if not any(event["type"] == "object.issued" for event in told) and len(told) < limit:
        # One of a bulk: the log has one entry for all of them.
        one = get(session, identifier)
        told.append(
            {
                "type": "object.issued",
                "time": one.created,
                "actor": None,
                "data": {"kind": one.kind},
                "event": None,
            }
        )
    return told


def standing_in(
    session: Session, owner: str, ranges: Sequence[tuple[int, int]], *, limit: int
) -> list[tuple[Object, Place]]:
    """Return the active objects of an owner in ranges of signed grid codes, both ends included."""
    question = (
        select(*_COLUMNS, ObjectRow.cell, ObjectRow.level, ObjectRow.placed)
        .where(
            ObjectRow.owner == owner,
            or_(*(ObjectRow.cell.between(*edges) for edges in ranges)),
            ObjectRow.state == "active",
        )
        .limit(limit)
    )
    return [(Object(*row[:-3]), Place(*row[-3:])) for row in session.execute(question)]
