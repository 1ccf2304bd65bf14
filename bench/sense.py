"""Readings in and out: single, batched, by MQTT, replayed; the last of a stream, the latest of many.

    python bench/sense.py [--only NAME ...] [--seconds 10] [--data FOLDER]

The city runs in a process of its own with sign-in by token, validation, duplicates and the disk's sync on, as
it ships; the load is made on the same machine. Targets on two cores: single readings over HTTP 8,000/s with
p95 50 ms; batched 200,000/s; MQTT quality 1 from 1,000 devices 10,000/s (mosquitto), 1,500/s (the broker
within the city); the last 100 readings of a stream 2,000 requests/s a core; the latest of 10,000 streams
50 ms; the Beijing replay 60 s. FOLDER holds the replay's files; without it that figure is left out.
"""

import argparse
import contextlib
import http.client
import itertools
import json
import select
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from jingwei.sense.mqtt.mosquitto import program
from jingwei.sense.readings import Batch, Readings
from jingwei.sense.replay import Door, make_streams, placed, replay, stations_of

CLIENTS, DEVICES, STREAMS = 64, 1_000, 1_000
RUNS = itertools.count()
ROOT = "/sta/v1.1"

SERVER = """
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from jingwei.access import local_person, add_person, give_role, signing_in, tokens
from jingwei.city import open_city
from jingwei.city.models import CityRow
from jingwei.city.settings import MqttSettings, SenseSettings
from jingwei.cli_readings import sensing
from jingwei.records import now_utc
from jingwei.web import Entry, create_app
from jingwei.web.server import serve
home, port, kind = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
if kind == "embedded":
    import jingwei.cli_readings
    jingwei.cli_readings.program = lambda: None  # as where mosquitto is not installed
with open_city(home, create=True) as city:
    about = {"name": {"zh": "bench"}, "adcode": "990200", "generated": False, "time_zone": "Asia/Shanghai"}
    me = local_person()
    with city.records.write() as session:
        session.add(CityRow(id="bench", about=about, pack="", data="", changed=now_utc()))
        signing_in.first_start(session)
        person = add_person(session, me, "keeper", "keeper")
        code = signing_in.new_setup_code(session, me, person)
        signing_in.set_first_password(session, code, "correct horse battery staple")
        give_role(session, me, person, "system_administrator")
        allowed = frozenset({"sense.read", "sense.place", "sense.write", "sense.observe"})
        token, kept = tokens.issue_token(session, person, "bench", allowed, now_utc() + timedelta(days=1))
    entry = replace(Entry(), readings_per_minute=10**9)
    app = create_app(city, entry=entry)
    app.state.gate._is_set_up = True
    settings = SenseSettings(mqtt=MqttSettings(port=port + 1))
    with sensing(app.state, settings, f"http://127.0.0.1:{port}/sta/v1.1"):
        serve(app, port=port, ready=lambda _: print(token, kept.id, flush=True))
"""


def thing(number: int) -> dict:
    """A station with ten streams."""
    streams = [
        {
            "name": f"stream {number}-{n}",
            "description": "",
            "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
            "unitOfMeasurement": {"name": "", "symbol": "", "definition": ""},
            "properties": {"validRange": [-1e9, 1e9]},
            "Sensor": {"name": "s", "description": "", "encodingType": "text/html", "metadata": ""},
            "ObservedProperty": {"name": "p", "definition": "urn:x:p", "description": ""},
        }
        for n in range(10)
    ]
    place = {"type": "Point", "coordinates": [114 + number / 1000, 22.5]}
    location = {"name": "here", "description": "", "encodingType": "application/geo+json", "location": place}
    return {"name": f"station {number}", "description": "", "Locations": [location], "Datastreams": streams}


def two_ports():
    """Return a port that is free, as is the next one: the broker listens there."""
    while True:
        with socket.socket() as one, socket.socket() as other, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", 0))
            other.bind(("127.0.0.1", one.getsockname()[1] + 1))
            return one.getsockname()[1]


