"""Every figure counted anew from an exported log, without the records: what anyone can check.

Who holds the log holds all of it, so no policy is asked. Cases are kept whole while they are read, some two
kilobytes each.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jingwei.cases import regime as the_regime
from jingwei.cases.case import Case, encode
from jingwei.cases.columns import Sheet, tables_of
from jingwei.cases.errors import WithheldError
from jingwei.cases.replay import PREFIX, apply, begin
from jingwei.cases.store import SUBJECT
from jingwei.ledger.bundle import Told, read_events

if TYPE_CHECKING:
    from jingwei.access import Asker
    from jingwei.cases.board import Choice

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
        self.regime = the_regime.from_events(changes)
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


def recount(bundle: Path) -> Recount:
    """Return the cases of an exported log (`jingwei ledger export`), ready to be counted."""
    return Recount(read_events(bundle))
