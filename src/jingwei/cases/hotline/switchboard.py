"""Where calls are taken: answered at once, made cases of, or ended because they hold no demand.

Cases come from `citizens.take_in`, the one way into the pool for who has no account; so a caller gets a code
to follow the report by, as everybody does. What follows a call is in `afterwards`, its number in `numbers`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import insert, select

from jingwei.access.policy import Resource
from jingwei.cases import citizens, words
from jingwei.cases.calendar import instant
from jingwei.cases.citizens import CitizenReport, Contact
from jingwei.cases.errors import BadFieldError
from jingwei.cases.hotline import knowledge, policy
from jingwei.cases.hotline.afterwards import Afterwards
from jingwei.cases.hotline.call import SUBJECT, Call, decode
from jingwei.cases.hotline.numbers import Numbers, plain_number
from jingwei.cases.hotline.steps import CALLS, columns_of, mark_of_now, needed
from jingwei.cases.store import count_up
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.cases.case import Case
    from jingwei.cases.regime import Regime

CITY = Resource("City")
CHANNELS = {
    "phone": Text("电话", "telephone"),
    "message": Text("网站、小程序留言", "message of a site or app"),
    "visit": Text("来访", "visit"),
}
"""By what way a demand reaches the hotline."""
_AREA = re.compile(r"[0-9]{6}(?:[0-9]{3}){0,3}")
_MOST_WAITED = 7200
_MOST_ARTICLES = 10


@dataclass(frozen=True, slots=True)
class Demand:
    """What a caller wants; coordinates are degrees, WGS84, articles go with whether they helped."""

    kind: str
    urgency: str
    words: str
    lon: float | None = None
    lat: float | None = None
    area: str = ""
    articles: Sequence[tuple[int, bool | None]] = ()


class Switchboard(Numbers, Afterwards):
    """Where calls are taken and followed up."""

    # calls come

    def take(
        self,
        session: Session,
        asker: Asker,
        *,
        caller: str = "",
        channel: str = "phone",
        waited: int | None = None,
        source_key: str | None = None,
        at: datetime | None = None,
    ) -> Call:
        """Take a call; return it, or the one that the exchange told of before by the same key.

        Parameters
        ----------
        session, asker
            On whose behalf: who takes it.
        caller
            The number from which it comes; empty where it is not shown.
        channel
            One of `CHANNELS`.
        waited
            Seconds that the caller waited.
        source_key
            The call's number at the telephone exchange.
        at
            When it came; now if not given.

        Raises
        ------
        RefusedError, BadFieldError
            Nothing is kept then.

        """
        return self._come(session, asker, "taken", caller, channel, waited, source_key, at, {})

    def lose(
        self,
        session: Session,
        asker: Asker,
        *,
        where: Literal["menu", "queue"],
        caller: str = "",
        waited: int | None = None,
        source_key: str | None = None,
        at: datetime | None = None,
    ) -> Call:
        """Note a call that was given up before anybody answered, in the menu or in the queue."""
        return self._come(session, asker, "lost", caller, "phone", waited, source_key, at, {"where": where})

    def _come(
        self,
        session: Session,
        asker: Asker,
        name: str,
        caller: str,
        channel: str,
        waited: int | None,
        source_key: str | None,
        at: datetime | None,
        more: dict[str, Any],
    ) -> Call:
        self.desk.policies().check(asker, policy.TAKE, CITY)
        if channel not in CHANNELS:
            raise BadFieldError("channel", Text("没有此渠道", "there is no such channel."))
        if waited is not None and not 0 <= waited <= _MOST_WAITED:
            raise BadFieldError("waited", Text(f"应为 0 至 {_MOST_WAITED} 秒", f"is 0 to {_MOST_WAITED} s."))
        digits = plain_number(caller)
        if source_key:
            known = session.scalar(select(CALLS.c.body).where(CALLS.c.source_key == source_key))
            if known is not None:
                return decode(known)
        when = at or now_utc()
        day = when.astimezone(self.desk.regime(session).zone).strftime("%Y%m%d")
        call = Call(number=f"H{day}{count_up(session, f'call {day}', 1):05d}")
        data = {"step": 1, "at": when.isoformat(), "was": "", "to": name, "channel": channel, **more}
        data |= {} if waited is None else {"waited": waited}
        self.happen(session, asker, call, name, data)
        row = {
            "number": call.number, "began": instant(when), "source_key": source_key,
            "caller": self.mark_of(digits) if digits else None,
            "sealed": self.vault.seal(digits, SUBJECT + call.number) if digits else None,
            "changed": mark_of_now(session), **columns_of(call),
        }  # fmt: skip
        session.execute(insert(CALLS).values(row))
        return call

    # what a call is about

    def answer(
        self, session: Session, asker: Asker, number: str, demand: Demand, answer: str = "", *, seen: int
    ) -> Call:
        """Answer a call at once; that ends it.

        Raises
        ------
        UnknownCallError, RefusedError, CallChangedError, CallRuleError, BadFieldError
            Nothing has changed then.

        """
        call = self.open(session, asker, number, "answered", seen)
        self.desk.policies().check(asker, policy.TAKE, CITY)
        regime = self.desk.regime(session)
        data = self._demand_data(session, regime, demand)
        place: dict[str, Any] = {"area": _area(demand.area)} if demand.area else {}
        if demand.lon is not None and demand.lat is not None:
            found = self.desk.ground(session).locate(demand.lon, demand.lat)
            place = {"area": found.area or demand.area, "cell": str(found.cell), "level": found.level}
        written = {
            "description": needed("description", demand.words),
            "words": words.check_words("words", answer),
        }
        self.act(session, asker, call, "answered", data | place, written)
        return call

    def make_case(
        self,
        session: Session,
        asker: Asker,
        number: str,
        demand: Demand,
        type_: tuple[str, str],
        *,
        seen: int,
        join: str = "",
        wishes: Sequence[str] = (),
        language: str = "zh",
        boundary: Any = None,
    ) -> tuple[Call, Case, str]:
        """Make a case of a call in the one pool; return both, and the code by which the caller follows it.

        Parameters
        ----------
        session, asker, number, seen
            On whose behalf, of which call, and the step of it that was seen.
        demand
            What the caller wants.
        type_
            The case's kind (`component`, `matter`) and type.
        join
            An open case of the same, which this one joins.
        wishes
            Of what the caller wants to be told by SMS; see `citizens.WISHES`.
        language
            The caller's: `zh` or `en`.
        boundary
            The city's outline; see `citizens.take_in`.

        Raises
        ------
        UnknownCallError, RefusedError, CallChangedError, CallRuleError, BadFieldError, ElsewhereError
            Nothing has changed then.

        """
        call = self.open(session, asker, number, "made_case", seen)
        self.desk.policies().check(asker, policy.TAKE, CITY)
        regime = self.desk.regime(session)
        data = self._demand_data(session, regime, demand)
        said = needed("description", demand.words)
        contact = Contact(sms=self.number_of(session, number), wishes=tuple(wishes)) if wishes else Contact()
        secret = secrets.token_hex(16)
        given = CitizenReport(
            secret, *type_, demand.lon, demand.lat, said, join=join, language=language, contact=contact,
            source="hotline", source_key=number, area=_area(demand.area) if demand.area else "",
        )  # fmt: skip
        case, _ = citizens.take_in(session, self.desk, given, boundary=boundary, by=asker)
        data |= {"case": case.number, "area": case.area, "joined": case.main is not None}
        if case.cell is not None:
            data |= {"cell": str(case.cell), "level": case.level}
        self.act(session, asker, call, "made_case", data, {"description": said})
        return call, case, citizens.code_of(secret)

    def dismiss(self, session: Session, asker: Asker, number: str, reason: str, *, seen: int) -> Call:
        """End a call that holds no demand: a wrong number, silence."""
        call = self.open(session, asker, number, "dismissed", seen)
        self.desk.policies().check(asker, policy.TAKE, CITY)
        self.act(session, asker, call, "dismissed", {}, {"reason": needed("reason", reason)})
        return call

    def _demand_data(self, session: Session, regime: Regime, demand: Demand) -> dict[str, Any]:
        hotline = regime.hotline
        for field, value, listed in (
            ("kind", demand.kind, hotline.kinds),
            ("urgency", demand.urgency, hotline.urgencies),
        ):
            if value not in [one.key for one in listed]:
                raise BadFieldError(
                    field, Text(f"没有 {value[:40]} 这一类", f"there is no {field} {value[:40]}.")
                )
        if len(demand.articles) > _MOST_ARTICLES:
            raise BadFieldError("articles", Text("引用的知识过多", "too many articles are named."))
        clock = hotline.clock(demand.kind, demand.urgency)
        uses = [knowledge.use(session, article, helped) for article, helped in demand.articles]
        return {
            "kind": demand.kind, "urgency": demand.urgency,
            "dispatch": [clock.dispatch.unit, clock.dispatch.amount],
            "reply": [clock.reply.unit, clock.reply.amount],
            "articles": [[one.article, one.version, one.helped] for one in uses],
        }  # fmt: skip


def _area(code: str) -> str:
    if not _AREA.fullmatch(code):
        raise BadFieldError(
            "area", Text("区域代码为 6、9、12 或 15 位数字", "an area's code has 6, 9, 12 or 15 digits.")
        )
    return code
