"""Erasing a person: the rows in all versions, what the registry and the log say of them, the files kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from jingwei import ledger
from jingwei.city.bearing import says
from jingwei.city.kept import FOLDER, delete_kept
from jingwei.city.models import IntakeFileRow
from jingwei.errors import BadRequestError, NotFoundError
from jingwei.lake.erasing import Erased, erase_rows, mark_of
from jingwei.lake.forms.errors import FormError
from jingwei.ledger.models import Event
from jingwei.registry.models import ObjectRow
from jingwei.words import Text

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jingwei.city import City

READINGS = "readings"
"""The dataset of readings, which are removed through SensorThings, stream by stream."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased, and which files elsewhere still hold it."""

    rows: dict[int, int]
    quarantined: int
    findings: int
    objects: int
    events: int
    files: list[str]
    elsewhere: list[str]


class NothingToEraseError(NotFoundError):
    """No version holds such a row."""

    code = "nothing-to-erase"

    def __init__(self, dataset: str, column: str) -> None:
        super().__init__(
            Text(
                f"“{dataset}”各版本中没有“{column}”为此值的行。",
                f"No version of '{dataset}' has a row with this value in '{column}'.",
            ),
            where={"dataset": dataset, "column": column},
        )


def erase(city: City, dataset: str, column: str, value: str, *, reason: str, actor: str) -> Erasure:
    """Erase a person's rows from a dataset through all its versions, and keep them from coming again.

    Parameters
    ----------
    city
        The open city.
    dataset, column, value
        The rows: those whose column says the value.
    reason
        Why; it is in the log for ever and must name nobody.
    actor
        Who does it.

    Raises
    ------
    UnknownDatasetError, UnknownColumnError, NothingToEraseError
        If there is nothing of the kind.
    BusyError
        If another program writes into the city, or copies it.

    """
    if not value.strip() or not reason.strip() or value in reason or dataset == READINGS:
        raise BadRequestError(
            Text(
                "请给出值与理由（理由中不得出现该值）；读数请经 SensorThings 删除。",
                "Give a value, and a reason in which it does not stand; readings are removed through "
                "SensorThings.",
            ),
        )
    mark = mark_of(city.lake, dataset, column, value)
    waiting, others = _handed_in(city, dataset, column, value)
    told: dict[str, list[str]] = {"files": [], "elsewhere": []}
    counts = {"objects": 0, "events": 0}

    def within(session: Session, erased: Erased) -> None:
        if not erased.anything and not waiting:
            raise NothingToEraseError(dataset, column)
        counts["objects"], counts["events"] = _objects(session, erased.objects, reason, actor)
        handed_in = waiting | set(
            session.scalars(
                select(IntakeFileRow.digest).where(IntakeFileRow.digest.in_(list(erased.sources)))
            )
        )
        session.execute(
            update(IntakeFileRow).where(IntakeFileRow.digest.in_(handed_in)).values(state="erased")
        )
        told["files"] = sorted(handed_in)
        outside = {one.path for key, one in erased.sources.items() if key not in handed_in}
        told["elsewhere"] = sorted(outside | others)
        data = {
            "column": column,
            "mark": mark,
            "reason": reason,
            "versions": sorted(erased.rows),
            "rows": sum(erased.rows.values()),
            "quarantined": erased.quarantined,
            "findings": erased.findings,
            "objects": counts["objects"],
            "files": len(handed_in),
        }
        ledger.append(session, "dataset.rows_erased", actor=actor, subject=f"dataset/{dataset}", data=data)

    erased = erase_rows(city.lake, dataset, column, value, within)
    for digest in told["files"]:
        delete_kept(city, digest)
    return Erasure(
        erased.rows, erased.quarantined, erased.findings, counts["objects"], counts["events"], **told
    )


def _handed_in(city: City, dataset: str, column: str, value: str) -> tuple[set[str], set[str]]:
    """Return which kept files bear a value: digests of those that go, and names of those of other datasets.

    What was only looked at, or held back, goes too; so does what cannot be read and holds the value as it is.
    """
    going, others = set(), set()
    with city.records.read() as session:
        files = session.execute(
            select(IntakeFileRow.digest, IntakeFileRow.name, IntakeFileRow.source).where(
                IntakeFileRow.state != "erased"
            )
        ).all()
    for digest, name, source in files:
        path = city.home / FOLDER / digest / name
        if not path.is_file() or not _says(path, column, value):
            continue
        if source in (None, dataset):
            going.add(digest)
        else:
            others.add(f"{source}: {name}")
    return going, others


def _says(path: Path, column: str, value: str) -> bool:
    try:
        return says(path, column, value)
    except FormError:
        return value.encode() in path.read_bytes()


def _objects(session: Session, objects: set[str], reason: str, actor: str) -> tuple[int, int]:
    """Blank what the registry says of objects, and erase the payloads of their events."""
    for name in sorted(objects):
        found = session.get(ObjectRow, name)
        if found is not None:
            found.title, found.key, found.cell, found.level = "", f"erased:{name}", None, None
    subjects = [f"object/{name}" for name in objects]
    positions = session.scalars(
        select(Event.position).where(Event.subject.in_(subjects), Event.position.is_not(None))
    ).all()
    if positions:
        ledger.erase(session, [one for one in positions if one is not None], actor=actor, reason=reason)
    return len(objects), len(positions)
