"""How fast policies decide, and what they add to a request.

    python bench/policy.py

Targets: 5,000 decisions a second, at most 2 ms added to a request at p95.
"""

import random
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from jingwei.access import Asker, add_department, local_person
from jingwei.access.policy import Policies, Resource, Situation
from jingwei.access.policy.store import PolicyKeeper, default_policies
from jingwei.lake.schemas import Column, Content, Counts, Dataset, Place, Version
from jingwei.lake.views import Views
from jingwei.records import open_records
from jingwei.words import Text

DEPARTMENTS, PEOPLE, DATASETS, FIELDS = 60, 500, 40, 15
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def code(n):
    body = f"11{n:015d}"
    return body + ALPHABET[-sum(ALPHABET.index(c) * w for c, w in zip(body, WEIGHTS, strict=True)) % 31]


def report(name, times, target=None):
    times = sorted(times)
    p50, p95 = (times[int(len(times) * share)] * 1e3 for share in (0.5, 0.95))
    verdict = "" if target is None else f"   target p95 {target} ms  {'ok' if p95 <= target else 'MISSED'}"
    print(f"{name:<58}p50 {p50:.3f} ms, p95 {p95:.3f} ms{verdict}", flush=True)


def rate(name, times):
    found = len(times) / sum(times)
    print(f"{name:<58}{found:,.0f}/s   target 5,000/s  {'ok' if found >= 5000 else 'MISSED'}", flush=True)


def timed(work, *args):
    start = time.perf_counter()
    work(*args)
    return time.perf_counter() - start


def people(codes):
    return [
        Asker(
            f"person/{n}",
            "",
            frozenset({"staff"}),
            frozenset({codes[n % len(codes)]}),
            frozenset({("staff", codes[n % len(codes)])}),
        )
        for n in range(PEOPLE)
    ]


def decisions(askers, codes):
    policies = Policies(default_policies().text, 1, [("CITY", None)] + [(one, "CITY") for one in codes])
    data = [
        Resource(
            "Dataset",
            f"d{n}",
            {"owner": codes[n % len(codes)], "sharing": "conditional", "level": n % 4 + 1},
        )
        for n in range(1000)
    ]
    situation = Situation()
    for asker in askers:
        policies.decide(asker, "dataset.read", data[0], situation)
    pairs = [(askers[n % PEOPLE], data[n // PEOPLE % 1000]) for n in range(20_000)]
    random.shuffle(pairs)
    fresh = [pair for pair in pairs if pair[1] is not data[0]]
    for name in ("decisions, each made for the first time", "decisions, made before"):
        rate(name, [timed(policies.decide, asker, "dataset.read", one, situation) for asker, one in fresh])


def dataset(n, owner):
    columns = [Column(f"c{k}", "string") for k in range(FIELDS)]
    content = Content(
        facts=[], covers=[], quarantine=[], delta={}, places=[Place("", "point", ["c0", "c1"])],
        levels={"": [32]}, geometry=None, time=True, name="c2", keys=[], columns=columns, counts=Counts(),
        rules={}, findings=[], bounds=None, period=None, sources=[], fingerprint="", evidence=[], seconds=0,
        address=["jw_cell", "jw_level", "jw_time", "jw_fact"],
    )  # fmt: skip
    now = datetime(2026, 11, 22, tzinfo=UTC)
    fields = {f"c{k}": {"level": 2 + (k == 3), "personal": k == 3, "by": "default"} for k in range(FIELDS)}
    sharing = ("unconditional", "conditional", "none")[n % 3]
    version = Version(f"d{n}", 1, now, content)
    return Dataset(f"d{n}", Text("d"), owner, sharing, "once", "published", None, version, now, 2, fields)


def requests(askers, codes):
    """All that is asked of the policies for a request: which are in force, and what of a dataset is shown."""
    with tempfile.TemporaryDirectory() as name:
        records = open_records(f"sqlite:///{Path(name) / 'records.db'}")
        with records.write() as session:
            for n, one in enumerate(codes):
                add_department(session, local_person(), one, f"局{n}")
        keeper = PolicyKeeper(records)
        views = Views(lambda condition: condition.count("'") % 2 == 0)
        sets = [dataset(n, codes[n % len(codes)]) for n in range(DATASETS)]

        def ask(asker, one):
            views.of(keeper.current(), asker, one, one.version)

        keeper.current()
        first = [timed(ask, asker, one) for asker in askers[:40] for one in sets]
        report("what of a dataset is shown, for the first time", first)
        for name, among in (("what a request adds", 40), ("the same while as many people come in anew", 80)):
            pairs = [(random.choice(askers[:among]), random.choice(sets)) for _ in range(20_000)]
            report(name, [timed(ask, *pair) for pair in pairs], 2)
        records.close()


def main():
    codes = [code(n) for n in range(DEPARTMENTS)]
    askers = people(codes)
    decisions(askers, codes)
    requests(askers, codes)


if __name__ == "__main__":
    main()
