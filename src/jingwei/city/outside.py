"""Databases outside that the city's administrators named: what tables they have, and their rows as Arrow.

Only databases of `settings.toml` are connected to, by read-only transactions. What a driver says of a failure
may name hosts and accounts; it is told to nobody, only its kind is.
"""

from __future__ import annotations

import datetime as dt
import math
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from jingwei.city.outside_failures import DatabaseFailedError
from jingwei.city.settings import DatabaseSettings, read_settings
from jingwei.errors import BadRequestError, NotFoundError
from jingwei.lake.errors import did_you_mean
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WAIT_SECONDS = 10
"""How long a connection is waited for."""
SILENT_SECONDS = 300
"""How long a server may be silent while rows are read."""
AT_ONCE = 20_000
"""Rows fetched at once."""
DIGITS_OF_DOUBLES = 15
DIGITS_OF_INTEGERS = 18
DIGITS_OF_DECIMALS = 38
"""Decimal digits that a double, 64 bits and an Arrow decimal hold without loss, whatever they are."""
SYSTEM_SCHEMAS = ("information_schema", "mysql", "performance_schema", "sys")

Mark = dict[str, str]
"""The value of a cursor column up to which rows were read: `type` and `value`, as JSON."""


class UnknownDatabaseError(NotFoundError):
    """No database of this name is in the settings."""

    code = "unknown-database"

    def __init__(self, name: str) -> None:
        super().__init__(
            Text(f"没有名为“{name}”的数据库。", f"There is no database '{name}'."),
            mend=Text(
                "由管理员写入 settings.toml 的 [[database]]。",
                "An administrator names it in settings.toml under [[database]].",
            ),
            where={"database": name},
        )


class UnknownTableError(NotFoundError):
    """The database has no such table, or the administrators do not let it be read."""

    code = "unknown-table"

    def __init__(self, database: str, table: str, near: Text | None) -> None:
        super().__init__(
            Text(
                f"数据库“{database}”没有可读的表“{table}”。",
                f"Database '{database}' has no table '{table}' that may be read.",
            ),
            mend=near,
            where={"database": database, "table": table},
        )


