import json
from pathlib import Path

import pytest

from jingwei.cases import lifecycle
from jingwei.cases.lifecycle import OPEN, STATES, SYSTEM, TRANSITIONS, reachable, transitions_from

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT.parent / "shared" / "spec" / "cases" / "lifecycle.json"
BEGIN = [one.target for one in TRANSITIONS.values() if not one.sources and one.action != "imported"]


def test_every_state_is_reached_from_a_report():
    assert reachable(BEGIN) == set(STATES)


@pytest.mark.parametrize("state", OPEN)
def test_no_open_state_is_a_dead_end(state):
    ends = {key for key, one in STATES.items() if one.terminal}
    assert reachable([state]) & ends


@pytest.mark.parametrize("state", OPEN)
def test_every_open_state_is_left_by_somebody_without_an_order_from_above(state):
    ordinary = [
        one
        for one in transitions_from(state)
        if one.target is not None and one.axis not in ("lead", "system", "report")
    ]
    assert ordinary, state


def test_names_are_used_once_and_states_exist():
    assert len(TRANSITIONS) == len(lifecycle._TABLE)
    for one in TRANSITIONS.values():
        assert set(one.sources) <= set(STATES)
        assert one.target in {*STATES, None, "previous"}
        assert set(one.apart) <= set(TRANSITIONS)
        assert set(one.bars) <= set(TRANSITIONS)


def test_a_return_gives_its_reason():
    for one in TRANSITIONS.values():
        if one.bars:
            assert "reason" in one.needs, one.action


def test_supervision_and_command_are_separate():
    for one in TRANSITIONS.values():
        if one.axis == "handle":
            assert lifecycle.ACCEPTOR not in one.roles
            assert lifecycle.DUTY_CHIEF not in one.roles
        if one.action in ("close", "approve_close", "check", "propose_close"):
            assert not {lifecycle.DISPATCHER, lifecycle.DEPARTMENT, lifecycle.HANDLER} & set(one.roles)
            assert {"submit", "confirm"} <= set(one.apart)


def test_only_the_clock_acts_for_the_system():
    for one in TRANSITIONS.values():
        assert (one.axis == "system") == (one.roles == (SYSTEM,))


def test_the_28_transitions_of_practice_are_in_the_table():
    if not SPEC.is_file():
        pytest.skip("the facts about the life cycle are not on this machine")
    told = json.loads(SPEC.read_text("utf-8"))
    assert {state["key"] for state in told["states"]} <= set(STATES)
    for state in told["states"]:
        assert STATES[state["key"]].open311 == state["open311"]
    pairs = {
        (source, target)
        for one in TRANSITIONS.values()
        for source in one.sources or ("(none)",)
        for target in lifecycle.targets(one, source)
    }
    for one in told["transitions"]:
        sources = OPEN if one["from"] == "any open" else one["from"].split("|")
        wanted = ("pending_handle", "handling") if one["to"] == "(previous)" else (one["to"],)
        for source in sources:
            assert any((source, target) in pairs for target in wanted), (source, one["to"])


def test_the_page_shows_the_table():
    page = (ROOT / "docs" / "cases.md").read_text("utf-8")
    begin, end = "<!-- table: begin -->\n", "<!-- table: end -->"
    assert page.split(begin)[1].split(end)[0] == lifecycle.tables_page()
