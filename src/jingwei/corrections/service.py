"""What can be done with corrections: ask, answer, decide, close."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei import access, ledger
from jingwei.access.policy import RefusedError
from jingwei.corrections.holding import held_against
from jingwei.corrections.models import CorrectionAnswerRow, CorrectionRow
from jingwei.corrections.policy import ANSWER, READ, resource_of
from jingwei.errors import BadRequestError, ConflictError, NotFoundError
from jingwei.lake import contracting
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.city import City
    from jingwei.lake.contracting import Checked

OPEN = ("open", "answered")


class NotOpenError(ConflictError):
    """The request is closed."""

    code = "correction-closed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said about a request. `kind`: `file`, `explanation`, `accepted`, `refused`, `withdrawn`."""

    at: datetime
    by: str
    kind: str
    words: str
    file: str | None


@dataclass(frozen=True, slots=True)
class Correction:
    """A request for corrections.

    Attributes
    ----------
    rules
        Each with `id`, `text`, `rows` as first found (null: the version as a whole), and `remaining` now.
    version
        The version that was last looked at for it.
    outcome
        Empty while it is open; then `corrected`, `explained` or `withdrawn`.
    """

    id: int
    dataset: str
    department: str
    check: str
    rules: list[dict[str, Any]]
    note: str
    state: str
    opened: datetime
    due: datetime
    by: str
    changed: datetime
    version: int | None
    outcome: str
    answers: list[Answer]


def request(
    city: City,
    asker: Asker,
    dataset: str,
    check: str,
    rules: Sequence[str],
    *,
    note: str = "",
    days: int | None = None,
) -> Correction:
    """Ask the department that owns a dataset for corrections.

    Parameters
    ----------
    city, asker
        Where, and who asks.
    dataset, check
        The dataset, and the check that found what is wrong.
    rules
        The rules whose findings are to be corrected.
    note
        What the department is told beside.
    days
        How long it has; as the contract says if left out.

    Raises
    ------
    UnknownDatasetError, RefusedError
        If the asker may not inspect the dataset.
    NotFoundError, BadRequestError
        If there is no such check by a contract in force, it does not show that these rules are broken, or the
        dataset belongs to no department of the city.
    ConflictError
        If one of them is being corrected already.

    """
    found = next(
        (one for one in contracting.reports(city.lake, asker, dataset, limit=200) if one.intent == check),
        None,
    )
    if found is None:
        raise NotFoundError(
            Text("没有这次检查", "There is no such check"), where={"dataset": dataset, "check": check}
        )
    if found.contract == contracting.PROPOSED:
        raise BadRequestError(
            Text(
                "契约尚未生效，不能据此要求更正。",
                "The contract is only proposed; nobody can be asked for corrections by it.",
            ),
            mend=Text("请先使契约生效。", "Adopt it first."),
            where={"dataset": dataset},
        )
    broken = {one.id: one for one in found.report.rules if one.failed}
    unknown = [rule for rule in rules if rule not in broken]
    if unknown or not rules:
        raise BadRequestError(
            Text(
                "这些规则并未被违反：" + "、".join(unknown),
                f"These rules are not broken: {', '.join(unknown)}",
            ),
            where={"rules": unknown},
        )
    owner = contracting.current(city.lake, dataset).owner
    _check_somebody_answers(city, dataset, owner)
    now = now_utc()
    with city.records.write() as session:
        agreed = contracting.in_force(session, dataset)
        allowed = days or (agreed.contract.deadline_days if agreed else 10)
        _refuse_twice(session, dataset, rules)
        row = CorrectionRow(
            dataset=dataset,
            department=owner,
            check=check,
            rules=[
                {
                    "id": rule,
                    "text": broken[rule].text,
                    "rows": broken[rule].rows,
                    "remaining": broken[rule].rows,
                    "examples": broken[rule].examples,
                    "contract": found.contract,
                }
                for rule in rules
            ],
            note=note,
            state="open",
            opened=now,
            due=now + timedelta(days=allowed),
            by=asker.id,
            changed=now,
            version=found.version,
            outcome="",
        )
        session.add(row)
        session.flush()
        ledger.append(
            session,
            "correction.requested",
            actor=asker.id,
            subject=f"correction/{row.id}",
            data={
                "dataset": dataset,
                "department": owner,
                "check": check,
                "rules": list(rules),
                "due": row.due.isoformat(),
            },
        )
        return _correction(session, row)


