"""Devices of the city: lists, one device, registration, maintenance, sign-off, and import from a table."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from jingwei import access
from jingwei.lake.tables import rows_of
from jingwei.sense import devices, policy
from jingwei.sense.entities import ENTITIES
from jingwei.sense.series import micros_of
from jingwei.sense.writing import Writing, finish
from jingwei.web import problems
from jingwei.web.answers import instant_of
from jingwei.web.policies import filtered
from jingwei.web.reader import AskerOf
from jingwei.web.routes.sta import sensing_of
from jingwei.web.texts import TextOut, text_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from jingwei.access import Asker
    from jingwei.sense.service import Sensing
    from jingwei.sense.sight import Sight

router = APIRouter(prefix="/sense/devices", tags=["sense"], responses=problems.responses(400, 403, 404, 409))

TABLE = "/api/sense/devices/table"
UPLOADS = {TABLE: 64 << 20}
reads = [filtered(policy.READ)]
keeps = [filtered(policy.WRITE)]
Device = Annotated[int, Path(ge=1, lt=1 << 62)]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DeviceOut(BaseModel):
    """A device as it is kept."""

    id: int = Field(description="The id of its Thing in SensorThings")
    identifier: str = Field(description="Its identifier in the registry")
    key: str
    name: str
    kind: str
    state: str
    owner: str
    sharing: str
    level: int
    lon: float | None
    lat: float | None
    exact: bool
    cell: str | None = Field(description="The stored grid code, as text, where the place is shown as it is")
    height: float | None = Field(description="Metres above `height_datum`")
    height_datum: str | None
    battery: float | None
    battery_seen: str | None
    calibrated: str | None
    calibration_due: str | None
    last_seen: str | None = Field(description="When a reading of it last came")
    signed_off: datetime | None
    signed_off_by: str | None
    streams: int


class DevicesOut(BaseModel):
    """A page of devices."""

    devices: list[DeviceOut]
    next: int | None = Field(description="Go on after this id")


class WorkOut(BaseModel):
    """Work done on a device."""

    at: str
    until: str | None
    kind: str
    note: str
    by: str


class WholeOut(BaseModel):
    """A device with its streams and the work done on it."""

    device: DeviceOut
    owner_title: str
    streams: list[dict[str, Any]]
    works: list[WorkOut]
    may_keep: bool = Field(description="Whether the asker may change it")


class CountsOut(BaseModel):
    """How many devices there are of each state and kind."""

    state: dict[str, int]
    kind: dict[str, int]


class DeviceIn(_In):
    """A device to be registered. Degrees, CGCS2000 or WGS84."""

    key: str = Field(min_length=1, max_length=200)
    name: str = Field(min_length=1, max_length=400)
    kind: str = Field(min_length=1, max_length=80)
    owner: str = Field(default="", max_length=18)
    lon: float | None = Field(default=None, ge=-180, le=180)
    lat: float | None = Field(default=None, ge=-90, le=90)
    height: float | None = Field(default=None, ge=-20_000, le=100_000)
    height_datum: str | None = Field(default=None, max_length=40)
    description: str = Field(default="", max_length=4000)
    sharing: Literal["unconditional", "conditional", "none"] = "conditional"
    level: int = Field(default=2, ge=1, le=4)


class ChangeIn(_In):
    """What is to be changed of a device."""

    kind: str | None = Field(default=None, min_length=1, max_length=80)
    state: Literal["planned", "installed", "active", "faulty", "retired"] | None = None
    height: float | None = Field(default=None, ge=-20_000, le=100_000)
    height_datum: str | None = Field(default=None, max_length=40)
    battery: float | None = Field(default=None, ge=0, le=100)
    calibration_due: AwareDatetime | None = None


class WorkIn(_In):
    """Work done on a device."""

    kind: Literal["inspection", "repair", "calibration", "battery", "cleaning", "other"]
    note: str = Field(default="", max_length=1000)
    at: AwareDatetime | None = Field(default=None, description="When it began; now where it is left out")
    until: AwareDatetime | None = Field(
        default=None, description="Until then what the device says, or does not, is no fault of it"
    )
    due: AwareDatetime | None = Field(default=None, description="When the next calibration is due")


class FindingOut(BaseModel):
    """What stands against a row of a table."""

    row: int
    column: str
    says: TextOut


class ImportedOut(BaseModel):
    """What became of a table."""

    new: int
    changed: int
    same: int
    findings: list[FindingOut]
    findings_count: int


def _micros(value: int | None) -> str | None:
    return None if value is None else instant_of(value)


def _out(sight: Sight, sensing: Sensing, row: dict[str, Any], streams: list[dict[str, Any]]) -> DeviceOut:
    shape = sight.shape(row)
    exact = sight.place_level(row) >= policy.FINEST
    middle = None if shape is None or shape.is_empty else shape.centroid
    kept = {
        name: row[name]
        for name in ("identifier", "key", "name", "kind", "state", "owner", "sharing", "level")
    }
    return DeviceOut(
        **kept,
        id=row["thing_id"],
        lon=None if middle is None else middle.x,
        lat=None if middle is None else middle.y,
        exact=exact,
        cell=str(row["cell"]) if exact and row["cell"] is not None else None,
        height=row["height"] if exact else None,
        height_datum=row["height_datum"] if exact else None,
        battery=row["battery"],
        battery_seen=_micros(row["battery_seen"]),
        calibrated=_micros(row["calibrated"]),
        calibration_due=_micros(row["calibration_due"]),
        last_seen=_micros(devices.last_seen(sensing.readings, streams)),
        signed_off=row["signed_off"],
        signed_off_by=row["signed_off_by"],
        streams=len(streams),
    )


@router.get("", summary="Devices", dependencies=reads)
def read_devices(
    request: Request,
    asker: AskerOf,
    search: Annotated[str, Query(max_length=80, description="Part of a name or key, or an identifier")] = "",
    kind: Annotated[str, Query(max_length=80)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    owner: Annotated[str, Query(max_length=18)] = "",
    due: Annotated[bool, Query(description="Only those whose calibration is due")] = False,
    after: Annotated[int, Query(ge=0, lt=1 << 62)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> DevicesOut:
    """Return a page of the devices that the asker sees."""
    sensing = sensing_of(request)
    chosen = {"search": search, "kind": kind, "state": state, "owner": owner}
    with sensing.records.read() as session:
        sight = sensing.sight(session, asker)
        found = devices.listed(sight, **chosen, due=due, after=after, limit=limit)
        streams = devices.streams_of(session, [one["thing_id"] for one in found])
        told = [_out(sight, sensing, one, streams[one["thing_id"]]) for one in found]
    return DevicesOut(devices=told, next=told[-1].id if len(told) == limit else None)


@router.get("/counts", summary="How many devices are in which state", dependencies=reads)
def read_counts(request: Request, asker: AskerOf) -> CountsOut:
    """Return how many of the devices that the asker sees are of each state and kind."""
    sensing = sensing_of(request)
    with sensing.records.read() as session:
        return CountsOut.model_validate(devices.counted(sensing.sight(session, asker)))


@router.get("/{device}", summary="A device", dependencies=reads)
def read_device(request: Request, asker: AskerOf, device: Device) -> WholeOut:
    """Return a device with its streams, their newest readings, and the work done on it."""
    sensing = sensing_of(request)
    with sensing.records.read() as session:
        sight = sensing.sight(session, asker)
        row = devices.one(sight, device)
        streams = devices.streams_of(session, [device])[device]
        works = devices.works_of(session, device)
        title = access.titles_of(session, [row["owner"]]).get(row["owner"], "") if row["owner"] else ""
        may_keep = sight.may(policy.WRITE, ENTITIES["Thing"], row | {"id": device})
        return WholeOut(
            device=_out(sight, sensing, row, streams),
            owner_title=title,
            streams=[{"id": one["id"], "name": one["name"], "unit": one["unit"]} for one in streams],
            works=[
                WorkOut(
                    at=instant_of(one["at"]),
                    until=_micros(one["until"]),
                    kind=one["kind"],
                    note=one["note"],
                    by=one["by"],
                )
                for one in works
            ],
            may_keep=may_keep,
        )


def _changed(request: Request, asker: Asker, device: int, what: Callable[[Writing], None]) -> WholeOut:
    sensing = sensing_of(request)
    with sensing.records.write() as session:
        writing = Writing(sensing.sight(session, asker), sensing.readings)
        what(writing)
    finish(writing.after, sensing.readings)
    return read_device(request, asker, device)


@router.post("", summary="Register a device", status_code=201, dependencies=keeps)
def add_device(request: Request, asker: AskerOf, body: DeviceIn) -> WholeOut:
    """Register a device: a Thing with its Location, and an identifier of the registry."""
    sensing = sensing_of(request)
    with sensing.records.write() as session:
        writing = Writing(sensing.sight(session, asker), sensing.readings)
        thing = devices.add(writing, devices.NewDevice(**body.model_dump()))
    finish(writing.after, sensing.readings)
    return read_device(request, asker, thing)


@router.patch("/{device}", summary="Change what is kept about a device", dependencies=keeps)
def change_device(request: Request, asker: AskerOf, device: Device, body: ChangeIn) -> WholeOut:
    """Change kind, state, height and its datum, battery, or when the calibration is due."""
    values = body.model_dump(exclude_unset=True)
    values = {
        name: value for name, value in values.items() if value is not None or name not in ("kind", "state")
    }
    if values.get("calibration_due") is not None:
        values["calibration_due"] = micros_of(values["calibration_due"])
    return _changed(request, asker, device, lambda writing: devices.change(writing, device, values))


@router.post("/{device}/works", summary="Keep that work was done on a device", dependencies=keeps)
def add_work(request: Request, asker: AskerOf, device: Device, body: WorkIn) -> WholeOut:
    """Keep an inspection, a repair, a calibration or other work."""
    at, until, due = (None if one is None else micros_of(one) for one in (body.at, body.until, body.due))

    def work(writing: Writing) -> None:
        devices.work(writing, device, body.kind, body.note, at=at, until=until, due=due)

    return _changed(request, asker, device, work)


@router.post("/{device}/sign-off", summary="Sign a device off", dependencies=keeps)
def sign_off_device(request: Request, asker: AskerOf, device: Device) -> WholeOut:
    """Take a device into service."""
    return _changed(request, asker, device, lambda writing: devices.sign_off(writing, device))


@router.put(
    "/table",
    summary="Import a table of devices",
    dependencies=keeps,
    responses=problems.responses(413),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def import_devices(
    request: Request,
    asker: AskerOf,
    name: Annotated[
        str, Query(max_length=200, examples=["devices.csv"], description="Its end says the form")
    ],
    crs: Annotated[
        str, Query(max_length=40, examples=["GCJ-02"], description="The coordinate system of the table")
    ],
    owner: Annotated[str, Query(max_length=18, description="The department of rows that name none")] = "",
) -> ImportedOut:
    """Register the devices of a table, or change those that are registered; bad rows are told and left out.

    Columns: `key` (设备编号), `name` (设备名称), `kind` (设备类型), and as known `owner` (部门代码),
    `lon` (经度), `lat` (纬度), `height` (高程), `height_datum` (高程基准), `sharing` (共享类型),
    `level` (分级), `calibration_due` (检定有效期).
    """
    content = await request.body()
    return await run_in_threadpool(_imported, sensing_of(request), asker, name, content, crs, owner)


def _imported(sensing: Sensing, asker: Asker, name: str, content: bytes, crs: str, owner: str) -> ImportedOut:
    rows = rows_of(name, content)
    with sensing.records.write() as session:
        writing = Writing(sensing.sight(session, asker), sensing.readings)
        told = devices.import_table(writing, rows, crs, owner)
    finish(writing.after, sensing.readings)
    return ImportedOut(
        new=told.new,
        changed=told.changed,
        same=told.same,
        findings=[
            FindingOut(row=one.row, column=one.column, says=text_out(one.says))
            for one in told.findings[:1000]
        ],
        findings_count=len(told.findings),
    )
