"""Datasets that rules ask: their rows as the rule's owner may read them, held by where they are.

A rule of a department reads what a member of the department may read, one of the whole city what its
operators may; whoever writes or tries a rule must be able to read as much. Rows are those of the newest
published version, and are read anew when that, or what the owner may see of it, is another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from jingwei.access import Asker
from jingwei.errors import JingweiError
from jingwei.lake import paged
from jingwei.lake.errors import UnknownColumnError, UnknownDatasetError
from jingwei.records.recent import Recent
from jingwei.sense.rules.form import BadRuleError
from jingwei.sense.rules.surroundings import ALWAYS, NEVER_ENDS, Placed, Surroundings
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from numpy.typing import NDArray

    from jingwei.lake import Lake, Rows, Version
    from jingwei.lake.views import View
    from jingwei.sense.rules.form import DatasetSign, Rule
    from jingwei.sense.rules.surroundings import Spot

EXACT = 32
PAGE = 100_000
MOST_ROWS = 300_000
"""Rows of a dataset, after its filter, that a rule can ask."""
KEPT_ROWS = 1_000_000
"""Rows that are held at most, of all datasets together."""
KEPT_TROUBLES = 20_000
MOST_NAMED = 5
"""Rows that are named as the reason of one firing."""
_FIXED = {"hour": 3_600_000_000, "minute": 60_000_000, "second": 1_000_000, "millisecond": 1_000}
_DAYS = {"day": 1, "month": 32, "year": 367}
"""By how many days one surely comes into the next."""


@dataclass(frozen=True, slots=True)
class Held:
    """The rows of a version that a condition of a rule asks about.

    Attributes
    ----------
    version
        As the owner of the rule may know it.
    key
        What these rows are kept under: another one where they may be others.
    surroundings, names
        Where they are; and of each `jw_fact`, `jw_object` where there is such, and what it is called.

    """

    version: Version
    key: tuple[Any, ...]
    surroundings: Surroundings
    names: pa.Table

    def ground(self, at: int, sign: DatasetSign, spot: Spot, moment: int) -> dict[str, Any]:
        """Return what the rows around a place say to the condition number `at`, as records keep it."""
        found, metres = self.surroundings.around(spot, sign.metres).at(moment)
        rows = self.names.take(pa.array(found[:MOST_NAMED])).to_pylist()
        told = [
            {"row": one["fact"], "name": one["name"], "object": one["object"] or "", "metres": None}
            for one in rows
        ]
        if metres is not None:
            for one, far in zip(told, metres.tolist(), strict=False):
                one["metres"] = round(far, 1)
        return {
            "sign": at, "dataset": sign.dataset, "version": self.version.number, "time": moment,
            "count": len(found), "rows": told,
        }  # fmt: skip


def asker_of(owner: str) -> Asker:
    """Return as whom a rule asks: a member of its department, or an operator of the whole city."""
    if not owner:
        return Asker("sense/rules", "规则", frozenset({"operator"}), duties=frozenset({("operator", "")}))
    duties = frozenset({("staff", owner)})
    return Asker("sense/rules", "规则", frozenset({"staff"}), frozenset({owner}), duties)


class Grounds:
    """Holds the rows of datasets that rules ask. Safe to share between threads.

    Parameters
    ----------
    lake
        Of the city.
    zone
        Tells its time zone: a date ends with its day.

    """

    def __init__(self, lake: Lake, zone: Callable[[], ZoneInfo]) -> None:
        self._lake, self._zone = lake, zone
        self._kept: Recent[tuple[Any, ...], Held] = Recent(KEPT_ROWS, lambda one: len(one.surroundings))
        self._troubles: Recent[tuple[Any, ...], Text | None] = Recent(KEPT_TROUBLES)

    def key(self, asker: Asker, sign: DatasetSign) -> tuple[Any, ...]:
        """Return what is another one whenever a condition may be answered otherwise.

        Raises
        ------
        UnknownDatasetError

        """
        return self._key(self._lake.view(asker, sign.dataset), sign)

    @staticmethod
    def _key(view: View, sign: DatasetSign) -> tuple[Any, ...]:
        return view.key, sign.dataset, sign.where, sign.valid

    def held(self, asker: Asker, rule: Rule, at: int, number: int | None = None) -> Held:
        """Return the rows that a condition of a rule asks about, in the newest version or a numbered one.

        Raises
        ------
        BadRuleError
            With why an asker cannot ask it so.

        """
        sign = rule.datasets[at]
        try:
            view = self._lake.view(asker, sign.dataset, number)
            version = _checked(view, sign, rule.level)
            return self._read(asker, view, version, sign)
        except _NotSoError as error:
            raise BadRuleError(
                error.what, mend=error.mend, where={"field": f"datasets[{at}].{error.field}"}
            ) from None
        except JingweiError as error:
            field = "dataset" if isinstance(error, UnknownDatasetError) else "where"
            raise BadRuleError(
                error.what, mend=error.mend, where={"field": f"datasets[{at}].{field}"}
            ) from error

    def check(self, asker: Asker, owner: str, rule: Rule) -> None:
        """Raise unless who writes a rule and its owner may ask its datasets so.

        Raises
        ------
        BadRuleError

        """
        for at in range(len(rule.datasets)):
            self.held(asker, rule, at)
            try:
                self.held(asker_of(owner), rule, at)
            except BadRuleError as error:
                who = (
                    Text("规则所属的部门", "The rule's department")
                    if owner
                    else Text("全市规则", "A rule of the city")
                )
                raise BadRuleError(
                    Text(
                        f"{who.zh}不能这样查询：{error.what.zh}", f"{who.en} cannot ask so: {error.what.en}"
                    ),
                    mend=error.mend,
                    where=error.where,
                ) from None

    def trouble(self, owner: str, rule: Rule) -> Text | None:
        """Return why a rule cannot ask its datasets now; None where it can."""
        asker = asker_of(owner)
        return next(
            (why for at in range(len(rule.datasets)) if (why := self._trouble(asker, rule, at))), None
        )

    def _trouble(self, asker: Asker, rule: Rule, at: int) -> Text | None:
        try:
            key = (*self.key(asker, rule.datasets[at]), rule.datasets[at].metres is None, rule.level)
        except UnknownDatasetError as error:
            return error.what

        def look() -> Text | None:
            try:
                self.held(asker, rule, at)
            except BadRuleError as error:
                return error.what
            return None

        return self._troubles.of(key, look)

    def is_open(self, dataset: str) -> bool:
        """Say whether every member of staff may read the whole of a dataset."""
        return self.may_read(Asker("sense/rules", "", frozenset({"staff"})), dataset)

    def versions(self, asker: Asker, dataset: str) -> list[Version]:
        """Return the versions of a dataset, the newest first; also those of which the rows are gone."""
        return self._lake.versions(asker, dataset)

    def title(self, asker: Asker, dataset: str) -> Text | None:
        """Return what a dataset is called; None where the asker may not know of it."""
        try:
            return self._lake.dataset(asker, dataset).title
        except UnknownDatasetError:
            return None

    def may_read(self, asker: Asker, dataset: str) -> bool:
        """Say whether an asker may read the whole of a dataset as it is."""
        try:
            return self._lake.view(asker, dataset).whole
        except UnknownDatasetError:
            return False

    # reading

    def _read(self, asker: Asker, view: View, version: Version, sign: DatasetSign) -> Held:
        key = self._key(view, sign)
        return self._kept.of(key, lambda: self._made(asker, view, version, sign, key))

    def _made(
        self, asker: Asker, view: View, version: Version, sign: DatasetSign, key: tuple[Any, ...]
    ) -> Held:
        content = version.content
        place = content.places[0]
        drawn = content.geometry if place.kind == "geometry" and view.place_level >= EXACT else None
        called = dict.fromkeys([*([content.name] if content.name else []), *content.keys])
        keys = [one for one in called if one not in view.personal and view.masks.get(one) == "clear"]
        table = self._rows(asker, version, sign, [*keys, *([drawn] if drawn else [])])
        shapes = None if drawn is None else _shapes(table, drawn)
        codes = table[place.cell].combine_chunks().fill_null(0).to_numpy()
        levels = table[place.level].combine_chunks().fill_null(0).to_numpy().astype(np.int8)
        since, until = self._validity(table) if sign.valid else (None, None)
        surroundings = Surroundings(Placed(shapes, codes, levels, since, until))
        return Held(version, key, surroundings, _names(table, keys))

    def _rows(self, asker: Asker, version: Version, sign: DatasetSign, columns: list[str]) -> pa.Table:
        parts: list[pa.Table] = []
        wanted = [
            *columns,
            *_ADDRESS,
            *(name for one in version.content.places[:1] for name in (one.cell, one.level)),
        ]

        def page(after: int | None) -> Rows:
            return self._lake.query(
                asker, sign.dataset, version=version.number, columns=columns, where=sign.where, after=after,
                limit=PAGE,
            )  # fmt: skip

        for rows in paged(page):
            table = rows.table
            parts.append(table.select([name for name in dict.fromkeys(wanted) if name in table.column_names]))
            if sum(part.num_rows for part in parts) > MOST_ROWS:
                raise _NotSoError(
                    "where",
                    Text(
                        f"符合条件的行超过 {MOST_ROWS} 行。", f"More than {MOST_ROWS:,} rows meet the filter."
                    ),
                    mend=Text("请缩小筛选条件。", "Filter more narrowly."),
                )
        return pa.concat_tables(parts)

    def _validity(self, table: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return from when to when rows are valid; what ends on a day is valid until the day is over."""
        begins, ends = (table[name].combine_chunks() for name in ("jw_time", "jw_time_end"))
        if table.num_rows and ends.null_count == len(ends):
            raise _NotSoError("valid", Text("没有一行有结束时间。", "No row has a time at which it ends."))
        known, ending = np.asarray(begins.is_valid()), np.asarray(ends.is_valid())
        since = np.where(known, begins.cast(pa.int64()).fill_null(0).to_numpy(), ALWAYS)
        until = ends.cast(pa.int64()).fill_null(0).to_numpy().copy()
        precision = (
            table["jw_time_precision"].cast(pa.string()).combine_chunks().to_numpy(zero_copy_only=False)
        )
        for one in set(precision[ending].tolist()):
            of_it = ending & (precision == one)
            if one in _DAYS:
                moments, number = np.unique(until[of_it], return_inverse=True)
                over = [_over(moment, one, self._zone()) for moment in moments.tolist()]
                until[of_it] = np.array(over, np.int64)[number]
            else:
                until[of_it] += _FIXED.get(one, 1)
        until = np.where(ending, until, NEVER_ENDS)
        nothing = ~known & ~ending
        until[nothing] = ALWAYS
        return since.astype(np.int64), until.astype(np.int64)


