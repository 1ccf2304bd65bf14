"""Whoever holds a bundle can check it without the program, and learns exactly what is at fault."""

import base64
import shutil
import subprocess
import sys
import zipfile
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update

from jingwei import ledger
from jingwei.ledger import bundle, tiles, verify
from jingwei.ledger.keys import Signer, check_signature, generate
from jingwei.ledger.models import Event, Head, PastCheckpoint, Tile
from jingwei.ledger.service import entry_bytes
from jingwei.ledger.verify import Checkpoint, Frontier, check_bundle, leaf_hash

EVENTS = 300


@pytest.fixture
def log(records, sealer):
    """A log of 300 events besides its first, sealed in groups."""
    sealer.seal_all()
    for start in range(0, EVENTS, 100):
        with records.write() as session:
            told = ((f"thing/{n}", {"n": n}) for n in range(start, start + 100))
            ledger.append_many(session, "test.noted", told, actor="person/1")
        sealer.seal_all()
    return sealer


@pytest.fixture
def check(records, log, tmp_path):
    """Export and check; gives what was found, as (code, position)."""

    def export_and_check(*, kept=(), key=None):
        path = tmp_path / "bundle.zip"
        with records.read() as session:
            bundle.export(session, path)
        report = check_bundle(path, key=key or log.signer.key, kept=kept, check=check_signature)
        return [(finding.code, finding.position) for finding in report.findings if finding.fault]

    return export_and_check


def change(records, *statements):
    """Change the database as an intruder would, past the program."""
    with records.write() as session:
        for statement in statements:
            session.execute(statement)


def at(position):
    return update(Event).where(Event.position == position)


def test_an_honest_bundle_is_sound(check):
    assert check() == []


def test_an_independent_reading_agrees(records, log, tmp_path, independent):
    with records.read() as session:
        bundle.export(session, tmp_path / "b.zip")
    assert independent.verify_bundle(tmp_path / "b.zip", str(log.signer.key)) == EVENTS + 1


def test_several_processes_find_the_same_as_one(records, log, tmp_path, monkeypatch):
    monkeypatch.setattr(verify, "CHUNK", 1)  # so that 301 events are more than one part
    change(records, at(7).values(data={"n": 999}), at(290).values(type="test.other"))
    change(records, at(256).values(sealed=head_time(records) - timedelta(days=1)))
    with records.read() as session:
        bundle.export(session, tmp_path / "b.zip")
    one, two = (
        check_bundle(tmp_path / "b.zip", key=log.signer.key, check=check_signature, processes=processes)
        for processes in (1, 2)
    )
    assert one == two
    found = {(finding.code, finding.position) for finding in one.findings}
    # What follows 256 is sealed later again: the clock went back there alone.
    assert found == {
        ("changed-payload", 7),
        ("clock-moved-back", 256),
        ("changed-event", 256),
        ("changed-event", 290),
    }


def test_a_file_that_is_no_bundle_is_named(log, tmp_path):
    path = tmp_path / "b.zip"
    path.write_bytes(b"no bundle")
    report = check_bundle(path, key=log.signer.key, check=check_signature)
    assert [finding.code for finding in report.findings] == ["malformed"]


def test_a_changed_payload_is_named(records, check):
    change(records, at(7).values(data={"n": 999}), at(9).values(actor="person/2"))
    assert check() == [("changed-payload", 7), ("changed-payload", 9)]


def test_a_changed_event_is_named(records, check):
    change(records, at(7).values(type="test.other"))
    assert check() == [("changed-event", 7)]


def test_a_payload_of_no_form_is_named(records, check):
    change(records, text("UPDATE event SET data = 'nothing' WHERE position = 7"))
    assert check() == [("changed-payload", 7)]


def test_a_changed_payload_with_a_new_digest_is_named(records, check):
    change(records, at(7).values(data=None, salt=None, digest=bytes(32)))
    assert check() == [("changed-event", 7), ("erased-without-record", 7)]


def test_a_deleted_event_is_named(records, check):
    change(records, delete(Event).where(Event.position == 7))
    assert check() == [("deleted-event", 7)]


def test_a_deleted_event_is_named_although_the_rest_moved_up(records, check):
    change(records, delete(Event).where(Event.position == 7))
    for position in range(8, EVENTS + 1):
        change(records, at(position).values(position=position - 1))
    assert check() == [("deleted-event", 7)]


def test_the_newest_events_deleted_are_named(records, check):
    change(records, delete(Event).where(Event.position > 298))
    assert check() == [("deleted-event", 299), ("deleted-event", 300)]


def test_an_inserted_event_is_named(records, check):
    change(records, delete(Event).where(Event.position == EVENTS))  # the log ends where its signature says
    for position in range(EVENTS - 1, 6, -1):
        change(records, at(position).values(position=position + 1))
    with records.write() as session:
        event_id = ledger.append(session, "test.noted", actor="a", subject="s", data={"n": 1})
        event = session.get_one(Event, event_id)
        event.position = 7
        event.sealed = session.scalars(select(Event.sealed).where(Event.position == 6)).one()
    assert check() == [("deleted-event", EVENTS), ("inserted-event", 7)]


