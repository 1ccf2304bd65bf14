"""Errors of the intake and of questions to readings."""

from __future__ import annotations

from jingwei.errors import BadRequestError, JingweiError, NotFoundError
from jingwei.words import Text


class UnknownReadingError(NotFoundError):
    """There is no reading of this number."""

    code = "reading-unknown"

    def __init__(self, reading: int) -> None:
        super().__init__(
            Text(f"没有读数 {reading}", f"There is no reading {reading}."), where={"id": reading}
        )


class IntakeFullError(JingweiError):
    """More comes in than can be made durable; ask again after `retry_after` seconds."""

    code = "intake-full"
    status = 503

    def __init__(self, waiting: int, retry_after: int = 1) -> None:
        super().__init__(
            Text(f"读数接入繁忙：{waiting} 条在等待", f"The intake is full: {waiting} readings wait."),
            mend=Text(f"请在 {retry_after} 秒后重试。", f"Send them again after {retry_after} s."),
            where={"waiting": waiting, "retry_after": retry_after},
        )
        self.retry_after = retry_after


class StoreInUseError(JingweiError):
    """Another process has the readings open."""

    code = "readings-in-use"
    status = 503

    def __init__(self, home: str) -> None:
        super().__init__(
            Text(f"另一个进程正在使用读数库 {home}", f"Another process has the readings in {home} open."),
            mend=Text("请先停止它。", "Stop it first."),
            where={"home": home},
        )


class ImpossibleOrderError(BadRequestError):
    """Readings cannot be sorted by this column."""

    code = "reading-order"

    def __init__(self, column: str, known: list[str]) -> None:
        super().__init__(
            Text(f"不能按 {column} 排序", f"Readings cannot be sorted by {column}."),
            mend=Text(f"可用的列：{'、'.join(known)}", f"Columns: {', '.join(known)}."),
            where={"column": column},
        )
