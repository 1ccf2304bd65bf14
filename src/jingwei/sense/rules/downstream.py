"""Where the state of alarms goes over networks, as far as an asker may read these and be told the places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei import grid
from jingwei.sense import policy
from jingwei.sense.entities import ENTITIES
from jingwei.sense.models import LocationRow, ThingLocation
from jingwei.sense.rules.binding import STREAMS
from jingwei.sense.rules.branches import point_of
from jingwei.sense.rules.network import FINEST

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from jingwei.grid import Cell
    from jingwei.sense.rules.branches import Point
    from jingwei.sense.rules.form import Downstream
    from jingwei.sense.rules.network import Line, Network
    from jingwei.sense.rules.networks import Networks
    from jingwei.sense.rules.standing import Alarm
    from jingwei.sense.sight import Sight
    from jingwei.words import Text

_PLACES: Any = ThingLocation.__table__
_LOCATIONS: Any = LocationRow.__table__


@dataclass(frozen=True, slots=True)
class Way:
    """How the state of an alarm came to a cell: from which stream, how far, and along which lines.

    Attributes
    ----------
    dataset, title
        The network's.
    stream
        The one whose place is upstream.
    metres
        Along the network, from that place to where it enters the cell.
    lines, steps
        The last few of them (`MOST_NAMED`) in the order of flow, and how many there are.

    """

    dataset: str
    title: Text
    stream: int
    metres: float
    lines: list[Line]
    steps: int


class Reached:
    """The cells to which alarms reach over networks.

    Parameters
    ----------
    session, sight, networks
        The records, what the asker sees of them, and the networks of the lake, if there are any.
    alarms
        As the asker may know them.
    at
        By the networks of this moment, UTC microseconds; of now where it is left out.

    """

    def __init__(
        self,
        session: Session,
        sight: Sight,
        networks: Networks | None,
        alarms: Iterable[Alarm],
        at: int | None = None,
    ) -> None:
        flowing = [one for one in alarms if one.downstream is not None] if networks is not None else []
        self._networks: dict[Downstream, tuple[Network, Text]] = {}
        for way in {one.downstream for one in flowing}:
            network = None if networks is None or way is None else networks.of(sight.asker, way, at)
            if networks is not None and way is not None and network is not None:
                self._networks[way] = network, networks.title(sight.asker, way)
        streams = {why["stream"] for one in flowing for why in one.reasons} if self._networks else set()
        self._places = _exact_places(session, sight, streams)

    def cells(self, alarm: Alarm, level: int) -> dict[int, Way]:
        """Return the cells of a level, by stored code, to which an alarm reaches, by the shortest way."""
        way = alarm.downstream
        if way is None or way not in self._networks:
            return {}
        network, title = self._networks[way]
        found: dict[int, Way] = {}
        for stream in {one["stream"] for one in alarm.reasons} & self._places.keys():
            reached = network.cells(*self._places[stream], way.metres, way.near, level)
            for code, entry in reached.items():
                cell = int(grid.to_stored(code))
                if cell not in found or entry.metres < found[cell].metres:
                    lines = [network.lines[one] for one in entry.lines]
                    found[cell] = Way(way.dataset, title, stream, entry.metres, lines, entry.steps)
        return found

    def way(self, alarm: Alarm, cell: Cell) -> Way | None:
        """Return how an alarm reaches a cell, None where it does not."""
        if alarm.downstream not in self._networks:
            return None
        level = min(cell.level, FINEST)
        code = int(grid.parent(cell.code, cell.level, level))
        return self.cells(alarm, level).get(int(grid.to_stored(code)))


def _exact_places(session: Session, sight: Sight, streams: Iterable[int]) -> dict[int, Point]:
    """Return the places of those streams of which the asker may be told it as it is.

    Where a way begins would tell it as finely.
    """
    asked = (
        select(STREAMS.c.id, STREAMS.c.owner, STREAMS.c.sharing, STREAMS.c.level, _LOCATIONS.c.cell)
        .join(_PLACES, _PLACES.c.thing_id == STREAMS.c.thing_id)
        .join(_LOCATIONS, _LOCATIONS.c.id == _PLACES.c.location_id)
        .where(_LOCATIONS.c.cell.is_not(None), sight.visible(ENTITIES["Datastream"], STREAMS))
        .order_by(STREAMS.c.id, _LOCATIONS.c.id.desc())
    )
    found = {}
    wanted = sorted(streams)
    for begin in range(0, len(wanted), 500):
        for row in session.execute(asked.where(STREAMS.c.id.in_(wanted[begin : begin + 500]))).mappings():
            place = point_of(int(grid.from_stored(row["cell"])))
            if place is not None and sight.place_level(dict(row)) >= policy.FINEST:
                found[row["id"]] = place
    return found
