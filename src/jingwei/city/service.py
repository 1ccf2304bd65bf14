"""An open city: its records, its container, and what it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo

import shapely
from sqlalchemy import select

from jingwei.access.policy.store import PolicyKeeper
from jingwei.city.errors import NoCityError, TwoRecordsError
from jingwei.city.living.clock import Timekeeper
from jingwei.city.map_services import MapService, MapServiceSpec
from jingwei.city.models import CityRow
from jingwei.lake import Lake
from jingwei.lake.errors import ReadOnlyError
from jingwei.records import Prepared, Records, WhileUnchanged, open_records
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

RECORDS = "records.db"


@dataclass(frozen=True, slots=True)
class Ground:
    """A dataset whose lines or areas are drawn on the ground of the map, as what, and whether with names."""

    dataset: str
    kind: str
    label: bool


@dataclass(frozen=True, slots=True)
class About:
    """What a city is.

    Attributes
    ----------
    boundary
        A shapely geometry (WGS84), or None.
    generated
        Whether the city is fictional.
    ground
        What the ground of the map is drawn from; empty where the pack leaves it open.
    map_services
        The city's own map services.

    """

    id: str
    name: Text
    adcode: str
    time_zone: str
    boundary: Any
    bounds: tuple[float, float, float, float] | None
    generated: bool
    description: Text | None
    pack: str
    data: str
    ground: tuple[Ground, ...] = ()
    map_services: tuple[MapService, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which the city's times are shown."""
        return ZoneInfo(self.time_zone)


class City:
    """One city on this machine. Close it, or use it as a context manager."""

    def __init__(self, home: Path, records: Records) -> None:
        self.home = home
        self.records = records
        self.policies = PolicyKeeper(records)
        self.lake = Lake(home / "lake", records, self.policies)
        self._closing: list[Callable[[], object]] = []
        self.on_close(records.close)
        self.on_close(self.lake.close)
        self.clock = Timekeeper(self)
        self._about: WhileUnchanged[About] = WhileUnchanged(records, rests_on=_CHANGED)

    @property
    def about(self) -> About:
        """What the city is, as its last load found it."""
        return self._about.get("about", self._read_about)

    def _read_about(self) -> About:
        with self.records.read() as session:
            row = session.scalar(select(CityRow).limit(1))
        if row is None:
            raise NoCityError(str(self.home))
        return about_of(row)

    def on_close(self, close: Callable[[], object]) -> None:
        """Have something closed with the city: what is opened over it, by the part that opens it."""
        self._closing.append(close)

    def close(self) -> None:
        """Let go of everything that is open over the city and of itself, what was opened last first.

        What fails to close keeps nothing else open; it is raised in the end, several together as a group.
        """
        errors = []
        while self._closing:
            try:
                self._closing.pop()()
            except Exception as error:  # noqa: BLE001 -- raised below
                errors.append(error)
        if len(errors) > 1:
            msg = "closing the city"
            raise ExceptionGroup(msg, errors)
        if errors:
            raise errors[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_CHANGED = Prepared(select(CityRow.id, CityRow.changed))


def about_of(row: CityRow) -> About:
    """Read what a city is from its row."""
    data = row.about
    boundary = shapely.from_geojson(json.dumps(data["boundary"])) if data.get("boundary") else None
    description = data.get("description")
    return About(
        id=row.id,
        name=Text(**data["name"]),
        adcode=data["adcode"],
        time_zone=data["time_zone"],
        boundary=boundary,
        bounds=tuple(data["bounds"]) if data.get("bounds") else None,
        generated=data["generated"],
        description=Text(**description) if description else None,
        pack=row.pack,
        data=row.data,
        ground=tuple(Ground(**one) for one in data.get("ground", [])),
        map_services=tuple(
            MapServiceSpec.model_validate(one).service() for one in data.get("map_services", [])
        ),
    )


def open_city(home: Path, *, create: bool = False, records_url: str | None = None) -> City:
    """Open the city in the folder `home`.

    Parameters
    ----------
    home
        The city's own folder: records and container.
    create
        Make the folder where there is none.
    records_url
        SQLAlchemy URL of the record store; SQLite inside `home` by default.

    Raises
    ------
    NoCityError
        If there is no city and none is to be made.
    ReadOnlyError
        If the folder cannot be made.
    TwoRecordsError
        If a record store is named and the folder holds one of its own.
    BadRecordsUrlError, RecordsUnreachableError
        If what is named is no record store, or does not answer.

    """
    own = f"sqlite:///{home / RECORDS}"
    url = records_url or own
    if url != own and (home / RECORDS).is_file():
        raise TwoRecordsError(str(home))
    if not create and records_url is None and not (home / RECORDS).is_file():
        raise NoCityError(str(home))
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)  # the records hold what is for some people only
        (home / ".writable").touch()
    except OSError as error:
        if create:
            raise ReadOnlyError(str(home)) from error
    return City(home, open_records(url))
