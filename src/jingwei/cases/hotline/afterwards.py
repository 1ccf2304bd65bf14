"""What follows a call: its caller is told and asked, it is reviewed, or left out of the rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei.access import Asker
from jingwei.cases import policy as case_policy
from jingwei.cases import words
from jingwei.cases.case import decode as decode_case
from jingwei.cases.errors import BadFieldError
from jingwei.cases.hotline import policy
from jingwei.cases.hotline.errors import CallRuleError
from jingwei.cases.hotline.steps import CALLS, Steps, needed
from jingwei.cases.regime import PARTS
from jingwei.cases.store import CASES
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.cases.case import Case
    from jingwei.cases.hotline.call import Call

ANSWERS = ("yes", "no", "unclear")
"""What a caller may say, to each of the two questions of a call-back."""
LATER_PHASES = ("check", "close")
"""Phases of a case in which the department has handed it back: then its caller is asked."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller said when called back."""

    reached: bool
    solved: str = ""
    satisfied: str = ""
    words: str = ""
    reopen: bool = False


class Afterwards(Steps):
    """What is done when a call is over."""

    def reply(
        self, session: Session, asker: Asker, number: str, said: str = "", *, reached: bool, seen: int
    ) -> Call:
        """Note that a caller was told what becomes of the demand, by the hotline or the department."""
        call = self.locked(session, number)
        case = self.case_of(session, call)
        if case is None:
            self.check_readable(asker, call)
        else:
            self.desk.policies().check(asker, policy.REPLY, case_policy.resource_of(case))
        self.check_step(call, "replied", seen)
        self.act(
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
        call = self.open(session, asker, number, "called_back", seen)
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
        self.act(session, asker, call, "called_back", data, {"words": said})
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
        call = self.open(session, asker, number, "reviewed", seen)
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
        self.act(session, asker, call, "reviewed", data, {"words": words.check_words("words", said)})
        return call

    def exempt(self, session: Session, asker: Asker, number: str, reason: str, *, seen: int) -> Call:
        """Leave a call out of the rates; what it was stays."""
        call = self.open(session, asker, number, "exempted", seen)
        self.desk.policies().check(asker, policy.EXEMPT, policy.resource_of(call))
        self.act(session, asker, call, "exempted", {}, {"reason": needed("reason", reason)})
        return call


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
