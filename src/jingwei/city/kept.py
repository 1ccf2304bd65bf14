"""Sources that came as single files: kept beside the manifest, and read with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from jingwei.city.manifest import Manifest, SourceSpec
from jingwei.city.models import IntakeSourceRow

if TYPE_CHECKING:
    from pathlib import Path

    from jingwei.city.service import City

FOLDER = "intake"
PREFIX = "intake:"
"""Begins the name of a file that lies in the city's own folder, under the digest of its content."""


def kept_sources(city: City) -> dict[str, SourceSpec]:
    """Return the sources that were loaded from single files, by their identifiers."""
    with city.records.read() as session:
        rows = session.scalars(select(IntakeSourceRow).order_by(IntakeSourceRow.changed)).all()
        return {row.id: SourceSpec.model_validate(row.spec) for row in rows}


def apply_kept(city: City, manifest: Manifest) -> Manifest:
    """Return the manifest with the sources that came as single files; such a one replaces the pack's own."""
    kept = kept_sources(city)
    if not kept:
        return manifest
    own = [kept.pop(source.id, source) for source in manifest.source]
    return manifest.model_copy(update={"source": [*own, *kept.values()]})


def place_of(home: Path, data: Path, file: str) -> Path:
    """Return where a source's file lies."""
    return home / FOLDER / file.removeprefix(PREFIX) if file.startswith(PREFIX) else data / file


def delete_kept(city: City, digest: str) -> None:
    """Delete a file that was handed in."""
    folder = city.home / FOLDER / digest
    for path in sorted(folder.glob("*")):
        path.unlink()
    if folder.is_dir():
        folder.rmdir()