class TableColumnError(BadRequestError):
    """A column of a table cannot be what it is said to be."""

    code = "table-column"

    def __init__(self, table: str, column: str, what: Text, mend: Text | None = None) -> None:
        super().__init__(what, mend=mend, where={"table": table, "column": column})


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a table outside; by one that `rises` what is new can be known."""

    name: str
    type: pa.DataType
    rises: bool
    key: bool
    as_text: bool


@dataclass(frozen=True, slots=True)
class Outside:
    """A database that may be read."""

    settings: DatabaseSettings

    @property
    def name(self) -> str:
        """What the administrators call it."""
        return self.settings.name

    @property
    def kind(self) -> str:
        """`postgresql`, `mysql`, `mariadb` or `sqlite`."""
        return sa.make_url(self.settings.url).get_backend_name()

    def tables(self) -> list[str]:
        """Return the tables and views that may be read, those outside the default schema with its name."""
        return sorted(self._places())

    def _places(self) -> dict[str, tuple[str | None, str]]:
        """Return the schema (None: the default one) and the name of each table, by what it is called here."""
        found: dict[str, tuple[str | None, str]] = {}
        with self.reading() as connection:
            inspector = sa.inspect(connection)
            own = inspector.default_schema_name
            many = self.kind == "postgresql"
            for schema in inspector.get_schema_names() if many else [own]:
                if schema in SYSTEM_SCHEMAS or (schema or "").startswith("pg_"):
                    continue
                names = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
                if many:
                    names += inspector.get_materialized_view_names(schema)
                for name in names:
                    called = name if schema == own else f"{schema}.{name}"
                    found[called] = (None if schema == own else schema, name)
        allowed = self.settings.tables
        return {
            one: place
            for one, place in found.items()
            if not allowed or any(fnmatchcase(one, rule) for rule in allowed)
        }

    def _place(self, table: str) -> tuple[str | None, str]:
        known = self._places()
        if table not in known:
            raise UnknownTableError(self.name, table, did_you_mean(table, sorted(known)))
        return known[table]

    def columns(self, table: str) -> list[TableColumn]:
        """Return the columns of a table.

        Raises
        ------
        UnknownTableError
            If there is none that may be read.

        """
        schema, name = self._place(table)
        with self.reading() as connection:
            inspector = sa.inspect(connection)
            keys = inspector.get_pk_constraint(name, schema)["constrained_columns"]
            return [
                _column(one["name"], one["type"], sqlite=self.kind == "sqlite", key=one["name"] in keys)
                for one in inspector.get_columns(name, schema)
            ]

    def rows(
        self,
        table: str,
        columns: list[TableColumn],
        cursor: str | None,
        since: Mark | None,
        *,
        again: bool,
        counted: Callable[[int], None] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield rows of a table, in the order of the cursor column where there is one.

        Parameters
        ----------
        table, columns
            The table, and its columns as `columns` says.
        cursor, since, again
            Only rows whose value of this column is beyond the mark, or that have none; also those that equal
            it, if `again`.
        counted
            Told first how many rows the whole table has at that moment; if given, for it takes a scan.

        Raises
        ------
        TableColumnError
            If a column holds what its type does not say.

        """
        schema, name = self._place(table)
        of = sa.table(name, *(sa.column(one.name) for one in columns), schema=schema)
        question = sa.select(*(self._wanted(of.c[one.name], one) for one in columns))
        if cursor is not None:
            by = of.c[cursor]
            question = question.order_by(by)
            if since is not None:
                edge = sa.literal(value_of(since))
                question = question.where(sa.or_(by >= edge if again else by > edge, by.is_(None)))
        schema_of = pa.schema([(one.name, one.type) for one in columns])
        with self.reading(rows=True) as connection:
            if counted is not None:
                counted(connection.scalar(sa.select(sa.func.count()).select_from(of)) or 0)
            answer = connection.execution_options(stream_results=True, max_row_buffer=AT_ONCE).execute(
                question
            )
            for part in answer.partitions(AT_ONCE):
                yield _batch(table, part, columns, schema_of)

    def _wanted(self, column: sa.ColumnClause[Any], one: TableColumn) -> sa.ColumnElement[Any]:
        if self.kind == "postgresql" and pa.types.is_temporal(one.type):
            # No date of Python is `infinity`, which stands for "open": without a value.
            return sa.case((sa.func.isfinite(column), column)).label(one.name)
        if one.as_text and self.kind != "sqlite":
            return sa.cast(column, sa.String if self.kind == "postgresql" else sa.CHAR).label(one.name)
        return column

    @contextmanager
    def reading(self, *, rows: bool = False) -> Iterator[sa.Connection]:
        """Yield a connection within one transaction that can only read; `rows`: for long."""
        try:
            engine = self._engine(SILENT_SECONDS if rows else WAIT_SECONDS)
            try:
                with engine.connect() as connection:
                    for said in _BEGIN.get(self.kind, ()):
                        connection.exec_driver_sql(said)
                    yield connection
                    connection.rollback()
            finally:
                engine.dispose()
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise DatabaseFailedError(self.name, error) from None

    def _engine(self, silent: int) -> sa.Engine:
        url = sa.make_url(self.settings.url)
        if self.settings.password_file is not None:
            url = url.set(password=self.settings.password_file.read_text("utf-8").strip())
        if self.kind == "sqlite":
            return sa.create_engine("sqlite://", creator=lambda: _sqlite(url.database), poolclass=NullPool)
        if self.kind == "postgresql":
            return sa.create_engine(
                url.set(drivername="postgresql+psycopg"),
                poolclass=NullPool,
                isolation_level="REPEATABLE READ",
                connect_args={
                    "connect_timeout": WAIT_SECONDS,
                    "application_name": "jingwei",
                    "keepalives_idle": WAIT_SECONDS,  # a machine that is gone is noticed
                    "keepalives_interval": WAIT_SECONDS,
                    "keepalives_count": 3,
                },
            )
        return sa.create_engine(
            url.set(drivername=f"{self.kind}+pymysql"),
            poolclass=NullPool,
            isolation_level="REPEATABLE READ",
            connect_args={"connect_timeout": WAIT_SECONDS, "read_timeout": silent},
        )


_BEGIN_MYSQL = (
    "SET SESSION time_zone = '+00:00'",  # in which TIMESTAMP is told
    "SET SESSION TRANSACTION READ ONLY",
    "COMMIT",
    "START TRANSACTION READ ONLY",
)
_BEGIN = {
    "postgresql": ("SET TRANSACTION READ ONLY",),
    "mysql": _BEGIN_MYSQL,
    "mariadb": _BEGIN_MYSQL,
}


def databases(home: Path) -> list[Outside]:
    """Return the databases that the settings of a city name."""
    return [Outside(one) for one in read_settings(home).database]


def database(home: Path, name: str) -> Outside:
    """Return one of them.

    Raises
    ------
    UnknownDatabaseError
        If the settings name none such.

    """
    for one in databases(home):
        if one.name == name:
            return one
    raise UnknownDatabaseError(name)


def mark_of(value: Any) -> Mark:
    """Return a value of a cursor column as JSON keeps it."""
    if isinstance(value, dt.datetime | dt.date):
        return {"type": type(value).__name__, "value": value.isoformat()}
    if isinstance(value, Decimal):
        return {"type": "Decimal", "value": str(value)}
    return {"type": "int" if isinstance(value, int) else type(value).__name__, "value": str(value)}


