"""What a newer check says of rules that somebody was asked to correct."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from jingwei.lake import contracts

if TYPE_CHECKING:
    from collections.abc import Callable

    from jingwei.lake.checking import Report
    from jingwei.lake.contracts import Contract

NUMBERED = frozenset(one.model_fields["kind"].default for one in get_args(get_args(contracts.Rule)[0]))
"""Kinds of rules that a report names by their place in the contract: `never:3`."""
ONLY_BROKEN = frozenset({"fresh", "change", "missing-column", "new-column", "quarantine"})
"""Kinds of rules that a report names only where they are broken."""


def held_against(
    rules: list[dict[str, Any]], report: Report, number: int, contract: Callable[[int], Contract | None]
) -> tuple[list[dict[str, Any]], bool]:
    """Return the rules with what remains of each, and whether all of them were seen to be kept.

    A rule that the newer check did not look at (its column is missing, the contract no longer has it) is not
    corrected: what remained of it stays.

    Parameters
    ----------
    rules
        As a request keeps them.
    report, number
        What was found, and the contract by which it was checked.
    contract
        Returns a contract of the dataset by its number.

    """
    seen = {one.id: one for one in report.rules}
    found, kept = [], True
    for rule in rules:
        now = _named_now(rule, number, contract)
        result = seen.get(now["id"])
        looked_at = result is not None or (now["checked"] and _kind(now["id"]) in ONLY_BROKEN)
        broken = result is not None and result.failed
        kept &= looked_at and not broken
        if result is not None and broken:
            now |= {"remaining": result.rows, "examples": result.examples}
        elif looked_at:
            now |= {"remaining": 0, "examples": []}
        found.append({name: value for name, value in now.items() if name != "checked"})
    return found, kept


def _kind(identifier: str) -> str:
    return identifier.partition(":")[0]


def _named_now(
    rule: dict[str, Any], number: int, contract: Callable[[int], Contract | None]
) -> dict[str, Any]:
    """Return a rule under its name in another contract; `checked` tells whether it is in there."""
    before = rule.get("contract", number)
    kind, _, rest = rule["id"].partition(":")
    place, colon, more = rest.partition(":")
    if before == number or kind not in NUMBERED or not place.isdigit():
        return {**rule, "checked": True}
    old, new = contract(before), contract(number)
    said = _said(old, int(place))
    places = [n for n in range(1, len(new.rules) + 1) if _said(new, n) == said] if new and said else []
    if not places:
        return {**rule, "checked": False}
    return {**rule, "id": f"{kind}:{places[0]}{colon}{more}", "contract": number, "checked": True}


def _said(contract: Contract | None, place: int) -> dict[str, Any] | None:
    """Return what a rule asks for, without its words and its weight."""
    if contract is None or not 1 <= place <= len(contract.rules):
        return None
    return contract.rules[place - 1].model_dump(exclude={"says", "severity"})
