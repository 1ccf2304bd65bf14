"""Citizens without an account: one secret is one report and one reporter, and nobody is closed against."""

import secrets
from dataclasses import replace

import pytest
from shapely import box

from cases.conftest import PARKS, PHOTO, RULES, STAFF
from jingwei.access import Asker
from jingwei.access.policy import RefusedError
from jingwei.cases import citizens, from_the_log, regime
from jingwei.cases.board import Board, Choice
from jingwei.cases.citizens import CitizenReport, Contact
from jingwei.cases.errors import (
    BadFieldError,
    ElsewhereError,
    GuardError,
    NoSuchReportError,
    UnknownTypeError,
)
from jingwei.cases.models import CaseWords, Following
from jingwei.cases.policy import STRANGER
from jingwei.ledger.models import Event

PLACE = {"lon": 113.9, "lat": 22.5}
METRE = 1 / 111_195


def new(**more):
    given = {"secret": secrets.token_hex(16), "kind": "matter", "type": "06001", **PLACE, **more}
    return CitizenReport(**given)


@pytest.fixture
def send(office):
    def send(report=None, **more):
        report = report or new(**more)
        with office.records.write() as session:
            case, asker = citizens.take_in(session, office.desk, report)
        office.staff = {**office.staff, report.secret: asker}
        return case, report

    return send


def do(office, report, action, **fields):
    with office.records.write() as session:
        return citizens.act(session, office.desk, report.secret, action, fields)


def followed(office, secret):
    with office.records.read() as session:
        return citizens.follow(session, secret)[0]


def done(office, case):
    """Bring a citizen's case to its end, everybody taking his own step."""
    case = office.act("acceptor", case, "accept")
    case = office.act("acceptor", case, "send_verify")
    case = office.act("collector", case, "verify", finding="exist")
    return office.to("closed", case)


def test_a_report_sent_twice_is_one_with_one_code(office, send):
    case, report = send(description="棚子占道")
    again, _ = send(report)
    assert (again.number, again.step) == (case.number, 1)
    assert followed(office, report.secret).number == case.number
    assert followed(office, citizens.code_of(report.secret)).number == case.number
    spoken = citizens.code_of(report.secret).lower()
    assert followed(office, f"{spoken[:5]}-{spoken[5:]}").number == case.number
    with office.records.read() as session:
        assert session.query(Event).filter(Event.subject == f"case/{case.number}").count() == 1
        kept = session.query(Following).one()
        assert report.secret.encode() not in kept.secret + kept.code


@pytest.mark.parametrize("secret", ["", "short", "z" * 32, "A" * 32, "0" * 31, "0" * 65])
def test_what_is_no_secret_is_refused_and_nothing_kept(office, send, secret):
    with pytest.raises(BadFieldError):
        send(secret=secret)
    with pytest.raises(NoSuchReportError):
        followed(office, secret)


def test_another_secret_opens_nothing(office, send):
    send()
    for guess in (secrets.token_hex(16), "AAAAA22222"):
        with pytest.raises(NoSuchReportError):
            followed(office, guess)


def test_the_reporter_does_what_is_his_and_a_stranger_does_not(office, send):
    case, report = send(description="张三 13800138000 家门口的棚子")
    do(office, report, "supplement", words="还在")
    do(office, report, "correct", type="06002")
    assert followed(office, report.secret).type == "06002"
    stranger = citizens.reporter_of(secrets.token_hex(16))
    office.staff = {**office.staff, "stranger": stranger}
    with pytest.raises(Exception, match="case"):
        office.act("stranger", case, "withdraw")
    do(office, report, "withdraw")
    assert followed(office, report.secret).state == "withdrawn"


def test_personal_data_taken_out_is_nowhere_any_more(office, send):
    case, report = send(description="张三 13800138000 家门口的棚子")
    do(office, report, "supplement", words="电话 13800138000")
    office.act("acceptor", case, "publish", words="张三 13800138000 反映棚子")
    do(office, report, "redact", description="家门口的棚子")
    with office.records.read() as session:
        words = [row.words for row in session.query(CaseWords).all()]
        events = str([row.data for row in session.query(Event).all()])
        assert words == ["家门口的棚子"]
        assert "13800138000" not in events
        assert {one.number: one for one in from_the_log(session)}[case.number].published == 0


def test_what_its_reporter_hides_no_stranger_finds_and_no_clerk_publishes(office, send):
    open_, _ = send()
    case, report = send(private=True)
    board = Board(office.records, office.desk)
    told = board.page(STRANGER, Choice(public=True))
    assert [one["number"] for one in told.rows] == [open_.number]
    with office.records.read() as session:
        assert citizens.public_case(session, office.desk, case.number) is None
        assert citizens.public_case(session, office.desk, open_.number).number == open_.number
    with pytest.raises(GuardError):
        office.act("acceptor", case, "publish", words="已处理")
    assert board.page(STRANGER, Choice()).count == 0
    assert report.private


def test_who_joins_follows_the_main_case_and_keeps_his_report(office, send):
    main, _ = send(description="棚子")
    joined, report = send(description="同一个棚子", join=main.number, lat=PLACE["lat"] + 30 * METRE)
    assert (joined.state, joined.main) == ("duplicate", main.number)
    with office.records.read() as session:
        now = citizens.main_of(session, followed(office, report.secret))
        assert now.number == main.number
        assert {joined.number} == set(now.others)
        assert len(now.followers) == 2
    ended = done(office, main.number)
    assert ended.state == "closed"
    again = do(office, report, "reopen", reason="棚子还在")
    assert (again.number, again.state, again.disputed, again.reworks) == (
        main.number,
        "pending_register",
        1,
        1,
    )