def test_reordered_events_are_named(records, check):
    change(records, at(7).values(position=9999), at(5).values(position=7), at(9999).values(position=5))
    assert check() == [("reordered-event", 5), ("reordered-event", 7)]


def test_one_event_moved_is_named_alone(records, check):
    change(records, at(50).values(position=9999))
    for position in range(49, 9, -1):
        change(records, at(position).values(position=position + 1))
    change(records, at(9999).values(position=10))
    assert check() == [("reordered-event", 50)]


def test_a_changed_tile_is_named(records, check):
    with records.read() as session:
        hashes = session.get_one(Tile, (0, 1)).hashes
    change(records, update(Tile).where(Tile.level == 0, Tile.number == 1).values(hashes=hashes[:-1] + b"?"))
    assert check() == [("changed-tile", None)]


def rebuild_tiles(records):
    """Recompute the whole tree over what the events now say, as a thorough intruder would."""
    with records.write() as session:
        session.execute(delete(Tile))
        events = session.scalars(select(Event).where(Event.position.is_not(None)).order_by(Event.position))
        leaves = [leaf_hash(entry_bytes(e.type, e.time, e.sealed, e.digest)) for e in events]
        tiles.extend(session, 0, leaves)
        frontier = Frontier()
        for leaf in leaves:
            frontier.push(leaf)
        return frontier


def test_a_rewritten_history_is_narrowed_down_by_what_was_signed_before(records, check):
    change(records, at(270).values(type="test.other"))
    rebuild_tiles(records)
    with records.read() as session:
        kept = [verify.Note.parse(note).text for note in session.scalars(select(PastCheckpoint.note))]
    assert [Checkpoint.parse(note).size for note in kept] == [301]
    assert check() == [("changed-history", 0)]


def test_a_rewritten_history_with_a_forged_signature_is_named(records, check, tmp_path):
    change(records, at(7).values(type="test.other"))
    frontier = rebuild_tiles(records)
    forger = Signer("example.cn/log", generate(tmp_path / "forger.pem"))
    forged = forger.sign(Checkpoint("example.cn/log", frontier.size, frontier.root()))
    change(records, update(Head).values(checkpoint=forged))
    assert check() == [("forged-checkpoint", EVENTS + 1)]


def test_a_checkpoint_with_another_root_is_forged(records, check):
    with records.read() as session:
        note = session.scalars(select(Head.checkpoint)).one()
    root = note.split("\n")[2]
    change(records, update(Head).values(checkpoint=note.replace(root, base64.b64encode(bytes(32)).decode())))
    assert check() == [("forged-checkpoint", EVENTS + 1)]


def test_a_rolled_back_database_is_named(records, check, log):
    """Everything is put back to an older state, checkpoint and all; the auditor kept a newer one."""
    with records.read() as session:
        kept = session.scalars(select(Head.checkpoint)).one()
    with records.write() as session:
        session.execute(delete(Event).where(Event.position > 100))
    frontier = rebuild_tiles(records)
    older = log.signer.sign(Checkpoint("example.cn/log", 101, frontier.root()))
    change(records, delete(PastCheckpoint), update(Head).values(checkpoint=older, size=101))
    assert check() == []  # by itself it is a sound, older log
    assert check(kept=[kept]) == [("rolled-back", 101)]


def test_a_history_rewritten_by_the_owner_of_the_key_is_named_by_a_kept_checkpoint(records, check, log):
    with records.read() as session:
        kept = session.scalars(select(Head.checkpoint)).one()
    change(records, at(7).values(type="test.other"))
    frontier = rebuild_tiles(records)
    signed = log.signer.sign(Checkpoint("example.cn/log", frontier.size, frontier.root()))
    change(records, delete(PastCheckpoint), update(Head).values(checkpoint=signed))
    assert check() == []
    assert check(kept=[kept]) == [("split-view", EVENTS + 1)]


def test_a_clock_moved_back_is_named(records, log, check, tmp_path, note):
    note(1)
    log.clock = lambda: head_time(records) - timedelta(days=1)
    log.seal_all()
    path = tmp_path / "b.zip"
    with records.read() as session:
        bundle.export(session, path)
    report = check_bundle(path, key=log.signer.key, check=check_signature)
    # The log itself said so, at the same moment: something to know, no fault.
    assert [(f.code, f.position, f.fault) for f in report.findings] == [
        ("clock-moved-back", EVENTS + 1, False)
    ]
    change(records, at(EVENTS + 2).values(sealed=head_time(records) - timedelta(days=1)))
    assert ("clock-moved-back", EVENTS + 2) in check()


def head_time(records):
    with records.read() as session:
        return session.scalars(select(Head.sealed)).one()