def _check_somebody_answers(city: City, dataset: str, owner: str) -> None:
    """Refuse to ask a department that the city's directory, where it has one, does not know."""
    policies = city.policies.current()
    with city.records.read() as session:
        if policies.knows(policies.department(owner)) or not access.departments(session):
            return
    what = (
        Text(
            f"单位目录中没有“{owner}”，没有人能答复。",
            f"'{owner}' is no department here: nobody could answer.",
        )
        if owner
        else Text(
            "数据集没有责任单位，没有人能答复。", "No department owns the dataset: nobody could answer."
        )
    )
    mend = Text(
        "收文件时请填写责任单位的名称或代码。",
        "Name the department that owns it, by title or code, where its file is taken in.",
    )
    raise BadRequestError(what, mend=mend, where={"dataset": dataset})


def _refuse_twice(session: Session, dataset: str, rules: Sequence[str]) -> None:
    waiting = session.scalars(
        select(CorrectionRow).where(CorrectionRow.dataset == dataset, CorrectionRow.state.in_(OPEN))
    ).all()
    asked = {rule["id"]: row.id for row in waiting for rule in row.rules}
    twice = [rule for rule in rules if rule in asked]
    if twice:
        raise ConflictError(
            Text("这些问题已在更正中。", "These are being corrected already."),
            where={"rules": twice, "correction": asked[twice[0]]},
        )


def corrections(
    city: City,
    asker: Asker,
    *,
    state: str | None = None,
    dataset: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Correction]:
    """Return the requests that the asker may see, newest first."""
    policies = city.policies.current()
    question = select(CorrectionRow).order_by(CorrectionRow.id.desc())
    if state == "open":
        question = question.where(CorrectionRow.state.in_(OPEN))
    elif state is not None:
        question = question.where(CorrectionRow.state == state)
    if dataset is not None:
        question = question.where(CorrectionRow.dataset == dataset)
    if before is not None:
        question = question.where(CorrectionRow.id < before)
    found: list[Correction] = []
    with city.records.read() as session:
        for row in session.scalars(question):
            thing = resource_of(row.id, row.department, row.dataset, policies)
            if policies.decide(asker, READ, thing).allowed:
                found.append(_correction(session, row))
                if len(found) == limit:
                    break
    return found


def correction(city: City, asker: Asker, identifier: int) -> Correction:
    """Return one request.

    Raises
    ------
    NotFoundError
        If there is none of this number that the asker may see.

    """
    policies = city.policies.current()
    with city.records.read() as session:
        row = _row(session, identifier)
        if not policies.decide(
            asker, READ, resource_of(row.id, row.department, row.dataset, policies)
        ).allowed:
            raise _unknown(identifier)
        return _correction(session, row)


def answer(
    city: City, asker: Asker, identifier: int, *, words: str = "", file: str | None = None
) -> Correction:
    """Answer a request, by an explanation or by a corrected file that was handed in.

    Raises
    ------
    NotFoundError, RefusedError
        If there is no such request, or it is not for the asker's department.
    NotOpenError, BadRequestError
        If it is closed, or nothing is said.

    """
    policies = city.policies.current()
    if not words.strip() and file is None:
        raise BadRequestError(Text("请写说明或提交文件。", "Say something, or hand in a file."))
    correction(city, asker, identifier)
    with city.records.write() as session:
        row = _open_row(session, identifier)
        decision = policies.decide(asker, ANSWER, resource_of(row.id, row.department, row.dataset, policies))
        if not decision.allowed:
            raise RefusedError(ANSWER, decision)
        kind = "explanation" if file is None else "file"
        _say(session, row, asker, kind, words, file)
        row.state = "answered"
        ledger.append(
            session,
            "correction.answered",
            actor=asker.id,
            subject=f"correction/{row.id}",
            data={"dataset": row.dataset, "kind": kind, "file": file or ""},
        )
        return _correction(session, row)


