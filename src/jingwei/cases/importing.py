"""Taking in cases of another system as they stood: types, units, streets, states mapped, faults told.

Nothing is thrown away: a row whose place is wrong comes in without its place, a type that is not known is
made one of the city's own, and every such row is in the report of the import.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import shapely

from jingwei.cases import regime as the_regime
from jingwei.cases.schemas import SOURCES, History, Report
from jingwei.cases.types import CaseType, Catalogue
from jingwei.words import Text

if TYPE_CHECKING:
    import pyarrow as pa

    from jingwei.access import Asker
    from jingwei.cases.service import Desk
    from jingwei.records import Records

BATCH = 1_000
_AREA_DIGITS = (9, 12, 15)
LOCAL_MAJORS = range(50, 100)
"""Majors of types that only the city has; the standard's end at 10."""

SAME_NAME = {"上水井盖": "供水井盖", "通讯井盖": "通信井盖", "商业噪音": "噪声扰民", "渠化岛": "安全岛"}
"""Names of today for some of before."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a table of another system is to be read: which column is what, and what its words mean.

    Attributes
    ----------
    key, when, states
        Columns of the number, the time of the report, and the state.
    types
        Columns of the type's names, from the coarsest to the finest.
    state_of
        For each state as the table writes it, ours and whether it was late.
    source_of
        For each source as the table writes it, ours.
    system
        The name of the other system: numbers are its own.
    division
        Six digits, before the street's and the community's own numbers.
    late, late_of
        Column that says whether a case was late, where the state does not, and what its words mean.
    area
        Column of a whole area code (12 or 15 digits), in place of the numbers of street and community.
    component, hours
        Columns of the component's identifier, and of the handling limit in hours.
    times
        For events of a case (`dispatched`, `confirmed` ...), the columns that say when they happened.
    boundary
        A shapely area in degrees within which places must lie; not checked if None.

    """

    key: str
    when: str
    state: str
    types: Sequence[str]
    state_of: Mapping[str, tuple[str, bool | None]]
    source: str
    source_of: Mapping[str, str]
    system: str
    division: str
    street: str = ""
    community: str = ""
    unit: str = ""
    unit_name: str = ""
    lon: str = ""
    lat: str = ""
    description: str = ""
    late: str = ""
    late_of: Mapping[str, bool] = field(default_factory=dict)
    area: str = ""
    component: str = ""
    hours: str = ""
    times: Mapping[str, str] = field(default_factory=dict)
    zone: str = "Asia/Shanghai"
    boundary: Any = None


@dataclass
class Reading:
    """A table as it was read.

    Attributes
    ----------
    histories
        The cases.
    types
        The types that the city adds.
    faults
        For each kind of fault, its words and the rows (from 1) that have it.
    mapped
        How many rows got a type of the standard, and how many one of the city's own.
    units
        The units by their number, with all the names that the table gives them.

    """

    histories: list[History] = field(default_factory=list)
    types: list[CaseType] = field(default_factory=list)
    faults: dict[str, tuple[Text, list[int]]] = field(default_factory=dict)
    mapped: dict[str, int] = field(default_factory=lambda: {"standard": 0, "local": 0})
    units: dict[str, list[str]] = field(default_factory=dict)


_FAULTS = {
    "no-street": Text("未填街道", "the street is missing"),
    "no-place": Text("没有坐标，只知到社区", "no coordinates; the place is known by community only"),
    "place-outside": Text(
        "坐标不在辖区内，未采用", "the coordinates lie outside of the area and were not taken"
    ),
    "unit-two-names": Text("同一单位编号有不同名称", "one number of a unit bears several names"),
    "day-only": Text("只有日期，没有时刻", "a day without a time; whether it was late is as the source says"),
    "state-unknown": Text("状态无法识别，未导入", "the state is not known; the row was not taken"),
    "source-unknown": Text("来源无法识别，记为批量导入", "the source is not known; told as bulk import"),
    "no-key": Text("没有编号，未导入", "no number; the row was not taken"),
    "no-time": Text("没有时间，未导入", "no time; the row was not taken"),
}


