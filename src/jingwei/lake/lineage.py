"""Lineage forward: what was made of a version of a dataset, as its versions and the log tell it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from jingwei import ledger
from jingwei.errors import NotFoundError
from jingwei.lake import contracting
from jingwei.ledger.models import Event
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from jingwei.access import Asker
    from jingwei.lake.schemas import Version
    from jingwei.lake.service import Lake

Kind = Literal["compacted", "same-file", "checked", "correction", "matched"]
INSPECTED = {"dataset.checked": "checked", "correction.requested": "correction", "matching.run": "matched"}
"""Types of events that tell of work on a version, for those who may inspect the dataset."""


@dataclass(frozen=True, slots=True)
class Use:
    """Something that was made of a version.

    Attributes
    ----------
    kind
        `compacted`: the same rows, put together as a later version. `same-file`: a version of another dataset
        from a file of the same content. `checked`: a check by the contract. `correction`: a request to its
        department. `matched`: links of its records to those of other datasets.
    at
        When.
    subject
        What came of it, as the log names it: `dataset/roads`, `correction/3`, `matching/people`.
    version
        Where that is a dataset: which version.
    event
        The event that tells of it, if one does.
    """

    kind: Kind
    at: datetime
    subject: str
    version: int | None
    event: str | None


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
    found = [*_put_together(lake, asker, version), *_of_the_same_file(lake, asker, version)]
    if "inspect" in view.rights:
        found += _worked_on(lake, version)
    return sorted(found, key=lambda use: use.at)


def _put_together(lake: Lake, asker: Asker, version: Version) -> Iterator[Use]:
    for later in lake.versions(asker, version.dataset):
        if later.content.compacted == version.number:
            yield Use("compacted", later.published, f"dataset/{later.dataset}", later.number, None)


def _of_the_same_file(lake: Lake, asker: Asker, version: Version) -> Iterator[Use]:
    digests = {file.digest for file in version.content.sources}
    listed = {f"dataset/{one.id}" for one in lake.datasets(asker)} - {f"dataset/{version.dataset}"}
    for _, subject, at, event, data in _events(lake, ["dataset.published"]):
        if subject in listed and digests & {file.get("digest") for file in data.get("sources", [])}:
            yield Use("same-file", at, subject, data["version"], event)


def _worked_on(lake: Lake, version: Version) -> Iterator[Use]:
    intent = contracting.intent_of(lake, version.dataset, version.number)
    own = f"dataset/{version.dataset}"
    for type_, subject, at, event, data in _events(lake, list(INSPECTED)):
        if type_ == "dataset.checked":
            mine = subject == own and data.get("intent") == intent
        elif type_ == "correction.requested":
            mine = data.get("dataset") == version.dataset and data.get("check") == intent
        else:
            mine = data.get("versions", {}).get(version.dataset) == version.number
        if mine:
            known = version.number if subject == own else None
            yield Use(INSPECTED[type_], at, subject, known, event)  # type: ignore[arg-type]


def _events(lake: Lake, types: list[str]) -> list[tuple[str, str, datetime, str, dict[str, Any]]]:
    asked = ledger.of_types(types, Event.type, Event.subject, Event.time, Event.id, Event.data)
    with lake.records.read() as session:
        rows = session.execute(asked).all()
    return [(type_, subject or "", at, str(id_), data or {}) for type_, subject, at, id_, data in rows]
