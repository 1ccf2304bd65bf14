"""What people write: checked, kept beside the case, and told to the log as a digest only."""

from __future__ import annotations

import hashlib
import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Dialect, bindparam, delete, insert, select

from jingwei.cases.errors import BadFieldError
from jingwei.cases.events import INPUTS
from jingwei.cases.models import CaseRow, CaseWords
from jingwei.records import Prepared
from jingwei.records.database import Statement, driver_text
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

LONGEST = 4000
SALT = 16
_TAG = re.compile(r"<\s*[/!?]?\s*[A-Za-z][^<>]*>")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def check_words(field: str, words: Any) -> str:
    """Return the words without the space around them.

    Raises
    ------
    BadFieldError
        Where they are too long, or hold markup or control characters: words are words.

    """
    says = INPUTS[field]
    if not isinstance(words, str) or len(words) > LONGEST:
        raise BadFieldError(
            field,
            Text(
                f"{says.zh}应为不超过 {LONGEST} 字的文字",
                f"{says.en} is text of at most {LONGEST} characters.",
            ),
        )
    if _TAG.search(words) or _CONTROL.search(words):
        raise BadFieldError(
            field,
            Text(
                f"{says.zh}中不能含有网页标签或控制字符",
                f"{says.en} may not hold markup or control characters.",
            ),
        )
    return words.strip()


def digest_of(salt: bytes, words: str) -> str:
    """Return what an event holds of words."""
    return hashlib.sha256(salt + words.encode()).hexdigest()


def new_words(case: str, step: int, field: str, words: str) -> tuple[dict[str, Any], str]:
    """Return the row that keeps words, and their digest."""
    salt = os.urandom(SALT)
    row = {"case": case, "step": step, "field": field, "salt": salt, "words": words}
    return row, digest_of(salt, words)


_KEPT = ("case", "step", "field", "salt", "words")


_TABLE = cast("Table", CaseWords.__table__)
_KEEP = insert(_TABLE).values({name: bindparam(name, type_=_TABLE.c[name].type) for name in _KEPT})
_KEEP_NOW = Prepared(_KEEP)
_WORDS = Prepared(
    select(CaseWords.step, CaseWords.field, CaseWords.words).where(CaseWords.case == bindparam("number"))
)


@lru_cache(maxsize=8)
def _keeping(dialect: Dialect) -> str:
    return driver_text(_KEEP, dialect, _KEPT)


def keeping(session: Session, rows: list[dict[str, Any]]) -> list[Statement]:
    """Return the statements that keep words, for who runs them together with others of his transaction."""
    text = _keeping(session.get_bind().dialect)
    return [Statement(text, tuple(row[name] for name in _KEPT)) for row in rows]


def keep(session: Session, rows: list[dict[str, Any]]) -> None:
    """Keep words."""
    if rows:
        _KEEP_NOW.run_many(session, rows)


def forget(session: Session, case: str, steps: list[int]) -> None:
    """Remove what was written at some steps; without its salt the log's digest tells nobody what it was."""
    session.execute(delete(CaseWords).where(CaseWords.case == case, CaseWords.step.in_(steps)))


def words_of(session: Session, case: str) -> dict[tuple[int, str], str]:
    """Return all that was written at a case, by step and field."""
    return {(step, field): words for step, field, words in _WORDS.rows(session, number=case)}


NEWEST_DESCRIPTION = (
    select(CaseWords.words)
    .where(CaseWords.case == CaseRow.number, CaseWords.field == "description")
    .order_by(CaseWords.step.desc())
    .limit(1)
    .correlate(CaseRow)
    .scalar_subquery()
)
"""Of the case of a row."""


def descriptions(session: Session, cases: list[str]) -> dict[str, str]:
    """Return the newest description of each of some cases."""
    question = (
        select(CaseWords.case, CaseWords.words)
        .where(CaseWords.case.in_(cases), CaseWords.field == "description")
        .order_by(CaseWords.step)
    )
    return dict(iter(session.execute(question)))
