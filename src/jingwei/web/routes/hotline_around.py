"""What a demand may be of while the caller still speaks: types, and open cases nearby."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy.orm import Session

from jingwei.cases import Case, duplicates, plain, policy, proposing, words
from jingwei.cases.citizens import check_place
from jingwei.cases.schemas import Report
from jingwei.records import now_utc
from jingwei.web.policies import filtered
from jingwei.web.reader import AskerOf
from jingwei.web.routes.case_choice import FAILURES, DeskOf
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.public_reports import Latitude, Longitude, outline_of
from jingwei.web.texts import TextOut, text_out

router = APIRouter(prefix="/hotline", tags=["hotline"], responses=FAILURES)


class NearCase(BaseModel):
    """An open case nearby that may be of the same."""

    number: str
    title: TextOut
    type: TextOut
    metres: float
    words: str
    why: TextOut


class TypeProposed(BaseModel):
    """A type that the demand may be of."""

    kind: str
    code: str
    name: TextOut
    why: TextOut


class AroundOut(BaseModel):
    """What a demand may be of, and what is open there already."""

    types: list[TypeProposed]
    near: list[NearCase]


@router.get("/around", summary="What a demand may be of", dependencies=[filtered(policy.READ)])
def read_hotline_around(
    city: CityOf,
    desk: DeskOf,
    asker: AskerOf,
    words: Annotated[str, Query(max_length=400)] = "",
    lon: Longitude | None = None,
    lat: Latitude | None = None,
    kind: Annotated[str, Query(max_length=10)] = "",
    type: Annotated[str, Query(max_length=5)] = "",  # noqa: A002
) -> AroundOut:
    """Return types proposed from words and place, and open cases nearby that may be of the same."""
    place = (lon, lat) if lon is not None and lat is not None else None
    near = []
    with city.records.read() as session:
        regime = desk.regime(session)
        if place is not None:
            check_place(regime.settings, desk.ground(session), *place, outline_of(city))
        types = proposing.types_for(session, regime, words, place)
        about = Report(kind, type, "hotline", words, *(place or (None, None)))
        for one in duplicates.proposals(session, regime, about, at=now_utc()):
            if not desk.may_read(session, asker, one.number):
                continue
            case = desk.get(session, asker, one.number)
            if not case.stands.terminal:
                near.append(_near_out(session, desk, case, one))
    proposed = [
        TypeProposed(
            kind=one.type.kind, code=one.type.code, name=text_out(one.type.name), why=text_out(one.why)
        )
        for one in types
    ]
    return AroundOut(types=proposed, near=near)


def _near_out(session: Session, desk: DeskOf, case: Case, one: duplicates.Proposal) -> NearCase:
    type_ = desk.regime(session).catalogue.get(case.kind, case.type)
    said = words.descriptions(session, [case.number]).get(case.number, "")
    return NearCase(
        number=case.number, title=text_out(plain.says(case.state)["title"]), type=text_out(type_.name),
        metres=one.metres, words=said, why=text_out(one.why),
    )  # fmt: skip
