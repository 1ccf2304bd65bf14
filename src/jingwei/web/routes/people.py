"""People, departments and roles, for the administrators whom the policies name."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from jingwei import access
from jingwei.access import second_factor, signing_in
from jingwei.access.policy import Resource
from jingwei.web import problems
from jingwei.web.people_out import PersonOut, RoleOut, people_out, roles_out
from jingwei.web.policies import allowed
from jingwei.web.reader import AskerOf, GateOf
from jingwei.web.routes.city import CityOf

router = APIRouter(tags=["people"], responses=problems.responses(400, 401, 403, 404, 409, 429))

CITY = Resource("City")
reads = [allowed("people.read", CITY)]
manages = [allowed("people.manage", CITY)]
gives_roles = [allowed("roles.manage", CITY)]

PersonId = Annotated[str, Path(max_length=40)]
DepartmentCode = Annotated[str, Path(max_length=18)]
Search = Annotated[str, Query(max_length=80)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DepartmentOut(BaseModel):
    """A department, with how much is in it."""

    code: str
    title: str
    parent: str | None
    below: int = Field(description="How many departments are right below it")
    people: int = Field(description="How many people hold a role in it")


class DepartmentsOut(BaseModel):
    """Departments, by code."""

    departments: list[DepartmentOut]
    after: str | None = Field(description="Where the next page begins")


class DepartmentRef(BaseModel):
    """A department by name."""

    code: str
    title: str


class DepartmentDetail(DepartmentRef):
    """A department and those above it."""

    parent: str | None
    closed: bool
    path: list[DepartmentRef] = Field(description="From the top down to itself")


class DepartmentIn(_In):
    """What a department is called, and below which it is."""

    title: str = Field(min_length=1, max_length=200)
    parent: str | None = Field(default=None, max_length=18)


class NewDepartmentIn(DepartmentIn):
    """A new department."""

    code: str = Field(max_length=18, description="Unified social credit code (GB 32100)")


class PeopleOut(BaseModel):
    """People, by name to sign in with."""

    people: list[PersonOut]
    after: str | None = Field(description="Where the next page begins")


class NewPersonIn(_In):
    """A new person."""

    login: str = Field(min_length=1, max_length=120)
    name: str = Field(min_length=1, max_length=120)


class PersonIn(_In):
    """What is to be different; what is left out stays."""

    name: str | None = Field(default=None, min_length=1, max_length=120)
    disabled: bool | None = None


class SetupOut(BaseModel):
    """A setup code, shown this once."""

    person: PersonOut
    code: str = Field(description="By which the person sets a password within three days, once")


class DutyIn(_In):
    """A role to be given."""

    role: str = Field(max_length=60)
    department: str = Field(default="", max_length=18, description="Empty for the whole city")
    until: AwareDatetime | None = Field(default=None, description="When it ends by itself")


class RolesOut(BaseModel):
    """The roles, and whether anyone gives them yet."""

    roles: list[RoleOut]
    appointed: bool = Field(description="Whether there is a security administrator")


# --- departments ---


@router.get("/departments", summary="Departments", dependencies=reads)
def read_departments(
    city: CityOf,
    parent: Annotated[str | None, Query(max_length=18)] = None,
    search: Search = "",
    after: Annotated[str, Query(max_length=18)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> DepartmentsOut:
    """Return departments right below another (or at the top), or, with `search`, wherever they are."""
    with city.records.read() as session:
        if search.strip():
            found = access.find_departments(session, search, after=after, limit=limit)
        else:
            found = access.departments_below(session, parent, after=after, limit=limit)
    listed = [
        DepartmentOut(code=one.code, title=one.title, parent=one.parent, below=below, people=people)
        for one, below, people in found
    ]
    return DepartmentsOut(departments=listed, after=listed[-1].code if len(listed) == limit else None)


@router.get("/departments/{code}", summary="One department", dependencies=reads)
def read_department(city: CityOf, code: DepartmentCode) -> DepartmentDetail:
    """Return a department and those above it."""
    with city.records.read() as session:
        path = access.path_of(session, code)
    return DepartmentDetail(
        code=path[-1].code,
        title=path[-1].title,
        parent=path[-1].parent,
        closed=path[-1].closed,
        path=[DepartmentRef(code=one.code, title=one.title) for one in path],
    )


@router.post("/departments", summary="Add a department", status_code=201, dependencies=manages)
def add_department(city: CityOf, asker: AskerOf, given: NewDepartmentIn) -> DepartmentDetail:
    """Add a department below another, or at the top."""
    code = given.code.strip().upper()
    with city.records.write() as session:
        access.add_department(session, asker, code, given.title.strip(), parent=given.parent)
    return read_department(city, code)


@router.put("/departments/{code}", summary="Rename or move a department", dependencies=manages)
def change_department(
    city: CityOf, asker: AskerOf, code: DepartmentCode, given: DepartmentIn
) -> DepartmentDetail:
    """Rename a department, or put it below another."""
    with city.records.write() as session:
        access.change_department(session, asker, code, title=given.title.strip(), parent=given.parent)
    return read_department(city, code)


@router.delete("/departments/{code}", summary="Close a department", status_code=204, dependencies=manages)
def close_department(city: CityOf, asker: AskerOf, code: DepartmentCode) -> None:
    """Close a department that has neither departments below it nor people."""
    with city.records.write() as session:
        access.close_department(session, asker, code)


# --- people ---


@router.get("/people", summary="People", dependencies=reads)
def read_people(
    city: CityOf,
    search: Search = "",
    role: Annotated[str, Query(max_length=60)] = "",
    department: Annotated[str, Query(max_length=18)] = "",
    after: Annotated[str, Query(max_length=120)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> PeopleOut:
    """Return people by name to sign in with."""
    with city.records.read() as session:
        found = access.people(
            session, search=search, role=role, department=department, after=after, limit=limit
        )
        listed = people_out(session, found)
    return PeopleOut(people=listed, after=found[-1].login if len(found) == limit else None)


@router.post("/people", summary="Add a person", status_code=201, dependencies=manages)
def add_person(city: CityOf, asker: AskerOf, given: NewPersonIn) -> SetupOut:
    """Add a person; returns the code by which the person sets a password."""
    with city.records.write() as session:
        person = access.add_person(session, asker, given.login, given.name)
        code = signing_in.new_setup_code(session, asker, person)
        return SetupOut(person=people_out(session, [access.person(session, person)])[0], code=code)


@router.get("/people/{person}", summary="One person", dependencies=reads)
def read_person(city: CityOf, person: PersonId) -> PersonOut:
    """Return a person."""
    with city.records.read() as session:
        return people_out(session, [access.person(session, person)])[0]


@router.patch("/people/{person}", summary="Rename or disable a person", dependencies=manages)
def change_person(city: CityOf, asker: AskerOf, person: PersonId, given: PersonIn) -> PersonOut:
    """Change a person's name, or whether the person may sign in."""
    with city.records.write() as session:
        if given.name is not None:
            access.rename(session, asker, person, given.name)
        if given.disabled is not None:
            access.set_disabled(session, asker, person, disabled=given.disabled)
        return people_out(session, [access.person(session, person)])[0]


