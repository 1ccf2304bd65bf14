"""Where frames lie on disk, and what is to be worked out anew: two small databases in one folder.

Frames and how far they go are one transaction, so after a crash they say what they hold. What is to be worked
out anew is noted in a database of its own, because readings wait for that note and not for frames.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from jingwei.sense.rollups.calendar import KINDS
from jingwei.sense.rollups.frames import Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from jingwei.sense.rollups.calendar import Kind, Span

T = TypeVar("T")
FRAMES = "frames.db"
"""The file of the frames, in the folder of the roll-ups."""
EVER = (-(1 << 62), 1 << 62)
"""A period that holds every time."""
PAGE = 16_384
"""Bytes of a page: frames of many streams are read in fewer pieces."""
MAPPED = 1 << 30
"""Bytes of the file that are read in place and not copied."""
_SOME = 500
_FRAMES = """
CREATE TABLE IF NOT EXISTS frame (
    kind INTEGER NOT NULL, property INTEGER NOT NULL, start INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (property, kind, start)
);
CREATE TABLE IF NOT EXISTS behind (
    property INTEGER NOT NULL, kind INTEGER NOT NULL, start INTEGER NOT NULL,
    PRIMARY KEY (property, kind, start)
);
CREATE TABLE IF NOT EXISTS stream (
    stream INTEGER PRIMARY KEY, property INTEGER NOT NULL, cell INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS touched (
    property INTEGER NOT NULL, kind INTEGER NOT NULL, start INTEGER NOT NULL, turn INTEGER NOT NULL,
    PRIMARY KEY (property, kind, start)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS touched_turn ON touched (turn);
"""
_NOTES = """
CREATE TABLE IF NOT EXISTS note (
    number INTEGER PRIMARY KEY AUTOINCREMENT, change INTEGER NOT NULL, stream INTEGER NOT NULL,
    since INTEGER NOT NULL, until INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS change (number INTEGER PRIMARY KEY AUTOINCREMENT);
CREATE TABLE IF NOT EXISTS name (name TEXT NOT NULL);
INSERT INTO name SELECT lower(hex(randomblob(16))) WHERE NOT EXISTS (SELECT * FROM name);
"""


@dataclass(frozen=True, slots=True)
class Address:
    """What a stream observes, and in which cell (GeoSOT code of level 32)."""

    property: int
    cell: int


@dataclass(frozen=True, slots=True)
class Note:
    """Readings of a stream in `[since, until)` (UTC microseconds) are to be read anew."""

    number: int
    stream: int
    since: int
    until: int


class Frames:
    """The frames of a city, and up to which reading they go.

    `form` says what they follow from beside the readings: of another form they are no use.
    """

    def __init__(self, path: Path, form: str) -> None:
        self.lock = threading.RLock()
        self._base = _opened(path, _FRAMES)
        self._path = path
        self._reads: sqlite3.Connection | None = None
        self._read_lock = threading.RLock()
        self._writer: int | None = None
        self.form = form

    @property
    def are_of_form(self) -> bool:
        """Whether what is kept is of the form that is wanted."""
        return self.state("form") == self.form

    def forget(self) -> None:
        """Let go of all frames: they are made anew."""
        with self.writing():
            for table in ("frame", "behind", "stream", "state", "touched"):
                self._base.execute(f"DELETE FROM {table}")
            self.set_state("form", self.form)

    def state(self, name: str) -> str | None:
        """Return what is kept under a name."""
        with self.lock:
            row = self._base.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_state(self, name: str, value: str) -> None:
        """Keep a value under a name; within `writing`."""
        self._base.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make all changes of the block one transaction."""
        with self.lock:
            self._base.execute("BEGIN IMMEDIATE")
            self._writer = threading.get_ident()
            try:
                yield
            except BaseException:
                self._base.execute("ROLLBACK")
                raise
            else:
                self._base.execute("COMMIT")
            finally:
                self._writer = None

    @contextmanager
    def snapshot(self) -> Iterator[int]:
        """Let what this thread reads in the block be of one moment; yields the number of the last change."""
        with self._reading() as base, _snapshot(base):
            row = base.execute("SELECT value FROM state WHERE name = 'turn'").fetchone()
            yield 0 if row is None else int(row[0])

    def touched(self, turn: int) -> list[tuple[int, Kind, int]]:
        """Return property, kind and start of the frames that changed after a change of some number."""
        with self._reading() as base:
            rows = base.execute(
                "SELECT property, kind, start FROM touched WHERE turn > ?", (turn,)
            ).fetchall()
        return [(property_, KINDS[kind], start) for property_, kind, start in rows]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Read what is committed, or what this thread is just writing."""
        if self._writer == threading.get_ident():
            yield self._base
        else:
            with self._read_lock:
                if self._reads is None:
                    self._reads = _opened(self._path, "")
                    self._reads.execute(f"PRAGMA mmap_size = {MAPPED}")
                yield self._reads

    def addresses(self) -> dict[int, Address]:
        """Return under which property and cell each stream is kept."""
        with self.lock:
            rows = self._base.execute("SELECT stream, property, cell FROM stream").fetchall()
        return {stream: Address(property_, cell % (1 << 64)) for stream, property_, cell in rows}

    def set_addresses(self, addresses: dict[int, Address | None]) -> None:
        """Keep addresses; None lets go of one."""
        for stream, one in addresses.items():
            self._base.execute("DELETE FROM stream WHERE stream = ?", (stream,))
            if one is not None:
                cell = one.cell - (1 << 64) if one.cell >> 63 else one.cell
                self._base.execute("INSERT INTO stream VALUES (?, ?, ?)", (stream, one.property, cell))

    def put(
        self, property_: int, kind: Kind, starts: Sequence[int], bodies: Iterable[tuple[int, bytes]]
    ) -> None:
        """Put frames in place of those that start at `starts`."""
        at = KINDS.index(kind)
        turn = int(self.state("turn") or 0) + 1
        self.set_state("turn", str(turn))
        self._base.executemany(
            "INSERT OR REPLACE INTO touched VALUES (?, ?, ?, ?)",
            ((property_, at, start, turn) for start in starts),
        )
        self._base.executemany(
            "DELETE FROM frame WHERE property = ? AND kind = ? AND start = ?",
            ((property_, at, start) for start in starts),
        )
        self._base.executemany(
            "INSERT INTO frame (property, kind, start, body) VALUES (?, ?, ?, ?)",
            ((property_, at, start, body) for start, body in bodies),
        )

    def at(self, property_: int, kind: Kind, starts: Collection[int]) -> list[tuple[int, bytes]]:
        """Return those frames that start at some moments, in order."""
        wanted = sorted(starts)
        found: list[tuple[int, bytes]] = []
        with self._reading() as base:
            for begin in range(0, len(wanted), _SOME):
                some = wanted[begin : begin + _SOME]
                marks = ",".join("?" * len(some))
                found += base.execute(
                    "SELECT start, body FROM frame WHERE property = ? AND kind = ?"
                    f" AND start IN ({marks}) ORDER BY start",
                    (property_, KINDS.index(kind), *some),
                )
        return found

    def within(self, property_: int, kind: Kind, since: int, until: int) -> list[tuple[int, bytes]]:
        """Return the frames that start in `[since, until)`, in order."""
        with self._reading() as base:
            return base.execute(
                "SELECT start, body FROM frame WHERE property = ? AND kind = ? AND start >= ? AND start < ?"
                " ORDER BY start",
                (property_, KINDS.index(kind), since, until),
            ).fetchall()

    def starts(self, property_: int, kind: Kind, since: int, until: int) -> list[int]:
        """Return the starts of the frames in `[since, until)`, in order."""
        with self._reading() as base:
            rows = base.execute(
                "SELECT start FROM frame WHERE property = ? AND kind = ? AND start >= ? AND start < ?"
                " ORDER BY start",
                (property_, KINDS.index(kind), since, until),
            ).fetchall()
        return [row[0] for row in rows]

    def look_into(self, property_: int, spans: Iterable[Span], look: Callable[[Span, Stored], T]) -> list[T]:
        """Return what `look` makes of the frames of several kinds, of which it reads what it asks for."""
        found: list[T] = []
        with self._reading() as base, _snapshot(base):
            for span in spans:
                row = base.execute(
                    "SELECT rowid FROM frame WHERE property = ? AND kind = ? AND start = ?",
                    (property_, KINDS.index(span.kind), span.start),
                ).fetchone()
                if row is not None:
                    with base.blobopen("frame", "body", row[0], readonly=True) as body:
                        found.append(look(span, Stored(body)))
        return found

    def set_behind(self, property_: int, kind: Kind, starts: Iterable[int]) -> None:
        """Note that frames of days or months do not have what their parts have."""
        rows = ((property_, KINDS.index(kind), start) for start in starts)
        self._base.executemany("INSERT OR IGNORE INTO behind VALUES (?, ?, ?)", rows)

    def no_more_behind(self, property_: int, kind: Kind) -> None:
        """Note that all frames of a kind have what their parts have."""
        at = KINDS.index(kind)
        self._base.execute("DELETE FROM behind WHERE property = ? AND kind = ?", (property_, at))

    def behind(self, property_: int, kind: Kind) -> list[int]:
        """Return the starts of frames that do not have what their parts have, in order."""
        with self._reading() as base:
            rows = base.execute(
                "SELECT start FROM behind WHERE property = ? AND kind = ? ORDER BY start",
                (property_, KINDS.index(kind)),
            ).fetchall()
        return [row[0] for row in rows]

    def properties_behind(self) -> list[int]:
        """Return the properties of which some frames are behind, in order."""
        with self._reading() as base:
            rows = base.execute("SELECT DISTINCT property FROM behind ORDER BY property").fetchall()
        return [row[0] for row in rows]

    def extent(self, property_: int) -> tuple[int, int] | None:
        """Return the start of the first and of the last hour of a property, if it has any."""
        with self._reading() as base:
            low, high = base.execute(  # each by itself, so that the index answers
                "SELECT (SELECT min(start) FROM frame WHERE property = ?1 AND kind = 0),"
                " (SELECT max(start) FROM frame WHERE property = ?1 AND kind = 0)",
                (property_,),
            ).fetchone()
        return None if low is None else (low, high)

    def properties(self) -> list[int]:
        """Return the properties that have frames, in order."""
        with self._reading() as base:
            rows = base.execute("SELECT DISTINCT property FROM frame ORDER BY property").fetchall()
        return [row[0] for row in rows]

    def settle(self) -> None:
        """Move what was written into the file itself, where nobody reads what was before."""
        with self.lock:
            self._base.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of the file."""
        with self.lock, self._read_lock:
            self._base.close()
            if self._reads is not None:
                self._reads.close()


def counted_in(home: Path) -> int | None:
    """Return the number of the last reading that has its share in roll-ups; None where there are none."""
    path = home / FRAMES
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
            row = base.execute("SELECT value FROM state WHERE name = 'counted'").fetchone()
    except sqlite3.DatabaseError:  # they are made anew when they are opened
        return None
    return None if row is None else int(row[0])


class Notes:
    """What is to be read anew. A change is noted before it is made and released after it."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._base = _opened(path, _NOTES)
        self._base.execute("DELETE FROM change")  # a change that a crash cut off is over
        self.name: str = self._base.execute("SELECT name FROM name").fetchone()[0]

    def begin(self, places: Iterable[tuple[int, int, int]]) -> int:
        """Note, durably, that readings will change: stream, since, until. Return the number of the change."""
        with self._lock, self._one():
            change = self._base.execute("INSERT INTO change DEFAULT VALUES").lastrowid or 0
            rows = [(change, *place) for place in places]
            self._base.executemany(
                "INSERT INTO note (change, stream, since, until) VALUES (?, ?, ?, ?)", rows
            )
        return change

    def end(self, change: int) -> None:
        """Say that a change is made."""
        with self._lock:
            self._base.execute("DELETE FROM change WHERE number = ?", (change,))

    def released(self) -> list[Note]:
        """Return what is to be read anew and does not change any more."""
        with self._lock:
            rows = self._base.execute(
                "SELECT number, stream, since, until FROM note"
                " WHERE change NOT IN (SELECT number FROM change) ORDER BY number"
            ).fetchall()
        return [Note(*row) for row in rows]

    def done(self, notes: Iterable[Note]) -> None:
        """Let go of notes."""
        with self._lock, self._one():
            self._base.executemany("DELETE FROM note WHERE number = ?", ((one.number,) for one in notes))

    @contextmanager
    def _one(self) -> Iterator[None]:
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._base.close()


@contextmanager
def _snapshot(base: sqlite3.Connection) -> Iterator[None]:
    """Let what is read in the block be of one moment."""
    if base.in_transaction:
        yield
        return
    base.execute("BEGIN")
    try:
        yield
    finally:
        base.execute("COMMIT")


def _opened(path: Path, tables: str) -> sqlite3.Connection:
    base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    base.execute(f"PRAGMA page_size = {PAGE}")
    base.execute("PRAGMA journal_mode = WAL")
    base.execute("PRAGMA synchronous = FULL")
    base.executescript(tables)
    return base
