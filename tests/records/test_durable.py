"""What SQLite was told to commit is on the disk before anyone hears so; who waits together shares a sync."""

import errno
import os
import shutil
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from jingwei import ledger
from jingwei.records import durable, open_records
from jingwei.records.database import after_commit
from jingwei.words import Text

ledger.declare(
    "test.kept", Text("测试", "Tested"), subject="s", fields={"n": ledger.Field(int, Text("数", "number"))}
)
WAIT = 30


class Disk:
    """A disk that counts syncs, can be made to wait with one, and to refuse one."""

    def __init__(self) -> None:
        self.syncs = 0
        self.asked, self.go = threading.Event(), threading.Event()
        self.go.set()
        self.refuses = False

    def __call__(self, file: int) -> None:
        self.syncs += 1
        self.asked.set()
        assert self.go.wait(WAIT)
        if self.refuses:
            raise OSError(errno.EIO, "refused")
        os.fsync(file)


@pytest.fixture
def disk(monkeypatch):
    found = Disk()
    monkeypatch.setattr(durable, "sync", found)
    return found


@pytest.fixture
def records(tmp_path):
    found = open_records(f"sqlite:///{tmp_path / 'records.db'}")
    yield found
    found.close()


def write(records, n: int, heard=None) -> None:
    with records.write() as session:
        ledger.append(session, "test.kept", actor="a", subject="s", data={"n": n})
        if heard is not None:
            after_commit(session, heard)


def until_committed(records, count: int) -> None:
    """Wait until that many events are there to be read, and whoever wrote the last has noted so."""
    end = time.monotonic() + WAIT
    held = 0
    while held < count:
        assert time.monotonic() < end, f"{held} of {count} committed"
        with records.read() as session:
            held = session.scalar(sa.text("SELECT count(*) FROM event"))
    with records.turn:
        pass


def numbers(file) -> list[int]:
    with sqlite3.connect(file) as connection:
        return sorted(n for (n,) in connection.execute("SELECT json_extract(data, '$.n') FROM event"))


def test_nobody_hears_of_a_commit_before_it_is_on_the_disk(records, disk):
    heard = threading.Event()
    disk.go.clear()
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write, records, 1, heard.set)
        assert disk.asked.wait(WAIT)
        assert not heard.is_set()
        assert not writing.done()
        disk.go.set()
        writing.result(WAIT)
    assert heard.is_set()


def test_those_who_wait_while_the_disk_is_busy_share_the_next_sync(records, disk):
    write(records, 0)
    before = disk.syncs
    disk.asked.clear()
    disk.go.clear()
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(write, records, 1)
        assert disk.asked.wait(WAIT)
        others = [pool.submit(write, records, n) for n in range(2, 10)]
        # The turn passes on before the sync: all of them commit while the first still waits for the disk.
        until_committed(records, 10)
        disk.go.set()
        for one in (first, *others):
            one.result(WAIT)
    assert disk.syncs == before + 2


def test_a_write_that_changes_nothing_asks_nothing_of_the_disk(records, disk):
    write(records, 1)
    before = disk.syncs
    with records.write() as session:
        session.execute(sa.text("SELECT count(*) FROM event"))
    assert disk.syncs == before


def test_after_the_disk_refused_nothing_is_kept_in_the_log_alone(records, disk, tmp_path):
    write(records, 1)
    disk.refuses = True
    for n in (2, 3):
        with pytest.raises(OSError, match="refused"):
            write(records, n)
    disk.refuses = False
    write(records, 4)
    # What was refused is in doubt, as after a lost connection; what follows does not rest on it.
    assert numbers(tmp_path / "records.db") == [1, 2, 3, 4]
    shutil.copy(tmp_path / "records.db", tmp_path / "without_the_log.db")
    assert numbers(tmp_path / "without_the_log.db") == [1, 2, 3]


def test_who_waits_for_a_sync_that_is_refused_hears_so_too(records, disk):
    write(records, 0)
    disk.asked.clear()
    disk.go.clear()
    disk.refuses = True
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(write, records, 1)
        assert disk.asked.wait(WAIT)
        second = pool.submit(write, records, 2)
        until_committed(records, 3)
        disk.go.set()
        for one in (first, second):
            with pytest.raises(OSError, match=r"refused|did not take"):
                one.result(WAIT)
