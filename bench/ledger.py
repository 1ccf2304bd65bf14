"""How fast the log appends, seals, proves and is audited, beside what the disk can do, in one run.

    python bench/ledger.py [--entries 1000000 10000000] [--records postgresql+psycopg://...]

A city's new events are mostly of what is new or was in hand just now; how fast the log takes those is
measured, and beside it the worst that can be: events of things at random among all it ever told of.

Targets: durable appends one by one at 80 % of the disk's rate of fsync, 20,000/s in batches of 100; proofs
made and checked at 5,000/s; an audit of a million entries within 10 s. Tessera publishes 1,500 to 10,000
writes/s (docs/performance.md of transparency-dev/tessera).
"""

import argparse
import itertools
import os
import random
import sqlite3
import tempfile
import threading
import time
from pathlib import Path

from jingwei import ledger
from jingwei.ledger import bundle, tiles
from jingwei.ledger.keys import check_signature
from jingwei.ledger.sealer import Sealer, latest_checkpoint
from jingwei.ledger.verify import check_bundle, leaf_hash, unpack_entries, verify_inclusion
from jingwei.records import open_records
from jingwei.words import Text

ledger.declare(
    "bench.noted",
    Text("测速", "Noted to measure"),
    subject="thing/<n>",
    fields={
        "n": ledger.Field(int, Text("数", "number")),
        "cell": ledger.Field(str, Text("网格", "cell")),
    },
)


def rate(name, count, seconds, target=None):
    reached = ""
    if target is not None:
        reached = f"   target {target:>8,.0f}/s  {'ok' if count / seconds >= target else 'MISSED'}"
    print(f"{name:<48}{count / seconds:>12,.0f}/s{reached}", flush=True)
    return count / seconds


def milliseconds(name, times):
    times = sorted(times)
    p50, p95, p99 = (times[int(len(times) * share)] * 1e3 for share in (0.5, 0.95, 0.99))
    print(f"{name:<48}p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms", flush=True)


class Disk:
    """Appends of one page, each made durable: what one commit of any database costs at least."""

    def __init__(self, folder):
        self.page = os.urandom(4096)
        self.file = (folder / "page").open("wb")

    def __call__(self):
        self.file.write(self.page)
        self.file.flush()
        os.fsync(self.file.fileno())


class Bare:
    """An event inserted into the same tables by sqlite3 alone: what SQLite leaves of that."""

    def __init__(self, folder):
        url = f"sqlite:///{folder / 'bare.db'}"
        open_records(url).close()
        self.connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.row = ("bench.noted", "2026-11-22 10:00:00.000000", "person/1", "thing/1")
        self.row += ('{"cell":"4611686018427387904","n":1}', bytes(16), bytes(32))

    def __call__(self):
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute(
            "INSERT INTO event (type, time, actor, subject, data, salt, digest) VALUES (?, ?, ?, ?, ?, ?, ?)",
            self.row,
        )
        self.connection.execute("COMMIT")


def append_one(records, n):
    with records.write() as session:
        told = {"n": n, "cell": "4611686018427387904"}
        ledger.append(session, "bench.noted", actor="person/1", subject=f"thing/{n}", data=told)


fresh = itertools.count(1_000_000_000)
"""Numbers of things that no log tells of yet."""


def append_batch(records, things):
    with records.write() as session:
        told = ((f"thing/{n}", {"n": n, "cell": "4611686018427387904"}) for n in things)
        ledger.append_many(session, "bench.noted", told, actor="person/1")


def one_by_one(records, disk, bare, sealer, slices=24, seconds=0.25):
    """Append in turn with the disk and with SQLite alone: a disk's rate changes from second to second."""
    with records.read() as session:
        size = ledger.size(session)
    ours = lambda: append_one(records, next(fresh))  # noqa: E731
    anywhere = lambda: append_one(records, random.randrange(size))  # noqa: E731
    works = {"disk": disk, "bare": bare, "ours": ours, "anywhere": anywhere}
    times = {name: [] for name in (*works, "sealing")}
    for _ in range(slices):
        for name, work in works.items():
            spend(work, seconds, times[name])
        sealer.seal_all()  # what the slices before it appended is not its load
        with sealer.running():
            spend(ours, seconds, times["sealing"])
    names = {
        "disk": "fsync of one page",
        "bare": "insert and commit by sqlite3 alone",
        "ours": "append one by one",
        "sealing": "append one by one, while sealing",
        "anywhere": "append one by one, of things at random",
    }
    asked = 0.8 * len(times["disk"]) / sum(times["disk"])
    for name, title in names.items():
        rate(title, len(times[name]), sum(times[name]), None if name in ("disk", "bare") else asked)
        if name in ("ours", "sealing"):
            milliseconds("  each", times[name])


def spend(work, seconds, times):
    end = time.perf_counter() + seconds
    while (begin := time.perf_counter()) < end:
        work()
        times.append(time.perf_counter() - begin)


