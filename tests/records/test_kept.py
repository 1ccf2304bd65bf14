"""What is kept of the record store is never older than the store."""

from __future__ import annotations

import threading

from sqlalchemy import column, func, select, table, text

from jingwei.records import Prepared, WhileUnchanged, open_records


def bump(records):
    with records.write() as session:
        session.execute(text("CREATE TABLE IF NOT EXISTS tally (n INTEGER)"))
        session.execute(text("INSERT INTO tally VALUES (1)"))


def tally(records):
    with records.read() as session:
        return session.scalar(text("SELECT count(*) FROM tally"))


def opened(tmp_path):
    records = open_records(f"sqlite:///{tmp_path / 'records.db'}")
    bump(records)
    return records


def test_what_was_read_is_kept_until_something_changes(tmp_path):
    records = opened(tmp_path)
    kept = WhileUnchanged(records)
    reads = []

    def read():
        reads.append(1)
        return tally(records)

    assert [kept.get("n", read) for _ in range(5)] == [1] * 5
    assert len(reads) == 1
    bump(records)
    assert [kept.get("n", read) for _ in range(5)] == [2] * 5
    assert len(reads) == 2
    records.close()


def test_a_change_by_another_program_is_noticed(tmp_path):
    records = opened(tmp_path)
    other = open_records(f"sqlite:///{tmp_path / 'records.db'}", migrate=False)
    kept = WhileUnchanged(records)
    assert kept.get("n", lambda: tally(records)) == 1
    bump(other)
    assert kept.get("n", lambda: tally(records)) == 2
    records.close()
    other.close()


def test_whoever_has_seen_a_change_is_never_given_what_was_before_it(tmp_path):
    records = opened(tmp_path)
    kept = WhileUnchanged(records)
    done = threading.Event()
    stale = []

    def ask():
        while not done.is_set():
            least = tally(records)
            found = kept.get("n", lambda: tally(records))
            if found < least:
                stale.append((least, found))

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for _ in range(150):
        bump(records)
    done.set()
    for asker in askers:
        asker.join()
    assert stale == []
    records.close()


def test_what_rests_on_little_is_kept_while_all_else_changes(tmp_path):
    records = opened(tmp_path)
    with records.write() as session:
        session.execute(text("CREATE TABLE decided (version INTEGER)"))
    question = Prepared(select(func.max(column("version"))).select_from(table("decided")))
    kept = WhileUnchanged(records, rests_on=question)
    reads = []

    def read():
        reads.append(1)
        with records.read() as session:
            return session.scalar(text("SELECT max(version) FROM decided"))

    for _ in range(3):
        bump(records)
        assert kept.get("v", read) is None
    assert len(reads) == 1
    with records.write() as session:
        session.execute(text("INSERT INTO decided VALUES (7)"))
    assert kept.get("v", read) == 7
    records.close()


def test_where_changes_cannot_be_told_everything_is_read_anew():
    records = open_records("sqlite://", migrate=False)
    kept = WhileUnchanged(records)
    answers = iter([1, 2])
    assert [kept.get("n", lambda: next(answers)) for _ in range(2)] == [1, 2]
    records.close()
