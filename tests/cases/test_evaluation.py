"""Scores, comparisons with the time before, and what makes figures look better than the work is."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cases.conftest import PARKS, STAFF
from jingwei.cases.board import Board, Choice
from jingwei.cases.calendar import DAY, instant
from jingwei.cases.comparing import compared, earlier, scoreboards, scored
from jingwei.cases.errors import BadFieldError
from jingwei.cases.findings import findings, kinds
from jingwei.cases.indicators import DIMENSIONS, indicators

ZONE = ZoneInfo("Asia/Shanghai")
CHIEF = STAFF["chief"]


def local(*parts):
    return instant(datetime(*parts, tzinfo=ZONE))


def found(office):
    return {one.key: one for one in findings(Board(office.records, office.desk), CHIEF, Choice())}


@pytest.mark.parametrize(
    ("period", "before", "year"),
    [
        (((2026, 3, 1), (2026, 4, 1)), ((2026, 2, 1), (2026, 3, 1)), ((2025, 3, 1), (2025, 4, 1))),
        (((2026, 1, 1), (2026, 4, 1)), ((2025, 10, 1), (2026, 1, 1)), ((2025, 1, 1), (2025, 4, 1))),
        (((2024, 2, 26), (2024, 2, 29)), ((2024, 2, 23), (2024, 2, 26)), ((2023, 2, 26), (2023, 2, 28))),
    ],
)
def test_months_are_compared_with_months_and_other_periods_with_as_much_time(period, before, year):
    since, until = (local(*one) for one in period)
    told = earlier(since, until, ZONE)
    assert told == (tuple(local(*one) for one in before), tuple(local(*one) for one in year))


def test_a_figure_stands_beside_those_of_the_time_before(office):
    for days in (0, 1, 1, 2, 2, 2):
        at = office.now + timedelta(days=days)
        office.report(at=at, area="119900001001001" if days else "119900002001001")
    board = Board(office.records, office.desk)
    since = instant(office.now) + 2 * DAY - 3_600_000_000
    choice = Choice(since=since, until=since + DAY)
    (whole,) = compared(board, CHIEF, choice, now=since, zone=ZONE, keys=["report_num"])
    told = whole["figures"]["report_num"]
    assert (told.now.value, told.before.value, told.year_before.value) == (3, 2, 0)
    choice = Choice(since=since - DAY, until=since)
    streets = compared(board, CHIEF, choice, now=since, zone=ZONE, by=["street"], keys=["report_num"])
    told = {one["by"][0]: one["figures"]["report_num"] for one in streets}
    assert (told["119900001"].now.value, told["119900001"].before.value) == (2, None)
    assert (told["119900002"].now.value, told["119900002"].before.value) == (None, 1)
    with pytest.raises(BadFieldError):
        compared(board, CHIEF, Choice(), now=since, zone=ZONE)


def test_every_scoreboard_is_made_of_known_shares_of_a_known_dimension():
    for one in scoreboards().values():
        assert one.dimension in DIMENSIONS
        assert sum(part.weight for part in one.indicators) == 100
        for part in one.indicators:
            assert indicators()[part.key].of, part.key


def test_a_score_is_the_weighed_mean_of_what_there_is(office):
    office.to("closed")
    slow = office.to("handling")
    office.wait(days=9)
    office.to("closed", slow)
    board = Board(office.records, office.desk)
    (parks,) = scored(board, CHIEF, Choice(), scoreboards()["departments"], now=instant(office.now))
    # half in time (50), all handled (20), none reworked (20), nobody rated: of 90
    assert (parks.by, parks.score) == (PARKS, round(100 * (0.5 * 50 + 20 + 20) / 90, 2))
    assert parks.grade.zh == "中"
    assert parks.figures["satisfaction"].value is None


def test_what_is_handed_back_in_a_mass_just_before_the_deadline_stands_out(office):
    cases = [office.to("handling") for _ in range(6)]
    (due,) = {office.get(case.number).current.due(_calendar(office)) for case in cases[:1]}
    office.now = datetime.fromtimestamp(due / 1e6, UTC) - timedelta(minutes=12)
    for case in cases:
        office.to("pending_check", case)
    office.wait(days=1)
    office.to("pending_check")
    told = found(office)["last_moment"]
    assert (told.by["department"], told.count, told.of) == (PARKS, 6, 6)
    assert told.cases == sorted(case.number for case in cases)


def test_twins_of_own_reports_and_bursts_stand_out_and_others_do_not(office):
    first = [office.report(area="119900001001001") for _ in range(4)]
    for who, minutes in (("other_collector", 400), ("collector", 2000), ("other_collector", 1700)):
        office.wait(minutes=minutes)
        office.report(who, area="119900001001001")
    told = found(office)
    assert told["own_twins"].cases == [case.number for case in first[1:]]
    assert (told["own_twins"].by, told["own_twins"].count) == ({"collector": "person/collector"}, 3)
    assert "quota_burst" not in told
    office.wait(hours=3)
    for n in range(6):
        office.wait(minutes=4)
        office.report("other_collector", area=f"1199000010010{n:02d}")
    burst = found(office)["quota_burst"]
    assert (burst.by["collector"], burst.count) == ("person/other_collector", 6)


def test_every_kind_of_finding_has_words_and_a_rule():
    for one in kinds().values():
        assert one.says.zh
        assert one.says.en
        assert str(one.least) in one.rule


def _calendar(office):
    with office.records.read() as session:
        return office.desk.regime(session).calendar
