"""Records of the same thing in several datasets: what is matched, the pairs, and decisions on them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from jingwei import matching
from jingwei.matching.policy import MANAGE, REVIEW
from jingwei.web import jobs, problems
from jingwei.web.policies import CITY, allowed
from jingwei.web.reader import AskerOf
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.loading import JobOut
from jingwei.web.texts import TextOut
from jingwei.words import Text

router = APIRouter(
    prefix="/matchings", tags=["matching"], responses=problems.responses(400, 403, 404, 409, 422)
)

NamePath = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,59}$", description="Name of the matching")]
NumberPath = Annotated[int, Path(ge=0, le=2**31)]
State = Literal["linked", "review", "rival", "same", "different", "unsure"]


class LevelOut(BaseModel):
    """A way in which a field agrees: how often the same thing (m) and strangers (u) come out so."""

    level: int
    label: str
    m: float | None
    u: float | None


class RunOut(BaseModel):
    """A run: versions read, what was learnt, where its pairs stand."""

    id: int
    at: datetime
    by: str
    versions: dict[str, int]
    rows: dict[str, int]
    learnt: dict[str, list[LevelOut]]
    states: dict[str, int]
    conflicts: dict[str, int] = Field(description="By field: linked pairs that differ in it")


class MatchingOut(BaseModel):
    """What is matched, and its newest run."""

    id: str
    title: TextOut
    text: str
    datasets: list[str]
    fields: list[str]
    changed: datetime
    by: str
    run: RunOut | None


class MatchingList(BaseModel):
    """All matchings, by name."""

    matchings: list[MatchingOut]


class RecordOut(BaseModel):
    """One side of a pair."""

    dataset: str
    version: int
    row: int
    fields: dict[str, str | None] | None = Field(description="As the reader may see them; null if gone")


class DecidedOut(BaseModel):
    """What a person decided."""

    choice: str
    note: str
    at: datetime
    by: str


class PairOut(BaseModel):
    """Two records that may be the same thing."""

    number: int
    state: State
    probability: float | None
    levels: dict[str, int | None]
    differs: list[str]
    authority: dict[str, str | None] = Field(description="By field: the dataset whose value holds")
    records: list[RecordOut]
    decided: DecidedOut | None


class PairPage(BaseModel):
    """Pairs of the newest run."""

    run: int | None
    pairs: list[PairOut]
    after: int | None


class ConfigurationIn(BaseModel):
    """What is to be matched (TOML; see docs/intake.md)."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=20_000)


class ChoiceIn(BaseModel):
    """What a reviewer says of a pair; `open` takes it back."""

    model_config = ConfigDict(extra="forbid")

    choice: Literal["same", "different", "unsure", "open"]
    note: str = Field(default="", max_length=2_000)


def _out(one: matching.Matching) -> MatchingOut:
    run = one.run
    plain = None if run is None else RunOut(**{name: getattr(run, name) for name in RunOut.model_fields})
    title = one.configuration.title
    return MatchingOut(
        id=one.id,
        title=TextOut(zh=title.zh, en=title.en or title.zh),
        text=one.text,
        datasets=[table.dataset for table in one.configuration.table],
        fields=one.configuration.shared,
        changed=one.changed,
        by=one.by,
        run=plain,
    )


@router.get("", summary="What records are matched", dependencies=[allowed(REVIEW, CITY)])
def list_matchings(city: CityOf) -> MatchingList:
    """Return all matchings, by name, each with its newest run."""
    return MatchingList(matchings=[_out(one) for one in matching.matchings(city)])


@router.get("/{name}", summary="One matching", dependencies=[allowed(REVIEW, CITY)])
def read_matching(city: CityOf, name: NamePath) -> MatchingOut:
    """Return what is matched, what the newest run learnt, and where its pairs stand."""
    return _out(matching.matching(city, name))


@router.put("/{name}", summary="Say what is matched", dependencies=[allowed(MANAGE, CITY)])
def configure_matching(
    city: CityOf, asker: AskerOf, name: NamePath, body: Annotated[ConfigurationIn, Body()]
) -> MatchingOut:
    """Set up a matching, or change it; decisions stay."""
    return _out(matching.configure(city, asker, name, body.text))


@router.post("/{name}/runs", summary="Match", status_code=202, dependencies=[allowed(MANAGE, CITY)])
def run_matching(request: Request, city: CityOf, asker: AskerOf, name: NamePath) -> JobOut:
    """Match the published versions in the background, with all decisions applied."""
    one = matching.matching(city, name)

    def work(job: jobs.Job) -> dict[str, Any]:
        made = matching.run(city, asker, name, tell=lambda stage: job.tell(name, stage=stage))
        return {"run": made.id, "states": made.states}

    title = one.configuration.title
    job = request.app.state.jobs.start(
        Text(f"比对 {title.zh}", f"Match {title.en or title.zh}"), asker.id, work
    )
    return JobOut(id=job.id, events=f"/api/jobs/{job.id}/events")


@router.get("/{name}/pairs", summary="Pairs of the newest run", dependencies=[allowed(REVIEW, CITY)])
def read_pairs(
    city: CityOf,
    asker: AskerOf,
    name: NamePath,
    state: Annotated[State | None, Query()] = None,
    field: Annotated[str | None, Query(max_length=40, description="Linked pairs that differ in it")] = None,
    after: Annotated[int | None, Query(ge=0, le=2**31)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> PairPage:
    """Return pairs with both records, each as the reader may see it."""
    run, found, more = matching.pairs(city, asker, name, state=state, field=field, after=after, limit=limit)
    return PairPage(
        run=run,
        pairs=[PairOut(**{n: getattr(one, n) for n in PairOut.model_fields}) for one in found],
        after=more,
    )


@router.put(
    "/{name}/runs/{run}/pairs/{pair}",
    summary="Decide on a pair",
    status_code=204,
    dependencies=[allowed(REVIEW, CITY)],
)
def decide_pair(
    city: CityOf,
    asker: AskerOf,
    name: NamePath,
    run: NumberPath,
    pair: NumberPath,
    body: Annotated[ChoiceIn, Body()],
) -> None:
    """Say that two records are the same, different, or that it cannot be told; later runs keep to it."""
    matching.decide(city, asker, name, run, pair, body.choice, note=body.note)
