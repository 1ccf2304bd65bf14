"""What the city has decided about its cases: types, rules, and the table of steps that it runs by."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from jingwei.cases import lifecycle, regime
from jingwei.cases.events import INPUTS
from jingwei.cases.fields import CHOICES
from jingwei.cases.rules import read_rules
from jingwei.cases.schemas import SOURCES
from jingwei.web.policies import allowed
from jingwei.web.reader import AskerOf
from jingwei.web.routes.case_choice import CITY, FAILURES, DeskOf
from jingwei.web.routes.city import CityOf

router = APIRouter(prefix="/cases", tags=["cases"], responses=FAILURES)

MOST_RULES = 20_000


@router.get("/lifecycle", summary="The table of states and steps", dependencies=[allowed("city.read", CITY)])
def read_lifecycle() -> dict[str, Any]:
    """Return every state, step, role, source and field: the table by which the engine runs."""
    return {
        **lifecycle.as_json(),
        "sources": {name: says.as_json() for name, says in SOURCES.items()},
        "inputs": {name: says.as_json() for name, says in INPUTS.items()},
        "choices": {name: list(choices) for name, choices in CHOICES.items()},
    }


@router.get("/types", summary="The types in force", dependencies=[allowed("city.read", CITY)])
def read_case_types(city: CityOf, desk: DeskOf) -> list[dict[str, Any]]:
    """Return the types of components and matters: the standard's and the city's own."""
    with city.records.read() as session:
        catalogue = desk.regime(session).catalogue
    return [
        {"kind": one.kind, "code": one.code, "name": one.name.as_json(), "major": one.major.as_json(),
         "code_2013": one.code_2013, "local": one.local}
        for one in catalogue
    ]  # fmt: skip


@router.get("/rules", summary="The rules of a type", dependencies=[allowed("city.read", CITY)])
def read_rules_of(
    city: CityOf,
    desk: DeskOf,
    kind: Literal["component", "matter"],
    type: Annotated[str, Query(max_length=5)],  # noqa: A002
) -> list[dict[str, Any]]:
    """Return when a case of a type is registered, how long it may take, and when it is done."""
    with city.records.read() as session:
        rules = desk.regime(session).by_type.get((kind, type), ())
    return [
        {"id": one.id, "condition": one.condition, "closing": one.closing, "unit": one.limit.unit,
         "amount": one.limit.amount, "handler": one.handler, "supervisor": one.supervisor}
        for one in rules
    ]  # fmt: skip


@router.post("/rules", summary="Adopt a table of rules", dependencies=[allowed("case.manage", CITY)])
def adopt_rules(
    city: CityOf,
    desk: DeskOf,
    asker: AskerOf,
    rows: Annotated[list[dict[str, Any]], Field(max_length=MOST_RULES)],
) -> dict[str, Any]:
    """Adopt a table of register-handle-close rules as a new version, whole or not at all."""
    with city.records.write() as session:
        now = desk.regime(session)
        table = read_rules(rows, now.catalogue)
        if table.types:
            regime.adopt(session, asker, "types", [*now.types, *table.types])
        version = regime.adopt(session, asker, "rules", table.rules)
    return {"version": version, "rules": len(table.rules), "types": len(table.types), "mapped": table.mapped}
