"""A city's files with planted faults: the same seed gives the same bytes and the same truth."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from lake.faults import addresses, cases, enterprises, lamps, people
from lake.faults.places import AREA, DIVISIONS, streets
from lake.faults.sheets import Agreement, Column, Fault, File, Oddity, Sheet


@dataclass(frozen=True)
class Version:
    """A later version of a file, and whether it changed more than was agreed."""

    title: str
    file: File
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class Planted:
    """Files by name, the truth about them, what is odd and right in them, and later versions of some."""

    today: date
    files: dict[str, File]
    area: bytes
    faults: tuple[Fault, ...]
    oddities: tuple[Oddity, ...]
    versions: tuple[Version, ...]


def planted(seed: int = 0, today: date = date(2026, 6, 30)) -> Planted:
    """Write the files as they stand on ``today``, by which ages and stale rows are counted."""
    rng = np.random.default_rng(seed)
    laid = streets(rng, today)
    address = addresses.addresses(rng, laid, today)
    doors = [(r["地址编码"], r["行政区划代码"], r["标准地址"]) for r in address.rows]
    firms = enterprises.enterprises(rng, doors, today)
    owners = [r["统一社会信用代码"] for r in firms.rows[:25]]
    lamp = lamps.lamps(rng, laid, owners, today)
    residents = people.people(rng, [d[0] for d in doors], today)
    enterprises.look_alikes(firms)
    known = {r["统一社会信用代码"] for r in firms.rows}

    addresses.spoil(address, today)
    enterprises.spoil(firms, set(owners), today)
    lamps.spoil(lamp, sorted(known), today)
    people.spoil(residents, [d[0] for d in doors], today)
    lamp_rows, lamp_faults, _ = lamp.finish()
    spoilt = {f.row for f in lamp_faults} | {f.of for f in lamp_faults}
    case = cases.cases(rng, laid, [r for i, r in enumerate(lamp_rows) if i not in spoilt], today)
    cases.look_alikes(case)
    cases.spoil(case, today)

    files = {"行政区划": _divisions()}
    faults: list[Fault] = []
    oddities: list[Oddity] = []

    def finish(sheet: Sheet, form: Any) -> None:
        rows, wrong, odd = sheet.finish()
        files[sheet.name] = form(sheet, rows)
        faults.extend(wrong)
        oddities.extend(odd)

    finish(address, addresses.file)
    finish(firms, enterprises.file)
    finish(lamp, lamps.file)
    finish(residents, people.file)
    finish(case, lambda sheet, rows: cases.file(sheet, rows, today))
    return Planted(
        today, files, _area(), tuple(faults), tuple(oddities), tuple(_versions(files["企业登记"], rng))
    )


def _versions(before: File, rng: np.random.Generator) -> list[Version]:
    rows, count = before.rows, len(before.rows)
    usual = [r for r in rows if rng.random() > 0.01]
    usual = [{**r, "联系电话": None} if rng.random() < 0.01 else r for r in usual]
    gone = [r for r in rows if r["行政区划代码"] not in {"330106", "330109"}]
    gone = gone[: int(count * 0.66)]
    empty = [{**r, "联系电话": None} if rng.random() < 0.45 else r for r in rows]
    name = before.name
    return [
        Version(
            "as usual: one in a hundred gone, a few numbers less", replace(before, rows=tuple(usual)), ()
        ),
        Version(
            "a third of the rows is missing",
            replace(before, rows=tuple(gone)),
            (Fault(name, None, None, "sudden-change"),),
        ),
        Version(
            "half of the telephone numbers are missing",
            replace(before, rows=tuple(empty)),
            (Fault(name, None, "联系电话", "sudden-change"),),
        ),
    ]


def _divisions() -> File:
    rows = tuple({"代码": c, "名称": n, "启用日期": s, "废止日期": e} for c, n, s, e in DIVISIONS)
    columns = [Column("代码"), Column("名称"), Column("启用日期", "date"), Column("废止日期", "date")]
    agreement = Agreement("行政区划", "代码", columns)
    return File("行政区划", "csv", "utf-8", ",", rows, agreement.odcs())


def _area() -> bytes:
    ring = [list(p) for p in (*AREA, AREA[0])]
    feature = {
        "type": "Feature",
        "properties": {"name": "市域"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature]}, ensure_ascii=False).encode()
