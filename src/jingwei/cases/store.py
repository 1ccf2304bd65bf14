"""How cases are kept: their rows, their numbers, and the way back from the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    String,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from jingwei.cases import words
from jingwei.cases.case import Case, decode, encode
from jingwei.cases.clocks import next_warning
from jingwei.cases.errors import ChangedMeanwhileError
from jingwei.cases.events import WORDS
from jingwei.cases.lifecycle import OPEN as OPEN_STATES
from jingwei.cases.models import CaseCount, CaseRow, RegimePart
from jingwei.cases.replay import PREFIX, apply, begin
from jingwei.cases.schemas import Happening, History, Report
from jingwei.ledger.models import Event
from jingwei.records import Prepared, now_utc
from jingwei.records.database import Statement, driver_text, run, run_as_one

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement, Table
    from sqlalchemy.orm import Session

    from jingwei.cases.regime import Regime

CASES: Table = CaseRow.__table__  # type: ignore[assignment]
SUBJECT = "case/"
BATCH = 500

_NEWEST = (
    select(RegimePart.part, func.max(RegimePart.version).label("number")).group_by(RegimePart.part).subquery()
)
IN_FORCE = select(
    func.aggregate_strings(
        _NEWEST.c.part + literal_column("':'", String) + _NEWEST.c.number.cast(String),
        literal_column("','", String),  # type: ignore[arg-type]  # a text of ours, no value to be bound
    )
).scalar_subquery()
"""The number in force of each part that the city decided, as `rules:3,settings:1`; null where nothing was."""
OPEN = select(CASES.c.body).where(CASES.c.number == bindparam("number")).with_for_update()
"""Reads a case to change it: on PostgreSQL others wait, on SQLite writers queue anyway."""
# How a row is marked as changed by a transaction: on PostgreSQL with the transaction's number, so that a
# reader who knows the oldest one that was still open when he looked misses nothing; on SQLite, where writers
# queue, with a count.
_NEXT = "SELECT COALESCE(MAX(changed), 0) + 1 FROM {}"


def marks_of(table: str) -> dict[str, ColumnElement[int]]:
    """Return for each kind of database what marks a row of a table as changed."""
    return {
        "postgresql": literal_column("pg_current_xact_id()::text::bigint"),
        "sqlite": literal_column(f"({_NEXT.format(table)})"),
    }


_MARKS = marks_of("city_case")
_WRITTEN = ("step", "state", "alarm", "cell", "body")
_SAVED = (*_WRITTEN, "this", "before")
_SAVE = {
    dialect: update(CASES)
    .where(CASES.c.number == bindparam("this"), CASES.c.step == bindparam("before"))
    .values(changed=mark, **{name: bindparam(name) for name in _WRITTEN})
    for dialect, mark in _MARKS.items()
}
_NEXT_ALARM = select(func.min(CASES.c.alarm))
_SET_ALARM = (
    update(CASES)
    .where(CASES.c.number == bindparam("this"), CASES.c.step == bindparam("before"))
    .values(alarm=bindparam("alarm"))
)
_NEW = ("number", "reported", "source", "source_key", *_WRITTEN)
_INSERT = Prepared(
    lambda dialect: insert(CASES).values(
        changed=_MARKS[dialect], **{name: bindparam(name, type_=CASES.c[name].type) for name in _NEW}
    )
)


def _counting(dialect: str) -> ClauseElement:
    table: Table = CaseCount.__table__  # type: ignore[assignment]
    new: Any = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    new = new.values(series=bindparam("series"), last=bindparam("last"))
    made: ClauseElement = new.on_conflict_do_update(
        index_elements=["series"], set_={"last": table.c.last + new.excluded.last}
    ).returning(table.c.last)
    return made


_COUNT_UP = Prepared(_counting)
_TIMELINE = Prepared(
    select(Event.type, Event.actor, Event.data)
    .where(Event.subject == bindparam("subject"))
    .order_by(Event.id)
)
_BODY = Prepared(select(CASES.c.body).where(CASES.c.number == bindparam("number")))


@lru_cache(maxsize=8)
def _opening(dialect: Dialect) -> str:
    return driver_text(OPEN.add_columns(IN_FORCE), dialect, ("number",))


def open_case(session: Session, number: str) -> tuple[str, str | None] | None:
    """Return a case that nobody else changes until this transaction is over, and what `IN_FORCE` says."""
    found = run(session.connection(), _opening(session.get_bind().dialect), (number,))
    return tuple(found[0]) if found else None


@lru_cache(maxsize=8)
def _saving(dialect: Dialect) -> str:
    return driver_text(_SAVE[dialect.name], dialect, _SAVED)


def count_up(session: Session, series: str, count: int) -> int:
    """Give out `count` numbers of a series; return the last of them."""
    ((last,),) = _COUNT_UP.rows(session, series=series, last=count)
    return int(last)


def next_numbers(session: Session, regime: Regime, when: datetime, count: int) -> list[str]:
    """Return `count` new case numbers of the local day of `when`."""
    day = when.astimezone(regime.zone).strftime("%Y%m%d")
    last = count_up(session, day, count)
    settings = regime.settings
    return [
        settings.number.format(division=settings.division, day=day, sequence=last - count + 1 + index)
        for index in range(count)
    ]


def _dialect(session: Session) -> str:
    return str(session.get_bind().dialect.name)


def alarm_of(case: Case, regime: Regime) -> int | None:
    """Return when the clock next has something to say about a case."""
    shares = regime.settings.shares
    found = [due[0] for turn in case.turns if (due := next_warning(turn, regime.calendar, shares))]
    if case.resume is not None and case.state == "suspended":
        found.append(case.resume)
    return min(found, default=None)


def _columns(case: Case, regime: Regime) -> dict[str, Any]:
    return {
        "step": case.step,
        "state": case.state,
        "alarm": alarm_of(case, regime),
        "cell": case.cell,
        "body": encode(case).decode(),
    }


def insert_cases(session: Session, regime: Regime, cases: Sequence[Case]) -> None:
    """Write cases that are new."""
    rows = [
        {
            "number": case.number, "reported": min(case.at.values()), "source": case.source,
            "source_key": case.source_key, **_columns(case, regime),
        }
        for case in cases
    ]  # fmt: skip
    _INSERT.run_many(session, rows)


def case_of(session: Session, number: str) -> Case | None:
    """Return a case as it stands, if there is one of that number; whether an asker may know is not asked."""
    found = _BODY.row(session, number=number)
    return decode(found[0]) if found else None


def save(session: Session, regime: Regime, case: Case, before: int) -> None:
    """Write a case back, unless another was first."""
    if case.step == before:
        return
    save_with(session, regime, case, before, [])


def save_with(session: Session, regime: Regime, case: Case, before: int, others: Sequence[Statement]) -> None:
    """Write a case back with what else belongs to its step, unless another was first."""
    given = {"this": case.number, "before": before, **_columns(case, regime)}
    text = _saving(session.get_bind().dialect)
    saving = Statement(text, tuple(given[name] for name in _SAVED))
    if run_as_one(session.connection(), [*others, saving]) != 1:
        raise ChangedMeanwhileError(case.number, before, before + 1, [])


def mark_now(session: Session, table: str = "city_case") -> int:
    """Return the mark such that all that changes in a table from now on bears it or a later one."""
    # On PostgreSQL, transactions that are open now may still write rows marked with their number.
    oldest = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    question = oldest if _dialect(session) == "postgresql" else _NEXT.format(table)
    ((mark,),) = run(session.connection(), question, ())
    return int(mark)


def set_alarms(session: Session, regime: Regime, cases: Sequence[Case]) -> None:
    """Work out anew when the clock next has something to say about cases to which nothing happened."""
    if cases:
        rows = [{"this": case.number, "before": case.step, "alarm": alarm_of(case, regime)} for case in cases]
        session.connection().execute(_SET_ALARM, rows)


def alarm_all(session: Session) -> None:
    """Let the clock look at every open case: the calendar, or the shares of warnings, are others."""
    session.connection().execute(update(CASES).where(CASES.c.state.in_(OPEN_STATES)).values(alarm=0))


def next_alarm(session: Session) -> int | None:
    """Return when the clock next has something to say, in microseconds; None where nothing runs."""
    return session.connection().execute(_NEXT_ALARM).scalar()


def case_of_source(session: Session, report: Report) -> Case | None:
    """Return the case that a report of another system has already."""
    if not report.source_key:
        return None
    body = session.scalar(
        select(CASES.c.body).where(CASES.c.source == report.source, CASES.c.source_key == report.source_key)
    )
    return decode(body) if body is not None else None


def not_known(session: Session, histories: Sequence[History]) -> list[History]:
    """Return those that are not here already, the first of each key."""
    keys: dict[tuple[str, str], History] = {}
    without = [one for one in histories if not one.report.source_key]
    for one in histories:
        if one.report.source_key:
            keys.setdefault((one.report.source, one.report.source_key), one)
    listed = list(keys)
    for start in range(0, len(listed), BATCH):
        chunk = listed[start : start + BATCH]
        for source in {source for source, _ in chunk}:
            mine = [key for one, key in chunk if one == source]
            question = select(CASES.c.source_key).where(
                CASES.c.source == source, CASES.c.source_key.in_(mine)
            )
            for known in session.scalars(question):
                keys.pop((source, known), None)
    return [*keys.values(), *without]


def by_day(histories: Sequence[History], regime: Regime) -> Iterator[tuple[datetime, list[History]]]:
    """Yield histories by the local day of their report, with a moment of it."""
    groups: dict[str, tuple[datetime, list[History]]] = {}
    for one in histories:
        when = one.report.at or now_utc()
        day = when.astimezone(regime.zone).strftime("%Y%m%d")
        groups.setdefault(day, (when, []))[1].append(one)
    yield from groups.values()


def timeline(session: Session, number: str) -> list[Happening]:
    """Return what happened to a case, in order, with what was written at each step."""
    written = words.words_of(session, number)
    told = []
    for type_, actor, data in _TIMELINE.rows(session, subject=SUBJECT + number):
        if not data:
            continue
        step = data.pop("step")
        told.append(
            Happening(
                step=step,
                type=type_,
                action=data.pop("action"),
                at=data.pop("at"),
                actor=actor,
                was=data.pop("was"),
                to=data.pop("to"),
                data={key: value for key, value in data.items() if key not in WORDS},
                words={field: text for (at, field), text in written.items() if at == step},
            )
        )
    return told


def from_the_log(session: Session) -> Iterator[Case]:
    """Yield every case as its events make it, from the log alone."""
    question = (
        select(Event.subject, Event.type, Event.actor, Event.data)
        .where(Event.subject.startswith(SUBJECT), Event.type.startswith(PREFIX))
        .order_by(Event.subject, Event.id)
        .execution_options(yield_per=BATCH)
    )
    case: Case | None = None
    for subject, type_, actor, data in session.execute(question):
        number = subject.removeprefix(SUBJECT)
        if case is None or case.number != number:
            if case is not None:
                yield case
            case = begin(number)
        if data is not None:
            apply(case, type_, actor or "", data)
    if case is not None:
        yield case