_ADDRESS = ("jw_fact", "jw_object", "jw_time", "jw_time_end", "jw_time_precision")


class _NotSoError(Exception):
    """A dataset cannot be asked as a rule says: in which field, why, and how to mend it."""

    def __init__(self, field: str, what: Text, mend: Text | None = None) -> None:
        super().__init__(what.en)
        self.field, self.what, self.mend = field, what, mend


def _checked(view: View, sign: DatasetSign, level: int) -> Version:
    """Return the version that a condition asks; raise where the asker may not ask it so."""
    version, name = view.version, sign.dataset
    if version is None:
        raise _NotSoError(
            "dataset",
            Text(f"数据集 {name} 没有已发布的版本。", f"The dataset {name} has no published version."),
        )
    if "read" not in view.rights:
        raise _NotSoError(
            "dataset", Text(f"无权读取数据集 {name} 的行。", f"The rows of {name} may not be read.")
        )
    content = version.content
    if not content.places:
        raise _NotSoError(
            "dataset",
            Text(
                f"数据集 {name} 的行没有可用的位置。", f"The rows of {name} have no place that may be used."
            ),
        )
    needed = EXACT if sign.metres is not None else level
    if view.place_level < needed:
        at = view.place_level
        raise _NotSoError(
            "metres" if sign.metres is not None else "dataset",
            Text(
                f"数据集 {name} 的位置只能看到第 {at} 级网格。",
                f"The places of {name} are told by cells of level {at} only.",
            ),
            mend=Text(f"请改用同一网格，层级不超过 {at}。", f"Ask for the same cell, of a level up to {at}."),
        )
    if sign.valid and not content.time:
        raise _NotSoError(
            "valid", Text(f"数据集 {name} 的行没有时间。", f"The rows of {name} have no times.")
        )
    if sign.where is not None:
        from jingwei.lake.filters import compile_filter  # brings a parser of SQL

        usable = [one.name for one in content.columns if view.masks.get(one.name) == "clear"]
        try:
            compile_filter(sign.where, name, usable)
        except UnknownColumnError as error:
            column = error.where["column"]
            raise _NotSoError(
                "where",
                Text(
                    f"数据集 {name} 没有可读的列“{column}”。",
                    f"{name} has no column {column} that may be read.",
                ),
                mend=Text(f"可用的列：{'、'.join(usable)}。", f"It has: {', '.join(usable)}."),
            ) from None
    return version


