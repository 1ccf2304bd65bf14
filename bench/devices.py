"""A hundred thousand devices, each with a token and a stream of its own, beside fifty map users.

Run: python bench/devices.py [--devices 100000] [--minutes 10]. Each device sends one reading a minute at its
own moment, whether or not what was sent before is answered; users pan the map, a pan every three seconds.
How long a reading took counts from the moment at which it was due. At the end the city is killed with
kill -9, opened again, and what is there is compared with what was acknowledged. Devices, tokens and the
people they belong to (50 each, as many as one may have) are put into the records beside the API, copies of
one that was made through it: only their readings are measured. They are in service, as devices are that were
signed off: each stream has its feature of interest; with --new it is made with the first reading. The city
has been up for half a minute when they begin (--settle). What the load itself takes is told beside: how late
readings were put on a connection because all were waiting for answers, and the processor time of those who
send and of those who pan.
"""

import argparse
import collections
import contextlib
import datetime as dt
import hashlib
import http.client
import json
import math
import multiprocessing
import os
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

import sense
import web

CONNECTIONS, USERS, PAUSE = 1_024, 50, 3.0
TOKENS = 50
ROOT = "/sta/v1.1"

MAKE = """
import json, sys
from datetime import timedelta
from pathlib import Path
from fastapi.testclient import TestClient
from jingwei.access import local_person, add_person, give_role, signing_in, tokens
from jingwei.access.policy.vocabulary import actions
from jingwei.city import open_city
from jingwei.records import now_utc
from jingwei.web import OPEN, create_app
home, thing, users = Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])
shown = []
with open_city(home) as city:
    me = local_person()
    with city.records.write() as session:
        signing_in.first_start(session)
    allowed = frozenset(actions()) - tokens.NOT_FOR_TOKENS
    for number in range(users + 1):
        with city.records.write() as session:
            person = add_person(session, me, f"user{number}", f"user{number}")
            code = signing_in.new_setup_code(session, me, person)
            signing_in.set_first_password(session, code, "correct horse battery staple")
            give_role(session, me, person, "operator" if number else "system_administrator")
            shown.append(tokens.issue_token(session, person, "t", allowed, now_utc() + timedelta(days=1))[0])
    app = create_app(city, entry=OPEN)
    with TestClient(app, base_url="http://localhost") as client:
        assert client.post("/sta/v1.1/Things", json=thing).status_code == 201
        first = {"phenomenonTime": "2020-01-01T00:00:00Z", "result": 0}
        assert client.post("/sta/v1.1/Datastreams(1)/Observations", json=first).status_code == 201
    app.state.readings.close()
print(json.dumps(shown))
"""
SERVE = """
import sys
from pathlib import Path
from jingwei.city import open_city
from jingwei.city.settings import MqttSettings, SenseSettings
from jingwei.cli_readings import sensing
from jingwei.web import Entry, create_app
from jingwei.web.server import serve
with open_city(Path(sys.argv[1])) as city:
    app = create_app(city, entry=Entry())
    app.state.gate._is_set_up = True
    settings = SenseSettings(mqtt=MqttSettings(port=int(sys.argv[2]) + 1))
    with sensing(app.state, settings, f"http://127.0.0.1:{sys.argv[2]}/sta/v1.1"):
        serve(app, port=int(sys.argv[2]), ready=lambda _: print("ready", flush=True))
"""


def copy(lines, table, like, own, numbers, key="id"):
    """Copy the rows of a table that are like one, each with values of its own."""
    found = lines.execute(f"SELECT * FROM {table} WHERE {key} = ?", [like])
    names = [one[0] for one in found.description]
    for row in found.fetchall():
        told = dict(zip(names, row, strict=True))
        lines.executemany(
            f"INSERT INTO {table} VALUES ({','.join('?' * len(names))})",
            ([*{**told, **own(number)}.values()] for number in numbers),
        )


