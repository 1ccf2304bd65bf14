"""Putting together the files of all datasets that need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jingwei.keeping.forgetting import READINGS
from jingwei.lake.compacting import Compacted, compact, scattered

if TYPE_CHECKING:
    from jingwei.city import City


def compact_all(city: City, *, actor: str, only: str | None = None, least: int = 2) -> list[Compacted]:
    """Compact each dataset whose files are scattered, or one; return what was made.

    Readings are left to what takes them in: their files lie in the order of streams, and it merges them.

    Raises
    ------
    UnknownDatasetError
        If `only` is not published.
    BusyError, NoSpaceError
        If another program writes into the city, or the disk is full.

    """
    wanted = [
        one.id
        for one in city.lake.catalogue()
        if one.version is not None and one.id != READINGS and scattered(one.version.content, least=least)
    ]
    if only is not None:
        wanted = [only]
    made = (
        compact(city.lake, one, zone=city.about.time_zone, actor=actor, least=least)
        for one in wanted
        if one != READINGS
    )
    return [one for one in made if one is not None]
