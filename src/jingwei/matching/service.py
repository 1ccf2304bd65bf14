"""What can be done with matchings: say what is matched, match, look at pairs, decide on them."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import select

from jingwei import ledger
from jingwei.errors import BadRequestError, JingweiError, NotFoundError
from jingwei.lake.errors import NotPublishedError, UnknownDatasetError
from jingwei.lake.masking import mask_key
from jingwei.lake.numbers import plain_text
from jingwei.matching.comparing import Matches, match
from jingwei.matching.configuration import Configuration, read_configuration
from jingwei.matching.models import MatchingDecisionRow, MatchingRow, MatchingRunRow
from jingwei.matching.settling import LINKED, STATES, settled
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.city import City
    from jingwei.lake import Version

FOLDER = "matching"
"""In the home of a city: the pairs of each run."""
KEPT = 3
"""Runs of a matching whose pairs are kept."""
FACT = "jw_fact"

Choice = Literal["same", "different", "unsure", "open"]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a matching, and where its pairs stand by now.

    Attributes
    ----------
    versions, rows
        By dataset: which version was read, and how many rows it has.
    learnt
        See `jingwei.matching.comparing.Matches`.
    states
        How many pairs are in each state, see `jingwei.matching.settling.settled`.
    conflicts
        By field: in how many linked pairs the two records differ in it.
    """

    id: int
    at: datetime
    by: str
    versions: dict[str, int]
    rows: dict[str, int]
    learnt: dict[str, Any]
    states: dict[str, int]
    conflicts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Matching:
    """What is matched; `run` is the newest."""

    id: str
    text: str
    configuration: Configuration
    changed: datetime
    by: str
    run: Run | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that may be the same thing.

    Attributes
    ----------
    number
        In its run.
    levels
        By field: how well it agrees; 0 where it differs, `None` where a value is missing.
    differs
        The fields in which both have a value, and not the same.
    authority
        By field that differs: the dataset whose value holds, where that was said.
    records
        Of each side: dataset, row (`jw_fact`), and the fields as this asker may see them; `None` for those
        that are hidden, or altogether where the row is gone.
    """

    number: int
    state: str
    probability: float | None
    levels: dict[str, int | None]
    differs: list[str]
    authority: dict[str, str | None]
    records: list[dict[str, Any]]
    decided: dict[str, Any] | None


class UnknownMatchingError(NotFoundError):
    """There is no matching of that name."""

    code = "matching-unknown"

    def __init__(self, identifier: str) -> None:
        super().__init__(
            Text(f"没有名为“{identifier}”的记录比对", f"There is no matching '{identifier}'"),
            where={"matching": identifier},
        )


def configure(city: City, asker: Asker, identifier: str, text: str) -> Matching:
    """Say what is matched, anew or for the first time; decisions stay.

    Raises
    ------
    BadConfigurationError
        If the document cannot be followed.
    UnknownDatasetError, RefusedError, BadRequestError
        If the asker may not inspect a dataset, or a column is not there.

    """
    wanted = read_configuration(text)
    for one in wanted.table:
        _readable(city, asker, wanted, one.dataset)
    with city.records.write() as session:
        row = session.get(MatchingRow, identifier)
        if row is None:
            row = MatchingRow(id=identifier, text=text, changed=now_utc(), by=asker.id)
            session.add(row)
        row.text, row.changed, row.by = text, now_utc(), asker.id
        names = [one.dataset for one in wanted.table]
        ledger.append(
            session,
            "matching.configured",
            actor=asker.id,
            subject=f"matching/{identifier}",
            data={"datasets": names},
        )
    return matching(city, identifier)


def _readable(city: City, asker: Asker, wanted: Configuration, dataset: str) -> Version:
    """Return the published version of a dataset that has the columns that are asked for."""
    city.lake.check(asker, "inspect", dataset)
    found = next((one for one in city.lake.catalogue() if one.id == dataset), None)
    if found is None:
        raise UnknownDatasetError(dataset, [])
    if found.version is None:
        raise NotPublishedError(dataset, found.state)
    names = {column.name for column in found.version.content.columns}
    (table,) = (one for one in wanted.table if one.dataset == dataset)
    missing = [name for name in (table.key, *table.fields.values()) if name not in names]
    if missing:
        raise BadRequestError(
            Text(
                f"数据集“{dataset}”没有列“{'”“'.join(missing)}”",
                f"The dataset '{dataset}' has no column {', '.join(missing)}",
            ),
            mend=Text("列有：" + "、".join(sorted(names)), "It has: " + ", ".join(sorted(names))),
            where={"dataset": dataset, "columns": missing},
        )
    return found.version


def matchings(city: City) -> list[Matching]:
    """Return all matchings, by name."""
    with city.records.read() as session:
        names = session.scalars(select(MatchingRow.id).order_by(MatchingRow.id)).all()
    return [matching(city, name) for name in names]


def matching(city: City, identifier: str) -> Matching:
    """Return a matching with its newest run.

    Raises
    ------
    UnknownMatchingError
        If there is none of that name.

    """
    with city.records.read() as session:
        row = _row(session, identifier)
        last = _last(session, identifier)
        run_ = None
        if last is not None:
            run_ = _run_of(city, last, _decisions(session, identifier))
        return Matching(row.id, row.text, read_configuration(row.text), row.changed, row.by, run_)


def run(city: City, asker: Asker, identifier: str, *, tell: Callable[[str], object] = lambda _: None) -> Run:
    """Match the published versions of the datasets, with all decisions applied.

    Raises
    ------
    UnknownMatchingError
        If there is none of that name.
    UnknownDatasetError, RefusedError, BadRequestError, NothingToMatchError
        If a dataset cannot be read, or nothing can be learnt from them.

    """
    with city.records.read() as session:
        text = _row(session, identifier).text
        decisions = _decisions(session, identifier)
    wanted = read_configuration(text)
    versions = {one.dataset: _readable(city, asker, wanted, one.dataset) for one in wanted.table}
    tables = {
        one.dataset: city.lake.reader.columns(
            versions[one.dataset], list(dict.fromkeys([FACT, one.key, *one.fields.values()]))
        )
        for one in wanted.table
    }
    folder = city.home / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="jingwei-") as scratch:
        found = match(tables, wanted, scratch, tell=tell)
    pairs_ = _with_marks(city, found, tables, wanted, decisions)
    states = settled(pairs_, decisions, wanted)
    numbers = {name: version.number for name, version in versions.items()}
    with city.records.write() as session:
        row = MatchingRunRow(
            matching=identifier,
            at=now_utc(),
            by=asker.id,
            text=text,
            versions=numbers,
            rows={name: table.num_rows for name, table in tables.items()},
            learnt=found.learnt,
        )
        session.add(row)
        session.flush()
        pq.write_table(pairs_, file_of(city, row.id), compression="zstd")
        told = {
            "run": row.id,
            "versions": numbers,
            "linked": int(np.isin(states, LINKED).sum()),
            "review": int((states == "review").sum()),
        }
        ledger.append(session, "matching.run", actor=asker.id, subject=f"matching/{identifier}", data=told)
        old = session.scalars(
            select(MatchingRunRow.id)
            .where(MatchingRunRow.matching == identifier)
            .order_by(MatchingRunRow.id.desc())
            .offset(KEPT)
        ).all()
        made = _run_of(city, row, decisions)
    for number in old:
        file_of(city, number).unlink(missing_ok=True)
    return made


def file_of(city: City, number: int) -> Path:
    """Return where the pairs of a run are kept."""
    return city.home / FOLDER / f"{number}.parquet"


def _marks(city: City, dataset: str, keys: pa.ChunkedArray) -> pa.Array:
    """Return a mark of each key that tells nothing of it to who has not the city's secret."""
    secret = mask_key(city.lake.root / "mask-key")
    begun = hashlib.blake2b(f"match/{dataset}/".encode(), key=secret, digest_size=16)

    def mark(key: str | None) -> str:
        digest = begun.copy()
        digest.update((key or "").encode())
        return digest.hexdigest()

    return pa.array([mark(key) for key in plain_text(keys).to_pylist()], pa.string())


