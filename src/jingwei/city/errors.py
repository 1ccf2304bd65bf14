"""What can go wrong with a city pack, in words for the person who meets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jingwei.errors import BadRequestError, ConflictError, JingweiError, NotFoundError
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence


class NoPackError(NotFoundError):
    """There is no manifest where one was expected."""

    code = "no-pack"

    def __init__(self, path: str) -> None:
        super().__init__(
            Text(f"没有找到城市包的清单 {path}。", f"There is no city pack's manifest at {path}."),
            mend=Text(
                "请给出含有 city.toml 的文件夹；示例见 examples/shenzhen。",
                "Name a folder that holds a city.toml; see examples/shenzhen.",
            ),
            where={"path": path},
        )


class BadManifestError(BadRequestError):
    """The manifest is malformed; all of its faults are told at once."""

    code = "bad-manifest"

    def __init__(self, path: str, faults: Sequence[Text]) -> None:
        self.faults = list(faults)
        zh = "\n".join(f"  - {fault.zh}" for fault in faults)
        en = "\n".join(f"  - {fault.en or fault.zh}" for fault in faults)
        super().__init__(
            Text(f"清单 {path} 有误：\n{zh}", f"The manifest {path} has faults:\n{en}"),
            mend=Text(
                "修改清单后重试；各键的说明见 docs/packs.md。",
                "Mend it and try again; docs/packs.md explains every key.",
            ),
            where={"path": path, "faults": [fault.as_json() for fault in faults]},
        )


class BadDirectoryError(BadRequestError):
    """A file of departments or people says what cannot be; nothing of the directory was added."""

    code = "bad-directory"

    def __init__(self, file: str, row: int, why: Text) -> None:
        super().__init__(
            Text(
                f"{file} 第 {row} 行：{why.zh}" if row else f"{file}：{why.zh}",
                f"{file}, row {row}: {why.en}" if row else f"{file}: {why.en}",
            ),
            mend=Text(
                "改正后重新装载；没有加入任何部门或人员。", "Mend it and load again; nobody was added."
            ),
            where={"file": file, "row": row},
        )


class MissingColumnError(BadRequestError):
    """The manifest names a column that the file does not have."""

    code = "missing-column"

    def __init__(self, source: str, column: str, purpose: str, mend: Text | None) -> None:
        super().__init__(
            Text(
                f"数据源“{source}”的文件没有列“{column}”（用于 {purpose}）。",
                f"The file of source '{source}' has no column '{column}' (named as {purpose}).",
            ),
            mend=mend,
            where={"source": source, "column": column, "purpose": purpose},
        )


class HeldError(JingweiError):
    """A source is held back because what it leaves unsaid cannot be decided from the evidence."""

    code = "held"
    status = 409


class NothingLeftError(HeldError):
    """Not one row of a source could be published, or an empty file came where rows were."""

    code = "nothing-left"

    def __init__(self, source: str, read: int, rules: dict[str, int]) -> None:
        broken = ", ".join(f"{rule} {rows}" for rule, rows in sorted(rules.items()))
        what = (
            Text(
                f"“{source}”读到的 {read} 行没有一行可以发布（{broken}）；此前的版本继续有效。",
                f"Not one of the {read} rows of '{source}' can be published ({broken}); "
                "the version before stays in force.",
            )
            if read
            else Text(
                f"“{source}”的文件里没有数据行；此前的版本继续有效。",
                f"The file of '{source}' holds no rows; the version before stays in force.",
            )
        )
        super().__init__(
            what,
            mend=Text(
                "请核对文件是否完整、位置列和时间列是否选对，再重新载入。",
                "Check that the file is whole, and that the columns of place and time are the right ones; "
                "then load it again.",
            ),
            where={"source": source, "read": read, "rules": rules},
        )


class NoCityError(NotFoundError):
    """No city has been opened at this place."""

    code = "no-city"

    def __init__(self, home: str) -> None:
        super().__init__(
            Text(f"{home} 中还没有城市。", f"There is no city in {home}."),
            mend=Text("先运行 jingwei up <城市包>。", "Run `jingwei up PACK` first."),
            where={"home": home},
        )


class TwoRecordsError(ConflictError):
    """A city has its records in its own folder, and a record store elsewhere was named."""

    code = "two-records"

    def __init__(self, home: str) -> None:
        super().__init__(
            Text(
                f"{home} 中的城市已有自己的记录库 records.db，又另外指定了一个。",
                f"The city in {home} has records of its own, records.db, and another record store was named.",
            ),
            mend=Text(
                "不要指定 --records（及 JINGWEI_RECORDS），或者备份后用 restore --records 迁入另一个。",
                "Name no --records (nor JINGWEI_RECORDS), or move the city: backup, then restore --records.",
            ),
            where={"home": home},
        )


class OtherCityError(BadRequestError):
    """A home already holds another city."""

    code = "other-city"

    def __init__(self, home: str, here: str, wanted: str) -> None:
        super().__init__(
            Text(
                f"{home} 中已是城市“{here}”，不是“{wanted}”。",
                f"{home} holds the city '{here}', not '{wanted}'.",
            ),
            mend=Text(
                f"用 --city {here} 打开这座城市，或用 --home 指定另一个文件夹。",
                f"Open this one by --city {here}, or name another folder with --home.",
            ),
            where={"home": home},
        )


class ImplausibleBoundaryError(BadRequestError):
    """The city's boundary cannot be what it is said to be."""

    code = "implausible-boundary"

    def __init__(self, source: str, reason: Text) -> None:
        super().__init__(
            Text(
                f"城市边界（数据源“{source}”）不可信：{reason.zh}",
                f"The city's boundary (source '{source}') is not credible: {reason.en}",
            ),
            mend=Text(
                "请在清单中写明该数据源的 crs，或更换边界文件。",
                "State the crs of that source in the manifest, or replace the boundary's file.",
            ),
            where={"source": source},
        )


class EmptyAreaError(BadRequestError):
    """An area of the manifest selects nothing."""

    code = "empty-area"

    def __init__(self, source: str, where: dict[str, str]) -> None:
        wanted = ", ".join(f"{name} = {value}" for name, value in where.items())
        super().__init__(
            Text(
                f"数据源“{source}”中没有 {wanted} 的对象。", f"Source '{source}' has nothing with {wanted}."
            ),
            mend=Text("检查清单中的 where。", "Check `where` in the manifest."),
            where={"source": source, "where": where},
        )
