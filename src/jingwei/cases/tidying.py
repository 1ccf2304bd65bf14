"""What is removed in time: uploads that no step named, ways, keys of telephones, numbers of callers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from jingwei.cases import barring, field, regime
from jingwei.cases.hotline import calls
from jingwei.ledger.threads import in_rounds
from jingwei.records import now_utc

if TYPE_CHECKING:
    from datetime import datetime

    from jingwei.cases.photos import Photos
    from jingwei.records import Records

PAUSE = 3600
"""Seconds between two rounds."""


def tidy(records: Records, photos: Photos, now: datetime | None = None) -> int:
    """Remove what is kept no longer; return how many things that were."""
    now = now or now_utc()
    removed = photos.remove_unused(records, now)
    with records.write() as session:
        removed += barring.forget(session, now)
        in_force = regime.load(session)
        removed += field.remove_old(session, in_force, now)
        return removed + calls.forget_numbers(session, in_force, now)


@contextlib.contextmanager
def tidying(records: Records, photos: Photos) -> Iterator[None]:
    """Tidy now and then, in a thread of its own, while the block lasts."""

    def work() -> None:
        tidy(records, photos)

    with in_rounds("removing what is kept no longer", work, PAUSE):
        yield
