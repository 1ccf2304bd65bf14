"""Every case as a row, in columns, kept in step with the store: lists, maps and figures ask here.

A board is a copy in memory (DuckDB) that one process keeps. Before it answers it takes over what changed in
the store since it looked last, so that who acts sees what he did. It misses nothing, by the marks of `store`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import bindparam, select

from jingwei.cases import inbox, policy, traces, words
from jingwei.cases.columns import Rows, Sheet, tables_of
from jingwei.cases.errors import BadFieldError
from jingwei.cases.store import CASES, mark_now
from jingwei.words import Text

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.cases.service import Desk
    from jingwei.records import Records

CHUNK = 5_000
MOST = 500
"""Rows of a page at most."""
LISTED = (
    "number", "step", "state", "phase", "ended", "kind", "type", "source", "area", "street",
    "where", "component", "cell", "lon", "lat", "reporter", "collector", "department", "handler",
    "parts", "open_parts", "main", "others", "reported", "latest", "due", "risk_at", "overall_due",
    "handle_on_time", "reworks", "extensions", "orders_open", "asked", "returned_by",
    "published",
)  # fmt: skip
"""What a list tells of each case."""
_LISTED = ", ".join(f'"{name}"' for name in LISTED)

Sort = Literal["-reported", "reported", "due", "-latest", "number"]
SORTS: tuple[Sort, ...] = ("-reported", "reported", "due", "-latest", "number")

EQUAL = (
    "state", "phase", "kind", "type", "major", "source", "street", "community", "area", "department",
    "handler", "reporter", "collector", "acceptor", "dispatcher", "main", "where",
)  # fmt: skip
"""Columns by which cases are chosen, each by one or several values."""
FLAGS = ("ended", "handled", "closed", "registered", "handle_on_time", "self_handled")


@dataclass(frozen=True, slots=True)
class Choice:
    """Which cases: lists, maps and figures share it.

    Attributes
    ----------
    values
        For columns of `EQUAL`, the values wanted.
    flags
        For columns of `FLAGS`, whether.
    since, until
        Reported between these instants (microseconds), the second not included.
    overdue_at
        Overdue at this instant: the clock of the present stage is over.
    risky_at
        At risk at this instant: the last warning before the end has come, the end has not.
    waiting
        Only what waits for the asker: some next step is his.
    asked, ordered
        Only what waits for the answer to a petition; only what waits for the reply to an order.
    box
        West, south, east, north in degrees.
    text
        Part of a number, the beginning of an area's code, or a part of the words.
    types
        With `text`: also these types (kind and code).
    beyond
        Numbers after this one: programs that read all go on from the last number they saw.
    sql
        A condition of ours on the columns, never of a user.
    public
        What the public is told of, instead of what the asker may read.

    """

    values: Mapping[str, Sequence[str]] | None = None
    flags: Mapping[str, bool] | None = None
    since: int | None = None
    until: int | None = None
    overdue_at: int | None = None
    risky_at: int | None = None
    waiting: bool = False
    asked: bool = False
    ordered: bool = False
    box: tuple[float, float, float, float] | None = None
    text: str = ""
    types: Sequence[tuple[str, str]] = ()
    beyond: str = ""
    sql: str = ""
    public: bool = False

    def where(self) -> tuple[str, list[Any]]:
        """Return the condition and its parameters, numbered from $1."""
        clauses: list[str] = []
        given: list[Any] = []

        def add(clause: str, *parameters: Any) -> None:
            for parameter in parameters:
                given.append(parameter)
                clause = clause.replace("?", f"${len(given)}", 1)
            clauses.append(clause)

        for name, wanted in (self.values or {}).items():
            if name not in EQUAL:
                raise BadFieldError(
                    name, Text(f"不能按 {name[:40]} 筛选", f"cases are not chosen by {name[:40]}.")
                )
            if name == "department":
                add(
                    "(department IN (SELECT unnest(?)) OR list_has_any(parts, ?))", list(wanted), list(wanted)
                )
            elif len(wanted) == 1:
                add(f'"{name}" = ?', wanted[0])  # twice as quick as to look it up among some
            else:
                add(f'"{name}" IN (SELECT unnest(?))', list(wanted))
        for name, flag in (self.flags or {}).items():
            if name not in FLAGS:
                raise BadFieldError(
                    name, Text(f"不能按 {name[:40]} 筛选", f"cases are not chosen by {name[:40]}.")
                )
            add(f"{name} IS NOT DISTINCT FROM ?", flag)
        if self.since is not None:
            add("reported >= ?", self.since)
        if self.until is not None:
            add("reported < ?", self.until)
        if self.overdue_at is not None:
            add("due < ?", self.overdue_at)
        if self.box is not None:
            west, south, east, north = self.box
            add("lon BETWEEN ? AND ? AND lat BETWEEN ? AND ?", west, east, south, north)
        if self.beyond:
            add("number > ?", self.beyond)
        if self.risky_at is not None:
            add("risk_at <= ? AND due >= ?", self.risky_at, self.risky_at)
        if self.asked:
            clauses.append("asked IS NOT NULL")
        if self.ordered:
            clauses.append("orders_open > 0")
        if self.text:
            add(*self._found())
        if self.sql:
            clauses.append(f"({self.sql})")
        return " AND ".join(clauses) or "TRUE", given

    def _found(self) -> tuple[Any, ...]:
        """Return the condition for what is searched, and its parameters."""
        clauses: list[str] = []
        given: list[Any] = []
        if self.text.isascii():
            clauses.append("contains(number, ?) OR starts_with(area, ?)")
            given += [self.text, self.text]
        if not self.text.isdigit():
            said = traces.plain(self.text)
            # Each row's trace is looked at first, so that few texts are looked through.
            clauses.append(f"CASE WHEN {traces.condition(said)} THEN contains(said, ?) ELSE FALSE END")
            given.append(said)
        for kind in sorted({kind for kind, _ in self.types}):
            clauses.append("(kind = ? AND type IN (SELECT unnest(?)))")
            given += [kind, [code for one, code in self.types if one == kind]]
        return f"({' OR '.join(clauses)})", *given


@dataclass(frozen=True, slots=True)
class Page:
    """Cases of a list in order, how many there are in all, and the marks at which the pages beside begin."""

    rows: list[dict[str, Any]]
    count: int
    next: str | None = None
    previous: str | None = None


_ALL = select(CASES.c.id, CASES.c.body, words.NEWEST_DESCRIPTION)
_CHANGED = _ALL.where(CASES.c.changed >= bindparam("mark"))


class Order:
    """An order of cases, and what lies beyond one of them; `back` the other way round."""

    def __init__(self, sort: Sort, *, back: bool) -> None:
        self.column, self.back = sort.removeprefix("-"), back
        self.down = sort.startswith("-") != back
        way, nulls = "DESC" if self.down else "ASC", "FIRST" if back else "LAST"
        self.sql = f"{self.column} {way} NULLS {nulls}, id {way}"

    def mark_of(self, row: Mapping[str, Any]) -> str:
        """Return by what a row is found again."""
        value = row[self.column]
        return f"{'' if value is None else value}.{row['id']}"

    def beyond(self, mark: str, given: list[Any]) -> str:
        """Return the condition for what comes after a mark in this order; its parameters join `given`.

        Raises
        ------
        BadFieldError
            Where that is no mark of this order.

        """
        value, dot, id_ = mark.rpartition(".")
        numeric = self.column != "number"
        try:
            edge = _whole(value) if numeric and value else value
            given.append(_whole(id_ if dot else dot))
        except ValueError as error:
            raise BadFieldError(
                "after", Text("不是此列表的翻页标记", "that is no mark of a page of this list.")
            ) from error
        way, last = "<" if self.down else ">", f"id {'<' if self.down else '>'} ${len(given)}"
        if value == "":
            within = f"{self.column} IS NULL AND {last}"
            return f"{self.column} IS NOT NULL OR ({within})" if self.back else within
        given.append(edge)
        here = f"{self.column} {way} ${len(given)} OR ({self.column} = ${len(given)} AND {last})"
        return here if self.back else f"{here} OR {self.column} IS NULL"


def _whole(text: str) -> int:
    """Return a whole number of 64 bits."""
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError(text)
    return number


class Board(Sheet):
    """The cases of a city in columns.

    Parameters
    ----------
    records
        The record store.
    desk
        Whose regime and policies hold.

    """

    def __init__(self, records: Records, desk: Desk) -> None:
        super().__init__()
        self.records, self.desk = records, desk
        self._guard = threading.Lock()
        self._mark = self._begun = self._done = 0
        self._clocks: tuple[int, ...] | None = None

    # keeping in step

    def refresh(self) -> int:
        """Take over what changed in the store; return how many cases that were.

        Who waited while another looked, and looked after he came, need not look again.
        """
        wanted = self._begun + 1
        with self._guard:
            if self._done >= wanted:
                return 0
            self._begun += 1
            count = self._take_over()
            self._done = self._begun
            return count

    def _take_over(self) -> int:
        with self.records.read() as session:
            regime = self.desk.regime(session)
            if self._clocks != regime.clocks:
                self.clear()
                self._mark, self._clocks = 0, regime.clocks
            first = self._mark == 0
            mark = mark_now(session)
            count = 0
            for table in tables_of(self._changed(session), regime):
                self.put(table, replace=not first)
                count += table.num_rows
            self._mark = mark
            return count

    def _changed(self, session: Session) -> Iterator[Rows]:
        """Yield the cases that changed since the board looked: few at once, many from a cursor."""
        connection = session.connection()
        if self._mark:
            few = connection.execute(_CHANGED.limit(CHUNK), {"mark": self._mark}).all()
            if len(few) < CHUNK:
                if few:
                    yield [(id_, body, said) for id_, body, said in few]
                return
        question = _CHANGED if self._mark else _ALL
        found = connection.execute(question, {"mark": self._mark}, execution_options={"yield_per": CHUNK})
        yield from ([(id_, body, said) for id_, body, said in part] for part in found.partitions(CHUNK))

    # asking

    @property
    def stock_days(self) -> int:
        """After how many suspended days a case counts as 积存."""
        with self.records.read() as session:
            return self.desk.regime(session).settings.stock_days

    def allowed(self, asker: Asker, choice: Choice) -> tuple[str, list[Any]]:
        """Return the condition for those cases of a choice that an asker may see."""
        where, given = choice.where()
        action = policy.READ_PUBLIC if choice.public else policy.READ
        rows = self.desk.policies().rows(asker, action, "Case")
        columns = {name: f'"{name}"' for name in policy.FILTERED}
        may, parameters = rows.sql(columns, "duckdb", first=len(given) + 1)
        given += parameters
        if asker.departments and not rows.everything and not choice.public:
            given.append(sorted(asker.departments))
            may = f"({may} OR list_has_any(parts, ${len(given)}))"
        if choice.waiting:
            waits, parameters = inbox.waiting(self.desk.policies(), asker, first=len(given) + 1)
            may = f"({may}) AND ({waits})"
            given += parameters
        return f"({where}) AND ({may})", given

    def page(
        self,
        asker: Asker,
        choice: Choice,
        *,
        sort: Sort = "-reported",
        limit: int = 50,
        after: str = "",
        before: str = "",
        counted: bool = True,
    ) -> Page:
        """Return cases in order, `limit` of them next to a mark: every page costs the same, however far.

        Parameters
        ----------
        asker, choice
            Who asks for which cases.
        sort
            One of `SORTS`; cases that are equal in that are in the order in which they were taken in.
        limit
            How many at most.
        after, before
            The `next` or `previous` of another page of the same choice and order.
        counted
            Whether to say how many there are in all; 0 is said otherwise.

        """
        if sort not in SORTS:
            raise BadFieldError(
                "sort", Text(f"不能按 {sort[:40]} 排序", f"cases are not sorted by {sort[:40]}.")
            )
        self.refresh()
        where, given = self.allowed(asker, choice)
        count = self.rows(f"SELECT count(*) FROM cases WHERE {where}", given)[0][0] if counted else 0
        order = Order(sort, back=bool(before))
        mark = after or before
        if mark:
            where = f"({where}) AND ({order.beyond(mark, given)})"
        limit = min(limit, MOST)
        # Which rows, by few columns; then what is told of them: several times as quick as both at once.
        chosen = f"SELECT rowid FROM cases WHERE {where} ORDER BY {order.sql} LIMIT {limit + 1}"
        found = self.ask(
            f"SELECT id, {_LISTED} FROM cases WHERE rowid IN ({chosen}) ORDER BY {order.sql}", given
        ).to_pylist()
        more, rows = len(found) > limit, found[:limit]
        if before:
            rows.reverse()
        edges = [order.mark_of(row) for row in (rows[0], rows[-1])] if rows else [None, None]
        for row in rows:
            del row["id"]
        return Page(
            rows,
            count,
            next=edges[1] if more or before else None,
            previous=edges[0] if (more if before else after) else None,
        )

    def states(self, asker: Asker, choice: Choice, now: int) -> list[dict[str, Any]]:
        """Return for each state how many of the cases are in it, how many overdue at `now`, and the like."""
        self.refresh()
        where, given = self.allowed(asker, choice)
        given.append(now)
        late = f"due < ${len(given)}"
        counted: list[dict[str, Any]] = self.ask(
            f"SELECT state, count(*) AS count, count(*) FILTER ({late}) AS overdue,"
            f" count(*) FILTER (NOT {late} AND risk_at <= ${len(given)}) AS at_risk,"
            " count(asked) AS asked, count(*) FILTER (orders_open > 0) AS ordered"
            f" FROM cases WHERE {where} GROUP BY 1 ORDER BY 1",
            given,
        ).to_pylist()
        return counted

    def cells(self, asker: Asker, choice: Choice, level: int, *, most: int | None = None) -> pa.Table:
        """Return how many of the cases are in each grid cell of a level; of `most` cells at most."""
        self.refresh()
        where, given = self.allowed(asker, choice)
        shift = 64 - 2 * level
        return self.ask(
            f"SELECT (cell >> {shift}) << {shift} AS cell, count(*) AS count,"
            f" avg(lon) AS lon, avg(lat) AS lat FROM cases WHERE {where} AND cell IS NOT NULL GROUP BY 1"
            + (f" LIMIT {most}" if most else ""),
            given,
        )
