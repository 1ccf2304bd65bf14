"""kill -9 while readings come in, are corrected and deleted: then roll-ups are those of the readings."""

import os
import signal
import subprocess
import sys
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from jingwei.sense.readings import Readings, StreamFacts
from jingwei.sense.rollups import HOUR, Address, Calendar, Rollups

CHANGERS = """
import os, random, sys, threading
from pathlib import Path
from zoneinfo import ZoneInfo
from jingwei.sense.readings import Batch, Reading, Readings, StreamFacts
from jingwei.sense.rollups import HOUR, Address, Calendar, Rollups

def change_for_ever(home, seed):
    rollups = None
    where = {stream: Address(1, stream << 40) for stream in range(1, 5)}
    readings = Readings(home / "sense", StreamFacts)
    rollups = Rollups(home / "rollups", readings, Calendar(ZoneInfo("UTC")), lambda _: where, every=0)
    print("ready", os.getpid(), flush=True)
    def write():
        random_ = random.Random(seed)
        held = []
        while True:
            some = [Reading(random_.randint(1, 4), random_.randint(0, 50) * HOUR // 2, random_.random())
                    for _ in range(20)]
            held += readings.append(Batch.of(some)).ids.tolist()
            for _ in range(5):
                one = held.pop(random_.randrange(len(held)))
                if random_.random() < 0.5:
                    readings.remove(one)
                else:
                    time = random_.randint(0, 50) * HOUR // 2
                    readings.correct(one, {"result": random_.random(), "time": time})
            print("wrote", flush=True)
    threading.Thread(target=write, daemon=True).start()
    while True:
        rollups.keep_up()

for line in sys.stdin:
    home, seed = line.split()
    child = os.fork()
    if child == 0:
        change_for_ever(Path(home), int(seed))
    os.waitpid(child, 0)
    print("dead", flush=True)
"""
"""Starts a process that changes readings for each line that it is told, by fork."""


def killed(changers, home, seed, lines):
    """Let readings be changed until that was said some times, then kill who does it."""
    changers.stdin.write(f"{home} {seed}\n")
    changers.stdin.flush()
    _, pid = changers.stdout.readline().split()
    for _ in range(lines):
        changers.stdout.readline()
    os.kill(int(pid), signal.SIGKILL)
    while not changers.stdout.readline().endswith("dead\n"):
        pass


def check(home):
    """Compare roll-ups with all readings, hour by hour."""
    calendar = Calendar(ZoneInfo("UTC"))
    where = {stream: Address(1, stream << 40) for stream in range(1, 5)}
    with (
        Readings(home / "sense", StreamFacts) as readings,
        Rollups(home / "rollups", readings, calendar, lambda _: where) as rollups,
    ):
        table = readings.read()
        times, results = table["time"].cast("int64").to_numpy(), table["result"].to_numpy()
        rollups.keep_up()
        for start in range(0, 26 * HOUR, HOUR):
            own = results[(times >= start) & (times < start + HOUR)]
            found = rollups.answers.of_cell(1, 0, (1 << 64) - 1, list(calendar.spans(start, start + HOUR)))
            assert found.n.sum() == len(own)
            assert not len(own) or np.isclose(found.mean[0], own.mean(), rtol=1e-9, atol=0)
        whole = rollups.answers.of_cell(1, 0, (1 << 64) - 1, list(calendar.spans(0, 26 * HOUR)))
        assert whole.n.sum() == len(results)
    return len(results)


@pytest.fixture
def changers():
    """A process that starts those who change readings."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHANGERS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    yield process
    process.stdin.close()
    process.stdout.close()
    process.wait()


@pytest.mark.parametrize("rounds", [2, pytest.param(60, marks=pytest.mark.soak)])
def test_after_a_kill_roll_ups_are_those_of_the_readings(changers, tmp_path, rounds):
    held = 0
    for seed in range(rounds):
        killed(changers, tmp_path, seed, 3 + 7 * seed % 11)
        now = check(tmp_path)
        assert now > held
        held = now
