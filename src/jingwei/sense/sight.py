"""What an asker sees of sensing: which rows, and how finely where they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy import ColumnElement, text, true

from jingwei import grid
from jingwei.access.policy import RefusedError
from jingwei.sense import policy
from jingwei.sense.errors import UnknownEntityError

if TYPE_CHECKING:
    from sqlalchemy import FromClause
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.access.policy import Policies
    from jingwei.sense.entities import Entity
    from jingwei.sense.rules.grounds import Grounds

Row = Mapping[str, Any]


@dataclass
class Sight:
    """What one asker sees of the record store at one moment."""

    session: Session
    policies: Policies
    asker: Asker
    grounds: Grounds | None = None
    """Rows of datasets that rules ask."""
    _levels: dict[tuple[str, str, int], int] = field(default_factory=dict)

    @property
    def dialect(self) -> str:
        """The name of the database: `sqlite` or `postgresql`."""
        return str(self.session.get_bind().dialect.name)

    def visible(self, entity: Entity, table: FromClause, action: str = policy.READ) -> ColumnElement[bool]:
        """Return the condition that selects the rows with which the asker may do something.

        Parameters
        ----------
        entity, table
            The kind of entities, and the alias under which its table is read.
        action
            What is to be done with them.

        """
        rows = self.policies.rows(self.asker, action, policy.KIND)
        if rows.everything:
            return true()
        name = table.name  # type: ignore[attr-defined]  # of an alias
        columns = {
            "entity": f"'{entity.name}'",
            "owner": f"NULLIF({name}.owner, '')",
            "sharing": f"{name}.sharing",
            "level": f"{name}.level",
            "id": f"CAST({name}.id AS TEXT)",
        }
        engine: Any = self.dialect
        written, values = rows.sql(columns, engine, placeholder=f":{name}_{{}}".format)
        bound = {f"{name}_{number}": value for number, value in enumerate(values, 1)}
        return text(f"({written})").bindparams(**bound)  # type: ignore[return-value]  # a condition as text

    def place_level(self, row: Row) -> int:
        """Return the finest level at which the asker sees where a row is: 32 as it is, 0 not at all."""
        key = (row["owner"], row["sharing"], row["level"])
        if key not in self._levels:
            owner, sharing, level = key
            resource = policy.resource_of("Location", owner=owner, sharing=sharing, level=level)
            self._levels[key] = policy.place_level(self.policies, self.asker, resource)
        return self._levels[key]

    @property
    def sees_places(self) -> bool:
        """Whether the asker sees every place as it is, so that a database may compare and sort by it."""
        if "sees" not in self.__dict__:
            rows = self.policies.rows(self.asker, policy.PLACE, policy.KIND)
            whole = rows.everything and self._finest_everywhere()
            self.__dict__["sees"] = whole
        return bool(self.__dict__["sees"])

    def _finest_everywhere(self) -> bool:
        return all(
            self.place_level({"owner": "", "sharing": sharing, "level": level}) >= policy.FINEST
            for sharing in policy.SHARINGS
            for level in policy.LEVELS
        )

    def may(self, action: str, entity: Entity, row: Row) -> bool:
        """Say whether the asker may do something with a row."""
        allowed: bool = self._decision(action, entity, row).allowed
        return allowed

    def check(self, action: str, entity: Entity, row: Row) -> None:
        """Raise unless the asker may do something with a row; what may not be seen does not exist.

        Raises
        ------
        UnknownEntityError, RefusedError

        """
        if not self.may(policy.READ, entity, row) and not self.may(action, entity, row):
            raise UnknownEntityError(entity.name, row.get("id", ""))
        decision = self._decision(action, entity, row)
        if not decision.allowed:
            raise RefusedError(action, decision)

    def _decision(self, action: str, entity: Entity, row: Row) -> Any:
        resource = policy.resource_of(
            entity.name, row.get("id", ""), owner=row["owner"], sharing=row["sharing"], level=row["level"]
        )
        return self.policies.decide(self.asker, action, resource)

    # places

    def document(self, row: Row, column: str) -> Any:
        """Return a geometry as it is shown: the document as given, or the cell in which it lies."""
        level = self.place_level(row)
        if level >= policy.FINEST:
            return row[column]
        shape = self._coarse(row, level)
        return None if shape is None else shapely.geometry.mapping(shape)

    def shape(self, row: Row) -> shapely.Geometry | None:
        """Return a geometry as the asker may know it, as a shapely geometry in degrees."""
        level = self.place_level(row)
        if level >= policy.FINEST:
            return None if row["geometry"] is None else shapely.from_wkb(row["geometry"])
        return self._coarse(row, level)

    @staticmethod
    def _coarse(row: Row, level: int) -> shapely.Geometry | None:
        if level <= 0 or row["west"] is None:
            return None
        middle = (row["west"] + row["east"]) / 2, (row["south"] + row["north"]) / 2
        try:
            return shapely.box(*grid.bounds(grid.encode(*middle, level), level))
        except grid.GridError:
            return None
