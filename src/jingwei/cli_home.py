"""Where cities live on this machine, and opening one by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import platformdirs

from jingwei.cli_guard import say

if TYPE_CHECKING:
    from jingwei.city import City

city_option = click.option(
    "--city",
    "city_id",
    metavar="ID",
    help=say("城市（默认为最近打开的）", "which city (the last opened by default)"),
)


RECORDS = "JINGWEI_RECORDS"

records_option = click.option(
    "--records",
    "records_url",
    envvar=RECORDS,
    help=say("记录库的 SQLAlchemy 地址（若不在城市文件夹内）",
             "the record store, as a SQLAlchemy URL, if it is not in the city's own folder"),
)  # fmt: skip
home_option = click.option(
    "--home", type=click.Path(path_type=Path), help=say("城市自己的文件夹", "the city's own folder")
)


def root() -> Path:
    """Return the folder under which cities live: `JINGWEI_HOME`, or the user's data folder."""
    return Path(os.environ.get("JINGWEI_HOME") or platformdirs.user_data_path("jingwei"))


def home_of(name: str | None) -> Path:
    """Return the folder of the named city, or of the one opened last."""
    current = root() / "current"
    if name is None and current.is_file():
        name = current.read_text("utf-8").strip()
    return root() / (name or "city")


def open_named(name: str | None, home: Path | None = None, records_url: str | None = None) -> City:
    """Open the named city, or the one opened last; or that of a folder, with its records elsewhere.

    Raises
    ------
    NoCityError
        If there is none.
    OtherCityError
        If a folder is given and a name, and the folder holds a city of another name.

    """
    from jingwei.city import open_city
    from jingwei.city.errors import OtherCityError

    city = open_city(home or home_of(name), records_url=records_url or records_elsewhere())
    if home is not None and name not in (None, city.about.id):
        found = city.about.id
        city.close()
        raise OtherCityError(str(home), found, str(name))
    return city


def records_elsewhere() -> str | None:
    """Return where the records are if not in the city's own folder: what `JINGWEI_RECORDS` says."""
    return os.environ.get(RECORDS) or None
