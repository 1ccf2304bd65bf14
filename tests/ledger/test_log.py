"""The log gives every committed event one position, for ever, and can prove it."""

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, update
from sqlalchemy import text as sql

from jingwei import ledger
from jingwei.errors import NotFoundError
from jingwei.ledger import bundle, tiles
from jingwei.ledger.keys import check_signature
from jingwei.ledger.models import Event, Head, Tile
from jingwei.ledger.sealer import RolledBackError, Sealer
from jingwei.ledger.verify import (
    Checkpoint,
    Frontier,
    Note,
    Receipt,
    check_receipt,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)


def head_of(records):
    with records.read() as session:
        return session.scalars(select(Head)).one()


def test_a_log_opens_with_an_entry_that_names_its_key(records, sealer):
    sealer.seal_all()
    with records.read() as session:
        first = ledger.entry_at(session, 0)
    assert first.type == "ledger.opened"
    assert first.data == {"origin": "example.cn/log", "key": str(sealer.signer.key)}


def test_events_get_positions_in_the_order_of_commit(records, sealer, note):
    for n in range(5):
        note(n)
    assert sealer.seal_all() == 6
    assert sealer.seal_all() == 0
    with records.read() as session:
        found = ledger.entries(session, 1, 6)
    assert [(entry.position, entry.data["n"]) for entry in found] == [(n + 1, n) for n in range(5)]


def test_numbers_that_were_never_given_leave_no_gap_in_the_log(records, sealer, note):
    ids = [note(0), note(1)]
    with records.write() as session:  # as a database leaves it that counted for what was then undone
        session.execute(update(Event).where(Event.id == ids[1]).values(id=ids[1] + 5))
    if records.engine.dialect.name == "postgresql":
        with records.write() as session:
            session.execute(sql("SELECT nextval('event_id_seq') FROM generate_series(1, 7)"))
    note(2)
    assert sealer.seal_all() == 4
    with records.read() as session:
        found = ledger.entries(session, 1, 9)
    assert [(entry.position, entry.data["n"]) for entry in found] == [(n + 1, n) for n in range(3)]


def test_the_sealer_misses_no_event_that_commits_late(records, sealer):
    """On PostgreSQL a lower id may be committed after a higher one was sealed."""
    if records.engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer: events commit in the order of their ids")
    with records.write() as slow:
        ledger.append(slow, "test.noted", actor="a", subject="s", data={"n": 1})
        slow.flush()
        with records.write() as quick:
            ledger.append(quick, "test.noted", actor="a", subject="s", data={"n": 2})
        sealer.seal_all()
    sealer.seal_all()
    with records.read() as session:
        found = ledger.entries(session, 1, 3)
    assert [entry.data["n"] for entry in found] == [2, 1]
    assert found[0].id > found[1].id


