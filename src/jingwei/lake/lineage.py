"""Lineage: what a version of a dataset was read from, and forward, what was made of it.

Versions and the log tell it, by `uses.py`. What other parts know of the use of a version beside their events
they tell by `USED_BY`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from sqlalchemy import and_, select

from jingwei.errors import NotFoundError
from jingwei.lake.models import UseRow
from jingwei.lake.uses import COUNTED, catch_up, counted, keys_of, told_of, versions_by
from jingwei.ledger.models import Event
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from sqlalchemy import ColumnElement

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
    "rolled-up",
    "identified",
    "open-data",
    "exported",
]
INSPECTED: tuple[Kind, ...] = ("checked", "correction", "matched", "cases", "identified", "exported")
"""Work on a version, of which those are told who may inspect the dataset."""
MOST = 500
"""Uses on a page."""
AFTER = r"^\d{1,16}-\d{1,18}(-.{0,400})?$"
"""How it is said after which use a page begins."""


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
        `rolled-up`: figures by cell and hour in which all its readings count. `identified`: identifiers
        that its load issued.
        `open-data`: anybody may have it. `exported`: it was written to a file.
    at
        When; of exports and identifiers, when last.
    subject
        What came of it, as the log names it: `dataset/roads`, `correction/3`, `matching/people`.
    version
        Where that is a dataset: which version.
    event
        The event that tells of it, if one does.
    how
        What it was read for (see `jingwei.lake.schemas.Read`), or the form of the file.
    times
        How often, of exports; how many, of identifiers.
    """

    kind: Kind
    at: datetime
    subject: str
    version: int | None
    event: str | None
    how: tuple[str, ...] = ()
    times: int = 1


@dataclass(frozen=True, slots=True)
class Load:
    """By whom a version was published (`person/3`), and the event of the log that tells of it."""

    by: str
    event: str


PUBLISHING = ("dataset.published", "dataset.compacted")
"""Types of events by which versions come about."""

USED_BY: list[Callable[[Lake, Asker, Version], Iterable[Use]]] = []
"""What other parts know of the use of a version, as far as an asker, who may see it, may know of that too."""


@dataclass(frozen=True, slots=True)
class Uses:
    """A page of what was made of a version; `after` begins the next one, if there is one."""

    uses: list[Use]
    after: str | None


class _Turn(NamedTuple):
    """Where a use stands in the list: what is not kept comes before what is, of one instant."""

    at: datetime
    kept: int
    text: str = ""


def uses(lake: Lake, asker: Asker, dataset: str, number: int) -> list[Use]:
    """Return all that was made of a version, see `page_of_uses`."""
    page = page_of_uses(lake, asker, dataset, number, limit=MOST)
    found = page.uses
    while page.after is not None:
        page = page_of_uses(lake, asker, dataset, number, after=page.after, limit=MOST)
        found += page.uses
    return found


def page_of_uses(
    lake: Lake,
    asker: Asker,
    dataset: str,
    number: int,
    *,
    after: str | None = None,
    limit: int = 100,
    patience: float | None = None,
) -> Uses:
    """Return what was made of a version, oldest first, as far as the asker may know of it.

    Parameters
    ----------
    lake, asker, dataset, number
        The version, and who asks.
    after
        Where the page before ended, of the form `AFTER`.
    limit
        At most so many, up to `MOST`.
    patience
        Seconds for which the log is read on, if it was not read to its end; as long as it takes if not given.

    Raises
    ------
    UnknownDatasetError, NotFoundError
        If there is no such dataset that the asker may see, or no such version.
    LineageBehindError
        If the log is longer than that.

    """
    view = lake.view(asker, dataset, number)
    version = view.version
    if version is None:
        raise NotFoundError(
            Text(f"没有第 {number} 版", f"There is no version {number}"),
            where={"dataset": dataset, "version": number},
        )
    inspects = "inspect" in view.rights
    catch_up(lake.records, seconds=patience)
    begin = _turn_of(after) if after is not None else None
    allowed = _allowed(lake, asker, dataset, inspects=inspects)
    with lake.records.read() as session:
        keys = keys_of(session, version)
        rows = told_of(session, keys, allowed, (begin.at, begin.kept) if begin else None, limit + 1)
        numbers = versions_by(session, [row for row in rows if row.kind == "compared"])
        other = [_together(*row) for row in counted(session, keys)] if inspects else []
    for used_by in USED_BY:
        other += used_by(lake, asker, version)
    found = [(_Turn(row.at, row.id), _use(row, version, numbers)) for row in rows]
    found += [(_turn(use), use) for use in other]
    found = sorted((one for one in found if begin is None or one[0] > begin), key=lambda one: one[0])
    return Uses([use for _, use in found[:limit]], _text(found[limit - 1][0]) if len(found) > limit else None)