def test_what_was_erased_lawfully_is_no_fault(records, log, check):
    with records.write() as session:
        ledger.erase(session, [7, 8], actor="a", reason="PIPL 47")
    log.seal_all()
    assert check() == []
    change(records, at(9).values(actor=None, subject=None, data=None, salt=None))
    assert check() == [("erased-without-record", 9)]


def test_a_rotated_key_is_followed_from_the_first(records, log, check, note):
    first = log.signer.key
    for n in range(2):
        log.rotate()
        note(n)
    log.seal_all()
    assert check(key=first) == []
    forger = first._replace(public=bytes(32))
    assert check(key=verify.Key.of("example.cn/log", forger.public))[0][0] == "forged-checkpoint"


def test_a_handover_to_a_forged_key_is_refused(records, log, check, tmp_path, note):
    """A new key is believed only where the old key signed the entry that names it."""
    first = log.signer.key
    forger = Signer("example.cn/log", generate(tmp_path / "forger.pem"))
    log.rotate()
    change(records, at(EVENTS + 1).values(data={"old_key": str(first), "new_key": str(forger.key)}))
    with records.read() as session:
        head = Checkpoint.parse(verify.Note.parse(session.scalars(select(Head.checkpoint)).one()).text)
    change(records, update(Head).values(checkpoint=forger.sign(head)))
    assert ("forged-checkpoint", EVENTS + 2) in check(key=first)


def test_payloads_can_be_withheld(records, log, tmp_path):
    with records.read() as session:
        bundle.export(session, tmp_path / "b.zip", payloads=False)
    report = check_bundle(tmp_path / "b.zip", key=log.signer.key, check=check_signature)
    assert report.sound
    assert [finding.code for finding in report.findings] == ["payloads-withheld"]
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert b"person/1" not in b"".join(
            archive.read(name) for name in archive.namelist() if "tile" in name
        )


def test_the_script_stands_alone(records, log, tmp_path):
    """Python without the project, and the openssl command, check a bundle and a receipt."""
    path, alone = tmp_path / "b.zip", tmp_path / "elsewhere"
    alone.mkdir()
    with records.read() as session:
        bundle.export(session, path)
        event_id = session.scalars(select(Event.id).where(Event.position == 9)).one()
        (alone / "9.tlog-proof").write_text(bundle.receipt(session, event_id))
        (alone / "kept").write_text(session.scalars(select(Head.checkpoint)).one())
    with zipfile.ZipFile(path) as archive:
        archive.extract("verify.py", alone)

    def run(*arguments):
        command = [sys.executable, "-I", "-S", alone / "verify.py", *arguments]
        return subprocess.run(command, cwd=alone, capture_output=True, text=True, check=False)

    key = str(log.signer.key)
    done = run("bundle", path, "--key", key, "--checkpoint", alone / "kept")
    assert (done.returncode, done.stderr) == (0, "")
    assert "sound 可信: 301 events" in done.stdout
    assert run("bundle", path).returncode == 0
    assert run("receipt", alone / "9.tlog-proof", "--key", key).returncode == 0
    change(records, at(7).values(data={"n": 999}))
    with records.read() as session:
        bundle.export(session, path)
    done = run("bundle", path, "--key", key)
    assert done.returncode == 1
    assert "changed-payload: the payload of event 7 (test.noted) was changed" in done.stdout


def repack(path, target, edit):
    """Copy a bundle, with `edit(name, content)` in place of each member."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = edit(name, old.read(name))
            if content is not None:
                new.writestr(name, content)


@pytest.fixture(scope="module")
def packed(tmp_path_factory, migrated_sqlite):
    """A sound bundle, its key, and what each member holds."""
    from jingwei.ledger.sealer import Sealer
    from jingwei.records import open_records

    folder = tmp_path_factory.mktemp("packed")
    records = open_records(f"sqlite:///{shutil.copy(migrated_sqlite, folder / 'records.db')}", migrate=False)
    sealer = Sealer(records, folder / "log")
    with records.write() as session:
        ledger.append_many(session, "test.noted", ((f"t/{n}", {"n": n}) for n in range(20)), actor="a")
    sealer.seal_all()
    with records.read() as session:
        bundle.export(session, folder / "b.zip")
    records.close()
    return folder / "b.zip", sealer.signer.key


@given(st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_byte_is_changed_the_bundle_is_not_sound(packed, tmp_path, chance):
    """Random tampering: one byte of one member that the verdict rests on."""
    path, key = packed
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if n.startswith("tile/") or n == "checkpoint"]
        name = chance.choice(sorted(names))
        content = bytearray(archive.read(name))
    i = chance.randrange(len(content))
    content[i] ^= 1 << chance.randrange(8)
    repack(path, tmp_path / "t.zip", lambda n, c: bytes(content) if n == name else c)
    report = check_bundle(tmp_path / "t.zip", key=key, check=check_signature)
    assert not report.sound, (name, i)
