"""Which of the pairs found hold: by probability, each record once, and people's decisions before all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from jingwei.matching.configuration import Configuration

STATES = ("linked", "review", "rival", "same", "different", "unsure")
LINKED = ("linked", "same")
"""States of pairs that are taken for the same thing."""


def settled(
    pairs: pa.Table, decisions: Mapping[tuple[str, str], str], configuration: Configuration
) -> NDArray[np.object_]:
    """Return the state of each pair.

    `same`, `different` and `unsure` are what a person decided; else a pair is `linked` from the probability
    `sure`, a `rival` where one of its records is linked to a better counterpart, and to `review` otherwise.

    Parameters
    ----------
    pairs
        With `left_table`, `right_table`, `left`, `right`, `probability`, `left_mark` and `right_mark`.
    decisions
        By the two marks.
    configuration
        Thresholds, and whether a record has at most one counterpart in another table.

    """
    marks = zip(pairs["left_mark"].to_pylist(), pairs["right_mark"].to_pylist(), strict=True)
    chosen = np.array(
        [decisions.get(pair, "") for pair in marks] if decisions else [""] * pairs.num_rows, object
    )
    probability = np.asarray(pairs["probability"].fill_null(0).to_numpy())
    states = np.where(probability >= configuration.sure, "linked", "review").astype(object)
    states[chosen != ""] = chosen[chosen != ""]
    if configuration.once and len(configuration.table) > 1:
        _each_once(pairs, probability, states)
    return states


def _each_once(pairs: pa.Table, probability: NDArray[np.float64], states: NDArray[np.object_]) -> None:
    """Make rivals of what is linked less surely than another pair of the same record."""
    from jingwei.lake.kernels_link import each_once

    tables = [np.asarray(pairs[name].to_numpy()) for name in ("left_table", "right_table")]
    rows = [np.asarray(pairs[name].to_numpy()).astype(np.int64) for name in ("left", "right")]
    weight = np.where(states == "same", 2.0, probability)
    open_ = np.isin(states, ("linked", "review", "same"))
    for one in np.unique(tables[0]).tolist():
        for other in np.unique(tables[1][tables[0] == one]).tolist():
            here = np.flatnonzero(open_ & (tables[0] == one) & (tables[1] == other))
            here = here[np.lexsort((rows[1][here], rows[0][here], -weight[here]))]
            a, b = rows[0][here], rows[1][here]
            held = np.zeros(len(here), bool)
            if len(here):
                held[each_once(a, b, int(a.max()) + 1, int(b.max()) + 1)] = True
            lost = here[~held]
            taken = _linked_elsewhere(a, b, held & (states[here] != "review"))
            rivals = lost[taken[~held]]
            states[rivals[states[rivals] != "same"]] = "rival"


def _linked_elsewhere(
    a: NDArray[np.int64], b: NDArray[np.int64], linked: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Say of which pairs a record is in a linked pair."""
    answer: NDArray[np.bool_] = np.isin(a, a[linked]) | np.isin(b, b[linked])
    return answer