def read_histories(
    table: pa.Table, form: Form, catalogue: Catalogue, unit_of: Mapping[str, str] | None = None
) -> Reading:
    """Read a table of another system's cases.

    Parameters
    ----------
    table
        Its rows.
    form
        How to read them.
    catalogue
        The types in force; a type is found by its finest name, else added as the city's own.
    unit_of
        The city's departments by what the table calls them; others stay as they are called.

    """
    rows = table.to_pylist()
    reader = _Reader(form, catalogue, unit_of or {})
    for row in rows:
        reader.learn(row)
    for number, row in enumerate(rows, start=1):
        reader.read(number, row)
    reader.reading.types = list(reader.added.values())
    return reader.reading


class _Reader:
    def __init__(self, form: Form, catalogue: Catalogue, unit_of: Mapping[str, str]) -> None:
        self.form, self.catalogue, self.unit_of = form, catalogue, unit_of
        self.reading = Reading()
        self.added: dict[tuple[str, ...], CaseType] = {}
        self.zone = ZoneInfo(form.zone)
        self._majors: dict[str, int] = {}
        self._minors: dict[str, int] = {}

    def learn(self, row: Mapping[str, Any]) -> None:
        """Note what a unit is called."""
        unit, name = _text(row, self.form.unit), _text(row, self.form.unit_name)
        names = self.reading.units.setdefault(unit, []) if unit else []
        if name and name not in names:
            names.append(name)

    def fault(self, kind: str, row: int) -> None:
        self.reading.faults.setdefault(kind, (_FAULTS[kind], []))[1].append(row)

    def read(self, number: int, row: Mapping[str, Any]) -> None:
        """Read one row."""
        form = self.form
        key, state = _text(row, form.key), form.state_of.get(_text(row, form.state))
        at = self._time(number, row.get(form.when))
        for missing, kind in ((not key, "no-key"), (state is None, "state-unknown"), (at is None, "no-time")):
            if missing:
                self.fault(kind, number)
        if not key or state is None or at is None:
            return
        unit = _text(row, form.unit)
        if len(self.reading.units.get(unit, ())) > 1:
            self.fault("unit-two-names", number)
        type_ = self._type(row)
        lon, lat = self._place(number, row)
        report = Report(
            kind=type_.kind,
            type=type_.code,
            source=self._source(number, row),
            description=_text(row, form.description),
            lon=lon,
            lat=lat,
            area=self._area(number, row),
            component=_text(row, form.component) or None,
            source_key=f"{form.system}/{key}",
            at=at,
        )
        hours = _text(row, form.hours)
        self.reading.histories.append(
            History(
                report,
                state[0],
                department=self.unit_of.get(unit, unit) or None,
                limit=("urgent_hour", float(hours)) if _is_number(hours) else None,
                times=self._times(row, at),
                late=form.late_of.get(_text(row, form.late), state[1]),
            )
        )

    def _times(self, row: Mapping[str, Any], reported: datetime) -> dict[str, datetime]:
        """Return when the events of a case happened, as far as that is told and not before its report."""
        found = {name: self._moment(row.get(column)) for name, column in self.form.times.items()}
        return {name: when for name, when in found.items() if when is not None and when >= reported}

    def _time(self, number: int, value: Any) -> datetime | None:
        found = self._moment(value)
        if found is not None and found.astimezone(self.zone).time() == time():
            self.fault("day-only", number)
        return found

    def _moment(self, value: Any) -> datetime | None:
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                return None
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time())
        if not isinstance(value, datetime):
            return None
        local = value if value.tzinfo else value.replace(tzinfo=self.zone)
        return local.astimezone(UTC)

    def _source(self, number: int, row: Mapping[str, Any]) -> str:
        source = self.form.source_of.get(_text(row, self.form.source), "")
        if source not in SOURCES:
            self.fault("source-unknown", number)
            return "import"
        return source

    def _area(self, number: int, row: Mapping[str, Any]) -> str:
        whole = _text(row, self.form.area)
        if len(whole) in _AREA_DIGITS and whole.startswith(self.form.division[:4]):
            return whole
        street, community = _text(row, self.form.street), _text(row, self.form.community)
        if not street.isdigit():
            self.fault("no-street", number)
            return self.form.division
        area = self.form.division + street[-3:].zfill(3)
        return area + community[-3:].zfill(3) if community.isdigit() else area

    def _place(self, number: int, row: Mapping[str, Any]) -> tuple[float | None, float | None]:
        lon, lat = row.get(self.form.lon), row.get(self.form.lat)
        if lon is None or lat is None or lon != lon or lat != lat:  # noqa: PLR0124 -- not a number
            self.fault("no-place", number)
            return None, None
        if self.form.boundary is not None and not shapely.contains_xy(self.form.boundary, lon, lat):
            self.fault("place-outside", number)
            return None, None
        return float(lon), float(lat)

    def _type(self, row: Mapping[str, Any]) -> CaseType:
        path = tuple(_text(row, column) for column in self.form.types)
        name = SAME_NAME.get(path[-1], path[-1])
        found = self.catalogue.named("matter", name) or self.catalogue.named("component", name)
        if found is None and path not in self.added:
            found = self.catalogue.named("matter", "：".join(path[-2:]))
        self.reading.mapped["standard" if found and not found.local else "local"] += 1
        return found or self.added.setdefault(path, self._new_type(path))

    def _new_type(self, path: tuple[str, ...]) -> CaseType:
        """Return a type of the city's own, under a major of its own for each coarsest name."""
        if path in self.added:
            return self.added[path]
        major = self._majors.setdefault(path[0], self._free_major(path[0]))
        minor = self._minors.get(path[0], self._last_minor(major)) + 1
        self._minors[path[0]] = minor
        return CaseType(
            "matter", f"{major:02d}{minor:03d}", Text("：".join(path[-2:])), Text(path[0]), local=True
        )

    def _free_major(self, name: str) -> int:
        for one in self.catalogue:
            if one.local and one.major.zh == name:
                return int(one.code[:2])
        used = {int(one.code[:2]) for one in self.catalogue} | set(self._majors.values())
        return next(major for major in LOCAL_MAJORS if major not in used)

    def _last_minor(self, major: int) -> int:
        mine = [int(one.code[2:]) for one in self.catalogue if int(one.code[:2]) == major]
        return max(mine, default=0)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _text(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column) if column else None
    return "" if value is None else str(value).strip()


