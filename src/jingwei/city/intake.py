"""Files handed in one by one: received, looked at, corrected, loaded; what was decided is remembered.

The page, the API and the command line do the same by these functions. A file lies under the digest of
its content, so that handing it in twice changes nothing. A source that was loaded from a file is kept as a
part of the city's manifest, and next month's file of the same name and layout is recognised.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self

from sqlalchemy import select

from jingwei import ledger
from jingwei.access import Asker
from jingwei.city.bearing import bears_erased
from jingwei.city.kept import FOLDER, PREFIX, delete_kept, kept_sources
from jingwei.city.loader import SourceReport, load_pack
from jingwei.city.manifest import Manifest, SourceSpec, parse_manifest, read_manifest
from jingwei.city.models import IntakeFileRow, IntakeSourceRow
from jingwei.city.previewing import Preview, preview
from jingwei.city.progress import Listener, Stop
from jingwei.city.survey import LayoutChangedError
from jingwei.errors import BadRequestError, NotFoundError
from jingwei.lake import forms
from jingwei.lake.errors import NoSpaceError
from jingwei.lake.forms.opening import KNOWN_SUFFIXES
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.city.service import City

MOST_BYTES = 8 << 30
"""Of one file that is handed in."""
MOST_NAMES = 20
"""Of the names of a source's files that are remembered."""
SPARE_BYTES = 256 << 20
"""What must stay free on the disk."""

Match = Literal["same", "changed", "none"]


class FileRefusedError(BadRequestError):
    """A file cannot be handed in as it is."""

    code = "file-refused"


@dataclass(frozen=True, slots=True)
class Received:
    """A file that was handed in. `state` is `received`, `loaded`, `held`, `failed`, `erased`."""

    id: str
    name: str
    size: int
    digest: str
    received: datetime
    by: str
    source: str | None
    state: str


@dataclass(frozen=True, slots=True)
class Known:
    """Whether a file is the next one of a source that is known: by its name, and its columns.

    `match` is `same` where both agree, `changed` where the name does and the columns do not.
    """

    source: str | None
    match: Match
    missing: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Examined:
    """A file as it was understood: what it is, what it would become, and whose it is."""

    file: Received
    layers: list[str]
    spec: SourceSpec
    known: Known
    preview: Preview


def receive(city: City, asker: Asker, name: str, chunks: Iterable[bytes]) -> Received:
    """Keep a file that is handed in, piece by piece.

    Parameters
    ----------
    city, asker
        Where, and by whom.
    name
        What it is called; only its last part counts.
    chunks
        Its content.

    Raises
    ------
    FileRefusedError
        If it is empty, too large, or of a form that nobody can read.
    NoSpaceError
        If the disk has no room for it.

    """
    with Incoming(city, name) as incoming:
        for chunk in chunks:
            incoming.write(chunk)
        return incoming.finish(asker)


class Incoming:
    """A file on its way in; what is not finished leaves nothing behind."""

    def __init__(self, city: City, name: str) -> None:
        self.city = city
        self.name = clean_name(name)
        suffix = Path(self.name).suffix.lower()
        if suffix not in KNOWN_SUFFIXES:
            raise FileRefusedError(
                Text(
                    f"不认识“{suffix or self.name}”这种文件。",
                    f"Files of the form '{suffix}' cannot be read.",
                ),
                mend=Text(f"可用：{' '.join(KNOWN_SUFFIXES)}", f"Known: {' '.join(KNOWN_SUFFIXES)}"),
                where={"file": self.name},
            )
        self.root = city.home / FOLDER
        self.root.mkdir(parents=True, exist_ok=True)
        self._path = self.root / f".incoming-{secrets.token_hex(8)}"
        self._digest = hashlib.sha256()
        self._size = 0
        self._file = self._path.open("xb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what is not finished."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, chunk: bytes) -> None:
        """Add the next piece.

        Raises
        ------
        FileRefusedError, NoSpaceError
            If it grows too large for the city, or for the disk.

        """
        self._size += len(chunk)
        if self._size > MOST_BYTES:
            raise FileRefusedError(
                Text(
                    f"文件超过 {MOST_BYTES >> 30} GiB。", f"The file is larger than {MOST_BYTES >> 30} GiB."
                ),
                where={"file": self.name},
            )
        if shutil.disk_usage(self.root).free < SPARE_BYTES + len(chunk):
            raise NoSpaceError(str(self.root))
        self._digest.update(chunk)
        self._file.write(chunk)

    def finish(self, asker: Asker) -> Received:
        """Put the file in its place, and record that it was handed in."""
        if not self._size:
            raise FileRefusedError(Text("文件是空的。", "The file is empty."), where={"file": self.name})
        self._file.close()
        digest = self._digest.hexdigest()
        place = self.root / digest
        place.mkdir(exist_ok=True)
        self._path.replace(place / self.name)
        row = IntakeFileRow(
            id=secrets.token_urlsafe(12),
            name=self.name,
            size=self._size,
            digest=digest,
            received=now_utc(),
            by=asker.id,
            source=None,
            state="received",
        )
        with self.city.records.write() as session:
            session.add(row)
            ledger.append(
                session,
                "file.received",
                actor=asker.id,
                subject=f"file/{row.id}",
                data={"name": self.name, "size": self._size, "digest": digest},
            )
            return _received(row)


