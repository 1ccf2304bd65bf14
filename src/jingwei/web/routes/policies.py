"""The policies: what is in force, what was, what would be, and what a person may see and why."""

from __future__ import annotations

import difflib
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from jingwei.access import asker_of_person, local_person
from jingwei.access.policy import Decision, Resource, store
from jingwei.access.policy.vocabulary import actions, resource_types, schema
from jingwei.lake.explain import explain
from jingwei.web import problems
from jingwei.web.policies import allowed
from jingwei.web.reader import MAX_PURPOSE, AskerOf
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.datasets import DatasetPath
from jingwei.web.texts import TextOut, text_out

router = APIRouter(prefix="/policies", tags=["policies"], responses=problems.responses(400, 403, 404))

POLICIES = Resource("PolicySet")
READ = [allowed("policy.read", POLICIES)]
CHANGE = [allowed("policy.change", POLICIES)]
MAX_TEXT = 200_000
MAX_EXAMPLES = 500

Number = Annotated[int, Path(ge=0, le=2**31 - 1, description="Number of a version; 0 for the defaults")]


class ExampleBody(BaseModel):
    """What must come out of the policies; kept beside them as their test."""

    model_config = ConfigDict(extra="forbid")

    says: str = Field(min_length=1, max_length=300)
    action: str = Field(max_length=80)
    resource: str = Field(max_length=80)
    allowed: bool
    roles: list[str] = Field(default=[], max_length=50)
    departments: list[str] = Field(default=[], max_length=50)
    attributes: dict[str, str | int | bool | list[str]] = Field(default={}, max_length=50)
    purpose: str = Field(default="", max_length=MAX_PURPOSE)
    person: str = Field(default="person/example", max_length=120)
    above: dict[str, str] = Field(
        default={}, max_length=50, description="Departments of the example and those above them"
    )
    shown: str = Field(default="", max_length=20, description="Of a field: the mask that must come out")
    level: int | None = Field(default=None, ge=0, le=32, description="Of a place: the finest level")


