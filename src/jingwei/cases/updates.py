"""Updates of service requests, by mySociety's extension of Open311.

Offered where the city has said so (`open311_updates`). What is told are the events and published wordings
that everybody is told of; what another system sends is a supplement to what it reported itself, or its "not
fixed".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei.cases import public
from jingwei.cases.board import Choice
from jingwei.cases.calendar import instant, moment
from jingwei.cases.case import decode
from jingwei.cases.errors import BadFieldError
from jingwei.cases.field import note_sent, sent_before
from jingwei.cases.lifecycle import STATES
from jingwei.cases.open311 import MOST, NoRequestError, w3c
from jingwei.cases.policy import STRANGER
from jingwei.cases.replay import PREFIX
from jingwei.cases.store import CASES, SUBJECT
from jingwei.errors import NotFoundError
from jingwei.ledger.models import Event
from jingwei.words import Language, Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.cases.board import Board
    from jingwei.cases.service import Desk
    from jingwei.cases.settings import Settings

LONGEST = 2000
CHUNK = 400
TYPES = tuple(f"{PREFIX}{name}" for name in public.HAPPENED)
STATUS = {
    "reported": "OPEN", "pending_verify": "INVESTIGATING", "pending_register": "OPEN",
    "not_accepted": "NO_FURTHER_ACTION", "duplicate": "DUPLICATE", "self_handled": "FIXED",
    "pending_dispatch": "INVESTIGATING", "returned": "INVESTIGATING", "pending_handle": "ACTION_SCHEDULED",
    "handling": "IN_PROGRESS", "handle_finish": "IN_PROGRESS", "suspended": "ACTION_SCHEDULED",
    "pending_check": "IN_PROGRESS", "checking": "IN_PROGRESS", "pending_close": "IN_PROGRESS",
    "closed": "FIXED", "forced_close": "CLOSED", "cancelled": "CANCELLED", "withdrawn": "CANCELLED",
}  # fmt: skip
"""Each state as the extension names it."""
GIVEN = frozenset(
    {*STATUS.values(), "REOPEN", "NOT_COUNCILS_RESPONSIBILITY", "INTERNAL_REFERRAL", "FOR_TRIAGE"}
)


class NoUpdatesError(NotFoundError):
    """The city has not opted for updates."""

    code = "updates-not-offered"

    def __init__(self) -> None:
        super().__init__(Text("本市未开通进展扩展", "this city does not offer the extension for updates."))


@dataclass(frozen=True, slots=True)
class GivenUpdate:
    """An update as another system sends it; `id` is its own."""

    request: str
    id: str = ""
    status: str = ""
    description: str = ""


def check_offered(settings: Settings) -> None:
    """Raise unless the city has opted for updates.

    Raises
    ------
    NoUpdatesError
        Where it has not.

    """
    if not settings.open311_updates:
        raise NoUpdatesError


def updates(
    session: Session, board: Board, since: int, until: int, language: Language, root: str
) -> list[dict[str, Any]]:
    """Return what happened to public cases between two instants (microseconds), the oldest first.

    Parameters
    ----------
    session, board
        Where events and cases are.
    since, until
        From the first on, before the second; at most 1,000 updates are told.
    language
        Of the words.
    root
        Where the city's pages are, for photographs that were published.

    """
    board.refresh()
    choice = Choice(sql=f"latest >= {since}", public=True)
    where, given = board.allowed(STRANGER, choice)
    order = f"ORDER BY latest, number LIMIT {MOST}"
    numbers = [
        row["number"]
        for row in board.ask(f"SELECT number FROM cases WHERE {where} {order}", given).to_pylist()
    ]
    first, last = moment(since).isoformat(), moment(until).isoformat()
    found: list[tuple[str, int, str, dict[str, Any]]] = []
    for start in range(0, len(numbers), CHUNK):
        subjects = [SUBJECT + number for number in numbers[start : start + CHUNK]]
        question = select(Event.id, Event.type, Event.subject, Event.data).where(
            Event.subject.in_(subjects), Event.type.in_(TYPES)
        )
        for id_, type_, subject, data in session.execute(question):
            if data is not None and first <= data["at"] < last:
                found.append((data["at"], id_, type_, data | {"number": subject.removeprefix(SUBJECT)}))
    found.sort(key=lambda one: one[:2])
    found = found[:MOST]
    said = public.published_words(
        session, [(one["number"], one["step"]) for _, _, type_, one in found if type_ == f"{PREFIX}published"]
    )
    return [_update(at, id_, type_, data, said, language, root) for at, id_, type_, data in found]


def _update(
    at: str, id_: int, type_: str, data: dict[str, Any], said: dict[str, str], language: Language, root: str
) -> dict[str, Any]:
    name, number = type_.removeprefix(PREFIX), data["number"]
    happened = public.happening(name).in_language(language)
    words = said.get(number, "") if name == "published" else ""
    shown = [*data.get("shown", ()), *data.get("photos", ())] if name == "published" else []
    return {
        "update_id": str(id_),
        "service_request_id": number,
        "status": STATUS[data["to"]],
        "updated_datetime": w3c(instant(datetime.fromisoformat(at))),
        "description": "\n".join(one for one in (happened, words) if one),
        "media_url": f"{root}/api/public/cases/{number}/photos/{shown[0]}" if shown else None,
    }


def take_in(session: Session, desk: Desk, asker: Asker, given: GivenUpdate) -> str:
    """Add another system's update to what it reported itself; return the update's number.

    Sent again under the same `id` it changes nothing. Only words and "not fixed" are taken: how far the case
    is, nobody decides from outside.

    Raises
    ------
    NoRequestError
        Where there is no such request of this system.
    BadFieldError, NotAllowedNowError, GuardError
        Nothing has changed then.

    """
    body = session.scalar(select(CASES.c.body).where(CASES.c.number == given.request))
    case = decode(body) if body is not None else None
    if case is None or asker.id not in case.followers:
        raise NoRequestError(given.request)
    if given.status and given.status not in GIVEN:
        raise BadFieldError("status", Text("没有这一状态", f"is one of {', '.join(sorted(GIVEN))}."))
    key = ""
    if given.id:
        key = hashlib.sha256(f"{asker.id}:{given.request}:{given.id}".encode()).hexdigest()
        if sent_before(session, asker, key) is not None:
            return given.id
    if given.status == "REOPEN" and STATES[case.state].terminal:
        case = desk.act(session, asker, given.request, "reopen", {"reason": given.description})
    else:
        case = desk.act(session, asker, given.request, "supplement", {"words": given.description})
    if key:
        note_sent(session, key, given.request)
    return given.id or f"{case.number}.{case.step}"
