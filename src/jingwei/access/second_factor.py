"""Second factors: codes of a device (TOTP, RFC 6238), and recovery codes for when the device is lost."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pyotp

from jingwei import ledger
from jingwei.access.errors import CodeError
from jingwei.access.people import check_not_separated, person_row
from jingwei.errors import ConflictError
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access.asker import Asker
    from jingwei.access.models import PersonRow
    from jingwei.access.vault import Vault

RECOVERY_CODES = 10
OFFER_LASTS = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Offer:
    """A new secret: as text, as the address that a device reads, and sealed, to be handed back."""

    secret: str
    address: str
    sealed: str


def offer(session: Session, vault: Vault, person: str, issuer: str) -> Offer:
    """Return a new secret for a person's device; nothing is changed yet.

    Parameters
    ----------
    session, vault
        Where it is looked up and sealed.
    person
        Whose it is to be.
    issuer
        The name of the city, which the device shows.

    """
    row = person_row(session, person)
    _check_none(row)
    secret = pyotp.random_base32()
    address = pyotp.TOTP(secret).provisioning_uri(name=row.login, issuer_name=issuer)
    ends = (now_utc() + OFFER_LASTS).timestamp()
    return Offer(secret, address, vault.seal(json.dumps([secret, ends]), f"offer/{row.id}"))


def set_up(session: Session, vault: Vault, person: str, sealed: str, code: str) -> list[str]:
    """Turn the second factor on, once `code` shows that the device has the secret; return recovery codes.

    Raises
    ------
    SealBrokenError
        Where the offer was made to someone else.
    CodeError
        Where the code is not the device's, or the offer has ended.

    """
    row = person_row(session, person, lock=True)
    _check_none(row)
    secret, ends = json.loads(vault.unseal(sealed, f"offer/{row.id}"))
    step = _step_of(secret, code, now_utc())
    if step is None or now_utc().timestamp() > ends:
        raise CodeError
    row.totp_secret, row.totp_used = vault.seal(secret, f"totp/{row.id}"), step
    _tell(session, f"person/{row.id}", "person.second_factor_set", row.id)
    return _new_recovery_codes(row)


def renew_recovery_codes(session: Session, person: str) -> list[str]:
    """Return new recovery codes; those given before end."""
    row = person_row(session, person, lock=True)
    if row.totp_secret is None:
        raise ConflictError(Text("尚未启用动态验证码", "no second factor is set up."))
    _tell(session, f"person/{row.id}", "person.recovery_codes_renewed", row.id)
    return _new_recovery_codes(row)


def remove(session: Session, asker: Asker, person: str) -> None:
    """Turn the second factor off: by the person, or by an administrator when the device is lost.

    Raises
    ------
    SeparatedPersonError
        For another person with one of the three separated duties.

    """
    row = person_row(session, person, lock=True)
    if asker.id not in (f"person/{row.id}", "system"):
        check_not_separated(session, person)
    row.totp_secret, row.totp_used, row.recovery_codes = None, None, []
    _tell(session, asker.id, "person.second_factor_removed", row.id)


def is_code(session: Session, vault: Vault, row: PersonRow, code: str, now: datetime) -> bool:
    """Say whether `code` is the device's, not used before, or a recovery code, which is then used up."""
    digest = _digest(code)
    if digest in row.recovery_codes:
        row.recovery_codes = [kept for kept in row.recovery_codes if kept != digest]
        left = len(row.recovery_codes)
        _tell(session, f"person/{row.id}", "person.recovery_code_used", row.id, left=left)
        return True
    if row.totp_secret is None:
        return False
    step = _step_of(vault.unseal(row.totp_secret, f"totp/{row.id}"), code, now)
    if step is None or step <= (row.totp_used or 0):
        return False
    row.totp_used = step
    return True


def _check_none(row: PersonRow) -> None:
    if row.totp_secret is not None:
        raise ConflictError(Text("动态验证码已启用", "a second factor is set up already."))
    if row.password is None:
        raise ConflictError(
            Text("此账号不使用密码登录", "this account is not signed in to by password."),
            mend=Text("请在统一身份认证中设置", "Set one up where you sign in."),
        )


def _new_recovery_codes(row: PersonRow) -> list[str]:
    codes = [secrets.token_hex(8) for _ in range(RECOVERY_CODES)]
    row.recovery_codes = [_digest(code) for code in codes]
    return ["-".join(code[i : i + 4] for i in range(0, 16, 4)) for code in codes]


def _digest(code: str) -> str:
    """Return what is kept of a recovery code of 64 random bits, however it is spelled."""
    return hashlib.sha256(code.strip().lower().replace("-", "").replace(" ", "").encode()).hexdigest()


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """Return the time step of which `code` is the code: this one, or a neighbour, for clocks differ."""
    totp = pyotp.TOTP(secret)
    step = int(now.timestamp()) // totp.interval
    given = code.strip().replace(" ", "").encode()
    for near in (step, step - 1, step + 1):
        if hmac.compare_digest(totp.at(near * totp.interval).encode(), given):
            return near
    return None


def _tell(session: Session, actor: str, what: str, person: str, **data: object) -> None:
    ledger.append(session, what, actor=actor, subject=f"person/{person}", data=data)
