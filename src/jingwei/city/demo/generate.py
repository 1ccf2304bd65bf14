"""Generating a city pack: the demo city written as a folder that `jingwei up` opens."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

from jingwei.city.demo.files_cases import write_cases
from jingwei.city.demo.files_desk import write_desk
from jingwei.city.demo.files_people import write_people
from jingwei.city.demo.files_places import write_places
from jingwei.city.demo.files_rules import write_rules
from jingwei.city.demo.files_series import write_series
from jingwei.city.demo.files_trips import write_trips
from jingwei.city.demo.latent import events_between
from jingwei.city.demo.pack import Pack
from jingwei.city.demo.settings import Settings
from jingwei.city.demo.town import Town, build_town
from jingwei.city.demo.truth import FOLDER
from jingwei.errors import ConflictError, JingweiError
from jingwei.lake.errors import NoSpaceError
from jingwei.words import Text

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)

Told = Callable[[str, float], None]

STAGES = {
    "town": Text("建城", "building the city"),
    "places": Text("地物", "what stands"),
    "people": Text("人口与企业", "people and firms"),
    "series": Text("监测数据", "readings"),
    "trips": Text("出行", "trips"),
    "cases": Text("案件", "cases"),
    "truth": Text("真值", "the truth"),
}


class FolderTakenError(ConflictError):
    """The folder of a pack holds something that is not a generated city."""

    code = "folder-taken"

    def __init__(self, folder: Path) -> None:
        super().__init__(
            Text(f"目录 {folder} 已有其他内容。", f"The folder {folder} holds something else."),
            mend=Text("请另选一个空目录。", "Choose an empty folder."),
            where={"folder": str(folder)},
        )


class FolderClosedError(JingweiError):
    """The folder of a pack cannot be written."""

    code = "read-only"
    status = 500

    def __init__(self, folder: Path, cause: OSError) -> None:
        reason = cause.strerror or str(cause)
        super().__init__(
            Text(
                f"无法写入目录 {folder}（{reason}）。",
                f"The folder {folder} cannot be written to ({reason}).",
            ),
            mend=Text(
                "请授予写权限，或另选一个目录。", "Grant the right to write there, or choose another folder."
            ),
            where={"folder": str(folder)},
        )


def generate(settings: Settings, out: Path, told: Told = lambda _stage, _share: None) -> Path:
    """Write the pack of the demo city that the settings decide; return the path of its manifest.

    The pack is written beside `out` and moved there when it is whole, so that nothing half-done is ever left
    under that name. A generated city that is already there is replaced.

    Parameters
    ----------
    settings
        Scale, seed, last day.
    out
        Folder of the pack; made if it is not there.
    told
        Told the stage (a key of `STAGES`) and how much of it is done, 0 to 1.

    Raises
    ------
    FolderTakenError
        When `out` holds anything but a generated city.
    FolderClosedError
        When `out` cannot be written.
    NoSpaceError
        When the disk is full.

    """
    try:
        return _generate(settings, out, told)
    except OSError as error:
        if error.errno in NO_SPACE:
            raise NoSpaceError(str(out)) from error
        raise FolderClosedError(out, error) from error


def _generate(settings: Settings, out: Path, told: Told) -> Path:
    if out.exists() and any(out.iterdir()) and not _is_generated(out):
        raise FolderTakenError(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix=".generating-", dir=out.parent))
    try:
        told("town", 0.0)
        write_pack(build_town(settings), draft, told)
        if out.exists():
            shutil.rmtree(out)
        draft.chmod(0o755)
        draft.replace(out)
    finally:
        if draft.exists():
            shutil.rmtree(draft)
    return out / "city.toml"


def _is_generated(out: Path) -> bool:
    manifest = out / "city.toml"
    return manifest.is_file() and "generated = true" in manifest.read_text("utf-8")


def write_pack(town: Town, folder: Path, told: Told = lambda _stage, _share: None) -> Path:
    """Write the files, the manifest and the truth of a city into a folder; return the manifest's path."""
    pack = Pack(folder, town)
    told("places", 0.0)
    write_places(pack)
    told("people", 0.0)
    write_people(pack)
    write_series(pack, told)
    told("trips", 0.0)
    write_trips(pack)
    told("cases", 0.0)
    events = events_between(town.layout, town.world.first_step, town.world.last_step)
    write_desk(pack, write_cases(pack, events))
    write_rules(pack)
    told("truth", 0.0)
    pack.truth.write(folder / FOLDER, town, events)
    return pack.write_manifest()
