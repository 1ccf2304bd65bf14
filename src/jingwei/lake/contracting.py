"""Contracts as they are kept and put in force, and the checks of versions by them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import func, select

from jingwei import ledger
from jingwei.errors import ConflictError, NotFoundError
from jingwei.lake.checking import FINDINGS, Report, Surroundings, check
from jingwei.lake.contracts import Contract
from jingwei.lake.models import ContractRow, ReportRow, VersionRow
from jingwei.lake.proposing import propose
from jingwei.lake.schemas import Content
from jingwei.lake.terms import check_terms
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.lake.schemas import Dataset
    from jingwei.lake.service import Lake

PROPOSED = 0
"""The number under which a contract goes that nobody adopted."""
MEMORY = "1GB"


class ContractChangedError(ConflictError):
    """Somebody else adopted a contract in the meantime."""

    code = "contract-changed"

    def __init__(self, dataset: str, number: int) -> None:
        super().__init__(
            Text(
                f"“{dataset}”的数据契约已由他人更新为第 {number} 版。",
                f"The contract of '{dataset}' was changed to version {number} in the meantime.",
            ),
            mend=Text("请重新打开后再改。", "Open it again, then change it."),
            where={"dataset": dataset, "number": number},
        )


@dataclass(frozen=True, slots=True)
class Agreed:
    """A contract with its number (0: proposed), since when and by whom."""

    contract: Contract
    number: int
    adopted: datetime | None
    by: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A report with what it is about. `version` is null where nothing was published of it."""

    dataset: str
    intent: str
    contract: int
    version: int | None
    at: datetime
    gated: bool
    report: Report


def in_force(session: Session, dataset: str) -> Agreed | None:
    """Return the contract in force, if any was adopted."""
    row = session.scalars(
        select(ContractRow).where(ContractRow.dataset == dataset).order_by(ContractRow.number.desc()).limit(1)
    ).one_or_none()
    if row is None:
        return None
    return Agreed(Contract.model_validate(row.body), row.number, row.adopted, row.by)


def numbered(session: Session, dataset: str, number: int) -> Contract | None:
    """Return a contract that was adopted by its number, or None."""
    row = session.get(ContractRow, (dataset, number))
    return None if row is None else Contract.model_validate(row.body)


def contract_of(lake: Lake, asker: Asker, dataset: str) -> Agreed:
    """Return the contract of a dataset: the one in force, else one proposed from its data.

    Raises
    ------
    UnknownDatasetError, RefusedError
        If the asker may not see the dataset, or not inspect it.

    """
    lake.check(asker, "inspect", dataset)
    with lake.records.read() as session:
        agreed = in_force(session, dataset)
    if agreed is not None:
        return agreed
    proposed = proposal(lake, dataset)
    if not lake.view(asker, dataset).whole:  # what it holds must not be told by what it may hold
        bare: dict[str, Any] = {"codes": [], "placeholders": [], "least": None, "most": None}
        fields = [terms.model_copy(update=bare) for terms in proposed.fields]
        proposed = proposed.model_copy(update={"fields": fields})
    return Agreed(proposed, PROPOSED, None, "")


def proposal(lake: Lake, dataset: str) -> Contract:
    """Return a contract proposed from the data of a dataset as it is."""
    found = next(one for one in lake.catalogue() if one.id == dataset)
    if found.version is None:
        return Contract(dataset=dataset, title=found.title.zh[:200], owner=found.owner)
    content = found.version.content
    paths = facts_of(lake.root / dataset, content)
    return propose(found, content, paths, own_schema(paths, content))