def _shapes(table: pa.Table, column: str) -> NDArray[Any]:
    import shapely

    shapes: NDArray[Any] = shapely.from_wkb(table[column].combine_chunks().to_numpy(zero_copy_only=False))
    return shapes


def _names(table: pa.Table, keys: list[str]) -> pa.Table:
    """Return of each row its number, its object, and what it is called with its keys as one text."""
    facts = table["jw_fact"]
    objects = table["jw_object"] if "jw_object" in table.column_names else pa.nulls(len(facts), pa.string())
    if keys:
        texts = zip(*(table[one].to_pylist() for one in keys), strict=True)
        named = [" · ".join("" if one is None else str(one) for one in values) for values in texts]
    else:
        named = [f"#{one}" for one in facts.to_pylist()]
    return pa.table({"fact": facts, "object": objects, "name": pa.array(named, pa.string())})


def _over(moment: int, precision: str, zone: ZoneInfo) -> int:
    """Return when the day, month or year is over in which a moment lies, UTC microseconds."""
    local = datetime.fromtimestamp(moment / 1e6, zone)
    start = local.replace(hour=0, minute=0, second=0, microsecond=0)
    later = (start.replace(day=1) if precision != "day" else start) + timedelta(days=_DAYS[precision])
    if precision != "day":
        later = later.replace(day=1)
    if precision == "year":
        later = later.replace(month=1)
    return round(later.timestamp() * 1e6)
