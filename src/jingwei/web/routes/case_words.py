"""The words that reporters get: of notices, and of answers that staff give again and again."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from jingwei.cases import answers, notice_words, regime
from jingwei.cases.errors import RulesChangedError
from jingwei.web.policies import allowed
from jingwei.web.reader import AskerOf
from jingwei.web.routes.case_choice import CITY, FAILURES, DeskOf
from jingwei.web.routes.case_ground import manages
from jingwei.web.routes.case_regime import AdoptedOut
from jingwei.web.routes.city import CityOf
from jingwei.web.texts import TextOut, text_out

router = APIRouter(prefix="/cases", tags=["cases"], responses=FAILURES)

Words = Annotated[str, Field(max_length=notice_words.LONGEST)]
Seen = Annotated[int | None, Field(ge=0, description="The version that one saw")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NoticeIn(_In):
    """The words of a message; in braces what it tells. Without short ones, SMS and WeChat get the body."""

    subject_zh: Words
    subject_en: Words
    body_zh: Words
    body_en: Words
    short_zh: Words = ""
    short_en: Words = ""

    def words(self) -> notice_words.NoticeWords:
        """Return them as cases know them."""
        return notice_words.NoticeWords(**self.model_dump())


class NoticeOut(NoticeIn):
    """The words of a message that are in force."""

    own: bool = Field(description="Whether they are the city's own, not the usual ones")


class NoticesOut(BaseModel):
    """The words of all messages to reporters."""

    version: int
    fields: list[str] = Field(description="What can stand in braces")
    notices: dict[notice_words.Wish, NoticeOut]
    usual: NoticeIn


class NoticesIn(_In):
    """Words of messages as they are to be; null gives a message back the usual ones."""

    notices: dict[notice_words.Wish, NoticeIn | None]
    seen: Seen = None
    note: str = Field(default="", max_length=400)


class ShownIn(_In):
    """Words of which somebody wants to see what they look like."""

    wish: notice_words.Wish
    words: NoticeIn


class ShownOut(BaseModel):
    """A message as its reader would see it; `short` as SMS and WeChat."""

    subject: str
    body: str
    short: str


class AnswerIn(_In):
    """An answer that is offered again and again; in braces what it names of its case."""

    key: str = Field(pattern="^[a-z][a-z0-9_]{0,29}$")
    title_zh: str = Field(max_length=answers.LONGEST_TITLE)
    title_en: str = Field(max_length=answers.LONGEST_TITLE)
    zh: str = Field(max_length=answers.LONGEST)
    en: str = Field(max_length=answers.LONGEST)
    places: list[Annotated[str, Field(max_length=20)]] = Field(max_length=20)


class AnswersOut(BaseModel):
    """The answers in force, where they can be offered, and what they can name."""

    version: int
    answers: list[AnswerIn]
    places: dict[str, TextOut]
    fields: list[str]


class AnswersIn(_In):
    """Answers as they are to be; null for the usual ones."""

    answers: list[AnswerIn] | None = Field(max_length=answers.MOST)
    seen: Seen = None
    note: str = Field(default="", max_length=400)


@router.get("/notices", summary="The words of messages to reporters", dependencies=manages)
def read_notice_words(city: CityOf, desk: DeskOf) -> NoticesOut:
    """Return in what words reporters are told that it came in, how it goes on, and how it ended."""
    with city.records.read() as session:
        in_force = desk.regime(session)
    own = in_force.settings.notices
    return NoticesOut(
        version=in_force.versions[regime.PARTS.index("settings")],
        fields=list(notice_words.FIELDS),
        notices={
            wish: NoticeOut(**msgspec.structs.asdict(own.get(wish, notice_words.USUAL)), own=wish in own)
            for wish in notice_words.WISHES
        },
        usual=NoticeIn(**msgspec.structs.asdict(notice_words.USUAL)),
    )


@router.put("/notices", summary="Set the words of messages", dependencies=manages)
def put_notice_words(city: CityOf, asker: AskerOf, body: NoticesIn) -> AdoptedOut:
    """Adopt other words of some messages as a new version of the settings; all else stays."""
    words = {wish: None if one is None else one.words() for wish, one in body.notices.items()}
    with city.records.write() as session:
        number = regime.put_notices(session, asker, words, seen=body.seen, note=body.note)
    return AdoptedOut(version=number)


@router.post("/notices/shown", summary="What a message would look like", dependencies=manages)
def show_notice(city: CityOf, body: ShownIn) -> dict[str, ShownOut]:
    """Return what a message in these words would look like, by language; nothing is kept or sent."""
    shown = notice_words.shown(body.wish, body.words.words(), city.about.name)
    return {language: ShownOut(**told) for language, told in shown.items()}


@router.get("/answers", summary="Answers that are offered", dependencies=[allowed("city.read", CITY)])
def read_answers(city: CityOf) -> AnswersOut:
    """Return the answers that staff are offered where a reporter will read them."""
    with city.records.read() as session:
        number = regime.versions(session)[regime.PARTS.index("answers")]
        content = regime.content_of(session, "answers", number)
    return AnswersOut(
        version=number,
        answers=[AnswerIn(**one) for one in content],
        places={place: text_out(says) for place, says in answers.PLACES.items()},
        fields=list(answers.FIELDS),
    )


@router.put("/answers", summary="Set the answers that are offered", dependencies=manages)
def put_answers(city: CityOf, asker: AskerOf, body: AnswersIn) -> AdoptedOut:
    """Adopt other answers as a new version, whole or not at all."""
    with city.records.write() as session:
        now = regime.versions(session)[regime.PARTS.index("answers")]
        if body.seen is not None and body.seen != now:
            raise RulesChangedError("answers", body.seen, now)
        usual = regime.content_of(session, "answers", 0)
        fresh = usual if body.answers is None else [one.model_dump() for one in body.answers]
        return AdoptedOut(version=regime.adopt(session, asker, "answers", fresh, note=body.note))
