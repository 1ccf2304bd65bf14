"""What waits for whom, and what is at risk, as the board tells it."""

import pytest

from jingwei.cases.board import Board, Choice
from jingwei.cases.calendar import instant

from .conftest import PARKS, WATER


@pytest.fixture
def board(office):
    return Board(office.records, office.desk)


def waits(board, office, who):
    rows = board.page(office.staff[who], Choice(waiting=True), sort="number").rows
    return [row["number"] for row in rows]


@pytest.mark.parametrize(
    ("state", "whose"),
    [
        ("pending_register", {"acceptor", "chief"}),
        ("pending_dispatch", {"dispatcher"}),
        ("pending_handle", {"parks"}),
        ("handling", {"gardener"}),
        ("handle_finish", {"parks"}),
        ("checking", {"collector", "other_collector"}),
    ],
)
def test_a_case_waits_for_those_whose_step_is_next(office, board, state, whose):
    case = office.to(state)
    asked = ("acceptor", "chief", "dispatcher", "parks", "water", "gardener", "second_gardener", "collector",
             "other_collector", "leader", "citizen")  # fmt: skip
    assert {who for who in asked if waits(board, office, who) == [case.number]} == whose


def test_a_petition_waits_for_its_answer_and_an_order_for_its_reply(office, board):
    case = office.to("handling")
    assert waits(board, office, "dispatcher") == []
    office.act("gardener", case, "ask_extension", reason="材料未到")
    assert waits(board, office, "dispatcher") == []
    assert waits(board, office, "parks") == [case.number]
    office.act("parks", case, "support_extension")
    assert waits(board, office, "dispatcher") == [case.number]
    office.act("dispatcher", case, "grant_extension")
    assert waits(board, office, "dispatcher") == []
    office.act("leader", case, "order", words="抓紧办理")
    assert waits(board, office, "dispatcher") == waits(board, office, "parks") == [case.number]


def test_a_return_waits_for_who_sends_it_on(office, board):
    case = office.to("pending_handle")
    office.act("parks", case, "return_to_dispatcher", reason="非我部门职责")
    assert waits(board, office, "dispatcher") == [case.number]
    assert waits(board, office, "acceptor") == []


def test_a_co_handler_finds_its_part_until_it_is_done(office, board):
    case = office.to("pending_handle")
    assert waits(board, office, "water") == []
    office.act("dispatcher", case, "invite", department=WATER)
    assert waits(board, office, "water") == [case.number]
    office.act("water", case, "finish_part", department=WATER)
    assert waits(board, office, "water") == []


def test_states_are_counted_with_what_is_at_risk_and_overdue(office, board):
    first = office.to("pending_handle")
    office.wait(hours=7)  # nine working hours a day at most: beyond four fifths, not over
    second = office.to("pending_handle")
    leader, now = office.staff["leader"], instant(office.now)
    due = {row["number"]: (row["risk_at"], row["due"]) for row in board.page(leader, Choice()).rows}
    risk, end = due[first.number]
    assert risk < end <= due[second.number][1]
    (count,) = board.states(leader, Choice(), max(now, risk))
    assert (count["state"], count["count"], count["at_risk"], count["overdue"]) == ("pending_handle", 2, 1, 0)
    risky = board.page(leader, Choice(risky_at=risk)).rows
    assert [row["number"] for row in risky] == [first.number]
    (count,) = board.states(leader, Choice(values={"department": [PARKS]}), end + 1)
    assert (count["overdue"], count["at_risk"]) == (1, 1 if due[second.number][0] <= end + 1 else 0)
