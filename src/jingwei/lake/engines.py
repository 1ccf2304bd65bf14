"""Query engines of a moment: how much they may hold, and where the rest goes."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path

import duckdb


def open_engine(memory: str) -> duckdb.DuckDBPyConnection:
    """Return an engine that keeps nothing, with times in UTC.

    What does not fit into memory goes to a folder of its own among the system's temporary ones, which the
    engine makes when it needs it and takes away as it is closed; never to where the command was called.

    Parameters
    ----------
    memory
        What it may hold, as `1GB`.

    """
    folder = Path(tempfile.gettempdir()) / f"jingwei-{uuid.uuid4()}"
    engine = duckdb.connect(config={"memory_limit": memory, "temp_directory": str(folder)})
    engine.execute("SET TimeZone = 'UTC'")
    return engine
