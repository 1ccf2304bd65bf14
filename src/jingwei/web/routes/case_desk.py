"""What pages of cases need beside the cases: how many are in which state, names, and whom one may choose."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from jingwei import access
from jingwei.access.policy import RefusedError
from jingwei.cases import policy, timeline
from jingwei.cases.calendar import instant
from jingwei.cases.inventory import component
from jingwei.cases.lifecycle import COLLECTOR, HANDLER, TRANSITIONS
from jingwei.errors import BadRequestError, NotFoundError
from jingwei.records import now_utc
from jingwei.web.policies import allowed
from jingwei.web.reader import AskerOf
from jingwei.web.routes.case_choice import CITY, FAILURES, BoardOf, ChoiceOf, DeskOf, Number, shows
from jingwei.web.routes.city import CityOf
from jingwei.words import Text

router = APIRouter(prefix="/cases", tags=["cases"], responses=FAILURES)

MOST_HANDS = 200
MOST_NAMED = 50
CHOSEN_BY = {"assign": HANDLER, "send_verify": COLLECTOR, "send_check": COLLECTOR}
"""The steps that name a person, and the role of those who are named."""


class StateCount(BaseModel):
    """How many of the chosen cases are in a state."""

    state: str
    count: int
    overdue: int = Field(description="The clock of the state is over")
    at_risk: int = Field(description="The last warning before the end has come")
    asked: int = Field(description="An extension, suspension or appeal waits for an answer")
    ordered: int = Field(description="An order of supervision waits for a reply")


class Named(BaseModel):
    """A department or a person that can be chosen."""

    id: str
    name: str


class ComponentOut(BaseModel):
    """A component of the inventory."""

    code: str
    object: str
    department: str
    area: str


class CaseNames(BaseModel):
    """The names behind the identifiers of a case."""

    people: dict[str, str]
    departments: dict[str, str]


@router.get("/states", summary="How many cases are in which state", dependencies=shows)
def read_states(board: BoardOf, asker: AskerOf, choice: ChoiceOf) -> list[StateCount]:
    """Return for each state how many of the chosen cases are in it."""
    found = board.states(asker, choice, instant(now_utc()))
    return [StateCount.model_validate(one) for one in found]


@router.get("/departments", summary="Departments that cases go to", dependencies=[allowed("city.read", CITY)])
def read_case_departments(
    city: CityOf,
    search: Annotated[str, Query(max_length=80, description="Part of a title or code")] = "",
    code: Annotated[list[Annotated[str, Field(max_length=18)]], Query(max_length=MOST_NAMED)] = [],  # noqa: B006
) -> list[Named]:
    """Return departments by code, or those whose title or code contains a text, the first fifty."""
    with city.records.read() as session:
        if code:
            return [Named(id=one, name=title) for one, title in access.titles_of(session, code).items()]
        found = access.find_departments(session, search, limit=MOST_NAMED)
    return [Named(id=one.code, name=one.title) for one, _, _ in found]


@router.get(
    "/people", summary="Names of those who act on cases", dependencies=[allowed("case.figures", CITY)]
)
def read_case_people(
    city: CityOf,
    id: Annotated[list[Annotated[str, Field(max_length=40)]], Query(max_length=MOST_HANDS)] = [],  # noqa: A002, B006
) -> list[Named]:
    """Return the names of people by identifier: figures are told by them."""
    with city.records.read() as session:
        return [Named(id=one, name=name) for one, name in access.names_of(session, id).items()]


@router.get(
    "/components/{code}", summary="A component of the inventory", dependencies=[allowed("city.read", CITY)]
)
def read_component(
    city: CityOf, code: Annotated[str, Path(pattern="^[0-9]{17}$", examples=["44030101001000001"])]
) -> ComponentOut:
    """Return a component by its 17 digits: its object in the registry, and who is in charge of it."""
    with city.records.read() as session:
        found = component(session, code)
    if found is None:
        raise NotFoundError(
            Text(f"没有部件 {code}", f"there is no component {code}."), where={"component": code}
        )
    return ComponentOut(code=code, object=found.object, department=found.department, area=found.area)


@router.get("/{number}/names", summary="The names behind a case's identifiers", dependencies=shows)
def read_names(city: CityOf, desk: DeskOf, asker: AskerOf, number: Number) -> CaseNames:
    """Return who acted on a case and which departments it names, by identifier."""
    with city.records.read() as session:
        case = desk.get(session, asker, number)
        told = timeline(session, number)
        people = {one for one in (case.reporter, case.collector, case.handler) if one}
        people |= {one.actor for one in told if one.actor}
        people |= {one.data[name] for one in told for name in ("handler", "collector") if one.data.get(name)}
        codes = {case.department, *case.departments, *(part.department for part in case.parts), case.proposed}
        codes |= {one.data.get("department") for one in told}
        return CaseNames(
            people=access.names_of(session, people),
            departments=access.titles_of(session, {one for one in codes if one}),
        )


@router.get("/{number}/hands", summary="Whom a step may name", dependencies=shows)
def read_hands(
    city: CityOf,
    desk: DeskOf,
    asker: AskerOf,
    number: Number,
    action: Annotated[str, Query(max_length=40)],
) -> list[Named]:
    """Return the people whom the asker may name in a step: handlers of the department, or collectors."""
    role = CHOSEN_BY.get(action)
    if role is None:
        raise BadRequestError(Text("此步骤不指定人员", "this step names nobody."), where={"field": "action"})
    with city.records.read() as session:
        case = desk.get(session, asker, number)
        step, policies = TRANSITIONS[action], desk.policies()
        decision = policies.decide(asker, step.policy_action, policy.resource_of(case, step))
        if not decision.allowed:
            raise RefusedError(step.policy_action, decision)
        department = case.department or "" if role == HANDLER else ""
        found = access.people(session, role=role, department=department, limit=MOST_HANDS)
    return [Named(id=f"person/{one.id}", name=one.name) for one in found if not one.disabled]
