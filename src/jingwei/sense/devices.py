"""Devices of a city: what they are, where, whose; calibration, battery, maintenance, sign-off, import.

A device is a Thing of SensorThings about which the city keeps more. Its identifier is the registry's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, or_, select, update

from jingwei import ledger, registry
from jingwei.errors import BadRequestError, ConflictError, JingweiError, NotFoundError
from jingwei.lake.datums import canonical_system, to_wgs84
from jingwei.records import now_utc
from jingwei.sense import features, policy
from jingwei.sense.entities import ENTITIES
from jingwei.sense.errors import DeviceStateError
from jingwei.sense.models import (
    DeviceRow,
    LocationRow,
    MaintenanceRow,
    StreamRow,
    ThingLocation,
    ThingRow,
)
from jingwei.sense.odata.syntax import EPOCH, MICRO, instant_of_text
from jingwei.sense.writing import Aftermath, Ownership, Writing
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.sense.readings import Readings
    from jingwei.sense.sight import Sight

STATES = ("planned", "installed", "active", "faulty", "retired")
WORKS = ("inspection", "repair", "calibration", "battery", "cleaning", "other")
DATUMS = ("1985 国家高程基准", "ellipsoid", "ground")
"""What heights are above: the national datum, the ellipsoid of WGS84, the ground at the spot."""
MOST_ROWS = 50_000
SILENT_AFTER = 3_600
"""Seconds without a reading after which a device counts as silent, unless its properties say otherwise."""

_DEVICES: Any = DeviceRow.__table__
_THINGS: Any = ThingRow.__table__
_PLACES: Any = ThingLocation.__table__
_LOCATIONS: Any = LocationRow.__table__
_WORK: Any = MaintenanceRow.__table__
_STREAMS: Any = StreamRow.__table__


class UnknownDeviceError(NotFoundError):
    """No device has the number, or the asker may not know of it."""

    code = "sense-device-unknown"

    def __init__(self, thing: int) -> None:
        super().__init__(Text(f"没有设备 {thing}", f"there is no device {thing}."), where={"device": thing})


class BadDeviceError(BadRequestError):
    """What was said of a device cannot be taken; `where.field` names it."""

    code = "sense-device"

    def __init__(self, name: str, what: Text, *, mend: Text | None = None) -> None:
        super().__init__(Text(f"{name}：{what.zh}", f"{name}: {what.en}"), mend=mend, where={"field": name})


class DeviceKnownError(ConflictError):
    """A department has a device under that key already."""

    code = "sense-device-known"

    def __init__(self, key: str) -> None:
        super().__init__(Text(f"编号 {key[:60]} 已登记", f"the key {key[:60]} is registered already."))


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device to be registered; degrees WGS84, metres, UTC microseconds."""

    key: str
    name: str
    kind: str
    owner: str
    lon: float | None = None
    lat: float | None = None
    height: float | None = None
    height_datum: str | None = None
    description: str = ""
    sharing: str = policy.DEFAULT_SHARING
    level: int = policy.DEFAULT_LEVEL
    state: str = "installed"
    calibration_due: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What stands against a row of a table of devices: the row, from 2, the column, and what it is."""

    row: int
    column: str
    says: Text


@dataclass
class Imported:
    """What became of a table: how many are new, changed and as before, and what was found."""

    new: int = 0
    changed: int = 0
    same: int = 0
    findings: list[Finding] = field(default_factory=list)
    after: Aftermath = field(default_factory=Aftermath)


def _now() -> int:
    return (now_utc() - EPOCH) // MICRO


def check(new: NewDevice) -> None:
    """Raise where something said of a device cannot be.

    Raises
    ------
    BadDeviceError

    """
    for name, longest in (("key", 200), ("name", 400), ("kind", 80)):
        value = getattr(new, name)
        if not value.strip() or len(value) > longest or "\0" in value:
            raise BadDeviceError(name, Text(f"应有 1 至 {longest} 个字符", f"has 1 to {longest} characters."))
    if new.state not in STATES:
        raise BadDeviceError(
            "state", Text(f"应为 {'、'.join(STATES)} 之一", f"is one of {', '.join(STATES)}.")
        )
    if new.sharing not in policy.SHARINGS or new.level not in policy.LEVELS:
        raise BadDeviceError("sharing", Text("共享类型或分级不对", "the sharing or the level is none."))
    if (new.lon is None) != (new.lat is None):
        raise BadDeviceError("lon", Text("经度和纬度应同时给出", "longitude and latitude come together."))
    if new.height is not None and new.height_datum not in DATUMS:
        raise BadDeviceError(
            "height_datum",
            Text(f"高程须注明基准：{'、'.join(DATUMS)}", f"a height names its datum: {', '.join(DATUMS)}."),
        )
    if len(new.owner) > 18:
        raise BadDeviceError("owner", Text("应为部门代码", "is the code of a department."))


def add(writing: Writing, new: NewDevice) -> int:
    """Register a device: a Thing with its Location, and an identifier; return the id of the Thing.

    Raises
    ------
    BadDeviceError, DeviceKnownError, RefusedError

    """
    check(new)
    session = writing.session
    ownership = Ownership(new.owner, new.sharing, new.level)
    # Asked first: who may not register a device is not told which ones there are.
    writing.sight.policies.check(
        writing.asker, policy.WRITE, policy.resource_of("Thing", **ownership.columns())
    )
    if _found(session, new.owner, new.key) is not None:
        raise DeviceKnownError(new.key)
    body: dict[str, Any] = {
        "name": new.name,
        "description": new.description,
        "properties": {"kind": new.kind, "key": new.key},
    }
    if new.lon is not None:
        body["Locations"] = [_location(new)]
    thing = writing.create(ENTITIES["Thing"], body, ownership=ownership)
    row = session.execute(
        select(_LOCATIONS.c.cell)
        .join(_PLACES, _PLACES.c.location_id == _LOCATIONS.c.id)
        .where(_PLACES.c.thing_id == thing)
    ).first()
    cell = None if row is None else row.cell
    named = registry.NewObject(
        owner=new.owner or "device", key=f"device/{new.key}", kind=new.kind, title=new.name,
        cell=cell, level=None if cell is None else 32,
    )  # fmt: skip
    identifier = registry.issue(session, writing.asker, named).id
    session.execute(
        insert(_DEVICES).values(
            thing_id=thing, identifier=identifier, owner=new.owner, key=new.key, kind=new.kind,
            state=new.state, height=new.height, height_datum=new.height_datum,
            calibration_due=new.calibration_due,
        )
    )  # fmt: skip
    told = {"identifier": identifier, "kind": new.kind, "owner": new.owner}
    _tell(writing, "sense.device_registered", thing, told)
    return thing


def _location(new: NewDevice) -> dict[str, Any]:
    coordinates = [new.lon, new.lat] if new.height is None else [new.lon, new.lat, new.height]
    return {
        "name": new.name,
        "description": "",
        "encodingType": "application/geo+json",
        "location": {"type": "Point", "coordinates": coordinates},
        **({"properties": {"heightDatum": new.height_datum}} if new.height is not None else {}),
    }


def _found(session: Session, owner: str, key: str) -> dict[str, Any] | None:
    asked = select(_DEVICES).where(_DEVICES.c.owner == owner, _DEVICES.c.key == key)
    row = session.execute(asked).mappings().first()
    return None if row is None else dict(row)


def _tell(writing: Writing, type_: str, thing: int, data: dict[str, Any]) -> None:
    ledger.append(writing.session, type_, actor=writing.asker.id, subject=f"sense/Things({thing})", data=data)


# looking


def listed(
    sight: Sight,
    *,
    search: str = "",
    kind: str = "",
    state: str = "",
    owner: str = "",
    due: bool = False,
    after: int = 0,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Return devices that the asker sees, by id, those after `after`.

    `due` leaves those whose calibration is due.
    """
    things = _THINGS.alias("d0")
    asked = (
        select(
            _DEVICES, things.c.name, things.c.description, things.c.sharing, things.c.level,
            _LOCATIONS.c.geometry, _LOCATIONS.c.west, _LOCATIONS.c.south, _LOCATIONS.c.east,
            _LOCATIONS.c.north, _LOCATIONS.c.cell,
        )
        .join(things, things.c.id == _DEVICES.c.thing_id)
        .outerjoin(_PLACES, _PLACES.c.thing_id == things.c.id)
        .outerjoin(_LOCATIONS, _LOCATIONS.c.id == _PLACES.c.location_id)
        .where(sight.visible(ENTITIES["Thing"], things), _DEVICES.c.thing_id > after)
        .order_by(_DEVICES.c.thing_id, _LOCATIONS.c.id)
        .limit(limit)
    )  # fmt: skip
    for column, value in ((_DEVICES.c.kind, kind), (_DEVICES.c.state, state), (_DEVICES.c.owner, owner)):
        if value:
            asked = asked.where(column == value)
    if search:
        asked = asked.where(
            or_(
                things.c.name.contains(search, autoescape=True),
                _DEVICES.c.key.contains(search, autoescape=True),
                _DEVICES.c.identifier == search,
            )
        )
    if due:
        asked = asked.where(_DEVICES.c.calibration_due < _now())
    rows: dict[int, dict[str, Any]] = {}
    for row in sight.session.execute(asked).mappings():
        rows.setdefault(row["thing_id"], dict(row))
    return list(rows.values())


