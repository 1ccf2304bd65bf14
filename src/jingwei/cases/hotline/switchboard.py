"""What can be done with calls: take them, answer or make cases of them, reply, call back, review.

Like the desk of cases: policies are asked, rules checked, the event appended, and what it makes of the call
written, in the caller's transaction. Cases come from `citizens.take_in`, the one way into the pool for who
has no account; so a caller gets a code to follow the report by, as everybody does.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import insert, select, update

from jingwei import ledger
from jingwei.access import Asker
from jingwei.access.policy import RefusedError, Resource, Situation
from jingwei.access.policy.masks import masked
from jingwei.cases import citizens, words
from jingwei.cases import policy as case_policy
from jingwei.cases.calendar import instant, moment
from jingwei.cases.case import Case
from jingwei.cases.case import decode as decode_case
from jingwei.cases.citizens import CitizenReport, Contact
from jingwei.cases.errors import BadFieldError
from jingwei.cases.hotline import knowledge, policy
from jingwei.cases.hotline.call import PREFIX, SUBJECT, Call, Use, apply, decode, encode
from jingwei.cases.hotline.errors import (
    CallChangedError,
    CallRuleError,
    NumberGoneError,
    UnknownCallError,
)
from jingwei.cases.hotline.models import CallRow
from jingwei.cases.regime import PARTS
from jingwei.cases.store import CASES, count_up
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from jingwei.access.vault import Vault
    from jingwei.cases.regime import Regime
    from jingwei.cases.service import Desk

CALLS: Table = CallRow.__table__  # type: ignore[assignment]
CITY = Resource("City")
CHANNELS = {
    "phone": Text("电话", "telephone"),
    "message": Text("网站、小程序留言", "message of a site or app"),
    "visit": Text("来访", "visit"),
}
"""By what way a demand reaches the hotline."""
ANSWERS = ("yes", "no", "unclear")
"""What a caller may say, to each of the two questions of a call-back."""
LATER_PHASES = ("check", "close")
"""Phases of a case in which the department has handed it back: then its caller is asked."""
_SOURCES = {
    "answered": ("taken",), "made_case": ("taken",), "dismissed": ("taken",), "replied": ("in_case",),
    "called_back": ("answered", "in_case"), "reviewed": ("answered", "in_case", "dismissed"),
    "exempted": ("answered", "in_case"),
}  # fmt: skip
_TARGETS = {"answered": "answered", "made_case": "in_case", "dismissed": "dismissed"}
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


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller said when called back."""

    reached: bool
    solved: str = ""
    satisfied: str = ""
    words: str = ""
    reopen: bool = False