def copies(home, devices, *, new):
    """Make of the one device many, and a token for each; return the tokens."""
    lines = sqlite3.connect(home / "records.db")
    in_service = {"sense_feature": ("id",), "sense_stream_feature": ("stream_id", "feature_id")}
    own = {
        **({} if new else in_service),
        "sense_thing": ("id",),
        "sense_location": ("id",) if new else ("id", "feature_id"),
        "sense_thing_location": ("thing_id", "location_id"),
        "sense_stream": ("id", "thing_id"),
        "sense_stream_property": ("stream_id",),
    }
    unseen = {"feature_id", "observed_area", "geometry", "west", "south", "east", "north", "cell"}
    for table, numbered in own.items():
        found = lines.execute(f"SELECT * FROM {table} LIMIT 1")
        names = [one[0] for one in found.description]
        row = found.fetchone()
        marks = ",".join("?" * len(names))
        left = {"sense_location": {"feature_id"}, "sense_stream": unseen}.get(table, set()) if new else set()
        lines.executemany(
            f"INSERT INTO {table} ({','.join(names)}) VALUES ({marks})",
            (
                [
                    number if name in numbered else None if name in left else value
                    for name, value in zip(names, row, strict=True)
                ]
                for number in range(2, devices + 1)
            ),
        )
    found = lines.execute("SELECT * FROM api_token LIMIT 1")
    names = [one[0] for one in found.description]
    kept = dict(zip(names, found.fetchone(), strict=True))
    people = range(-(-devices // TOKENS))
    copy(lines, "person", kept["person"], lambda n: {"id": f"owner{n}", "login": f"owner{n}"}, people)
    copy(lines, "duty", kept["person"], lambda n: {"id": None, "person": f"owner{n}"}, people, "person")
    tokens = [f"jw_device{number:08}" for number in range(1, devices + 1)]
    lines.executemany(
        f"INSERT INTO api_token ({','.join(names)}) VALUES ({','.join('?' * len(names))})",
        (
            list(
                {
                    **kept,
                    "id": f"d{n}",
                    "person": f"owner{n // TOKENS}",
                    "token": hashlib.sha256(token.encode()).digest(),
                }.values()
            )
            for n, token in enumerate(tokens)
        ),
    )
    lines.commit()
    lines.close()
    return tokens


@contextlib.contextmanager
def served(home, port):
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(home), str(port)], stdout=subprocess.PIPE, text=True
    )
    began = []
    try:
        while process.stdout.readline() != "ready\n":
            if process.poll() is not None:
                sys.exit("the city did not start")
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
        began = psutil.Process(process.pid).children(recursive=True)
        yield process
    finally:
        process.kill()
        process.wait()
        for broker in began:  # which a city that was killed leaves running
            with contextlib.suppress(psutil.NoSuchProcess):
                broker.kill()


def user(number, port, token, until, told):
    """Pan the map now and then; tell how long each pan took."""
    random = np.random.default_rng(number)
    line = http.client.HTTPConnection("127.0.0.1", port)
    west, south = random.uniform((web.WEST, web.SOUTH), (web.EAST - 0.25, web.NORTH - 0.12))
    time.sleep(random.uniform(0, PAUSE))
    while time.time() < until:
        west, south = west + random.normal(0, 0.01), south + random.normal(0, 0.006)
        box = web.snapped(west, south, west + 0.22, south + 0.1)
        y = 0.5 - math.log(math.tan(math.pi / 4 + math.radians(south) / 2)) / (2 * math.pi)
        x = int((west / 360 + 0.5) * 4096)
        paths = [f"/api/datasets/many/density?level=17&bbox={box}"]
        paths += [f"/api/datasets/lines/tiles/12/{x + dx}/{int(y * 4096)}" for dx in range(2)]
        started = time.perf_counter()
        good = True
        for path in paths:
            try:
                line.request("GET", path, headers={"Authorization": f"Bearer {token}"})
                answer = line.getresponse()
                answer.read()
                good &= answer.status in (200, 204)
            except (OSError, http.client.HTTPException):
                line.close()
                good = False
        told.append((time.perf_counter() - started, good))
        time.sleep(PAUSE)


def users(port, tokens, until, queue):
    """Be all users, in a process of their own."""
    import threading

    told = []
    all_of = [
        threading.Thread(target=user, args=(number, port, token, until, told))
        for number, token in enumerate(tokens)
    ]
    for one in all_of:
        one.start()
    for one in all_of:
        one.join()
    queue.put((told, sum(os.times()[:2])))


class Line:
    """A connection that readings of many devices take in turn, as behind a gateway."""

    def __init__(self, port, poll):
        self.port, self.poll, self.ask = port, poll, None
        self.open()

    def open(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.poll.register(self.socket.fileno(), select.EPOLLIN)

    def send(self, due, text):
        self.ask, self.waiting = (due, time.time(), text), b""
        try:
            self.socket.sendall(text)
        except OSError:
            self.again()

    def again(self):
        self.poll.unregister(self.socket.fileno())
        self.socket.close()
        self.open()
        if self.ask is not None:
            self.waiting = b""
            self.socket.sendall(self.ask[2])

    def read(self):
        """Return the status of a whole answer, else None."""
        try:
            data = self.socket.recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            self.again()
            return None
        self.waiting += data
        end = self.waiting.find(b"\r\n\r\n")
        at = self.waiting.find(b"content-length: ")
        if end < 0 or len(self.waiting) < end + 4 + int(self.waiting[at + 16 : self.waiting.find(b"\r", at)]):
            return None
        return int(self.waiting[9:12])


def send(port, tokens, minutes):
    """Send each reading when it is due; return when, how long it took and waited, and what was said."""
    poll = select.epoll()
    lines = {}
    free = collections.deque()

    def put(line):
        lines[line.socket.fileno()] = line

    for _ in range(CONNECTIONS):
        line = Line(port, poll)
        put(line)
        free.append(line)
    heads = [
        f"POST {ROOT}/Datastreams({number})/Observations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n".encode()
        for number, token in enumerate(tokens, 1)
    ]
    count, every = int(len(tokens) * minutes), 60 / len(tokens)
    start = time.time() + 1
    due, took, said = 0, [], collections.Counter()
    waiting = collections.deque()
    while len(took) < count:
        now = time.time()
        while due < count and start + due * every <= now:
            waiting.append(due)
            due += 1
        while waiting and free:
            number = waiting.popleft()
            at = start + number * every
            when = dt.datetime.fromtimestamp(at, dt.UTC).isoformat(timespec="milliseconds")[:23]
            body = f'{{"phenomenonTime":"{when}Z","result":{number % 997}}}'.encode()
            head = heads[number % len(tokens)]
            free.popleft().send(at, b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body))
        until = start + due * every - time.time() if due < count else 1.0
        for file, _ in poll.poll(max(0.0, min(until, 0.05)) if free else 0.05):
            line = lines[file]
            status = line.read()
            if line.socket.fileno() != file:
                del lines[file]
                put(line)
            if status is not None and line.ask is not None:
                at, sent, _ = line.ask
                took.append((at - start, time.time() - at, sent - at))
                said[status] += 1
                line.ask = None
                free.append(line)
    return np.array(took), said


