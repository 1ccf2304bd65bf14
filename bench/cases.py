"""How fast cases are listed, moved on, judged and counted at a million of them, in one run.

    python bench/cases.py [--cases 1000000] [--records postgresql+psycopg://...] [--keep FOLDER]

Policies, events and clocks are on, as they ship. Targets: any list or map view p95 100 ms; 200 durable steps
a second on SQLite, 500 on PostgreSQL; with 50 users who act every 5 s, p95 50 ms; all indicators over a year
of a million cases within 2 s; every deadline of a million cases anew within 60 s; duplicates p95 50 ms.
"""

import argparse
import os
import random
import secrets
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from jingwei import grid, ledger
from jingwei.access import Asker, local_person
from jingwei.access.policy import Policies
from jingwei.access.policy.store import default_policies
from jingwei.cases import Desk, Report, photos, regime
from jingwei.cases.board import Board, Choice
from jingwei.cases.calendar import DAY, instant, moment
from jingwei.cases.case import decode, encode
from jingwei.cases.clocks import Limit
from jingwei.cases.duplicates import proposals
from jingwei.cases.indicators import figures
from jingwei.cases.models import CaseWords
from jingwei.cases.rules import Rule
from jingwei.cases.store import CASES, alarm_of
from jingwei.errors import JingweiError
from jingwei.records import open_records

CHIEF = Asker("person/chief", "chief", frozenset({"case_duty_chief", "case_acceptor"}))
DISPATCHER = Asker("person/dispatcher", "dispatcher", frozenset({"case_dispatcher"}))
DEPARTMENTS = [f"1199000000000{n:04d}A" for n in range(20)]
TYPES = [("matter", f"06{n:03d}") for n in range(1, 30)]
RULES = [
    Rule(str(n), kind, code, "有", "无", Limit("work_day", 1 + n % 5)) for n, (kind, code) in enumerate(TYPES)
]
YEAR_START = datetime(2025, 11, 3, 1, tzinfo=UTC)
WORDS = [
    "路面",
    "井盖",
    "破损",
    "垃圾",
    "乱堆",
    "占道",
    "经营",
    "路灯",
    "不亮",
    "积水",
    "树枝",
    "倒伏",
    "小区",
    "门口",
    "北侧",
    "商铺",
    "夜间",
    "噪声",
    "施工",
    "扬尘",
]


def clerk(department):
    return Asker(f"person/{department}", "clerk", frozenset({"case_department"}), frozenset({department}))


def told(name, times, target_ms=None):
    times = sorted(times)
    p50, p95 = (times[min(len(times) - 1, int(len(times) * share))] * 1e3 for share in (0.5, 0.95))
    reached = (
        "" if target_ms is None else f"   target {target_ms} ms  {'ok' if p95 <= target_ms else 'MISSED'}"
    )
    print(f"{name:<58}p50 {p50:7.1f} ms  p95 {p95:7.1f} ms{reached}", flush=True)


def took(name, seconds, target=None):
    reached = "" if target is None else f"   target {target} s  {'ok' if seconds <= target else 'MISSED'}"
    print(f"{name:<58}{seconds:9.{2 if seconds > 1 else 5}f} s{reached}", flush=True)


def rate(name, count, seconds, target=None):
    per = count / seconds
    reached = "" if target is None else f"   target {target}/s  {'ok' if per >= target else 'MISSED'}"
    print(f"{name:<58}{per:9.0f}/s{reached}", flush=True)


def disk(folder, seconds=1.0):
    """Tell how often a second the disk makes a page durable, as each commit must, and the machine's load."""
    page, count, end = b"0" * 8192, 0, time.perf_counter() + seconds
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        while time.perf_counter() < end:
            os.pwrite(file.fileno(), page, 0)
            os.fdatasync(file.fileno())
            count += 1
    rate(f"(the disk makes a page durable; load {os.getloadavg()[0]:.1f})", count, seconds)


def uploaded(session):
    """Return the digest of a photograph that waits for a step that names it."""
    digest = secrets.token_hex(32)
    photos.remember(session, local_person(), digest, 400_000, (2560, 1920))
    return digest