def _with_marks(
    city: City,
    found: Matches,
    tables: dict[str, pa.Table],
    wanted: Configuration,
    decisions: dict[tuple[str, str], str],
) -> pa.Table:
    """Add to pairs the marks and facts of both records, and the pairs that only people found."""
    marks = [_marks(city, one.dataset, tables[one.dataset][one.key]) for one in wanted.table]
    pairs_ = _decided_besides(found.pairs, marks, decisions)
    for side in ("left", "right"):
        which, rows = pairs_[f"{side}_table"].to_numpy(), pairs_[side].to_numpy()
        mark = np.empty(len(rows), object)
        fact = np.empty(len(rows), np.int64)
        for number, one in enumerate(wanted.table):
            here = which == number
            mark[here] = np.asarray(marks[number].to_numpy(zero_copy_only=False))[rows[here]]
            fact[here] = tables[one.dataset][FACT].to_numpy()[rows[here]]
        pairs_ = pairs_.append_column(f"{side}_mark", pa.array(mark, pa.string()))
        pairs_ = pairs_.append_column(f"{side}_fact", pa.array(fact))
    return pairs_


def _decided_besides(
    pairs_: pa.Table, marks: list[pa.Array], decisions: dict[tuple[str, str], str]
) -> pa.Table:
    """Add the pairs that a person took for the same and that no block brings together any more."""
    same = [pair for pair, choice in decisions.items() if choice == "same"]
    if not same:
        return pairs_
    places: dict[str, tuple[int, int]] = {}
    asked = pa.array(sorted({mark for pair in same for mark in pair}))
    for table, column in enumerate(marks):
        rows = np.flatnonzero(np.asarray(pc.is_in(column, value_set=asked)))
        places |= {column[int(row)].as_py(): (table, int(row)) for row in rows}
    names = ("left_table", "right_table", "left", "right")
    known = set(zip(*(pairs_[name].to_pylist() for name in names), strict=True))
    more: list[dict[str, Any]] = []
    for left, right in same:
        if left in places and right in places:
            a, b = places[left], places[right]
            if (a[0], b[0], a[1], b[1]) not in known:
                more.append({"left_table": a[0], "right_table": b[0], "left": a[1], "right": b[1]})
    if not more:
        return pairs_
    return pa.concat_tables([pairs_, pa.Table.from_pylist(more, schema=pairs_.schema)])


