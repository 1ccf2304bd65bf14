"""Checking what a load wrote, or what is published, against the contract of its dataset."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from jingwei.city.areas import published, shape_of
from jingwei.city.errors import HeldError
from jingwei.city.parts import Area
from jingwei.lake import contracting
from jingwei.lake.checking import Surroundings
from jingwei.lake.contracts import Change
from jingwei.lake.errors import NotPublishedError
from jingwei.lake.schemas import Consulted
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from jingwei.access import Asker
    from jingwei.city.service import City
    from jingwei.lake.contracting import Agreed, Checked
    from jingwei.lake.contracts import Contract
    from jingwei.lake.schemas import Content, Read, Version


MAX_QUARANTINED = 1_000_000
"""Rows in quarantine that are looked through for what another dataset names."""


class GateError(HeldError):
    """The contract's gate keeps a version from being published."""

    code = "below-gate"

    def __init__(self, dataset: str, checked: Checked, gate: float) -> None:
        report = checked.report
        worst = [one for one in report.rules if one.failed and one.severity == "error"]
        super().__init__(
            Text(
                f"“{dataset}”的新版本得分 {report.score:g}，契约约定不低于 {gate:g} 且整体规则均满足；"
                "未发布，原有版本继续有效。",
                f"The new version of '{dataset}' scores {report.score:g}; the contract asks for {gate:g} "
                "and that no rule on the whole is broken. It was not published; the old version stays.",
            ),
            mend=Text(
                "请责任单位更正后重新提交；或修改契约，再从“收文件”打开这个文件重新装载。",
                "Have its department correct it; or change the contract, then open the file under “Take in a "
                "file” and load it again.",
            ),
            where={
                "source": dataset,
                "check": checked.intent,
                "score": report.score,
                "gate": gate,
                "rules": [
                    {"id": one.id, "rows": one.rows, "text": one.text, "examples": one.examples}
                    for one in worst[:50]
                ],
            },
        )


def surroundings(city: City, dataset: str, *, boundary: Any = None) -> Surroundings:
    """Return what the rest of the city knows that a check may ask for."""
    lake, consulted = city.lake, Consulted()

    def read(other: str) -> Version | None:
        version = published(lake, other)
        if version is not None:
            consulted.note(version, "rule")
        return version

    def columns(other: str, names: list[str]) -> pa.Table | None:
        version = read(other)
        if version is None or not {one.name for one in version.content.columns}.issuperset(names):
            return None
        return lake.reader.columns(version, names)

    def area(other: str) -> Any:
        version = read(other)
        if version is None or version.content.geometry is None:
            return None
        return shape_of(lake, Area(source=other), version)

    def held(other: str, name: str) -> pa.Array:
        version = read(other)
        texts = lake.reader.quarantine(version, after=0, limit=MAX_QUARANTINED) if version else None
        if texts is None or not texts.num_rows:
            return pa.array([], pa.string())
        written = rf"(?:^| \| ){re.escape(name)}=(?P<value>[^|]*?)(?: \| |$)"
        return pc.struct_field(pc.extract_regex(texts["text"].combine_chunks(), written), "value")

    before = published(lake, dataset)
    return Surroundings(
        at=now_utc(),
        boundary=boundary,
        columns=columns,
        area=area,
        previous=before.content if before else None,
        consulted=consulted,
        held=held,
    )


def check_load(
    city: City,
    dataset: str,
    intent: str,
    paths: Sequence[Path],
    own: pa.Schema,
    content: Content,
    boundary: Any,
    plain_times: frozenset[str] = frozenset(),
) -> list[Read]:
    """Check what a load wrote, where a contract is in force; return what its rules compared it with.

    `plain_times` are the columns that were seen to hold times to the second only; see `PlainTimes`.

    Raises
    ------
    GateError
        If the contract's gate keeps it from being published; the report stays.

    """
    with city.records.read() as session:
        agreed = contracting.in_force(session, dataset)
    if agreed is None:
        return []
    around = replace(surroundings(city, dataset, boundary=boundary), plain_times=plain_times)
    before = published(city.lake, dataset)
    if before is not None and any(isinstance(rule, Change) for rule in agreed.contract.rules):
        around.consulted.note(before, "rule")
    checked = contracting.assess(city.lake, agreed, intent, paths, own, content, around)
    if checked.gated:
        raise GateError(dataset, checked, agreed.contract.gate or 0.0)
    return around.consulted.listed()


def adopt_contract(city: City, asker: Asker, contract: Contract, *, after: int) -> Agreed:
    """Put a contract in force; see `jingwei.lake.contracting.adopt`."""
    around = surroundings(city, contract.dataset, boundary=city.about.boundary)
    return contracting.adopt(city.lake, asker, contract, around, after=after)


def check_again(city: City, asker: Asker, dataset: str) -> Checked:
    """Check the published version by the contract in force, or by the one proposed from its data.

    Raises
    ------
    UnknownDatasetError, RefusedError, NotPublishedError
        If the asker may not inspect it, or nothing is published.

    """
    city.lake.check(asker, "inspect", dataset)
    found = contracting.current(city.lake, dataset)
    if found.version is None:
        raise NotPublishedError(dataset, found.state)
    with city.records.read() as session:
        agreed = contracting.in_force(session, dataset)
    if agreed is None:
        agreed = contracting.Agreed(contracting.proposal(city.lake, dataset), contracting.PROPOSED, None, "")
    content = found.version.content
    paths = contracting.facts_of(city.lake.root / dataset, content)
    own = contracting.own_schema(paths, content)
    around = surroundings(city, dataset, boundary=city.about.boundary)
    before = _before(city, asker, dataset, found.version.number)
    around = replace(around, previous=before)
    intent = contracting.intent_of(city.lake, dataset, found.version.number)
    return contracting.assess(city.lake, agreed, intent, paths, own, content, around)


def _before(city: City, asker: Asker, dataset: str, number: int) -> Content | None:
    """Return what the version before the one of this number held."""
    earlier = [one for one in city.lake.versions(asker, dataset) if one.number < number]
    return earlier[0].content if earlier else None
