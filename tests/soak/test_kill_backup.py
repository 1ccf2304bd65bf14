"""kill -9 at any moment of a load, a backup, a compaction, a removal: what is there is whole."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from jingwei.access import local_person
from jingwei.city import open_city
from jingwei.city.assessing import adopt_contract
from jingwei.errors import JingweiError
from jingwei.keeping import check_backup, restore
from jingwei.lake import contracting

KILLS = 100
ROWS = 20_000
PACK = """
[city]
id = "kill"
name = { zh = "断电" }
adcode = "990100"

[[source]]
id = "alpha"
file = "alpha.csv"
title = { zh = "甲" }
keys = ["n"]
place = { lon = "lon", lat = "lat", crs = "WGS84" }
"""
PROGRAM = """
import sys
from datetime import timedelta
from pathlib import Path
import numpy as np
from jingwei import grid
from jingwei.access import local_person
from jingwei.city import load_pack, open_city, read_manifest
from jingwei.keeping import back_up
from jingwei.lake.compacting import compact
from jingwei.lake.retention import drop_old
from jingwei.ledger.sealer import Sealer, key_folder_of
from jingwei.records import now_utc
grid.encode(np.zeros(2), np.zeros(2), 32)
what, pack, home, copy = sys.argv[1], *map(Path, sys.argv[2:])
with open_city(home, create=True) as city:
    print("ready", flush=True)
    sys.stdin.readline()
    if what == "load":
        load_pack(city, read_manifest(pack), pack, None, local_person())
    elif what == "backup":
        back_up(city, copy, keys="inside", actor="soak")
    elif what == "compact":
        compact(city.lake, "alpha", zone="Asia/Shanghai", actor="soak", least=1)
    else:
        drop_old(city.lake, actor="soak", now=now_utc() + timedelta(days=9))
"""


def write(pack, generation):
    lines = [f"{n},{generation},{114 + n / 1e6},{22.5 + n / 1e6}" for n in range(ROWS + generation)]
    (pack / "alpha.csv").write_text("n,generation,lon,lat\n" + "\n".join(lines) + "\n", "utf-8")


def run(what, pack, home, copy, *, kill_after):
    """Run one piece of work, killed after so many seconds if not done; say how long, and if killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, what, str(pack), str(home), str(copy)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"ready\n"
    started = time.monotonic()
    process.stdin.write(b"go\n")
    process.stdin.flush()
    try:
        process.wait(kill_after)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        return time.monotonic() - started, True
    finally:
        process.stdin.close()
        process.stdout.close()
    assert process.returncode == 0
    return time.monotonic() - started, False


def generation_of(home):
    """Return the generation that the city answers with; fail if it answers with a mixture."""
    with open_city(home) as city:
        with city.lake.store.writing():
            pass
        version = city.lake.dataset(local_person(), "alpha").version
        table = city.lake.reader.columns(version, ["n", "generation"])
        (generation,) = set(table["generation"].to_pylist())
        assert sorted(table["n"].to_pylist()) == list(range(ROWS + generation))
        for one in city.lake.versions(local_person(), "alpha"):
            if one.dropped is None:
                city.lake.query(local_person(), "alpha", version=one.number, limit=1)
        return generation


def fault_of(copy):
    """Return the code of what is wrong with a backup, None if nothing is."""
    try:
        check_backup(copy)
    except JingweiError as error:
        return error.code
    return None


def keep_for_a_day(home):
    with open_city(home) as city:
        agreed = contracting.contract_of(city.lake, local_person(), "alpha")
        contract = agreed.contract.model_copy(update={"retention_days": 1, "rules": [], "gate": None})
        adopt_contract(city, local_person(), contract, after=agreed.number)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_kill_at_any_moment_leaves_a_whole_city_and_whole_backups(tmp_path):
    pack, home, moments = tmp_path / "pack", tmp_path / "home", random.Random(22239)
    pack.mkdir()
    (pack / "city.toml").write_text(PACK, "utf-8")
    write(pack, 0)
    run("load", pack, home, tmp_path / "-", kill_after=None)
    keep_for_a_day(home)
    longest = {}
    for number, what in enumerate(("load", "backup", "compact", "drop")):
        write(pack, number + 1)
        longest[what], _ = run(what, pack, home, tmp_path / f"first-{what}", kill_after=None)
    now, killed, sound, none = generation_of(home), 0, 0, 0
    for round_ in range(5, 20 * KILLS):
        if killed >= KILLS:
            break
        what = moments.choice(list(longest))
        copy = tmp_path / "copy"
        write(pack, round_)
        _, dead = run(what, pack, home, copy, kill_after=moments.uniform(0, longest[what]))
        killed += dead
        before, now = now, generation_of(home)
        assert now in ((before, round_) if what == "load" else (before,))
        if what != "backup":
            continue
        code = fault_of(copy)
        assert code in (None, "no-copy")  # never a damaged one
        none += code is not None
        if code is not None:
            run("backup", pack, home, copy, kill_after=None)
        restore(copy, tmp_path / "back", actor="soak")
        assert generation_of(tmp_path / "back") == now
        sound += 1
        shutil.rmtree(tmp_path / "back")
        shutil.rmtree(copy)
    assert killed >= KILLS
    assert sound
    assert none
    print(f"{killed} killed; {sound} backups restored, of which {none} were interrupted and begun anew")