def _row(session: Session, identifier: str) -> MatchingRow:
    row = session.get(MatchingRow, identifier)
    if row is None:
        raise UnknownMatchingError(identifier)
    return row


def _last(session: Session, identifier: str) -> MatchingRunRow | None:
    return session.scalar(
        select(MatchingRunRow)
        .where(MatchingRunRow.matching == identifier)
        .order_by(MatchingRunRow.id.desc())
        .limit(1)
    )


def _decisions(session: Session, identifier: str) -> dict[tuple[str, str], str]:
    rows = session.execute(
        select(MatchingDecisionRow.left, MatchingDecisionRow.right, MatchingDecisionRow.choice).where(
            MatchingDecisionRow.matching == identifier
        )
    ).all()
    return {(left, right): choice for left, right, choice in rows}


def _run_of(city: City, row: MatchingRunRow, decisions: dict[tuple[str, str], str]) -> Run:
    wanted = read_configuration(row.text)
    pairs_ = pq.read_table(file_of(city, row.id))
    states = settled(pairs_, decisions, wanted)
    linked = np.isin(states, LINKED)
    conflicts = {name: int((linked & _differs(pairs_, row, name)).sum()) for name in wanted.shared}
    return Run(
        row.id,
        row.at,
        row.by,
        row.versions,
        row.rows,
        row.learnt,
        {state: int((states == state).sum()) for state in STATES},
        conflicts,
    )


