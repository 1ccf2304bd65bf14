"""How far a load has come: told to whoever listens, and the way to stop it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Literal

Stage = Literal["waiting", "examining", "reading", "publishing", "published", "unchanged", "held", "failed"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the load of one source stands. `share` is 0 to 1."""

    source: str
    title: str
    stage: Stage
    share: float = 0.0
    rows: int = 0


Listener = Callable[[Progress], None]


class Stop:
    """Asked for by a person; heeded by the load between two batches."""

    def __init__(self) -> None:
        self._event = Event()

    def ask(self) -> None:
        """Ask the load to stop."""
        self._event.set()

    @property
    def asked(self) -> bool:
        """Whether somebody asked."""
        return self._event.is_set()
