"""kill -9 while readings come in: none that was acknowledged is lost, none is there twice."""

import os
import random
import signal
import subprocess
import sys

import pytest

from jingwei.city import open_city
from jingwei.sense.readings import Readings

WRITER = """
import sys, threading
from pathlib import Path
from jingwei.city import open_city
from jingwei.sense.readings import Batch, Reading, Readings
home, begin = Path(sys.argv[1]), int(sys.argv[2])
with open_city(home, create=True) as city:
    readings = Readings(home / "sense", lake=city.lake, in_memory=5_000)
    print("ready", flush=True)
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
"""


def kill_one(home, begin, lines):
    """Let a writer write until it has said so many lines, then kill it; return what it said."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(home), str(begin)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    said = dict.fromkeys(range(1, 5), begin)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for _ in range(lines):
        stream, end = process.stdout.readline().split()
        said[int(stream)] = int(end)
    process.send_signal(signal.SIGKILL)
    for line in process.stdout.read().splitlines():  # what was acknowledged before it died
        if len(line.split()) == 2:
            stream, end = line.split()
            said[int(stream)] = max(said[int(stream)], int(end))
    process.wait()
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


def rounds(home, number, seed):
    chance = random.Random(seed)
    acknowledged = {stream: [] for stream in range(1, 5)}
    for turn in range(number):
        begin = 1_000_000 * turn
        for stream, end in kill_one(home, begin, chance.randrange(5, 200)).items():
            acknowledged[stream].append((begin, end))
        if number <= 10 or turn % 10 == 9:
            check(home, acknowledged)


def test_nothing_acknowledged_is_lost(tmp_path):
    rounds(tmp_path / "city", 3, 20)


@pytest.mark.soak
def test_nothing_acknowledged_is_lost_in_a_hundred_rounds(tmp_path):
    rounds(tmp_path / "city", 100, 21)


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
