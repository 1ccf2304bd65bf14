"""Names that last, for the facts of sources whose manifest asks for them.

A row gets the identifier of the object that its department knows by the source's keys, in the column
`jw_object`. The identifier is issued once and found again at every later load, also where a load fails:
an identifier that no fact bears harms nobody, one that changed would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from jingwei import registry
from jingwei.lake.address import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jingwei.access import Asker
    from jingwei.city.manifest import SourceSpec
    from jingwei.lake.schemas import Place
    from jingwei.records import Records

COLUMN = "jw_object"
LONGEST_TITLE = 400


def named_schema(schema: pa.Schema, spec: SourceSpec) -> pa.Schema:
    """Return the schema of facts, with the column of identifiers where the source asks for them."""
    return schema.append(pa.field(COLUMN, pa.string())) if spec.identify else schema


def named(
    batches: Iterable[pa.RecordBatch],
    spec: SourceSpec,
    place: Place | None,
    records: Records,
    asker: Asker,
    load: str,
) -> Iterator[pa.RecordBatch]:
    """Yield addressed rows with the identifiers of their objects; a row without a key has none.

    Parameters
    ----------
    batches
        Rows with the department's columns and the address columns.
    spec
        The source; its `identify` is the kind of its objects.
    place
        The place of a new object, if the source has any.
    records, asker
        Where identifiers are issued, and on whose behalf.
    load
        The load whose rows they are.

    """
    for batch in batches:
        if not spec.identify:
            yield batch
            continue
        keys = key_of([batch.column(name) for name in spec.keys])
        there = pc.is_valid(keys)
        known = {"key": keys.filter(there)}
        if spec.name is not None:
            titles = batch.column(spec.name).cast(pa.string()).filter(there)
            known["title"] = pc.utf8_slice_codeunits(titles, 0, LONGEST_TITLE)
        if place is not None:
            known["cell"] = batch.column(place.cell).filter(there)
            known["level"] = batch.column(place.level).filter(there)
        with records.write() as session:
            issued = registry.issue_table(
                session,
                asker,
                pa.table(known),
                owner=f"{registry.DATASET}{spec.id}",
                kind=spec.identify,
                load=load,
            )
        filled = pc.replace_with_mask(pa.nulls(batch.num_rows, pa.string()), there, issued)
        yield batch.append_column(pa.field(COLUMN, pa.string()), filled)
