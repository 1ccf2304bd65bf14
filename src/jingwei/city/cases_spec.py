"""What a pack says of its cases: who works on them, where, by which rules, and those that there are already.

`jingwei.cases.founding` takes it in; a pack without it opens with an empty desk.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from jingwei.city.parts import Area, Identifier, Part


class TableSpec(Part):
    """A table of the pack: a file of its own, or that of one of its sources."""

    file: str | None = Field(default=None, min_length=1)
    encoding: str | None = None
    source: Identifier | None = None


class CaseStaffSpec(TableSpec):
    """Who has which part in cases: by sign-in name and post; `area` is where a collector walks."""

    login: str
    post: str
    department: str
    area: str | None = None
    roles: dict[str, list[str]] = Field(min_length=1)


class UnitGridsSpec(TableSpec):
    """The unit grids: 15-digit codes and outlines."""

    code: str
    duty_grid: str | None = None
    grade: str | None = None


class DutiesSpec(TableSpec):
    """Which department has the duty for a type in an area."""

    area: str
    kind: str
    type: str
    department: str
    person: str | None = None


class ComponentsSpec(TableSpec):
    """The inventory of components."""

    code: str
    name: str | None = None
    department: str | None = None
    area: str | None = None
    lon: str | None = None
    lat: str | None = None


class CaseStateSpec(Part):
    """What a state of another system is here, and whether it says that the case was late."""

    state: str
    late: bool | None = None


class HistorySpec(TableSpec):
    """Cases of before, as they stood in another system."""

    key: str
    when: str
    state: str
    states: dict[str, CaseStateSpec] = Field(min_length=1)
    types: list[str] = Field(min_length=1, max_length=4)
    channel: str
    channels: dict[str, str] = Field(default_factory=dict)
    system: str = Field(min_length=1, max_length=40)
    late: str | None = None
    late_words: dict[str, bool] = Field(default_factory=dict)
    area: str | None = None
    street: str | None = None
    community: str | None = None
    unit: str | None = None
    unit_name: str | None = None
    lon: str | None = None
    lat: str | None = None
    description: str | None = None
    component: str | None = None
    hours: str | None = None
    times: dict[str, str] = Field(default_factory=dict)
    within: Area | None = None
    """Where places must lie; within the city's boundary if not given."""
    division: str | None = Field(default=None, pattern=r"^\d{6}$")
    """The six digits before the numbers of streets; the city's if not given."""


class StepsSpec(TableSpec):
    """The steps of cases of `history` that go on here: each is led through its life instead of imported.

    With `until`, which only a generated city may say, that moment of the table is the moment of the load.
    """

    case: str
    action: str
    time: str
    person: str
    fields: str
    until: datetime | None = None


class ArticlesSpec(TableSpec):
    """What the hotline answers from: articles, with how people ask (parted by semicolons)."""

    title: str
    body: str
    department: str
    questions: str | None = None


class CallsSpec(TableSpec):
    """Calls that the hotline took before; `case` names a case of `history`, `lost` is `menu` or `queue`.

    What callers said is `yes`, `no` or `unclear`; kinds and urgencies are the keys of the settings.
    With `until`, which only a generated city may say, that moment of the table is the moment of the load.
    """

    key: str
    time: str
    taker: str
    kind: str
    urgency: str
    words: str
    waited: str | None = None
    lost: str | None = None
    area: str | None = None
    answer: str | None = None
    case: str | None = None
    told: str | None = None
    heard: str | None = None
    solved: str | None = None
    satisfied: str | None = None
    until: datetime | None = None


class CasesSpec(Part):
    """The cases of a city. Each part is taken in once; from then on it is people who change it."""

    settings: dict[str, Any] = Field(default_factory=dict)
    default_points: list[tuple[float, float, str]] = Field(default_factory=list, max_length=100)
    staff: CaseStaffSpec | None = None
    grids: UnitGridsSpec | None = None
    duties: DutiesSpec | None = None
    components: ComponentsSpec | None = None
    rules: TableSpec | None = None
    history: HistorySpec | None = None
    steps: StepsSpec | None = None
    articles: ArticlesSpec | None = None
    calls: CallsSpec | None = None

    def tables(self) -> dict[str, TableSpec]:
        """Return the tables by their names in the manifest."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: one for name, one in found.items() if isinstance(one, TableSpec)}
