"""kill -9 at any step of a load, a backup, a compaction, a removal: what is there is whole.

Kills are placed by progress: a whole run of each piece of work tells its steps (statements and commits of the
record store, files made, renamed and removed) and how long after each the next one comes. A kill falls either
right at a step, or at a moment between two, drawn by the time that this takes.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import shutil
import signal
from collections import Counter
from pathlib import Path

import pytest

from jingwei.access import local_person
from jingwei.city import open_city
from jingwei.city.assessing import adopt_contract
from jingwei.errors import JingweiError
from jingwei.keeping import check_backup, restore
from jingwei.lake import contracting
from jingwei.lake.store import TABLES

KILLS = 100
"""Of each kind of work."""
ROWS = 5_000
SOURCES = ("alpha", "beta")
WORKS = ("load", "compact", "backup", "drop")
QUICK = 0.05
"""Seconds between two steps that are too few to be hit from outside: the process dies at the second."""
LIMIT = 1200.0
"""Seconds after which a piece of work is taken to hang."""
MANIFEST = """
[city]
id = "kill"
name = { zh = "断电" }
adcode = "990100"
"""
SOURCE = """
[[source]]
id = "{name}"
file = "{name}.csv"
title = {{ zh = "{name}" }}
keys = ["n"]
place = {{ lon = "lon", lat = "lat", crs = "WGS84" }}
"""
TIMED = "beta"
"""The source whose rows have times, so that its table is written slice by slice while it is read."""
SLICES = 4
FORKS = multiprocessing.get_context("forkserver")


def write(pack, generation):
    for name in SOURCES:
        rows = range(ROWS + generation)
        lines = [f"{n},{generation},{114 + n * 7 % 999 / 1e5},{22.5 + n / 1e6}" for n in rows]
        if name == TIMED:
            lines = [f"{line},2026-01-{1 + n * 10 // ROWS:02} 08:00:00" for n, line in enumerate(lines)]
        head = "n,generation,lon,lat" + (",time" if name == TIMED else "")
        (pack / f"{name}.csv").write_text("\n".join([head, *lines, ""]), "utf-8")


class Place:
    """Where a kill falls: at a step, or so many seconds behind it."""

    def __init__(self, at, after):
        self.at, self.after = at, after

    @classmethod
    def drawn(cls, moments, times):
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        if moments.random() < 0.5:
            return cls(moments.randint(2, len(times) - 1), None)
        (at,) = moments.choices(range(len(gaps)), gaps)
        if gaps[at] < QUICK:
            return cls(max(at + 2, 2), None)
        return cls(at + 1, moments.uniform(0, gaps[at]))


def run(what, pack, home, copy, place=None):
    """Run a piece of work; return the times of its steps, or `None` if it was killed."""
    from killed import work

    ours, theirs = FORKS.Pipe()
    at, here = (None, False) if place is None else (place.at, place.after is None)
    process = FORKS.Process(target=work, args=(what, pack, home, copy, theirs, at, here))
    process.start()
    theirs.close()
    with ours:
        told = None
        while told is None:
            assert ours.poll(LIMIT), f"{what} hangs"
            try:
                told = ours.recv()
            except EOFError:
                break
            if told == "reached":
                process.join(place.after)
                process.kill()
                told = None
        process.join(LIMIT)
    if told is None:
        assert process.exitcode == -signal.SIGKILL
    return told


def generations(home, *, dropping=False):
    """Return the generation that each dataset answers with; fail at a mixture or a file of nobody.

    Files of versions that were being dropped may be there until they are dropped again.
    """
    with open_city(home) as city:
        with city.lake.store.writing():
            pass
        found, named = {}, set()
        for name in SOURCES:
            version = city.lake.dataset(local_person(), name).version
            table = city.lake.reader.columns(version, ["n", "generation"])
            (generation,) = set(table["generation"].to_pylist())
            assert sorted(table["n"].to_pylist()) == list(range(ROWS + generation))
            found[name] = generation
            assert len(version.content.facts) == (SLICES if name == TIMED else 1)
            for one in city.lake.versions(local_person(), name):
                if one.dropped is None:
                    city.lake.query(local_person(), name, version=one.number, limit=1)
                    for kind in TABLES:
                        files = getattr(one.content, kind)
                        named |= {home / "lake" / name / kind / file.path for file in files}
        for kind in () if dropping else TABLES:
            files = set(home.glob(f"lake/*/{kind}/**/*.parquet"))
            assert {path for path in files if path.parent.name != "_delta_log"} <= named
        assert not list((home / "lake" / "scratch").glob("*"))
        return found


def fault_of(copy):
    """Return the code of what is wrong with a backup, None if nothing is."""
    try:
        check_backup(copy)
    except JingweiError as error:
        return error.code
    return None


def keep_for_a_day(home):
    with open_city(home) as city:
        for name in SOURCES:
            agreed = contracting.contract_of(city.lake, local_person(), name)
            contract = agreed.contract.model_copy(update={"retention_days": 1, "rules": [], "gate": None})
            adopt_contract(city, local_person(), contract, after=agreed.number)


def restored(copy, back):
    """Return the generations of what a backup holds."""
    restore(copy, back, actor="soak")
    found = generations(back)
    shutil.rmtree(back)
    shutil.rmtree(copy)
    return found


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_kill_at_any_step_leaves_a_whole_city_and_whole_backups(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.setenv(
        "PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep
    )  # for the server of forks
    FORKS.set_forkserver_preload(["killed"])
    pack, home, copy, moments = tmp_path / "pack", tmp_path / "home", tmp_path / "copy", random.Random(22239)
    pack.mkdir()
    sources = "".join(SOURCE.format(name=name) for name in SOURCES)
    clock = 'time = { column = "time", precision = "second" }\n'  # of the last source
    (pack / "city.toml").write_text(MANIFEST + sources + clock, "utf-8")
    write(pack, 0)
    assert run("load", pack, home, copy)
    keep_for_a_day(home)
    times = {}
    for number, what in enumerate(WORKS):
        write(pack, number + 1)
        times[what] = run(what, pack, home, copy)
    shutil.rmtree(copy)
    now, kills, seen = generations(home), Counter(), Counter()
    told = {what: f"{len(times[what])} steps in {times[what][-1] - times[what][0]:.1f} s" for what in WORKS}
    print(told, flush=True)
    for round_ in range(5, 5 + 2 * KILLS):
        if min(kills[what] for what in WORKS) >= KILLS:
            break
        write(pack, round_)
        for what in (one for one in WORKS if kills[one] < KILLS):
            told = run(what, pack, home, copy, Place.drawn(moments, times[what]))
            dead = told is None
            times[what] = told or times[what]
            kills[what] += dead
            before, now = now, generations(home, dropping=dead and what == "drop")
            for name in SOURCES:
                assert now[name] in ({before[name], round_} if what == "load" else {before[name]})
                if dead and what == "load":
                    seen["old" if now[name] == before[name] else "new"] += 1
            if what == "backup" and dead:
                code = fault_of(copy)
                assert code in (None, "no-copy")  # never a damaged one
                seen["no backup" if code else "whole backup"] += 1
                if code is None:
                    assert restored(copy, tmp_path / "back") == now
            if dead:
                again = run(what, pack, home, copy)
                if what != "backup":  # which first removes what the interrupted one left
                    times[what] = again
                now = generations(home)
                assert what != "load" or set(now.values()) == {round_}
            if what == "backup":
                assert restored(copy, tmp_path / "back") == now
        told = ", ".join(f"{what} {kills[what]} of {len(times[what])} steps" for what in WORKS)
        print(f"round {round_ - 4}: killed {told}; {dict(seen)}", flush=True)
    assert min(kills[what] for what in WORKS) >= KILLS
    assert seen["old"]
    assert seen["new"]
    assert seen["no backup"]
