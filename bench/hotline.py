"""How fast the hotline's rates are told of a million calls.

    python bench/hotline.py [--calls 1000000] [--records postgresql+psycopg://...] [--folder FOLDER]

Every other call became a case; those are the cases of `bench/cases.py`. Half of the calls in cases were told
and asked afterwards. The columns are taken into memory once; what is timed after that is what a page asks.
"""

import argparse
import os
import random
import tempfile
import time
from pathlib import Path

from sqlalchemy import insert, select

from cases import DEPARTMENTS, RULES, fill, told, took
from jingwei.access import local_person
from jingwei.access.policy import Policies
from jingwei.access.policy.store import default_policies
from jingwei.cases import Desk, regime
from jingwei.cases.calendar import DAY, instant, moment
from jingwei.cases.case import decode
from jingwei.cases.hotline.call import Call, apply
from jingwei.cases.hotline.counting import CallBoard
from jingwei.cases.hotline.steps import CALLS, columns_of
from jingwei.cases.store import CASES
from jingwei.records import now_utc, open_records

KINDS = ("consult", "ask", "complain", "report", "suggest")
HOUR = DAY // 24
LIMITS = {"dispatch": ["urgent_hour", 24], "reply": ["natural_day", 7]}


def call_of(n, case, chance):
    """Return a call, made of what happened to it."""
    began = min(case.at.values()) if case is not None else instant(now_utc()) - chance.randint(1, 360) * DAY
    call = Call(number=f"H{n:012d}")
    step = 0

    def happen(name, after, **data):
        nonlocal step
        step += 1
        told_at = moment(began + after).isoformat()
        state = {"answered": "answered", "made_case": "in_case"}.get(name, call.state or "taken")
        apply(call, name, f"person/taker{n % 40}", {"step": step, "at": told_at, "to": state, **data})

    happen("taken", 0, channel="phone", waited=chance.randint(1, 60))
    about = {"kind": chance.choice(KINDS), "urgency": "ordinary", **LIMITS}
    if case is None:
        happen("answered", HOUR // 20, area="440301001001", **about)
        return call
    happen("made_case", HOUR // 20, area=case.area, case=case.number, **about)
    if chance.random() < 0.5:
        happen("replied", chance.randint(1, 200) * HOUR, reached=True)
        said = {name: chance.choice(("yes", "yes", "no", "unclear")) for name in ("solved", "satisfied")}
        happen("called_back", 220 * HOUR, reached=True, **said)
    return call


def calls_into(records, count):
    """Fill the store with calls, every other one in a case."""
    start = time.perf_counter()
    chance = random.Random(8)
    with records.read() as session:
        if session.query(CALLS).count() >= count:
            return
        bodies = session.scalars(select(CASES.c.body).limit(count // 2)).all()
    for first in range(0, count, 10_000):
        rows = []
        for n in range(first, min(count, first + 10_000)):
            call = call_of(n, decode(bodies[n // 2]) if n % 2 and n // 2 < len(bodies) else None, chance)
            rows.append({"number": call.number, "began": call.began, "changed": 1, **columns_of(call)})
        with records.write() as session:
            session.execute(insert(CALLS), rows)
    took(f"(filled with {count:,} calls)", time.perf_counter() - start)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--records")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = options.folder or Path(folder)
        records = open_records(options.records or f"sqlite:///{home / 'records.db'}")
        policies = Policies(default_policies().text, 0, [(one, None) for one in DEPARTMENTS])
        desk = Desk(lambda: policies)
        with records.write() as session:
            if not regime.load(session).rules:
                regime.adopt(session, local_person(), "rules", RULES)
        fill(records, desk, options.calls // 2)
        calls_into(records, options.calls)
        print(f"(load {os.getloadavg()[0]:.1f})", flush=True)
        board = CallBoard(records, desk)
        start = time.perf_counter()
        board.refresh()
        took("calls taken into memory, each with its case", time.perf_counter() - start)
        now = instant(now_utc())
        for name, by, days in (
            ("rates of all", None, 4000),
            ("rates of all by department", "department", 4000),
            ("rates of all by street", "street", 4000),
            ("rates of a month by day", "day", 30),
        ):
            times = []
            for _ in range(20):
                start = time.perf_counter()
                board.told(since=now - days * DAY, until=now, now=now, by=by)
                times.append(time.perf_counter() - start)
            told(name, times, 500)
        print(f"(load {os.getloadavg()[0]:.1f} at the end)")
        records.close()


if __name__ == "__main__":
    main()
