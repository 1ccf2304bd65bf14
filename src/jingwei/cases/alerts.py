"""E-mail alerts: who asks for them hears of new cases by area and type, at most as often as was chosen.

An alert is a request by an address that nobody has vouched for: its owner gets one message with a code, and
nothing more until he says yes with it. The same code stands in every message and ends the alert. It is kept
as it is, because every message bears it; it opens nothing but the alert, which is the only other thing kept.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, func, select

from jingwei.cases import plain, policy
from jingwei.cases.calendar import moment
from jingwei.cases.case import Case, decode
from jingwei.cases.citizens import Contact, check_contact
from jingwei.cases.errors import BadFieldError, NoSuchAlertError
from jingwei.cases.models import AlertRow
from jingwei.cases.notices import PAUSE
from jingwei.cases.store import CASES
from jingwei.city.channels import MOST_TRIES, Channel, Notice
from jingwei.ledger.threads import in_rounds
from jingwei.records import now_utc
from jingwei.words import Language, Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.cases.regime import Regime
    from jingwei.cases.service import Desk
    from jingwei.records import Records

log = logging.getLogger(__name__)

Every = Literal["hour", "day", "week"]
EVERY: dict[str, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}
CODE = re.compile(r"[A-Z2-7]{10}")
LASTS = timedelta(days=2)
"""How long one has to say yes; then the address is forgotten."""
MOST_ASKED = 3
"""Messages that ask one address, as long as it has not answered: nobody floods a mailbox by way of us."""
MOST_ALERTS = 20
"""Alerts of one address."""
MOST = 50
"""Alerts that are looked at in one go."""
LISTED = 30
"""Cases told in one message; the rest is told as a number."""
CHUNK = 5_000
ONE_CLICK = "/api/public/alerts/one-click"
"""Where a mail program ends an alert with a single POST (RFC 8058)."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert: new cases in an area (the beginning of its code), of some types or of all."""

    area: str
    types: tuple[str, ...]
    every: Every
    confirmed: bool


# asking


def ask(
    session: Session, email: str, area: str, types: Sequence[str], every: Every, language: Language
) -> None:
    """Note that an address is to be asked whether it wants an alert.

    Whether it was asked before is told to nobody: what has been asked too often, or is there already, changes
    nothing.

    Raises
    ------
    BadFieldError
        Where the address is none.

    """
    check_contact(Contact(email=email))
    if not email:
        raise BadFieldError("email", Text("请填写电子邮箱", "an e-mail address is missing."))
    mine = list(session.scalars(select(AlertRow).where(AlertRow.email == email)))
    asked = sum(one.confirmed is None for one in mine)
    known = any((one.area, one.types, one.every) == (area, list(types), every) for one in mine)
    if known or asked >= MOST_ASKED or len(mine) >= MOST_ALERTS:
        return
    now = now_utc()
    session.add(
        AlertRow(
            code=base64.b32encode(secrets.token_bytes(7)).decode()[:10], email=email, area=area,
            types=list(types), every=every, language=language, made=now, confirmed=None, mark=0, next=now,
            tries=0,
        )
    )  # fmt: skip


def read(session: Session, code: str) -> Alert:
    """Return an alert by its code.

    Raises
    ------
    NoSuchAlertError
        Where there is none, or it was not answered in time.

    """
    row = _row(session, code)
    return Alert(row.area, tuple(row.types), row.every, row.confirmed is not None)  # type: ignore[arg-type]


def confirm(session: Session, code: str) -> Alert:
    """Say yes to an alert; it tells of what is reported from now on."""
    row = _row(session, code)
    if row.confirmed is None:
        now = now_utc()
        row.confirmed, row.next, row.tries = now, now + EVERY[row.every], 0
        row.mark = session.scalar(select(func.coalesce(func.max(CASES.c.id), 0))) or 0
    return read(session, code)


