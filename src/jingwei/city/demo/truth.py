"""What is true of a pack: faults set on purpose, what each row really is, the events and the measures."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from jingwei.city.demo import clock
from jingwei.city.demo.arrays import Floats, Ints, Texts
from jingwei.city.demo.forms import write_parquet
from jingwei.city.demo.latent import KIND_NAMES, Events
from jingwei.city.demo.process import CITY_WIDE_RELIEF, WATER_SAVING_EFFECT
from jingwei.city.demo.town import Town

FOLDER = "truth"

FAULTS = {
    "null": "the value is missing",
    "minus-one": "-1 (or -999) stands for a missing value",
    "default-point": "the point is a default, not the place",
    "swapped": "longitude and latitude are swapped",
    "duplicate": "the row repeats another one",
    "check-digit": "the check digit is wrong",
    "stale": "what the row says has ended",
    "one-address": "many households are registered at one public toilet",
    "dead": "the sensor has fallen silent",
    "stuck": "the sensor repeats one value",
    "drift": "the sensor drifts away from the truth",
    "late": "the reading arrived long after its time",
    "future": "the reading bears a time to come",
    "code-table": "the code is of a table that was replaced in mid-year",
    "no-place": "the address has no coordinates",
}


@dataclass(slots=True)
class Truth:
    """The ledger of what is true, filled while a pack is written.

    Rows are counted from 1 as data rows of the source (without header rows), in the order of the file; for
    series they name the device and a span of time instead.
    """

    source: list[Texts] = field(default_factory=list)
    row: list[Ints] = field(default_factory=list)
    column: list[Texts] = field(default_factory=list)
    fault: list[Texts] = field(default_factory=list)
    true_value: list[Texts] = field(default_factory=list)
    entity_source: list[Texts] = field(default_factory=list)
    entity_row: list[Ints] = field(default_factory=list)
    entity: list[Texts] = field(default_factory=list)
    devices: list[dict[str, Any]] = field(default_factory=list)

    def note(
        self, source: str, rows: Ints, column: str, fault: str, true_value: Texts | Floats | Ints | str
    ) -> None:
        """Record a fault in some rows (counted from 0) of a source."""
        count = len(rows)
        values = np.broadcast_to(np.asarray(true_value, dtype=object), count)
        self.source.append(np.full(count, source, dtype=object))
        self.row.append(np.asarray(rows, dtype=np.int64) + 1)
        self.column.append(np.full(count, column, dtype=object))
        self.fault.append(np.full(count, fault, dtype=object))
        self.true_value.append(
            np.array(["" if value is None else str(value) for value in values], dtype=object)
        )

    def note_device(
        self, source: str, device: str, fault: str, start: int, end: int, detail: str = ""
    ) -> None:
        """Record a fault of a sensor between two steps."""
        self.devices.append(
            {
                "source": source,
                "device": device,
                "fault": fault,
                "from": clock.moment_of(start).isoformat(),
                "to": clock.moment_of(end).isoformat(),
                "detail": detail,
            }
        )

    def identify(self, source: str, kind: str, number: Ints | Texts) -> None:
        """Record which entity each row of a source really is."""
        self.entity_source.append(np.full(len(number), source, dtype=object))
        self.entity_row.append(np.arange(1, len(number) + 1))
        self.entity.append(
            np.asarray([f"{kind}/{value}" for value in np.asarray(number).tolist()], dtype=object)
        )

    def write(self, folder: Path, town: Town, events: Events) -> None:
        """Write the truth beside the pack's files; no manifest names it, so no load reads it."""
        folder.mkdir(parents=True, exist_ok=True)
        write_parquet(
            folder / "faults.parquet",
            {
                "source": _joined(self.source),
                "row": _joined(self.row, np.int64),
                "column": _joined(self.column),
                "fault": _joined(self.fault),
                "true_value": _joined(self.true_value),
            },
        )
        write_parquet(
            folder / "entities.parquet",
            {
                "source": _joined(self.entity_source),
                "row": _joined(self.entity_row, np.int64),
                "entity": _joined(self.entity),
            },
        )
        _write_events(folder / "events.parquet", town, events)
        _write_json(folder / "devices.json", {"faults": self.devices})
        _write_json(folder / "measures.json", {"measures": measures_of(town)})
        _write_json(folder / "legend.json", {"faults": FAULTS, "events": KIND_NAMES})


def measures_of(town: Town) -> list[dict[str, Any]]:
    """Return the three planted measures with their true effects."""
    world, devices = town.world, town.devices

    def began(part: float) -> str:
        days = round(part * town.settings.scale.days)
        return (world.first_day + timedelta(days=days)).isoformat()

    return [
        {
            "id": "water-saving",
            "name": {"zh": "老旧小区节水改造", "en": "Water-saving refit of old housing"},
            "indicator": {"source": "water_use", "column": "用水量"},
            "began": began(0.5),
            "treated": town.layout.divisions.communities.codes[devices.treated_water].tolist(),
            "true_effect": WATER_SAVING_EFFECT,
            "why": "planted: use falls by 12 % in the treated communities and nowhere else",
        },
        {
            "id": "lighting",
            "name": {"zh": "楼道照明节能改造", "en": "Energy-saving lights in stairwells"},
            "indicator": {"source": "power_use", "column": "用电量"},
            "began": began(0.55),
            "treated": town.layout.divisions.communities.codes[devices.treated_light].tolist(),
            "true_effect": 0.0,
            "why": "planted: nothing changes",
        },
        {
            "id": "staggered-travel",
            "name": {"zh": "重点路段错峰出行倡导", "en": "Call for staggered travel on main roads"},
            "indicator": {"source": "road_speeds", "column": "平均车速"},
            "began": began(0.62),
            "treated": devices.traffic.code[devices.treated_traffic].tolist(),
            "true_effect": 0.0,
            "why": f"planted: delays fall by {-CITY_WIDE_RELIEF:.0%} on all sections, treated or not",
        },
    ]


def _write_events(path: Path, town: Town, events: Events) -> None:
    longitude, latitude = town.layout.frame.to_degrees(events.x, events.y)
    whole = np.isinf(events.radius)
    write_parquet(
        path,
        {
            "serial": events.serial,
            "kind": events.kind,
            "name": np.array([KIND_NAMES[kind] for kind in events.kind], dtype=object),
            "start": (events.start * clock.MINUTES * 60).astype("datetime64[s]"),
            "end": (events.end * clock.MINUTES * 60).astype("datetime64[s]"),
            "longitude": np.where(whole, np.nan, longitude),
            "latitude": np.where(whole, np.nan, latitude),
            "radius_m": np.where(whole, np.nan, np.round(events.radius, 1)),
            "strength": np.round(events.strength, 3),
        },
    )


def _joined(parts: list[Any], dtype: Any = object) -> Any:
    return np.concatenate(parts) if parts else np.array([], dtype=dtype)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf-8")