@contextlib.contextmanager
def city(kind="signed"):
    """A city in a process of its own, with stations; yields its port, a token and the process."""
    home = Path(tempfile.mkdtemp(prefix="jw-bench-"))
    port = two_ports()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(home), str(port), kind], stdout=subprocess.PIPE, text=True
    )
    try:
        token, _, identifier = process.stdout.readline().strip().partition(" ")
        if not token:
            sys.exit("the city did not start")
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
        server = psutil.Process(process.pid)
        server.token_number = identifier
        yield port, token, server
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(home, ignore_errors=True)


def furnish(port, token, stations=STREAMS // 10):
    door = Door(f"http://127.0.0.1:{port}{ROOT}", token)
    for number in range(stations):
        door.ask("POST", "Things", json.dumps(thing(number)).encode())
    first = [
        {
            "Datastream": {"@iot.id": n},
            "components": ["phenomenonTime", "result"],
            "dataArray": [["2020-01-01T00:00:00Z", 1]],
        }
        for n in range(1, stations * 10 + 1)
    ]
    door.ask("POST", "CreateObservations", json.dumps(first).encode())
    door.close()


class Caller:
    """One connection that asks, waits for the whole answer, and asks again: a bare socket."""

    __slots__ = ("asks", "at", "socket", "waiting")

    def __init__(self, port, asks):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asks = asks
        self.waiting = b""

    def ask(self):
        text = next(self.asks)
        self.at = time.perf_counter()
        self.socket.sendall(text)

    def answered(self):
        """Read; return whether the answer is whole. It must be one of success."""
        said = self.waiting + self.socket.recv(1 << 18)
        head = said.find(b"\r\n\r\n")
        if head < 0:
            self.waiting = said
            return False
        length = said.find(b"content-length: ", 0, head) + 16
        if len(said) < head + 4 + int(said[length : said.find(b"\r", length)]):
            self.waiting = said
            return False
        if said[9:10] != b"2":
            raise RuntimeError(said[:2000].decode())
        self.waiting = b""
        return True


def call(port, asks_of, seconds, clients=CLIENTS):
    """Ask by many connections for some seconds; return how long each answer took, and the time in all.

    The readiness of the sockets is asked of the system itself: a call costs some 20 us of processor.
    """
    callers = [Caller(port, asks_of(number)) for number in range(clients)]
    ready = select.epoll()
    by_file = {one.socket.fileno(): one for one in callers}
    for file in by_file:
        ready.register(file, select.EPOLLIN)
    took, waiting = [], len(callers)
    start = time.perf_counter()
    for one in callers:
        one.ask()
    while waiting:
        for file, _ in ready.poll():
            one = by_file[file]
            if not one.answered():
                continue
            now = time.perf_counter()
            took.append(now - one.at)
            if now < start + seconds:
                one.ask()
            else:
                waiting -= 1
    elapsed = time.perf_counter() - start
    for one in callers:
        one.socket.close()
    return took, elapsed


def request(method, path, token, body=b""):
    head = f"{method} {ROOT}/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def told(what, amount, seconds, took, server, cpu, unit="/s"):
    took = np.sort(took) * 1000
    p50, p95 = took[len(took) // 2], took[int(len(took) * 0.95)]
    used = sum(server.cpu_times()[:2]) - cpu
    print(
        f"{what:44} {amount / seconds:10,.0f}{unit}  p50 {p50:6.1f} ms  p95 {p95:6.1f} ms"
        f"  {amount / used:10,.0f} per CPU-s of the city",
        flush=True,
    )


def single(port, token, server, seconds, clients=CLIENTS):
    def head(stream):
        whole = request("POST", f"Datastreams({stream})/Observations", token, b"*" * 61)
        return whole[:-61]

    heads = [head(stream) for stream in range(1, STREAMS + 1)]

    def asks_of_run(number, begin):
        for count in itertools.count(begin):
            stream = (number + count * clients) % STREAMS
            seconds, milli = divmod(count, 1000)
            at = (number // 24 % 28 + 1, number % 24, seconds // 60, seconds % 60, milli)
            body = b'{"phenomenonTime":"2026-01-%02dT%02d:%02d:%02d.%03dZ","result":' % at
            yield b"%b%b%06d}" % (heads[stream], body, 100_000 + count)

    def asks():
        begin = 100_000 * next(RUNS)  # no reading is sent twice
        return lambda number: asks_of_run(number, begin)

    call(port, asks(), 1, clients)  # what is read once is read
    cpu = sum(server.cpu_times()[:2])
    took, elapsed = call(port, asks(), seconds, clients)
    told(f"single readings over HTTP, {clients} connections", len(took), elapsed, took, server, cpu)


def batched(port, token, server, seconds, rows=1_000):
    def asks(number):
        count = 0
        while True:
            count += 1
            first = 1_600_000_000 + number * 10_000_000 + count * rows
            whens = np.datetime_as_string(np.arange(first, first + rows).astype("M8[s]"))
            listed = ",".join(f'["{when}Z",{n}.5]' for n, when in enumerate(whens.tolist()))
            head = f'[{{"Datastream":{{"@iot.id":{number + 1}}},"components":["phenomenonTime","result"],'
            yield request("POST", "CreateObservations", token, f'{head}"dataArray":[{listed}]}}]'.encode())

    cpu = sum(server.cpu_times()[:2])
    took, elapsed = call(port, asks, seconds, clients=8)
    told(f"batched readings, {rows} a request, durable", len(took) * rows, elapsed, took, server, cpu)


def last(port, token, server, seconds):
    def asks(number):
        while True:
            number = number % STREAMS + 1
            yield request(
                "GET", f"Datastreams({number})/Observations?$top=100&$orderby=phenomenonTime%20desc", token
            )

    cpu = sum(server.cpu_times()[:2])
    took, elapsed = call(port, asks, seconds, clients=16)
    told("last 100 readings of a stream", len(took), elapsed, took, server, cpu)


class Device:
    """A device that publishes with quality 1, and waits for each acknowledgement: a bare socket."""

    __slots__ = ("at", "identifier", "messages", "socket", "waiting")

    def __init__(self, port, number, messages, sign_in):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        texts = [f"device{number}", *sign_in]
        body = b"\x00\x04MQTT\x04\xc2\x00\x00"
        body += b"".join(struct.pack("!H", len(one)) + one.encode() for one in texts)
        self.socket.sendall(bytes([0x10, len(body)]) + body)
        if self.socket.recv(4) != b" \x02\x00\x00":
            raise RuntimeError("the broker does not let a device in")
        self.messages, self.identifier, self.waiting = messages, 0, b""

    def publish(self):
        """Send the next message; return whether there was one."""
        message = next(self.messages, None)
        if message is None:
            return False
        topic, payload = message
        self.identifier = self.identifier % 65_535 + 1
        body = struct.pack("!H", len(topic)) + topic + struct.pack("!H", self.identifier) + payload
        size = bytes([len(body)]) if len(body) < 128 else bytes([len(body) % 128 | 128, len(body) // 128])
        self.at = time.perf_counter()
        self.socket.sendall(b"\x32" + size + body)
        return True

    def acknowledged(self):
        """Read; return whether the message is acknowledged."""
        self.waiting += self.socket.recv(64)
        if len(self.waiting) < 4:
            return False
        if self.waiting != b"@\x02" + struct.pack("!H", self.identifier):
            raise RuntimeError(f"the broker said {self.waiting!r}")
        self.waiting = b""
        return True


def mqtt(port, token, server, each, what):
    def count():
        door = http.client.HTTPConnection("127.0.0.1", port)
        shown = {"Authorization": f"Bearer {token}"}
        door.request("GET", f"{ROOT}/Observations?$count=true&$top=0", headers=shown)
        found = json.loads(door.getresponse().read())["@iot.count"]
        door.close()
        return found

    def messages(number):
        for n in range(each):
            second = n % 60
            when = f"2026-01-{n // 1440 % 28 + 1:02}T{n // 60 % 24:02}:{n % 60:02}:{second:02}Z"
            yield (
                f"devices/{server.token_number}/v1.1/Datastreams({number + 1})/Observations".encode(),
                b'{"phenomenonTime":"%b","result":%d}' % (when.encode(), n),
            )

    sign_in = (server.token_number, token)
    devices = [Device(port + 1, number, messages(number), sign_in) for number in range(DEVICES)]
    ready = select.epoll()
    by_file = {one.socket.fileno(): one for one in devices}
    for file in by_file:
        ready.register(file, select.EPOLLIN)
    before = count()
    cpu = sum(server.cpu_times()[:2])
    took, start = [], time.perf_counter()
    left = sum(one.publish() for one in devices)
    while left:
        for file, _ in ready.poll():
            one = by_file[file]
            if one.acknowledged():
                took.append(time.perf_counter() - one.at)
                left -= not one.publish()
    published = time.perf_counter() - start
    while count() < before + DEVICES * each:
        time.sleep(0.05)
        if time.perf_counter() - start > published + 120:
            break
    elapsed = time.perf_counter() - start
    kept = count() - before
    told(f"MQTT quality 1, {DEVICES} devices ({what}), kept", kept, elapsed, took, server, cpu)
    print(
        f"  published and acknowledged by the broker in {published:.1f} s, all durable after {elapsed:.1f} s;"
        f" {DEVICES * each - kept} lost"
    )


def latest():
    folder = Path(tempfile.mkdtemp(prefix="jw-bench-"))
    with Readings(folder) as readings:
        streams = np.arange(1, 10_001)
        for at in range(20):
            readings.append(Batch(streams, np.full(10_000, at), streams.astype(float)))
        times = []
        for _ in range(20):
            start = time.perf_counter()
            assert readings.latest(streams.tolist()).num_rows == 10_000
            times.append(time.perf_counter() - start)
    shutil.rmtree(folder)
    print(f"{'latest values of 10,000 streams':44} {statistics.median(times) * 1000:10.1f} ms")


def replayed(data):
    with city() as (port, token, _):
        root = f"http://127.0.0.1:{port}{ROOT}"
        door = Door(root, token)
        stations = stations_of(data / "beijing_air_sta_things.json")
        streams = make_streams(door, placed(stations, "WGS84"))
        start = time.perf_counter()
        rows = replay(data / "beijing_air_prsa_observations.parquet", streams, lambda: Door(root, token))
        seconds = time.perf_counter() - start
        # The server has closed the first door's connection meanwhile: nobody spoke through it.
        kept = json.loads(Door(root, token).ask("GET", "Observations?$count=true&$top=0"))["@iot.count"]
        print(f"{'replay of the Beijing readings':44} {seconds:10.1f} s  {rows:,} sent, {kept:,} kept")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--only",
        nargs="*",
        default=["single", "batched", "last", "mqtt", "embedded", "latest", "replay"],
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--data", type=Path)
    chosen = parser.parse_args()
    if {"single", "batched", "last"} & set(chosen.only):
        with city() as (port, token, server):
            furnish(port, token)
            if "single" in chosen.only:
                for clients in (CLIENTS, 4 * CLIENTS):
                    single(port, token, server, chosen.seconds, clients)
            if "batched" in chosen.only:
                batched(port, token, server, chosen.seconds)
            if "last" in chosen.only:
                last(port, token, server, chosen.seconds)
    if "mqtt" in chosen.only and program() is not None:
        with city() as (port, token, server):
            furnish(port, token)
            mqtt(port, token, server, 100, "mosquitto")
    if "embedded" in chosen.only:
        with city("embedded") as (port, token, server):
            furnish(port, token)
            mqtt(port, token, server, 20, "within the city")
    if "latest" in chosen.only:
        latest()
    if "replay" in chosen.only and chosen.data is not None:
        replayed(chosen.data)


if __name__ == "__main__":
    main()