def test_what_is_too_far_to_be_the_same_stays_its_own_report(office, send):
    main, _ = send()
    for join, north in ((main.number, 300), ("no such case", 0)):
        own, _ = send(join=join, lat=PLACE["lat"] + north * METRE)
        assert (own.state, own.main) == ("reported", None)


def test_the_second_lamp_twenty_metres_away_stays_its_own_case(office, send):
    first, _ = send(kind="component", type="01037", description="路灯不亮")
    second, report = send(
        kind="component", type="01037", description="这盏路灯也不亮", lat=PLACE["lat"] + 20 * METRE
    )
    assert (second.state, second.main) == ("reported", None)
    assert followed(office, report.secret).number != first.number


def test_not_fixed_reopens_the_same_case_with_a_new_clock_and_counts_as_rework(office, send):
    case, report = send()
    ended = done(office, case)
    turns = len([one for one in ended.turns if one.stage == "overall"])
    do(office, report, "evaluate", result_score=1)
    again = do(office, report, "reopen", reason="没有拆")
    assert (again.number, again.reworks, again.disputed, again.result_score) == (case.number, 1, 1, None)
    assert len([one for one in again.turns if one.stage == "overall"]) == turns + 1
    assert again.turns[-1].running


def test_nobody_closes_it_against_the_reporter_from_a_desk(office, send):
    case, report = send()
    done(office, case)
    do(office, report, "reopen", reason="没有拆")
    for who, action, fields in (
        ("acceptor", "cancel", {"reason": "已办过"}),
        ("acceptor", "reject", {"reason": "已办过"}),
        ("leader", "force_close", {"reason": "已办过"}),
    ):
        with pytest.raises(GuardError) as refused:
            office.act(who, case, action, **fields)
        assert refused.value.where["rule"] == "found_gone"
    office.act("acceptor", case, "send_verify")
    office.act("collector", case, "verify", finding="not_exist")
    assert office.act("acceptor", case, "cancel", reason="现场已无").state == "cancelled"


def test_a_disputed_case_is_closed_by_a_second_checker_and_a_second_chief(office, send):
    case, report = send()
    done(office, case)
    do(office, report, "reopen", reason="没有拆")
    case = office.act("acceptor", case, "register", rule="1")
    case = office.act("dispatcher", case, "dispatch", department=PARKS)
    case = office.act("parks", case, "assign", handler="person/gardener")
    case = office.act("gardener", case, "submit", photos=[PHOTO])
    case = office.act("parks", case, "confirm")
    case = office.act("acceptor", case, "send_check")
    with pytest.raises(GuardError, match="another person"):
        office.act("other_collector", case, "check", verdict="pass")
    office.staff = {**office.staff, "third": replace(STAFF["collector"], id="person/third")}
    case = office.act("third", case, "check", verdict="pass")
    with pytest.raises(GuardError, match="submit it for closure"):
        office.act("chief", case, "close", closing="拆除")
    case = office.act("chief", case, "propose_close")
    with pytest.raises(GuardError, match="who submitted"):
        office.act("chief", case, "approve_close", closing="拆除")
    second = Asker("person/chief2", "值班长", frozenset({"case_duty_chief"}))
    office.staff = {**office.staff, "second": second}
    assert office.act("second", case, "approve_close", closing="拆除").state == "closed"


def test_a_case_that_nobody_disputes_is_closed_as_ever(office, send):
    case, _ = send()
    assert done(office, case).state == "closed"


def test_another_city_is_named(office, send):
    settings = {
        "neighbours": [
            {"zh": "邻市", "en": "Next City", "box": [115, 22, 116, 23], "phone": "0999-12345"},
        ]
    }
    with office.records.write() as session:
        regime.adopt(session, STAFF["leader"], "settings", settings)
        for lon, whose in ((115.5, "Next City"), (120.0, "another city")):
            with pytest.raises(ElsewhereError, match=whose):
                citizens.take_in(session, office.desk, new(lon=lon), boundary=box(113, 22, 115, 23))
        assert citizens.take_in(session, office.desk, new(), boundary=box(113, 22, 115, 23))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"type": "99999"}, UnknownTypeError),
        ({"description": "<script>alert(1)</script>"}, BadFieldError),
        ({"description": "字" * 4001}, BadFieldError),
        ({"contact": Contact(email="nobody")}, BadFieldError),
        ({"contact": Contact(sms="drop table")}, BadFieldError),
    ],
)
def test_bad_reports_leave_nothing_and_can_be_sent_again_mended(office, send, change, error):
    report = new(**change)
    with pytest.raises(error):
        send(report)
    case, _ = send(new(secret=report.secret))
    assert case.state == "reported"


def test_emoji_and_rare_characters_are_words(office, send):
    _, report = send(description="🕳️ 𠮷野家门口 䶮 بلدية")
    with office.records.read() as session:
        assert session.query(CaseWords).one().words == "🕳️ 𠮷野家门口 䶮 بلدية"
    assert followed(office, report.secret)


def test_contacts_are_kept_beside_the_case_only_and_go_when_told(office, send):
    _, report = send(contact=Contact(email="me@example.org", wishes=("done",)))
    with office.records.read() as session:
        assert citizens.contact_of(session, report.secret).email == "me@example.org"
        assert "example.org" not in str([row.data for row in session.query(Event).all()])
    with office.records.write() as session:
        citizens.set_contact(session, report.secret, Contact())
    with office.records.read() as session:
        assert session.query(Following).one().contact == {}


def test_reporters_take_no_steps_of_the_staff(office, send):
    case, report = send()
    for action in ("accept", "register", "close", "amend", "publish"):
        with pytest.raises(BadFieldError):
            do(office, report, action)
    with pytest.raises(RefusedError):
        office.act(report.secret, case, "accept")
    assert RULES
