"""Rates: counted as their formulas say, and the same from the log alone."""

import json
from datetime import timedelta

from click.testing import CliRunner
from sqlalchemy import select

from jingwei.access import local_person
from jingwei.cases import from_the_log, regime
from jingwei.cases.calendar import instant
from jingwei.cases.hotline import facts
from jingwei.cases.hotline.afterwards import Told
from jingwei.cases.hotline.rates import DIMENSIONS, rates, rates_known
from jingwei.cases.hotline.switchboard import Demand
from jingwei.cli import main
from jingwei.ledger import bundle
from jingwei.ledger.models import Event
from jingwei.ledger.sealer import Sealer
from jingwei.records import now_utc

from .conftest import LAMP, MONDAY, PEOPLE
from .test_calls import SCORES


def played(hotline):
    """Eight calls of which the rates are known: see the test."""
    hotline.answered(waited=5)
    call = hotline.answered(waited=40)
    hotline.do("review", "reviewer", call, SCORES)
    hotline.do("call_back", "taker", hotline.get(call), Told(reached=True, solved="yes", satisfied="yes"))
    for where in ("menu", "queue"):
        with hotline.records.write() as session:
            hotline.board.lose(session, PEOPLE["taker"], where=where)
    hotline.do("dismiss", "taker", hotline.take(waited=9), "误拨")
    for solved, satisfied, reopen in (("yes", "no", False), ("no", "no", True)):
        call, case, _ = hotline.with_case(Demand("complain", "ordinary", "乱搭建", area="440300002"))
        hotline.closed(case)
        call = hotline.do("reply", "taker", call, "已拆除", reached=True)
        told = Told(reached=True, solved=solved, satisfied=satisfied, words="请再来看", reopen=reopen)
        hotline.do("call_back", "taker", call, told)
    left_out, case, _ = hotline.with_case(LAMP)
    hotline.do("exempt", "supervisor", left_out, "诉求不合理")


def counted(hotline, by=None, *, log=False, since=0, until=2**63 - 1, now=None):
    at = NOW if now is None else now
    if not log:
        return hotline.calls.told(since=since, until=until, now=at, by=by)
    with hotline.records.read() as session:
        changes = session.execute(
            select(Event.subject, Event.data).where(Event.type == "case.regime_changed")
        )
        in_force = regime.from_events((subject, data) for subject, data in changes)
        calls = facts.from_the_log(session, from_the_log(session))
        wanted = [pair for pair in calls if since <= pair[0].began < until]
        return rates(wanted, in_force, now=at, by=by)


NOW = instant(now_utc() + timedelta(days=400))


def test_every_rate_is_what_its_formula_says_of_planted_calls(hotline):
    played(hotline)
    (whole,) = counted(hotline)
    told = {key: (one.top, one.bottom) for key, one in whole["figures"].items()}
    assert told == {
        "call_num": (8, None), "connect_rate": (6, 7), "quick_rate": (2, 3), "demand_num": (5, None),
        "direct_rate": (2, 5), "case_num": (3, None), "dispatch_rate": (2, 3), "response_rate": (2, 2),
        "call_back_rate": (2, 3), "solution_rate": (2, 3), "satisfaction_rate": (1, 3), "again_rate": (0, 4),
        "reply_hours": told["reply_hours"], "review_rate": (1, 6), "review_score": (800, 1),
        "exempt_num": (1, None),
    }  # fmt: skip
    assert set(told) == set(rates_known())


def test_the_log_alone_gives_the_same_rates_by_everything(hotline):
    played(hotline)
    for by in (None, *DIMENSIONS):
        assert counted(hotline, by, log=True) == counted(hotline, by)


def test_what_is_kept_follows_every_step_of_calls_and_of_their_cases(hotline):
    def same():
        for by in (None, "department", "street"):
            assert counted(hotline, by, log=True) == counted(hotline, by)

    same()
    call, case, _ = hotline.with_case(LAMP)
    same()
    other, joining, _ = hotline.with_case(LAMP)
    hotline.office.act("acceptor", joining, "merge", main=case.number)
    same()
    hotline.closed(case)  # the other call is dealt with in this case
    same()
    for one in (call, other):
        told = hotline.do("reply", "taker", hotline.get(one), "已修好", reached=True)
        hotline.do("call_back", "taker", told, Told(reached=True, solved="yes", satisfied="no"))
        same()
    assert hotline.calls.refresh() == 0
    with hotline.records.write() as session:
        days = {MONDAY.date() + timedelta(days=n): False for n in range(1, 9)}
        regime.change_days(session, local_person(), days)
    same()
    edge = hotline.get(other).began
    for since, until in ((0, edge), (edge, NOW)):
        assert counted(hotline, "day", log=True, since=since, until=until) == counted(
            hotline, "day", since=since, until=until
        )


def test_whoever_has_the_exported_log_counts_the_same_rates(hotline, tmp_path):
    played(hotline)
    Sealer(hotline.records, tmp_path / "log").seal_all()
    with hotline.records.read() as session:
        bundle.export(session, tmp_path / "log.zip")
    command = ["cases", "recount", str(tmp_path / "log.zip"), "--hotline"]
    told = CliRunner().invoke(main, [*command, "--by", "channel"])
    assert told.exit_code == 0, told.output
    here = {
        one["by"]: {key: [figure.top, figure.bottom] for key, figure in one["figures"].items()}
        for one in counted(hotline, "channel")
    }
    timed = {"dispatch_rate", "response_rate"}  # what is open is judged at another moment
    for one in json.loads(told.output):
        figures = {key: [figure["top"], figure["bottom"]] for key, figure in one["figures"].items()}
        assert {key: figures[key] for key in figures.keys() - timed} == {
            key: here[one["by"]][key] for key in figures.keys() - timed
        }
    assert CliRunner().invoke(main, [*command, "--indicator", "no_such"]).exit_code != 0


def test_a_reply_that_is_late_lowers_the_response_rate_once_its_limit_is_over(hotline):
    call, case, _ = hotline.with_case(LAMP)
    hotline.closed(case)
    assert counted(hotline)[0]["figures"]["response_rate"].value == 0.0
    (before_the_end,) = counted(hotline, now=call.began)
    assert before_the_end["figures"]["response_rate"].bottom == 0
