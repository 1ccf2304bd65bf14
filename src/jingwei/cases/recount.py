"""Every figure counted anew from an exported log, without the records: what anyone can check.

Who holds the log holds all of it, so no policy is asked. Cases are kept whole while they are read, some two
kilobytes each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jingwei.cases import regime as the_regime
from jingwei.cases.case import Case, encode
from jingwei.cases.columns import Sheet, tables_of
from jingwei.cases.errors import WithheldError
from jingwei.cases.hotline.facts import CALL_EVENTS, from_events
from jingwei.cases.replay import PREFIX, apply, begin
from jingwei.cases.store import SUBJECT
from jingwei.ledger.bundle import Told, read_events

if TYPE_CHECKING:
    from jingwei.access import Asker
    from jingwei.cases.board import Choice
    from jingwei.cases.hotline.call import Call
    from jingwei.cases.regime import Regime

CHUNK = 5_000
REGIME_CHANGED = "case.regime_changed"


class Recount(Sheet):
    """The cases of a log in columns.

    Parameters
    ----------
    told
        The events of the log, in order.

    Raises
    ------
    WithheldError
        Where what happened to a case is not told: figures would be wrong.

    """

    def __init__(self, told: Iterable[Told]) -> None:
        super().__init__()
        cases, self.regime = _replayed(told)
        self.count = len(cases)
        rows = ((index, encode(case), None) for index, case in enumerate(cases.values(), start=1))
        for table in tables_of(iter(lambda: list(islice(rows, CHUNK)), []), self.regime):
            self.put(table, replace=False)

    @property
    def stock_days(self) -> int:
        """After how many suspended days a case counts as 积存."""
        return self.regime.settings.stock_days

    def refresh(self) -> int:
        """Do nothing: a log that was exported does not change."""
        return 0

    def allowed(self, asker: Asker, choice: Choice) -> tuple[str, list[Any]]:  # noqa: ARG002
        """Return the condition for the cases of a choice."""
        return choice.where()


def _replayed(told: Iterable[Told]) -> tuple[dict[str, Case], Regime]:
    """Return all cases as their events make them, and what is in force."""
    cases: dict[str, Case] = {}
    changes: list[tuple[str, dict[str, Any]]] = []
    for one in told:
        if not one.type.startswith(PREFIX):
            continue
        if one.data is None or one.subject is None:
            raise WithheldError(one.position, one.type)
        if one.type == REGIME_CHANGED:
            changes.append((one.subject, one.data))
        elif one.subject.startswith(SUBJECT):
            number = one.subject.removeprefix(SUBJECT)
            case = cases.get(number)
            if case is None:
                case = cases[number] = begin(number)
            apply(case, one.type, one.actor or "", one.data)
    return cases, the_regime.from_events(changes)


def recount_calls(bundle: Path) -> tuple[Iterator[tuple[Call, Case | None]], Regime]:
    """Return the calls of an exported log with their cases, and what is in force: what rates are counted of.

    Raises
    ------
    WithheldError
        Where what happened to a case or a call is not told.

    """
    cases, regime = _replayed(read_events(bundle))
    return from_events(_whole(read_events(bundle)), cases), regime


def _whole(told: Iterable[Told]) -> Iterator[tuple[str, str, str | None, dict[str, Any]]]:
    for one in told:
        if one.type.startswith(CALL_EVENTS):
            if one.data is None or one.subject is None:
                raise WithheldError(one.position, one.type)
            yield one.subject, one.type, one.actor, one.data


def recount(bundle: Path) -> Recount:
    """Return the cases of an exported log (`jingwei ledger export`), ready to be counted."""
    return Recount(read_events(bundle))