def decide(city: City, asker: Asker, identifier: int, *, accept: bool, words: str = "") -> Correction:
    """Accept an explanation, which closes the request, or send it back.

    Raises
    ------
    NotFoundError, NotOpenError, ConflictError
        If there is no such request, it is closed, or nobody answered it yet.

    """
    with city.records.write() as session:
        row = _open_row(session, identifier)
        if row.state != "answered":
            raise ConflictError(
                Text("责任单位还没有答复。", "The department did not answer yet."),
                mend=Text("不再需要更正时，可以撤回。", "Withdraw the request if it is not needed any more."),
                where={"correction": identifier},
            )
        _say(session, row, asker, "accepted" if accept else "refused", words, None)
        if accept:
            close(session, row, "explained", actor=asker.id)
        else:
            row.state = "open"
            ledger.append(
                session,
                "correction.refused",
                actor=asker.id,
                subject=f"correction/{row.id}",
                data={"dataset": row.dataset},
            )
        return _correction(session, row)


def withdraw(city: City, asker: Asker, identifier: int, *, words: str = "") -> Correction:
    """Take a request back.

    Raises
    ------
    NotFoundError, NotOpenError
        If there is no such request, or it is closed.

    """
    with city.records.write() as session:
        row = _open_row(session, identifier)
        _say(session, row, asker, "withdrawn", words, None)
        close(session, row, "withdrawn", actor=asker.id)
        return _correction(session, row)


def close(session: Session, row: CorrectionRow, outcome: str, *, actor: str) -> None:
    """Close a request."""
    row.state = "withdrawn" if outcome == "withdrawn" else "closed"
    row.outcome, row.changed = outcome, now_utc()
    ledger.append(
        session,
        "correction.closed",
        actor=actor,
        subject=f"correction/{row.id}",
        data={"dataset": row.dataset, "outcome": outcome},
    )


def review(session: Session, checked: Checked) -> None:
    """Hold a newer check against the open requests for a dataset: what it sees to be kept is corrected.

    Parameters
    ----------
    session
        A writing session.
    checked
        What was checked, and what was found; no version where the gate held it back.

    """
    dataset, check, version = checked.dataset, checked.intent, checked.version
    waiting = session.scalars(
        select(CorrectionRow).where(CorrectionRow.dataset == dataset, CorrectionRow.state.in_(OPEN))
    ).all()
    for row in waiting:
        if row.check == check or checked.at <= row.opened:
            continue
        row.rules, kept = held_against(
            row.rules,
            checked.report,
            checked.contract,
            lambda number: contracting.numbered(session, dataset, number),
        )
        row.check, row.version, row.changed = check, version, now_utc()
        if not kept:
            row.state = "open"
            ledger.append(
                session,
                "correction.remains",
                actor="jingwei",
                subject=f"correction/{row.id}",
                data={
                    "dataset": dataset,
                    "check": check,
                    "rows": sum(rule["remaining"] or 0 for rule in row.rules),
                },
            )
        elif version is not None:
            close(session, row, "corrected", actor="jingwei")


def _say(session: Session, row: CorrectionRow, asker: Asker, kind: str, words: str, file: str | None) -> None:
    row.changed = now_utc()
    session.add(
        CorrectionAnswerRow(
            correction=row.id, at=row.changed, by=asker.id, kind=kind, words=words.strip(), file=file
        )
    )
    session.flush()


def _row(session: Session, identifier: int) -> CorrectionRow:
    row = session.get(CorrectionRow, identifier)
    if row is None:
        raise _unknown(identifier)
    return row


def _unknown(identifier: int) -> NotFoundError:
    return NotFoundError(
        Text("没有这项更正要求", "There is no such request for corrections"), where={"correction": identifier}
    )


def _open_row(session: Session, identifier: int) -> CorrectionRow:
    row = _row(session, identifier)
    if row.state not in OPEN:
        raise NotOpenError(
            Text("这项更正要求已办结。", "This request is closed."), where={"correction": identifier}
        )
    return row


def _correction(session: Session, row: CorrectionRow) -> Correction:
    answers = session.scalars(
        select(CorrectionAnswerRow)
        .where(CorrectionAnswerRow.correction == row.id)
        .order_by(CorrectionAnswerRow.id)
    ).all()
    plain = {name: getattr(row, name) for name in Correction.__slots__ if name != "answers"}
    made = Correction(**plain, answers=[])
    return replace(made, answers=[Answer(one.at, one.by, one.kind, one.words, one.file) for one in answers])
