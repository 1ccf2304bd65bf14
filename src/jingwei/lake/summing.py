"""Figures of numeric columns by cell: number, least, greatest, mean and spread, and how they add up.

Each is kept as (n, mean, M2), from which those of a larger part follow without the values (Chan, Golub and
LeVeque, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances, 1979, equation 2.1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from jingwei.lake.schemas import Version
    from jingwei.lake.views import View

NUMERIC = ("int", "uint", "float", "double", "halffloat", "decimal")
BEYOND = "1e150"
"""Values beyond it, the infinite ones and what is no number have no share: their squares are infinite."""

PARTS = ("n", "min", "max", "mean", "m2")


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one column, an element for each group; what has no value is NaN."""

    n: NDArray[np.int64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    mean: NDArray[np.float64]
    m2: NDArray[np.float64]

    @property
    def deviation(self) -> NDArray[np.float64]:
        """The sample standard deviation; NaN for fewer than two values."""
        found = np.full(len(self.n), np.nan)
        many = self.n > 1
        found[many] = np.sqrt(np.maximum(self.m2[many], 0) / (self.n[many] - 1))
        return found


@dataclass(frozen=True, slots=True)
class Sums:
    """What is known of the facts of several groups.

    `facts` is how many there are; `told` says of which groups it may be told. `start` and `end` are UTC
    microseconds of the first and last instant over all groups.
    """

    facts: NDArray[np.int64]
    told: NDArray[np.bool_]
    figures: dict[str, Figures] = field(default_factory=dict)
    start: int | None = None
    end: int | None = None


def numeric_columns(view: View, version: Version) -> list[str]:
    """Return the numeric columns that are shown as they are; what only says where a fact is, is none."""
    places = {name for place in version.content.places for name in place.columns or []}
    return [
        column.name
        for column in version.content.columns
        if column.type.startswith(NUMERIC)
        and view.masks.get(column.name) == "clear"
        and column.name not in places
    ]


def parts_of(columns: Sequence[str]) -> list[str]:
    """Return the SQL of the figures of quoted columns, named `jw_<number>_<part>`."""
    listed = []
    for number, column in enumerate(columns):
        value = f"CAST({column} AS DOUBLE)"
        value = f"CASE WHEN abs({value}) < {BEYOND} THEN {value} END"
        listed += [
            f"count({value}) AS jw_{number}_n",
            f"min({value}) AS jw_{number}_min",
            f"max({value}) AS jw_{number}_max",
            f"avg({value}) AS jw_{number}_mean",
            f"coalesce(var_samp({value}), 0) * (count({value}) - 1) AS jw_{number}_m2",
        ]
    return listed


def added_up(table: pa.Table, columns: Sequence[str], group: NDArray[np.int64], groups: int) -> Sums:
    """Return the figures of groups of cells.

    Parameters
    ----------
    table
        Cells with `n` and the parts of `columns`, see `Lake.sums`.
    columns
        The columns that the parts are of, in order.
    group
        (cells,) number of the group that each cell belongs to; -1 for none.
    groups
        How many groups there are.

    """
    kept = group >= 0
    table, group = table.filter(pa.array(kept)), group[kept]
    facts = np.zeros(groups, np.int64)
    np.add.at(facts, group, table["n"].to_numpy())
    figures = {
        name: _figures([_numbers(table, f"jw_{number}_{part}") for part in PARTS], group, groups)
        for number, name in enumerate(columns)
    }
    start = end = None
    if "jw_start" in table.column_names and table.num_rows:
        starts, ends = table["jw_start"].drop_null().to_numpy(), table["jw_end"].drop_null().to_numpy()
        start, end = (int(starts.min()), int(ends.max())) if len(starts) and len(ends) else (None, None)
    return Sums(facts, np.ones(groups, bool), figures, start, end)


def _numbers(table: pa.Table, name: str) -> NDArray[np.float64]:
    return np.asarray(table[name].to_numpy(), np.float64)


def taken(figures: Figures, chosen: NDArray[Any] | slice) -> Figures:
    """Return the figures of some groups, by number, mask or slice."""
    return Figures(
        figures.n[chosen],
        figures.minimum[chosen],
        figures.maximum[chosen],
        figures.mean[chosen],
        figures.m2[chosen],
    )


def joined(parts: Sequence[Figures]) -> Figures:
    """Return the figures of the groups of several parts, one part after the other."""
    return Figures(
        np.concatenate([one.n for one in parts]),
        np.concatenate([one.minimum for one in parts]),
        np.concatenate([one.maximum for one in parts]),
        np.concatenate([one.mean for one in parts]),
        np.concatenate([one.m2 for one in parts]),
    )


def combined(figures: Figures, begins: NDArray[np.int64]) -> Figures:
    """Return the figures of runs of groups, each of which has values.

    Parameters
    ----------
    figures
        Those of the groups, in order; `n` is nowhere 0.
    begins
        (runs,) where each run begins, ascending from 0.

    """
    if not len(begins):
        return taken(figures, slice(0, 0))
    lengths = np.diff(np.append(begins, len(figures.n)))
    count = np.add.reduceat(figures.n, begins)
    # About a value of the run, not about zero: large values with little spread would lose it.
    centre = figures.mean[begins]
    shift = np.add.reduceat(figures.n * (figures.mean - np.repeat(centre, lengths)), begins)
    middle = centre + shift / count
    apart = figures.mean - np.repeat(middle, lengths)
    return Figures(
        count,
        np.minimum.reduceat(figures.minimum, begins),
        np.maximum.reduceat(figures.maximum, begins),
        middle,
        np.add.reduceat(figures.m2 + figures.n * apart**2, begins),
    )


def spread(figures: Figures, numbers: NDArray[np.int64], groups: int) -> Figures:
    """Return the figures of `groups` groups: those of some by their numbers, nothing for the others."""
    out = Figures(np.zeros(groups, np.int64), *(np.full(groups, np.nan) for _ in range(4)))
    for name in ("n", "minimum", "maximum", "mean", "m2"):
        getattr(out, name)[numbers] = getattr(figures, name)
    return out


def _figures(
    parts: list[NDArray[np.float64]],
    group: NDArray[np.int64],
    groups: int,
) -> Figures:
    some = np.flatnonzero(parts[0] > 0)
    some = some[np.argsort(group[some], kind="stable")]
    n, low, high, mean, m2 = (part[some] for part in parts)
    there, begins = np.unique(group[some], return_index=True)
    return spread(combined(Figures(n.astype(np.int64), low, high, mean, m2), begins), there, groups)
