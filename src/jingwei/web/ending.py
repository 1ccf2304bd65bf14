"""Streams that would go on for ever are told that the server is about to end, so it need not cut them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator


class Ending:
    """Whether a server ends. Belongs to the loop of that server."""

    def __init__(self) -> None:
        self.begun = False
        self._bells: set[asyncio.Event] = set()

    def begin(self) -> None:
        """Let all streams end after what they told last."""
        self.begun = True
        for rung in self._bells:
            rung.set()

    @contextmanager
    def heard_by(self, rung: asyncio.Event) -> Iterator[None]:
        """Set an event when the end begins, as long as the block lasts; at once if it has begun."""
        if self.begun:
            rung.set()
        self._bells.add(rung)
        try:
            yield
        finally:
            self._bells.discard(rung)
