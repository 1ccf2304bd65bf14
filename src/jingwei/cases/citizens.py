"""Citizens without an account: who holds the secret of a report stands as its reporter, and nobody else.

The secret is made on the citizen's telephone, and only its digest is kept here. So a report that is sent
twice, because the network lost the answer, is one report with one link; and who reads the records can follow
none.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import shapely
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from jingwei.access import Asker
from jingwei.cases import policy
from jingwei.cases.case import Case
from jingwei.cases.duplicates import metres_between, place_of
from jingwei.cases.errors import BadFieldError, ElsewhereError, GuardError, NoSuchReportError
from jingwei.cases.models import Following
from jingwei.cases.schemas import Report
from jingwei.cases.store import case_of
from jingwei.records import Prepared, now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement, Table
    from sqlalchemy.orm import Session

    from jingwei.cases.ground import Ground
    from jingwei.cases.service import Desk
    from jingwei.cases.settings import Settings

FOLLOWING: Table = Following.__table__  # type: ignore[assignment]


def _entering(dialect: str) -> ClauseElement:
    new: Any = (postgresql if dialect == "postgresql" else sqlite).insert(FOLLOWING)
    new = new.values({one.name: bindparam(one.name, type_=one.type) for one in FOLLOWING.c})
    made: ClauseElement = new.on_conflict_do_nothing().returning(FOLLOWING.c.secret)
    return made


def _finding(column: Any) -> Prepared:
    asked = (FOLLOWING.c.secret, FOLLOWING.c.reporter, FOLLOWING.c.case, FOLLOWING.c.contact)
    return Prepared(select(*asked).where(column == bindparam("digest", type_=column.type)))


_ENTER = Prepared(_entering)
_LEAD = Prepared(
    update(FOLLOWING)
    .where(FOLLOWING.c.secret == bindparam("mine", type_=FOLLOWING.c.secret.type))
    .values(case=bindparam("to"))
)
_BY_SECRET, _BY_CODE = _finding(FOLLOWING.c.secret), _finding(FOLLOWING.c.code)

SECRET = re.compile(r"[0-9a-f]{32,64}")
"""At least 128 bits, made by the telephone."""
CODE_LENGTH = 10
"""Characters of the code by which one follows a report without the link: 50 bits, asked for at a rate."""
_CODE = re.compile(r"[A-Z2-7]{10}")
_MAIL = re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]{1,180}\.[^@\s<>,;\".]{2,24}")
_PHONE = re.compile(r"\+?[0-9][0-9 -]{5,18}[0-9]")
JOIN_METRES = 250
"""How far apart a report and the one that it joins may be."""
WISHES = ("received", "progress", "done")
"""What a reporter may want to be told: that it came in, every step, or how it ended."""

STEPS = ("supplement", "correct", "redact", "hide", "withdraw", "evaluate", "reopen")
"""What a reporter may do with the own report, in the order of the page."""


@dataclass(frozen=True, slots=True)
class Contact:
    """What a reporter chose to be told by, and of what; empty where nothing was chosen."""

    email: str = ""
    sms: str = ""
    wechat: str = ""
    wishes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CitizenReport:
    """A report as a citizen sends it; coordinates are degrees, WGS84."""

    secret: str
    kind: str
    type: str
    lon: float | None
    lat: float | None
    description: str = ""
    photos: tuple[str, ...] = ()
    at: datetime | None = None
    join: str = ""
    private: bool = False
    language: str = "zh"
    contact: Contact = field(default_factory=Contact)
    source: str = "public"
    source_key: str | None = None
    area: str = ""


def reporter_of(secret: str) -> Asker:
    """Return who stands behind a secret.

    Raises
    ------
    BadFieldError
        Where it is none.

    """
    if not SECRET.fullmatch(secret):
        raise BadFieldError(
            "secret",
            Text(
                "上报凭据应为 32 至 64 位十六进制字符", "a report's secret has 32 to 64 hexadecimal digits."
            ),
        )
    name = _digest("reporter", secret).hex()[:24]
    return Asker(f"citizen/{name}", "市民", frozenset({"citizen"}))


def code_of(secret: str) -> str:
    """Return the code by which a report is followed where the link is not at hand, as it is said aloud."""
    return base64.b32encode(_digest("code", secret)).decode()[:CODE_LENGTH]


def _digest(what: str, secret: str) -> bytes:
    return hashlib.sha256(f"jingwei {what}: {secret}".encode()).digest()


def take_in(
    session: Session,
    desk: Desk,
    given: CitizenReport,
    *,
    boundary: Any = None,
    by: Asker | None = None,
) -> tuple[Case, Asker]:
    """Take in a citizen's report, once for each secret; return its case and its reporter.

    Parameters
    ----------
    session, desk
        Where it is kept.
    given
        The report.
    boundary
        The city's outline (shapely, WGS84) where it has no grids; None where it is not known.
    by
        Who writes it down for the reporter, such as who took a call; the reporter where nobody does.

    Raises
    ------
    ElsewhereError
        Where the place is another city's.
    BadFieldError, UnknownTypeError, PhotoUnknownError, PhotoUsedError
        Nothing is kept then.

    """
    asker = reporter_of(given.secret)
    contact = check_contact(given.contact)
    row = {
        "secret": _digest("secret", given.secret), "code": _digest("by code", code_of(given.secret)),
        "reporter": asker.id, "case": "", "at": now_utc(), "language": given.language, "contact": contact,
    }  # fmt: skip
    if _ENTER.row(session, **row) is None:
        return follow(session, given.secret)
    settings = desk.regime(session).settings
    if given.lon is not None and given.lat is not None:
        check_place(settings, desk.ground(session), given.lon, given.lat, boundary)
    report = Report(
        given.kind, given.type, given.source, given.description, given.lon, given.lat, given.area,
        photos=given.photos, reporter=asker.id, source_key=given.source_key, at=given.at,
    )  # fmt: skip
    case = desk.report(session, by or asker, report)
    if given.private:
        case = desk.act(session, asker, case.number, "hide")
    if given.join:
        case = _join(session, desk, asker, case, given.join)
    _LEAD.run(session, to=case.number, mine=row["secret"])
    return case, asker


def _join(session: Session, desk: Desk, asker: Asker, case: Case, number: str) -> Case:
    """Let a report follow another one of the same; where it cannot, it stays a report of its own."""
    main = public_case(session, desk, number)
    mine, other = place_of(case), place_of(main) if main else None
    if main is None or mine is None or other is None or metres_between(mine, other) > JOIN_METRES:
        return case
    try:
        return desk.act(session, asker, case.number, "join_main", {"main": main.main or main.number})
    except GuardError:  # it ended meanwhile: this one is then the newer report
        return case


def public_case(session: Session, desk: Desk, number: str) -> Case | None:
    """Return a case of which the public may be told."""
    case = case_of(session, number)
    if case is None:
        return None
    may = desk.policies().decide(policy.STRANGER, policy.READ_PUBLIC, policy.resource_of(case)).allowed
    return case if may else None


def check_place(settings: Settings, ground: Ground, lon: float, lat: float, boundary: Any = None) -> None:
    """Raise unless a place (degrees, WGS84) is the city's own.

    Raises
    ------
    ElsewhereError
        Naming whose it is, as far as the city's settings say.

    """
    if len(ground):
        found = ground.locate(lon, lat)
        mine = found.where != "outside" or min(far for _, far in found.neighbours) <= settings.outside_metres
    else:
        mine = boundary is None or bool(shapely.intersects_xy(boundary, lon, lat))
    if mine:
        return
    for one in settings.neighbours:
        west, south, east, north = one.box
        if west <= lon <= east and south <= lat <= north:
            raise ElsewhereError(Text(one.zh, one.en), one.phone, one.address)
    raise ElsewhereError(None, "12345", "")


# following


def follow(session: Session, secret_or_code: str) -> tuple[Case, Asker]:
    """Return the case of a report and who reported it, by its secret or its code.

    Raises
    ------
    NoSuchReportError
        Where there is none.

    """
    row = _row_of(session, secret_or_code)
    case = case_of(session, row.case)
    if case is None:
        raise NoSuchReportError
    return case, Asker(row.reporter, "市民", frozenset({"citizen"}))


class _Row(NamedTuple):
    """Whose a report is."""

    secret: bytes
    reporter: str
    case: str
    contact: dict[str, Any] | None


def _row_of(session: Session, secret_or_code: str) -> _Row:
    given = secret_or_code.strip()
    plain = re.sub(r"[\s-]", "", given).upper()
    if SECRET.fullmatch(given):
        found = _BY_SECRET.row(session, digest=_digest("secret", given))
    elif _CODE.fullmatch(plain):
        found = _BY_CODE.row(session, digest=_digest("by code", plain))
    else:
        raise NoSuchReportError
    row = _Row(*found) if found else None
    if row is None or not row.case:
        raise NoSuchReportError
    return row


def act(
    session: Session,
    desk: Desk,
    secret_or_code: str,
    action: str,
    fields: Mapping[str, Any],
    *,
    seen: int | None = None,
) -> Case:
    """Take a step with one's own report; what concerns the common case is done there.

    Raises
    ------
    NoSuchReportError, BadFieldError, GuardError, ChangedMeanwhileError, NotAllowedNowError
        Nothing has changed then.

    """
    case, asker = follow(session, secret_or_code)
    if action not in STEPS:
        raise BadFieldError(
            "action", Text(f"没有 {action[:40]} 这一步", f"there is no step {action[:40]} for reporters.")
        )
    number = case.main if case.main and action in policy.FOR_ALL_REPORTERS else case.number
    return desk.act(session, asker, number, action, fields, seen=seen if number == case.number else None)


def main_of(session: Session, case: Case) -> Case:
    """Return the case in which a report is dealt with: itself, or the one that it joined."""
    if case.main is None:
        return case
    return case_of(session, case.main) or case


def contact_of(session: Session, secret_or_code: str) -> Contact:
    """Return what the reporter chose to be told by."""
    kept = _row_of(session, secret_or_code).contact or {}
    return Contact(
        kept.get("email", ""), kept.get("sms", ""), kept.get("wechat", ""), tuple(kept.get("wishes", ()))
    )


def set_contact(session: Session, secret_or_code: str, contact: Contact) -> None:
    """Keep what the reporter chooses from now on; what was kept before is gone."""
    row = _row_of(session, secret_or_code)
    session.execute(
        update(FOLLOWING).where(FOLLOWING.c.secret == row.secret).values(contact=check_contact(contact))
    )


def check_contact(given: Contact) -> dict[str, Any]:
    """Return a contact as it is kept.

    Raises
    ------
    BadFieldError
        Where an address or number is none.

    """
    for name, value, form, says in (
        ("email", given.email, _MAIL, Text("电子邮箱写法不对", "this is no e-mail address.")),
        ("sms", given.sms, _PHONE, Text("手机号码写法不对", "this is no telephone number.")),
    ):
        if value and not form.fullmatch(value):
            raise BadFieldError(name, says)
    kept = {"email": given.email, "sms": given.sms, "wechat": given.wechat[:120]}
    wishes = [one for one in WISHES if one in given.wishes]
    found: dict[str, Any] = {name: value for name, value in kept.items() if value}
    return found | {"wishes": wishes} if found else {}
