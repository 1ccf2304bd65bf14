"""Departments as a tree, by their unified social credit codes (GB 32100-2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from jingwei import ledger
from jingwei.access.errors import DepartmentCodeError
from jingwei.access.models import DepartmentRow, DutyRow
from jingwei.errors import ConflictError, NotFoundError
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jingwei.access.asker import Asker

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


@dataclass(frozen=True, slots=True)
class Department:
    """A department, and the one above it."""

    code: str
    title: str
    parent: str | None
    closed: bool


def check_code(code: str) -> None:
    """Raise unless `code` is a unified social credit code with the right check character (GB 32100, 5.6)."""
    if len(code) != 18 or any(c not in ALPHABET for c in code):
        raise DepartmentCodeError(code)
    total = sum(ALPHABET.index(c) * weight for c, weight in zip(code, WEIGHTS, strict=False))
    if ALPHABET[-total % 31] != code[17]:
        raise DepartmentCodeError(code)


def add_department(
    session: Session, asker: Asker, code: str, title: str, *, parent: str | None = None
) -> None:
    """Add a department below `parent`, or at the top."""
    check_code(code)
    if session.get(DepartmentRow, code) is not None:
        raise ConflictError(Text(f"部门 {code} 已存在", f"there is a department {code} already."))
    if parent is not None:
        _row(session, parent)
    session.add(DepartmentRow(code=code, title=title, parent=parent, closed=None))
    session.flush()
    told = {"parent": parent}
    ledger.append(session, "department.added", actor=asker.id, subject=f"department/{code}", data=told)


def change_department(session: Session, asker: Asker, code: str, *, title: str, parent: str | None) -> None:
    """Rename a department or put it below another."""
    row = _row(session, code)
    above = parent
    while above is not None:
        if above == code:
            raise ConflictError(Text("部门不能隶属于自身或其下级", "a department cannot be below itself."))
        above = _row(session, above).parent
    if (row.title, row.parent) == (title, parent):
        return
    row.title, row.parent = title, parent
    told = {"title": title, "parent": parent}
    ledger.append(session, "department.changed", actor=asker.id, subject=f"department/{code}", data=told)


def close_department(session: Session, asker: Asker, code: str) -> None:
    """Close a department that has neither departments below it nor people."""
    row = _row(session, code)
    below = select(func.count()).where(DepartmentRow.parent == code, DepartmentRow.closed.is_(None))
    held = select(func.count()).where(DutyRow.department == code)
    if session.scalar(below) or session.scalar(held):
        raise ConflictError(
            Text(
                f"部门 {code} 尚有下级或人员",
                f"the department {code} still has departments below it, or people.",
            )
        )
    row.closed = now_utc()
    ledger.append(session, "department.closed", actor=asker.id, subject=f"department/{code}", data={})


def department(session: Session, code: str) -> Department:
    """Return one department, closed or not."""
    row = session.get(DepartmentRow, code)
    if row is None:
        raise NotFoundError(Text(f"没有部门 {code[:40]}", f"there is no department {code[:40]}."))
    return Department(row.code, row.title, row.parent, row.closed is not None)


def departments_below(
    session: Session, parent: str | None, *, after: str = "", limit: int = 100
) -> list[tuple[Department, int, int]]:
    """Return open departments right below another, or at the top, by code: those after `after`.

    With each comes how many departments are right below it, and how many people hold a role in it.
    """
    question = select(DepartmentRow).where(DepartmentRow.closed.is_(None), DepartmentRow.code > after)
    question = question.where(
        DepartmentRow.parent.is_(None) if parent is None else DepartmentRow.parent == parent
    )
    return _with_counts(session, question.order_by(DepartmentRow.code).limit(limit))


def find_departments(
    session: Session, search: str, *, after: str = "", limit: int = 50
) -> list[tuple[Department, int, int]]:
    """Return open departments whose title or code contains a text, by code, counted as above."""
    question = select(DepartmentRow).where(DepartmentRow.closed.is_(None), DepartmentRow.code > after)
    text = search.strip()
    question = question.where(
        DepartmentRow.title.contains(text, autoescape=True)
        | DepartmentRow.code.contains(text.upper(), autoescape=True)
    )
    return _with_counts(session, question.order_by(DepartmentRow.code).limit(limit))


def path_of(session: Session, code: str) -> list[Department]:
    """Return the departments above one, from the top, and itself."""
    path = [department(session, code)]
    while (above := path[0].parent) is not None:
        path.insert(0, department(session, above))
    return path


def titles_of(session: Session, codes: Iterable[str]) -> dict[str, str]:
    """Return the titles of departments by code."""
    wanted = set(codes)
    if not wanted:
        return {}
    question = select(DepartmentRow.code, DepartmentRow.title).where(DepartmentRow.code.in_(wanted))
    return dict(iter(session.execute(question)))


def _with_counts(session: Session, question: Select[DepartmentRow]) -> list[tuple[Department, int, int]]:
    rows = session.scalars(question).all()
    codes = [row.code for row in rows]
    below = select(DepartmentRow.parent, func.count()).where(
        DepartmentRow.parent.in_(codes), DepartmentRow.closed.is_(None)
    )
    held = select(DutyRow.department, func.count(DutyRow.person.distinct())).where(
        DutyRow.department.in_(codes)
    )
    children = dict(iter(session.execute(below.group_by(DepartmentRow.parent))))
    people = dict(iter(session.execute(held.group_by(DutyRow.department))))
    return [
        (
            Department(row.code, row.title, row.parent, closed=False),
            children.get(row.code, 0),
            people.get(row.code, 0),
        )
        for row in rows
    ]


def departments(session: Session) -> list[Department]:
    """Return all departments, by code."""
    rows = session.scalars(select(DepartmentRow).order_by(DepartmentRow.code))
    return [Department(row.code, row.title, row.parent, row.closed is not None) for row in rows]


def with_those_below(session: Session, codes: frozenset[str]) -> frozenset[str]:
    """Return departments together with all that are below them, at any depth."""
    found, waiting = set(codes), set(codes)
    while waiting:
        question = select(DepartmentRow.code).where(DepartmentRow.parent.in_(waiting))
        waiting = set(session.scalars(question)) - found
        found |= waiting
    return frozenset(found)


def _row(session: Session, code: str) -> DepartmentRow:
    row = session.get(DepartmentRow, code)
    if row is None or row.closed is not None:
        raise NotFoundError(Text(f"没有部门 {code}", f"there is no department {code}."))
    return row
