"""What waits for whom: the cases of which the next step is somebody's own, by the policies in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jingwei.access.policy import Resource
from jingwei.cases import policy
from jingwei.cases.lifecycle import TRANSITIONS

if TYPE_CHECKING:
    from jingwei.access import Asker
    from jingwei.access.policy import Policies

WAITS: dict[str, str] = {
    "accept": "",
    "verify": "",
    "register": "",
    "dispatch": "",
    "redispatch": "returned_by = 'department'",
    "register_again": "returned_by = 'dispatcher'",
    "assign": "",
    "submit": "",
    "confirm": "",
    "send_check": "",
    "check": "",
    "close": "checked > 0",
    "approve_close": "",
    "support_extension": "asked = 'extension:asked'",
    "grant_extension": "asked = 'extension:supported'",
    "support_suspension": "asked = 'suspension:asked'",
    "suspend": "asked = 'suspension:supported'",
    "support_appeal": "asked = 'appeal:asked'",
    "grant_appeal": "asked = 'appeal:supported'",
    "reply": "orders_open > 0",
}
"""The steps for which a case waits, and what must hold of its row besides its state."""


def waiting(policies: Policies, asker: Asker, *, first: int) -> tuple[str, list[Any]]:
    """Return the condition on rows of the board for what waits for an asker, and its parameters.

    Parameters
    ----------
    policies
        In force.
    asker
        Whose inbox.
    first
        The number of the first parameter.

    """
    columns = {name: f'"{name}"' for name in policy.FILTERED}
    clauses: list[str] = []
    given: list[Any] = []
    for action, besides in WAITS.items():
        one = TRANSITIONS[action]
        rows = policies.rows(asker, one.policy_action, "Case")
        may, parameters = rows.sql(columns, "duckdb", first=first + len(given))
        if may == "FALSE":
            continue
        given += parameters
        states = ", ".join(f"'{state}'" for state in one.sources)
        clauses.append(" AND ".join(filter(None, (f"state IN ({states})", besides, f"({may})"))))
    mine = sorted(one for one in asker.departments if _finishes(policies, asker, one))
    if mine:
        given.append(mine)
        clauses.append(f"list_has_any(open_parts, ${first + len(given) - 1})")
    return " OR ".join(f"({one})" for one in clauses) or "FALSE", given


def _finishes(policies: Policies, asker: Asker, department: str) -> bool:
    """Say whether an asker may finish a co-handling part of a department."""
    one = TRANSITIONS["finish_part"]
    about = {"state": one.sources[0], "kind": "", "type": "", "source": "", "area": "", "part": department}
    return policies.decide(asker, one.policy_action, Resource("Case", "", about)).allowed
