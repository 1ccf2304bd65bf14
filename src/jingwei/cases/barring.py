"""Barring abusive senders: for a time, with a reason, by keyed digests of how they came.

By what a report came (contact, network address) is kept beside it for some days as keyed digests, which tell
nobody anything but whether two are the same. Somebody of the city who met abuse bars by these; who is barred
is told why, until when, and where to object. What was reported before stays open to its reporter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import bindparam, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from jingwei import ledger
from jingwei.cases.errors import BadFieldError, BarUnknownError, SenderBarredError, SenderUnknownError
from jingwei.cases.models import BarRow, SenderRow
from jingwei.cases.words import check_words
from jingwei.records import Prepared, now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement, Table
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.cases.citizens import Contact
    from jingwei.cases.settings import Settings

Kind = Literal["email", "sms", "address"]
KINDS: tuple[Kind, ...] = ("email", "sms", "address")
LONGEST_DAYS: Mapping[Kind, int] = {"email": 366, "sms": 366, "address": 7}
"""For how long a sender is barred at most; a network address may be a whole village's."""
KEPT = timedelta(days=30)
"""How long it is kept by what a report came."""
SUBJECT = "cases/bars"
MOST_WHY = 200


@dataclass(frozen=True, slots=True)
class Bar:
    """A sender that is barred: by what, why, by whom, until when."""

    id: int
    kind: Kind
    case: str
    why: str
    by: str
    made: datetime
    until: datetime
    lifted: datetime | None


def _noting(dialect: str) -> ClauseElement:
    table: Table = SenderRow.__table__  # type: ignore[assignment]
    new: Any = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    new = new.values({one.name: bindparam(one.name, type_=one.type) for one in table.c})
    made: ClauseElement = new.on_conflict_do_nothing()
    return made


_NOTE = Prepared(_noting)
_BARRED = Prepared(
    select(BarRow.why, BarRow.until)
    .where(
        or_(*(BarRow.mark == bindparam(kind, type_=BarRow.mark.type) for kind in KINDS)),
        BarRow.lifted.is_(None),
        BarRow.until > bindparam("now", type_=BarRow.until.type),
    )
    .order_by(BarRow.until.desc())
    .limit(1)
)
"""Empty marks are nobody's: all are digests."""


def marks_of(digest: Callable[[str], bytes], contact: Contact, address: str) -> dict[Kind, bytes]:
    """Return by what a report comes, as keyed digests; `digest` knows the city's key."""
    said = {
        "email": contact.email.strip().lower(),
        "sms": "".join(one for one in contact.sms if one.isdigit()),
        "address": address,
    }
    return {kind: digest(f"sender {kind}: {said[kind]}") for kind in KINDS if said[kind]}


def check(session: Session, settings: Settings, marks: Mapping[Kind, bytes]) -> None:
    """Raise if a sender is barred.

    Raises
    ------
    SenderBarredError
        Saying why, until when, and where to object.

    """
    by = {kind: marks.get(kind, b"") for kind in KINDS}
    found = _BARRED.row(session, now=now_utc(), **by)
    if found is not None:
        why, until = found
        raise SenderBarredError(why, until, Text(settings.appeal_zh, settings.appeal_en))


def note(session: Session, case: str, marks: Mapping[Kind, bytes]) -> None:
    """Keep by what a report came, once."""
    rows = [{"case": case, "kind": kind, "mark": mark, "at": now_utc()} for kind, mark in marks.items()]
    if rows:
        _NOTE.run_many(session, rows)


def kinds_of(session: Session, case: str) -> list[Kind]:
    """Return by what the sender of a case can be barred."""
    found = set(session.scalars(select(SenderRow.kind).where(SenderRow.case == case)))
    return [kind for kind in KINDS if kind in found]


def bar(session: Session, asker: Asker, case: str, kinds: Sequence[Kind], days: int, why: str) -> list[Bar]:
    """Bar who sent a case, by some of what it came by; return the bars.

    Parameters
    ----------
    session, asker
        On whose behalf.
    case
        Its number.
    kinds
        By what.
    days
        For how long; a network address for `LONGEST_DAYS` at most.
    why
        The reason, which the sender is told.

    Raises
    ------
    BadFieldError, SenderUnknownError
        Nothing has changed then.

    """
    why = check_words("words", why).strip()
    if not why or len(why) > MOST_WHY:
        raise BadFieldError(
            "why", Text(f"请写明理由，至多 {MOST_WHY} 字", f"give a reason of at most {MOST_WHY} characters.")
        )
    for kind in kinds:
        if not 1 <= days <= LONGEST_DAYS[kind]:
            most = LONGEST_DAYS[kind]
            raise BadFieldError("days", Text(f"至多 {most} 天", f"is 1 to {most}."))
    chosen = select(SenderRow).where(SenderRow.case == case, SenderRow.kind.in_(kinds))
    senders = list(session.scalars(chosen.order_by(SenderRow.kind)))
    if not senders:
        raise SenderUnknownError(case)
    now = now_utc()
    rows = [
        BarRow(
            kind=one.kind, mark=one.mark, case=case, why=why, by=asker.id, made=now,
            until=now + timedelta(days=days), lifted=None,
        )
        for one in senders
    ]  # fmt: skip
    session.add_all(rows)
    session.flush()
    told = {
        "case": case, "kinds": [row.kind for row in rows], "until": rows[0].until.isoformat(),
        "reason": hashlib.sha256(why.encode()).hexdigest(),
    }  # fmt: skip
    ledger.append(session, "case.sender_barred", actor=asker.id, subject=SUBJECT, data=told)
    return [_bar(row) for row in rows]


def lift(session: Session, asker: Asker, id_: int) -> None:
    """Let a sender in again.

    Raises
    ------
    BarUnknownError
        Where there is no such bar, or it is over.

    """
    row = session.get(BarRow, id_)
    if row is None or row.lifted is not None or row.until <= now_utc():
        raise BarUnknownError(id_)
    row.lifted = now_utc()
    told = {"case": row.case, "kinds": [row.kind]}
    ledger.append(session, "case.sender_unbarred", actor=asker.id, subject=SUBJECT, data=told)


def bars(session: Session, *, before: int | None = None, limit: int = 50) -> list[Bar]:
    """Return bars, the newest first."""
    question = select(BarRow).order_by(BarRow.id.desc()).limit(limit)
    if before is not None:
        question = question.where(BarRow.id < before)
    return [_bar(row) for row in session.scalars(question)]


def forget(session: Session, now: datetime) -> int:
    """Remove by what old reports came; return how many rows that were."""
    gone = session.execute(delete(SenderRow).where(SenderRow.at < now - KEPT))
    return int(gone.rowcount)  # type: ignore[attr-defined]  # of a delete


def _bar(row: BarRow) -> Bar:
    return Bar(row.id, row.kind, row.case, row.why, row.by, row.made, row.until, row.lifted)  # type: ignore[arg-type]
