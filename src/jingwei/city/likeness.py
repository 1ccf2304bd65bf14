"""How like real cities the demo city is: the table that `make likeness` measured last."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from jingwei.words import Text

MEASURED = Path(__file__).parent / "demo" / "likeness.json"


@dataclass(frozen=True, slots=True)
class Likeness:
    """One row of the table: what is compared with what, and how near the two are.

    Attributes
    ----------
    what
        What is compared.
    source
        The real data.
    real, demo
        What each of the two is like, in words and figures.
    measure
        How the distance of the two is measured, and what would be equal.
    value
        The distance.

    """

    what: Text
    source: Text
    real: Text
    demo: Text
    measure: Text
    value: float


def measured(path: Path = MEASURED) -> list[Likeness]:
    """Return the table as it was measured last."""
    names = ("what", "source", "real", "demo", "measure")
    rows = json.loads(path.read_text("utf-8"))
    return [Likeness(**{name: Text(**row[name]) for name in names}, value=row["value"]) for row in rows]


def keep(rows: list[Likeness], path: Path = MEASURED) -> None:
    """Write the table for the pages to show."""
    content = json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1)
    path.write_text(content + "\n", "utf-8")
