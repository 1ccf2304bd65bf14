"""kill -9 at any moment of a load: the old version or the new one is readable, and nothing between."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jingwei.access import local_person
from jingwei.city import open_city

ROUNDS = 100
ROWS = 20_000
SOURCES = ("alpha", "beta")

LOADER = """
import sys
from pathlib import Path
from jingwei.access import local_person
from jingwei.city import load_pack, open_city, read_manifest
from jingwei import grid
import numpy as np
grid.encode(np.zeros(2), np.zeros(2), 32)
pack, home = Path(sys.argv[1]), Path(sys.argv[2])
with open_city(home, create=True) as city:
    print("ready", flush=True)
    sys.stdin.readline()
    load_pack(city, read_manifest(pack), pack, None, local_person())
"""

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


def write(pack: Path, generation: int) -> None:
    for name in SOURCES:
        lines = [f"{n},{generation},{114 + n / 1e6},{22.5 + n / 1e6}" for n in range(ROWS + generation)]
        (pack / f"{name}.csv").write_text("n,generation,lon,lat\n" + "\n".join(lines) + "\n", "utf-8")


def load(pack: Path, home: Path, *, kill_after: float | None) -> bool:
    """Run one load; kill it after so many seconds, if it is not done before. Say whether it was killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", LOADER, str(pack), str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n"
    process.stdin.write(b"go\n")
    process.stdin.flush()
    try:
        process.wait(kill_after)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        return True
    finally:
        process.stdin.close()
        process.stdout.close()
    assert process.returncode == 0
    return False


def generations(home: Path) -> dict[str, int]:
    """Return the generation that each dataset answers with; fail if it answers with a mixture."""
    with open_city(home) as city:
        with city.lake.store.writing():
            pass
        found = {}
        for dataset in city.lake.datasets(local_person()):
            table = city.lake.reader.columns(dataset.version, ["n", "generation"])
            (generation,) = set(table["generation"].to_pylist())
            assert sorted(table["n"].to_pylist()) == list(range(ROWS + generation))
            found[dataset.id] = generation
        return found


@pytest.mark.soak
def test_kill_at_any_moment_leaves_the_old_or_the_new(tmp_path):
    pack, home = tmp_path / "pack", tmp_path / "home"
    pack.mkdir()
    (pack / "city.toml").write_text(MANIFEST + "".join(SOURCE.format(name=n) for n in SOURCES), "utf-8")
    write(pack, 0)
    started = time.monotonic()
    load(pack, home, kill_after=None)
    longest = time.monotonic() - started
    before = generations(home)
    assert before == dict.fromkeys(SOURCES, 0)
    moments = random.Random(39409)
    killed = old = new = 0
    for generation in range(1, ROUNDS + 1):
        write(pack, generation)
        killed += load(pack, home, kill_after=moments.uniform(0, longest * 0.5))
        after = generations(home)
        assert set(after) == set(SOURCES)
        for name in SOURCES:
            assert after[name] in (before[name], generation)
            old += after[name] == before[name]
            new += after[name] == generation
        before = after
    write(pack, ROUNDS + 1)
    load(pack, home, kill_after=None)
    assert generations(home) == dict.fromkeys(SOURCES, ROUNDS + 1)
    files = len(list(home.glob("lake/*/*/*.parquet")))
    print(f"{ROUNDS} rounds, {killed} killed; datasets left old {old} times, new {new} times; {files} files")
    assert killed > ROUNDS / 4
    assert old
    assert new
