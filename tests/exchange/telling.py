"""Systems that are told, as real servers, and a city that tells them."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from jingwei import ledger
from jingwei.access import add_person, asker_of_person, give_role, local_person
from jingwei.access.vault import Vault
from jingwei.exchange import service
from jingwei.exchange.sending import Webhooks
from jingwei.exchange.targets import Targets
from jingwei.ledger.bell import Bell
from jingwei.ledger.sealer import Sealer
from jingwei.ledger.threads import in_thread
from jingwei.records import now_utc

OWN = Targets(["127.0.0.0/8"])
RAISED = {"rule": 1, "version": 1, "incident": 1, "severity": "alarm"}


class Other:
    """Another system: it keeps what it is sent, and answers as it is told to.

    `late` is called with where its answer is written before it answers; where it says so, that was all.
    """

    def __init__(self):
        self.heard, self.answer, self.late = [], 200, None
        other = self

        class Door(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                other.heard.append((dict(self.headers.items()), body))
                other.rung.ring()
                if other.late is not None and other.late(self.wfile):
                    return
                self.send_response(other.answer)
                self.send_header("location", "http://127.0.0.1:1/")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.rung = Bell()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self.server.server_port}/events?from=city"

    def hears(self, count, within=8.0):
        """Wait until so many events came; say whether they did."""
        until = time.monotonic() + within
        while len(self.heard) < count and (left := until - time.monotonic()) > 0:
            self.rung.wait(self.rung.count, min(left, 0.1))
        return len(self.heard) >= count

    def told(self):
        """Return the events, in order of their arrival."""
        return [json.loads(body) for _, body in self.heard]

    @contextmanager
    def open(self):
        """Listen while the block lasts."""
        with in_thread("other", lambda _: self.server.serve_forever(0.01)):
            try:
                yield self
            finally:
                self.server.shutdown()
        self.server.server_close()


class Telling:
    """A city with one subscriber, a clock set by hand, and a person of a role who added it."""

    def __init__(self, city, folder, other, role="system_administrator", types=("sense",)):
        self.city = city
        vault = Vault.open(folder / "secrets.key")
        self.vault, self.now = vault, now_utc()
        self.begin_anew()
        self.sealer = Sealer(city.records, folder / "log")
        self.sealer.seal_all()
        self.hooks.follower.catch_up()
        with city.records.write() as session:
            person = add_person(session, local_person(), role, role)
            give_role(session, local_person(), person, role, "")
        with city.records.write() as session:
            asker = asker_of_person(session, person)
            wanted = service.Wanted("平台", other.url, types)
            row, self.secret = service.subscribe(session, vault, OWN, asker, wanted)
            self.number = row.id
        self.asker = asker

    def also(self, other, types=("sense",)):
        """Have another system told, too; return its number."""
        with self.city.records.write() as session:
            wanted = service.Wanted("平台", other.url, types)
            return service.subscribe(session, self.vault, OWN, self.asker, wanted)[0].id

    def begin_anew(self):
        """Do as a city does that was ended and started again."""
        self.hooks = Webhooks(self.city, self.vault, OWN, "urn:jingwei:city:test", clock=lambda: self.now)

    def happen(self, number=1, type_="sense.alarm_raised", data=RAISED, subject="sense/alarms/{}"):
        with self.city.records.write() as session:
            ledger.append(session, type_, actor="sense/rules", subject=subject.format(number), data=data)

    def step(self, **later):
        self.now += timedelta(**later)
        self.sealer.seal_all()
        with ThreadPoolExecutor() as side_by_side:
            return sum(one.result() for one in self.hooks.step(side_by_side))

    def subscriber(self, number=None):
        with self.city.records.read() as session:
            return service.subscriber(session, number or self.number)

    def deliveries(self, number=None):
        with self.city.records.read() as session:
            told = service.deliveries(session, number or self.number)
            return [(one.result, one.status, one.tries) for one in told]

    def waits(self, number):
        """Return how many deliveries wait, and what came of the first."""
        with self.city.records.read() as session:
            return tuple(service.waiting(session)[number])