def adopt(lake: Lake, asker: Asker, contract: Contract, around: Surroundings, *, after: int) -> Agreed:
    """Put a contract in force.

    Parameters
    ----------
    lake
        Whose dataset it is for.
    asker
        Who adopts it; must be allowed to publish the dataset.
    contract
        The contract.
    around
        What is known beside, by which its rules are tried.
    after
        The number of the contract that it replaces, 0 for none.

    Raises
    ------
    UnknownDatasetError, RefusedError
        If the asker may not.
    ContractError
        If a rule names what is not there, or is no condition, or a field's terms cannot be meant; its `where`
        says which.
    ContractChangedError
        If another is in force by now.

    """
    dataset = contract.dataset
    lake.check(asker, "publish", dataset)
    contract = contract.model_copy(update={"status": "active"})
    check_terms(contract)
    found = current(lake, dataset)
    if found.version is not None:
        content = found.version.content
        paths = facts_of(lake.root / dataset, content)
        check(contract, paths, own_schema(paths, content), content, around, strict=True, rows=False)
    with lake.records.write() as session:
        newest = (
            session.scalar(select(func.max(ContractRow.number)).where(ContractRow.dataset == dataset)) or 0
        )
        if newest != after:
            raise ContractChangedError(dataset, newest)
        at = now_utc()
        session.add(
            ContractRow(
                dataset=dataset,
                number=newest + 1,
                body=contract.model_dump(mode="json"),
                adopted=at,
                by=asker.id,
            )
        )
        ledger.append(
            session,
            "contract.adopted",
            actor=asker.id,
            subject=f"dataset/{dataset}",
            data={"contract": newest + 1, "fields": len(contract.fields), "rules": len(contract.rules)},
        )
    return Agreed(contract, newest + 1, at, asker.id)


def assess(
    lake: Lake,
    agreed: Agreed,
    intent: str,
    paths: Sequence[Path],
    own: pa.Schema,
    content: Content,
    around: Surroundings,
) -> Checked:
    """Check what an intent wrote, and keep the report and its findings.

    Parameters
    ----------
    lake
        Whose container it is.
    agreed
        The contract.
    intent
        What wrote the facts.
    paths, own, content, around
        As for `jingwei.lake.checking.check`.

    """
    contract = agreed.contract
    report, findings = check(contract, paths, own, content, around, memory=MEMORY)
    gated = contract.gate is not None and not passes(contract, report)
    path = findings_path(lake.root, contract.dataset, intent, agreed.number)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(findings, path.with_suffix(".new"), compression="zstd")
    path.with_suffix(".new").replace(path)
    with lake.records.write() as session:
        row = session.get(ReportRow, (intent, agreed.number))
        if row is None:
            row = ReportRow(intent=intent, contract=agreed.number, dataset=contract.dataset)
            session.add(row)
        row.at, row.gated, row.score, row.body = around.at, gated, report.score, report.as_json()
        ledger.append(
            session,
            "dataset.checked",
            actor="jingwei",
            subject=f"dataset/{contract.dataset}",
            data={
                "intent": intent,
                "contract": agreed.number,
                "score": report.score,
                "rows": report.rows,
                "faulty": report.faulty,
                "rules": [one.id for one in report.rules if one.failed][:200],
                "gated": gated,
                "reads": [asdict(one) for one in around.consulted.listed()],
            },
        )
    return Checked(contract.dataset, intent, agreed.number, None, around.at, gated, report)


def passes(contract: Contract, report: Report) -> bool:
    """Say whether a report clears the contract's gate: its score, and no failed rule on the whole version."""
    if contract.gate is None:
        return True
    broken = any(one.failed and one.rows is None and one.severity == "error" for one in report.rules)
    return report.score >= contract.gate and not broken


def reports(lake: Lake, asker: Asker, dataset: str, *, limit: int = 50) -> list[Checked]:
    """Return what checks of a dataset found, newest first; of one version, by the latest contract only.

    Raises
    ------
    UnknownDatasetError, RefusedError
        If the asker may not inspect it.

    """
    lake.check(asker, "inspect", dataset)
    with lake.records.read() as session:
        return latest(session, dataset, limit)