def test_two_sealers_at_once_give_one_order(records, sealer, tmp_path, note):
    other = Sealer(records, tmp_path / "log")
    threads = [threading.Thread(target=one.seal_all) for one in (sealer, other) for _ in range(2)]
    ids = [note(n) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealer.seal_all()
    with records.read() as session:
        found = ledger.entries(session, 0, 100)
    assert [entry.position for entry in found] == list(range(51))
    assert sorted(entry.id for entry in found[1:]) == ids


def test_every_event_has_a_receipt_that_stands_alone(records, sealer, note):
    ids = [note(n) for n in range(300)]
    sealer.seal_all()
    with records.read() as session:
        texts = [bundle.receipt(session, event_id) for event_id in ids]
    for text in texts:
        report = check_receipt(text, key=sealer.signer.key, check=check_signature)
        assert report.sound, report.findings
    changed = str(Receipt(**{**vars(Receipt.parse(texts[7])), "payload": b'{"actor":"someone else"}'}))
    report = check_receipt(changed, key=sealer.signer.key, check=check_signature)
    assert [(finding.code, finding.position) for finding in report.findings] == [("changed-payload", 8)]


def test_an_unsealed_event_has_no_receipt_yet(records, sealer, note):
    event_id = note(1)
    with records.read() as session:
        with pytest.raises(bundle.NotSealedError):
            bundle.receipt(session, event_id)
        with pytest.raises(NotFoundError):
            bundle.receipt(session, event_id + 1)


def test_a_receipt_of_another_log_proves_nothing(records, sealer, tmp_path, note):
    event_id = note(1)
    sealer.seal_all()
    with records.read() as session:
        text = bundle.receipt(session, event_id)
    other = sealer.signer.key._replace(public=bytes(32))
    assert not check_receipt(text, key=other, check=check_signature).sound
    unknown = sealer.signer.key._replace(name="elsewhere")
    assert not check_receipt(text, key=unknown, check=check_signature).sound


@pytest.mark.parametrize("groups", [[1, 255, 1], [256, 256], [700], [3, 700, 1, 300]])
def test_tiles_hold_the_tree_however_events_were_grouped(records, sealer, groups):
    sealer.seal_all()
    for count in groups:
        with records.write() as session:
            ledger.append_many(
                session, "test.noted", ((f"thing/{n}", {"n": n}) for n in range(count)), actor="a"
            )
        sealer.seal_all()
    size = 1 + sum(groups)
    with records.read() as session:
        entries = []
        for number in range(-(-size // 256)):
            packed = bundle.entry_bundle(session, size, number)
            while packed:
                length = int.from_bytes(packed[:2], "big")
                entries.append(packed[2 : 2 + length])
                packed = packed[2 + length :]
        leaves = [leaf_hash(entry) for entry in entries]
        stored = session.scalars(select(Tile).order_by(Tile.level, Tile.number)).all()
        # tlog-tiles: the partial tile at level l has floor(s / 256**l) mod 256 hashes.
        for level in range(3):
            widths = [len(tile.hashes) // 32 for tile in stored if tile.level == level]
            full, rest = divmod(size >> (8 * level), 256)
            assert widths == [256] * full + [rest] * (rest > 0)
        assert b"".join(tile.hashes for tile in stored if tile.level == 0) == b"".join(leaves)
        frontier = Frontier()
        roots = [frontier.root()]
        for leaf in leaves:
            frontier.push(leaf)
            roots.append(frontier.root())
        head = session.scalars(select(Head)).one()
        assert Checkpoint.parse(Note.parse(head.checkpoint).text).root == roots[size]
        for old in {0, 1, 2, 255, 256, 257, size - 1, size} & set(range(size + 1)):
            proof = tiles.prove_consistency(session, old, size)
            assert verify_consistency(old, size, roots[old], roots[size], proof)
        for index in {0, 1, 255, 256, size - 1} & set(range(size)):
            for at in {index + 1, size}:
                proof = tiles.prove_inclusion(session, index, at)
                assert verify_inclusion(index, at, leaves[index], proof, roots[at])


@pytest.fixture
def tiles_without_inner_nodes(records, sealer, monkeypatch):
    """Seven full tiles as they were sealed before inner nodes were kept; gives those that belong there."""
    monkeypatch.setattr(tiles, "AT_ONCE", 3)
    with records.write() as session:
        told = ((f"thing/{n}", {"n": n}) for n in range(7 * 256 + 9))
        ledger.append_many(session, "test.noted", told, actor="a")
    sealer.seal_all()
    with records.write() as session:
        inner = dict(session.execute(select(Tile.number, Tile.inner).where(Tile.level == 0)).all())
        session.execute(update(Tile).values(inner=None))
    return inner


def test_tiles_of_older_versions_get_their_inner_nodes_and_an_interruption_loses_none(
    records, tiles_without_inner_nodes
):
    begun = tiles.Completion(records)
    assert begun.left() == 7
    assert begun.step() == 3
    resumed = tiles.Completion(records)
    assert resumed.left() == 4
    assert [resumed.step() for _ in range(3)] == [3, 1, 0]
    with records.read() as session:
        found = dict(session.execute(select(Tile.number, Tile.inner).where(Tile.level == 0)).all())
    assert found == tiles_without_inner_nodes


def test_a_sealer_with_nothing_to_seal_completes_older_tiles_and_says_how_far_it_is(
    records, sealer, tiles_without_inner_nodes, caplog
):
    caplog.set_level(logging.INFO, "jingwei.ledger")
    done = threading.Event()
    listener = logging.Handler()
    listener.emit = lambda record: done.set() if "7 of 7" in record.getMessage() else None
    logging.getLogger("jingwei.ledger.sealer").addHandler(listener)
    with sealer.running():
        assert done.wait(10)
    logging.getLogger("jingwei.ledger.sealer").removeHandler(listener)
    assert "3 of 7" in caplog.text
    assert tiles.Completion(records).left() == 0


def test_a_tile_beyond_the_tree_is_not_found(records, sealer):
    sealer.seal_all()
    with records.read() as session, pytest.raises(NotFoundError):
        tiles.tile_hashes(session, 1, 0, 1)


def test_nothing_of_a_leaf_can_be_traced_to_a_person(records, sealer, note):
    note(1)
    sealer.seal_all()
    with records.read() as session:
        leaf = bundle.entry_bundle(session, 2, 0)[2:]
    for trace in (b"person/1", b"thing/1", "经纬".encode()):
        assert trace not in leaf
    with records.write() as session:
        ids = [ledger.append(session, "test.noted", actor="a", subject="s", data={"n": 1}) for _ in range(2)]
        twin = [session.get_one(Event, event_id) for event_id in ids]
        assert twin[0].digest != twin[1].digest  # salted: equal payloads cannot be told from their digests


def test_erasing_leaves_the_tree_valid_and_is_itself_an_event(records, sealer, note):
    event_id = note(1)
    sealer.seal_all()
    with records.write() as session:
        ledger.erase(session, [1], actor="person/2", reason="个人信息保护法第四十七条")
    sealer.seal_all()
    with records.read() as session:
        erased = ledger.entry_at(session, 1)
        assert (erased.actor, erased.subject, erased.data) == (None, None, None)
        assert ledger.entry_at(session, 2).data["positions"] == [1]
        report = check_receipt(
            bundle.receipt(session, event_id), key=sealer.signer.key, check=check_signature
        )
    assert report.sound
    with records.write() as session, pytest.raises(NotFoundError):
        ledger.erase(session, [99], actor="a", reason="r")


def test_a_correction_is_a_new_entry_that_points_at_the_old(records, sealer, note):
    note(1)
    sealer.seal_all()
    with records.write() as session:
        ledger.correct(session, 1, actor="person/1", reason="笔误", data={"n": 2})
    sealer.seal_all()
    with records.read() as session:
        old, new = ledger.entries(session, 1, 3)
    assert old.data["n"] == 1
    assert (new.subject, new.data["position"], new.data["data"]) == ("thing/1", 1, {"n": 2})


class Clock:
    """A clock that the test sets."""

    def __init__(self):
        self.now = datetime(2026, 11, 22, 8, tzinfo=UTC)

    def __call__(self):
        return self.now


def test_a_clock_moved_back_is_recorded_before_all_else(records, tmp_path, note):
    clock = Clock()
    sealer = Sealer(records, tmp_path / "log", clock=clock)
    sealer.seal_all()
    clock.now -= timedelta(hours=1)
    note(1)
    sealer.seal_all()
    with records.read() as session:
        said, noted = ledger.entries(session, 1, 3)
    assert (said.type, noted.type) == ("ledger.clock_moved_back", "test.noted")
    assert said.data == {"before": "2026-11-22T08:00:00.000000Z", "after": "2026-11-22T07:00:00.000000Z"}


def test_small_steps_of_the_clock_are_smoothed(records, tmp_path, note):
    clock = Clock()
    sealer = Sealer(records, tmp_path / "log", clock=clock)
    sealer.seal_all()
    clock.now -= timedelta(milliseconds=900)
    note(1)
    sealer.seal_all()
    with records.read() as session:
        assert [entry.sealed for entry in ledger.entries(session, 0, 9)] == [
            datetime(2026, 11, 22, 8, tzinfo=UTC)
        ] * 2


def test_a_rolled_back_store_is_not_sealed_on(records, sealer, tmp_path, note):
    """The copy of the newest checkpoint beside the key knows more than a store from a backup."""
    note(1)
    sealer.seal_all()
    newest = (tmp_path / "log" / "checkpoint").read_text()
    assert newest == head_of(records).checkpoint
    forged = sealer.signer.sign(Checkpoint("example.cn/log", 9, bytes(32)))
    (tmp_path / "log" / "checkpoint").write_text(forged)
    with pytest.raises(RolledBackError, match="rolled back"):
        Sealer(records, tmp_path / "log")
    rewritten = sealer.signer.sign(Checkpoint("example.cn/log", 1, bytes(32)))
    (tmp_path / "log" / "checkpoint").write_text(rewritten)
    with pytest.raises(RolledBackError):
        Sealer(records, tmp_path / "log")
    (tmp_path / "log" / "checkpoint").write_text(newest)
    assert Sealer(records, tmp_path / "log").signer.key == sealer.signer.key


def test_a_key_rotates_by_an_entry_that_both_keys_sign(records, sealer, tmp_path, note):
    old = sealer.signer.key
    note(1)
    new = sealer.rotate()
    handover = Note.parse(head_of(records).checkpoint)
    assert handover.signers([old], check_signature) == [old]
    assert handover.signers([new], check_signature) == [new]
    note(2)
    sealer.seal_all()
    assert Note.parse(head_of(records).checkpoint).signers([old, new], check_signature) == [new]
    reopened = Sealer(records, tmp_path / "log")
    assert reopened.signer.key == new
    with records.read() as session:
        assert ledger.entry_at(session, 2).data == {"old_key": str(old), "new_key": str(new)}


@pytest.mark.parametrize("logged", [True, False])
def test_a_crash_during_rotation_is_completed_or_discarded(records, sealer, tmp_path, logged, monkeypatch):
    sealer.seal_all()
    old = sealer.signer.key
    folder = tmp_path / "log"
    before = (folder / "log-key.pem").read_bytes()
    if logged:
        new = sealer.rotate()
        (folder / "log-key.pem").rename(folder / "log-key.next.pem")
        (folder / "log-key.pem").write_bytes(before)
        (folder / "log-key.pem").chmod(0o600)
        assert Sealer(records, folder).signer.key == new
    else:
        (folder / "log-key.next.pem").write_bytes(before)
        (folder / "log-key.next.pem").chmod(0o600)
        assert Sealer(records, folder).signer.key == old
    assert not (folder / "log-key.next.pem").exists()


def test_the_sealer_runs_and_wakes_at_a_commit(records, sealer, note):
    sealer.seal_all()
    stop = threading.Event()
    sealed = threading.Event()
    unsubscribe = sealer.bells.sealed.subscribe(sealed.set)
    thread = threading.Thread(target=sealer.run, args=(stop,))
    thread.start()
    note(1)
    assert sealed.wait(10)
    unsubscribe()
    stop.set()
    thread.join()
    with records.read() as session:
        assert ledger.size(session) == 2


def test_events_of_a_subject_newest_first(records, note):
    for n in (1, 2, 1):
        note(n)
    with records.read() as session:
        assert [event.id for event in ledger.events_of(session, "thing/1")] == [3, 1]


def test_events_of_types_are_found_sealed_and_waiting(records, sealer, note):
    first = note(1)
    sealer.seal_all()
    second = note(2)
    with records.read() as session:
        found = session.execute(ledger.of_types(["test.noted"], Event.id)).scalars().all()
    assert sorted(found) == [first, second]


@pytest.mark.parametrize("given", [{"types": ["test.noted"]}, {"actor": "person/1"}, {"subject": "thing/1"}])
def test_what_is_searched_for_is_found_by_an_index_in_its_order(records, note, given):
    if records.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL chooses by statistics, which a small table does not have")
    asked = []
    listen = lambda *told: asked.append(told[2:4])  # noqa: E731
    event.listen(records.engine, "before_cursor_execute", listen)
    with records.read() as session:
        ledger.search(session, **given)
        ((statement, values),) = asked
        event.remove(records.engine, "before_cursor_execute", listen)
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    assert "USING INDEX" in plan[0][3]
    assert ("subject" in given) == any("TEMP B-TREE" in row[3] for row in plan)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_json_an_event_carries_comes_back_and_is_proven(records, sealer, data):
    # A text with a NUL cannot be stored by PostgreSQL as it is; inside JSON it is escaped.
    with records.write() as session:
        told = {"position": 0, "reason": "r", "data": data}
        event_id = ledger.append(session, "ledger.corrected", actor="a", subject="s", data=told)
    sealer.seal_all()
    with records.read() as session:
        assert session.get_one(Event, event_id).data["data"] == data
        text = bundle.receipt(session, event_id)
    assert check_receipt(text, key=sealer.signer.key, check=check_signature).sound
