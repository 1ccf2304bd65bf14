"""Counts of what is asked, in the record store: several processes of one city share them."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from limits.storage import Storage
from limits.storage.base import SlidingWindowCounterSupport, TimestampedSlidingWindow
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from jingwei.access.models import RateRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from jingwei.records import Records


class SharedCounts(TimestampedSlidingWindow, SlidingWindowCounterSupport, Storage):
    """A storage of `limits` in the record store. A count costs a durable write: not for what is asked often.

    Parameters
    ----------
    records
        The record store.
    digest
        A keyed digest: keys name people and addresses, which are not kept as they are.
    clock
        Seconds since 1970.

    """

    STORAGE_SCHEME = None

    def __init__(
        self, records: Records, digest: Callable[[str], bytes], clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__()
        self._records = records
        self._digest = digest
        self._clock = clock

    @property
    def base_exceptions(self) -> type[Exception]:
        """What may go wrong here."""
        return SQLAlchemyError

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` more, unless that makes more than `limit` within the last `expiry` seconds."""
        now = self._clock()
        before, current = self.sliding_window_keys(key, expiry, now)
        with self._records.write() as session:
            counted = self._add(session, current, amount, 2 * expiry, now)
            weight = 1 - now % expiry / expiry
            if math.floor(self._of(session, before) * weight) + counted <= limit:
                return True
            self._add(session, current, -amount, 2 * expiry, now)
            return False

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Return the counts of the window before and of this one, each with the seconds it still counts."""
        now = self._clock()
        before, current = self.sliding_window_keys(key, expiry, now)
        left = expiry - now % expiry
        with self._records.read() as session:
            return self._of(session, before), left, self._of(session, current), left + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget the counts of a key."""
        for one in self.sliding_window_keys(key, expiry, self._clock()):
            self.clear(one)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count `amount` more, to be forgotten after `expiry` seconds; return how many there are now."""
        with self._records.write() as session:
            return self._add(session, key, amount, expiry, self._clock())

    def get(self, key: str) -> int:
        """Return a count."""
        with self._records.read() as session:
            return self._of(session, key)

    def get_expiry(self, key: str) -> float:
        """Return when a count is forgotten, in seconds since 1970."""
        with self._records.read() as session:
            found = session.get(RateRow, self._digest(key))
        return found.expires.timestamp() if found else self._clock()

    def check(self) -> bool:
        """Say whether counting works; where the record store does not, nothing does."""
        return True

    def reset(self) -> int:
        """Forget all counts; return how many there were."""
        with self._records.write() as session:
            return len(session.scalars(delete(RateRow).returning(RateRow.key)).all())

    def clear(self, key: str) -> None:
        """Forget a count."""
        with self._records.write() as session:
            session.execute(delete(RateRow).where(RateRow.key == self._digest(key)))

    def _of(self, session: Session, key: str) -> int:
        return session.scalar(select(RateRow.count).where(RateRow.key == self._digest(key))) or 0

    def _add(self, session: Session, key: str, amount: int, expiry: int, now: float) -> int:
        """Count in one statement, so that who counts the same at the same moment waits for it."""
        changed = (
            update(RateRow)
            .where(RateRow.key == self._digest(key))
            .values(count=RateRow.count + amount)
            .returning(RateRow.count)
        )
        found = session.scalar(changed)
        if found is not None:
            return found
        present = datetime.fromtimestamp(now, UTC)
        session.execute(delete(RateRow).where(RateRow.expires < present))
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        table: Table = RateRow.__table__  # type: ignore[assignment]
        fresh = {"key": self._digest(key), "count": 0, "expires": present + timedelta(seconds=expiry)}
        session.execute(dialect.insert(table).values(fresh).on_conflict_do_nothing(index_elements=["key"]))
        return session.scalars(changed).one()