def lives(desk, records, count=400):
    """Lives led through the desk, one step after another, to be multiplied."""
    chance = random.Random(1)
    made = []
    with records.write() as session:
        now = YEAR_START
        for n in range(count):
            rule = RULES[n % len(RULES)]
            now += timedelta(minutes=chance.randint(1, 9))
            case = desk.report(session, local_person(), Report(rule.kind, rule.type, "collector", at=now))
            at = now
            for action, fields in (
                ("register", {"rule": rule.id}),
                ("dispatch", {"department": chance.choice(DEPARTMENTS)}),
                ("assign", {"handler": "person/x"}),
                ("submit", {"photos": [uploaded(session)]}),
                ("confirm", {}),
                ("send_check", {}),
                ("check", {"verdict": "pass"}),
                ("close", {"closing": "无"}),
            )[: chance.choice([8] * 9 + list(range(8)))]:
                at += timedelta(minutes=chance.choice([2, 20, 300, 900]))
                case = desk.act(session, local_person(), case.number, action, fields, at=at)
            made.append(encode(case))
    return made


def fill(records, desk, cases):
    """Fill the store with lives, each moved by weeks and put elsewhere, with their words and an event."""
    with records.read() as session:
        regime_ = desk.regime(session)
        have = session.query(CASES).count()
    if have >= cases:
        return
    start = time.perf_counter()
    made = lives(desk, records)
    chance = random.Random(2)
    for first in range(have + len(made), cases, 10_000):
        rows, words, events = [], [], []
        for n in range(first, min(first + 10_000, cases)):
            case = decode(made[n % len(made)])
            shift = (n * 52 // cases) * 7 * DAY + chance.randint(0, 4) * DAY
            case.number = f"440301{n:013d}"
            lon, lat = 113.9 + chance.random() * 0.3, 22.5 + chance.random() * 0.2
            case.cell, case.level = grid.to_stored(grid.encode(lon, lat, 32)), 32
            case.area = f"440301{int((lon - 113.9) * 30):03d}{int((lat - 22.5) * 50):03d}001"
            case.at = {name: when + shift for name, when in case.at.items()}
            for turn in case.turns:
                for run in turn.runs:
                    run.start += shift
                    run.end = None if run.end is None else run.end + shift
            rows.append(
                {"number": case.number, "step": case.step, "changed": 1, "state": case.state,
                 "alarm": alarm_of(case, regime_), "cell": case.cell, "reported": min(case.at.values()),
                 "source": case.source, "source_key": None, "body": encode(case).decode()}
            )  # fmt: skip
            text = "".join(chance.sample(WORDS, 5))
            words.append(
                {"case": case.number, "step": 1, "field": "description", "salt": b"0" * 16, "words": text}
            )
            data = {"action": "report", "step": 1, "at": moment(rows[-1]["reported"]).isoformat()}
            data |= {"was": "", "to": "pending_register"}
            data |= {"kind": case.kind, "type": case.type, "source": case.source}
            events.append((f"case/{case.number}", data))
        with records.write() as session:
            session.execute(insert(CASES), rows)
            session.execute(insert(CaseWords.__table__), words)
            ledger.append_many(session, "case.reported", events, actor="person/x")
    took(f"(filled with {cases:,} cases, their words and an event each)", time.perf_counter() - start)


def views(board, cases):
    """Lists and maps as pages ask for them, with the policies of who asks."""
    chance = random.Random(3)
    now = instant(YEAR_START) + 52 * 7 * DAY
    clerks = [clerk(one) for one in DEPARTMENTS]
    far = ""
    for _ in range(20):
        far = board.page(CHIEF, Choice(), limit=500, after=far).next or ""
    asked = {
        "list: newest of all": lambda: board.page(CHIEF, Choice()),
        "list: an inbox by state, soonest due first": lambda: board.page(
            CHIEF,
            Choice(values={"state": [chance.choice(["pending_register", "pending_check"])]}),
            sort="due",
        ),
        "list: a department's overdue cases": lambda: board.page(
            chance.choice(clerks), Choice(overdue_at=now, flags={"ended": False}), sort="due"
        ),
        "list: one type in one street of one month": lambda: board.page(
            CHIEF,
            Choice(
                values={"type": [chance.choice(TYPES)[1]], "street": ["440301003"]},
                since=now - 30 * DAY,
                until=now,
            ),
        ),
        "list: after the 10,000th case": lambda: board.page(CHIEF, Choice(), after=far),
        "list: before it, back": lambda: board.page(CHIEF, Choice(), before=far),
        "search: two words in a row": lambda: board.page(
            CHIEF, Choice(text="".join(chance.sample(WORDS, 2)))
        ),
        "search: a word of a quarter of all": lambda: board.page(CHIEF, Choice(text=chance.choice(WORDS))),
        "search: what nobody wrote": lambda: board.page(CHIEF, Choice(text="幼儿园")),
        "list: on from a number, for programs": lambda: board.page(
            CHIEF, Choice(beyond=f"440301{chance.randrange(cases):013d}"), sort="number", limit=500
        ),
        "map: counts of the whole city": lambda: board.cells(CHIEF, Choice(), 19),
        "map: counts of a quarter, open cases": lambda: board.cells(
            CHIEF, Choice(flags={"ended": False}, box=(114.0, 22.55, 114.05, 22.6)), 21
        ),
        "map and list: cases of a street corner": lambda: board.page(
            CHIEF, Choice(box=(114.0, 22.55, 114.005, 22.555)), limit=500
        ),
    }
    for name, ask in asked.items():
        times = []
        for _ in range(25):
            start = time.perf_counter()
            ask()
            times.append(time.perf_counter() - start)
        told(name, times, 100)


def open_numbers(records, state, count):
    with records.read() as session:
        found = session.query(CASES.c.number).filter(CASES.c.state == state).limit(count)
        return [number for (number,) in found]


def steps(records, desk, target, seconds=8.0):
    """Durable steps, one transaction each."""
    numbers = open_numbers(records, "handling", 400)
    for threads in (1, 4):
        done, lock, stop = [0], threading.Lock(), time.perf_counter() + seconds

        def work(mine, done=done, lock=lock, stop=stop):
            turn = 0
            while time.perf_counter() < stop:
                number = mine[turn % len(mine)]
                turn += 1
                try:
                    with records.write() as session:
                        desk.act(session, local_person(), number, "order", {"words": "请尽快处置"})
                    with lock:
                        done[0] += 1
                except JingweiError:
                    pass

        workers = [threading.Thread(target=work, args=(numbers[n::threads],)) for n in range(threads)]
        worked, start = time.process_time(), time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        rate(f"durable steps, {threads} at once", done[0], time.perf_counter() - start, target)
        took("(processor of the city a step)", (time.process_time() - worked) / max(1, done[0]))


def users(records, desk, board, count=50, seconds=20.0):
    """Fifty people, each looking at a list and taking a step every five seconds."""
    numbers = open_numbers(records, "handling", 2000)
    listed, acted, lock = [], [], threading.Lock()
    end = time.perf_counter() + seconds

    def work(who):
        chance = random.Random(who)
        time.sleep(chance.random() * 5)
        while time.perf_counter() < end:
            start = time.perf_counter()
            board.page(CHIEF, Choice(values={"state": ["handling"]}), sort="due")
            between = time.perf_counter()
            with records.write() as session:
                desk.act(
                    session, local_person(), chance.choice(numbers[who::count]), "order", {"words": "请尽快"}
                )
            with lock:
                listed.append(between - start)
                acted.append(time.perf_counter() - between)
            time.sleep(5)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    told("50 users: a step", acted, 50)
    told("50 users: the list before it", listed, 100)


def duplicate_proposals(records, desk):
    chance = random.Random(4)
    times = []
    with records.read() as session:
        for _ in range(200):
            lon, lat = 113.9 + chance.random() * 0.3, 22.5 + chance.random() * 0.2
            about = Report("matter", "06001", "public", "".join(chance.sample(WORDS, 5)), lon, lat)
            start = time.perf_counter()
            proposals(
                session, desk.regime(session), about, at=YEAR_START + timedelta(weeks=chance.randint(0, 51))
            )
            times.append(time.perf_counter() - start)
    told("duplicates proposed", times, 50)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--records")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--fill-only", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = options.keep or Path(folder)
        url = options.records or f"sqlite:///{home / 'records.db'}"
        records = open_records(url)
        policies = Policies(default_policies().text, 0, [(one, None) for one in DEPARTMENTS])
        desk = Desk(lambda: policies)
        with records.write() as session:
            regime.adopt(session, local_person(), "rules", RULES)
        fill(records, desk, options.cases)
        if options.fill_only:
            return
        disk(home)
        steps(records, desk, 500 if url.startswith("postgresql") else 200)
        board = Board(records, desk)
        start = time.perf_counter()
        board.refresh()
        took(f"every deadline of {options.cases:,} cases anew", time.perf_counter() - start, 60)
        views(board, options.cases)
        now = instant(YEAR_START) + 52 * 7 * DAY
        for name, by in (("all indicators, whole city", []), ("all indicators by department", ["department"]),
                         ("all indicators by street and month", ["street", "month"])):  # fmt: skip
            start = time.perf_counter()
            figures(board, CHIEF, Choice(since=now - 365 * DAY, until=now), now=now, by=by)
            took(name, time.perf_counter() - start, 2)
        duplicate_proposals(records, desk)
        users(records, desk, board)
        disk(home)
        records.close()


if __name__ == "__main__":
    main()