@router.post("/people/{person}/setup-code", summary="Give a new setup code", dependencies=manages)
def give_setup_code(city: CityOf, gate: GateOf, asker: AskerOf, person: PersonId) -> SetupOut:
    """Give a person who forgot the password a code to set another; a locked account is unlocked."""
    with city.records.write() as session:
        code = signing_in.new_setup_code(session, asker, person)
        signing_in.unlock(session, gate.vault, person)
        return SetupOut(person=people_out(session, [access.person(session, person)])[0], code=code)


@router.delete(
    "/people/{person}/second-factor", summary="Remove a second factor", status_code=204, dependencies=manages
)
def remove_lost_second_factor(city: CityOf, asker: AskerOf, person: PersonId) -> None:
    """Turn off the second factor of a person who lost the device."""
    with city.records.write() as session:
        second_factor.remove(session, asker, person)


@router.post(
    "/people/{person}/appointment",
    summary="Appoint the first security administrator",
    dependencies=[allowed("roles.appoint", CITY)],
)
def appoint(city: CityOf, asker: AskerOf, person: PersonId) -> PersonOut:
    """Make a person the first security administrator, who gives all other roles from then on."""
    with city.records.write() as session:
        access.appoint(session, asker, person)
        return people_out(session, [access.person(session, person)])[0]


# --- roles ---


@router.get("/roles", summary="Roles", dependencies=reads)
def read_roles(city: CityOf) -> RolesOut:
    """Return all roles, and whether anyone gives them yet."""
    with city.records.read() as session:
        return RolesOut(roles=roles_out(), appointed=access.has_security_administrator(session))


@router.post("/people/{person}/duties", summary="Give a role", dependencies=gives_roles)
def give_role(city: CityOf, asker: AskerOf, person: PersonId, given: DutyIn) -> PersonOut:
    """Give a person a role in a department, or for the whole city."""
    with city.records.write() as session:
        access.give_role(session, asker, person, given.role, given.department, until=given.until)
        return people_out(session, [access.person(session, person)])[0]


@router.delete("/people/{person}/duties", summary="Take a role", dependencies=gives_roles)
def take_role(
    city: CityOf,
    asker: AskerOf,
    person: PersonId,
    role: Annotated[str, Query(max_length=60)],
    department: Annotated[str, Query(max_length=18)] = "",
) -> PersonOut:
    """Take a role from a person."""
    with city.records.write() as session:
        access.take_role(session, asker, person, role, department)
        return people_out(session, [access.person(session, person)])[0]
