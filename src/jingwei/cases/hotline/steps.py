"""How something happens to a call: it is found, locked, its state is checked, and the event is written.

Like the desk of cases: policies are asked, rules checked, the event appended, and what it makes of the call
written, in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from jingwei import ledger
from jingwei.cases import citizens, words
from jingwei.cases.calendar import moment
from jingwei.cases.case import decode as decode_case
from jingwei.cases.errors import BadFieldError
from jingwei.cases.hotline import policy
from jingwei.cases.hotline.call import PREFIX, SUBJECT, Call, apply, decode, encode
from jingwei.cases.hotline.errors import CallChangedError, CallRuleError, UnknownCallError
from jingwei.cases.hotline.models import CallRow
from jingwei.cases.store import CASES, marks_of
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Table
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.access.vault import Vault
    from jingwei.cases.case import Case
    from jingwei.cases.service import Desk

CALLS: Table = CallRow.__table__  # type: ignore[assignment]
MARKS = marks_of(CALLS.name)
"""What marks a call as changed, on each kind of database."""
_SOURCES = {
    "answered": ("taken",), "made_case": ("taken",), "dismissed": ("taken",), "replied": ("in_case",),
    "called_back": ("answered", "in_case"), "reviewed": ("answered", "in_case", "dismissed"),
    "exempted": ("answered", "in_case"),
}  # fmt: skip
_TARGETS = {"answered": "answered", "made_case": "in_case", "dismissed": "dismissed"}


class Steps:
    """Calls, and the steps that can happen to them.

    Parameters
    ----------
    desk
        Where cases are made, and whose policies and settings are in force.
    vault
        Seals callers' numbers, and makes the digests by which earlier calls are found.

    """

    def __init__(self, desk: Desk, vault: Vault) -> None:
        self.desk, self.vault = desk, vault

    # looking

    def get(self, session: Session, asker: Asker, number: str) -> Call:
        """Return a call.

        Raises
        ------
        UnknownCallError
            Where there is none, or the asker may not know of it.

        """
        body = session.scalar(select(CALLS.c.body).where(CALLS.c.number == number))
        if body is None:
            raise UnknownCallError(number)
        call = decode(body)
        self.check_readable(asker, call)
        return call

    def case_of(self, session: Session, call: Call) -> Case | None:
        """Return the case in which a call is dealt with: its own, or the one that this joined."""
        if call.case is None:
            return None
        case = decode_case(session.scalars(select(CASES.c.body).where(CASES.c.number == call.case)).one())
        return citizens.main_of(session, case)

    def may_read(self, asker: Asker, call: Call) -> bool:
        """Say whether an asker may know of a call."""
        return self.desk.policies().decide(asker, policy.READ, policy.resource_of(call)).allowed

    def check_readable(self, asker: Asker, call: Call) -> None:
        """Raise `UnknownCallError` where an asker may not know of a call."""
        if not self.may_read(asker, call):
            raise UnknownCallError(call.number)

    # acting

    def locked(self, session: Session, number: str) -> Call:
        """Return a call that nobody else changes meanwhile."""
        body = session.scalar(select(CALLS.c.body).where(CALLS.c.number == number).with_for_update())
        if body is None:
            raise UnknownCallError(number)
        return decode(body)

    def open(self, session: Session, asker: Asker, number: str, name: str, seen: int) -> Call:
        """Return a call that nobody else changes meanwhile, and to which the event may happen."""
        call = self.locked(session, number)
        self.check_readable(asker, call)
        self.check_step(call, name, seen)
        return call

    def check_step(self, call: Call, name: str, seen: int) -> None:
        """Raise where a call changed since it was seen, or the event may not happen to it."""
        if seen != call.step:
            raise CallChangedError(call.number, seen, call.step)
        if call.state not in _SOURCES[name]:
            raise CallRuleError(
                call.number,
                "state",
                Text("来电的状态不允许这一步", "the call is not in a state from which this can be done."),
            )

    def act(
        self,
        session: Session,
        asker: Asker,
        call: Call,
        name: str,
        data: dict[str, Any],
        written: Mapping[str, str],
    ) -> None:
        """Let an event happen now, with what was written, and write the call."""
        before = call.step
        when = max(now_utc(), moment(max(call.at.values())))
        head = {
            "step": before + 1, "at": when.isoformat(), "was": call.state,
            "to": _TARGETS.get(name, call.state),
        }  # fmt: skip
        rows = []
        for field, text in written.items():
            if text:
                row, data[field] = words.new_words(call.number, before + 1, field, text)
                rows.append(row)
        self.happen(session, asker, call, name, head | data)
        words.keep(session, rows)
        mine = update(CALLS).where(CALLS.c.number == call.number, CALLS.c.step == before)
        session.execute(mine.values(changed=mark_of_now(session), **columns_of(call)))

    def happen(self, session: Session, asker: Asker, call: Call, name: str, data: dict[str, Any]) -> None:
        """Let an event happen to a call, and tell the log."""
        apply(call, name, asker.id, data)
        ledger.append(
            session, f"{PREFIX}call_{name}", actor=asker.id, subject=SUBJECT + call.number, data=data
        )


def mark_of_now(session: Session) -> ColumnElement[int]:
    """Return what marks a call as changed in a transaction."""
    return MARKS[session.get_bind().dialect.name]


def columns_of(call: Call) -> dict[str, Any]:
    """Return a call as its row keeps it."""
    heard = call.heard
    return {
        "step": call.step, "state": call.state, "taker": call.taker, "case": call.case,
        "heard": heard is not None and not heard.reopened, "reviewed": bool(call.reviews),
        "body": encode(call),
    }  # fmt: skip


def needed(field: str, text: str) -> str:
    """Return words, or raise where there are none."""
    said = words.check_words(field, text)
    if not said:
        raise BadFieldError(field, Text("不能为空", "must not be empty."))
    return said