def _differs(pairs_: pa.Table, row: MatchingRunRow, name: str) -> Any:
    """Say of which pairs both records have a value of a field, and not the same."""
    best = row.learnt[name][0]["level"]
    level = pairs_[f"level_{name}"].fill_null(-1).to_numpy()
    return (level >= 0) & (level < best)


def pairs(
    city: City,
    asker: Asker,
    identifier: str,
    *,
    state: str | None = None,
    field: str | None = None,
    after: int | None = None,
    limit: int = 20,
) -> tuple[int | None, list[Pair], int | None]:
    """Return pairs of the newest run: its number, the pairs, and the number to go on after.

    Parameters
    ----------
    city, asker, identifier
        Where, who asks, and which matching.
    state
        Only pairs in that state; the surest of those to review come last.
    field
        Only linked pairs whose records differ in this field.
    after, limit
        The page.

    """
    with city.records.read() as session:
        _row(session, identifier)
        row = _last(session, identifier)
        if row is None:
            return None, [], None
        decisions = _decisions(session, identifier)
        wanted = read_configuration(row.text)
        found = pq.read_table(file_of(city, row.id))
        states = settled(found, decisions, wanted)
        chosen = np.ones(len(states), bool) if state is None else states == state
        if field is not None:
            if field not in wanted.shared:
                raise BadRequestError(
                    Text(f"没有字段“{field}”", f"There is no field '{field}'"), where={"field": field}
                )
            chosen &= np.isin(states, LINKED) & _differs(found, row, field)
        numbers = np.flatnonzero(chosen)
        if after is not None:
            numbers = numbers[numbers > after]
        page = numbers[:limit].tolist()
        more = page[-1] if len(numbers) > limit else None
        return row.id, [_pair(city, asker, session, row, wanted, found, states, n) for n in page], more


def _pair(
    city: City,
    asker: Asker,
    session: Session,
    row: MatchingRunRow,
    wanted: Configuration,
    found: pa.Table,
    states: Any,
    number: int,
) -> Pair:
    one = found.slice(number, 1).to_pylist()[0]
    tables = [wanted.table[one["left_table"]], wanted.table[one["right_table"]]]
    levels = {name: one[f"level_{name}"] for name in wanted.shared}
    shown = {name: None if level is None or level < 0 else level for name, level in levels.items()}
    differs = [
        name for name, level in shown.items() if level is not None and level < row.learnt[name][0]["level"]
    ]
    facts = [one["left_fact"], one["right_fact"]]
    decided = session.get(MatchingDecisionRow, (row.matching, one["left_mark"], one["right_mark"]))
    return Pair(
        number,
        str(states[number]),
        one["probability"],
        shown,
        differs,
        {name: wanted.authority(name, [table.dataset for table in tables]) for name in differs},
        [
            _record(city, asker, table.dataset, table.fields, row.versions[table.dataset], fact)
            for table, fact in zip(tables, facts, strict=True)
        ],
        None
        if decided is None
        else {"choice": decided.choice, "note": decided.note, "at": decided.at, "by": decided.by},
    )


def _record(
    city: City, asker: Asker, dataset: str, fields: dict[str, str], version: int, fact: int
) -> dict[str, Any]:
    """Return the fields of a record as the asker may see them."""
    told: dict[str, Any] = {"dataset": dataset, "version": version, "row": fact, "fields": None}
    try:
        masks = city.lake.view(asker, dataset, version).masks
        columns = [name for name in fields.values() if masks.get(name) != "hidden"]
        rows = city.lake.query(asker, dataset, version=version, columns=columns, after=fact - 1, limit=1)
    except JingweiError:  # dropped, erased, or not for this asker
        return told
    table = rows.table
    if not table.num_rows or table[FACT][0].as_py() != fact:
        return told
    (values,) = table.to_pylist()
    told["fields"] = {
        field: None if values.get(column) is None else str(values[column]) for field, column in fields.items()
    }
    return told


