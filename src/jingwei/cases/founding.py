"""What a city pack says of its cases is taken in: staff, ground, inventory, rules, and the cases themselves.

Each part is taken in once for each content of its files. After that it is people who change it: grids, rules
and settings that the city has already are left alone, cases and components that are known already stay.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import shapely
from sqlalchemy import func, select

from jingwei import ledger
from jingwei.access import Asker, departments, give_role
from jingwei.access.models import PersonRow
from jingwei.access.people import asker_of_person, login_of
from jingwei.cases import regime as the_regime
from jingwei.cases.ground import Duty, Grid, put_default_points, put_duties, put_grids
from jingwei.cases.hotline import past
from jingwei.cases.hotline.knowledge import Draft, write
from jingwei.cases.hotline.models import ArticleRow
from jingwei.cases.hotline.past import PastCall
from jingwei.cases.importing import Form, Reading, import_table, read_histories
from jingwei.cases.inventory import put_components
from jingwei.cases.models import CaseRow, Responsibility, UnitGrid
from jingwei.cases.photos import FIELDS as PHOTO_FIELDS
from jingwei.cases.photos import FOLDER as PHOTOS_FOLDER
from jingwei.cases.photos import Photos
from jingwei.cases.rules import read_rules
from jingwei.cases.settings import CalendarContent
from jingwei.city.areas import published, shape_of
from jingwei.errors import JingweiError
from jingwei.lake.errors import BadTableError
from jingwei.lake.forms import digest, open_form
from jingwei.ledger.models import encode_json
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.cases.schemas import Report
    from jingwei.cases.service import Desk
    from jingwei.city import City, Manifest
    from jingwei.city.cases_spec import (
        ArticlesSpec,
        CallsSpec,
        CasesSpec,
        CaseStaffSpec,
        HistorySpec,
        StepsSpec,
        TableSpec,
    )

PARTS = (
    "settings", "staff", "default_points", "grids", "duties", "components", "rules", "history", "steps",
    "articles", "calls",
)  # fmt: skip
"""In the order in which they are taken in: later ones need earlier ones."""
BATCH = 200
_PEOPLE = ("handler", "collector")
"""Fields of steps in which the table names people by how they sign in."""

Tell = Callable[[str, float], None]
"""Told a part and the share of it that is done."""


@dataclass
class Founded:
    """What was taken in: how much of each part, and the rows that could not be."""

    counts: dict[str, int] = field(default_factory=dict)
    faults: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def found_cases(
    city: City,
    desk: Desk,
    manifest: Manifest,
    folder: Path,
    asker: Asker,
    *,
    tell: Tell = lambda _part, _share: None,
) -> Founded:
    """Take in what a pack says of its cases, as far as that is new.

    Parameters
    ----------
    city, desk
        The open city, and the desk of its cases.
    manifest, folder
        The pack's manifest and the folder of its files.
    asker
        On whose behalf.
    tell
        Told how far it is.

    Raises
    ------
    BadTableError, BadRulesError, FormError
        Naming the file and what is wrong with it; the part it belongs to is not taken.

    """
    if manifest.cases is None:
        return Founded()
    return _Founding(city, desk, manifest, folder, asker, tell).take_in(manifest.cases)


class _Founding:
    def __init__(
        self, city: City, desk: Desk, manifest: Manifest, folder: Path, asker: Asker, tell: Tell
    ) -> None:
        self.city, self.desk, self.manifest, self.folder = city, desk, manifest, folder
        self.asker, self.tell = asker, tell
        self.founded = Founded()
        self._read: dict[str, pa.Table] = {}
        self._now = now_utc()

    def take_in(self, spec: CasesSpec) -> Founded:
        for part in PARTS:
            content = getattr(spec, part)
            if not content:
                continue
            mark = self._mark(spec, part)
            subject = f"cases/pack/{part}"
            with self.city.records.read() as session:
                before = ledger.events_of(session, subject, limit=1000)
                if any(one.data and one.data["digest"] == mark for one in before):
                    continue
            self.tell(part, 0.0)
            count = getattr(self, f"_{part}")(content)
            self.founded.counts[part] = count
            self.tell(part, 1.0)
            told = {
                "digest": mark, "count": count, "faults": len(self.founded.faults.get(part, ())),
                "versions": self._versions(spec, part),
            }  # fmt: skip
            with self.city.records.write() as session:
                ledger.append(session, "case.pack_taken", actor=self.asker.id, subject=subject, data=told)
        return self.founded

    def _versions(self, spec: CasesSpec, part: str) -> dict[str, int]:
        """Return the version of each dataset of whose source a part is."""
        tables = [table for name, table in spec.tables().items() if name in _tables_of(part)]
        named = {table.source for table in tables if table.source}
        areas = [area for table in tables if (area := getattr(table, "within", None)) is not None]
        named |= {area.source for area in areas}
        known = {name: published(self.city.lake, name) for name in sorted(named)}
        return {name: version.number for name, version in known.items() if version is not None}

    def _mark(self, spec: CasesSpec, part: str) -> str:
        """Return the digest of what a part says and of the files that it is read from."""
        tables, names = spec.tables(), _tables_of(part)
        files = [digest(path) for name in names if name in tables for path in self._paths(tables[name])]
        content = spec.model_dump(mode="json")[part]
        return hashlib.sha256(encode_json([content, files])).hexdigest()

    # tables

    def _paths(self, spec: TableSpec) -> list[Path]:
        if spec.file is not None:
            return [self.folder / spec.file]
        (source,) = [one for one in self.manifest.source if one.id == spec.source]
        if not any(mark in source.file for mark in "*?["):
            return [self.folder / source.file]
        return sorted(self.folder.glob(source.file))

    def _table(self, spec: TableSpec) -> pa.Table:
        """Return a table of the pack; one of a source is read as the source says."""
        name = spec.file or str(spec.source)
        if name not in self._read:
            read: dict[str, Any] = {"encoding": spec.encoding}
            if spec.source is not None:
                (source,) = [one for one in self.manifest.source if one.id == spec.source]
                read = {
                    name: getattr(source, name) for name in ("layer", "encoding", "delimiter", "header_row")
                }
                read["columns_as_text"] = source.text
            parts = []
            for path in self._paths(spec):
                with open_form(path, **read) as reading:
                    parts += [batch.table for batch in reading.batches()]
            self._read[name] = pa.Table.from_batches(parts)
        table = self._read[name]
        stated = {"file", "encoding", "source"}
        for key, value in spec:
            columns = value if isinstance(value, list) else [value]
            if key not in stated and key in _COLUMNS:
                for column in columns:
                    if column is not None and column not in table.column_names:
                        raise BadTableError(
                            name, Text(f"缺少列 {column}（{key}）", f"there is no column {column} ({key}).")
                        )
        return table

    def _rows(self, spec: TableSpec) -> Iterator[dict[str, str]]:
        """Yield the rows of a small table as texts, leading zeros kept."""
        if spec.source is not None:
            for row in self._table(spec).to_pylist():
                yield {name: _text(value) for name, value in row.items()}
            return
        path = self._paths(spec)[0]
        try:
            with path.open(encoding=spec.encoding or "utf-8-sig", newline="") as file:
                for row in csv.DictReader(file):
                    yield {name: _text(value) for name, value in row.items() if name is not None}
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise BadTableError(
                path.name, Text(f"无法读取：{error}", f"it cannot be read: {error}.")
            ) from error

    def _fault(self, part: str, row: int, what: Text) -> None:
        self.founded.faults.setdefault(part, []).append({"row": row, **what.as_json()})

    # the parts

    def _settings(self, content: Mapping[str, Any]) -> int:
        with self.city.records.write() as session:
            if the_regime.versions(session)[0]:
                return 0
            given = {"division": self.manifest.city.adcode, **content}
            the_regime.adopt(session, self.asker, "settings", given, note=self.manifest.city.id)
            if self.manifest.city.time_zone != CalendarContent().zone:
                zone = {"zone": self.manifest.city.time_zone}
                the_regime.adopt(session, self.asker, "calendar", zone, note=self.manifest.city.id)
        return len(content)

    def _staff(self, spec: CaseStaffSpec) -> int:
        rows = list(self._rows(spec))
        with self.city.records.write() as session:
            people = _people(session)
            walks, count = [], 0
            for number, row in enumerate(rows, start=2):
                person = people.get(login_of(row.get(spec.login, "")))
                if person is None:
                    continue
                try:
                    for role in spec.roles.get(row.get(spec.post, ""), ()):
                        give_role(session, self.asker, person, role, row[spec.department])
                        count += 1
                except JingweiError as error:
                    self._fault("staff", number, error.what)
                if spec.area and row.get(spec.area):
                    walks.append(Duty(row[spec.area], row[spec.department], person=f"person/{person}"))
            put_duties(session, self.asker, walks)
        return count

    def _default_points(self, points: list[tuple[float, float, str]]) -> int:
        with self.city.records.write() as session:
            return put_default_points(session, self.asker, points)

    def _grids(self, spec: Any) -> int:
        with self.city.records.read() as session:
            if session.scalar(select(func.count()).select_from(UnitGrid)):
                return 0
        table = self._table(spec)
        geometry = next(
            name for name in table.column_names if pa.types.is_binary(table.schema.field(name).type)
        )
        rows = table.to_pylist()
        grids = [
            Grid(
                _text(row[spec.code]),
                shapely.from_wkb(row[geometry]),
                _text(row[spec.duty_grid]) if spec.duty_grid else "",
                _text(row[spec.grade])[:10] if spec.grade else "",
            )
            for row in rows
        ]
        with self.city.records.write() as session:
            return put_grids(session, self.asker, grids)

    def _duties(self, spec: Any) -> int:
        with self.city.records.write() as session:
            whole = select(func.count()).select_from(Responsibility).where(Responsibility.person == "")
            if session.scalar(whole):
                return 0
            duties = [
                Duty(row[spec.area], row[spec.department], row[spec.kind], row[spec.type],
                     row[spec.person] if spec.person else "")
                for row in self._rows(spec)
            ]  # fmt: skip
            return put_duties(session, self.asker, duties)

    def _components(self, spec: Any) -> int:
        columns = {name: getattr(spec, name) for name in ("code", "name", "department", "area", "lon", "lat")}
        rows = [
            {name: row[column] for name, column in columns.items() if column}
            for row in self._table(spec).to_pylist()
        ]
        with self.city.records.write() as session:
            taken = put_components(session, self.asker, self.desk.regime(session), rows)
        self.founded.faults["components"] = taken.faults
        return taken.count

    def _rules(self, spec: TableSpec) -> int:
        with self.city.records.write() as session:
            now = self.desk.regime(session)
            if now.rules:
                return 0
            table = read_rules(self._rows(spec), now.catalogue)
            if table.types:
                the_regime.adopt(session, self.asker, "types", [*now.types, *table.types])
            the_regime.adopt(session, self.asker, "rules", table.rules, note=self.manifest.city.id)
        return len(table.rules)

    def _history(self, spec: HistorySpec) -> int:
        led = self._led()
        before = self._count()
        reading = import_table(
            self.city.records,
            self.desk,
            self.asker,
            self._table(spec),
            self._form(spec),
            unit_of=self._units(),
            without=led,
            tell=lambda done, whole: self.tell("history", done / whole) is None,
        )
        for kind, (what, rows) in reading.faults.items():
            self.founded.faults.setdefault("history", []).append(
                {"fault": kind, "count": len(rows), "rows": rows[:20], **what.as_json()}
            )
        return self._count() - before

    def _count(self) -> int:
        with self.city.records.read() as session:
            return int(session.scalar(select(func.count()).select_from(CaseRow)) or 0)

    def _units(self) -> dict[str, str]:
        with self.city.records.read() as session:
            return {one.title: one.code for one in departments(session)}

    def _led(self) -> set[str]:
        """Return the cases that are led through their steps."""
        assert self.manifest.cases is not None  # noqa: S101
        spec = self.manifest.cases.steps
        return {row[spec.case] for row in self._rows(spec)} if spec is not None else set()

    def _form(self, spec: HistorySpec) -> Form:
        boundary = self.city.about.boundary
        if spec.within is not None:
            version = published(self.city.lake, spec.within.source)
            boundary = shape_of(self.city.lake, spec.within, version) if version is not None else None
        elif boundary is not None:
            shapely.prepare(boundary)
        return Form(
            key=spec.key, when=spec.when, state=spec.state, types=spec.types,
            state_of={name: (one.state, one.late) for name, one in spec.states.items()},
            source=spec.channel, source_of=spec.channels, system=spec.system,
            division=spec.division or self.manifest.city.adcode,
            street=spec.street or "", community=spec.community or "",
            unit=spec.unit or "", unit_name=spec.unit_name or "", lon=spec.lon or "", lat=spec.lat or "",
            description=spec.description or "", late=spec.late or "", late_of=spec.late_words,
            area=spec.area or "", component=spec.component or "", hours=spec.hours or "", times=spec.times,
            zone=self.manifest.city.time_zone, boundary=boundary,
        )  # fmt: skip

    # the steps of those that go on

    def _steps(self, spec: StepsSpec) -> int:
        assert self.manifest.cases is not None  # noqa: S101
        history = self.manifest.cases.history
        assert history is not None  # noqa: S101
        with self.city.records.read() as session:
            catalogue = self.desk.regime(session).catalogue
        led = self._led()
        table = self._table(history)
        mine = pa.array([_text(key) in led for key in table[history.key].to_pylist()])
        reading: Reading = read_histories(table.filter(mine), self._form(history), catalogue, self._units())
        reports = {str(one.report.source_key).split("/", 1)[1]: one.report for one in reading.histories}
        steps = list(self._in_time(spec))
        numbers: dict[str, str] = {}
        count = 0
        for start in range(0, len(steps), BATCH):
            uploaded = self._upload(spec, steps[start : start + BATCH])
            with self.city.records.write() as session:
                play = _Play(self.desk, session, spec, reports, numbers, uploaded)
                for row, when, step in steps[start : start + BATCH]:
                    try:
                        with session.begin_nested():
                            play.take(step, when)
                    except JingweiError as error:
                        self._fault("steps", row, error.what)
                    except (KeyError, ValueError) as error:
                        unknown = Text(f"无法识别：{error}", f"it names what is not known: {error}.")
                        self._fault("steps", row, unknown)
                    else:
                        count += 1
            self.tell("steps", min(1.0, (start + BATCH) / len(steps)))
        return count

    def _upload(
        self, spec: StepsSpec, steps: Sequence[tuple[int, datetime, dict[str, str]]]
    ) -> dict[str, str]:
        """Take in the photographs that some steps name, for who took the step; return their digests."""
        photos = Photos(self.city.home / PHOTOS_FOLDER)
        with self.city.records.read() as session:
            people = _people(session)
        uploaded: dict[str, str] = {}
        for row, _, step in steps:
            try:
                fields = json.loads(step[spec.fields]) if step[spec.fields] else {}
                asker = Asker(f"person/{people[login_of(step[spec.person])]}", "")
                for name in (one for field in PHOTO_FIELDS for one in fields.get(field, ())):
                    content = self._file(str(name)).read_bytes()
                    uploaded[name] = photos.keep(
                        self.city.records, asker, content, self.manifest.zone()
                    ).digest
            except JingweiError as error:
                self._fault("steps", row, error.what)
            except (KeyError, ValueError, OSError):
                continue  # the step itself is told, for it names what is not there
        return uploaded

    def _file(self, name: str) -> Path:
        """Return a file of the pack; none outside of its folder."""
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise FileNotFoundError(name)
        return path

    # the hotline

    def _articles(self, spec: ArticlesSpec) -> int:
        rows = list(self._rows(spec))
        with self.city.records.write() as session:
            if session.scalar(select(func.count()).select_from(ArticleRow)):
                return 0
            for row in rows:
                asked = re.split(r"[;；]", row[spec.questions]) if spec.questions else []
                questions = tuple(one.strip() for one in asked if one.strip())
                draft = Draft(row[spec.title], row[spec.body], row[spec.department], questions)
                write(session, self.desk.policies(), self.asker, draft)
        return len(rows)

    def _calls(self, spec: CallsSpec) -> int:
        assert self.manifest.cases is not None  # noqa: S101
        history = self.manifest.cases.history
        system = history.system if history is not None else self.manifest.city.id
        with self.city.records.read() as session:
            people = _people(session)
            keys = select(CaseRow.source_key, CaseRow.number).where(
                CaseRow.source_key.startswith(f"{system}/")
            )
            cases = {str(key).removeprefix(f"{system}/"): number for key, number in session.execute(keys)}
        calls = []
        for number, row in enumerate(self._rows(spec), start=2):
            try:
                calls.append(self._call(spec, row, people, cases))
            except (KeyError, ValueError) as error:
                unknown = Text(f"无法识别：{error}", f"it names what is not known: {error}.")
                self._fault("calls", number, unknown)
        count = 0
        for start in range(0, len(calls), BATCH):
            with self.city.records.write() as session:
                count += past.take_over(session, self.desk, calls[start : start + BATCH], system)
            self.tell("calls", min(1.0, (start + BATCH) / len(calls)))
        return count

    def _call(
        self, spec: CallsSpec, row: Mapping[str, str], people: Mapping[str, str], cases: Mapping[str, str]
    ) -> PastCall:
        """Return a call of the table; who took it and the case that it became as they are known here."""
        told = {name: row.get(column, "") if (column := getattr(spec, name)) else "" for name in _OF_CALLS}
        times = {name: self._moved(told[name], spec.until) for name in ("time", "told", "heard")}
        if times["time"] is None:
            raise ValueError(spec.time)
        return PastCall(
            told["key"], times["time"], f"person/{people[login_of(told['taker'])]}" if told["taker"] else "",
            waited=int(told["waited"]) if told["waited"] else None, lost=told["lost"], kind=told["kind"],
            urgency=told["urgency"], words=told["words"], area=told["area"], answer=told["answer"],
            case=cases[told["case"]] if told["case"] else "", told=times["told"], heard=times["heard"],
            solved=told["solved"], satisfied=told["satisfied"],
        )  # fmt: skip

    def _moved(self, text: str, until: datetime | None) -> datetime | None:
        """Return a moment of a table of the pack, moved so that `until` is now; None for no text."""
        if not text:
            return None
        zone = self.manifest.zone()
        when, end = (
            None if one is None else one if one.tzinfo else one.replace(tzinfo=zone)
            for one in (datetime.fromisoformat(text), until)
        )  # fmt: skip
        assert when is not None  # noqa: S101
        return when if end is None else when + (self._now - end)

    def _in_time(self, spec: StepsSpec) -> list[tuple[int, datetime, dict[str, str]]]:
        """Return the steps in order of time, with their rows in the file."""
        zone = self.manifest.zone()

        def aware(moment: datetime) -> datetime:
            return moment if moment.tzinfo else moment.replace(tzinfo=zone)

        moved = self._now - aware(spec.until) if spec.until is not None else timedelta()
        found = []
        for number, row in enumerate(self._rows(spec), start=2):
            try:
                found.append((number, aware(datetime.fromisoformat(row[spec.time])) + moved, row))
            except ValueError:
                what = Text(f"时间 {row[spec.time][:40]} 无法识别", f"{row[spec.time][:40]} is no time.")
                self._fault("steps", number, what)
        return sorted(found, key=lambda one: one[1])


class _Play:
    """Steps being taken, each by who took it."""

    def __init__(
        self,
        desk: Desk,
        session: Session,
        spec: StepsSpec,
        reports: Mapping[str, Report],
        numbers: dict[str, str],
        uploaded: Mapping[str, str],
    ) -> None:
        self.desk, self.session, self.spec = desk, session, spec
        self.reports, self.numbers, self.uploaded = reports, numbers, uploaded
        self.people = _people(session)
        self._askers: dict[str, Asker] = {}

    def take(self, step: Mapping[str, str], when: datetime) -> None:
        """Take one step; the first of a case is its report, with what the history tells of it."""
        key, action = step[self.spec.case], step[self.spec.action]
        person = self.people[login_of(step[self.spec.person])]
        actor = self._askers.get(person) or asker_of_person(self.session, person)
        self._askers[person] = actor
        fields = _fields(step[self.spec.fields], self.people, self.numbers, self.uploaded)
        if key in self.numbers:
            self.desk.act(self.session, actor, self.numbers[key], action, fields, at=when)
            return
        if action not in _FIRST:
            what = Text(f"{key[:40]} 尚未上报", f"{key[:40]} has not been reported.")
            raise BadTableError(str(self.spec.file or self.spec.source), what)
        photos, before = (tuple(fields.get(name, ())) for name in PHOTO_FIELDS)
        report = replace(self.reports[key], at=when, photos=photos, before=before)
        take = self.desk.report_handled if action == "self_handle" else self.desk.report
        self.numbers[key] = take(self.session, actor, report).number


_FIRST = ("report", "report_from_outside", "self_handle")
_OF_CALLS = (
    "key", "time", "taker", "waited", "lost", "kind", "urgency", "words", "area", "answer", "case", "told",
    "heard", "solved", "satisfied",
)  # fmt: skip
_COLUMNS = frozenset(
    {
        "login", "post", "department", "area", "code", "duty_grid", "grade", "kind", "type", "person", "name",
        "lon", "lat", "key", "when", "state", "types", "channel", "late", "street", "community", "unit",
        "unit_name", "description", "component", "hours", "case", "action", "time", "fields", "title", "body",
        "questions", "taker", "urgency", "words", "waited", "lost", "answer", "told", "heard", "solved",
        "satisfied",
    }
)  # fmt: skip
"""Keys of the manifest's tables that name columns."""


def _tables_of(part: str) -> list[str]:
    """Return the names of the tables from which a part is read."""
    return [part, "history"] if part in ("steps", "calls") else [part]


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _people(session: Session) -> dict[str, str]:
    return dict(iter(session.execute(select(PersonRow.login, PersonRow.id))))


def _fields(
    text: str, people: Mapping[str, str], numbers: Mapping[str, str], uploaded: Mapping[str, str]
) -> dict[str, Any]:
    """Return the fields of a step, people and cases named as they are here."""
    fields: dict[str, Any] = json.loads(text) if text else {}
    for name in _PEOPLE:
        if name in fields:
            fields[name] = f"person/{people[login_of(fields[name])]}"
    for name in PHOTO_FIELDS:
        if name in fields:
            fields[name] = [uploaded[one] for one in fields[name]]
    if "main" in fields:
        fields["main"] = numbers[fields["main"]]
    return fields
