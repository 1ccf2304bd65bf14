"""Checking written facts against a contract: every finding with its rule, its row and its place.

All rules on single rows are counted in one scan; only those that some row breaks are asked for their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jingwei import grid
from jingwei.errors import BadRequestError
from jingwei.lake.contracts import (
    DIMENSIONS,
    Alike,
    Change,
    Contract,
    ContractError,
    Fresh,
    InForce,
    Inside,
    OnePlace,
    Reference,
    Repeated,
    Rule,
)
from jingwei.lake.enclosing import cells_touch, middles_inside, ranges_inside
from jingwei.lake.engines import in_files, open_engine
from jingwei.lake.quality import are_plain_times, has_unique_key, is_plainly_unique
from jingwei.lake.row_checks import Broken, RowChecks
from jingwei.lake.rules import (
    RowTest,
    add_number,
    check_there,
    field_tests,
    given,
    literal,
    moment,
    name_of,
    rule_test,
    text_of,
)
from jingwei.lake.schemas import Consulted
from jingwei.lake.wording import plain_words, same_words
from jingwei.words import Text

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from jingwei.lake.schemas import Content, Place

KEPT = 10_000
"""Rows that are kept of one rule; all are counted."""
MOST_PAIRS = 5_000_000
"""Pairs of neighbours whose texts are compared; where more are near each other, the reach is shortened."""
EXAMPLES = 1_000
"""Of so many rows, those that come first in their file are named as examples."""
READ_GROUPS = 64
"""Row groups that are read at once."""
EARTH_METRES = 111_320.0
"""Metres of a degree of latitude."""

FINDINGS = pa.schema(
    [
        ("rule", pa.string()),
        ("fact", pa.int64()),
        ("file", pa.int32()),
        ("row", pa.int64()),
        ("value", pa.string()),
        ("cell", pa.int64()),
        ("level", pa.int8()),
    ]
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a check knows beside the rows themselves.

    Attributes
    ----------
    at
        The moment against which ages are measured, UTC.
    boundary
        The city's area (WGS84), or None.
    columns
        Reads columns of another dataset's published version; None where it has none.
    area
        Returns the union of another dataset's areas; None where it has none.
    previous
        What the version before held, or None.
    consulted
        Takes note of the versions that are read.
    held
        Returns values of a column of rows of another dataset that are in quarantine: they are there, if
        not as they should be.
    plain_times
        Columns whose texts were all seen to be times to the second, or missing, as they were written.
    """

    at: datetime
    boundary: Any = None
    columns: Callable[[str, list[str]], pa.Table | None] = lambda _name, _columns: None
    area: Callable[[str], Any] = lambda _name: None
    previous: Content | None = None
    consulted: Consulted = field(default_factory=Consulted)
    held: Callable[[str, str], pa.Array] = lambda _name, _column: pa.array([], pa.string())
    plain_times: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What became of one rule. `rows` is null for a rule on the version as a whole."""

    id: str
    kind: str
    columns: list[str]
    dimension: str
    severity: str
    text: dict[str, str]
    rows: int | None
    failed: bool
    examples: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found.

    Attributes
    ----------
    score
        Share of the rows read that no rule of severity `error` is broken by, in hundredths (0 to 100).
    dimensions
        The same for the rules of one dimension of GB/T 36344-2018.
    """

    score: float
    rows: int
    faulty: int
    dimensions: dict[str, float]
    rules: list[RuleResult]

    def as_json(self) -> dict[str, Any]:
        """Return JSON values only."""
        return asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> Report:
        """Read what `as_json` wrote."""
        return Report(**{**data, "rules": [RuleResult(**one) for one in data["rules"]]})


