"""Failures to sign in, and the lock that follows: the same for names that exist and for those that do not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from jingwei.access.models import FailureRow

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

FREE_FAILURES = 5
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(hours=1)
FORGOTTEN_AFTER = timedelta(days=1)


def failures_of(session: Session, name: bytes, now: datetime) -> FailureRow:
    """Return the failures of a name, locked against others who try it at the same moment.

    Parameters
    ----------
    session
        A session that writes.
    name
        The keyed digest of the name to sign in with: names that nobody has may be mistyped passwords.
    now
        The present.

    """
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    table: Table = FailureRow.__table__  # type: ignore[assignment]
    fresh = {"name": name, "failures": 0, "last": now, "locked_until": None}
    session.execute(dialect.insert(table).values(fresh).on_conflict_do_nothing(index_elements=["name"]))
    row = session.get_one(FailureRow, name, with_for_update=True, populate_existing=True)
    if row.last + FORGOTTEN_AFTER < now:
        row.failures, row.locked_until = 0, None
    return row


def locked_for(row: FailureRow, now: datetime) -> int:
    """Return for how many seconds a name is locked still; 0 if it is not."""
    if row.locked_until is None or row.locked_until <= now:
        return 0
    return int((row.locked_until - now).total_seconds()) + 1


def count_failure(row: FailureRow, now: datetime) -> bool:
    """Count one more failure; say whether the name is locked now, each time for twice as long."""
    row.failures, row.last = row.failures + 1, now
    if row.failures < FREE_FAILURES:
        return False
    doubled = min(row.failures - FREE_FAILURES, 12)
    row.locked_until = now + min(FIRST_LOCK * 2**doubled, LONGEST_LOCK)
    return True


def forget_failures(session: Session, name: bytes) -> None:
    """Forget the failures of a name: after a success, or when an administrator unlocks it."""
    session.execute(delete(FailureRow).where(FailureRow.name == name))
