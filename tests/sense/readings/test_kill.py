"""kill -9 while readings come in: none that was acknowledged is lost, none is there twice."""

import os
import random
import signal
import subprocess
import sys

import pytest

from jingwei.city import open_city
from jingwei.sense.readings import Readings

WRITERS = """
import os, sys, threading
from pathlib import Path
from jingwei.city import open_city
from jingwei.sense.readings import Batch, Reading, Readings

def write_for_ever(home, begin):
    with open_city(home, create=True) as city:
        readings = Readings(home / "sense", lake=city.lake, in_memory=5_000)
        print("ready", os.getpid(), flush=True)
        said = threading.Lock()
        def write(stream):
            n = begin
            while True:
                batch = [Reading(stream, at, float(at % 97)) for at in range(n, n + 20)]
                receipt = readings.append(Batch.of(batch + batch[:5]))
                assert not receipt.refused
                n += 20
                with said:
                    print(stream, n, flush=True)
        for stream in range(1, 5):
            threading.Thread(target=write, args=(stream,), daemon=True).start()
        while True:
            readings.flush()

for line in sys.stdin:
    home, begin = line.split()
    child = os.fork()
    if child == 0:
        write_for_ever(Path(home), int(begin))
    os.waitpid(child, 0)
    print("dead", flush=True)
"""
"""Starts a writer for each line that it is told, by fork: what a round costs is then its writing."""


@pytest.fixture
def writers():
    """A process that starts writers."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITERS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    yield process
    process.stdin.close()
    process.stdout.close()
    process.wait()


def kill_one(writers, home, begin, lines):
    """Let a writer write until it has said so many lines, then kill it; return what it said."""
    writers.stdin.write(f"{home} {begin}\n")
    writers.stdin.flush()
    said = dict.fromkeys(range(1, 5), begin)
    ready, pid = writers.stdout.readline().split()
    assert ready == "ready"
    for _ in range(lines):
        stream, end = writers.stdout.readline().split()
        said[int(stream)] = int(end)
    os.kill(int(pid), signal.SIGKILL)
    while not (line := writers.stdout.readline()).endswith("dead\n"):  # what it had said before it died
        if len(line.split()) == 2 and line.endswith("\n"):
            stream, end = line.split()
            said[int(stream)] = max(said[int(stream)], int(end))
    return said


def check(home, acknowledged):
    """Compare what is there with what was acknowledged: exactly once each, and at most one batch more."""
    with open_city(home) as city, Readings(home / "sense", lake=city.lake) as readings:
        for stream, spans in acknowledged.items():
            times = readings.read([stream])["time"].cast("int64").to_pylist()
            assert len(times) == len(set(times)) == readings.extent(stream).count
            missing = {at for begin, end in spans for at in range(begin, end)} - set(times)
            assert not missing
            wanted = sum(end - begin for begin, end in spans)
            assert len(times) <= wanted + 20 * len(spans)  # written and not yet acknowledged
        assert readings.count() == sum(readings.extent(stream).count for stream in acknowledged)


def rounds(writers, home, number, seed):
    chance = random.Random(seed)
    acknowledged = {stream: [] for stream in range(1, 5)}
    for turn in range(number):
        begin = 1_000_000 * turn
        for stream, end in kill_one(writers, home, begin, chance.randrange(5, 200)).items():
            acknowledged[stream].append((begin, end))
        if number <= 10 or turn % 10 == 9:
            check(home, acknowledged)
            found = sum(end - begin for spans in acknowledged.values() for begin, end in spans)
            print(f"{turn + 1} killed: {found} readings acknowledged, none missing, none twice", flush=True)


def test_nothing_acknowledged_is_lost(writers, tmp_path):
    rounds(writers, tmp_path / "city", 3, 20)


@pytest.mark.soak
@pytest.mark.timeout(7_200)
def test_nothing_acknowledged_is_lost_in_a_hundred_rounds(writers, tmp_path):
    rounds(writers, tmp_path / "city", 100, 21)


def test_a_torn_tail_is_cut_off(tmp_path):
    from jingwei.sense.readings import Batch, Reading

    with Readings(tmp_path) as readings:
        readings.append(Batch.of([Reading(1, 1, 1)]))
        readings.append(Batch.of([Reading(1, 2, 2)]))
    (segment,) = (tmp_path / "log").glob("*.log")
    whole = segment.read_bytes()
    for cut in range(1, 60, 7):
        segment.write_bytes(whole[:-cut])
        with Readings(tmp_path) as readings:
            assert readings.read()["result"].to_pylist() == [1.0]
            readings.append(Batch.of([Reading(1, 3, 3)]))
            assert readings.count() == 2
        with Readings(tmp_path) as readings:
            assert readings.read()["result"].to_pylist() == [1.0, 3.0]
