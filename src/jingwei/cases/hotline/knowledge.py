"""Articles of knowledge (知识库): what a department says of a question, in versions, for a period.

Found by pairs of characters, in any language: Chinese words are two characters and more, and nothing parts
them (see `cases.traces`). Pairs that few articles hold weigh more (BM25, Robertson and Zaragoza 2009); the
title and the questions that people ask weigh more than the text.
"""

from __future__ import annotations

import hashlib
import math
import re
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from jingwei import ledger
from jingwei.access.policy import Resource
from jingwei.cases.errors import BadFieldError
from jingwei.cases.hotline import policy
from jingwei.cases.hotline.call import PREFIX, Use
from jingwei.cases.hotline.errors import ArticleChangedError, UnknownArticleError
from jingwei.cases.hotline.models import ArticleRow, ArticleVersion
from jingwei.cases.traces import plain
from jingwei.ledger.models import encode_json
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.access.policy import Policies

ARTICLES: Table = ArticleRow.__table__  # type: ignore[assignment]
VERSIONS: Table = ArticleVersion.__table__  # type: ignore[assignment]
LONGEST_TITLE, LONGEST_BODY, LONGEST_QUESTION, MOST_QUESTIONS = 200, 20_000, 200, 30
_TAG = re.compile(r"<\s*[/!?]?\s*[A-Za-z][^<>]*>|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TITLE_COUNTS, _QUESTION_COUNTS = 4, 3
_K1, _B = 1.2, 0.75
"""The usual constants of BM25: how soon repetition stops counting, and how much length does."""
_LEAST_SHARE = 0.2
"""Of the best score: what fits less shares a pair of characters by chance."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An article as it is to be; `questions` are what people ask, in their words."""

    title: str
    body: str
    department: str
    questions: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """An article: what its newest version says, and what came of it."""

    id: int
    version: int
    title: str
    body: str
    questions: tuple[str, ...]
    department: str
    since: datetime
    until: datetime | None
    written: datetime
    by: str
    note: str
    used: int = 0
    helped: int = 0
    failed: int = 0

    def holds(self, at: datetime) -> bool:
        """Say whether it is in force at a moment."""
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that was found, and how well it fits."""

    article: Article
    score: float


# writing


def write(
    session: Session,
    policies: Policies,
    asker: Asker,
    draft: Draft,
    *,
    article: int | None = None,
    seen: int | None = None,
    note: str = "",
) -> Article:
    """Write an article, or a new version of one; return it.

    Parameters
    ----------
    session, policies, asker
        On whose behalf; who writes a version may write for its old and its new department.
    draft
        What it is to say.
    article, seen
        Which one gets a new version, and the version that the asker saw; None for a new article.
    note
        Why.

    Raises
    ------
    RefusedError, UnknownArticleError, ArticleChangedError, BadFieldError
        Nothing has changed then.

    """
    _check(draft, note)
    policies.check(
        asker, policy.WRITE, Resource("Article", str(article or ""), {"department": draft.department})
    )
    now = now_utc()
    if article is None:
        number = 1
        article = session.execute(
            insert(ARTICLES).values(version=1, used=0, helped=0, failed=0).returning(ARTICLES.c.id)
        ).scalar_one()
    else:
        before = get(session, article)
        resource = Resource("Article", str(article), {"department": before.department})
        policies.check(asker, policy.WRITE, resource)
        number = before.version + 1
        free = (ARTICLES.c.id == article) & (ARTICLES.c.version == seen)
        if session.execute(update(ARTICLES).where(free).values(version=number)).rowcount != 1:  # type: ignore[attr-defined]
            raise ArticleChangedError(article, seen or 0, before.version)
    content = {
        "title": draft.title.strip(), "body": draft.body.strip(), "questions": list(draft.questions),
        "department": draft.department, "since": draft.since or now, "until": draft.until,
    }  # fmt: skip
    session.execute(
        insert(VERSIONS).values(
            article=article, version=number, written=now, by=asker.id, note=note, **content
        )
    )
    _tell(session, asker, article, number, content)
    return get(session, article)


def _tell(session: Session, asker: Asker, article: int, number: int, content: dict[str, Any]) -> None:
    since, until = content["since"], content["until"]
    said = {name: content[name] for name in ("title", "body", "questions")}
    told = {
        "version": number, "department": content["department"], "since": since.isoformat(),
        "digest": hashlib.sha256(encode_json(said)).hexdigest(),
    }  # fmt: skip
    told |= {} if until is None else {"until": until.isoformat()}
    ledger.append(
        session, PREFIX + "article_written", actor=asker.id, subject=f"article/{article}", data=told
    )


def _check(draft: Draft, note: str) -> None:
    for field, text, longest in (
        ("title", draft.title, LONGEST_TITLE),
        ("body", draft.body, LONGEST_BODY),
        *(("questions", one, LONGEST_QUESTION) for one in draft.questions),
    ):
        if not 0 < len(text.strip()) <= longest or _TAG.search(text):
            raise BadFieldError(
                field,
                Text(
                    f"应为 1 至 {longest} 字，不含网页标签或控制字符",
                    f"is text of 1 to {longest} characters without markup or control characters.",
                ),
            )
    if len(draft.questions) > MOST_QUESTIONS or len(note) > 400:
        raise BadFieldError("questions", Text("条数或说明过长", "too many questions, or too long a note."))
    if not re.fullmatch(r"[0-9A-Z]{18}", draft.department):
        raise BadFieldError("department", Text("须指明归属部门", "names the department that owns it."))
    if draft.since and draft.until and draft.until <= draft.since:
        raise BadFieldError("until", Text("失效应晚于生效", "ends after it begins."))


# reading

_NOW = select(VERSIONS, ARTICLES.c.used, ARTICLES.c.helped, ARTICLES.c.failed).join(
    ARTICLES, (ARTICLES.c.id == VERSIONS.c.article) & (ARTICLES.c.version == VERSIONS.c.version)
)


def _article(row: Any) -> Article:
    known = dict(row._mapping)  # noqa: SLF001 -- SQLAlchemy's own name for it
    known["questions"] = tuple(known["questions"])
    return Article(id=known.pop("article"), **known)


def get(session: Session, article: int) -> Article:
    """Return an article as it now is.

    Raises
    ------
    UnknownArticleError
        Where there is none.

    """
    row = session.execute(_NOW.where(VERSIONS.c.article == article)).first()
    if row is None:
        raise UnknownArticleError(article)
    return _article(row)


def history(session: Session, article: int, *, limit: int = 50) -> list[Article]:
    """Return the versions of an article, the newest first; counts are of the article as a whole."""
    get(session, article)
    question = (
        select(VERSIONS, ARTICLES.c.used, ARTICLES.c.helped, ARTICLES.c.failed)
        .join(ARTICLES, ARTICLES.c.id == VERSIONS.c.article)
        .where(VERSIONS.c.article == article)
        .order_by(VERSIONS.c.version.desc())
        .limit(limit)
    )
    return [_article(row) for row in session.execute(question)]


def use(session: Session, article: int, helped: bool | None) -> Use:
    """Count that an article served a call, and whether it helped; return which version it was.

    Raises
    ------
    UnknownArticleError
        Where there is none.

    """
    counted = {"used": ARTICLES.c.used + 1}
    if helped is not None:
        name = "helped" if helped else "failed"
        counted[name] = ARTICLES.c[name] + 1
    version = session.scalar(
        update(ARTICLES).where(ARTICLES.c.id == article).values(counted).returning(ARTICLES.c.version)
    )
    if version is None:
        raise UnknownArticleError(article)
    return Use(article, version, helped)


# finding


class Library:
    """The articles in memory, to be searched while somebody types; read anew where one was written."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._mark: tuple[int, int] | None = None
        self._shelf = Shelf(())

    def shelf(self, session: Session) -> Shelf:
        """Return the articles as they now are."""
        marked = select(func.count(), func.coalesce(func.sum(ARTICLES.c.version), 0)).select_from(ARTICLES)
        count, versions = session.execute(marked).one()
        with self._guard:
            if self._mark != (count, versions):
                self._shelf = Shelf(_article(row) for row in session.execute(_NOW))
                self._mark = (count, versions)
            return self._shelf

    def search(
        self,
        session: Session,
        words: str,
        *,
        at: datetime | None,
        department: str = "",
        limit: int = 10,
        skip: int = 0,
    ) -> tuple[list[Hit], int]:
        """Return articles that fit some words, the best first, and how many there are in all.

        Parameters
        ----------
        session
            A session that reads.
        words
            What is asked, as it is written; empty for all, the newest first.
        at
            Only those that hold at a moment; None for all.
        department
            Only those of one department.
        limit, skip
            How many, after how many.

        """
        found = [
            hit
            for hit in self.shelf(session).find(words)
            if (at is None or hit.article.holds(at)) and department in ("", hit.article.department)
        ]
        page = found[skip : skip + limit]
        counts = _counts(session, [hit.article.id for hit in page])
        return [Hit(_with(hit.article, counts), hit.score) for hit in page], len(found)


def _counts(session: Session, ids: Sequence[int]) -> dict[int, tuple[int, int, int]]:
    question = select(ARTICLES.c.id, ARTICLES.c.used, ARTICLES.c.helped, ARTICLES.c.failed)
    return {
        row.id: (row.used, row.helped, row.failed)
        for row in session.execute(question.where(ARTICLES.c.id.in_(ids)))
    }


def _with(article: Article, counts: dict[int, tuple[int, int, int]]) -> Article:
    used, helped, failed = counts.get(article.id, (0, 0, 0))
    return replace(article, used=used, helped=helped, failed=failed)


class Shelf:
    """Articles with the pairs of characters by which they are found."""

    def __init__(self, articles: Iterable[Article]) -> None:
        self.articles = sorted(articles, key=lambda one: one.written, reverse=True)
        self._holding: dict[str, list[tuple[int, int]]] = {}
        self._lengths: list[int] = []
        for index, one in enumerate(self.articles):
            counted: Counter[str] = Counter()
            for text, weight in (
                (one.title, _TITLE_COUNTS), ("\n".join(one.questions), _QUESTION_COUNTS), (one.body, 1),
            ):  # fmt: skip
                for pair in pairs(text):
                    counted[pair] += weight
            self._lengths.append(counted.total())
            for pair, count in counted.items():
                self._holding.setdefault(pair, []).append((index, count))
        self._mean = sum(self._lengths) / len(self._lengths) if self._lengths else 1.0

    def find(self, words: str) -> list[Hit]:
        """Return the articles that share pairs of characters with some words, the best first."""
        asked = set(pairs(words))
        if not asked:
            return [Hit(one, 0.0) for one in self.articles]
        scores: dict[int, float] = {}
        for pair in asked:
            holding = self._holding.get(pair, ())
            rare = math.log(1 + (len(self.articles) - len(holding) + 0.5) / (len(holding) + 0.5))
            for index, count in holding:
                length = 1 - _B + _B * self._lengths[index] / self._mean
                part = rare * count * (_K1 + 1) / (count + _K1 * length)
                scores[index] = scores.get(index, 0.0) + part
        least = _LEAST_SHARE * max(scores.values(), default=0.0)
        order = sorted((one for one in scores if scores[one] >= least), key=lambda one: (-scores[one], one))
        return [Hit(self.articles[index], round(scores[index], 4)) for index in order]


def pairs(text: str) -> list[str]:
    """Return the pairs of neighbouring letters and characters of a text, word by word."""
    return [
        word[at : at + 2] for word in re.findall(r"\w+", plain(text)) for at in range(max(1, len(word) - 1))
    ]
