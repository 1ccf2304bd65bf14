"""Open data of cases: what the public is told of all of them, as a dataset of the lake with its contract.

It goes the way of every file that is handed in: addressed, checked, versioned. Places are those of grid cells
some 250 m wide, areas those of communities; where fewer cases than `least_count` lie in one, it is left out
or told as the coarser area. No words, no photographs, nothing of a person.
"""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from jingwei import access, grid
from jingwei.access import local_person
from jingwei.access.policy import RefusedError
from jingwei.cases import plain, public
from jingwei.cases.calendar import moment
from jingwei.cases.policy import STRANGER
from jingwei.city import intake
from jingwei.city.assessing import adopt_contract
from jingwei.errors import NotFoundError
from jingwei.lake import contracting, lineage
from jingwei.lake.contracts import Contract, FieldTerms
from jingwei.lake.errors import BusyError
from jingwei.lake.models import VersionRow
from jingwei.ledger.threads import in_rounds
from jingwei.records import now_utc

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.cases.board import Board
    from jingwei.cases.service import Desk
    from jingwei.city import City
    from jingwei.city.loader import SourceReport
    from jingwei.lake import Lake, Version

DATASET = "public_cases"
LEVEL = 18
"""Of the grid cells by which places are told: 8 seconds of arc, some 250 m."""
PAUSE, AFTERWARDS = 600.0, 6 * 3600.0
"""Seconds between two looks; and after a version, or what became none for nothing had changed."""
RETENTION_DAYS = 30
AREA_DIGITS = (12, 9, 6)
COLUMNS: dict[str, tuple[pa.DataType, str]] = {
    "number": (pa.string(), "编号"),
    "kind": (pa.string(), "种类（component 部件，matter 事项）"),
    "type": (pa.string(), "类别代码"),
    "type_name": (pa.string(), "类别"),
    "state": (pa.string(), "进展"),
    "ended": (pa.bool_(), "是否已了结"),
    "office": (pa.string(), "办理单位"),
    "area": (pa.string(), "社区、街道或区代码"),
    "area_name": (pa.string(), "社区、街道或区名称"),
    "lon": (pa.float64(), "所在网格中心经度（度，WGS84）"),
    "lat": (pa.float64(), "所在网格中心纬度（度，WGS84）"),
    "reported": (pa.string(), "上报时间（UTC，到小时）"),
    "closed": (pa.string(), "了结时间（UTC，到小时）"),
    "handled_on_time": (pa.bool_(), "是否按期处置"),
    "reworks": (pa.int32(), "返工次数"),
    "reopened": (pa.int32(), "重新办理次数"),
}
"""The columns, and what they hold."""
_ASKED = (
    "number", "kind", "type", "state", "ended", "department", "area", "lon", "lat", "reported", "closed_at",
    "handled", "handle_on_time", "reworks", "reopened",
)  # fmt: skip


def table_of(session: Session, desk: Desk, board: Board) -> pa.Table:
    """Return all cases of which the public is told, in the order of their numbers.

    Returns
    -------
    pyarrow.Table
        With the columns of `COLUMNS`; `lon` and `lat` are degrees, WGS84.

    """
    regime = desk.regime(session)
    least = regime.settings.least_count
    board.refresh()
    where, given = board.allowed(STRANGER, public.choice())
    rows = board.ask(
        f"SELECT {', '.join(_ASKED)} FROM cases WHERE {where} ORDER BY number", given
    ).to_pylist()
    titles = access.titles_of(session, {row["department"] for row in rows if row["department"]})
    areas = _areas([row["area"] for row in rows], least)
    places = _places([(row["lon"], row["lat"]) for row in rows], least)
    names = regime.settings.area_names
    told = [
        {
            "number": row["number"], "kind": row["kind"], "type": row["type"],
            "type_name": regime.catalogue.get(row["kind"], row["type"]).name.zh,
            "state": plain.says(row["state"])["title"].zh, "ended": row["ended"],
            "office": titles.get(row["department"] or ""), "area": area or None, "area_name": names.get(area),
            "lon": place[0], "lat": place[1], "reported": _hour(row["reported"]),
            "closed": _hour(row["closed_at"]),
            "handled_on_time": row["handle_on_time"] if row["handled"] else None,
            "reworks": row["reworks"], "reopened": row["reopened"],
        }
        for row, area, place in zip(rows, areas, places, strict=True)
    ]  # fmt: skip
    schema = pa.schema([(name, type_) for name, (type_, _) in COLUMNS.items()])
    return pa.Table.from_pylist(told, schema)


def _hour(when: int | None) -> str | None:
    return None if when is None else moment(when).astimezone(UTC).strftime("%Y-%m-%dT%H:00:00Z")


def _areas(codes: list[str], least: int) -> list[str]:
    """Return each code as fine as there are enough of it: community, street, district, nothing."""
    counts: Counter[str] = Counter()
    for digits in AREA_DIGITS:
        counts.update(code[:digits] for code in codes if len(code) >= digits)
    return [
        next((code[:n] for n in AREA_DIGITS if len(code) >= n and counts[code[:n]] >= least), "")
        for code in codes
    ]


