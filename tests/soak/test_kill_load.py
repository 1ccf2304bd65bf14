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

KILLS = 100
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


def timed(pack: Path, home: Path) -> float:
    """Return the seconds of a whole load, from the word to go to the end of the process."""
    process = subprocess.Popen(
        [sys.executable, "-c", LOADER, str(pack), str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n"
    started = time.monotonic()
    process.communicate(b"go\n")
    assert process.returncode == 0
    return time.monotonic() - started


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
    load(pack, home, kill_after=None)
    write(pack, 1)
    longest = timed(pack, home)
    before = generations(home)
    assert before == dict.fromkeys(SOURCES, 1)
    moments = random.Random(39409)
    generation, killed, old, new = 1, 0, 0, 0
    while killed < KILLS:
        generation += 1
        assert generation < 5 * KILLS, "loads are done before they are killed"
        write(pack, generation)
        killed += load(pack, home, kill_after=moments.uniform(0, longest))
        after = generations(home)
        assert set(after) == set(SOURCES)
        for name in SOURCES:
            assert after[name] in (before[name], generation)
            old += after[name] == before[name]
            new += after[name] == generation
        before = after
    assert old
    assert new
    write(pack, generation + 1)
    load(pack, home, kill_after=None)
    assert generations(home) == dict.fromkeys(SOURCES, generation + 1)
    files = len(list(home.glob("lake/*/*/*.parquet")))
    answers = f"answered with the old {old} times, with the new {new} times"
    print(f"{generation - 1} loads, {killed} killed; datasets {answers}; {files} files")
