"""What can be asked of the container and done with it. Every call takes an asker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
from sqlalchemy import Select, String, cast, select

from jingwei import grid
from jingwei.access.policy import Policies, Resource
from jingwei.access.policy.store import PolicyKeeper
from jingwei.errors import BadRequestError, NotFoundError
from jingwei.lake.counting import FINEST, Blocks, blocks_of
from jingwei.lake.errors import (
    CountsOnlyError,
    HiddenColumnError,
    NotPublishedError,
    UnknownDatasetError,
    VersionDroppedError,
)
from jingwei.lake.models import DatasetRow, VersionRow
from jingwei.lake.personal import PersonalReadings
from jingwei.lake.query import MAX_LIMIT, Reader, Rows
from jingwei.lake.region import Region, region_of_cell
from jingwei.lake.schemas import CITYS_OWN, Content, Dataset, Place, Version
from jingwei.lake.store import Store
from jingwei.lake.summing import numeric_columns
from jingwei.lake.views import View, Views, refusal, resource_of
from jingwei.records import Prepared, WhileUnchanged
from jingwei.records.recent import Recent
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.records import Records

MAX_VERSIONS_KEPT = 512
MAX_COUNTED = 10_000_000
"""Cells in which one version is counted for those who may only count."""
MAX_COUNTED_KEPT = 64

Right = Literal["read", "count", "inspect"]


@dataclass(frozen=True, slots=True)
class Named:
    """A fact found by its name."""

    dataset: Dataset
    name: str
    fact: int
    facts: int
    cell: int | None
    level: int | None


class Lake:
    """The grid data container (网格大数据容器) of one city."""

    def __init__(self, root: Path, records: Records, policies: PolicyKeeper | None = None) -> None:
        self.root = root
        self.records = records
        self.policies = policies or PolicyKeeper(records)
        self.store = Store(root, records)
        self.reader = Reader(root)
        self.readings = PersonalReadings(records)
        self.views = Views(self.reader.is_true)
        self._versions: Recent[int, Version] = Recent(MAX_VERSIONS_KEPT)
        self._counted: Recent[tuple[Any, ...], Blocks] = Recent(MAX_COUNTED_KEPT)
        self._datasets: WhileUnchanged[Dataset | None] = WhileUnchanged(records, rests_on=_DESCRIBED)
        self._lists: WhileUnchanged[list[Dataset]] = WhileUnchanged(records, rests_on=_DESCRIBED)

    def close(self) -> None:
        """Let go of the query engine, after writing down what is still to be told."""
        self.readings.write()
        self.reader.close()

    # what an asker may see

    def datasets(self, asker: Asker) -> list[Dataset]:
        """Return the datasets that the asker may see, in the order of the pack; removed ones are left out."""
        policies = self.policies.current()
        return [self._as_shown(policies, asker, one) for one in self._listed(policies, asker)]

    def dataset(self, asker: Asker, dataset: str) -> Dataset:
        """Return one dataset as the asker may know of it.

        Raises
        ------
        UnknownDatasetError
            If there is none of this name that the asker may see; near misses are named.

        """
        policies = self.policies.current()
        return self._as_shown(policies, asker, self._found(policies, asker, dataset))

    def view(self, asker: Asker, dataset: str, number: int | None = None) -> View:
        """Return what the asker may see of a dataset, or of one version of it.

        Raises
        ------
        UnknownDatasetError, NotFoundError
            If there is no such dataset that the asker may see, or no such version.

        """
        policies = self.policies.current()
        found = self._found(policies, asker, dataset)
        version = found.version if number is None else self._numbered(dataset, number)
        return self.views.of(policies, asker, found, version)

    def check(self, asker: Asker, right: str, dataset: str) -> None:
        """Raise unless the asker has a right, of `jingwei.lake.views.RIGHTS`, to a dataset.

        Raises
        ------
        UnknownDatasetError, RefusedError
            If the asker may not see it at all, or has not this right.

        """
        policies = self.policies.current()
        found = self._found(policies, asker, dataset)
        if not self.views.decide(policies, asker, f"dataset.{right}", resource_of(found, policies)).allowed:
            raise refusal(policies, asker, f"dataset.{right}", found)

    def resource(self, dataset: str) -> Resource | None:
        """Return a dataset as policies see it, also one that was removed; `None` if there never was one."""
        found = self._known(dataset)
        return None if found is None else resource_of(found, self.policies.current())

    def catalogue(self) -> list[Dataset]:
        """Return all datasets as they are, for those who keep the container; no asker is answered from it."""
        return list(self._lists.get("all", self._read_datasets))

    def _read_datasets(self) -> list[Dataset]:
        with self.records.read() as session:
            rows = session.execute(
                _with_version().where(DatasetRow.state != "removed").order_by(DatasetRow.position)
            ).all()
            return [self._dataset(session, row, version) for row, version in rows]

    def _listed(self, policies: Policies, asker: Asker) -> list[Dataset]:
        return [
            one
            for one in self.catalogue()
            if self.views.decide(policies, asker, "dataset.list", resource_of(one, policies)).allowed
        ]

    def _found(self, policies: Policies, asker: Asker, dataset: str) -> Dataset:
        found = self._known(dataset)
        if (
            found is not None
            and found.state != "removed"
            and self.views.decide(policies, asker, "dataset.list", resource_of(found, policies)).allowed
        ):
            return found
        raise UnknownDatasetError(dataset, [known.id for known in self._listed(policies, asker)])

    def _known(self, dataset: str) -> Dataset | None:
        return self._datasets.get(dataset, lambda: self._read_dataset(dataset))

    def _read_dataset(self, dataset: str) -> Dataset | None:
        with self.records.read() as session:
            row = session.execute(_with_version().where(DatasetRow.id == dataset)).one_or_none()
            return None if row is None else self._dataset(session, row[0], row[1])

    def _as_shown(self, policies: Policies, asker: Asker, dataset: Dataset) -> Dataset:
        view = self.views.of(policies, asker, dataset, dataset.version)
        problem = dataset.problem
        if problem is not None and "inspect" not in view.rights:
            problem = {name: problem[name] for name in ("code",) if name in problem}
        return replace(dataset, version=view.version, problem=problem, view=view)

    def _readable(
        self, asker: Asker, dataset: str, number: int | None = None, *, right: Right = "read"
    ) -> tuple[View, Version]:
        """Return what an asker may see of a published version, and the version so seen.

        Raises
        ------
        RefusedError
            If the asker may not read (or count, or inspect) it.
        NotPublishedError
            If nothing is published.

        """
        policies = self.policies.current()
        found = self._found(policies, asker, dataset)
        version = found.version if number is None else self._numbered(dataset, number)
        if version is None:
            resource = resource_of(found, policies)
            if not self.views.decide(policies, asker, f"dataset.{right}", resource).allowed:
                raise refusal(policies, asker, f"dataset.{right}", found)
            raise NotPublishedError(dataset, found.state)
        view = self.views.of(policies, asker, found, version)
        if right not in view.rights or view.version is None:
            raise refusal(policies, asker, f"dataset.{right}", found)
        return view, view.version

    def versions(self, asker: Asker, dataset: str) -> list[Version]:
        """Return all published versions of a dataset, newest first."""
        policies = self.policies.current()
        found = self._found(policies, asker, dataset)
        with self.records.read() as session:
            rows = session.scalars(
                select(VersionRow).where(VersionRow.dataset == dataset).order_by(VersionRow.number.desc())
            ).all()
            versions = [self._version(row) for row in rows]
        views = (self.views.of(policies, asker, found, version) for version in versions)
        return [view.version for view in views if view.version is not None]

    # questions

    def at(self, asker: Asker, cell: grid.Cell, *, limit: int = 100) -> list[tuple[Dataset, Rows]]:
        """Return everything in a cell: of each dataset that has any, its rows there, at most `limit`.

        Each row carries its source (`jw_source`, `jw_row`) and in `jw_relation` how it concerns the cell:
        `within`, `crosses` (a line or area) or `around` (a place known only more coarsely).
        """
        return self.inside(asker, region_of_cell(cell), limit=limit)

    def inside(self, asker: Asker, region: Region, *, limit: int = 100) -> list[tuple[Dataset, Rows]]:
        """Return everything in a region, see `at`."""
        found = []
        policies = self.policies.current()
        for dataset in self._listed(policies, asker):
            view = self.views.of(policies, asker, dataset, dataset.version)
            version = view.version
            if version is None or "read" not in view.rights or not version.content.places:
                continue
            rows = self.reader.at(version, region, limit=limit, permitted=view.permitted)
            if rows.total:
                self._note(asker, view, rows.table)
                found.append((replace(dataset, version=version), rows))
        return found

    def query(
        self,
        asker: Asker,
        dataset: str,
        *,
        version: int | None = None,
        region: Region | None = None,
        period: tuple[int, int] | None = None,
        columns: Sequence[str] | None = None,
        where: str | None = None,
        after: int | None = None,
        limit: int = 1_000,
    ) -> Rows:
        """Return rows of a dataset by region, time, columns and filter; see `Reader.query`.

        Raises
        ------
        UnknownDatasetError, NotPublishedError
            If there is no such dataset that the asker may see, or nothing of it is published.
        RefusedError, HiddenColumnError
            If the asker may not read it, or not one of the columns.

        """
        view, found = self._readable(asker, dataset, version)
        for name in columns or []:
            if view.masks.get(name) == "hidden" and name != found.content.geometry:
                raise HiddenColumnError(dataset, name)
        rows = self.reader.query(
            found,
            region=region,
            period=period,
            columns=columns,
            where=where,
            after=after,
            limit=limit,
            permitted=view.permitted,
        )
        self._note(asker, view, rows.table)
        return rows

    def density(
        self,
        asker: Asker,
        dataset: str,
        level: int,
        *,
        role: str | None = None,
        region: Region | None = None,
        period: tuple[int, int] | None = None,
        where: str | None = None,
    ) -> pa.Table:
        """Count the facts of a dataset by grid cell of `level` (1-32); see `Reader.density`.

        Who may count but not read gets whole counts that tell of no few, see `jingwei.lake.counting`.

        Raises
        ------
        CountsOnlyError
            If such a one asks by a filter or a period.

        """
        if not 1 <= level <= 32:
            raise BadRequestError(
                Text("层级应为 1 至 32。", "A level is from 1 to 32."), where={"level": level}
            )
        if self.view(asker, dataset).counts_only:
            if period is not None or where is not None:
                raise CountsOnlyError(dataset)
            view, version = self._readable(asker, dataset, right="count")
            return self._blocks(view, version, _place(version, role)).density(level, region)
        view, version = self._readable(asker, dataset)
        place = _place(version, role)
        return self.reader.density(
            version, place, level, region=region, period=period, where=where, permitted=view.permitted
        )

    def sums(
        self,
        asker: Asker,
        dataset: str,
        level: int,
        *,
        region: Region | None = None,
        period: tuple[int, int] | None = None,
        columns: Collection[str] | None = None,
    ) -> tuple[pa.Table, list[str]]:
        """Return `density` with the figures of numeric columns, and which columns these are.

        Of columns that are not shown as they are there are no figures, and who may only count gets counts.

        Parameters
        ----------
        asker, dataset, level
            Who asks, of what, by cells of which level (1-32).
        region
            An exact region; all by default.
        period
            As in `query`.
        columns
            Only these; all by default. Those without figures are left out.

        Raises
        ------
        HiddenColumnError
            If one of `columns` is hidden from the asker.
        BadRequestError
            If there are more than `MAX_LIMIT` cells.

        """
        if self.view(asker, dataset).counts_only:
            table, names = self.density(asker, dataset, level, region=region, period=period), []
        else:
            view, version = self._readable(asker, dataset)
            place = _place(version, None)
            hidden = [name for name in columns or [] if view.masks.get(name) == "hidden"]
            if hidden:
                raise HiddenColumnError(dataset, hidden[0])
            names = [n for n in numeric_columns(view, version) if columns is None or n in columns]
            table = self.reader.sums(
                version,
                place,
                level,
                names,
                region=region,
                period=period,
                limit=MAX_LIMIT + 1,
                permitted=view.permitted,
            )
            self.note_reading(asker, view, names, table.num_rows)
        if table.num_rows > MAX_LIMIT:
            raise BadRequestError(
                Text(f"第 {level} 级的网格太多", f"There are too many cells of level {level}"),
                mend=Text("请缩小范围，或用更粗的层级。", "Take a smaller region, or a coarser level."),
                where={"level": level, "most": MAX_LIMIT},
            )
        return table, names

    def finest(self, asker: Asker, dataset: str) -> int:
        """Return the finest level of which the asker may be told anything of a dataset; 0 for none."""
        view = self.view(asker, dataset)
        if view.counts_only:
            return min(FINEST, view.count_level)
        return view.place_level if "read" in view.rights else 0

    def _blocks(self, view: View, version: Version, place: Place) -> Blocks:
        """Return the blocks in which a version is counted; they never change, so they are kept."""
        level = min(FINEST, view.count_level)
        key = (version.dataset, version.number, place.role, level, view.smallest)

        def count() -> Blocks:
            table = self.reader.density(version, place, level, limit=MAX_COUNTED)
            codes = np.asarray(grid.from_stored(table["jw_cell"].to_numpy()), np.uint64)
            return blocks_of(codes, table["n"].to_numpy(), level, view.smallest)

        return self._counted.of(key, count)

    def places(
        self,
        asker: Asker,
        dataset: str,
        *,
        role: str | None = None,
        region: Region | None = None,
        period: tuple[int, int] | None = None,
        where: str | None = None,
        limit: int,
    ) -> pa.Table:
        """Return nothing but the places of a dataset's facts; see `Reader.places`."""
        view, version = self._readable(asker, dataset)
        place = _place(version, role)
        return self.reader.places(
            version,
            place,
            region=region,
            period=period,
            where=where,
            limit=limit,
            permitted=view.permitted,
        )

    def quarantine(self, asker: Asker, dataset: str, *, after: int = 0, limit: int = 100) -> pa.Table:
        """Return the quarantined rows of a dataset: file, row, rule, reason in two languages, text.

        The text of a row holds all its fields. Who is not shown all of the dataset as it is gets none.
        """
        view, version = self._readable(asker, dataset, right="inspect")
        table = self.reader.quarantine(version, after=after, limit=limit)
        if not table.num_rows:
            return table
        if not view.whole:
            hidden = pa.nulls(table.num_rows, pa.string())
            for name in ("reason_zh", "reason_en", "text"):
                table = table.set_column(table.column_names.index(name), name, hidden)
        elif view.personal:
            self.readings.note(asker, dataset, version.number, view.personal, table.num_rows)
        return table

    def search(self, asker: Asker, text: str, *, limit: int = 20) -> list[Named]:
        """Return facts whose name holds `text`, across all datasets that name their facts."""
        text = text.strip()
        if not text:
            return []
        found: list[Named] = []
        policies = self.policies.current()
        for dataset in self._listed(policies, asker):
            view = self.views.of(policies, asker, dataset, dataset.version)
            version = view.version
            if version is None or "read" not in view.rights or version.content.name is None:
                continue
            table = self.reader.named(version, text, limit=limit, permitted=view.permitted)
            self.note_reading(asker, view, [version.content.name], table.num_rows)
            found += [
                Named(dataset, row["name"], row["jw_fact"], row["n"], row["jw_cell"], row["jw_level"])
                for row in table.to_pylist()
            ]
        found.sort(key=lambda named: (not named.name.startswith(text), len(named.name), named.name))
        return found[:limit]

    def _note(self, asker: Asker, view: View, table: pa.Table) -> None:
        self.note_reading(asker, view, table.column_names, table.num_rows)

    def note_reading(self, asker: Asker, view: View, columns: Collection[str], rows: int) -> None:
        """Note that an answer of so many rows shows the personal ones of some columns as they are.

        For whoever answers from what was kept; questions to the container note it themselves.
        """
        if not view.personal or not rows or view.version is None:
            return
        shown = tuple(name for name in view.personal if name in columns)
        if shown:
            self.readings.note(asker, view.version.dataset, view.version.number, shown, rows)

    def _numbered(self, dataset: str, number: int) -> Version:
        with self.records.read() as session:
            row = session.scalar(
                select(VersionRow).where(VersionRow.dataset == dataset, VersionRow.number == number)
            )
            if row is None:
                raise NotFoundError(
                    Text(f"“{dataset}”没有第 {number} 版。", f"'{dataset}' has no version {number}."),
                    where={"dataset": dataset, "version": number},
                )
            if row.dropped is not None:
                raise VersionDroppedError(dataset, number, row.dropped)
            return self._version(row)

    def _dataset(self, session: Session, row: DatasetRow, key: int | None) -> Dataset:
        version = None
        if key is not None:
            version = self._versions.get(key) or self._version(session.get_one(VersionRow, key))
        return Dataset(
            row.id,
            Text(row.title["zh"], row.title.get("en", "")),
            row.owner,
            row.sharing,
            row.update_cycle,
            row.state,  # type: ignore[arg-type]  # the column holds nothing else
            row.problem,
            version,
            row.changed,
            row.level,
            row.fields,
            own=row.position >= CITYS_OWN,
        )

    def _version(self, row: VersionRow) -> Version:
        """Return a version as plain data; until it is dropped a version never changes, so it is kept."""

        def read() -> Version:
            content = Content.from_json(row.content)
            return Version(row.dataset, row.number, row.published, content, row.dropped)

        return read() if row.dropped is not None else self._versions.of(row.id, read)


_DESCRIBED = Prepared(
    select(
        DatasetRow.id,
        cast(DatasetRow.title, String),
        DatasetRow.owner,
        DatasetRow.sharing,
        DatasetRow.update_cycle,
        DatasetRow.position,
        DatasetRow.level,
        DatasetRow.state,
        DatasetRow.current,
        DatasetRow.changed,
    ).order_by(DatasetRow.id)
)
"""Differs whenever a dataset does: fields, problems and what is known of versions change with `changed`."""


def _with_version() -> Select[DatasetRow, int]:
    """Ask for datasets together with the id of the version that answers, or null."""
    current = (VersionRow.dataset == DatasetRow.id) & (VersionRow.number == DatasetRow.current)
    return select(DatasetRow, VersionRow.id).outerjoin(VersionRow, current)


def _place(version: Version, role: str | None) -> Place:
    places = version.content.places
    for place in places:
        if role is None or place.role == role:
            return place
    known = "、".join(place.role for place in places)
    raise BadRequestError(
        Text(
            f"“{version.dataset}”没有位置“{role or ''}”。可选：{known}",
            f"'{version.dataset}' has no place '{role or ''}'. Known: {known}",
        ),
        where={"dataset": version.dataset, "role": role},
    )
