"""Work in the field, by telephone: what is sent twice counts once, and the way that a person went.

A telephone makes a key for each thing that it is going to send. The network may fail after the server has
done it, so it is sent again with the same key, and nothing happens twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from jingwei.cases.errors import BadFieldError
from jingwei.cases.models import CaseSent, TrackPoint
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.cases.regime import Regime

SENT: Table = CaseSent.__table__  # type: ignore[assignment]
TRACK: Table = TrackPoint.__table__  # type: ignore[assignment]

KEY = re.compile(r"[0-9A-Za-z_-]{16,64}")
KEYS_LAST = timedelta(days=90)
LATEST, EARLIEST = timedelta(minutes=5), timedelta(days=3)
"""How far from now something may have been done: clocks differ, and the network may be away for long."""
OFFLINE = frozenset(
    {"report", "verify", "check", "submit", "finish_part", "ask_extension", "return_to_department"}
)
"""What is done on the spot, and may have been done before it is sent. Elsewhere the server's clock holds."""
MOST_POINTS = 10_000
"""Of a person's way in one answer."""


def done_at(action: str, at: datetime | None) -> datetime | None:
    """Return when something was done that is told to have been done at `at`; never later than now.

    The event holds this time, and the log beside it the time at which it came, so that the difference shows.

    Raises
    ------
    BadFieldError
        Where the step is not one of those done on the spot, or the time is too far from now.

    """
    if at is None:
        return None
    now = now_utc()
    if action not in OFFLINE:
        raise BadFieldError(
            "at",
            Text(
                "此步骤以服务器时间为准，不能另报时间",
                "this step happens when it is taken; it takes no time.",
            ),
        )
    if not now - EARLIEST <= at <= now + LATEST:
        raise BadFieldError(
            "at",
            Text(
                f"办理时间应在最近 {EARLIEST.days} 天之内且不晚于现在；请检查手机时钟",
                f"it was done within the last {EARLIEST.days} days, not after now; check the clock.",
            ),
        )
    return min(at, now)


def sent_before(session: Session, asker: Asker, key: str) -> str | None:
    """Return the case to which this key led before; note the key if it is new.

    Who sends the same key at the same moment waits for the first.

    Raises
    ------
    BadFieldError
        Where it is no key, or another person's.

    """
    if not KEY.fullmatch(key):
        raise BadFieldError(
            "key",
            Text("key 应为 16 至 64 个字母、数字、- 或 _", "a key has 16 to 64 letters, digits, - or _."),
        )
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    row = {"key": key, "by": asker.id, "at": now_utc(), "case": ""}
    new = dialect.insert(SENT).values(row).on_conflict_do_nothing().returning(SENT.c.key)
    if session.scalar(new) is not None:
        return None
    by, case = session.execute(select(SENT.c.by, SENT.c.case).where(SENT.c.key == key)).one()
    if by != asker.id:
        raise BadFieldError("key", Text("这个 key 属于他人", "the key is another person's."))
    return str(case)


def note_sent(session: Session, key: str, case: str) -> None:
    """Note to which case a key led."""
    session.execute(update(SENT).where(SENT.c.key == key).values(case=case))


# the way


@dataclass(frozen=True, slots=True)
class Fix:
    """Where somebody was: degrees (WGS84), metres of uncertainty."""

    at: datetime
    lon: float
    lat: float
    accuracy: float


def keep_track(session: Session, asker: Asker, regime: Regime, fixes: Sequence[Fix]) -> int:
    """Keep where an asker was, for as many days as the city has decided; return how many were new.

    A moment that is known already, one yet to come, and one that would be removed at once are left out.
    """
    now = now_utc()
    first = now - timedelta(days=regime.settings.track_days)
    rows = [
        {"person": asker.id, "at": one.at, "lon": one.lon, "lat": one.lat, "accuracy": one.accuracy}
        for one in fixes
        if first < one.at <= now + LATEST
    ]
    if not rows:
        return 0
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    new = dialect.insert(TRACK).values(rows).on_conflict_do_nothing().returning(TRACK.c.at)
    return len(session.scalars(new).all())


def track_of(session: Session, asker: Asker, since: datetime, until: datetime) -> list[Fix]:
    """Return where an asker was, in order."""
    question = (
        select(TRACK.c.at, TRACK.c.lon, TRACK.c.lat, TRACK.c.accuracy)
        .where(TRACK.c.person == asker.id, TRACK.c.at >= since, TRACK.c.at < until)
        .order_by(TRACK.c.at)
        .limit(MOST_POINTS)
    )
    return [Fix(*row) for row in session.execute(question)]


def forget_track(session: Session, asker: Asker) -> int:
    """Remove all of an asker's way; return how many places that were."""
    return int(session.execute(delete(TRACK).where(TRACK.c.person == asker.id)).rowcount)  # type: ignore[attr-defined]


def remove_old(session: Session, regime: Regime, now: datetime) -> int:
    """Remove ways and keys that are kept no longer; return how many rows that were."""
    ways = session.execute(delete(TRACK).where(TRACK.c.at < now - timedelta(days=regime.settings.track_days)))
    keys = session.execute(delete(SENT).where(SENT.c.at < now - KEYS_LAST))
    return int(ways.rowcount) + int(keys.rowcount)  # type: ignore[attr-defined]
