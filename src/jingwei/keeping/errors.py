"""What can go wrong with copies of a city."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jingwei.errors import BadRequestError, ConflictError, JingweiError, NotFoundError
from jingwei.words import Text

if TYPE_CHECKING:
    from pathlib import Path


class TargetNotEmptyError(ConflictError):
    """The folder that is to be written holds something already."""

    code = "target-not-empty"

    def __init__(self, path: Path) -> None:
        super().__init__(
            Text(f"文件夹 {path} 不是空的", f"The folder {path} is not empty."),
            mend=Text("请给出新的文件夹；不会覆盖任何内容。", "Name a new one; nothing is written over."),
            where={"path": str(path)},
        )


class TargetInsideError(BadRequestError):
    """A copy is not kept within what it is a copy of."""

    code = "target-inside"

    def __init__(self, path: Path, home: Path) -> None:
        super().__init__(
            Text(f"{path} 在城市自己的文件夹 {home} 之内", f"{path} lies in the city's own folder {home}."),
            mend=Text("请写到别处，最好是另一块磁盘。", "Write elsewhere, best on another disk."),
            where={"path": str(path)},
        )


class NoCopyError(NotFoundError):
    """There is no finished backup or export in a folder."""

    code = "no-copy"

    def __init__(self, path: Path, *, unfinished: bool) -> None:
        why = (
            Text("其写入没有完成", "it was not finished")
            if unfinished
            else Text("没有清单文件", "it has no list of contents")
        )
        super().__init__(
            Text(f"{path} 不是完整的备份或导出：{why.zh}", f"{path} is no whole copy of a city: {why.en}."),
            where={"path": str(path)},
        )


class DamagedCopyError(JingweiError):
    """A copy is not what it was when it was made."""

    code = "copy-damaged"
    status = 422

    def __init__(self, faults: list[Text]) -> None:
        more = len(faults) - 5
        rest = Text(f"；另有 {more} 处", f"; and {more} more") if more > 0 else Text("", "")
        zh, en = ("；".join(one.zh for one in faults[:5]), "; ".join(str(one.en) for one in faults[:5]))
        super().__init__(
            Text(f"副本已损坏：{zh}{rest.zh}", f"The copy is damaged: {en}{rest.en}"),
            mend=Text("请用另一份副本。", "Use another copy."),
            where={"faults": [one.as_json() for one in faults[:100]]},
        )


class KeysWantedError(BadRequestError):
    """It has to be said what becomes of the keys."""

    code = "keys-undecided"

    def __init__(self, path: Path) -> None:
        super().__init__(
            Text(
                f"备份 {path} 的密钥另存于别处，恢复时须说明",
                f"The keys of the backup {path} are kept apart; it has to be said where.",
            ),
            mend=Text(
                "给出 --keys 文件夹；若已遗失，用 --without-keys：补回密钥之前日志不能续签，第二因子须重设。",
                "Name their folder by --keys. If they are lost, say --without-keys: the log then does not "
                "seal until its key is put into keys/, and second factors are set up anew.",
            ),
            where={"path": str(path)},
        )