def end(session: Session, code: str) -> None:
    """End an alert; nothing of it is kept."""
    session.delete(_row(session, code))
    session.flush()


def _row(session: Session, code: str) -> AlertRow:
    plain_code = re.sub(r"[\s-]", "", code).upper()
    row = (
        session.scalar(select(AlertRow).where(AlertRow.code == plain_code))
        if CODE.fullmatch(plain_code)
        else None
    )
    if row is None:
        raise NoSuchAlertError
    return row


# telling


class Alerts:
    """Asks those who want alerts, and tells those who said yes.

    Parameters
    ----------
    records, desk
        Whose cases, and by whose rules.
    channel
        By which e-mail goes.
    city
        What the city is called.
    address
        Where its pages are (`https://city.example`), for links; without one messages bear codes only.

    """

    def __init__(
        self, records: Records, desk: Desk, channel: Channel, city: Text, address: str | None = None
    ) -> None:
        self.records, self.desk, self.channel, self.city, self.address = records, desk, channel, city, address

    def send(self, now: datetime | None = None) -> int:
        """Send what is due; return how many messages were taken."""
        when = now or now_utc()
        with self.records.write() as session:
            session.execute(
                delete(AlertRow).where(AlertRow.confirmed.is_(None), AlertRow.made < when - LASTS)
            )
        with self.records.read() as session:
            due = select(AlertRow).where(AlertRow.next <= when).order_by(AlertRow.next).limit(MOST)
            rows = list(session.scalars(due))
            mark, fresh = self._fresh(session, [row.mark for row in rows if row.confirmed])
            regime = self.desk.regime(session)
            waiting = [(row.id, row.tries, self._message(regime, row, fresh)) for row in rows]
        return sum(self._sent(id_, tries, message, mark, when) for id_, tries, message in waiting)

    def _fresh(self, session: Session, marks: Sequence[int]) -> tuple[int, list[tuple[int, Case]]]:
        """Return how far cases were looked at, and those after the earliest mark that the public may know."""
        mark, found = min(marks, default=0), list[tuple[int, Case]]()
        policies = self.desk.policies()
        while marks:
            question = select(CASES.c.id, CASES.c.body).where(CASES.c.id > mark).order_by(CASES.c.id)
            rows = session.execute(question.limit(CHUNK)).all()
            for id_, body in rows:
                case, mark = decode(body), id_
                resource = policy.resource_of(case)
                may = policies.decide(policy.STRANGER, policy.READ_PUBLIC, resource).allowed
                if may and case.state != "duplicate":
                    found.append((id_, case))
            if len(rows) < CHUNK:
                break
        return mark, found

    def _message(self, regime: Regime, row: AlertRow, fresh: Sequence[tuple[int, Case]]) -> Notice | None:
        """Return what is sent for an alert now; None where there is nothing new."""
        language: Language = "en" if row.language == "en" else "zh"
        told = {
            "city": self.city.in_language(language), "code": row.code,
            "what": what_of(regime, row.area, row.types).in_language(language),
            "link": f"{self.address}/report/alerts#{row.code}" if self.address else "/report/alerts",
        }  # fmt: skip
        one_click = f"{self.address}{ONE_CLICK}/{row.code}" if self.address else ""
        if row.confirmed is None:
            return _notice(f"alert.{row.id}.ask", row.email, _ASK, told, language, one_click)
        mine = [case for id_, case in fresh if id_ > row.mark and _matches(row, case)]
        if not mine:
            return None
        lines = [self._line(regime, case, language) for case in mine[:LISTED]]
        if len(mine) > LISTED:
            lines.append(_MORE.in_language(language).format(count=len(mine) - LISTED))
        told |= {"count": str(len(mine)), "cases": "\n".join(lines)}
        return _notice(f"alert.{row.id}.{row.mark}", row.email, _NEW, told, language, one_click)

    def _line(self, regime: Regime, case: Case, language: Language) -> str:
        names = (regime.settings.area_name(code) for code in (case.area[:9], case.area[:12]))
        area = " ".join(name.in_language(language) for name in names if name is not None)
        when = f"{moment(min(case.at.values())).astimezone(regime.zone):%Y-%m-%d %H:%M}"
        type_ = regime.catalogue.get(case.kind, case.type).name.in_language(language)
        state = plain.says(case.state)["title"].in_language(language)
        page = f"{self.address}/report/around/{case.number}" if self.address else case.number
        return " · ".join(part for part in (when, type_, area, state, page) if part)

    def _sent(self, id_: int, tries: int, message: Notice | None, mark: int, when: datetime) -> int:
        """Send one message and note what became of it."""
        failed = False
        if message is not None:
            try:
                self.channel.send(message)
            except Exception as error:  # noqa: BLE001 -- whatever a channel raises: it is tried again
                log.warning("alert %s: %s", message.id, type(error).__name__)
                failed = True
        with self.records.write() as session:
            row = session.get(AlertRow, id_)
            if row is None:  # ended meanwhile
                return int(not failed)
            if failed:
                row.tries = min(tries + 1, MOST_TRIES)
                row.next = when + timedelta(minutes=2**row.tries)
            elif row.confirmed is None:
                row.next = None
            else:
                row.mark, row.tries, row.next = max(row.mark, mark), 0, when + EVERY[row.every]
        return int(message is not None and not failed)

    def round(self) -> None:
        """Send what waits."""
        self.send()

    @contextlib.contextmanager
    def running(self) -> Iterator[Alerts]:
        """Send in a thread of its own while the block lasts."""
        with in_rounds("alerts", self.round, PAUSE):
            yield self


