"""What can go wrong when a record store is opened, in words for the person who named it."""

from __future__ import annotations

from jingwei.errors import BadRequestError, JingweiError
from jingwei.words import Text

_MEND = Text(
    "例如 postgresql+psycopg://用户@主机/库名；口令放在 ~/.pgpass 中。",
    "For example postgresql+psycopg://user@host/database; a password belongs in ~/.pgpass.",
)


class BadRecordsUrlError(BadRequestError):
    """What was named is no record store: not an address, or of a database that keeps no records."""

    code = "records-address"

    def __init__(self) -> None:  # never says the address: a password may stand in it
        super().__init__(
            Text(
                "记录库的地址不是 SQLite 或 PostgreSQL 的 SQLAlchemy 地址。",
                "The record store's address is not a SQLAlchemy URL of SQLite or PostgreSQL.",
            ),
            mend=_MEND,
        )


class RecordsUnreachableError(JingweiError):
    """The database does not answer, or lets nobody in by this name."""

    code = "records-unreachable"
    status = 503

    def __init__(self, place: str, why: str) -> None:
        super().__init__(
            Text(f"打不开记录库 {place}：{why}", f"The record store {place} cannot be opened: {why}"),
            mend=_MEND,
            where={"records": place},
        )
