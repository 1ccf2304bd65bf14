"""Which versions of readings have their share in the roll-ups, for the lineage of these versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jingwei.lake import lineage
from jingwei.sense.readings.flushing import DATASET, Mark
from jingwei.sense.rollups.kept import counted_in
from jingwei.sense.rollups.opening import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jingwei.access import Asker
    from jingwei.lake import Lake, Version

SUBJECT = "sense/rollups"


def used_by(lake: Lake, _: Asker, version: Version) -> Iterator[lineage.Use]:
    """Tell of a version of readings that roll-ups count all of it, maybe since before it was published."""
    if version.dataset != DATASET:
        return
    counted = counted_in(lake.root.parent / FOLDER)
    if counted is not None and counted >= Mark.of(version).reading:
        yield lineage.Use("rolled-up", version.published, SUBJECT, None, None)


lineage.USED_BY.append(used_by)
