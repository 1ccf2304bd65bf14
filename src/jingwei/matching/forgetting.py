"""After rows were erased: no pair and no person's note on one is kept of records that are no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import or_, select

from jingwei.access import local_person
from jingwei.matching.configuration import read_configuration
from jingwei.matching.models import MatchingDecisionRow, MatchingRunRow
from jingwei.matching.service import FACT, file_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.city import City


def forget_erased(city: City, dataset: str) -> int:
    """Take the records that were erased from a dataset out of all kept runs; return how many pairs went.

    What people decided on them and wrote beside it goes, too.
    """
    with city.records.read() as session:
        runs = session.scalars(select(MatchingRunRow)).all()
    gone = 0
    for run in runs:
        if dataset in run.versions and file_of(city, run.id).is_file():
            gone += _forget(city, dataset, run)
    return gone


def _forget(city: City, dataset: str, run: MatchingRunRow) -> int:
    wanted = run.versions[dataset]
    versions = city.lake.versions(local_person(), dataset)
    version = next((one for one in versions if one.number == wanted and one.dropped is None), None)
    if version is None:
        return 0
    facts = city.lake.reader.columns(version, [FACT])[FACT]
    place = [one.dataset for one in read_configuration(run.text).table].index(dataset)
    path = file_of(city, run.id)
    pairs = pq.read_table(path)
    erased, marks = np.zeros(pairs.num_rows, bool), set()
    for side in ("left", "right"):
        here = np.asarray(pc.equal(pairs[f"{side}_table"], place), bool)
        here &= ~np.asarray(pc.is_in(pairs[f"{side}_fact"], value_set=facts.combine_chunks()), bool)
        marks |= set(pairs[f"{side}_mark"].filter(pa.array(here)).to_pylist())
        erased |= here
    if not erased.any():
        return 0
    with city.records.write() as session:
        _forget_decisions(session, run.matching, marks)
    pq.write_table(pairs.filter(pa.array(~erased)), path.with_suffix(".new"), compression="zstd")
    path.with_suffix(".new").replace(path)
    return int(erased.sum())


def _forget_decisions(session: Session, matching: str, marks: set[str]) -> None:
    named = or_(MatchingDecisionRow.left.in_(marks), MatchingDecisionRow.right.in_(marks))
    asked = select(MatchingDecisionRow).where(MatchingDecisionRow.matching == matching, named)
    for row in session.scalars(asked).all():
        session.delete(row)
