"""What a source says that it was made of: its manifest, and the stamps of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from jingwei.city.errors import HeldError
from jingwei.errors import NotFoundError
from jingwei.lake.forms.opening import PARQUET_SUFFIXES
from jingwei.lake.stamping import stamp_of, stamps_of
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from jingwei.access import Asker
    from jingwei.city.manifest import SourceSpec
    from jingwei.city.service import City
    from jingwei.lake.schemas import Consulted, Version
    from jingwei.lake.stamping import Stamp


def note_stated(
    city: City, asker: Asker, spec: SourceSpec, paths: Sequence[Path], consulted: Consulted
) -> None:
    """Note the versions that a source says it was made of: those in force of `made_of`, and those stamped.

    Raises
    ------
    UnknownDatasetError
        If `made_of` names a dataset that the asker may not list.
    HeldError
        If one of them is not published.

    """
    for name in spec.made_of:
        version = city.lake.dataset(asker, name).version
        if version is None:
            raise waits_for(spec, name)
        consulted.note(version, "declared")
    for path in paths:
        for stamp in _stamps(path):
            stated = _version(city, asker, stamp)
            if stated is not None:
                consulted.note(stated, "stated")


def waits_for(spec: SourceSpec, target: str) -> HeldError:
    """Return the error of a source that needs another one, which is not published."""
    return HeldError(
        Text(
            f"数据源“{spec.id}”要用到“{target}”，而后者尚未发布。",
            f"Source '{spec.id}' needs '{target}', which is not published.",
        ),
        mend=Text(f"先处理“{target}”的问题。", f"Mend what is wrong with '{target}' first."),
        where={"source": spec.id, "needs": target},
    )


def _stamps(path: Path) -> list[Stamp]:
    if path.suffix.lower() not in PARQUET_SUFFIXES:
        return []
    try:
        return stamps_of(pq.read_schema(path))
    except (pa.ArrowException, OSError):  # who reads the file tells what is wrong with it
        return []


def _version(city: City, asker: Asker, stamp: Stamp) -> Version | None:
    """Return the version that a stamp names, where this city has it and the asker may know of it."""
    try:
        versions = city.lake.versions(asker, stamp.dataset)
    except NotFoundError:
        return None
    return next((one for one in versions if stamp_of(one) == stamp), None)
