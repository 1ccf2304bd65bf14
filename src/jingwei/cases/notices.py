"""Notices to reporters: by what and of what each of them chose, and never more.

A follower of the log notes in one transaction what is to be told; a sender sends what is noted, at least
once, and tries again later where a channel does not take it. What was chosen is looked up when it is sent:
who changed his mind in between is not told.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from jingwei import access
from jingwei.cases import notice_words, plain
from jingwei.cases.case import Case, decode
from jingwei.cases.models import Following, NoticeRow
from jingwei.cases.replay import PREFIX
from jingwei.cases.store import CASES, SUBJECT
from jingwei.city.channels import CHANNELS, MOST_TRIES, Notice
from jingwei.ledger.followers import Follower
from jingwei.ledger.threads import in_rounds
from jingwei.records import now_utc
from jingwei.words import Language, Text

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from jingwei.cases.service import Desk
    from jingwei.city.channels import Channel
    from jingwei.ledger import Entry
    from jingwei.records import Records

log = logging.getLogger(__name__)

NOTICES: Table = NoticeRow.__table__  # type: ignore[assignment]
NAME = "notices"
PAUSE = 5.0
"""Seconds between two looks at what is to be sent."""
MOST = 50

_DONE = frozenset({"closed", "force_closed", "rejected", "cancelled"})
_RECEIVED = frozenset({"reported"})
_OWN = frozenset({"supplemented", "corrected", "redacted", "hidden", "withdrawn", "evaluated", "published"})
"""What a reporter does, or the public is told: nobody needs to be told of it."""
TYPES = tuple(f"{PREFIX}{name}" for name in plain.HAPPENED if name not in _OWN)


def wish_of(event: str) -> notice_words.Wish:
    """Return which wish a kind of event is told for: `received`, `done` or `progress`."""
    name = event.removeprefix(PREFIX)
    return "received" if name in _RECEIVED else "done" if name in _DONE else "progress"


# noting


class Notices:
    """Notes what is to be told, and sends it.

    Parameters
    ----------
    records, desk
        Whose log, and by whose rules.
    channels
        By name: `email`, `sms`, `wechat`.
    city
        What the city is called.

    """

    def __init__(self, records: Records, desk: Desk, channels: Mapping[str, Channel], city: Text) -> None:
        self.records, self.desk, self.channels, self.city = records, desk, channels, city
        self.follower = Follower(records, NAME, self.note, types=TYPES, from_now=True)

    def note(self, session: Session, entries: list[Entry]) -> None:
        """Note who is to be told of some events, in the transaction that notes how far the log was read."""
        for entry in entries:
            number = (entry.subject or "").removeprefix(SUBJECT)
            body = session.scalar(select(CASES.c.body).where(CASES.c.number == number))
            if body is None:
                continue
            wanted = select(Following).where(Following.reporter.in_(decode(body).followers))
            rows = [
                {
                    "event": entry.id, "type": entry.type, "case": number, "reporter": one.reporter,
                    "channel": channel, "next": now_utc(), "tries": 0,
                }
                for one in session.scalars(wanted)
                for channel in _chosen(one, wish_of(entry.type), self.channels)
                if entry.actor != one.reporter or wish_of(entry.type) == "received"
            ]  # fmt: skip
            if rows:
                dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
                session.execute(dialect.insert(NOTICES).values(rows).on_conflict_do_nothing())

    # sending

    def send(self, now: datetime | None = None) -> int:
        """Send what is due; return how many messages a channel took."""
        when = now or now_utc()
        with self.records.read() as session:
            due = select(NoticeRow).where(NoticeRow.next <= when).order_by(NoticeRow.id).limit(MOST)
            waiting = [(row.id, row.tries, self._message(session, row)) for row in session.scalars(due)]
        sent = 0
        for id_, tries, message in waiting:
            again: datetime | None = None
            if message is not None:
                try:
                    self.channels[message.channel].send(message)
                    sent += 1
                except Exception as error:  # noqa: BLE001 -- whatever a channel raises: it is tried again
                    log.warning("notice %s: %s", message.id, type(error).__name__)
                    again = when + timedelta(minutes=2**tries) if tries < MOST_TRIES else None
            with self.records.write() as session:
                session.execute(
                    update(NOTICES).where(NOTICES.c.id == id_).values(next=again, tries=tries + 1)
                )
        return sent

    def _message(self, session: Session, row: NoticeRow) -> Notice | None:
        """Return a noted message in words; None where its reader does not want it any more."""
        one = session.scalar(select(Following).where(Following.reporter == row.reporter))
        body = session.scalar(select(CASES.c.body).where(CASES.c.number == row.case))
        if one is None or body is None or row.channel not in _chosen(one, wish_of(row.type), self.channels):
            return None
        language: Language = "en" if one.language == "en" else "zh"
        subject, text = self._words(session, decode(body), row, one.case, language)
        return Notice(f"{row.event}.{row.id}", row.channel, one.contact[row.channel], subject, text, one.case)

    def _words(
        self, session: Session, case: Case, row: NoticeRow, mine: str, language: Language
    ) -> tuple[str, str]:
        regime = self.desk.regime(session)
        type_ = regime.catalogue.get(case.kind, case.type).name
        says = plain.says(case.state)
        happened = plain.HAPPENED[row.type.removeprefix(PREFIX)]
        titles = access.titles_of(session, [case.department] if case.department else [])
        told = {
            "city": self.city.in_language(language), "number": mine, "type": type_.in_language(language),
            "happened": happened.in_language(language),
            "title": says["title"].in_language(language),
            "meaning": says["meaning"].in_language(language),
            "office": titles.get(case.department or "", "-"),
        }  # fmt: skip
        own = regime.settings.notices.get(wish_of(row.type))
        return notice_words.said(own, told, language, short=row.channel != "email")

    # running

    def round(self) -> None:
        """Note and send once."""
        self.follower.catch_up()
        self.send()

    @contextlib.contextmanager
    def running(self) -> Iterator[Notices]:
        """Note and send in a thread of its own while the block lasts; without channels there is none."""
        if not self.channels:
            yield self
            return
        with in_rounds("notices", self.round, PAUSE):
            yield self


def _chosen(one: Following, wish: str, channels: Mapping[str, Any]) -> list[str]:
    """Return by which channels a reporter wants to be told, of what is told for a wish."""
    contact = one.contact or {}
    wishes = contact.get("wishes", ())
    if wish not in wishes and not (wish == "done" and "progress" in wishes):
        return []
    return [name for name in CHANNELS if contact.get(name) and name in channels]