def at_once(records, disk, callers=8, seconds=3.0):
    """Several callers append one by one at the same time, as the threads of a server do."""
    counts, each = [0] * callers, []
    spend(disk, 0.5, before := [])
    end = time.perf_counter() + seconds

    def call(who):
        times = []
        while (begin := time.perf_counter()) < end:
            append_one(records, next(fresh))
            counts[who] += 1
            times.append(time.perf_counter() - begin)
        each.extend(times)

    threads = [threading.Thread(target=call, args=(who,)) for who in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spend(disk, 0.5, before)
    rate(f"append one by one, {callers} callers at once", sum(counts), seconds)
    rate("  fsync of one page before and after", len(before), sum(before))
    milliseconds("  each", each)


def in_batches(records, size, seconds=4.0, target=None, among=None):
    """Append in batches of new things, or of things at random among so many."""
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        things = random.sample(range(among), size) if among else [next(fresh) for _ in range(size)]
        append_batch(records, things)
        count += size
    whose = ", of things at random" if among else ", while sealing"
    rate(f"append in batches of {size}{whose}", count, time.perf_counter() - start, target)


def until_sealed(records, sealer, count=200):
    """How long one waits for a receipt: from before the transaction until the event is sealed."""
    times = []
    for _ in range(count):
        begin, seen = time.perf_counter(), sealer.bells.sealed.count
        append_one(records, next(fresh))
        sealer.bells.sealed.wait(seen, 5)
        times.append(time.perf_counter() - begin)
        time.sleep(2 * sealer.pause)
    milliseconds("append until sealed, one at a time", times)


def fill(records, sealer, entries):
    """Bring the log to so many entries as it grows in use: sealed as it goes."""
    with records.read() as session:
        missing = entries - ledger.size(session)
    sealed, seconds = 0, 0.0
    for start in range(0, missing, 10_000):
        append_batch(records, range(start, min(start + 10_000, missing)))
        begin = time.perf_counter()
        sealed += sealer.seal_all()
        seconds += time.perf_counter() - begin
    if sealed >= 10_000:
        rate("seal what waits", sealed, seconds)


def proofs(records, count=5000):
    with records.read() as session:
        point = bundle.checkpoint_of(latest_checkpoint(session))
        size = point.size
        ways = {
            "at random": lambda: random.randrange(size),
            "among the newest 50,000": lambda: random.randrange(max(0, size - 50_000), size),
        }
        for name, choose in ways.items():
            wanted = [choose() for _ in range(count)]
            start = time.perf_counter()
            made = [tiles.prove_inclusion(session, index, size) for index in wanted]
            rate(f"inclusion proofs made {name}", count, time.perf_counter() - start, 5000)
        sample = list(zip(wanted, made, strict=True))[:200]
        packed = [unpack_entries(bundle.entry_bundle(session, size, index // 256)) for index, _ in sample]
        leaves = [leaf_hash(entries[index % 256]) for (index, _), entries in zip(sample, packed, strict=True)]
        start = time.perf_counter()
        for _ in range(25):
            for (index, proof), leaf in zip(sample, leaves, strict=True):
                assert verify_inclusion(index, size, leaf, proof, point.root)
        rate("inclusion proofs checked", 25 * len(sample), time.perf_counter() - start, 5000)
        start = time.perf_counter()
        for _ in range(1000):
            tiles.prove_consistency(session, random.randrange(1, size), size)
        rate("consistency proofs made at random", 1000, time.perf_counter() - start)


def audit(records, sealer, folder):
    path = folder / "log.zip"
    start = time.perf_counter()
    with records.read() as session:
        count = bundle.export(session, path)
    megabytes = path.stat().st_size / 1e6
    rate(f"export ({megabytes:,.0f} MB)", count, time.perf_counter() - start)
    start = time.perf_counter()
    report = check_bundle(path, key=sealer.signer.key, check=check_signature)
    seconds = time.perf_counter() - start
    assert report.sound, report.findings
    assert report.size == count
    rate(f"audit of {count:,} entries in {seconds:.1f} s", count, seconds, 100_000)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--entries", type=int, nargs="+", default=[1_000_000], help="sizes to measure at")
    parser.add_argument("--audit-to", type=int, default=1_500_000, help="the largest log to audit")
    parser.add_argument("--records", help="URL of an empty database; a new SQLite file if not given")
    parser.add_argument("--folder", type=Path, help="where to work: on the disk to be measured")
    parser.add_argument("--keep", type=Path, help="a folder whose log is kept, and filled only once")
    parser.add_argument("--fill-only", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = given.keep or Path(name)
        folder.mkdir(exist_ok=True)
        records = open_records(given.records or f"sqlite:///{folder / 'records.db'}")
        sealer = Sealer(records, folder / "log")
        if given.fill_only:
            fill(records, sealer, max(given.entries))
            records.close()
            return
        disk, bare = Disk(Path(name)), Bare(Path(name))
        for entries in sorted({100, *given.entries}):
            fill(records, sealer, entries)
            with records.read() as session:
                print(f"\n-- a log of {ledger.size(session):,} entries --")
            one_by_one(records, disk, bare, sealer)
            at_once(records, disk)
            with sealer.running():
                at_once(records, disk)
                until_sealed(records, sealer)
                in_batches(records, 10)
                in_batches(records, 100, target=20_000)
                in_batches(records, 1000)
                in_batches(records, 100, target=20_000, among=max(entries, 1000))
            proofs(records)
            with records.read() as session:
                size = ledger.size(session)
            if size <= given.audit_to:
                audit(records, sealer, folder)
        records.close()


if __name__ == "__main__":
    main()