def value_of(mark: Mark) -> Any:
    """Return what `mark_of` made a mark of."""
    kinds: dict[str, Any] = {
        "datetime": dt.datetime.fromisoformat,
        "date": dt.date.fromisoformat,
        "Decimal": Decimal,
        "int": int,
        "float": float,
        "str": str,
    }
    return kinds[mark["type"]](mark["value"])


def _sqlite(path: str | None) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(path or '')}?mode=ro", uri=True, check_same_thread=False, timeout=WAIT_SECONDS
    )


def _column(name: str, type_: Any, *, sqlite: bool, key: bool) -> TableColumn:
    """Say as what a column is read; what has no equal in Arrow is read as text."""
    kind, rises = _arrow(type_)
    if sqlite:
        kind = _of_sqlite(kind)
        rises = not (pa.types.is_binary(kind) or isinstance(type_, sa.types.NullType))
    as_text = not isinstance(type_, sa.String) and pa.types.is_string(kind)
    return TableColumn(name, kind, rises, key, as_text)


def _of_sqlite(kind: pa.DataType) -> pa.DataType:
    """Return as what SQLite itself holds a type."""
    if pa.types.is_temporal(kind):
        return pa.string()
    if pa.types.is_boolean(kind):
        return pa.int64()
    return pa.float64() if pa.types.is_decimal(kind) else kind


def _arrow(type_: Any) -> tuple[pa.DataType, bool]:
    if isinstance(type_, sa.Boolean):
        return pa.bool_(), False
    if isinstance(type_, sa.Integer):
        beyond = isinstance(type_, mysql.BIGINT) and type_.unsigned
        return (pa.decimal128(20, 0) if beyond else pa.int64()), True
    if isinstance(type_, sa.Float):
        return pa.float64(), True
    if isinstance(type_, sa.Numeric):
        return _decimal(type_.precision, type_.scale or 0), True
    if isinstance(type_, mysql.TIMESTAMP):
        return pa.timestamp("us", "UTC"), True
    if isinstance(type_, sa.DateTime):
        return pa.timestamp("us", "UTC" if type_.timezone else None), True
    if isinstance(type_, sa.Date):
        return pa.date32(), True
    if isinstance(type_, sa.LargeBinary):
        return pa.binary(), False
    return pa.string(), isinstance(type_, sa.String)


def _decimal(digits: int | None, scale: int) -> pa.DataType:
    """Return what holds decimals of so many digits; where the database sets no bound, a double."""
    if digits is None or digits > DIGITS_OF_DECIMALS or not 0 <= scale <= digits:
        return pa.float64()
    if scale == 0 and digits <= DIGITS_OF_INTEGERS:
        return pa.int64()
    return pa.float64() if digits <= DIGITS_OF_DOUBLES else pa.decimal128(digits, scale)


def _batch(table: str, rows: Any, columns: list[TableColumn], schema: pa.Schema) -> pa.RecordBatch:
    arrays = []
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        try:
            arrays.append(pa.array(_plain(values, column.type), column.type))
        except _TooManyDigitsError:
            raise TableColumnError(
                table,
                column.name,
                Text(
                    f"表“{table}”的列“{column.name}”中有浮点数存不下的整数。",
                    f"Column '{column.name}' of '{table}' holds whole numbers that no double holds.",
                ),
                Text(
                    "请读取一个把它转换为 NUMERIC(38, 0) 或文本的视图。",
                    "Read a view that casts it to NUMERIC(38, 0) or to text.",
                ),
            ) from None
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            raise TableColumnError(
                table,
                column.name,
                Text(
                    f"表“{table}”的列“{column.name}”中有不是 {column.type} 的值。",
                    f"Column '{column.name}' of '{table}' holds values that are no {column.type}.",
                ),
            ) from None
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


class _TooManyDigitsError(ValueError):
    pass


def _plain(values: tuple[Any, ...], kind: pa.DataType) -> list[Any]:
    if pa.types.is_floating(kind):
        return [None if one is None else _double(one) for one in values]
    if pa.types.is_decimal(kind):
        return [one if one is None or Decimal(one).is_finite() else None for one in values]
    if pa.types.is_integer(kind):
        return [int(one) if isinstance(one, Decimal) else one for one in values]
    if pa.types.is_temporal(kind):
        return [None if isinstance(one, str) and one.startswith(ZERO_DATE) else one for one in values]
    if pa.types.is_string(kind):
        return [one if one is None or isinstance(one, str) else str(one) for one in values]
    return list(values)


ZERO_DATE = "0000-00-00"
"""What MariaDB and MySQL keep where a date is missing and may not be NULL; a driver tells it as text."""


def _double(value: Any) -> float:
    """Return a number as a double: fractions are rounded, a whole number is that very number."""
    number = float(value)
    if abs(number) < 2**53 or isinstance(value, float) or not math.isfinite(number):
        return number
    exact = Decimal(value)
    if exact == exact.to_integral_value() and exact != Decimal(number):
        raise _TooManyDigitsError
    return number