def latest(session: Session, dataset: str, limit: int) -> list[Checked]:
    """Return what the last checks of published versions, and of what a gate held back, found."""
    rows = session.execute(
        select(ReportRow, VersionRow.number)
        .outerjoin(VersionRow, VersionRow.intent == ReportRow.intent)
        .where(ReportRow.dataset == dataset, VersionRow.number.is_not(None) | ReportRow.gated)
        .order_by(ReportRow.at.desc(), ReportRow.contract.desc())
        .limit(4 * limit)
    ).all()
    found: dict[str, Checked] = {}
    for row, number in rows:
        found.setdefault(
            row.intent,
            Checked(
                row.dataset,
                row.intent,
                row.contract,
                number,
                row.at,
                row.gated and number is None,
                Report.from_json(row.body),
            ),
        )
    return list(found.values())[:limit]


def report_of(session: Session, dataset: str, version: int) -> Checked | None:
    """Return what the latest check of a published version found."""
    return next((one for one in latest(session, dataset, 1_000) if one.version == version), None)


def findings(
    lake: Lake,
    asker: Asker,
    dataset: str,
    intent: str,
    *,
    rule: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> tuple[pa.Table, int]:
    """Return findings of one check in order of rule, file and row, and how many are kept in all.

    Values are left out for who is not shown all of the dataset as it is.

    Raises
    ------
    UnknownDatasetError, RefusedError, NotFoundError
        If the asker may not inspect it, or there is no such check.

    """
    lake.check(asker, "inspect", dataset)
    with lake.records.read() as session:
        row = session.scalars(
            select(ReportRow)
            .where(ReportRow.intent == intent, ReportRow.dataset == dataset)
            .order_by(ReportRow.at.desc(), ReportRow.contract.desc())
            .limit(1)
        ).one_or_none()
        if row is None:
            raise NotFoundError(
                Text("没有这次检查", "There is no such check"), where={"dataset": dataset, "check": intent}
            )
        number = row.contract
    path = findings_path(lake.root, dataset, intent, number)
    table = pq.read_table(path) if path.is_file() else FINDINGS.empty_table()
    if rule is not None:
        table = table.filter(pc.equal(table["rule"], rule))
    shown = table.slice(after, limit)
    view = lake.view(asker, dataset)
    if not view.whole:
        for name in ("value", "cell", "level"):
            if name == "value" or view.place_level < 32:
                empty = pa.nulls(shown.num_rows, FINDINGS.field(name).type)
                shown = shown.set_column(shown.column_names.index(name), name, empty)
    elif view.personal and view.version is not None and shown.num_rows:
        lake.readings.note(asker, dataset, view.version.number, view.personal, shown.num_rows)
    return shown, table.num_rows


def findings_path(root: Path, dataset: str, intent: str, contract: int) -> Path:
    """Return where the findings of one check are kept."""
    return root / dataset / "findings" / f"{intent}-{contract}.parquet"


def facts_of(folder: Path, content: Content) -> list[Path]:
    """Return the files of a version's facts; `folder` is that of the dataset."""
    return [folder / "facts" / file.path for file in content.facts]


def own_schema(paths: Sequence[Path], content: Content) -> pa.Schema:
    """Return the department's own columns as they are written."""
    if not paths:
        return pa.schema([])
    written = pq.read_schema(paths[0])
    names = [column.name for column in content.columns]
    return pa.schema([written.field(name) for name in names if name in written.names])


def intent_of(lake: Lake, dataset: str, version: int) -> str:
    """Return the intent that wrote a published version."""
    which = (VersionRow.dataset == dataset, VersionRow.number == version)
    with lake.records.read() as session:
        return session.scalars(select(VersionRow.intent).where(*which)).one()


def current(lake: Lake, dataset: str) -> Dataset:
    """Return a dataset as it is kept."""
    found = next((one for one in lake.catalogue() if one.id == dataset), None)
    if found is None:
        raise NotFoundError(Text("没有这个数据集", "There is no such dataset"), where={"dataset": dataset})
    return found


__all__ = [
    "PROPOSED",
    "Agreed",
    "Checked",
    "ContractChangedError",
    "adopt",
    "assess",
    "contract_of",
    "in_force",
    "proposal",
    "report_of",
    "reports",
]
