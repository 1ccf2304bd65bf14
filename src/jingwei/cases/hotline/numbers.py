"""Numbers of callers: sealed, shown as far as the policies allow, and found again by a keyed digest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select

from jingwei import ledger
from jingwei.access.policy import RefusedError, Situation
from jingwei.access.policy.masks import masked
from jingwei.cases.errors import BadFieldError
from jingwei.cases.hotline import policy
from jingwei.cases.hotline.call import PREFIX, SUBJECT
from jingwei.cases.hotline.errors import NumberGoneError
from jingwei.cases.hotline.steps import CALLS, Steps, needed
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access import Asker


class Numbers(Steps):
    """The numbers that calls came from."""

    def read_number(self, session: Session, asker: Asker, number: str, purpose: str) -> str:
        """Return a caller's number as it is, to who may see it for a purpose; that is an event of the log.

        Raises
        ------
        RefusedError, NumberGoneError, BadFieldError, UnknownCallError
            Nothing is told then.

        """
        call = self.get(session, asker, number)
        what_for = needed("words", purpose)[:200]
        field = policy.caller_field(self.desk.regime(session).hotline.department)
        situation = Situation(purpose=what_for)
        policies = self.desk.policies()
        if policies.mask(asker, field, situation) != "clear":
            raise RefusedError("field.read", policies.decide(asker, "field.read", field, situation))
        digits = self.number_of(session, number)
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
                self.vault.unseal(sealed, SUBJECT + number), shown, self.vault.digest("callers shown")
            )
            for number, sealed in rows
        ]  # fmt: skip

    def digest_of(self, caller: str) -> bytes | None:
        """Return by what earlier calls of a number are found; None for no number."""
        digits = plain_number(caller)
        return self.mark_of(digits) if digits else None

    def mark_of(self, digits: str) -> bytes:
        """Return the keyed digest of a number."""
        return self.vault.digest(f"caller {digits}")

    def number_of(self, session: Session, number: str) -> str:
        """Return the number of a call in the clear, or raise where it is gone."""
        sealed = session.scalar(select(CALLS.c.sealed).where(CALLS.c.number == number))
        if sealed is None:
            raise NumberGoneError(number)
        return self.vault.unseal(sealed, SUBJECT + number)


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
