"""Alarms of one branch of a network: one lies downstream of the other, as far as a rule says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei import grid
from jingwei.grid.levels import MAX_LEVEL
from jingwei.sense.rules.form import rule_of
from jingwei.sense.rules.models import AlarmRow, RuleVersionRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

    from jingwei.sense.rules.binding import Stream, Streams
    from jingwei.sense.rules.form import Downstream, Rule
    from jingwei.sense.rules.network import Network, Stretch

    Flows = Mapping[Downstream, Network]
    """The networks of the rules that are on."""

Point = tuple[float, float]
BY_VERSION = (RuleVersionRow.rule_id == AlarmRow.rule_id) & (RuleVersionRow.version == AlarmRow.version)


class Branch:
    """Where a new alarm lies in the networks of rules, and which alarms lie up or down from it.

    Parameters
    ----------
    flows
        The networks of the rules.
    rule, concerned
        The rule that raised the alarm, and the streams that are its reasons.
    streams
        Those that are known, by id.

    """

    def __init__(self, flows: Flows, rule: Rule, concerned: Iterable[Stream], streams: Streams) -> None:
        self._flows, self._streams = flows, streams
        self._places = [place for one in concerned if (place := point_of(one.cell)) is not None]
        self._down = None if rule.downstream is None else self._reach(rule.downstream, up=False)
        self._way = rule.downstream
        self._up: dict[Downstream, list[Stretch]] = {}

    def has(self, session: Session, incident: int) -> bool:
        """Say whether one of an incident's alarms is of this branch."""
        if not self._flows or not self._places:
            return False
        asked = select(AlarmRow.reasons, RuleVersionRow.body).join(RuleVersionRow, BY_VERSION)
        rows = session.execute(asked.where(AlarmRow.incident_id == incident))
        return any(self._joins(reasons, body) for reasons, body in rows)

    def _joins(self, reasons: list[Any], body: dict[str, Any]) -> bool:
        known = (self._streams.get(one["stream"]) for one in reasons)
        places = [place for one in known if one is not None and (place := point_of(one.cell)) is not None]
        if self._way is not None and self._down and self._is_on(self._way, places, self._down):
            return True
        way = rule_of(body).downstream if "downstream" in body else None
        if way is None or way not in self._flows:
            return False
        if way not in self._up:
            self._up[way] = self._reach(way, up=True)
        return self._is_on(way, places, self._up[way])

    def _reach(self, way: Downstream, *, up: bool) -> list[Stretch]:
        network = self._flows.get(way)
        if network is None:
            return []
        return [part for at in self._places for part in network.reach(*at, way.metres, way.near, up=up)]

    def _is_on(self, way: Downstream, places: Iterable[Point], stretches: list[Stretch]) -> bool:
        return any(self._flows[way].is_on(*at, way.near, stretches) for at in places)


def point_of(cell: int | None) -> Point | None:
    """Return longitude and latitude of the place of a stream, by its code of level 32."""
    if cell is None:
        return None
    lon, lat = grid.centre(cell, MAX_LEVEL)
    return float(lon), float(lat)
