import pytest

from cases.conftest import PARKS, STAFF, WATER
from jingwei.cases.board import SORTS, Board, Choice
from jingwei.cases.errors import BadFieldError


@pytest.fixture
def board(office):
    return Board(office.records, office.desk)


def numbers(board, who, **choice):
    page = board.page(STAFF[who], Choice(**choice), sort="number")
    assert len(page.rows) == page.count
    return [short(row) for row in page.rows]


def short(row):
    return row["number"][-5:].lstrip("0")


def test_who_acts_sees_what_he_did(office, board):
    case = office.to("pending_register")
    assert numbers(board, "acceptor", values={"state": ["pending_register"]}) == ["1"]
    office.act("acceptor", case, "register", rule="1")
    assert numbers(board, "acceptor", values={"state": ["pending_register"]}) == []
    assert numbers(board, "acceptor", values={"state": ["pending_dispatch"]}) == ["1"]


def test_lists_show_what_the_policies_allow_and_no_more(office, board):
    office.to("pending_handle")
    case = office.to("pending_dispatch")
    office.act("dispatcher", case, "dispatch", department=WATER, co_departments=[PARKS])
    office.report("citizen", source="public")
    assert numbers(board, "acceptor") == ["1", "2", "3"]
    assert numbers(board, "parks") == ["1", "2"]  # its own, and its part of another's
    assert numbers(board, "water") == ["2"]
    assert numbers(board, "citizen") == ["3"]
    assert numbers(board, "neighbour") == []


def test_choosing_and_sorting(office, board):
    office.to("closed")
    office.wait(hours=3)
    one = office.to("handling")
    office.report(type="06002")
    assert numbers(board, "chief", flags={"ended": True}) == ["1"]
    assert numbers(board, "chief", values={"type": ["06002"]}) == ["3"]
    assert numbers(board, "chief", values={"department": [PARKS]}) == ["1", "2"]
    assert numbers(board, "chief", since=one.at["reported"]) == ["2", "3"]
    with pytest.raises(BadFieldError):
        board.page(STAFF["chief"], Choice(), sort="body")
    with pytest.raises(BadFieldError):
        numbers(board, "chief", values={"1=1; --": ["x"]})


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 2, 3, 6])
def test_leafing_forth_and_back_shows_every_case_once_in_order(office, board, sort, limit):
    for state in ("closed", "handling", "pending_register", "handling", "closed"):
        office.to(state)
    office.report()
    whole = [row["number"] for row in board.page(STAFF["chief"], Choice(), sort=sort).rows]
    assert sorted(whole) == sorted(set(whole))
    forth, page = [], board.page(STAFF["chief"], Choice(), sort=sort, limit=limit)
    assert page.previous is None
    pages = [page]
    while page.next:
        page = board.page(STAFF["chief"], Choice(), sort=sort, limit=limit, after=page.next)
        pages.append(page)
    forth = [[row["number"] for row in one.rows] for one in pages]
    assert [number for one in forth for number in one] == whole
    assert all(one.count == 6 for one in pages)
    back = [forth[-1]]
    while page.previous:
        page = board.page(STAFF["chief"], Choice(), sort=sort, limit=limit, before=page.previous)
        back.insert(0, [row["number"] for row in page.rows])
    assert back == forth


@pytest.mark.parametrize("mark", ["x", "1", "1.x", ".", f"{10**30}.1", "2026-11-16.1"])
def test_what_is_no_mark_of_a_page_is_told(board, mark):
    with pytest.raises(BadFieldError):
        board.page(STAFF["chief"], Choice(), after=mark)


def test_words_are_found_in_every_case_whatever_their_language(office, board):
    for said in ("人民路井盖破损", "路灯不亮", "Broken Lamp at 5th Ave", "井"):
        office.report(description=said)
    office.report()
    for text, found in (
        ("井盖", ["1"]), ("路", ["1", "2"]), ("井", ["1", "4"]), ("灯不亮", ["2"]), ("broken lamp", ["3"]),
        ("盖井", []), ("🚧", []), ("5TH", ["3"]),
    ):  # fmt: skip
        assert numbers(board, "chief", text=text) == found, text
    case = office.get(board.page(STAFF["chief"], Choice(text="灯不亮")).rows[0]["number"])
    office.act("acceptor", case, "amend", reason="写错", description="路灯常亮")
    assert numbers(board, "chief", text="灯不亮") == []
    assert numbers(board, "chief", text="常亮") == ["2"]


def test_what_is_overdue(office, board):
    case = office.to("handling")
    due = case.current.due(_calendar(office))
    assert numbers(board, "chief", overdue_at=due) == []
    assert numbers(board, "chief", overdue_at=due + 1) == ["1"]


def test_map_and_list_count_the_same_cases(office, board):
    for lon in (113.0, 113.0, 113.2):
        office.report(lon=lon, lat=35.0)
    office.report()
    box = (112.9, 34.9, 113.1, 35.1)
    found = board.cells(STAFF["chief"], Choice(box=box), 21).to_pylist()
    assert [one["count"] for one in found] == [2]
    assert numbers(board, "chief", box=box) == ["1", "2"]
    assert sum(board.cells(STAFF["chief"], Choice(), 10)["count"].to_pylist()) == 3
    assert board.cells(STAFF["neighbour"], Choice(), 10).num_rows == 0


def test_a_new_calendar_gives_new_deadlines(office, board):
    from jingwei.cases import regime

    office.to("handling")
    before = board.page(STAFF["chief"], Choice()).rows[0]["due"]
    with office.records.write() as session:
        regime.adopt(session, STAFF["leader"], "calendar", {"days": {"2026-11-17": False}})
    assert board.page(STAFF["chief"], Choice()).rows[0]["due"] - before == 24 * 3600 * 1_000_000


def test_the_board_misses_no_transaction_that_was_open_while_it_looked(office, board):
    first = office.report()
    board.refresh()
    with office.records.write() as session:
        office.desk.act(session, STAFF["acceptor"], first.number, "register", {"rule": "1"}, at=office.now)
        session.flush()
        if office.records.engine.dialect.name == "postgresql":
            office.report()  # commits while the other is open; SQLite's writers queue
            board.refresh()
    board.refresh()
    assert numbers(board, "chief", values={"state": ["pending_dispatch"]}) == ["1"]


def _calendar(office):
    with office.records.read() as session:
        return office.desk.regime(session).calendar
