"""What a person may see of a dataset, and why: every decision with the rules that made it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from jingwei.errors import NotFoundError
from jingwei.lake.views import RIGHTS, field_of, resource_of
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.access import Asker
    from jingwei.access.policy import Decision
    from jingwei.lake.service import Lake


@dataclass(frozen=True, slots=True)
class FieldExplained:
    """How a field is shown, and what decided it; places decide what their columns show too."""

    name: str
    level: int | None
    personal: bool | None
    shown: str
    decision: Decision


@dataclass(frozen=True, slots=True)
class Explanation:
    """What someone may see of a dataset, and why."""

    listed: bool
    rights: dict[str, Decision]
    rows: Literal["all", "none", "some"]
    rows_where: str | None
    place_level: int
    place: Decision
    smallest: int | None
    fields: list[FieldExplained]


def explain(lake: Lake, asker: Asker, dataset: str, *, purpose: str = "") -> Explanation:
    """Return what `asker` may see of a dataset for a purpose, and why.

    Raises
    ------
    NotFoundError
        If there is no such dataset at all.

    """
    found = next((one for one in lake.catalogue() if one.id == dataset), None)
    if found is None:
        raise NotFoundError(
            Text(f"没有数据集“{dataset}”。", f"There is no dataset '{dataset}'."), where={"dataset": dataset}
        )
    asker = replace(asker, purpose=purpose)
    policies = lake.policies.current()
    resource = resource_of(found, policies)
    view = lake.views.of(policies, asker, found, found.version)
    names = ("list", *RIGHTS)
    rights = {
        f"dataset.{name}": lake.views.decide(policies, asker, f"dataset.{name}", resource) for name in names
    }
    rows: Literal["all", "none", "some"] = "none"
    if "read" in view.rights:
        rows = "all" if view.all_rows else "some"
    fields = []
    for column in found.version.content.columns if found.version else []:
        known = found.fields.get(column.name)
        fields.append(
            FieldExplained(
                name=column.name,
                level=known["level"] if known else None,
                personal=known["personal"] if known else None,
                shown=view.masks.get(column.name, "hidden"),
                decision=policies.decide(asker, "field.read", field_of(found, column.name, policies)),
            )
        )
    return Explanation(
        listed=rights["dataset.list"].allowed,
        rights=rights,
        rows=rows,
        rows_where=view.permitted.where if rows == "some" and view.permitted else None,
        place_level=view.place_level,
        place=policies.decide(asker, "place.read", resource),
        smallest=view.smallest if view.counts_only else None,
        fields=fields,
    )