def check(
    contract: Contract,
    paths: Sequence[Path],
    own: pa.Schema,
    content: Content,
    around: Surroundings,
    *,
    memory: str = "1GB",
    strict: bool = False,
    rows: bool = True,
) -> tuple[Report, pa.Table]:
    """Check the facts of a version.

    Parameters
    ----------
    contract
        What they are checked against.
    paths
        Their Parquet files, as written.
    own
        The department's own columns.
    content
        What the version holds: its places, counts and quarantined rows by rule.
    around
        What is known beside.
    memory
        What the engine may hold.
    strict
        Refuse a contract with a rule that cannot be checked; else that is a finding itself.
    rows
        Whether rows are looked at; else only whether the rules suit the columns.

    Returns
    -------
    report, findings
        The counts and the score, and the rows (`FINDINGS`), at most `KEPT` of each rule.

    Raises
    ------
    ContractError
        If `strict`, and a rule names what is not there, or is no condition.

    """
    with open_engine(memory) as engine:
        engine.execute("SET parquet_metadata_cache = true")  # the same files are asked many times
        engine.execute("SET preserve_insertion_order = false")
        # What a file tells of fractions leaves out those that are no number, which are beyond any limit.
        engine.execute("SET disabled_optimizers = 'statistics_propagation'")
        add_number(engine)
        if not paths:
            return _empty_report(content), FINDINGS.empty_table()
        limited = "" if rows else " LIMIT 0"
        engine.execute(f"CREATE VIEW facts AS FROM {in_files(paths)}{limited}")
        engine.execute("CREATE TABLE found (rule INTEGER, fact BIGINT)")
        work = _Check(contract, own, content, around, engine, paths=paths if rows else [], strict=strict)
        work.layout()
        work.single_rows()
        work.unique_fields()
        work.rules()
        work.quarantined()
        return work.report(), work.findings()


def _empty_report(content: Content) -> Report:
    read = content.counts.read
    return Report(0.0 if read else 100.0, read, content.counts.quarantined, {}, [])


