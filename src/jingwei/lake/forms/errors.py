"""What can be wrong with a whole file, said to the person who handed it over."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from jingwei.errors import JingweiError
from jingwei.words import Text


class FormError(JingweiError):
    """A file that cannot be read; it is told by its name, for where it lies is nobody's business but ours."""

    code = "form"
    status = 422

    def __init__(self, path: Path, what: Text, *, mend: Text | None = None, **where: object) -> None:
        super().__init__(
            _without_folder(what, path),
            mend=_without_folder(mend, path) if mend else None,
            where={"file": path.name, **where},
        )


def _without_folder(text: Text, path: Path) -> Text:
    """Return a text in which a file goes by its name alone."""
    told = [
        one.replace(str(path.resolve()), path.name).replace(str(path), path.name)
        for one in (text.zh, text.en)
    ]
    return Text(*told)


class MissingFileError(FormError):
    """No file lies at the path."""

    code = "form-missing-file"
    status = 404

    def __init__(self, path: Path) -> None:
        near = near_misses(path.name, names_in(path.parent))
        folder_is_missing = not path.parent.is_dir()
        if folder_is_missing:
            mend = Text(
                f"文件夹 {path.parent.name} 也不存在，请检查路径。",
                f"The folder {path.parent.name} does not exist either; check the path.",
            )
        elif near:
            mend = Text(f"同一文件夹里有：{'、'.join(near)}。", f"The same folder has: {', '.join(near)}.")
        else:
            mend = Text("请检查路径和文件名。", "Check the path and the file name.")
        super().__init__(path, Text(f"找不到文件 {path}。", f"There is no file {path}."), mend=mend)


class DirectoryGivenError(FormError):
    """A folder stands where a file should be."""

    code = "form-directory"

    def __init__(self, path: Path) -> None:
        inside = "、".join(names_in(path)[:5])
        super().__init__(
            path,
            Text(f"{path} 是文件夹，不是文件。", f"{path} is a folder, not a file."),
            mend=Text(f"请指明其中的文件（{inside}）。", f"Name a file in it ({inside}).")
            if inside
            else None,
        )


class EmptyFileError(FormError):
    """The file holds nothing."""

    code = "form-empty-file"

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            Text(f"文件 {path} 是空的。", f"The file {path} is empty."),
            mend=Text("请向来源部门重新索取。", "Ask the department it came from for it again."),
        )


class UnreadableFileError(FormError):
    """The system refuses to open or read the file."""

    code = "form-unreadable"

    def __init__(self, path: Path, cause: OSError) -> None:
        said = cause.strerror or str(cause)
        super().__init__(
            path,
            Text(f"无法读取文件 {path}：{said}。", f"The file {path} cannot be read: {said}."),
            mend=Text("请检查文件权限和磁盘。", "Check the file's permissions and the disk."),
        )


class ChangedFileError(FormError):
    """The file was written to while it was being read."""

    code = "form-changed"
    status = 409

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            Text(
                f"文件 {path} 在读取过程中被改动。", f"The file {path} was changed while it was being read."
            ),
            mend=Text("请等写入完成后再载入。", "Load it again when whoever writes it has finished."),
        )


class UnknownFormError(FormError):
    """The file is of no form that is read."""

    code = "form-unknown"

    def __init__(self, path: Path, known: Iterable[str]) -> None:
        listed = " ".join(known)
        super().__init__(
            path,
            Text(f"不认识文件 {path} 的格式。", f"The form of the file {path} is not known."),
            mend=Text(f"可读取的格式：{listed}。", f"Forms that are read: {listed}."),
        )


class UnknownLayerError(FormError):
    """The file has no such sheet or layer."""

    code = "form-unknown-layer"
    status = 404

    def __init__(self, path: Path, layer: str, known: list[str]) -> None:
        known = [name for name in known if name]
        near = near_misses(layer, known) or known or ["—"]
        super().__init__(
            path,
            Text(
                f"文件 {path} 没有名为“{layer}”的工作表或图层。",
                f"The file {path} has no sheet or layer “{layer}”.",
            ),
            mend=Text(f"现有：{'、'.join(near)}。", f"There are: {', '.join(near)}."),
            layer=layer,
        )


class LayerNeededError(FormError):
    """The file has several sheets or layers and none was named."""

    code = "form-layer-needed"

    def __init__(self, path: Path, known: list[str]) -> None:
        super().__init__(
            path,
            Text(f"文件 {path} 有多个工作表或图层。", f"The file {path} has several sheets or layers."),
            mend=Text(f"请指明一个：{'、'.join(known)}。", f"Name one: {', '.join(known)}."),
        )


class MisnamedFileError(FormError):
    """The bytes are of another form than the name says."""

    code = "form-misnamed"

    def __init__(self, path: Path, really: str) -> None:
        super().__init__(
            path,
            Text(
                f"文件 {path} 的内容是 {really}，与后缀不符。", f"The file {path} is {really} by its content."
            ),
            mend=Text(
                "请用 Excel 或 WPS 打开，另存为 .xlsx 后再载入。",
                "Open it in Excel or WPS, save it as .xlsx, and load that.",
            )
            if really in ("HTML", "XML")
            else Text("请改正后缀后再载入。", "Give it the right suffix and load it again."),
        )


