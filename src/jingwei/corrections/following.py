"""Checks of newer versions, as the log tells of them, are held against the open requests."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from jingwei.corrections.service import review
from jingwei.lake import contracting
from jingwei.ledger.followers import Follower

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.ledger import Entry
    from jingwei.records import Records

NAME = "corrections"


class Reviewer:
    """Follows the log for checks and publications, and closes what was corrected."""

    def __init__(self, records: Records) -> None:
        self.follower = Follower(records, NAME, self.handle, types=("dataset.published", "dataset.checked"))

    def handle(self, session: Session, entries: list[Entry]) -> None:
        """Hold what was checked against the open requests of its dataset, each dataset once."""
        for dataset in dict.fromkeys((entry.subject or "").removeprefix("dataset/") for entry in entries):
            newest = next(iter(contracting.latest(session, dataset, 1)), None)
            if newest is not None:
                review(session, newest)

    def running(self) -> AbstractContextManager[Follower]:
        """Follow in a thread of its own while the block lasts."""
        return self.follower.running()