def decide(
    city: City, asker: Asker, identifier: str, run_: int, number: int, choice: Choice, *, note: str = ""
) -> None:
    """Say whether two records are the same; `open` takes a decision back. It holds for all later runs.

    Raises
    ------
    UnknownMatchingError, NotFoundError
        If there is no such matching, run or pair.

    """
    if choice not in get_args(Choice):
        raise BadRequestError(Text("没有这种结论", "There is no such choice"), where={"choice": choice})
    with city.records.write() as session:
        _row(session, identifier)
        row = session.get(MatchingRunRow, run_)
        if row is None or row.matching != identifier or not file_of(city, run_).is_file():
            raise NotFoundError(Text("没有这次比对", "There is no such run"), where={"run": run_})
        found = pq.read_table(file_of(city, run_), columns=["left_mark", "right_mark"])
        if not 0 <= number < found.num_rows:
            raise NotFoundError(Text("没有这一对", "There is no such pair"), where={"pair": number})
        left, right = (found[name][number].as_py() for name in ("left_mark", "right_mark"))
        known = session.get(MatchingDecisionRow, (identifier, left, right))
        if choice == "open":
            if known is not None:
                session.delete(known)
        elif known is None:
            session.add(
                MatchingDecisionRow(
                    matching=identifier,
                    left=left,
                    right=right,
                    choice=choice,
                    note=note,
                    at=now_utc(),
                    by=asker.id,
                )
            )
        else:
            known.choice, known.note, known.at, known.by = choice, note, now_utc(), asker.id
        mark = hashlib.sha256(f"{left}{right}".encode()).hexdigest()[:16]
        ledger.append(
            session,
            "matching.decided",
            actor=asker.id,
            subject=f"matching/{identifier}",
            data={"pair": mark, "choice": choice},
        )


def links(city: City, asker: Asker, identifier: str) -> pa.Table:
    """Return all pairs that are taken for the same: tables, keys, probability, state.

    Raises
    ------
    UnknownMatchingError, RefusedError
        If there is none of that name, or the asker may not inspect a dataset.

    """
    with city.records.read() as session:
        _row(session, identifier)
        row = _last(session, identifier)
        if row is None:
            return pa.table({})
        decisions = _decisions(session, identifier)
        text, number, numbers = row.text, row.id, row.versions
    wanted = read_configuration(text)
    found = pq.read_table(file_of(city, number))
    states = settled(found, decisions, wanted)
    found = found.append_column("state", pa.array(states, pa.string())).filter(
        pa.array(np.isin(states, LINKED))
    )
    columns: dict[str, Any] = {}
    for side in ("left", "right"):
        which, facts = found[f"{side}_table"].to_numpy(), found[f"{side}_fact"].to_numpy()
        keys = np.empty(len(facts), object)
        for place, one in enumerate(wanted.table):
            city.lake.check(asker, "inspect", one.dataset)
            (version,) = (
                v for v in city.lake.versions(asker, one.dataset) if v.number == numbers[one.dataset]
            )
            table = city.lake.reader.columns(version, [FACT, one.key])
            here = which == place
            rows = pc.index_in(pa.array(facts[here]), value_set=table[FACT])
            keys[here] = plain_text(table[one.key].take(rows)).to_numpy(zero_copy_only=False)
        columns[side] = pa.array([wanted.table[place].dataset for place in which], pa.string())
        columns[f"{side}_key"] = pa.array(keys, pa.string())
    return pa.table({**columns, "probability": found["probability"], "state": found["state"]})
