"""The articles by which calls are answered: found while one types, written in versions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from jingwei import access
from jingwei.access.policy import Resource
from jingwei.cases.hotline import knowledge
from jingwei.cases.hotline import policy as rules
from jingwei.cases.hotline.knowledge import Article, Draft, Library
from jingwei.records import now_utc
from jingwei.web.policies import allowed, filtered
from jingwei.web.reader import AskerOf
from jingwei.web.routes.case_choice import CITY, FAILURES, DeskOf
from jingwei.web.routes.city import CityOf

router = APIRouter(prefix="/hotline/articles", tags=["hotline"], responses=FAILURES)
knows = [allowed(rules.KNOW, CITY)]
writes = [filtered(rules.WRITE)]
"""The service asks about the department that owns the article."""

MOST = 50


async def library_of(request: Request) -> Library:
    """Return the articles in memory."""
    found: Library = request.app.state.library
    return found


LibraryOf = Annotated[Library, Depends(library_of)]
ArticleId = Annotated[int, Path(ge=1, le=2**53)]


class ArticleIn(BaseModel):
    """An article as it is to be."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=200)
    body: str = Field(min_length=1, max_length=20_000)
    questions: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(default=[], max_length=30)
    department: str = Field(max_length=18, description="The code of the department that owns it")
    since: AwareDatetime | None = Field(default=None, description="Since when it holds; now if not given")
    until: AwareDatetime | None = None
    seen: int | None = Field(default=None, ge=1, le=100_000, description="The version that one saw")
    note: str = Field(default="", max_length=400)

    def draft(self) -> Draft:
        """Return it as the library takes it."""
        return Draft(
            self.title, self.body, self.department, tuple(one.strip() for one in self.questions), self.since,
            self.until,
        )  # fmt: skip


class ArticleOut(BaseModel):
    """An article: what it says, since when and until when it holds, how often it was used and helped."""

    id: int
    version: int
    title: str
    body: str
    questions: list[str]
    department: str
    department_title: str
    since: datetime
    until: datetime | None
    holds: bool
    written: datetime
    by: str
    note: str
    used: int
    helped: int
    failed: int
    may_write: bool


class ArticlesOut(BaseModel):
    """Articles that fit, the best first."""

    articles: list[ArticleOut]
    count: int


@router.get("", summary="Find articles", dependencies=knows)
def find_articles(
    city: CityOf,
    desk: DeskOf,
    asker: AskerOf,
    library: LibraryOf,
    search: Annotated[str, Query(max_length=400, description="What is asked, as it is written")] = "",
    all: Annotated[bool, Query(description="Also those that do not hold today")] = False,  # noqa: A002
    department: Annotated[str, Query(max_length=18)] = "",
    skip: Annotated[int, Query(ge=0, le=10_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 10,
) -> ArticlesOut:
    """Return articles that share words with what is asked, the best first; without words the newest."""
    with city.records.read() as session:
        hits, count = library.search(
            session, search, at=None if all else now_utc(), department=department, limit=limit, skip=skip
        )
        told = _told(city, desk, asker, [hit.article for hit in hits])
    return ArticlesOut(articles=told, count=count)


@router.post("", summary="Write an article", status_code=201, dependencies=writes)
def write_article(city: CityOf, desk: DeskOf, asker: AskerOf, body: ArticleIn) -> ArticleOut:
    """Write an article for a department."""
    with city.records.write() as session:
        done = knowledge.write(session, desk.policies(), asker, body.draft(), note=body.note)
    return _told(city, desk, asker, [done])[0]


@router.get("/{article}", summary="An article", dependencies=knows)
def read_article(city: CityOf, desk: DeskOf, asker: AskerOf, article: ArticleId) -> ArticleOut:
    """Return an article as it now is."""
    with city.records.read() as session:
        found = knowledge.get(session, article)
    return _told(city, desk, asker, [found])[0]


@router.get("/{article}/versions", summary="The versions of an article", dependencies=knows)
def read_article_versions(city: CityOf, desk: DeskOf, asker: AskerOf, article: ArticleId) -> list[ArticleOut]:
    """Return the newest fifty versions of an article, the newest first."""
    with city.records.read() as session:
        found = knowledge.history(session, article)
    return _told(city, desk, asker, found)


@router.put("/{article}", summary="A new version of an article", dependencies=writes)
def change_article(
    city: CityOf, desk: DeskOf, asker: AskerOf, article: ArticleId, body: ArticleIn
) -> ArticleOut:
    """Write a new version; who saw an older one than the newest is told so, and nothing of his is kept."""
    with city.records.write() as session:
        done = knowledge.write(
            session, desk.policies(), asker, body.draft(), article=article, seen=body.seen, note=body.note
        )
    return _told(city, desk, asker, [done])[0]


def _told(city: CityOf, desk: DeskOf, asker: AskerOf, found: list[Article]) -> list[ArticleOut]:
    now, policies = now_utc(), desk.policies()
    with city.records.read() as session:
        titles = access.titles_of(session, {one.department for one in found})
    return [
        ArticleOut(
            id=one.id, version=one.version, title=one.title, body=one.body, questions=list(one.questions),
            department=one.department, department_title=titles.get(one.department, one.department),
            since=one.since, until=one.until, holds=one.holds(now), written=one.written, by=one.by,
            note=one.note, used=one.used, helped=one.helped, failed=one.failed,
            may_write=policies.decide(
                asker, rules.WRITE, Resource("Article", str(one.id), {"department": one.department})
            ).allowed,
        )
        for one in found
    ]  # fmt: skip
