"""Stamps: what a table was read from, in the metadata of its schema, which Arrow and Parquet carry along.

A file made of stamped tables says by itself what it was made of when it comes back as a dataset. A stamp
is believed where this city has a version of that dataset, number and fingerprint.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jingwei.lake.schemas import Version

KEY = b"jingwei.reads"
MOST = 100
"""Stamps of one table at most."""


class Stamp(NamedTuple):
    """One version that a table was read from."""

    dataset: str
    version: int
    fingerprint: str


def stamp_of(version: Version) -> Stamp:
    """Return the stamp of a version."""
    return Stamp(version.dataset, version.number, version.content.fingerprint)


def stamped(schema: pa.Schema, stamps: Iterable[Stamp]) -> pa.Schema:
    """Return a schema with these stamps beside those that it has."""
    all_of_them = list(dict.fromkeys([*stamps_of(schema), *stamps]))[:MOST]
    if not all_of_them:
        return schema
    return schema.with_metadata({**(schema.metadata or {}), KEY: json.dumps(all_of_them).encode()})


def stamps_of(schema: pa.Schema) -> list[Stamp]:
    """Return the stamps of a schema; none where what stands there is no list of stamps."""
    try:
        told = json.loads((schema.metadata or {}).get(KEY, b"[]"))
        return [Stamp(str(name), int(number), str(mark)) for name, number, mark in told[:MOST]]
    except (ValueError, TypeError, KeyError):
        return []


__all__ = ["Stamp", "stamp_of", "stamped", "stamps_of"]
