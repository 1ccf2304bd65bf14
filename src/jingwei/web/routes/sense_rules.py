"""Rules over readings, tried on history; the alarms and incidents that come of them; the state of cells."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from jingwei.sense import policy
from jingwei.sense.rules import service
from jingwei.sense.series import micros_of
from jingwei.web import problems, stopping
from jingwei.web.answers import instant_of
from jingwei.web.policies import filtered
from jingwei.web.reader import AskerOf
from jingwei.web.routes.sta import sensing_of
from jingwei.web.texts import TextOut, text_out

if TYPE_CHECKING:
    from jingwei.access import Asker
    from jingwei.sense.rules.models import RuleRow
    from jingwei.sense.service import Sensing

router = APIRouter(prefix="/sense", tags=["sense"], responses=problems.responses(400, 403, 404))
watches = [filtered(policy.WATCH)]
rules = [filtered(policy.RULE)]
Number = Annotated[int, Path(ge=1, lt=1 << 62)]
Before = Annotated[int | None, Query(ge=1, lt=1 << 62, description="Only with lower numbers")]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RuleIn(_In):
    """A rule to be written; `rule` is what it says, see docs/rules.md."""

    rule: dict[str, Any]
    owner: str = Field(default="", max_length=18, description="Department of a new rule; empty: the city")


class TrialIn(_In):
    """A rule to be tried on the readings of a period."""

    rule: dict[str, Any]
    owner: str = Field(default="", max_length=18)
    number: int | None = Field(default=None, ge=1, lt=1 << 62, description="The rule whose marks count")
    since: AwareDatetime
    until: AwareDatetime


class SwitchIn(_In):
    """Whether a rule is on, off or deleted."""

    to: Literal["on", "off", "deleted"]


class MarkIn(_In):
    """What was found of an alarm."""

    mark: Literal["", "true", "false"]


class RuleOut(BaseModel):
    """A rule in its newest version."""

    id: int
    version: int
    owner: str
    on: bool
    rule: dict[str, Any]
    by: str
    changed: datetime
    may_write: bool


class VersionOut(BaseModel):
    """What a rule said."""

    version: int
    rule: dict[str, Any]
    by: str
    at: datetime


class WholeRuleOut(BaseModel):
    """A rule with its versions, the newest first."""

    rule: RuleOut
    versions: list[VersionOut]


class RulesOut(BaseModel):
    """All rules that the reader may see."""

    rules: list[RuleOut]


class ReasonOut(BaseModel):
    """A sign in a stream: since when it was there, and by which reading."""

    sign: int
    stream: int
    since: str
    time: str
    value: float | None


class AlarmOut(BaseModel):
    """An alarm with its reasons, as far as the reader may know them."""

    id: int
    rule: int
    version: int
    title: TextOut
    owner: str
    subject: str = Field(description="stream/<id>, thing/<id> or zone/<stored code>")
    severity: str
    cell: str | None = Field(description="The stored code of its place, as text")
    level: int
    began: str
    ended: str | None
    reasons: list[ReasonOut]
    ended_by: list[ReasonOut]
    hidden: int = Field(description="How many reasons are not told to the reader")
    incident: int
    called: str | None
    case: str = Field(description="The case that came of it, or empty")
    mark: str


class AlarmsOut(BaseModel):
    """A page of alarms, the newest first."""

    alarms: list[AlarmOut]
    before: int | None


class IncidentOut(BaseModel):
    """An incident, and how many of its alarms the reader may see."""

    id: int
    cause: str
    severity: str
    began: str
    last: str
    ended: str | None
    alarms: int
    lasting: int


class IncidentsOut(BaseModel):
    """A page of incidents, the newest first."""

    incidents: list[IncidentOut]
    before: int | None


class TriedOut(BaseModel):
    """What a rule would have raised."""

    subject: str
    began: str
    ended: str | None
    reasons: list[ReasonOut]
    mark: str


class TrialOut(BaseModel):
    """A rule on history: how many alarms it would have raised, and how many of them were marked as false."""

    streams: int
    readings: int
    alarms: int
    false: int
    found: list[TriedOut] = Field(description="The first 1,000")


class StateOut(BaseModel):
    """The state of a cell, and why."""

    cell: str
    severity: str
    alarms: list[AlarmOut]


class StatesOut(BaseModel):
    """The cells of a level that are not as they should be."""

    level: int
    states: list[StateOut]


@router.get("/rules", summary="Rules over readings", dependencies=watches)
async def list_sense_rules(request: Request, asker: AskerOf) -> RulesOut:
    """Return the rules that the reader may see."""
    sensing = sensing_of(request)

    def work() -> RulesOut:
        with sensing.records.read() as session:
            found = service.rules(session, sensing.policies(), asker)
            return RulesOut(rules=[_rule(sensing, asker, one) for one in found])

    return await run_in_threadpool(work)


@router.post("/rules", summary="Write a rule", status_code=201, dependencies=rules)
async def write_sense_rule(request: Request, asker: AskerOf, body: RuleIn) -> RuleOut:
    """Write a new rule. It is off until it is switched on."""
    return await run_in_threadpool(_write, sensing_of(request), asker, body, None)


@router.get("/rules/{number}", summary="A rule and its versions", dependencies=watches)
async def read_sense_rule(request: Request, asker: AskerOf, number: Number) -> WholeRuleOut:
    """Return a rule with all that it ever said."""
    sensing = sensing_of(request)

    def work() -> WholeRuleOut:
        with sensing.records.read() as session:
            found = service.rule(session, sensing.policies(), asker, number)
            versions = [
                VersionOut(version=one.version, rule=one.body, by=one.by, at=one.at)
                for one in service.versions(session, number)
            ]
            return WholeRuleOut(rule=_rule(sensing, asker, found), versions=versions)

    return await run_in_threadpool(work)


@router.put("/rules/{number}", summary="Write a new version of a rule", dependencies=rules)
async def rewrite_sense_rule(request: Request, asker: AskerOf, number: Number, body: RuleIn) -> RuleOut:
    """Write a new version; the ones before are kept, and its owner stays."""
    return await run_in_threadpool(_write, sensing_of(request), asker, body, number)


@router.post("/rules/{number}/switch", summary="Switch a rule on or off, or delete it", dependencies=rules)
async def switch_sense_rule(request: Request, asker: AskerOf, number: Number, body: SwitchIn) -> RuleOut:
    """Switch a rule; alarms of a rule that is switched off end."""
    sensing = sensing_of(request)

    def work() -> RuleOut:
        with sensing.records.write() as session:
            found = service.switch(
                session, sensing.policies(), asker, number, on=body.to == "on", gone=body.to == "deleted"
            )
            return _rule(sensing, asker, found)

    return await run_in_threadpool(work)


@router.post("/rule-trials", summary="Try a rule on history", dependencies=rules)
async def try_sense_rule(request: Request, asker: AskerOf, body: TrialIn) -> TrialOut:
    """Return what a rule would have raised in a period; nothing is kept."""
    sensing = sensing_of(request)

    def work() -> TrialOut:
        form = service.checked(body.rule)
        with sensing.records.read() as session:
            service.check_writer(sensing.policies(), asker, body.owner)
            found = service.tried(
                session,
                sensing.readings,
                sensing.sight(session, asker),
                form,
                since=micros_of(body.since),
                until=micros_of(body.until),
                owner=body.owner,
                number=body.number,
            )
        listed = [
            TriedOut(
                subject=one.subject,
                began=instant_of(one.began),
                ended=_instant(one.ended),
                reasons=_reasons(one.reasons),
                mark=one.mark,
            )
            for one in found.found[:1000]
        ]
        return TrialOut(
            streams=found.streams,
            readings=found.readings,
            alarms=len(found.found),
            false=sum(one.mark == "false" for one in found.found),
            found=listed,
        )

    return await stopping.run(request, work)


@router.get("/alarms", summary="Alarms", dependencies=watches)
async def list_sense_alarms(
    request: Request,
    asker: AskerOf,
    lasting: Annotated[bool | None, Query(description="Only those that last, or that ended")] = None,
    incident: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None,
    rule: Annotated[int | None, Query(ge=1, lt=1 << 62)] = None,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> AlarmsOut:
    """Return the alarms that the reader may see, the newest first."""
    sensing = sensing_of(request)

    def work() -> AlarmsOut:
        with sensing.records.read() as session:
            found = service.alarms(
                session,
                sensing.sight(session, asker),
                lasting=lasting,
                incident=incident,
                rule_number=rule,
                before=before,
                limit=limit,
            )
        full = len(found) == limit
        return AlarmsOut(alarms=[_alarm(one) for one in found], before=found[-1].id if full else None)

    return await run_in_threadpool(work)


@router.post("/alarms/{number}/mark", summary="Say whether an alarm was true", dependencies=watches)
async def mark_sense_alarm(request: Request, asker: AskerOf, number: Number, body: MarkIn) -> AlarmOut:
    """Keep what was found of an alarm."""
    sensing = sensing_of(request)

    def work() -> AlarmOut:
        with sensing.records.write() as session:
            service.mark(session, sensing.policies(), asker, number, body.mark)
            session.flush()
            (found,) = service.alarms(session, sensing.sight(session, asker), number=number)
            return _alarm(found)

    return await run_in_threadpool(work)


@router.get("/incidents", summary="Incidents", dependencies=watches)
async def list_sense_incidents(
    request: Request,
    asker: AskerOf,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> IncidentsOut:
    """Return the incidents of which the reader may see alarms, the newest first."""
    sensing = sensing_of(request)

    def work() -> IncidentsOut:
        with sensing.records.read() as session:
            found = service.incidents(session, sensing.sight(session, asker), before=before, limit=limit)
            listed = [
                IncidentOut(
                    id=one.id,
                    cause=one.cause,
                    severity=one.severity,
                    began=instant_of(one.began),
                    last=instant_of(one.last),
                    ended=_instant(one.ended),
                    alarms=count,
                    lasting=lasting,
                )
                for one, count, lasting in found
            ]
        full = len(listed) == limit
        return IncidentsOut(incidents=listed, before=listed[-1].id if full else None)

    return await run_in_threadpool(work)


@router.get("/states", summary="The state of cells, and why", dependencies=watches)
async def list_sense_states(
    request: Request,
    asker: AskerOf,
    level: Annotated[int, Query(ge=9, le=23, description="Of GeoSOT")] = 17,
) -> StatesOut:
    """Return the cells of a level in which alarms last, as far as the reader may be told their places."""
    sensing = sensing_of(request)

    def work() -> StatesOut:
        with sensing.records.read() as session:
            found = service.states(session, sensing.sight(session, asker), level)
        states = [
            StateOut(cell=str(cell), severity=alarms[0].severity, alarms=[_alarm(one) for one in alarms])
            for cell, alarms in sorted(found.items())
        ]
        return StatesOut(level=level, states=states)

    return await run_in_threadpool(work)


def _write(sensing: Sensing, asker: Asker, body: RuleIn, number: int | None) -> RuleOut:
    with sensing.records.write() as session:
        found = service.write(session, sensing.policies(), asker, body.rule, owner=body.owner, number=number)
        return _rule(sensing, asker, found)


def _rule(sensing: Sensing, asker: Asker, row: RuleRow) -> RuleOut:
    decision = sensing.policies().decide(asker, policy.RULE, policy.rule_resource(row.id, row.owner))
    return RuleOut(
        id=row.id,
        version=row.version,
        owner=row.owner,
        on=row.on,
        rule=row.body,
        by=row.by,
        changed=row.changed,
        may_write=decision.allowed,
    )


def _alarm(one: service.Alarm) -> AlarmOut:
    return AlarmOut(
        id=one.id,
        rule=one.rule,
        version=one.version,
        title=text_out(one.title),
        owner=one.owner,
        subject=one.subject,
        severity=one.severity,
        cell=None if one.cell is None else str(one.cell),
        level=one.level,
        began=instant_of(one.began),
        ended=_instant(one.ended),
        reasons=_reasons(one.reasons),
        ended_by=_reasons(one.ended_by),
        hidden=one.hidden,
        incident=one.incident,
        called=_instant(one.called),
        case=one.case,
        mark=one.mark,
    )


def _reasons(reasons: list[dict[str, Any]]) -> list[ReasonOut]:
    return [
        ReasonOut(
            sign=one["sign"],
            stream=one["stream"],
            since=instant_of(one["since"]),
            time=instant_of(one["time"]),
            value=one["value"],
        )
        for one in reasons
    ]


def _instant(micros: int | None) -> str | None:
    return None if micros is None else instant_of(micros)
