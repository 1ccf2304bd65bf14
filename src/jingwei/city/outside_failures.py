"""Why a database outside was not read, in words that name no host and no account."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import DBAPIError

from jingwei.errors import BadRequestError
from jingwei.words import Text


class DatabaseFailedError(BadRequestError):
    """The database could not be reached, or did not answer."""

    code = "database-failed"
    status = 502

    def __init__(self, database: str, error: Exception) -> None:
        why, mend = _why(error)
        super().__init__(
            Text(f"读不到数据库“{database}”：{why.zh}。", f"Database '{database}' cannot be read: {why.en}."),
            mend=mend,
            where={"database": database},
        )


_NOT_SAID_WHY = Text(
    "请管理员检查 settings.toml 中的地址、账号及其读取权限。",
    "An administrator checks address, account and its right to read, in settings.toml.",
)
_NOT_REACHED = (
    Text("连接不上", "it is not reached"),
    Text(
        "请管理员检查 settings.toml 中的地址与网络。", "An administrator checks its address in settings.toml."
    ),
)
_SIGN_IN_REFUSED = (
    Text("账号或密码不被接受", "account or password are refused"),
    Text(
        "请管理员检查 settings.toml 中的账号与密码文件。",
        "An administrator checks account and password file in settings.toml.",
    ),
)
_REACHED_OR_REFUSED = (
    Text("连接不上，或账号、密码不被接受", "it is not reached, or account or password are refused"),
    _NOT_SAID_WHY,
)
_NO_RIGHT = (
    Text("账号没有读取权限", "the account may not read it"),
    Text(
        "请对方数据库管理员授予该账号 SELECT 权限。", "Whoever keeps that database grants the account SELECT."
    ),
)
_NO_SUCH = (
    Text("没有这个数据库或文件", "there is no such database or file"),
    Text("请管理员检查 settings.toml 中的数据库名。", "An administrator checks its name in settings.toml."),
)
_NO_FILE = (
    Text("读不到密码文件", "its password_file cannot be read"),
    Text(
        "请管理员检查 settings.toml 中的 password_file。",
        "An administrator checks password_file in settings.toml.",
    ),
)
_ODD_VALUES = (
    Text("其中有无法读取的值，如公元前的日期", "it holds values that cannot be read, as dates before Christ"),
    Text("请读取一个排除或改写这些值的视图。", "Read a view that leaves such values out or rewrites them."),
)  # fmt: skip
_REASONS: dict[Any, tuple[Text, Text]] = {
    # SQLSTATE, PostgreSQL: appendix A
    "28000": _SIGN_IN_REFUSED,
    "28P01": _SIGN_IN_REFUSED,
    "3D000": _NO_SUCH,
    "42501": _NO_RIGHT,
    "22008": _ODD_VALUES,
    # numbers of MariaDB and MySQL
    1044: _NO_RIGHT,
    1045: _SIGN_IN_REFUSED,
    1698: _SIGN_IN_REFUSED,
    1049: _NO_SUCH,
    1142: _NO_RIGHT,
    1143: _NO_RIGHT,
    2003: _NOT_REACHED,
    2013: _NOT_REACHED,
    # names of SQLite
    "SQLITE_CANTOPEN": _NO_SUCH,
}


def _why(error: Exception) -> tuple[Text, Text]:
    """Return why a database was not read and what to do, without a word of what the driver said."""
    if isinstance(error, OSError):
        return _NO_FILE
    said = error.orig if isinstance(error, DBAPIError) else error
    marks = (
        getattr(said, "sqlstate", None),
        *getattr(said, "args", ())[:1],
        getattr(said, "sqlite_errorname", None),
    )
    for mark in marks:
        if isinstance(mark, str | int) and mark in _REASONS:
            return _REASONS[mark]
    kind = type(said).__name__
    if kind == "DataError":
        return _ODD_VALUES
    if kind in ("OperationalError", "ConnectionTimeout") and getattr(said, "sqlstate", None) is None:
        return _before_session(str(said))
    return Text(f"出现 {kind} 错误", kind), _NOT_SAID_WHY


def _before_session(said: str) -> tuple[Text, Text]:
    """Tell what PostgreSQL's library has no code for; a server may say it in a language of its own."""
    if "authentication failed" in said or "no password" in said:
        return _SIGN_IN_REFUSED
    if any(
        one in said
        for one in ("refused", "timeout", "resolve host", "translate host", "No such file", "unreachable")
    ):
        return _NOT_REACHED
    return _REACHED_OR_REFUSED