class _Check:
    """One check under way; `results[n]` is the rule whose rows stand in `found` as n."""

    def __init__(
        self,
        contract: Contract,
        own: pa.Schema,
        content: Content,
        around: Surroundings,
        engine: duckdb.DuckDBPyConnection,
        *,
        paths: Sequence[Path],
        strict: bool,
    ) -> None:
        self.paths = paths
        self.strict = strict
        self.contract = contract
        self.own = own
        self.content = content
        self.around = around
        self.engine = engine
        self.results: list[RuleResult] = []
        self.a_key_holds = False

    # rules on the version as a whole

    def layout(self) -> None:
        """Tell columns that the contract names and the file lacks, and those that it does not name."""
        if not self.contract.fields:
            return
        agreed = [terms.name for terms in self.contract.fields]
        for terms in self.contract.fields:
            if terms.name not in self.own.names:
                text = Text(f"缺少约定的列“{terms.name}”。", f"The agreed column '{terms.name}' is missing.")
                self._whole(
                    f"missing-column:{terms.name}", "missing-column", [terms.name], "normative", "error", text
                )
        new = [name for name in self.own.names if name not in agreed]
        if new:
            shown = "、".join(new[:10])
            text = Text(f"有契约未约定的列：{shown}", f"Columns that the contract does not name: {shown}")
            self._whole("new-column", "new-column", new[:10], "normative", "warning", text)

    def _whole(
        self, identifier: str, kind: str, columns: list[str], dimension: str, severity: str, text: Text
    ) -> None:
        self.results.append(
            RuleResult(identifier, kind, columns, dimension, severity, text.as_json(), None, failed=True)
        )

    # rules on single rows

    def single_rows(self) -> None:
        """Count what breaks each rule on single rows, then fetch the facts of those that some row breaks."""
        tests = list(field_tests(self.contract, self.own))
        for identifier, rule in self._numbered():
            with self._told(identifier, rule):
                test = rule_test(self.contract, rule, identifier, self.own, self.around.at)
                tests += [] if test is None else [test]
        rows = RowChecks(self.engine, self.own, self.content)
        left = {
            test.id: quick
            for test in tests
            if not self._are_plain_times(test) and (quick := rows.narrowed(test)) is not None
        }
        found = {one.test.id: one for one in self._broken(rows, list(left.values()))}
        for test in tests:
            if test.id not in left:
                self._note(test, 0, "")
            elif test.id in found:
                self._note(test, found[test.id].rows, found[test.id].facts)

    def _are_plain_times(self, test: RowTest) -> bool:
        times = {f"type:{terms.name}": terms.name for terms in self.contract.fields if terms.type == "time"}
        name = times.get(test.id)
        if name is None or not self.paths:
            return False
        return name in self.around.plain_times or are_plain_times(self.paths, name)

    def _numbered(self) -> list[tuple[str, Rule]]:
        return [(f"{rule.kind}:{n}", rule) for n, rule in enumerate(self.contract.rules, start=1)]

    @contextmanager
    def _told(self, identifier: str, rule: Rule) -> Iterator[None]:
        """Make of a rule that cannot be checked a finding, where the check is not strict."""
        try:
            yield
        except BadRequestError as error:
            if self.strict:
                error.where = {**error.where, "rule": int(identifier.rpartition(":")[2])}
                raise
            text = Text(f"规则无法检查：{error.what.zh}", f"A rule could not be checked: {error.what.en}")
            self._whole(identifier, "unchecked", [], "normative", rule.severity, text)

    def _broken(self, rows: RowChecks, tests: list[RowTest]) -> list[Broken]:
        """Ask which rows break each test; one that does not suit its column is a finding itself."""
        try:
            return rows.broken(tests)
        except duckdb.Error as error:
            if len(tests) > 1:
                return [one for test in tests for one in self._broken(rows, [test])]
            reason = Text("有规则与列的类型不合。", f"a rule does not suit the type of its column: {error}")
            test = tests[0]
            if self.strict:
                raise ContractError(self.contract.dataset, reason, columns=test.columns) from error
            self._whole(test.id, "unchecked", list(test.columns), test.dimension, test.severity, reason)
            return []

    def _note(self, test: RowTest, rows: int, facts: str) -> None:
        """Add a rule and the facts that break it."""
        number = len(self.results)
        if rows:
            self.engine.execute(f"INSERT INTO found SELECT {number}, jw_fact FROM ({facts})")
        self.results.append(
            RuleResult(
                test.id,
                test.kind,
                list(test.columns),
                test.dimension,
                test.severity,
                test.text.as_json(),
                rows,
                failed=rows > 0,
            )
        )

    def _asked(self, test: RowTest, facts: str) -> None:
        """Add a rule by the question for the facts that break it."""
        number = len(self.results)
        self.engine.execute(f"INSERT INTO found SELECT DISTINCT {number}, jw_fact FROM ({facts})")
        rows = self.engine.execute(f"SELECT count(*) FROM found WHERE rule = {number}").fetchall()[0][0]
        self._note(test, 0, "")
        self.results[number] = RuleResult(
            **{**asdict(self.results[number]), "rows": rows, "failed": rows > 0}
        )

    def unique_fields(self) -> None:
        """Tell rows whose value of a unique field another row before them has."""
        for terms in self.contract.fields:
            if not terms.unique or terms.name not in self.own.names:
                continue
            text = Text(f"“{terms.name}”重复。", f"'{terms.name}' is repeated.")
            test = RowTest(
                f"unique:{terms.name}", "unique", (terms.name,), "consistent", terms.severity, text, ""
            )
            blanks = self._has_blanks(terms.name)
            known = has_unique_key(self.content, terms.name)
            if not blanks and (known or is_plainly_unique(self.paths, self.own, [terms.name])):
                self._note(test, 0, "")
            else:
                value = text_of(terms.name) if blanks else name_of(terms.name)
                there = given(terms, self.own.field(terms.name).type)
                self._asked(test, _later_of_equal(value, there))
            self.a_key_holds |= not self.results[-1].failed and terms.required

    def _has_blanks(self, name: str) -> bool:
        """Say whether a column holds texts with blanks around, which make no other value of them."""
        if not pa.types.is_string(self.own.field(name).type):
            return False
        question = f"SELECT 1 FROM facts WHERE {name_of(name)} <> {text_of(name)} LIMIT 1"
        return bool(self.engine.execute(question).fetchall())

    def rules(self) -> None:
        """Follow the contract's further rules."""
        follow: dict[type, Callable[..., None]] = {
            Repeated: self._repeated,
            Alike: self._alike,
            Reference: self._referenced,
            InForce: self._in_force,
            Inside: self._inside,
            OnePlace: self._one_place,
            Fresh: self._fresh,
            Change: self._changed,
        }
        for identifier, rule in self._numbered():
            if type(rule) not in follow:
                continue
            said = Text(rule.says, rule.says) if rule.says else None

            def test(
                columns: Sequence[str],
                dimension: str,
                text: Text,
                rule: Rule = rule,
                identifier: str = identifier,
                said: Text | None = said,
            ) -> RowTest:
                return RowTest(
                    identifier, rule.kind, tuple(columns), dimension, rule.severity, said or text, ""
                )

            with self._told(identifier, rule):
                follow[type(rule)](rule, test)

    def _repeated(self, rule: Repeated, test: Callable[..., RowTest]) -> None:
        check_there(self.contract, rule.columns, self.own)
        columns = rule.columns or list(self.own.names)
        shown = "、".join(rule.columns) if rule.columns else ""
        text = Text(
            f"与前面的行重复{f'（{shown}）' if shown else ''}。",
            f"It repeats an earlier row{f' ({shown})' if shown else ''}.",
        )
        made = test(rule.columns, "consistent", text)
        if not rule.columns and self.a_key_holds:  # rows with a unique key cannot be equal
            self._note(made, 0, "")
            return
        listed = ", ".join(name_of(name) for name in columns)
        self._asked(made, _later_of_equal(f"hash({listed})", "TRUE"))

    def _referenced(self, rule: Reference, test: Callable[..., RowTest]) -> None:
        check_there(self.contract, [rule.column], self.own)
        table = self._other(rule.dataset, [rule.to])
        text = Text(
            f"“{rule.column}”在“{rule.dataset}”中不存在。",
            f"'{rule.column}' is not there in '{rule.dataset}'.",
        )
        self.engine.register("other", table)
        self.engine.register("held", pa.table({"jw_known": self.around.held(rule.dataset, rule.to)}))
        value = text_of(rule.column)
        self._asked(
            test([rule.column], "consistent", text),
            f"SELECT jw_fact FROM (SELECT jw_fact, {value} AS jw_named FROM facts) ANTI JOIN "
            f"(SELECT {text_of(rule.to)} AS jw_known FROM other UNION SELECT trim(jw_known) FROM held) "
            f"ON jw_named = jw_known WHERE jw_named <> ''",
        )
        self.engine.unregister("other")
        self.engine.unregister("held")

    def _in_force(self, rule: InForce, test: Callable[..., RowTest]) -> None:
        check_there(self.contract, [rule.column, rule.date], self.own)
        wanted = [name for name in (rule.code, rule.since, rule.until) if name]
        self.engine.register("other", self._other(rule.dataset, wanted))
        on = [f"trim(CAST(other.{name_of(rule.code)} AS VARCHAR)) = mine.jw_code"]
        if rule.since:
            on.append(f"coalesce({moment(rule.since)} <= mine.jw_day, TRUE)")
        if rule.until:
            day = f"{moment(rule.until)}::DATE"
            sign = ">" if rule.since and self._ends_are_first_days(rule.since, rule.until) else ">="
            on.append(f"coalesce({day} {sign} mine.jw_day, TRUE)")
        text = Text(
            f"“{rule.column}”在该行日期不是有效代码。", f"'{rule.column}' was not in force on the row's date."
        )
        self._asked(
            test([rule.column, rule.date], "consistent", text),
            f"WITH mine AS (SELECT jw_fact, {text_of(rule.column)} AS jw_code, {moment(rule.date)} AS jw_day "
            f"FROM facts), "
            f"pairs AS (SELECT DISTINCT jw_code, jw_day::DATE AS jw_day FROM mine WHERE jw_code <> ''), "
            f"good AS (SELECT mine.jw_code, mine.jw_day FROM pairs AS mine WHERE EXISTS "
            f"(SELECT 1 FROM other WHERE {' AND '.join(on)})) "
            f"SELECT jw_fact FROM mine LEFT JOIN good ON good.jw_code = mine.jw_code AND "
            f"good.jw_day IS NOT DISTINCT FROM mine.jw_day::DATE "
            f"WHERE mine.jw_code <> '' AND good.jw_code IS NULL",
        )
        self.engine.unregister("other")

    def _ends_are_first_days(self, since: str, until: str) -> bool:
        """Say whether the table calls the first day without a code its end, rather than the last day with it.

        That is so where what follows begins on the day of the end more often than on the day after.
        """
        begins, end = f"(SELECT {moment(since)}::DATE FROM other)", f"{moment(until)}::DATE"
        (counted,) = self.engine.execute(
            f"SELECT count(*) FILTER (WHERE {end} IN {begins}), "
            f"count(*) FILTER (WHERE {end} + 1 IN {begins}) FROM other"
        ).fetchall()
        return bool(counted[0] > counted[1])

    def _other(self, dataset: str, columns: list[str]) -> pa.Table:
        table = self.around.columns(dataset, columns)
        if table is None:
            raise ContractError(
                self.contract.dataset,
                Text(
                    f"所引用的“{dataset}”没有这些列或尚未发布",
                    f"'{dataset}' has no such columns or is not published",
                ),
            )
        return table

    # rules on places

    def _place(self, role: str) -> Place:
        for place in self.content.places:
            if place.role == role:
                return place
        raise ContractError(self.contract.dataset, Text(f"没有位置“{role}”", f"there is no place '{role}'"))

    def _cells(self, place: Place) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Return the facts that have a place, and their codes."""
        cell = name_of(place.cell)
        table = self._table(f"SELECT jw_fact, {cell} AS cell FROM facts WHERE {cell} IS NOT NULL")
        return table["jw_fact"].to_numpy(), np.asarray(grid.from_stored(table["cell"].to_numpy()), np.uint64)

    def _cells_to_look_at(self, place: Place, area: Any) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Return facts and codes as `_cells` does, without row groups that lie inside an area as a whole."""
        files = self.content.facts
        if place != self.content.places[0] or len(files) != len(self.paths):
            return self._cells(place)
        parts = [pa.table({"jw_fact": pa.array([], pa.int64()), place.cell: pa.array([], pa.int64())})]
        for path, file in zip(self.paths, files, strict=True):
            known = [
                n for n, group in enumerate(file.groups) if group.low is not None and group.high is not None
            ]
            ends = np.array([(file.groups[n].low, file.groups[n].high) for n in known], np.int64).reshape(
                -1, 2
            )
            low, high = (np.asarray(grid.from_stored(end.copy()), np.uint64) for end in ends.T)
            inside = {known[n] for n in np.flatnonzero(ranges_inside(area, low, high)).tolist()}
            doubtful = [n for n in range(len(file.groups)) if n not in inside]
            with pq.ParquetFile(path) as opened:
                for begin in range(0, len(doubtful), READ_GROUPS):
                    some = doubtful[begin : begin + READ_GROUPS]
                    rows = opened.read_row_groups(some, ["jw_fact", place.cell], use_threads=False)
                    parts.append(rows.drop_null())
        table = pa.concat_tables(parts)
        return table["jw_fact"].to_numpy(), np.asarray(
            grid.from_stored(table[place.cell].to_numpy()), np.uint64
        )

    def _points(self, place: Place) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the facts that have a place, and where (WGS84 degrees)."""
        facts, codes = self._cells(place)
        lon, lat = grid.centre(codes, 32) if len(codes) else (np.empty(0), np.empty(0))
        return facts, np.asarray(lon), np.asarray(lat)

    def _inside(self, rule: Inside, test: Callable[..., RowTest]) -> None:
        place = self._place(rule.role)
        area = self.around.area(rule.dataset) if rule.dataset else self.around.boundary
        if area is None:
            raise ContractError(self.contract.dataset, Text("没有这个范围", "there is no such area"))
        facts, codes = self._cells_to_look_at(place, area)
        beyond = ~middles_inside(area, codes)
        beyond[beyond] = ~cells_touch(area, codes[beyond])
        outside = facts[beyond]
        self.engine.register("outside", pa.table({"jw_fact": outside}))
        text = Text("位置不在范围内。", "Its place is not inside the area.")
        self._asked(test(place.columns or [], "accurate", text), "SELECT jw_fact FROM outside")
        self.engine.unregister("outside")

    def _one_place(self, rule: OnePlace, test: Callable[..., RowTest]) -> None:
        check_there(self.contract, [*rule.columns, *([rule.of] if rule.of else [])], self.own)
        if rule.columns:
            listed = ", ".join(name_of(name) for name in rule.columns)
            where = " AND ".join(f"{text_of(name)} <> ''" for name in rule.columns)
            columns = rule.columns
        else:
            place = (
                self._place("") if any(p.role == "" for p in self.content.places) else self.content.places[0]
            )
            listed = name_of(place.cell)
            where = f"{listed} IS NOT NULL AND {name_of(place.level)} = 32"
            columns = place.columns or []
        counted = f"count(DISTINCT {name_of(rule.of)})" if rule.of else "count(*)"
        text = Text(
            f"同一处超过 {rule.most} 个，可能是默认位置。",
            f"More than {rule.most} lie at exactly one place, which may be a default.",
        )
        self._asked(
            test(columns, "accurate", text),
            f"SELECT unnest(list(jw_fact)) AS jw_fact FROM facts WHERE {where} "
            f"GROUP BY {listed} HAVING {counted} > {rule.most}",
        )

    def _alike(self, rule: Alike, test: Callable[..., RowTest]) -> None:
        check_there(self.contract, [*rule.columns, *([rule.at] if rule.at else [])], self.own)
        text = Text("与附近的另一行几乎相同。", "It is almost equal to another row near it.")
        words = [f"coalesce(CAST({name_of(name)} AS VARCHAR), '')" for name in rule.columns]
        named = ", ".join(f"{word} AS w{n}" for n, word in enumerate(words))
        at = f", {moment(rule.at)} AS at" if rule.at else ""
        # A row that repeats another one wholly is what `repeated` looks for.
        whole = f"hash({', '.join(name_of(name) for name in self.own.names)}) AS whole"
        named = f"WITH named AS MATERIALIZED (SELECT jw_fact, {named}{at}, {whole} FROM facts) "
        table = self._neighbours(rule) if self.content.places else self._of_one_beginning(rule)
        self.engine.register("pairs", table)
        shown = ", ".join(f"x.w{n} AS x{n}, y.w{n} AS y{n}" for n in range(len(words)))
        soon = f" AND abs(epoch(x.at - y.at)) <= {60 * rule.minutes}" if rule.at else ""
        near = self._table(
            f"{named} SELECT pairs.a, pairs.b, {shown} FROM pairs "
            f"JOIN named x ON x.jw_fact = pairs.a JOIN named y ON y.jw_fact = pairs.b "
            f"WHERE x.whole <> y.whole{soon}"
        ).combine_chunks()
        self.engine.unregister("pairs")
        alike = np.ones(near.num_rows, bool)
        for n in range(len(words)):
            alike &= same_words(near[f"x{n}"], near[f"y{n}"], rule.likeness, holds=rule.holds)
        self.engine.register("pairs", near.select(["a", "b"]).filter(pa.array(alike)))
        self._asked(
            test(rule.columns, "consistent", text),
            "SELECT CASE WHEN (x.jw_source, x.jw_row) > (y.jw_source, y.jw_row) THEN x.jw_fact "
            "ELSE y.jw_fact END AS jw_fact FROM pairs "
            "JOIN facts x ON x.jw_fact = pairs.a JOIN facts y ON y.jw_fact = pairs.b",
        )
        self.engine.unregister("pairs")

    def _neighbours(self, rule: Alike) -> pa.Table:
        """Return pairs of facts whose places are near each other."""
        facts, lon, lat = self._points(self.content.places[0])
        pairs = _near_pairs(lon, lat, rule.metres)
        return pa.table({"a": facts[pairs[:, 0]], "b": facts[pairs[:, 1]]})

    def _of_one_beginning(self, rule: Alike) -> pa.Table:
        """Return pairs of facts without a place whose words begin alike, the words as they are compared."""
        first = self._table(f"SELECT jw_fact, coalesce({text_of(rule.columns[0])}, '') AS words FROM facts")
        plain = pa.table({"fact": first["jw_fact"], "words": plain_words(first["words"].combine_chunks())})
        self.engine.register("plain", plain)
        pairs = self._table(
            "SELECT x.fact AS a, y.fact AS b FROM plain x JOIN plain y "
            "ON substr(x.words, 1, 3) = substr(y.words, 1, 3) AND x.fact < y.fact "
            f"AND abs(length(x.words) - length(y.words)) <= 2 WHERE length(x.words) > 2 LIMIT {MOST_PAIRS}"
        )
        self.engine.unregister("plain")
        return pairs

    # rules on time and on the version before

    def _fresh(self, rule: Fresh, test: Callable[..., RowTest]) -> None:
        if self.content.period is None:
            return
        newest = self.content.period[1] / 1e6
        if newest > self.around.at.timestamp():  # one date that is far ahead makes nothing fresh
            known = self.engine.execute(
                "SELECT epoch(max(jw_time)) FROM facts WHERE jw_time <= ?", [self.around.at]
            ).fetchall()[0][0]
            newest = newest if known is None else known
        age = (self.around.at.timestamp() - newest) / 86_400
        if age > rule.days:
            text = Text(
                f"最新一条已有 {age:.0f} 天，约定不超过 {rule.days:g} 天。",
                f"The newest fact is {age:.0f} days old; at most {rule.days:g} were agreed.",
            )
            made = test([], "timely", text)
            self._whole(made.id, "fresh", [], "timely", rule.severity, made.text)

    def _changed(self, rule: Change, test: Callable[..., RowTest]) -> None:
        identifier = test([], "consistent", Text("")).id
        before = self.around.previous
        if before is None or not before.counts.read:
            return
        old, new = before.counts.read, self.content.counts.read
        if abs(new - old) > rule.share * old:
            text = Text(
                f"行数由 {old} 变为 {new}，变化超过 {rule.share:.0%}。",
                f"The rows went from {old} to {new}, by more than {rule.share:.0%}.",
            )
            self._whole(f"{identifier}:rows", "change", [], "consistent", rule.severity, text)
        earlier = {column.name: column for column in before.columns}
        for column in self.content.columns:
            known = earlier.get(column.name)
            if known is None or not before.counts.published or not self.content.counts.published:
                continue
            was, now = known.nulls / before.counts.published, column.nulls / self.content.counts.published
            if abs(now - was) > rule.share:
                text = Text(
                    f"“{column.name}”的空值由 {was:.0%} 变为 {now:.0%}。",
                    f"Empty values of '{column.name}' went from {was:.0%} to {now:.0%}.",
                )
                self._whole(
                    f"{identifier}:{column.name}", "change", [column.name], "consistent", rule.severity, text
                )

    # what came of it

    def quarantined(self) -> None:
        """Add the rows that could not be published, by rule; they stand in the quarantine."""
        for rule, rows in sorted(self.content.rules.items()):
            dimension = (
                "timely"
                if "time" in rule
                else "accurate"
                if "place" in rule or "coord" in rule
                else "normative"
            )
            text = Text(f"无法发布的行：{rule}", f"Rows that could not be published: {rule}")
            self.results.append(
                RuleResult(
                    f"quarantine:{rule}", rule, [], dimension, "error", text.as_json(), rows, failed=True
                )
            )

    def report(self) -> Report:
        """Return the counts and the score."""
        counts = self.content.counts
        errors = [n for n, one in enumerate(self.results) if one.severity == "error" and one.rows is not None]

        def faulty(numbers: list[int]) -> int:
            listed = ", ".join(map(str, numbers)) or "-1"
            question = f"SELECT count(DISTINCT fact) FROM found WHERE rule IN ({listed})"
            return int(self.engine.execute(question).fetchall()[0][0])

        total = max(1, counts.read)
        bad = faulty(errors) + counts.quarantined
        dimensions = {}
        for name in DIMENSIONS:
            mine = [n for n in errors if self.results[n].dimension == name]
            if mine:
                held = sum(
                    self.results[n].rows or 0 for n in mine if self.results[n].id.startswith("quarantine:")
                )
                dimensions[name] = _hundredths(total, faulty(mine) + held)
        return Report(_hundredths(total, bad), counts.read, bad, dimensions, self._with_examples())

    def _with_examples(self) -> list[RuleResult]:
        self._fetch()
        rows = self.engine.execute(
            "SELECT rule, list(jw_row ORDER BY jw_source, jw_row)[:10] FROM wanted "
            f"JOIN fetched ON fact = jw_fact WHERE nth <= {EXAMPLES} GROUP BY rule"
        ).fetchall()
        examples = dict(rows)
        return [
            RuleResult(**{**asdict(one), "examples": examples.get(number, [])})
            for number, one in enumerate(self.results)
        ]

    def _shown(self, one: RuleResult) -> list[str]:
        """Return the columns whose values are shown with the rows that break a rule."""
        names = [name for name in one.columns if name in self.own.names]
        return [name for name in names if not pa.types.is_binary(self.own.field(name).type)]

    def _fetch(self) -> None:
        """Fetch the first rows that break each rule, for all rules in one scan."""
        self.engine.execute(
            "CREATE TEMP TABLE wanted AS FROM (SELECT rule, fact, "
            f"row_number() OVER (PARTITION BY rule ORDER BY fact) AS nth FROM found) WHERE nth <= {KEPT}"
        )
        place = self.content.places[0] if self.content.places else None
        cell, level = (name_of(place.cell), name_of(place.level)) if place else ("NULL", "NULL")
        names = dict.fromkeys(name for one in self.results if one.rows for name in self._shown(one))
        values = "".join(f", left(CAST({name_of(n)} AS VARCHAR), 200) AS {name_of(n)}" for n in names)
        self.engine.execute(
            f"CREATE TEMP TABLE fetched AS SELECT jw_fact, jw_source, jw_row, {cell} AS jw_found_cell, "
            f"{level} AS jw_found_level{values} FROM facts WHERE jw_fact IN (SELECT fact FROM wanted)"
        )

    def findings(self) -> pa.Table:
        """Return the rows that break rules, in order of rule, file and row; after `report`."""
        parts = []
        for number, one in enumerate(self.results):
            if not one.rows or one.id.startswith("quarantine:"):
                continue
            value = " || ' | ' || ".join(f"coalesce({name_of(n)}, '')" for n in self._shown(one)) or "''"
            parts.append(
                f"(SELECT {literal(one.id)} AS rule, jw_fact AS fact, CAST(jw_source AS INTEGER) AS file, "
                f"jw_row AS row, {value} AS value, CAST(jw_found_cell AS BIGINT) AS cell, "
                f"CAST(jw_found_level AS TINYINT) AS level FROM fetched "
                f"WHERE jw_fact IN (SELECT fact FROM wanted WHERE rule = {number}))"
            )
        if not parts:
            return FINDINGS.empty_table()
        table = self._table(f"FROM ({' UNION ALL '.join(parts)}) ORDER BY rule, file, row")
        return table.cast(FINDINGS)

    def _table(self, question: str) -> pa.Table:
        return self.engine.sql(question).to_arrow_table()


def _hundredths(total: int, bad: int) -> float:
    return round(100.0 * max(0, total - bad) / total, 2)


def _later_of_equal(value: str, where: str) -> str:
    """Return the question for all rows but the first of each group of equal ones."""
    # What is repeated is found by its hash alone, which is all that must be held of each row.
    often = f"SELECT hash({value}) AS jw_hash FROM facts WHERE {where} GROUP BY 1 HAVING count(*) > 1"
    return (
        f"SELECT unnest(list(jw_fact ORDER BY jw_source, jw_row)[2:]) AS jw_fact FROM facts "
        f"WHERE {where} AND hash({value}) IN ({often}) GROUP BY {value} HAVING count(*) > 1"
    )


def _near_pairs(lon: NDArray[np.float64], lat: NDArray[np.float64], metres: float) -> NDArray[np.int64]:
    """Return pairs of points within a distance; the reach is halved until there are not too many."""
    if len(lon) < 2:
        return np.empty((0, 2), np.int64)
    middle = np.cos(np.radians(float(np.median(lat))))
    flat = np.stack([lon * EARTH_METRES * middle, lat * EARTH_METRES], axis=1)
    from scipy.spatial import cKDTree  # takes most of a second to import

    tree = cKDTree(flat)
    reach = metres
    while reach > 0.5 and (tree.count_neighbors(tree, reach) - len(lon)) / 2 > MOST_PAIRS:
        reach /= 2
    return np.asarray(tree.query_pairs(reach, output_type="ndarray"), np.int64)
