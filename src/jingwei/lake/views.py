"""What of a dataset an asker may see, worked out once and applied to every question.

A restricted asker does not ask the dataset and then gets less: the asker asks a relation that holds nothing
else. Its rows are those that the policies permit, its columns are masked, its places are coarsened, before
any region, period, filter, count or search looks at it. So an answer, an error or a near miss cannot tell
what the policies hide, however it is asked for.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from jingwei import grid
from jingwei.access.policy import Decision, RefusedError, Resource
from jingwei.access.policy.masks import SMALLEST
from jingwei.lake.masking import masked_sql, shown_type
from jingwei.lake.schemas import Column, Content, Place, Version
from jingwei.records.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from jingwei.access import Asker
    from jingwei.access.policy import Policies
    from jingwei.access.policy.engine import Mask
    from jingwei.lake.schemas import Dataset

KEPT = 4_000
EXACT = 32
"""The level of a place that is shown as it is stored."""
RIGHTS = ("read", "count", "export", "inspect", "publish")
"""What may be done with a dataset, each by the action `dataset.<right>`."""


OF_ROWS = frozenset({"dataset.list", "dataset.read", "dataset.export"})
"""What follows, of a dataset whose rows another part decides on, from there being rows for the asker."""


@dataclass(frozen=True, slots=True)
class RowsOf:
    """Which rows of a dataset an asker may see.

    Attributes
    ----------
    where
        SQL condition on the columns of the dataset; `TRUE` for all, `FALSE` for none.
    place_level
        The finest level of their places: 32 as they are, 0 not at all.

    """

    where: str
    place_level: int


class RowRule(Protocol):
    """How another part decides on the rows of a dataset, where rows differ in who may see them."""

    def state(self) -> Hashable:
        """Return what is another one whenever the rule may answer something else by the same policies."""

    def rows(self, policies: Policies, asker: Asker) -> RowsOf:
        """Return the rows that an asker may see."""


@dataclass(frozen=True, slots=True)
class Permitted:
    """The permitted part of a version's facts as SQL: what it shows of which rows.

    `indexed` says that places are as stored, so that the indexes of the files find them; `hashed`
    that a column is, for which the engine needs the city's secret.
    """

    select: str
    where: str
    names: tuple[str, ...]
    indexed: bool
    hashed: bool


@dataclass(frozen=True, slots=True)
class View:
    """What an asker may see of a dataset.

    Attributes
    ----------
    rights
        What may be done with it, of `RIGHTS`.
    version
        The published version as the asker may know it: without columns, geometry, statistics and evidence
        that are not for this asker. `None` where nothing is published.
    permitted
        What questions are put to; `None` for all of the facts as they are stored.
    masks
        How each of the department's columns is shown.
    place_level
        The finest level of places: 32 as they are, 0 not at all.
    count_level, smallest
        Of those who may only count: the finest level, and the smallest number that is shown.
    personal
        The personal fields that are shown as they are: reading them is an event.
    all_rows
        Whether no row is held back.
    key
        What answers are kept under: whoever has the same key is shown the same.

    """

    rights: frozenset[str]
    version: Version | None
    permitted: Permitted | None
    masks: Mapping[str, Mask]
    place_level: int
    count_level: int
    smallest: int
    personal: tuple[str, ...]
    all_rows: bool
    key: str

    @property
    def whole(self) -> bool:
        """Whether everything is shown as it is."""
        return "read" in self.rights and self.permitted is None

    @property
    def total_shown(self) -> bool:
        """Whether how many facts there are may be told.

        Not where rows are held back, nor where counts leave out what is too little: the total would tell it.
        """
        return self.all_rows or not self.rights & {"read", "count"}

    @property
    def counts_only(self) -> bool:
        """Whether nothing but counts is shown."""
        return "count" in self.rights and "read" not in self.rights


def resource_of(dataset: Dataset, policies: Policies) -> Resource:
    """Return a dataset as policies see it."""
    attributes = {
        "owner": policies.department(dataset.owner),
        "sharing": dataset.sharing,
        "level": dataset.level,
    }
    return Resource("Dataset", dataset.id, attributes)


def field_of(dataset: Dataset, column: str, policies: Policies) -> Resource:
    """Return a field of a dataset as policies see it; one that was never classified is taken as personal."""
    known = dataset.fields.get(column)
    attributes = {
        "owner": policies.department(dataset.owner),
        "sharing": dataset.sharing,
        "level": known["level"] if known else 4,
        "personal": known["personal"] if known else True,
        "dataset": dataset.id,
    }
    return Resource("Field", f"{dataset.id}/{column}", attributes)


class Views:
    """Works out views, and keeps them while the policies stay the same. Safe to share between threads.

    Attributes
    ----------
    rules
        Of datasets whose rows another part decides on.

    Parameters
    ----------
    is_true
        Says whether an SQL condition that names no column holds.

    """

    def __init__(self, is_true: Callable[[str], bool]) -> None:
        self._is_true = is_true
        self.rules: dict[str, RowRule] = {}
        self._kept: Recent[tuple[Any, ...], View] = Recent(KEPT)
        self._policies: Policies | None = None

    def of(self, policies: Policies, asker: Asker, dataset: Dataset, version: Version | None) -> View:
        """Return what an asker may see of a version of a dataset."""
        number = version.number if version else None
        about = (dataset.id, number, dataset.owner, dataset.sharing, dataset.level, dataset.changed)
        rule = self.rules.get(dataset.id)
        key = (policies.scope(asker), *about, None if rule is None else rule.state())
        if self._policies is not policies:
            self._policies = policies
            self._kept.clear()
        return self._kept.of(key, lambda: self._work_out(policies, asker, dataset, version))

    def decide(self, policies: Policies, asker: Asker, action: str, dataset: Resource) -> Decision:
        """Say whether an asker may do something with a dataset.

        Where another part decides on its rows, who may see any of them may list, read and export it, unless
        a policy forbids that.
        """
        decision = policies.decide(asker, action, dataset)
        rule = self.rules.get(dataset.id)
        limited = asker.only is not None and action not in asker.only
        if rule is None or action not in OF_ROWS or limited or (decision.rules and not decision.allowed):
            return decision
        some = rule.rows(policies, asker).where != "FALSE"
        if decision.allowed == some or (action == "dataset.list" and decision.allowed):
            return decision
        return Decision(some, (), ())

    def _work_out(self, policies: Policies, asker: Asker, dataset: Dataset, version: Version | None) -> View:
        resource = resource_of(dataset, policies)
        decisions = {right: self.decide(policies, asker, f"dataset.{right}", resource) for right in RIGHTS}
        rights = {right for right, decision in decisions.items() if decision.allowed}
        rule = self.rules.get(dataset.id)
        own = rule.rows(policies, asker) if rule is not None and "read" in rights else None
        level = 0
        if "read" in rights:
            level = policies.place_level(asker, resource) if own is None else own.place_level
        names = [column.name for column in version.content.columns] if version else []
        masks: dict[str, Mask] = dict.fromkeys(names, "hidden" if own is None else "clear")
        if own is None and "read" in rights:
            masks = {name: policies.mask(asker, field_of(dataset, name, policies)) for name in names}
        rows = "FALSE"
        if version is not None and "read" in rights:
            masks |= _masks_of_places(version.content, level)
            rows = self._rows(policies, asker, resource, version.content) if own is None else own.where
            if rows == "FALSE":
                rights.discard("read")
        permitted = None
        if version is not None and "read" in rights:
            permitted = _permitted(version.content, masks, level, rows)
        shown = version if version is None else _as_shown(version, masks, level, rights, rows, permitted)
        personal = tuple(
            name
            for name, mask in masks.items()
            if own is None and mask == "clear" and dataset.fields.get(name, {}).get("personal", True)
        )
        count_level, smallest = _counting(decisions["count"])
        told = [dataset.id, version.number if version else None, sorted(rights), sorted(masks.items()), level]
        told += [rows, count_level, smallest, dataset.level, version.content.erased if version else 0]
        digest = hashlib.blake2b(json.dumps(told, ensure_ascii=False).encode(), digest_size=12)
        return View(
            rights=frozenset(rights),
            version=shown,
            permitted=permitted,
            masks=masks,
            place_level=level,
            count_level=count_level,
            smallest=smallest,
            personal=personal,
            all_rows=rows == "TRUE",
            key=digest.hexdigest(),
        )

    def _rows(self, policies: Policies, asker: Asker, resource: Resource, content: Content) -> str:
        """Return which rows are permitted, as an SQL condition without parameters."""
        constants = {name: _literal(value) for name, value in resource.attributes.items()}
        columns = {**constants, "dataset": _literal(resource.id)}
        if content.places:
            columns["cell"] = quoted(content.places[0].cell)
        if content.time:
            columns["time"] = "CAST(epoch(jw_time) AS BIGINT)"
        if content.identified:
            columns["object"] = "jw_object"
        columns["id"] = f"({_literal(resource.id + '/')} || jw_fact)"
        sql, values = policies.rows(asker, "dataset.read", "Fact").sql(
            columns, "duckdb", placeholder="\1{}\1".format, first=0
        )
        sql = re.sub("\1([0-9]+)\1", lambda mark: _literal(values[int(mark[1])]), sql)
        if sql in ("TRUE", "FALSE") or "jw_" in re.sub(r"'(?:[^']|'')*'", "", sql):
            return sql
        return "TRUE" if self._is_true(sql) else "FALSE"


def refusal(policies: Policies, asker: Asker, action: str, dataset: Dataset) -> RefusedError:
    """Return the refusal of an action with a dataset, by the rules that refuse it."""
    return RefusedError(action, policies.decide(asker, action, resource_of(dataset, policies)))


def quoted(column: str) -> str:
    """Return the name of a column as SQL quotes it."""
    return '"' + column.replace('"', '""') + '"'


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def _masks_of_places(content: Content, level: int) -> dict[str, Mask]:
    """Hide the columns from which places were read, where places may not be shown as they are.

    Of versions that do not say which columns those were, all are hidden.
    """
    if level >= EXACT:
        return {}
    columns: set[str] = set()
    for place in content.places:
        if place.columns is None:
            columns |= {column.name for column in content.columns}
        elif place.kind != "reference" or any(at > level for at in content.levels.get(place.role, [EXACT])):
            columns |= set(place.columns)
    if content.geometry is not None:
        columns.add(content.geometry)
    return dict.fromkeys(columns, "hidden")


def _permitted(content: Content, masks: Mapping[str, Mask], level: int, rows: str) -> Permitted | None:
    """Return the SQL of what is permitted; `None` where that is everything."""
    clear = all(mask == "clear" for name, mask in masks.items() if name != content.geometry)
    if clear and level >= EXACT and rows == "TRUE":
        return None
    chosen = {}
    for column in content.columns:
        # The geometry is a place, and follows the rule of places.
        mask = "clear" if column.name == content.geometry and level >= EXACT else masks[column.name]
        if mask != "hidden":
            chosen[column.name] = masked_sql(quoted(column.name), column.type, mask)
    for place in content.places if level > 0 else []:
        chosen |= _coarsened(place, level)
    # Heights tell one floor from another: they are finer than any coarsened place.
    kept = [name for name in content.address if name not in chosen and not name.startswith("jw_height")]
    if level >= EXACT:
        kept = [name for name in content.address if name not in chosen]
    places = {name for place in content.places for name in (place.cell, place.level)}
    chosen |= {name: quoted(name) for name in kept if name not in places}
    chosen["jw_fact"] = "jw_fact"  # also of versions that do not name it: facts are paged by it
    listed = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in chosen.items())
    return Permitted(listed, rows, tuple(chosen), indexed=level >= EXACT, hashed="hash" in masks.values())


def _coarsened(place: Place, level: int) -> dict[str, str]:
    cell, at = quoted(place.cell), quoted(place.level)
    if level >= EXACT:
        return {place.cell: cell, place.level: at}
    mask = ~((1 << (64 - 2 * level)) - 1)
    return {
        place.cell: f"CASE WHEN {at} <= {level} THEN {cell} ELSE {cell} & {mask} END",
        place.level: f"least({at}, {level})",
    }


def _as_shown(
    version: Version,
    masks: Mapping[str, Mask],
    level: int,
    rights: set[str],
    rows: str,
    permitted: Permitted | None,
) -> Version:
    """Return what the asker may know of a version."""
    content = version.content
    if "read" in rights and permitted is None:
        return version
    exact = level >= EXACT
    all_rows = "read" in rights and rows == "TRUE"
    columns = [
        _column_as_shown(column, _mask(column, content, masks, exact=exact), statistics=all_rows)
        for column in content.columns
    ]
    if "read" in rights:
        columns = [one for one in columns if _mask(one, content, masks, exact=exact) != "hidden"]
    named = content.name is not None and masks.get(content.name, "hidden") != "hidden"
    shown = replace(
        content,
        columns=columns,
        geometry=content.geometry if exact else None,
        name=content.name if named else None,
        keys=[name for name in content.keys if masks.get(name) == "clear"],
        places=_places_as_shown(content, level) if "read" in rights else content.places,
        levels=_levels_as_shown(content, level) if "read" in rights else content.levels,
        bounds=_bounds_as_shown(content.bounds, level) if all_rows else None,
        period=content.period if all_rows else None,
        rules={},
        findings=[],
        evidence=[],
    )
    return replace(version, content=shown)


def _mask(column: Column, content: Content, masks: Mapping[str, Mask], *, exact: bool) -> Mask:
    return "clear" if exact and column.name == content.geometry else masks[column.name]


def _column_as_shown(column: Column, mask: Mask, *, statistics: bool) -> Column:
    """Return a column without what its statistics would tell of what is hidden."""
    if mask == "clear" and statistics:
        return column
    return Column(column.name, shown_type(column.type, mask) if mask != "hidden" else column.type)


def _places_as_shown(content: Content, level: int) -> list[Place]:
    if level >= EXACT:
        return content.places
    return [replace(place, kind="reference", columns=[]) for place in content.places] if level > 0 else []


def _levels_as_shown(content: Content, level: int) -> dict[str, list[int]]:
    if level >= EXACT:
        return content.levels
    roles = {place.role for place in content.places} if level > 0 else set()
    return {
        role: sorted({min(at, level) for at in levels})
        for role, levels in content.levels.items()
        if role in roles
    }


def _bounds_as_shown(
    bounds: tuple[float, float, float, float] | None, level: int
) -> tuple[float, float, float, float] | None:
    """Return bounds grown to whole cells of the permitted level."""
    if bounds is None or level == 0:
        return None
    if level >= EXACT:
        return bounds
    first, last = (
        grid.Cell.at(bounds[0], bounds[1], level).bounds,
        grid.Cell.at(bounds[2], bounds[3], level).bounds,
    )
    return first[0], first[1], last[2], last[3]


def _counting(decision: Decision) -> tuple[int, int]:
    """Return the finest level and the smallest number of counts: by the rule that permits most."""
    if not decision.allowed:
        return 0, SMALLEST
    level = max(int(note.get("level", "32")) for note in decision.annotations)
    smallest = min(int(note.get("smallest", str(SMALLEST))) for note in decision.annotations)
    return level, max(1, smallest)
