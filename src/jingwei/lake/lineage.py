"""Lineage: what a version of a dataset was read from, and forward, what was made of it.

Versions and the log tell it. What other parts know of the use of a version they tell by `USED_BY`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select

from jingwei import ledger
from jingwei.errors import NotFoundError
from jingwei.lake import contracting
from jingwei.lake.models import VersionRow
from jingwei.ledger.models import Event
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from datetime import datetime

    from jingwei.access import Asker
    from jingwei.lake.schemas import Read, Version
    from jingwei.lake.service import Lake

Kind = Literal[
    "compacted",
    "same-file",
    "read",
    "compared",
    "checked",
    "correction",
    "matched",
    "cases",
    "rule",
    "open-data",
    "exported",
]
INSPECTED: dict[str, Kind] = {
    "dataset.checked": "checked",
    "correction.requested": "correction",
    "matching.run": "matched",
    "case.pack_taken": "cases",
    "dataset.exported": "exported",
    "keeping.exported": "exported",
}
"""Types of events that tell of work on a version, for those who may inspect the dataset."""


@dataclass(frozen=True, slots=True)
class Use:
    """Something that was made of a version.

    Attributes
    ----------
    kind
        `compacted`: the same rows, put together as a later version. `same-file`: a version of another dataset
        from a file of the same content. `read`: a version, mostly of another dataset, made by reading it.
        `compared`: a check of a version of another dataset by a rule that read it. `checked`: a check by the
        contract. `correction`: a request to its department. `matched`: links of its records to those of other
        datasets. `cases`: what cases were founded on. `rule`: a rule over readings that goes by it.
        `open-data`: anybody may have it. `exported`: it was written to a file.
    at
        When; of exports, when last.
    subject
        What came of it, as the log names it: `dataset/roads`, `correction/3`, `matching/people`.
    version
        Where that is a dataset: which version.
    event
        The event that tells of it, if one does.
    how
        What it was read for (see `jingwei.lake.schemas.Read`), or the form of the file.
    times
        How often, of exports.
    """

    kind: Kind
    at: datetime
    subject: str
    version: int | None
    event: str | None
    how: tuple[str, ...] = ()
    times: int = 1


USED_BY: list[Callable[[Lake, Asker, Version], Iterable[Use]]] = []
"""What other parts know of the use of a version, as far as an asker, who may see it, may know of that too."""


def uses(lake: Lake, asker: Asker, dataset: str, number: int) -> list[Use]:
    """Return what was made of a version, oldest first, as far as the asker may know of it.

    Raises
    ------
    UnknownDatasetError, NotFoundError
        If there is no such dataset that the asker may see, or no such version.

    """
    view = lake.view(asker, dataset, number)
    version = view.version
    if version is None:
        raise NotFoundError(
            Text(f"没有第 {number} 版", f"There is no version {number}"),
            where={"dataset": dataset, "version": number},
        )
    found = [*_put_together(lake, asker, version), *_published(lake, asker, version)]
    found += _compared(lake, asker, version)
    if "inspect" in view.rights:
        found += _exports_together(_worked_on(lake, version))
    for used_by in USED_BY:
        found += used_by(lake, asker, version)
    return sorted(found, key=lambda use: use.at)


def listed(lake: Lake, asker: Asker) -> dict[str, Text]:
    """Return the identifiers of the datasets that the asker may list, with their titles."""
    return {one.id: one.title for one in lake.datasets(asker)}


def reads(version: Version, known: Collection[str]) -> list[Read] | None:
    """Return what was read to make a version, of the datasets in `known`; `None`: not recorded."""
    told = version.content.reads
    return None if told is None else [one for one in told if one.dataset in known]


def _put_together(lake: Lake, asker: Asker, version: Version) -> Iterator[Use]:
    for later in lake.versions(asker, version.dataset):
        if later.content.compacted == version.number:
            yield Use("compacted", later.published, f"dataset/{later.dataset}", later.number, None)


def _published(lake: Lake, asker: Asker, version: Version) -> Iterator[Use]:
    """Yield versions that were made by reading this one, and those of other datasets from the same file."""
    digests = {file.digest for file in version.content.sources}
    own = f"dataset/{version.dataset}"
    subjects = {f"dataset/{name}" for name in listed(lake, asker)} | {own}
    for _, subject, at, event, data in _events(lake, ["dataset.published"]):
        if subject not in subjects:
            continue
        how = _how(version, data)
        if how:
            yield Use("read", at, subject, data["version"], event, how)
        elif subject != own and digests & {file.get("digest") for file in data.get("sources", [])}:
            yield Use("same-file", at, subject, data["version"], event)


def _how(version: Version, data: dict[str, Any]) -> tuple[str, ...]:
    """Return what for, by the data of an event, a version was read; nothing where it was not."""
    read = (version.dataset, version.number)
    mine = [one["how"] for one in data.get("reads", []) if (one["dataset"], one["version"]) == read]
    return tuple(dict.fromkeys(mine))


def _compared(lake: Lake, asker: Asker, version: Version) -> Iterator[Use]:
    """Yield checks of other datasets by rules that read this version, unless a version says so itself."""
    inspected = {
        f"dataset/{one.id}" for one in lake.datasets(asker) if one.view and "inspect" in one.view.rights
    }
    found = [
        one
        for one in _events(lake, ["dataset.checked"])
        if one[1] in inspected and _how(version, one[4]) and one[1] != f"dataset/{version.dataset}"
    ]
    if not found:
        return
    intents = {data["intent"] for *_, data in found}
    with lake.records.read() as session:
        asked = select(VersionRow).where(VersionRow.intent.in_(intents))
        made = {row.intent: row for row in session.scalars(asked)}
    told = {"dataset": version.dataset, "version": version.number, "how": "rule"}
    for _, subject, at, event, data in found:
        row = made.get(data["intent"])
        if row is None or told not in (row.content.get("reads") or []):
            number = None if row is None else row.number
            yield Use("compared", at, subject, number, event, _how(version, data))


def _worked_on(lake: Lake, version: Version) -> Iterator[Use]:
    intent = contracting.intent_of(lake, version.dataset, version.number)
    own = f"dataset/{version.dataset}"
    for type_, subject, at, event, data in _events(lake, list(INSPECTED)):
        if type_ == "dataset.checked":
            mine = subject == own and data.get("intent") == intent
        elif type_ == "correction.requested":
            mine = data.get("dataset") == version.dataset and data.get("check") == intent
        elif type_ == "dataset.exported":
            mine = subject == own and data.get("version") == version.number
        else:
            mine = data.get("versions", {}).get(version.dataset) == version.number
        if mine:
            known = version.number if subject == own else None
            how = (data["form"],) if type_ == "dataset.exported" else ()
            yield Use(INSPECTED[type_], at, subject, known, event, how)


def _exports_together(found: Iterable[Use]) -> list[Use]:
    """Return exports of one form to one place once, the last of them; all else as it is."""
    told: list[Use] = []
    last: dict[tuple[str, tuple[str, ...]], Use] = {}
    for use in found:
        if use.kind != "exported":
            told.append(use)
            continue
        before = last.get((use.subject, use.how))
        newest = use if before is None or use.at >= before.at else before
        times = 1 if before is None else before.times + 1
        last[use.subject, use.how] = replace(newest, times=times)
    return [*told, *last.values()]


def _events(lake: Lake, types: list[str]) -> list[tuple[str, str, datetime, str, dict[str, Any]]]:
    asked = ledger.of_types(types, Event.type, Event.subject, Event.time, Event.id, Event.data)
    with lake.records.read() as session:
        rows = session.execute(asked).all()
    return [(type_, subject or "", at, str(id_), data or {}) for type_, subject, at, id_, data in rows]
