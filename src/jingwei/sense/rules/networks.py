"""Networks that rules name, made of datasets of the lake: as an asker may read them, or whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from jingwei.lake import paged
from jingwei.lake.errors import UnknownDatasetError
from jingwei.records.recent import Recent
from jingwei.sense.rules.form import BadRuleError
from jingwei.sense.rules.network import Line, Network
from jingwei.sense.series import micros_of
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jingwei.access import Asker
    from jingwei.lake import Lake, Rows, Version
    from jingwei.lake.views import View
    from jingwei.sense.rules.form import Downstream

KEPT = 8
"""Networks that are kept at most."""
PAGE = 100_000
MOST_LINES = 500_000


class Networks:
    """Makes networks of datasets of the lake, and keeps those that were asked for last.

    Safe to share between threads.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._kept: Recent[tuple[Any, ...], Network] = Recent(KEPT)

    def of(self, asker: Asker, way: Downstream, moment: int | None = None) -> Network | None:
        """Return a network as an asker may read it, None where the dataset or what is needed of it is not.

        Parameters
        ----------
        asker
            Who asks; what may be read of an old version is what may be read of it now.
        way
            The dataset, and its columns.
        moment
            The network as it was known at this moment, UTC microseconds; of the oldest version that is kept
            where none was published by then. As it is now where it is left out.

        """
        try:
            view = self._view(asker, way.dataset, moment)
        except UnknownDatasetError:
            return None
        version, named = view.version, _nodes(way)
        if "read" not in view.rights or version is None or not _has(version, way):
            return None
        if view.permitted is not None and any(view.masks[one] != "clear" for one in named):
            return None
        columns = _columns(version, named)

        def page(after: int | None) -> Rows:
            return self._lake.query(
                asker, way.dataset, version=version.number, columns=columns, after=after, limit=PAGE
            )

        return self._made((view.key, way.dataset, version.number, *named), version, named, page)

    def _view(self, asker: Asker, dataset: str, moment: int | None) -> View:
        view = self._lake.view(asker, dataset)
        if moment is None or view.version is None or micros_of(view.version.published) <= moment:
            return view
        kept = [one for one in self._lake.versions(asker, dataset) if one.dropped is None]
        then = next((one for one in kept if micros_of(one.published) <= moment), kept[-1])
        return self._lake.view(asker, dataset, then.number)

    def title(self, asker: Asker, way: Downstream) -> Text:
        """Return what a network's dataset is called."""
        return self._lake.dataset(asker, way.dataset).title

    def whole(self, way: Downstream) -> Network | None:
        """Return a network as it is, to which the rules hold readings; no asker is answered from it."""
        found = (one for one in self._lake.catalogue() if one.id == way.dataset)
        version = next((one.version for one in found if one.state == "published"), None)
        if version is None or not _has(version, way):
            return None
        named = _nodes(way)
        columns = _columns(version, named)

        def page(after: int | None) -> Rows:
            return self._lake.reader.query(version, columns=columns, after=after, limit=PAGE)

        return self._made((None, way.dataset, version.number, *named), version, named, page)

    def check(self, asker: Asker, way: Downstream) -> None:
        """Raise unless a dataset has the lines and nodes that a rule names.

        Raises
        ------
        UnknownDatasetError, BadRuleError

        """
        version = self._lake.view(asker, way.dataset).version
        if version is None or version.content.geometry is None:
            raise BadRuleError(
                Text(
                    f"数据集 {way.dataset} 没有你可读的线。",
                    f"The dataset {way.dataset} has no lines that you may read.",
                ),
                where={"field": "downstream.dataset"},
            )
        known = [one.name for one in version.content.columns]
        for field, name in (("from", way.upper), ("to", way.lower)):
            if name is not None and name not in known:
                raise BadRuleError(
                    Text(f"数据集没有“{name}”这一列。", f"The dataset has no column {name}."),
                    mend=Text(f"可选：{'、'.join(known)}", f"It has: {', '.join(known)}."),
                    where={"field": f"downstream.{field}"},
                )

    def _made(
        self,
        key: tuple[Any, ...],
        version: Version,
        named: list[str],
        page: Callable[[int | None], Rows],
    ) -> Network:
        return self._kept.of(key, lambda: _network(version, named, _rows(page)))


def _nodes(way: Downstream) -> list[str]:
    return [] if way.upper is None or way.lower is None else [way.upper, way.lower]


def _has(version: Version, way: Downstream) -> bool:
    known = {one.name for one in version.content.columns}
    return version.content.geometry is not None and known.issuperset(_nodes(way))


def _columns(version: Version, named: list[str]) -> list[str]:
    """Return which of the department's columns a network needs."""
    content = version.content
    own = {one.name for one in content.columns}
    wanted = dict.fromkeys([*content.keys, *named, content.geometry or ""])
    return [one for one in wanted if one in own]


def _rows(page: Callable[[int | None], Rows]) -> Iterable[dict[str, Any]]:
    read = 0
    for rows in paged(page):
        yield from rows.table.to_pylist()
        read += rows.table.num_rows
        if read >= MOST_LINES:
            return


def _network(version: Version, named: list[str], rows: Iterable[dict[str, Any]]) -> Network:
    """Return the network of a dataset's rows; those without a line or a node are left out."""
    content = version.content
    geometry = content.geometry or ""
    lines, shapes, ends = [], [], []
    for row in rows:
        shape = None if row[geometry] is None else shapely.from_wkb(row[geometry])
        if isinstance(shape, shapely.MultiLineString):
            shape = shapely.line_merge(shape)
        if not isinstance(shape, shapely.LineString) or shape.is_empty:
            continue
        nodes = tuple(row[one] for one in named)
        if any(one in (None, "") for one in nodes):
            continue
        key = " · ".join(str(row[one]) for one in content.keys if one in row)
        lines.append(Line(key or f"#{row.get('jw_row', row['jw_fact'])}", row.get("jw_object") or ""))
        shapes.append(shapely.force_2d(shape))
        ends.append(nodes)
    drawn = np.empty(len(shapes), object)
    drawn[:] = shapes
    return Network(lines, drawn, [(one[0], one[1]) for one in ends] if named else None)
