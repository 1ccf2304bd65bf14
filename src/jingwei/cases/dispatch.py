"""Which department a case is for, and by which rule: proposed, with reasons, measured against what came true.

In the order of practice: a component goes first to whom it belongs, a matter first to whom the place belongs
(部件先属主后属地，事项先属地后属主). Then come the duties by area and type, and last what was done before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from jingwei.cases.board import Board
from jingwei.cases.ground import Duty, duties_for, prefixes
from jingwei.cases.inventory import component
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.cases.case import Case
    from jingwei.cases.ground import Ground
    from jingwei.cases.regime import Regime
    from jingwei.cases.rules import Rule
    from jingwei.cases.types import Catalogue

ENOUGH = 5
"""Cases of one type in one street before what was done with them counts."""


@dataclass(slots=True)
class Candidate:
    """A department that a case may be for: how strongly, and why."""

    department: str
    weight: float = 0.0
    why: list[Text] = field(default_factory=list)

    def because(self, weight: float, why: Text) -> None:
        """Add a reason."""
        self.weight = max(self.weight, weight)
        self.why.append(why)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for a case: departments, the first one first, rules, and what to mind of its place."""

    departments: list[Candidate]
    rules: list[Rule]
    place: Text | None


def propose(
    session: Session, regime: Regime, ground: Ground, board: Board, case: Case, *, at: datetime
) -> Proposal:
    """Return who should have a case and by which rules, with the reasons.

    Parameters
    ----------
    session
        A session that reads.
    regime, ground, board
        Rules, grids and earlier cases.
    case
        The case.
    at
        The moment at which duties must hold.

    """
    found: dict[str, Candidate] = {}
    _by_owner(session, case, found)
    _by_duty(session, regime.catalogue, ground, case, at, found)
    _by_history(board, case, found)
    ordered = sorted(found.values(), key=lambda one: (-one.weight, one.department))
    rules = list(regime.by_type.get((case.kind, case.type), ()))
    return Proposal(ordered, rules, _PLACES.get(case.where))


_PLACES: dict[str, Text] = {
    "border": Text("位于网格边界，相邻网格也可能负责", "on a border: a neighbouring grid may be responsible"),
    "outside": Text("位于所有网格之外，按最近网格建议", "outside of all grids: proposed by the nearest one"),
    "default": Text("位置是默认点，请先核实位置", "a default point: find the true place first"),
}


def _of(found: dict[str, Candidate], department: str) -> Candidate:
    return found.setdefault(department, Candidate(department))


def _by_owner(session: Session, case: Case, found: dict[str, Candidate]) -> None:
    """Propose the owner of the component, as the inventory has it."""
    if case.component is None:
        return
    thing = component(session, case.component)
    if thing is not None and thing.department:
        says = Text(f"部件 {thing.code} 的主管单位", f"it is in charge of the component {thing.code}")
        _of(found, thing.department).because(1.0 if case.kind == "component" else 0.75, says)


def _by_duty(
    session: Session,
    catalogue: Catalogue,
    ground: Ground,
    case: Case,
    at: datetime,
    found: dict[str, Candidate],
) -> None:
    """Propose who has the duty for the type in the finest area that says so.

    People's duties are no department's: a collector walks where others handle.
    """
    areas = prefixes(case.area)
    unit = ground.get(case.area)
    if unit is not None and unit.duty_grid:
        areas.insert(0, unit.duty_grid)
    whole = [one for one in duties_for(session, areas, case.kind, case.type, at) if not one.person]
    for rank, duty in enumerate(whole):
        _of(found, duty.department).because(
            max(0.2, 0.9 - 0.1 * rank), _duty_says(duty, _called(catalogue, case.kind, duty.type))
        )


def _called(catalogue: Catalogue, kind: str, code: str) -> Text:
    """Return how people call a type, or a major class; a code that nothing bears stands for itself."""
    if not code:
        return Text("全部类别", "all types")
    if (kind, code) in catalogue:
        name = catalogue.get(kind, code).name
    else:
        name = next((one.major for one in catalogue if (one.kind, one.code[:2]) == (kind, code)), Text(""))
    if not name.zh:
        return Text(code)
    return Text(f"{name.zh}（{code}）", f"“{name.en or name.zh}” ({code})")


def _duty_says(duty: Duty, what: Text) -> Text:
    return Text(
        f"职责分工：{duty.area or '全市'}，{what.zh}",
        f"it has the duty for {what.en or what.zh} in {duty.area or 'the whole city'}",
    )


def _by_history(board: Board, case: Case, found: dict[str, Candidate]) -> None:
    """Propose who handled most of the like in the same street."""
    rows = board.rows(
        "SELECT department, count(*) FROM cases WHERE kind = $1 AND type = $2 AND handled"
        " AND department IS NOT NULL AND ($3 = '' OR street = $3) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5",
        [case.kind, case.type, case.area[:9] if len(case.area) >= 9 else ""],
    )
    whole = sum(count for _, count in rows)
    for department, count in rows if whole >= ENOUGH else ():
        says = Text(
            f"同类案件 {whole} 件中有 {count} 件由其办结",
            f"it handled {count} of {whole} cases of the same type",
        )
        _of(found, department).because(0.6 * count / whole, says)