def clean_name(name: str) -> str:
    """Return the last part of a path, without what a file's name must not hold."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*[]').strip(". ")
    stem, suffix = Path(kept).stem[:120], Path(kept).suffix[:12]
    return f"{stem}{suffix}" or "file"


def received_files(city: City, *, before: datetime | None = None, limit: int = 50) -> list[Received]:
    """Return the files that were handed in, newest first."""
    question = select(IntakeFileRow).order_by(IntakeFileRow.received.desc()).limit(limit)
    if before is not None:
        question = question.where(IntakeFileRow.received < before)
    with city.records.read() as session:
        return [_received(row) for row in session.scalars(question).all()]


def received_file(city: City, file: str) -> Received:
    """Return one file that was handed in.

    Raises
    ------
    NotFoundError
        If there is none of this name.

    """
    with city.records.read() as session:
        return _received(_row(session, file))


def path_of(city: City, file: Received) -> Path:
    """Return where a file lies."""
    return city.home / FOLDER / file.digest / file.name


def examine(city: City, file: str, changes: dict[str, Any] | None = None) -> Examined:
    """Look at a file: what was detected and by what evidence, where its rows lie, what is wrong with them.

    Parameters
    ----------
    city
        The city.
    file
        Identifier of the file.
    changes
        What a person says of it, with the keys of a source in a city's manifest; it outranks what was
        detected, and what was decided for the source before.

    Raises
    ------
    NotFoundError, BadManifestError, FormError
        If there is no such file, the changes are malformed, or the file cannot be read at all.

    """
    found = received_file(city, file)
    path = path_of(city, found)
    layers = forms.layers(path)
    known = recognise(city, found, changes)
    spec = spec_for(city, found, layers, known, changes)
    manifest = _with(city, spec)
    return Examined(found, layers, spec, known, preview(city, manifest, spec, path))


def recognise(city: City, file: Received, changes: dict[str, Any] | None = None) -> Known:
    """Say of which known source a file is the next, by its name without its figures, and its columns.

    Sources of the pack are known as well as those that came as single files.
    """
    said = (changes or {}).get("id")
    pattern = pattern_of(file.name)
    sources = _sources(city)
    named = [one for one in sources if (one.spec.id == said if said else pattern in one.patterns)]
    if not named:
        return Known(None, "none")
    source = named[-1]
    columns = _columns(path_of(city, file), source.spec, changes)
    missing = [name for name in source.columns if name not in columns]
    new = [name for name in columns if name not in source.columns]
    return Known(source.spec.id, "changed" if missing or new else "same", missing, new)


@dataclass(frozen=True, slots=True)
class _Source:
    spec: SourceSpec
    patterns: list[str]
    columns: list[str]


def _sources(city: City) -> list[_Source]:
    """Return the sources that are known with their columns, those that came as single files last."""
    with city.records.read() as session:
        rows = session.scalars(select(IntakeSourceRow).order_by(IntakeSourceRow.changed)).all()
        kept = [
            _Source(SourceSpec.model_validate(row.spec), row.layout["names"], row.layout["columns"])
            for row in rows
        ]
    versions = {one.id: one.version for one in city.lake.catalogue()}
    mine = {one.spec.id for one in kept}
    packed = []
    for spec in read_manifest(Path(city.about.pack)).source:
        version = versions.get(spec.id)
        if version is not None and spec.id not in mine:
            columns = [column.name for column in version.content.columns]
            packed.append(_Source(spec, [pattern_of(Path(spec.file).name)], columns))
    return [*packed, *kept]


def _columns(path: Path, spec: SourceSpec, changes: dict[str, Any] | None) -> list[str]:
    """Return the columns of a file as a source reads it."""
    told = {
        name: (changes or {}).get(name, getattr(spec, name)) for name in ("layer", "encoding", "delimiter")
    }
    head = (changes or {}).get("header_row", spec.header_row)
    if told["layer"] and told["layer"] not in forms.layers(path):
        told["layer"] = None
    with forms.open_form(path, header_row=head, columns_as_text=[], **told) as reading:
        return reading.columns


def pattern_of(name: str) -> str:
    """Return what the files of one source are called whatever the month: every figure stands for any."""
    return re.sub(r"[\d０-９]+", "#", name)[:200]


def spec_for(
    city: City, file: Received, layers: list[str], known: Known, changes: dict[str, Any] | None
) -> SourceSpec:
    """Return how a file will be read: as people say now, as was decided before, else as it is found.

    Raises
    ------
    BadManifestError
        If what people say is malformed.

    """
    base: dict[str, Any] = {"id": _free_name(city, file.name), "title": {"zh": Path(file.name).stem}}
    if known.source is not None:
        source = next(one.spec for one in _sources(city) if one.spec.id == known.source)
        base = source.model_dump(mode="json", exclude_defaults=True)
    if len(layers) > 1 and "layer" not in base:
        base["layer"] = forms.likeliest_layer(path_of(city, file))
    told = {key: value for key, value in (changes or {}).items() if value is not None}
    for key in changes or {}:
        if key not in told:
            base.pop(key, None)
    if "place" in told:
        base.pop("places", None)
    merged = {**base, **told, "file": f"{PREFIX}{file.digest}/{file.name}"}
    city_part = {"id": "x", "name": {"zh": "x"}, "adcode": "000000"}
    parsed = parse_manifest({"city": city_part, "source": [merged]}, file.name)
    return parsed.source[0]


def _free_name(city: City, name: str) -> str:
    """Return an identifier for a new source: of the Latin letters of the file's name, else a digest of it.

    Files whose names differ in their figures only get the same one.
    """
    stem = re.sub(r"[^a-z0-9]+", "_", Path(name).stem.lower()).strip("_")
    stem = re.sub(r"^[^a-z]+|[_\d]+$", "", stem)[:40]
    if len(stem) < 2:
        stem = f"file_{hashlib.sha256(pattern_of(Path(name).stem).encode()).hexdigest()[:6]}"
    taken = {dataset.id for dataset in city.lake.catalogue()} | set(kept_sources(city))
    number = 1
    while (wanted := stem if number == 1 else f"{stem}_{number}") in taken:
        number += 1
    return wanted


def load_file(
    city: City,
    asker: Asker,
    file: str,
    changes: dict[str, Any] | None = None,
    *,
    listener: Listener = lambda _: None,
    stop: Stop | None = None,
    new_layout: bool = False,
) -> SourceReport:
    """Load a file as a source, and remember what was decided for it.

    Parameters
    ----------
    city, asker, file, changes
        As for `examine`.
    listener, stop
        As for `load_pack`.
    new_layout
        Take a file whose columns are not those that the source had.

    Raises
    ------
    LayoutChangedError
        If the columns changed and nobody said that they may.
    BusyError, ReadOnlyError, NoSpaceError, StoppedError
        If the load cannot go on. What is wrong with the file is in the report.

    """
    found = received_file(city, file)
    known = check_layout(city, found, changes, new_layout=new_layout)
    spec = spec_for(city, found, forms.layers(path_of(city, found)), known, changes)
    columns = _columns(path_of(city, found), spec, None)
    before = _kept(city, spec.id)
    note = _Note(asker.id, changes, new_layout, spec.id, before)
    unfinished = _write_note(city, file, note)
    try:
        _remember(city, asker, spec, found, columns)
        about = city.about
        pack = Path(about.pack)
        manifest = read_manifest(pack)
        try:
            report = load_pack(
                city, manifest, pack, Path(about.data), asker, listener=listener, stop=stop, only=spec.id
            )
        except BaseException:
            _restore(city, spec.id, before)
            raise
        loaded = report.sources[0]
        if loaded.stage == "failed":
            _restore(city, spec.id, before)
        with city.records.write() as session:
            row = _row(session, file)
            row.source = spec.id
            row.state = "loaded" if loaded.stage in ("published", "unchanged") else loaded.stage
        if loaded.stage == "published" and bears_erased(city, spec, path_of(city, found)):
            _forget(city, file)
    finally:  # what ends of itself is told of; only a process that was killed leaves the note
        unfinished.unlink(missing_ok=True)
    return loaded


def _forget(city: City, file: str) -> None:
    """Delete a file whose rows were loaded but for those that had been erased."""
    with city.records.write() as session:
        row = _row(session, file)
        row.state = "erased"
        digest = row.digest
    delete_kept(city, digest)


class _Note(NamedTuple):
    """What has to be known to begin a load anew."""

    by: str
    changes: dict[str, Any] | None
    new_layout: bool
    source: str
    before: dict[str, Any] | None


NOTE = ".loading-"
"""Begins the name of the note that stays of a load whose process was killed."""


def _write_note(city: City, file: str, note: _Note) -> Path:
    path = city.home / FOLDER / f"{NOTE}{file}"
    before = note.before and {**note.before, "changed": note.before["changed"].isoformat()}
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as handle:
        json.dump(note._replace(before=before)._asdict(), handle, ensure_ascii=False)
        handle.flush()
        os.fsync(handle.fileno())
    part.replace(path)
    return path


def _read_note(path: Path) -> _Note:
    note = _Note(**json.loads(path.read_text("utf-8")))
    if note.before is None:
        return note
    changed = datetime.fromisoformat(note.before["changed"])
    return note._replace(before={**note.before, "changed": changed})


def interrupted(city: City) -> list[Received]:
    """Return the files whose load was cut off by the end of its process: of each, nothing was published.

    Only where no load is under way in another process does the answer hold: as a city is opened to be served.
    """
    notes = sorted(path.name for path in (city.home / FOLDER).glob(f"{NOTE}*") if path.suffix != ".part")
    return [received_file(city, name.removeprefix(NOTE)) for name in notes]


def load_again(
    city: City, file: str, *, listener: Listener = lambda _: None, stop: Stop | None = None
) -> SourceReport:
    """Begin a load that was cut off anew, from the file that was kept, with what was said of it.

    Raises
    ------
    As `load_file`.

    """
    note = _read_note(city.home / FOLDER / f"{NOTE}{file}")
    with city.records.write() as session:
        kept = session.get(IntakeSourceRow, note.source)
        ledger.append(
            session, "file.begun_anew", actor=note.by, subject=f"file/{file}", data={"source": note.source}
        )
    if kept is not None:
        _restore(city, note.source, note.before)
    asker = Asker(id=note.by, name="", roles=frozenset())  # what may be done was asked when it was begun
    return load_file(
        city, asker, file, note.changes, listener=listener, stop=stop, new_layout=note.new_layout
    )


def check_layout(city: City, file: Received, changes: dict[str, Any] | None, *, new_layout: bool) -> Known:
    """Return whose next file this is; refuse one whose columns changed, unless that is meant.

    Raises
    ------
    LayoutChangedError
        Naming the columns that are missing and new.

    """
    known = recognise(city, file, changes)
    if known.match == "changed" and not new_layout:
        raise LayoutChangedError(str(known.source), file.name, known.missing, known.new)
    return known


def _kept(city: City, source: str) -> dict[str, Any] | None:
    """Return what is kept of how a source is read."""
    with city.records.read() as session:
        row = session.get(IntakeSourceRow, source)
        return None if row is None else {name: getattr(row, name) for name in _KEPT}


def _remember(city: City, asker: Asker, spec: SourceSpec, file: Received, columns: list[str]) -> None:
    """Keep how a source is read."""
    with city.records.write() as session:
        row = session.get(IntakeSourceRow, spec.id)
        names = [*(row.layout["names"] if row else []), pattern_of(file.name)]
        if row is None:
            row = IntakeSourceRow(id=spec.id)
            session.add(row)
        row.spec = spec.model_dump(mode="json", exclude_defaults=True)
        row.layout = {"columns": columns, "names": list(dict.fromkeys(names))[-MOST_NAMES:]}
        row.pattern = pattern_of(file.name)
        row.by, row.changed = asker.id, now_utc()


_KEPT = ("spec", "layout", "pattern", "by", "changed")


def _restore(city: City, source: str, before: dict[str, Any] | None) -> None:
    """Forget what a load that came to nothing had kept."""
    with city.records.write() as session:
        row = session.get_one(IntakeSourceRow, source)
        if before is None:
            session.delete(row)
            return
        for name, value in before.items():
            setattr(row, name, value)


def _with(city: City, spec: SourceSpec) -> Manifest:
    """Return the city's manifest with one source as it would be."""
    manifest = read_manifest(Path(city.about.pack))
    others = [one for one in manifest.source if one.id != spec.id]
    return manifest.model_copy(update={"source": [*others, spec]})


def _row(session: Session, file: str) -> IntakeFileRow:
    row = session.get(IntakeFileRow, file)
    if row is None:
        raise NotFoundError(Text("没有这个文件", "There is no such file"), where={"file": file})
    return row


def _received(row: IntakeFileRow) -> Received:
    return Received(row.id, row.name, row.size, row.digest, row.received, row.by, row.source, row.state)


__all__ = [
    "Examined",
    "FileRefusedError",
    "Incoming",
    "Known",
    "Received",
    "examine",
    "interrupted",
    "load_again",
    "load_file",
    "path_of",
    "receive",
    "received_file",
    "received_files",
    "recognise",
]