class GeometryEncodingError(FormError):
    """A GeoParquet file whose geometries are not written as WKB."""

    code = "form-geometry-encoding"

    def __init__(self, path: Path, column: str, encoding: str) -> None:
        super().__init__(
            path,
            Text(
                f"文件 {path} 的几何列“{column}”以 {encoding} 编码，只能读取 WKB。",
                f"The geometry column “{column}” of {path} is encoded as {encoding}; only WKB is read.",
            ),
            mend=Text("请以 WKB 编码重新导出。", "Export it again with WKB encoding."),
            column=column,
        )


class MissingPartError(FormError):
    """A shapefile came without one of the files it consists of."""

    code = "form-missing-part"

    def __init__(self, path: Path, parts: list[str]) -> None:
        listed = " ".join(parts)
        super().__init__(
            path,
            Text(f"Shapefile {path} 缺少 {listed}。", f"The shapefile {path} lacks its {listed}."),
            mend=Text(
                "请把同名的 .shp .shx .dbf .prj 一并提交，可打包成 .zip。",
                "Hand over .shp, .shx, .dbf and .prj together, best as one .zip.",
            ),
        )


class UnknownColumnError(FormError):
    """The file has no such column."""

    code = "form-unknown-column"

    def __init__(self, path: Path, column: str, known: list[str]) -> None:
        near = near_misses(column, known) or known
        super().__init__(
            path,
            Text(f"文件 {path} 没有“{column}”列。", f"The file {path} has no column “{column}”."),
            mend=Text(f"现有：{'、'.join(near)}。", f"There are: {', '.join(near)}."),
            column=column,
        )


class TooLargeError(FormError):
    """The file is larger than its form can be read in bounded memory."""

    code = "form-too-large"
    status = 413

    def __init__(self, path: Path, size: int, limit: int, better: str) -> None:
        super().__init__(
            path,
            Text(
                f"文件 {path} 有 {size / 2**20:,.0f} MiB，超过此格式的上限 {limit / 2**20:,.0f} MiB。",
                f"The file {path} has {size / 2**20:,.0f} MiB; its form allows {limit / 2**20:,.0f} MiB.",
            ),
            mend=Text(
                f"请转换为 {better} 后再载入，或分成几个文件。",
                f"Convert it to {better}, or split it into several files.",
            ),
        )


class ZipBombError(FormError):
    """A compressed file unpacks to far more than it should."""

    code = "form-zip-bomb"
    status = 413

    def __init__(self, path: Path, packed: int, unpacked: int) -> None:
        super().__init__(
            path,
            Text(
                f"文件 {path} 压缩后 {packed / 2**20:,.1f} MiB，解压后至少 {unpacked / 2**20:,.0f} MiB，"
                "可能是压缩炸弹，未打开。",
                f"The file {path} has {packed / 2**20:,.1f} MiB packed and at least "
                f"{unpacked / 2**20:,.0f} MiB unpacked; it may be a zip bomb and was not opened.",
            ),
            mend=Text(
                "若数据属实，请改用 CSV 或 Parquet 提交。",
                "If the data are real, hand them over as CSV or Parquet.",
            ),
        )


class CorruptFileError(FormError):
    """The file is truncated or damaged."""

    code = "form-corrupt"

    def __init__(self, path: Path, form: str, said: str) -> None:
        super().__init__(
            path,
            Text(
                f"文件 {path} 不是完整的 {form} 文件：{said}",
                f"The file {path} is no whole {form} file: {said}",
            ),
            mend=Text(
                "文件可能传输不完整，请重新索取。", "It may have been cut off in transfer; ask for it again."
            ),
        )


class WrongEncodingError(FormError):
    """The encoding that was asked for does not read the file, or is none."""

    code = "form-wrong-encoding"

    def __init__(self, path: Path, asked: str, fitting: list[str], *, known: bool = True) -> None:
        what = (
            Text(f"文件 {path} 不能按 {asked} 读取。", f"The file {path} cannot be read as {asked}.")
            if known
            else Text(f"没有名为 {asked} 的字符编码。", f"There is no character encoding {asked}.")
        )
        mend = (
            Text(f"可用：{'、'.join(fitting)}。", f"It reads as: {', '.join(fitting)}.")
            if fitting
            else Text("请去掉编码一项，由系统检测。", "Leave the encoding out and have it detected.")
        )
        super().__init__(path, what, mend=mend, encoding=asked)


class NotATableError(FormError):
    """A text file without the shape of a table."""

    code = "form-not-a-table"

    def __init__(self, path: Path, said: Text) -> None:
        super().__init__(
            path, Text(f"文件 {path} 不是表格：{said.zh}", f"The file {path} is no table: {said.en}")
        )


def near_misses(name: str, known: Iterable[str], *, at_most: int = 3) -> list[str]:
    """Return the names of `known` that a person may have meant by `name`, the likeliest first."""
    by_folded = {other.casefold(): other for other in known}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=at_most, cutoff=0.6)
    return [by_folded[folded] for folded in close]


def names_in(folder: Path) -> list[str]:
    """Return the sorted names in a folder; none where it cannot be listed."""
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []
