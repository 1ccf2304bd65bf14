"""Making what several threads committed to SQLite durable with one sync of the disk."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import suppress
from pathlib import Path

sync = getattr(os, "fdatasync", os.fsync)
"""What SQLite itself asks where the system has it: the data, and what reading it back takes."""


class Together:
    """Syncs the write-ahead log of a SQLite database, once for all whose commits it holds by then.

    A connection with `synchronous=NORMAL` writes a commit to the log and leaves open when that reaches the
    disk; the log is a sequence, so that a sync makes all durable that was written before it, by whatever
    connection. What SQLite does by itself stays: it syncs the log before it carries it into the database,
    and the database before it begins the log anew.

    Parameters
    ----------
    log
        The file of the log. It is the same file until the last connection to the database is closed.

    """

    def __init__(self, log: Path) -> None:
        self._file = os.open(log, os.O_RDWR)
        # A new file may be on the disk and its name not yet.
        folder = os.open(log.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self._changed = threading.Condition()
        self._written = 0
        self._durable = 0
        self._syncing = False
        self.failed = False

    def written(self) -> int:
        """Note a commit that the log holds, and return its number; to be called before the next begins."""
        with self._changed:
            self._written += 1
            return self._written

    def until_durable(self, number: int) -> None:
        """Wait until the commit of that number is on the disk, by a sync of one's own or of who waits too.

        Raises
        ------
        OSError
            Where the disk did not take it. `failed` is then set: a later sync may succeed though what was to
            be written is lost, so that nothing counts as durable until the log is carried into the database.

        """
        with self._changed:
            while self._syncing and self._durable < number:
                self._changed.wait()
            if self._durable >= number:
                return
            if self.failed:
                raise OSError(errno.EIO, "the disk did not take what was committed")
            self._syncing, holds = True, self._written
        failed = True
        try:
            sync(self._file)
            failed = False
        finally:
            with self._changed:
                self._syncing, self.failed = False, failed
                if not failed:
                    self._durable = holds
                self._changed.notify_all()

    def carried(self) -> None:
        """Note that all that the log held is in the database, and durable there."""
        with self._changed:
            self._durable = self._written
            self.failed = False

    def close(self) -> None:
        """Close the file, once nobody waits for it."""
        with self._changed:
            last = self._written
        with suppress(OSError):  # who waits is told the same
            self.until_durable(last)
        with self._changed:
            self._changed.wait_for(lambda: not self._syncing)
            self.failed = self._durable < self._written
            os.close(self._file)
