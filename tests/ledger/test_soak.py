"""Killed at any moment, the log has lost nothing that it acknowledged, and has one order for all."""

import os
import random
import signal
import subprocess
import sys

import pytest
from sqlalchemy import select

from jingwei import ledger
from jingwei.ledger import bundle
from jingwei.ledger.keys import check_signature
from jingwei.ledger.models import Event, Progress
from jingwei.ledger.sealer import Sealer
from jingwei.ledger.verify import check_bundle, check_receipt
from jingwei.records import open_records

ROUNDS = 100

APPENDER = """
import os, sys, threading
from pathlib import Path
from jingwei import ledger
from jingwei.ledger.followers import Follower
from jingwei.ledger.sealer import Sealer
from jingwei.records import open_records
from jingwei.words import Text

number = ledger.Field(int, Text("数"))
ledger.declare("soak.noted", Text("浸泡", "Noted"), subject="s", fields={"n": number})
records = open_records(sys.argv[1], migrate=False)

def copy(session, entries):
    for entry in entries:
        if entry.type == "soak.noted":
            ledger.append(session, "soak.seen", actor="f", subject="seen", data={"n": entry.position})

ledger.declare("soak.seen", Text("看到", "Seen"), subject="s", fields={"n": number})
follower = Follower(records, "soak", copy)
sealer = Sealer(records, Path(sys.argv[2]), pause=0.001)
sealer.seal_all()
follower.catch_up()  # what the last round left, so that both are awake when this one is killed
with sealer.running():
    threading.Thread(target=follower.run, args=(threading.Event(),), daemon=True).start()

    def note():
        n = 0
        while True:
            with records.write() as session:
                event_id = ledger.append(session, "soak.noted", actor="a", subject="s", data={"n": n})
            os.write(1, b"%d\\n" % event_id)  # acknowledged: committed before it is said
            n += 1

    for _ in range(3):
        threading.Thread(target=note, daemon=True).start()
    note()
"""


@pytest.mark.soak
def test_a_log_killed_a_hundred_times_keeps_every_acknowledged_event(records_url, tmp_path):
    open_records(records_url).close()
    folder, chance = tmp_path / "log", random.Random(1)
    acknowledged: list[int] = []
    for _ in range(ROUNDS):
        process = subprocess.Popen(
            [sys.executable, "-c", APPENDER, records_url, folder], stdout=subprocess.PIPE, text=True
        )
        wanted = chance.randrange(1, 240)
        for _ in range(wanted):
            line = process.stdout.readline()
            assert line, "the appender ended by itself"
            acknowledged.append(int(line))
        os.kill(process.pid, signal.SIGKILL)
        rest = process.stdout.read().splitlines(keepends=True)
        acknowledged += [int(line) for line in rest if line.endswith("\n")]
        process.wait()
    records = open_records(records_url, migrate=False)
    sealer = Sealer(records, folder)
    sealer.seal_all()
    with records.read() as session:
        size = ledger.size(session)
        positions = list(session.scalars(select(Event.position).order_by(Event.position)))
        assert positions == list(range(size))
        held = set(session.scalars(select(Event.id).where(Event.type == "soak.noted")))
        assert set(acknowledged) <= held
        for event_id in chance.sample(acknowledged, 50):
            receipt = bundle.receipt(session, event_id)
            assert check_receipt(receipt, key=sealer.signer.key, check=check_signature).sound
        bundle.export(session, tmp_path / "b.zip")
        # The follower handed on each event once, in the order of the log, up to where it came.
        reached = session.get_one(Progress, "soak").position
        seen = [
            event["n"]
            for event in session.scalars(
                select(Event.data).where(Event.type == "soak.seen").order_by(Event.id)
            )
        ]
        noted = session.scalars(
            select(Event.position)
            .where(Event.type == "soak.noted", Event.position < reached)
            .order_by(Event.position)
        )
        assert seen, "the follower came to nothing: the rounds are too short"
        assert seen == list(noted)
    # Told with -s, for docs/benchmarks.md.
    print(f"{ROUNDS} kills; {len(acknowledged)} acknowledged, {len(held)} held, {size} sealed")
    print(f"{len(seen)} handed on in order")
    assert check_bundle(tmp_path / "b.zip", key=sealer.signer.key, check=check_signature).sound
    records.close()
