"""Contracts of datasets, and what checking them found."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from jingwei import grid
from jingwei.city import City
from jingwei.city.assessing import adopt_contract, check_again
from jingwei.lake import contracting, odcs
from jingwei.lake.contracting import Agreed, Checked
from jingwei.lake.contracts import Contract, ContractError
from jingwei.web import problems
from jingwei.web.policies import allowed
from jingwei.web.reader import AskerOf
from jingwei.web.routes.city import CityOf
from jingwei.web.routes.datasets import DatasetPath, of_dataset
from jingwei.web.routes.loading import JobOut
from jingwei.web.texts import TextOut
from jingwei.words import Text

router = APIRouter(
    prefix="/datasets", tags=["contracts"], responses=problems.responses(400, 403, 404, 409, 422)
)

inspects = [allowed("dataset.inspect", of_dataset)]
publishes = [allowed("dataset.publish", of_dataset)]


class ContractOut(BaseModel):
    """A contract, in force or proposed."""

    contract: Contract
    number: int = Field(description="0 where it is only proposed from the data")
    adopted: datetime | None
    by: str
    not_taken: list[str] = Field(default_factory=list, description="What a document says that is not checked")


class ContractIn(BaseModel):
    """A contract to put in force."""

    model_config = ConfigDict(extra="forbid")

    contract: Contract
    after: int = Field(ge=0, description="The number of the contract that it replaces; 0 for none")


class RuleOut(BaseModel):
    """What became of one rule."""

    id: str
    kind: str
    columns: list[str]
    dimension: str
    severity: str
    text: TextOut
    rows: int | None = Field(description="Rows that break it; null for a rule on the version as a whole")
    failed: bool
    examples: list[int] = Field(description="Rows of the file, as a person counts them")
    before: int | None = Field(description="Rows that broke it in the check before")


class CheckOut(BaseModel):
    """What one check found."""

    id: str
    version: int | None = Field(description="The published version; null where the gate held it back")
    contract: int
    at: datetime
    gated: bool
    score: float
    rows: int
    faulty: int
    dimensions: dict[str, float]
    rules: list[RuleOut]


class CheckPage(BaseModel):
    """Checks, newest first."""

    checks: list[CheckOut]


class FindingRow(BaseModel):
    """A row that breaks a rule."""

    rule: str
    fact: int
    file: int
    row: int
    value: str | None = Field(description="Null for who is not shown whole rows")
    lon: float | None
    lat: float | None


class FindingPage(BaseModel):
    """A page of findings."""

    findings: list[FindingRow]
    total: int
    after: int | None


def _contract_out(agreed: Agreed, not_taken: list[str] | None = None) -> ContractOut:
    return ContractOut(
        contract=agreed.contract,
        number=agreed.number,
        adopted=agreed.adopted,
        by=agreed.by,
        not_taken=not_taken or [],
    )


@router.get("/{dataset}/contract", summary="The contract of a dataset", dependencies=inspects)
def read_contract(city: CityOf, asker: AskerOf, dataset: DatasetPath) -> ContractOut:
    """Return the contract in force, else one proposed from the data."""
    return _contract_out(contracting.contract_of(city.lake, asker, dataset))


@router.put("/{dataset}/contract", summary="Put a contract in force", dependencies=publishes)
def put_contract(city: CityOf, asker: AskerOf, dataset: DatasetPath, body: ContractIn) -> ContractOut:
    """Adopt a contract; from now on every load is checked against it."""
    if body.contract.dataset != dataset:
        raise ContractError(dataset, Text("契约属于另一数据集", "it is for another dataset"))
    return _contract_out(adopt_contract(city, asker, body.contract, after=body.after))


@router.get(
    "/{dataset}/contract/odcs",
    summary="The contract as an Open Data Contract Standard document",
    dependencies=inspects,
    response_class=PlainTextResponse,
    responses={200: {"content": {"application/yaml": {"schema": {"type": "string"}}}}},
)
def export_contract(city: CityOf, asker: AskerOf, dataset: DatasetPath) -> PlainTextResponse:
    """Return the contract in YAML of ODCS 3.1."""
    agreed = contracting.contract_of(city.lake, asker, dataset)
    return odcs_of(city, dataset, agreed)


def odcs_of(city: City, dataset: str, agreed: Agreed) -> PlainTextResponse:
    """Return a contract as a file of ODCS 3.1."""
    name = f"urn:jingwei:{city.about.id}:{dataset}"
    text = odcs.to_odcs(agreed.contract, version=agreed.number, identifier=name)
    kept = {"Content-Disposition": f'attachment; filename="{dataset}.odcs.yaml"'}
    return PlainTextResponse(text, media_type="application/yaml", headers=kept)


@router.post(
    "/{dataset}/contract/odcs",
    summary="Read an Open Data Contract Standard document",
    dependencies=publishes,
)
def read_odcs(
    city: CityOf,
    asker: AskerOf,
    dataset: DatasetPath,
    document: Annotated[str, Body(media_type="application/yaml", max_length=odcs.LONGEST)],
) -> ContractOut:
    """Return the contract that a document says, and what of it is not checked; nothing is put in force."""
    contract, not_taken = odcs.from_odcs(document, dataset)
    known = contracting.contract_of(city.lake, asker, dataset)
    return _contract_out(Agreed(contract, known.number, known.adopted, known.by), not_taken)


@router.post(
    "/{dataset}/checks", summary="Check the published version", status_code=202, dependencies=inspects
)
def start_check(request: Request, city: CityOf, asker: AskerOf, dataset: DatasetPath) -> JobOut:
    """Check by the contract in force, or the proposed one, in the background."""
    title = Text(f"检查 {dataset}", f"Check {dataset}")

    def work(_job: Any) -> dict[str, Any]:
        checked = check_again(city, asker, dataset)
        return {"check": checked.intent, "score": checked.report.score}

    job = request.app.state.jobs.start(title, asker.id, work)
    return JobOut(id=job.id, events=f"/api/jobs/{job.id}/events")


@router.get("/{dataset}/checks", summary="What checks found, newest first", dependencies=inspects)
def list_checks(
    city: CityOf, asker: AskerOf, dataset: DatasetPath, limit: Annotated[int, Query(ge=1, le=200)] = 30
) -> CheckPage:
    """Return the reports of versions and of what the gate held back, each against the one before."""
    found = contracting.reports(city.lake, asker, dataset, limit=limit + 1)
    earlier = [*found, None][1:]
    page = [_check_out(one, before) for one, before in zip(found, earlier, strict=True)]
    return CheckPage(checks=page[:limit])


def _check_out(one: Checked, before: Checked | None) -> CheckOut:
    counted = {rule.id: rule.rows for rule in before.report.rules} if before else {}
    return CheckOut(
        id=one.intent,
        version=one.version,
        contract=one.contract,
        at=one.at,
        gated=one.gated,
        score=one.report.score,
        rows=one.report.rows,
        faulty=one.report.faulty,
        dimensions=one.report.dimensions,
        rules=[
            RuleOut(
                id=rule.id,
                kind=rule.kind,
                columns=rule.columns,
                dimension=rule.dimension,
                severity=rule.severity,
                text=TextOut(zh=rule.text["zh"], en=rule.text.get("en") or rule.text["zh"]),
                rows=rule.rows,
                failed=rule.failed,
                examples=rule.examples,
                before=counted.get(rule.id),
            )
            for rule in one.report.rules
        ],
    )


@router.get("/{dataset}/checks/{check}/findings", summary="Rows that break a rule", dependencies=inspects)
def list_findings(
    city: CityOf,
    asker: AskerOf,
    dataset: DatasetPath,
    check: Annotated[str, Path(max_length=40)],
    rule: Annotated[str | None, Query(max_length=300)] = None,
    after: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> FindingPage:
    """Return findings in order of rule, file and row, with their places."""
    table, total = contracting.findings(city.lake, asker, dataset, check, rule=rule, after=after, limit=limit)
    rows = [_finding(one) for one in table.to_pylist()]
    end = after + len(rows)
    return FindingPage(findings=rows, total=total, after=end if end < total else None)


def _finding(row: dict[str, Any]) -> FindingRow:
    lon = lat = None
    if row["cell"] is not None and row["level"]:
        x, y = grid.centre([int(grid.from_stored(row["cell"]))], row["level"])
        lon, lat = round(float(x[0]), 7), round(float(y[0]), 7)
    return FindingRow(
        rule=row["rule"],
        fact=row["fact"],
        file=row["file"],
        row=row["row"],
        value=row["value"],
        lon=lon,
        lat=lat,
    )