class Switchboard:
    """Where calls are taken and followed up.

    Parameters
    ----------
    desk
        Where cases are made, and whose policies and settings are in force.
    vault
        Seals callers' numbers, and makes the digests by which earlier calls are found.

    """

    def __init__(self, desk: Desk, vault: Vault) -> None:
        self.desk, self._vault = desk, vault

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
        self._happen(session, asker, call, name, data)
        row = {
            "number": call.number, "began": instant(when), "source_key": source_key,
            "caller": self._digest(digits) if digits else None,
            "sealed": self._vault.seal(digits, SUBJECT + call.number) if digits else None, **_columns(call),
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
        call = self._open(session, asker, number, "answered", seen)
        self.desk.policies().check(asker, policy.TAKE, CITY)
        regime = self.desk.regime(session)
        data = self._demand_data(session, regime, demand)
        place: dict[str, Any] = {"area": _area(demand.area)} if demand.area else {}
        if demand.lon is not None and demand.lat is not None:
            found = self.desk.ground(session).locate(demand.lon, demand.lat)
            place = {"area": found.area or demand.area, "cell": str(found.cell), "level": found.level}
        written = {"description": _said(demand.words), "words": words.check_words("words", answer)}
        self._act(session, asker, call, "answered", data | place, written)
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
        call = self._open(session, asker, number, "made_case", seen)
        self.desk.policies().check(asker, policy.TAKE, CITY)
        regime = self.desk.regime(session)
        data = self._demand_data(session, regime, demand)
        said = _said(demand.words)
        contact = Contact(sms=self._number(session, number), wishes=tuple(wishes)) if wishes else Contact()
        secret = secrets.token_hex(16)
        given = CitizenReport(
            secret, *type_, demand.lon, demand.lat, said, join=join, language=language, contact=contact,
            source="hotline", source_key=number, area=_area(demand.area) if demand.area else "",
        )  # fmt: skip
        case, _ = citizens.take_in(session, self.desk, given, boundary=boundary, by=asker)
        data |= {"case": case.number, "area": case.area, "joined": case.main is not None}
        if case.cell is not None:
            data |= {"cell": str(case.cell), "level": case.level}
        self._act(session, asker, call, "made_case", data, {"description": said})
        return call, case, citizens.code_of(secret)

    def dismiss(self, session: Session, asker: Asker, number: str, reason: str, *, seen: int) -> Call:
        """End a call that holds no demand: a wrong number, silence."""
        call = self._open(session, asker, number, "dismissed", seen)
        self.desk.policies().check(asker, policy.TAKE, CITY)
        self._act(session, asker, call, "dismissed", {}, {"reason": _needed("reason", reason)})
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

    # afterwards

    def reply(
        self, session: Session, asker: Asker, number: str, said: str = "", *, reached: bool, seen: int
    ) -> Call:
        """Note that a caller was told what becomes of the demand, by the hotline or the department."""
        call = self._locked(session, number)
        case = self.case_of(session, call)
        if case is None:
            self._check_readable(asker, call)
        else:
            self.desk.policies().check(asker, policy.REPLY, case_policy.resource_of(case))
        self._check_step(call, "replied", seen)
        self._act(
            session, asker, call, "replied", {"reached": reached}, {"words": words.check_words("words", said)}
        )
        return call

    def reply_for_case(
        self, session: Session, asker: Asker, number: str, said: str = "", *, reached: bool
    ) -> list[Call]:
        """Note that all callers of a case were told, as the department does that handles it.

        Raises
        ------
        UnknownCaseError, RefusedError, CallRuleError
            Nothing has changed then; the last where nobody called about the case.

        """
        case = self.desk.get(session, asker, number)
        mine = CALLS.c.case.in_([case.number, *case.others])
        found = session.execute(select(CALLS.c.number, CALLS.c.step).where(mine, CALLS.c.state == "in_case"))
        told = [
            self.reply(session, asker, call, said, reached=reached, seen=step) for call, step in found.all()
        ]
        if not told:
            raise CallRuleError(
                number, "no_call", Text("没有关于此案件的来电", "nobody called about this case.")
            )
        return told

    def call_back(self, session: Session, asker: Asker, number: str, told: Told, *, seen: int) -> Call:
        """Note what a caller said when asked afterwards; “not solved” may take up the case again.

        Raises
        ------
        CallRuleError
            Where the case is not done yet, or the caller was asked already.
        GuardError
            Where the case cannot be taken up again.

        """
        call = self._open(session, asker, number, "called_back", seen)
        self.desk.policies().check(asker, policy.CALL_BACK, policy.resource_of(call))
        case = self.case_of(session, call)
        _check_to_be_asked(call, case)
        data: dict[str, Any] = {"reached": told.reached}
        if told.reached:
            for field, value in (("solved", told.solved), ("satisfied", told.satisfied)):
                if value not in ANSWERS:
                    raise BadFieldError(
                        field,
                        Text(
                            "是否解决、是否满意须分别回答：yes、no 或 unclear",
                            "solved and satisfied are two answers: yes, no or unclear each.",
                        ),
                    )
                data[field] = value
        said = words.check_words("words", told.words)
        if told.reopen:
            self._reopen(session, call, case, told, said)
            data["reopened"] = True
        self._act(session, asker, call, "called_back", data, {"words": said})
        return call

    def _reopen(self, session: Session, call: Call, case: Case | None, told: Told, said: str) -> None:
        """Take a case up again for its caller, who said that it is not solved."""
        if case is None or not told.reached or told.solved != "no":
            raise CallRuleError(
                call.number,
                "not_solved",
                Text(
                    "只有联系上且回答“未解决”，才能重办",
                    "a case is taken up again only where its caller said that it is not solved.",
                ),
            )
        own = session.scalars(select(CASES.c.body).where(CASES.c.number == call.case)).one()
        caller = Asker(decode_case(own).reporter or "", "市民", frozenset({"citizen"}))
        self.desk.act(session, caller, case.number, "reopen", {"reason": said or "回访：未解决"})

    def review(
        self,
        session: Session,
        asker: Asker,
        number: str,
        scores: Mapping[str, int],
        said: str = "",
        *,
        seen: int,
    ) -> Call:
        """Review a call by the sheet in force; nobody reviews a call that he had a part in.

        Raises
        ------
        CallRuleError, BadFieldError
            Where it is the own call, or the scores do not fit the sheet.

        """
        call = self._open(session, asker, number, "reviewed", seen)
        policies, resource = self.desk.policies(), policy.resource_of(call)
        policies.check(asker, policy.REVIEW, resource)
        if asker.id in call.hands and not policies.decide(asker, policy.ALONE, resource).allowed:
            raise CallRuleError(
                number,
                "own_call",
                Text("不能质检自己接听的来电", "nobody reviews a call that he took himself."),
                mend=Text("请由其他质检员评分。", "Let another reviewer do it."),
            )
        regime = self.desk.regime(session)
        sheet = regime.hotline.sheet
        if set(scores) != {one.key for one in sheet}:
            raise BadFieldError(
                "scores",
                Text("评分表的每一项都须评分", "each item of the sheet has a score, and nothing else."),
            )
        for one in sheet:
            if not 0 <= scores[one.key] <= one.most:
                raise BadFieldError(
                    "scores", Text(f"{one.zh}：0 至 {one.most} 分", f"{one.en}: 0 to {one.most} points.")
                )
        data = {
            "sheet": regime.versions[PARTS.index("hotline")], "scores": dict(scores),
            "points": sum(scores.values()), "most": sum(one.most for one in sheet),
        }  # fmt: skip
        self._act(session, asker, call, "reviewed", data, {"words": words.check_words("words", said)})
        return call

    def exempt(self, session: Session, asker: Asker, number: str, reason: str, *, seen: int) -> Call:
        """Leave a call out of the rates; what it was stays."""
        call = self._open(session, asker, number, "exempted", seen)
        self.desk.policies().check(asker, policy.EXEMPT, policy.resource_of(call))
        self._act(session, asker, call, "exempted", {}, {"reason": _needed("reason", reason)})
        return call

    # numbers of callers

    def read_number(self, session: Session, asker: Asker, number: str, purpose: str) -> str:
        """Return a caller's number as it is, to who may see it for a purpose; that is an event of the log.

        Raises
        ------
        RefusedError, NumberGoneError, BadFieldError, UnknownCallError
            Nothing is told then.

        """
        call = self.get(session, asker, number)
        what_for = _needed("words", purpose)[:200]
        field = policy.caller_field(self.desk.regime(session).hotline.department)
        situation = Situation(purpose=what_for)
        policies = self.desk.policies()
        if policies.mask(asker, field, situation) != "clear":
            raise RefusedError("field.read", policies.decide(asker, "field.read", field, situation))
        digits = self._number(session, number)
        ledger.append(
            session,
            PREFIX + "number_read",
            actor=asker.id,
            subject=SUBJECT + call.number,
            data={"purpose": what_for},
        )
        return digits

    def shown_numbers(
        self, session: Session, asker: Asker, rows: Sequence[tuple[str, str | None]]
    ) -> list[str | None]:
        """Return callers' numbers as the policies show them where nobody says what for; at most masked."""
        field = policy.caller_field(self.desk.regime(session).hotline.department)
        mask = self.desk.policies().mask(asker, field)
        shown = "partial" if mask == "clear" else mask
        return [
            None if sealed is None else masked(
                self._vault.unseal(sealed, SUBJECT + number), shown, self._vault.digest("callers shown")
            )
            for number, sealed in rows
        ]  # fmt: skip

    def digest_of(self, caller: str) -> bytes | None:
        """Return by what earlier calls of a number are found; None for no number."""
        digits = plain_number(caller)
        return self._digest(digits) if digits else None

    def _digest(self, digits: str) -> bytes:
        return self._vault.digest(f"caller {digits}")

    def _number(self, session: Session, number: str) -> str:
        sealed = session.scalar(select(CALLS.c.sealed).where(CALLS.c.number == number))
        if sealed is None:
            raise NumberGoneError(number)
        return self._vault.unseal(sealed, SUBJECT + number)

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
        self._check_readable(asker, call)
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

    def _check_readable(self, asker: Asker, call: Call) -> None:
        if not self.may_read(asker, call):
            raise UnknownCallError(call.number)

    # acting

    def _locked(self, session: Session, number: str) -> Call:
        body = session.scalar(select(CALLS.c.body).where(CALLS.c.number == number).with_for_update())
        if body is None:
            raise UnknownCallError(number)
        return decode(body)

    def _open(self, session: Session, asker: Asker, number: str, name: str, seen: int) -> Call:
        """Return a call that nobody else changes meanwhile, and to which the event may happen."""
        call = self._locked(session, number)
        self._check_readable(asker, call)
        self._check_step(call, name, seen)
        return call

    def _check_step(self, call: Call, name: str, seen: int) -> None:
        if seen != call.step:
            raise CallChangedError(call.number, seen, call.step)
        if call.state not in _SOURCES[name]:
            raise CallRuleError(
                call.number,
                "state",
                Text("来电的状态不允许这一步", "the call is not in a state from which this can be done."),
            )

    def _act(
        self,
        session: Session,
        asker: Asker,
        call: Call,
        name: str,
        data: dict[str, Any],
        written: Mapping[str, str],
    ) -> None:
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
        self._happen(session, asker, call, name, head | data)
        words.keep(session, rows)
        mine = update(CALLS).where(CALLS.c.number == call.number, CALLS.c.step == before)
        session.execute(mine.values(_columns(call)))

    def _happen(self, session: Session, asker: Asker, call: Call, name: str, data: dict[str, Any]) -> None:
        apply(call, name, asker.id, data)
        ledger.append(
            session, f"{PREFIX}call_{name}", actor=asker.id, subject=SUBJECT + call.number, data=data
        )


def _columns(call: Call) -> dict[str, Any]:
    heard = call.heard
    return {
        "step": call.step, "state": call.state, "taker": call.taker, "case": call.case,
        "heard": heard is not None and not heard.reopened, "reviewed": bool(call.reviews),
        "body": encode(call),
    }  # fmt: skip


def _check_to_be_asked(call: Call, case: Case | None) -> None:
    """Raise unless what a caller wanted is done, and he was not asked since."""
    if not _is_done(case):
        raise CallRuleError(
            call.number,
            "not_done",
            Text("案件尚未办完，不能回访", "the case is not done yet: its caller is not asked before."),
        )
    if _was_asked(call, case):
        raise CallRuleError(call.number, "asked", Text("已经回访过", "the caller was called back already."))


def is_to_be_asked(call: Call, case: Case | None) -> bool:
    """Say whether a caller can be called back now."""
    return call.state in ("answered", "in_case") and _is_done(case) and not _was_asked(call, case)


def _is_done(case: Case | None) -> bool:
    return case is None or case.stands.terminal or case.stands.phase in LATER_PHASES


def _was_asked(call: Call, case: Case | None) -> bool:
    heard = call.heard
    since = case.at.get("reopened", 0) if case is not None else 0
    return heard is not None and not heard.reopened and heard.at >= since


def plain_number(caller: str) -> str:
    """Return the digits of a telephone number as it is kept: without signs and without China's 86.

    Raises
    ------
    BadFieldError
        Where it is none.

    """
    digits = re.sub(r"[\s()（）+-]", "", caller)
    if not digits:
        return ""
    if not re.fullmatch(r"[0-9]{3,20}", digits):
        raise BadFieldError("caller", Text("电话号码写法不对", "this is no telephone number."))
    return re.sub(r"^(?:00)?86(?=1[0-9]{10}$)", "", digits)


def _area(code: str) -> str:
    if not _AREA.fullmatch(code):
        raise BadFieldError(
            "area", Text("区域代码为 6、9、12 或 15 位数字", "an area's code has 6, 9, 12 or 15 digits.")
        )
    return code


def _said(text: str) -> str:
    return _needed("description", text)


def _needed(field: str, text: str) -> str:
    said = words.check_words(field, text)
    if not said:
        raise BadFieldError(field, Text("不能为空", "must not be empty."))
    return said


__all__ = ["ANSWERS", "CALLS", "CHANNELS", "Demand", "Switchboard", "Told", "Use", "plain_number"]