def _places(
    places: list[tuple[float | None, float | None]], least: int
) -> list[tuple[float | None, float | None]]:
    """Return the centre of each place's cell; of those with too few cases nothing."""
    known = [n for n, (lon, lat) in enumerate(places) if lon is not None and lat is not None]
    found: list[tuple[float | None, float | None]] = [(None, None)] * len(places)
    if not known:
        return found
    degrees = np.array([places[n] for n in known], np.float64)
    cells = grid.encode(degrees[:, 0], degrees[:, 1], LEVEL)
    different, inverse, counts = np.unique(cells, return_inverse=True, return_counts=True)
    lon, lat = grid.centre(different, LEVEL)
    for n, one in zip(known, inverse.tolist(), strict=True):
        if counts[one] >= least:
            found[n] = (round(float(lon[one]), 6), round(float(lat[one]), 6))
    return found


# publishing


def publish(city: City, desk: Desk, board: Board) -> SourceReport:
    """Publish the cases as they are now as the next version of the dataset; nothing changes if they did not.

    The first time a contract is put in force; from then on it is the city's to change.

    Raises
    ------
    BusyError
        While another program writes into the city.

    """
    with city.records.read() as session:
        table = table_of(session, desk, board)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    me = local_person()
    file = intake.receive(city, me, f"{DATASET}.parquet", [buffer.getvalue()])
    report = intake.load_file(city, me, file.id, _source(), new_layout=True)
    if report.stage in ("published", "unchanged"):
        with city.records.read() as session:
            agreed = contracting.in_force(session, DATASET)
        if agreed is None:
            adopt_contract(city, me, contract(), after=0)
    return report


def _source() -> dict[str, Any]:
    """Return how the file is to be read, with the keys of a city's manifest."""
    return {
        "id": DATASET,
        "title": {"zh": "案件开放数据", "en": "Open data of cases"},
        "description": {
            "zh": "公众可知的案件：类别、进展、单位、地区与时间；位置为约 250 米网格的中心，不含文字与照片。",
            "en": "Cases as the public is told of them: type, progress, office, area and time. Places are"
            " centres of cells of some 250 m; there are no words and no photographs.",
        },
        "keys": ["number"],
        "text": ["number", "type", "area"],
        "place": {"lon": "lon", "lat": "lat", "crs": "WGS84", "level": LEVEL},
        "time": {"column": "reported", "zone": "UTC", "precision": "hour"},
        "update_cycle": "daily",
        "sharing": "unconditional",
        "level": 1,
        "fields": {name: {"personal": False, "level": 1} for name in COLUMNS},
    }


def used_by(lake: Lake, _: Asker, version: Version) -> Iterator[lineage.Use]:
    """Tell of a version of the open data that anybody may have it, as far as the policies let strangers."""
    if version.dataset != DATASET:
        return
    try:
        lake.check(STRANGER, "export", DATASET)
    except (RefusedError, NotFoundError):
        return
    yield lineage.Use(
        "open-data",
        version.published,
        f"dataset/{DATASET}",
        version.number,
        None,
        ("csv", "geojson", "parquet"),
    )


lineage.USED_BY.append(used_by)


def contract() -> Contract:
    """Return what the dataset is agreed to hold, to begin with."""
    types: Mapping[str, str] = {"bool": "boolean", "double": "number", "int32": "integer"}
    unlike: dict[str, dict[str, Any]] = {
        "number": {"required": True, "unique": True},
        "kind": {"required": True, "codes": ["component", "matter"]},
        "type": {"required": True, "pattern": "[0-9]{5}"},
        "state": {"required": True},
        "ended": {"required": True},
        "area": {"pattern": "[0-9A-Z]{6,12}"},
        "lon": {"least": -180.0, "most": 180.0},
        "lat": {"least": -90.0, "most": 90.0},
        "reworks": {"least": 0.0},
        "reopened": {"least": 0.0},
    }
    fields = [
        FieldTerms(
            name=name, title=says, type=types.get(str(type_), "text"),  # type: ignore[arg-type]
            personal=False, level=1, **unlike.get(name, {}),
        )
        for name, (type_, says) in COLUMNS.items()
    ]  # fmt: skip
    return Contract(
        dataset=DATASET,
        title="案件开放数据 / Open data of cases",
        purpose="供公众了解和再利用；不含个人信息。"
        "For everybody to know and to use; nothing of it is personal.",
        fields=fields,
        retention_days=RETENTION_DAYS,
    )


def published_at(session: Session) -> datetime | None:
    """Return when the dataset was published last; None where it never was."""
    newest = select(VersionRow.published).where(VersionRow.dataset == DATASET)
    return session.scalar(newest.order_by(VersionRow.published.desc()).limit(1))


def due(city: City, desk: Desk, now: datetime) -> bool:
    """Say whether the settings want a new version by now."""
    with city.records.read() as session:
        days = desk.regime(session).settings.open_data_days
        last = published_at(session) if days else None
    return bool(days) and (last is None or last + timedelta(days=days) <= now)


@contextlib.contextmanager
def publishing(city: City, desk: Desk, board: Callable[[], Board]) -> Iterator[None]:
    """Publish whenever it is due, in a thread of its own, while the block lasts."""

    def work() -> float:
        try:
            if not due(city, desk, now_utc()):
                return PAUSE
            publish(city, desk, board())  # not kept: it is large, and seldom asked here
        except BusyError:  # another program writes: it is tried again soon
            return PAUSE
        return AFTERWARDS

    with in_rounds("publishing the open data of cases", work, AFTERWARDS, first=PAUSE):
        yield
