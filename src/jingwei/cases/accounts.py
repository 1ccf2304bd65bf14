"""An account of a citizen, for who wants one: it gathers one's reports behind an e-mail address.

Nobody needs it. There is no password: a code is sent to the address, and who gives it back is in. Of the
address only a keyed digest is kept, of reports their secrets, sealed: an account is a safe in which they wait
for another telephone. It ends at once, with all that is in it; the reports themselves stay.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select

from jingwei.access.vault import SealBrokenError
from jingwei.cases import citizens
from jingwei.cases.citizens import SECRET, Contact, check_contact
from jingwei.cases.errors import AccountCodeError, BadFieldError, NoAccountError
from jingwei.cases.models import AccountCodeRow, AccountReportRow, AccountRow, Following
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access.vault import Vault

CODE_LASTS = timedelta(minutes=15)
TRIES = 5
"""Of a code, before another must be asked for."""
AGAIN = timedelta(minutes=1)
"""One address is sent no more than one code within it."""
LASTS = timedelta(days=90)
"""How long a telephone is in, without a code."""
MOST_REPORTS = 2_000
_ABOUT = "citizen's account"


@dataclass(frozen=True, slots=True)
class Kept:
    """A report in an account: by its secret it is followed as from the telephone that sent it."""

    secret: str
    case: str
    at: datetime


def ask(session: Session, vault: Vault, email: str) -> str | None:
    """Return a new code for an address; None where one was made a moment ago.

    Raises
    ------
    BadFieldError
        Where it is no address.

    """
    mark = _mark(vault, email)
    now = now_utc()
    session.execute(delete(AccountCodeRow).where(AccountCodeRow.made < now - CODE_LASTS))
    known = session.get(AccountCodeRow, mark)
    if known is not None and known.made > now - AGAIN:
        return None
    if known is not None:
        session.delete(known)
        session.flush()
    code = base64.b32encode(secrets.token_bytes(7)).decode()[:10]
    session.add(AccountCodeRow(mark=mark, code=_digest(code), made=now, tries=0))
    return code


def enter(session: Session, vault: Vault, email: str, code: str) -> str | None:
    """Return a token by which a telephone is in from now on, an account being made where there was none.

    None where the code is wrong; that is counted, so the caller commits it and then says so.
    """
    row = session.get(AccountCodeRow, _mark(vault, email))
    now = now_utc()
    if row is None or row.made < now - CODE_LASTS or row.tries >= TRIES:
        return None
    plain = "".join(one for one in code.upper() if one.isalnum())
    if not secrets.compare_digest(row.code, _digest(plain)):
        row.tries += 1
        return None
    session.delete(row)
    return _entered(session, vault, row.mark)


def enter_vouched(session: Session, vault: Vault, issuer: str, subject: str) -> str:
    """Return the same for whom an OpenID provider vouches, by the subject it tells and nothing else."""
    return _entered(session, vault, vault.digest(f"{_ABOUT} of {issuer}: {subject}"))


def _entered(session: Session, vault: Vault, mark: bytes) -> str:
    account, now = session.scalar(select(AccountRow).where(AccountRow.mark == mark)), now_utc()
    if account is None:
        account = AccountRow(id=secrets.token_hex(16), mark=mark, made=now)
        session.add(account)
    session.flush()
    return vault.seal(json.dumps([account.id, (now + LASTS).timestamp()]), _ABOUT)


def wrong_code() -> AccountCodeError:
    """Return the error that tells of a wrong code."""
    return AccountCodeError()


def account_of(session: Session, vault: Vault, token: str) -> str:
    """Return whose token this is.

    Raises
    ------
    NoAccountError
        Where it is nobody's, any more.

    """
    try:
        account, ends = json.loads(vault.unseal(token, _ABOUT))
    except SealBrokenError as error:
        raise NoAccountError from error
    if ends < now_utc().timestamp() or session.get(AccountRow, account) is None:
        raise NoAccountError
    return str(account)


def put(session: Session, vault: Vault, account: str, given: Sequence[str]) -> int:
    """Keep reports by their secrets; what is no report of ours is left out. Return how many are new."""
    wanted = {citizens.reporter_of(one).id: one for one in given if SECRET.fullmatch(one)}
    there = set(
        session.scalars(
            select(Following.reporter).where(Following.reporter.in_(wanted), Following.case != "")
        )
    )
    mine = select(AccountReportRow.reporter).where(AccountReportRow.account == account)
    known = set(session.scalars(mine))
    new = there - known
    if len(known) + len(new) > MOST_REPORTS:
        raise BadFieldError(
            "secrets", Text(f"一个账号至多 {MOST_REPORTS} 件", f"an account holds {MOST_REPORTS} at most.")
        )
    rows = [
        {
            "account": account, "reporter": one, "at": now_utc(),
            "sealed": vault.seal(wanted[one], f"{_ABOUT} {account}"),
        }
        for one in sorted(new)
    ]  # fmt: skip
    if rows:
        session.execute(insert(AccountReportRow), rows)
    return len(rows)


def reports(session: Session, vault: Vault, account: str) -> list[Kept]:
    """Return the reports of an account, the newest first."""
    question = (
        select(AccountReportRow.sealed, Following.case, Following.at)
        .join(Following, Following.reporter == AccountReportRow.reporter)
        .where(AccountReportRow.account == account)
        .order_by(Following.at.desc(), Following.case)
    )
    return [
        Kept(vault.unseal(sealed, f"{_ABOUT} {account}"), case, at)
        for sealed, case, at in session.execute(question)
    ]


def end(session: Session, account: str) -> int:
    """End an account at once; nothing of it is kept. Return how many reports were in it."""
    count = select(func.count()).select_from(AccountReportRow).where(AccountReportRow.account == account)
    held = session.scalar(count) or 0
    session.execute(delete(AccountReportRow).where(AccountReportRow.account == account))
    session.execute(delete(AccountRow).where(AccountRow.id == account))
    return held


def _mark(vault: Vault, email: str) -> bytes:
    check_contact(Contact(email=email))
    if not email:
        raise BadFieldError("email", Text("请填写电子邮箱", "an e-mail address is missing."))
    return vault.digest(f"{_ABOUT}: {email.strip().lower()}")


def _digest(code: str) -> bytes:
    return hashlib.sha256(f"jingwei account code: {code}".encode()).digest()