def import_table(
    records: Records,
    desk: Desk,
    asker: Asker,
    table: pa.Table,
    form: Form,
    *,
    unit_of: Mapping[str, str] | None = None,
    without: Collection[str] = (),
    tell: Callable[[int, int], bool] = lambda _done, _whole: True,
) -> Reading:
    """Import another system's cases in batches; what is here already stays. Return how they were read.

    Parameters
    ----------
    records, desk, asker
        Where, by whose rules, on whose behalf.
    table, form
        The table and how to read it.
    unit_of
        The city's departments by what the table calls them.
    without
        Keys of cases that are left out.
    tell
        Told how many are done, of how many; returns False to stop after the batch.

    """
    with records.write() as session:
        regime = desk.regime(session)
        reading = read_histories(table, form, regime.catalogue, unit_of)
        if reading.types:
            note = f"{form.system}: {len(reading.types)}"
            the_regime.adopt(session, asker, "types", [*regime.types, *reading.types], note=note)
    left_out = {f"{form.system}/{key}" for key in without}
    wanted = [one for one in reading.histories if one.report.source_key not in left_out]
    whole = len(wanted)
    for start in range(0, whole, BATCH):
        with records.write() as session:
            desk.import_many(session, asker, wanted[start : start + BATCH])
        if not tell(min(whole, start + BATCH), whole):
            break
    return reading
