"""What can go wrong with the container, in words for the person who meets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from jingwei.errors import BadRequestError, ConflictError, JingweiError, NotFoundError
from jingwei.lake.forms.errors import near_misses
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


def did_you_mean(name: str, known: Iterable[str]) -> Text | None:
    """Return "did you mean ..." for a misspelt `name`, or the known names where nothing is near."""
    names = list(known)
    near = near_misses(name, names)
    if near:
        listed = "、".join(near)
        return Text(f"您是不是要找：{listed}？", f"Did you mean {', '.join(near)}?")
    if names:
        shown = names[:12]
        return Text(f"可选：{'、'.join(shown)}。", f"Known are: {', '.join(shown)}.")
    return None


class UnknownDatasetError(NotFoundError):
    """No dataset of this name that the asker may see."""

    code = "unknown-dataset"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(
            Text(f"没有数据集“{name}”。", f"There is no dataset '{name}'."),
            mend=did_you_mean(name, known),
            where={"dataset": name},
        )


class NotPublishedError(ConflictError):
    """The dataset is known, but no version of it is published."""

    code = "not-published"

    def __init__(self, name: str, state: str) -> None:
        super().__init__(
            Text(f"数据集“{name}”尚未发布。", f"Dataset '{name}' has no published version."),
            mend=Text(
                f"状态为 {state}；运行 jingwei status {name} 查看原因。",
                f"Its state is {state}; `jingwei status {name}` shows why.",
            ),
            where={"dataset": name},
        )


class VersionDroppedError(NotFoundError):
    """There was this version; its rows were removed after the dataset's retention."""

    code = "version-dropped"
    status = 410

    def __init__(self, name: str, number: int, dropped: datetime) -> None:
        day = dropped.date().isoformat()
        super().__init__(
            Text(
                f"“{name}”第 {number} 版已于 {day} 超过保留期删除。",
                f"Version {number} of '{name}' was removed on {day}, after its retention.",
            ),
            mend=Text("请查询较新的版本。", "Ask a newer version."),
            where={"dataset": name, "version": number, "dropped": dropped.isoformat()},
        )


class UnknownColumnError(BadRequestError):
    """A question names a column that the dataset does not have."""

    code = "unknown-column"

    def __init__(self, dataset: str, column: str, known: Iterable[str]) -> None:
        super().__init__(
            Text(f"数据集“{dataset}”没有列“{column}”。", f"Dataset '{dataset}' has no column '{column}'."),
            mend=did_you_mean(column, known),
            where={"dataset": dataset, "column": column},
        )


class HiddenColumnError(JingweiError):
    """A question names a column that the asker is not shown."""

    code: ClassVar[str] = "hidden-column"
    status: ClassVar[int] = 403

    def __init__(self, dataset: str, column: str) -> None:
        super().__init__(
            Text(
                f"没有权限查看“{dataset}”的列“{column}”。",
                f"You may not see the column '{column}' of '{dataset}'.",
            ),
            where={"dataset": dataset, "column": column},
        )


class CountsOnlyError(JingweiError):
    """Who may only count asks for a count that could tell of a few."""

    code: ClassVar[str] = "counts-only"
    status: ClassVar[int] = 403

    def __init__(self, dataset: str) -> None:
        super().__init__(
            Text(
                f"“{dataset}”只提供整体统计，不能按条件或时段统计。",
                f"Of '{dataset}' only whole counts are shown, not by a filter or a period.",
            ),
            mend=Text("请去掉筛选条件和时段。", "Leave out the filter and the period."),
            where={"dataset": dataset},
        )


class BadFilterError(BadRequestError):
    """A filter that is not one of the allowed comparisons."""

    code = "bad-filter"

    def __init__(self, text: str, reason: Text) -> None:
        super().__init__(
            Text(f"筛选条件无法理解：{reason.zh}", f"The filter cannot be understood: {reason.en}"),
            mend=Text(
                "请用列名、比较、AND、OR、NOT、IN、BETWEEN、LIKE，例如：price > 50 AND 街道 = '坪山街道'。",
                "Use column names, comparisons, AND, OR, NOT, IN, BETWEEN and LIKE, "
                "as in: price > 50 AND street = 'A'.",
            ),
            where={"filter": text},
        )


class LineageBehindError(JingweiError):
    """What was made of versions is still being read from the log, as after an upgrade."""

    code = "lineage-behind"
    status = 503

    def __init__(self, read: int, size: int) -> None:
        super().__init__(
            Text(
                f"正在从日志中读取数据的去向：已读 {read:,} / {size:,} 条。",
                f"What was made of versions is being read from the log: {read:,} of {size:,} events so far.",
            ),
            mend=Text("请稍后再问。", "Ask again in a while."),
            where={"read": read, "events": size},
        )


class BadRegionError(BadRequestError):
    """A region that is none, or is too large or too intricate to be asked for."""

    code = "bad-region"


class BusyError(ConflictError):
    """Another program is loading into this city."""

    code = "busy"

    def __init__(self, path: str) -> None:
        super().__init__(
            Text("另一个程序正在向这座城市装载数据。", "Another program is loading data into this city."),
            mend=Text("请等待其完成后重试。", "Wait until it has finished, then try again."),
            where={"lock": path},
        )


class NoSpaceError(JingweiError):
    """The disk is full; what was published before stays as it was."""

    code: ClassVar[str] = "no-space"
    status: ClassVar[int] = 507

    def __init__(self, path: str) -> None:
        super().__init__(
            Text(f"磁盘空间不足：{path}。", f"No space is left on the disk of {path}."),
            mend=Text(
                "释放空间后再次运行同一命令；已发布的数据不受影响。",
                "Free some space and run the same command again; what was published is untouched.",
            ),
            where={"path": path},
        )


class ReadOnlyError(JingweiError):
    """The city's folder cannot be written to."""

    code: ClassVar[str] = "read-only"
    status: ClassVar[int] = 500

    def __init__(self, path: str) -> None:
        super().__init__(
            Text(f"无法写入文件夹 {path}。", f"The folder {path} cannot be written to."),
            mend=Text(
                "请授予写权限，或用 --home 指定另一个文件夹。",
                "Grant the right to write there, or name another folder with --home.",
            ),
            where={"path": path},
        )


class StoppedError(JingweiError):
    """The load was stopped by the person who started it."""

    code: ClassVar[str] = "stopped"

    def __init__(self, dataset: str) -> None:
        super().__init__(
            Text(
                f"“{dataset}”的装载已停止，未留下任何数据。",
                f"Loading '{dataset}' was stopped; nothing of it stays.",
            ),
            where={"dataset": dataset},
        )


class BadTableError(BadRequestError):
    """A table does not have what is asked of it."""

    code = "table-invalid"

    def __init__(self, file: str, what: Text) -> None:
        super().__init__(Text(f"{file}：{what.zh}", f"{file}: {what.en}"), where={"file": file})