class PolicyBody(BaseModel):
    """Policies to check or to adopt."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=MAX_TEXT)
    examples: list[ExampleBody] = Field(max_length=MAX_EXAMPLES)


class NewVersion(PolicyBody):
    """Policies to adopt, and the version that they were made from."""

    based_on: int = Field(ge=0, description="The version in force when the change was begun")


class VersionLine(BaseModel):
    """A version in one line."""

    number: int
    adopted: datetime | None = Field(description="Null for the defaults, which were never adopted")
    by: str
    in_force: bool


class VersionPage(BaseModel):
    """A page of versions, newest first."""

    versions: list[VersionLine]
    before: int | None = Field(description="Pass as `before` for the next page; null at the end")


class VersionOut(VersionLine):
    """A version whole."""

    text: str
    examples: list[ExampleBody]


class Found(BaseModel):
    """What came out of an example."""

    says: str
    right: bool
    fault: str | None


class CheckOut(BaseModel):
    """Whether policies could take effect."""

    valid: bool
    faults: list[str]
    examples: list[Found]


class DiffLine(BaseModel):
    """A line of two versions."""

    kind: Literal["same", "added", "removed"]
    text: str


class DiffOut(BaseModel):
    """What one version has that another has not."""

    old: int
    new: int
    lines: list[DiffLine]


class ActionOut(BaseModel):
    """Something that is done with kinds of resources."""

    name: str
    resources: list[str]
    says: TextOut


class ResourceOut(BaseModel):
    """A kind of resource and its attributes; those whose name ends in `?` may be missing."""

    name: str
    attributes: dict[str, str]


class VocabularyOut(BaseModel):
    """What policies may speak of."""

    actions: list[ActionOut]
    resources: list[ResourceOut]
    context: dict[str, str]
    annotations: dict[str, TextOut]
    schema_text: str


class RuleOut(BaseModel):
    """A rule that decided, and what it says of itself."""

    id: str
    says: str | None
    ask: str | None


class RightOut(BaseModel):
    """Whether something may be done with a dataset, and by which rules."""

    action: str
    says: TextOut
    allowed: bool
    rules: list[RuleOut]


class FieldOut(BaseModel):
    """How a field is shown, and by which rules."""

    name: str
    level: int | None
    personal: bool | None
    shown: str
    rules: list[RuleOut]


class ExplanationOut(BaseModel):
    """What a person may see of a dataset, and why."""

    person: str
    purpose: str
    dataset: str
    listed: bool
    rights: list[RightOut]
    rows: Literal["all", "none", "some"]
    rows_where: str | None = Field(description="The condition on rows, where only some are shown")
    place_level: int
    place_rules: list[RuleOut]
    smallest: int | None = Field(description="The smallest number shown, where only counts are")
    fields: list[FieldOut]


def _line(version: store.Version, in_force: int) -> dict[str, Any]:
    return {
        "number": version.number,
        "adopted": version.adopted,
        "by": version.by,
        "in_force": version.number == in_force,
    }


def _whole(version: store.Version, in_force: int) -> VersionOut:
    examples = [
        ExampleBody(**{name: getattr(one, name) for name in ExampleBody.model_fields})
        for one in version.examples
    ]
    return VersionOut(**_line(version, in_force), text=version.text, examples=examples)


def _examples(bodies: list[ExampleBody]) -> list[store.Example]:
    return [store.Example(**body.model_dump()) for body in bodies]


@router.get("", summary="The policies in force", dependencies=READ)
def read_policies(city: CityOf) -> VersionOut:
    """Return the version in force: its text in Cedar, and the examples that test it."""
    with city.records.read() as session:
        (newest,) = store.versions(session, limit=1)
    return _whole(newest, newest.number)


@router.get("/versions", summary="The versions of the policies, newest first", dependencies=READ)
def list_policy_versions(
    city: CityOf,
    before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> VersionPage:
    """Return who adopted which version when."""
    with city.records.read() as session:
        (newest,) = store.versions(session, limit=1)
        page = store.versions(session, limit=limit + 1, before=before)
    more = page[limit - 1].number if len(page) > limit else None
    return VersionPage(
        versions=[VersionLine(**_line(one, newest.number)) for one in page[:limit]], before=more
    )


@router.get("/versions/{number}", summary="One version of the policies", dependencies=READ)
def read_policy_version(city: CityOf, number: Number) -> VersionOut:
    """Return a version whole."""
    with city.records.read() as session:
        (newest,) = store.versions(session, limit=1)
        return _whole(store.version(session, number), newest.number)


@router.get("/diff", summary="What two versions differ in", dependencies=READ)
def diff_policies(
    city: CityOf,
    old: Annotated[int, Query(ge=0, le=2**31 - 1)],
    new: Annotated[int, Query(ge=0, le=2**31 - 1)],
) -> DiffOut:
    """Return the lines of both versions, each as the same, added or removed."""
    with city.records.read() as session:
        before, after = store.version(session, old).text, store.version(session, new).text
    kinds: dict[str, Literal["same", "added", "removed"]] = {" ": "same", "+": "added", "-": "removed"}
    lines = [
        DiffLine(kind=kinds[line[0]], text=line[2:])
        for line in difflib.ndiff(before.splitlines(), after.splitlines())
        if line[0] in kinds
    ]
    return DiffOut(old=old, new=new, lines=lines)


@router.get("/vocabulary", summary="What policies may speak of", dependencies=READ)
def read_vocabulary() -> VocabularyOut:
    """Return the actions, the kinds of resources with their attributes, and the schema in Cedar."""
    return VocabularyOut(
        actions=[
            ActionOut(name=one.name, resources=list(one.resources), says=text_out(one.says))
            for one in sorted(actions().values(), key=lambda one: one.name)
        ],
        resources=[
            ResourceOut(name=one.name, attributes=dict(one.attributes))
            for one in sorted(resource_types().values(), key=lambda one: one.name)
        ],
        context=store.CONTEXT,
        annotations={name: text_out(says) for name, says in store.ANNOTATIONS.items()},
        schema_text=schema(),
    )


@router.post("/check", summary="Whether policies could take effect", dependencies=READ)
def check_policies(body: PolicyBody) -> CheckOut:
    """Validate policies and run their examples; nothing is changed."""
    found = store.examine(body.text, _examples(body.examples))
    return CheckOut(
        valid=not found.faults and all(fault is None for fault in found.examples),
        faults=found.faults,
        examples=[
            Found(says=example.says, right=fault is None, fault=fault)
            for example, fault in zip(body.examples, found.examples, strict=False)
        ],
    )


@router.post(
    "",
    summary="Let policies take effect",
    status_code=201,
    dependencies=CHANGE,
    responses=problems.responses(409),
)
def adopt_policies(city: CityOf, asker: AskerOf, body: NewVersion) -> VersionLine:
    """Adopt a new version, if it is valid, its examples come out right, and nobody was quicker."""
    with city.records.write() as session:
        number = store.adopt(session, asker, body.text, _examples(body.examples), based_on=body.based_on)
        adopted = store.version(session, number)
    return VersionLine(**_line(adopted, number))


@router.get("/explain/{dataset}", summary="What a person may see of a dataset, and why", dependencies=READ)
def explain_rights(
    city: CityOf,
    dataset: DatasetPath,
    person: Annotated[str, Query(max_length=40, description="Identifier of a person; `local` in open mode")],
    purpose: Annotated[str, Query(max_length=MAX_PURPOSE)] = "",
) -> ExplanationOut:
    """Return each right, the rows, the places and each field, with the rules that decide it."""
    if person == "local":
        asker = local_person()
    else:
        with city.records.read() as session:
            asker = asker_of_person(session, person)
    found = explain(city.lake, asker, dataset, purpose=" ".join(purpose.split()))
    said = {one.name: one.says for one in actions().values()}
    return ExplanationOut(
        person=person,
        purpose=purpose,
        dataset=dataset,
        listed=found.listed,
        rights=[
            RightOut(
                action=name,
                says=text_out(said[name]),
                allowed=decision.allowed,
                rules=_rules(decision),
            )
            for name, decision in found.rights.items()
        ],
        rows=found.rows,
        rows_where=found.rows_where,
        place_level=found.place_level,
        place_rules=_rules(found.place),
        smallest=found.smallest,
        fields=[
            FieldOut(
                name=one.name,
                level=one.level,
                personal=one.personal,
                shown=one.shown,
                rules=_rules(one.decision),
            )
            for one in found.fields
        ],
    )


def _rules(decision: Decision) -> list[RuleOut]:
    return [
        RuleOut(id=name, says=note.get("says"), ask=note.get("ask"))
        for name, note in zip(decision.rules, decision.annotations, strict=True)
    ]