def what_of(regime: Regime, area: str, types: Sequence[str]) -> Text:
    """Return in words of what an alert tells."""
    place = regime.settings.area_name(area) or Text(area)
    where = place if area else Text("全市", "the whole city")
    pairs = [one.partition("/") for one in types]
    named = [
        regime.catalogue.get(kind, code).name for kind, _, code in pairs if (kind, code) in regime.catalogue
    ]
    zh = "、".join(one.in_language("zh") for one in named) or "所有类别"
    en = ", ".join(one.in_language("en") for one in named) or "all types"
    return Text(f"{where.zh}，{zh}", f"{where.in_language('en')}, {en}")


def _matches(row: AlertRow, case: Case) -> bool:
    return case.area.startswith(row.area) and (not row.types or f"{case.kind}/{case.type}" in row.types)


def _notice(
    id_: str, to: str, words: tuple[Text, Text], told: dict[str, str], language: Language, end: str
) -> Notice:
    subject, body = (one.in_language(language).format(**told) for one in words)
    return Notice(id_, "email", to, subject, body, "", end)


_ASK = (
    Text("{city}：确认邮件提醒", "{city}: do you want these alerts?"),
    Text(
        "您好！\n\n有人用这个邮箱订阅了{city}的案件提醒：{what}。\n"
        "如果是您，请打开 {link} ，填入确认码：{code}\n"
        "如果不是您，不必理会：不确认就不会再收到邮件，两天后地址会被删除。\n",
        "Hello,\n\nSomebody asked for alerts about cases in {city} to this address: {what}.\n"
        "If that was you, open {link} and give the code: {code}\n"
        "If not, do nothing: without a yes no more mail is sent; the address is removed after two days.\n",
    ),
)
_NEW = (
    Text("{city}：新上报 {count} 件（{what}）", "{city}: {count} new ({what})"),
    Text(
        "您好！\n\n{what}，新上报 {count} 件：\n\n{cases}\n\n不想再收到：打开 {link} ，填入 {code}\n",
        "Hello,\n\n{count} new of {what}:\n\n{cases}\n\nTo end this: open {link} and give {code}\n",
    ),
)
_MORE = Text("……还有 {count} 件", "... and {count} more")
