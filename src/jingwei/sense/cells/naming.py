"""Writing at the extended root: a stream or a reading that names its cell (26-057, cell-crud).

The cell of a stream follows from where its thing is. A cell that is named is therefore compared with that
place; a thing that has none gets one, known no finer than the cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select

from jingwei import grid
from jingwei.errors import ConflictError, JingweiError
from jingwei.grid.levels import MAX_LEVEL
from jingwei.sense import policy
from jingwei.sense.cells.functions import FINEST, GEOJSON
from jingwei.sense.entities import ENTITIES, OBSERVATION, STREAMS, Entity
from jingwei.sense.errors import BadEntityError, NotYetError
from jingwei.sense.known import level_known, properties_of
from jingwei.sense.models import LocationRow, StreamRow, ThingLocation, ThingRow
from jingwei.sense.writing import Ownership, Writing
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jingwei.sense.readings import Readings
    from jingwei.sense.sight import Sight

NAME = "Cell"
_LOCATIONS: Any = LocationRow.__table__
_PLACES: Any = ThingLocation.__table__
_STREAMS: Any = StreamRow.__table__
_THINGS: Any = ThingRow.__table__


class InlineCellError(JingweiError):
    """A cell is named by its id alone; what it is follows from that."""

    code = "sense-cell-inline"
    status = 403

    def __init__(self, where: str) -> None:
        super().__init__(
            Text(f"{where}：网格只能按标识引用", f"{where}: a cell is named by its id alone."),
            mend=Text('请写 {"@iot.id": "网格编码"}', 'Write {"@iot.id": "code of the cell"}.'),
            where={"field": where[:200]},
        )


class OtherPlaceError(ConflictError):
    """The cell that is named and the place of the thing disagree."""

    code = "sense-cell-place"

    def __init__(self, where: str, what: Text, cell: grid.Cell, mend: Text) -> None:
        super().__init__(
            Text(f"{where}：{what.zh}", f"{where}: {what.en}"),
            mend=mend,
            where={"field": where[:200], "cell": cell.geosot},
        )


class Named(NamedTuple):
    """A cell that was named, and where."""

    cell: grid.Cell
    where: str


def named_in(sent: Any, where: str) -> Named:
    """Return the cell that a reference names.

    Raises
    ------
    BadEntityError, InlineCellError

    """
    if not isinstance(sent, dict):
        raise BadEntityError(where, Text("应为 JSON 对象", "is a JSON object."))
    if set(sent) != {"@iot.id"}:
        raise InlineCellError(where)
    zone = sent["@iot.id"]
    try:
        cell = grid.parse(zone) if isinstance(zone, str) and len(zone) <= 60 else None
    except grid.GridError:
        cell = None
    if cell is None or cell.geosot != zone or cell.level > FINEST:
        raise BadEntityError(
            where,
            Text(
                f"“{str(zone)[:60]}”不是 0 至 {FINEST} 级网格的 GeoSOT 编码",
                f"“{str(zone)[:60]}” is no GeoSOT code of a cell of levels 0 to {FINEST}.",
            ),
            mend=Text("编码形如 G001130230-200011。", "A code reads like G001130230-200011."),
        )
    return Named(cell, where)


class CellWriting(Writing):
    """Changes entities as the plain root does, where `Cell` may be named."""

    def __init__(self, sight: Sight, readings: Readings) -> None:
        super().__init__(sight, readings)
        self._named: list[Named | None] = []

    def create(
        self,
        entity: Entity,
        body: Any,
        given: Mapping[str, list[int]] | None = None,
        ownership: Ownership | None = None,
        inside: str = "",
    ) -> int:
        """Create an entity, see `Writing.create`; of one that names its cell the thing is there.

        Raises
        ------
        OtherPlaceError, InlineCellError, NotYetError

        """
        body, named = _apart(entity, body, inside)
        given = dict(given or {})
        if named is not None and entity is OBSERVATION:
            stream = self._stream_of(body, given, inside)
            _check_single(ENTITIES[STREAMS[bool(stream["multi"])]], named)
            given[STREAMS[0]] = [stream["id"]]
            self._put(stream["thing_id"], named)
        self._named.append(named)
        try:
            return super().create(entity, body, given, ownership, inside)
        finally:
            self._named.pop()

    def change(self, entity: Entity, row: Mapping[str, Any], body: Any, *, whole: bool) -> None:
        """Change an entity, see `Writing.change`; the cell that it names is that of its place.

        Raises
        ------
        OtherPlaceError, InlineCellError, NotYetError

        """
        body, named = _apart(entity, body, "")
        if named is not None:
            stream = self._own_stream(row) if entity is OBSERVATION else row
            if entity is not OBSERVATION:
                self.sight.check(policy.WRITE, entity, row)
            self._put(stream["thing_id"], named)
        if body or whole or named is None:
            super().change(entity, row, body, whole=whole)

    def _many(
        self,
        entity: Entity,
        identifier: int,
        body: Mapping[str, Any],
        given: Mapping[str, list[int]],
        ownership: Ownership,
        inside: str,
    ) -> dict[str, list[int]]:
        named = self._named[-1]
        if named is not None:
            asked = select(_STREAMS.c.thing_id).where(_STREAMS.c.id == identifier)
            self._put(int(self.session.scalars(asked).one()), named)
        return super()._many(entity, identifier, body, given, ownership, inside)

    def _put(self, thing: int, named: Named) -> None:
        """Compare the place of a thing with a cell; where it has none, put it there."""
        asked = (
            select(_LOCATIONS)
            .join(_PLACES, _PLACES.c.location_id == _LOCATIONS.c.id)
            .where(_PLACES.c.thing_id == thing)
            .order_by(_LOCATIONS.c.cell.is_(None), _LOCATIONS.c.id)
        )
        place = self.session.execute(asked).mappings().first()
        if place is not None:
            self._compare(thing, dict(place), named)
            return
        cell = named.cell
        if not cell.level:
            raise BadEntityError(
                named.where,
                Text("整个地球不能作为设备的位置", "the whole earth is no place of a Thing."),
                mend=Text("请用更细的网格。", "Name a finer cell."),
            )
        point = {"type": "Point", "coordinates": [float(one) for one in cell.centre]}
        body = {
            "name": cell.geosot,
            "description": f"GeoSOT {cell.geosot}",
            "encodingType": GEOJSON,
            "location": point,
            "properties": properties_of(cell),
        }
        self.create(ENTITIES["Location"], body, {"Things": [thing]}, inside=f"{named.where}.")

    def _compare(self, thing: int, place: dict[str, Any], named: Named) -> None:
        """Raise unless a place is known, to the writer too, to lie in a cell.

        Raises
        ------
        OtherPlaceError

        """
        cell, where = named
        if place["cell"] is None:
            raise OtherPlaceError(
                where,
                Text("设备的位置不是一个点，没有网格", "the place of the Thing is no point and has no cell."),
                cell,
                Text("请去掉 Cell，或给设备一个点位置。", "Leave out Cell, or give the Thing a point."),
            )
        code = int(grid.from_stored(place["cell"]))
        asked = select(_THINGS.c.owner, _THINGS.c.sharing, _THINGS.c.level).where(_THINGS.c.id == thing)
        whose = dict(self.session.execute(asked).mappings().one())
        told = min(self.sight.place_level(place), self.sight.place_level(whose))
        finest = min(level_known(place["properties"], code), told)
        if cell.level > finest:
            raise OtherPlaceError(
                where,
                Text(
                    f"网格 {cell.geosot} 比设备位置可告知的 {finest} 级更细",
                    f"{cell.geosot} is finer than level {finest}, at which the place of the Thing is told.",
                ),
                cell,
                Text("请用更粗的网格，或去掉 Cell。", "Name a coarser cell, or leave out Cell."),
            )
        if cell.level and int(grid.parent(code, MAX_LEVEL, cell.level)) != int(cell.code):
            raise OtherPlaceError(
                where,
                Text(f"设备不在网格 {cell.geosot} 内", f"the place of the Thing is not in {cell.geosot}."),
                cell,
                Text(
                    "请去掉 Cell，或改用设备所在的网格；设备已移动的，请先改它的 Location。",
                    "Leave out Cell, or name the cell of its place. If it moved, change its Location first.",
                ),
            )


def _apart(entity: Entity, body: Any, inside: str) -> tuple[Any, Named | None]:
    """Return what was sent without the cell, and the cell that it names.

    Raises
    ------
    BadEntityError, InlineCellError, NotYetError

    """
    if entity.name not in (*STREAMS, OBSERVATION.name) or not isinstance(body, dict) or NAME not in body:
        return body, None
    named = named_in(body[NAME], f"{inside}{NAME}")
    _check_single(entity, named)
    return {name: one for name, one in body.items() if name != NAME}, named


def _check_single(entity: Entity, named: Named) -> None:
    """Raise for a MultiDatastream, whose readings have no share in what cells tell.

    Raises
    ------
    NotYetError

    """
    if entity.multi:
        raise NotYetError(
            Text(f"{named.where}：MultiDatastream 没有网格", f"{named.where}: MultiDatastreams have no cell.")
        )