def counted(sight: Sight) -> dict[str, dict[str, int]]:
    """Return how many devices that the asker sees are of each state and of each kind."""
    things = _THINGS.alias("d0")
    told: dict[str, dict[str, int]] = {}
    for name in ("state", "kind"):
        column = _DEVICES.c[name]
        asked = (
            select(column, func.count())
            .join(things, things.c.id == _DEVICES.c.thing_id)
            .where(sight.visible(ENTITIES["Thing"], things))
            .group_by(column)
            .order_by(column)
            .limit(200)
        )
        told[name] = dict(sight.session.execute(asked).all())
    return told


def one(sight: Sight, thing: int) -> dict[str, Any]:
    """Return a device.

    Raises
    ------
    UnknownDeviceError

    """
    found = listed(sight, after=thing - 1, limit=1) if 0 < thing < 1 << 62 else []
    if not found or found[0]["thing_id"] != thing:
        raise UnknownDeviceError(thing)
    return found[0]


def streams_of(session: Session, things: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """Return the streams of things, which share their ownership."""
    ids = list(things)
    told: dict[int, list[dict[str, Any]]] = {thing: [] for thing in ids}
    for start in range(0, len(ids), 500):
        asked = (
            select(_STREAMS.c.id, _STREAMS.c.thing_id, _STREAMS.c.name, _STREAMS.c.unit, _STREAMS.c.multi)
            .where(_STREAMS.c.thing_id.in_(ids[start : start + 500]))
            .order_by(_STREAMS.c.id)
        )
        for row in session.execute(asked).mappings():
            told[row["thing_id"]].append(dict(row))
    return told


def last_seen(readings: Readings, streams: Iterable[Mapping[str, Any]]) -> int | None:
    """Return when a device last sent something: the newest reading of its streams, UTC microseconds."""
    extents = (readings.extent(one["id"]) for one in streams)
    return max((one.last for one in extents if one.count), default=None)


def works_of(session: Session, thing: int, limit: int = 200) -> list[dict[str, Any]]:
    """Return the work done on a device, newest first."""
    asked = select(_WORK).where(_WORK.c.thing_id == thing).order_by(_WORK.c.at.desc(), _WORK.c.id.desc())
    return [dict(row) for row in session.execute(asked.limit(limit)).mappings()]


# changing


def _to_change(writing: Writing, thing: int) -> dict[str, Any]:
    row = one(writing.sight, thing)
    writing.sight.check(policy.WRITE, ENTITIES["Thing"], row | {"id": thing})
    return row


def change(writing: Writing, thing: int, values: Mapping[str, Any]) -> None:
    """Change what is kept about a device: kind, state, height and its datum, battery, calibration due.

    Raises
    ------
    UnknownDeviceError, BadDeviceError, RefusedError, DeviceStateError

    """
    row = _to_change(writing, thing)
    values = dict(values)
    if row["state"] == "retired":
        raise DeviceStateError(row["identifier"], row["state"])
    if values.get("state", row["state"]) not in STATES:
        raise BadDeviceError(
            "state", Text(f"应为 {'、'.join(STATES)} 之一", f"is one of {', '.join(STATES)}.")
        )
    if values.get("height") is not None and values.get("height_datum", row["height_datum"]) not in DATUMS:
        raise BadDeviceError("height_datum", Text("高程须注明基准", "a height names its datum."))
    if values.get("battery") is not None:
        if not 0 <= values["battery"] <= 100:
            raise BadDeviceError("battery", Text("应为 0 至 100", "is between 0 and 100."))
        values["battery_seen"] = _now()
    if values:
        writing.session.execute(update(_DEVICES).where(_DEVICES.c.thing_id == thing).values(**values))
        _tell(writing, "sense.device_changed", thing, {"fields": sorted(values)})
    writing.after.changed_streams.update(one_["id"] for one_ in streams_of(writing.session, [thing])[thing])


def work(
    writing: Writing,
    thing: int,
    kind: str,
    note: str,
    at: int | None = None,
    until: int | None = None,
    due: int | None = None,
) -> None:
    """Keep that work was done on a device; a calibration is one by which the next is due.

    From `at` until `until` (UTC microseconds) what the device says, or does not, is no fault of it.

    Raises
    ------
    UnknownDeviceError, BadDeviceError, RefusedError

    """
    _to_change(writing, thing)
    if kind not in WORKS:
        raise BadDeviceError("kind", Text(f"应为 {'、'.join(WORKS)} 之一", f"is one of {', '.join(WORKS)}."))
    when = _now() if at is None else at
    if until is not None and until <= when:
        raise BadDeviceError("until", Text("早于开始", "lies before the work begins."))
    writing.session.execute(
        insert(_WORK).values(
            thing_id=thing, at=when, until=until, kind=kind, note=note[:1000], by=writing.asker.id
        )
    )
    if kind == "calibration":
        writing.session.execute(
            update(_DEVICES)
            .where(_DEVICES.c.thing_id == thing)
            .values(calibrated=when, **({"calibration_due": due} if due is not None else {}))
        )
    _tell(writing, "sense.device_maintained", thing, {"kind": kind})


def sign_off(writing: Writing, thing: int) -> None:
    """Take a device into service: somebody looked at it and at what it sends.

    The features of interest of its streams are made now where there are none: with the first readings of many
    devices that would be what all wait for.

    Raises
    ------
    DeviceStateError
        Where it is signed off already, or retired.

    """
    row = _to_change(writing, thing)
    if row["signed_off"] is not None or row["state"] == "retired":
        raise DeviceStateError(row["identifier"], row["state"])
    writing.session.execute(
        update(_DEVICES)
        .where(_DEVICES.c.thing_id == thing)
        .values(signed_off=now_utc(), signed_off_by=writing.asker.id, state="active")
    )
    streams = [one_["id"] for one_ in streams_of(writing.session, [thing])[thing]]
    features.defaults_of(writing.session, dict.fromkeys(streams, writing.asker.id))
    writing.after.changed_streams.update(streams)
    _tell(writing, "sense.device_signed_off", thing, {})


# tables

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "key": ("key", "设备编号", "编号", "设备编码"),
    "name": ("name", "设备名称", "名称"),
    "kind": ("kind", "设备类型", "类型"),
    "owner": ("owner", "部门代码", "权属部门代码", "主管部门代码"),
    "lon": ("lon", "经度", "longitude"),
    "lat": ("lat", "纬度", "latitude"),
    "height": ("height", "高程", "安装高度"),
    "height_datum": ("height_datum", "高程基准"),
    "description": ("description", "描述", "说明"),
    "sharing": ("sharing", "共享类型"),
    "level": ("level", "分级"),
    "calibration_due": ("calibration_due", "检定有效期", "校准到期"),
}
_SHARED = {"无条件共享": "unconditional", "有条件共享": "conditional", "不予共享": "none"}
_ABOVE = {
    "85高程": DATUMS[0],
    "1985国家高程基准": DATUMS[0],
    "椭球高": "ellipsoid",
    "离地": "ground",
    "地面": "ground",
}


