"""Rules over readings: written, tried on history, switched on and off."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from jingwei.sense import policy
from jingwei.sense.rules import service
from jingwei.sense.rules.form import rule_of
from jingwei.sense.series import micros_of
from jingwei.web import problems, stopping
from jingwei.web.answers import instant_of
from jingwei.web.policies import filtered
from jingwei.web.reader import AskerOf
from jingwei.web.routes.sense_alarms import GroundOut, ReasonOut, grounds_out, instant_or_none, reasons_out
from jingwei.web.routes.sta import sensing_of
from jingwei.web.texts import TextOut, text_out
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.access import Asker
    from jingwei.sense.rules.history import Used
    from jingwei.sense.rules.models import RuleRow
    from jingwei.sense.service import Sensing

router = APIRouter(prefix="/sense", tags=["sense"], responses=problems.responses(400, 403, 404))
watches = [filtered(policy.WATCH)]
rules = [filtered(policy.RULE)]
Number = Annotated[int, Path(ge=1, lt=1 << 62)]


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
    broken: TextOut | None = Field(
        description="Why it cannot ask its datasets, so that it raises nothing; null where it can"
    )


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
    may_write: bool = Field(
        description="Whether the reader may write rules of some department, or of the city"
    )


class TriedOut(BaseModel):
    """What a rule would have raised."""

    subject: str
    began: str
    ended: str | None
    reasons: list[ReasonOut]
    mark: str
    grounds: list[GroundOut]


class UsedOut(BaseModel):
    """Which version of a dataset was asked, from when to when."""

    dataset: str
    title: TextOut
    version: int
    published: datetime
    since: str
    until: str
    assumed: bool = Field(
        description="Whether no version of that time is kept: it is then the nearest that is"
    )
    trouble: TextOut | None = Field(description="Why it could not be asked; the rule then begins nowhere")


class TrialOut(BaseModel):
    """A rule on history: how many alarms it would have raised, and how many of them were marked as false."""

    streams: int
    readings: int
    alarms: int
    false: int
    found: list[TriedOut] = Field(description="The first 1,000")
    datasets: list[UsedOut] = Field(description="Which versions of its datasets were asked")


@router.get("/rules", summary="Rules over readings", dependencies=watches)
async def list_sense_rules(request: Request, asker: AskerOf) -> RulesOut:
    """Return the rules that the reader may see."""
    sensing = sensing_of(request)

    def work() -> RulesOut:
        with sensing.records.read() as session:
            found = service.rules(session, sensing.policies(), asker)
            may = service.may_write_any(sensing.policies(), asker)
            return RulesOut(rules=[_rule(sensing, asker, one) for one in found], may_write=may)

    return await run_in_threadpool(work)


@router.post("/rules", summary="Write a rule", status_code=201, dependencies=rules)
async def write_sense_rule(request: Request, asker: AskerOf, body: RuleIn) -> RuleOut:
    """Write a new rule. It is off until it is switched on."""
    return await run_in_threadpool(_put, sensing_of(request), asker, body, None)


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
    return await run_in_threadpool(_put, sensing_of(request), asker, body, number)


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
        found = service.try_out(
            sensing,
            asker,
            body.rule,
            since=micros_of(body.since),
            until=micros_of(body.until),
            owner=body.owner,
            number=body.number,
        )
        listed = [
            TriedOut(
                subject=one.subject,
                began=instant_of(one.began),
                ended=instant_or_none(one.ended),
                reasons=reasons_out(one.reasons),
                mark=one.mark,
                grounds=grounds_out([why | _titled(sensing, asker, why) for why in one.grounds]),
            )
            for one in found.found[:1000]
        ]
        return TrialOut(
            streams=found.streams,
            readings=found.readings,
            alarms=len(found.found),
            false=sum(one.mark == "false" for one in found.found),
            found=listed,
            datasets=[_used(one) for one in found.datasets],
        )

    return await stopping.run(request, work)


def _titled(sensing: Sensing, asker: Asker, ground: dict[str, Any]) -> dict[str, Any]:
    title = None if sensing.grounds is None else sensing.grounds.title(asker, ground["dataset"])
    return {"title": title or Text(ground["dataset"]), "told": True}


def _used(one: Used) -> UsedOut:
    return UsedOut(
        dataset=one.dataset,
        title=text_out(one.title),
        version=one.version,
        published=one.published,
        since=instant_of(one.since),
        until=instant_of(one.until),
        assumed=one.assumed,
        trouble=None if one.trouble is None else text_out(one.trouble),
    )


def _put(sensing: Sensing, asker: Asker, body: RuleIn, number: int | None) -> RuleOut:
    return _rule(sensing, asker, service.put(sensing, asker, body.rule, owner=body.owner, number=number))


def _rule(sensing: Sensing, asker: Asker, row: RuleRow) -> RuleOut:
    decision = sensing.policies().decide(asker, policy.RULE, policy.rule_resource(row.id, row.owner))
    trouble = None
    if row.body.get("datasets") and sensing.grounds is not None:
        trouble = sensing.grounds.trouble(row.owner, rule_of(row.body))
    return RuleOut(
        id=row.id,
        version=row.version,
        owner=row.owner,
        on=row.on,
        rule=row.body,
        by=row.by,
        changed=row.changed,
        may_write=decision.allowed,
        broken=None if trouble is None else text_out(trouble),
    )