def listed(lake: Lake, asker: Asker) -> dict[str, Text]:
    """Return the identifiers of the datasets that the asker may list, with their titles."""
    return {one.id: one.title for one in lake.datasets(asker)}


def reads(version: Version, known: Collection[str]) -> list[Read] | None:
    """Return what was read to make a version, of the datasets in `known`; `None`: not recorded."""
    told = version.content.reads
    return None if told is None else [one for one in told if one.dataset in known]


def loads_of(lake: Lake, asker: Asker, dataset: str, versions: Collection[Version]) -> dict[int, Load]:
    """Return by number who published versions of a dataset, for who may inspect it.

    Of erased events nothing is known.
    """
    view = lake.dataset(asker, dataset).view
    if not versions or view is None or "inspect" not in view.rights:
        return {}
    subject = f"dataset/{dataset}"
    moments = [one.published for one in versions]
    near = and_(Event.time >= min(moments) - _DAY, Event.time <= max(moments) + _DAY)
    asked = select(Event.id, Event.actor, Event.data).where(
        Event.subject == subject, Event.type.in_(PUBLISHING), near
    )
    wanted = {one.number for one in versions}
    with lake.records.read() as session:
        told = [
            (data["version"], Load(actor, str(event)))
            for event, actor, data in session.execute(asked)
            if data
        ]
    return {number: load for number, load in told if number in wanted}


def _allowed(lake: Lake, asker: Asker, dataset: str, *, inspects: bool) -> Sequence[ColumnElement[bool]]:
    """Return of which uses an asker may know."""
    own, datasets = f"dataset/{dataset}", lake.datasets(asker)
    others = {f"dataset/{one.id}" for one in datasets} - {own}
    inspected = {f"dataset/{one.id}" for one in datasets if one.view and "inspect" in one.view.rights} - {own}
    return [
        UseRow.kind == "compacted",
        and_(UseRow.kind == "read", UseRow.subject.in_({*others, own})),
        and_(UseRow.kind == "same-file", UseRow.subject.in_(others)),
        and_(UseRow.kind == "compared", UseRow.subject.in_(inspected)),
        *([UseRow.kind.in_(set(INSPECTED) - set(COUNTED))] if inspects else []),
    ]


def _use(row: UseRow, version: Version, numbers: dict[str, int]) -> Use:
    how = tuple(row.how.split(",")) if row.how else ()
    number = row.number
    if row.kind == "compared":
        number = numbers.get(row.intent or "")
    elif row.kind == "checked":
        number = version.number
    return Use(cast("Kind", row.kind), row.at, row.subject, number, str(row.event), how)


def _together(
    kind: Kind, subject: str, number: int | None, how: str, at: datetime, event: int, times: int
) -> Use:
    return Use(kind, at, subject, number, str(event), (how,) if how else (), times)


def _turn(use: Use) -> _Turn:
    return _Turn(use.at, 0, " ".join([use.kind, use.subject, str(use.version or ""), *use.how]))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_DAY = timedelta(days=1)


def _text(turn: _Turn) -> str:
    return f"{(turn.at - _EPOCH) // _MICRO}-{turn.kept}" + (f"-{turn.text}" if turn.text else "")


def _turn_of(after: str) -> _Turn:
    at, kept, *text = after.split("-", 2)
    return _Turn(_EPOCH + int(at) * _MICRO, int(kept), text[0] if text else "")
