"""Removing the rows of versions whose time is over; that there was such a version stays to be seen.

A version answers for as long after a newer one was published as the dataset's contract says. Then its files
go, and what is known of its rows; its number, its times, its counts and its sources stay.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei import ledger
from jingwei.lake import contracting
from jingwei.lake.models import ContractRow, DatasetRow, VersionRow
from jingwei.lake.store import TABLES
from jingwei.records import now_utc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.orm import Session

    from jingwei.lake.service import Lake


def drop_old(lake: Lake, *, actor: str, now: datetime | None = None) -> list[tuple[str, int]]:
    """Remove the rows of all versions that are past their dataset's retention; return which those were.

    What a crash left undone is done by the next call.

    Raises
    ------
    BusyError
        If another program writes into the city, or copies it.

    """
    now = now or now_utc()
    with lake.store.writing(brief=True), lake.store.removing():
        with lake.records.write() as session:
            dropped = [*_drop(session, now, actor)]
            gone = session.execute(
                select(VersionRow.dataset, VersionRow.intent).where(VersionRow.dropped.is_not(None))
            ).all()
        for dataset in sorted({dataset for dataset, _ in gone}):
            lake.store.sweep(dataset, {intent for of, intent in gone if of == dataset})
    return dropped


def _drop(session: Session, now: datetime, actor: str) -> Iterator[tuple[str, int]]:
    for dataset in session.scalars(select(ContractRow.dataset).distinct().order_by(ContractRow.dataset)):
        agreed = contracting.in_force(session, dataset)
        row = session.get(DatasetRow, dataset)
        days = agreed.contract.retention_days if agreed else None
        if row is None or days is None:
            continue
        before = now - timedelta(days=days)
        versions = session.scalars(
            select(VersionRow).where(VersionRow.dataset == dataset).order_by(VersionRow.number)
        ).all()
        for version, newer in pairwise(versions):
            if version.dropped is None and version.number != row.current and newer.published < before:
                rows = int(version.content["counts"]["published"])
                version.dropped, version.content = now, _emptied(version.content)
                row.changed = now_utc()  # what is kept of how its versions are shown is asked anew
                told = {"version": version.number, "rows": rows, "retention_days": days}
                subject = f"dataset/{dataset}"
                ledger.append(session, "dataset.version_dropped", actor=actor, subject=subject, data=told)
                yield dataset, version.number


def _emptied(content: dict[str, Any]) -> dict[str, Any]:
    """Return a version's content without its files and without what is known of single values."""
    nothing: dict[str, Any] = {name: [] for name in ("columns", "findings", "evidence", *TABLES)}
    return {**content, **nothing}
