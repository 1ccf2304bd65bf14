"""Which cases are asked for, and who is asked: what all routes of cases share."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Request
from pydantic import AwareDatetime, Field

from jingwei.access.policy import Resource
from jingwei.cases import Desk
from jingwei.cases.board import Board, Choice
from jingwei.cases.calendar import instant
from jingwei.cases.indicators import cases_of
from jingwei.errors import BadRequestError
from jingwei.records import now_utc
from jingwei.web import problems
from jingwei.web.policies import filtered
from jingwei.web.routes.city import CityOf
from jingwei.words import Text

FAILURES = problems.responses(400, 401, 403, 404, 409)
CITY = Resource("City")
shows = [filtered("case.read")]
"""The desk itself asks the policies about the very case."""


async def desk_of(request: Request) -> Desk:
    """Return where cases are taken in and moved on."""
    desk: Desk = request.app.state.desk
    return desk


async def board_of(request: Request) -> Board:
    """Return the cases in columns."""
    board: Board = request.app.state.board
    return board


DeskOf = Annotated[Desk, Depends(desk_of)]
BoardOf = Annotated[Board, Depends(board_of)]
Number = Annotated[str, Path(max_length=40, examples=["4403012026110300001"])]
Words = Annotated[list[Annotated[str, Field(max_length=120)]], Query(max_length=50)]


def choice_of(
    board: BoardOf,
    desk: DeskOf,
    city: CityOf,
    state: Words = [],  # noqa: B006 -- FastAPI copies it
    kind: Words = [],  # noqa: B006
    type: Words = [],  # noqa: A002, B006
    source: Words = [],  # noqa: B006
    street: Words = [],  # noqa: B006
    area: Words = [],  # noqa: B006
    department: Words = [],  # noqa: B006
    handler: Words = [],  # noqa: B006
    reporter: Words = [],  # noqa: B006
    collector: Words = [],  # noqa: B006
    acceptor: Words = [],  # noqa: B006
    dispatcher: Words = [],  # noqa: B006
    community: Words = [],  # noqa: B006
    major: Words = [],  # noqa: B006
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    ended: bool | None = None,
    overdue: bool = False,
    at_risk: bool = False,
    waiting: Annotated[bool, Query(description="Only what waits for the asker")] = False,
    asked: Annotated[bool, Query(description="Only what waits for the answer to a petition")] = False,
    ordered: Annotated[bool, Query(description="Only what waits for the reply to an order")] = False,
    box: Annotated[str | None, Query(max_length=120, description="west,south,east,north in degrees")] = None,
    search: Annotated[str, Query(max_length=40, description="Number, area, type or words")] = "",
    beyond: Annotated[str, Query(max_length=40, description="Numbers after this one; with sort=number")] = "",
    indicator: Annotated[
        str | None, Query(max_length=60, description="The cases that its figure counts")
    ] = None,
) -> Choice:
    """Return which cases are asked for; lists, maps and figures take the same parameters."""
    given = {
        "state": state, "kind": kind, "type": type, "source": source, "street": street, "area": area,
        "department": department, "handler": handler, "reporter": reporter, "collector": collector,
        "acceptor": acceptor, "dispatcher": dispatcher, "community": community, "major": major,
    }  # fmt: skip
    now = instant(now_utc())
    condition = cases_of(indicator, now=now, stock_days=board.stock_days) if indicator else ""
    if "repeated" in condition or "frequent" in condition:
        condition = "registered"  # what such a figure chooses from
    return Choice(
        values={name: values for name, values in given.items() if values},
        flags={} if ended is None else {"ended": ended},
        since=None if since is None else instant(since),
        until=None if until is None else instant(until),
        overdue_at=now if overdue else None,
        risky_at=now if at_risk else None,
        waiting=waiting,
        asked=asked,
        ordered=ordered,
        box=box_of_text(box),
        text=search.strip(),
        types=_types_named(search.strip(), city, desk),
        beyond=beyond,
        sql=condition,
    )


ChoiceOf = Annotated[Choice, Depends(choice_of)]


def _types_named(search: str, city: CityOf, desk: DeskOf) -> list[tuple[str, str]]:
    """Return the types (kind and code) that bear what is searched in their names."""
    if not search or search.isdigit():
        return []
    with city.records.read() as session:
        return [(one.kind, one.code) for one in desk.regime(session).catalogue.search(search)]


def box_of_text(text: str | None) -> tuple[float, float, float, float] | None:
    """Return the box that `west,south,east,north` says, in degrees."""
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        west = south = east = north = float("nan")
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadRequestError(
            Text("box 应为 西,南,东,北（度）", "box is west,south,east,north in degrees."),
            where={"field": "box"},
        )
    return west, south, east, north
