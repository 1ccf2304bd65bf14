"""Proposals against planted truth: what was reported twice, and what only lay nearby."""

import math
import random
import shutil
from datetime import timedelta

import pytest

from cases.conftest import MONDAY, RULES, STAFF
from jingwei.cases import Desk, Report, from_the_log, regime
from jingwei.cases.duplicates import likeness, metres_between, proposals
from jingwei.cases.errors import GuardError
from jingwei.records import open_records

# Problems as different people put them: (type, another type that fits too, ways of saying it)
PROBLEMS = [
    (
        "06010",
        "06011",
        ["{at}垃圾堆放无人清理，气味难闻", "有人在{at}乱倒垃圾，一直没清", "{at}堆了很多垃圾，发臭了"],
    ),
    (
        "01001",
        "01002",
        ["{at}井盖破损，有安全隐患", "{at}的井盖坏了，车压过去哐哐响", "{at}井盖碎裂，行人容易踩空"],
    ),
    (
        "09001",
        "09002",
        ["{at}商贩占道经营，影响通行", "{at}有流动商贩摆摊占道", "很多商贩在{at}占道摆摊，路都堵了"],
    ),
    (
        "08001",
        "08002",
        ["{at}工地夜间施工噪声扰民", "{at}半夜还在施工，吵得睡不着", "{at}工地噪声大，夜间施工不停"],
    ),
    ("06020", "06021", ["{at}路面坑洼积水", "{at}路面有个大坑，下雨积水", "{at}路面破损，坑里都是积水"]),
    ("02010", "02011", ["{at}路灯不亮，晚上很黑", "{at}的路灯坏了好几盏", "{at}路灯全灭，夜里看不见"]),
    ("04001", "04002", ["{at}树枝断裂挂在半空", "{at}有棵树倒了，挡住人行道", "{at}树枝折断，可能砸到人"]),
    ("07001", "07002", ["{at}电线杆上贴满小广告", "{at}墙上到处是小广告", "{at}小广告乱贴，清了又有"]),
]
PLACES = [f"{road}{number}号{what}" for road in ("人民路", "中山路", "建设街", "湖滨道", "学府巷")
          for number in range(1, 200, 7) for what in ("门口", "北侧", "对面", "小区东门")]  # fmt: skip
WEST, SOUTH, METRE = 113.9, 22.5, 1 / 111_195


def planted(seed):
    """Reports in the order of time, each with the number of the problem that it tells of."""
    chance = random.Random(seed)
    told = []
    for problem in range(400):
        type_, other, ways = chance.choice(PROBLEMS)
        x, y = chance.uniform(0, 4000), chance.uniform(0, 4000)
        if problem % 4 == 0 and told:  # a second problem close to one before, of another kind
            _, near_x, near_y, near_type = chance.choice(told)[1]
            x, y = near_x + chance.gauss(0, 12), near_y + chance.gauss(0, 12)
            type_, other, ways = chance.choice([one for one in PROBLEMS if one[0] != near_type])
        place, day = chance.choice(PLACES), chance.uniform(0, 60)
        for again in range(1 + (chance.random() < 0.35) + (chance.random() < 0.08)):
            report = Report(
                "matter",
                other if again and chance.random() < 0.2 else type_,
                "public",
                chance.choice(ways).format(at=place if chance.random() < 0.7 else place[:3]),
                WEST + (x + chance.gauss(0, 9)) * METRE / math.cos(math.radians(SOUTH)),
                SOUTH + (y + chance.gauss(0, 9)) * METRE,
                at=MONDAY + timedelta(days=day + (chance.expovariate(1 / 5) if again else 0)),
            )
            told.append((report, (problem, x, y, type_)))
    return sorted(told, key=lambda one: one[0].at)


@pytest.mark.parametrize("seed", [1, 2])
def test_recall_and_precision_on_planted_truth(migrated_sqlite, tmp_path, policies, seed):
    records = open_records(f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'r.db')}", migrate=False)
    desk = Desk(lambda: policies)
    problem_of, first_of = {}, set()
    right = wrong = found = repeats = 0
    with records.write() as session:
        regime.adopt(session, STAFF["leader"], "rules", RULES)
        for report, (problem, *_) in planted(seed):
            proposed = proposals(session, desk.regime(session), report, at=report.at)
            hits = [one for one in proposed if problem_of[one.number] == problem]
            right, wrong = right + len(hits), wrong + len(proposed) - len(hits)
            if problem in first_of:
                repeats += 1
                found += bool(hits)
            first_of.add(problem)
            kept = desk.report(session, STAFF["citizen"], report)
            problem_of[kept.number] = problem
    records.close()
    assert repeats > 100
    assert found / repeats >= 0.9
    assert right / (right + wrong) >= 0.8


def test_a_second_problem_is_proposed_at_most_never_merged(office):
    one = office.report("citizen", source="public", description="人民路1号垃圾堆放", lon=113.9, lat=22.5)
    two = office.report("citizen", source="public", description="人民路1号垃圾堆放", lon=113.9, lat=22.5)
    with office.records.read() as session:
        about = Report("matter", "06001", "public", "人民路1号垃圾堆放", 113.9, 22.5)
        found = proposals(session, office.desk.regime(session), about, at=office.now, but=two.number)
    assert [one.number for one in found] == [one.number]
    assert "0 米" in found[0].why.zh
    assert (office.get(one.number).state, office.get(two.number).state) == ("reported", "reported")


def test_what_people_told_apart_is_not_proposed_again_from_either_side(office):
    one, two = (
        office.report("citizen", source="public", description="人民路1号垃圾堆放", lon=113.9, lat=22.5)
        for _ in range(2)
    )
    after = office.act("acceptor", one, "tell_apart", other=two.number)
    assert (after.state, after.unlike) == ("reported", [two.number])
    about = Report("matter", "06001", "public", "人民路1号垃圾堆放", 113.9, 22.5)
    with office.records.read() as session:
        rules = office.desk.regime(session)
        for number, other in ((one.number, two.number), (two.number, one.number)):
            found = proposals(session, rules, about, at=office.now, but=number)
            assert other not in [proposal.number for proposal in found]
        assert {case.number: case for case in from_the_log(session)}[one.number].unlike == [two.number]
    with pytest.raises(GuardError):
        office.act("acceptor", two, "tell_apart", other=one.number)


def test_without_a_place_nothing_is_proposed(office):
    office.report(description="垃圾")
    with office.records.read() as session:
        assert not proposals(
            session, office.desk.regime(session), Report("matter", "06001", "public", "垃圾"), at=office.now
        )


def test_likeness_and_distance():
    assert likeness("井盖破损", "井盖破损") == 1
    assert likeness("井盖破损", "树枝折断") == 0
    assert likeness("", "井盖") == 0
    assert metres_between((113.9, 22.5), (113.9, 22.501)) == pytest.approx(111.2, abs=0.1)