def import_table(
    writing: Writing, rows: Sequence[Mapping[str, Any]], system: str, owner: str = ""
) -> Imported:
    """Register the devices of a table, or change those that are registered; a bad row is told and left out.

    Parameters
    ----------
    writing
        On whose behalf, within one transaction.
    rows
        Values as text by heading; see `COLUMNS` for the headings.
    system
        The coordinate system of longitudes and latitudes: it is asked for, never guessed.
    owner
        The department of rows that name none.

    Raises
    ------
    BadDeviceError
        Where there are too many rows, or the needed headings are missing.

    """
    if len(rows) > MOST_ROWS:
        raise BadDeviceError("table", Text(f"至多 {MOST_ROWS} 行", f"has at most {MOST_ROWS} rows."))
    for name in ("key", "name", "kind"):
        if rows and not any(heading in rows[0] for heading in COLUMNS[name]):
            listed_ = "、".join(COLUMNS[name])
            raise BadDeviceError(
                name, Text(f"缺少列：{listed_} 之一", f"needs one of the columns {listed_}.")
            )
    told = Imported(after=writing.after)
    writing.most = 2 * len(rows)  # a Thing and a Location of each row
    canonical = canonical_system(system)
    seen: set[tuple[str, str]] = set()
    for number, row in enumerate(rows, 2):
        try:
            new = _read(row, canonical, owner)
            if (new.owner, new.key) in seen:
                raise BadDeviceError("key", Text("与前面的行重复", "stands in an earlier row already."))
            seen.add((new.owner, new.key))
            with writing.session.begin_nested():  # a row is taken whole or not at all
                _take(writing, new, told)
        except JingweiError as error:
            told.findings.append(Finding(number, str(error.where.get("field", "")), error.what))
    return told


