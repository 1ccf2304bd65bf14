"""Query engines of a moment: how much they may hold, and where the rest goes."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from jingwei.lake.rules import literal

if TYPE_CHECKING:
    from collections.abc import Iterable


def open_engine(memory: str, folder: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Return an engine that keeps nothing, with times in UTC.

    Parameters
    ----------
    memory
        What it may hold, as `1GB`.
    folder
        Where what does not fit into memory goes. If not given, to a folder of its own among the system's
        temporary ones, which the engine makes when it needs it and takes away as it is closed; never to where
        the command was called.

    """
    folder = folder or Path(tempfile.gettempdir()) / f"jingwei-{uuid.uuid4()}"
    engine = duckdb.connect(config={"memory_limit": memory, "temp_directory": str(folder)})
    engine.execute("SET TimeZone = 'UTC'")
    return engine


def in_files(paths: Iterable[Path | str]) -> str:
    """Return the SQL of all rows of Parquet files, without what the names of their folders say."""
    listed = ", ".join(literal(str(path)) for path in paths)
    return f"read_parquet([{listed}], hive_partitioning = false)"
