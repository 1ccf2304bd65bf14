"""What people decided about sources that the evidence left open. A manifest that says it outranks them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from jingwei import ledger
from jingwei.city.models import DecisionRow
from jingwei.errors import ConflictError
from jingwei.lake.datums import canonical_system
from jingwei.records import now_utc
from jingwei.words import Text

if TYPE_CHECKING:
    from jingwei.access import Asker
    from jingwei.city.manifest import Manifest, SourceSpec
    from jingwei.city.service import City


class NothingToDecideError(ConflictError):
    """The source is not held back."""

    code = "nothing-to-decide"


def decide_system(city: City, asker: Asker, source: str, crs: str) -> str:
    """Record in which coordinate system a held-back source is; the next load follows it.

    Returns
    -------
    str
        The canonical name of the system.

    Raises
    ------
    UnknownDatasetError, NothingToDecideError
        There is no such source, or it is not held back.
    BadRequestError
        The name is no coordinate system.

    """
    system = canonical_system(crs)
    if city.lake.dataset(asker, source).state != "held":
        raise NothingToDecideError(
            Text(
                f"数据源“{source}”没有待确认的事项。",
                f"Nothing about source '{source}' waits for a decision.",
            ),
            where={"source": source},
        )
    with city.records.write() as session:
        row = session.get(DecisionRow, source)
        if row is None:
            row = DecisionRow(source=source, crs=system, actor=asker.id, decided=now_utc())
            session.add(row)
        row.crs, row.actor, row.decided = system, asker.id, now_utc()
        ledger.append(
            session, "source.decided", actor=asker.id, subject=f"source/{source}", data={"crs": system}
        )
    return system


def apply_decisions(city: City, manifest: Manifest) -> Manifest:
    """Return the manifest with what was decided about sources that state no coordinate system."""
    with city.records.read() as session:
        decided = {row.source: row.crs for row in session.scalars(select(DecisionRow)).all()}

    def completed(spec: SourceSpec) -> SourceSpec:
        crs = decided.get(spec.id)
        return spec.model_copy(update={"crs": crs}) if crs is not None and spec.crs is None else spec

    return manifest.model_copy(update={"source": [completed(spec) for spec in manifest.source]})