def _read(row: Mapping[str, Any], system: str, owner: str) -> NewDevice:
    given = {name: _text(row, headings) for name, headings in COLUMNS.items()}
    lon, lat = _number(given["lon"], "lon"), _number(given["lat"], "lat")
    if lon is not None and lat is not None:
        xs, ys = to_wgs84([lon], [lat], system)
        lon, lat = float(xs[0]), float(ys[0])
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise BadDeviceError("lon", Text("坐标超出范围", "the coordinates lie beyond the earth."))
    above = given["height_datum"].replace(" ", "")
    level = _number(given["level"], "level")
    new = NewDevice(
        key=given["key"], name=given["name"], kind=given["kind"], owner=given["owner"] or owner,
        lon=lon, lat=lat, height=_number(given["height"], "height"),
        height_datum=_ABOVE.get(above, given["height_datum"] or None),
        description=given["description"],
        sharing=_SHARED.get(given["sharing"], given["sharing"] or policy.DEFAULT_SHARING),
        level=policy.DEFAULT_LEVEL if level is None else int(level),
        calibration_due=_day(given["calibration_due"]),
    )  # fmt: skip
    check(new)
    return new


def _text(row: Mapping[str, Any], headings: Sequence[str]) -> str:
    found = next((row[heading] for heading in headings if row.get(heading) not in (None, "")), "")
    return str(found).strip()


