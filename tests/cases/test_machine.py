"""Random people taking random steps: the table holds, nothing is a dead end, and the log tells it all."""

import shutil
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from cases.conftest import MONDAY, PARKS, PHOTO, ROADS, RULES, STAFF, WATER, Office
from jingwei.cases import Desk, from_the_log, regime
from jingwei.cases.case import decode
from jingwei.cases.lifecycle import STATES, SYSTEM, TRANSITIONS, targets, transitions_from
from jingwei.cases.models import CaseRow
from jingwei.errors import JingweiError
from jingwei.records import open_records

MOST = 8
"""Cases of a run: few enough that each leads a long life, enough to be merged."""


def machine(template, folder, policies):
    """A machine whose every run has a record store of its own."""

    class Life(RuleBasedStateMachine):
        runs = 0

        @initialize()
        def open(self):
            Life.runs += 1
            path = shutil.copy(template, folder / f"{Life.runs}.db")
            records = open_records(f"sqlite:///{path}", migrate=False)
            with records.write() as session:
                regime.adopt(session, STAFF["leader"], "rules", RULES)
            self.office = Office(records, Desk(lambda: policies))
            self.office.now = MONDAY
            self.cases = []
            self.looked = 0

        @precondition(lambda self: len(self.cases) < MOST)
        @rule(source=st.sampled_from(["collector", "public", "sensor", "hotline"]))
        def report(self, source):
            who = "citizen" if source == "public" else "acceptor" if source != "collector" else "collector"
            self.cases.append(self.office.report(who, source=source).number)

        @rule(
            data=st.data(),
            anybody=st.sampled_from(sorted(STAFF)),
            fit=st.sampled_from([True, True, True, False]),
            minutes=st.sampled_from([0, 1, 30, 200, 3000]),
        )
        def somebody_tries_something(self, data, anybody, fit, minutes):
            if not self.cases:
                return
            self.office.wait(minutes=minutes)
            case = self.office.get(data.draw(st.sampled_from(self.cases)), "chief")
            steps = [one.action for one in transitions_from(case.state) if SYSTEM not in one.roles]
            if not steps:
                return
            action = data.draw(st.sampled_from(steps))
            fields = data.draw(self.fields(TRANSITIONS[action]))
            fitting = [name for name, one in STAFF.items() if one.roles & set(TRANSITIONS[action].roles)]
            who = data.draw(st.sampled_from(fitting)) if fit and fitting else anybody
            before = (case.state, case.step)
            try:
                after = self.office.act(who, case.number, action, **fields)
            except JingweiError:
                now = self.office.get(case.number, "chief")
                assert (now.state, now.step) == before
                return
            assert after.state in targets(TRANSITIONS[action], before[0])
            assert after.step == before[1] + 1

        @rule(hours=st.integers(1, 100))
        def time_passes(self, hours):
            self.office.now += timedelta(hours=hours)
            self.office.tick()

        def fields(self, one):
            choices = {
                "rule": st.sampled_from(["1", "1", "1", "2"]),
                "department": st.sampled_from([PARKS, PARKS, WATER, ROADS]),
                "co_departments": st.just([WATER]),
                "handler": st.sampled_from(["person/gardener", "person/plumber"]),
                "photos": st.just([PHOTO]),
                "days": st.integers(1, 40),
                "finding": st.sampled_from(["exist", "exist", "not_exist"]),
                "verdict": st.sampled_from(["pass", "pass", "not_pass"]),
                "main": st.sampled_from(self.cases),
                "other": st.sampled_from(self.cases),
                "result_score": st.integers(1, 5),
                "kind": st.just("matter"),
                "type": st.sampled_from(["06001", "06002"]),
            }
            taken = [name for name in one.takes if name == "co_departments"]
            return st.fixed_dictionaries(
                {name: choices.get(name, st.just("说明")) for name in one.needs},
                optional={name: choices[name] for name in taken},
            )

        @invariant()
        def open_cases_are_no_dead_ends(self):
            if not hasattr(self, "office"):
                return
            for case in self.changed():
                assert case.state in STATES
                if not case.stands.terminal:
                    steps = [
                        one for one in transitions_from(case.state) if one.axis not in ("lead", "system")
                    ]
                    assert steps or case.state == "suspended"
                    running = [turn for turn in case.turns if turn.running]
                    assert bool(running) == (case.state != "suspended")
                else:
                    assert not any(turn.running for turn in case.turns)

        def changed(self):
            """The cases to which something happened since they were last looked at."""
            question = select(CaseRow.changed, CaseRow.body).where(CaseRow.changed > self.looked)
            with self.office.records.read() as session:
                found = session.execute(question).all()
            self.looked = max((mark for mark, _ in found), default=self.looked)
            return [decode(body) for _, body in found]

        def teardown(self):
            if not hasattr(self, "office"):
                return
            with self.office.records.read() as session:
                kept = {row.number: decode(row.body) for row in session.query(CaseRow)}
                assert {case.number: case for case in from_the_log(session)} == kept
                calendar = self.office.desk.regime(session).calendar
            for case in kept.values():
                for turn in case.turns:
                    turn.due(calendar)
                    assert all(run.end is None or run.start <= run.end for run in turn.runs)
            self.office.records.close()

    return Life


def run(template, folder, policies, **how):
    run_state_machine_as_test(
        machine(template, folder, policies),
        settings=settings(
            deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], **how
        ),
    )


def test_random_lives(migrated_sqlite, tmp_path, policies):
    run(migrated_sqlite, tmp_path, policies, max_examples=6, stateful_step_count=40)


@pytest.mark.soak
def test_many_random_lives(migrated_sqlite, tmp_path, policies):
    run(migrated_sqlite, tmp_path, policies, max_examples=400, stateful_step_count=120)
