"""Questions to the container: everything in a cell, rows by region and time, density, search by name.

Readers open exactly the files that a published version names. One question sees one consistent set of
versions, and every answer names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from jingwei import grid
from jingwei.errors import BadRequestError
from jingwei.lake.engines import in_files, open_engine
from jingwei.lake.errors import BadFilterError, UnknownColumnError
from jingwei.lake.files import OpenFiles
from jingwei.lake.masking import mask_key, prepare
from jingwei.lake.seeking import Sought, during, in_ranges, one_of, rows_of
from jingwei.lake.stopping import stoppable
from jingwei.lake.summing import parts_of
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from jingwei.lake.region import Region
    from jingwei.lake.schemas import DataFile, Place, Version
    from jingwei.lake.views import Permitted

MAX_LIMIT = 100_000
FETCHED = 200_000
"""Facts of a region that are fetched from their row groups; where there are more, all are looked through."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one dataset: the version that answered, the table, and the fact to go on after.

    Where a place was asked for, `total` says how many concern it, and `around` how many of those are only
    known to lie in a larger cell that contains it.
    """

    version: Version
    table: pa.Table
    after: int | None
    total: int | None = None
    around: int = 0


def paged(ask: Callable[[int | None], Rows]) -> Iterator[Rows]:
    """Yield a question's rows page by page.

    Parameters
    ----------
    ask
        Asks for the page after a fact, None for the first one.

    """
    after: int | None = None
    while True:
        rows = ask(after)
        yield rows
        after = rows.after
        if after is None:
            return


class Reader:
    """Runs questions on published versions. Safe to share between threads.

    Each question may be put to the part that is `permitted` to an asker, which stands in place of the facts;
    the version is then the one that this asker may know of, see `jingwei.lake.views`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._files = OpenFiles(root)
        self._can_hash = False
        self._preparing = Lock()
        self._engine = open_engine("2GB")

    def close(self) -> None:
        """Close the query engine."""
        self._engine.close()
        self._files.close()

    def is_true(self, condition: str) -> bool:
        """Say whether an SQL condition that names no column holds."""
        with self._engine.cursor() as cursor:
            return bool(cursor.sql(f"SELECT coalesce(({condition}), FALSE)").fetchall()[0][0])

    def at(self, version: Version, region: Region, *, limit: int, permitted: Permitted | None = None) -> Rows:
        """Return the rows of one version that lie in, touch, or are only known to be around a cell.

        The column `jw_relation` says which: `within` (its place lies in the region), `crosses` (a line or
        area that touches it) or `around` (a place known only by a cell that contains the region).
        """
        facts, relations = self._facts_in(version, region, permitted=permitted)
        total = len(facts)
        if total == 0:
            return Rows(version, _empty(), None, 0)
        is_around = relations == "around"
        order = np.lexsort((facts, is_around))[:limit]  # what is certain comes first
        table = self._rows_by_fact(version, facts[order], permitted=permitted)
        relation = pa.array(relations[order].tolist(), pa.string())
        return Rows(version, table.append_column("jw_relation", relation), None, total, int(is_around.sum()))

    def _facts_in(
        self,
        version: Version,
        region: Region,
        places: Sequence[Place] | None = None,
        *,
        permitted: Permitted | None = None,
        period: tuple[int, int] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
        """Return the facts (ordinals) that a region concerns by one of `places` (all), and how; each once.

        A `period` leaves out facts of other times where that spares work; others may be among the answer.
        """
        facts, relations = self._found_in(version, region, places, permitted, period)
        if permitted is None or not permitted.indexed or permitted.where == "TRUE" or not len(facts):
            return facts, relations
        with self._engine.cursor() as cursor:
            cursor.register("wanted", pa.table({"jw_fact": facts}))
            source = self._source(version, permitted=permitted)
            question = f"SELECT jw_fact FROM {source} WHERE jw_fact IN (SELECT jw_fact FROM wanted)"
            kept = np.isin(facts, _run(cursor, question, [], None)["jw_fact"].to_numpy())
        return facts[kept], relations[kept]

    def _found_in(
        self,
        version: Version,
        region: Region,
        places: Sequence[Place] | None,
        permitted: Permitted | None,
        period: tuple[int, int] | None,
    ) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
        found: list[NDArray[np.int64]] = []
        how: list[NDArray[np.str_]] = []
        first_place = version.content.places[:1]
        for place in places if places is not None else version.content.places:
            if place.kind == "geometry":
                facts = self._crossing(version, place, region)
                found.append(facts)
                how.append(np.full(len(facts), "crosses"))
                continue
            if permitted is not None and not permitted.indexed:
                within, around = self._placed_as_shown(version, place, region, permitted)
            else:
                is_first = [place] == first_place
                within, around = self._placed(version, place, region, period, sorted_by_cell=is_first)
            found += [within, around]
            how += [np.full(len(within), "within"), np.full(len(around), "around")]
        if not found:
            return np.empty(0, np.int64), np.empty(0, "<U8")
        facts = np.concatenate(found)
        relations = np.concatenate(how)
        facts, first = np.unique(facts, return_index=True)
        return facts, relations[first]

    def _placed(
        self,
        version: Version,
        place: Place,
        region: Region,
        period: tuple[int, int] | None,
        *,
        sorted_by_cell: bool,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return facts placed inside the region, and those whose coarse place contains a part of it."""
        content = version.content
        files, folder = (content.facts, "facts") if sorted_by_cell else (content.covers, "covers")
        timed = sorted_by_cell and content.time and period is not None
        sought = Sought.of(version, place, region, period if timed else None)
        columns = [place.cell, place.level, "jw_fact"]
        if timed:
            columns += ["jw_time", "jw_time_end"]
        if not sorted_by_cell:
            columns = ["jw_cell", "jw_level", "jw_fact", "jw_role"]
        within, around = [], []
        for table in self._groups(version.dataset, folder, files, columns, sought.wanted):
            selected = table
            if not sorted_by_cell:
                selected = table.filter(pc.equal(table["jw_role"], place.role))
            if sought.period is not None:
                selected = table.filter(pa.array(during(table, sought.period)))
            if selected[columns[0]].null_count:
                selected = selected.filter(pc.is_valid(selected[columns[0]]))
            inside, coarse = sought.placed(selected[columns[0]].to_numpy(), selected[columns[1]].to_numpy())
            facts = selected["jw_fact"].to_numpy()
            within.append(facts[inside])
            around.append(facts[coarse])
        return _joined(within), _joined(around)

    def _placed_as_shown(
        self, version: Version, place: Place, region: Region, permitted: Permitted
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the same by the places as an asker is shown them, which no index knows."""
        cell, level = _name(place.cell), _name(place.level)
        spans = [f"{cell} BETWEEN {low} AND {high}" for low, high in region.ranges.tolist()]
        codes = ", ".join(str(code) for code in {code for code, _ in region.above})
        spans += [f"{cell} IN ({codes})"] if codes else []
        source = self._source(version, permitted=permitted)
        question = (
            f"SELECT {cell} AS cell, {level} AS level, jw_fact FROM {source} "
            f"WHERE {cell} IS NOT NULL AND ({' OR '.join(spans)})"
        )
        with self._engine.cursor() as cursor:
            table = _run(cursor, question, [], None)
        cells, levels, facts = (table[name].to_numpy() for name in ("cell", "level", "jw_fact"))
        inside, around = Sought(place, region, region.above).placed(cells, levels)
        return facts[inside], facts[around]

    def _crossing(self, version: Version, place: Place, region: Region) -> NDArray[np.int64]:
        """Return the lines and areas that truly touch the region: by cover, then by geometry."""
        content = version.content
        levels = set(content.levels.get(f"{place.role}#cover", []))
        above = tuple(pair for pair in region.above if pair[1] in levels)
        wanted = [*((int(low), int(high)) for low, high in region.ranges), *((c, c) for c, _ in above)]
        columns = ["jw_cell", "jw_level", "jw_fact", "jw_role"]
        found = []
        for table in self._groups(version.dataset, "covers", content.covers, columns, wanted):
            cells = table["jw_cell"].to_numpy()
            touching = in_ranges(cells, region.ranges) | one_of(cells, table["jw_level"].to_numpy(), above)
            touching &= pc.equal(table["jw_role"], place.role).to_numpy()
            found.append(table["jw_fact"].to_numpy()[touching])
        facts: NDArray[np.int64] = np.unique(_joined(found))
        if len(facts) == 0 or content.geometry is None:
            return facts
        shapes = shapely.from_wkb(
            self._rows_by_fact(version, facts, [content.geometry])[content.geometry].to_numpy()
        )
        touching_facts: NDArray[np.int64] = facts[shapely.intersects(shapes, region.outline)]
        return touching_facts

    def _groups(
        self,
        dataset: str,
        folder: str,
        files: Sequence[DataFile],
        columns: list[str],
        wanted: list[tuple[int, int]],
    ) -> list[pa.Table]:
        """Read `columns` of the row groups whose cells may lie in one of the wanted ranges."""
        if not wanted:
            return []
        ranges = np.array(sorted(wanted), np.int64)
        tables = []
        for file in files:
            numbers = self._files.spans(dataset, folder, file).meeting(ranges).tolist()
            if numbers and folder == "facts":
                tables.append(self._files.facts(dataset, file, numbers, columns))
            elif numbers:
                with self._files.opened(dataset, folder, file) as opened:
                    tables.append(opened.read_row_groups(numbers, columns, use_threads=False))
        return tables

    def _rows_by_fact(
        self,
        version: Version,
        facts: NDArray[np.int64],
        columns: list[str] | None = None,
        permitted: Permitted | None = None,
    ) -> pa.Table:
        """Read whole rows by their ordinals (sorted), opening only the row groups that hold them."""
        if permitted is not None:
            with self._engine.cursor() as cursor:
                cursor.register("wanted", pa.table({"jw_fact": facts}))
                source = self._source(version, permitted=permitted)
                wanted = "jw_fact IN (SELECT jw_fact FROM wanted)"
                return _run(cursor, f"SELECT * FROM {source} WHERE {wanted} ORDER BY jw_fact", [], None)
        parts = []
        content = version.content
        names = columns or self._columns(version)
        for file in content.facts:
            firsts = np.array([group.first for group in file.groups], np.int64)
            mine = facts[(facts >= firsts[0]) & (facts < _end(file))] if len(firsts) else facts[:0]
            if not len(mine):
                continue
            owner = np.searchsorted(firsts, mine, side="right") - 1
            numbers = np.unique(owner)
            table = self._files.facts(version.dataset, file, numbers.tolist(), names)
            sizes = np.array([file.groups[number].rows for number in numbers], np.int64)
            begins = np.concatenate([[0], np.cumsum(sizes)[:-1]])
            place = np.searchsorted(numbers, owner)
            parts.append(table.take(pa.array(begins[place] + mine - firsts[owner])))
        if not parts:
            with self._files.opened(version.dataset, "facts", content.facts[0]) as opened:
                return opened.schema_arrow.empty_table().select(names)
        return pa.concat_tables(parts)

    def _columns(self, version: Version) -> list[str]:
        own = [column.name for column in version.content.columns]
        with self._files.opened(version.dataset, "facts", version.content.facts[0]) as opened:
            present = opened.schema_arrow.names
        return [*own, *(name for name in present if name not in own)]

    def query(
        self,
        version: Version,
        *,
        region: Region | None = None,
        period: tuple[int, int] | None = None,
        columns: Sequence[str] | None = None,
        where: str | None = None,
        after: int | None = None,
        limit: int = 1_000,
        permitted: Permitted | None = None,
    ) -> Rows:
        """Return rows of one version, in order of their facts.

        Parameters
        ----------
        version
            The published version.
        region
            Only facts whose place lies in it, or whose line or area touches it.
        period
            UTC microseconds `[from, to)`: facts whose time, or interval, meets it.
        columns
            The department's columns to return; all by default. Address columns always come along.
        where
            A filter on the department's columns, see `jingwei.lake.filters`.
        after
            Go on after this fact (`Rows.after` of the page before).
        limit
            Rows at most, up to 100,000.
        permitted
            The part that the asker may see, if that is not everything.

        """
        content = version.content
        if not 1 <= limit <= MAX_LIMIT:
            raise BadRequestError(
                Text(f"limit 应在 1 与 {MAX_LIMIT} 之间。", f"limit must be between 1 and {MAX_LIMIT}."),
                where={"limit": limit},
            )
        if not content.facts:
            return Rows(version, _empty(), None)
        own = [column.name for column in content.columns]
        for name in columns or []:
            if name not in own:
                raise UnknownColumnError(version.dataset, name, own)
        present = permitted.names if permitted is not None else self._columns(version)
        chosen = list(dict.fromkeys([*(columns or own), *(n for n in present if n not in own)]))
        indexed = permitted is None or permitted.indexed
        plainly_placed = len(content.places) == 1 and content.places[0].kind != "geometry"
        if region is not None and indexed and plainly_placed and (period is None or content.time):
            sought = Sought.of(version, content.places[0], region, period)
            table = self._read(version, sought, chosen, where, after, limit + 1, permitted)
        else:
            table = self._asked(version, region, period, chosen, where, after, limit + 1, permitted)
        more = table.num_rows > limit
        table = table.slice(0, limit)
        return Rows(version, table, table["jw_fact"][-1].as_py() if more else None)

    def _read(
        self,
        version: Version,
        sought: Sought,
        chosen: list[str],
        where: str | None,
        after: int | None,
        limit: int,
        permitted: Permitted | None,
    ) -> pa.Table:
        """Return the first rows of those that are sought, reading row group after row group."""
        as_stored = permitted is None and where is None
        names = chosen if as_stored else self._columns(version)
        with self._files.opened(version.dataset, "facts", version.content.facts[0]) as opened:
            parts = [opened.schema_arrow.empty_table().select(names)]
        rows = 0
        for part in rows_of(self._files, version, sought, names, after):
            parts.append(part if as_stored else self._filtered(version, part, chosen, where, permitted))
            rows += parts[-1].num_rows
            if rows >= limit:
                break
        if not as_stored:
            parts[0] = self._filtered(version, parts[0], chosen, where, permitted)
        return pa.concat_tables(parts).slice(0, limit)

    def _filtered(
        self,
        version: Version,
        rows: pa.Table,
        chosen: list[str],
        where: str | None,
        permitted: Permitted | None,
    ) -> pa.Table:
        tests, values = self._tests(version, None, where, None)
        source = self._source(version, permitted=permitted, whole="fetched")
        listed = ", ".join(_name(name) for name in chosen)
        with self._engine.cursor() as cursor:
            cursor.register("fetched", rows)
            return _run(cursor, f"SELECT {listed} FROM {source}{_and(tests)} ORDER BY jw_fact", values, where)

    def _asked(
        self,
        version: Version,
        region: Region | None,
        period: tuple[int, int] | None,
        chosen: list[str],
        where: str | None,
        after: int | None,
        limit: int,
        permitted: Permitted | None,
    ) -> pa.Table:
        """Return the first rows of an answer by the engine."""
        tests, values = self._tests(version, period, where, after)
        source = self._source(version, permitted=permitted)
        listed = ", ".join(_name(n) for n in chosen)
        fetched = None
        if region is not None:
            facts, _ = self._facts_in(version, region, permitted=permitted, period=period)
            if after is not None:
                facts = facts[facts > after]
            if permitted is None and where is None and period is None:
                facts = facts[:limit]
            if len(facts) <= FETCHED:
                names = chosen if permitted is None and where is None else self._columns(version)
                fetched = self._rows_by_fact(version, facts, list(dict.fromkeys(names)))
                source = self._source(version, permitted=permitted, whole="fetched")
            else:
                tests.append("jw_fact IN (SELECT jw_fact FROM wanted)")
        question = f"SELECT {listed} FROM {source}{_and(tests)} ORDER BY jw_fact LIMIT {limit}"
        with self._engine.cursor() as cursor:
            if fetched is not None:
                cursor.register("fetched", fetched)
            elif region is not None:
                cursor.register("wanted", pa.table({"jw_fact": facts}))
            return _run(cursor, question, values, where)

    def columns(self, version: Version, names: Sequence[str]) -> pa.Table:
        """Return whole columns of a version, in order of its facts."""
        tables = []
        for file in version.content.facts:
            with self._files.opened(version.dataset, "facts", file) as opened:
                tables.append(opened.read(list(names)))
        return pa.concat_tables(tables)

    def _tests(
        self, version: Version, period: tuple[int, int] | None, where: str | None, after: int | None
    ) -> tuple[list[str], list[Any]]:
        content = version.content
        tests: list[str] = []
        values: list[Any] = []
        if period is not None:
            if not content.time:
                return ["false"], []
            tests.append(
                "jw_time < make_timestamptz(?) AND coalesce(jw_time_end, jw_time) >= make_timestamptz(?)"
            )
            values += [period[1], period[0]]
        if where:
            # Brings a parser of SQL, which few questions need.
            from jingwei.lake.filters import compile_filter

            tests.append(f"({compile_filter(where, version.dataset, [c.name for c in content.columns])})")
        if after is not None:
            tests.append("jw_fact > ?")
            values.append(after)
        return tests, values

    def _source(
        self,
        version: Version,
        folder: str = "facts",
        *,
        permitted: Permitted | None = None,
        whole: str | None = None,
    ) -> str:
        """Return what stands for the facts in a question; `whole` is a table that holds those in question."""
        files = version.content.facts if folder == "facts" else version.content.quarantine
        whole = whole or in_files(self.root / version.dataset / folder / file.path for file in files)
        if permitted is None:
            return whole
        if permitted.hashed and not self._can_hash:
            with self._preparing:
                prepare(self._engine, mask_key(self.root / "mask-key"))
                self._can_hash = True
        return f"(SELECT {permitted.select} FROM {whole} WHERE {permitted.where})"

    def density(
        self,
        version: Version,
        place: Place,
        level: int,
        *,
        region: Region | None = None,
        period: tuple[int, int] | None = None,
        where: str | None = None,
        limit: int = MAX_LIMIT,
        permitted: Permitted | None = None,
    ) -> pa.Table:
        """Count facts by grid cell of `level`.

        Facts whose place is known only more coarsely than `level` are left out: they lie in no one cell of
        it. Returns columns `jw_cell` (stored), `n` and `area_m2` (true area of the cell), sorted by cell;
        densities are `n / area_m2`, never raw counts, because cells of some levels are clipped.
        """
        if not version.content.facts:
            return pa.table({"jw_cell": pa.array([], pa.int64()), "n": pa.array([], pa.int64())})
        tests, values = self._tests(version, period, where, None)
        tests.append(f"{place.level} >= {level}")
        if region is not None:
            tests.append(_placed_test(place, region))
        mask = ~((1 << (64 - 2 * level)) - 1)
        source = self._source(version, permitted=permitted)
        question = (
            f"SELECT {_name(place.cell)} & {mask} AS jw_cell, count(*) AS n FROM {source}"
            f"{_and(tests)} GROUP BY 1 ORDER BY 1 LIMIT {limit}"
        )
        table = self._ask_in(version, place, region, permitted, (question, values, where))
        codes = grid.from_stored(table["jw_cell"].to_numpy())
        areas = grid.area_m2(codes, level) if len(codes) else np.empty(0)
        return table.append_column("area_m2", pa.array(areas, pa.float64()))

    def sums(
        self,
        version: Version,
        place: Place,
        level: int,
        columns: Sequence[str],
        *,
        region: Region | None = None,
        period: tuple[int, int] | None = None,
        limit: int = MAX_LIMIT,
        permitted: Permitted | None = None,
    ) -> pa.Table:
        """Return `density` with the figures of numeric columns, and the first and last instant of each cell.

        Returns columns `jw_cell` (stored), `n`, those of `jingwei.lake.summing.parts_of`, and where the
        dataset has time `jw_start` and `jw_end` in UTC microseconds. The region must be exact.
        """
        tests, values = self._tests(version, period, None, None)
        tests.append(f"{_name(place.level)} >= {level}")
        if region is not None:
            tests.append(_placed_test(place, region) if len(region.ranges) else "false")
        mask = ~((1 << (64 - 2 * level)) - 1)
        parts = parts_of([_name(column) for column in columns])
        if version.content.time:
            parts += [
                "epoch_us(min(jw_time)) AS jw_start",
                "epoch_us(max(coalesce(jw_time_end, jw_time))) AS jw_end",
            ]
        listed = ", ".join([f"{_name(place.cell)} & {mask} AS jw_cell", "count(*) AS n", *parts])
        source = self._source(version, permitted=permitted)
        question = f"SELECT {listed} FROM {source}{_and(tests)} GROUP BY 1 ORDER BY 1 LIMIT {limit}"
        with self._engine.cursor() as cursor:
            return _run(cursor, question, values, None)

    def places(
        self,
        version: Version,
        place: Place,
        *,
        region: Region | None = None,
        period: tuple[int, int] | None = None,
        where: str | None = None,
        limit: int,
        permitted: Permitted | None = None,
    ) -> pa.Table:
        """Return nothing but the places of facts: what a map needs to draw a million of them.

        Returns columns `jw_cell` (stored), `jw_level`, `jw_fact`, and `second` (since the start of the
        version's period, rounded down) where the dataset has time. Facts without this place are left out.
        """
        content = version.content
        if not content.facts:
            names = (("jw_cell", pa.int64()), ("jw_level", pa.int8()), ("jw_fact", pa.int64()))
            return pa.table({name: pa.array([], type_) for name, type_ in names})
        tests, values = self._tests(version, period, where, None)
        cell, level = _name(place.cell), _name(place.level)
        tests.append(f"{cell} IS NOT NULL")
        if region is not None:
            tests.append(_placed_test(place, region))
        second = ""
        if content.time and content.period:
            start = content.period[0] // 1_000_000
            second = f", CAST(epoch_us(jw_time) // 1000000 - {start} AS INTEGER) AS second"
        question = (
            f"SELECT {cell} AS jw_cell, {level} AS jw_level, jw_fact{second} "
            f"FROM {self._source(version, permitted=permitted)}{_and(tests)} LIMIT {limit}"
        )
        return self._ask_in(version, place, region, permitted, (question, values, where))

    def _ask_in(
        self,
        version: Version,
        place: Place,
        region: Region | None,
        permitted: Permitted | None,
        asked: tuple[str, list[Any], str | None],
    ) -> pa.Table:
        """Run a question with its values and filter, to which `_placed_test` limited places to a region."""
        with self._engine.cursor() as cursor:
            if region is not None and not region.exact:
                facts, _ = self._facts_in(version, region, (place,), permitted=permitted)
                cursor.register("wanted", pa.table({"jw_fact": facts}))
            return _run(cursor, *asked)

    def named(
        self, version: Version, text: str, *, limit: int, permitted: Permitted | None = None
    ) -> pa.Table:
        """Return facts whose name holds `text`: those that begin with it first, then the shorter ones."""
        content = version.content
        if content.name is None or not content.facts:
            return _empty()
        name = _name(content.name)
        pattern = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        place = content.places[0] if content.places else None
        cell, level = (_name(place.cell), _name(place.level)) if place else ("NULL::BIGINT", "NULL::TINYINT")
        source = self._source(version, permitted=permitted)
        question = (
            f"SELECT called AS name, min(fact) AS jw_fact, count(*) AS n, "
            f"arg_min(cell, fact) AS jw_cell, arg_min(level, fact) AS jw_level "
            f"FROM (SELECT CAST({name} AS VARCHAR) AS called, jw_fact AS fact, {cell} AS cell, "
            f"{level} AS level "
            f"FROM {source} WHERE called ILIKE ? ESCAPE '\\') GROUP BY called "
            f"ORDER BY starts_with(called, ?) DESC, length(called), called LIMIT {limit}"
        )
        with self._engine.cursor() as cursor:
            return _run(cursor, question, [f"%{pattern}%", text], None)

    def quarantine(self, version: Version, *, after: int, limit: int) -> pa.Table:
        """Return quarantined rows in order of file and row, beginning after the `after`-th."""
        if not version.content.quarantine:
            return _empty()
        with self._engine.cursor() as cursor:
            return _run(
                cursor,
                f"SELECT * FROM {self._source(version, 'quarantine')} ORDER BY file, row "
                f"LIMIT {limit} OFFSET {after}",
                [],
                None,
            )


def _end(file: DataFile) -> int:
    """Return the number behind a file's last fact; between its facts may lie numbers of erased ones."""
    return file.groups[-1].first + file.groups[-1].rows


def _run(cursor: duckdb.DuckDBPyConnection, question: str, values: list[Any], where: str | None) -> pa.Table:
    try:
        with stoppable(cursor):
            return _as_stored(cursor.sql(question, params=values).to_arrow_table())
    except (duckdb.ConversionException, duckdb.BinderException, duckdb.InvalidInputException) as error:
        if where is None:
            raise
        raise BadFilterError(
            where, Text("比较的类型不合。", "a column is compared with a value of another type.")
        ) from error


def _as_stored(table: pa.Table) -> pa.Table:
    """Return an answer with the time zone by the name under which it is stored, which the engine changes."""
    types = [
        pa.timestamp("us", "UTC") if pa.types.is_timestamp(t) and t.tz else t for t in table.schema.types
    ]
    fields = [field.with_type(type_) for field, type_ in zip(table.schema, types, strict=True)]
    return table.cast(pa.schema(fields)) if types != table.schema.types else table


def _placed_test(place: Place, region: Region) -> str:
    """Return the condition that a fact is placed in a region; if it is not exact, `wanted` must be known."""
    if not region.exact:
        return "jw_fact IN (SELECT jw_fact FROM wanted)"
    spans = (f"{_name(place.cell)} BETWEEN {low} AND {high}" for low, high in region.ranges.tolist())
    return f"({' OR '.join(spans)})"


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _and(tests: list[str]) -> str:
    return f" WHERE {' AND '.join(tests)}" if tests else ""


def _empty() -> pa.Table:
    return pa.table({})


def _joined(parts: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)