def _number(text: str, name: str) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        raise BadDeviceError(name, Text(f"“{text[:40]}”不是数字", f"“{text[:40]}” is no number.")) from None
    if number != number or abs(number) > 1e7:  # noqa: PLR0124 -- only NaN differs from itself
        raise BadDeviceError(name, Text(f"“{text[:40]}”超出范围", f"“{text[:40]}” is out of range."))
    return number


def _day(text: str) -> int | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text[:10].replace("/", "-"))
    except ValueError:
        raise BadDeviceError(
            "calibration_due", Text("应为日期，如 2027-03-01", "is a date, as 2027-03-01.")
        ) from None
    found = instant_of_text(f"{day.isoformat()}T00:00")
    return None if found is None else found.micros


def _take(writing: Writing, new: NewDevice, told: Imported) -> None:
    known = _found(writing.session, new.owner, new.key)
    if known is None:
        add(writing, new)
        told.new += 1
        return
    fields = ("kind", "height", "height_datum", "calibration_due")
    values = {name: getattr(new, name) for name in fields if getattr(new, name) not in (None, known[name])}
    moved = _moved(writing.session, known["thing_id"], new)
    if values:
        change(writing, known["thing_id"], values)
    if moved:
        place = writing.create(
            ENTITIES["Location"], _location(new), ownership=Ownership(new.owner, new.sharing, new.level)
        )
        writing.move(known["thing_id"], [place])
    if values or moved:
        told.changed += 1
    else:
        told.same += 1


def _moved(session: Session, thing: int, new: NewDevice) -> bool:
    """Say whether a device is told to be elsewhere, by more than a hand's breadth."""
    if new.lon is None or new.lat is None:
        return False
    asked = (
        select(_LOCATIONS.c.west, _LOCATIONS.c.south)
        .join(_PLACES, _PLACES.c.location_id == _LOCATIONS.c.id)
        .where(_PLACES.c.thing_id == thing)
    )
    row = session.execute(asked).first()
    return (
        row is None or row.west is None or abs(row.west - new.lon) > 1e-6 or abs(row.south - new.lat) > 1e-6
    )


__all__ = [
    "DATUMS", "STATES", "WORKS", "Finding", "Imported", "NewDevice", "add", "change", "counted",
    "import_table", "last_seen", "listed", "one", "sign_off", "streams_of", "work", "works_of",
]  # fmt: skip
