"""What can be asked of the container and done with it. Every call takes an asker."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import Select, select

from jingwei.access.policy import Policies, Resource
from jingwei.access.policy.store import PolicyKeeper
from jingwei.errors import BadRequestError, NotFoundError
from jingwei.lake.errors import NotPublishedError, UnknownDatasetError
from jingwei.lake.models import DatasetRow, VersionRow
from jingwei.lake.query import Reader, Rows
from jingwei.lake.region import Region, region_of_cell
from jingwei.lake.schemas import Content, Dataset, Place, Version
from jingwei.lake.store import Store
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa
    from sqlalchemy.orm import Session

    from jingwei import grid
    from jingwei.access import Asker
    from jingwei.records import Records

MAX_VERSIONS_KEPT = 512


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
        self.records = records
        self.policies = policies or PolicyKeeper(records)
        self.store = Store(root, records)
        self.reader = Reader(root)
        self._versions: OrderedDict[int, Version] = OrderedDict()
        self._mutex = Lock()

    def close(self) -> None:
        """Let go of the query engine."""
        self.reader.close()

    def datasets(self, asker: Asker) -> list[Dataset]:
        """Return the datasets that the asker may see, in the order of the pack; removed ones are left out."""
        with self.records.read() as session:
            rows = session.execute(
                _with_version().where(DatasetRow.state != "removed").order_by(DatasetRow.position)
            ).all()
            found = [self._dataset(session, row, version) for row, version in rows]
        policies = self.policies.current()
        return [
            one for one in found if policies.decide(asker, "dataset.list", resource_of(one, policies)).allowed
        ]

    def dataset(self, asker: Asker, dataset: str) -> Dataset:
        """Return one dataset.

        Raises
        ------
        UnknownDatasetError
            If there is none of this name that the asker may see; near misses are named.

        """
        found = self._known(dataset)
        if found is not None and found.state != "removed":
            policies = self.policies.current()
            if policies.decide(asker, "dataset.list", resource_of(found, policies)).allowed:
                return found
        raise UnknownDatasetError(dataset, [known.id for known in self.datasets(asker)])

    def resource(self, dataset: str) -> Resource | None:
        """Return a dataset as policies see it, also one that was removed; `None` if there never was one."""
        found = self._known(dataset)
        return None if found is None else resource_of(found, self.policies.current())

    def _known(self, dataset: str) -> Dataset | None:
        with self.records.read() as session:
            row = session.execute(_with_version().where(DatasetRow.id == dataset)).one_or_none()
            return None if row is None else self._dataset(session, row[0], row[1])

    def versions(self, asker: Asker, dataset: str) -> list[Version]:
        """Return all published versions of a dataset, newest first."""
        self.dataset(asker, dataset)
        with self.records.read() as session:
            rows = session.scalars(
                select(VersionRow).where(VersionRow.dataset == dataset).order_by(VersionRow.number.desc())
            ).all()
            return [self._version(row) for row in rows]

    def at(self, asker: Asker, cell: grid.Cell, *, limit: int = 100) -> list[tuple[Dataset, Rows]]:
        """Return everything in a cell: of each dataset that has any, its rows there, at most `limit`.

        Each row carries its source (`jw_source`, `jw_row`) and in `jw_relation` how it concerns the cell:
        `within`, `crosses` (a line or area) or `around` (a place known only more coarsely).
        """
        return self.inside(asker, region_of_cell(cell), limit=limit)

    def inside(self, asker: Asker, region: Region, *, limit: int = 100) -> list[tuple[Dataset, Rows]]:
        """Return everything in a region, see `at`."""
        found = []
        for dataset in self.datasets(asker):
            if dataset.version is not None and dataset.version.content.places:
                rows = self.reader.at(dataset.version, region, limit=limit)
                if rows.total:
                    found.append((dataset, rows))
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
        """Return rows of a dataset by region, time, columns and filter; see `Reader.query`."""
        found = self._published(asker, dataset, version)
        return self.reader.query(
            found, region=region, period=period, columns=columns, where=where, after=after, limit=limit
        )

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
        """Count the facts of a dataset by grid cell of `level` (1-32); see `Reader.density`."""
        if not 1 <= level <= 32:
            raise BadRequestError(
                Text("层级应为 1 至 32。", "A level is from 1 to 32."), where={"level": level}
            )
        version = self._published(asker, dataset, None)
        place = _place(version, role)
        return self.reader.density(version, place, level, region=region, period=period, where=where)

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
        version = self._published(asker, dataset, None)
        place = _place(version, role)
        return self.reader.places(version, place, region=region, period=period, where=where, limit=limit)

    def quarantine(self, asker: Asker, dataset: str, *, after: int = 0, limit: int = 100) -> pa.Table:
        """Return the quarantined rows of a dataset: file, row, rule, reason in two languages, text."""
        return self.reader.quarantine(self._published(asker, dataset, None), after=after, limit=limit)

    def search(self, asker: Asker, text: str, *, limit: int = 20) -> list[Named]:
        """Return facts whose name holds `text`, across all datasets that name their facts."""
        text = text.strip()
        if not text:
            return []
        found: list[Named] = []
        for dataset in self.datasets(asker):
            if dataset.version is None or dataset.version.content.name is None:
                continue
            table = self.reader.named(dataset.version, text, limit=limit)
            found += [
                Named(dataset, row["name"], row["jw_fact"], row["n"], row["jw_cell"], row["jw_level"])
                for row in table.to_pylist()
            ]
        found.sort(key=lambda named: (not named.name.startswith(text), len(named.name), named.name))
        return found[:limit]

    def _published(self, asker: Asker, dataset: str, number: int | None) -> Version:
        found = self.dataset(asker, dataset)
        if number is not None:
            with self.records.read() as session:
                row = session.scalar(
                    select(VersionRow).where(VersionRow.dataset == dataset, VersionRow.number == number)
                )
                if row is None:
                    raise NotFoundError(
                        Text(f"“{dataset}”没有第 {number} 版。", f"'{dataset}' has no version {number}."),
                        where={"dataset": dataset, "version": number},
                    )
                return self._version(row)
        if found.version is None:
            raise NotPublishedError(dataset, found.state)
        return found.version

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
        )

    def _version(self, row: VersionRow) -> Version:
        """Return a version as plain data; versions never change, so they are kept."""
        with self._mutex:
            kept = self._versions.get(row.id)
            if kept is not None:
                self._versions.move_to_end(row.id)
                return kept
        version = Version(row.dataset, row.number, row.published, Content.from_json(row.content))
        with self._mutex:
            self._versions[row.id] = version
            if len(self._versions) > MAX_VERSIONS_KEPT:
                self._versions.popitem(last=False)
        return version


def resource_of(dataset: Dataset, policies: Policies) -> Resource:
    """Return a dataset as policies see it."""
    attributes = {
        "owner": policies.department(dataset.owner),
        "sharing": dataset.sharing,
        "level": dataset.level,
    }
    return Resource("Dataset", dataset.id, attributes)


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
