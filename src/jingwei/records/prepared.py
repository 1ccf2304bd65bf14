"""Statements that are asked with every request, compiled once and put to the driver itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Float
from sqlalchemy.sql.elements import ClauseElement

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.orm import Session

Turn = Callable[[Any], Any]


class Prepared:
    """A statement whose making costs more than its answer.

    The engine takes some 0.3 ms to compile, to look up and to wrap what a driver answers in a hundredth of
    that. Values are given by the names of its `bindparam`s, and come back, in Python's own types; errors are
    those of the driver. It runs within the session's transaction.

    Parameters
    ----------
    statement
        The statement, or what returns it for `sqlite` and for `postgresql` where they differ.

    """

    def __init__(self, statement: ClauseElement | Callable[[str], ClauseElement]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, session: Session, **values: Any) -> list[tuple[Any, ...]]:
        """Return what a question, or a change that returns something, answers."""
        return self.of(session.get_bind().dialect).rows(_driver_of(session), values)

    def row(self, session: Session, **values: Any) -> tuple[Any, ...] | None:
        """Return the first row of the answer; None where there is none."""
        found = self.rows(session, **values)
        return found[0] if found else None

    def run(self, session: Session, **values: Any) -> int:
        """Change something; return how many rows were touched."""
        compiled = self.of(session.get_bind().dialect)
        return int(_driver_of(session).execute(compiled.text, compiled.values(values)).rowcount)

    def run_many(self, session: Session, rows: Sequence[dict[str, Any]]) -> None:
        """Change something once for each of some rows of values."""
        compiled = self.of(session.get_bind().dialect)
        cursor = _driver_of(session).cursor()
        cursor.executemany(compiled.text, [compiled.values(one) for one in rows])
        cursor.close()

    def of(self, dialect: Dialect) -> _Compiled:
        """Return the statement as a dialect's driver understands it."""
        known = self._compiled.get(dialect.name)
        if known is None:
            given = self._statement
            statement = given if isinstance(given, ClauseElement) else given(dialect.name)
            known = self._compiled[dialect.name] = _Compiled(statement, dialect)
        return known


class _Compiled:
    """A statement as a driver understands it, with what turns values into the driver's and back."""

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        make: Any = type(dialect)
        compiled: Any = statement.compile(
            dialect=make(paramstyle="qmark" if dialect.name == "sqlite" else "format")
        )
        wanted = {name for name, bind in compiled.binds.items() if bind.required}
        state = compiled.construct_expanded_state(dict.fromkeys(wanted))  # lists of constants written out
        turns: dict[str, Turn | None] = dict(state.processors)
        for name, bind in compiled.binds.items():
            turns.setdefault(name, bind.type.dialect_impl(dialect).bind_processor(dialect))
        self.text = state.statement
        self._values = [
            (name, name in wanted, state.parameters.get(name), turns.get(name))
            for name in state.positiontup or ()
        ]
        columns: Any = getattr(statement, "exported_columns", ())
        back: list[Turn | None] = [
            None  # drivers give floats as they are; to PostgreSQL's the engine tells them by the answer
            if isinstance(one.type, Float)
            else one.type.dialect_impl(dialect).result_processor(dialect, None)
            for one in columns
        ]
        self._turns = back if any(back) else []

    def values(self, given: dict[str, Any]) -> tuple[Any, ...]:
        """Return values by place, as the driver takes them."""
        found = []
        for name, wanted, fixed, turn in self._values:
            value = given[name] if wanted else fixed
            found.append(value if turn is None else turn(value))
        return tuple(found)

    def rows(self, driver: Any, given: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Return the rows of an answer in Python's own types."""
        found = driver.execute(self.text, self.values(given)).fetchall()
        if not self._turns:
            return list(found)
        return [
            tuple(
                value if turn is None else turn(value) for value, turn in zip(row, self._turns, strict=True)
            )
            for row in found
        ]


def _driver_of(session: Session) -> Any:
    return session.connection().connection.driver_connection