def kept(home):
    """Open the city again and count what is there."""
    code = """
import sys, json
from pathlib import Path
from jingwei.city import open_city
from jingwei.sense.readings import Readings
home = Path(sys.argv[1])
with open_city(home) as city, Readings(home / "sense/readings", lake=city.lake) as readings:
    print(json.dumps([readings.count(), len(readings.streams())]))
"""
    found = subprocess.run(
        [sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, check=True, text=True
    )
    return json.loads(found.stdout)


def make(folder, devices, *, new):
    """Make the city, and keep with it what users and devices show."""
    (folder / "pack").mkdir(parents=True)
    web.write_pack(folder / "pack", 200_000)
    web.load(folder / "pack", folder / "home")
    thing = sense.thing(0)
    thing["Datastreams"] = thing["Datastreams"][:1]
    made = subprocess.run(
        [sys.executable, "-c", MAKE, str(folder / "home"), json.dumps(thing), str(USERS)],
        stdout=subprocess.PIPE, check=True, text=True,
    )  # fmt: skip
    shown = json.loads(made.stdout.splitlines()[-1])
    tokens = copies(folder / "home", devices, new=new)
    (folder / "shown.json").write_text(json.dumps([shown, tokens]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--devices", type=int, default=100_000)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--kept", type=Path, help="folder of the city as it was made, for the next time")
    parser.add_argument(
        "--settle", type=float, default=30, help="seconds from the start to the first reading"
    )
    parser.add_argument("--new", action="store_true", help="streams without features of interest")
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--only-make", action="store_true")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="jw-soak-"))
    try:
        kept_as = chosen.kept or folder / "kept"
        if not (kept_as / "shown.json").exists():
            make(kept_as, chosen.devices, new=chosen.new)
        if chosen.only_make:
            return
        shown, tokens = json.loads((kept_as / "shown.json").read_text())
        shutil.copytree(kept_as / "home", folder / "home")
        port = sense.two_ports()
        load = os.getloadavg()
        with served(folder / "home", port) as process:
            city = psutil.Process(process.pid)
            time.sleep(chosen.settle)
            queue = multiprocessing.get_context("spawn").Queue()
            until = time.time() + chosen.minutes * 60
            panning = multiprocessing.get_context("spawn").Process(
                target=users, args=(port, shown[1 : 1 + chosen.users], until, queue)
            )
            panning.start()
            cpu, own = sum(city.cpu_times()[:2]), sum(os.times()[:2])
            took, said = send(port, tokens, chosen.minutes)
            cpu, own = sum(city.cpu_times()[:2]) - cpu, sum(os.times()[:2]) - own
            memory = city.memory_info().rss
            process.send_signal(signal.SIGKILL)
            pans, panned = queue.get(timeout=120)
            panning.join()
        count, streams = kept(folder / "home")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    minute, took, held = took[:, 0] // 60, took[:, 1], took[:, 2]
    pan = [one for one, good in pans if good]
    told = {
        "devices": chosen.devices,
        "minutes": chosen.minutes,
        "sent": len(took),
        "acknowledged": said[201],
        "said": dict(said),
        "kept_after_kill": count - 1,
        "streams": streams,
        "accept_p50_ms": round(float(np.percentile(took, 50)) * 1e3, 1),
        "accept_p95_ms": round(float(np.percentile(took, 95)) * 1e3, 1),
        "accept_p99_ms": round(float(np.percentile(took, 99)) * 1e3, 1),
        "accept_p95_ms_by_minute": [
            round(float(np.percentile(took[minute == one], 95)) * 1e3, 1) for one in np.unique(minute)
        ],
        "held_back_p95_ms": round(float(np.percentile(held, 95)) * 1e3, 1),
        "pans": len(pans),
        "pans_failed": sum(not good for _, good in pans),
        "pan_p50_ms": round(float(np.percentile(pan, 50)) * 1e3, 1) if pan else None,
        "pan_p95_ms": round(float(np.percentile(pan, 95)) * 1e3, 1) if pan else None,
        "load_cpu_s": {"readings": round(own, 1), "pans": round(panned, 1)},
        "city_cpu_s": round(cpu, 1),
        "city_mib": memory >> 20,
        "load": [round(one, 1) for one in (*load, *os.getloadavg())],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
